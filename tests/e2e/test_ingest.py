"""The main path: what a topic holds is in the lake exactly once, with the right values."""

import json
import time
import uuid

import pytest
from support import on, orders
from support.judge import assert_exactly_once, assert_no_leftovers
from support.lake import quoted
from support.progress import wait_landed

SCHEMA = ("--schema", orders.SCHEMA)


@pytest.mark.core
def test_100000_records_of_4_partitions_land_exactly_once_and_until_end_exits_0(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, orders.orders(100_000))
    pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (100_000, 0)
        assert reader.columns(topic) == {**orders.COLUMNS, **orders.METADATA}
    assert_no_leftovers(lake)


@on("postgres")
@pytest.mark.timeout(240)
def test_1000000_records_land_exactly_once(pintail, lake, kafka):
    million(pintail, lake, kafka)


@on("duckdb", "sqlite")
@pytest.mark.long
@pytest.mark.timeout(300)
def test_1000000_records_land_exactly_once_on_the_other_catalogs(pintail, lake, kafka):
    million(pintail, lake, kafka)


def million(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    pintail.run("produce", "--brokers", kafka.address, "--topic", topic, "--rate", 0, "--count", 1_000_000, "--seed", 7, timeout=120)
    assert sum(kafka.ends(topic).values()) == 1_000_000
    began = time.monotonic()
    pintail.ingest_all(lake, topic, *SCHEMA, timeout=120)
    print(f"ingest of 1,000,000 records: {time.monotonic() - began:.1f} s")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1_000_000, 0)


@on("sqlite")
def test_metadata_columns_hold_partition_offset_kafka_time_and_ingest_time(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    base = 1_700_000_000_123
    kafka.produce(topic, [{"value": b'{"a": %d}' % i, "partition": i % 2, "timestamp": base + i} for i in range(10)])
    before = time.time()
    pintail.ingest_all(lake, topic, "--schema", "a INTEGER")
    after = time.time()
    with lake.reader() as reader:
        assert reader.columns(topic) == {"a": "INTEGER", **orders.METADATA}
        rows = reader.sql(
            f"SELECT a, _kafka_partition, _kafka_offset, epoch_ms(_kafka_timestamp), epoch(ingest_time) FROM lake.{quoted(topic)} ORDER BY a"
        )
    assert [r[:4] for r in rows] == [(i, i % 2, i // 2, base + i) for i in range(10)]
    assert all(before - 1 <= r[4] <= after + 1 for r in rows)


def test_an_empty_topic_ends_with_0_and_leaves_the_table_and_pintails_own(pintail, lake, kafka):
    topic = kafka.create_topic(3)
    pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.reader() as reader:
        assert reader.columns(topic) == {**orders.COLUMNS, **orders.METADATA}
        assert reader.rows(topic) == 0
        assert reader.dead_letters() == []
        assert {
            "pipeline",
            "topic",
            "partition",
            "from_offset",
            "next_offset",
            "row_count",
            "dead_letter_count",
            "epoch",
            "cluster_id",
            "topic_id",
            "committed_at",
        } <= set(reader.columns("offsets", "pintail"))
        assert list(reader.columns("dead_letters", "pintail").items())[:10] == [
            ("topic", "VARCHAR"),
            ("partition", "INTEGER"),
            ("offset", "BIGINT"),
            ("timestamp", "TIMESTAMP WITH TIME ZONE"),
            ("key", "BLOB"),
            ("value", "BLOB"),
            ("error_code", "VARCHAR"),
            ("error_text", "VARCHAR"),
            ("error_position", "BIGINT"),
            ("ingest_time", "TIMESTAMP WITH TIME ZONE"),
        ]


def test_a_second_run_without_schema_goes_on_in_the_table_that_is_there(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000, 1))
    pintail.ingest_all(lake, topic, *SCHEMA)
    kafka.produce(topic, orders.orders(500, 2))
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (1500, 0)


def test_a_table_made_by_duckdb_is_filled_without_schema(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(1000))
    with lake.writer() as writer:
        metadata = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())
        # Columns in another order than the records', the metadata first.
        writer.sql(
            f"CREATE TABLE lake.shop ({metadata}, region VARCHAR, unit_price DECIMAL(10,2), quantity INTEGER, product VARCHAR, customer_id VARCHAR, "
            "order_time TIMESTAMPTZ, order_id UUID)"
        )
    pintail.ingest_all(lake, topic, "--table", "shop")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, "shop") == (1000, 0)


