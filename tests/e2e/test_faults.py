"""Faults that kill nobody: pintail pauses, holds its memory, says so once, and goes on by itself; what cannot pass ends it with exit 1."""

import os
import re
import shutil
import subprocess
import threading
import time
import uuid
from contextlib import closing, contextmanager

import pytest
from support import long, on, orders, wide
from support.crash import crashing
from support.judge import assert_exactly_once, assert_no_leftovers
from support.kafka import FAST_FAILOVER, STEADY
from support.lake import Lake
from support.memory import grows_less_than
from support.progress import landed, wait_landed
from support.proxy import PostgresProxy, wait_struck
from support.sqlite_lock import holding
from test_ambiguous_commit import by_way_of

ARGS = ("--schema", orders.SCHEMA, "--flush-rows", "500", "--flush-interval", "100ms", *STEADY)
PAUSED = "msg=paused"
GOES_ON = 'msg="goes on"'
pytestmark = pytest.mark.timeout(400)  # of a loaded machine; each takes seconds
AWHILE = [pytest.param(12, id="12s"), long(20), long(60)]  # a try takes two seconds at most


def hold(seconds):
    """The fault itself lasts so long."""
    threading.Event().wait(seconds)


def wait_paused(process, times=1, timeout=120):
    process.wait_for(lambda: process.err.count(PAUSED) >= times, timeout, "a line that says that it has paused")


@contextmanager
def said_no_more_than(process, lines):
    """However long it takes: a line a change of state, not a line a retry."""
    before = len(process.err.splitlines())
    yield
    more = process.err.splitlines()[before:]
    assert len(more) <= lines, f"{len(more)} lines while nothing changed:\n" + "\n".join(more[:20])


def land(process, lake, kafka, topic, count, timeout=150):
    """Everything lands, it stops cleanly, and it said as often that it goes on as that it paused."""
    wait_landed(process, lake, kafka, topic, count, timeout=timeout)
    process.stop()
    assert process.err.count(PAUSED) == process.err.count(GOES_ON), process.err[-4000:]


@pytest.fixture
def pg_lake(tmp_path, own_postgres):
    lake = Lake("postgres", tmp_path, own_postgres)
    yield lake
    lake.close()


# ---- the catalog


@pytest.mark.parametrize("seconds", AWHILE)
def test_while_the_catalog_is_down_ingest_pauses_within_its_memory_says_so_once_and_goes_on_by_itself(
    pintail, pg_lake, own_postgres, kafka, seconds
):
    topic = kafka.create_topic(2)
    records = wide.records(8000)
    kafka.produce(topic, records[:100])
    process = pintail.ingest(pg_lake, topic, *wide.ARGS, *STEADY)
    wait_landed(process, pg_lake, kafka, topic, 100, timeout=120)
    with grows_less_than(process, 48, "while 80 MB waited"):
        own_postgres.stop()
        kafka.produce(topic, records[100:], **{"compression.type": "none"})  # the bounds are on bytes as they are fetched
        wait_paused(process)
        with said_no_more_than(process, 4):  # a line a try were six or more
            hold(seconds)
    assert process.running and process.err.count(PAUSED) == 1, process.err[-4000:]
    own_postgres.start()
    land(process, pg_lake, kafka, topic, len(records))
    with pg_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, **wide.JUDGED) == (len(records), 0)


@pytest.mark.long  # it hears of the loss within 30 s
def test_partitions_that_are_lost_during_a_pause_do_not_make_it_say_so_again_and_it_says_that_it_goes_on(
    pintail, pg_lake, own_postgres, kafka
):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    process = pintail.ingest(pg_lake, topic, *ARGS, *FAST_FAILOVER)
    wait_landed(process, pg_lake, kafka, topic, 1000, timeout=120)
    own_postgres.stop()
    kafka.produce(topic, orders.orders(2000, 2))
    wait_paused(process)
    process.freeze()
    hold(4)  # longer than the group waits for a member (FAST_FAILOVER)
    process.thaw()
    process.wait_for(lambda: "msg=lost" in process.err and "msg=done" in process.err, 90, "the life that lost its partitions to end")
    own_postgres.start()
    land(process, pg_lake, kafka, topic, 3000)
    assert process.err.count(PAUSED) == 1 and process.err.count("msg=started") == 1, process.err[-4000:]
    with pg_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (3000, 0)


