"""BOOTSTRAP TOPIC PARTITIONS PER-SECOND: an idempotent producer of librdkafka, which prints each record's fate as Kafka's
verifiable producer does. SIGTERM ends it, once everything has its answer."""

import json
import signal
import sys
import time

from confluent_kafka import Producer

bootstrap, topic, partitions, per_second = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
stopped = False


def stop(_signal, _frame):
    global stopped
    stopped = True


def delivered(error, message):
    value = message.value().decode()
    if error is None:
        event = {"name": "producer_send_success", "value": value, "partition": message.partition(), "offset": message.offset()}
    else:
        event = {"name": "producer_send_error", "value": value, "exception": error.name(), "message": error.str()}
    print(json.dumps(event), flush=True)


signal.signal(signal.SIGTERM, stop)
producer = Producer(
    {
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "client.id": "librdkafka",
        "socket.timeout.ms": 5000,
        "request.timeout.ms": 5000,
        "log_level": 0,
    }
)
began = time.monotonic()
sent = 0
while not stopped:
    due = int((time.monotonic() - began) * per_second)
    while sent < due and not stopped:
        try:
            producer.produce(topic, str(sent).encode(), partition=sent % partitions, on_delivery=delivered)
            sent += 1
        except BufferError:
            break
    producer.poll(0.01)
producer.flush(60)
