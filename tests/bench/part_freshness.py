"""Freshness: from produce to visible in the lake, on a PostgreSQL catalog that syncs its commits to disk.

A reader asks the catalog for its newest snapshot every 10 ms. A record counts as visible when that reader has seen the snapshot that holds it (so up to
10 ms late); it counts as produced at its Kafka timestamp, which the producer sets. All clocks are the same machine's. The first two seconds are left out: the
producer is still connecting then, and its records wait in the producer."""

import shutil
import subprocess
import threading
import time

import duckdb
from support.postgres import PostgresServer
from tools import PARTITIONS, PINTAIL, ROOT, SCHEMA, Failed, print_table, prioritise, say

RATES = [10, 50_000]
WARM_UP = 2  # seconds
INTERVALS = {"200ms": 0.2, "1s": 1.0, "10s": 10.0}


class Watcher(threading.Thread):
    """Notes when each snapshot is first seen."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection, self.seen, self.stop = connection, [], threading.Event()

    def run(self):
        newest = -1
        while not self.stop.wait(0.01):
            (found,) = self.connection.execute(
                "FROM postgres_query('pg', 'SELECT coalesce(max(snapshot_id), -1) FROM ducklake_snapshot')"
            ).fetchone()
            if found > newest:
                now = time.time()
                self.seen.extend((snapshot, now) for snapshot in range(newest + 1, found + 1))
                newest = found


def connect(text):
    connection = duckdb.connect(
        config={"extension_directory": str(ROOT / ".deps" / "duckdb" / "extensions"), "autoinstall_known_extensions": False}
    )
    connection.execute("LOAD postgres_scanner")
    connection.execute("LOAD ducklake")
    connection.execute(f"ATTACH '{text}' AS pg (TYPE postgres, READ_ONLY)")
    return connection


def wait_for_assignment(reader, log):
    for _ in range(600):
        if reader.poll() is not None:
            raise Failed(f"ingest ended with {reader.returncode}\n{log.read_text()}")
        if "msg=assigned" in log.read_text():
            return
        time.sleep(0.1)
    raise Failed("ingest was not given its partitions within a minute")


def measure(kafka, postgres, folder, rate, interval) -> dict:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    log = folder / "ingest.log"
    text = postgres.connection_string(postgres.create_database())
    topic = kafka.create_topic(PARTITIONS)
    with log.open("wb") as errors:
        reader = subprocess.Popen(
            [
                PINTAIL,
                "ingest",
                "--brokers",
                kafka.address,
                "--topic",
                topic,
                "--lake",
                f"ducklake:postgres:{text}",
                "--data-path",
                f"{folder}/data/",
                "--table",
                "orders",
                "--schema",
                SCHEMA,
                "--flush-interval",
                interval,
            ],
            stderr=errors,
        )
    connection = watcher = None
    try:
        wait_for_assignment(reader, log)
        connection = connect(text)
        watcher = Watcher(connection)
        watcher.start()
        seconds = WARM_UP + max(
            20.0, 3.5 * INTERVALS[interval]
        )  # a flush is a hundredth of the records at most, so that p99 is not one flush
        subprocess.run(
            [PINTAIL, "produce", "--brokers", kafka.address, "--topic", topic, "--rate", str(rate), "--count", str(int(rate * seconds))],
            check=True,
            capture_output=True,
        )
        time.sleep(INTERVALS[interval] + 1)  # the last flush is by time
        reader.terminate()
        if reader.wait(60):
            raise Failed(f"ingest ended with {reader.returncode}")
        time.sleep(0.1)
    finally:
        if watcher:
            watcher.stop.set()
            watcher.join()
        reader.kill()
        reader.wait()
    return evaluate(connection, watcher.seen, f"ducklake:postgres:{text}", int(rate * seconds))


def evaluate(connection, seen, lake, produced) -> dict:
    connection.execute(f"ATTACH '{lake}' AS lake (READ_ONLY)")
    connection.execute("CREATE TEMP TABLE seen (snapshot_id BIGINT, seen_at DOUBLE)")
    connection.executemany("INSERT INTO seen VALUES (?, ?)", seen)
    rows, p50, p99, most, flushes = connection.execute(f"""
        SELECT count(*), quantile_cont(late, 0.5) FILTER (warm), quantile_cont(late, 0.99) FILTER (warm), max(late) FILTER (warm), count(DISTINCT snapshot_id)
        FROM (SELECT snapshot_id, seen_at - epoch_us(_kafka_timestamp) / 1e6 AS late, _kafka_timestamp >= min(_kafka_timestamp)
        OVER () + INTERVAL {WARM_UP} SECONDS AS warm
              FROM lake.table_changes('orders', 1, {seen[-1][0]}) JOIN seen USING (snapshot_id))""").fetchone()
    connection.close()
    if rows != produced:
        raise Failed(f"{rows} of {produced} records are in the lake")
    return {"records": rows, "p50_ms": p50 * 1000, "p99_ms": p99 * 1000, "max_ms": most * 1000, "flushes": flushes}


def freshness(kafka, folder, nice) -> list:
    postgres = PostgresServer(fsync="on", synchronous_commit="on", full_page_writes="on")
    prioritise(nice, postgres.process.pid)
    out = []
    try:
        for rate in RATES:
            for interval, seconds in INTERVALS.items():
                result = measure(kafka, postgres, folder / "fresh", rate, interval)
                out.append({"rate": rate, "interval": interval, "over_ms": result["p99_ms"] - seconds * 1000, **result})
    finally:
        postgres.remove()
    say("\nFreshness: from produce to visible, milliseconds (PostgreSQL catalog)")
    print_table(
        [
            ("records/s", ",d"),
            ("--flush-interval", ""),
            ("p50", ",.0f"),
            ("p99", ",.0f"),
            ("max", ",.0f"),
            ("p99 - interval", ",.0f"),
            ("flushes", "d"),
        ],
        [[r["rate"], r["interval"], r["p50_ms"], r["p99_ms"], r["max_ms"], r["over_ms"], r["flushes"]] for r in out],
    )
    return out
