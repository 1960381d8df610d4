"""Side by side on one topic in one run: the drain, pintail, DuckDB from a file, plain Python sinks, and dlt."""

import json
import shutil
import sys
from pathlib import Path

from tools import ROOT, drain, ingest, middle, print_table, say, timed

HERE = Path(__file__).parent
ROWS_LIMIT = 3_000  # one by one is slow: its rate does not depend on how many
ARROW_LIMIT = 1_000_000
DLT_BATCH, DLT_LIMIT = 100_000, 300_000
OTHERS = ROOT / ".deps/bench-venv/bin/python"  # with dlt and pyarrow


def run_sink(program, folder, *arguments, python=sys.executable) -> dict:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    result = json.loads(timed([python, HERE / program, *arguments])[0])
    result["rate"] = result["rows"] / result["seconds"]
    return result


def sinks(kafka, topic, folder, rounds) -> dict:
    file, lake = folder / "orders.ndjson", folder / "sink"
    drain(kafka.address, topic, file)
    contenders = {
        "bare librdkafka drain": lambda: drain(kafka.address, topic),
        "pintail, 200,000 rows a flush": lambda: ingest(kafka.address, topic, folder / "lake", 200_000),
        "DuckDB, NDJSON file into the lake": lambda: run_sink("sink_file.py", lake, file, lake),
        "Python, batches of 200,000 as JSON text": lambda: run_sink(
            "sink_python.py", lake, kafka.address, topic, lake, "text", 200_000, 10**9
        ),
        "Python, batches of 200,000 by Arrow": lambda: run_sink(
            "sink_python.py", lake, kafka.address, topic, lake, "arrow", 200_000, ARROW_LIMIT, python=OTHERS
        ),
        "Python, batches of 100, row by row": lambda: run_sink("sink_python.py", lake, kafka.address, topic, lake, "rows", 100, ROWS_LIMIT),
        "dlt 1.31, batches of 100,000": lambda: run_sink(
            "sink_dlt.py", lake, kafka.address, topic, lake, DLT_BATCH, DLT_LIMIT, python=OTHERS
        ),
    }
    runs = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            runs[name].append(run())
    file.unlink()
    result = {
        name: {
            "rate": middle(r, "rate"),
            "memory_mb": middle(r, "memory_mb") if "memory_mb" in r[0] else None,
            "cpu_per_million": middle(r, "cpu_seconds") / (r[0].get("rows") or r[0]["records"]) * 1e6,
            "runs": r,
        }
        for name, r in runs.items()
    }
    limit = result["bare librdkafka drain"]["rate"]
    for r in result.values():
        r["ratio"] = r["rate"] / limit
    say(f"\nSide by side, medians over {rounds} rounds (CPU and memory of whole processes, start-up included)")
    pintail = result["pintail, 200,000 rows a flush"]["rate"]
    print_table(
        [("", ""), ("rows/s", ",.0f"), ("of the drain", ".3f"), ("pintail is", ".1f"), ("CPU s/M rows", ".2f"), ("peak MB", ".0f")],
        [[name, r["rate"], r["ratio"], pintail / r["rate"], r["cpu_per_million"], r["memory_mb"]] for name, r in result.items()],
    )
    return result
