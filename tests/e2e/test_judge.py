"""The judge itself: it accepts a sound lake and notices each way in which one can be wrong."""

import re
from pathlib import Path

import pytest
from support import on, orders
from support.judge import assert_exactly_once, assert_no_leftovers
from support.lake import quoted

LEDGER = (
    'pipeline VARCHAR, topic VARCHAR, "partition" INTEGER, from_offset BIGINT, next_offset BIGINT, row_count BIGINT, dead_letter_count BIGINT, '
    "epoch BIGINT, cluster_id VARCHAR, topic_id VARCHAR, target_table VARCHAR, kind VARCHAR, committed_at TIMESTAMPTZ"
)
DEAD = (
    'topic VARCHAR, "partition" INTEGER, "offset" BIGINT, timestamp TIMESTAMPTZ, key BLOB, value BLOB, error_code VARCHAR, error_text VARCHAR, '
    "error_position BIGINT, ingest_time TIMESTAMPTZ, target_table VARCHAR, pipeline VARCHAR, headers STRUCT(key VARCHAR, value BLOB)[]"
)

WRONG = {
    "a lost record": "DELETE FROM {t} WHERE _kafka_partition = 1 AND _kafka_offset = 7",
    "a doubled record": "INSERT INTO {t} FROM {t} WHERE _kafka_partition = 1 AND _kafka_offset = 7",
    "a changed value": "UPDATE {t} SET quantity = quantity + 1 WHERE _kafka_partition = 1 AND _kafka_offset = 7",
    "a time off by a microsecond": "UPDATE {t} SET order_time = order_time + INTERVAL 1 MICROSECOND WHERE _kafka_partition = 0 AND _kafka_offset = 7",
    "a record that never was": "INSERT INTO {t} SELECT * REPLACE (9999 AS _kafka_offset) FROM {t} WHERE _kafka_partition = 1 AND _kafka_offset = 7",
    "a gap in the ledger": 'UPDATE lake.pintail.offsets SET from_offset = 1 WHERE "partition" = 0',
    "a wrong count in the ledger": 'UPDATE lake.pintail.offsets SET row_count = row_count - 1 WHERE "partition" = 0',
    "a next offset past the end": 'UPDATE lake.pintail.offsets SET next_offset = next_offset + 1 WHERE "partition" = 0',
    "another topic's id in the ledger": "UPDATE lake.pintail.offsets SET topic_id = 'AAAAAAAAAAAAAAAAAAAAAQ' WHERE \"partition\" = 0",
    "a record dead and alive": (
        "INSERT INTO lake.pintail.dead_letters SELECT '{n}', 1, 7, now(), NULL, NULL, 'type', 'x', NULL, now(), '{n}', 'pintail-{n}', NULL"
    ),
}


@pytest.fixture
def fed(kafka, lake):
    """A lake that DuckDB itself fed from the broker's records."""
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(200))
    t = f"lake.{quoted(topic)}"
    with lake.writer() as w:
        w.sql("CREATE SCHEMA lake.pintail")
        w.sql(f"CREATE TABLE lake.pintail.offsets ({LEDGER})")
        w.sql(f"CREATE TABLE lake.pintail.dead_letters ({DEAD})")
        w.sql(f"CREATE TABLE {t} ({orders.SCHEMA}, {', '.join(f'{k} {v}' for k, v in orders.METADATA.items())})")
        rows = []
        for r in kafka.records(topic):
            e = orders.expected(r.value)
            rows.append(
                f"SELECT '{e[0]}', make_timestamptz({e[1]}), '{e[2]}', '{e[3]}', {e[4]}, {e[5]}, '{e[6]}', {r.partition}, {r.offset}, "
                f"make_timestamptz({r.timestamp}000), now()"
            )
        w.sql(f"INSERT INTO {t} " + " UNION ALL ".join(rows))
        id_ = kafka.topic_id(topic)
        for p, n in kafka.ends(topic).items():
            w.sql(
                f"INSERT INTO lake.pintail.offsets VALUES ('pintail-{topic}', '{topic}', {p}, 0, {n}, {n}, 0, 1, 'c', '{id_}', '{topic}', 'commit', now())"
            )
    return topic


def test_the_judge_accepts_a_lake_that_duckdb_fed(lake, kafka, fed):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, fed) == (200, 0)
    assert_no_leftovers(lake)


@on("sqlite")
def test_the_judge_notices_everything_that_is_wrong(lake, kafka, fed):
    held = kafka.records(fed)
    with lake.writer() as lake_in_transaction:
        for what, statement in WRONG.items():
            lake_in_transaction.sql("BEGIN")
            lake_in_transaction.sql(statement.format(t=f"lake.{quoted(fed)}", n=fed))
            with pytest.raises(AssertionError):
                assert_exactly_once(lake_in_transaction, kafka, fed, records=held)
                pytest.fail(f"{what} was not noticed", pytrace=False)
            lake_in_transaction.sql("ROLLBACK")
        assert assert_exactly_once(lake_in_transaction, kafka, fed) == (200, 0)


@on("sqlite")
def test_the_judge_notices_a_missing_data_file(lake, kafka, fed):
    Path(lake.files()[0]).rename(f"{lake.folder}/away")
    with lake.reader() as reader, pytest.raises(Exception, match=r"No files found|does not exist|No such file"):
        assert_exactly_once(reader, kafka, fed)


def test_the_guarantees_name_only_tests_that_exist():
    here = Path(__file__).parent
    defined = set(re.findall(r"^def (test_\w+)", "\n".join(p.read_text() for p in here.glob("test_*.py")), re.M))
    named = set(re.findall(r"`(test_\w+)`", (here.parents[1] / "docs" / "GUARANTEES.md").read_text()))
    assert named and named <= defined, f"docs/GUARANTEES.md names tests that are not there: {sorted(named - defined)}"
