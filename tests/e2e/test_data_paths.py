"""What a data path is called changes nothing: not where DuckDB takes folders named key=value for columns, or stars in a name for a pattern."""

import json
import shutil
import uuid

import pytest
from support import on
from support.judge import assert_exactly_once
from support.lake import Lake, quoted
from test_inlined import inlined

SCHEMA = "id INTEGER, region VARCHAR, size INTEGER, content VARCHAR"
METADATA = "_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ"
COLUMNS = ("id", "region", "size", "content")
KEYS = "region=eu/_kafka_offset=7/id=7/size=5/content=c/filename=f"
MANY, FEW = 60, 3
OLD = "00000000-0000-7000-8000-000000000000"  # the name of a file that was staged in 1970


def expected(value):
    record = json.loads(value)
    return tuple(record[name] for name in COLUMNS)


def records(count):
    return [json.dumps({"id": i, "region": f"r{i}", "size": i % 2, "content": f"c{i}"}).encode() for i in range(count)]


def fill(pintail, kafka, lake, tmp_path):
    """Rows by every way into the lake: a staged file, an INSERT whose files are guarded, rows in the catalog that are folded; and a dead letter."""
    staged, parted, few = (kafka.create_topic(1) for _ in range(3))
    kafka.produce(staged, [*records(MANY), b"broken"])
    kafka.produce(parted, records(MANY))
    kafka.produce(few, records(FEW))
    with lake.writer() as writer:
        writer.sql(f"CREATE TABLE lake.{quoted(parted)} ({SCHEMA}, {METADATA})")
        writer.sql(f"ALTER TABLE lake.{quoted(parted)} SET PARTITIONED BY (size)")
    config = tmp_path / f"{uuid.uuid4()}.yaml"
    config.write_text(
        json.dumps(
            {
                "group": f"g-{staged}",
                "flush": {"interval": "200ms"},
                "fold_interval": "1ms",
                "topics": [{"topic": t, "schema": SCHEMA} for t in (staged, parted, few)],
            }
        )
    )
    process = pintail.start(*pintail.ingest_args(lake, None, "--config", config))
    in_ledger = "SELECT coalesce(sum(row_count + dead_letter_count), 0)::BIGINT FROM lake.pintail.offsets"
    process.wait_for(lambda: lake.read(lambda r: r.one(in_ledger) == 2 * MANY + FEW + 1 and inlined(r, few) == 0), 60, "all rows in files")
    process.stop()
    warned = [line for line in process.err.splitlines() if "level=warn" in line]
    assert len(warned) == 1 and "dead letter" in warned[0], process.err
    with lake.reader() as reader:
        for topic, rows, dead in ((staged, MANY, 1), (parted, MANY, 0), (few, FEW, 0)):
            assert assert_exactly_once(reader, kafka, topic, pipeline=f"g-{staged}", expected=expected, columns=COLUMNS, select={}) == (
                rows,
                dead,
            )
    checked = pintail.run("check", *lake.args)
    assert "sound" in checked.out, checked.out
    counted = pintail.run("sql", *lake.args, "--format", "csv", "-c", f"SELECT sum(id) AS n, max(region) AS r FROM lake.{quoted(staged)}")
    assert counted.out.splitlines()[1] == f"{MANY * (MANY - 1) // 2},r9"


@pytest.mark.parametrize("name", [KEYS, "a*b[c]?d", 'it\'s "a" lake {x,y} süß%2F#1&b;$c', "[", "**"])
def test_each_way_into_the_lake_holds_whatever_the_folders_are_called(pintail, kafka, tmp_path, name):
    lake = Lake("sqlite", tmp_path / name)
    fill(pintail, kafka, lake, tmp_path)
    lake.close()


@on("sqlite")
@pytest.mark.parametrize("name", [KEYS, "a*b[c]d süß%"])
def test_the_same_on_an_object_store(pintail, lake, s3, kafka, tmp_path, name):
    lake.move_to(s3)
    lake.data_path += f"/{name}"
    pintail.env = s3.environment
    fill(pintail, kafka, lake, tmp_path)


