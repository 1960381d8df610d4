"""A data path on an object store: the same promises as on a disk."""

import itertools
import json
import random
import threading
import time
import uuid

import pytest
from support import long, on, orders, wide
from support.crash import kill_at_work
from support.judge import assert_exactly_once, assert_no_leftovers
from support.kafka import FAST_FAILOVER
from support.memory import grows_less_than
from support.progress import landed, wait_landed
from test_kill_loop import killed_again_and_again

SCHEMA = ("--schema", orders.SCHEMA)
SOON = ("--flush-rows", "1000", "--flush-interval", "200ms")


@pytest.fixture
def s3_lake(lake, s3, pintail):
    """A lake whose data is on S3; pintail has the keys in its environment."""
    lake.move_to(s3)
    pintail.env = s3.environment
    return lake


@pytest.fixture
def own_s3_lake(lake, own_s3, pintail):
    lake.move_to(own_s3)
    pintail.env = own_s3.environment
    return lake


# ---- the way there


def test_every_record_lands_once_in_files_on_s3_and_in_dead_letters(pintail, s3_lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(20_000))
    kafka.produce(topic, [b"broken", b"[]"])
    pintail.ingest_all(s3_lake, topic, *SCHEMA, "--flush-rows", "5000")
    with s3_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (20_000, 2)
        assert all(path.startswith(s3_lake.data_path) for _, _, path, _, _ in reader.data_files())
    assert_no_leftovers(s3_lake)
    read = pintail.run("sql", *s3_lake.args, "--format", "csv", "-c", f'SELECT count(*) AS n FROM lake."{topic}"')
    assert read.out.split() == ["n", "20000"]


@on(long("sqlite"), "postgres")
@pytest.mark.timeout(180)
def test_records_for_s3_survive_sigkill_at_random_moments(pintail, s3_lake, kafka, seed):
    killed_again_and_again(pintail, s3_lake, kafka, seed, 3, 30_000, 500)


# ---- keys


def config(kafka, lake, topic, *init_sql) -> str:
    return json.dumps(
        {
            "brokers": kafka.address,
            "lake": lake.text,
            "data_path": lake.data_path,
            "init_sql": init_sql,
            "topics": [{"topic": topic, "schema": orders.SCHEMA}],
        }
    )  # JSON is YAML too


def run_with(pintail, path, text, *more, **how):
    path.write_text(text)
    return pintail.run("ingest", "--config", path, "--until-end", "--verbose", *more, **how)


def assert_hidden(done, *secrets):
    shown = [s for s in secrets if s in done.out or s in done.err]
    assert not shown, f"a secret is in the output:\n{done.out}\n{done.err}"


@on("sqlite")
def test_keys_may_come_from_a_secret_in_the_configuration_and_are_never_shown(pintail, lake, s3, kafka, tmp_path):
    lake.move_to(s3)
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(500))
    done = run_with(pintail, tmp_path / "ingest.yaml", config(kafka, lake, topic, s3.create_secret()))
    assert_hidden(done, s3.secret, s3.key)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, pipeline=reader.default_group(topic)) == (500, 0)
    checked = pintail.run("check", *lake.args, "--init-sql", s3.create_secret())
    assert_hidden(checked, s3.secret, s3.key)


@pytest.mark.parametrize(
    "broken",
    [
        "CREATE SECRET (TYPE s3, SECRET '{0}', NONSENSE 'x')",
        "CREATE SECRET (TYPE s3, SECRET '{0}",
        "CREATE SECRET (TYPE s3, USE_SSL '{0}')",
    ],
)
@on("sqlite")
def test_a_secret_that_duckdb_refuses_is_not_shown_in_the_error(pintail, lake, s3, kafka, tmp_path, broken):
    lake.move_to(s3)
    topic = kafka.create_topic(1)
    done = run_with(pintail, tmp_path / "ingest.yaml", config(kafka, lake, topic, broken.format(s3.secret)), code=1)
    assert "init SQL statement 1" in done.err
    assert_hidden(done, s3.secret)


