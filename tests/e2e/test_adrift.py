"""A relative data path counts from the working directory: from elsewhere nothing may be written, or the lake is split."""

import os

import pytest
from support import on, orders
from support.kafka import STEADY

ARGS = ("--schema", orders.SCHEMA, *STEADY)


def tree(folder) -> set:
    return {os.path.relpath(os.path.join(at, name), folder) for at, folders, files in os.walk(folder) for name in folders + files}


@on("sqlite", "postgres", "duckdb")
def test_a_relative_data_path_from_another_folder_is_refused_by_all_that_write_and_leaves_nothing_behind(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    lake.data_path = "data/"
    pintail.ingest_all(lake, topic, *ARGS, "--inline-rows", "0", cwd=home)
    kafka.produce(topic, orders.orders(10, 2))
    for arguments in (
        pintail.ingest_args(lake, topic, *ARGS, "--until-end"),
        ["reset", *lake.args, "--brokers", kafka.address, "--topic", topic],
        ["sql", "--lake", lake.text, "-c", "INSERT INTO t VALUES (1)"],
    ):
        done = pintail.run(*arguments, cwd=elsewhere, code=2)
        assert len(done.err.splitlines()) == 1 and all(word in done.err for word in (str(elsewhere), "data/")), done.err
        assert tree(elsewhere) == set(), arguments[0]
    # The same when that folder has one of that name, of another lake perhaps.
    (elsewhere / "data" / "main" / topic).mkdir(parents=True)
    assert "not there" in pintail.run(*pintail.ingest_args(lake, topic, *ARGS, "--until-end"), cwd=elsewhere, code=2).err
    assert tree(elsewhere) == {"data", "data/main", f"data/main/{topic}"}
    pintail.ingest_all(lake, topic, *ARGS, cwd=home)
    done = pintail.run(
        "sql",
        "--lake",
        lake.text,
        "-c",
        f'SELECT count(DISTINCT (_kafka_partition, _kafka_offset)) FROM "{topic}"',
        "--format",
        "csv",
        cwd=home,
    )
    assert done.out.split()[-1] == "110", done.out


@on("sqlite")
def test_a_lake_whose_disk_is_not_mounted_is_not_written_to(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    pintail.ingest_all(lake, topic, *ARGS, "--inline-rows", "0")
    data = lake.folder / "data"
    data.rename(lake.folder / "away")
    data.mkdir()  # the mount point
    done = pintail.ingest_all(lake, topic, *ARGS, code=2)
    assert "mounted" in done.err and str(data) in done.err, done.err
    assert tree(data) == set()


@on("sqlite", "postgres")
def test_a_start_that_the_lake_refuses_leaves_no_folder_behind(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    where = tmp_path / "here"
    where.mkdir()
    if lake.catalog == "sqlite":  # a new lake without a data path
        pintail.run(
            "ingest",
            "--brokers",
            kafka.address,
            "--topic",
            topic,
            "--lake",
            "ducklake:sqlite:catalog/x.sqlite",
            *ARGS,
            "--until-end",
            cwd=where,
            code=2,
        )
    pintail.run(
        "ingest",
        "--brokers",
        kafka.address,
        "--topic",
        topic,
        "--lake",
        lake.text,
        "--data-path",
        "one/two/",
        "--until-end",
        cwd=where,
        code=2,
    )  # a table that is not there
    assert tree(where) == set()
    pintail.ingest_all(lake, topic, *ARGS)
    done = pintail.run(
        "ingest",
        "--brokers",
        kafka.address,
        "--topic",
        topic,
        "--lake",
        lake.text,
        "--data-path",
        "one/two/",
        *ARGS,
        "--until-end",
        cwd=where,
        code=2,
    )  # not the lake's own
    assert "one/two/" in done.err and tree(where) == set(), done.err


@pytest.mark.core
@on("sqlite", "postgres")
def test_a_lake_of_which_only_a_part_is_there_is_noticed(pintail, lake, kafka, tmp_path):
    """Many old files that are there do not hide that the newest ones are not, nor one table another."""
    old, new = kafka.create_topic(1), kafka.create_topic(1)
    group = ("--group", f"g-{old}")
    for topic, flush in (old, "5"), (new, "10"):
        kafka.produce(topic, orders.orders(60))
        pintail.ingest_all(lake, topic, *ARGS, *group, "--inline-rows", "0", "--flush-rows", flush)
    oldest, newest = (tmp_path.joinpath("data", "main", t) for t in (old, new))
    newest.rename(tmp_path / "moved")
    done = pintail.ingest_all(lake, old, *ARGS, *group, code=2)
    assert "not there" in done.err and str(newest) in done.err, done.err
    (tmp_path / "moved").rename(newest)
    oldest.rename(tmp_path / "moved")
    done = pintail.ingest_all(lake, new, *ARGS, *group)
    said = [line for line in done.err.splitlines() if "catalog names are not there" in line]
    assert len(said) == 1 and str(oldest) in said[0] and "missing=" in said[0], done.err
    (tmp_path / "moved").rename(oldest)
    assert "not there" not in pintail.ingest_all(lake, old, *ARGS, *group).err


@on("sqlite")
def test_a_lake_without_files_says_so_when_its_folder_is_not_here(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10))
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    lake.data_path = "data/"
    for _ in range(2):  # the first start makes it
        assert "working directory" not in pintail.ingest_all(lake, topic, *ARGS, cwd=home).err
    done = pintail.ingest_all(lake, topic, *ARGS, cwd=elsewhere)
    said = [line for line in done.err.splitlines() if "working directory" in line]
    assert len(said) == 1 and str(elsewhere) in said[0] and "data_path=data/" in said[0], done.err
