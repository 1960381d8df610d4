#!/usr/bin/env python3
"""The suite again and again beside a load of all cores: a test that fails once in fifty such runs is a defect of the test.

    tests/e2e/load.py RUNS [PYTEST ARGUMENT...]        make test-load calls it

The load is of our own: a process a core that is busy and idle by turns, as a seed draws them, at the priority of the suite. So it stirs the order of
things without starving anybody. Left out is what measures speed or memory (`serial`), which is another thing beside a load. A line is printed for
each run, and for each failure how to run it again; logs and reports are in build/test-load/. The exit code is 1 when a run failed.
"""

import os
import random
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOGS = HERE.parents[1] / "build" / "test-load"
LONGEST_TURN = 0.4  # seconds
PATIENCE = 300  # seconds for a test that names no limit; an idle machine has 120


def busy(seed, parent):
    """Until the parent is gone, however it went."""
    r = random.Random(seed)
    while os.getppid() == parent:
        until = time.monotonic() + r.uniform(0, LONGEST_TURN)
        while time.monotonic() < until:
            pass
        time.sleep(r.uniform(0, LONGEST_TURN / 8))


@contextmanager
def load(seed):
    processes = [get_context("fork").Process(target=busy, args=(seed + n, os.getpid()), daemon=True) for n in range(os.cpu_count())]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def failures(report: Path):
    """(node id, its first line, its replay lines) of each test of the report that failed."""
    for case in xml.parse(report).iter("testcase"):
        wrong = [*case.findall("failure"), *case.findall("error")]
        if wrong:
            path = case.get("classname", "").replace(".", "/") + ".py"
            said = "\n".join([*(w.text or "" for w in wrong), *(o.text or "" for o in case.findall("system-out"))])
            replay = dict.fromkeys(line.strip() for line in said.splitlines() if line.strip().startswith("replay:"))
            first = (wrong[0].get("message") or "").splitlines()
            yield f"{path}::{case.get('name')}", first[0] if first else "", list(replay)


def one_run(number, runs, arguments) -> bool:
    report, log = LOGS / f"run-{number}.xml", LOGS / f"run-{number}.log"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-o", f"timeout={PATIENCE}", "-m", "not long and not serial", f"--junitxml={report}"]
    with log.open("wb") as out:
        code = subprocess.run([*command, "-o", "junit_logging=system-out", *arguments], cwd=HERE, stdout=out, stderr=out).returncode
    last = (log.read_text(errors="replace").strip().splitlines() or ["nothing was said"])[-1].strip("= ")
    print(f"run {number} of {runs}: {'passed' if code == 0 else 'FAILED'} after {time.monotonic() - began:.0f} s: {last}", flush=True)
    if code:
        found = list(failures(report)) if report.exists() else []
        for name, first, replay in found:
            print(f"    {name}: {first}")
            for line in replay or [f"again: make e2e E2E_ARGS=\"'{name}'\""]:
                print(f"        {line}")
        print(f"    the whole log: {log}", flush=True)
    return code == 0


def main() -> int:
    runs, *arguments = sys.argv[1:]
    LOGS.mkdir(parents=True, exist_ok=True)
    seed = int(os.environ.get("PINTAIL_LOAD_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"{runs} runs beside {os.cpu_count()} busy processes; PINTAIL_LOAD_SEED={seed} draws the same load", flush=True)
    failed = 0
    for number in range(1, int(runs) + 1):
        with load(seed + 1000 * number):
            failed += not one_run(number, runs, arguments)
    print(f"{failed} of {runs} runs failed" if failed else f"all {runs} runs passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
