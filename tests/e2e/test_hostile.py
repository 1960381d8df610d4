"""Hostile input: the largest, the smallest, the most. All of it lands exactly once, and the process stays within --memory."""

import json
import random
import time

import pytest
from support import long, on, orders, rawproduce
from support.judge import assert_exactly_once
from support.kafka import STEADY, Record
from support.lake import quoted
from support.memory import run_within
from support.progress import wait_landed

MEMORY = 512  # MiB, the default of --memory
HUGE = 20_000_000
LIMITS = {"max_message_bytes": HUGE + 2_000_000}
BIG_PRODUCER = {"message_max_bytes": HUGE + 2_000_000, "queue_buffering_max_kbytes": 200_000, "queue_buffering_max_messages": 2000}


def drained(pintail, lake, topic, *more, memory=MEMORY, timeout=100, code=0):
    arguments = more if "--memory" in more else ("--memory", f"{memory}MiB", *more)
    return run_within(pintail, memory, *pintail.ingest_args(lake, topic, "--until-end", *arguments), timeout=timeout, code=code)


def text(size, seed=1) -> str:
    """Hardly compressible, so that the bytes are moved and not only counted."""
    return random.Random(seed).randbytes(size // 2 + 1).hex()[:size]


@on("sqlite")
def test_records_of_no_bytes_and_of_twenty_megabytes_land_once_within_the_memory(pintail, lake, kafka):
    topic = kafka.create_topic(2, **LIMITS)
    whole = b'{"s":"' + text(HUGE).encode() + b'"}'
    records = [
        b"",
        whole,
        b"{}",
        whole[:-1],
        b"",
        whole,
        {"value": b'{"s":"k"}', "key": text(1_000_000).encode()},
        {"value": b"broken", "key": b"\xff" * 1_000_000},
        {"value": None, "key": b""},
        b'{"s":""}',
    ]
    kafka.produce(
        topic,
        [{"partition": n % 2, **(r if isinstance(r, dict) else {"value": r})} for n, r in enumerate(records)],
        compression_type="none",
        **BIG_PRODUCER,
    )
    drained(pintail, lake, topic, "--schema", "s VARCHAR", "--flush-bytes", "1MiB")
    with lake.reader() as reader:
        assert assert_exactly_once(
            reader, kafka, topic, columns=("s",), select={"s": "md5(s)"}, expected=lambda v: (md5(json.loads(v).get("s")),)
        ) == (4, 6)
        assert sorted(d["error_code"] for d in reader.dead_letters(topic)) == [
            "empty",
            "empty",
            "no_column",
            "syntax",
            "tombstone",
            "truncated",
        ]


def md5(s):
    import hashlib

    return None if s is None else hashlib.md5(s.encode()).hexdigest()


@on("duckdb")
def test_a_hundred_thousand_dead_letters_in_a_row_land_once_quickly_within_the_memory(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, [{"value": b"no JSON %d" % n, "key": b"k%d" % n, "partition": n % 2} for n in range(100_000)])
    start = time.monotonic()
    drained(pintail, lake, topic, "--schema", orders.SCHEMA, code=1)  # nothing fits
    seconds = time.monotonic() - start
    print(f"100,000 dead letters: {seconds:.1f} s")
    assert seconds < 60
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (0, 100_000)


def wide_config(folder, topic, type_, count=10_000):
    columns = ", ".join(f"c{n} {type_}" for n in range(count))
    config = folder / "wide.yaml"
    config.write_text(f"topics:\n  - topic: {topic}\n    table: wide\n    schema: {json.dumps(columns)}\n")
    return config


@on("sqlite")
def test_a_table_that_is_too_wide_for_the_memory_is_refused_at_the_start_with_what_it_needs(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"c1":"x"}'])
    config = wide_config(tmp_path, topic, "VARCHAR")
    done = pintail.run(*pintail.ingest_args(lake, None, "--until-end", "--config", config), code=2)
    assert len(done.err) < 1000 and all(word in done.err for word in ("--memory", "columns", "smallest batch")), done.err[-2000:]


@on("duckdb")
@pytest.mark.parametrize("columns, memory", [(2000, MEMORY), long(10_000, 2048)])
def test_a_table_of_thousands_of_columns_works_when_it_is_given_the_memory(pintail, lake, kafka, tmp_path, columns, memory):
    topic = kafka.create_topic(1)
    names = [f"c{n}" for n in range(columns)]
    last = names[-1]
    rows = [{name: n for n, name in enumerate(names)}, {"c9": None}, {"c0": 7, last: None}, {"c500": -1, "other": 1}]
    kafka.produce(topic, [*(json.dumps(r).encode() for r in rows), json.dumps({last: "x"}).encode()])
    config = wide_config(tmp_path, topic, "INTEGER", columns)
    start = time.monotonic()
    run_within(pintail, memory, *pintail.ingest_args(lake, None, "--until-end", "--config", config, "--memory", f"{memory}MiB"))
    print(f"{columns} columns: {time.monotonic() - start:.1f} s")
    with lake.reader() as reader:
        asked = ("c0", "c500", last)
        assert assert_exactly_once(
            reader,
            kafka,
            topic,
            "wide",
            reader.default_group("wide"),
            columns=asked,
            select={},
            expected=lambda v: tuple(json.loads(v).get(c) for c in asked),
        ) == (4, 1)
        assert len(reader.columns("wide")) == columns + 4
        assert reader.sql(
            "SELECT * EXCLUDE (_kafka_partition, _kafka_offset, _kafka_timestamp, ingest_time) FROM lake.wide WHERE _kafka_offset = 0"
        ) == [tuple(range(columns))]


@on("sqlite")
def test_header_bombs_do_no_harm_and_are_kept_with_dead_letters(pintail, lake, kafka):
    topic = kafka.create_topic(2, **LIMITS)
    many = [(f"h{n % 100}", b"v%d" % n) for n in range(10_000)]
    large = [("large", bytes(1_000_000)), ("l" * 100_000, b"")]
    records = []
    for n in range(120):  # 120 MB of headers on dead letters: far beyond one batch
        records.append({"value": b"broken", "headers": large, "partition": n % 2})
        records.append({"value": b'{"n": 1}', "headers": large, "partition": n % 2})
    records += [{"value": b"broken", "headers": many, "partition": 0}, {"value": b'{"n": 1}', "headers": many, "partition": 0}]
    kafka.produce(topic, records, **BIG_PRODUCER)
    drained(pintail, lake, topic, "--schema", "n INTEGER")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, columns=("n",), select={}, expected=lambda v: (1,)) == (121, 121)
        kept = [d["headers"] for d in reader.dead_letters(topic)]
    assert kept.count([{"key": k, "value": v} for k, v in large]) == 120
    assert [{"key": k, "value": v} for k, v in many] in kept


