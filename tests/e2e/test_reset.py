"""pintail reset: which pipeline, from where, and with --delete-rows: rows, dead letters and ledger go back together."""

import json

import pytest
from support import long, on, orders
from support.kafka import STEADY
from support.lake import quoted

ARGS = ("--schema", orders.SCHEMA, "--flush-interval", "200ms", "--flush-rows", "70", *STEADY)


def reset(pintail, lake, kafka, topic, *more, **how):
    return pintail.run("reset", *lake.args, "--brokers", kafka.address, "--topic", topic, *more, **how)


def mixed(count, seed):
    """Orders, with every tenth record one that cannot be decoded."""
    return [{**record, "value": b"{broken"} if n % 10 == 7 else record for n, record in enumerate(orders.orders(count, seed))]


def held(lake, topic, table=None) -> list:
    """(partition, offset) of all rows and dead letters of the topic, in order."""
    with lake.reader() as reader:
        rows = reader.sql(f"SELECT _kafka_partition, _kafka_offset FROM lake.{quoted(table or topic)}")
        return sorted(rows + [(d["partition"], d["offset"]) for d in reader.dead_letters(topic)])


def at_broker(kafka, topic) -> list:
    return sorted((r.partition, r.offset) for r in kafka.records(topic))


def sound(pintail, lake):
    done = pintail.run("check", *lake.args, "--json", code=None)
    assert done.code == 0, json.loads(done.out)["findings"]


@pytest.mark.core
@on("duckdb", long("sqlite"), "postgres")
def test_rows_dead_letters_and_ledger_go_back_together_so_that_reading_again_doubles_nothing(pintail, lake, kafka):
    topic = kafka.create_topic(3)
    kafka.produce(topic, mixed(600, 1))
    pintail.ingest_all(lake, topic, *ARGS)
    everything = at_broker(kafka, topic)
    assert held(lake, topic) == everything
    # A look changes nothing. The cut is in the middle of a flush.
    with lake.reader() as reader:
        before = reader.snapshots()
    done = reset(pintail, lake, kafka, topic, "--delete-rows", "--dry-run", "--to", "37")
    said = sum(int(w) for line in done.out.splitlines() for w in (line.split(", ")[1].split()[0], line.split(" and ")[1].split()[0]))
    kept = [k for k in everything if k[1] < 37]
    assert said == len(everything) - len(kept) and done.out.count("would be deleted") == 3, done.out
    with lake.reader() as reader:
        assert reader.snapshots() == before
    for cut in (["--to", "37"], ["--to", "20"], ["--to", "37", "--partition", "1"], []):
        reset(pintail, lake, kafka, topic, "--delete-rows", *cut)
        sound(pintail, lake)
        first = int(cut[1]) if cut else 0
        assert held(lake, topic) == [k for k in everything if k[1] < first or ("--partition" in cut and k[0] != 1)]
        pintail.ingest_all(lake, topic, *ARGS)
        assert held(lake, topic) == everything
        sound(pintail, lake)
    with lake.reader() as reader:
        ((_kind, detail),) = reader.sql(
            "SELECT kind, detail FROM lake.pintail.offsets WHERE kind = 'reset' AND \"partition\" = 0 ORDER BY epoch DESC LIMIT 1"
        )
        assert json.loads(detail)["deleted_from"] == 0
        assert reader.one("SELECT sum(row_count + dead_letter_count) FROM lake.pintail.offsets") == 600
    pintail.run("check", "--lake", lake.text, "--brokers", kafka.address)


