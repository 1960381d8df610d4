"""Records that cannot be taken: kept byte for byte with the reason, and nothing beside them is lost."""

import json

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.lake import quoted
from support.progress import wait_landed

SCHEMA = (
    "n INTEGER, i INTEGER, s VARCHAR, u UUID, t TIMESTAMPTZ, d DECIMAL(6,2), must VARCHAR NOT NULL DEFAULT 'x', st STRUCT(a "
    "INTEGER), l INTEGER[], b BOOLEAN"
)
BROKEN = [
    ("empty", b""),
    ("empty", b"  \n"),
    ("syntax", b"{n: 1}"),
    ("syntax", b"{'n': 1}"),
    ("syntax", b'{"n": 01}'),
    ("syntax", b'{"n": 1,}'),
    ("syntax", b'{"n": +1}'),
    ("syntax", b'{"d": .5}'),
    ("syntax", b'{"d": NaN}'),
    ("syntax", b'{"s": "a\tb"}'),
    ("syntax", b'{"s": "\\x"}'),
    ("syntax", b'{"n" 1}'),
    ("syntax", b"\x00\x00\x01"),
    ("framed", b"\x00\x00\x00\x00\x01binary"),
    ("framed", b'\x00\x00\x00\x00\x01{"n": 1}'),
    ("truncated", b'{"n": 1'),
    ("truncated", b'{"s": "abc'),
    ("truncated", b"{"),
    ("trailing", b'{"n": 1}}'),
    ("trailing", b'{"n": 1} {"n": 2}'),
    ("not_object", b"[1, 2]"),
    ("not_object", b'"text"'),
    ("not_object", b'"{\\"n\\": 1}"'),
    ("not_object", b"12"),
    ("not_object", b"null"),
    ("utf8", b'{"s": "\xff\xfe"}'),
    ("utf8", b'{"s": "\xc0\xaf"}'),
    ("utf8", b'{"s": "\\ud800"}'),
    ("utf8", b'{"unknown": "\xed\xa0\x80"}'),
    ("depth", b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    ("duplicate_key", b'{"n": 1, "n": 1}'),
    ("duplicate_key", b'{"n": 1, "\\u006e": 2}'),
    ("duplicate_key", b'{"st": {"a": 1, "a": 2}}'),
    ("duplicate_key", b'{"unknown": {"k": 1, "k": 2}}'),
    ("no_column", b"{}"),
    ("no_column", b'{"N": 1, "other": {"n": 1}}'),
    ("not_null", b'{"must": null}'),
    ("type", b'{"i": "1"}'),
    ("type", b'{"i": true}'),
    ("type", b'{"s": 5}'),
    ("type", b'{"st": [1]}'),
    ("type", b'{"l": 1}'),
    ("type", b'{"b": 1}'),
    ("type", b'{"l": [1, "x"]}'),
    ("range", b'{"i": 2147483648}'),
    ("range", b'{"d": 10000}'),
    ("range", b'{"t": 1e300}'),
    ("lossy", b'{"i": 1.5}'),
    ("lossy", b'{"d": 1.005}'),
    ("format", b'{"u": "no-uuid"}'),
    ("format", b'{"t": "yesterday"}'),
]


@pytest.mark.core
@pytest.mark.parametrize("flush_rows", [200_000, 5], ids=["staged", "inlined"])
def test_each_kind_of_broken_record_is_kept_byte_for_byte_with_its_reason(pintail, lake, kafka, flush_rows):
    topic = kafka.create_topic(2)
    records = []
    for n, (_, value) in enumerate(BROKEN):
        records.append(
            {
                "value": value,
                "key": [None, b"", b"k\x00\xff"][n % 3],
                "headers": [("h", b"\x00v"), ("empty", b""), ("nil", None)],
                "partition": 0,
            }
        )
        records.append({"value": b'{"n": %d, "s": "good"}' % n, "partition": 0})
    kafka.produce(topic, records)
    pintail.ingest_all(lake, topic, "--schema", SCHEMA, "--flush-rows", flush_rows)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, columns=("s",), select={}, expected=lambda v: ("good",)) == (
            len(BROKEN),
            len(BROKEN),
        )
        letters = reader.dead_letters()
    assert [(d["error_code"], d["value"]) for d in letters] == BROKEN
    for d in letters:
        assert d["topic"] == topic and d["pipeline"] == f"pintail-{topic}" and topic in d["target_table"]
        assert d["headers"] == [{"key": "h", "value": b"\x00v"}, {"key": "empty", "value": b""}, {"key": "nil", "value": None}]
        assert "\n" not in d["error_text"] and (d["error_position"] is None or 0 <= d["error_position"] <= len(d["value"]))
    named = {d["value"]: d["error_text"] for d in letters}
    assert (
        "schema id 1" in named[b'\x00\x00\x00\x00\x01{"n": 1}']
        and "encoded twice" in named[b'"{\\"n\\": 1}"']
        and "N, other" in named[b'{"N": 1, "other": {"n": 1}}']
    )
    assert "must" in named[b'{"must": null}'] and "i" in named[b'{"i": 2147483648}']


