"""A plain sink in Python, as one would write it with confluent-kafka and duckdb, measured by part_sinks. Prints one JSON line.

usage: sink_python.py BROKERS TOPIC FOLDER rows|arrow|text BATCH LIMIT

rows: json.loads for each message and executemany for each batch, as in the demo that pintail began with (100 messages a batch there).
arrow: json.loads for each message, an Arrow table for each batch, which DuckDB inserts as it is (needs pyarrow).
text: the messages of a batch are joined to one JSON array, which DuckDB takes apart in a single INSERT: about the fastest that needs neither pandas nor Arrow.
None is exactly-once: offsets are committed to Kafka after the insert.
"""

import json
import resource
import sys
import time

from confluent_kafka import Consumer, TopicPartition
from sink_lake import COLUMNS, open_lake

FORM = json.dumps([dict(COLUMNS)])
PICK = ", ".join(f"to_timestamp(r.{name})" if name == "order_time" else f"r.{name}" for name, _ in COLUMNS)


def insert_rows(connection, values):
    records = [json.loads(v) for v in values]
    connection.executemany(
        "INSERT INTO lake.orders VALUES (?, to_timestamp(?), ?, ?, ?, ?, ?)", [[r[name] for name, _ in COLUMNS] for r in records]
    )


def insert_arrow(connection, values):
    import pyarrow

    kinds = {"DOUBLE": pyarrow.float64(), "INTEGER": pyarrow.int32(), "DECIMAL(10,2)": pyarrow.float64()}
    batch = pyarrow.Table.from_pylist(
        [json.loads(v) for v in values], pyarrow.schema([(name, kinds.get(kind, pyarrow.string())) for name, kind in COLUMNS])
    )
    connection.register("batch", batch)
    connection.execute(f"INSERT INTO lake.orders SELECT {PICK.replace('r.', '')} FROM batch")
    connection.unregister("batch")


def insert_text(connection, values):
    text = b"[" + b",".join(values) + b"]"
    connection.execute(f"INSERT INTO lake.orders SELECT {PICK} FROM (SELECT unnest(from_json(?::VARCHAR, '{FORM}')) AS r)", [text.decode()])


def main():
    brokers, topic, folder, how, batch, limit = sys.argv[1:]
    batch, limit = int(batch), int(limit)
    insert = {"rows": insert_rows, "arrow": insert_arrow, "text": insert_text}[how]
    connection = open_lake(folder)
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"sink-{time.time_ns()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5,
            "queued.max.messages.kbytes": 32768,
            "log_level": 0,
        }
    )
    partitions = consumer.list_topics(topic, 30).topics[topic].partitions
    ends = sum(consumer.get_watermark_offsets(TopicPartition(topic, p), 30)[1] for p in partitions)
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    goal, done, values, start = min(limit, ends), 0, [], time.monotonic()
    while done < goal:
        for message in consumer.consume(min(10_000, batch, goal - done - len(values)), 1):
            if not message.error():
                values.append(message.value())
        if len(values) >= batch or done + len(values) >= goal:
            connection.execute("BEGIN")
            insert(connection, values)
            connection.execute("COMMIT")
            done += len(values)
            values = []
            consumer.commit(asynchronous=True)
    seconds = time.monotonic() - start
    consumer.close()
    connection.close()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps({"rows": done, "seconds": seconds, "memory_mb": usage.ru_maxrss / 1024, "cpu_seconds": usage.ru_utime + usage.ru_stime})
    )


if __name__ == "__main__":
    main()
