"""What a process takes of the machine, as Linux tells it."""

import os
import threading
from contextlib import contextmanager
from pathlib import Path

MIB = 1 << 20
SANITIZED = os.environ.get("PINTAIL_SANITIZED") == "1"  # make e2e-asan: memory is the sanitizer's then


def status(pid: int) -> dict:
    """VmRSS, VmHWM and so on of /proc/<pid>/status, in bytes; empty when the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {key: int(rest.split()[0]) * 1024 for key, rest in (line.split(":", 1) for line in lines) if rest.endswith(" kB")}


@contextmanager
def grows_less_than(process, mib, why, since="VmRSS"):
    """The peak of a process that goes on running, against what it has now, or (VmHWM) against its peak so far."""
    before = status(process.pid)[since]
    yield
    grown = (status(process.pid)["VmHWM"] - before) / MIB
    print(f"{grown:.0f} MiB more {why}")
    assert SANITIZED or grown < mib, f"{grown:.0f} MiB more {why}"


class Peak:
    """Follows the peak of a process until it ends. The kernel keeps it, so only the last moment before the end can be missed."""

    def __init__(self, process):
        self._pid = process.pid
        self._bytes = 0
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._ended = threading.Event()
        self._thread.start()

    def _follow(self):
        while (now := status(self._pid).get("VmHWM")) is not None:
            self._bytes = max(self._bytes, now)
            if self._ended.wait(0.01):
                break

    @property
    def mib(self) -> float:
        self._ended.set()
        self._thread.join()
        assert self._bytes, "the process ended before its memory was looked at"
        return self._bytes / MIB


def run_within(pintail, mib, *arguments, timeout=100, code=0):
    """Runs pintail to its end and asserts that its peak stays within mib, which it prints."""
    process = pintail.start(*arguments)
    peak = Peak(process)
    done = process.wait(timeout)
    assert done.code == code, f"exit code {done.code}, not {code}\n{done.err[-4000:]}"
    print(f"peak memory: {peak.mib:.0f} MiB of {mib}")
    assert SANITIZED or peak.mib <= mib, f"peak memory {peak.mib:.0f} MiB is more than --memory {mib}MiB"
    return done
