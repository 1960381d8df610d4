"""Scale-out: 1, 2, 4, 8 ingest processes in one consumer group on one PostgreSQL catalog, all commits through the one sequence of snapshots.

usage: make bench-scale   or   PINTAIL=build/pintail .deps/venv/bin/python tests/bench/scale.py [--writers 1,2,4,8] [--rate N] [--seconds N]
                               [--flush-interval DUR] [--json FILE]

A producer writes at a fixed rate for the given time. The figures are of the whole run: from the first record to the last commit.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from support import orders  # noqa: E402
from support.kafka import KafkaServer  # noqa: E402
from support.postgres import PostgresServer  # noqa: E402
from support.procs import end, wait_for  # noqa: E402

PINTAIL = os.environ.get("PINTAIL", str(ROOT / "build" / "pintail"))
PARTITIONS = 16


class Writer:
    def __init__(self, folder, number, arguments):
        self.log = folder / f"{number}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([PINTAIL, "ingest", *arguments], stderr=log, stdin=subprocess.DEVNULL)

    def lines(self, msg):
        return [
            line for line in (json.loads(text) for text in self.log.read_text().splitlines() if text.startswith("{")) if line["msg"] == msg
        ]

    def stop(self):
        end(self.process, timeout=60)
        if self.process.returncode:
            raise SystemExit(f"ingest ended with {self.process.returncode}\n{self.log.read_text()[-2000:]}")
        return self.lines("done")[-1]


def ledger_sum(postgres, database):
    """Rows in the ledger. It is inlined, so the catalog itself has them; asked there so that the reader takes part in nothing."""
    tables = postgres.sql(
        "SELECT t.table_name FROM ducklake_inlined_data_tables t JOIN ducklake_table d USING (table_id) "
        "WHERE d.table_name = 'offsets' AND d.end_snapshot IS NULL",
        database,
    ).split()
    return sum(int(postgres.sql(f'SELECT coalesce(sum(row_count), 0)::BIGINT FROM "{table}"', database)) for table in tables)


def run(kafka, postgres, folder, writers, rate, seconds, interval):
    topic = kafka.create_topic(PARTITIONS)
    database = postgres.create_database()
    data = folder / database
    common = [
        "--brokers",
        kafka.address,
        "--topic",
        topic,
        "--lake",
        f"ducklake:postgres:{postgres.connection_string(database)}",
        "--data-path",
        f"{data}/",
        "--table",
        "orders",
        "--schema",
        orders.SCHEMA,
        "--flush-interval",
        interval,
        "--log-format",
        "json",
    ]
    logs = Path(tempfile.mkdtemp(dir=folder))
    group = [Writer(logs, n, common) for n in range(writers)]
    wait_for(lambda: all(w.lines("assigned") for w in group), 60, "every writer to have partitions")
    time.sleep(2)  # the last rebalance settles; not a condition that the log shows
    count = rate * seconds
    start = time.monotonic()
    produced = subprocess.run(
        [PINTAIL, "produce", "--brokers", kafka.address, "--topic", topic, "--rate", str(rate), "--count", str(count)],
        capture_output=True,
        text=True,
    )
    if produced.returncode:
        raise SystemExit(produced.stderr)
    landed = wait_for(lambda: (n := ledger_sum(postgres, database)) >= count and n, 120, f"{count} rows in the ledger")
    spent = time.monotonic() - start
    done = [w.stop() for w in group]
    shutil.rmtree(data, ignore_errors=True)
    commits, conflicts = sum(d["commits"] for d in done), sum(d["conflicts"] for d in done)
    return {
        "writers": writers,
        "flush_interval": interval,
        "offered": rate,
        "rows": landed,
        "seconds": spent,
        "rows_per_second": landed / spent,
        "commits": commits,
        "commits_per_second": commits / spent,
        "conflicts": conflicts,
        "conflicts_per_commit": conflicts / max(commits, 1),
        "rows_per_commit": landed / max(commits, 1),
        "commit_ms": 1e3 * sum(d["commit_seconds"] for d in done) / max(commits, 1),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--writers", default="1,2,4,8")
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--flush-interval", default="100ms")
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pintail-scale-"))
    kafka, postgres = KafkaServer(folder / "kafka"), PostgresServer()
    table = []
    try:
        print(
            f"{options.rate:,} records/s offered for {options.seconds} s, --flush-interval {options.flush_interval}, {PARTITIONS} partitions, "
            f"PostgreSQL catalog, load average {os.getloadavg()[0]:.1f}"
        )
        print(f"{'writers':>8}{'rows/s':>10}{'commits/s':>11}{'rows a commit':>15}{'conflicts a commit':>20}{'ms a commit':>13}")
        for writers in map(int, options.writers.split(",")):
            row = run(kafka, postgres, folder, writers, options.rate, options.seconds, options.flush_interval)
            table.append(row)
            print(
                f"{writers:8}{row['rows_per_second']:10,.0f}{row['commits_per_second']:11.1f}{row['rows_per_commit']:15,.0f}"
                f"{row['conflicts_per_commit']:20.2f}{row['commit_ms']:13.1f}",
                flush=True,
            )
    finally:
        kafka.stop()
        postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
