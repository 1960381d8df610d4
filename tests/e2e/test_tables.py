"""Tables that are to be made: what cannot be is said before anything is made, and a table that is new must not hide what was read before."""

import csv
import signal

import pytest
from support import on, orders
from support.crash import crashing
from support.judge import assert_exactly_once
from support.kafka import STEADY

ARGS = ("--schema", orders.SCHEMA, *STEADY)

# Of DuckLake 1.0, tried out: names that no catalog takes, those that PostgreSQL does not, and those that are taken where nothing stays in the catalog.
ALWAYS = ["_ducklake_x", "_DuckLake_row_id"]
INLINED = ["row_id", "begin_snapshot", "end_snapshot", "Row_Id"]
POSTGRES = ["xmin", "xmax", "cmin", "cmax", "ctid", "tableoid", "XMIN"]
GOOD = ["rowid", "oid", "select", "snapshot", "main", 'q"u', "x.y"]


def one_line(done, *words):
    text = [line for line in done.err.splitlines() if line.startswith("pintail ")]
    assert len(text) == 1 and all(word in text[0] for word in words), done.err


def user_tables(lake) -> set:
    with lake.reader() as reader:
        return {
            t for (t,) in reader.sql("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name <> 'pintail'")
        }


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.core
@on("sqlite", "postgres", "duckdb")
def test_names_that_the_catalog_cannot_take_are_refused_in_one_line_before_anything_is_made(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"k": 1}'])
    bad = ALWAYS + INLINED + (POSTGRES if lake.catalog == "postgres" else [])
    # A lake that is not there yet, and stays so; then one that is there.
    one_line(pintail.ingest_all(lake, topic, "--schema", f"k INTEGER, {quoted(bad[-1])} INTEGER", code=2), topic, bad[-1])
    assert not lake.folder.joinpath("metadata").exists() and not lake.folder.joinpath("data").exists()
    good = [n for n in GOOD + ALWAYS + INLINED + POSTGRES if n not in bad]
    pintail.ingest_all(
        lake,
        topic,
        "--schema",
        "k INTEGER, " + ", ".join(f"{quoted(n)} INTEGER" for n in good if n.lower() not in {m.lower() for m in good if m != n}),
    )
    before = user_tables(lake)
    group = ("--group", f"g-{topic}")
    for name in {bad[1], bad[-1]}:  # tests/unit/lake/test_target_make.c has all of them
        one_line(
            pintail.ingest_all(lake, topic, *group, "--table", "second", "--schema", f"k INTEGER, {quoted(name)} INTEGER", code=2),
            "second",
            name,
        )
    one_line(pintail.ingest_all(lake, topic, *group, "--table", "t" * 256, "--schema", "k INTEGER", code=2), "256")
    assert user_tables(lake) == before == {topic}
    if lake.catalog != "duckdb":
        one_line(
            pintail.ingest_all(
                lake,
                topic,
                *group,
                "--table",
                "wide",
                "--schema",
                ", ".join(f"c{n} INTEGER" for n in range(1995)),
                "--memory",
                "2GiB",
                code=2,
            ),
            "wide",
            "1995 columns",
        )
    # Where nothing stays in the catalog, the names are free.
    with lake.writer() as writer:
        writer.sql("CALL lake.set_option('data_inlining_row_limit', 0)")
    pintail.ingest_all(
        lake,
        topic,
        *group,
        "--table",
        "free",
        "--schema",
        f"k INTEGER, row_id INTEGER{', xmin INTEGER' if lake.catalog == 'postgres' else ''}",
    )
    with lake.reader() as reader:
        assert reader.sql("SELECT k, row_id FROM lake.free") == [(1, None)]


@on("sqlite")
def test_a_new_table_of_a_topic_that_was_read_already_ends_with_1_and_the_ways_out(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(300))
    pintail.ingest_all(lake, topic, "--schema", "order_id UUID, wrong INTEGER", *STEADY)
    with lake.writer() as writer:
        writer.sql(f'ALTER TABLE lake."{topic}" RENAME TO kept')
    group = ("--group", f"pintail-{topic}")
    for name in (topic, "kept2"):  # the same name, and another one
        one_line(pintail.ingest_all(lake, topic, *ARGS, *group, "--table", name, code=1), "300 rows", name, topic, "reset", "--group")
    assert user_tables(lake) == {"kept"}
    one_line(pintail.ingest_all(lake, topic, *ARGS, *group, "--table", topic.upper(), code=1), "300 rows")
    # A way out: another group.
    pintail.ingest_all(lake, topic, *ARGS, "--group", f"new-{topic}")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, pipeline=f"new-{topic}") == (300, 0)
    # The table that was fed is still there: from now on into another one is a decision, but no silent one.
    done = pintail.ingest_all(lake, topic, *ARGS, "--group", f"new-{topic}", "--table", "next")
    assert done.err.count("the rows before are in another one") == 1 and "rows_before=300" in done.err, done.err


