"""The pintail process under test."""

import os
import re
import signal
import subprocess
from collections import namedtuple
from pathlib import Path

from .kafka import Kafka
from .procs import REPO, end, tail, wait_for
from .sanitize import assert_no_report

Done = namedtuple("Done", "code out err")  # exit code, standard output and error as text


def binary() -> Path:
    return Path(os.environ.get("PINTAIL", REPO / "build" / "pintail")).resolve()


class Process:
    def __init__(self, arguments, folder: Path, number: int, env=None, cwd=None, program=None):
        self.arguments = [str(program or binary()), *map(str, arguments)]
        self.out_path = folder / f"pintail-{number}.out"
        self.err_path = folder / f"pintail-{number}.err"
        environment = {**os.environ, **(env or {})}
        with self.out_path.open("wb") as out, self.err_path.open("wb") as err:
            self.popen = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=cwd or folder,
                env={k: v for k, v in environment.items() if v is not None},
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def err(self) -> str:
        return self.err_path.read_text(errors="replace")

    @property
    def out(self) -> str:
        return self.out_path.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=60) -> Done:
        try:
            code = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:g} s: {' '.join(self.arguments)}\n{tail(self.err_path)}") from None
        return Done(code, self.out, self.err)

    def kill(self) -> Done:
        """SIGKILL: it gets to do nothing more."""
        self.popen.kill()
        return self.wait(10)

    def stop(self, timeout=40) -> Done:
        """SIGTERM, which has to flush, commit and exit with 0."""
        self.signal(signal.SIGTERM)
        done = self.wait(timeout)
        assert done.code == 0, f"exit code {done.code} after SIGTERM\n{tail(self.err_path)}"
        return done

    @property
    def frozen(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    def freeze(self):
        self.signal(signal.SIGSTOP)
        wait_for(lambda: self.frozen, 5, "the process to be stopped")

    def thaw(self):
        self.signal(signal.SIGCONT)

    def wait_for(self, condition, timeout=30.0, what="the condition"):
        """Waits for condition() while the process runs; one that ends is a failure that shows its last words."""

        def check():
            value = condition()
            if not value:
                code = self.popen.poll()
                assert code is None, f"pintail ended with {code} while waiting for {what}\n{tail(self.err_path)}"
            return value

        try:
            return wait_for(check, timeout, what, every=0.05)
        except AssertionError as e:
            raise AssertionError(f"{e}\n--- stderr of pintail {self.pid}\n{tail(self.err_path)}") from None


class Pintail:
    """Starts pintail; ends at the test's end what the test left running."""

    def __init__(self, folder: Path, brokers=None):
        self.folder = folder
        self.brokers = brokers
        self.env = {}  # for every process
        self._started = []

    def start(self, *arguments, **how) -> Process:
        process = Process(arguments, self.folder, len(self._started), **{**how, "env": {**self.env, **(how.get("env") or {})}})
        self._started.append(process)
        return process

    def run(self, *arguments, timeout=60, code=0, **how) -> Done:
        """Runs to the end and expects the exit code (None: any)."""
        process = self.start(*arguments, **how)
        done = process.wait(timeout)
        assert code is None or done.code == code, f"exit code {done.code}, not {code}: {' '.join(process.arguments)}\n{done.err[-4000:]}"
        return done

    def ingest_args(self, lake, topic, *more, group=None) -> list:
        """The group is pintail-<topic>, or lake.group(table), unless it is in more, or group says "default": what pintail gives
        it by itself has the lake's id in it."""
        arguments = ["ingest", "--brokers", self.brokers.address, "-X", "fetch.queue.backoff.ms=5"]
        if topic is not None:
            arguments += ["--topic", topic]
            if group != "default" and not {"--group", "-g", "--config", "-c"} & set(more):
                table = more[more.index("--table") + 1] if "--table" in more else topic
                arguments += ["--group", f"pintail-{topic}" if table == topic else lake.group(table)]
        group = next((str(more[i + 1]) for i, option in enumerate(more) if option in ("--group", "-g")), None)
        assert group is None or type(self.brokers) is not Kafka or re.search(r"[0-9a-f]{6}", group), (
            f"other tests use this broker at the same time: make the group {group} this test's own, with the topic's name in it"
        )
        return [*arguments, *lake.args, *more]

    def ingest(self, lake, topic, *more, **how) -> Process:
        return self.start(*self.ingest_args(lake, topic, *more, group=how.pop("group", None)), **how)

    def ingest_all(self, lake, topic, *more, **how) -> Done:
        """ingest --until-end, to its end."""
        return self.run(*self.ingest_args(lake, topic, "--until-end", *more, group=how.pop("group", None)), **how)

    def ingest_rest(self, lake, topic, *more, **how) -> Done:
        """ingest_all after one that did not leave its group in order: killed while it joined, it may have been given partitions,
        which --until-end leaves to it."""
        self.brokers.wait_empty(more[more.index("--group") + 1] if "--group" in more else f"pintail-{topic}")
        return self.ingest_all(lake, topic, *more, **how)

    def end_all(self):
        for process in self._started:
            if process.running:
                process.signal(signal.SIGCONT)
                end(process.popen, signal.SIGKILL)
        for process in self._started:  # also of those whose end nobody looked at
            assert_no_report(process.err)
