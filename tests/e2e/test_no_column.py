"""Records that are JSON objects and mean something else: never a row of NULLs by accident."""

import json

from support import on
from support.judge import assert_exactly_once
from support.lake import quoted

SCHEMA = "order_id INTEGER, location STRUCT(lat DOUBLE, stops STRUCT(name VARCHAR)[]), at TIMESTAMPTZ DEFAULT '2026-01-01'"
GOOD = [
    b'{"order_id": 1}',
    b'{"order_id": null, "other": 1}',
    b'{"location": {"lat": 1.5, "site": "x", "stops": [{"name": "a", "kind": 1}]}, "more": {"deep": 1}}',
    b'{"at": null}',
]
NO_COLUMN = [  # the record, what its text names
    (b"{}", ["without keys"]),
    (b'{"id": 1, "customer": {"order_id": 1}, "lines": []}', ["id, customer, lines"]),
    (b'{"Order_Id": 1}', ["Order_Id", "order_id", "upper and lower case"]),
    (b'{"schema": {"type": "struct"}, "payload": {"order_id": 1}}', ["schema, payload", "schemas.enable"]),
    (b'{"before": null, "after": {"order_id": 1}, "op": "c"}', ["before, after, op", "ExtractNewRecordState"]),
    (b'{"_kafka_offset": 7, "_kafka_partition": 1, "ingest_time": 0}', ["_kafka_offset", "filled by pintail"]),
]


@on("sqlite")
def test_a_record_none_of_whose_keys_is_a_column_is_a_dead_letter_that_names_its_first_keys(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [*GOOD, *(value for value, _ in NO_COLUMN), {"value": None, "key": b"k"}, GOOD[0]])
    done = pintail.ingest_all(lake, topic, "--schema", SCHEMA)
    with lake.reader() as reader:
        assert assert_exactly_once(
            reader, kafka, topic, columns=("order_id",), select={}, expected=lambda v: (json.loads(v).get("order_id"),)
        ) == (len(GOOD) + 1, len(NO_COLUMN) + 1)
        letters = {d["value"]: d for d in reader.dead_letters()}
    assert letters.pop(None)["error_code"] == "tombstone"
    for value, named in NO_COLUMN:
        assert letters[value]["error_code"] == "no_column" and all(word in letters[value]["error_text"] for word in named), letters[value]
    # what is ignored is named with its path; keys of records that were not taken are not called ignored
    told = [line for line in done.err.splitlines() if "keys that no column has" in line]
    assert all(key in " ".join(told) for key in ("other", "location.site", "location.stops[].kind", "more")), done.err
    assert not any(key in " ".join(told) for key in ("Order_Id", "payload", "customer")), told


@on("sqlite")
def test_on_no_column_null_takes_them_as_rows_on_the_command_line_and_in_the_file(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b"{}", b'{"x": 1}', b'{"a": 1}'])
    pintail.ingest_all(
        lake,
        topic,
        "--schema",
        "a INTEGER, b INTEGER DEFAULT 7",
        "--table",
        "by_option",
        "--group",
        f"g1-{topic}",
        "--on-no-column",
        "null",
    )
    config = tmp_path / "ingest.yaml"
    config.write_text(
        f"group: g2-{topic}\non_no_column: null\ntopics:\n  - topic: {topic}\n    table: by_null\n    schema: a INTEGER, b INTEGER DEFAULT 7\n"
    )
    pintail.ingest_all(lake, None, "--config", config)
    config.write_text(
        f'group: g3-{topic}\non_no_column: "null"\ntopics:\n  - topic: {topic}\n    table: by_text\n    schema: a INTEGER, b INTEGER DEFAULT 7\n'
    )
    pintail.ingest_all(lake, None, "--config", config)
    with lake.reader() as reader:
        for table in ("by_option", "by_null", "by_text"):
            assert reader.sql(f"SELECT a, b FROM lake.{table} ORDER BY _kafka_offset") == [(None, 7), (None, 7), (1, 7)], table
        assert reader.dead_letters() == []


@on("sqlite")
def test_a_table_without_columns_of_its_own_takes_every_object(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"a": 1}', b"{}"])
    with lake.writer() as writer:
        writer.sql(
            f"CREATE TABLE lake.{quoted(topic)} (_kafka_partition INTEGER, _kafka_offset BIGINT, _kafka_timestamp TIMESTAMPTZ, "
            f"ingest_time TIMESTAMPTZ, _kafka_key BLOB)"
        )
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert reader.sql(f"SELECT count(*) FROM lake.{quoted(topic)}") == [(2,)] and reader.dead_letters() == []
