"""Restarts, wished and unwished: the lake alone says where to go on, and every record lands once."""

import random
import signal
import threading

import pytest
from support import long, on, orders
from support.crash import crashing, kill_at_work
from support.judge import assert_exactly_once, assert_no_leftovers
from support.kafka import FAST_FAILOVER
from support.procs import wait_for
from support.progress import landed, wait_landed

SCHEMA = ("--schema", orders.SCHEMA)


@pytest.mark.core
@pytest.mark.parametrize("to", ["the start", "the end", "nothing"])
def test_a_restart_goes_on_from_the_lake_whatever_kafka_holds_for_the_group(pintail, lake, kafka, to):
    topic = kafka.create_topic(3)
    group = f"pintail-{topic}"
    kafka.produce(topic, orders.orders(3000, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    kafka.produce(topic, orders.orders(2000, 2))
    kafka.wait_empty(group)
    if to == "nothing":
        kafka.delete_group(group)
    else:
        kafka.set_committed(group, topic, kafka.beginnings(topic) if to == "the start" else kafka.ends(topic))
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (5000, 0)


@on("sqlite")
def test_a_restart_with_nothing_new_changes_no_row(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(500))
    for _ in range(3):
        pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (500, 0)


@pytest.mark.core
@pytest.mark.timeout(120)
def test_sigkill_during_the_very_first_start_leaves_a_lake_that_the_next_can_use(pintail, lake, kafka, seed):
    r = random.Random(seed)
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(2000))
    for _ in range(6):
        process = pintail.ingest(lake, topic, *SCHEMA, *FAST_FAILOVER)
        threading.Event().wait(r.uniform(0, 0.5))
        process.kill()
    pintail.ingest_rest(lake, topic, *SCHEMA, *FAST_FAILOVER)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


@on("duckdb", long("postgres"))
def test_files_that_a_killed_process_left_are_removed_by_the_next(pintail, lake, kafka, seed):
    r = random.Random(seed)
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(60_000))
    args = (*SCHEMA, "--flush-rows", "500", *FAST_FAILOVER)
    for _ in range(4):
        kill_at_work(pintail.ingest(lake, topic, *args), kafka, topic, r)
    pintail.ingest_rest(lake, topic, *args, "--flush-rows", "20000", "--leftover-age", "0s")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (60_000, 0)
    assert_no_leftovers(lake)


@on("sqlite")
def test_a_stop_that_gives_up_while_a_commit_is_under_way_ends_in_order(pintail, lake, kafka):
    """The commit succeeds when the process has left the group already."""
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(300))
    slow = crashing("commit.ledger:2:sleep-3000")
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-rows", "100", "--stop-timeout", "500ms", *FAST_FAILOVER, **slow)
    process.wait_for(lambda: "failpoint commit.ledger" in process.err, 40, "the slow commit")
    process.signal(signal.SIGTERM)
    done = process.wait(40)
    assert done.code == 1 and "could not be committed within 0.5 s" in done.err, (done.code, done.err)
    with lake.reader() as reader:
        assert reader.rows(topic) == 200
    pintail.ingest_rest(lake, topic, *FAST_FAILOVER)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (300, 0)


@on("duckdb")
def test_after_a_sigkill_the_default_settings_do_not_keep_a_restart_waiting(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000))
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "200ms")
    wait_landed(process, lake, kafka, topic, 1000)
    process.kill()
    kafka.produce(topic, orders.orders(1000, 2))
    pintail.ingest_all(lake, topic, timeout=35)  # by ten seconds; librdkafka's default were 45
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


# ---- what the broker no longer has (more of it in test_source.py), or has since a while


@on("sqlite")
def test_rows_that_were_in_memory_when_a_run_ended_by_an_error_are_read_again(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(3000))
    done = pintail.ingest_all(lake, topic, *SCHEMA, "--flush-rows", "1000000", **crashing("batch.open:1:fail"))
    assert "failpoint: no broker answers" in done.err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (3000, 0)


@on("duckdb")
def test_a_topic_whose_start_is_gone_already_begins_at_its_first_record(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    kafka.delete_records(topic, 0, 40)
    pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (60, 0)


@on("postgres")
def test_partitions_added_later_are_read_from_their_start(pintail, lake, kafka):
    from confluent_kafka.admin import NewPartitions

    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100, 1))
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "200ms", "-X", "topic.metadata.refresh.interval.ms=500")
    wait_landed(process, lake, kafka, topic, 100)
    kafka.admin.create_partitions([NewPartitions(topic, 3)])[topic].result(20)
    wait_for(lambda: kafka.partitions(topic) == 3, 20, "three partitions")
    kafka.produce(topic, [{**o, "partition": 2} for o in orders.orders(50, 2)])
    wait_landed(process, lake, kafka, topic, 150)
    process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (150, 0)


# ---- servers that go away


@on("postgres", long("sqlite"))
def test_a_broker_that_is_killed_and_comes_back_costs_nothing(pintail, lake, own_kafka):
    topic = own_kafka.create_topic(2)
    own_kafka.produce(topic, orders.orders(2000, 1))
    pintail.brokers = own_kafka
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "200ms")
    wait_landed(process, lake, own_kafka, topic, 2000)
    own_kafka.stop()
    own_kafka.start()
    own_kafka.produce(topic, orders.orders(2000, 2))
    wait_landed(process, lake, own_kafka, topic, 4000, timeout=60)
    process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, own_kafka, topic) == (4000, 0)


@pytest.mark.timeout(180)
def test_a_postgres_catalog_that_restarts_again_and_again_costs_nothing(pintail, own_postgres, kafka, tmp_path, seed):
    from support.lake import Lake

    r = random.Random(seed)
    lake = Lake("postgres", tmp_path, own_postgres)
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(50_000))
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-rows", "500", "--flush-interval", "100ms")
    for _ in range(4):
        at = landed(lake, kafka, topic)
        process.wait_for(lambda: landed(lake, kafka, topic) > at or at == 50_000, 40, "progress after the catalog's restart")
        threading.Event().wait(r.uniform(0, 0.2))
        own_postgres.stop()
        own_postgres.start()
    wait_landed(process, lake, kafka, topic, 50_000, timeout=60)
    process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (50_000, 0)
