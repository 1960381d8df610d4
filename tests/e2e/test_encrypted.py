"""A lake made with ENCRYPTED: no record stands in clear under the data path, in DuckDB's temporary files or in a log. The
catalog is trusted: rows that are kept in it, and the keys."""

import json
import os
import threading
from pathlib import Path

import pytest
from support import on
from support.judge import assert_exactly_once, assert_no_leftovers
from support.lake import quoted
from support.progress import landed, wait_landed
from support.proxy import wait_struck
from test_ambiguous_commit import by_way_of, proxy  # noqa: F401 (a fixture)
from test_inlined import FOLD, inlined

MARK = "Marlene-7f3a"  # in every record
SCHEMA = "id INTEGER, who VARCHAR, tags VARCHAR[]"
COLUMNS = ("id", "who", "tags")


def record(i):
    return json.dumps({"id": i, "who": f"{MARK}-{i}", "tags": [f"{MARK}'\\"]}).encode()


def broken(i):
    return {"key": f"{MARK}-key".encode(), "value": f'{{"id": "{MARK}-{i}"}}'.encode(), "headers": [("h", f"{MARK}-header".encode())]}


def expected(value):
    r = json.loads(value)
    return r["id"], r["who"], r["tags"]


class Searching:
    """Reads every file below the folders, again and again; a context manager, which fails at its end when the mark stood in one."""

    def __init__(self, *folders, without=()):
        self.folders, self.without = folders, without
        self.found, self.looks, self.seen = set(), 0, set()
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _look(self):
        for folder in self.folders:
            for place, _, names in os.walk(folder):  # what goes meanwhile is passed over
                if not any(Path(place).is_relative_to(w) for w in self.without):
                    for name in names:
                        self._read(Path(place, name))
        self.looks += 1

    def _read(self, path):
        try:
            content = path.read_bytes()
        except OSError:
            return
        self.seen.add(path.name.split("-")[0])
        if MARK.encode() in content:
            self.found.add(str(path))

    def _run(self):
        while not self.end.wait(0.01):
            self._look()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failed):
        self.end.set()
        self.thread.join()
        self._look()
        assert failed[0] or not self.found, f"a record stands in clear in {sorted(self.found)}"


@pytest.fixture(params=["disk", "s3"])
def encrypted(request, lake, pintail):
    if request.param == "s3":
        s3 = request.getfixturevalue("s3")
        lake.move_to(s3)
        pintail.env = s3.environment
    return make(lake)


def make(lake, *statements):
    lake.encrypted = True
    with lake.writer() as writer:
        for statement in ("SELECT 1", *statements):
            writer.sql(statement)
    return lake


def searching(lake, tmp_path):
    """All that a test writes but its catalog: data, temporary files, standard output and error."""
    more = (lake.s3.path(lake.data_path),) if lake.s3 else ()
    return Searching(tmp_path, *more, without=(tmp_path / "metadata",))


def judge(lake, kafka, topic, rows, dead, group):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, pipeline=group, expected=expected, columns=COLUMNS, select={}) == (rows, dead)
    left = [p for p in lake.files() if p.endswith(".pq")]  # a file that was not guarded yet when its writer was killed is DuckLake's orphan
    assert not left, left


