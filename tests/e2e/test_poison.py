"""Values that decode well and that DuckLake, its catalog or the disk refuses: dead letters with the reason, and nothing else is lost."""

import contextlib
import json
import sqlite3

import duckdb
import pytest
from support import on, orders
from support.crash import crashing
from support.judge import assert_exactly_once, assert_no_leftovers
from support.lake import quoted

METADATA = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())


def partitioned(lake, table, columns, by):
    with lake.writer() as writer:
        writer.sql(f"CREATE TABLE lake.{quoted(table)} ({columns}, {METADATA})")
        writer.sql(f"ALTER TABLE lake.{quoted(table)} SET PARTITIONED BY ({by})")


def record(**values):
    return json.dumps(values).encode()


@pytest.mark.core
@pytest.mark.parametrize("flush_rows", [200_000, 3], ids=["files", "inlined"])
def test_values_that_no_partition_can_take_are_dead_letters_and_all_others_land(pintail, lake, kafka, flush_rows):
    topic = kafka.create_topic(1)
    partitioned(lake, topic, "p VARCHAR, q BLOB, n INTEGER", "p, q")
    good = [
        "x" * 253,
        "é" * 42 + "-",
        "日" * 28,
        "~._-" * 60,
        "NULL",
        "",
        "..",
        "/",
        "a=b",
        "%2F",
        "\n",
        " ",
        "__HIVE_DEFAULT_PARTITION__",
        None,
    ]
    bad = ["x" * 254, "x" * 300, "é" * 43, "日" * 29, "/" * 85, "y" * 100_000]
    nul = ["a\0b", "\0"]
    values = [record(p=p, q="YQ==", n=1) for p in good + bad + nul] + [record(p="b", q=q, n=1) for q in ("/w==", "YWFh" * 100, "w6k=")]
    kafka.produce(topic, [*values, record(p="last", n=2)])
    done = pintail.ingest_all(lake, topic, "--flush-rows", flush_rows)
    assert "level=error" not in done.err and "paused" not in done.err, done.err
    keeps_nul = lake.catalog == "duckdb"
    lands = good + (nul if keeps_nul else [])
    with lake.reader() as reader:
        refused = 0 if keeps_nul else len(nul)
        assert assert_exactly_once(reader, kafka, topic, columns=("p",), select={}, expected=lambda v: (json.loads(v)["p"],)) == (
            len(values) - len(bad) - refused - 2 + 1,
            len(bad) + refused + 2,
        )
        letters = [(d["error_code"], json.loads(d["value"]), d["error_text"]) for d in reader.dead_letters()]
        assert {code for code, _, _ in letters} == {"partition"}
        said = {(value["p"], value["q"]): text for _, value, text in letters}
        assert "254 bytes" in said["x" * 254, "YQ=="] and "253" in said["x" * 254, "YQ=="] and "column p" in said["x" * 254, "YQ=="]
        assert "UTF-8" in said["b", "/w=="] and "column q" in said["b", "/w=="] and "column q" in said["b", "YWFh" * 100]
        assert keeps_nul or all("NUL" in said[p, "YQ=="] for p in nul)
        for p in lands:  # each is found by its value, that is by its partition
            assert reader.one(f"SELECT count(*) FROM lake.{quoted(topic)} WHERE p IS NOT DISTINCT FROM ? AND n = 1", p) >= 1, p


@on("sqlite")
def test_a_partition_by_bucket_or_time_takes_any_value_and_folders_may_be_off(pintail, lake, kafka):
    topic, flat = kafka.create_topic(1), kafka.create_topic(1)
    partitioned(lake, topic, "p VARCHAR, ts TIMESTAMP", "bucket(4, p), year(ts)")
    partitioned(lake, flat, "p VARCHAR, ts TIMESTAMP", "p")
    with lake.writer() as writer:
        writer.sql(f"CALL lake.set_option('hive_file_pattern', false, table_name => '{flat}')")
    values = [record(p="x" * 300, ts="2024-02-29"), record(p="x" * 300, ts="+12345-01-01"), record(p="x" * 300, ts="0001-01-01")]
    kafka.produce(topic, [*values, record(p="a\0b", ts="2024-01-01")])
    kafka.produce(flat, values)
    pintail.ingest_all(lake, topic)
    pintail.ingest_all(lake, flat)
    with lake.reader() as reader:
        assert reader.dead_letters() == []
        assert reader.one(f"SELECT count(*) FROM lake.{quoted(topic)}") == 4
        assert reader.one(f"SELECT count(*) FROM lake.{quoted(flat)} WHERE p = ?", "x" * 300) == 3


# ---- what nobody foresaw: the catalog refuses a row of its own in COMMIT, for a reason that no program knows

