"""Source truth: the ledger speaks of one topic of one cluster, and a jump in it is never silent."""

import threading

import pytest
from support import on, orders
from support.crash import crashing
from support.judge import assert_exactly_once
from support.progress import wait_landed

SCHEMA = ("--schema", orders.SCHEMA)


def one_line(done, *words):
    text = [line for line in done.err.splitlines() if line.startswith("pintail ")]
    assert len(text) == 1 and all(word in text[0] for word in words), done.err
    return text[0]


def kinds(reader, topic):
    return reader.sql(
        "SELECT kind, \"partition\", from_offset, next_offset FROM lake.pintail.offsets WHERE topic = ? AND kind <> 'commit' ORDER BY ALL",
        topic,
    )


@on("sqlite")
def test_a_topic_that_was_deleted_and_made_anew_is_fatal_and_names_both_offsets(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(300, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    kafka.delete_topic(topic)
    kafka.create_topic(1, name=topic)
    kafka.produce(topic, orders.orders(500, 2))
    for _ in range(2):
        failed = pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=1)
        one_line(failed, topic, "partition 0", "offset 300", "500", "made anew", "pintail reset", "--group")
    with lake.reader() as reader:
        assert reader.rows(topic) == 300


@on("sqlite")
def test_reset_begins_a_recreated_topic_anew_and_is_recorded(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(300, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    kafka.delete_topic(topic)
    kafka.create_topic(2, name=topic)
    kafka.produce(topic, orders.orders(120, 2))
    done = pintail.run("reset", *lake.args, "--brokers", kafka.address, "--topic", topic, "--group", f"pintail-{topic}")
    assert f"{topic} partition 0: " in done.out and "-> 0" in done.out
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert reader.rows(topic) == 420
        assert [(kind, partition, after) for kind, partition, _, after in kinds(reader, topic)] == [("reset", 0, 0), ("reset", 1, 0)]
    assert pintail.ingest_all(lake, topic).code == 0
    with lake.reader() as reader:
        assert reader.rows(topic) == 420


BAD = b"no order"


@pytest.mark.parametrize(
    "before, after, marker",
    [("row", "row", False), ("bad", "row", False), ("row", "bad", False), ("bad", "bad", False), ("row", "row", True)],
)
@on("sqlite")
def test_records_of_a_life_before_the_reset_are_not_taken_for_the_last_ones_that_were_read(pintail, lake, kafka, before, after, marker):
    """Their offsets are the same; the log did not go back. Also where the new life ends with a transaction's marker."""
    topic, parts = kafka.create_topic(8), 8
    first = orders.orders(8 * 30, 1) if before == "row" else [BAD] * (8 * 30)
    second = orders.orders(8 * 10, 2) if after == "row" else [BAD] * (8 * 10)

    def placed(records):
        return [{**(record if isinstance(record, dict) else {"value": record}), "partition": n % parts} for n, record in enumerate(records)]

    kafka.produce(topic, placed(first))
    args = pintail.ingest_args(lake, topic, *SCHEMA, "--until-end", "--group", f"g-{topic}")
    pintail.run(*args, code=0 if before == "row" else 1)
    kafka.delete_topic(topic)
    kafka.create_topic(parts, name=topic)
    if marker:
        producer = kafka.producer(**{"transactional.id": topic})
        producer.init_transactions()
        producer.begin_transaction()
        for record in placed(second):
            producer.produce(topic, **record)
        producer.commit_transaction()
        kafka.wait_for_markers(topic)
    else:
        kafka.produce(topic, placed(second))
    pintail.run("reset", *lake.args, "--brokers", kafka.address, "--topic", topic, "--group", f"g-{topic}")
    pintail.run(*args, code=0 if after == "row" else 1)
    again = pintail.run(*args, code=0)
    assert "went back" not in again.err
    with lake.reader() as reader:
        assert reader.rows(topic) == (before == "row") * 240 + (after == "row") * 80
    checked = pintail.run("check", *lake.args, "--brokers", kafka.address, code=None)
    assert "another record" not in checked.out and "went back" not in checked.out


@on("sqlite")
def test_a_reset_of_one_partition_leaves_the_others_where_they_are(pintail, lake, kafka):
    topic = kafka.create_topic(3)
    kafka.produce(topic, orders.orders(300, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    begin = ("reset", *lake.args, "--brokers", kafka.address, "--topic", topic, "--group", f"pintail-{topic}", "--to", "10")
    assert "--partition 3" in pintail.run(*begin, "--partition", "3", code=2).err
    done = pintail.run(*begin, "--partition", "1")
    assert done.out.splitlines() == [f"{topic} partition 1: {kafka.ends(topic)[1]} -> 10"]
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert [(kind, partition, after) for kind, partition, _, after in kinds(reader, topic)] == [("reset", 1, 10)]
        twice = reader.sql(
            f'SELECT _kafka_partition, min(_kafka_offset), count(*) FROM (SELECT _kafka_partition, _kafka_offset FROM lake."{topic}" '
            "GROUP BY ALL HAVING count(*) = 2) GROUP BY ALL"
        )
        assert twice == [(1, 10, kafka.ends(topic)[1] - 10)]


@pytest.mark.parametrize("skip", [False, True])
@on("sqlite")
def test_records_deleted_before_they_were_read_end_the_run_or_are_skipped_on_record(pintail, lake, kafka, skip):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    kafka.produce(topic, orders.orders(400, 2))
    kafka.delete_records(topic, 0, 350)
    if not skip:
        failed = pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=1)
        one_line(failed, topic, "partition 0", "offset 100", "350", "250 offsets", "--on-missing-data skip")
        return
    pintail.ingest_all(lake, topic, "--on-missing-data", "skip")
    with lake.reader() as reader:
        assert reader.rows(topic) == 250
        assert kinds(reader, topic) == [("skip", 0, 100, 350)]
    checked = pintail.run("check", *lake.args, "--brokers", kafka.address, code=None)
    assert checked.code == 0 and "skip" in checked.out.lower(), checked.out
    pintail.ingest_all(lake, topic)  # goes on behind the jump without being told again
    with lake.reader() as reader:
        assert reader.rows(topic) == 250


@on("sqlite")
def test_another_cluster_under_the_same_topic_name_is_fatal(pintail, lake, kafka, own_kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(50, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    own_kafka.create_topic(1, name=topic)
    own_kafka.produce(topic, orders.orders(80, 2))
    pintail.brokers = own_kafka
    failed = pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=1)
    one_line(failed, topic, "offset 50", "cluster", "pintail reset")


@on("sqlite")
def test_an_offset_beyond_the_end_is_fatal(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(50, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.writer() as writer:
        writer.sql("UPDATE lake.pintail.offsets SET next_offset = 70 WHERE topic = ?", topic)
    failed = pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=1)
    one_line(failed, topic, "offset 70", "ends at 50")


@on("sqlite")
def test_aborted_records_never_land_and_control_records_are_no_gap(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kept = orders.orders(60, 1)
    for n, (values, commit) in enumerate(
        [(kept[:20], True), (orders.orders(30, 2), False), (kept[20:40], True), (orders.orders(5, 3), False), (kept[40:], True)]
    ):
        producer = kafka.producer(transactional_id=f"{topic}-{n}")
        producer.init_transactions(20)
        producer.begin_transaction()
        for record in values:
            producer.produce(topic, **(record if isinstance(record, dict) else {"value": record}))
        producer.flush(20)
        producer.commit_transaction(20) if commit else producer.abort_transaction(20)
    kafka.wait_for_markers(topic)
    pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (60, 0)
    checked = pintail.run("check", *lake.args, "--brokers", kafka.address)
    assert "sound" in checked.out


# ---- while it is being read

LIVE = (*SCHEMA, "--flush-interval", "200ms", "-X", "topic.metadata.refresh.interval.ms=1000")


def last_line(done, *words):
    last = done.err.splitlines()[-1]
    assert done.code == 1 and last.startswith("pintail ingest: ") and all(word in last for word in words), done.err


@on("sqlite")
def test_a_topic_that_is_made_anew_while_it_is_read_ends_the_run_and_none_of_the_new_records_lands(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(300, 1))
    process = pintail.ingest(lake, topic, *LIVE)
    wait_landed(process, lake, kafka, topic, 300)
    process.freeze()  # it sees the new one and never a time without any
    kafka.delete_topic(topic)
    kafka.create_topic(1, name=topic)
    kafka.produce(topic, orders.orders(500, 2))  # more than the old one had: its next offset is there
    process.thaw()
    last_line(process.wait(60), topic, "partition 0", "offset 300", "500", "made anew", "pintail reset", "--group")
    with lake.reader() as reader:
        assert reader.rows(topic) == 300


@on("sqlite")
def test_a_topic_that_is_deleted_while_it_is_read_ends_the_run(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(300, 1))
    process = pintail.ingest(lake, topic, *LIVE)
    wait_landed(process, lake, kafka, topic, 300)
    kafka.delete_topic(topic)
    last_line(process.wait(60), topic, "does not exist")
    with lake.reader() as reader:
        assert reader.rows(topic) == 300


@pytest.mark.parametrize("skip", [False, True])
@on("sqlite")
def test_records_deleted_under_a_reader_that_is_behind_end_the_run_or_are_skipped_on_record(pintail, lake, kafka, skip):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100, 1))
    process = pintail.ingest(lake, topic, *LIVE, *(("--on-missing-data", "skip") if skip else ()))
    wait_landed(process, lake, kafka, topic, 100)
    process.freeze()
    threading.Event().wait(3)  # a fetch that the broker holds open comes back with nothing
    kafka.produce(topic, orders.orders(400, 2))
    kafka.delete_records(topic, 0, 350)
    process.thaw()
    if not skip:
        last_line(process.wait(60), topic, "partition 0", "offset 100", "350", "250 offsets", "--on-missing-data skip", "pintail reset")
        return
    wait_landed(process, lake, kafka, topic, 250)
    process.stop()
    with lake.reader() as reader:
        assert reader.rows(topic) == 250
        assert kinds(reader, topic) == [("skip", 0, 100, 350)]


# ---- what the client library does by itself


@on("sqlite")
def test_records_that_the_client_library_jumps_over_after_an_assignment_are_asked_for_and_land_once(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(2000))
    pintail.ingest_all(lake, topic, "--schema", orders.SCHEMA, **crashing("assign.skip:1:fail"))
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


@on("sqlite")
def test_without_asking_for_them_they_would_be_missing(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(2000))
    pintail.ingest_all(lake, topic, "--schema", orders.SCHEMA, **crashing("assign.skip:1:fail", broken=["gap-check"]))
    with lake.reader() as reader, pytest.raises(AssertionError, match="lost: "):
        assert_exactly_once(reader, kafka, topic)
