"""Leaders move between the brokers of a cluster, gracefully or because their process dies: ingest follows by itself."""

import time

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.kafka import STEADY
from support.procs import wait_for
from support.progress import landed, wait_landed
from test_rebalance import Load

ARGS = ("--schema", orders.SCHEMA, "--flush-rows", "2000", "--flush-interval", "300ms")
PARTITIONS = 6


def moves(cluster, topic, how, process, lake, load):
    """Does `how`, and waits until the partitions have other leaders and records that came after it have landed."""
    before, started = cluster.leaders(topic), time.monotonic()
    said = len(process.err.splitlines())
    how()
    wait_for(
        lambda: (now := cluster.leaders(topic)) and now != before and all(n >= 0 for n in now.values()),
        60,
        f"other leaders than {before}",
        every=0.1,
    )
    produced = load.total
    process.wait_for(lambda: load.total > produced, 60, "the producer to go on")
    wait_landed(process, lake, cluster, topic, produced + 1, timeout=90)
    more = [
        line for line in process.err.splitlines()[said:] if "msg=committed" not in line
    ]  # once a second, while there is something to tell
    print(f"{how.__name__}: {before} -> {cluster.leaders(topic)}, {time.monotonic() - started:.1f} s", *more, sep="\n    ")
    assert len(more) <= 12, "\n".join(more)


@pytest.mark.timeout(400)  # of a loaded machine
@on("sqlite")
def test_while_leaders_move_die_and_come_back_under_load_ingest_goes_on_by_itself_and_all_lands_once(pintail, lake, kafka_cluster):
    topic = kafka_cluster.create_topic(PARTITIONS)
    pintail.brokers = kafka_cluster
    process = pintail.ingest(lake, topic, *ARGS, *STEADY)
    load = Load(kafka_cluster, topic, enable_idempotence=True)
    wait_landed(process, lake, kafka_cluster, topic, 1000, timeout=120)
    dead = kafka_cluster.nodes[kafka_cluster.leaders(topic)[0]]

    moves(kafka_cluster, topic, dead.kill, process, lake, load)
    assert dead.number not in kafka_cluster.leaders(topic).values()

    dead.start()
    kafka_cluster.wait_whole(topic)

    def elect_preferred():
        kafka_cluster.elect_preferred(topic)

    moves(kafka_cluster, topic, elect_preferred, process, lake, load)
    assert dead.number in kafka_cluster.leaders(topic).values()

    away = kafka_cluster.nodes[kafka_cluster.coordinator(f"pintail-{topic}")]  # and the group has to find another one
    moves(kafka_cluster, topic, away.stop, process, lake, load)
    away.start()
    kafka_cluster.wait_whole(topic)

    total = load.stop()
    wait_landed(process, lake, kafka_cluster, topic, total, timeout=120)
    process.stop()
    assert landed(lake, kafka_cluster, topic) == total
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka_cluster, topic) == (total, 0)
