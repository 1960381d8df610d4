"""SIGKILL at every failpoint of the source, on every catalog: what the next start finds, it completes.

The default tier has every point on one catalog (point i on catalog i mod 3) and those of the commit on all three; `-m long` has all on all."""

import itertools

import pytest
from support import orders
from support.crash import crashing, failpoints, side_by_side, small_world
from support.judge import assert_exactly_once, assert_no_leftovers
from support.kafka import FAST_FAILOVER, STEADY
from support.procs import wait_for
from support.progress import wait_landed

CATALOGS = ("duckdb", "sqlite", "postgres")
GOOD, BAD = 600, 9
ARGS = ("--schema", orders.SCHEMA, "--table", "orders", "--flush-rows", "100", "--flush-interval", "2s")
TO_DIE, TO_LIVE = (*ARGS, *FAST_FAILOVER), (*ARGS, *STEADY)
REBALANCE = ("assign.before", "assign.skip", "assign.after", "revoke.before", "revoke.drained")


@pytest.fixture(scope="module")
def topic(kafka):
    """One topic for all cases; each has a group and a lake of its own."""
    topic = kafka.create_topic(3)
    records = [dict(o) for o in orders.orders(GOOD)]
    for i in range(BAD):
        records.insert(60 * i + 7, {"key": b"bad", "value": b'{"order_id": 17, "quantity": "many"'})
    kafka.produce(topic, records)
    return topic


@pytest.fixture(scope="module")
def records(kafka, topic):
    return kafka.records(topic)


def catalogs_of(point, everywhere):
    return CATALOGS if everywhere or point.startswith("commit.") else (CATALOGS[failpoints().index(point) % len(CATALOGS)],)


def failures_before(point, at) -> list:
    """What makes a process come to the point, a given number of times. A commit whose answer is lost is followed by a recovery, and that claims anew."""
    if point.startswith("recover."):
        return [f"commit.answer:{i}:fail" for i in range(1, at + 1)]
    if point.startswith("claim."):
        return [f"commit.answer:{i}:fail" for i in range(1, at)]
    return []


def rules_before(point) -> tuple:
    return ("open-rarely",) if point == "open.anew" else ()


def inlining(point, at) -> tuple:
    """Flushes of this file are staged unless these options say that their rows stay in the catalog, from where each commit's are folded before the next."""
    return (
        ("--inline-rows", "100", "--fold-interval", "0.001ms")
        if point.startswith(("fold.", "guard.", "insert.")) or (point.startswith("commit.") and at > 1)
        else ()
    )


def passes_of(point) -> tuple:
    if point == "leftovers.before":  # once in a life
        return (1,)
    if point == "open.anew":  # once in two commits, see rules_before
        return (1, 2)
    return (1,) if point in REBALANCE else (1, 3)  # more of these in the tests with two processes


def assert_killed(done, point):
    assert f"failpoint {point}: kill" in done.err, f"{point} was never reached; exit code {done.code}\n{done.err[-3000:]}"
    assert done.code == -9, f"exit code {done.code}"


def assert_all_there(lake, kafka, topic, records, group):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, "orders", pipeline=group, records=records) == (GOOD, BAD)
    assert_no_leftovers(lake)


def killed_and_started_again(tmp_path, kafka, postgres, topic, records, point, catalog, at):
    group = f"{topic}-{point}-{catalog}-{at}"
    with small_world(tmp_path, group, catalog, kafka, postgres) as (lake, pintail):
        end = ("--until-end",) if point.startswith("revoke.") else ()  # leaving the group revokes
        args = ("--group", group, *inlining(point, at))
        dies = pintail.ingest(
            lake, topic, *TO_DIE, *end, *args, **crashing(*failures_before(point, at), f"{point}:{at}:kill", broken=rules_before(point))
        )
        assert_killed(dies.wait(120), point)
        pintail.ingest_rest(lake, topic, *TO_LIVE, *args, "--leftover-age", "0s", timeout=120)
        assert_all_there(lake, kafka, topic, records, group)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("point", failpoints())
def test_a_kill_at(point, tmp_path, kafka, postgres, topic, records):
    cases = list(itertools.product(catalogs_of(point, everywhere=False), passes_of(point)))
    side_by_side(lambda case: killed_and_started_again(tmp_path, kafka, postgres, topic, records, point, *case), cases)


# ---- in the callbacks of a rebalance, with a second process that comes and goes


def killed_in_a_rebalance(tmp_path, kafka, postgres, topic, records, point, at, catalog):
    group = f"{topic}-{point}-{catalog}-{at}-two"
    args = (*TO_LIVE, "--group", group)
    with small_world(tmp_path, group, catalog, kafka, postgres) as (lake, pintail):
        dies = pintail.ingest(lake, topic, *TO_DIE, "--group", group, **crashing(f"{point}:{at}:kill"))
        wait_for(lambda: not dies.running or kafka.members(group), 60, "the first to have partitions")
        other = None
        for _ in range(2 * at):  # each coming and each going of another member is a rebalance
            if not dies.running:
                break
            other = pintail.ingest(lake, topic, *args)
            wait_for(lambda: not dies.running or len(kafka.members(group)) == 2, 60, "both to have partitions, or the first to be killed")
            if dies.running:
                other.stop()
                wait_for(lambda: not dies.running or len(kafka.members(group)) == 1, 60, "the first to be alone again, or to be killed")
        assert_killed(dies.wait(10), point)
        if other and other.running:  # it takes over
            wait_landed(other, lake, kafka, topic, GOOD + BAD, group, timeout=60)
            other.stop()
        pintail.ingest_rest(lake, topic, *args, "--leftover-age", "0s", timeout=120)
        assert_all_there(lake, kafka, topic, records, group)


def rebalance_cases(everywhere):
    for i, (point, at) in enumerate(itertools.product(REBALANCE, (1, 3))):
        if at > 1 or not point.startswith("assign."):  # the first assignment needs no second process
            yield from ((point, at, catalog) for catalog in (("sqlite", "postgres") if everywhere else (("sqlite", "postgres")[i % 2],)))


@pytest.mark.timeout(300)
def test_a_kill_in_the_middle_of_a_rebalance(tmp_path, kafka, postgres, topic, records):
    side_by_side(
        lambda case: killed_in_a_rebalance(tmp_path, kafka, postgres, topic, records, *case), list(rebalance_cases(everywhere=False))
    )


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_kill_in_the_middle_of_a_rebalance_on_every_catalog(tmp_path, kafka, postgres, topic, records):
    side_by_side(
        lambda case: killed_in_a_rebalance(tmp_path, kafka, postgres, topic, records, *case), list(rebalance_cases(everywhere=True))
    )


# ---- the whole product


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("point", failpoints())
def test_a_kill_on_every_catalog_at(point, tmp_path, kafka, postgres, topic, records):
    passes = (*passes_of(point), 2, 5) if passes_of(point) == (1, 3) else passes_of(point)
    cases = list(itertools.product(CATALOGS, passes))
    side_by_side(lambda case: killed_and_started_again(tmp_path, kafka, postgres, topic, records, point, *case), cases)
