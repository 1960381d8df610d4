"""The lake's own settings are law, at whatever scope: pintail's files are those that a stock INSERT of the same rows would write."""

import json

import pytest
from support import on
from support.judge import assert_exactly_once
from support.lake import quoted
from support.progress import wait_landed

SCHEMA = "id INTEGER, s VARCHAR"
METADATA = "_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ"
ROWS = 6000
COLUMNS = ("id", "s")
# What is said of a table by set_option, each of these at its own scope; {} is nothing.
SAID = {
    "nothing": {},
    "zstd": {"parquet_compression": "zstd", "parquet_compression_level": "19"},
    "uncompressed, version 1": {"parquet_compression": "uncompressed", "parquet_version": "1"},
    "version 2": {"parquet_version": "2"},
    "groups": {"parquet_row_group_size": "2048"},
    "size": {"target_file_size": "20KB"},
    "threads": {"per_thread_output": "true"},
}


def value(i):
    return json.dumps({"id": i * 7919 % ROWS, "s": f"text {i * 7919 % ROWS} " + "x" * 40}).encode()


def expected(v):
    r = json.loads(v)
    return r["id"], r["s"]


def scope_of(scope, table):
    return {"lake": "", "schema": ", schema => 'main'", "table": f", schema => 'main', table_name => '{table}'"}[scope]


def say(writer, said, scope, table):
    for name, setting in said.items():
        writer.sql(f"CALL lake.set_option('{name}', '{setting}'{scope_of(scope, table)})")


def look(reader, table, since=()):
    """What its files are like: codec, version of the pages (by their encodings), rows of the groups, order, how many."""
    files = [f for f in (path for _, name, path, _, _ in reader.data_files() if name == table) if f not in since]
    out = []
    for file in sorted(files):
        (version,) = reader.sql(f"SELECT format_version FROM parquet_file_metadata('{file}')")
        codecs = reader.sql(f"SELECT list(DISTINCT compression ORDER BY compression) FROM parquet_metadata('{file}') WHERE path_in_schema IN ('id', 's')")
        groups = [n for (n,) in reader.sql(f"SELECT max(row_group_num_rows) FROM parquet_metadata('{file}') GROUP BY row_group_id ORDER BY row_group_id")]
        ids = [n for (n,) in reader.sql(f"SELECT id FROM read_parquet('{file}', file_row_number => true) ORDER BY file_row_number")]
        out.append({"version": version, "codecs": codecs, "groups": groups, "sorted": ids == sorted(ids, reverse=True), "s": size_of(reader, file)})
    return out


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


@on("sqlite")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scope", ["lake", "schema", "table"])
def test_files_are_those_of_a_stock_insert_whatever_the_lake_says(pintail, lake, kafka, tmp_path, scope):
    """Each setting, said of the lake, of a schema or of a table, also together with others."""
    source = kafka.create_topic(1)
    kafka.produce(source, [value(i) for i in range(ROWS)])
    said = dict(SAID)
    if scope != "table":  # one lake, one set: all that can stand together
        said = {"together": {**SAID["zstd"], **SAID["version 2"], **SAID["groups"]}}
    with lake.writer() as writer:
        for n, (what, settings) in enumerate([*said.items(), ("sorted", {}), ("sorted, but not on insert", {"sort_on_insert": "false"})]):
            for table in (f"mine{n}", f"stock{n}"):
                writer.sql(f"CREATE TABLE lake.{table} ({SCHEMA}, {METADATA})")
                say(writer, settings, scope if what not in ("sorted, but not on insert",) else "table", table)
                if what.startswith("sorted"):
                    writer.sql(f"ALTER TABLE lake.{table} SET SORTED BY (id DESC)")
    config = tmp_path / "ingest.yaml"
    for n in range(len(said) + 2):
        config.write_text(json.dumps({"group": f"g{n}-{source}", "topics": [{"topic": source, "table": f"mine{n}"}], "flush": {"rows": 100000}}))
        pintail.run(*pintail.ingest_args(lake, None, "--config", config, "--until-end"))
    names = [*said, "sorted", "sorted, but not on insert"]
    with lake.writer() as writer:
        for n, what in enumerate(names):
            writer.sql(f"INSERT INTO lake.stock{n} FROM lake.mine{n} ORDER BY _kafka_offset")
        for n, what in enumerate(names):
            assert_like(look(writer, f"mine{n}"), look(writer, f"stock{n}"), said.get(what, {}))
            assert writer.one(f"SELECT count(DISTINCT id) FROM lake.mine{n}") == ROWS
    with lake.reader() as reader:
        for n, what in enumerate(names):
            assert assert_exactly_once(reader, kafka, source, f"mine{n}", f"g{n}-{source}", expected=expected, columns=COLUMNS, select={}) == (ROWS, 0), what


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
