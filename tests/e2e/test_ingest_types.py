"""Every type that a schema may name, out of JSON and exact in the lake, as stock DuckDB reads it back."""

import json
import math

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.lake import quoted

US = 1_000_000
# type in the schema -> [(JSON text of the value, what SELECT gives)], asked for by the expression (default: ::VARCHAR).
VALUES = {
    "BOOLEAN": [("true", "true"), ("false", "false")],
    "TINYINT": [("-128", "-128"), ("127", "127")],
    "SMALLINT": [("-32768", "-32768"), ("32767", "32767")],
    "INTEGER": [("-2147483648", "-2147483648"), ("2147483647", "2147483647"), ("1.0", "1"), ("2e3", "2000"), ("-0", "0")],
    "BIGINT": [
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775807", "9223372036854775807"),
        ("9007199254740993", "9007199254740993"),
    ],
    "UTINYINT": [("0", "0"), ("255", "255")],
    "USMALLINT": [("65535", "65535")],
    "UINTEGER": [("4294967295", "4294967295")],
    "UBIGINT": [("18446744073709551615", "18446744073709551615")],
    "REAL": [("1.5", "1.5"), ("-3.25", "-3.25"), ("0", "0.0")],
    "DOUBLE": [
        ("0.1", "0.1"),
        ("1e308", "1e+308"),
        ("5e-324", "5e-324"),
        ("-2.5E+3", "-2500.0"),
        ("3", "3.0"),
        ("0.30000000000000004", "0.30000000000000004"),
    ],
    "DECIMAL(4,1)": [("-999.9", "-999.9"), ("0.1", "0.1")],
    "DECIMAL(9,2)": [("1234567.89", "1234567.89"), ('"12.30"', "12.30"), ("1e2", "100.00"), ("7", "7.00")],
    "DECIMAL(18,3)": [("123456789012345.678", "123456789012345.678"), ("-0.001", "-0.001")],
    "DECIMAL(38,10)": [
        ("1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"),
        ("-9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999"),
    ],
    "DECIMAL(38,0)": [("99999999999999999999999999999999999999", "99999999999999999999999999999999999999")],
    "VARCHAR": [
        ('""', ""),
        ('"twelve bytes"', "twelve bytes"),
        ('"thirteen bytes"', "thirteen bytes"),
        (r'"\"\\\/\b\f\n\r\t"', '"\\/\b\f\n\r\t'),
        (r'"\u00e9\ud83d\ude00"', "é😀"),
        ('"日本語 – ñ 😀 and a long tail of text"', "日本語 – ñ 😀 and a long tail of text"),
        (
            r'"a long text with an escape \u0041 far behind its start and \"quotes\""',
            'a long text with an escape A far behind its start and "quotes"',
        ),
        ('"it\'s; DROP TABLE x --"', "it's; DROP TABLE x --"),
    ],
    "UUID": [
        ('"00000000-0000-0000-0000-000000000000"', "00000000-0000-0000-0000-000000000000"),
        ('"FFFFFFFF-ffff-4fff-8fff-FFFFFFFFFFFF"', "ffffffff-ffff-4fff-8fff-ffffffffffff"),
        ('"c386bbc4-cd61-4e30-98f1-6adf91b7584a"', "c386bbc4-cd61-4e30-98f1-6adf91b7584a"),
    ],
    "DATE": [('"2024-02-29"', "2024-02-29"), ('"1969-12-31"', "1969-12-31"), ('"0001-01-01"', "0001-01-01")],
    "TIME": [('"23:59:59.999999"', "23:59:59.999999"), ('"00:00:00"', "00:00:00")],
    "TIMESTAMP": [
        ('"2024-01-02 03:04:05.678901"', "2024-01-02 03:04:05.678901"),
        ('"2024-01-02T03:04:05"', "2024-01-02 03:04:05"),
        ("0", "1970-01-01 00:00:00"),
        ("1700000000.123456", "2023-11-14 22:13:20.123456"),
    ],
    "TIMESTAMP_S": [("1700000000", "2023-11-14 22:13:20")],
    "TIMESTAMP_MS": [("1700000000.123", "2023-11-14 22:13:20.123")],
    "TIMESTAMP_NS": [('"2024-01-02 03:04:05.123456789"', "2024-01-02 03:04:05.123456789")],
    "TIMESTAMPTZ": [
        ('"2024-01-02T03:04:05+02:00"', "2024-01-02 01:04:05+00"),
        ('"2024-01-02T03:04:05.5Z"', "2024-01-02 03:04:05.5+00"),
        ("1700000000", "2023-11-14 22:13:20+00"),
    ],
    "TIMESTAMPTZ EPOCH ms": [("1700000000123", "2023-11-14 22:13:20.123+00")],
    "TIMESTAMP EPOCH us": [("1700000000123456", "2023-11-14 22:13:20.123456")],
    "BLOB": [('"aGVsbG8="', r"hello"), ('"AP8="', r"\x00\xFF"), ('""', "")],
    "BLOB HEX": [('"00ff41"', r"\x00\xFFA")],
    "JSON": [
        ('{"k": [1, 2.50, null]}', '{"k": [1, 2.50, null]}'),
        ('"text"', '"text"'),
        ("12345678901234567890", "12345678901234567890"),
        ("[]", "[]"),
    ],
    "STRUCT(j JSON, n INTEGER)": [
        ('{"j": {"k": [1, null]}, "n": 1}', """{'j': '{"k": [1, null]}', 'n': 1}"""),
        ('{"j": null}', "{'j': NULL, 'n': NULL}"),
    ],
    "JSON[]": [('[{"a": 1}, 2, null, "t"]', '[{"a": 1}, 2, NULL, "t"]'), ("[]", "[]")],
    "MAP(VARCHAR, JSON[])": [('{"k": [{"a": [1.50]}, "t"]}', '{k=[{"a": [1.50]}, "t"]}')],
    "INTEGER[]": [("[1, null, 3]", "[1, NULL, 3]"), ("[]", "[]")],
    "VARCHAR[][]": [('[["a"], [], ["b", "c"]]', "[[a], [], [b, c]]")],
    "STRUCT(a INTEGER, b VARCHAR)": [('{"b": "x", "a": 1}', "{'a': 1, 'b': x}"), ('{"a": null}', "{'a': NULL, 'b': NULL}")],
    "STRUCT(p STRUCT(x DOUBLE, y DOUBLE), tags VARCHAR[])[]": [
        ('[{"p": {"x": 1, "y": 2}, "tags": ["t"]}, null]', "[{'p': {'x': 1.0, 'y': 2.0}, 'tags': [t]}, NULL]")
    ],
    "MAP(VARCHAR, INTEGER)": [('{"one": 1, "two": null}', "{one=1, two=NULL}"), ("{}", "{}")],
    "MAP(VARCHAR, DECIMAL(10,2)[])": [('{"k": [1.25, 3]}', "{k=[1.25, 3.00]}")],
}


