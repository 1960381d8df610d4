"""dlt, the Python library for loading, with its DuckLake destination: measured by part_sinks. Runs in a virtual environment of its own. Prints one JSON line.

usage: sink_dlt.py BROKERS TOPIC FOLDER BATCH LIMIT

A resource reads the topic with confluent-kafka and yields a batch of records as dicts; dlt normalises them, writes Parquet and
loads it, a package a batch. dlt keeps
no offsets of Kafka: they are committed after the load, so a crash in between loads twice.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

EXTENSIONS = Path(__file__).resolve().parents[2] / ".deps" / "duckdb" / "extensions"
HINTS = {
    "order_id": "text",
    "order_time": "double",
    "customer_id": "text",
    "product": "text",
    "quantity": "bigint",
    "unit_price": "double",
    "region": "text",
}


def open_pipeline(folder):
    """dlt opens DuckDB itself: a home of its own, with the extensions where DuckDB looks for them."""
    home = folder / "home"
    (home / ".duckdb").mkdir(parents=True)
    (home / ".duckdb" / "extensions").symlink_to(EXTENSIONS)
    os.environ.update(HOME=str(home), RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL")
    import dlt
    from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials

    lake = DuckLakeCredentials("lake", catalog=f"sqlite:///{folder}/lake.sqlite", storage=f"{folder}/data/")
    return dlt.pipeline(
        "orders", destination=dlt.destinations.ducklake(credentials=lake), dataset_name="main_data", pipelines_dir=str(folder / "dlt")
    )


def main():
    brokers, topic, folder, batch, limit = sys.argv[1:]
    batch, limit = int(batch), int(limit)
    pipeline = open_pipeline(Path(folder))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"dlt-{time.time_ns()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5,
            "queued.max.messages.kbytes": 32768,
            "log_level": 0,
        }
    )
    partitions = consumer.list_topics(topic, 30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])

    def read():
        values = []
        while len(values) < batch:
            values += [json.loads(m.value()) for m in consumer.consume(min(10_000, batch - len(values)), 1) if not m.error()]
        yield values

    done, start = 0, time.monotonic()
    while done < limit:
        pipeline.run(
            read(), table_name="orders", loader_file_format="parquet", columns={name: {"data_type": kind} for name, kind in HINTS.items()}
        )
        consumer.commit(asynchronous=True)
        done += batch
    seconds = time.monotonic() - start
    consumer.close()
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(
        json.dumps(
            {
                "rows": done,
                "seconds": seconds,
                "memory_mb": max(u.ru_maxrss for u in usage) / 1024,
                "cpu_seconds": sum(u.ru_utime + u.ru_stime for u in usage),
            }
        )
    )


if __name__ == "__main__":
    main()