@pytest.mark.parametrize("wrong, words", [("secret", ("403", "AWS_SECRET_ACCESS_KEY", "init_sql")), ("bucket", ("404", "bucket"))])
@on("sqlite")
def test_an_object_store_that_refuses_ends_the_run_with_advice_and_nothing_is_marked_as_done(pintail, lake, s3, kafka, wrong, words):
    lake.move_to(s3)
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(500))
    right = list(lake.args)
    if wrong == "secret":
        pintail.env = {**s3.environment, "AWS_SECRET_ACCESS_KEY": uuid.uuid4().hex}
    else:
        pintail.env = s3.environment
        s3.path(lake.data_path).parent.parent.rmdir()
    started = time.monotonic()
    failed = pintail.run(*pintail.ingest_args(lake, topic, "--until-end", *SCHEMA), code=1, timeout=60)
    last = failed.err.splitlines()[-1]
    assert last.startswith("pintail ingest: ") and all(word in last for word in words), failed.err
    assert time.monotonic() - started < 30
    assert_hidden(failed, s3.secret, pintail.env["AWS_SECRET_ACCESS_KEY"])
    with lake.reader() as reader:
        assert reader.offsets(topic) == []
    if wrong == "bucket":
        s3.path(lake.data_path).parent.parent.mkdir()
    pintail.env = s3.environment
    assert lake.args == right
    pintail.ingest_all(lake, topic, *SCHEMA)  # no table was made
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (500, 0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("taken", ["rights", long("keys")])
@on("postgres")
def test_an_object_store_that_takes_the_right_to_write_away_ends_ingest_with_exit_1_and_advice_and_nothing_is_marked_as_done(
    pintail, lake, s3, kafka, taken
):
    lake.move_to(s3)
    key, secret = s3.add_user()
    s3.give_bucket(lake.data_path, key)
    pintail.env = {**s3.environment, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(2000))
    process = pintail.ingest(lake, topic, *SCHEMA, *SOON)
    wait_landed(process, lake, kafka, topic, 2000, timeout=120)
    s3.give_bucket(lake.data_path, s3.key) if taken == "rights" else s3.remove_user(key)
    kafka.produce(topic, orders.orders(2000, 2))
    done = process.wait(60)
    last = done.err.splitlines()[-1]
    assert (
        done.code == 1
        and last.startswith("pintail ingest: ")
        and all(word in last for word in ("403", "AWS_SECRET_ACCESS_KEY", "init_sql"))
    ), done.err
    assert_hidden(done, secret)
    assert landed(lake, kafka, topic) == sum(kafka.committed(f"pintail-{topic}", topic).values()) == 2000
    with lake.reader() as reader:
        assert reader.rows(topic) == 2000
    if taken == "rights":
        s3.give_bucket(lake.data_path, key)
    else:
        pintail.env = s3.environment
    pintail.ingest_rest(lake, topic, "--leftover-age", "0s", timeout=120)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (4000, 0)
    assert_no_leftovers(lake)


# ---- an object store that is away


def said(process, text) -> int:
    return sum(text in line for line in process.err.splitlines())


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["stopped", long("frozen")])  # 30 s until DuckDB gives up a mute server
@on("postgres")
def test_while_the_object_store_is_away_ingest_pauses_and_goes_on_by_itself(pintail, own_s3_lake, own_s3, kafka, how):
    topic = kafka.create_topic(2)
    records = wide.records(8000)
    kafka.produce(topic, records[:100])
    process = pintail.ingest(
        own_s3_lake, topic, *wide.ARGS, "--init-sql", "SET GLOBAL http_timeout = 1", "--init-sql", "SET GLOBAL http_retries = 1"
    )
    wait_landed(process, own_s3_lake, kafka, topic, 100, timeout=90)
    with grows_less_than(process, 64, "while 80 MB waited"):
        own_s3.stop() if how == "stopped" else own_s3.freeze()
        kafka.produce(topic, records[100:], **{"compression.type": "none"})  # the bounds are on bytes as they are fetched
        process.wait_for(lambda: said(process, "paused"), 90, "the pause to be told")
        threading.Event().wait(10)  # the fault itself lasts so long
    assert (
        landed(own_s3_lake, kafka, topic) == sum(kafka.committed(f"pintail-{topic}", topic).values()) == 100
    )  # nothing was marked as done
    own_s3.start() if how == "stopped" else own_s3.thaw()
    wait_landed(process, own_s3_lake, kafka, topic, len(records), timeout=120)
    process.stop()
    assert 1 <= said(process, "paused") <= 3 and said(process, "goes on") >= 1, process.err  # a line for a change of state, not for a try
    with own_s3_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, **wide.JUDGED) == (len(records), 0)