@on("duckdb")
def test_table_and_group_can_be_named_and_the_ledger_knows_both(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(100))
    pintail.ingest_all(lake, topic, *SCHEMA, "--table", "stream_orders", "--group", f"shop-{topic}")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, "stream_orders", f"shop-{topic}") == (100, 0)
        assert {r["pipeline"] for r in reader.offsets()} == {f"shop-{topic}"}
        assert {r["target_table"] for r in reader.offsets()} <= {"stream_orders", "main.stream_orders"}


@pytest.mark.parametrize("schema", ["with a schema", "without"])
@on("sqlite", "postgres")
def test_a_table_whose_name_is_written_in_another_case_is_the_same_table(pintail, lake, kafka, schema):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(200))
    with lake.writer() as writer:
        metadata = ", ".join(f"{name} {kind}" for name, kind in orders.METADATA.items())
        writer.sql("CREATE SCHEMA lake.Shop")
        writer.sql(f"CREATE TABLE lake.Shop.Orders ({orders.SCHEMA}, {metadata})")
    pintail.ingest_all(lake, topic, "--table", "shop.ORDERS", "--group", f"g-{topic}", *(SCHEMA if schema == "with a schema" else ()))
    with lake.reader() as reader:
        assert reader.one("SELECT count(*) FROM lake.shop.orders") == 200
        assert {r["target_table"] for r in reader.offsets()} == {"Shop.Orders"}
        assert reader.sql(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name ILIKE 'shop'"
        ) == [("Shop", "Orders")]


