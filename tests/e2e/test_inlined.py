"""A few rows stay in the catalog (DuckLake's inlining) and go to Parquet files later: how many, when, and that nothing is lost or doubled on the way."""

import copy
import json
import time
from pathlib import Path

import duckdb
import pytest
from support import long, on, orders
from support.crash import crashing
from support.judge import assert_exactly_once, assert_files_sound, assert_no_leftovers
from support.kafka import FAST_FAILOVER
from support.lake import quoted
from support.progress import wait_landed
from support.proxy import PostgresProxy, through, wait_struck
from support.sqlite_lock import holding

SCHEMA = ("--schema", orders.SCHEMA)
NEVER = ("--fold-interval", "1h")
FOLD = 'DELETE FROM "public".ducklake_inlined_data_'  # what DuckLake does in the transaction of a fold, and of nothing else here


def files(lake, table) -> int:
    with lake.reader() as reader:
        return sum(name == table for _, name, _, _, _ in reader.data_files())


def inlined(reader, table) -> int:
    """Rows of the table that the catalog holds."""
    meta = "__ducklake_metadata_lake"
    names = reader.sql(
        f"SELECT i.table_name FROM {meta}.ducklake_inlined_data_tables i JOIN {meta}.ducklake_table t USING (table_id) "
        "WHERE t.end_snapshot IS NULL AND t.table_name = ?",
        table,
    )
    return sum(reader.one(f"SELECT count(*) FROM {meta}.{quoted(name)}") for (name,) in names)


def produced(kafka, count, partitions=1):
    topic = kafka.create_topic(partitions)
    kafka.produce(topic, orders.orders(count))
    return topic


def make(lake, topic, *more, schema=orders.SCHEMA):
    with lake.writer() as writer:
        metadata = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())
        writer.sql(f"CREATE TABLE lake.{quoted(topic)} ({schema}, {metadata})")
        for statement in more:
            writer.sql(statement.format(table=f"lake.{quoted(topic)}", name=topic))


def assert_there(lake, kafka, topic, count, dead=0):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (count, dead)
    assert_no_leftovers(lake)


# ---- which rows


def test_a_small_flush_makes_no_file(pintail, lake, kafka):
    topic = produced(kafka, 300, partitions=2)
    pintail.ingest_all(lake, topic, *SCHEMA, *NEVER, "--flush-rows", "30")
    assert lake.files() == []
    with lake.reader() as reader:
        assert inlined(reader, topic) == 300
    assert_there(lake, kafka, topic, 300)


@on("sqlite")
@pytest.mark.parametrize(
    "option, limit, made",
    [
        ((), None, 0),
        (("--inline-rows", "29"), None, 4),
        (("--inline-rows", "0"), 1000, 4),
        ((), 29, 4),
        (("--inline-rows", "10"), 30, 0),
        (("--inline-rows", "1000"), 0, 4),
    ],
)
def test_how_many_rows_are_a_few(pintail, lake, kafka, option, limit, made):
    """The lake's own limit goes before the option; 0 makes files of all."""
    topic = produced(kafka, 120)
    if limit is not None:
        make(lake, topic, f"CALL lake.set_option('data_inlining_row_limit', {limit}, schema => 'main', table_name => '{{name}}')")
    pintail.ingest_all(lake, topic, *SCHEMA, *NEVER, "--flush-rows", "30", *option)
    assert files(lake, topic) == made
    assert_there(lake, kafka, topic, 120)


@on("sqlite")
def test_the_config_file_says_it_too(pintail, lake, kafka, tmp_path):
    topic = produced(kafka, 60)
    config = tmp_path / "ingest.yaml"
    config.write_text(
        f"flush: {{rows: 20}}\ninline_rows: 19\nfold_interval: 1ms\ntopics:\n  - {{topic: {topic}, schema: '{orders.SCHEMA}'}}\n"
    )
    args = pintail.ingest_args(lake, None, "--group", f"pintail-{topic}", "--config", str(config), "--until-end")
    pintail.run(*args)
    assert files(lake, topic) == 3
    wrong = pintail.run(*args, "--fold-interval", "0s", code=2)
    assert "--fold-interval" in wrong.err
    assert_there(lake, kafka, topic, 60)