@pytest.mark.core
@pytest.mark.parametrize("flush_rows", [200_000, 5], ids=["staged", "inlined"])
def test_every_type_comes_through_exactly(pintail, lake, kafka, flush_rows):
    """Small flushes are rows in the catalog, not files: another way for each type."""
    columns = {f"c{i}": kind for i, kind in enumerate(VALUES)}
    records, wanted = [], []
    for name, kind in columns.items():
        for text, shown in VALUES[kind]:
            records.append(f'{{"n": {len(records)}, "{name}": {text}}}'.encode())
            wanted.append((name, shown))
    records.append((f'{{"n": {len(records)}, ' + ", ".join(f'"{c}": null' for c in columns) + "}").encode())
    topic = kafka.create_topic(1)
    kafka.produce(topic, records)
    pintail.ingest_all(
        lake, topic, "--flush-rows", flush_rows, "--schema", "n INTEGER, " + ", ".join(f"{c} {kind}" for c, kind in columns.items())
    )
    with lake.reader() as reader:
        letters = [(bytes(d["value"]), d["error_text"]) for d in reader.dead_letters()]
        assert letters == []
        rows = reader.sql(f"SELECT {', '.join(f'{c}::VARCHAR' for c in columns)} FROM lake.{quoted(topic)} ORDER BY n")
    assert len(rows) == len(records)
    names = list(columns)
    wrong = []
    for n, (name, shown) in enumerate(wanted):
        got = rows[n][names.index(name)]
        if got != shown:
            wrong.append(f"{columns[name]}: {records[n].decode()} became {got!r}, not {shown!r}")
        if any(v is not None for c, v in zip(names, rows[n]) if c != name):
            wrong.append(f"{columns[name]}: a missing key is not NULL in {rows[n]}")
    assert not wrong, "\n".join(wrong)
    assert set(rows[-1]) == {None}


