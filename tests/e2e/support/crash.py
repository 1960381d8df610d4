"""The test build that dies, freezes or breaks its rules on demand (make crash), and many small cases run side by side."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .lake import Lake
from .pintail import Pintail
from .procs import REPO

SIDE_BY_SIDE = 4  # a case mostly waits for the group to give up its dead member


def crash_binary() -> Path:
    path = Path(os.environ.get("PINTAIL_CRASH", REPO / "build-crash" / "pintail")).resolve()
    assert path.exists(), f"{path} is not there: make crash"
    return path


def failpoints() -> list:
    """The names of PT_FAILPOINTS, out of the header, so that none is forgotten."""
    text = (REPO / "src" / "base" / "failpoint.h").read_text()
    names = re.findall(r'"([^"]+)"', text.split("#define PT_FAILPOINTS", 1)[1].split("\n\n", 1)[0])
    assert len(names) > 10, names
    return names


def crashing(*points, broken=(), **environment) -> dict:
    """Arguments for Pintail.start and its like: the crash build with these failpoints (name:pass:action) set and these rules switched off."""
    return {"program": crash_binary(), "env": {"PINTAIL_FAILPOINT": ",".join(points), "PINTAIL_BREAK": ",".join(broken), **environment}}


def kill_at_work(process, kafka, topic, r):
    """SIGKILL a random while after a commit of this process: in the middle of reading, staging, committing or between."""

    def seen():
        return sum(kafka.committed(f"pintail-{topic}", topic).values())

    before = seen()
    process.wait_for(lambda: seen() > before, 90, "a commit")
    threading.Event().wait(r.uniform(0, 0.4))
    assert process.running, f"ended by itself:\n{process.err[-2000:]}"
    process.kill()


@contextmanager
def small_world(folder: Path, name: str, catalog: str, kafka, postgres):
    """A lake and a runner of pintail of one case alone."""
    folder = folder / re.sub(r"\W+", "-", name)
    folder.mkdir()
    lake, pintail = Lake(catalog, folder, postgres if catalog == "postgres" else None), Pintail(folder, kafka)
    try:
        yield lake, pintail
    finally:
        pintail.end_all()
        lake.close()


def side_by_side(case, cases):
    """case(c) for all cases, a few at a time; fails with what every failed one had to say."""

    def outcome(c):
        try:
            case(c)
        except Exception as e:  # noqa: BLE001 - an error of the harness is a failure of the case too
            return f"--- {c}: {type(e).__name__}: {e}"
        return None

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        failed = [text for text in pool.map(outcome, cases) if text]
    assert not failed, f"{len(failed)} of {len(cases)} cases failed\n" + "\n".join(failed)
