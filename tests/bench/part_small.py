"""Small flushes: rows that stay in the catalog (DuckLake's inlining) beside a staged file for each flush. What a commit costs its writer, and a SELECT its readers."""

import json
import shutil
import statistics
import time

import duckdb
from tools import PINTAIL, ROOT, SCHEMA, print_table, produce, say, timed

from support.postgres import PostgresServer

FLUSHES = 300
SIZES = [2, 10, 30, 100]  # rows a flush
WAYS = {"staged": 0, "inlined": 1000}  # --inline-rows
READS = 5


def small(kafka, folder) -> list:
    postgres = PostgresServer()
    out = []
    try:
        for rows in SIZES:
            topic = kafka.create_topic(1)
            produce(kafka, topic, FLUSHES * rows)
            for catalog in ("duckdb", "sqlite", "postgres"):
                for way in WAYS:
                    out.append({"catalog": catalog, "rows": rows, "way": way, **measure(kafka, topic, folder / "small", catalog, postgres, rows, WAYS[way])})
    finally:
        postgres.remove()
    say(f"\nSmall flushes: {FLUSHES} of each size; a flush staged and committed, and then a SELECT over the whole table by a reader that has just attached the lake")
    print_table([("catalog", ""), ("rows a flush", ",d"), ("", ""), ("flush p50 ms", ".1f"), ("SELECT ms", ".0f")],
                [[r["catalog"], r["rows"], r["way"], r["flush_p50_ms"], r["select_ms"]] for r in out])
    return out


def measure(kafka, topic, folder, catalog, postgres, rows, inline_rows) -> dict:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lake = {"duckdb": f"ducklake:{folder}/lake.ducklake", "sqlite": f"ducklake:sqlite:{folder}/lake.sqlite",
            "postgres": f"ducklake:postgres:{postgres.connection_string(postgres.create_database())}"}[catalog]
    said = timed([PINTAIL, "ingest", "--brokers", kafka.address, "--topic", topic, "--group", f"small-{time.time_ns()}", "--lake", lake, "--data-path", f"{folder}/data/",
                  "--table", "orders", "--schema", SCHEMA, "--flush-rows", rows, "--inline-rows", inline_rows, "--until-end", "--log-format", "json", "--verbose"])[1]
    flushes = [line for line in map(json.loads, said.splitlines()) if line["msg"] == "flush"]
    return {"flush_p50_ms": statistics.median(f["stage_us"] + f["commit_us"] for f in flushes) / 1000, "select_ms": read(catalog, lake, FLUSHES * rows)}


def read(catalog, lake, rows) -> float:
    """Milliseconds, the median of some readers that know nothing of the lake yet."""
    seconds = []
    for _ in range(READS):
        connection = duckdb.connect(config={"extension_directory": str(ROOT / ".deps" / "duckdb" / "extensions"), "autoinstall_known_extensions": False})
        for extension in ("sqlite_scanner", "postgres_scanner", "ducklake"):
            connection.execute(f"LOAD {extension}")
        connection.execute(f"ATTACH '{lake}' AS lake (READ_ONLY)")
        start = time.monotonic()
        assert connection.execute("SELECT count(*), sum(quantity) FROM lake.orders").fetchone()[0] == rows
        seconds.append(time.monotonic() - start)
        connection.close()
    return statistics.median(seconds) * 1000
