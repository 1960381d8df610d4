"""SIGKILL again and again, at moments drawn from a seed: by the clock, while starting, and at failpoints of the test build."""

import itertools
import random
import threading

import pytest
from support import orders
from support.crash import crashing, failpoints, kill_at_work
from support.judge import assert_exactly_once, assert_no_leftovers
from support.kafka import FAST_FAILOVER
from support.procs import wait_for


def kill_while_starting(ingest, kafka, topic, r):
    process = ingest()
    threading.Event().wait(r.uniform(0, 0.8))
    process.kill()


def kill_while_working(ingest, kafka, topic, r):
    kill_at_work(ingest(), kafka, topic, r)


def kill_at_failpoint(ingest, kafka, topic, r):
    """It may not come by there; then it is killed where it is."""
    point = f"{r.choice(failpoints())}:{r.randint(1, 8)}:kill"
    process = ingest(**crashing(point))
    try:
        wait_for(lambda: not process.running, 3)
    except AssertionError:
        process.kill()
    assert process.wait(10).code == -9, f"{point}: ended by itself:\n{process.err[-2000:]}"
    return point


def killed_again_and_again(pintail, lake, kafka, seed, kills, records, flush_rows):
    """Before each kill its share of the records is produced, so that there is work to be killed at, however fast it is done."""
    r = random.Random(seed)
    topic = kafka.create_topic(4)
    source, share = iter(list(orders.orders(records))), -(-records // kills)
    args = ("--schema", orders.SCHEMA, "--flush-rows", flush_rows, "--flush-interval", "100ms", *FAST_FAILOVER)
    seen, least = [], kills // 3  # so many at work, whatever the seed and however slow the machine
    how = [kill_while_working] * least + r.choices([kill_while_starting, kill_while_working, kill_at_failpoint], [1, 2, 2], k=kills - least)
    r.shuffle(how)
    for kill in how:
        kafka.produce(topic, itertools.islice(source, share))
        point = kill(lambda **more: pintail.ingest(lake, topic, *args, **more), kafka, topic, r)
        seen.append(lake.read(lambda reader: reader.rows(topic), 0))
        print(f"{kill.__name__} {len(seen)}: {seen[-1]} rows {point or ''}")
    pintail.ingest_rest(lake, topic, *args, "--flush-rows", "20000", "--leftover-age", "0s", timeout=90)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (records, 0)
    assert_no_leftovers(lake)
    assert len({n for n in seen if 0 < n < records}) >= least, f"the kills missed the work: {seen}"


@pytest.mark.core
@pytest.mark.timeout(400)
def test_100000_records_survive_sigkill_at_random_moments(pintail, lake, kafka, seed):
    """Ten kills on each of the three catalogs."""
    killed_again_and_again(pintail, lake, kafka, seed, 10, 100_000, 200)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_300000_records_survive_70_sigkills(pintail, lake, kafka, seed):
    """On the three catalogs 210 kills together."""
    killed_again_and_again(pintail, lake, kafka, seed, 70, 300_000, 100)
