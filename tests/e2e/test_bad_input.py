"""What a user gets wrong, and what is not there: one line that says what, why and what to do, an exit code, and soon."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support import on, orders
from support.lake import EXTENSIONS, Lake
from support.pintail import binary
from support.procs import free_port, wait_for

SCHEMA = ("--schema", orders.SCHEMA)
SECRET = "hunter2-S3CRET"


def fails(done, code, *words):
    """The one line of a failure; librdkafka's own messages and a second telling of the same are not welcome."""
    lines = [line for line in done.err.splitlines() if "level=info" not in line]
    assert done.code == code, f"exit code {done.code}, not {code}:\n{done.err}"
    assert len(lines) == 1, f"{len(lines)} lines instead of one:\n{done.err}"
    assert "%3|" not in done.err and "rdkafka#" not in done.err, done.err
    for word in words:
        assert re.search(word, lines[0], re.IGNORECASE), f"{word!r} is not in: {lines[0]}"
    return lines[0]


def ingest(lake, brokers="127.0.0.1:1", topic="t", *more):
    return ["ingest", "--brokers", brokers, "--topic", topic, *lake.args, *SCHEMA, "--until-end", *more]


@pytest.fixture
def local_lake(tmp_path):
    """A lake for what fails before or without a server."""
    return Lake("sqlite", tmp_path)


# ---- the command line


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), ["usage|commands"]),
        (("injest",), ["injest", "--help"]),
        (("ingest", "--brokerz", "x"), ["--brokerz", "--brokers"]),
        (("ingest", "--until-end=yes"), ["--until-end", "no value"]),
        (("ingest", "--brokers"), ["--brokers", "needs a value"]),
        (("ingest", "--flush-bytes", "64Mib!"), ["--flush-bytes", "64Mib!", "64MiB"]),
        (("ingest", "--flush-bytes", "-1"), ["--flush-bytes", "-1"]),
        (("ingest", "--flush-interval", "soon"), ["--flush-interval", "soon", "10s"]),
        (("ingest", "--flush-rows", "1e3"), ["--flush-rows", "1e3"]),
        (("ingest", "--on-error", "ignore"), ["--on-error", "ignore", "dead-letter"]),
        (
            (
                "ingest",
                "--max-dead-letters",
                "lots",
                "--brokers",
                "127.0.0.1:1",
                "--topic",
                "t",
                "--lake",
                "ducklake:x",
                "--schema",
                "a INT",
            ),
            ["--max-dead-letters", "lots"],
        ),
        (("ingest", "extra"), ["extra"]),
    ],
)
def test_a_wrong_command_line_exits_2_and_says_what_is_right(pintail, arguments, words):
    done = pintail.run(*arguments, code=None, timeout=10)
    if not arguments:
        assert done.code == 2 and re.search(words[0], done.err, re.IGNORECASE)
    else:
        fails(done, 2, *words)


@pytest.mark.parametrize("missing", ["--brokers", "--topic", "--lake"])
def test_a_missing_option_is_named(pintail, local_lake, missing):
    arguments = ingest(local_lake)
    at = arguments.index(missing)
    fails(pintail.run(*arguments[:at], *arguments[at + 2 :], code=None, timeout=10), 2, missing)


def test_help_names_every_option_and_exits_0(pintail):
    done = pintail.run("ingest", "--help", timeout=10)
    for option in (
        "brokers",
        "topic",
        "lake",
        "data-path",
        "table",
        "group",
        "schema",
        "flush-rows",
        "flush-bytes",
        "flush-interval",
        "until-end",
        "config",
        "on-error",
        "max-dead-letters",
        "start",
        "log-format",
    ):
        assert f"--{option}" in done.out, option
    assert done.err == ""
    for flag in ("--help", "--version"):
        assert pintail.run(flag, timeout=10).out


