"""A data path on an object store: the same promises as on a disk."""

import pytest
from support import on, orders
from support.judge import assert_exactly_once, assert_no_leftovers

SCHEMA = ("--schema", orders.SCHEMA)


@pytest.fixture
def s3_lake(lake, s3, pintail):
    """A lake whose data is on S3; pintail has the keys in its environment."""
    lake.move_to(s3)
    pintail.env = s3.environment
    return lake


def test_every_record_lands_once_in_files_on_s3_and_in_dead_letters(pintail, s3_lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(20_000))
    kafka.produce(topic, [b"broken", b"[]"])
    pintail.ingest_all(s3_lake, topic, *SCHEMA, "--flush-rows", "5000")
    with s3_lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (20_000, 2)
        assert all(path.startswith(s3_lake.data_path) for _, _, path, _, _ in reader.data_files())
    assert_no_leftovers(s3_lake)