@on("postgres")
def test_a_stop_while_the_object_store_is_away_ends_in_time_and_the_next_start_has_all(pintail, own_s3_lake, own_s3, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(2000))
    process = pintail.ingest(own_s3_lake, topic, *SCHEMA, *SOON, "--stop-timeout", "3s")
    wait_landed(process, own_s3_lake, kafka, topic, 2000)
    own_s3.stop()
    kafka.produce(topic, orders.orders(2000, 2))
    process.wait_for(lambda: said(process, "paused"), 40, "the pause to be told")
    process.signal(15)
    done = process.wait(30)
    assert done.code == 1 and "next start" in done.err, done.err
    own_s3.start()
    pintail.ingest_all(own_s3_lake, topic)
    with own_s3_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (4000, 0)


# ---- what is left, what is missing


def leave(lake, folder, hours) -> str:
    """An object as a process that died so many hours ago left it: named by the time (UUID version 7) and, behind that, by the table."""
    ms = int((time.time() - hours * 3600) * 1000)
    name = uuid.UUID(int=(ms << 80) | (7 << 76) | (2 << 62) | uuid.uuid4().int & ((1 << 62) - 1))
    with lake.reader() as reader:
        name = f"{name}-{reader.mark(folder.rstrip('/').rsplit('/', 1)[1])}"
        reader.sql(f"COPY (SELECT 1 AS x) TO '{folder}{name}.pq' (FORMAT parquet)")
    return f"{folder}{name}.pq"


@on("sqlite")
def test_old_objects_that_no_snapshot_knows_are_removed_and_no_others(pintail, s3_lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(1000))
    pintail.ingest_all(s3_lake, topic, *SCHEMA, "--flush-rows", "100")
    with s3_lake.reader() as reader:
        committed = {path for _, _, path, _, _ in reader.data_files()}
        folder = next(path for _, table, path, _, _ in reader.data_files() if table == topic).rsplit("/", 1)[0] + "/"
        reader.sql(f"COPY (SELECT 1 AS x) TO '{folder}of-somebody-else.pq' (FORMAT parquet)")
    foreign, young, old = (
        f"{folder}of-somebody-else.pq",
        leave(s3_lake, folder, 1),
        {leave(s3_lake, folder, 30), leave(s3_lake, folder, 48)},
    )
    assert set(s3_lake.files()) == committed | old | {foreign, young}
    done = pintail.ingest_all(s3_lake, topic)
    assert set(s3_lake.files()) == committed | {foreign, young}
    assert "removed=2" in done.err, done.err
    pintail.ingest_all(s3_lake, topic, "--leftover-age", "0s")  # the committed ones are older than that, too
    assert set(s3_lake.files()) == committed | {foreign}
    with s3_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1000, 0)


@pytest.mark.timeout(120)
@on("duckdb")
def test_objects_that_a_killed_process_left_are_removed_by_the_next(pintail, s3_lake, kafka, seed):
    r = random.Random(seed)
    topic = kafka.create_topic(2)
    source = iter(list(orders.orders(30_000)))
    args = (*SCHEMA, "--flush-rows", "500", *FAST_FAILOVER)
    for _ in range(3):
        kafka.produce(topic, itertools.islice(source, 10_000))
        kill_at_work(pintail.ingest(s3_lake, topic, *args), kafka, topic, r)
    pintail.ingest_rest(s3_lake, topic, *args, "--flush-rows", "20000", "--leftover-age", "0s")
    with s3_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (30_000, 0)
    assert_no_leftovers(s3_lake)


@on("sqlite")
def test_check_finds_objects_that_are_missing_or_cut_short(pintail, s3_lake, s3, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(1000))
    pintail.ingest_all(s3_lake, topic, *SCHEMA, "--flush-rows", "250")
    sound = json.loads(pintail.run("check", *s3_lake.args, "--json").out)
    assert sound["findings"] == []
    with s3_lake.reader() as reader:
        files = [path for _, table, path, _, _ in reader.data_files() if table == topic]
    told = next(t["files"] for t in sound["tables"] if t["table"] == topic)
    assert (told["count"], told["bytes"], told["missing"]) == (4, sum(s3.path(f).stat().st_size for f in files), 0)
    s3.path(files[0]).unlink()
    s3.path(files[1]).write_bytes(s3.path(files[1]).read_bytes()[:-100])
    found = json.loads(pintail.run("check", *s3_lake.args, "--json", code=1).out)["findings"]
    texts = [f["text"] for f in found if f["kind"] == "missing_file"]
    assert (
        len(texts) == 2
        and any(files[0] in t and "does not have it" in t for t in texts)
        and any(files[1] in t and "bytes" in t for t in texts)
    ), found