@on("duckdb")
def test_keys_and_headers_that_are_no_utf8_are_kept_as_far_as_text_can(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    headers = [(b"\xff\xfe", b"\xff\x00"), (b"good", None), (b"\xc0\xaf" * 20, b"v" * 5000)]
    now = int(time.time() * 1000)
    sent = [(now, b"broken", b"\xff\x00\xfe" * 5, headers), (now + 1, b'{"n": 1}', b"\xed\xa0\x80", headers)]
    rawproduce.produce(kafka.address, topic, sent)
    drained(pintail, lake, topic, "--schema", "n INTEGER")
    with lake.reader() as reader:
        records = [
            Record(topic, 0, n, stamp, key, value, []) for n, (stamp, value, key, _) in enumerate(sent)
        ]  # confluent-kafka fails on such names
        assert assert_exactly_once(reader, kafka, topic, columns=("n",), select={}, expected=lambda v: (1,), records=records) == (1, 1)
        (letter,) = reader.dead_letters(topic)
    assert [(h["key"], h["value"]) for h in letter["headers"]] == [("", b"\xff\x00"), ("good", None), ("", b"v" * 5000)]


@on("sqlite")
def test_two_hundred_partitions_land_once_within_the_memory(pintail, lake, kafka):
    topic = kafka.create_topic(200)
    kafka.produce(topic, [{**r, "key": None, "partition": n % 200} for n, r in enumerate(orders.orders(100_000, 3))])
    drained(pintail, lake, topic, "--schema", orders.SCHEMA)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (100_000, 0)


@on("duckdb")
@pytest.mark.parametrize("partitions, memory", [(200, MEMORY), (4, 256)])
def test_records_of_a_megabyte_land_once_within_the_memory(pintail, lake, kafka, partitions, memory):
    """Hardly compressible ones, and ones that lz4 makes an eighth of: what a broker sends is small, what it becomes is not."""
    topic = kafka.create_topic(partitions, **LIMITS)
    bodies = [text(1_000_000), "".join(text(1_000, n) * 8 for n in range(125))]
    records = [{"value": b'{"n":%d,"s":"%s"}' % (n, bodies[n % 2].encode()), "partition": n % partitions} for n in range(300)]
    kafka.produce(topic, records, **BIG_PRODUCER)
    drained(pintail, lake, topic, "--schema", "n INTEGER, s VARCHAR", memory=memory)
    with lake.reader() as reader:
        assert assert_exactly_once(
            reader,
            kafka,
            topic,
            columns=("n", "s"),
            select={"s": "md5(s)"},
            expected=lambda v: (json.loads(v)["n"], md5(json.loads(v)["s"])),
        ) == (300, 0)


@on("sqlite")
def test_a_million_records_of_a_few_bytes_land_once_within_the_memory(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, [b"{}"] * 1_000_000)
    drained(pintail, lake, topic, "--schema", "n INTEGER", "--on-no-column", "null")
    with lake.reader() as reader:
        landed = reader.one(
            f"SELECT count(*), count(DISTINCT _kafka_partition * 10000000 + _kafka_offset), count(n) FROM lake.{quoted(topic)}"
        )
        assert landed == (1_000_000, 1_000_000, 0) and reader.dead_letters(topic) == []


# ---- times

FAR = 2**63 - 1
FIRST = -9_223_372_022_400_000_000  # the first microsecond of DuckDB's TIMESTAMP
STAMPS = [1, 1000, 253402300799_999, 253402300800_000, FAR // 1000, FAR // 1000 + 1, FAR]


@on("sqlite")
def test_kafka_timestamps_at_the_limits_land_and_what_no_timestamp_can_hold_is_null(pintail, lake, kafka):
    topic = kafka.create_topic(1, message_timestamp_before_max_ms=FAR, message_timestamp_after_max_ms=FAR)
    for value in (b'{"n": 1}', b"broken"):
        kafka.produce(topic, [{"value": value, "timestamp": stamp} for stamp in STAMPS], linger_ms=0, batch_num_messages=1)
    pintail.ingest_all(lake, topic, "--schema", "n INTEGER")
    held = [r.timestamp for r in kafka.records(topic)]
    assert held == STAMPS * 2
    with lake.reader() as reader:
        rows = reader.sql(f"SELECT epoch_ms(_kafka_timestamp) FROM lake.{quoted(topic)} ORDER BY _kafka_offset")
        dead = reader.sql('SELECT epoch_ms("timestamp") FROM lake.pintail.dead_letters ORDER BY "offset"')
    wanted = [(stamp if stamp <= FAR // 1000 else None,) for stamp in STAMPS]
    assert rows == wanted and dead == wanted


FIRST_YEAR, LAST_YEAR = -62135596800, 253402300800  # seconds: the first of year 1, the end of 9999
EPOCHS = {  # column -> (its type, what it takes, what is out of its range)
    "us": (
        "TIMESTAMP EPOCH us",
        [0, -1, LAST_YEAR * 1_000_000 - 1, FIRST_YEAR * 1_000_000],
        [LAST_YEAR * 1_000_000, FIRST_YEAR * 1_000_000 - 1, FAR, FAR + 1, FIRST, -FAR - 1, 1e30],
    ),
    "ms": (
        "TIMESTAMPTZ EPOCH ms",
        [0, LAST_YEAR * 1000 - 1, FIRST_YEAR * 1000],
        [LAST_YEAR * 1000, FIRST_YEAR * 1000 - 1, 1760000000000000, -FAR, FAR],
    ),
    "s": ("TIMESTAMP", [0, 0.0000001, -0.5, LAST_YEAR - 1, FIRST_YEAR], [LAST_YEAR, FIRST_YEAR - 1, 1760000000000, 1e19, -1e300]),
    "ns": ("TIMESTAMP_NS EPOCH ns", [0, FAR - 1, -9_223_286_400_000_000_000], [FAR, FAR + 1, -FAR, 1e20]),
}


@on("duckdb")
def test_epoch_columns_take_the_years_1_to_9999_and_nothing_else(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    good = [(c, v) for c, (_, takes, _) in EPOCHS.items() for v in takes]
    bad = [(c, v) for c, (_, _, refuses) in EPOCHS.items() for v in refuses]
    kafka.produce(topic, [json.dumps({c: v}).encode() for c, v in good + bad])
    pintail.ingest_all(lake, topic, "--schema", ", ".join(f"{c} {t}" for c, (t, _, _) in EPOCHS.items()))
    scale = {"us": 1, "ms": 1000, "s": 1_000_000}

    def expected(value):
        ((column, number),) = json.loads(value).items()
        us = {c: orders.microseconds(str(number)) if c == "s" else number * scale[c] for c in scale if c == column}
        return (*(us.get(c) for c in scale), number if column == "ns" else None)

    with lake.reader() as reader:
        got = assert_exactly_once(
            reader,
            kafka,
            topic,
            columns=tuple(EPOCHS),
            expected=expected,
            select={"us": "epoch_us(us)", "ms": "epoch_us(ms)", "s": "epoch_us(s)", "ns": "epoch_ns(ns)"},
        )
        letters = [(d["error_code"], d["value"], d["error_text"]) for d in reader.dead_letters(topic)]
    assert got == (len(good), len(bad)), letters
    assert {code for code, _, _ in letters} == {"range"}, letters
    texts = {value: text for _, value, text in letters}
    assert "declare TIMESTAMP EPOCH ms" in texts[b'{"s": 1760000000000}'] and "2025" in texts[b'{"s": 1760000000000}'], letters
    assert "declare TIMESTAMPTZ EPOCH us" in texts[b'{"ms": 1760000000000000}'], letters


# ---- shapes


@on("sqlite")
def test_deep_long_and_wide_values_land_or_are_refused_with_the_reason(pintail, lake, kafka):
    topic = kafka.create_topic(1, **LIMITS)
    euro = "€\\u20ac" * 100_000
    records = [
        (b'{"j": ' + b"[" * 60 + b"]" * 60 + b"}", None),
        (b'{"j": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "depth"),
        (b'{"other": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", "depth"),
        (b'{"j": ' + b"[" * 500_000, "depth"),
        (b'{"s": "' + euro.encode() + b'"}', None),
        (b'{"s": "' + b"\\n" * 900_000 + b'"}', None),
        (b'{"l": [' + b"1," * 999_999 + b"1]}", None),
        (b'{"l": [' + b"1," * 999_999 + b"1.5]}", "lossy"),
        (b'{"l": [' + b"1," * 999_999, "truncated"),
        (b'{"m": {' + b",".join(b'"k%d": %d' % (n, n) for n in range(50_000)) + b"}}", None),
        (b"{" + b",".join(b'"u%d": %d' % (n, n) for n in range(50_000)) + b"}", "no_column"),
        (b"{" + b",".join(b'"u%d": 0' % (n % 49_999) for n in range(50_000)) + b"}", "duplicate_key"),
        (b'{"d": 0.' + b"0" * 900_000 + b"1}", None),
        (b'{"i": 1' + b"0" * 900_000 + b"}", "range"),
        (b" " * 900_000 + b'{"i": 1}' + b"\n" * 900_000, None),
    ]
    kafka.produce(topic, [value for value, _ in records], **BIG_PRODUCER)
    drained(pintail, lake, topic, "--schema", "i INTEGER, d DOUBLE, s VARCHAR, j JSON, l BIGINT[], m MAP(VARCHAR, INTEGER)")

    def expected(value):
        o = json.loads(value)
        return (md5(o.get("s")), sum(o["l"]) if "l" in o else None, len(o["m"]) if "m" in o else None, o.get("i"), o.get("d"))

    with lake.reader() as reader:
        good = [value for value, code in records if code is None]
        assert_exactly_once(
            reader,
            kafka,
            topic,
            columns=("s", "l", "m", "i", "d"),
            expected=expected,
            select={"s": "md5(s)", "l": "list_sum(l)", "m": "cardinality(m)"},
        )
        assert reader.rows(topic) == len(good)
        assert [d["error_code"] for d in reader.dead_letters(topic)] == [code for _, code in records if code]


@pytest.mark.timeout(400)  # of a loaded machine
@pytest.mark.parametrize("there", ["at the start", "in mid-run"])
@on("sqlite")
def test_a_batch_that_cannot_be_decompressed_ends_the_run_with_its_place_and_nothing_beyond_it_is_marked_as_done(
    pintail, lake, kafka, there
):
    topic = kafka.create_topic(2)
    group = f"pintail-{topic}"
    kafka.produce(topic, [{**record, "partition": n % 2} for n, record in enumerate(orders.orders(600))])
    readable = kafka.records(topic)  # before; the judge's client library cannot read on either

    def break_partition_1():
        assert rawproduce.produce_undecodable(kafka.address, topic, 1, [record["value"] for record in orders.orders(5, 2)]) == 300
        kafka.produce(topic, [{**record, "partition": 1} for record in orders.orders(100, 3)])

    args = ("--schema", orders.SCHEMA, "--flush-rows", "100", "--flush-interval", "200ms", *STEADY)
    if there == "at the start":
        break_partition_1()
    for start in range(2):  # another one finds the same
        kafka.wait_empty(group)
        process = pintail.ingest(lake, topic, *args)
        process.wait_for(lambda: "msg=assigned" in process.err, 100, "its partitions")
        if there == "in mid-run" and start == 0:
            wait_landed(process, lake, kafka, topic, 600, timeout=100)
            break_partition_1()
        done = process.wait(30)
        last = done.err.splitlines()[-1]
        assert (
            done.code == 1 and last.startswith("pintail ingest: ") and all(word in last for word in (topic, "partition 1", "offset 300"))
        ), done.err[-3000:]
        assert all(offset <= 300 for offset in kafka.committed(group, topic).values())
        with lake.reader() as reader:
            next_offset = dict(reader.sql('SELECT "partition", max(next_offset) FROM lake.pintail.offsets GROUP BY ALL'))
            assert next_offset[1] == 300, next_offset  # everything before the batch; of the other partition what was fetched by then
            assert there == "at the start" or next_offset == {0: 300, 1: 300}
            taken = [r for r in readable if r.offset < next_offset.get(r.partition, 0)]
            assert assert_exactly_once(reader, kafka, topic, records=taken) == (len(taken), 0)
