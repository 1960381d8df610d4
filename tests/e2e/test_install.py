"""What lies outside the source tree: an installed pintail, and the demo's compose file."""

import os
import shutil
import subprocess

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.procs import REPO


@on("sqlite")
@pytest.mark.timeout(600)
def test_an_installed_tree_that_was_moved_runs_by_itself(pintail, lake, kafka, tmp_path):
    made, moved = tmp_path / "made", tmp_path / "moved to"
    subprocess.run(["make", "-C", REPO, "install", f"PREFIX={made}"], check=True, capture_output=True, text=True, timeout=580)
    made.rename(moved)
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    program = moved / "bin" / "pintail"
    alone = {"LD_LIBRARY_PATH": None, "PINTAIL_EXTENSIONS": None, "HOME": str(tmp_path)}
    pintail.run(*pintail.ingest_args(lake, topic, "--until-end", "--schema", orders.SCHEMA), program=program, env=alone)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (100, 0)
    process = pintail.ingest(lake, topic, program=program, env=alone)
    process.wait_for(lambda: kafka.members(f"pintail-{topic}"), 30, "the group to be stable")
    with open(f"/proc/{process.pid}/maps") as maps:
        used = {line.split(maxsplit=5)[5].strip() for line in maps if len(line.split()) > 5}
    foreign = [f for f in used if f.startswith(str(REPO))]
    assert not foreign, f"the installed program uses the source tree: {foreign}"
    process.stop()


def test_the_demos_compose_file_is_accepted():
    if not shutil.which("docker-compose"):
        pytest.skip("no docker-compose (deps/fetch test installs it)")
    done = subprocess.run(
        ["docker-compose", "-f", REPO / "demo" / "docker-compose.yml", "config", "-q"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr
