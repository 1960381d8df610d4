"""The lake's own settings are law, at whatever scope: pintail's files are those that a stock INSERT of the same rows would write."""

import contextlib
import json
import sqlite3

import pytest
from support import on
from support.judge import assert_exactly_once
from support.lake import quoted
from support.progress import wait_landed

SCHEMA = "id INTEGER, s VARCHAR"
METADATA = "_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ"
ROWS = 6000
COLUMNS = ("id", "s")
# What is said by set_option; {} is nothing.
SAID = {
    "nothing": {},
    "zstd": {"parquet_compression": "zstd", "parquet_compression_level": "19"},
    "uncompressed, version 1": {"parquet_compression": "uncompressed", "parquet_version": "1"},
    "version 2": {"parquet_version": "2"},
    "groups": {"parquet_row_group_size": "2048"},
    "group bytes": {"parquet_row_group_size_bytes": "60KB"},
    "size": {"target_file_size": "5KB", "parquet_row_group_size": "2048"},
    "threads": {"per_thread_output": "true"},
    "no hive names": {"hive_file_pattern": False},
    "hive names": {"hive_file_pattern": True},
    "sorted": {},
    "sorted, but not on insert": {"sort_on_insert": "false"},
}

AT_LAKE = [
    (what, SAID[what]) for what in ("zstd", "uncompressed, version 1", "group bytes", "size", "no hive names")
]  # one after the other in one lake, a start each


def value(i):
    return json.dumps({"id": i * 7919 % ROWS, "s": f"text {i * 7919 % ROWS} " + "x" * 40}).encode()


def expected(v):
    r = json.loads(v)
    return r["id"], r["s"]


def scope_of(scope, schema, table):
    return {"lake": "", "schema": f", schema => '{schema}'", "table": f", schema => '{schema}', table_name => '{table}'"}[scope]


def look(reader, table, since=()):
    """What its files are like: codec, version of the pages (by their encodings), rows of the groups, order, how many."""
    files = [f for f in (path for _, name, path, _, _ in reader.data_files() if name == table) if f not in since]
    out = []
    for file in sorted(files):
        (version,) = reader.sql(f"SELECT format_version FROM parquet_file_metadata('{file}')")
        codecs = reader.sql(
            f"SELECT list(DISTINCT compression ORDER BY compression) FROM parquet_metadata('{file}') WHERE path_in_schema IN ('id', 's')"
        )
        groups = [
            n
            for (n,) in reader.sql(
                f"SELECT max(row_group_num_rows) FROM parquet_metadata('{file}') GROUP BY row_group_id ORDER BY row_group_id"
            )
        ]
        ids = [n for (n,) in reader.sql(f"SELECT id FROM read_parquet('{file}', file_row_number => true) ORDER BY file_row_number")]
        out.append(
            {
                "version": version,
                "codecs": codecs,
                "groups": groups,
                "folder": file.rsplit(f"/{table}/", 1)[1].rpartition("/")[0],
                "sorted": ids == sorted(ids, reverse=True),
                "s": size_of(reader, file),
            }
        )
    return sorted(out, key=lambda f: (f["folder"], -sum(f["groups"])))


def size_of(reader, file):
    """Compressed bytes of the text column: where a level shows."""
    return reader.one(f"SELECT sum(total_compressed_size)::BIGINT FROM parquet_metadata('{file}') WHERE path_in_schema = 's'")


def assert_like(mine, stock, said):
    assert len(mine) == len(stock), (mine, stock)
    for m, s in zip(mine, stock):
        if "parquet_compression" in said:
            assert m["codecs"] == s["codecs"], (m, s)
        if "parquet_compression_level" in said:
            assert m["s"] <= s["s"] * 1.1, (m, s)
        if "parquet_version" in said:
            assert m["version"] == s["version"], (m, s)
        assert m["groups"] == s["groups"], (m, s)
        assert m["sorted"] == s["sorted"], (m, s)
        assert m["folder"] == s["folder"], (m, s)


def make_tables(writer, n, what, schema):
    for table in (f"{schema}.mine{n}", f"{schema}.stock{n}"):
        writer.sql(f"CREATE TABLE lake.{table} ({SCHEMA}, {METADATA})")
        if what.startswith("sorted"):
            writer.sql(f"ALTER TABLE lake.{table} SET SORTED BY (id DESC)")
        if "hive" in what:
            writer.sql(f"ALTER TABLE lake.{table} SET PARTITIONED BY (_kafka_partition)")


