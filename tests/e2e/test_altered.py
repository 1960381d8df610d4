"""Somebody changes a table beside a running ingest: what was read for its columns of before is read again by those of now. Never a wrong value."""

import json
import re
import signal

import pytest
from support import on
from support.crash import crashing
from support.lake import quoted
from support.progress import wait_landed

WAYS = {"inlined": (), "staged": ("--inline-rows", "0")}
META = "_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ"
# DDL, the record that comes after it, and its i and c (later d); None: a dead letter.
STEPS = [
    ("ADD COLUMN c INTEGER DEFAULT 7", {"i": 1, "c": 80}, (1, 80)),
    ("ALTER COLUMN i SET NOT NULL", {"i": None, "c": 81}, None),
    ("ALTER COLUMN i SET DATA TYPE BIGINT", {"i": 5_000_000_000, "c": 82}, (5_000_000_000, 82)),
    ("RENAME COLUMN c TO d", {"i": 3, "c": 1, "d": 83}, (3, 83)),
    ("SET PARTITIONED BY (i)", {"i": 4, "d": 84}, (4, 84)),
]


def made(lake, kafka):
    topic = kafka.create_topic(1)
    with lake.writer() as writer:
        writer.sql(f"CREATE TABLE lake.{quoted(topic)} (i INTEGER, {META})")
    kafka.produce(topic, [json.dumps({"i": i}).encode() for i in range(10)])
    return topic


def change(lake, statement):
    with lake.writer() as writer:
        writer.sql(statement)


@on("sqlite", "postgres")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_each_record_that_comes_after_an_alter_lands_by_the_columns_of_then(pintail, lake, kafka, way):
    topic = made(lake, kafka)
    table = f"lake.{quoted(topic)}"
    process = pintail.ingest(lake, topic, "--flush-interval", "100ms", *WAYS[way])
    wait_landed(process, lake, kafka, topic, 10, timeout=100)
    for n, (ddl, record, _) in enumerate(STEPS):
        change(lake, f"ALTER TABLE {table} {ddl}")
        kafka.produce(topic, [json.dumps(record).encode()])
        wait_landed(process, lake, kafka, topic, 11 + n, timeout=100)
    process.stop()
    with lake.reader() as reader:
        rows = {o: (i, d) for o, i, d in reader.sql(f"SELECT _kafka_offset, i, d FROM {table}")}
        assert len(rows) == reader.rows(topic)
        dead = [r["offset"] for r in reader.dead_letters(topic)]
    # The default of a column that came later is that of all rows before.
    assert rows == {o: (o, 7) for o in range(10)} | {o: row for o, (_, _, row) in enumerate(STEPS, 10) if row}
    assert dead == [o for o, (_, _, row) in enumerate(STEPS, 10) if not row]
    # Each life got on in between, so none waits longer than the one before.
    assert re.findall(r"in_seconds=(\d+) reason=\"table \S+ was altered", process.err) == ["1"] * len(STEPS), process.err[-3000:]


@on("sqlite")
def test_a_stop_while_it_begins_again_says_that_something_is_not_committed(pintail, lake, kafka):
    """Exit 1, as of every stop that could not commit; the next start reads it again."""
    topic = made(lake, kafka)
    process = pintail.ingest(lake, topic, "--flush-interval", "100ms")
    wait_landed(process, lake, kafka, topic, 10)
    change(lake, f"ALTER TABLE lake.{quoted(topic)} ADD COLUMN c INTEGER")
    kafka.produce(topic, [b'{"i": 10, "c": 1}'])
    process.wait_for(lambda: "beginning again" in process.err, 60, "the new life")
    process.signal(signal.SIGTERM)  # it waits for a second
    done = process.wait(40)
    last = done.err.splitlines()[-1]
    late = done.err.count("msg=started") == 2  # a machine so slow that the next life had begun
    assert late or (done.code == 1 and "the next start reads it again" in last and "was altered" in last), done.err
    pintail.ingest_rest(lake, topic)
    with lake.reader() as reader:
        assert reader.one(f"SELECT c FROM lake.{quoted(topic)} WHERE i = 10") == 1 and reader.rows(topic) == 11


@on("sqlite", "postgres")
@pytest.mark.parametrize("broken", [(), ("shape-check",)], ids=["looks", "does-not-look"])
def test_without_the_look_at_the_table_a_record_that_comes_after_an_alter_lands_with_a_wrong_value(pintail, lake, kafka, broken):
    topic = made(lake, kafka)
    process = pintail.ingest(lake, topic, "--flush-interval", "100ms", **crashing(broken=broken))
    wait_landed(process, lake, kafka, topic, 10, timeout=100)
    change(lake, f"ALTER TABLE lake.{quoted(topic)} ADD COLUMN c INTEGER DEFAULT 7")
    kafka.produce(topic, [json.dumps({"i": 10, "c": 80}).encode()])
    wait_landed(process, lake, kafka, topic, 11, timeout=100)
    process.stop()
    with lake.reader() as reader:
        landed = reader.one(f"SELECT c FROM lake.{quoted(topic)} WHERE i = 10")
    assert landed in ((7, None) if broken else (80,))


@on("sqlite", "postgres")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "how, said",
    [
        ("DROP TABLE {t}; CREATE TABLE {t} (i INTEGER, {m})", "does not exist any more"),
        ("ALTER TABLE {t} RENAME TO another", "is now named"),
    ],
)
def test_a_table_that_is_made_anew_or_renamed_ends_the_run_with_ways_out(pintail, lake, kafka, way, how, said):
    topic = made(lake, kafka)
    process = pintail.ingest(lake, topic, "--flush-interval", "100ms", *WAYS[way])
    wait_landed(process, lake, kafka, topic, 10, timeout=100)
    change(lake, how.format(t=f"lake.{quoted(topic)}", m=META))
    kafka.produce(topic, [json.dumps({"i": 10}).encode()])
    done = process.wait(100)
    last = done.err.splitlines()[-1]
    assert done.code == 1 and topic in last and said in last and "ways out" in last, done.err[-3000:]
    with lake.reader() as reader:
        assert reader.one("SELECT sum(row_count) FROM lake.pintail.offsets") == 10
        assert reader.rows("another" if "RENAME" in how else topic) == (10 if "RENAME" in how else 0)
    if "RENAME" not in how:  # nor does the next start go on in silence, until somebody has decided
        done = pintail.ingest_all(lake, topic, code=1)
        assert "made anew" in done.err and "stands at 10 rows" in done.err and "Ways out" in done.err, done.err
        ways = ("--to", "10"), ("--to", "earliest", "--delete-rows")
        for way, first in zip(ways, (10, 0)):
            pintail.run("reset", *lake.args, "--brokers", kafka.address, "--topic", topic, "--group", f"pintail-{topic}", *way)
            pintail.ingest_all(lake, topic)
            with lake.reader() as reader:
                assert reader.sql(f"SELECT i FROM lake.{quoted(topic)} ORDER BY 1") == [(i,) for i in range(first, 11)]
