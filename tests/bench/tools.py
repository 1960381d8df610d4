"""What every part of the benchmark uses: the machine, processes with their CPU and memory, the drain, one ingest, a table on the terminal."""

import contextlib
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
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

PINTAIL = Path(os.environ.get("PINTAIL", ROOT / "build" / "pintail")).resolve()
BUILD = PINTAIL.parent
PARTITIONS = 4
SCHEMA = (
    "order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product VARCHAR, quantity INTEGER, "
    "unit_price DECIMAL(10,2), region VARCHAR"
)


def say(text=""):
    print(text, flush=True)


def load() -> float:
    return os.getloadavg()[0]


def machine() -> dict:
    import confluent_kafka
    import duckdb

    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) // 1024
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    version = subprocess.run([PINTAIL, "--version"], capture_output=True, text=True).stdout.strip()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": model[1] if model else "?",
        "cores": os.cpu_count(),
        "memory_mb": memory,
        "kernel": platform.release(),
        "pintail": version,
        "commit": commit,
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "confluent_kafka": confluent_kafka.__version__,
        "kafka": kafka_version(),
        "load_before": round(load(), 2),
    }


def kafka_version() -> str:
    found = sorted((ROOT / ".deps" / "kafka").glob("kafka-clients-*.jar"))
    return found[-1].stem.removeprefix("kafka-clients-") if found else "?"


def prioritise(nice, *others):
    """For this process, what it starts, and the given servers. Where the kernel groups by session (autogroup), the group's value counts beside the thread's."""
    if nice:
        for pid in ("self", *others):
            for task in Path(f"/proc/{pid}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(task.name), nice)
            with contextlib.suppress(FileNotFoundError):
                Path(f"/proc/{pid}/autogroup").write_text(str(nice))


class Failed(Exception):
    pass


def timed(arguments, timeout=600, **more):
    """Runs a command: its stdout, stderr, peak memory in MB and CPU seconds."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(a) for a in arguments], stdout=out, stderr=errors, stdin=subprocess.DEVNULL, **more)
        usage = wait_for_end(process, timeout)
        out.seek(0)
        errors.seek(0)
        text, said = out.read(), errors.read()
    if process.returncode:
        raise Failed(f"{' '.join(map(str, arguments))}: exit {process.returncode}\n{said[-3000:]}")
    return text, said, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def wait_for_end(process, timeout):
    deadline = time.monotonic() + timeout
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > deadline:
            process.kill()
            os.wait4(process.pid, 0)
            raise Failed(f"still running after {timeout} s: {process.args}")
        time.sleep(0.02)


def produce(kafka, topic, count, seed=1):
    timed([PINTAIL, "produce", "--brokers", kafka.address, "--topic", topic, "--rate", "0", "--count", count, "--seed", seed])


def drain(broker, topic, *more, program="bench_drain") -> dict:
    result = json.loads(timed([BUILD / "tests/bench" / program, broker, topic, *more])[0])
    result["rate"] = result["records"] / result["seconds"]
    result["load"] = load()
    return result


def lake_options(folder) -> list:
    return ["--lake", f"ducklake:{folder}/lake.ducklake", "--data-path", f"{folder}/data/"]


def when(line) -> float:
    return datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()


def ingest(broker, topic, folder, flush_rows, *options, program=None, environment=None) -> dict:
    """One ingest of the whole topic into a fresh lake. seconds: from the log line `assigned`, after which the first fetch goes out, to the line
    `done`, which follows the last commit. startup_seconds: from the start of the process to `assigned`."""
    shutil.rmtree(folder, ignore_errors=True)
    begin, before = time.time(), load()
    _, said, memory, cpu = timed(
        [
            program or PINTAIL,
            "ingest",
            "--brokers",
            broker,
            "--topic",
            topic,
            "--group",
            f"bench-{time.time_ns()}",
            *lake_options(folder),
            "--table",
            "orders",
            "--schema",
            SCHEMA,
            "--flush-rows",
            flush_rows,
            "--flush-bytes",
            "1GiB",
            "--until-end",
            "--log-format",
            "json",
            *options,
        ],
        env={**os.environ, **(environment or {})},
    )
    lines = {line["msg"]: line for line in map(json.loads, said.splitlines())}
    done, assigned = lines["done"], when(lines["assigned"])
    seconds = when(done) - assigned
    return {
        "rows": done["rows"],
        "seconds": seconds,
        "rate": done["rows"] / seconds if seconds else 0,
        "memory_mb": memory,
        "cpu_seconds": cpu,
        "startup_seconds": assigned - begin,
        "commits": done["commits"],
        "stage_seconds": done["stage_seconds"],
        "commit_seconds": done["commit_seconds"],
        "load": before,
    }


def middle(results, key) -> float:
    return statistics.median(r[key] for r in results)


def print_table(head, rows):
    """head: (title, format) pairs, the first column left-aligned."""
    cells = [[h for h, _ in head]] + [["" if v is None else format(v, f) for v, (_, f) in zip(row, head)] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    for line in cells:
        say("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))))
