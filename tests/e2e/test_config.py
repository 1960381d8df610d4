"""The configuration file: several topics in one process, and messages that lead to the wrong line."""

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.lake import quoted

CLICKS = "user_id BIGINT, url VARCHAR, at TIMESTAMPTZ"


def write(folder, text):
    path = folder / "pintail.yaml"
    path.write_text(text)
    return path


def config(kafka, lake, topics, more="") -> str:
    return f"""\
brokers: {kafka.address}
group: shop
lake: "{lake.text}"
data_path: {lake.data_path}
flush: {{rows: 5000, bytes: 16MiB, interval: 1s}}
on_error: dead-letter
kafka: {{fetch.queue.backoff.ms: "5"}}
{more}topics:
{topics}"""


def entry(topic, table, schema) -> str:
    return f'  - topic: {topic}\n    table: {table}\n    schema: "{schema}"\n'


def click(n) -> bytes:
    return b'{"user_id": %d, "url": "/p/%d", "at": %d.5}' % (n, n, 1_700_000_000 + n)


def clicked(value):
    import json
    c = json.loads(value)
    return (c["user_id"], c["url"], int(c["at"] * 1_000_000))


CLICK_JUDGE = {"columns": ("user_id", "url", "at"), "select": {"at": "epoch_us(at)"}, "expected": clicked}


def test_two_topics_go_into_two_tables_from_one_process(pintail, lake, kafka, tmp_path):
    first, second = kafka.create_topic(3), kafka.create_topic(2)
    kafka.produce(first, orders.orders(20_000))
    kafka.produce(second, [click(n) for n in range(10_000)] + [b"broken"])
    path = write(tmp_path, config(kafka, lake, entry(first, "stream_orders", orders.SCHEMA) + entry(second, "clicks", CLICKS)))
    pintail.run("ingest", "--config", path, "--until-end")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, first, "stream_orders", "shop") == (20_000, 0)
        assert assert_exactly_once(reader, kafka, second, "clicks", "shop", **CLICK_JUDGE) == (10_000, 1)
        # One transaction for all topics: their ledger rows of a flush carry one time.
        together = reader.one("SELECT count(*) FROM (SELECT committed_at FROM lake.pintail.offsets GROUP BY 1 HAVING count(DISTINCT topic) = 2)")
        assert together > 0


def test_two_topics_go_into_one_table_with_the_topics_name_in_each_row(pintail, lake, kafka, tmp_path):
    first, second = kafka.create_topic(2), kafka.create_topic(2)
    kafka.produce(first, orders.orders(3000, 1))
    kafka.produce(second, orders.orders(2000, 2))
    path = write(tmp_path, config(kafka, lake, entry(first, "both", orders.SCHEMA) + entry(second, "both", orders.SCHEMA)))
    for _ in range(2):
        pintail.run("ingest", "--config", path, "--until-end")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, first, "both", "shop", only_topic=True) == (3000, 0)
        assert assert_exactly_once(reader, kafka, second, "both", "shop", only_topic=True) == (2000, 0)
        assert reader.rows("both") == 5000
        assert reader.columns("both")["_kafka_topic"] == "VARCHAR"


@on("sqlite")
def test_the_command_line_wins_over_the_file(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(1000))
    path = write(tmp_path, config(kafka, lake, entry(topic, "t", orders.SCHEMA)))
    pintail.run("ingest", "--config", path, "--until-end", "--flush-rows", "100", "--group", "other")
    with lake.reader() as reader:
        assert [r["row_count"] for r in reader.offsets()] == [100] * 10
        assert assert_exactly_once(reader, kafka, topic, "t", "other") == (1000, 0)


@on("sqlite")
def test_schemas_in_the_file_may_be_left_out_once_the_tables_exist(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10))
    pintail.run("ingest", "--config", write(tmp_path, config(kafka, lake, entry(topic, "t", orders.SCHEMA))), "--until-end")
    kafka.produce(topic, orders.orders(10, 2))
    pintail.run("ingest", "--config", write(tmp_path, config(kafka, lake, f"  - topic: {topic}\n    table: t\n")), "--until-end")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, "t", "shop") == (20, 0)
        assert reader.one(f"SELECT count(DISTINCT order_id) FROM lake.{quoted('t')}") == 20


def broken(text: str, old: str, new: str):
    assert old in text
    line = text[:text.index(old)].count("\n") + 1
    return text.replace(old, new, 1), line


WRONG = {
    "a wrong key": ("on_error:", "on_eror:", "on_eror"),
    "a wrong key in flush": ("interval:", "intervall:", "intervall"),
    "a wrong key of a topic": ("    table:", "    tabel:", "tabel"),
    "a bad duration": ("interval: 1s", "interval: 1 fortnight", "fortnight"),
    "a bad size": ("bytes: 16MiB", "bytes: lots", "lots"),
    "a bad number": ("rows: 5000", "rows: many", "many"),
    "a bad choice": ("on_error: dead-letter", "on_error: ignore", "ignore"),
    "a bad schema": ("order_id UUID", "order_id UUDI", "UUDI"),
    "a key given twice": ("group: shop\n", "group: shop\ngroup: shop2\n", "group"),
    "a list that is none": ("topics:\n", "topics: {a: b}\nrest:\n", "topics"),
    "broken YAML": ("flush: {", "flush: {{[", ""),
}


@on("sqlite")
@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_in_the_file_is_named_with_its_line_and_exits_2(pintail, lake, tmp_path, what):
    class Nowhere:
        address = "127.0.0.1:1"
    old, new, word = WRONG[what]
    text, line = broken(config(Nowhere, lake, entry("orders", "t", orders.SCHEMA)), old, new)
    path = write(tmp_path, text)
    done = pintail.run("ingest", "--config", path, "--until-end", code=2, timeout=10)
    lines = done.err.splitlines()
    assert len(lines) == 1 and "pintail.yaml" in lines[0] and word in lines[0], done.err
    numbers = {str(line), str(line + 1)} if what in ("a key given twice", "broken YAML") else {str(line)}
    assert any(f":{n}" in lines[0] or f"line {n}" in lines[0] for n in numbers), f"line {line} is not named: {lines[0]}"


@pytest.mark.parametrize("text, word", [("", "topics"), ("brokers: x\n", "topics"), (None, "missing.yaml")])
def test_a_file_that_is_empty_or_missing_is_named_and_exits_2(pintail, tmp_path, text, word):
    path = tmp_path / "missing.yaml" if text is None else write(tmp_path, text)
    done = pintail.run("ingest", "--config", path, code=2, timeout=10)
    assert len(done.err.splitlines()) == 1 and word in done.err and str(path) in done.err, done.err
