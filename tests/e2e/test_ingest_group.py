"""Several ingest processes in one group: they share the partitions, and a writer that lost them can do no harm."""

import pytest
from support import long, on, orders
from support.judge import assert_exactly_once
from support.kafka import FAST_FAILOVER, STEADY
from support.progress import landed, wait_landed

ARGS = ("--schema", orders.SCHEMA, "--flush-rows", "500", "--flush-interval", "300ms", *FAST_FAILOVER)
TOTAL = 40_000


def sharing(kafka, topic, members=2):
    """The group is stable and each member has a part."""
    shares = kafka.members(f"pintail-{topic}")
    return len(shares) == members and all(shares)


def two(pintail, lake, kafka, topic, *more):
    """Two processes, started one after the other, that share the topic."""
    first = pintail.ingest(lake, topic, *ARGS, *more)
    first.wait_for(lambda: sharing(kafka, topic, 1), 40, "the first to have partitions")
    second = pintail.ingest(lake, topic, *ARGS, *more)
    second.wait_for(lambda: sharing(kafka, topic), 40, "both to have partitions")
    return first, second


def owners(lake, topic) -> set:
    return {r["owner"] for r in lake.read(lambda r: r.dicts("SELECT DISTINCT owner FROM lake.pintail.epochs WHERE topic = ?", topic), [])}


@pytest.mark.core
@on("postgres", "sqlite")
def test_processes_may_all_start_at_once_on_a_lake_that_is_not_there_yet(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    together = [pintail.ingest(lake, topic, *ARGS, *STEADY) for _ in range(3)]
    for process in together:
        process.wait_for(lambda: sharing(kafka, topic, 3), 40, "all three to have partitions")
    kafka.produce(topic, orders.orders(3000))
    wait_landed(together[0], lake, kafka, topic, 3000)
    for process in together:
        process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (3000, 0)


@on("postgres", long("sqlite"))
def test_two_processes_share_the_partitions_and_both_commit(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    first, second = two(pintail, lake, kafka, topic, *STEADY)
    kafka.produce(topic, orders.orders(TOTAL))
    wait_landed(first, lake, kafka, topic, TOTAL, timeout=60)
    assert first.running and second.running
    assert {int(owner.split(":")[1]) for owner in owners(lake, topic)} == {first.pid, second.pid}
    first.stop()
    second.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (TOTAL, 0)


@on("postgres", long("sqlite"))
def test_when_one_of_two_is_killed_the_other_takes_over_without_loss_or_duplicate(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    first, second = two(pintail, lake, kafka, topic)
    kafka.produce(topic, orders.orders(TOTAL))
    wait_landed(first, lake, kafka, topic, TOTAL // 10)
    second.kill()
    kafka.produce(topic, orders.orders(1000, 2))
    wait_landed(first, lake, kafka, topic, TOTAL + 1000, timeout=60)
    first.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (TOTAL + 1000, 0)


@on("postgres", long("sqlite"))
def test_a_second_process_joins_and_leaves_in_the_middle_without_loss_or_duplicate(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(TOTAL))
    first = pintail.ingest(lake, topic, *ARGS, *STEADY)
    wait_landed(first, lake, kafka, topic, 2000)
    second = pintail.ingest(lake, topic, *ARGS, *STEADY)
    first.wait_for(lambda: sharing(kafka, topic), 40, "both to have partitions")
    kafka.produce(topic, orders.orders(5000, 2))
    wait_landed(second, lake, kafka, topic, TOTAL // 2)
    second.stop()
    kafka.produce(topic, orders.orders(5000, 3))
    wait_landed(first, lake, kafka, topic, TOTAL + 10_000, timeout=60)
    first.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (TOTAL + 10_000, 0)


@on("postgres", long("sqlite"))
@pytest.mark.timeout(240)
def test_a_frozen_process_that_wakes_up_after_its_partitions_were_taken_writes_nothing_twice(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(TOTAL))
    zombie = pintail.ingest(lake, topic, *ARGS)
    wait_landed(zombie, lake, kafka, topic, 2000)
    zombie.freeze()
    heir = pintail.ingest(lake, topic, *ARGS)
    try:
        # Frozen with SQLite's write lock in its hand, it keeps everybody out until it wakes up; PostgreSQL ends its transaction after ten idle seconds.
        wait_landed(heir, lake, kafka, topic, TOTAL, timeout=60 if lake.catalog == "postgres" else 20)
    except AssertionError:
        if lake.catalog != "sqlite":
            raise
    zombie.thaw()
    kafka.produce(topic, orders.orders(2000, 2))
    heir.wait_for(lambda: landed(lake, kafka, topic) >= TOTAL + 2000, 90, "everything, with the zombie awake")
    heir.stop()
    if zombie.running:  # it may have rejoined as a member, or given up with a clear word
        zombie.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (TOTAL + 2000, 0)


@on("postgres")
def test_until_end_awaits_no_partition_of_another_member(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(2000))
    stays = pintail.ingest(lake, topic, *ARGS, *STEADY)
    wait_landed(stays, lake, kafka, topic, 2000)
    done = pintail.ingest_all(lake, topic, *ARGS, *STEADY, timeout=40)
    assert "partitions that other members of the group hold were left to them" in done.err, done.err
    stays.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


@on("postgres")
@pytest.mark.long
@pytest.mark.timeout(600)
def test_processes_come_go_freeze_and_die_at_random_for_minutes(pintail, lake, kafka, seed):
    import random
    import time

    r = random.Random(seed)
    topic = kafka.create_topic(6)
    running, total = [], 0
    until = time.monotonic() + 240
    while time.monotonic() < until:
        kafka.produce(topic, orders.orders(5000, total))
        total += 5000
        if len(running) < 3:
            running.append(pintail.ingest(lake, topic, *ARGS))
        victim = r.choice(running)
        fate = r.choice(["live", "live", "kill", "freeze", "stop"])
        before = landed(lake, kafka, topic)
        alive = next((p for p in running if p is not victim), None)
        if fate == "kill":
            victim.kill()
        elif fate == "freeze":
            victim.freeze()
        elif (
            fate == "stop" and "msg=started" in victim.err
        ):  # before that a signal may find a process that is still being loaded, and kills it
            victim.stop()
        try:
            if alive:
                alive.wait_for(lambda: landed(lake, kafka, topic) > before + r.randint(0, 5000), 10, "progress")
        except AssertionError:
            assert alive.running
        if fate == "freeze":
            victim.thaw()
        running = [p for p in running if p.running]
    for process in running:
        process.stop()
    kafka.wait_empty(f"pintail-{topic}")
    pintail.ingest_all(lake, topic, *ARGS)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (total, 0)
