"""The catalog goes back in time under a running ingest: a standby that had not all becomes the primary, or a backup is put back.
What it lost lands again from Kafka, once."""

import shutil
import threading
from pathlib import Path

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.lake import Lake
from support.postgres import StandbyServer
from support.procs import wait_for
from support.progress import wait_landed

ARGS = ("--schema", orders.SCHEMA, "--flush-interval", "100ms")
BACK = "went back in time"


def catalog_file(lake) -> Path:
    return Path(lake.text.split(":")[-1])


def save(lake):
    """A copy of the catalog while nobody writes, with what goes with it."""
    folder = catalog_file(lake).parent
    shutil.copytree(folder, folder.with_name("saved"))


def put_back(lake, process=None):
    """As tools do it: what goes with the file is gone first, then another file takes its name. A process that looks in between
    would see a third catalog, so it stands still."""
    lake.close()
    if process:
        process.freeze()
    file = catalog_file(lake)
    saved = file.parent.with_name("saved")
    for other in file.parent.glob(f"{file.name}?*"):
        other.unlink()
    for kept in saved.iterdir():
        shutil.copy(kept, file.parent / f"new-{kept.name}")
        (file.parent / f"new-{kept.name}").rename(file.parent / kept.name)
    if process:
        process.thaw()


@pytest.fixture
def failover(own_postgres, tmp_path):
    """A lake on a primary with a standby, both named in its text."""
    lake = Lake("postgres", tmp_path, own_postgres)
    standby = StandbyServer(own_postgres)
    lake.text = (
        f"ducklake:postgres:dbname={lake.database} host=127.0.0.1,127.0.0.1 port={own_postgres.port},{standby.port} user=postgres "
        "target_session_attrs=read-write"
    )
    yield lake, own_postgres, standby
    lake.close()
    standby.remove()


def fail_over(lake, primary, standby):
    lake.close()
    primary.stop()
    standby.promote()


def judged(process, lake, kafka, topic, count):
    """In the end each record is there once, and the process has said once how far it went back."""
    wait_landed(process, lake, kafka, topic, count, timeout=100)
    process.stop()
    lake.close()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (count, 0)
    said = [line for line in process.err.splitlines() if BACK in line]
    assert len(said) == 1 and f"{topic}/" in said[0] and " from " in said[0] and " to " in said[0], process.err[-3000:]


def test_a_standby_that_had_not_all_takes_over_from_an_idle_ingest_and_nothing_is_missing(pintail, kafka, failover):
    lake, primary, standby = failover
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(300, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 300, timeout=100)
    standby.wait_level()
    standby.cut_off()
    kafka.produce(topic, orders.orders(800, 2))
    wait_landed(process, lake, kafka, topic, 1100, timeout=100)
    fail_over(lake, primary, standby)
    judged(process, lake, kafka, topic, 1100)  # nothing else comes


def test_a_standby_that_had_not_all_takes_over_under_load_and_nothing_is_missing(pintail, kafka, failover):
    lake, primary, standby = failover
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(300, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 300, timeout=100)
    standby.wait_level()
    standby.cut_off()
    kafka.produce(topic, orders.orders(700, 2))
    wait_landed(process, lake, kafka, topic, 1000, timeout=100)
    over = threading.Event()
    rest = orders.orders(4000, 3)
    more = threading.Thread(target=lambda: [kafka.produce(topic, rest[i : i + 100]) for i in range(0, 4000, 100) if not over.wait(0.05)])
    more.start()
    try:
        fail_over(lake, primary, standby)
        more.join()
        judged(process, lake, kafka, topic, 5000)
    finally:
        over.set()
        more.join()


