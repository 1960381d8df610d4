"""The catalog's connection dies or lies around COMMIT: whatever became of it, each record is in the lake once and every file that the lake names is there."""

import copy

import duckdb
import pytest
from support import on, orders
from support.crash import crashing
from support.judge import assert_exactly_once, assert_files_sound, assert_no_leftovers
from support.kafka import FAST_FAILOVER, STEADY
from support.progress import wait_landed
from support.proxy import PostgresProxy, through, wait_struck

ARGS = ("--schema", orders.SCHEMA, "--flush-rows", "400", "--flush-interval", "100ms", *STEADY)
RECORDS = 3000
pytestmark = pytest.mark.timeout(400)  # of a loaded machine; each takes seconds
# What the server made of the COMMIT; None: it never got it, or it may have been beaten by the fence.
KINDS = {
    "cut before": None,
    "cut half": None,
    "cut during": "COMMIT",
    "cut after": "COMMIT",
    "late": None,
    "slow": None,
    "slow answer": "COMMIT",
    "lie": "COMMIT",
}
PARTITIONED = "region, bucket(2, quantity)"
EVERY = [(kind, partitioned) for kind in KINDS for partitioned in (False, True)]


def cases(short):
    """All kinds on both sorts of tables; those that `short` does not name are left to the long tier."""
    return pytest.mark.parametrize(
        "kind, partitioned",
        [
            pytest.param(
                kind,
                partitioned,
                id=f"{kind}-{'partitioned' if partitioned else 'staged'}",
                marks=() if short(kind, partitioned) else pytest.mark.long,
            )
            for kind, partitioned in EVERY
        ],
    )


@pytest.fixture
def proxy(lake):
    proxy = PostgresProxy(lake.postgres.port)
    yield proxy
    proxy.close()


def by_way_of(lake, proxy):
    """The lake as pintail sees it; tests go the direct way."""
    seen = copy.copy(lake)
    seen.text = through(lake, proxy.port)
    return seen


def make_partitioned(lake, topic, schema=orders.SCHEMA):
    """A table that takes INSERT instead of staged files."""
    with lake.writer() as writer:
        writer.sql(
            f'CREATE TABLE lake."{topic}" ({schema}, _kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, '
            "ingest_time TIMESTAMPTZ)"
        )
        writer.sql(f'ALTER TABLE lake."{topic}" SET PARTITIONED BY ({PARTITIONED})')
        writer.sql("CALL lake.set_option('data_inlining_row_limit', 0)")


def set_up(lake, kafka, partitioned):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(RECORDS))
    if partitioned:
        make_partitioned(lake, topic)
    return topic


def assert_whole(lake, kafka, topic):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (RECORDS, 0)
        for (version,) in reader.sql("SELECT snapshot_id FROM lake.snapshots() ORDER BY 1 DESC LIMIT 30"):  # also in what time travel sees
            if reader.sql(
                f"SELECT 1 FROM __ducklake_metadata_lake.ducklake_table WHERE table_name = ? AND begin_snapshot <= {version}", topic
            ):
                reader.sql(f'SELECT count(DISTINCT order_id) FROM lake."{topic}" AT (VERSION => {version})')


def strike(pintail, lake, proxy, topic, kind, *more, seconds=2.5, **how):
    """Runs ingest until the second flush's COMMIT is struck and everything has landed all the same."""
    fault = None

    def arm_second(statements=None):
        nonlocal fault
        fault = proxy.arm(kind, seconds=seconds)

    first = proxy.arm("slow", seconds=0, strike=arm_second)
    process = pintail.ingest(by_way_of(lake, proxy), topic, *ARGS, *more, **how)
    wait_struck(process, first, 100)
    process.wait_for(lambda: fault and fault.struck.is_set(), 100, f"a COMMIT to be {kind}")
    return process, fault


@on("postgres")
@cases(lambda kind, partitioned: kind in ("cut during", "cut after", "lie") or (not partitioned and kind in ("cut before", "late")))
def test_whatever_happens_to_a_commit_each_record_lands_once_and_no_file_is_missing(pintail, lake, kafka, proxy, kind, partitioned):
    topic = set_up(lake, kafka, partitioned)
    process, fault = strike(pintail, lake, proxy, topic, kind)
    wait_landed(process, lake, kafka, topic, RECORDS, timeout=150)
    process.wait_for(fault.done.is_set, 60, "the server's answer to the COMMIT")
    process.stop()
    assert KINDS[kind] is None or fault.answer == KINDS[kind], fault.answer
    assert process.err.count("paused") == process.err.count("goes on") <= 1, process.err
    assert_whole(lake, kafka, topic)
    assert_no_leftovers(lake)


@on("postgres")
@cases(lambda kind, partitioned: kind in ("cut during", "late") or (kind == "cut half" and not partitioned))
def test_whatever_happens_to_a_commit_of_a_process_killed_at_that_moment_each_record_lands_once(
    pintail, lake, kafka, proxy, kind, partitioned
):
    topic = set_up(lake, kafka, partitioned)
    process, fault = strike(pintail, lake, proxy, topic, kind, *FAST_FAILOVER)
    process.kill()
    again = pintail.ingest(lake, topic, *ARGS)
    wait_landed(again, lake, kafka, topic, RECORDS, timeout=150)
    again.wait_for(fault.done.is_set, 60, "the server's answer to the COMMIT")
    again.stop()
    assert_whole(lake, kafka, topic)


# ---- the tests above can fail (see also test_fencing.py), and the same on an object store


@pytest.fixture(params=["disk", "s3"])
def partitioned(request, pintail, lake, kafka):
    """The topic of a partitioned table."""
    if request.param == "s3":
        s3 = request.getfixturevalue("s3")
        lake.move_to(s3)
        pintail.env = s3.environment
    return set_up(lake, kafka, True)


@on("postgres")
def test_without_guards_a_partitioned_table_loses_files_that_the_server_has_committed(pintail, lake, kafka, partitioned, proxy):
    process, fault = strike(pintail, lake, proxy, partitioned, "cut after", **crashing(broken=("guard",)))
    process.wait_for(fault.done.is_set, 60, "the server's answer to the COMMIT")
    wait_landed(process, lake, kafka, partitioned, RECORDS, timeout=150)
    process.stop()
    with lake.reader() as reader, pytest.raises(AssertionError, match="which does not exist"):
        assert_files_sound(reader)


@on("postgres")
def test_with_guards_it_loses_none(pintail, lake, kafka, partitioned, proxy):
    process, fault = strike(pintail, lake, proxy, partitioned, "cut after")
    wait_landed(process, lake, kafka, partitioned, RECORDS, timeout=150)
    process.wait_for(fault.done.is_set, 60, "the server's answer to the COMMIT")
    process.stop()
    assert_whole(lake, kafka, partitioned)
    assert_no_leftovers(lake)


@on("postgres")
def test_files_that_were_lost_when_the_process_died_before_it_could_mend_them_are_back_after_the_next_start(
    pintail, lake, kafka, partitioned, proxy
):
    process, _ = strike(pintail, lake, proxy, partitioned, "cut after", *FAST_FAILOVER, **crashing("recover.attached:1:kill"))
    assert process.wait(100).code == -9
    with lake.reader() as reader, pytest.raises(AssertionError, match="which does not exist"):
        assert_files_sound(reader)
    done = pintail.ingest_rest(lake, partitioned, *ARGS, "--leftover-age", "0s", timeout=150)
    assert "lost are back" in done.err
    assert_whole(lake, kafka, partitioned)
    assert_no_leftovers(lake)


@on("sqlite")
def test_a_partitioned_table_that_cannot_be_guarded_is_warned_of(pintail, lake, kafka):
    topic = set_up(lake, kafka, False)
    make_partitioned(lake, topic, f"{orders.SCHEMA}, filename VARCHAR")
    done = pintail.ingest_all(lake, topic)
    assert done.err.count("rename the column") == 1 and topic in done.err, done.err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (RECORDS, 0)


# ---- PostgreSQL ends a session that is idle in its transaction for ten seconds: an object store may take longer

on_s3 = pytest.mark.parametrize("partitioned", ["s3"], indirect=True)


@on("postgres")
@on_s3
def test_copies_of_many_objects_may_take_long_all_together(pintail, lake, kafka, partitioned):
    done = pintail.ingest_all(lake, partitioned, timeout=100, **crashing(*(f"guard.made:{i}:sleep-4000" for i in (1, 2, 3))))
    assert done.err.count("failpoint guard.made") == 3 and "paused" not in done.err, done.err
    assert_whole(lake, kafka, partitioned)


