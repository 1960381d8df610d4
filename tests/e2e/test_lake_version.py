"""A catalog of another DuckLake, or in a file of a newer DuckDB: one line with the version found, the one that pintail speaks,
and what helps on the other side."""

import struct
from pathlib import Path

import pytest
from support import on, orders
from support.progress import wait_landed

SCHEMA = ("--schema", orders.SCHEMA)


def migrate(lake, version="1.1"):
    with lake.writer() as writer:
        writer.sql(f"UPDATE __ducklake_metadata_lake.ducklake_metadata SET value = '{version}' WHERE key = 'version'")


def assert_told(text, *words):
    line = text.strip().splitlines()[-1]
    assert all(word in line for word in words), text
    assert "AUTOMATIC_MIGRATION to TRUE" not in text, text  # DuckLake's own advice would lock pintail out for good


def make(lake):
    with lake.writer() as writer:
        writer.sql("CREATE TABLE lake.t AS SELECT 1 AS a")


@pytest.mark.core
def test_a_lake_of_a_newer_ducklake_is_told_with_both_versions_and_the_way_out(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    make(lake)
    migrate(lake)
    for code, command in (
        (1, pintail.ingest_args(lake, topic, *SCHEMA, "--until-end")),
        (2, ["check", *lake.args]),
        (1, ["sql", *lake.args, "-c", "FROM lake.t"]),
    ):
        done = pintail.run(*command, code=code)
        assert_told(done.err, "1.1", "1.0", "DUCKLAKE_VERSION '1.0'")


@on("sqlite")
def test_a_lake_of_an_older_ducklake_is_told_how_it_gets_newer(pintail, lake):
    make(lake)
    migrate(lake, "0.3")
    assert_told(pintail.run("check", *lake.args, code=2).err, "0.3", "1.0", "AUTOMATIC_MIGRATION")


@on("sqlite", "postgres")
def test_a_lake_that_is_migrated_while_ingest_runs_ends_it_before_anything_is_written(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    process = pintail.ingest(lake, topic, *SCHEMA, "--group", f"g-{topic}", "--flush-interval", "100ms")
    kafka.produce(topic, orders.orders(100))
    wait_landed(process, lake, kafka, topic, 100, f"g-{topic}", timeout=60)
    lake.close()
    migrate(lake)
    kafka.produce(topic, orders.orders(100))
    done = process.wait(60)
    assert done.code == 1
    assert_told(done.err, "1.1", "1.0", "DUCKLAKE_VERSION '1.0'")


def checksum(block: bytes) -> int:
    """DuckDB's, of the header of a database file."""
    result = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        result ^= word * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    return result


@on("duckdb")
@pytest.mark.parametrize("sound", [True, False])
def test_a_catalog_file_of_a_newer_duckdb_is_told_with_both_versions(pintail, lake, sound):
    make(lake)
    path = Path(lake.text.removeprefix("ducklake:"))
    content = bytearray(path.read_bytes())
    assert struct.unpack_from("<Q", content)[0] == checksum(content[8:4096])
    struct.pack_into("<Q", content, 12, 69)
    if sound:
        struct.pack_into("<Q", content, 0, checksum(content[8:4096]))
    path.write_bytes(content)
    assert_told(pintail.run("check", *lake.args, code=2).err, "69", "68", "STORAGE_VERSION", "DUCKLAKE_VERSION '1.0'")
