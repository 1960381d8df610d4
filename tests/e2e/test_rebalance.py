"""Rebalances of every kind under load: members come, go and die, and every record lands once."""

import random
import re
import threading
import time
from datetime import datetime

import pytest
from confluent_kafka import Consumer
from support import long, on, orders
from support.crash import crashing
from support.judge import assert_exactly_once
from support.kafka import FAST_FAILOVER, STEADY
from support.procs import wait_for
from support.progress import landed, wait_landed

ARGS = ("--schema", orders.SCHEMA, "--flush-rows", "2000", "--flush-interval", "300ms")
EAGER = ("-X", "partition.assignment.strategy=range,roundrobin")
CONSUMER = ("-X", "group.protocol=consumer")  # the broker's session.timeout.ms counts
# How member number i of a group is started.
KINDS = {
    "cooperative-sticky": lambda i: FAST_FAILOVER,
    "eager": lambda i: (*EAGER, *FAST_FAILOVER),
    "static": lambda i: ("-X", f"group.instance.id=member-{i}", *FAST_FAILOVER),
    "static and eager": lambda i: ("-X", f"group.instance.id=member-{i}", *EAGER, *FAST_FAILOVER),
    "consumer protocol": lambda i: CONSUMER,
}
MOST_KINDS = [long(kind) if kind == "static and eager" else kind for kind in KINDS]
UNLIKE_KINDS = [long(kind) if kind in ("eager", "static") else kind for kind in KINDS]  # "static and eager" is both


class Load:
    """Produces all the time, some thousand records a second, until it is stopped."""

    def __init__(self, kafka, topic, **properties):
        self.kafka, self.topic, self.total, self.failed = kafka, topic, 0, []
        self.properties = properties  # of the producer
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._end.wait(0.1):
                self.kafka.produce(self.topic, orders.orders(300, self.total % 7), **self.properties)
                self.total += 300
        except Exception as e:  # noqa: BLE001, shown by stop()
            self.failed.append(e)

    def stop(self) -> int:
        self._end.set()
        self._thread.join(60)
        assert not self.failed and not self._thread.is_alive(), self.failed
        return self.total


def ledger_ends(lake, topic) -> dict:
    with lake.reader() as reader:
        return dict(
            reader.sql('SELECT "partition", max(next_offset) FROM lake.pintail.offsets WHERE topic = ? GROUP BY ALL ORDER BY ALL', topic)
        )


def members_come_and_go(pintail, lake, kafka, kind, seed, steps):
    """Three members; in each step one of them starts, or ends by SIGTERM or SIGKILL. Most of the time there is some progress before the next one."""
    r = random.Random(seed)
    topic = kafka.create_topic(6)
    members = [None] * 3
    load = Load(kafka, topic)

    def start(i):
        members[i] = pintail.ingest(lake, topic, *ARGS, *KINDS[kind](i))

    def alive():
        return [p for p in members if p and p.running]

    fates = []
    for step in range(steps):
        i = r.randrange(3) if step >= 3 else step
        if members[i] is None:
            start(i)
            fates.append(f"start {i}")
        elif r.random() < 0.5:
            members[i].wait_for(lambda i=i: "msg=started" in members[i].err, 60, "it to start: before main a signal is the loader's")
            members[i].stop()
            members[i] = None
            fates.append(f"stop {i}")
        else:
            members[i].kill()
            members[i] = None
            fates.append(f"kill {i}")
        if alive() and r.random() < 0.7:
            before = landed(lake, kafka, topic)
            alive()[0].wait_for(lambda: landed(lake, kafka, topic) > before, 90, f"progress after {fates}")
    print(", ".join(fates))
    for i in range(3):
        if members[i] is None:
            start(i)
    members[0].wait_for(
        lambda: len(shares(kafka, topic)) == 3 and all(shares(kafka, topic)), 90, f"all three to have partitions after {fates}"
    )
    total = load.stop()
    try:
        wait_landed(members[0], lake, kafka, topic, total, timeout=100)
    except AssertionError as e:
        raise AssertionError(
            f"{e}\n{fates}\nthe group: {shares(kafka, topic)}\nthe ledger stands at {ledger_ends(lake, topic)}, the topic ends at {kafka.ends(topic)}\n"
            + "\n---\n".join(m.err[-3000:] for m in members)
        ) from None
    for member in members:
        member.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (total, 0)
        owners = {
            int(owner.split(":")[1]) for (owner,) in reader.sql("SELECT DISTINCT owner FROM lake.pintail.epochs WHERE topic = ?", topic)
        }  # host:pid:time:life
    assert owners >= {member.pid for member in members}, (
        f"only the processes {owners} ever had partitions, of {[m.pid for m in members]}: {fates}"
    )


