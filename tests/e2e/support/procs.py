"""Processes and conditions: nothing here sleeps for a fixed time, and every process is ended by its own pid."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
DEPS = Path(os.environ.get("PINTAIL_DEPS", REPO / ".deps"))


class Unavailable(Exception):
    """A part that the tests need is not on this machine; the text says which, and what brings it."""


_given = set()  # who was given one may not have bound it yet


def free_port() -> int:
    while True:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def wait_for(condition, timeout=30.0, what="the condition", every=0.02):
    """The first truthy value of condition(), or an AssertionError that says what was awaited and what was seen last."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for {what}; last seen: {value!r}")
        time.sleep(every)


def listening(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(0.2)
        return s.connect_ex(("127.0.0.1", port)) == 0


def tail(path: Path, lines=20) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


def end(process: subprocess.Popen, with_signal=signal.SIGTERM, timeout=20.0):
    """Ends one process by its pid: asks, then kills."""
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