@on("postgres")
@on_s3
@pytest.mark.long
def test_an_insert_that_took_too_long_has_more_time_when_it_is_tried_again(pintail, lake, kafka, partitioned):
    done = pintail.ingest_all(lake, partitioned, timeout=150, **crashing(*(f"commit.registered:{i}:sleep-13000" for i in (1, 2, 3))))
    assert done.err.count("failpoint commit.registered") == 2 and done.err.count("paused") == 1, done.err
    assert_whole(lake, kafka, partitioned)


# ---- reset --delete-rows: DuckLake writes delete files, and removes them likewise

DELETES = 'INSERT INTO "public".ducklake_delete_file '


def strike_reset(pintail, lake, kafka, proxy, topic, **how):
    """Rows go from offset 1000 of each partition on, and the answer to the COMMIT is lost."""
    with lake.writer() as writer:
        writer.sql("CALL lake.set_option('data_inlining_row_limit', 0)")
    pintail.ingest_all(lake, topic, *ARGS, timeout=100)
    fault = proxy.arm("cut after", of=DELETES)
    seen = by_way_of(lake, proxy)
    done = pintail.run(
        "reset",
        *seen.args,
        "--brokers",
        kafka.address,
        "--topic",
        topic,
        "--group",
        f"pintail-{topic}",
        "--delete-rows",
        "--to",
        "1000",
        timeout=150,
        code=None,
        **how,
    )
    assert fault.struck.is_set() and fault.done.wait(60) and fault.answer == "COMMIT", done.err
    return done


def assert_gone_and_read_again(pintail, lake, kafka, topic):
    with lake.reader() as reader:
        assert reader.sql(f'SELECT _kafka_partition, count(*), max(_kafka_offset) FROM lake."{topic}" GROUP BY ALL ORDER BY 1') == [
            (p, 1000, 999) for p in (0, 1)
        ]
    assert_read_again(pintail, lake, topic)


def assert_read_again(pintail, lake, topic):
    pintail.ingest_all(lake, topic, *ARGS, "--leftover-age", "0s", timeout=150)
    with lake.reader() as reader:
        assert reader.one(
            f'SELECT count(*), count(DISTINCT (_kafka_partition, _kafka_offset)), count(DISTINCT order_id) FROM lake."{topic}"'
        ) == (RECORDS, RECORDS, RECORDS)
        assert_files_sound(reader)
    assert not [f for f in lake.files() if "/guard-" in f]


@on("postgres")
@pytest.mark.parametrize("is_partitioned", [False, True], ids=["staged", "partitioned"])
def test_rows_that_were_deleted_by_a_commit_without_an_answer_are_gone_and_the_table_can_be_read(
    pintail, lake, kafka, proxy, is_partitioned
):
    topic = kafka.create_topic(2)
    kafka.produce(topic, [{**record, "partition": n % 2} for n, record in enumerate(orders.orders(RECORDS))])
    if is_partitioned:
        make_partitioned(lake, topic)
    done = strike_reset(pintail, lake, kafka, proxy, topic)
    assert done.code == 0, done.err
    assert_gone_and_read_again(pintail, lake, kafka, topic)


@on("postgres")
@pytest.mark.parametrize(
    "how, back", [({"broken": ("guard",)}, False), ({"points": ("recover.attached:1:kill",)}, True)], ids=["not guarded", "killed"]
)
def test_delete_files_that_a_reset_lost_are_back_with_the_next_start_if_they_were_guarded(pintail, lake, kafka, proxy, how, back):
    topic = kafka.create_topic(2)
    kafka.produce(topic, [{**record, "partition": n % 2} for n, record in enumerate(orders.orders(RECORDS))])
    strike_reset(pintail, lake, kafka, proxy, topic, **crashing(*how.get("points", ()), broken=how.get("broken", ())))
    with lake.reader() as reader, pytest.raises(duckdb.Error, match=r"delete\.parquet"):
        reader.sql(f'SELECT sum(quantity), max(_kafka_offset) FROM lake."{topic}"')
    if back:
        assert_read_again(pintail, lake, topic)
