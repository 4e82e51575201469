"""produce|consume BOOTSTRAP TOPIC RECORDS RECORD-BYTES: librdkafka at work, through its Python client; see own-program.ts. The consumer
takes records a thousand at a time: one at a time would measure Python."""

import json
import os
import sys
import time

from confluent_kafka import Consumer, Producer

work, bootstrap, topic, records, record_bytes = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])


def produce():
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    value = (b"odradek " * (record_bytes // 8 + 1))[:record_bytes]
    refused = []

    def delivered(error, _message):
        if error is not None:
            refused.append(error)

    # The first request makes the connection; what is measured begins after it, as with the other clients.
    producer.list_topics(topic, timeout=30)
    began = time.monotonic()
    for _ in range(records):
        while True:
            try:
                producer.produce(topic, value, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.01)
        producer.poll(0)
    producer.flush(120)
    seconds = time.monotonic() - began
    if refused or len(producer) > 0:
        sys.exit(f"{len(refused)} records were refused, {len(producer)} have no answer; {refused[:1]}")
    return records, seconds


def consume():
    joined = []
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"bench-{os.getpid()}", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic], on_assign=lambda _consumer, _partitions: joined.append(time.monotonic()))
    seen = 0
    while seen < records:
        batch = consumer.consume(1000, timeout=60)
        if not batch:
            sys.exit(f"no record came for a minute, after {seen}")
        for message in batch:
            if message.error() is not None:
                sys.exit(message.error().str())
        seen += len(batch)
    return seen, time.monotonic() - joined[-1]


done, took = produce() if work == "produce" else consume()
print(json.dumps({"records": done, "seconds": took}))
