"""The columns that pintail adds: filled by it alone, whoever made the table."""

import pytest
from support import on, orders
from support.lake import quoted

METADATA = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())
FORGED = b'{"a": 1, "_kafka_topic": "forged", "_kafka_offset": 77, "_KAFKA_PARTITION": 9, "ingest_time": 0}'


def make(lake, table, columns):
    with lake.writer() as writer:
        writer.sql(f"CREATE TABLE lake.{quoted(table)} ({columns})")


@on("sqlite")
@pytest.mark.parametrize("flush_rows", [200_000, 5], ids=["staged", "inlined"])
def test_a_topic_column_that_is_in_the_table_is_filled_by_pintail_and_never_by_the_payload(pintail, lake, kafka, flush_rows):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"a": 0}', FORGED] * 50)
    make(lake, "t", f"a INTEGER, _kafka_topic VARCHAR, {METADATA}")
    pintail.ingest_all(lake, topic, "--table", "t", "--flush-rows", flush_rows)
    with lake.reader() as reader:
        assert reader.sql(
            "SELECT _kafka_topic, _kafka_partition, min(_kafka_offset), max(_kafka_offset), count(*), min(year(ingest_time)) > 2000 FROM lake.t GROUP BY ALL"
        ) == [(topic, 0, 0, 99, 100, True)]
        assert reader.dead_letters() == []
    pintail.run("check", *lake.args, "--brokers", kafka.address)


@on("sqlite")
@pytest.mark.parametrize("name", ["_kafka_topic", "_Kafka_Topic"])
def test_the_topic_columns_name_is_reserved(pintail, lake, name):
    done = pintail.run(
        "ingest", "--brokers", "127.0.0.1:1", "--topic", "t", *lake.args, "--schema", f"a INTEGER, {name} VARCHAR", code=2, timeout=20
    )
    assert name in done.err and "metadata" in done.err, done.err


