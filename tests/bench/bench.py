"""The benchmark: pintail beside a bare librdkafka drain of the same topic, on the same machine, in the same run.

usage: make bench   or   PINTAIL=build/pintail .deps/venv/bin/python tests/bench/bench.py [--records N] [--rounds N] [--json FILE] [--only ingest,decode,memory]

Machines are noisy: the ratios are what counts. Each ingest is measured from its assignment to its last commit.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from support.kafka import KafkaServer  # noqa: E402

PINTAIL = os.environ.get("PINTAIL", str(ROOT / "build" / "pintail"))
BUILD = Path(PINTAIL).resolve().parent
SCHEMA = ("order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product VARCHAR, quantity INTEGER, "
          "unit_price DECIMAL(10,2), region VARCHAR")
PARTITIONS = 4


def say(text=""):
    print(text, flush=True)


def drain(broker, topic):
    out = subprocess.run([BUILD / "tests/bench/bench_drain", broker, topic], check=True, capture_output=True, text=True).stdout
    result = json.loads(out)
    result["rate"] = result["records"] / result["seconds"]
    return result


def timed(arguments, **more):
    """Runs a command; returns its stderr, its peak memory in MB and its CPU seconds."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(arguments, stderr=errors, **more)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit {process.returncode}\n{text}")
    return text, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def log_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def when(line):
    return datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()


def ingest(broker, topic, folder, flush_rows, *options):
    shutil.rmtree(folder, ignore_errors=True)
    text, memory, cpu = timed([PINTAIL, "ingest", "--brokers", broker, "--topic", topic, "--group", f"bench-{time.time_ns()}",
                               "--lake", f"ducklake:{folder}/lake.ducklake", "--data-path", f"{folder}/data/", "--schema", SCHEMA,
                               "--flush-rows", str(flush_rows), "--flush-bytes", "1GiB", "--until-end", "--log-format", "json", *options])
    lines = log_lines(text)
    done = next(line for line in lines if line["msg"] == "done")
    seconds = when(done) - when(next(line for line in lines if line["msg"] == "assigned"))
    return {"rows": done["rows"], "seconds": seconds, "rate": done["rows"] / seconds, "memory_mb": memory, "cpu_seconds": cpu,
            "commits": done["commits"], "stage_seconds": done["stage_seconds"], "commit_seconds": done["commit_seconds"]}


def middle(results, key):
    return statistics.median(r[key] for r in results)


def bench_ingest(broker, topic, folder, rounds, sizes):
    drains, runs = [drain(broker, topic)], {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            runs[size].append(ingest(broker, topic, folder / "lake", size))
        drains.append(drain(broker, topic))
    limit = middle(drains, "rate")
    say(f"\n{'':24}{'rows/s':>12}{'of the drain':>14}{'CPU s/M rows':>14}{'peak MB':>9}{'commits':>9}{'stage s':>9}{'commit s':>10}")
    cpu = middle(drains, "cpu_seconds") / drains[0]["records"] * 1e6
    say(f"{'bare librdkafka drain':24}{limit:12,.0f}{1:14.2f}{cpu:14.2f}")
    table = [{"what": "drain", "rate": limit, "cpu_per_million": cpu, "rates": [d["rate"] for d in drains]}]
    for size, results in runs.items():
        row = {"what": "ingest", "flush_rows": size, **{k: middle(results, k) for k in results[0]}}
        row["ratio"] = row["rate"] / limit
        row["cpu_per_million"] = row["cpu_seconds"] / row["rows"] * 1e6
        row["rates"] = [r["rate"] for r in results]
        table.append(row)
        say(f"{f'ingest, {size:,} a flush':24}{row['rate']:12,.0f}{row['ratio']:14.2f}{row['cpu_per_million']:14.2f}{row['memory_mb']:9.0f}"
            f"{row['commits']:9.0f}{row['stage_seconds']:9.2f}{row['commit_seconds']:10.2f}")
    return table


def bench_slow(kafka, folder, seconds=20):
    """Peak memory at 10 records a second."""
    topic = kafka.create_topic(PARTITIONS)
    shutil.rmtree(folder / "slow", ignore_errors=True)
    producer = subprocess.Popen([PINTAIL, "produce", "--brokers", kafka.address, "--topic", topic, "--rate", "10"], stdout=subprocess.DEVNULL)
    process = subprocess.Popen([PINTAIL, "ingest", "--brokers", kafka.address, "--topic", topic, "--lake", f"ducklake:{folder}/slow/lake.ducklake",
                                "--data-path", f"{folder}/slow/data/", "--table", "slow", "--schema", SCHEMA, "--flush-interval", "1s"],
                               stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.terminate()
    _, status, usage = os.wait4(process.pid, 0)
    producer.terminate()
    producer.wait()
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("ingest at 10/s failed")
    say(f"{'ingest, 10 records/s':24}{10:12}{'':14}{'':14}{usage.ru_maxrss / 1024:9.0f}")
    return {"what": "slow", "memory_mb": usage.ru_maxrss / 1024, "cpu_seconds": usage.ru_utime + usage.ru_stime, "seconds": seconds}


def bench_decode():
    program = BUILD / "tests/bench/bench_decode"
    out = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    cases = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    say("\n" + "\n".join(line for line in out.splitlines() if not line.startswith("{")))
    return cases


def machine():
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) // 1024
    version = subprocess.run([PINTAIL, "--version"], capture_output=True, text=True).stdout.strip()
    return {"date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "cores": os.cpu_count(), "cpu": model[1] if model else "?",
            "memory_mb": memory, "kernel": platform.release(), "pintail": version, "load": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=BUILD / "bench.json")
    parser.add_argument("--only", default="ingest,memory,decode")
    options = parser.parse_args()
    only = options.only.split(",")
    result = {"machine": machine(), "records": options.records}
    say(" ".join(f"{k}={v}" for k, v in result["machine"].items()))
    folder = Path(tempfile.mkdtemp(prefix="pintail-bench-"))
    kafka = KafkaServer(folder / "kafka")
    try:
        if "ingest" in only or "memory" in only:
            kafka.start()
        if "ingest" in only:
            topic = kafka.create_topic(PARTITIONS)
            subprocess.run([PINTAIL, "produce", "--brokers", kafka.address, "--topic", topic, "--rate", "0", "--count", str(options.records),
                            "--seed", "1"], check=True)
            result["ingest"] = bench_ingest(kafka.address, topic, folder, options.rounds, [50_000, 200_000, 1_000_000])
        if "memory" in only:
            result["slow"] = bench_slow(kafka, folder)
        if "decode" in only:
            result["decode"] = bench_decode()
    finally:
        kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    say(f"\nwritten to {options.json}")


if __name__ == "__main__":
    main()
