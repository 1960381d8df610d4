"""Another table in the place of the one that the ledger speaks of, since somebody was at work while ingest was stopped: no start
goes on into it, whatever rows it has."""

import json

import pytest
from support import long, on
from support.kafka import STEADY
from support.lake import quoted

META = "_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ"
ROW = "7, 0, 0, TIMESTAMPTZ '2026-01-01 00:00:00Z', now()"
# What somebody does to {t}; {o} is another table with the same columns. Then what a start says.
SWAPS = {
    "renamed": (
        "ALTER TABLE {t} RENAME TO {kept}; ALTER TABLE {o} RENAME TO {t}",
        "is now named {kept}",
        "made anew in snapshot",
        "--table {kept}",
    ),
    "dropped and another one renamed": ("DROP TABLE {t}; ALTER TABLE {o} RENAME TO {t}", "that table was dropped", "as {o}"),
    "dropped and filled": (
        "DROP TABLE {t}; CREATE TABLE {t} (i INTEGER, {m}); INSERT INTO {t} VALUES ({r})",
        "that table was dropped",
        "--delete-rows reads everything again",
    ),
    "replaced by its own rows": ("CREATE OR REPLACE TABLE {t} AS FROM {t}", "that table was dropped"),
    "renamed and made anew": ("ALTER TABLE {t} RENAME TO {kept}; CREATE TABLE {t} (i INTEGER, {m})", "is now named {kept}", "and is empty"),
}
SAME = {
    "renamed and named back": (
        "ALTER TABLE {t} RENAME TO {kept}; ALTER TABLE {o} RENAME TO {t}; ALTER TABLE {t} RENAME TO {o}; ALTER TABLE {kept} RENAME TO {t}"
    ),
    "emptied": "DELETE FROM {t}; ALTER TABLE {t} ADD COLUMN c INTEGER; ALTER TABLE {t} DROP COLUMN c",
}


def change(lake, how, topic):
    names = {"t": topic, "o": f"o_{topic}", "kept": f"kept_{topic}"}
    with lake.writer() as writer:
        writer.sql(f"CREATE TABLE lake.{quoted(names['o'])} (i INTEGER, {META})")
        writer.sql(f"INSERT INTO lake.{quoted(names['o'])} VALUES ({ROW})")
        for statement in how.split("; "):
            old, rename, new = statement.partition(" RENAME TO ")
            writer.sql(
                old.format(**{k: f"lake.{quoted(v)}" for k, v in names.items()}, m=META, r=ROW)
                + rename
                + new.format(**{k: quoted(v) for k, v in names.items()})
            )
    return names


def notes(lake) -> list:
    with lake.reader() as reader:
        return reader.sql("SELECT key, value, snapshot_id FROM lake.pintail.meta WHERE key LIKE 'table %' ORDER BY key")


def rows(lake, table):
    with lake.reader() as reader:
        return reader.rows(table)


def reset(pintail, lake, kafka, topic, group, *more, **how):
    return pintail.run("reset", *lake.args, "--brokers", kafka.address, "--topic", topic, "--group", group, *more, **how)


@on(long("sqlite"), "postgres")
@pytest.mark.timeout(200)
def test_no_start_goes_on_into_another_table_than_the_ledgers(pintail, lake, kafka):
    topics = {how: kafka.create_topic(1) for how in [*SWAPS, *SAME]}
    for topic in topics.values():
        kafka.produce(topic, [json.dumps({"i": i}).encode() for i in range(10)])
    group = f"g-{topics['renamed']}"
    every = [a for t in topics.values() for a in ("--topic", t)][1:]
    pintail.ingest_all(lake, *every, "--schema", "i INTEGER", "--group", group, *STEADY)
    noted = notes(lake)
    assert len(noted) == len(topics)
    for how, topic in topics.items():
        kafka.produce(topic, [b'{"i": 10}'])
        names = change(lake, SWAPS[how][0] if how in SWAPS else SAME[how], topic)
        if how in SAME:
            pintail.ingest_all(lake, topic, "--group", group, *STEADY)
            assert rows(lake, topic) == (1 if how == "emptied" else 11), how
            continue
        before = rows(lake, topic)
        done = pintail.ingest_all(lake, topic, "--group", group, *STEADY, code=1)
        last = done.err.splitlines()[-1]
        for words in ("stands at 10 rows", topic, "Ways out", "pintail reset", *SWAPS[how][1:]):
            assert words.format(**names) in last, (how, words, done.err[-2000:])
        assert rows(lake, topic) == before, how
    # A start that fits writes no note again.
    assert notes(lake) == noted
    found = json.loads(pintail.run("check", *lake.args, "--json", code=1).out)["findings"]
    assert {f["table"] for f in found if f["kind"] == "other_table"} == {topics[how] for how in SWAPS}, found

    # The ways out. The names back:
    topic = topics["renamed"]
    with lake.writer() as writer:
        writer.sql(f"ALTER TABLE lake.{quoted(topic)} RENAME TO away")
        writer.sql(f"ALTER TABLE lake.{quoted('kept_' + topic)} RENAME TO {quoted(topic)}")
    pintail.ingest_all(lake, topic, "--group", group, *STEADY)
    assert rows(lake, topic) == 11
    # The table by its name of now:
    topic = topics["renamed and made anew"]
    pintail.ingest_all(lake, topic, "--group", group, "--table", f"kept_{topic}", *STEADY)
    assert rows(lake, f"kept_{topic}") == 11
    # A reset to where the ledger stands; from then on the table that is there is the pipeline's.
    topic = topics["replaced by its own rows"]
    assert reset(pintail, lake, kafka, topic, group, "--to", "ledger").out == f"{topic} partition 0: 10 -> 10\n"
    for _ in range(2):
        pintail.ingest_all(lake, topic, "--group", group, *STEADY)
        assert rows(lake, topic) == 11
    # One that deletes, but no rows of a table that was renamed to that name.
    topic = topics["dropped and another one renamed"]
    done = reset(pintail, lake, kafka, topic, group, "--delete-rows", code=1)
    assert "--delete-rows" in done.err and f"made as o_{topic}" in done.err and rows(lake, topic) == 1, done.err
    topic = topics["dropped and filled"]
    reset(pintail, lake, kafka, topic, group, "--delete-rows")
    pintail.ingest_all(lake, topic, "--group", group, *STEADY)
    assert rows(lake, topic) == 11


@on("sqlite")
def test_a_lake_of_an_earlier_version_gets_the_note_at_its_next_start(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    group = f"g-{topic}"
    kafka.produce(topic, [json.dumps({"i": i}).encode() for i in range(10)])
    pintail.ingest_all(lake, topic, "--schema", "i INTEGER", "--group", group, *STEADY)
    noted = notes(lake)
    with lake.writer() as writer:
        writer.sql("DELETE FROM lake.pintail.meta WHERE key LIKE 'table %'")
    pintail.ingest_all(lake, topic, "--group", group, *STEADY)
    assert [n[:2] for n in notes(lake)] == [n[:2] for n in noted] and len(noted) == 1
    change(lake, SWAPS["renamed"][0], topic)
    assert "is now named" in pintail.ingest_all(lake, topic, "--group", group, *STEADY, code=1).err
