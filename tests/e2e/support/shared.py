"""The servers that all tests of a run share. The run's first process starts each of them when it is first asked for, and ends it; the workers of
pytest-xdist ask it over a socket where it is."""

import fcntl
import json
import os
import shutil
import socket
import socketserver
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from .guarded_kafka import Guarded, GuardedKafka
from .kafka import Kafka, KafkaServer
from .postgres import Postgres, PostgresServer
from .procs import Unavailable, run_folder
from .s3 import S3, S3Server

# name -> what starts it in a folder, and what a test holds of it
_KINDS = {
    "kafka": (KafkaServer, Kafka),
    "guarded": (GuardedKafka, Guarded),
    "postgres": (lambda _: PostgresServer(), Postgres),
    "s3": (S3Server, S3),
}


class _Keeper(threading.Thread):
    """Starts one server, and ends it when it is told to. The kernel ends the server when this thread is gone (procs.guarded)."""

    keeps_servers = True

    def __init__(self, start):
        super().__init__(daemon=True)
        self._start_server = start
        self._ready, self._end = threading.Event(), threading.Event()
        self._answer = None
        self.start()

    def run(self):
        try:
            server = self._start_server()
        except Unavailable as e:
            self._answer = {"unavailable": str(e)}
        except BaseException as e:  # noqa: BLE001 - whoever asked has to be told
            self._answer = {"failed": f"{type(e).__name__}: {e}"}
        else:
            self._answer = {"at": server.shared()}
        self._ready.set()
        self._end.wait()
        if "at" in self._answer:
            server.remove()

    def answer(self) -> dict:
        self._ready.wait()
        return self._answer

    def stop(self):
        self._end.set()


class Servers:
    """Of the run's first process."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pintail-e2e-"))  # not below pytest's folder, which other users may not enter
        self.folder.chmod(0o711)
        os.environ["PINTAIL_E2E_RUN"] = str(self.folder)  # the workers inherit it
        self._lock = threading.Lock()  # guards _keepers
        self._keepers = {}
        self._socket = _listen(self)

    def ask(self, name: str) -> dict:
        with self._lock:
            if name not in self._keepers:
                self._keepers[name] = _Keeper(lambda: _KINDS[name][0](self.folder / name))
        return self._keepers[name].answer()

    def stop(self):
        self._socket.shutdown()
        self._socket.server_close()
        with self._lock:
            keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.stop()
        for keeper in keepers:
            keeper.join(60)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.environ.pop("PINTAIL_E2E_RUN", None)


def _address(folder: Path) -> str:
    return str(folder / "servers.sock")


def _listen(servers) -> socketserver.ThreadingUnixStreamServer:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(json.dumps(servers.ask(self.rfile.readline().decode().strip())).encode() + b"\n")

    listener = socketserver.ThreadingUnixStreamServer(_address(servers.folder), Handler)
    listener.daemon_threads = True
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return listener


class RemoteServers:
    """Of a worker."""

    def ask(self, name: str) -> dict:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(_address(run_folder()))
            s.sendall(name.encode() + b"\n")
            with s.makefile() as answer:
                return json.loads(answer.readline())

    def stop(self):
        pass


def shared(servers, name: str):
    """What a test holds of the server. Raises Unavailable."""
    answer = servers.ask(name)
    if "unavailable" in answer:
        raise Unavailable(answer["unavailable"])
    assert "at" in answer, f"{name}: {answer['failed']}"
    return _KINDS[name][1](**answer["at"])


@contextmanager
def turn(alone: bool):
    """While it holds, no test that wants to be alone runs beside another one of this run."""
    with (run_folder() / "turn.lock").open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
