"""The ledger grows by a row for each partition of each flush. From time to time its rows go from the catalog to Parquet files,
and a claim reads them from there:
a start stays short. The crash build folds at ten rows."""

import copy
from contextlib import closing
from pathlib import Path

import pytest
from support import long, on, orders
from support.crash import crashing
from support.judge import assert_exactly_once, assert_no_leftovers
from support.kafka import FAST_FAILOVER
from support.progress import wait_landed
from support.proxy import PostgresProxy, through, wait_struck

ARGS = ("--schema", orders.SCHEMA, "--flush-rows", "100", "--inline-rows", "0")
SOON = ("fold-rarely",)
FOLD = 'DELETE FROM "public".ducklake_inlined_data_'


def ledger_files(lake) -> list:
    return [p for p in lake.files() if "/pintail/offsets/" in p]


def assert_sound(lake, kafka, topic, count):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (count, 0)
    assert_no_leftovers(lake)


@pytest.mark.core
def test_a_ledger_of_many_rows_goes_to_files_and_restarts_go_on_from_there(pintail, lake, kafka):
    topic = kafka.create_topic(3)
    for round_ in range(3):
        kafka.produce(topic, orders.orders(2000, round_))
        pintail.ingest_all(lake, topic, *ARGS, **crashing(broken=SOON))
        assert len(ledger_files(lake)) > round_
    assert_sound(lake, kafka, topic, 6000)
    checked = pintail.run("check", *lake.args, "--brokers", kafka.address)
    assert "sound" in checked.out


@on(long("sqlite"), "postgres")
@pytest.mark.parametrize("point", [long("guard.made"), "fold.written", "fold.committed"])
def test_a_kill_at_a_fold_of_the_ledger_loses_and_doubles_nothing(pintail, lake, kafka, point):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(3000))
    done = pintail.ingest(lake, topic, *ARGS, **crashing(f"{point}:2:kill", broken=SOON)).wait(60)
    assert done.code == -9, done.err[-2000:]
    pintail.ingest_rest(lake, topic, *ARGS, "--leftover-age", "0s", timeout=120)
    assert_sound(lake, kafka, topic, 3000)


@on("postgres")
@pytest.mark.parametrize(
    "kind, killed", [long("cut before", False), ("cut after", False), long("late", False), ("cut after", True), ("late", True)]
)
def test_whatever_happens_to_the_commit_of_a_fold_of_the_ledger_it_can_be_read(pintail, lake, kafka, kind, killed):
    other = kafka.create_topic(1)
    kafka.produce(other, orders.orders(300))
    pintail.ingest_all(lake, other, *ARGS)  # its rows go to the same file
    with closing(PostgresProxy(lake.postgres.port)) as proxy:
        topic = kafka.create_topic(2)
        kafka.produce(topic, orders.orders(3000))
        seen = copy.copy(lake)
        seen.text = through(lake, proxy.port)
        fault = proxy.arm(kind, of=FOLD, seconds=2)
        process = pintail.ingest(
            seen, topic, *ARGS, *FAST_FAILOVER, **crashing(*(["recover.attached:1:kill"] if killed else []), broken=SOON)
        )
        wait_struck(process, fault, 60)
        if killed:
            assert process.wait(60).code == -9
        fault.done.wait(60)
        kafka.produce(topic, orders.orders(500, 2))
        if not killed:
            wait_landed(process, lake, kafka, topic, 3500, timeout=100)
            process.stop()
        pintail.ingest_rest(lake, topic, *ARGS, "--leftover-age", "0s", timeout=120, **crashing(broken=SOON))
        assert_sound(lake, kafka, topic, 3500)


@on("sqlite")
def test_a_ledger_of_two_million_rows_is_read_within_the_memory(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000))
    pintail.ingest_all(lake, topic, *ARGS)
    with lake.writer() as writer:
        last = max(row["next_offset"] for row in writer.offsets(topic))
        writer.sql(
            "INSERT INTO lake.pintail.offsets SELECT o.* REPLACE (o.from_offset * 0 AS from_offset, 0 AS next_offset, 0 AS row_count, 0 AS dead_letter_count) "
            "FROM lake.pintail.offsets o, range(?)",
            2_000_000 // len(writer.offsets(topic)),
        )
    assert last > 0
    kafka.produce(topic, orders.orders(10, 2))
    process = pintail.ingest(lake, topic, *ARGS, "--flush-interval", "100ms")
    wait_landed(process, lake, kafka, topic, 1010, timeout=60)
    peak = int(next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1])
    process.stop()
    assert peak < 400 * 1024, f"{peak} kB"
