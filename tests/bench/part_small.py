"""Small flushes: rows that stay in the catalog (DuckLake's inlining) beside a staged file for each flush. What a commit costs
its writer, and a SELECT its readers."""

import json
import shutil
import statistics
import time

import duckdb
from support.postgres import PostgresServer
from tools import PINTAIL, ROOT, SCHEMA, print_table, produce, say, timed

FLUSHES = 300
SIZES = [2, 10, 30, 100]  # rows a flush
WAYS = {"staged": 0, "inlined": 1000}  # --inline-rows
READS = 5
COMMITS = 400  # of each kind, in turns, with and without a message
EXTRA = json.dumps(
    {
        "commit_id": "0190f0f0-0000-7000-8000-000000000000",
        "pipeline": "p",
        "rows": 2,
        "dead_letters": 0,
        "partitions": [{"topic": "orders", "partition": 0, "from": 0, "next": 2, "rows": 2, "dead_letters": 0}],
    }
)


def small(kafka, folder) -> list:
    postgres = PostgresServer()
    out = []
    try:
        for rows in SIZES:
            topic = kafka.create_topic(1)
            produce(kafka, topic, FLUSHES * rows)
            for catalog in ("duckdb", "sqlite", "postgres"):
                for way in WAYS:
                    out.append(
                        {
                            "catalog": catalog,
                            "rows": rows,
                            "way": way,
                            **measure(kafka, topic, folder / "small", catalog, postgres, rows, WAYS[way]),
                        }
                    )
        said = [message_cost(folder / "small", catalog, postgres) for catalog in ("duckdb", "sqlite", "postgres")]
    finally:
        postgres.remove()
    say(
        f"\nSmall flushes: {FLUSHES} of each size; a flush staged and committed, and then a SELECT over the whole table by a "
        f"reader that has just attached the lake"
    )
    print_table(
        [("catalog", ""), ("rows a flush", ",d"), ("", ""), ("flush p50 ms", ".1f"), ("SELECT ms", ".0f")],
        [[r["catalog"], r["rows"], r["way"], r["flush_p50_ms"], r["select_ms"]] for r in out],
    )
    say(f"\nThe message of a commit: {COMMITS} commits of a row and a ledger's row by DuckDB itself, in turns without and with one")
    print_table(
        [("catalog", ""), ("without p50 ms", ".2f"), ("with p50 ms", ".2f"), ("ratio", ".3f")],
        [[r["catalog"], r["commit_p50_ms"], r["commit_with_message_p50_ms"], r["ratio"]] for r in said],
    )
    return out + said


def message_cost(folder, catalog, postgres) -> dict:
    """The turns are interleaved and each pair gives a ratio, so that other load on the machine takes part in both."""
    lake = new_lake(folder, catalog, postgres)
    connection = connect()
    connection.execute(f"ATTACH '{lake}' AS lake (DATA_PATH '{folder}/data/')")
    connection.execute("CREATE TABLE lake.orders (i BIGINT, s VARCHAR); CREATE TABLE lake.ledger (i BIGINT, s VARCHAR)")
    seconds = {False: [], True: []}
    for turn in range(2 * COMMITS):
        start = time.monotonic()
        connection.execute("BEGIN")
        connection.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchall()
        if turn % 2:
            connection.execute(
                f"CALL ducklake_set_commit_message('lake', 'pintail', '2 rows, 0 dead letters of orders, pipeline p', extra_info => '{EXTRA}')"
            )
        connection.execute("INSERT INTO lake.orders VALUES (1, 'x')")
        connection.execute("INSERT INTO lake.ledger VALUES (1, 'x')")
        connection.execute("COMMIT")
        seconds[bool(turn % 2)].append(time.monotonic() - start)
    connection.close()
    return {
        "catalog": catalog,
        "commit_p50_ms": statistics.median(seconds[False]) * 1000,
        "commit_with_message_p50_ms": statistics.median(seconds[True]) * 1000,
        "ratio": statistics.median(b / a for a, b in zip(seconds[False], seconds[True])),
    }


def new_lake(folder, catalog, postgres) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return {
        "duckdb": f"ducklake:{folder}/lake.ducklake",
        "sqlite": f"ducklake:sqlite:{folder}/lake.sqlite",
        "postgres": f"ducklake:postgres:{postgres.connection_string(postgres.create_database())}",
    }[catalog]


def connect():
    connection = duckdb.connect(
        config={"extension_directory": str(ROOT / ".deps" / "duckdb" / "extensions"), "autoinstall_known_extensions": False}
    )
    for extension in ("sqlite_scanner", "postgres_scanner", "ducklake"):
        connection.execute(f"LOAD {extension}")
    return connection


def measure(kafka, topic, folder, catalog, postgres, rows, inline_rows) -> dict:
    lake = new_lake(folder, catalog, postgres)
    said = timed(
        [
            PINTAIL,
            "ingest",
            "--brokers",
            kafka.address,
            "--topic",
            topic,
            "--group",
            f"small-{time.time_ns()}",
            "--lake",
            lake,
            "--data-path",
            f"{folder}/data/",
            "--table",
            "orders",
            "--schema",
            SCHEMA,
            "--flush-rows",
            rows,
            "--inline-rows",
            inline_rows,
            "--until-end",
            "--log-format",
            "json",
            "--verbose",
        ]
    )[1]
    flushes = [line for line in map(json.loads, said.splitlines()) if line["msg"] == "flush"]
    return {
        "flush_p50_ms": statistics.median(f["stage_us"] + f["commit_us"] for f in flushes) / 1000,
        "select_ms": read(catalog, lake, FLUSHES * rows),
    }


def read(catalog, lake, rows) -> float:
    """Milliseconds, the median of some readers that know nothing of the lake yet."""
    seconds = []
    for _ in range(READS):
        connection = connect()
        connection.execute(f"ATTACH '{lake}' AS lake (READ_ONLY)")
        start = time.monotonic()
        assert connection.execute("SELECT count(*), sum(quantity) FROM lake.orders").fetchone()[0] == rows
        seconds.append(time.monotonic() - start)
        connection.close()
    return statistics.median(seconds) * 1000