@pytest.mark.parametrize(
    "schema, words",
    [
        ("a", ["a"]),
        ("a INTEGR", ["INTEGR"]),
        ("a INTEGER,", ["schema", "ends"]),
        ("a INTEGER, A VARCHAR", ["case|twice"]),
        ("a DECIMAL(50,2)", ["column a", "38"]),
        ("a STRUCT(b INTEGER", ["column a", r"\)"]),
        ("", ["schema"]),
        ("_kafka_offset BIGINT", ["_kafka_offset"]),
        ("a INTEGER DEFAULT", ["DEFAULT"]),
    ],
)
def test_a_bad_schema_text_is_refused_before_anything_is_touched(pintail, local_lake, schema, words):
    arguments = ["ingest", "--brokers", "127.0.0.1:1", "--topic", "t", *local_lake.args, "--schema", schema, "--until-end"]
    fails(pintail.run(*arguments, code=None, timeout=15), 2, *words)
    assert not os.path.exists(local_lake.data_path)


def test_a_lake_text_that_is_none_is_refused_with_an_example(pintail, tmp_path):
    done = pintail.run(
        "ingest",
        "--brokers",
        "127.0.0.1:1",
        "--topic",
        "t",
        "--lake",
        "metadata/x.db",
        "--data-path",
        tmp_path,
        *SCHEMA,
        code=None,
        timeout=10,
    )
    fails(done, 2, "--lake", "metadata/x.db", "ducklake:")


@on("sqlite")
def test_an_unknown_kafka_property_is_named(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    fails(pintail.run(*ingest(lake, kafka.address, topic, "-X", "fetch.wait.mx.ms=5"), code=None, timeout=15), 2, "fetch.wait.mx.ms")
    fails(pintail.run(*ingest(lake, kafka.address, topic, "-X", "fetch.wait.max.ms"), code=None, timeout=15), 2, "fetch.wait.max.ms", "=")


@on("sqlite")
@pytest.mark.parametrize(
    "setting", ["auto.offset.reset=latest", "enable.auto.commit=true", "enable.auto.offset.store=true", "enable.partition.eof=false"]
)
def test_a_kafka_property_with_which_records_would_be_lost_is_refused(pintail, lake, kafka, setting):
    topic = kafka.create_topic(1)
    fails(pintail.run(*ingest(lake, kafka.address, topic, "-X", setting), code=None, timeout=15), 2, setting.split("=")[0], "--start")
    assert not Path(lake.text.split(":", 2)[2]).exists(), "a catalog was made"


@on("sqlite")
def test_a_new_table_needs_a_schema(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    fails(pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=None, timeout=15), 2, topic, "--schema")


# ---- the broker


def test_a_broker_out_of_reach_is_named_and_exits_3(pintail, local_lake):
    address = f"127.0.0.1:{free_port()}"
    fails(pintail.run(*ingest(local_lake, address), code=None, timeout=40), 3, address)
    assert not any(os.path.exists(path) for path in (local_lake.data_path, local_lake.text.split(":", 2)[2])), "a lake was made"


def test_a_broker_name_that_does_not_resolve_is_named_and_exits_3(pintail, local_lake):
    fails(pintail.run(*ingest(local_lake, "no-such-host.invalid:9092"), code=None, timeout=40), 3, "no-such-host.invalid")


@on("sqlite")
def test_a_missing_topic_is_named_and_exits_1(pintail, lake, kafka):
    fails(pintail.run(*ingest(lake, kafka.address, "no-such-topic"), code=None, timeout=40), 1, "no-such-topic", "topic")
    assert not any(os.path.exists(path) for path in (lake.data_path, lake.text.split(":", 2)[2])), "a lake was made"
    topic = kafka.create_topic(1)
    pintail.run(*ingest(lake, kafka.address, topic))
    fails(pintail.run(*ingest(lake, kafka.address, "no-such-topic"), code=None, timeout=40), 1, "no-such-topic", "topic")
    with lake.reader() as reader:
        assert reader.has_table(topic) and not reader.has_table("no-such-topic")


# ---- the lake


@on("sqlite")
@pytest.mark.parametrize(
    "columns, words",
    [
        ("order_id UUID, quantity INTEGER", ["customer_id|column"]),
        (orders.SCHEMA.replace("quantity INTEGER", "quantity VARCHAR"), ["quantity", "VARCHAR", "INTEGER"]),
    ],
)
def test_a_table_whose_columns_do_not_fit_the_schema_is_an_error(pintail, lake, kafka, columns, words):
    topic = kafka.create_topic(1)
    with lake.writer() as writer:
        metadata = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())
        writer.sql(f"CREATE TABLE lake.shop ({columns}, {metadata})")
    done = pintail.run(*ingest(lake, kafka.address, topic, "--table", "shop"), code=None, timeout=20)
    assert done.code in (1, 2)
    fails(done, done.code, "shop", *words)


@on("sqlite")
def test_a_table_without_the_metadata_columns_is_an_error_that_names_them(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    with lake.writer() as writer:
        writer.sql(f"CREATE TABLE lake.shop ({orders.SCHEMA})")
    done = pintail.run(*ingest(lake, kafka.address, topic, "--table", "shop"), code=None, timeout=20)
    assert done.code in (1, 2)
    fails(done, done.code, "shop", "_kafka_partition")


def test_a_postgres_catalog_out_of_reach_is_an_error_without_the_password(pintail, kafka, tmp_path):
    port = free_port()
    lake = f"ducklake:postgres:dbname=lake host=127.0.0.1 port={port} user=me password={SECRET}"
    done = pintail.run(
        "ingest",
        "--brokers",
        kafka.address,
        "--topic",
        kafka.create_topic(1),
        "--lake",
        lake,
        "--data-path",
        tmp_path,
        *SCHEMA,
        code=None,
        timeout=40,
    )
    fails(done, 3, "catalog|postgres", str(port))
    assert SECRET not in done.err + done.out


@pytest.mark.parametrize(
    "lake, code, words",
    [
        (
            f"ducklake:mysql:db=x host=127.0.0.1 port=1 user=u password={SECRET}",
            2,
            ["MySQL or MariaDB", "PostgreSQL, SQLite", "check and sql"],
        ),
        ("ducklake:md:shop", 1, ["extension motherduck", "motherduck.duckdb_extension", "PostgreSQL, SQLite"]),
        ("ducklake:quack:127.0.0.1:1", 1, ["extension quack", "PostgreSQL, SQLite"]),
    ],
)
def test_a_kind_of_catalog_that_cannot_be_written_is_refused_with_what_can(pintail, kafka, tmp_path, lake, code, words):
    done = pintail.run(
        "ingest",
        "--brokers",
        kafka.address,
        "--topic",
        kafka.create_topic(1),
        "--lake",
        lake,
        "--data-path",
        tmp_path / "data",
        *SCHEMA,
        code=None,
        timeout=20,
    )
    fails(done, code, *words)
    assert SECRET not in done.err + done.out


@on("duckdb")
def test_a_duckdb_catalog_that_another_process_holds_is_an_error_that_says_so(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    with lake.writer() as writer:
        writer.sql("CREATE TABLE lake.x (a INTEGER)")
    ready = tmp_path / "ready"
    program = f"import duckdb, pathlib, sys; c = duckdb.connect(r'{lake.folder}/metadata/lake.ducklake'); pathlib.Path(r'{ready}').touch(); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
    try:
        wait_for(ready.exists, 20, "the other process to hold the file")
        fails(pintail.run(*ingest(lake, kafka.address, topic), code=None, timeout=40), 3, "lake.ducklake", "lock|another process|in use")
    finally:
        holder.stdin.close()
        holder.wait(20)


@pytest.mark.core
@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_catalog_file_that_is_something_else_is_an_error(pintail, kafka, tmp_path, kind):
    lake = Lake(kind, tmp_path)
    (tmp_path / "metadata").mkdir()
    path = tmp_path / "metadata" / ("lake.ducklake" if kind == "duckdb" else "lake.sqlite")
    path.write_text("this is no database\n" * 1000)
    fails(pintail.run(*ingest(lake, kafka.address, kafka.create_topic(1)), code=None, timeout=20), 1, path.name)
    assert path.read_text().startswith("this is no database")


@on("duckdb", "sqlite", "postgres")
def test_a_data_path_that_cannot_be_written_is_an_error_that_names_it(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10))
    (tmp_path / "file").write_text("")
    lake.data_path = f"{tmp_path}/file/data/"
    fails(pintail.run(*ingest(lake, kafka.address, topic), code=None, timeout=30), 1, "file/data")


@on("sqlite")
def test_another_data_path_than_the_lakes_is_an_error_that_names_both(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    pintail.run(*ingest(lake, kafka.address, topic))
    was, lake.data_path = lake.data_path, f"{tmp_path}/elsewhere/"
    done = pintail.run(*ingest(lake, kafka.address, topic), code=None, timeout=30)
    assert done.code in (1, 2)
    fails(done, done.code, re.escape(was), re.escape(lake.data_path))


# ---- the installation


def test_a_missing_extension_file_is_named(pintail, local_lake, kafka, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = pintail.run(
        *ingest(local_lake, kafka.address, kafka.create_topic(1)), code=None, timeout=20, env={"PINTAIL_EXTENSIONS": str(empty)}
    )
    fails(done, 1, r"\.duckdb_extension", re.escape(str(empty)))


def test_an_extension_file_of_another_version_is_named(pintail, local_lake, kafka, tmp_path):
    folder = tmp_path / "extensions"
    (real,) = (EXTENSIONS).glob("v*/*")
    copy = folder / real.relative_to(EXTENSIONS)
    copy.mkdir(parents=True)
    for file in real.iterdir():
        if file.name.startswith("ducklake"):
            (copy / file.name).write_bytes(file.read_bytes()[:-600] + b"\0" * 600)
        else:
            (copy / file.name).symlink_to(file)
    done = pintail.run(
        *ingest(local_lake, kafka.address, kafka.create_topic(1)), code=None, timeout=20, env={"PINTAIL_EXTENSIONS": str(folder)}
    )
    fails(done, 1, r"ducklake\.duckdb_extension", r"1\.5\.5")


@on("sqlite")
def test_a_default_that_cannot_be_is_named_with_its_column_before_a_table_is_made(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    for default, words in (
        ("INTEGER DEFAULT nosuch()", ["nosuch"]),
        ("INTEGER DEFAULT n", ["DEFAULT n"]),
        ("INTEGER DEFAULT 'x'", ["Could not convert"]),
        ("STRUCT(x INTEGER) DEFAULT {'x': 3}", ["LIST, STRUCT and MAP"]),
        ("INTEGER[] DEFAULT [1]", ["LIST, STRUCT and MAP"]),
        ("INTEGER DEFAULT 1+", ["syntax error"]),
        ("JSON DEFAULT 'x'", ["Malformed JSON"]),
        ("TINYINT DEFAULT 300", ["300"]),
    ):
        done = pintail.ingest_all(lake, topic, "--schema", f"n INTEGER, the_column {default}", code=None)
        assert "LINE 1" not in fails(done, 2, "the_column", *words), done.err
    fails(pintail.ingest_all(lake, topic, "--schema", "a INTEGER DEFAULT (SELECT 1)", code=None), 2, "subqueries")
    fails(pintail.ingest_all(lake, topic, "--schema", "a INTEGER DEFAULT 1 DEFAULT 2", code=None), 2, "column a: DEFAULT is there twice")
    with lake.reader() as reader:
        assert reader.one(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{topic}'") == 0


@on("sqlite")
def test_a_table_name_that_would_go_elsewhere_is_refused(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    for name, words in (
        ("lake.main.t", ["name or schema.name"]),
        ("LAKE.t", ["the lake itself", "write t"]),
        ("a.b.c", ["schema.name"]),
        ('"open', ["schema.name"]),
        ('""', ["schema.name"]),
        ('a"b', ["schema.name"]),
        ("pintail.t", ["pintail's own"]),
    ):
        fails(pintail.ingest_all(lake, topic, "--schema", "a INTEGER", "--table", name, code=None), 2, *words)
    for name in ('"lake".t', 's."a.b"', '"a""b"'):
        pintail.ingest_all(lake, topic, "--schema", "a INTEGER", "--table", name)
    with lake.reader() as reader:
        made = reader.sql(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name <> 'pintail' ORDER BY ALL"
        )
        assert made == [("lake", "t"), ("main", 'a"b'), ("s", "a.b")]
    pintail.run("sql", *lake.args, "-c", "CREATE VIEW v AS SELECT 1 AS a")
    fails(pintail.ingest_all(lake, topic, "--table", "v", code=None), 2, "v is a view")


@pytest.mark.parametrize("timeout, shown", [("1s", "1 s"), ("300ms", "0.3 s"), ("1500ms", "1.5 s")])
def test_the_time_that_was_waited_for_a_broker_is_a_short_number(pintail, timeout, shown):
    line = fails(
        pintail.run("produce", "--brokers", "127.0.0.1:1", "--topic", "t", "--timeout", timeout, code=None), 3, f"within {shown}: "
    )
    assert "999" not in line


# ---- the options of a lake


@pytest.mark.parametrize(
    "alias, word", [("", "empty"), ("memory", "memory"), ("TEMP", "TEMP"), ("system", "system"), ('a"b', "quotes"), ("x" * 200, "longer")]
)
def test_an_alias_that_duckdb_cannot_take_is_refused_in_one_line(pintail, local_lake, alias, word):
    fails(pintail.run("sql", *local_lake.args, "--alias", alias, "-c", "select 1", code=None), 2, "--alias", word)


@pytest.fixture
def catalogs(pintail, tmp_path):
    """One file of each kind; paths are relative, as a user types them."""
    for lake in ("ducklake:sqlite:a.sqlite", "ducklake:duckdb:a.duckdb"):
        pintail.run("sql", "--lake", lake, "--data-path", "files", "-c", "select 1")
    (tmp_path / "a.text").write_text("no database, but a text that is longer than any head of a file")
    (tmp_path / "folder").mkdir()


@pytest.mark.parametrize(
    "lake, code, words",
    [
        ("ducklake:a.sqlite", 2, ["SQLite file", "ducklake:sqlite:a.sqlite"]),
        ("ducklake:sqlite:a.duckdb", 2, ["DuckDB file", "write --lake ducklake:a.duckdb"]),
        ("ducklake:folder", 2, ["is a folder"]),
        ("ducklake:sqlite:folder", 2, ["is a folder"]),
        ("ducklake:a.text", 1, ["no DuckDB database"]),
        ("ducklake:sqlite:a.text", 1, ["no SQLite database"]),
        ("ducklake:noextension", 2, ["ducklake:duckdb:noextension"]),
    ],
)
def test_a_catalog_of_another_kind_is_named_with_what_to_write(pintail, catalogs, lake, code, words):
    line = fails(pintail.run("sql", "--lake", lake, "--data-path", "files", "-c", "select 1", code=None), code, *words)
    assert "Error:" not in line and "Failed to" not in line, line


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--lake", "ducklake:sqlite:a.sqlite", "--data-path", "other"], ["files/", "other", "leave --data-path out"]),
        (["--lake", "ducklake:sqlite:b.sqlite", "--data-path", ""], ["--data-path is empty"]),
    ],
)
def test_a_data_path_that_is_not_the_lakes_is_wrong_usage(pintail, catalogs, arguments, words):
    assert "OVERRIDE" not in fails(pintail.run("sql", *arguments, "-c", "select 1", code=None), 2, *words)


def test_what_is_wrong_with_the_lake_is_told_also_when_no_broker_answers(pintail, local_lake, tmp_path):
    text = tmp_path / "text.sqlite"
    text.write_text("this is no database " * 100)
    for lake in (f"ducklake:sqlite:{text}", "ducklake:postgres:host=127.0.0.1 port=1 dbname=x"):
        done = pintail.run(
            "ingest",
            "--brokers",
            "127.0.0.1:1",
            "--topic",
            "t",
            "--lake",
            lake,
            "--data-path",
            tmp_path / "d",
            *SCHEMA,
            "--timeout",
            "1s",
            code=None,
            timeout=40,
        )
        fails(done, *((1, "no SQLite database") if "sqlite" in lake else (3, "PostgreSQL server")))
    fails(pintail.run(*ingest(local_lake), "--timeout", "1s", code=None), 3, "no broker answers")


def test_a_new_lake_without_data_path_is_wrong_usage(pintail, kafka):
    fails(
        pintail.run(
            "ingest",
            "--brokers",
            kafka.address,
            "--topic",
            kafka.create_topic(1),
            "--lake",
            "ducklake:sqlite:new.sqlite",
            *SCHEMA,
            code=None,
        ),
        2,
        "give --data-path",
    )


@pytest.mark.parametrize(
    "lake, words",
    [
        ("host=127.0.0.1 port=1 dbname=x", ["Connection refused", "does the PostgreSQL server run there"]),
        ("postgresql://me@127.0.0.1:1/x", ["Connection refused", "does the PostgreSQL server run there"]),
        ("dbnam=x", ['invalid connection option "dbnam"', "connection string"]),
    ],
)
def test_a_postgres_catalog_that_is_not_reached_is_told_once_with_advice(pintail, lake, words):
    line = fails(
        pintail.run("sql", "--lake", f"ducklake:postgres:{lake}", "-c", "select 1", code=None), 1 if "dbnam=" in lake else 3, *words
    )
    assert line.count(lake) == 1 and "\t" not in line and "Failed to" not in line, line


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_a_sqlite_catalog_that_may_only_be_read_says_what_sqlite_needs(pintail):
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, whose parents are closed to others
        Path(folder).chmod(0o755)
        lake = ("--lake", f"ducklake:sqlite:{folder}/a.sqlite")
        pintail.run("sql", *lake, "--data-path", f"{folder}/files", "-c", "select 1")
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(binary()), "sql", "--read-only", *lake, "-c", "select 1"],
            capture_output=True,
            text=True,
            timeout=20,
            cwd=folder,
        )
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "a.sqlite-wal" in done.stderr and "right to write" in done.stderr, done.stderr


# ---- secrets


@on("postgres")
def test_a_password_in_the_lake_text_appears_nowhere(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [*orders.orders(20), b"broken"])
    lake.text += f" password={SECRET}"  # trust: any password is right
    outputs = []
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "100ms")
    process.wait_for(lambda: lake.read(lambda r: r.rows(topic)) == 20, 30, "the rows")
    outputs.append(process.stop())
    outputs.append(pintail.ingest_all(lake, topic, "--log-format", "json"))
    text = lake.text
    lake.text = text.replace(f"dbname={lake.database}", "dbname=no_such_database")
    outputs.append(pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=1))
    lake.text = text.replace("ducklake:", "ducklak:")
    outputs.append(pintail.run(*pintail.ingest_args(lake, topic, "--until-end"), code=2))
    lake.text = text
    for done in outputs:
        assert SECRET not in done.out + done.err, done.err
    with lake.reader() as reader:
        for table in ("offsets", "epochs", "dead_letters"):
            assert SECRET not in repr(reader.sql(f"SELECT * FROM lake.pintail.{table}"))
        assert SECRET not in repr(reader.sql("SELECT * EXCLUDE (snapshot_time) FROM lake.snapshots()"))