def test_a_stop_while_the_catalog_is_down_ends_within_its_time_and_the_next_start_has_all(pintail, pg_lake, own_postgres, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    process = pintail.ingest(pg_lake, topic, *ARGS, "--stop-timeout", "3s")
    wait_landed(process, pg_lake, kafka, topic, 1000, timeout=120)
    own_postgres.stop()
    kafka.produce(topic, orders.orders(2000, 2))
    wait_paused(process)
    process.signal(15)
    done = process.wait(3 + 5 + 12)  # --stop-timeout, its grace, and a slow machine
    assert done.code == 1 and ("they are not lost" in done.err or "--stop-timeout" in done.err), done.err[-2000:]
    own_postgres.start()
    pintail.ingest_rest(pg_lake, topic, *ARGS, timeout=120)
    with pg_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (3000, 0)


def test_a_second_signal_ends_at_once_what_the_first_one_cannot_and_nothing_is_lost(pintail, pg_lake, own_postgres, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    process = pintail.ingest(pg_lake, topic, *ARGS, "--stop-timeout", "10m")
    wait_landed(process, pg_lake, kafka, topic, 1000, timeout=120)
    own_postgres.stop()
    kafka.produce(topic, orders.orders(2000, 2))
    wait_paused(process)
    process.signal(15)
    process.signal(15)  # together they are one
    time.sleep(1.5)  # an impatient user
    assert process.running
    process.signal(15)
    assert process.wait(10).code == -15
    own_postgres.start()
    pintail.ingest_rest(pg_lake, topic, *ARGS, timeout=120)
    with pg_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (3000, 0)


def test_a_catalog_that_takes_only_reads_as_in_a_failover_is_waited_for(pintail, pg_lake, own_postgres, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(500, 1))
    process = pintail.ingest(pg_lake, topic, *ARGS)
    wait_landed(process, pg_lake, kafka, topic, 500, timeout=120)

    def read_only(on):
        own_postgres.sql(f"ALTER DATABASE {pg_lake.database} SET default_transaction_read_only = {on}")
        own_postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{pg_lake.database}'")

    read_only("on")
    kafka.produce(topic, orders.orders(1000, 2))
    wait_paused(process)
    hold(10)  # more than the tries of a failure that nobody knows
    read_only("off")
    land(process, pg_lake, kafka, topic, 1500)
    with pg_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1500, 0)


@on("postgres")
@pytest.mark.parametrize("kind", ["mute", "hold"])
def test_a_commit_that_is_never_answered_ends_the_process_within_commit_timeout_and_the_next_goes_on(pintail, lake, kafka, kind):
    with closing(PostgresProxy(lake.postgres.port)) as proxy:
        topic = kafka.create_topic(2)
        kafka.produce(topic, orders.orders(2000))
        fault = proxy.arm(kind)
        process = pintail.ingest(by_way_of(lake, proxy), topic, *ARGS, "--commit-timeout", "10s")  # a busy machine commits within it
        wait_struck(process, fault, 60)
        done = process.wait(10 + 26)  # a slow machine
        assert done.code == 3 and "--commit-timeout" in done.err, done.err[-2000:]
    pintail.ingest_rest(lake, topic, *ARGS, timeout=120)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


@pytest.mark.parametrize("form", ["words", long("URI")])
@on("postgres")
def test_a_catalog_whose_host_takes_no_connection_and_refuses_none_is_waited_for_beyond_commit_timeout(pintail, lake, kafka, form):
    with closing(PostgresProxy(lake.postgres.port)) as proxy:
        topic = kafka.create_topic(2)
        kafka.produce(topic, orders.orders(1000, 1))
        seen = by_way_of(lake, proxy)
        if form == "URI":
            seen.text = f"ducklake:postgres:postgresql://postgres@127.0.0.1:{proxy.port}/{lake.database}?application_name=pintail"
        process = pintail.ingest(seen, topic, *ARGS, "--commit-timeout", "8s")
        wait_landed(process, lake, kafka, topic, 1000, timeout=120)
        proxy.silent = True
        proxy.cut_all()
        kafka.produce(topic, orders.orders(1000, 2))
        wait_paused(process)
        with said_no_more_than(process, 4):
            hold(8 + 4 if form == "words" else 20)  # --commit-timeout, and what it takes to notice
        assert process.running, process.err[-3000:]
        proxy.silent = False
        land(process, lake, kafka, topic, 2000)
        assert all("idle_in_transaction_session_timeout=10000" in s.get("options", "") for s in proxy.startups), proxy.startups
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


@on("postgres")
def test_a_connect_timeout_of_the_users_own_stays(pintail, lake, kafka):
    with closing(PostgresProxy(lake.postgres.port)) as proxy:
        proxy.silent = True
        topic = kafka.create_topic(1)
        seen = by_way_of(lake, proxy)
        seen.text += " connect_timeout=60"
        done = pintail.ingest(seen, topic, *ARGS, "--commit-timeout", "4s").wait(40)
        assert done.code == 3 and "--commit-timeout" in done.err, done.err


def sqlite_of(lake):
    return lake.folder / "metadata" / "lake.sqlite"


@on("sqlite")
@pytest.mark.parametrize("lock", [long("IMMEDIATE"), "EXCLUSIVE"])
def test_an_sqlite_catalog_that_another_process_has_locked_for_seconds_is_waited_for(pintail, lake, kafka, lock):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 1000, timeout=120)
    with holding(sqlite_of(lake), f"BEGIN {lock}"):
        kafka.produce(topic, orders.orders(1000, 2))
        with said_no_more_than(process, 4):
            wait_paused(process)
            hold(8)
        assert landed(lake, kafka, topic) == 1000
    land(process, lake, kafka, topic, 2000)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