@on("sqlite")
def test_a_tombstone_is_a_dead_letter_without_a_value_and_never_stops_the_stream(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [{"value": None, "key": b"k"}, b'{"a": 1}', {"value": None}])
    pintail.ingest_all(lake, topic, "--schema", "a INTEGER", "--on-error", "fail", "--max-dead-letters", "0")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, columns=("a",), select={}, expected=lambda v: (1,)) == (1, 2)
        assert [(d["error_code"], d["value"], d["key"]) for d in reader.dead_letters()] == [
            ("tombstone", None, b"k"),
            ("tombstone", None, None),
        ]


def test_on_error_fail_stops_with_1_at_the_same_record_each_time_and_loses_nothing(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [*orders.orders(150, 1), b'{"quantity": "many"}', *orders.orders(150, 2)])
    schema = ("--schema", orders.SCHEMA)
    for _ in range(2):
        done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", *schema, "--on-error", "fail", "--flush-rows", "100"), code=1)
        assert all(word in done.err for word in (topic, "150", "quantity")), done.err
        with lake.reader() as reader:
            assert reader.rows(topic) <= 150 and reader.dead_letters() == []
            assert all(r["next_offset"] <= 150 for r in reader.offsets())
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (300, 1)


@on("postgres")
def test_max_dead_letters_stops_with_1_and_a_higher_limit_goes_on_without_loss(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    records = [b"broken" if n % 10 == 9 else b'{"a": %d}' % n for n in range(1000)]
    kafka.produce(topic, records)
    args = ("--schema", "a INTEGER", "--flush-rows", "50")
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", *args, "--max-dead-letters", "20"), code=1)
    assert "dead letter" in done.err and "--max-dead-letters" in done.err, done.err
    with lake.reader() as reader:
        assert len(reader.dead_letters()) <= 20
    pintail.ingest_all(lake, topic, *args, "--max-dead-letters", "200")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, columns=("a",), select={}, expected=None) == (900, 100)


@on("duckdb")
@pytest.mark.parametrize("limit, code", [("5%", 1), ("15%", 0)])
def test_max_dead_letters_may_be_a_share(pintail, lake, kafka, limit, code):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b"broken" if n % 10 == 9 else b'{"a": %d}' % n for n in range(5000)])
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", "--schema", "a INTEGER", "--max-dead-letters", limit), code=code)
    if code:
        assert "dead letter" in done.err and "--max-dead-letters" in done.err, done.err