@pytest.mark.parametrize("kind", UNLIKE_KINDS)
@pytest.mark.timeout(400)
@on("postgres")
def test_three_members_come_go_and_die_under_load(pintail, lake, kafka, seed, kind):
    members_come_and_go(pintail, lake, kafka, kind, seed, 9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.long
@pytest.mark.timeout(1200)
@on("postgres", "sqlite")
def test_three_members_come_go_and_die_under_load_for_long(pintail, lake, kafka, seed, kind):
    members_come_and_go(pintail, lake, kafka, kind, seed, 40)


# ---- revoked and lost


def shares(kafka, topic) -> list:
    return kafka.members(f"pintail-{topic}")


@pytest.mark.parametrize("kind", MOST_KINDS)
@on("postgres")
def test_rows_that_were_buffered_for_revoked_partitions_are_committed_before_another_reads_on(pintail, lake, kafka, kind):
    topic = kafka.create_topic(4)
    never = ("--schema", orders.SCHEMA, "--flush-interval", "1h")
    steady = () if kind == "consumer protocol" else STEADY  # rows of a member that is given up are not committed
    kafka.produce(topic, orders.orders(3000))
    first = pintail.ingest(lake, topic, *never, *KINDS[kind](0), *steady)
    first.wait_for(lambda: len(shares(kafka, topic)) == 1 and shares(kafka, topic)[0], 40, "the first to have partitions")
    kafka.produce(topic, orders.orders(3000, 2))
    assert landed(lake, kafka, topic) == 0  # all of it is in memory
    second = pintail.ingest(lake, topic, *never, *KINDS[kind](1), *steady)
    wait_landed(first, lake, kafka, topic, 1)  # the revocation made it commit
    first.wait_for(lambda: len(shares(kafka, topic)) == 2 and all(shares(kafka, topic)), 40, "both to have partitions")
    first.stop()
    second.stop()
    pintail.ingest_rest(lake, topic, *KINDS[kind](0))  # static members are not gone before their session is
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (6000, 0)


@pytest.mark.parametrize("kind", UNLIKE_KINDS)
@on("postgres")
def test_rows_that_were_buffered_for_lost_partitions_are_dropped_and_read_again(pintail, lake, kafka, kind):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(3000))
    frozen = pintail.ingest(lake, topic, "--schema", orders.SCHEMA, "--flush-interval", "1h", *KINDS[kind](0))
    frozen.wait_for(lambda: "assigned" in frozen.err, 40, "it to have partitions")
    kafka.produce(topic, orders.orders(3000, 2))
    frozen.freeze()
    kafka.wait_empty(f"pintail-{topic}", 40)  # the session is over, the partitions are nobody's
    heir = pintail.ingest(lake, topic, *ARGS, *KINDS[kind](1))
    wait_landed(heir, lake, kafka, topic, 6000)
    frozen.thaw()
    heir.wait_for(lambda: len(shares(kafka, topic)) == 2, 60, "the thawed one to be a member again")
    kafka.produce(topic, orders.orders(1000, 3))
    heir.wait_for(lambda: sum(map(len, shares(kafka, topic))) == 4 and all(shares(kafka, topic)), 40, "both to have partitions")
    frozen.stop()
    wait_landed(heir, lake, kafka, topic, 7000)
    heir.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (7000, 0)
    assert "joining the group again" in frozen.err, frozen.err