@on("sqlite")
def test_what_a_schema_says_beyond_the_types_of_the_lake_holds_where_it_is_left_out_later(pintail, lake, kafka):
    """EPOCH and HEX stand in no catalog. They hold in another group, and after an ALTER for the columns and parts that still have their type; a schema that is
    given counts for itself and from then on."""
    topic = kafka.create_topic(1)
    record = b'{"id": 1, "raw": "61626364", "birth": 157766400000, "s": {"b": "61626364", "t": 157766400000}, "list": [{"t": 157766400000}], "gone": 1}'
    schema = (
        "id INTEGER, raw BLOB HEX, birth TIMESTAMPTZ EPOCH ms, s STRUCT(b BLOB HEX, t TIMESTAMP EPOCH ms), list STRUCT(t "
        "TIMESTAMP EPOCH ms)[], gone TIMESTAMP EPOCH ms"
    )
    with lake.writer() as writer:
        writer.sql(
            f'CREATE TABLE lake."{topic}" (id INTEGER, raw BLOB, birth TIMESTAMPTZ, s STRUCT(b BLOB, t TIMESTAMP), list STRUCT(t TIMESTAMP)[], gone TIMESTAMP, '
            "_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ)"
        )
    select = f'SELECT id, raw, epoch(birth)::BIGINT, s.b, epoch(s.t)::BIGINT, epoch(list[1].t)::BIGINT FROM lake."{topic}"'

    def ingest(group, *more):
        kafka.produce(topic, [record])
        return pintail.ingest_all(lake, topic, "--group", f"{group}-{topic}", *more)

    ingest("a", "--schema", schema)
    ingest("a")
    ingest("b", "--start", "2")
    with lake.writer() as writer:
        for change in ("DROP COLUMN gone", "ADD COLUMN s.more INTEGER", "ADD COLUMN late TIMESTAMP"):
            writer.sql(f'ALTER TABLE lake."{topic}" {change}')
    ingest("a")
    with lake.reader() as reader:
        assert set(reader.sql(select)) == {(1, b"abcd", 157766400, b"abcd", 157766400, 157766400)}
        assert reader.rows(topic) == 4 + 1 and reader.dead_letters() == []
        before = reader.one("SELECT count(*) FROM lake.snapshots()")
    ingest("a")
    with lake.reader() as reader:  # the note is written once, with the claim
        assert reader.one("SELECT count(*) FROM lake.snapshots()") == before + 2
    ingest(
        "a",
        "--schema",
        schema.replace("EPOCH ms", "EPOCH us").replace(", gone TIMESTAMP EPOCH us", "").replace("us), list", "us, more INTEGER), list"),
    )
    ingest("a")
    with lake.reader() as reader:
        assert reader.sql(f"{select} WHERE epoch(birth)::BIGINT < 157766400") == [(1, b"abcd", 157766, b"abcd", 157766, 157766)] * 2