@on("sqlite")
def test_a_reader_that_holds_an_sqlite_catalog_for_long_keeps_nobody_from_writing(pintail, lake, kafka):
    """pintail puts the catalog into WAL mode."""
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 1000, timeout=120)
    with holding(sqlite_of(lake), "BEGIN") as other:
        before = other("SELECT count(*) FROM ducklake_snapshot")
        for round_ in range(2, 5):
            kafka.produce(topic, orders.orders(1000, round_))
            wait_landed(process, lake, kafka, topic, 1000 * round_, timeout=120)
        assert PAUSED not in process.err, process.err
        assert other("SELECT count(*) FROM ducklake_snapshot") == before  # it did hold it all the time
    land(process, lake, kafka, topic, 4000)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (4000, 0)


LOCKS = {
    "a writer": ("BEGIN IMMEDIATE",),
    "a reader, without WAL": ("PRAGMA journal_mode = DELETE", "BEGIN", "SELECT count(*) FROM ducklake_snapshot"),
    "a writer that lets no reader in": ("PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"),
}


@on("sqlite")
@pytest.mark.parametrize("lock", [lock if "without WAL" in lock else long(lock) for lock in LOCKS])
def test_a_start_on_an_sqlite_catalog_that_another_process_has_locked_says_so_and_goes_on_when_it_is_free(pintail, lake, kafka, lock):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    pintail.ingest_all(lake, topic, *ARGS)
    kafka.produce(topic, orders.orders(1000, 2))
    with holding(sqlite_of(lake), *LOCKS[lock]):
        process = pintail.ingest(lake, topic, *ARGS)
        process.wait_for(lambda: "waiting for" in process.err, 60, "the start to say what it waits for")
        hold(6)
        assert process.running and process.err.count("waiting for") == 1, process.err
        assert sum(kafka.committed(f"pintail-{topic}", topic).values()) == 1000
    land(process, lake, kafka, topic, 2000)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (2000, 0)


def conflicts(process) -> int:
    """Of all its lives, as the last line of each tells."""
    return sum(map(int, re.findall(r"msg=done .*?conflicts=(\d+)", process.err)))


@pytest.mark.timeout(300)
@on("postgres")
def test_eight_writers_of_one_catalog_conflict_and_all_land(pintail, lake, kafka):
    topics = [kafka.create_topic(1) for _ in range(8)]
    processes = [pintail.ingest(lake, topic, *ARGS, "--flush-rows", "60", "--stop-timeout", "60s") for topic in topics]
    for process in processes:
        process.wait_for(lambda process=process: "msg=assigned" in process.err, 100, "all to be there when the storm begins")
    for n, topic in enumerate(topics):
        kafka.produce(topic, orders.orders(600, n))
    for process, topic in zip(processes, topics):
        wait_landed(process, lake, kafka, topic, 600, timeout=200)
    for process in processes:
        process.stop(70)
    print("conflicts:", [conflicts(process) for process in processes])
    assert sum(map(conflicts, processes)) > 0, "a storm in which nobody met anybody"
    for process in processes:
        lines = [
            line for line in process.err.splitlines() if "msg=committed" not in line
        ]  # once a second, while there is something to tell
        assert len(lines) <= 8 + 2 * 10, "more than that each of the ten flushes had to wait, and went on:\n" + process.err[-4000:]
    with lake.reader() as reader:
        for topic in topics:
            assert assert_exactly_once(reader, kafka, topic) == (600, 0)
    assert_no_leftovers(lake)


# ---- full disks


