"""Exactly once, judged by the stock readers alone: what the broker holds against what the lake holds."""

import os
from collections import Counter, defaultdict

from . import orders
from .lake import plain, quoted


def _shown(things, n=5) -> str:
    things = list(things)
    return f"{things[:n]}{' ...' if len(things) > n else ''} ({len(things)})"


def _real(path: str) -> str:
    return path if "://" in path else os.path.realpath(path)


def assert_files_sound(reader):
    """Every data file that the catalog names is stored relative, exists, opens and holds as many rows as it says."""
    there = set(reader.lake.files()) if reader.lake.s3 else ()
    for schema, table, path, relative, count in reader.data_files():
        assert relative, f"{path} of {schema}.{table} is stored with an absolute path: delete_orphaned_files may take it"
        assert path in there if reader.lake.s3 else os.path.isfile(path), f"the lake names {path} ({schema}.{table}), which does not exist"
        if reader.lake.encrypted:  # no key is at hand; its rows are counted by the table
            with open(reader.lake.s3.path(path) if reader.lake.s3 else path, "rb") as file:
                assert file.read(4) == b"PARE", f"{path} is not encrypted"
            continue
        held = reader.one("SELECT count(*) FROM read_parquet(?, hive_partitioning => false)", plain(path))
        assert held == count, f"{path} holds {held} rows, the catalog says {count}"


def assert_no_leftovers(lake):
    """No file under the data path that the lake does not name: what a clean stop leaves."""
    with lake.reader() as reader:
        named = {_real(path) for _, _, path, _, _ in reader.data_files()}
    left = [p for p in lake.files() if _real(p) not in named]
    assert not left, f"files that no catalog row names: {_shown(left)}"


def assert_ledger_sound(reader, topic, pipeline, landed, dead, ends=None, start=None, topic_id=None):
    """landed, dead: partition -> list of offsets. The ranges of the ledger follow one another, and each holds what it says.
    start: partition -> where the first range has to begin. topic_id: what the broker calls the topic."""
    ranges = defaultdict(list)
    for row in reader.offsets(topic):
        if row["pipeline"] == pipeline and row["kind"] == "commit":
            ranges[row["partition"]].append(row)
    for partition in set(landed) | set(dead):
        assert ranges[partition], f"{topic}/{partition} has rows but no line in pintail.offsets"
    for partition, rows in ranges.items():
        where = f"{topic}/{partition}"
        rows.sort(key=lambda r: (r["next_offset"], r["from_offset"]))
        at = start[partition] if start else rows[0]["from_offset"]
        good, bad = sorted(landed.get(partition, ())), sorted(dead.get(partition, ()))
        g = b = 0
        for row in rows:
            assert row["from_offset"] == at <= row["next_offset"], (
                f"{where}: the range {row['from_offset']}..{row['next_offset']} does not follow {at}"
            )
            at = row["next_offset"]
            g0, b0 = g, b
            while g < len(good) and good[g] < at:
                g += 1
            while b < len(bad) and bad[b] < at:
                b += 1
            assert row["row_count"] == g - g0, f"{where}: {row['from_offset']}..{at} says {row['row_count']} rows, the table holds {g - g0}"
            assert row["dead_letter_count"] == b - b0, (
                f"{where}: {row['from_offset']}..{at} says {row['dead_letter_count']} dead letters, not {b - b0}"
            )
            assert row["epoch"] is not None and row["committed_at"] is not None and row["cluster_id"] and row["target_table"], row
            assert topic_id in (None, row["topic_id"]), (
                f"{where}: {row['from_offset']}..{at} is of topic id {row['topic_id']!r}, the broker says {topic_id!r}"
            )
        assert g == len(good) and b == len(bad), f"{where}: rows at or past the next offset {at}: {_shown(good[g:] + bad[b:])}"
        assert at >= max(good[-1:] + bad[-1:], default=-1) + 1
        if ends is not None:
            assert at <= ends[partition], f"{where}: next offset {at} is past the end {ends[partition]}"


def assert_exactly_once(
    reader,
    kafka,
    topic,
    table=None,
    pipeline=None,
    expected=orders.expected,
    columns=tuple(orders.COLUMNS),
    select=orders.SELECT,
    only_topic=False,
    since=None,
    records=None,
):
    """Every record of the topic is in its table or in pintail.dead_letters, once, with the right values. Returns (rows, dead letters).

    expected(value) gives the row's values as the columns (asked for as `select` says) come back; None: values are not compared.
    only_topic: the table has rows of other topics too (_kafka_topic). since: partition -> first offset that this pipeline had to take;
    the broker's first one when left out. records: what the broker held, when the caller has read it already."""
    table = table or topic
    pipeline = pipeline or (f"pintail-{topic}" if table == topic else reader.lake.group(table))
    since = since or kafka.beginnings(topic)
    held = {(r.partition, r.offset): r for r in (kafka.records(topic) if records is None else records) if r.offset >= since[r.partition]}
    asked = [
        "_kafka_partition",
        "_kafka_offset",
        "epoch_ms(_kafka_timestamp)",
        "ingest_time IS NOT NULL",
        *(select.get(c, quoted(c)) for c in columns),
    ]
    where = f" WHERE _kafka_topic = '{topic}'" if only_topic else ""
    landed = reader.sql(f"SELECT {', '.join(asked)} FROM lake.{quoted(table)}{where}")
    dead = [d for d in reader.dead_letters(topic) if d["pipeline"] == pipeline]
    keys = [(row[0], row[1]) for row in landed] + [(d["partition"], d["offset"]) for d in dead]

    twice = [k for k, n in Counter(keys).items() if n > 1] if len(set(keys)) != len(keys) else []
    lost = sorted(set(held) - set(keys))
    foreign = sorted(set(keys) - set(held))
    assert not (twice or lost or foreign), (
        f"{topic} -> {table}: {len(held)} records at the broker; lost: {_shown(lost)}; more than once: {_shown(sorted(twice))}; "
        f"not at the broker: {_shown(foreign)}"
    )
    for row in landed:
        record = held[row[0], row[1]]
        where = f"{topic}/{record.partition}@{record.offset}"
        assert row[2] == record.timestamp and row[3], (
            f"{where}: _kafka_timestamp {row[2]} ms instead of {record.timestamp}, or no ingest_time"
        )
        if expected is not None:
            assert row[4:] == expected(record.value), f"{where}: {record.value!r} became {row[4:]}, not {expected(record.value)}"
    for d in dead:
        record = held[d["partition"], d["offset"]]
        where = f"{topic}/{record.partition}@{record.offset}"
        assert (d["value"], d["key"]) == (record.value, record.key), f"{where}: the dead letter's bytes are not the record's"
        assert round(d["timestamp"].timestamp() * 1000) == record.timestamp, where
        assert d["error_code"] and d["error_text"] and d["ingest_time"] and d["target_table"], d

    by_partition = defaultdict(list)
    for row in landed:
        by_partition[row[0]].append(row[1])
    dead_by_partition = defaultdict(list)
    for d in dead:
        dead_by_partition[d["partition"]].append(d["offset"])
    assert_ledger_sound(reader, topic, pipeline, by_partition, dead_by_partition, kafka.ends(topic), since, kafka.topic_id(topic))
    assert_files_sound(reader)
    return len(landed), len(dead)
