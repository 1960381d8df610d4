"""pintail check on lakes that stock DuckDB made, with the DDL of src/lake/ledger_form.h: every kind of damage is found, and nothing else."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from support.lake import stock
from support.procs import wait_for

REPO = Path(__file__).resolve().parents[2]
PINTAIL = Path(os.environ.get("PINTAIL", REPO / "build" / "pintail"))
LEDGER_H = (REPO / "src" / "lake" / "ledger_form.h").read_text()
ORDERS = (
    "order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product VARCHAR, quantity INTEGER, unit_price DECIMAL(10,2), region VARCHAR, "
    "_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ"
)
GROUP = "pintail-stream_orders"
POSITION = 'pipeline, topic, "partition", from_offset, next_offset, row_count, dead_letter_count, epoch, cluster_id, topic_id, target_table, kind, committed_at'


def columns_of(macro):
    definition = re.search(rf"#define {macro} +\\\n((?: +\"(?:[^\"\\]|\\.)*\" *\\?\n)+)", LEDGER_H)[1]
    return "".join(json.loads(f'"{part}"') for part in re.findall(r'"((?:[^"\\]|\\.)*)"', definition))


class Lake:
    """A lake with pintail's tables; commit() does what one flush of pintail does."""

    def __init__(self, folder, catalog="sqlite"):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        file = folder / f"lake.{catalog}"
        self.text = f"ducklake:sqlite:{file}" if catalog == "sqlite" else f"ducklake:{file}"
        self.data = f"{folder}/data/"
        self.connection = None
        self.sql("BEGIN")
        self.sql("CREATE SCHEMA lake.pintail")
        for table, macro in [("offsets", "PT_LEDGER_COLUMNS"), ("epochs", "PT_EPOCH_COLUMNS"), ("dead_letters", "PT_DEAD_LETTER_COLUMNS")]:
            self.sql(f"CREATE TABLE lake.pintail.{table} ({columns_of(macro)})")
        self.sql(f"CREATE TABLE lake.stream_orders ({ORDERS})")
        self.sql("COMMIT")
        self.sql("CALL lake.set_option('data_inlining_row_limit', 0)")  # files, so that they can go missing

    def sql(self, text):
        if not self.connection:
            self.connection = stock()
            self.connection.execute("LOAD sqlite_scanner; LOAD ducklake; SET TimeZone='UTC'")
            self.connection.execute(f"ATTACH '{self.text}' AS lake (DATA_PATH '{self.data}')")
        return self.connection.execute(text).fetchall()

    def close(self):
        if self.connection:
            self.connection.execute("DETACH lake")
            self.connection.close()
            self.connection = None

    def line(
        self,
        first,
        until,
        rows,
        dead=0,
        partition=0,
        topic="orders",
        group=GROUP,
        table="stream_orders",
        kind="commit",
        epoch=1,
        cluster="c",
    ):
        self.sql(
            f"INSERT INTO lake.pintail.offsets ({POSITION}) VALUES ('{group}', '{topic}', {partition}, {first}, {until}, {rows}, "
            f"{dead}, {epoch}, '{cluster}', 't', "
            f"'{table}', '{kind}', now())"
        )

    def rows(self, offsets, partition=0, table="stream_orders", more=None):
        listed = ", ".join(f"({o})" for o in offsets)
        extra = f", {more}" if more else ""
        self.sql(
            f"INSERT INTO lake.{table} SELECT uuid(), TIMESTAMPTZ '2026-01-01 00:00:00+00', 'CUST-0001', ['Laptop', 'Mouse'][1 + (o % 2)::INTEGER], 2, 150.25, "
            f"'North', {partition}, o, now(), TIMESTAMPTZ '2026-02-01 00:00:00+00' + INTERVAL (o // 10) SECOND{extra} FROM (VALUES {listed}) v(o)"
        )

    def letters(self, offsets, partition=0, topic="orders", group=GROUP, code="malformed"):
        if offsets:
            listed = ", ".join(f"('{topic}', {partition}, {o}, '{code}', 'stream_orders', '{group}')" for o in offsets)
            self.sql(
                f'INSERT INTO lake.pintail.dead_letters (topic, "partition", "offset", error_code, target_table, pipeline) VALUES {listed}'
            )

    def commit(self, first, until, dead=(), partition=0, hidden=(), **more):
        good = [o for o in range(first, until) if o not in dead and o not in hidden]
        self.sql("BEGIN")
        if good:
            self.rows(good, partition)
        self.letters(dead, partition, **{k: v for k, v in more.items() if k in ("topic", "group")})
        self.line(first, until, len(good), len(dead), partition, **more)
        self.sql("COMMIT")

    def check(self, *arguments, code=0, cwd=None, close=True):
        """The JSON of check, which has to end with this exit code."""
        if close:
            self.close()
        done = pintail("check", "--lake", self.text, "--json", *arguments, code=code, cwd=cwd)
        return json.loads(done.stdout)

    def findings(self, *arguments):
        report = self.check(*arguments, code=1)
        assert report["verdict"] == "findings"
        return report["findings"]

    def finding(self, kind, *arguments):
        found = self.findings(*arguments)
        assert [f["kind"] for f in found] == [kind], found
        return found[0]


