"""pintail sql: inputs, formats, errors, the prompt. Values are judged by Python's own DuckDB."""

import contextlib
import csv
import fcntl
import io
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from support.lake import stock as judge

REPO = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PINTAIL", str(REPO / "build" / "pintail"))


def sql(*args, stdin="", cwd=None, code=0, env=None):
    """Standard output and standard error of `pintail sql ...`, which must end with code."""
    done = subprocess.run(
        [BINARY, "sql", *map(str, args)], input=stdin.encode(), cwd=cwd, capture_output=True, timeout=300, env={**os.environ, **(env or {})}
    )
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def lake(tmp_path):
    return ["--lake", f"ducklake:{tmp_path}/m/lake.ducklake", "--data-path", f"{tmp_path}/d"]


def test_no_extension_without_a_signature_is_loaded_for_a_user():
    assert sql("-c", "select current_setting('allow_unsigned_extensions') as allowed", "--format", "csv")[0] == "allowed\nfalse\n"
    assert "allow_unsigned_extensions" in sql("-c", "set allow_unsigned_extensions = true", code=1)[1]


# ---- inputs


def test_commands_and_files_run_in_the_order_given(tmp_path):
    (tmp_path / "a.sql").write_text("select 'a' as x;\nselect 'b' as x;")
    (tmp_path / "c.sql").write_text("select 'd' as x;")
    out, _ = sql("-c", "select 1 as x", tmp_path / "a.sql", "--command=select 'c' as x", tmp_path / "c.sql", "--format", "csv")
    assert out.split() == ["x", "1", "x", "a", "x", "b", "x", "c", "x", "d"]


def test_standard_input_is_read_without_arguments_and_as_dash(tmp_path):
    assert sql("--format", "csv", stdin="select 1 as x; select 2 as x;")[0] == "x\n1\nx\n2\n"
    (tmp_path / "a.sql").write_text("select 'a' as x;")
    assert sql("--format", "csv", tmp_path / "a.sql", "-", stdin="select 'b' as x")[0] == "x\na\nx\nb\n"


def test_statements_from_a_pipe_run_as_they_come():
    process = subprocess.Popen([BINARY, "sql", "--format", "csv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for i in range(3):
            process.stdin.write(f"select {i} as x;\n".encode())
            process.stdin.flush()
            assert process.stdout.readline() + process.stdout.readline() == f"x\n{i}\n".encode()
    finally:
        process.stdin.close()
        assert process.wait(timeout=20) == 0
        process.stdout.close()


def test_the_lake_is_attached_and_the_default(lake, tmp_path):
    sql(*lake, "-c", "create table t (a integer); insert into lake.t values (1), (2)")
    assert sql(*lake, "--format", "csv", "-c", "select sum(a) as s from t")[0] == "s\n3\n"
    assert sql(*lake, "--alias", "other", "--format", "csv", "-c", "select sum(a) as s from other.t")[0] == "s\n3\n"
    with judge() as db:
        db.execute(f"LOAD ducklake; ATTACH 'ducklake:{tmp_path}/m/lake.ducklake' AS l (READ_ONLY)")
        assert db.execute("SELECT * FROM l.t ORDER BY a").fetchall() == [(1,), (2,)]


def test_a_misspelt_lake_is_not_made(tmp_path):
    _, err = sql("--lake", f"ducklake:{tmp_path}/nothing.ducklake", "-c", "select 1", code=1)
    assert "nothing.ducklake does not exist" in err
    assert list(tmp_path.iterdir()) == []


def test_read_only_changes_nothing(lake):
    sql(*lake, "-c", "create table t (a integer)")
    _, err = sql(*lake, "--read-only", "-c", "insert into t values (1)", code=1)
    assert "read-only" in err


def test_install_and_load_work_offline(tmp_path):
    out, _ = sql(
        "--format",
        "csv",
        "-c",
        "INSTALL ducklake; LOAD ducklake; INSTALL sqlite; LOAD sqlite;"
        f"ATTACH 'ducklake:sqlite:{tmp_path}/x.sqlite' AS x (DATA_PATH '{tmp_path}/d'); CREATE TABLE x.t AS SELECT 1 AS a; FROM x.t",
        env={"HOME": str(tmp_path), "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
    )
    assert out == "a\n1\n"
    assert not (tmp_path / ".duckdb").exists()


# ---- errors


def test_the_first_error_ends_the_run_with_file_line_and_statement(tmp_path):
    (tmp_path / "bad.sql").write_text("-- a comment\nselect 1 as x;\n\n/* more\n; */\nselect\n  nosuch\nfrom range(1);\nselect 3 as x;\n")
    out, err = sql("bad.sql", "--format", "csv", "-c", "select 4 as x", cwd=tmp_path, code=1)
    assert out == "x\n1\n"
    lines = err.splitlines()
    assert re.match(r'pintail sql: bad\.sql:6: Binder Error: Referenced column "nosuch" not found', lines[0])
    assert lines[1:] == ["    select", "      nosuch", "    from range(1)"]


@pytest.mark.parametrize(
    "statement, message",
    [
        ("selec 1", "Parser Error"),
        ("select 'open", "unterminated quoted string"),
        ("select 1 where 1", None),
        ("select error('boom')", "boom"),
        ("select case when range > 100000 then error('late') end from range(200000)", "late"),
        ("insert into nosuch values (1)", "nosuch"),
        ("select $1", "parameter"),
        ("/* open", "unterminated"),
        ("commit", "no transaction is active"),
    ],
)
def test_errors_of_every_kind_are_told(statement, message):
    if message is None:
        sql("-c", statement)
        return
    _, err = sql("--format", "csv", "-c", statement, code=1)
    assert err.startswith("pintail sql: -c:1: ") and message in err
    assert len(err.splitlines()) == 2


def test_the_place_of_an_error_tells_the_input(tmp_path):
    assert "pintail sql: standard input:2: " in sql(stdin="select 1;\nfoo;", code=1)[1]
    assert "pintail sql: -c (2):3: " in sql("-c", "select 1", "-c", "\n\nfoo", code=1)[1]


def test_secrets_are_not_shown():
    _, err = sql("-c", "create secret (type s3, key_id 'AKIAHUSH', secret 'hushhush', nosuch 'x')", code=1)
    assert "nosuch" in err and "hush" not in err.lower()


@pytest.mark.parametrize(
    "statement",
    [
        "create secret (type s3, secret 'hush' 'hush')",
        "create secret (type s3, secret hush, nosuch 'x')",
        "create secret (type s3, secret $$hush$$, nosuch 'x')",
        "create user x password e'h\\'hush'",
        "set s3_secret_access_key to 'x' 'hush'",
        "attach 'ducklake:postgres:host=127.0.0.1 port=1 password=ab,hush' as x",
        "attach 'ducklake:postgres:postgresql://me:a@hush@127.0.0.1:1/x' as x",
    ],
)
def test_a_statement_that_fails_is_shown_without_its_secrets(statement):
    _, err = sql("-c", statement, code=3 if "127.0.0.1" in statement else 1)  # 3: nobody answers there
    assert "hush" not in err.lower(), err


def test_wrong_usage_is_2(tmp_path):
    assert "box|csv|json|markdown" in sql("--format", "xml", "-c", "select 1", code=2)[1]
    assert "did you mean --format" in sql("--fromat", "csv", code=2)[1]
    sql("--data-path", "x", "-c", "select 1", code=2)
    sql("--lake", "nonsense", "-c", "select 1", code=2)


def test_a_missing_file_is_told_before_anything_runs(tmp_path):
    (tmp_path / "a.sql").write_text("select 1;")
    out, err = sql("a.sql", "b.sql", cwd=tmp_path, code=1)
    assert out == "" and err == "pintail sql: b.sql cannot be read: No such file or directory; nothing was run\n"


def test_a_transaction_left_open_is_told(lake):
    sql(*lake, "-c", "create table t (a integer)")
    _, err = sql(*lake, "-c", "begin; insert into t values (1)", code=1)
    assert "inside a transaction" in err
    sql(*lake, "-c", "begin; insert into t values (1); select * from t; rollback; begin transaction; commit")
    assert sql(*lake, "--format", "csv", "-c", "select count(*) as n from t")[0] == "n\n0\n"


def test_an_error_rolls_the_transaction_back(lake):
    sql(*lake, "-c", "create table t (a integer)")
    sql(*lake, "-c", "begin; insert into t values (1); select nosuch; commit", code=1)
    assert sql(*lake, "--format", "csv", "-c", "select count(*) as n from t")[0] == "n\n0\n"


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, "sql", "-c", "select 1"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"No space left" in done.stderr


@pytest.mark.parametrize("form", ["csv", "json", "markdown", "box"])
def test_a_reader_that_has_enough_ends_it_without_a_word(form):
    """As of a program that SIGPIPE ends, since what comes after is not done."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([BINARY, "sql", "--format", form, "-c", "from range(1000000)"], stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_running_statement(number):
    process = subprocess.Popen(
        [
            BINARY,
            "sql",
            "--format",
            "csv",
            "-c",
            "select 1 as x; select count(*) from range(100000000) a, range(10000000) b where a.range + b.range = 3; select 2",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() + process.stdout.readline() == b"x\n1\n"  # the long one is next
    time.sleep(0.2)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1 and out == b"" and b"interrupted" in err


@contextlib.contextmanager
def silent_server():
    """Takes connections and says nothing: its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command, code", [(["sql", "-c", "select 1"], 1), (["check"], 2)])
def test_a_signal_ends_what_cannot_be_interrupted(command, code):
    """The catalog's server is there and does not answer."""
    with silent_server() as port:
        process = subprocess.Popen(
            [BINARY, *command, "--lake", f"ducklake:postgres:host=127.0.0.1 port={port} dbname=x connect_timeout=600"],
            stderr=subprocess.PIPE,
        )
        time.sleep(1)  # it is asking, or will ask
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code and b"interrupted" in err, err


def test_a_signal_ends_a_statement_whose_rows_nobody_reads():
    reader, writer = os.pipe()
    process = subprocess.Popen([BINARY, "sql", "--format", "csv", "-c", "from range(1000000000)"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert os.read(reader, 6) == b"range\n"
    time.sleep(0.2)  # until the pipe is full; if not, it is interrupted in another way
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    os.close(reader)
    assert process.returncode == 1, err


# ---- results of any size

JOIN = "SELECT a.i AS i, b.t AS t FROM big a LEFT JOIN big b ON a.i = b.i"


PLANS = [
    "SELECT i, t FROM l.table_changes('big', 0, 1)",
    f"{JOIN} UNION ALL {JOIN}",
    "FROM big UNION ALL SELECT max(i), max(t) FROM big",
    "FROM (FROM big ORDER BY t LIMIT 99999) UNION ALL FROM (FROM big ORDER BY i LIMIT 9)",
    "SELECT DISTINCT i, t FROM big UNION ALL FROM big",
    "FROM big UNION ALL (FROM big UNION ALL SELECT count(*), min(t) FROM big)",
    f"WITH x AS MATERIALIZED ({JOIN}) FROM x UNION ALL FROM x",
    "SELECT COALESCE(a.i, b.i) AS i, a.t AS t FROM big a FULL JOIN big b ON a.i = b.i + 200000 UNION ALL FROM big",
    "SELECT i, t FROM big, range(2) -- no join",
    "FROM big ORDER BY t -- the order is kept",
]


def test_a_large_result_of_any_plan_comes_to_its_end(tmp_path):
    """Where DuckDB streams a UNION ALL above joins that keep its threads busy, it waits for the reader before it says that there is something to read."""
    lake = f"ducklake:{tmp_path}/l.ducklake"
    sql("--lake", lake, "--data-path", tmp_path / "d", "-c", "create table big as select i, 'row ' || i as t from range(500000) r(i)")
    out, _ = sql("--lake", lake, "--alias", "l", "--format", "csv", "-c", f"SET threads = 1; {';'.join(q + chr(10) for q in PLANS)}")
    results = out.split("i,t\n")[1:]
    assert len(results) == len(PLANS)
    summary = "SELECT count(*), sum(hash(i, t)) FROM"
    with judge() as db:
        db.execute(f"LOAD ducklake; ATTACH '{lake}' AS l (READ_ONLY); USE l")
        for query, rows in zip(PLANS, results, strict=True):
            (tmp_path / "rows.csv").write_text(rows)
            got = f"read_csv('{tmp_path}/rows.csv', header = false, columns = {{'i': 'BIGINT', 't': 'VARCHAR'}})"
            assert db.execute(f"{summary} {got}").fetchone() == db.execute(f"{summary} ({query}\n)").fetchone(), query
        assert db.execute(f"SELECT bool_and(t >= before) FROM (SELECT t, lag(t) OVER () AS before FROM {got})").fetchone() == (
            True,
        )  # the last one is ordered


def test_a_large_result_comes_to_its_end_also_where_duckdb_may_touch_no_file():
    out, _ = sql(
        "--format",
        "csv",
        "-c",
        "create table big as select i, 'row ' || i as t from range(200000) r(i); set enable_external_access = false;"
        "from big union all select max(i), max(t) from big; select 1 as i, 2 as t union all select 3, 4",
    )
    lines = out.split()
    assert lines[0] == "i,t" and len(out.splitlines()) == 200002 + 3 and out.endswith("\n199999,row 99999\ni,t\n1,2\n3,4\n")


# ---- values

VALUES = [
    "true",
    "(-128)::TINYINT",
    "(-32768)::SMALLINT",
    "-2147483648",
    "(-9223372036854775808)::BIGINT",
    "255::UTINYINT",
    "65535::USMALLINT",
    "4294967295::UINTEGER",
    "18446744073709551615::UBIGINT",
    "(-170141183460469231731687303715884105727)::HUGEINT",
    "340282366920938463463374607431768211455::UHUGEINT",
    "1.5::FLOAT",
    "0.1::DOUBLE",
    "1e300::DOUBLE",
    "'nan'::DOUBLE",
    "'-inf'::FLOAT",
    "1.10::DECIMAL(4,2)",
    "12345678901234567890123456789012345.678::DECIMAL(38,3)",
    "'text'",
    "''",
    "'a,b \"c\"'",
    "'línea\nдва\t三'",
    "'\\x00\\xFFab'::BLOB",
    "'10110'::BIT",
    "'6f1f7b2a-65a5-4b5f-a6b0-2fe0ed1a4a0f'::UUID",
    "DATE '2026-02-28'",
    "'-infinity'::DATE",
    "TIME '12:34:56.789'",
    "'12:34:56+05:30'::TIMETZ",
    "TIMESTAMP '2026-01-02 03:04:05.000006'",
    "TIMESTAMPTZ '2026-01-02 03:04:05.6+00'",
    "'infinity'::TIMESTAMPTZ",
    "TIMESTAMP_S '2026-01-02 03:04:05'",
    "TIMESTAMP_MS '2026-01-02 03:04:05.1'",
    "TIMESTAMP_NS '2026-01-02 03:04:05.123456789'",
    "INTERVAL '1 year 2 months 3 days 4 seconds'",
    "'b'::ENUM('a', 'b')",
    "'{\"k\": [1, null]}'::JSON",
    "[1, NULL, 3]",
    "[['a'], []]::VARCHAR[][]",
    "[1.5, 2]::DOUBLE[2]",
    "{'a': 1, 'b': ['x', NULL], 'c': {'d': DATE '2026-01-01'}}",
    "MAP {'k': 1.50, 'l': NULL}",
    "union_value(num := 2)",
    "[{'t': TIMESTAMPTZ '2026-01-02 03:04:05+00'}]",
    "NULL::INTEGER",
    "NULL",
    "[]",
    "123456789012345678901234567890::BIGNUM",
    "'2026-01-02'::DATE::VARIANT",
    "[INTERVAL 1 DAY]",
    "['\\xFF'::BLOB]",
]


def test_every_type_has_duckdbs_text():
    columns = ", ".join(f"{v} AS c{i}" for i, v in enumerate(VALUES))
    with judge() as db:
        db.execute("SET TimeZone = 'America/New_York'")
        want = db.execute(f"SELECT COLUMNS(*)::VARCHAR FROM (SELECT {columns})").fetchall()
    out, _ = sql("--format", "csv", "-c", f"SET TimeZone = 'America/New_York'; SELECT {columns}")
    rows = list(csv.reader(io.StringIO(out, newline="")))
    got = dict(zip(rows[0], rows[1], strict=True))
    for i, value in enumerate(VALUES):
        assert got[f"c{i}"] == (want[0][i] or ""), value


def test_types_hold_over_many_rows_and_nulls():
    query = (
        "SELECT i, CASE WHEN i % 3 > 0 THEN i::DECIMAL(18,3) / 7 END AS d, CASE WHEN i % 5 > 0 THEN [i, NULL] END AS l, CASE WHEN "
        "i % 7 > 0 THEN {'a': i, 'b': 'x' || i} END AS s, "
        "CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END::ENUM('even', 'odd') AS e FROM range(10000) t(i) ORDER BY i"
    )
    with judge() as db:
        want = [tuple(v or "" for v in row) for row in db.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({query})").fetchall()]
    out, _ = sql("--format", "csv", "-c", query)
    assert [tuple(row) for row in csv.reader(io.StringIO(out))][1:] == want


def test_json_has_numbers_as_numbers_and_nested_values_as_json():
    out, _ = sql(
        "--format",
        "json",
        "-c",
        """
        SELECT 1 AS i, -1.5::DOUBLE AS d, 1.10::DECIMAL(4,2) AS dec, 170141183460469231731687303715884105727::HUGEINT AS h, true AS b, NULL AS n, 'q"\\\n' AS t,
               [1, NULL, 3] AS l, {'a': {'b': ['x']}} AS s, MAP {'k': 1} AS m, '{"j": [1]}'::JSON AS j, DATE '2026-01-02' AS day,
               'nan'::DOUBLE AS nan, ['inf'::DOUBLE] AS inf,
               'ab'::BLOB AS blob, 1 AS i, 0.1::FLOAT AS f, 1e300::DOUBLE AS big
        FROM range(2)""",
    )
    rows = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert (
        rows
        == [
            {
                "i": 1,
                "d": -1.5,
                "dec": 1.1,
                "h": 2**127 - 1,
                "b": True,
                "n": None,
                "t": 'q"\\\n',
                "l": [1, None, 3],
                "s": {"a": {"b": ["x"]}},
                "m": {"k": 1},
                "j": {"j": [1]},
                "day": "2026-01-02",
                "nan": "NaN",
                "inf": ["Infinity"],
                "blob": "ab",
                "i_1": 1,
                "f": 0.1,
                "big": 1e300,
            }
        ]
        * 2
    )
    assert json.loads(sql("--format", "json", "-c", "select 1 where false")[0]) == []


def test_csv_is_read_back_by_duckdb_as_it_was(tmp_path):
    query = "SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a,\"b\"' ELSE 'two\nlines' END AS t FROM range(1000) r(i)"
    (tmp_path / "x.csv").write_text(sql("--format", "csv", "-c", query)[0])
    with judge() as db:
        back = (
            f"read_csv('{tmp_path}/x.csv', header = true, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = "
            f"false, columns = {{'i': 'BIGINT', 't': 'VARCHAR'}})"
        )
        assert db.execute(f"SELECT count(*) FROM {back}").fetchone() == (1000,)
        assert db.execute(f"SELECT count(*) FROM (({query}) EXCEPT ALL FROM {back})").fetchone() == (0,)


def test_a_large_result_is_streamed():
    """Ten million rows take no more memory than a few."""
    process = subprocess.Popen(
        [BINARY, "sql", "--format", "csv", "-c", "select i, repeat('x', 50) as t from range(10000000) r(i)"], stdout=subprocess.PIPE
    )
    rows = 0
    highest = 0
    while chunk := process.stdout.read(1 << 22):
        rows += chunk.count(b"\n")
        status = Path(f"/proc/{process.pid}/status").read_text()
        highest = max(highest, int((re.search(r"VmRSS:\s+(\d+)", status) or [0, 0])[1]))
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert rows == 10_000_001
    assert highest < 300_000  # kB; 500 MB of text went by


def test_markdown_and_box():
    assert (
        sql("--format", "markdown", "-c", "select 1 as a, 'x|y' as b, null as c")[0]
        == "| a | b | c |\n|---:|---|---:|\n| 1 | x\\|y | NULL |\n"
    )
    assert sql("--format", "markdown", "-c", "select 1 as a; select 2 as b")[0] == "| a |\n|---:|\n| 1 |\n\n| b |\n|---:|\n| 2 |\n"
    assert sql("-c", "select 1 as a, 'ü' as b, 2.50::decimal(5,2) as c")[0] == (
        "┌───────┬─────────┬──────────────┐\n"
        "│   a   │    b    │      c       │\n"
        "│ int32 │ varchar │ decimal(5,2) │\n"
        "├───────┼─────────┼──────────────┤\n"
        "│     1 │ ü       │         2.50 │\n"
        "└───────┴─────────┴──────────────┘\n"
    )


def test_a_box_looks_as_in_duckdbs_own_command_line():
    cli = REPO / ".deps" / "bin" / "duckdb"
    if not cli.exists():
        pytest.skip("the duckdb command line is not fetched (deps/fetch test)")
    for query in [
        "select 1 as a, 'x' as b, [1] as c, {'k': 1.5} as d, null as e, 1.5::double as f",
        "select i, 'row ' || i as t from range(5) r(i)",
        "select true as yes, date '2026-01-01' as d, '大輔' as wide",
    ]:
        theirs = subprocess.run([cli, "-init", "/dev/null", "-c", query], capture_output=True, text=True, timeout=60, check=True).stdout
        assert sql("-c", query)[0] == theirs


def test_all_rows_are_shown_where_there_is_no_terminal():
    out, _ = sql("-c", "from range(1000)")
    assert len(re.findall(r"│ +\d+ │", out)) == 1000 and out.endswith("  1000 rows  1 column\n")
    out, _ = sql("--max-rows", "10", "-c", "from range(1000)")
    assert len(re.findall(r"│ +\d+ │", out)) == 10 and out.endswith("  1000 rows (10 shown)  1 column\n")


def test_statements_without_a_result_print_nothing(lake):
    for name in ["box", "csv", "json", "markdown"]:
        out, _ = sql(
            *lake,
            "--format",
            name,
            "-c",
            f"create table t_{name} (a integer); insert into t_{name} values (1), (2); update t_{name} set a = 3; delete from "
            f"t_{name}; begin; commit; set threads = 1",
        )
        assert out == ""


def test_statements_of_every_kind_run(lake):
    out, _ = sql(
        *lake,
        "--format",
        "csv",
        "-c",
        """
        create table t as select * from (values (1, 'a'), (2, 'b')) v(x, y);
        pivot t on y using sum(x);
        select * from (pivot t on y using sum(x));
        pragma database_list; explain select * from t; describe t; summarize t; show tables; call pragma_version();
        prepare p as select $1::integer + 1 as z; execute p(4);
        insert into t values (3, 'c'); create temp table m (x integer); insert into m values (7) returning x + 1 as given_back;
        with w as (select 4 as x, 'd' as y) insert into t select * from w;
        (select 1 as one); values (1), (2); table t; from t;
        begin; select count(*) from t; insert into t values (5, 'e'); select count(*) as in_transaction from t; commit;
        from ducklake_flush_inlined_data('lake'); call ducklake_rewrite_data_files('lake'); from ducklake_rewrite_data_files('lake');
        select count(*) as rows_at_the_end from t""",
    )
    assert "given_back\n8\n" in out
    assert "a,b\n1,2\n" in out and "z\n5\n" in out and "in_transaction\n5\n" in out
    assert out.endswith("rows_at_the_end\n5\n")


# ---- the prompt


class Terminal:
    """pintail sql on a pseudo-terminal."""

    def __init__(self, folder, *args, columns=100):
        self.fd, side = os.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k != "LC_ALL"} | {"TERM": "xterm", "XDG_STATE_HOME": str(folder), "HOME": str(folder)}

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [BINARY, "sql", *map(str, args)],
            stdin=side,
            stdout=side,
            stderr=side,
            env=env,
            preexec_fn=own_terminal,  # noqa: PLW1509 - a terminal of its own is taken by the child; nothing there needs a lock
        )
        os.close(side)
        self.seen = ""

    def __enter__(self):
        self.wait("pintail> ")
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)

    def wait(self, text, seconds=20):
        """What came up to and with text."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace").replace("\r\n", "\n")
                except OSError:
                    assert text in self.seen, f"ended without {text!r}: {self.seen!r}"
        at = self.seen.index(text) + len(text)
        result, self.seen = self.seen[:at], self.seen[at:]
        return result

    def work(self, seconds):
        """Waits until the process has computed for so long from now on: a statement is running."""

        def used():
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        began, end = used(), time.monotonic() + 20
        while used() < began + seconds:
            assert time.monotonic() < end, "the statement does not run"
            time.sleep(0.02)

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, line):
        """What line prints, up to the next prompt."""
        self.type(line + "\n")
        self.wait("\n")
        return self.wait("pintail> ")

    def end(self, text, code=0):
        self.type(text)
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    os.read(self.fd, 65536)
        assert self.process.poll() == code


def test_the_prompt_runs_statements_of_several_lines(tmp_path, lake):
    with Terminal(tmp_path, *lake) as t:
        t.type("select 'naïve' as w,\n")
        t.wait("    ...> ")
        assert "│ naïve   │     2 │" in t.run("2 as n;")
        assert "OK\n" in t.run("create table t (a integer);")
        assert "3 rows\n" in t.run("insert into t values (1), (2), (3);")
        assert "│ t " in t.run(".tables")
        assert "CREATE TABLE" in t.run(".schema t")
        assert "snapshot_id" in t.run(".snapshots")
        t.run(".format csv")
        assert t.run("select count(*) as n from t;").startswith("n\n3\n")
        assert "unknown command .nosuch" in t.run(".nosuch")
        t.end("\x04")


def test_an_error_does_not_end_the_prompt(tmp_path):
    with Terminal(tmp_path) as t:
        assert "Parser Error: syntax error" in t.run("selec 1;")
        assert "│     1 │" in t.run("select 1;")
        t.end(".quit\n")


def test_control_c_drops_the_line_and_stops_the_statement(tmp_path):
    with Terminal(tmp_path) as t:
        t.type("select 'never closed")
        t.wait("closed")
        t.type("\x03")
        t.wait("pintail> ")
        assert "│     1 │" in t.run("select 1;")
        t.type("select 1,\n")
        t.wait("    ...> ")
        t.type("\x03")
        t.wait("pintail> ")
        t.type("select count(*) from range(100000000) a, range(10000000) b where a.range + b.range = 3;\n")
        t.wait("= 3;\n")
        t.work(0.2)
        t.type("\x03")
        t.wait("interrupted")
        t.wait("pintail> ")
        assert "│     2 │" in t.run("select 2;")
        t.end("\x04")


def test_history_is_kept_private_and_without_secrets(tmp_path):
    file = tmp_path / "pintail" / "history"
    with Terminal(tmp_path) as t:
        t.run("select 41 as answer;")
        t.run("create secret (type s3, key_id 'AKIAHUSH', secret 'hushhush');")
        t.end("\x04")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == "select 41 as answer;\n"
    with Terminal(tmp_path) as t:
        t.type("\x1b[A\n")  # up
        t.wait("│     41 │")
        t.wait("pintail> ")
        t.type("select 1;\n")
        t.wait("pintail> ")
        t.end("\x04")
    assert file.read_text().splitlines()[1] == "select 41 as answer;"


def test_a_terminal_shows_forty_rows_and_fits_its_width(tmp_path):
    with Terminal(tmp_path, columns=60) as t:
        out = t.run("select i, repeat('wide ', 50) as text from range(1000) r(i);")
        lines = [line for line in out.splitlines() if line.startswith("│")]
        assert len([line for line in lines if "wide" in line]) == 40
        assert all(len(line) <= 60 for line in lines) and "…" in out
        assert "1000 rows (40 shown)  2 columns" in out
        t.end("\x04")


def test_sigterm_ends_the_prompt(tmp_path):
    with Terminal(tmp_path) as t:
        t.process.send_signal(signal.SIGTERM)
        assert t.process.wait(timeout=10) == 0