@on("sqlite")
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_defaults_and_partitions_are_the_same_in_every_zone(pintail, lake, kafka, zone):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"t": "2024-01-01T00:30:00Z"}', b'{"t": "2023-12-31T23:30:00Z"}'])
    with lake.writer() as writer:
        writer.sql(
            f"CREATE TABLE lake.\"{topic}\" (a TIMESTAMPTZ DEFAULT '2020-01-01 00:00:00', t TIMESTAMPTZ, _kafka_partition "
            f"INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, "
            "ingest_time TIMESTAMPTZ)"
        )
        writer.sql(f'ALTER TABLE lake."{topic}" SET PARTITIONED BY (year(t), hour(t))')
    pintail.env = {**pintail.env, "TZ": zone}
    pintail.ingest_all(lake, topic, "--schema", "a TIMESTAMPTZ DEFAULT '2020-01-01 00:00:00', t TIMESTAMPTZ", "--inline-rows", "0")
    with lake.reader() as reader:
        assert reader.sql(f'SELECT DISTINCT epoch(a)::BIGINT FROM lake."{topic}"') == [(1577836800,)]
        parts = reader.sql(
            "SELECT partition_value FROM __ducklake_metadata_lake.ducklake_file_partition_value ORDER BY data_file_id, partition_key_index"
        )
    assert sorted([tuple(v for (v,) in parts[n : n + 2]) for n in (0, 2)]) == [("2023", "23"), ("2024", "0")]


@on("sqlite")
def test_epoch_fractions_round_half_away_from_zero_to_the_microsecond(pintail, lake, kafka):
    texts = [
        "0",
        "0.0000004",
        "0.0000005",
        "-0.0000004",
        "-0.0000005",
        "-0.0000015",
        "1700000000.1234565",
        "1700000000.12345649999999",
        "1700000000.9999995",
        "1.7e9",
        "17000000001e-1",
        "-1.5",
        "1795424748.8903217",
        "253402300799.999999",
    ]
    topic = kafka.create_topic(1)
    kafka.produce(topic, [f'{{"n": {n}, "t": {t}, "u": {t}}}'.encode() for n, t in enumerate(texts)])
    pintail.ingest_all(lake, topic, "--schema", "n INTEGER, t TIMESTAMPTZ, u TIMESTAMP")
    with lake.reader() as reader:
        assert reader.dead_letters() == []
        rows = reader.sql(f"SELECT epoch_us(t), epoch_us(u) FROM lake.{quoted(topic)} ORDER BY n")
    assert rows == [(orders.microseconds(t),) * 2 for t in texts]


@pytest.mark.core
@pytest.mark.parametrize("times", [1, 400], ids=["inlined", "staged"])
def test_text_with_a_nul_neither_stops_the_lake_nor_changes(pintail, lake, kafka, times):
    """PostgreSQL can store a NUL neither in an inlined row nor in the statistics that the catalog keeps of a column."""
    values = [json.dumps({"s": s, "m": {s: s}}).encode() for s in ("\0", "a\0b", "plain", "zzz\0", "thirteen\0bytes and more")] * times
    topic = kafka.create_topic(1)
    kafka.produce(topic, values)
    pintail.ingest_all(lake, topic, "--schema", "s VARCHAR, m MAP(VARCHAR, VARCHAR)", timeout=30)
    with lake.reader() as reader:
        assert_exactly_once(reader, kafka, topic, columns=("s",), select={}, expected=lambda v: (json.loads(v)["s"],))


@on("duckdb")
def test_missing_keys_take_the_default_and_null_stays_null(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"n": 0}', b'{"n": 1, "a": null, "b": null, "c": null}', b'{"n": 2, "a": 1, "b": "x", "c": 2.5}'])
    pintail.ingest_all(
        lake, topic, "--schema", "n INTEGER, a INTEGER DEFAULT 42, b VARCHAR DEFAULT 'it''s', c DECIMAL(6,2) DEFAULT 9.95 NOT NULL"
    )
    with lake.reader() as reader:
        rows = reader.sql(f"SELECT n, a, b, c::VARCHAR FROM lake.{quoted(topic)} ORDER BY n")
        codes = [(d["offset"], d["error_code"]) for d in reader.dead_letters()]
    assert rows == [(0, 42, "it's", "9.95"), (2, 1, "x", "2.50")]
    assert codes == [(1, "not_null")]


