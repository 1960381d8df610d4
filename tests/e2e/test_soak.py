"""A long run at a high rate: memory stays flat, commits do not become slower with the snapshots, and all of it landed once.

SOAK_SECONDS (20, and 40 in the long tier), SOAK_RATE (records a second). `make soak` takes half an hour and makes more than 10,000 commits."""

import os
import re
import statistics
import time

import pytest
from support import long, on, orders
from support.judge import assert_files_sound
from support.lake import quoted
from support.memory import MIB, SANITIZED, status
from support.progress import wait_landed

SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))
RATE = int(os.environ.get("SOAK_RATE", "5000" if SECONDS < 300 else "20000"))
BINS = 10
FLUSH = re.compile(r"msg=flush rows=(\d+) stage_us=(\d+) commit_us=(\d+)")


def binned(values, bins=BINS):
    """values in order, cut into bins of about the same size."""
    return [values[len(values) * n // bins : len(values) * (n + 1) // bins] for n in range(bins)]


def quartile(values):
    """The lower one: what other load on the machine adds does not move it."""
    return sorted(values)[len(values) // 4]


def sample_memory(process, producer):
    """RSS once a second (ten times in a short run), until everything is produced."""
    out = []
    pause = 1 if SECONDS >= 300 else 0.1
    while producer.running:
        assert process.running, process.err[-3000:]
        out.append(status(process.pid)["VmRSS"] / MIB)
        time.sleep(pause)  # a sampling rate, not a wait for something
    return out


def assert_flat(samples):
    curve = [statistics.mean(part) for part in binned(samples)]
    print("memory, MiB, each tenth of the run:", " ".join(f"{mib:.0f}" for mib in curve))
    warm, last = max(curve[2:4]), curve[-1]
    assert SANITIZED or last <= warm * 1.10, f"memory grew from {warm:.0f} to {last:.0f} MiB: {curve}"


def assert_commits_steady(flushes):
    for name, index in (("stage", 1), ("commit", 2)):
        curve = [quartile([flush[index] / 1000 for flush in part]) for part in binned(flushes)]
        print(f"{name}, ms, lower quartile of each tenth of {len(flushes)} commits:", " ".join(f"{ms:.1f}" for ms in curve))
        early = max(curve[1:3])
        # a short run has seen too few commits to tell growth from other load
        limit = early * 1.5 + 3 if SECONDS >= 300 else early * 4 + 50
        assert curve[-1] <= limit, f"{name} became slower: {curve} ms"


def assert_all_landed_once(reader, kafka, topic):
    """The judge in SQL, for more records than Python can hold: every offset of every partition, once; the ledger without a gap."""
    ends = kafka.ends(topic)
    found = reader.sql(
        f"SELECT _kafka_partition, count(*), count(DISTINCT _kafka_offset), min(_kafka_offset), max(_kafka_offset), count(order_id), count(unit_price) "
        f"FROM lake.{quoted(topic)} GROUP BY 1 ORDER BY 1"
    )
    assert found == [(p, n, n, 0, n - 1, n, n) for p, n in sorted(ends.items()) if n], (found, ends)
    broken = reader.sql(
        'SELECT * FROM (SELECT "partition", from_offset, next_offset, row_count, lag(next_offset, 1, 0) OVER (PARTITION BY "partition" ORDER BY next_offset) '
        "AS before FROM lake.pintail.offsets) WHERE from_offset <> before OR row_count <> next_offset - from_offset"
    )
    assert broken == [], broken[:5]
    last = dict(reader.sql('SELECT "partition", max(next_offset) FROM lake.pintail.offsets GROUP BY 1'))
    assert last == {p: n for p, n in ends.items() if n}
    assert reader.dead_letters() == []
    return sum(ends.values())


@on("postgres")
@pytest.mark.serial
@pytest.mark.timeout(SECONDS * 2 + 900)
@pytest.mark.parametrize("seconds", [SECONDS] if "SOAK_SECONDS" in os.environ else [SECONDS, long(2 * SECONDS)], ids="{:g}s".format)
def test_a_long_run_keeps_its_memory_and_its_commit_time_and_lands_everything_once(pintail, lake, kafka, seconds):
    topic = kafka.create_topic(4, retention_bytes=-1)
    process = pintail.ingest(lake, topic, "--schema", orders.SCHEMA, "--flush-interval", "100ms", "--verbose")
    process.wait_for(lambda: "msg=assigned" in process.err, 60, "the assignment")
    count = int(seconds * RATE)
    producer = pintail.start("produce", "--brokers", kafka.address, "--topic", topic, "--rate", RATE, "--count", count)
    samples = sample_memory(process, producer)
    assert producer.wait(10).code == 0, producer.err
    wait_landed(process, lake, kafka, topic, count, timeout=120)
    flushes = [tuple(map(int, found)) for found in FLUSH.findall(process.stop().err)]
    print(f"{count:,} records in {seconds:g} s and {len(flushes):,} commits")
    assert len(flushes) > min(seconds, 10_000)
    assert seconds < 1800 or len(flushes) >= 10_000
    assert_flat(samples)
    assert_commits_steady(flushes)
    with lake.reader() as reader:
        assert assert_all_landed_once(reader, kafka, topic) == count
        assert_files_sound(reader)
