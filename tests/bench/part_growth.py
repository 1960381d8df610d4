"""Growth: what a commit costs when the lake has 100, 1,000, 10,000 snapshots, and how long the next start takes, also with a ledger of 100,000 commits."""

import json
import shutil
import statistics
import time

import duckdb
from tools import PARTITIONS, PINTAIL, SCHEMA, lake_options, print_table, produce, say, timed, when

ROWS = 10  # a flush
LONG_LEDGER = 100_000  # commits


def growth(kafka, folder, most) -> dict:
    """One ingest in flushes of 10 records, each a snapshot with a data file of its own; the commits around each mark are looked at."""
    topic = kafka.create_topic(PARTITIONS)
    produce(kafka, topic, most * ROWS)
    lake = folder / "growth"
    shutil.rmtree(lake, ignore_errors=True)
    flushes = run(kafka, topic, lake)[0]
    commits = [f["commit_us"] / 1000 for f in flushes]
    marks = [m for m in (100, 1_000, 10_000, 100_000) if m <= most]
    out = []
    for mark in marks:
        near = commits[mark - mark // 5 : mark]
        out.append({"snapshots": mark, "commit_p50_ms": statistics.median(near), "commit_p95_ms": sorted(near)[len(near) * 95 // 100]})
    starts = [(len(commits), run(kafka, topic, lake)[1])]
    rows = lengthen_ledger(lake, LONG_LEDGER / len(commits))
    starts.append((LONG_LEDGER, run(kafka, topic, lake)[1]))
    say("\nGrowth: one commit (a file, the ledger's rows), DuckDB-file catalog, nothing merged in between")
    print_table(
        [("snapshots", ",d"), ("commit p50 ms", ".1f"), ("p95 ms", ".1f")],
        [[r["snapshots"], r["commit_p50_ms"], r["commit_p95_ms"]] for r in out],
    )
    for n, seconds in starts:
        say(f"the next start with a ledger of {n:,} commits: {seconds:.2f} s until it reads")
    return {"marks": out, "starts": [{"commits": n, "seconds": seconds} for n, seconds in starts], "long_ledger_rows": rows}


def lengthen_ledger(lake, times) -> int:
    """Multiplies the rows of pintail.offsets where DuckLake keeps them, inlined in the catalog; returns how many there are then."""
    with duckdb.connect(str(lake / "lake.ducklake")) as catalog:
        (table,) = catalog.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'ducklake_inlined_data_' || "
            "(SELECT table_id FROM ducklake_table WHERE table_name = 'offsets' AND end_snapshot IS NULL) || '_%'"
        ).fetchone()
        catalog.execute(
            f"INSERT INTO {table} SELECT * EXCLUDE (t) REPLACE (row_id + t * (SELECT max(row_id) + 1 FROM {table}) AS row_id) "
            f"FROM {table}, range(1, {round(times)}) AS r(t)"
        )
        return catalog.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def run(kafka, topic, lake):
    """The log lines of the flushes, and the seconds until the first fetch."""
    begin = time.time()
    said = timed(
        [
            PINTAIL,
            "ingest",
            "--brokers",
            kafka.address,
            "--topic",
            topic,
            "--group",
            "growth",
            *lake_options(lake),
            "--table",
            "orders",
            "--schema",
            SCHEMA,
            "--flush-rows",
            ROWS,
            "--inline-rows",
            0,
            "--until-end",
            "--log-format",
            "json",
            "--verbose",
        ],
        timeout=3600,
    )[1]
    lines = [json.loads(line) for line in said.splitlines()]
    return [line for line in lines if line["msg"] == "flush"], next(when(line) for line in lines if line["msg"] == "assigned") - begin
