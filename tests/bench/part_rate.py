"""Rows a second, CPU and memory of ingest at three flush sizes, each between two drains of the same topic; and memory when there is little to do."""

import shutil
import signal
import statistics
import subprocess
import time

from tools import PARTITIONS, PINTAIL, SCHEMA, Failed, drain, ingest, lake_options, middle, print_table, say, wait_for_end

SIZES = [50_000, 200_000, 1_000_000]
LARGE = ["--memory", "2GiB"]  # for a million rows; the default of 512MiB flushes earlier
DRAINS = {"bench_drain": "ratio", "bench_drain_libc": "ratio_libc"}  # the key of a run's ratio to each
SLOW_SECONDS = 20


def rates(kafka, topic, folder, rounds, sizes=SIZES) -> dict:
    """The ratios of a run are to the mean of the drains right before and right after it, which allocate as pintail does
    (jemalloc) and as librdkafka comes (glibc's malloc); shown are medians over the rounds."""
    startup = measure_startup(kafka, folder)
    runs, drains = {size: [] for size in sizes}, {program: [drain(kafka.address, topic, program=program)] for program in DRAINS}
    for _ in range(rounds):
        for size in sizes:
            run = ingest(kafka.address, topic, folder / "lake", size, *(LARGE if size == 1_000_000 else []))
            for program, ratio in DRAINS.items():
                drains[program].append(drain(kafka.address, topic, program=program))
                run[ratio] = run["rate"] / statistics.mean(d["rate"] for d in drains[program][-2:])
            run["cpu_per_million"] = (run["cpu_seconds"] - startup["cpu_seconds"]) / run["rows"] * 1e6
            runs[size].append(run)
    records = drains["bench_drain"][0]["records"]
    result = {
        "drains": {
            program: {"rate": middle(results, "rate"), "cpu_per_million": middle(results, "cpu_seconds") / records * 1e6, "runs": results}
            for program, results in drains.items()
        },
        "startup": startup,
        "sizes": {size: summary(results) for size, results in runs.items()},
    }
    show(result, records)
    return result


def summary(results) -> dict:
    keys = ("rate", *DRAINS.values(), "cpu_per_million", "memory_mb", "commits", "stage_seconds", "commit_seconds", "startup_seconds")
    return {
        **{k: middle(results, k) for k in keys},
        "best_rate": max(r["rate"] for r in results),
        "best_ratio": max(r["ratio"] for r in results),
        "runs": results,
    }


def measure_startup(kafka, folder) -> dict:
    """Start and end of the process, with nothing to read: is taken off the CPU time of the other runs."""
    results = [ingest(kafka.address, kafka.create_topic(PARTITIONS), folder / "lake", 1000) for _ in range(3)]
    return {k: middle(results, k) for k in ("cpu_seconds", "startup_seconds", "memory_mb")}


def show(result, records):
    say(
        f"\nIngest of {records:,} orders, {PARTITIONS} partitions, lz4: medians over {len(next(iter(result['sizes'].values()))['runs'])} rounds"
    )
    head = [
        ("", ""),
        ("rows/s", ",.0f"),
        ("of the drain", ".2f"),
        ("with glibc's malloc", ".2f"),
        ("best rows/s", ",.0f"),
        ("best ratio", ".2f"),
        ("CPU s/M rows", ".2f"),
        ("peak MB", ".0f"),
        ("commits", ".0f"),
        ("stage s", ".2f"),
        ("commit s", ".2f"),
        ("start s", ".2f"),
    ]
    own, libc = (result["drains"][program] for program in DRAINS)
    rows = [
        [
            name,
            d["rate"],
            d["rate"] / own["rate"],
            d["rate"] / libc["rate"],
            max(r["rate"] for r in d["runs"]),
            None,
            d["cpu_per_million"],
            *[None] * 5,
        ]
        for name, d in (("bare librdkafka drain", own), ("the same with glibc's malloc", libc))
    ]
    for size, s in result["sizes"].items():
        rows.append(
            [
                f"pintail, {size:,} rows a flush",
                s["rate"],
                s["ratio"],
                s["ratio_libc"],
                s["best_rate"],
                s["best_ratio"],
                s["cpu_per_million"],
                s["memory_mb"],
                s["commits"],
                s["stage_seconds"],
                s["commit_seconds"],
                s["startup_seconds"],
            ]
        )
    print_table(head, rows)
    say(
        f"start-up alone: {result['startup']['startup_seconds']:.2f} s, {result['startup']['cpu_seconds']:.2f} s CPU, {result['startup']['memory_mb']:.0f} MB"
    )


def slow(kafka, folder) -> dict:
    """Peak memory and CPU at 10 records a second."""
    topic = kafka.create_topic(PARTITIONS)
    shutil.rmtree(folder / "slow", ignore_errors=True)
    producer = subprocess.Popen(
        [PINTAIL, "produce", "--brokers", kafka.address, "--topic", topic, "--rate", "10"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    reader = subprocess.Popen(
        [
            PINTAIL,
            "ingest",
            "--brokers",
            kafka.address,
            "--topic",
            topic,
            *lake_options(folder / "slow"),
            "--table",
            "slow",
            "--schema",
            SCHEMA,
            "--flush-interval",
            "1s",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(SLOW_SECONDS)  # what is measured is a span of time
        reader.send_signal(signal.SIGTERM)
        usage = wait_for_end(reader, 60)
    finally:
        producer.terminate()
        producer.wait()
    if reader.returncode:
        raise Failed(f"ingest at 10 records/s ended with {reader.returncode}")
    result = {"memory_mb": usage.ru_maxrss / 1024, "cpu_seconds": usage.ru_utime + usage.ru_stime, "seconds": SLOW_SECONDS}
    say(
        f"\nat 10 records/s, a flush a second: peak {result['memory_mb']:.0f} MB, {result['cpu_seconds']:.2f} s CPU in {SLOW_SECONDS} s (start-up included)"
    )
    return result


def cost(kafka, topic, folder, rounds) -> dict:
    """The cost of the guarantee: staging and fsync against a plain INSERT in the transaction, of the same binary (the crash preset can switch rules off)."""
    program = PINTAIL.parents[1] / "build-crash" / "pintail"
    if not program.exists():
        raise Failed(f"{program} is missing: make crash")
    runs = {"staged and fsynced": [], "plain INSERT": []}
    for _ in range(rounds):
        for name, results in runs.items():
            broken = {"PINTAIL_BREAK": "staging"} if name == "plain INSERT" else {}
            results.append(ingest(kafka.address, topic, folder / "lake", 200_000, program=program, environment=broken))
    result = {
        name: {
            "rate": middle(results, "rate"),
            "best_rate": max(r["rate"] for r in results),
            "cpu_seconds": middle(results, "cpu_seconds"),
            "runs": results,
        }
        for name, results in runs.items()
    }
    say("\nThe cost of staging and fsync at 200,000 rows a flush")
    plain = result["plain INSERT"]
    print_table(
        [("", ""), ("rows/s", ",.0f"), ("of plain INSERT", ".2f"), ("best rows/s", ",.0f"), ("CPU s", ".2f")],
        [[name, r["rate"], r["rate"] / plain["rate"], r["best_rate"], r["cpu_seconds"]] for name, r in result.items()],
    )
    return result
