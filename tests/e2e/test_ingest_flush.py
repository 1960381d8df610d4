"""When a batch is committed: rows, bytes, time, end of the topic, a signal."""

import json
import signal
import time
from pathlib import Path

import pytest
from support import on, orders
from support.judge import assert_exactly_once, assert_no_leftovers
from support.progress import landed, wait_landed

SCHEMA = ("--schema", orders.SCHEMA)
NEVER = ("--flush-interval", "1h")


def commits(reader, topic) -> list:
    return [
        r["row_count"] + r["dead_letter_count"]
        for r in reader.offsets(topic)
        if r["kind"] == "commit" and r["next_offset"] > r["from_offset"]
    ]


@on("sqlite")
def test_a_batch_is_committed_when_it_has_flush_rows_rows(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(1000))
    pintail.ingest_all(lake, topic, *SCHEMA, *NEVER, "--flush-rows", "100")
    with lake.reader() as reader:
        assert commits(reader, topic) == [100] * 10
        assert_exactly_once(reader, kafka, topic)


@on("sqlite")
def test_a_batch_is_committed_when_it_has_flush_bytes_bytes(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [json.dumps({"s": f"{n:08d}" * 128}).encode() for n in range(2000)])  # 2 MB
    pintail.ingest_all(lake, topic, "--schema", "s VARCHAR", *NEVER, "--flush-bytes", "256KiB")
    with lake.reader() as reader:
        sizes = commits(reader, topic)
        assert 6 <= len(sizes) <= 20, sizes
        assert_exactly_once(reader, kafka, topic, columns=("s",), select={}, expected=lambda v: (json.loads(v)["s"],))


def test_a_batch_is_committed_after_flush_interval_though_no_record_follows(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "1s")
    process.wait_for(lambda: kafka.members(f"pintail-{topic}"), 30, "the group to be stable")
    took = []
    for n in range(3):  # the best of them: a machine may stand still for seconds
        began = time.monotonic()
        kafka.produce(topic, orders.orders(25, n))
        wait_landed(process, lake, kafka, topic, 25 * (n + 1), timeout=40)
        took.append(time.monotonic() - began)
        if took[-1] < 8:
            break
    process.stop()
    assert min(took) < 8, took  # a second and not the ten that it is without --flush-interval
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (25 * len(took), 0)


@on("postgres")
def test_nothing_is_committed_before_a_trigger(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(1250))
    process = pintail.ingest(lake, topic, *SCHEMA, *NEVER, "--flush-rows", "500")
    wait_landed(process, lake, kafka, topic, 1000)
    assert landed(lake, kafka, topic) == 1000
    process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1250, 0)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_flushes_what_is_buffered_and_exits_0(pintail, lake, kafka, name):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(1250))
    process = pintail.ingest(lake, topic, *SCHEMA, *NEVER, "--flush-rows", "500")
    wait_landed(process, lake, kafka, topic, 1000)  # the other 250 came in the same fetch and wait for a trigger
    process.signal(getattr(signal, name))
    assert process.wait(20).code == 0
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1250, 0)
    assert_no_leftovers(lake)


@on("postgres")
def test_an_idle_ingest_makes_no_snapshots_and_little_work(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10))
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "100ms")
    wait_landed(process, lake, kafka, topic, 10)

    def spent():
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(ticks[11]) + int(ticks[12])) / 100

    with lake.reader() as reader:
        before, cpu = reader.snapshots(), spent()
        marker = kafka.create_topic(1)  # something else takes place meanwhile
        kafka.produce(marker, orders.orders(20_000))
        assert len(kafka.records(marker)) == 20_000
        assert process.running
        assert reader.snapshots() == before
        assert spent() - cpu < 1.0
    process.stop()


@on("sqlite")
def test_sigterm_before_the_first_record_exits_0(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    process = pintail.ingest(lake, topic, *SCHEMA)
    process.wait_for(lambda: kafka.members(f"pintail-{topic}"), 30, "the group to be stable")
    process.stop()
    with lake.reader() as reader:
        assert reader.rows(topic) == 0
