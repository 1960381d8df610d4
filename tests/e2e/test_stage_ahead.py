"""A big batch is encoded while it is still being filled. What becomes of the file that was begun when the batch ends in another way than by its size."""

import json
import os
import signal

import pytest
from support import on, orders
from support.crash import crashing
from support.judge import assert_exactly_once, assert_no_leftovers
from support.kafka import FAST_FAILOVER, STEADY
from support.procs import wait_for
from support.progress import wait_landed

GROUP = 122_880  # rows of a row group: the first one is written while the batch is being filled
BEGUN = 150_000  # records: more than that, less than a flush
ARGS = ("--schema", orders.SCHEMA, "--flush-interval", "10m")
BIG = ("--flush-rows", "1000000")


@pytest.fixture
def topic(kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(BEGUN))
    return topic


def begun(lake) -> list:
    """Files with a row group in them that no snapshot names yet."""
    return [p for p in lake.files() if p.endswith(".pq") and os.path.getsize(p) > 100_000]


def begin(pintail, lake, topic, *more, **how):
    process = pintail.ingest(lake, topic, *ARGS, *BIG, *more, **how)
    process.wait_for(lambda: begun(lake), 60, "a file of the batch that is being filled")
    return process


def rows(lake, topic) -> int:
    with lake.reader() as reader:
        return reader.one(f'SELECT count(*) FROM lake."{topic}"')


def assert_landed_without_leftovers(lake, kafka, topic, count):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (count, 0)
    assert_no_leftovers(lake)


def test_a_stop_commits_the_file_that_was_begun(pintail, lake, kafka, topic):
    begin(pintail, lake, topic).stop()
    assert_no_leftovers(lake)
    assert len(lake.files()) == 1 and GROUP <= rows(lake, topic) <= BEGUN
    pintail.ingest_all(lake, topic, *ARGS)  # what a slow machine had not read yet
    assert_landed_without_leftovers(lake, kafka, topic, BEGUN)


@on("sqlite")
def test_a_killed_process_leaves_it_and_a_later_start_removes_it(pintail, lake, kafka, topic):
    begin(pintail, lake, topic).kill()
    pintail.ingest_rest(lake, topic, *ARGS, "--leftover-age", "0s")
    assert_landed_without_leftovers(lake, kafka, topic, BEGUN)


@on("postgres")
def test_partitions_that_were_lost_take_it_with_them(pintail, lake, kafka, topic):
    slow = begin(pintail, lake, topic, *FAST_FAILOVER)
    slow.freeze()
    heir = pintail.ingest(lake, topic, *ARGS, *STEADY, "--flush-rows", "50000")
    wait_landed(heir, lake, kafka, topic, BEGUN, timeout=90)
    slow.thaw()
    wait_for(lambda: len(lake.files()) == 3 or not slow.running, 60, "the frozen process to remove what it had begun")
    slow.signal(signal.SIGTERM)
    slow.wait(40)
    heir.stop()
    assert_landed_without_leftovers(lake, kafka, topic, BEGUN)


@on("postgres")
def test_a_new_member_of_the_group_makes_it_be_committed_first(pintail, lake, kafka, topic):
    first = begin(pintail, lake, topic, *STEADY)
    second = pintail.ingest(lake, topic, *ARGS, *STEADY)
    wait_landed(first, lake, kafka, topic, GROUP, timeout=60)
    first.stop()
    second.stop()
    pintail.ingest_rest(lake, topic, *ARGS)  # what a slow machine had not read yet
    assert_landed_without_leftovers(lake, kafka, topic, BEGUN)


@on("sqlite")
def test_a_record_that_ends_the_run_commits_what_was_begun(pintail, lake, kafka, topic):
    process = begin(pintail, lake, topic, "--on-error", "fail")
    kafka.produce(topic, [b"not an order"])
    done = process.wait(60)
    assert done.code == 1 and "everything before is committed" in done.err, done.err
    assert len(lake.files()) == 1 and GROUP <= rows(lake, topic) <= BEGUN
    assert_no_leftovers(lake)


@on("sqlite")
def test_a_file_that_could_not_be_written_is_written_anew_when_the_batch_is_full(pintail, lake, kafka, topic):
    done = begin(pintail, lake, topic, **crashing("stage.written:1:fail")).stop()
    assert "failpoint stage.written" in done.err and "paused" not in done.err, done.err
    assert len(lake.files()) == 1 and GROUP <= rows(lake, topic) <= BEGUN
    pintail.ingest_all(lake, topic, *ARGS)  # what a slow machine had not read yet
    assert_landed_without_leftovers(lake, kafka, topic, BEGUN)


@on("sqlite")
def test_values_that_come_late_make_the_file_be_written_anew_and_land(pintail, lake, kafka, topic):
    """Columns of few values are written as codes; the file was begun with those of its first rows."""
    process = pintail.ingest(lake, topic, *ARGS, "--flush-rows", "250000")
    process.wait_for(lambda: begun(lake), 60, "a file of the batch that is being filled")
    first = begun(lake)
    order = json.loads(orders.orders(1)[0]["value"])
    kafka.produce(topic, [json.dumps(order | {"product": f"came later {i}"}).encode() for i in range(100)])
    kafka.produce(topic, orders.orders(250_000 - BEGUN - 100, seed=2))
    wait_landed(process, lake, kafka, topic, 250_000, timeout=120)
    process.stop()
    assert_landed_without_leftovers(lake, kafka, topic, 250_000)
    assert len(lake.files()) == 1 and lake.files() != first, "the file that was begun without the new values was committed"


@on("sqlite")
def test_a_minus_zero_that_comes_late_makes_the_file_be_written_anew_and_keeps_its_sign(pintail, lake, kafka):
    """A Parquet dictionary of DuckDB's takes 0.0 and -0.0 for one value; a file that is begun early has one."""
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"d": 0.0, "f": 0.0}'] * BEGUN)
    process = pintail.ingest(lake, topic, "--schema", "d DOUBLE, f FLOAT", "--flush-interval", "10m", "--flush-rows", "250000")
    process.wait_for(lambda: any(p.endswith(".pq") for p in lake.files()), 60, "a file of the batch that is being filled")
    kafka.produce(topic, [b'{"d": -0.0, "f": -0.0}'] * 100)
    kafka.produce(topic, [b'{"d": 0.0, "f": 0.0}'] * (250_000 - BEGUN - 100))
    wait_landed(process, lake, kafka, topic, 250_000, timeout=120)
    process.stop()
    with lake.reader() as reader:
        assert reader.one(f'SELECT count(*) FILTER (signbit(d)), count(*) FILTER (signbit(f)), count(*) FROM lake."{topic}"') == (
            100,
            100,
            250_000,
        )
    assert_no_leftovers(lake)