@on("sqlite")
def test_few_rows_of_many_bytes_make_a_file(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [json.dumps({"s": "x" * 40_000}).encode()] * 2)
    pintail.ingest_all(lake, topic, "--schema", "s VARCHAR", *NEVER)
    assert files(lake, topic) == 1


@pytest.mark.core
@pytest.mark.parametrize("partitioned", [False, True])
def test_text_with_a_nul_makes_a_file_whatever_its_place(pintail, lake, kafka, partitioned):
    """DuckLake fails to inline it. The limit of a table that cannot be staged becomes 0."""
    texts = ["a", "b\0", "a long text without one", "a long text with \0 one"]
    topic = kafka.create_topic(1)
    kafka.produce(topic, [json.dumps({"s": s}).encode() for s in texts])
    make(lake, topic, *(["ALTER TABLE {table} SET PARTITIONED BY (_kafka_partition)"] if partitioned else []), schema="s VARCHAR")
    pintail.ingest_all(lake, topic, *NEVER, "--flush-rows", "1")
    assert files(lake, topic) == (3 if partitioned else 2)
    with lake.reader() as reader:
        assert reader.sql(f"SELECT s FROM lake.{quoted(topic)} ORDER BY _kafka_offset") == [(s,) for s in texts]


@pytest.mark.core
@on("sqlite", "postgres")
@pytest.mark.parametrize("partitioned", [False, True])
def test_rows_that_the_catalog_refuses_go_to_a_file(pintail, lake, kafka, partitioned):
    topic = produced(kafka, 30)
    make(lake, topic, *(["ALTER TABLE {table} SET PARTITIONED BY (_kafka_partition)"] if partitioned else []))
    done = pintail.ingest_all(
        lake, topic, *NEVER, "--flush-rows", "10", timeout=60, **crashing(*(f"insert.before:{i}:fail" for i in (2, 3)))
    )
    assert done.err.count("cannot stay in the catalog") == 1, done.err
    with lake.reader() as reader:
        assert inlined(reader, topic) == 10
    assert files(lake, topic) == 2
    assert_there(lake, kafka, topic, 30)


@on("sqlite")
def test_rows_that_the_catalog_refuses_each_time_land_in_files_in_pieces(pintail, lake, kafka):
    topic = produced(kafka, 10)
    done = pintail.ingest_all(lake, topic, *SCHEMA, timeout=60, **crashing(*(f"insert.before:{i}:fail" for i in range(1, 6))))
    assert "committing it in pieces" in done.err and "DuckLake cannot inline that" in done.err, done.err
    assert_there(lake, kafka, topic, 10)


@on("sqlite")
def test_a_partitioned_table_is_guarded_again_once_a_nul_has_made_files_of_few_rows(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [json.dumps({"s": s}).encode() for s in ("a", "b\0", "c")])
    make(lake, topic, "ALTER TABLE {table} SET PARTITIONED BY (_kafka_partition)", schema="s VARCHAR")
    process = pintail.ingest(lake, topic, *NEVER, "--flush-rows", "1", **crashing("commit.registered:3:kill"))
    assert process.wait(60).code == -9
    assert [f for f in lake.files() if "/guard-" in f], lake.files()


HOSTILE = [
    "",
    " ",
    "'",
    "''",
    '"',
    "\\",
    "\\'",
    "[",
    "]",
    "{",
    "}",
    "{}",
    "[]",
    ",",
    ", ",
    ":",
    "=",
    "NULL",
    "null",
    "a, b",
    "{'a': 1}",
    "[x, 'y']",
    "\n",
    "\t \r",
    "(",
    ")",
    "$1",
    "%s",
    "--",
    ";",
    "é😀",
    " lead",
    "trail ",
    "a=b",
    "\x01\x7f",
    "'; DROP TABLE x; --",
    "0",
    "1e5",
    "true",
]