WORDS = "no such thing in this house"


def rule(lake, table, refused):
    """The catalog takes no row of its table that fulfils the condition, a trigger's or a CHECK's: the columns are written NEW.x."""
    if lake.catalog == "postgres":
        lake.postgres.sql(
            f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {refused} THEN RAISE EXCEPTION '{WORDS}'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()""",
            lake.database,
        )
    elif lake.catalog == "sqlite":
        with contextlib.closing(sqlite3.connect(lake.text.removeprefix("ducklake:sqlite:"))) as catalog:
            catalog.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN {refused} BEGIN SELECT RAISE(ABORT, '{WORDS}'); END")
            catalog.commit()
    else:
        recreate(lake, table, f", CHECK (NOT coalesce({refused.replace('NEW.', '')}, false) OR '{WORDS}' = '')")


def no_rule(lake, table):
    if lake.catalog == "postgres":
        lake.postgres.sql(f"DROP TRIGGER refuse ON {table}", lake.database)
    elif lake.catalog == "sqlite":
        with contextlib.closing(sqlite3.connect(lake.text.removeprefix("ducklake:sqlite:"))) as catalog:
            catalog.execute("DROP TRIGGER refuse")
            catalog.commit()
    else:
        recreate(lake, table, "")


def recreate(lake, table, check):
    """DuckDB adds no CHECK to a table that is there."""
    with duckdb.connect(lake.text.removeprefix("ducklake:")) as catalog:
        columns = ", ".join(
            f"{quoted(name)} {kind}"
            for name, kind in catalog.execute(
                f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}' ORDER BY column_index"
            ).fetchall()
        )
        catalog.execute(
            f"CREATE TABLE anew ({columns}{check}); INSERT INTO anew FROM {table}; DROP TABLE {table}; ALTER TABLE anew RENAME TO {table}"
        )


def make_tables(lake, topics):
    """Whose rows go to files, one by one, too. Returns the catalog's number of the first one."""
    with lake.writer() as writer:
        for topic in topics:
            writer.sql(f"CREATE TABLE lake.{quoted(topic)} (v VARCHAR, n INTEGER, {METADATA})")
            writer.sql(f"CALL lake.set_option('data_inlining_row_limit', 0, table_name => '{topic}')")
        return writer.one(f"SELECT table_id FROM __ducklake_metadata_lake.ducklake_table WHERE table_name = '{topics[0]}'")


def refusing(lake, topics):
    """The lake with its tables, and a catalog that refuses the statistics of a file; `poison` sorts behind all other values, so
    that it is the largest of any file that has it."""
    make_tables(lake, topics)
    rule(lake, "ducklake_file_column_stats", "NEW.max_value LIKE 'poison%'")


def mixed(count, poison):
    """Records, now and then one that does not decode."""
    return [b"rubbish" if n % 50 == 7 else record(v=f"poison {n}" if n in poison else f"good {n}", n=n) for n in range(count)]


def assert_landed_but(lake, kafka, topic, pipeline, poison, count):
    with lake.reader() as reader:
        rubbish = sum(n % 50 == 7 for n in range(count))
        assert assert_exactly_once(
            reader, kafka, topic, pipeline=pipeline, columns=("v",), select={}, expected=lambda v: (json.loads(v)["v"],)
        ) == (count - rubbish - len(poison), rubbish + len(poison))
        letters = [d for d in reader.dead_letters(topic) if d["error_code"] == "refused"]
        assert sorted(json.loads(d["value"])["n"] for d in letters) == sorted(poison)
        assert all(WORDS in d["error_text"] for d in letters), [d["error_text"] for d in letters]


@pytest.mark.timeout(300)  # a dozen commits are refused, and after each the catalog is attached anew
@on("postgres")
def test_a_record_that_the_lake_refuses_is_found_and_all_others_land_also_after_a_kill_in_the_middle(pintail, lake, kafka):
    topic, other = kafka.create_topic(2), kafka.create_topic(1)
    refusing(lake, [topic, other])
    poison = {0, 1, 77}
    kafka.produce(topic, [{"value": v, "partition": n % 2} for n, v in enumerate(mixed(120, poison))])
    kafka.produce(other, [record(v=f"good {n}", n=n) for n in range(50)])
    config = pintail.folder / "two.yaml"
    config.write_text(f"group: g\ntopics:\n  - topic: {topic}\n  - topic: {other}\n")
    arguments = pintail.ingest_args(lake, None, "--until-end", "--config", config)
    killed = pintail.run(*arguments, code=None, timeout=120, **crashing("commit.committed:1:kill"))
    assert killed.code == -9 and "committing it in pieces" in killed.err, killed.err
    kafka.wait_empty("g")
    done = pintail.run(*arguments, "--leftover-age", "0s", timeout=200)
    assert "becomes a dead letter" in done.err, done.err
    assert_landed_but(lake, kafka, topic, "g", poison, 120)
    with lake.reader() as reader:
        assert assert_exactly_once(
            reader, kafka, other, pipeline="g", columns=("v",), select={}, expected=lambda v: (json.loads(v)["v"],)
        ) == (50, 0)
    assert_no_leftovers(lake)


@pytest.mark.core
@pytest.mark.timeout(300)
@on("sqlite", "duckdb")
def test_a_record_at_the_first_place_and_others_in_the_middle_are_found_on_each_catalog(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    refusing(lake, [topic])
    poison = {0, 30, 31}
    kafka.produce(topic, mixed(60, poison))
    pintail.ingest_all(lake, topic, timeout=200)
    assert_landed_but(lake, kafka, topic, f"pintail-{topic}", poison, 60)
    assert_no_leftovers(lake)


@pytest.mark.core
@pytest.mark.timeout(300)
@on("sqlite", "postgres")
def test_what_meets_every_record_of_a_table_ends_the_run_without_a_dead_letter_and_nothing_is_lost(pintail, lake, kafka):
    topic, other = kafka.create_topic(1), kafka.create_topic(1)
    number = make_tables(lake, [topic, other])
    kafka.produce(topic, [record(v=f"good {n}", n=n) for n in range(50)])
    kafka.produce(other, [record(v=f"good {n}", n=n) for n in range(30)])
    config = pintail.folder / "two.yaml"
    config.write_text(f"group: g-{topic}\ntopics:\n  - topic: {other}\n  - topic: {topic}\n")
    arguments = pintail.ingest_args(lake, None, "--until-end", "--config", config)
    rule(lake, "ducklake_data_file", f"NEW.table_id = {number}")
    done = pintail.run(*arguments, code=1, timeout=200)
    assert WORDS in done.err.splitlines()[-1] and "none of which is committed" in done.err.splitlines()[-1], done.err
    with lake.reader() as reader:
        assert reader.dead_letters() == [] and reader.rows(topic) == 0
        assert reader.rows(other) == 30  # which stand before it in the flush
        assert [o for o in reader.offsets(topic) if o["kind"] == "commit"] == []
    assert_no_leftovers(lake)
    no_rule(lake, "ducklake_data_file")
    pintail.run(*arguments)
    with lake.reader() as reader:
        for each, count in ((topic, 50), (other, 30)):
            assert assert_exactly_once(
                reader, kafka, each, pipeline=f"g-{topic}", columns=("v",), select={}, expected=lambda v: (json.loads(v)["v"],)
            ) == (count, 0)


@pytest.mark.timeout(300)
@on("sqlite")
def test_a_flush_is_given_up_after_64_trials_with_the_words_of_the_lake_and_what_landed_stays(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    number = make_tables(lake, [topic])
    kafka.produce(topic, [record(v=f"good {n}", n=n) for n in range(200)])
    rule(lake, "ducklake_data_file", f"NEW.table_id = {number} AND NEW.record_count > 1")  # no record is to blame
    done = pintail.ingest_all(lake, topic, code=1, timeout=200)
    assert "after 64 trials" in done.err.splitlines()[-1] and WORDS in done.err.splitlines()[-1], done.err
    with lake.reader() as reader:
        assert reader.dead_letters() == [] and 0 < reader.rows(topic) < 200
    no_rule(lake, "ducklake_data_file")
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, columns=("v",), select={}, expected=lambda v: (json.loads(v)["v"],)) == (200, 0)


@on("sqlite")
def test_a_refused_record_with_nothing_beside_it_waits_for_one_that_the_lake_takes(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    refusing(lake, [topic])
    kafka.produce(topic, [record(v="poison", n=0)])
    done = pintail.ingest_all(lake, topic, code=1)
    assert WORDS in done.err.splitlines()[-1] and "has taken no other one of table" in done.err.splitlines()[-1], done.err
    with lake.reader() as reader:
        assert reader.dead_letters() == []
    kafka.produce(topic, [record(v="good", n=1)])
    running = pintail.ingest(lake, topic, "--flush-interval", "100ms", "--flush-rows", 1)
    running.wait_for(
        lambda: lake.read(lambda reader: reader.rows(topic) == 1 and len(reader.dead_letters()) == 1),
        what="the good record and the dead letter",
    )
    kafka.produce(topic, [record(v="poison", n=2)])  # what was taken before speaks for the table
    running.wait_for(lambda: lake.read(lambda reader: len(reader.dead_letters()) == 2), what="the second dead letter")
    running.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, columns=("v",), select={}, expected=lambda v: (json.loads(v)["v"],)) == (1, 2)