@contextmanager
def small_disk(folder, mib):
    """A tmpfs of its own for the folder; yields how to fill it up and how to make room."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small tmpfs")
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", folder], check=True, timeout=20)
    filler = folder / "filler"

    def fill():
        at = os.statvfs(folder)
        with filler.open("ab") as f:
            f.write(b"\0" * at.f_bavail * at.f_frsize)

    try:
        yield fill, filler.unlink
    finally:
        subprocess.run(["umount", "-l", folder], check=True, timeout=20)


def survives_a_full_disk(pintail, lake, kafka, fill, make_room):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 1000, timeout=120)
    fill()
    kafka.produce(topic, orders.orders(20_000, 2))
    wait_paused(process)
    hold(5)
    assert process.running, process.err[-3000:]
    make_room()
    wait_landed(process, lake, kafka, topic, 21_000, timeout=200)
    process.stop()
    states = [
        line for line in process.err.splitlines() if PAUSED in line or GOES_ON in line
    ]  # SQLite makes room by itself when it is attached anew
    assert [PAUSED in line for line in states] == [n % 2 == 0 for n in range(len(states))], "a line a retry:\n" + "\n".join(states)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (21_000, 0)


@on("postgres", "duckdb")
def test_a_data_path_without_room_is_waited_for(pintail, lake, kafka):
    with small_disk(lake.folder / "data", 16) as (fill, make_room):
        survives_a_full_disk(pintail, lake, kafka, fill, make_room)
        assert_no_leftovers(lake)


@pytest.mark.core
@on("sqlite", "duckdb")
def test_a_catalog_file_without_room_is_waited_for(pintail, lake, kafka):
    with small_disk(lake.folder / "metadata", 16) as (fill, make_room):
        survives_a_full_disk(pintail, lake, kafka, fill, make_room)


# ---- the broker


@on("postgres")
def test_while_the_broker_is_down_ingest_says_so_a_few_times_and_goes_on_by_itself(pintail, lake, own_kafka):
    topic = own_kafka.create_topic(2)
    records = wide.records(8000)
    own_kafka.produce(topic, records[:4000], **{"compression.type": "none"})  # the bound is on bytes as they are fetched
    pintail.brokers = own_kafka
    process = pintail.ingest(lake, topic, *wide.ARGS, *FAST_FAILOVER)
    wait_landed(process, lake, own_kafka, topic, 4000, timeout=120)
    with grows_less_than(process, 48, "while the broker was away, and with the 40 MB that it had when it came back", since="VmHWM"):
        with said_no_more_than(process, 6):
            own_kafka.kill()  # a broker that stops in order may answer for seconds, and then goes without a partition of a new life's
            wait_paused(process)
            hold(10)
        assert process.err.count(PAUSED) == 1 and "waiting_for=broker" in process.err, process.err[-4000:]
        own_kafka.start()
        own_kafka.produce(topic, records[4000:], **{"compression.type": "none"})
        wait_landed(process, lake, own_kafka, topic, len(records), timeout=150)
    land(process, lake, own_kafka, topic, len(records))
    assert 1 <= process.err.count(PAUSED) <= 3, process.err[-4000:]
    with lake.reader() as reader:
        assert assert_exactly_once(reader, own_kafka, topic, **wide.JUDGED) == (len(records), 0)


@pytest.mark.parametrize("when", ["at once", long("when it has paused")])
@on("sqlite")
def test_a_stop_while_the_broker_is_away_and_all_that_was_read_is_committed_is_a_success(pintail, lake, own_kafka, when):
    topic = own_kafka.create_topic(2)
    own_kafka.produce(topic, orders.orders(1000, 1))
    pintail.brokers = own_kafka
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, own_kafka, topic, 1000, timeout=120)
    own_kafka.stop()
    if when != "at once":
        wait_paused(process)
    process.stop()
    own_kafka.start()
    pintail.ingest_rest(lake, topic, *ARGS, timeout=120)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, own_kafka, topic) == (1000, 0)


@on("sqlite")
def test_a_stop_while_the_broker_is_away_and_rows_that_were_read_are_not_committed_is_a_failure(pintail, lake, own_kafka):
    topic = own_kafka.create_topic(2)
    own_kafka.produce(topic, orders.orders(1000, 1))
    pintail.brokers = own_kafka
    args = ("--schema", orders.SCHEMA, *FAST_FAILOVER)
    process = pintail.ingest(
        lake, topic, *args, "--flush-rows", "1000000", "--flush-interval", "10m", **crashing("batch.open:1:sleep-5000", "batch.open:2:fail")
    )
    process.wait_for(lambda: "failpoint batch.open" in process.err, 60, "rows to be in hand")
    own_kafka.kill()
    wait_paused(process)
    process.signal(15)
    assert process.wait(60).code == 1
    own_kafka.start()
    pintail.ingest_rest(lake, topic, *args, timeout=120)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, own_kafka, topic) == (1000, 0)


@pytest.mark.core
def test_a_catalog_that_is_away_just_when_the_lake_is_opened_anew_is_waited_for(pintail, lake, kafka):
    """Every 500 commits, since DuckDB and DuckLake keep something of every one; here every second one."""
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000))
    done = pintail.ingest_all(
        lake,
        topic,
        "--schema",
        orders.SCHEMA,
        "--flush-rows",
        "100",
        **crashing("open.anew:1:fail", "open.anew:3:fail", broken=["open-rarely"]),
    )
    assert done.err.count(PAUSED) == 2 == done.err.count(GOES_ON), done.err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1000, 0)


# ---- what cannot pass


@pytest.mark.parametrize("table", ["orders", "conflict_log"])  # a name is no reason
@on("postgres")
def test_a_table_that_is_dropped_while_ingest_runs_ends_it_with_exit_1_and_its_name(pintail, lake, kafka, table):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(500, 1))
    process = pintail.ingest(lake, topic, *ARGS, "--table", table, "--group", f"pintail-{topic}")
    wait_landed(process, lake, kafka, topic, 500, timeout=120)
    with lake.writer() as writer:
        writer.sql(f'DROP TABLE lake."{table}"')
    kafka.produce(topic, orders.orders(500, 2))
    done = process.wait(120)
    assert done.code == 1 and table in done.err.splitlines()[-1] and "does not exist" in done.err.splitlines()[-1], done.err[-2000:]
    with lake.reader() as reader:
        assert sum(r["row_count"] for r in reader.offsets(topic)) == 500
        assert len(lake.files()) == reader.one("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_data_file"), (
            "a staged file was left behind"
        )


@on("postgres")
def test_a_table_folder_that_vanishes_ends_ingest_with_exit_1_whatever_words_its_path_holds(pintail, lake, kafka):
    lake.data_path = f"{lake.folder}/concurrent quota: No space left/data/"
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(500, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 500, timeout=120)
    shutil.move(lake.data_path, lake.folder / "elsewhere")
    kafka.produce(topic, orders.orders(500, 2))
    done = process.wait(120)
    assert done.code == 1 and "No such file or directory" in done.err.splitlines()[-1], done.err[-2000:]


@pytest.mark.parametrize(
    "setting, code, words",
    [("", 1, "needs the right to make tables"), ("ALTER ROLE {role} SET default_transaction_read_only = on", 3, "may only read")],
)
def test_a_user_who_cannot_make_a_lake_is_told_so_and_is_not_taken_for_two_writers(
    pintail, postgres, kafka, tmp_path, setting, code, words
):
    topic, database, role = kafka.create_topic(1), postgres.create_database(), f"r{uuid.uuid4().hex[:12]}"
    postgres.sql(f"CREATE ROLE {role} LOGIN")
    if setting:
        postgres.sql(setting.format(role=role))
    lake = postgres.connection_string(database).replace("user=postgres", f"user={role}")
    done = pintail.run(
        "ingest",
        "--brokers",
        kafka.address,
        "--topic",
        topic,
        "--schema",
        "a INTEGER",
        "--lake",
        f"ducklake:postgres:{lake}",
        "--data-path",
        tmp_path / "data",
        "--until-end",
        code=code,
    )
    assert words in done.err and "another" not in done.err and len(done.err.splitlines()) == 1, done.err
    assert not (tmp_path / "data").exists()


def test_a_catalog_that_takes_the_right_to_write_away_ends_ingest_with_exit_1(pintail, pg_lake, own_postgres, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(500, 1))
    pintail.ingest_all(pg_lake, topic, *ARGS, timeout=120)
    own_postgres.sql("CREATE ROLE writer LOGIN")
    own_postgres.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO writer; GRANT ALL ON SCHEMA public TO writer", pg_lake.database)
    theirs = Lake.__new__(Lake)
    theirs.__dict__.update(pg_lake.__dict__, text=pg_lake.text.replace("user=postgres", "user=writer"))
    process = pintail.ingest(theirs, topic, *ARGS)
    kafka.produce(topic, orders.orders(500, 2))
    wait_landed(process, pg_lake, kafka, topic, 1000, timeout=120)
    own_postgres.sql("REVOKE INSERT ON ALL TABLES IN SCHEMA public FROM writer", pg_lake.database)
    kafka.produce(topic, orders.orders(500, 3))
    done = process.wait(120)
    assert done.code == 1 and "permission denied" in done.err.splitlines()[-1], done.err[-2000:]
    own_postgres.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO writer", pg_lake.database)
    pintail.ingest_all(pg_lake, topic, *ARGS, timeout=120)
    with pg_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1500, 0)