def pintail(*arguments, code=0, timeout=60, cwd=None):
    done = subprocess.run(
        [str(PINTAIL), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, cwd=cwd
    )
    assert done.returncode == code, f"exit code {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
    return done


def could_not(*arguments, cwd=None):
    done = pintail("check", *arguments, code=2, cwd=cwd)
    assert done.stdout == "" and done.stderr.count("\n") == 1 and done.stderr.startswith("pintail check: "), done.stderr
    return done.stderr


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake")
    yield made
    made.close()


@pytest.fixture
def sound(lake):
    lake.commit(0, 50, dead=[7, 9])
    lake.commit(50, 120)
    lake.commit(10, 40, partition=3)
    return lake


# ---- what is sound


@pytest.mark.core
@pytest.mark.parametrize("catalog", ["sqlite", "duckdb"])
def test_a_sound_lake_has_no_findings(tmp_path, catalog):
    lake = Lake(tmp_path / "lake", catalog)
    lake.commit(0, 50, dead=[7, 9])
    lake.commit(50, 120)
    lake.commit(10, 40, partition=3)
    report = lake.check("--data-path", lake.data)
    assert report["verdict"] == "sound" and report["findings"] == [] and report["notes"] == []
    (pipeline,) = report["pipelines"]
    assert {k: v for k, v in pipeline.items() if k != "partitions"} == {
        "pipeline": GROUP,
        "topic": "orders",
        "table": "stream_orders",
        "rows": 148,
        "dead_letters": 2,
        "gaps": 0,
        "duplicates": 0,
        "lag": None,
        "behind_seconds": None,
    }
    zero, three = pipeline["partitions"]
    assert zero == {
        "partition": 0,
        "rows": 118,
        "dead_letters": 2,
        "ledger_rows": 118,
        "ledger_dead_letters": 2,
        "first_offset": 0,
        "next_offset": 120,
        "gaps": 0,
        "duplicates": 0,
        "not_exposed": 0,
        "skipped": 0,
        "lag": None,
        "behind_seconds": None,
    }
    assert (three["partition"], three["first_offset"], three["next_offset"], three["rows"]) == (3, 10, 40, 30)
    assert report["dead_letters"] == [{"pipeline": GROUP, "topic": "orders", "error_code": "malformed", "count": 2, "before_reset": 0}]
    (table,) = report["tables"]
    assert (table["table"], table["rows"], table["rows_without_offset"]) == ("stream_orders", 148, 0)
    assert table["files"]["count"] == 3 and table["files"]["missing"] == 0 and table["files"]["bytes"] > 0 and table["files"]["small"] == 3


def test_the_report_is_that_of_the_original_checker(sound):
    sound.close()
    out = pintail("check", "--lake", sound.text).stdout
    lines = out.splitlines()
    assert "pintail check" in lines[1] and "stream_orders: 148 rows" in out
    assert "latest 5 by ingest_time" in out and "sales by product" in out
    assert lines[lines.index("=" * 74, 1) + 1] == "sound: every committed offset is in its table or in the dead letters"
    report = sound.check()["tables"][0]
    assert [(r["_kafka_partition"], r["_kafka_offset"]) for r in report["latest"]] == [(0, o) for o in (119, 118, 117, 116, 115)]
    assert {s["product"]: (s["count"], s["revenue"]) for s in report["sales"]} == {
        p: (n, n * 2 * 150.25) for p, n in sound.sql("SELECT product, count(*) FROM lake.stream_orders GROUP BY 1")
    }


def test_latest_ties_go_by_offset(lake):
    lake.commit(0, 10)
    assert [r["_kafka_offset"] for r in lake.check()["tables"][0]["latest"]] == [9, 8, 7, 6, 5]


def test_any_other_table_gets_total_latest_and_columns(sound):
    sound.sql("CREATE SCHEMA lake.other")
    sound.sql('CREATE TABLE lake.other.things (id INTEGER, "wëird ""name" VARCHAR, tags VARCHAR[])')
    sound.sql("INSERT INTO lake.other.things SELECT i, 'x' || i, ['a', 'b'] FROM range(9) r(i)")
    report = sound.check("--table", "other.things")
    (table,) = report["tables"]
    assert table["rows"] == 9 and table["sales"] is None and table["latest_by"] == "rowid" and len(table["latest"]) == 5
    assert table["latest"][0] == {"id": 8, 'wëird "name': "x8", "tags": ["a", "b"]}
    assert report["pipelines"] == [] and "ledger knows nothing of table other.things" in report["notes"][0]


@pytest.mark.parametrize("written", ["stream_orders", "STREAM_Orders", "main.stream_orders", '"stream_orders"', 'Main."Stream_Orders"'])
def test_a_table_is_audited_however_its_name_is_written(sound, written):
    report = sound.check("--table", written)
    assert [t["table"] for t in report["tables"]] == ["stream_orders"] and report["notes"] == []
    assert [(p["table"], p["rows"]) for p in report["pipelines"]] == [("stream_orders", 148)]
    sound.sql("DELETE FROM lake.stream_orders WHERE _kafka_partition = 0 AND _kafka_offset = 20")
    assert sound.findings("--table", written)


def test_control_records_and_compaction_are_reported_and_no_findings(lake):
    lake.commit(0, 50, hidden=[3, 4, 49])
    lake.line(50, 60, 0)
    (partition,) = lake.check()["pipelines"][0]["partitions"]
    assert (partition["not_exposed"], partition["rows"], partition["gaps"], partition["next_offset"]) == (13, 47, 0, 60)


def test_a_skip_bridges_a_gap(lake):
    lake.commit(0, 10)
    lake.line(10, 500, 0, kind="skip")
    lake.commit(500, 510)
    (partition,) = lake.check()["pipelines"][0]["partitions"]
    assert (partition["skipped"], partition["gaps"], partition["rows"]) == (490, 0, 20)


def test_a_reset_forward_is_no_gap(lake):
    lake.commit(0, 10)
    lake.line(10, 100, 0, kind="reset", epoch=2, table="", cluster="")
    lake.commit(100, 120, epoch=2)
    (partition,) = lake.check()["pipelines"][0]["partitions"]
    assert (partition["next_offset"], partition["gaps"]) == (120, 0)


def test_nothing_committed_yet_is_sound(lake):
    report = lake.check()
    assert report["verdict"] == "sound" and report["pipelines"] == []
    lake.sql(f"INSERT INTO lake.pintail.epochs VALUES ('{GROUP}', 'orders', 0, 1, 'me', now())")
    (partition,) = lake.check("--topic", "orders")["pipelines"][0]["partitions"]
    assert partition["next_offset"] is None


def test_rows_that_a_user_added_without_an_offset_are_counted_apart(sound):
    sound.sql("INSERT INTO lake.stream_orders (customer_id) VALUES ('by hand')")
    assert sound.check()["tables"][0]["rows_without_offset"] == 1


def test_merging_and_expiring_keep_a_lake_sound(sound):
    sound.sql("CALL ducklake_merge_adjacent_files('lake')")
    sound.sql("CALL ducklake_expire_snapshots('lake', older_than => now() + INTERVAL 1 DAY)")
    sound.sql("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    assert sound.check()["tables"][0]["files"]["count"] == 1


# ---- findings


def test_missing_rows(sound):
    sound.sql("DELETE FROM lake.stream_orders WHERE _kafka_partition = 0 AND _kafka_offset IN (20, 30, 60)")
    f = sound.finding("missing_rows")
    assert (f["topic"], f["table"], f["partition"], f["count"], f["offsets"], f["pipeline"]) == (
        "orders",
        "stream_orders",
        0,
        3,
        [20, 30, 60],
        GROUP,
    )
    assert sound.check(code=1)["pipelines"][0]["gaps"] == 3


def test_duplicate_rows(sound):
    sound.rows([11, 60, 60])
    f = sound.finding("duplicate")
    assert (f["partition"], f["count"], f["offsets"]) == (0, 3, [11, 60])


def test_a_duplicate_does_not_hide_a_missing_row(sound):
    sound.sql("DELETE FROM lake.stream_orders WHERE _kafka_partition = 0 AND _kafka_offset = 20")
    sound.rows([21])
    found = {f["kind"]: f for f in sound.findings()}
    assert set(found) == {"duplicate", "missing_rows"}
    assert found["duplicate"]["offsets"] == [21] and found["missing_rows"]["offsets"] == [20]


def test_a_row_beyond_the_ledger(sound):
    sound.rows([120, 4711])
    f = sound.finding("unknown_offset")
    assert (f["count"], f["offsets"]) == (2, [120, 4711])


def test_a_row_of_a_partition_that_was_never_committed(sound):
    sound.rows([5], partition=77)
    f = sound.finding("unknown_offset")
    assert (f["partition"], f["offsets"]) == (77, [5])


def test_a_hole_in_the_ledger(lake):
    lake.commit(0, 10)
    lake.commit(15, 20)
    f = lake.finding("gap")
    assert (f["count"], f["offsets"]) == (5, [10, 11, 12, 13, 14])


def test_a_range_committed_twice(lake):
    lake.commit(0, 10)
    lake.commit(5, 15)
    found = {f["kind"]: f for f in lake.findings()}
    assert set(found) == {"overlap", "duplicate"}
    assert found["overlap"]["count"] == found["duplicate"]["count"] == 5 and found["duplicate"]["offsets"] == [5, 6, 7, 8, 9]


def test_two_pipelines_into_one_table(lake):
    lake.commit(0, 10, group="a")
    lake.commit(0, 10, group="b")
    f = lake.finding("duplicate")
    assert f["count"] == 10 and "a, b" in f["text"] and f["pipeline"] is None


def test_reading_again_after_a_reset(lake):
    lake.commit(0, 10)
    lake.line(10, 0, 0, kind="reset", epoch=2, table="")
    lake.commit(0, 10, epoch=2)
    f = lake.finding("duplicate")
    assert f["count"] == 10 and "reset" in f["text"]


def test_a_line_of_the_ledger_that_cannot_be(lake):
    lake.commit(0, 10)
    lake.line(10, 12, 5)
    assert {f["kind"] for f in lake.findings()} == {"ledger", "missing_rows"}


def test_missing_and_surplus_dead_letters(sound):
    sound.sql('DELETE FROM lake.pintail.dead_letters WHERE "offset" = 7')
    f = sound.finding("missing_dead_letters")
    assert f["count"] == 1
    sound.letters([7, 9])
    f = sound.finding("duplicate")
    assert (f["table"], f["offsets"]) == ("pintail.dead_letters", [9])


def test_a_dead_letter_of_an_unknown_offset(sound):
    sound.letters([1000])
    f = sound.finding("unknown_offset")
    assert (f["table"], f["offsets"]) == ("pintail.dead_letters", [1000])


def test_an_offset_in_the_table_and_in_the_dead_letters(sound):
    sound.sql("DELETE FROM lake.stream_orders WHERE _kafka_partition = 0 AND _kafka_offset = 20")
    sound.rows([7])
    found = {f["kind"]: f for f in sound.findings()}
    assert "row_and_dead_letter" in found and found["row_and_dead_letter"]["offsets"] == [7]


def test_a_missing_file(sound):
    (path, *_), *_ = sound.sql("SELECT data_file FROM ducklake_list_files('lake', 'stream_orders')")
    sound.close()
    Path(path).unlink()
    f = sound.finding("missing_file")
    assert path in f["text"] and "No such file" in f["text"]
    report = sound.check(code=1)
    assert report["tables"][0]["files"]["missing"] == 1 and "missing files" in report["notes"][0]


def test_a_truncated_file(sound):
    (path, size), *_ = sound.sql("SELECT data_file, data_file_size_bytes FROM ducklake_list_files('lake', 'stream_orders')")
    sound.close()
    os.truncate(path, size - 1)
    f = sound.finding("missing_file")
    assert str(size) in f["text"]


def test_a_missing_file_of_the_ledger(sound):
    (path,), *_ = sound.sql("SELECT data_file FROM ducklake_list_files('lake', 'offsets', schema => 'pintail')")
    sound.close()
    Path(path).unlink()
    f = sound.finding("missing_file", "--table", "stream_orders")
    assert f["table"] == "pintail.offsets"


def test_a_table_that_is_gone(sound):
    sound.sql("DROP TABLE lake.stream_orders")
    f = sound.finding("missing_table")
    assert (f["table"], f["count"]) == ("stream_orders", 148)


def test_a_table_that_lost_its_offsets(sound):
    sound.sql("ALTER TABLE lake.stream_orders DROP COLUMN _kafka_offset")
    assert sound.finding("ledger")["table"] == "stream_orders"


def test_findings_are_shown_with_a_verdict_in_the_text(sound):
    sound.rows([11, 4711])
    sound.close()
    out = pintail("check", "--lake", sound.text, code=1).stdout
    assert "duplicate: topic orders partition 0, table stream_orders: 1 rows too many with the same offset; offset 11" in " ".join(
        out.split()
    )
    lines = out.splitlines()
    at = lines.index("=" * 74, 1) + 1
    assert lines[at : at + 3] == ["2 findings: 1 duplicate, 1 unknown offset", "", "findings"]


def test_the_text_fits_80_columns_and_folds_partitions_with_nothing_to_tell(lake):
    for partition in range(30):
        lake.commit(0, 10 + partition % 3, partition=partition, dead=[1] if partition == 7 else [])
    lake.commit(15, 20, partition=20)  # a gap
    lake.sql(
        "CREATE TABLE lake.unrelated (product VARCHAR, quantity INTEGER, unit_price DECIMAL(9,2), a_long_column_name_that_is_not_short VARCHAR)"
    )
    lake.sql("INSERT INTO lake.unrelated VALUES ('x', 1, 1.5, repeat('y ', 300))")
    lake.close()
    for arguments in ([], ["--summary"], ["--table", "stream_orders", "--table", "unrelated"]):
        out = pintail("check", "--lake", lake.text, *arguments, code=1).stdout
        assert max(len(line) for line in out.splitlines() if len(line.split()) > 1) <= 80, max(out.splitlines(), key=len)
        if not arguments:
            shown = re.findall(r"^ +(\d+(?:-\d+)?|all)  ", out[out.index("topic orders") :], re.MULTILINE)
            assert shown[:6] == ["0-6", "7", "8-19", "20", "21-29", "all"], out
        if arguments == ["--summary"]:
            assert "latest" not in out and "files" not in out and re.search(r"orders +pintail-stream_orders +30 +", out), out
    assert out.count("sales by product") == 1  # of the demo's table alone
    assert pintail("check", "--lake", lake.text, "--summary", "--json", code=2).stdout == ""


# ---- several topics, filters, thresholds


def test_topics_are_told_apart_by_their_column(lake):
    lake.sql("ALTER TABLE lake.stream_orders ADD COLUMN _kafka_topic VARCHAR")
    for topic in ("a", "b"):
        lake.rows(range(20), more=f"'{topic}'")
        lake.line(0, 20, 20, topic=topic)
    assert len(lake.check()["pipelines"]) == 2
    lake.sql("DELETE FROM lake.stream_orders WHERE _kafka_topic = 'b' AND _kafka_offset = 3")
    f = lake.finding("missing_rows")
    assert (f["topic"], f["offsets"]) == ("b", [3])
    assert lake.check("--topic", "a")["verdict"] == "sound"


def test_topics_without_a_column_are_compared_by_their_sums(lake):
    for topic in ("a", "b"):
        lake.rows(range(20))
        lake.line(0, 20, 20, topic=topic)
    report = lake.check()
    assert "_kafka_topic" in report["notes"][0] and {p["duplicates"] for p in report["pipelines"]} == {None}
    lake.sql("DELETE FROM lake.stream_orders WHERE _kafka_offset = 3")
    assert lake.finding("missing_rows")["count"] == 2


def test_filters(sound):
    sound.sql(f"CREATE TABLE lake.second ({ORDERS})")
    sound.rows(range(5), table="second")
    sound.line(0, 5, 6, topic="other", group="g2", table="second")
    assert [p["pipeline"] for p in sound.check(code=1)["pipelines"]] == ["g2", GROUP]
    assert [p["table"] for p in sound.check("--table", "stream_orders")["pipelines"]] == ["stream_orders"]
    assert sound.check("--group", GROUP)["findings"] == []
    assert sound.check("--group", "g2", code=1)["tables"][0]["table"] == "second"
    assert "other (g2)" in could_not("--lake", sound.text, "--topic", "no-such-topic")
    assert "no-such-group" in could_not("--lake", sound.text, "--group", "no-such-group")
    assert "no-such-table" in could_not("--lake", sound.text, "--table", "no-such-table")


def test_dead_letters_become_a_finding_over_the_threshold(sound):
    assert sound.check("--max-dead-letters", 2)["verdict"] == "sound"
    assert sound.finding("dead_letters", "--max-dead-letters", 1)["count"] == 2


# ---- large, sparse and busy


def test_windows_and_passes_tell_the_same_as_a_plain_count(lake):
    """Offsets far apart: several scans, and windows at their borders."""
    far = 65536 * 16384
    offsets = [0, 1, 65535, 65536, far - 1, far, far + 1, 3 * far, 5 * far - 1]
    lake.rows(offsets)
    lake.line(0, 5 * far, len(offsets))
    (partition,) = lake.check()["pipelines"][0]["partitions"]
    assert (partition["rows"], partition["duplicates"], partition["not_exposed"]) == (9, 0, 5 * far - 9)
    lake.rows([far, 5 * far, 6 * far])
    lake.sql("INSERT INTO lake.stream_orders (_kafka_partition) VALUES (0)")
    found = {f["kind"]: f for f in lake.findings()}
    assert found["duplicate"]["offsets"] == [far] and found["unknown_offset"]["offsets"] == [5 * far, 6 * far] and len(found) == 2


def test_it_works_beside_a_writer_and_sees_one_snapshot(tmp_path):
    lake = Lake(tmp_path / "lake")
    lake.commit(0, 10)
    at, reports, process = 10, [], None
    while len(reports) < 4:
        lake.commit(at, at + 10, dead=[at])
        at += 10
        if process is None:
            process = subprocess.Popen(
                [str(PINTAIL), "check", "--lake", lake.text, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        elif process.poll() is not None:
            out, err = process.communicate()
            assert process.returncode == 0, err + out
            reports.append(json.loads(out))
            process = None
        assert at < 100_000
    for report in reports:
        (partition,) = report["pipelines"][0]["partitions"]
        assert partition["rows"] + partition["dead_letters"] == partition["next_offset"]
        assert report["tables"][0]["rows"] == partition["rows"]
    lake.close()


# ---- could not check


def test_a_duckdb_file_that_another_process_has_open(tmp_path):
    lake = Lake(tmp_path / "lake", "duckdb")
    lake.commit(0, 10)
    err = could_not("--lake", lake.text)  # open here
    assert "another process" in err and "sqlite" in err
    lake.close()
    assert lake.check()["verdict"] == "sound"


def test_wrong_usage_and_missing_parts(tmp_path, lake):
    assert "--lake" in could_not()
    assert "no DuckLake" in could_not("--lake", "orders.db")
    assert "does not exist" in could_not("--lake", f"ducklake:sqlite:{tmp_path}/none.sqlite")
    assert "--max-lag" in could_not("--lake", lake.text, "--max-lag", "5")
    assert "unknown option" in could_not("--lake", lake.text, "--jsn")
    assert not (tmp_path / "none.sqlite").exists()


def test_a_lake_without_ledger(tmp_path):
    lake = Lake(tmp_path / "lake")
    lake.sql("DROP SCHEMA lake.pintail CASCADE")
    lake.rows(range(3))
    lake.close()
    assert "no ledger" in could_not("--lake", lake.text)
    report = lake.check("--table", "stream_orders")
    assert report["verdict"] == "not audited" and report["tables"][0]["rows"] == 3


def test_a_relative_data_path_from_elsewhere(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    was = os.getcwd()
    os.chdir(here)
    try:
        lake = Lake(Path("."))
        lake.text, lake.data = f"ducklake:sqlite:{here}/lake.sqlite", "data/"
        lake.commit(0, 10)
        lake.close()
    finally:
        os.chdir(was)
    err = could_not("--lake", lake.text, cwd=tmp_path)
    assert "./data/ is relative" in err and "start pintail in" in err
    assert lake.check(cwd=here)["verdict"] == "sound"
    for file in (here / "data" / "main" / "stream_orders").iterdir():
        file.unlink()
    done = pintail("check", "--lake", lake.text, code=1, cwd=here)
    told = " ".join(done.stdout.split())  # long lines are broken
    assert "missing file: table stream_orders: ./data/main/stream_orders/" in told and "the data path is relative" in told


def test_it_changes_nothing(sound):
    sound.close()
    before = {p: p.read_bytes() for p in sound.folder.rglob("*") if p.is_file()}
    pintail("check", "--lake", sound.text)
    assert {p: p.read_bytes() for p in sound.folder.rglob("*") if p.is_file()} == before


# ---- against the broker


@pytest.fixture
def broker():
    process = subprocess.Popen([str(PINTAIL), "broker", "--topic", "orders:2"], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def produce(address, partition, count, timestamp=None):
    producer = Producer({"bootstrap.servers": address})
    for i in range(count):
        producer.produce("orders", f"{i}".encode(), partition=partition, **({"timestamp": timestamp} if timestamp else {}))
    assert producer.flush(20) == 0


def test_lag_in_records_and_seconds(lake, broker):
    produce(broker, 0, 30, int((time.time() - 500) * 1000))
    produce(broker, 1, 5, int((time.time() - 100) * 1000))
    lake.commit(0, 20, cluster="")
    report = lake.check("--brokers", broker)
    (pipeline,) = report["pipelines"]
    zero, one = pipeline["partitions"]
    assert (zero["lag"], one["lag"], one["next_offset"], pipeline["lag"]) == (10, 5, None, 15)
    assert 499 < zero["behind_seconds"] < 600 and 99 < one["behind_seconds"] < 200 and pipeline["behind_seconds"] == zero["behind_seconds"]
    assert lake.check("--brokers", broker, "--max-lag", 15)["verdict"] == "sound"
    assert lake.finding("lag", "--brokers", broker, "--max-lag", 14)["count"] == 15
    assert " behind\n" in pintail("check", "--lake", lake.text, "--brokers", broker).stdout


def test_no_lag_when_everything_is_read(lake, broker):
    produce(broker, 0, 20)
    lake.commit(0, 20, cluster="")
    (pipeline,) = lake.check("--brokers", broker, "--max-lag", 0)["pipelines"]
    assert (pipeline["lag"], pipeline["behind_seconds"]) == (0, 0)


def test_each_pipeline_has_its_own_lag(lake, broker):
    produce(broker, 0, 20)
    lake.sql(f"CREATE TABLE lake.second ({ORDERS})")
    lake.commit(0, 20, cluster="", group="a")
    lake.rows(range(5), table="second")
    lake.line(0, 5, 5, group="b", table="second", cluster="")
    assert {p["pipeline"]: p["lag"] for p in lake.check("--brokers", broker)["pipelines"]} == {"a": 0, "b": 15}


def test_another_cluster_or_a_topic_that_is_gone_is_a_note(lake, broker):
    lake.commit(0, 20, cluster="another")
    report = lake.check("--brokers", broker)
    assert "another one" in report["notes"][0] and report["pipelines"][0]["lag"] is None
    assert "another one" in could_not("--lake", lake.text, "--brokers", broker, "--max-lag", 5)


def test_an_offset_past_the_end_is_a_note(lake, broker):
    produce(broker, 0, 5)
    lake.commit(0, 20, cluster="")
    assert "past the broker's end 5" in lake.check("--brokers", broker)["notes"][0]


def test_an_unreachable_broker_is_one_line_and_exit_code_2(lake):
    lake.commit(0, 20)
    lake.close()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    err = could_not("--lake", lake.text, "--brokers", f"127.0.0.1:{port}", "--timeout", "1s")
    assert "Connection refused" in err


def test_what_transactions_leave_in_a_real_topic(lake, kafka):
    """Aborted records and control records are no gaps; the lag counts up to the last stable offset."""
    topic = kafka.create_topic(1)
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": topic})
    producer.init_transactions(20)
    for commit in (True, False):
        producer.begin_transaction()
        for _i in range(10):
            producer.produce(topic, b"x")
        producer.flush(20)
        producer.commit_transaction(20) if commit else producer.abort_transaction(20)
    # The markers are written after the producer was told of the end of its transaction; the last stable offset follows them.
    end = wait_for(lambda: kafka.ends(topic)[0] == 22 and 22, what="both transactions to be ended in the topic")
    lake.commit(0, end, hidden=range(10, end), topic=topic, cluster="")
    (partition,) = lake.check("--brokers", kafka.address, "--max-lag", 0)["pipelines"][0]["partitions"]
    assert (partition["lag"], partition["gaps"], partition["not_exposed"], partition["rows"]) == (0, 0, end - 10, 10)
