"""Fixtures of the end-to-end tests: real servers for the session, a fresh lake and topic for each test."""

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest

from support.kafka import KafkaCluster, KafkaServer
from support.lake import Lake
from support.pintail import Pintail, binary
from support.postgres import PostgresServer
from support.procs import Unavailable
from support.s3 import S3Server

REQUIRE_ALL = os.environ.get("CI") == "true" or os.environ.get("PINTAIL_REQUIRE_ALL") == "1"


# ---- a test that cannot run here is skipped by name; in CI that is a failure

def _require(report):
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {reason}\nEvery test has to run here (CI=true or PINTAIL_REQUIRE_ALL=1)."
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _require((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _require((yield))


# ---- servers

@pytest.fixture(scope="session")
def server_folder():
    """Where servers keep their files; not below pytest's folder, which other users may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="pintail-e2e-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka(server_folder):
    """Apache Kafka 4.1, one node."""
    try:
        server = KafkaServer(server_folder / "kafka")
    except Unavailable as e:
        pytest.skip(str(e))
    yield server
    server.stop()


@pytest.fixture
def own_kafka(tmp_path):
    """A broker of this test alone, which it may stop, kill and start again."""
    try:
        server = KafkaServer(tmp_path / "kafka")
    except Unavailable as e:
        pytest.skip(str(e))
    yield server
    server.stop()


@pytest.fixture
def kafka_cluster(tmp_path):
    """Three brokers of this test alone; it may stop and kill any of them."""
    try:
        cluster = KafkaCluster(tmp_path / "kafka")
    except Unavailable as e:
        pytest.skip(str(e))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def postgres():
    try:
        server = PostgresServer()
    except Unavailable as e:
        pytest.skip(str(e))
    yield server
    server.remove()


@pytest.fixture
def own_postgres():
    try:
        server = PostgresServer()
    except Unavailable as e:
        pytest.skip(str(e))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3(server_folder):
    """An S3 server."""
    try:
        server = S3Server(server_folder / "s3")
    except Unavailable as e:
        pytest.skip(str(e))
    yield server
    server.stop()


@pytest.fixture
def own_s3(tmp_path):
    """An S3 server of this test alone, which it may stop, freeze and start again."""
    try:
        server = S3Server(tmp_path / "s3")
    except Unavailable as e:
        pytest.skip(str(e))
    yield server
    server.stop()


# ---- the lake and the program

@pytest.fixture(params=["duckdb", "sqlite", "postgres"])
def lake(request, tmp_path):
    """A lake that is not there yet, on each catalog; support.on("postgres") narrows it."""
    lake = Lake(request.param, tmp_path, request.getfixturevalue("postgres") if request.param == "postgres" else None)
    yield lake
    lake.close()


@pytest.fixture
def pintail(request, tmp_path):
    """Starts pintail processes; those still alive at the test's end are ended."""
    assert binary().exists(), f"{binary()} is not there: make build"
    runner = Pintail(tmp_path, request.getfixturevalue("kafka") if "kafka" in request.fixturenames else None)
    yield runner
    runner.end_all()


@pytest.fixture
def seed(request):
    """The seed of a randomised test; a failure shows how to run it again."""
    number = int(os.environ.get("PINTAIL_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"replay: PINTAIL_SEED={number} .deps/venv/bin/python -m pytest '{request.node.nodeid}'")
    return number
