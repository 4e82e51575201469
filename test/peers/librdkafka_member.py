"""A member made with librdkafka, in both protocols. See member-lines.ts."""

import signal
import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

args = dict(arg.split("=", 1) for arg in sys.argv[1:])
stopped = False
fatal = None
pending = {}


def say(*words):
    sys.stdout.write(" ".join([str(time.time_ns() // 1000), *map(str, words)]) + "\n")
    sys.stdout.flush()


def names(partitions):
    return [f"{p.topic}:{p.partition}" for p in partitions]


def stop(_signal, _frame):
    global stopped
    stopped = True


def commit():
    if not pending:
        return
    offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in pending.items()]
    for one in offsets:
        say("committing", one.topic, one.partition, one.offset)
    try:
        for one in consumer.commit(offsets=offsets, asynchronous=False):
            if one.error is not None:
                say("failed", "commit:", one.error)
                continue
            say("committed", one.topic, one.partition, one.offset)
            pending.pop((one.topic, one.partition), None)
    except KafkaException as error:
        say("failed", "commit:", error)
        look_for_the_end(error.args[0])


def look_for_the_end(error):
    global fatal
    if error.fatal() or error.code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID, KafkaError.UNRELEASED_INSTANCE_ID):
        fatal = error


def assigned(_consumer, partitions):
    if partitions:
        say("assigned", *names(partitions))


def revoked(_consumer, partitions):
    commit()
    for one in partitions:
        pending.pop((one.topic, one.partition), None)
    if partitions:
        say("revoked", *names(partitions))


def lost(_consumer, partitions):
    for one in partitions:
        pending.pop((one.topic, one.partition), None)
    if partitions:
        say("lost", *names(partitions))


signal.signal(signal.SIGTERM, stop)
settings = {
    "bootstrap.servers": args["bootstrap"],
    "client.id": args["name"],
    "group.id": args["group"],
    "group.protocol": args["protocol"],
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "fetch.wait.max.ms": 200,
    "reconnect.backoff.max.ms": 1000,
    "debug": "cgrp",
}
if "instance" in args:
    settings["group.instance.id"] = args["instance"]
if args["protocol"] == "classic":
    settings["partition.assignment.strategy"] = args["assignor"]
    settings["session.timeout.ms"] = int(args["sessionTimeoutMs"])
    settings["heartbeat.interval.ms"] = 500
else:
    settings["group.remote.assignor"] = args["assignor"]
consumer = Consumer(settings)
consumer.subscribe(args["topics"].split(","), on_assign=assigned, on_revoke=revoked, on_lost=lost)
while not stopped and fatal is None:
    for message in consumer.consume(100, 0.2):
        error = message.error()
        if error is None:
            say("record", message.topic(), message.partition(), message.offset(), message.value().decode())
            pending[message.topic(), message.partition()] = message.offset() + 1
        elif error.code() != KafkaError._PARTITION_EOF:
            say("failed", error)
            look_for_the_end(error)
    commit()
consumer.close()
if fatal is not None:
    sys.exit(1)
say("closed")