@on("postgres")
def test_a_topic_of_nothing_but_rubbish_is_all_dead_letters_and_the_ingest_goes_on(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, [bytes([n % 256]) * (n % 50) for n in range(3000)])
    process = pintail.ingest(lake, topic, "--schema", "a INTEGER", "--flush-interval", "300ms")
    wait_landed(process, lake, kafka, topic, 3000)
    kafka.produce(topic, [b'{"a": 1}'])
    wait_landed(process, lake, kafka, topic, 3001)
    process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, columns=("a",), select={}, expected=lambda v: (1,)) == (1, 3000)
        assert reader.sql(f"SELECT a FROM lake.{quoted(topic)}") == [(1,)]


@on("sqlite")
def test_a_run_to_the_end_in_which_nothing_of_a_topic_fits_exits_1_says_why_and_check_knows_such_letters_after_a_reset(
    pintail, lake, kafka, tmp_path
):
    good, bad, deleted = (kafka.create_topic(2) for _ in range(3))
    kafka.produce(good, [b'{"a": 1}', b"rubbish"])
    kafka.produce(
        bad,
        [
            *({"value": b'{"at": 1760000000%03d}' % n, "partition": 0} for n in range(20)),
            {"value": b'{"b": 1}', "partition": 1},
            {"value": None, "key": b"k", "partition": 1},
        ],
    )
    kafka.produce(deleted, [{"value": None, "key": b"k"}])
    config = tmp_path / "ingest.yaml"
    config.write_text(
        f"group: g-{good}\ntopics:\n"
        + "".join(f"  - {{topic: {topic}, schema: 'a INTEGER, at TIMESTAMPTZ'}}\n" for topic in (good, bad, deleted))
    )
    done = pintail.ingest_all(lake, None, "--config", config, code=1)
    fatal = done.err.splitlines()[-1]
    assert all(word in fatal for word in (f"topic {bad}", "range 20", "no_column 1", "EPOCH ms", "committed", "pintail reset")), fatal
    assert good not in fatal and deleted not in fatal and "tombstone" not in fatal, fatal
    first = [line for line in done.err.splitlines() if "level=warn" in line and "dead letter" in line]
    assert sorted(
        (topic, code)
        for line in first
        for topic in (good, bad, deleted)
        for code in ("range", "no_column", "syntax", "tombstone")
        if topic in line and f"code={code}" in line
    ) == sorted([(good, "syntax"), (bad, "range"), (bad, "no_column")]), first
    assert all("offset=" in line and "partition=" in line and "text=" in line for line in first) and len(first) == 3, first
    with lake.reader() as reader:  # what was read is committed
        assert assert_exactly_once(reader, kafka, bad, pipeline=f"g-{good}", columns=("a",), select={}, expected=None) == (0, 22)
    pintail.ingest_all(lake, None, "--config", config)  # nothing new is no failure

    # The topic is read again by the right schema: the old letters stay, and check tells them from new ones.
    pintail.run("reset", "--brokers", kafka.address, *lake.args, "--group", f"g-{good}", "--topic", bad, "--partition", "0", "--to", "5")
    with lake.writer() as writer:
        writer.sql(f"DROP TABLE lake.{quoted(bad)}")
    config.write_text(
        config.read_text().replace(f"{bad}, schema: 'a INTEGER, at TIMESTAMPTZ'", f"{bad}, schema: 'a INTEGER, at TIMESTAMPTZ EPOCH ms'")
    )
    kafka.produce(bad, [{"value": b'{"at": 1e300}', "partition": 0}])
    pintail.ingest_all(lake, None, "--config", config)
    report = json.loads(pintail.run("check", *lake.args, "--json", code=None).out)
    counts = {(d["topic"], d["error_code"]): (d["count"], d["before_reset"]) for d in report["dead_letters"]}
    assert counts == {
        (good, "syntax"): (1, 0),
        (bad, "range"): (21, 15),
        (bad, "no_column"): (1, 0),
        (bad, "tombstone"): (1, 0),
        (deleted, "tombstone"): (1, 0),
    }
    shown = pintail.run("check", *lake.args, code=None).out
    assert "from before a reset" in shown, shown
