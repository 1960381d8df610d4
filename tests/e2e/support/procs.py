"""Processes and conditions: nothing here sleeps for a fixed time, and every process is ended by its own pid."""

import atexit
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
DEPS = Path(os.environ.get("PINTAIL_DEPS", REPO / ".deps"))


class Unavailable(Exception):
    """A part that the tests need is not on this machine; the text says which, and what brings it."""


def run_folder() -> Path:
    """Of this run of the suite, for all its workers; of this process, where none is (the benchmark)."""
    if "PINTAIL_E2E_RUN" not in os.environ:
        folder = tempfile.mkdtemp(prefix="pintail-run-")
        os.chmod(folder, 0o755)  # PostgreSQL is another user
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["PINTAIL_E2E_RUN"] = folder
    return Path(os.environ["PINTAIL_E2E_RUN"])


def once_per_run(name: str, make) -> Path:
    """A folder that make(folder) fills, the first time that any worker of this run asks for it."""
    folder = run_folder() / name
    with (run_folder() / f"{name}.lock").open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        if not folder.exists():
            fresh = run_folder() / f"{name}.fresh"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            make(fresh)
            fresh.rename(folder)
    return folder


# Below the ports that Linux gives to clients (32768 on), or one of those could take a port before its server binds it.
_PORTS = (10_000, 30_000)
_taken = []  # the locks of our ports, as long as this process lives: no other worker, nor another run of the suite, is given them


def free_port() -> int:
    """A port that nobody uses and nobody else is given."""
    locks = Path(tempfile.gettempdir()) / f"pintail-ports-{os.getuid()}"
    locks.mkdir(exist_ok=True)
    while True:
        port = random.SystemRandom().randrange(*_PORTS)
        lock = (locks / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _taken.append(lock)
        return port


def guarded(command: list) -> list:
    """The command of a server, which the kernel kills when the thread that starts it is gone: a run that is killed leaves no servers behind."""
    lasting = threading.current_thread() is threading.main_thread() or getattr(threading.current_thread(), "keeps_servers", False)
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if lasting and setpriv else command


def wait_for(condition, timeout=30.0, what="the condition", every=0.02):
    """The first truthy value of condition(), or an AssertionError that says what was awaited and what was seen last."""
    deadline = time.monotonic() + timeout
    while True:
        asked = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for {what}; last seen: {value!r}")
        time.sleep(max(every, 2 * (now - asked)))  # a costly question leaves most of the time to what is waited for


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