@on("sqlite")
def test_a_member_that_loses_its_partitions_again_and_again_waits_longer_each_time_before_it_joins(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    process = pintail.ingest(lake, topic, *ARGS, *FAST_FAILOVER)

    def times(pattern):
        return [
            datetime.fromisoformat(line.split()[0].removeprefix("time=")) for line in process.err.splitlines() if re.search(pattern, line)
        ]

    def lives():  # a life that is about to end may be given the partition once more
        return ["msg=assigned" in life for life in process.err.split("msg=started")[1:]]

    for n in range(1, 4):
        process.wait_for(lambda: lives() == [True] * n, 60, "it to have the partition")
        process.freeze()
        kafka.wait_empty(f"pintail-{topic}", 40)
        process.thaw()
        process.wait_for(lambda: len(times("joining the group again")) == n, 60, "it to see that it has lost it")
    kafka.produce(topic, orders.orders(1000))
    wait_landed(process, lake, kafka, topic, 1000, timeout=60)
    process.stop()
    waits = [(b - a).total_seconds() for a, b in zip(times("joining the group again"), times("msg=started")[1:])]
    assert re.findall(r"again. in_seconds=(\d+)", process.err) == ["1", "2", "4"], process.err
    assert all(waited > said for waited, said in zip(waits, (1, 2, 4))), waits


@on("postgres")
def test_a_member_that_froze_between_its_assignment_and_its_claim_takes_no_stale_look_for_lost_records(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    slow = pintail.ingest(lake, topic, *ARGS, *FAST_FAILOVER, **crashing("assign.before:1:stop"))
    slow.wait_for(lambda: slow.frozen, 60, "it to freeze")
    kafka.wait_empty(f"pintail-{topic}", 40)
    kafka.produce(topic, orders.orders(3000))
    heir = pintail.ingest(lake, topic, *ARGS, *FAST_FAILOVER)
    wait_landed(heir, lake, kafka, topic, 3000)
    slow.thaw()
    heir.wait_for(lambda: len(shares(kafka, topic)) == 2 and all(shares(kafka, topic)), 60, "both to have partitions")
    kafka.produce(topic, orders.orders(1000, 2))
    wait_landed(heir, lake, kafka, topic, 4000)
    slow.stop()
    heir.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (4000, 0)


# ---- static membership


def holds(process) -> int:
    """Partitions, as its log tells."""
    return sum(int(n) if what == "assigned" else -int(n) for what, n in re.findall(r"msg=(assigned|revoked) partitions=(\d+)", process.err))


@on("postgres")
def test_a_static_member_that_restarts_within_the_session_timeout_gets_its_partitions_back_and_no_other_moves(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    patient = ("-X", "session.timeout.ms=30000")

    def start(i):
        return pintail.ingest(lake, topic, *ARGS, "-X", f"group.instance.id=member-{i}", *patient)

    stays, restarts = start(0), start(1)
    stays.wait_for(
        lambda: len(shares(kafka, topic)) == 2 and holds(stays) == holds(restarts) == 2, 60, "both to have partitions, and to know it"
    )
    before = sorted(shares(kafka, topic))
    assigned = stays.err.count("assigned") + stays.err.count("revoked")
    for end in (restarts.stop, restarts.kill):
        if restarts.running:
            end()
        restarts = start(1)
        kafka.produce(topic, orders.orders(2000))
        wait_landed(restarts, lake, kafka, topic, landed(lake, kafka, topic) + 1)
        restarts.wait_for(lambda: "assigned" in restarts.err, 20, "its partitions")
        assert sorted(shares(kafka, topic)) == before
    wait_landed(restarts, lake, kafka, topic, 4000)
    assert stays.err.count("assigned") + stays.err.count("revoked") == assigned, stays.err
    stays.stop()
    restarts.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (4000, 0)


@on("postgres")
def test_of_two_processes_with_one_instance_id_the_older_is_fenced_and_says_why(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(2000))
    args = (*ARGS, "-X", "group.instance.id=twin", *STEADY)
    older = pintail.ingest(lake, topic, *args)
    wait_landed(older, lake, kafka, topic, 2000)
    newer = pintail.ingest(lake, topic, *args)
    done = older.wait(40)
    last = done.err.splitlines()[-1]
    assert done.code == 1 and last.startswith("pintail ingest: ") and "group.instance.id" in last and "twin" in last, done.err
    kafka.produce(topic, orders.orders(1000, 2))
    wait_landed(newer, lake, kafka, topic, 3000)
    newer.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (3000, 0)


# ---- a group that is held up


@on("sqlite")
def test_a_group_that_a_mute_member_holds_up_is_told_once_and_waited_for(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(500))
    mute = Consumer({**kafka.config(), "group.id": f"pintail-{topic}", "partition.assignment.strategy": "range,roundrobin"})
    mute.subscribe([topic], on_revoke=lambda consumer, partitions: None)  # which only a poll calls
    wait_for(lambda: mute.poll(0.1) is None and mute.assignment(), 40, "the other member to have partitions")
    process = pintail.ingest(lake, topic, *ARGS, *EAGER, "--timeout", "2s")
    process.wait_for(lambda: "not given out its partitions" in process.err, 40, "a word")
    time.sleep(3)
    assert process.err.count("not given out its partitions") == 1 and "msg=assigned" not in process.err, process.err
    mute.close()
    wait_landed(process, lake, kafka, topic, 500)
    process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (500, 0)


# ---- the new consumer protocol


@on("postgres")
def test_under_the_consumer_protocol_the_broker_refuses_a_second_process_with_one_instance_id(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(2000))
    args = (*ARGS, "-X", "group.instance.id=twin", *CONSUMER)
    older = pintail.ingest(lake, topic, *args)
    wait_landed(older, lake, kafka, topic, 2000)
    done = pintail.ingest(lake, topic, *args).wait(40)
    last = done.err.splitlines()[-1]
    assert done.code == 1 and last.startswith("pintail ingest: ") and "group.instance.id" in last and "twin" in last, done.err
    kafka.produce(topic, orders.orders(1000, 2))
    wait_landed(older, lake, kafka, topic, 3000)
    older.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (3000, 0)


@on("sqlite")
def test_the_consumer_protocol_takes_no_session_timeout_and_says_so(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    pintail.ingest_all(lake, topic, *ARGS, *CONSUMER)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (100, 0)
    failed = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", *CONSUMER, "-X", "session.timeout.ms=5000"), code=None)
    last = failed.err.splitlines()[-1]
    assert failed.code in (1, 2) and last.startswith("pintail ingest: ") and "session.timeout.ms" in last, failed.err