def insert_like_stock(lake, n, schema):
    with lake.writer() as writer:  # it knows what is said from its ATTACH on
        writer.sql("SET preserve_insertion_order = false")  # or DuckDB refuses bytes of a row group; one thread keeps it all the same
        writer.sql("SET threads = 1")
        writer.sql(f"INSERT INTO lake.{schema}.stock{n} FROM lake.{schema}.mine{n} ORDER BY _kafka_offset")


@on("sqlite")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scope", ["lake", "schema", "table"])
def test_files_are_those_of_a_stock_insert_whatever_the_lake_says(pintail, lake, kafka, tmp_path, scope):
    """Each setting, said of the lake, of a schema or of a table."""
    sets = list(enumerate(AT_LAKE if scope == "lake" else SAID.items()))
    schema = {n: f"s{n}" if scope == "schema" else "main" for n, _ in sets}
    topics = {n: kafka.create_topic(1) for n, _ in sets}
    config = tmp_path / "ingest.yaml"
    group = f"g-{topics[0]}"

    def prepare(some):
        with lake.writer() as writer:
            if scope == "lake":
                writer.sql(
                    f"DELETE FROM __ducklake_metadata_lake.ducklake_metadata WHERE key IN ({', '.join(repr(k) for said in SAID.values() for k in said)})"
                )
            for n, (what, said) in some:
                writer.sql(f"CREATE SCHEMA IF NOT EXISTS lake.{schema[n]}")
                make_tables(writer, n, what, schema[n])
                for name, setting in said.items():
                    for table in (f"mine{n}", f"stock{n}") if scope == "table" else ("",):
                        writer.sql(f"CALL lake.set_option('{name}', {repr(setting).lower()}{scope_of(scope, schema[n], table)})")

    def ingest(some):
        config.write_text(
            json.dumps(
                {
                    "group": group,
                    "topics": [{"topic": topics[n], "table": f"{schema[n]}.mine{n}"} for n, _ in some],
                    "flush": {"rows": 1000000},
                }
            )
        )
        for n, _ in some:
            kafka.produce(topics[n], [value(i) for i in range(ROWS)])
        pintail.run(*pintail.ingest_args(lake, None, "--config", config, "--until-end"))
        for n, _ in some:
            insert_like_stock(lake, n, schema[n])

    for some in [[one] for one in sets] if scope == "lake" else [sets]:
        prepare(some)
        ingest(some)
    with lake.writer() as reader:
        for n, (what, said) in sets:
            assert_like(look(reader, f"mine{n}"), look(reader, f"stock{n}"), said)
            assert reader.one(f"SELECT count(DISTINCT id) FROM lake.{schema[n]}.mine{n}") == ROWS
            if scope != "schema":
                assert (
                    assert_exactly_once(reader, kafka, topics[n], f"mine{n}", group, expected=expected, columns=COLUMNS, select={})[1] == 0
                ), what


@on("sqlite", "postgres")
@pytest.mark.timeout(240)
def test_a_change_of_a_setting_holds_from_the_next_flush(pintail, lake, kafka):
    """Others' set_option makes no snapshot: of a staged table, and of one that takes INSERT."""
    staged, parted = kafka.create_topic(1), kafka.create_topic(1)
    with lake.writer() as writer:
        for table in (staged, parted):
            writer.sql(f"CREATE TABLE lake.{quoted(table)} ({SCHEMA}, {METADATA})")
        writer.sql(f"ALTER TABLE lake.{quoted(parted)} SET PARTITIONED BY (_kafka_partition)")
    group = f"g-{staged}"
    process = pintail.ingest(lake, staged, "--topic", parted, "--group", group, "--flush-interval", "200ms")
    seen, sent = {staged: set(), parted: set()}, 0

    def flush():
        nonlocal sent
        for topic in (staged, parted):
            kafka.produce(topic, [value(i) for i in range(1000)])
        sent += 1000
        for topic in (staged, parted):
            wait_landed(process, lake, kafka, topic, sent, group, timeout=90)
        with lake.reader() as reader:
            out = []
            for topic in (staged, parted):
                out.append({codec for f in look(reader, topic, seen[topic]) for (codecs,) in f["codecs"] for codec in codecs})
                seen[topic] |= {path for _, name, path, _, _ in reader.data_files() if name == topic}
            return out

    def change(name, setting):
        with lake.writer() as writer:
            writer.sql(f"CALL lake.set_option('{name}', '{setting}')")

    assert flush() == [{"SNAPPY"}, {"SNAPPY"}]
    change("parquet_compression", "zstd")
    assert flush() == [{"ZSTD"}, {"ZSTD"}]
    change("parquet_compression", "gzip")
    change("target_file_size", "100MB")  # now both take INSERT
    assert flush() == [{"GZIP"}, {"GZIP"}]
    change("parquet_row_group_size_bytes", "16KB")  # of the lake, so of pintail's own tables, too
    assert flush() == [{"GZIP"}, {"GZIP"}]
    change("data_inlining_row_limit", "1000")
    assert flush() == [set(), set()]  # they stay in the catalog
    change("expire_older_than", "7 days")  # which is none of a writer's business
    flush()
    process.stop()
    assert process.err.count("beginning again") == 4, process.err
    with lake.reader() as reader:
        for topic in (staged, parted):
            assert assert_exactly_once(reader, kafka, topic, pipeline=group, expected=expected, columns=COLUMNS, select={}) == (sent, 0)


