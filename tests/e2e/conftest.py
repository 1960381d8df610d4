"""Fixtures of the end-to-end tests: real servers for the whole run, a fresh lake and topic for each test."""

import os
import random
import signal
import zlib

import pytest
from support.kafka import KafkaCluster, KafkaServer
from support.lake import Lake
from support.pintail import Pintail, binary
from support.postgres import PostgresServer
from support.procs import Unavailable
from support.s3 import S3Server
from support.shared import RemoteServers, Servers, shared, turn

CATALOGS = ("duckdb", "sqlite", "postgres")
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


# ---- one catalog a test


def pytest_addoption(parser):
    parser.addoption("--all-catalogs", action="store_true", help="each test on every catalog that it is for, as in the long tier")


def _catalogs_wanted(config) -> bool:
    """Whoever names a catalog on the command line, or a test with its parameters, gets what is named."""
    named = [config.option.keyword or "", *config.args]
    return config.option.all_catalogs or any(c in text for c in CATALOGS for text in named) or any("[" in a for a in config.args)


def _failures_asked_for(config) -> bool:
    return getattr(config.option, "lf", False) or getattr(config.option, "failedfirst", False)


def _leave_catalogs_to_the_long_tier(config, items):
    """A test on several catalogs runs on one of them, which its name draws, so that a run of the suite has all three; the others are long.
    The core, whose way differs from catalog to catalog, runs on all."""
    if _catalogs_wanted(config):
        return
    failed = config.cache.get("cache/lastfailed", {}) if _failures_asked_for(config) else {}
    kinds = {}
    for item in items:
        catalog = item.callspec.params.get("lake") if hasattr(item, "callspec") else None
        if catalog in CATALOGS and not any(item.iter_markers("core")) and not any(item.iter_markers("long")):
            others = tuple(f"{k}={v!r}" for k, v in item.callspec.params.items() if k != "lake")
            ids = item.callspec.id.replace(catalog, "", 1) if others else ""
            kinds.setdefault((item.nodeid.split("[")[0], ids), []).append(item)
    for (name, parameters), alike in kinds.items():
        drawn = zlib.crc32(f"{name}{parameters}".encode()) % len(alike)
        for item in alike[:drawn] + alike[drawn + 1 :]:
            if item.nodeid not in failed:
                item.add_marker(pytest.mark.long)


# ---- several workers


@pytest.hookimpl(tryfirst=True)  # before pytest looks at the marks
def pytest_collection_modifyitems(config, items):
    """The ones that may take long first, or the last worker ends long after the others; those that are to be alone at the end."""

    def rank(item):
        limit = item.get_closest_marker("timeout")
        return item.get_closest_marker("serial") is not None, -limit.args[0] if limit and limit.args else 0

    items.sort(key=rank)
    _leave_catalogs_to_the_long_tier(config, items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    with turn(alone=item.get_closest_marker("serial") is not None):
        return (yield)


# ---- servers

SERVERS = pytest.StashKey()


def pytest_configure(config):
    worker = hasattr(config, "workerinput")
    config.stash[SERVERS] = RemoteServers() if worker else Servers()
    # Either ends what tests and fixtures have started. A worker is sent a SIGINT when the first process is gone.
    signal.signal(signal.SIGINT if worker else signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure(config):
    config.stash[SERVERS].stop()


@pytest.fixture(scope="session")
def shared_server(pytestconfig):
    """shared_server(name): the server that the run's first process keeps for all."""

    def find(name):
        try:
            return shared(pytestconfig.stash[SERVERS], name)
        except Unavailable as e:
            pytest.skip(str(e))

    return find


@pytest.fixture(scope="session")
def kafka(shared_server):
    """Apache Kafka 4.1, one node."""
    return shared_server("kafka")


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
def postgres(shared_server):
    return shared_server("postgres")


@pytest.fixture
def own_postgres():
    try:
        server = PostgresServer()
    except Unavailable as e:
        pytest.skip(str(e))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def s3(shared_server):
    """An S3 server."""
    return shared_server("s3")


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


@pytest.fixture(params=CATALOGS)
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
