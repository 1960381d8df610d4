"""--start: where a topic begins, for all of its partitions and all members, once."""

from datetime import UTC, datetime

from confluent_kafka.admin import NewPartitions
from support import on, orders
from support.judge import assert_exactly_once
from support.kafka import STEADY
from support.procs import wait_for
from support.progress import wait_landed

ARGS = ("--schema", orders.SCHEMA, "--flush-interval", "200ms", *STEADY, "-X", "topic.metadata.refresh.interval.ms=300")


def grow(kafka, topic, partitions):
    kafka.admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(20)
    wait_for(lambda: kafka.partitions(topic) == partitions, 20, "the new partitions")


def into(partition, seed, count=50):
    return [{**record, "partition": partition} for record in orders.orders(count, seed)]


def starts(lake, topic) -> dict:
    """partition -> where it begins by the ledger; each once."""
    rows = lake.read(
        lambda r: r.sql("SELECT \"partition\", next_offset FROM lake.pintail.offsets WHERE kind = 'skip' AND topic = ?", topic), []
    )
    assert len({p for p, _ in rows}) == len(rows), rows
    return dict(rows)


@on("postgres", "sqlite")
def test_start_latest_is_for_the_partitions_of_the_first_claim_and_those_that_come_later_lose_nothing(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(400, 1))
    both = [pintail.ingest(lake, topic, *ARGS, "--start", "latest") for _ in range(2)]
    wait_for(lambda: len(starts(lake, topic)) == 4, 60, "the start of all four")
    with lake.reader() as reader:  # in one commit, whoever claimed which
        assert reader.one("SELECT count(DISTINCT commit_id) FROM lake.pintail.offsets WHERE kind = 'skip' AND topic = ?", topic) == 1
    since = starts(lake, topic)
    assert since == kafka.ends(topic)
    kafka.produce(topic, orders.orders(200, 2))
    grow(kafka, topic, 6)  # while they run
    kafka.produce(topic, [*into(4, 3), *into(5, 4)])
    wait_landed(both[0], lake, kafka, topic, 300)
    for process in both:
        process.stop()
    grow(kafka, topic, 7)  # while nobody runs
    kafka.produce(topic, into(6, 5))
    pintail.ingest_all(lake, topic, *ARGS, "--start", "latest")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, since={**since, 4: 0, 5: 0, 6: 0}) == (350, 0)
    assert starts(lake, topic) == {**since, 4: 0, 5: 0, 6: 0}
    pintail.run("check", *lake.args, "--brokers", kafka.address)


@on("sqlite")
def test_a_partition_that_comes_later_begins_at_its_first_record_in_a_lake_of_an_earlier_version_too(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(100, 1))
    pintail.ingest_all(lake, topic, *ARGS)  # 0.1 left epochs of what was claimed, and nothing of the start
    grow(kafka, topic, 3)
    kafka.produce(topic, into(2, 2))
    pintail.ingest_all(lake, topic, *ARGS, "--start", "latest")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (150, 0)


@on("sqlite")
def test_the_start_is_that_of_the_first_claim_also_where_nothing_has_come_since(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    pintail.ingest_all(lake, topic, *ARGS)  # earliest, claimed, and not a line in the ledger
    kafka.produce(topic, orders.orders(100, 1))
    grow(kafka, topic, 3)
    kafka.produce(topic, into(2, 2))
    members = [pintail.ingest(lake, topic, *ARGS, "--start", start) for start in ("latest", "2999-01-01T00:00:00Z")]
    wait_landed(members[0], lake, kafka, topic, 150)
    for process in members:
        process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (150, 0)
    pintail.run("check", *lake.args, "--brokers", kafka.address)


@on("sqlite")
def test_start_at_a_time_or_an_offset(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    at = 1_790_000_000_000
    for partition in (0, 1):
        kafka.produce(topic, [{**record, "timestamp": at + 1000 * n} for n, record in enumerate(into(partition, partition, 10))])
    stamp = datetime.fromtimestamp(at / 1000 + 6, UTC)
    ways = {
        stamp.strftime("%Y-%m-%dT%H:%M:%SZ"): 6,
        stamp.strftime("%Y-%m-%dT%H:%M:%S.000+00:00"): 6,
        "4": 4,
        "2999-01-01T00:00:00Z": 10,
        "1980-01-01T00:00:00Z": 0,
    }
    for n, (start, first) in enumerate(ways.items()):
        pintail.ingest_all(lake, topic, *ARGS, "--table", f"t{n}", "--group", f"g{n}-{topic}", "--start", start)
        with lake.reader() as reader:
            since = {0: first, 1: first}
            assert assert_exactly_once(reader, kafka, topic, table=f"t{n}", pipeline=f"g{n}-{topic}", since=since) == (2 * (10 - first), 0)
    wrong = {"11": "has offsets 0 to 10", "2026-01-01T00:00:00": "zone", "2026-02-30T00:00:00Z": "bad time", "yesterday": "--start takes"}
    for start, words in wrong.items():
        done = pintail.ingest_all(lake, topic, *ARGS, "--table", "wrong", "--group", f"wrong-{topic}", "--start", start, code=2)
        assert words in done.err, done.err