@on("sqlite")
def test_a_table_that_becomes_sorted_is_written_in_order_from_the_next_flush(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    process = pintail.ingest(lake, topic, "--schema", SCHEMA, "--group", f"g-{topic}", "--flush-interval", "200ms")
    kafka.produce(topic, [value(i) for i in range(1000)])
    wait_landed(process, lake, kafka, topic, 1000, f"g-{topic}", timeout=60)
    with lake.writer() as writer:
        first = {path for _, name, path, _, _ in writer.data_files() if name == topic}
        writer.sql(f"ALTER TABLE lake.{quoted(topic)} SET SORTED BY (id DESC)")
    kafka.produce(topic, [value(i) for i in range(1000)])
    wait_landed(process, lake, kafka, topic, 2000, f"g-{topic}", timeout=60)
    process.stop()
    with lake.reader() as reader:
        assert all(f["sorted"] for f in look(reader, topic, first))
        assert assert_exactly_once(reader, kafka, topic, pipeline=f"g-{topic}", expected=expected, columns=COLUMNS, select={}) == (2000, 0)


# Written by hand into the catalog, since set_option refuses them: key, value, scope, and a word of what is expected.
BAD = [
    ("parquet_compression", "lz9", "lake", "zstd"),
    ("parquet_compression_level", "high", "table", "22"),
    ("parquet_version", "3", "schema", "1 or 2"),
    ("parquet_row_group_size", "0", "table", "1"),
    ("parquet_row_group_size_bytes", "-5", "lake", "bytes"),
    ("target_file_size", "big", "schema", "bytes"),
    ("per_thread_output", "maybe", "lake", "true"),
    ("hive_file_pattern", "", "table", "true"),
    ("data_inlining_row_limit", "ten", "lake", "rows"),
    ("sort_on_insert", "2x", "schema", "true"),
]


@on("sqlite")
def test_a_setting_that_cannot_be_is_blamed_with_its_scope(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [value(0)])
    pintail.ingest_all(lake, topic, "--schema", SCHEMA)
    metadata = "__ducklake_metadata_lake.ducklake_metadata"
    ids = {
        "lake": "NULL, NULL",
        "schema": "'schema', (SELECT schema_id FROM __ducklake_metadata_lake.ducklake_schema WHERE schema_name = 'main')",
        "table": f"'table', (SELECT table_id FROM __ducklake_metadata_lake.ducklake_table WHERE table_name = '{topic}')",
    }
    named = {"lake": "of the lake", "schema": "of schema main", "table": f"of table {topic}"}
    for key, setting, scope, words in BAD:
        with lake.writer() as writer:
            writer.sql(f"INSERT INTO {metadata} (key, value, scope, scope_id) SELECT '{key}', '{setting}', {ids[scope]}")
        done = pintail.ingest_all(lake, topic, code=None)
        last = done.err.splitlines()[-1]
        assert done.code == 1 and all(w in last for w in (key, f"'{setting}'", named[scope], words, "set_option")), (key, done.err)
        with contextlib.closing(sqlite3.connect(lake.text.removeprefix("ducklake:sqlite:"))) as catalog:
            catalog.execute(f"DELETE FROM ducklake_metadata WHERE key = '{key}' AND value = '{setting}'")
            catalog.commit()
    pintail.ingest_all(lake, topic)
    # Values that can be, and do not go together: set_option takes them, and an INSERT fails.
    with lake.writer() as writer:
        writer.sql("CALL lake.set_option('parquet_compression_level', '5')")
    kafka.produce(topic, [value(1)])
    done = pintail.ingest_all(lake, topic, code=1)
    assert "parquet_compression_level is 5, which is for zstd alone" in done.err.splitlines()[-1], done.err
    with lake.writer() as writer:
        writer.sql("CALL lake.set_option('parquet_compression', 'zstd')")
    pintail.ingest_all(lake, topic)