@on("sqlite")
def test_a_topic_column_of_another_type_is_refused(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    make(lake, "t", f"a INTEGER, _kafka_topic INTEGER, {METADATA}")
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", "--table", "t"), code=2)
    assert "_kafka_topic" in done.err and "VARCHAR" in done.err, done.err


# ---- a second topic by a command of its own


@on("sqlite")
def test_a_second_topic_for_a_table_without_topic_column_is_refused_until_the_advice_is_followed(pintail, lake, kafka):
    first, second = kafka.create_topic(1), kafka.create_topic(1)
    kafka.produce(first, [b'{"a": 1}'] * 3)
    kafka.produce(second, [b'{"a": 2}'] * 2)
    pintail.ingest_all(lake, first, "--table", "t", "--schema", "a INTEGER")
    done = pintail.run(*pintail.ingest_args(lake, second, "--until-end", "--table", "t"), code=2)
    said = done.err.splitlines()[-1]
    assert first in said and "_kafka_topic" in said, said
    with lake.writer() as writer:
        assert writer.rows("t") == 3
        for statement in said[said.index("ALTER") : said.index("; or ")].split("; "):
            writer.sql("USE lake")
            writer.sql(statement)
    for topic in (second, first, second):
        pintail.ingest_all(lake, topic, "--table", "t", "--group", f"pintail-{topic}")
    with lake.reader() as reader:
        # The first one's rows again: its group is another one now.
        assert sorted(reader.sql("SELECT _kafka_topic, a, count(*) FROM lake.t GROUP BY ALL")) == sorted([(first, 1, 6), (second, 2, 2)])


@on("duckdb")
def test_the_same_topic_in_another_group_needs_no_topic_column(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"a": 1}'])
    pintail.ingest_all(lake, topic, "--table", "t", "--schema", "a INTEGER")
    pintail.ingest_all(lake, topic, "--table", "t", "--group", f"another-{topic}")
    with lake.reader() as reader:
        assert reader.rows("t") == 2


@on("duckdb")
def test_a_table_that_is_made_anew_for_another_topic_has_the_topic_column(pintail, lake, kafka):
    first, second = kafka.create_topic(1), kafka.create_topic(1)
    for topic in (first, second):
        kafka.produce(topic, [b'{"a": 1}'])
    pintail.ingest_all(lake, first, "--table", "t", "--schema", "a INTEGER")
    with lake.writer() as writer:
        writer.sql("DROP TABLE lake.t")
    for _ in range(2):
        pintail.ingest_all(lake, second, "--table", "t", "--schema", "a INTEGER")
    with lake.reader() as reader:
        assert reader.sql("SELECT _kafka_topic FROM lake.t") == [(second,)]


# ---- key and headers

BINARY = bytes(range(256))
RECORDS = [
    {"key": None, "headers": []},
    {"key": b"", "headers": [("h", b"")]},
    {"key": b"k", "headers": [("h", None)]},
    {"key": BINARY, "headers": [("same", b"1"), ("other", BINARY), ("same", b"2"), ("same", None)]},
    {"key": "Schlüssel 'mit' \"allem\" \\ und mehr".encode(), "headers": [("Überschrift \"'\\", "zwölf, \"'\\ und etwas länger".encode())]},
]
HEADERS = 'STRUCT("key" VARCHAR, "value" BLOB)[]'


def produce_all_kinds(kafka, topic):
    kafka.produce(
        topic,
        [{**r, "value": b'{"a": %d, "_kafka_key": "forged", "_kafka_headers": []}' % i, "partition": 0} for i, r in enumerate(RECORDS)],
    )


def assert_all_kinds(reader, table, times=1):
    for i, r in enumerate(RECORDS):
        rows = reader.sql(f"SELECT _kafka_key, _kafka_headers FROM lake.{quoted(table)} WHERE a = {i}")
        assert rows == [(r["key"], [{"key": k, "value": v} for k, v in r["headers"]])] * times


@pytest.mark.parametrize("way", ["staged", "inlined", "partitioned"])
def test_key_and_headers_are_in_the_table_byte_for_byte(pintail, lake, kafka, way):
    topic = kafka.create_topic(1)
    produce_all_kinds(kafka, topic)
    options = ["--key-column", "--headers-column", "--topic-column", "--inline-rows", 30 if way == "inlined" else 0]
    if way == "partitioned":
        make(lake, topic, f"a INTEGER, {METADATA}, _kafka_topic VARCHAR, _kafka_key BLOB, _kafka_headers STRUCT(key VARCHAR, value BLOB)[]")
        with lake.writer() as writer:
            writer.sql(f"ALTER TABLE lake.{quoted(topic)} SET PARTITIONED BY (a)")
    pintail.ingest_all(lake, topic, "--schema", "a INTEGER", *options)
    with lake.reader() as reader:
        assert list(reader.columns(topic).items()) == [
            ("a", "INTEGER"),
            *orders.METADATA.items(),
            ("_kafka_topic", "VARCHAR"),
            ("_kafka_key", "BLOB"),
            ("_kafka_headers", HEADERS),
        ]
        assert_all_kinds(reader, topic)
    produce_all_kinds(kafka, topic)
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert_all_kinds(reader, topic, 2)
    with lake.writer() as writer:
        writer.sql("CALL ducklake_flush_inlined_data('lake')")
        writer.sql("CALL ducklake_merge_adjacent_files('lake')")
    with lake.reader() as reader:
        assert_all_kinds(reader, topic, 2)
        assert reader.dead_letters() == []


@on("sqlite")
def test_key_and_headers_come_and_go_in_large_flushes(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(
        topic,
        [
            {
                "value": b'{"a": %d}' % i,
                "key": b"key %d" % i if i % 3 else None,
                "headers": [("n", b"%d" % k) for k in range(i % 4)],
                "partition": 0,
            }
            for i in range(20_000)
        ],
    )
    pintail.ingest_all(lake, topic, "--schema", "a INTEGER", "--key-column", "--headers-column", "--flush-rows", 7000)
    with lake.reader() as reader:
        assert (
            reader.one(f"""SELECT count(*) FROM lake.{quoted(topic)} WHERE _kafka_key IS NOT DISTINCT FROM (CASE WHEN a % 3 > 0 THEN 'key ' || a END)::BLOB
                              AND _kafka_headers = [{{'key': 'n', 'value': k::VARCHAR::BLOB}} FOR k IN range(a % 4)]""")
            == 20_000
        )


@on("duckdb")
@pytest.mark.parametrize(
    "columns, words",
    [
        ("_kafka_key VARCHAR", ["_kafka_key", "BLOB"]),
        ("_kafka_key BLOB NOT NULL", ["_kafka_key", "DROP NOT NULL"]),
        ("_kafka_headers MAP(VARCHAR, BLOB)", ["_kafka_headers", "STRUCT(key VARCHAR, value BLOB)[]"]),
    ],
)
def test_key_and_headers_columns_of_another_type_are_refused(pintail, lake, kafka, columns, words):
    topic = kafka.create_topic(1)
    make(lake, topic, f"a INTEGER, {METADATA}, {columns}")
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=2)
    assert all(word in done.err for word in words), done.err


@on("duckdb")
def test_a_table_that_lacks_a_column_asked_for_is_refused_with_the_statement_that_adds_it(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    produce_all_kinds(kafka, topic)
    make(lake, topic, f"a INTEGER, {METADATA}")
    done = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", "--headers-column"), code=2)
    with lake.writer() as writer:
        writer.sql("USE lake")
        writer.sql(done.err[done.err.index("ALTER") :].replace(f"TABLE {topic}", f"TABLE {quoted(topic)}"))
    pintail.ingest_all(lake, topic, "--headers-column")
    with lake.reader() as reader:
        assert reader.one(f"SELECT count(*) FROM lake.{quoted(topic)} WHERE len(_kafka_headers) > 0") == 4
