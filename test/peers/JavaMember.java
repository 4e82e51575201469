// A member made with Apache Kafka's own client, in both protocols. See member-lines.ts.

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class JavaMember implements ConsumerRebalanceListener {
  private final KafkaConsumer<String, String> consumer;
  private final Map<TopicPartition, OffsetAndMetadata> pending = new HashMap<>();
  private volatile boolean stopped;

  public static void main(String[] args) throws InterruptedException {
    Map<String, String> given = new HashMap<>();
    for (String arg : args) given.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
    JavaMember member = new JavaMember(given);
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      member.stopped = true;
      member.consumer.wakeup();
      try {
        ended.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }));
    boolean well = false;
    try {
      member.run(List.of(given.get("topics").split(",")));
      well = true;
    } catch (RuntimeException e) {
      e.printStackTrace();
      say("failed " + e);
    } finally {
      ended.countDown();
    }
    if (!well) Runtime.getRuntime().halt(1);
  }

  private JavaMember(Map<String, String> given) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", given.get("bootstrap"));
    settings.put("client.id", given.get("name"));
    settings.put("group.id", given.get("group"));
    settings.put("group.protocol", given.get("protocol"));
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", "false");
    settings.put("fetch.max.wait.ms", "200");
    settings.put("key.deserializer", StringDeserializer.class.getName());
    settings.put("value.deserializer", StringDeserializer.class.getName());
    if (given.containsKey("instance")) settings.put("group.instance.id", given.get("instance"));
    if (given.get("protocol").equals("classic")) {
      settings.put("partition.assignment.strategy", given.get("assignor"));
      settings.put("session.timeout.ms", given.get("sessionTimeoutMs"));
      settings.put("heartbeat.interval.ms", "500");
    } else {
      settings.put("group.remote.assignor", given.get("assignor"));
    }
    consumer = new KafkaConsumer<>(settings);
  }

  private void run(List<String> topics) {
    try {
      consumer.subscribe(topics, this);
      while (!stopped) {
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          say("record " + record.topic() + " " + record.partition() + " " + record.offset() + " " + record.value());
          pending.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
        }
        commit();
      }
    } catch (WakeupException e) {
      // told to stop
    } finally {
      consumer.close();
    }
    say("closed");
  }

  private void commit() {
    if (pending.isEmpty()) return;
    pending.forEach((partition, next) -> say("committing " + wordsOf(partition) + " " + next.offset()));
    try {
      consumer.commitSync(pending);
      pending.forEach((partition, next) -> say("committed " + wordsOf(partition) + " " + next.offset()));
      pending.clear();
    } catch (FencedInstanceIdException e) {
      throw e;
    } catch (CommitFailedException | RebalanceInProgressException | RetriableException e) {
      say("failed commit: " + e);
    }
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    if (!partitions.isEmpty()) say("assigned " + namesOf(partitions));
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    if (partitions.isEmpty()) return;
    try {
      commit();
    } catch (WakeupException e) {
      stopped = true;
    }
    pending.keySet().removeAll(partitions);
    say("revoked " + namesOf(partitions));
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    pending.keySet().removeAll(partitions);
    if (!partitions.isEmpty()) say("lost " + namesOf(partitions));
  }

  private static String namesOf(Collection<TopicPartition> partitions) {
    return partitions.stream().map(one -> one.topic() + ":" + one.partition()).collect(Collectors.joining(" "));
  }

  private static String wordsOf(TopicPartition one) {
    return one.topic() + " " + one.partition();
  }

  private static synchronized void say(String words) {
    System.out.println(ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()) + " " + words.replace('\n', ' '));
  }
}