@on("sqlite")
def test_a_catalog_file_that_is_put_back_under_ingest_costs_nothing(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(300, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 300, timeout=100)
    lake.close()
    save(lake)
    kafka.produce(topic, orders.orders(300, 2))
    wait_landed(process, lake, kafka, topic, 600, timeout=100)
    put_back(lake, process)
    process.wait_for(lambda: BACK in process.err, 60, "it to notice")
    kafka.produce(topic, orders.orders(100, 3))
    judged(process, lake, kafka, topic, 700)


@on("duckdb")
def test_a_duckdb_file_that_is_put_back_under_ingest_ends_it_and_the_next_start_has_all(pintail, lake, kafka):
    """DuckDB holds its file, and would remove the log of the other one when it closes: the process ends without touching it."""
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(300, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 300, timeout=100)
    save(lake)
    kafka.produce(topic, orders.orders(300, 2))
    wait_landed(process, lake, kafka, topic, 600, timeout=100)
    put_back(lake, process)
    done = process.wait(100)
    assert done.code == 3 and "start pintail again" in done.err.splitlines()[-1], done.err[-3000:]
    kafka.produce(topic, orders.orders(100, 3))
    pintail.ingest_all(lake, topic, *ARGS)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (700, 0)


@pytest.mark.core
@on("sqlite", "duckdb")
def test_a_catalog_file_that_is_put_back_between_two_runs_costs_nothing(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    for count in (300, 600):
        kafka.produce(topic, orders.orders(300, count))
        pintail.ingest_all(lake, topic, *ARGS)
        if count == 300:
            save(lake)
    put_back(lake)
    pintail.ingest_all(lake, topic, *ARGS)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (600, 0)


@on("sqlite")
@pytest.mark.parametrize("choice", ["fail", "skip"])
def test_what_kafka_no_longer_has_is_as_on_missing_data_says(pintail, lake, kafka, choice):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100, 1))
    process = pintail.ingest(lake, topic, *ARGS, "--on-missing-data", choice)
    wait_landed(process, lake, kafka, topic, 100, timeout=100)
    lake.close()
    save(lake)
    kafka.produce(topic, orders.orders(100, 2))
    wait_landed(process, lake, kafka, topic, 200, timeout=100)
    kafka.delete_records(topic, 0, 150)
    put_back(lake, process)
    if choice == "fail":
        done = process.wait(100)
        assert done.code == 1 and BACK in done.err and "offset 100" in done.err.splitlines()[-1] and "150" in done.err.splitlines()[-1], (
            done.err[-3000:]
        )
        return
    process.wait_for(lambda: "skipping" in process.err, 60, "the jump")
    wait_landed(process, lake, kafka, topic, 150, timeout=100)
    process.stop()
    with lake.reader() as reader:
        assert reader.sql(f'SELECT min(_kafka_offset), max(_kafka_offset), count(*) FROM lake."{topic}" WHERE _kafka_offset >= 100') == [
            (150, 199, 50)
        ]
        assert reader.sql("SELECT from_offset, next_offset FROM lake.pintail.offsets WHERE kind = 'skip'") == [(100, 150)]


def closed_to_all(server, database, statement):
    """Runs it while nobody is connected."""

    def done():
        server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        try:
            return server.sql(statement) is not None
        except AssertionError as e:
            assert "being accessed" in str(e), e
            return False

    wait_for(done, 30, statement)


@pytest.mark.timeout(200)
def test_an_idle_ingest_says_once_that_its_catalog_is_closed_to_it_and_once_that_it_is_back(pintail, kafka, own_postgres, tmp_path):
    """A password that was changed, a database that is gone: no record comes, so nothing else would tell."""
    hba = own_postgres.folder / "db" / "pg_hba.conf"
    hba.write_text("host all tail 127.0.0.1/32 scram-sha-256\n" + hba.read_text())
    own_postgres.sql("CREATE ROLE tail SUPERUSER LOGIN PASSWORD 'one'")
    own_postgres.sql("SELECT pg_reload_conf()")
    lake = Lake("postgres", tmp_path, own_postgres)
    plain = lake.text
    lake.text = plain.replace("user=postgres", "user=tail password=one")
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 10, timeout=100)
    lake.close()
    kick = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{lake.database}'"
    faults = [
        (
            lambda: (own_postgres.sql("ALTER ROLE tail PASSWORD 'two'"), own_postgres.sql(kick)),
            "password authentication failed",
            lambda: own_postgres.sql("ALTER ROLE tail PASSWORD 'one'"),
        ),
        (
            lambda: closed_to_all(own_postgres, lake.database, f"ALTER DATABASE {lake.database} RENAME TO away"),
            "does not exist",
            lambda: own_postgres.sql(f"ALTER DATABASE away RENAME TO {lake.database}"),
        ),
    ]
    for n, (fault, words, mend) in enumerate(faults, 1):
        fault()
        process.wait_for(lambda: process.err.count("msg=paused") >= n, 60, "it to notice")
        said = [line for line in process.err.splitlines() if "msg=paused" in line]
        assert len(said) == n and "waiting_for=catalog" in said[-1] and words in said[-1] and "level=warn" in said[-1], process.err
        mend()
        process.wait_for(lambda: process.err.count('msg="goes on"') == n, 60, "it to be back")
    kafka.produce(topic, orders.orders(10, 2))
    wait_landed(process, lake, kafka, topic, 20, timeout=100)
    process.stop()
    assert process.err.count("msg=paused") == 2 and "password=one" not in process.err, process.err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (20, 0)
    lake.close()


@on("sqlite")
def test_a_catalog_file_that_is_taken_away_for_a_while_is_waited_for_and_not_made_anew(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10, 1))
    process = pintail.ingest(lake, topic, *ARGS)
    wait_landed(process, lake, kafka, topic, 10, timeout=100)
    lake.close()
    folder = catalog_file(lake).parent
    folder.rename(folder.with_name("away"))
    process.wait_for(lambda: "msg=paused" in process.err, 60, "it to notice")
    kafka.produce(topic, orders.orders(10, 2))
    assert not folder.exists()
    folder.with_name("away").rename(folder)
    wait_landed(process, lake, kafka, topic, 20, timeout=100)
    process.stop()
    assert process.err.count("msg=paused") == process.err.count('msg="goes on"') == 1, process.err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (20, 0)
