// BOOTSTRAP TOPIC PARTITIONS PER-SECOND: a producer of franz-go, idempotent as it is by default, which prints each record's fate as
// Kafka's verifiable producer does. SIGTERM ends it, once everything has its answer.
package main

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type event struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Message   string `json:"message,omitempty"`
}

func main() {
	bootstrap, topic := os.Args[1], os.Args[2]
	partitions, _ := strconv.Atoi(os.Args[3])
	perSecond, _ := strconv.Atoi(os.Args[4])
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(bootstrap, ",")...),
		kgo.ClientID("franz-go"),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RequestTimeoutOverhead(5*time.Second),
		kgo.ProduceRequestTimeout(5*time.Second),
	)
	if err != nil {
		panic(err)
	}
	var printing sync.Mutex
	out := json.NewEncoder(os.Stdout)
	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	began := time.Now()
	sent := 0
	for stopped.Err() == nil {
		due := int(time.Since(began).Seconds() * float64(perSecond))
		for ; sent < due && stopped.Err() == nil; sent++ {
			record := &kgo.Record{Topic: topic, Partition: int32(sent % partitions), Value: []byte(strconv.Itoa(sent))}
			client.TryProduce(context.Background(), record, func(r *kgo.Record, err error) {
				e := event{Name: "producer_send_success", Value: string(r.Value), Partition: r.Partition, Offset: r.Offset}
				if err != nil {
					e.Name, e.Message = "producer_send_error", err.Error()
				}
				printing.Lock()
				defer printing.Unlock()
				_ = out.Encode(e)
			})
		}
		time.Sleep(5 * time.Millisecond)
	}
	flushing, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	_ = client.Flush(flushing)
	client.Close()
}