@on("postgres", long("sqlite"))
def test_a_running_ingest_notices_each_reset_and_reads_again_what_was_deleted(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, mixed(400, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    process.wait_for(
        lambda: lake.read(lambda r: r.one("SELECT coalesce(sum(row_count + dead_letter_count), 0) FROM lake.pintail.offsets"), 0) == 400,
        60,
        "all to be there",
    )
    for times in range(3):  # as often within a minute as would be too often for a fence by another ingest
        reset(pintail, lake, kafka, topic, "--delete-rows", "--to", "10")
        process.wait_for(lambda: process.err.count("was set to another offset by pintail reset") > times, 60, "it to notice")
        process.wait_for(
            lambda: (
                lake.read(lambda r: r.one("SELECT coalesce(sum(row_count + dead_letter_count), 0) FROM lake.pintail.offsets"), 0) == 400
            ),
            60,
            "all to be there again",
        )
    kafka.produce(topic, mixed(100, 2))
    process.wait_for(
        lambda: lake.read(lambda r: r.one("SELECT coalesce(sum(row_count + dead_letter_count), 0) FROM lake.pintail.offsets"), 0) == 500,
        60,
        "all to be there again",
    )
    process.stop()
    assert held(lake, topic) == at_broker(kafka, topic)
    sound(pintail, lake)


@on("sqlite")
def test_a_reset_is_of_a_pipeline_that_the_ledger_knows(pintail, lake, kafka):
    topic, other = kafka.create_topic(1), kafka.create_topic(1)
    kafka.produce(topic, orders.orders(50))
    kafka.produce(other, orders.orders(50))
    pintail.ingest_all(lake, topic, *ARGS, group="default")
    with lake.reader() as reader:
        group = reader.default_group(topic)
        epochs = reader.sql("FROM lake.pintail.epochs ORDER BY ALL")
    for wrong in (("--group", "ghost"), ("--group", f"pintail-{topic}")):
        done = reset(pintail, lake, kafka, topic, *wrong, code=1)
        assert len(done.err.splitlines()) == 1 and all(word in done.err for word in (wrong[1], group, topic, "--new")), done.err
    assert group in reset(pintail, lake, kafka, other, "--group", group, code=1).err  # it never read that topic
    assert "no pipeline" in reset(pintail, lake, kafka, other, code=1).err
    assert reset(pintail, lake, kafka, topic, "--dry-run", code=2).err
    with lake.reader() as reader:
        assert reader.sql("FROM lake.pintail.epochs ORDER BY ALL") == epochs
    assert (
        reset(pintail, lake, kafka, topic, "--to", "30").out == f"{topic} partition 0: 50 -> 30\n"
    )  # the only one that has read the topic
    reset(pintail, lake, kafka, topic, "--group", f"fresh-{topic}", "--new", "--to", "latest")
    assert "rows=0 " in pintail.ingest_all(lake, topic, *ARGS, "--group", f"fresh-{topic}").err
    done = reset(pintail, lake, kafka, topic, code=2)
    assert group in done.err and f"fresh-{topic}" in done.err, done.err


@on("sqlite")
def test_a_reset_to_a_time_begins_at_the_first_record_that_is_not_older(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    at = 1_790_000_000_000
    for partition in (0, 1):
        kafka.produce(
            topic,
            [
                {**record, "partition": partition, "timestamp": at + 1000 * (n + partition)}
                for n, record in enumerate(orders.orders(20, partition))
            ],
        )
    pintail.ingest_all(lake, topic, *ARGS)
    done = reset(pintail, lake, kafka, topic, "--to", "2026-09-21T14:13:25.500Z", "--delete-rows")
    assert done.out.splitlines() == [
        f"{topic} partition {p}: 20 -> {to}, {20 - to} rows and 0 dead letters deleted" for p, to in ((0, 6), (1, 5))
    ], done.out
    for wrong, words in (("21", "has offsets 0 to 20"), ("2026-09-21T14:13:25", "zone"), ("soon", "--to takes")):
        assert words in reset(pintail, lake, kafka, topic, "--to", wrong, code=2).err
    sound(pintail, lake)


@on("sqlite")
def test_what_a_reset_ahead_leaves_out_is_told_by_it_and_by_check(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    pintail.ingest_all(lake, topic, *ARGS)

    def skipped():
        report = json.loads(pintail.run("check", *lake.args, "--brokers", kafka.address, "--json", code=None).out)
        return [p["skipped"] for pipeline in report["pipelines"] for p in pipeline["partitions"]]

    assert "left out" not in reset(pintail, lake, kafka, topic, "--to", "10", "--delete-rows").out
    assert skipped() == [0]
    assert "(40 offsets are left out)" in reset(pintail, lake, kafka, topic, "--to", "50").out
    pintail.ingest_rest(lake, topic, *ARGS)
    assert skipped() == [40]
    assert "40 offsets were skipped" in pintail.run("check", *lake.args).out
    reset(pintail, lake, kafka, topic, "--to", "0", "--delete-rows")
    pintail.ingest_rest(lake, topic, *ARGS)
    assert skipped() == [0] and len(held(lake, topic)) == 100


@on("sqlite")
def test_rows_that_cannot_be_told_from_others_are_not_deleted(pintail, lake, kafka):
    a, b, c = (kafka.create_topic(1) for _ in range(3))
    for n, topic in enumerate((a, b, c)):
        kafka.produce(topic, orders.orders(30, n))
    pintail.ingest_all(lake, a, *ARGS, "--table", "t", "--group", f"one-{a}")
    pintail.ingest_all(lake, a, *ARGS, "--table", "t", "--group", f"two-{a}")
    done = reset(pintail, lake, kafka, a, "--group", f"one-{a}", "--delete-rows", code=1)
    assert f"two-{a}" in done.err and "delete" in done.err, done.err
    pintail.ingest_all(lake, None, "--topic", b, "--topic", c, *ARGS, "--table", "both", "--group", f"both-{a}")
    reset(pintail, lake, kafka, b, "--delete-rows")  # told apart by _kafka_topic
    sound_rows = [(c, 30)]
    with lake.writer() as writer:
        assert writer.sql("SELECT _kafka_topic, count(*) FROM lake.both GROUP BY ALL") == sound_rows
    pintail.ingest_all(lake, None, "--topic", b, "--topic", c, *ARGS, "--table", "both", "--group", f"both-{a}")
    with lake.writer() as writer:
        assert writer.one("SELECT count(*) FROM lake.both") == 60
        writer.sql("ALTER TABLE lake.both DROP COLUMN _kafka_topic")
    done = reset(pintail, lake, kafka, b, "--delete-rows", code=1)
    assert "_kafka_topic" in done.err, done.err
    with lake.reader() as reader:
        assert (reader.rows("both"), reader.rows("t")) == (60, 60)


@on("sqlite")
def test_after_a_table_was_dropped_a_reset_with_its_rows_lets_it_begin_anew(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, mixed(200, 1))
    pintail.ingest_all(lake, topic, "--schema", "order_id UUID", *STEADY)
    with lake.writer() as writer:
        writer.sql(f'DROP TABLE lake."{topic}"')
    assert "reset --delete-rows" in pintail.ingest_all(lake, topic, *ARGS, code=1).err
    reset(pintail, lake, kafka, topic, "--delete-rows")
    pintail.ingest_all(lake, topic, *ARGS)
    assert held(lake, topic) == at_broker(kafka, topic)
    sound(pintail, lake)