@on("sqlite")
def test_files_of_a_folder_that_the_data_path_would_match_are_left_alone(pintail, lake, kafka, tmp_path):
    """--data-path lake[12] is not lake1: neither are its files taken in, nor removed as leftovers."""
    topic = kafka.create_topic(1)
    kafka.produce(topic, records(MANY))
    lake.data_path = f"{tmp_path}/lake[12]/"
    args = ("--schema", SCHEMA, "--group", f"g-{topic}")
    pintail.ingest_all(lake, topic, *args)
    with lake.reader() as reader:
        name = f"{OLD}-{reader.mark(topic)}.pq"
    neighbour, own = (tmp_path / folder / "main" / topic / name for folder in ("lake1", "lake[12]"))
    for file in (neighbour, own):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"staged long ago")
    pintail.ingest_all(lake, topic, *args)
    assert neighbour.exists() and not own.exists()
    shutil.rmtree(tmp_path / "lake1")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, pipeline=f"g-{topic}", expected=expected, columns=COLUMNS, select={}) == (MANY, 0)


@pytest.mark.parametrize("partitioned", [False, True], ids=["staged", "partitioned"])
@on("sqlite")
def test_two_lakes_with_one_data_path_take_none_of_each_others_files_for_leftovers(pintail, lake, kafka, tmp_path, partitioned):
    """Rows, dead letters, the ledger, and guards that a process left: all of the other lake's files are older than
    --leftover-age and in no snapshot of this one."""
    topic = kafka.create_topic(1)
    bad = [b"none %d" % i for i in range(MANY)]
    kafka.produce(topic, records(MANY) + bad)
    lakes = [lake, Lake("sqlite", tmp_path / "other")]
    lakes[1].data_path = lake.data_path
    groups = [f"g-{topic}", f"h-{topic}"]
    for each, group in zip(lakes, groups):
        if partitioned:
            with each.writer() as writer:
                writer.sql(f"CREATE TABLE lake.{quoted(topic)} ({SCHEMA}, {METADATA})")
                writer.sql(f"ALTER TABLE lake.{quoted(topic)} SET PARTITIONED BY (size)")
        pintail.ingest_all(each, topic, "--schema", SCHEMA, "--group", group, "--inline-rows", "0")
        with each.reader() as reader:
            guard = f"{each.data_path}main/{topic}/guard-{OLD}-{reader.mark(topic)}-00000001.pq"
        with open(guard, "wb") as file:
            file.write(b"of a process that died")
    kept = set(lake.files())
    done = pintail.ingest_all(lake, topic, "--group", groups[0], "--leftover-age", "0s")
    assert "removed=1" in done.err, done.err
    gone = kept - set(lake.files())
    assert len(gone) == 1 and "guard-" in str(gone), gone
    for each, group in zip(lakes, groups):
        with each.reader() as reader:
            assert assert_exactly_once(reader, kafka, topic, pipeline=group, expected=expected, columns=COLUMNS, select={}) == (MANY, MANY)
    lakes[1].close()


@pytest.mark.parametrize("path, why", [("a\\b", "backslash"), ("~/data", "home folder"), ("s3://bucket/a?b", "'?'")])
def test_a_data_path_that_duckdb_cannot_name_is_refused_before_anything_is_made(pintail, kafka, tmp_path, path, why):
    topic = kafka.create_topic(1)
    done = pintail.run(
        "ingest",
        "--brokers",
        kafka.address,
        "--topic",
        topic,
        "--schema",
        SCHEMA,
        "--until-end",
        "--lake",
        f"ducklake:sqlite:{tmp_path}/new/lake.sqlite",
        "--data-path",
        path,
        code=2,
        cwd=tmp_path,
    )
    assert why in done.err and len(done.err.strip().splitlines()) == 1, done.err
    assert not (tmp_path / "new").exists() and not (tmp_path / path).exists()
