"""One group, one lake: two lakes in a group would get a part of the records each, and both would look sound."""

import re

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.kafka import STEADY
from support.lake import Lake
from support.procs import wait_for
from support.progress import wait_landed

ARGS = ("--schema", orders.SCHEMA, "--flush-interval", "200ms", *STEADY)


@pytest.fixture
def two_lakes(tmp_path):
    lakes = [Lake("sqlite", tmp_path / name) for name in ("one", "two")]
    yield lakes
    for lake in lakes:
        lake.close()


def group_of(lake, table):
    with lake.reader() as reader:
        return reader.default_group(table)


def stamps(kafka, group) -> list:
    """The client ids of its live members."""
    return [m.client_id for m in kafka.admin.describe_consumer_groups([group], request_timeout=20)[group].result(20).members]


def pipelines(lake) -> set:
    with lake.reader() as reader:
        return {r["pipeline"] for r in reader.offsets()}


def test_the_same_command_with_another_lake_gives_each_lake_every_record(pintail, two_lakes, kafka):
    topic = kafka.create_topic(4)
    running = [pintail.ingest(lake, topic, *ARGS, group="default") for lake in two_lakes]
    kafka.produce(topic, orders.orders(2000))
    for process, lake in zip(running, two_lakes):
        process.wait_for(lambda: lake.read(lambda r: r.has_table("offsets", "pintail"), False), 40, "the lake")
        wait_landed(process, lake, kafka, topic, 2000, pipeline=group_of(lake, topic))
    for process, lake in zip(running, two_lakes):
        with lake.reader() as reader:
            assert stamps(kafka, reader.default_group(topic)) == [f"pintail-{reader.lake_id()}"]
        process.stop()
    for lake in two_lakes:
        with lake.reader() as reader:
            assert_exactly_once(reader, kafka, topic, pipeline=reader.default_group(topic))
            assert re.fullmatch(f"pintail-{topic}-[0-9a-f]{{8}}", reader.default_group(topic))
    assert pipelines(two_lakes[0]) != pipelines(two_lakes[1])


def test_a_group_that_feeds_another_lake_is_refused_while_a_member_lives_and_warned_of_later(pintail, two_lakes, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(500))
    one, two = two_lakes
    process = pintail.ingest(one, topic, *ARGS, "--group", (group := f"shop-{topic}"))
    wait_landed(process, one, kafka, topic, 500, pipeline=group)
    with one.reader() as reader:
        id_one = reader.lake_id()
    # A lake that is not there yet, which is not made, and one that is.
    done = pintail.ingest_all(two, topic, *ARGS, "--group", group, code=2)
    assert len(done.err.splitlines()) == 1 and all(word in done.err for word in (group, id_one, "another lake", "--group")), done.err
    assert not two.folder.exists()
    pintail.ingest_all(two, topic, *ARGS, "--group", f"other-{topic}")
    done = pintail.ingest_all(two, topic, *ARGS, "--group", group, code=2)
    with two.reader() as reader:
        assert id_one in done.err and reader.lake_id() in done.err, done.err
        assert {r["pipeline"] for r in reader.offsets()} == {f"other-{topic}"}
    pintail.ingest_all(one, topic, *ARGS, "--group", group)  # another member of the same lake may join
    process.stop()
    kafka.wait_empty(group)
    done = pintail.ingest_all(two, topic, *ARGS, "--table", "again", "--group", group)
    assert done.err.count("of another lake") == 1 and id_one in done.err, done.err
    with two.reader() as reader:
        assert reader.rows("again") == 500
    assert (
        "of another lake" not in pintail.ingest_all(two, topic, *ARGS, "--table", "again", "--group", group).err
    )  # its offsets are this lake's now


def test_lakes_that_join_one_group_at_the_same_moment_find_out(pintail, two_lakes, kafka):
    topic = kafka.create_topic(2)
    group = f"shop-{topic}"
    for lake in two_lakes:
        pintail.ingest_all(lake, topic, *ARGS, "--group", f"first-{lake.folder.name}-{topic}")
    args = ("--schema", orders.SCHEMA, "-X", "group.protocol=consumer", "--group", group)
    both = [pintail.ingest(lake, topic, *args) for lake in two_lakes]  # each may look before the other has joined
    wait_for(lambda: not all(process.running for process in both), 60, "one of them to end")
    done = [process.wait(5) for process in both if not process.running]
    assert all(d.code == 2 and "another lake" in d.err for d in done), [d.err for d in done]