@pytest.mark.parametrize(
    "text",
    [
        f"password=ab,cd{SECRET}",
        f"password='a\\'b {SECRET}'",
        f"password=a\\ {SECRET}",
        f"postgresql://me:a@{SECRET}@127.0.0.1:1/x",
        f"me:{SECRET}@127.0.0.1",
    ],
)
def test_a_password_in_a_lake_out_of_reach_appears_nowhere(pintail, text):
    for lake in (f"ducklake:postgres:host=127.0.0.1 port=1 {text}" if "password" in text else f"ducklake:postgres:{text}", text):
        done = pintail.run("check", "--lake", lake, code=None, timeout=20)
        assert done.code == 2 and SECRET not in done.err + done.out and "***" in done.err, done.err


def test_a_property_that_the_client_refuses_is_named_without_its_value(pintail):
    for setting in (f"sasl.passwrod={SECRET}", f"sasl.passwrod:{SECRET}"):
        done = pintail.run("produce", "--brokers", "127.0.0.1:1", "--topic", "t", "-X", setting, code=2)
        assert "sasl.passwrod" in done.err and SECRET not in done.err, done.err


@on("sqlite")
@pytest.mark.parametrize("setting", [f"sasl.password={SECRET}", f"ssl.key.password={SECRET}"])
def test_a_password_in_a_kafka_property_appears_nowhere(pintail, lake, kafka, setting):
    topic = kafka.create_topic(1)
    done = pintail.run(
        *ingest(
            lake,
            kafka.address,
            topic,
            "-X",
            "sasl.username=me",
            "-X",
            setting,
            "-X",
            "security.protocol=SASL_PLAINTEXT",
            "-X",
            "sasl.mechanism=PLAIN",
        ),
        code=None,
        timeout=40,
    )
    assert done.code in (1, 2) and SECRET not in done.out + done.err, done.err