@on("postgres")
def test_not_null_and_default_of_a_table_made_by_duckdb_hold(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"n": 0, "must": "a"}', b'{"n": 1}', b'{"n": 2, "must": null}', b'{"n": 3, "must": "", "d": 1}'])
    with lake.writer() as writer:
        metadata = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())
        writer.sql(f"CREATE TABLE lake.{quoted(topic)} (n INTEGER, must VARCHAR NOT NULL, d INTEGER DEFAULT 7, {metadata})")
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert reader.sql(f"SELECT n, must, d FROM lake.{quoted(topic)} ORDER BY n") == [(0, "a", 7), (3, "", 1)]
        assert [(d["offset"], d["error_code"]) for d in reader.dead_letters()] == [(1, "not_null"), (2, "not_null")]


@on("duckdb")
@pytest.mark.parametrize(
    "kind, default, advice",
    [
        ("UUID", "uuid()", "offset"),
        ("TIMESTAMPTZ", "now()", "ingest_time"),
        ("DATE", "current_date", "_kafka_timestamp"),
        ("VARCHAR", "concat('x', random()::VARCHAR)", "producer"),
    ],
)
def test_a_default_that_differs_from_record_to_record_is_refused(pintail, lake, kafka, kind, default, advice):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"n": 1}'])
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", "--schema", f"n INTEGER, d {kind} DEFAULT {default}"), code=2)
    assert "column d" in done.err and default.split("::")[0] in done.err and advice in done.err, done.err
    with lake.reader() as reader:
        assert not reader.has_table(topic)
    with lake.writer() as writer:
        metadata = ", ".join(f"{name} {of}" for name, of in orders.METADATA.items())
        writer.sql(f"CREATE TABLE lake.t (n INTEGER, d {kind} DEFAULT {default}, {metadata})")
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", "--table", "t"), code=2)
    with lake.writer() as writer:
        assert writer.rows("t") == 0
        writer.sql("USE lake")
        writer.sql(done.err[done.err.index("ALTER") :])
    pintail.ingest_all(lake, topic, "--table", "t")
    with lake.reader() as reader:
        assert reader.sql("SELECT n, d FROM lake.t") == [(1, None)]


@on("duckdb")
def test_a_default_may_be_computed_as_long_as_it_is_constant(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b"{}"])
    pintail.ingest_all(
        lake,
        topic,
        "--schema",
        "a VARCHAR DEFAULT upper('now()'), b INTEGER DEFAULT 1 + 2, c DATE DEFAULT DATE '2024-02-29' + 1, d DOUBLE DEFAULT -1.5",
        "--on-no-column",
        "null",
    )
    with lake.reader() as reader:
        assert reader.sql(f"SELECT a, b, c::VARCHAR, d FROM lake.{quoted(topic)}") == [("NOW()", 3, "2024-03-01", -1.5)]