@pytest.mark.core
@pytest.mark.parametrize("flat, partitioned", [(True, False), (False, False), (False, True)])
def test_text_of_any_kind_is_the_same_inlined_and_folded(pintail, lake, kafka, flat, partitioned):
    """But in a DuckDB catalog, DuckLake cannot read back what it inlined of nested text. There it has to be a file, whatever DuckLake would do."""
    topic = kafka.create_topic(1)
    kafka.produce(
        topic,
        [
            json.dumps(
                {"s": s, "l": [s, None, s + "z"], "m": {s: s}, "t": {"x": s, "y": [s]}, "n": [{"k": {s: [s]}}], "j": {s: s}}
            ).encode()
            for s in HOSTILE
        ],
    )
    args = (
        ("--schema", "s VARCHAR, j JSON")
        if flat
        else (
            "--schema",
            "s VARCHAR, j JSON, l VARCHAR[], m MAP(VARCHAR, VARCHAR), t STRUCT(x VARCHAR, y VARCHAR[]), n STRUCT(k MAP(VARCHAR, VARCHAR[]))[]",
        )
    )
    columns = ", ".join("sj" if flat else "sjlmtn")
    wanted = [(s, {s: s}, [s, None, s + "z"], {s: s}, {"x": s, "y": [s]}, [{"k": {s: [s]}}])[: len(columns) // 3 + 1] for s in HOSTILE]

    def there():
        with lake.reader() as reader:
            rows = reader.sql(f"SELECT {columns} FROM lake.{quoted(topic)} ORDER BY _kafka_offset")
        return [(row[0], json.loads(row[1]), *row[2:]) for row in rows]

    if partitioned:
        make(lake, topic, "ALTER TABLE {table} SET PARTITIONED BY (_kafka_partition)", schema=args[1])
    pintail.ingest_all(lake, topic, *args, *NEVER, "--flush-rows", "10")
    assert (lake.files() == []) == (flat or lake.catalog == "duckdb")
    assert there() == wanted
    pintail.ingest_all(lake, topic, *args, "--fold-interval", "1ms")
    assert len(lake.files()) == (1 if flat or lake.catalog == "duckdb" else -(-len(HOSTILE) // 10))
    assert there() == wanted


@pytest.mark.parametrize("columns", ["", ", filename VARCHAR"], ids=["guarded", "unguarded"])
def test_a_partitioned_table_takes_a_few_rows_at_a_time(pintail, lake, kafka, columns):
    topic = produced(kafka, 40, partitions=2)
    make(lake, topic, "ALTER TABLE {table} SET PARTITIONED BY (region)", schema=orders.SCHEMA + columns)
    pintail.ingest_all(lake, topic, *NEVER, "--flush-rows", "4")
    assert lake.files() == []
    assert_there(lake, kafka, topic, 40)
    pintail.ingest_all(lake, topic, "--fold-interval", "1ms")
    assert 1 < files(lake, topic) <= 8
    assert_there(lake, kafka, topic, 40)


@pytest.mark.core
@on("duckdb", "postgres")
def test_dead_letters_are_inlined_and_folded_like_rows(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    values = [b"{", b"[]", b"\0\xff", b"", b'{"order_id": "\\u0000"}', b"{}" * 40_000]
    kafka.produce(topic, [{"key": b"\0k\xff", "value": v, "headers": [("h", b"\0\xff"), ("g", None)]} for v in values])
    pintail.ingest_all(lake, topic, *SCHEMA, *NEVER, "--flush-rows", "5", code=1)  # nothing fits
    nested = lake.catalog != "duckdb"  # their headers
    assert files(lake, "dead_letters") == (2 if nested else 1)  # the sixth has many bytes
    assert_there(lake, kafka, topic, 0, 6)
    pintail.ingest_all(lake, topic, *SCHEMA, "--fold-interval", "1ms")
    assert files(lake, "dead_letters") == 2
    assert_there(lake, kafka, topic, 0, 6)


# ---- when they go to files


def test_rows_go_to_a_file_when_they_are_old_though_no_record_follows(pintail, lake, kafka):
    topic = produced(kafka, 30)
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "100ms", "--fold-interval", "2s")
    wait_landed(process, lake, kafka, topic, 30)
    process.wait_for(lambda: sum(name.endswith(".parquet") for name in lake.files()) == 1, 20, "a file")
    kafka.produce(topic, orders.orders(30, seed=2))
    wait_landed(process, lake, kafka, topic, 60)
    process.wait_for(lambda: len([f for f in lake.files() if f.endswith(".parquet")]) == 2, 20, "a second file")
    process.stop()
    with lake.reader() as reader:
        assert inlined(reader, topic) == 0
    assert_there(lake, kafka, topic, 60)


def test_rows_go_to_a_file_when_they_are_many(pintail, lake, kafka):
    topic = produced(kafka, 25_000)
    make(lake, topic, "CALL lake.set_option('data_inlining_row_limit', 200)")
    pintail.ingest_all(lake, topic, *NEVER, "--flush-rows", "200", timeout=120)
    with lake.reader() as reader:
        assert inlined(reader, topic) == 5_000
    assert files(lake, topic) == 2
    assert_there(lake, kafka, topic, 25_000)


@on("sqlite")
def test_many_rows_go_to_an_object_store_with_the_least_memory(pintail, lake, kafka, s3):
    lake.move_to(s3)
    pintail.env = s3.environment
    topic = produced(kafka, 11_000)
    make(lake, topic, "CALL lake.set_option('data_inlining_row_limit', 500)")
    done = pintail.ingest_all(lake, topic, *NEVER, "--flush-rows", "500", "--memory", "256MiB", timeout=60)
    assert "stay in the catalog" not in done.err, done.err
    assert files(lake, topic) == 1
    assert_there(lake, kafka, topic, 11_000)


@pytest.mark.core
def test_what_a_run_leaves_in_the_catalog_the_next_one_folds(pintail, lake, kafka):
    topic = produced(kafka, 30)
    pintail.ingest_all(lake, topic, *SCHEMA, *NEVER)
    assert lake.files() == []
    pintail.ingest_all(lake, topic, *SCHEMA, "--fold-interval", "1ms")
    with lake.reader() as reader:
        assert inlined(reader, topic) == 0
    assert files(lake, topic) == 1
    assert_there(lake, kafka, topic, 30)


@pytest.mark.core
def test_history_is_the_same_after_a_fold(pintail, lake, kafka):
    """Row ids, what time travel sees, the change feed, and rows that were deleted while they were inlined."""
    topic = produced(kafka, 60)
    pintail.ingest_all(lake, topic, *SCHEMA, *NEVER, "--flush-rows", "20")
    table = quoted(topic)

    def history(reader):
        versions = [v for (v,) in reader.sql("SELECT snapshot_id FROM lake.snapshots() ORDER BY 1")][:last]
        counts = [reader.one(f"SELECT count(*) FROM lake.{table} AT (VERSION => {v})") for v in versions[-6:]]
        return (
            reader.sql(f"SELECT rowid, snapshot_id, * FROM lake.{table} ORDER BY rowid"),
            counts,
            reader.sql(f"SELECT * FROM lake.table_changes('{topic}', {versions[0]}, {versions[-1]}) ORDER BY ALL"),
        )

    with lake.writer() as writer:
        writer.sql(f"DELETE FROM lake.{table} WHERE _kafka_offset % 3 = 0")
    last = 10**6
    with lake.reader() as reader:
        last = reader.snapshots()
        before = history(reader)
    assert len(before[0]) == 40
    pintail.ingest_all(lake, topic, *SCHEMA, "--fold-interval", "1ms")
    with lake.reader() as reader:
        assert inlined(reader, topic) == 0
        assert history(reader) == before
        assert_files_sound(reader)
    assert len(lake.files()) == 2  # the rows, and which of them were deleted
    assert pintail.run("check", *lake.args, code=None).code in (0, 1)  # deleted rows are a finding


@on("sqlite")
def test_a_table_that_ducklake_does_not_fold_is_warned_of(pintail, lake, kafka):
    topic = produced(kafka, 30)
    make(lake, topic, "CALL lake.set_option('auto_compact', false, schema => 'main', table_name => '{name}')")
    args = ("--flush-interval", "100ms", "--fold-interval", "100ms")
    process = pintail.ingest(lake, topic, *args)
    wait_landed(process, lake, kafka, topic, 30)
    process.wait_for(lambda: "auto_compact" in process.err, 30, "a warning")
    kafka.produce(topic, orders.orders(30, seed=2))
    wait_landed(process, lake, kafka, topic, 60)
    time.sleep(3)
    assert process.err.count("auto_compact") == 1 and lake.files() == [], process.err
    process.stop()
    with lake.writer() as writer:
        writer.sql(f"CALL lake.set_option('auto_compact', true, schema => 'main', table_name => '{topic}')")
    pintail.ingest_all(lake, topic, "--fold-interval", "1ms")
    assert len(lake.files()) == 1
    assert_there(lake, kafka, topic, 60)


@on("postgres")
def test_a_member_without_partitions_folds_nothing(pintail, lake, kafka):
    """It could not settle a COMMIT whose answer is lost: that takes a claim."""
    topic = produced(kafka, 30)
    owner = pintail.ingest(lake, topic, *SCHEMA, *NEVER, "--flush-interval", "100ms")
    wait_landed(owner, lake, kafka, topic, 30)
    standby = pintail.ingest(lake, topic, *SCHEMA, "--fold-interval", "100ms")
    standby.wait_for(lambda: len(kafka.members(f"pintail-{topic}")) == 2, 60, "both to be in the group")
    time.sleep(2)
    assert sorted(map(len, kafka.members(f"pintail-{topic}"))) == [0, 1]
    assert lake.files() == [], standby.err
    owner.stop()
    standby.wait_for(lambda: sum(name.endswith(".parquet") for name in lake.files()) == 1, 60, "the one that is left to fold")
    standby.stop()
    assert_there(lake, kafka, topic, 30)


# ---- what may happen on the way


def fold_soon(pintail, lake, topic, **how):
    return pintail.ingest(lake, topic, *SCHEMA, *FAST_FAILOVER, "--flush-interval", "100ms", "--fold-interval", "500ms", **how)


@on(long("sqlite"), "postgres")
def test_three_members_that_fold_one_table_do_not_double_its_rows(pintail, lake, kafka):
    topic = kafka.create_topic(3)
    args = (*SCHEMA, "--flush-interval", "50ms", "--fold-interval", "30ms")
    members = [pintail.ingest(lake, topic, *args) for _ in range(3)]
    members[0].wait_for(lambda: len(kafka.members(f"pintail-{topic}")) == 3, 60, "all to be in the group")
    for seed in range(12):
        kafka.produce(topic, orders.orders(60, seed=seed))
        wait_landed(members[0], lake, kafka, topic, 60 * (seed + 1), timeout=60)
    for member in members:
        member.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (720, 0)
        assert reader.one("SELECT count(*) FROM lake.snapshots() WHERE changes::VARCHAR LIKE '%flushed%'") > 1


@on("sqlite")
def test_a_fold_waits_for_a_lock_and_holds_nobody_up(pintail, lake, kafka):
    topic = produced(kafka, 30)
    process = fold_soon(pintail, lake, topic)
    wait_landed(process, lake, kafka, topic, 30)
    with holding(lake.folder / "metadata" / "lake.sqlite", "BEGIN IMMEDIATE"):
        time.sleep(2)
    process.wait_for(lambda: sum(name.endswith(".parquet") for name in lake.files()) == 1, 40, "a file")
    process.stop()
    assert_there(lake, kafka, topic, 30)


@on("sqlite")
def test_a_fold_that_cannot_write_says_so_once_and_ingest_goes_on(pintail, lake, kafka):
    topic = produced(kafka, 30)
    folder = Path(lake.data_path) / "main" / topic
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "100ms", "--fold-interval", "10s")
    wait_landed(process, lake, kafka, topic, 30)
    folder.rmdir()  # well before the fold
    folder.write_text("in the way")
    process.wait_for(lambda: "rows stay in the catalog" in process.err, 40, "a failure")
    time.sleep(12)  # and another try
    assert process.err.count("rows stay in the catalog") == 1
    folder.unlink()
    process.wait_for(folder.is_dir, 30, "a file")
    kafka.produce(topic, orders.orders(30, seed=2))
    wait_landed(process, lake, kafka, topic, 60)
    process.stop()
    assert_there(lake, kafka, topic, 60)


@pytest.fixture(params=["disk", "s3"])
def placed(request, pintail, lake):
    """The lake, its data on a disk or an object store."""
    if request.param == "s3":
        s3 = request.getfixturevalue("s3")
        lake.move_to(s3)
        pintail.env = s3.environment
    return lake


@pytest.fixture
def proxy(lake):
    proxy = PostgresProxy(lake.postgres.port)
    yield proxy
    proxy.close()


def strike_fold(pintail, lake, kafka, proxy, kind, **how):
    """Runs ingest until the COMMIT of a fold was struck; topic, process, fault."""
    topic = produced(kafka, 30)
    seen = copy.copy(lake)
    seen.text = through(lake, proxy.port)
    fault = proxy.arm(kind, of=FOLD, seconds=2)
    process = fold_soon(pintail, seen, topic, **how)
    wait_struck(process, fault, 60)
    return topic, process, fault


KINDS = ("cut before", "cut half", "cut during", "cut after", "late", "slow answer", "lie")
SHORT = {"disk": ("cut after", "late", "lie"), "s3": ("late",)}


@on("postgres")
@pytest.mark.parametrize(
    "placed, kind",
    [
        pytest.param(place, kind, id=f"{kind}-{place}", marks=() if kind in SHORT[place] else pytest.mark.long)
        for place in SHORT
        for kind in KINDS
    ],
    indirect=["placed"],
)
def test_whatever_happens_to_the_commit_of_a_fold_no_row_is_lost(pintail, placed, kafka, proxy, kind):
    topic, process, fault = strike_fold(pintail, placed, kafka, proxy, kind)
    process.wait_for(fault.done.is_set, 60, "the server's answer to the COMMIT")
    kafka.produce(topic, orders.orders(30, seed=2))
    wait_landed(process, placed, kafka, topic, 60, timeout=60)

    def folded():
        with placed.reader() as reader:
            return inlined(reader, topic) == 0

    process.wait_for(folded, 60, "all rows to be in files")
    process.stop()
    assert_there(placed, kafka, topic, 60)


@on("postgres")
def test_without_guards_rows_are_lost(pintail, placed, kafka, proxy):
    _topic, process, fault = strike_fold(pintail, placed, kafka, proxy, "cut after", **crashing(broken=("guard",)))
    process.wait_for(fault.done.is_set, 60, "the server's answer to the COMMIT")
    process.wait_for(lambda: "goes on" in process.err, 60, "the connection to be back")
    process.stop()
    with placed.reader() as reader, pytest.raises((AssertionError, duckdb.Error), match=r"(?i)exist|no such|not found|404"):
        assert_files_sound(reader)


@on("postgres")
@pytest.mark.parametrize("kind", ["cut after", "late"])
def test_rows_whose_fold_ended_with_the_process_are_there_after_the_next_start(pintail, placed, kafka, proxy, kind):
    topic, process, fault = strike_fold(pintail, placed, kafka, proxy, kind, **crashing("recover.attached:1:kill"))
    assert process.wait(60).code == -9
    process = fold_soon(pintail, placed, topic)
    process.wait_for(fault.done.is_set, 60, "the server's answer to the COMMIT")
    kafka.produce(topic, orders.orders(30, seed=2))
    wait_landed(process, placed, kafka, topic, 60, timeout=60)
    process.stop()
    pintail.ingest_all(placed, topic, *SCHEMA, "--fold-interval", "1ms", "--leftover-age", "0s")
    assert_there(placed, kafka, topic, 60)
