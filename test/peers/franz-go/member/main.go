// A member made with franz-go, in both protocols. See member-lines.ts.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var printing sync.Mutex

func say(words ...any) {
	printing.Lock()
	defer printing.Unlock()
	line := strings.TrimSpace(fmt.Sprintln(words...))
	fmt.Printf("%d %s\n", time.Now().UnixMicro(), strings.ReplaceAll(line, "\n", " "))
}

func sayPartitions(what string, partitions map[string][]int32) {
	words := []any{what}
	for topic, numbers := range partitions {
		for _, number := range numbers {
			words = append(words, fmt.Sprintf("%s:%d", topic, number))
		}
	}
	if len(words) > 1 {
		say(words...)
	}
}

func main() {
	given := map[string]string{}
	for _, arg := range os.Args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		given[name] = value
	}
	sessionTimeoutMs, _ := strconv.Atoi(given["sessionTimeoutMs"])
	balancers := map[string]kgo.GroupBalancer{
		"range":              kgo.RangeBalancer(),
		"roundrobin":         kgo.RoundRobinBalancer(),
		"sticky":             kgo.StickyBalancer(),
		"cooperative-sticky": kgo.CooperativeStickyBalancer(),
		"uniform":            kgo.StickyBalancer(), // asks the coordinator for uniform
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(given["bootstrap"], ",")...),
		kgo.ClientID(given["name"]),
		kgo.ConsumerGroup(given["group"]),
		kgo.ConsumeTopics(strings.Split(given["topics"], ",")...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(balancers[given["assignor"]]),
		kgo.SessionTimeout(time.Duration(sessionTimeoutMs) * time.Millisecond),
		kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelInfo, nil)),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			sayPartitions("assigned", partitions)
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			sayPartitions("revoked", partitions)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			sayPartitions("lost", partitions)
		}),
	}
	if given["instance"] != "" {
		options = append(options, kgo.InstanceID(given["instance"]))
	}
	if given["protocol"] == "consumer" {
		options = append(options, kgo.ServerSideBalancer())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		panic(err)
	}
	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	for stopped.Err() == nil {
		if err := round(stopped, client); err != nil {
			say("failed", err)
			if errors.Is(err, kerr.FencedInstanceID) || errors.Is(err, kerr.UnreleasedInstanceID) {
				os.Exit(1)
			}
		}
	}
	client.CloseAllowingRebalance()
	say("closed")
}

// round reads what there is and commits it. While it does, nothing is taken from this member.
func round(stopped context.Context, client *kgo.Client) error {
	polling, done := context.WithTimeout(stopped, 200*time.Millisecond)
	fetches := client.PollFetches(polling)
	done()
	defer client.AllowRebalance()
	next := map[string]map[int32]kgo.EpochOffset{}
	fetches.EachRecord(func(r *kgo.Record) {
		say("record", r.Topic, r.Partition, r.Offset, string(r.Value))
		if next[r.Topic] == nil {
			next[r.Topic] = map[int32]kgo.EpochOffset{}
		}
		next[r.Topic][r.Partition] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
	})
	var problem error
	fetches.EachError(func(topic string, partition int32, err error) {
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			problem = err
		}
	})
	if len(next) == 0 {
		return problem
	}
	for topic, partitions := range next {
		for partition, at := range partitions {
			say("committing", topic, partition, at.Offset)
		}
	}
	client.CommitOffsetsSync(context.Background(), next, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			problem = err
			return
		}
		for _, topic := range response.Topics {
			for _, partition := range topic.Partitions {
				if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
					problem = err
					continue
				}
				say("committed", topic.Topic, partition.Partition, next[topic.Topic][partition.Partition].Offset)
			}
		}
	})
	return problem
}