@on("sqlite")
def test_letters_beyond_ascii_in_another_case_are_another_table_as_in_duckdb(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    for count, table in enumerate(("Käse", "KÄSE", "käSE")):  # the last is the first
        pintail.ingest_all(lake, topic, *SCHEMA, "--table", table, "--group", f"g{count}-{topic}")
    with lake.reader() as reader:
        assert reader.sql("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'main' ORDER BY ALL") == [
            ("KÄSE",),
            ("Käse",),
        ]
        assert [reader.one(f'SELECT count(*) FROM lake."{table}"') for table in ("KÄSE", "Käse")] == [100, 200]
    for table, rows in (("kÄSE", 100), ("KäSE", 200)):
        report = json.loads(pintail.run("check", *lake.args, "--json", "--table", table, code=None).out)
        assert [(t["table"].lower(), t["rows"]) for t in report["tables"]] == [(table.lower(), rows)]


@on("sqlite")
def test_the_default_group_is_of_one_table(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(100))
    groups = {
        '"my.s".orders1': 'pintail-"my.s".orders1',
        '"my.s".orders2': 'pintail-"my.s".orders2',
        '"orders.3"': "pintail-orders.3",
        '"my.s"."orders.4"': 'pintail-"my.s"."orders.4"',
    }
    for table in groups:
        pintail.ingest_all(lake, topic, *SCHEMA, "--table", table, group="default")
    for table in ('MAIN."orders.3"', '"my.s"."orders1"'):  # in other words: nothing is read again
        pintail.ingest_all(lake, topic, *SCHEMA, "--table", table, group="default")
    with lake.reader() as reader:
        digits = reader.default_group("")[-9:]
        assert {r["pipeline"] for r in reader.offsets()} == {group + digits for group in groups.values()}
        assert [reader.one(f"SELECT count(*) FROM lake.{table}") for table in groups] == [100] * 4


@on("sqlite")
def test_dots_dashes_and_quotes_in_names_stay_as_they_are(pintail, lake, kafka):
    topic = kafka.create_topic(1, name=f"Shop.eu-1_{uuid.uuid4().hex[:6]}")
    values = [json.dumps({'we"ird': i, "select": f"x{i}", "Ünï": i}).encode() for i in range(50)]
    kafka.produce(topic, values)
    pintail.ingest_all(lake, topic, "--schema", '"we""ird" INTEGER, "select" VARCHAR, "Ünï" INTEGER')
    with lake.reader() as reader:
        assert_exactly_once(
            reader, kafka, topic, columns=('we"ird', "select", "Ünï"), select={}, expected=lambda v: tuple(json.loads(v).values())
        )


@on("postgres")
def test_ingest_keeps_kafkas_own_offsets_up_to_date_for_lag_tools(pintail, lake, kafka):
    topic = kafka.create_topic(3)
    kafka.produce(topic, orders.orders(3000))
    pintail.ingest_all(lake, topic, *SCHEMA)
    ends = {p: n for p, n in kafka.ends(topic).items() if n}
    assert kafka.committed(f"pintail-{topic}", topic) == ends


@on("postgres")
def test_records_that_arrive_while_it_runs_land_too(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    process = pintail.ingest(lake, topic, *SCHEMA, "--flush-interval", "200ms")
    total = 0
    for part in range(5):
        kafka.produce(topic, orders.orders(200, part))
        total += 200
        wait_landed(process, lake, kafka, topic, total)
    process.stop()
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (total, 0)
    assert_no_leftovers(lake)


@on("duckdb", "postgres")
def test_aborted_transactions_stay_out_and_control_records_leave_no_gap(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    producer = kafka.producer(**{"transactional.id": f"tx-{uuid.uuid4()}"})
    producer.init_transactions(20)
    made = orders.orders(400)
    for n, part in enumerate((made[:100], made[100:200], made[200:300], made[300:])):
        producer.begin_transaction()
        for record in part:
            producer.produce(topic, **record)
        producer.flush(20)
        (producer.abort_transaction if n % 2 else producer.commit_transaction)(20)
    kafka.wait_for_markers(topic)
    pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (200, 0)
        # The last record of each partition is a control record of an aborted transaction: the ledger stands behind it.
        last = {r["partition"]: r["next_offset"] for r in reader.offsets(topic)}
        assert last == kafka.ends(topic)
    # An open transaction holds the last stable offset back; --until-end does not wait for it.
    producer.begin_transaction()
    for record in made[:50]:
        producer.produce(topic, **record)
    producer.flush(20)
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert reader.rows(topic) == 200
    producer.commit_transaction(20)
    kafka.wait_for_markers(topic)
    pintail.ingest_all(lake, topic)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (250, 0)


@on("sqlite")
def test_start_latest_takes_only_what_comes_later(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(100, 1))
    pintail.ingest_all(lake, topic, *SCHEMA, "--start", "latest")
    since = kafka.ends(topic)
    kafka.produce(topic, orders.orders(70, 2))
    pintail.ingest_all(lake, topic, "--start", "latest")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, since=since) == (70, 0)


@on("duckdb")
def test_start_latest_on_an_empty_topic_is_remembered_by_a_restart_before_any_record(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    pintail.ingest_all(lake, topic, *SCHEMA, "--start", "latest")
    kafka.produce(topic, orders.orders(70))
    pintail.ingest_all(lake, topic, "--start", "latest")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (70, 0)
    pintail.run("check", "--lake", lake.text, "--brokers", kafka.address)


@on("duckdb")
def test_a_new_group_reads_again_from_the_start_and_says_so(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(30))
    pintail.ingest_all(lake, topic, *SCHEMA, "--group", f"one-{topic}")
    done = pintail.ingest_all(lake, topic, "--group", f"two-{topic}")
    assert f"two-{topic}" in done.err and topic in done.err and "already" in done.err
    with lake.reader() as reader:
        assert reader.rows(topic) == 60


@on("sqlite")
def test_a_group_that_goes_on_says_nothing_of_rows_that_are_there_whatever_its_partitions_hold(pintail, lake, kafka):
    topic = kafka.create_topic(4)
    kafka.produce(topic, [{"value": b'{"a": 1}', "partition": 2}])
    assert "already" not in pintail.ingest_all(lake, topic, "--schema", "a INTEGER").err
    kafka.produce(topic, [{"value": b'{"a": 2}', "partition": 0}])
    for _ in range(2):
        assert "already" not in pintail.ingest_all(lake, topic).err
    assert pintail.ingest_all(lake, topic, "--group", f"two-{topic}").err.count("already") == 1
    with lake.reader() as reader:
        assert reader.rows(topic) == 4


@on("duckdb")
def test_compressed_and_large_records_land(pintail, lake, kafka):
    topic = kafka.create_topic(1, max_message_bytes=8_000_000)
    values = [json.dumps({"n": n, "s": chr(97 + n % 26) * n}).encode() for n in (0, 1, 11, 12, 13, 4095, 4096, 65_536, 900_000, 5_000_000)]
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        kafka.produce(topic, values, compression_type=codec, message_max_bytes=9_000_000)
    pintail.ingest_all(lake, topic, "--schema", "n INTEGER, s VARCHAR", "-X", "receive.message.max.bytes=100000000")
    with lake.reader() as reader:
        assert assert_exactly_once(
            reader, kafka, topic, columns=("n", "s"), select={}, expected=lambda v: tuple(json.loads(v).values())
        ) == (50, 0)


@on("duckdb")
def test_log_lines_are_json_on_demand(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10))
    done = pintail.ingest_all(lake, topic, *SCHEMA, "--log-format", "json")
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert lines and all({"time", "level", "msg"} <= set(line) for line in lines)