@on("duckdb")
def test_key_order_spaces_and_unknown_keys_do_not_matter(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(
        topic,
        [
            b'{"a":1,"b":"x"}',
            b' \t\r\n{ "b" : "x" , "a" : 1 } \n',
            b'{"zz":{"deep":[1,{"k":"v"}]},"b":"x","other":null,"a":1,"last":"\\u00e9"}',
            b'{"\\u0061":1,"\\u0062":"\\u0078"}',
        ],
    )
    pintail.ingest_all(lake, topic, "--schema", "a INTEGER, b VARCHAR")
    with lake.reader() as reader:
        assert reader.dead_letters() == []
        assert reader.sql(f"SELECT a, b FROM lake.{quoted(topic)}") == [(1, "x")] * 4


@pytest.mark.parametrize("flush_rows", [200_000, 1], ids=["staged", "inlined"])
def test_the_schemas_spelling_of_a_name_is_the_key_whatever_the_table_has(pintail, lake, kafka, flush_rows):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"UserId": 1, "place": {"Lat": 1}, "Tag": "a"}', b'{"userid": 2, "place": {"lat": 2}, "tag": "b"}'] * 20)
    with lake.writer() as writer:
        metadata = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())
        writer.sql(f'CREATE TABLE lake.t ("UserId" INTEGER, "Tag" VARCHAR, place STRUCT("Lat" DOUBLE), {metadata})')
    done = pintail.ingest_all(
        lake, topic, "--table", "t", "--flush-rows", flush_rows, "--schema", '"userid" INTEGER, place STRUCT("lat" DOUBLE)'
    )
    said = [line for line in done.err.splitlines() if "no column has" in line]  # each name once
    assert (
        " ".join(said).count("UserId") == " ".join(said).count("place.Lat") == 1
        and "userid" not in " ".join(said)
        and all(topic in line for line in said)
    ), said
    with lake.reader() as reader:
        assert sorted(reader.sql("SELECT UserId, Tag, place.Lat, count(*) FROM lake.t GROUP BY ALL"), key=str) == [
            (2, None, 2.0, 20),
            (None, "a", None, 20),
        ]
        assert list(reader.columns("t"))[:2] == ["UserId", "Tag"] and reader.dead_letters() == []
    with lake.writer() as writer:
        writer.sql("CALL ducklake_flush_inlined_data('lake')")
        writer.sql("CALL ducklake_merge_adjacent_files('lake')")
        assert writer.one("SELECT count(UserId) FROM lake.t") == 20
    # Without a schema it is the table's spelling.
    pintail.ingest_all(lake, topic, "--table", "t", "--group", f"another-{topic}")
    with lake.reader() as reader:
        assert reader.one("SELECT count(*) FROM lake.t WHERE UserId = 1 AND place.Lat = 1") == 20


@on("duckdb")
@pytest.mark.parametrize("kind, advice", [("HUGEINT", "DECIMAL(38,0)"), ("UHUGEINT", "DECIMAL(38,0)"), ("TIMETZ", "use TIME")])
def test_types_that_a_lake_corrupts_are_refused_with_advice(pintail, lake, kafka, kind, advice):
    topic = kafka.create_topic(1)
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", "--schema", f"a INTEGER, wide {kind}"), code=2)
    assert "wide" in done.err and advice in done.err and len(done.err.splitlines()) == 1, done.err


@pytest.mark.core
@pytest.mark.parametrize("flush_rows", [200_000, 4], ids=["staged", "inlined"])
def test_the_sign_of_zero_lands_as_sent_however_deep_it_stands(pintail, lake, kafka, flush_rows):
    topic = kafka.create_topic(1)
    zeros = ["0.0", "-0.0", "0", "-0", "-0e5", "1e-400", "-1e-400", "-0.00000", "0.0", "1.5"]
    records = [
        f'{{"d": {z}, "f": {z}, "l": [{z}, 0.0, -0.0], "s": {{"f": {z}}}, "m": {{"k": {z}, "z": 0}}, "t": "repeated"}}' for z in zeros
    ]
    kafka.produce(topic, [r.encode() for r in records] * 3)
    pintail.ingest_all(
        lake,
        topic,
        "--schema",
        "d DOUBLE, f FLOAT, l DOUBLE[], s STRUCT(f FLOAT), m MAP(VARCHAR, DOUBLE), t VARCHAR",
        "--flush-rows",
        flush_rows,
        "--fold-interval",
        "1ms",
    )
    signs = [bool(math.copysign(1, float(z)) < 0) for z in zeros]
    with lake.reader() as reader:
        got = reader.sql(
            f"SELECT signbit(d), signbit(f), signbit(l[1]), signbit(s.f), signbit(m['k']), signbit(l[2]), signbit(l[3]), "
            f"signbit(m['z']) FROM lake.{quoted(topic)} ORDER BY _kafka_offset"
        )
    assert got == [(sign,) * 5 + (False, True, False) for sign in signs] * 3