@on("sqlite")
def test_no_record_of_an_encrypted_lake_stands_in_clear(pintail, encrypted, kafka, tmp_path):
    """Flushes of many rows and of few, folds, dead letters, a partitioned table, a kill in the middle."""
    lake, topic, parted = encrypted, kafka.create_topic(1), kafka.create_topic(1)
    make(
        lake,
        f'CREATE TABLE lake."{parted}" ({SCHEMA}, _kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, ingest_time TIMESTAMPTZ)',
        f'ALTER TABLE lake."{parted}" SET PARTITIONED BY (who)',
    )
    few = kafka.create_topic(1)
    group = f"g-{topic}"
    config = tmp_path / "ingest.yaml"
    config.write_text(
        json.dumps(
            {
                "group": group,
                "flush": {"rows": 500, "interval": "100ms"},
                "fold_interval": "1ms",
                "topics": [
                    {"topic": topic, "schema": SCHEMA},
                    {"topic": parted, "schema": SCHEMA},
                    {"topic": few, "schema": "id INTEGER, who VARCHAR"},
                ],
            }
        )
    )
    args = [
        *pintail.ingest_args(lake, None, "--config", config),
        "--verbose",
        "-X",
        "session.timeout.ms=1500",
        "-X",
        "heartbeat.interval.ms=300",
    ]
    with searching(lake, tmp_path) as search:
        process = pintail.start(*args)
        kafka.produce(topic, [*map(record, range(2000)), *map(broken, range(40))])
        kafka.produce(parted, map(record, range(10)))
        process.wait_for(lambda: landed(lake, kafka, topic, group) > 0, 60, "a commit")
        process.kill()
        process = pintail.start(*args, "--leftover-age", "1ms")  # what the dead one had begun goes now
        wait_landed(process, lake, kafka, topic, 2040, group, timeout=90)
        for i in range(3):  # each a flush of its own
            kafka.produce(topic, [record(2000 + i), broken(i)])
            kafka.produce(few, [json.dumps({"id": i, "who": MARK, f"{MARK}-{i}": "no column has this key"}).encode()])
            wait_landed(process, lake, kafka, topic, 2042 + 2 * i, group)
            wait_landed(process, lake, kafka, few, 1 + i, group)
        wait_landed(process, lake, kafka, parted, 10, group)
        process.wait_for(lambda: lake.read(lambda r: inlined(r, few) == 0), 30, "a fold")
        process.stop()
        looks = search.looks
        counted = pintail.run(
            "sql", *lake.args, "--format", "csv", "-c", f"SELECT count(*) AS n, count(DISTINCT id) FROM lake.{quoted(topic)}"
        )
    assert looks > 5 and "guard" in search.seen, (looks, search.seen)
    assert "2003" in counted.out
    checked = pintail.run("check", *lake.args)  # it shows rows
    judge(lake, kafka, topic, 2003, 43, group)
    judge(lake, kafka, parted, 10, 0, group)
    with lake.reader() as reader:
        assert reader.one(f"SELECT count(*) FROM lake.{quoted(few)} WHERE who = '{MARK}'") == 3
    assert "sound" in checked.out, checked.out


@on("postgres")
@pytest.mark.parametrize("kind", ["cut after", "lie"])
def test_a_lost_answer_costs_an_encrypted_lake_no_file_and_no_secret(pintail, lake, kafka, proxy, tmp_path, kind):  # noqa: F811
    topic = kafka.create_topic(2)
    group = f"g-{topic}"
    make(lake)
    kafka.produce(topic, map(record, range(600)))
    with searching(lake, tmp_path):
        fault = None

        def arm_second(statements=None):
            nonlocal fault
            fault = proxy.arm(kind, seconds=1)

        first = proxy.arm("slow", seconds=0, strike=arm_second)
        process = pintail.ingest(
            by_way_of(lake, proxy), topic, "--schema", SCHEMA, "--group", group, "--flush-rows", "200", "--flush-interval", "100ms"
        )
        wait_struck(process, first, 60)
        process.wait_for(lambda: fault and fault.struck.is_set(), 60, "a COMMIT to be struck")
        wait_landed(process, lake, kafka, topic, 600, group, timeout=90)
        process.stop()
    judge(lake, kafka, topic, 600, 0, group)
    assert_no_leftovers(lake)


@on("postgres")
def test_a_lost_answer_to_a_fold_costs_an_encrypted_lake_no_row(pintail, lake, kafka, proxy, tmp_path):  # noqa: F811
    topic = kafka.create_topic(1)
    group = f"g-{topic}"
    make(lake)
    kafka.produce(topic, [json.dumps({"who": f"{MARK}{i}"}).encode() for i in range(20)])
    with searching(lake, tmp_path):
        fault = proxy.arm("cut after", seconds=1, of=FOLD)
        process = pintail.ingest(
            by_way_of(lake, proxy),
            topic,
            "--schema",
            "who VARCHAR",
            "--group",
            group,
            "--flush-interval",
            "100ms",
            "--fold-interval",
            "200ms",
        )
        wait_struck(process, fault, 60)
        process.wait_for(lambda: lake.read(lambda r: inlined(r, topic) == 0), 60, "the fold")
        process.stop()
    with lake.reader() as reader:
        assert reader.one(f"SELECT count(DISTINCT who) FROM lake.{quoted(topic)}") == 20
    assert_no_leftovers(lake)


@on("sqlite")
def test_what_a_query_spills_is_encrypted_too(pintail, lake, tmp_path):
    make(lake, f"CREATE TABLE lake.t AS SELECT '{MARK}-' || range || md5(range::VARCHAR) AS s FROM range(800000)")
    with searching(lake, tmp_path) as search:
        done = pintail.run(
            "sql",
            *lake.args,
            "--format",
            "csv",
            "-c",
            "SET memory_limit = '60MB'; SET threads = 1; CREATE TEMP TABLE x AS FROM lake.t; SELECT count(DISTINCT s) AS n FROM x",
            env={"TMPDIR": str(tmp_path)},
        )
    assert "800000" in done.out and any(name.startswith("duckdb_temp") for name in search.seen), search.seen