@on("sqlite", "duckdb")
def test_a_lake_of_an_earlier_version_keeps_its_group(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(300))
    pintail.ingest_all(lake, topic, *ARGS, "--group", f"pintail-{topic}")
    assert "rows=0 " in pintail.ingest_all(lake, topic, *ARGS, group="default").err
    kafka.produce(topic, orders.orders(10))
    pintail.ingest_all(lake, topic, *ARGS, group="default")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (310, 0)
    assert pipelines(lake) == {f"pintail-{topic}"}
    # What has begun under the new name stays there, also when an old process comes by.
    table = f"t{topic[2:]}"
    pintail.ingest_all(lake, topic, *ARGS, "--table", table, group="default")
    pintail.ingest_all(lake, topic, *ARGS, "--table", table, "--group", f"pintail-{table}")
    assert "rows=0 " in pintail.ingest_all(lake, topic, *ARGS, "--table", table, group="default").err
    assert pipelines(lake) == {f"pintail-{topic}", f"pintail-{table}", group_of(lake, table)}


# ---- several topics


def several(pintail, lake, path, *topics, more="", **how):
    path.write_text(more + "topics:\n" + "".join(f"  - {{topic: {t}, schema: '{orders.SCHEMA}'}}\n" for t in topics))
    return pintail.run(*pintail.ingest_args(lake, None, "--config", path, "--until-end", *STEADY), **how)


@on("sqlite")
def test_several_topics_go_on_in_the_one_pipeline_that_knows_them_whatever_their_order(pintail, lake, kafka, tmp_path):
    a, b, c = (kafka.create_topic(1) for _ in range(3))
    for topic in (a, b, c):
        kafka.produce(topic, orders.orders(100))
    path = tmp_path / "ingest.yaml"
    refused = several(pintail, lake, path, a, b, code=2).err
    assert len(refused.splitlines()) == 1 and "--group" in refused and f"pintail-{a}" in refused, refused
    assert not lake.folder.joinpath("metadata").exists() and not lake.folder.joinpath("data").exists()
    shop, twin = f"shop-{a}", f"twin-{a}"
    several(pintail, lake, path, a, b, more=f"group: {shop}\n")
    for order in ((a, b), (b, a)):
        assert "rows=0 " in several(pintail, lake, path, *order).err
    refused = several(pintail, lake, path, c, a, b, code=2).err
    assert f"'{shop}'" in refused and "has 2" in refused, refused
    several(pintail, lake, path, c, a, b, more=f"group: {shop}\n")
    several(pintail, lake, path, a, b, more=f"group: {twin}\n")
    refused = several(pintail, lake, path, b, a, code=2).err
    assert f"{shop}, {twin}" in refused, refused
    assert "rows=0 " in several(pintail, lake, path, b, a, c).err  # which only shop knows
    with lake.reader() as reader:
        assert [reader.rows(t) for t in (a, b, c)] == [200, 200, 100]


@on("sqlite")
def test_several_topics_on_the_command_line_go_into_a_table_each_or_all_into_one(pintail, lake, kafka):
    a, b = (kafka.create_topic(1) for _ in range(2))
    kafka.produce(a, orders.orders(100, 1))
    kafka.produce(b, orders.orders(50, 2))
    both = ("--topic", a, "-t", b, *ARGS)
    pintail.ingest_all(lake, None, *both, "--group", f"each-{a}")
    pintail.ingest_all(lake, None, *both, "--group", f"one-{a}", "--table", "both")
    assert "twice" in pintail.ingest_all(lake, None, *both, "--topic", a, "--group", f"each-{a}", code=2).err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, a, pipeline=f"each-{a}") == (100, 0)
        assert assert_exactly_once(reader, kafka, b, pipeline=f"each-{a}") == (50, 0)
        assert reader.sql("SELECT _kafka_topic, count(*) FROM lake.both GROUP BY ALL ORDER BY 2") == [(b, 50), (a, 100)]
