"""A rebalance comes while the catalog is away: the claim waits, and the member stays in its group meanwhile."""

import signal

import pytest
from confluent_kafka import Consumer
from support import on, orders
from support.crash import crashing
from support.judge import assert_exactly_once
from support.lake import Lake
from support.procs import wait_for
from support.progress import landed, wait_landed
from test_rebalance import KINDS as REBALANCES
from test_rebalance import Load

ARGS = (
    "--schema",
    orders.SCHEMA,
    "--flush-interval",
    "100ms",
    "--stop-timeout",
    "3s",
    "-X",
    "max.poll.interval.ms=7000",
)  # a rebalance waits so long for a member that does not poll, then the group gives it up
CLASSIC = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 300}
# How each member of a group whose rebalances take nothing away from those who stay is started.
KINDS = {
    "cooperative-sticky": {**CLASSIC, "partition.assignment.strategy": "cooperative-sticky"},
    "consumer protocol": {"group.protocol": "consumer"},
}


@pytest.fixture
def own_pg_lake(own_postgres, tmp_path):
    lake = Lake("postgres", tmp_path, own_postgres)
    yield lake
    lake.close()


class Guest:
    """Another member of the group: joins, takes a share of the topic's partitions and reads nothing into any lake."""

    def __init__(self, kafka, topic, kind, of=None):
        self.consumer = Consumer({**kafka.config(), "group.id": f"pintail-{topic}", "enable.auto.commit": "false", **KINDS[kind]})
        self.consumer.subscribe([of or topic])

    def wait(self):
        wait_for(lambda: self.consumer.poll(0.1) is None and self.consumer.assignment(), 60, "the guest to have partitions")

    def leave(self):
        self.consumer.close()


@pytest.fixture
def guests():
    """guests(kafka, topic, kind, of=topic): another member, which leaves at the test's end at the latest."""
    came = []

    def come(*who, **of):
        came.append(Guest(*who, **of))
        came[-1].wait()
        return came[-1]

    yield come
    for guest in came:
        guest.leave()


def properties(kind) -> list:
    values = {key: value for key, value in KINDS[kind].items() if key != "partition.assignment.strategy"}
    return [word for key, value in values.items() for word in ("-X", f"{key}={value}")]


def group(kafka, topic) -> dict:
    """Of each member's name: how many partitions it was given."""
    state, members = kafka.describe(f"pintail-{topic}")
    return {m.member_id: len(m.assignment.topic_partitions) for m in members} if state == "STABLE" else {}


def owner(kafka, topic) -> str:
    """The name of the one member that has every partition of the topic."""
    wait_for(lambda: sorted(group(kafka, topic).values())[-1:] == [4], 60, "one member to have all partitions")
    return max(group(kafka, topic).items(), key=lambda item: item[1])[0]


def catalog_goes_then_guest(process, postgres, kafka, topic, guest, seed):
    """The guest's partitions fall to the process, whose flush waits for a catalog that is away."""
    wait_for(lambda: sorted(group(kafka, topic).values()) == [2, 2], 60, "both to have their share")
    outages = process.err.count("waiting_for=catalog")
    postgres.stop()
    kafka.produce(topic, orders.orders(400, seed))
    process.wait_for(lambda: process.err.count("waiting_for=catalog") > outages, 60, "its flush to wait for the catalog")
    guest.leave()
    return owner(kafka, topic)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(300)
def test_partitions_that_come_while_a_flush_waits_for_the_catalog_cost_neither_membership_nor_rows_nor_a_stop_in_time(
    pintail, own_pg_lake, own_postgres, kafka, guests, kind
):
    lake = own_pg_lake
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(400))
    process = pintail.ingest(lake, topic, *ARGS, *properties(kind))
    wait_landed(process, lake, kafka, topic, 400, timeout=100)
    member = owner(kafka, topic)

    assert catalog_goes_then_guest(process, own_postgres, kafka, topic, guests(kafka, topic, kind), 1) == member
    bystander = guests(
        kafka, topic, kind, of=kafka.create_topic(1)
    )  # a rebalance that gives and takes nothing else, and needs a word of every member
    process.wait_for(lambda: group(kafka, topic).get(member) == 4, 30, "the group to settle, with the process in it")
    own_postgres.start()
    wait_landed(process, lake, kafka, topic, 800, timeout=100)
    kafka.produce(topic, orders.orders(400, 2))
    wait_landed(process, lake, kafka, topic, 1200, timeout=100)
    process.wait_for(lambda: group(kafka, topic).get(member) == 4, 30, "the process to have what it had")
    assert "max.poll.interval" not in process.err and "fenced" not in process.err, process.err[-3000:]

    bystander.leave()
    lake.close()
    catalog_goes_then_guest(process, own_postgres, kafka, topic, guests(kafka, topic, kind), 3)
    process.signal(signal.SIGTERM)
    done = process.wait(60)
    assert done.code == 1 and "they are not lost" in done.err and "did not come to a stop" not in done.err, done.err[-3000:]
    own_postgres.start()
    pintail.ingest_rest(lake, topic, "--schema", orders.SCHEMA)
    assert landed(lake, kafka, topic) == 1600
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1600, 0)


@pytest.mark.parametrize("kind", ["cooperative-sticky", "eager", "consumer protocol"])
@on("postgres")
@pytest.mark.timeout(300)
def test_with_every_claim_finished_after_its_rebalance_members_come_and_go_and_each_record_lands_once(pintail, lake, kafka, kind):
    late = crashing(broken=("claim-in-rebalance",))
    topic = kafka.create_topic(6)
    load = Load(kafka, topic)
    members = []

    def come(i):
        members.append(pintail.ingest(lake, topic, "--schema", orders.SCHEMA, "--flush-interval", "300ms", *REBALANCES[kind](i), **late))
        before = landed(lake, kafka, topic)
        members[-1].wait_for(lambda: "msg=assigned" in members[-1].err and landed(lake, kafka, topic) > before, 90, "progress")

    for i in range(3):
        come(i)
    members[0].stop()
    members[1].kill()
    come(0)
    total = load.stop()
    wait_landed(members[-1], lake, kafka, topic, total, timeout=100)
    for member in members[2:]:
        member.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (total, 0)
