"""Others' hands in the folder: delete_orphaned_files(cleanup_all => true) takes files whose COMMIT is under way, other writers
leave half-written files beside those of a fold."""

import contextlib
import os
import random
import threading
import time

import duckdb
import pytest
from support import on, orders
from support.judge import assert_exactly_once, assert_files_sound, assert_no_leftovers
from support.lake import quoted
from support.progress import wait_landed
from test_ambiguous_commit import make_partitioned
from test_inlined import inlined

SCHEMA = ("--schema", orders.SCHEMA)


class Again:
    """Runs statements on a connection of stock DuckDB in a loop; a context manager. What others' locks and conflicts refuse is tried again.

    Between two rounds it rests for up to `rest` times what a round takes, so that on a machine of any speed some transactions meet no round."""

    def __init__(self, lake, *statements, rest=0):
        self.lake, self.statements, self.rest = lake, statements, rest
        self.random = random.Random(7)
        self.end = threading.Event()
        self.rounds, self.rows = 0, 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        with self.lake.writer() as writer:
            while not self.end.is_set():
                began = time.monotonic()
                for statement in self.statements:
                    try:
                        self.rows += len(writer.connection.execute(statement).fetchall())
                    except duckdb.Error:
                        with contextlib.suppress(duckdb.Error):
                            writer.connection.execute("ROLLBACK")
                self.rounds += 1
                self.end.wait(self.random.uniform(0, self.rest) * (time.monotonic() - began))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()


def names(lake, table):
    return lake.read(lambda r: {path for _, name, path, _, _ in r.data_files() if name == table}, set())


@on("postgres")
@pytest.mark.timeout(240)
def test_orphans_that_are_cleaned_up_in_a_loop_beside_ingest_cost_no_file(pintail, lake, kafka):
    """Of INSERTs into a partitioned table, and of folds."""
    parted, few = kafka.create_topic(1), kafka.create_topic(1)
    make_partitioned(lake, parted)
    with lake.writer() as writer:
        writer.sql("CALL lake.set_option('data_inlining_row_limit', 30)")
        writer.sql(f"CALL lake.set_option('data_inlining_row_limit', 0, schema => 'main', table_name => '{parted}')")
    group = f"g-{parted}"
    first = pintail.ingest(lake, parted, "--group", group, "--flush-rows", "100", "--flush-interval", "100ms")
    second = pintail.ingest(lake, few, *SCHEMA, "--group", group + "2", "--flush-interval", "50ms", "--fold-interval", "1ms")
    with Again(lake, "CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)", rest=20) as cleaner:
        sent = 0
        while cleaner.rows < 5 or sent < 200:  # until it has taken some
            kafka.produce(parted, orders.orders(100))
            kafka.produce(few, orders.orders(2))
            sent += 100
            wait_landed(first, lake, kafka, parted, sent, group, timeout=90)
            assert sent < 10_000, "the loop has found nothing to take"
        wait_landed(second, lake, kafka, few, sent // 50, group + "2", timeout=90)
        second.wait_for(lambda: lake.read(lambda r: inlined(r, few) == 0), 60, "folds")
    first.stop()
    second.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, parted, pipeline=group) == (sent, 0)
        assert assert_exactly_once(reader, kafka, few, pipeline=group + "2") == (sent // 50, 0)
    print("taken:", cleaner.rows, "rounds:", cleaner.rounds, "sent:", sent)


@on("sqlite")
@pytest.mark.parametrize("kind", ["insert", "fold"])
def test_a_file_that_is_taken_after_its_commit_is_brought_back_before_its_guard_goes(pintail, lake, kafka, kind):
    topic = kafka.create_topic(1)
    group = f"g-{topic}"
    if kind == "insert":
        make_partitioned(lake, topic)
    kafka.produce(topic, orders.orders(20))
    process = pintail.ingest(lake, topic, *SCHEMA, "--group", group, "--flush-interval", "100ms", "--fold-interval", "1ms")
    process.wait_for(lambda: names(lake, topic) and lake.read(lambda r: inlined(r, topic) == 0), 60, "a file")
    taken = names(lake, topic)
    for path in taken:
        os.unlink(path)
    process.stop()
    assert "are back" in process.err, process.err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, pipeline=group) == (20, 0)
    assert_no_leftovers(lake)


@on("sqlite")
def test_a_file_that_the_lake_has_given_up_is_not_brought_back(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    make_partitioned(lake, topic)
    kafka.produce(topic, orders.orders(200))
    process = pintail.ingest(lake, topic, "--group", f"g-{topic}", "--flush-rows", "100", "--flush-interval", "100ms")
    wait_landed(process, lake, kafka, topic, 200, f"g-{topic}")
    with lake.writer() as writer:
        for statement in (
            f"DELETE FROM lake.{quoted(topic)}",
            "CALL ducklake_expire_snapshots('lake', older_than => now())",
            "CALL ducklake_cleanup_old_files('lake', cleanup_all => true)",
        ):
            writer.sql(statement)
    process.stop()
    assert "are back" not in process.err, process.err
    with lake.reader() as reader:
        assert reader.rows(topic) == 0
        assert_files_sound(reader)
    assert_no_leftovers(lake)


@on("postgres")
def test_a_fold_beside_another_writer_in_the_same_folder_neither_warns_nor_waits(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    group = f"g-{topic}"
    process = pintail.ingest(lake, topic, *SCHEMA, "--group", group, "--flush-interval", "50ms", "--fold-interval", "1ms", "--verbose")
    process.wait_for(lambda: lake.read(lambda r: r.has_table(topic)), 60, "the table")
    with Again(
        lake, "BEGIN", f"INSERT INTO lake.{quoted(topic)} BY NAME SELECT 'x' || range AS customer_id FROM range(50000)", "ROLLBACK"
    ) as other:
        for sent in range(3, 33, 3):
            rounds = other.rounds
            kafka.produce(topic, orders.orders(3))
            wait_landed(process, lake, kafka, topic, sent, group)
            process.wait_for(
                lambda: lake.read(lambda r: inlined(r, topic) == 0) and other.rounds > rounds, 60, "a fold beside another writer"
            )
    process.stop()
    assert "level=warn" not in process.err, process.err
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, pipeline=group) == (30, 0)