@on("sqlite")
def test_tables_are_made_in_one_commit(pintail, lake, kafka, tmp_path):
    topics = [kafka.create_topic(1) for _ in range(5)]
    path = tmp_path / "ingest.yaml"
    path.write_text(
        f"group: g-{topics[0]}\ntopics:\n" + "".join(f"  - {{topic: {t}, table: shop.{t[2:]}x, schema: 'a INTEGER'}}\n" for t in topics)
    )
    pintail.run(*pintail.ingest_args(lake, None, "--config", path, "--until-end", *STEADY))
    with lake.reader() as reader:
        made = [
            len(c["tables_created"])
            for (c,) in reader.sql("SELECT changes FROM lake.snapshots()")
            if any("shop." in t for t in c.get("tables_created", []))
        ]
        assert made == [5]


def many_topics(tmp_path, topics):
    path = tmp_path / f"many-{len(topics)}.yaml"
    path.write_text(f"group: g-{topics[0]}\ntopics:\n" + "".join(f"  - {{topic: {t}, schema: 'a INTEGER'}}\n" for t in topics))
    return ["--config", path]


def statements(log) -> list:
    with (log / "duckdb_log_entries.csv").open() as file:
        return [row["message"] for row in csv.DictReader(file) if row["type"] == "QueryLog"]


@on("sqlite", "postgres")
def test_what_a_start_asks_of_all_tables_is_asked_once_however_many_there_are(pintail, lake, kafka, tmp_path):
    """Lists of tables and columns, and looks at the ledger: with each table they took more time for each one."""
    topics = [kafka.create_topic(1) for _ in range(12)]
    kafka.produce(topics[0], [b'{"a":1}'])
    asked = {}
    for n, again in [(2, False), (12, False), (2, True), (12, True)]:
        log = tmp_path / f"log-{n}-{again}"
        log_all = f"CALL enable_logging('QueryLog', storage => 'file', storage_config => {{'path': '{log}'}})"
        pintail.run(*pintail.ingest_args(lake, None, *many_topics(tmp_path, topics[:n]), "--until-end", "--init-sql", log_all, *STEADY))
        done = statements(log)
        asked[n, again] = {
            word: sum(word in s for s in done) for word in ("duckdb_tables()", "duckdb_columns()", ".pintail.offsets", "SELECT")
        }
        assert asked[n, again][".pintail.offsets"] > 0, done
    for again in (False, True):
        for word in ("duckdb_tables()", "duckdb_columns()", ".pintail.offsets"):
            assert asked[12, again][word] <= asked[2, again][word] + 3, asked  # it makes ten tables, or none
    assert (asked[12, True]["SELECT"] - asked[2, True]["SELECT"]) / 10 < 60, asked


@on("sqlite")
def test_a_stop_is_heeded_in_the_middle_of_a_start(pintail, lake, kafka, tmp_path):
    topics = [kafka.create_topic(1) for _ in range(3)]
    args = pintail.ingest_args(lake, None, *many_topics(tmp_path, topics), "--until-end")
    starting = pintail.start(*args, **crashing("leftovers.before:1:stop"))
    starting.wait_for(lambda: starting.frozen, what="the start to freeze")
    starting.signal(signal.SIGTERM)
    starting.thaw()
    done = starting.wait()
    assert done.code == 0 and "msg=started" not in done.err, done.err  # it joins no group
    pintail.run(*args)


@on("sqlite")
def test_too_little_memory_for_many_tables_is_told_before_anything_is_made(pintail, lake, kafka, tmp_path):
    path = tmp_path / "ingest.yaml"
    path.write_text("group: many\ntopics:\n" + "".join(f"  - {{topic: nowhere-{n}, schema: 'a INTEGER'}}\n" for n in range(500)))
    done = pintail.run(*pintail.ingest_args(lake, None, "--config", path, "--until-end", "--memory", "256MiB"), code=2, timeout=30)
    one_line(done, "--memory", "tables of 2", "smallest batch")
    assert not lake.folder.joinpath("metadata").exists()
