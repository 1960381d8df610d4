"""The configuration file: several topics in one process, and messages that lead to the wrong line."""

import json
import uuid

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.lake import quoted

GROUP = f"shop-{uuid.uuid4().hex[:8]}"  # a worker runs its tests one after the other, others run beside it
CLICKS = "user_id BIGINT, url VARCHAR, clicked TIMESTAMPTZ"


def write(folder, text):
    path = folder / "pintail.yaml"
    path.write_text(text)
    return path


def config(kafka, lake, topics, more="") -> str:
    return f"""\
brokers: {kafka.address}
group: {GROUP}
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
    return b'{"user_id": %d, "url": "/p/%d", "clicked": %d.5}' % (n, n, 1_700_000_000 + n)


def clicked(value):
    import json

    c = json.loads(value)
    return (c["user_id"], c["url"], int(c["clicked"] * 1_000_000))


CLICK_JUDGE = {"columns": ("user_id", "url", "clicked"), "select": {"clicked": "epoch_us(clicked)"}, "expected": clicked}


def test_two_topics_go_into_two_tables_from_one_process(pintail, lake, kafka, tmp_path):
    first, second = kafka.create_topic(3), kafka.create_topic(2)
    kafka.produce(first, orders.orders(20_000))
    kafka.produce(second, [click(n) for n in range(10_000)] + [b"broken"])
    path = write(tmp_path, config(kafka, lake, entry(first, "stream_orders", orders.SCHEMA) + entry(second, "clicks", CLICKS)))
    pintail.run("ingest", "--config", path, "--until-end", "--flush-rows", "200000", "--flush-interval", "5m")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, first, "stream_orders", GROUP) == (20_000, 0)
        assert assert_exactly_once(reader, kafka, second, "clicks", GROUP, **CLICK_JUDGE) == (10_000, 1)
        # One transaction for all topics and tables.
        assert reader.one("SELECT count(DISTINCT committed_at) FROM lake.pintail.offsets") == 1


def test_two_topics_go_into_one_table_with_the_topics_name_in_each_row(pintail, lake, kafka, tmp_path):
    first, second = kafka.create_topic(2), kafka.create_topic(2)
    kafka.produce(first, orders.orders(3000, 1))
    kafka.produce(second, orders.orders(2000, 2))
    path = write(tmp_path, config(kafka, lake, entry(first, "both", orders.SCHEMA) + entry(second, "both", orders.SCHEMA)))
    for _ in range(2):
        pintail.run("ingest", "--config", path, "--until-end")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, first, "both", GROUP, only_topic=True) == (3000, 0)
        assert assert_exactly_once(reader, kafka, second, "both", GROUP, only_topic=True) == (2000, 0)
        assert reader.rows("both") == 5000
        assert reader.columns("both")["_kafka_topic"] == "VARCHAR"


@on("sqlite")
def test_each_topic_of_one_table_is_read_by_its_own_schema_also_where_it_is_left_out_later(pintail, lake, kafka, tmp_path):
    """One sends milliseconds and base64, the other seconds and hex, a third has no schema and is read as the first is."""
    ms, seconds, third = (kafka.create_topic(1) for _ in range(3))
    schemas = {ms: "seen TIMESTAMP EPOCH ms, raw BLOB, n INTEGER", seconds: "n INTEGER NOT NULL, seen TIMESTAMP, raw BLOB HEX"}

    def ingest(with_schemas):
        kafka.produce(ms, [b'{"seen": 1760000000000, "raw": "YWJjZA=="}'])
        kafka.produce(third, [b'{"seen": 1760000000000, "raw": "YWJjZA=="}'])
        kafka.produce(seconds, [b'{"seen": 1760000000, "raw": "61626364", "n": 1}'])
        topics = "".join(
            f"  - topic: {t}\n    table: both\n" + (f'    schema: "{schemas[t]}"\n' if t in schemas and with_schemas else "")
            for t in (ms, seconds, third)
        )
        return pintail.run("ingest", "--config", write(tmp_path, config(kafka, lake, topics)), "--until-end")

    ingest(True)
    with lake.reader() as reader:
        assert reader.sql("SELECT DISTINCT epoch(seen)::BIGINT, raw FROM lake.both") == [(1760000000, b"abcd")] and reader.rows("both") == 3
        assert reader.dead_letters() == []
    ingest(False)
    with lake.reader() as reader:
        assert reader.sql("SELECT DISTINCT epoch(seen)::BIGINT, raw FROM lake.both") == [(1760000000, b"abcd")] and reader.rows("both") == 6
    schemas[seconds] = "n BIGINT, seen TIMESTAMP"
    topics = entry(ms, "both", schemas[ms]) + entry(seconds, "both", schemas[seconds])
    refused = pintail.run("ingest", "--config", write(tmp_path, config(kafka, lake, topics)), "--until-end", code=2)
    assert seconds in refused.err and "column n is INTEGER in the lake and BIGINT in the schema" in refused.err


@on("sqlite")
@pytest.mark.parametrize("spelled", ["main.both", "'\"both\"'", "Both"])
def test_a_table_is_the_same_however_its_name_is_spelled(pintail, lake, kafka, tmp_path, spelled):
    first, second = kafka.create_topic(1), kafka.create_topic(1)
    kafka.produce(first, orders.orders(300, 1))
    kafka.produce(second, orders.orders(200, 2))
    path = write(tmp_path, config(kafka, lake, entry(first, "both", orders.SCHEMA) + entry(second, spelled, orders.SCHEMA)))
    for _ in range(2):
        pintail.run("ingest", "--config", path, "--until-end")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, first, "both", GROUP, only_topic=True) == (300, 0)
        assert assert_exactly_once(reader, kafka, second, "both", GROUP, only_topic=True) == (200, 0)
        assert {r["target_table"] for r in reader.offsets()} == {"both"}


@on("sqlite")
def test_columns_for_topic_key_and_headers_are_asked_for_in_the_file_for_all_topics_or_one(pintail, lake, kafka, tmp_path):
    first, second = kafka.create_topic(1), kafka.create_topic(1)
    kafka.produce(first, [{"value": b'{"a": 1}', "key": b"k", "headers": [("h", b"1")]}])
    kafka.produce(second, [{"value": b'{"a": 2}', "key": b"l", "headers": [("h", b"2")]}])
    topics = (
        entry(first, "one", "a INTEGER")
        + "    headers_column: true\n"
        + entry(second, "two", "a INTEGER")
        + "    topic_column: true\n    key_column: false\n"
    )
    pintail.run("ingest", "--config", write(tmp_path, config(kafka, lake, topics, "key_column: true\n")), "--until-end")
    with lake.reader() as reader:
        extra = {t: [c for c in reader.columns(t) if c.startswith("_kafka_") and c not in orders.METADATA] for t in ("one", "two")}
        assert extra == {"one": ["_kafka_key", "_kafka_headers"], "two": ["_kafka_topic"]}
        assert reader.sql("SELECT _kafka_key, _kafka_headers FROM lake.one") == [(b"k", [{"key": "h", "value": b"1"}])]
        assert reader.sql("SELECT _kafka_topic FROM lake.two") == [(second,)]


@on("sqlite")
def test_the_command_line_wins_over_the_file(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(1000))
    path = write(tmp_path, config(kafka, lake, entry(topic, "t", orders.SCHEMA)))
    pintail.run("ingest", "--config", path, "--until-end", "--flush-rows", "100", "--group", f"{GROUP}-other")
    with lake.reader() as reader:
        assert [r["row_count"] for r in reader.offsets()] == [100] * 10
        assert assert_exactly_once(reader, kafka, topic, "t", f"{GROUP}-other") == (1000, 0)


@on("sqlite")
def test_schemas_in_the_file_may_be_left_out_once_the_tables_exist(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(10))
    pintail.run("ingest", "--config", write(tmp_path, config(kafka, lake, entry(topic, "t", orders.SCHEMA))), "--until-end")
    kafka.produce(topic, orders.orders(10, 2))
    pintail.run("ingest", "--config", write(tmp_path, config(kafka, lake, f"  - topic: {topic}\n    table: t\n")), "--until-end")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, "t", GROUP) == (20, 0)
        assert reader.one(f"SELECT count(DISTINCT order_id) FROM lake.{quoted('t')}") == 20


def broken(text: str, old: str, new: str):
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    return text.replace(old, new, 1), line


WRONG_KEYS = {
    "a wrong key": ("on_error:", "on_eror:", "on_eror"),
    "a wrong key in flush": ("interval:", "intervall:", "intervall"),
    "a wrong key of a topic": ("    table:", "    tabel:", "tabel"),
    "a list that is none": ("topics:\n", "topics: {a: b}\nrest:\n", "topics"),
    "a key given twice": ("  - topic: orders\n", "  - topic: orders\n    topic: again\n", "topic"),
    "broken YAML": ("flush: {", "flush: {{[", ""),
}
WRONG_VALUES = {
    "a bad duration": ("interval: 1s", "interval: 1 fortnight", ("flush.interval", "1 fortnight")),
    "a bad size": ("bytes: 16MiB", "bytes: lots", ("flush.bytes", "lots")),
    "a bad number": ("rows: 5000", "rows: many", ("flush.rows", "many")),
    "a bad timeout": ("on_error: dead-letter", "commit_timeout: 0", ("commit_timeout", "0")),
    "a bad age": ("on_error: dead-letter", "leftover_age: old", ("leftover_age", "old")),
    "a bad queue": ("on_error: dead-letter", "queue_bytes: lots", ("queue_bytes", "lots")),
    "a bad flag": ("on_error: dead-letter", "topic_column: perhaps", ("topic_column", "perhaps", "true")),
    "a bad flag of a topic": ("    table: t", "    key_column: 1", ("key_column", "topic orders", "true")),
    "a zero": ("rows: 5000", "rows: 0", ("flush.rows", "more than 0")),
    "a bad share": ("on_error: dead-letter", "max_dead_letters: 120%", ("max_dead_letters", "120%")),
    "an unknown property": ("fetch.queue.backoff.ms", "fetch.queue.backof.ms", ("Kafka property 'fetch.queue.backof.ms'",)),
    "an unknown type": ("order_id UUID", "order_id UUDI", ("schema of table t: column order_id", "UUDI")),
    "a bad table": ("table: t\n", "table: a.b.c\n", ("a.b.c", "schema.name")),
    "a bad choice": ("on_error: dead-letter", "on_error: ignore", ("on_error", "ignore", "dead-letter")),
}


class Nowhere:
    address = "127.0.0.1:1"


def refused(pintail, lake, tmp_path, old, new):
    text, line = broken(config(Nowhere, lake, entry("orders", "t", orders.SCHEMA)), old, new)
    done = pintail.run("ingest", "--config", write(tmp_path, text), "--until-end", code=2, timeout=20)
    assert len(done.err.splitlines()) == 1 and "pintail.yaml" in done.err, done.err
    return done.err, line


@on("sqlite")
@pytest.mark.parametrize("what", WRONG_KEYS)
def test_a_wrong_key_in_the_file_is_named_with_its_line_and_exits_2(pintail, lake, tmp_path, what):
    old, new, word = WRONG_KEYS[what]
    said, line = refused(pintail, lake, tmp_path, old, new)
    lines = (line, line + 1) if what in ("a key given twice", "broken YAML") else (line,)
    assert word in said and any(f":{n}" in said or f"line {n}" in said for n in lines), f"line {line} is not named: {said}"


@on("sqlite")
@pytest.mark.parametrize("what", WRONG_VALUES)
def test_a_wrong_value_in_the_file_is_named_with_its_key_and_line_and_exits_2(pintail, lake, tmp_path, what):
    old, new, words = WRONG_VALUES[what]
    said, line = refused(pintail, lake, tmp_path, old, new)
    assert all(word in said for word in words) and f"line {line}: " in said and "--" not in said, said


@on("sqlite")
def test_a_bad_schema_in_the_file_is_named_with_its_table_and_exits_2(pintail, lake, tmp_path):
    text, _ = broken(config(Nowhere, lake, entry("orders", "the_table", orders.SCHEMA)), "order_id UUID", "order_id UUDI")
    done = pintail.run("ingest", "--config", write(tmp_path, text), "--until-end", code=2, timeout=20)
    assert len(done.err.splitlines()) == 1 and all(word in done.err for word in ("the_table", "order_id", "UUDI")), done.err


@pytest.mark.parametrize("option, value", [("table", "t"), ("schema", "id INTEGER")])
def test_an_option_that_the_topics_of_the_file_would_not_heed_is_refused(pintail, lake, tmp_path, option, value):
    path = write(tmp_path, config(Nowhere, lake, entry("orders", "the_table", orders.SCHEMA)))
    flag = pintail.run("ingest", "--config", path, f"--{option}", value, code=2, timeout=20)
    assert f"--{option} goes with --topic" in flag.err and str(path) in flag.err
    variable = pintail.run("ingest", "--config", path, code=2, timeout=20, env={f"PINTAIL_{option.upper()}": value})
    assert f"PINTAIL_{option.upper()} goes with --topic" in variable.err


@on("sqlite")
def test_keys_without_a_value_are_as_no_keys_and_a_schema_may_have_comments(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, [b'{"a": 1, "b": "x"}'])
    text = config(
        kafka,
        lake,
        f"  - topic: {topic}\n    table:\n    schema: |\n      -- what it is\n      a INTEGER, -- the number\n      b VARCHAR /* the text */\n",
    )
    for empty in ("alias:\n", "max_dead_letters: ~\n", "init_sql:\n"):
        text = empty + text
    pintail.run("ingest", "--config", write(tmp_path, text.replace(f"group: {GROUP}", "group:")), "--until-end")
    with lake.reader() as reader:
        assert reader.sql(f"SELECT a, b FROM lake.{quoted(topic)}") == [(1, "x")]
        assert reader.one("SELECT DISTINCT pipeline FROM lake.pintail.offsets") == reader.default_group(topic)


@pytest.mark.parametrize("text, word", [("", "empty"), ("brokers: x\n", "topics"), (None, "missing.yaml")])
def test_a_file_that_is_empty_or_missing_is_named_and_exits_2(pintail, tmp_path, text, word):
    path = tmp_path / "missing.yaml" if text is None else write(tmp_path, text)
    done = pintail.run("ingest", "--config", path, code=2, timeout=10)
    assert len(done.err.splitlines()) == 1 and word in done.err and str(path) in done.err, done.err


@on("sqlite")
def test_the_file_of_ingest_serves_every_command_that_takes_a_lake(pintail, lake, kafka, tmp_path):
    """What they have no option for is left alone, good or bad; nothing is narrowed to the file's topics and group."""
    first, second = kafka.create_topic(1), kafka.create_topic(1)
    kafka.produce(first, orders.orders(30))
    kafka.produce(second, orders.orders(20))
    # The alias comes from the file, too: a statement that names it works nowhere else.
    more = (
        'alias: shop\ninit_sql: ["CREATE MACRO of_file() AS 42"]\nlog_format: json\ntimeout: 30s\nmax_dead_letters: 1%\nqueue_bytes: 8MiB\n'
    )
    path = write(tmp_path, config(kafka, lake, entry(first, "t", orders.SCHEMA), more))
    pintail.run("ingest", "--config", path, "--until-end")
    pintail.ingest_all(lake, second, "--schema", orders.SCHEMA, "--table", "u", "--group", f"{GROUP}-beside")
    query = "SELECT count(*) AS n, memory.of_file() AS f FROM shop.t"
    for named in (["--config", path], []):
        env = {} if named else {"PINTAIL_CONFIG": str(path)}
        assert pintail.run("sql", *named, "-c", query, "--format", "csv", env=env).out == "n,f\n30,42\n"
        report = json.loads(pintail.run("check", *named, "--json", env=env).out)
        assert report["verdict"] == "sound" and report["brokers"] == kafka.address, report
        assert {p["pipeline"] for p in report["pipelines"]} == {GROUP, f"{GROUP}-beside"}
        line = json.loads(pintail.run("check", *named, "--nonsense", code=2, env=env | {"PINTAIL_LOG_FORMAT": "json"}).err)
        assert "--nonsense" in line["msg"]
        line = json.loads(pintail.run("check", *named, "--table", "no_such", code=2, env=env).err.splitlines()[-1])
        assert line["command"] == "check", "log_format of the file"
    shown = pintail.run("reset", "-c", path, "--topic", first, "--delete-rows", "--dry-run").out
    assert "30 rows" in shown, shown
    pintail.run("reset", "-c", path, "--topic", first, "--delete-rows")
    assert pintail.run("sql", "--config", path, "-c", "SELECT count(*) AS n FROM shop.t", "--format", "csv").out == "n\n0\n"
    path.write_text(path.read_text().replace("interval: 1s", "interval: 1 fortnight"))
    pintail.run("sql", "--config", path, "-c", "SELECT 1")
    path.write_text(path.read_text().replace("on_error:", "on_eror:"))
    for command in (["sql", "-c", "SELECT 1"], ["check"], ["reset", "--topic", first]):
        said = pintail.run(*command, "--config", path, code=2).err
        assert "did you mean on_error?" in said and "line 6" in said, said


@on("sqlite")
def test_a_file_without_topics_serves_the_commands_that_read_none(pintail, lake, kafka, tmp_path):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(5))
    path = write(tmp_path, config(kafka, lake, "").replace("topics:\n", ""))
    pintail.run("ingest", "-c", path, "--topic", topic, "--schema", orders.SCHEMA, "--until-end")
    assert pintail.run("sql", "--config", path, "-c", f"SELECT count(*) AS n FROM lake.{quoted(topic)}", "--format", "csv").out == "n\n5\n"
    pintail.run("check", "-c", path)
    assert "missing key 'topics'" in pintail.run("ingest", "-c", path, "--until-end", code=2).err


@on("sqlite")
def test_every_command_takes_its_settings_from_variables(pintail, lake, kafka):
    """As a container sets them; those of no option, and empty ones, are not minded."""
    first, second = kafka.create_topic(1), kafka.create_topic(1)
    env = {
        "PINTAIL_LAKE": lake.text,
        "PINTAIL_DATA_PATH": str(lake.data_path),
        "PINTAIL_BROKERS": kafka.address,
        "PINTAIL_TOPIC": f"{first}, {second}",
        "PINTAIL_GROUP": f"{GROUP}-env",
        "PINTAIL_TABLE": "t",
        "PINTAIL_SCHEMA": orders.SCHEMA,
        "PINTAIL_FLUSH_ROWS": "10",
        "PINTAIL_UNTIL_END": "true",
        "PINTAIL_MAX_DEAD_LETTERS": "1%",
        "PINTAIL_INIT_SQL": "CREATE MACRO one() AS 1;\nCREATE MACRO two() AS 2",
        "PINTAIL_PROPERTY": "client.id=shop\nfetch.wait.max.ms=50",
        "PINTAIL_ON_ERROR": "",
        "PINTAIL_FLUSHROWS": "nonsense",
        "PINTAIL_PORT": "tcp://10.0.0.1:9092",
    }
    for topic in (first, second):
        assert "30 records" in pintail.run("produce", "--topic", topic, "--count", "30", "--rate", "0", env=env).out
    pintail.run("ingest", env=env)
    with lake.reader() as reader:
        assert reader.rows("t") == 60
        assert max(r["row_count"] for r in reader.offsets()) == 10
    assert (
        pintail.run("sql", "-c", "SELECT memory.one() + memory.two() AS x, count(*) AS n FROM t", "--format", "csv", env=env).out
        == "x,n\n3,60\n"
    )
    assert pintail.run("sql", env=env | {"PINTAIL_COMMAND": "SELECT 1 AS a; SELECT 2 AS b", "PINTAIL_FORMAT": "csv"}).out == "a\n1\nb\n2\n"
    report = json.loads(pintail.run("check", env=env | {"PINTAIL_JSON": "1"}).out)
    assert report["verdict"] == "sound" and report["brokers"] == kafka.address
    assert " pintail check\n" in pintail.run("check", "--summary", env=env | {"PINTAIL_JSON": "1"}).out
    assert f"{first} partition 0: 30 -> 0" in pintail.run("reset", "--topic", first, "--delete-rows", env=env).out
    pintail.run("ingest", "--topic", first, "--flush-rows", "1000", env=env | {"PINTAIL_FLUSH_ROWS": "0"})


SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "variable, value, command",
    [
        ("PINTAIL_LAKE", f"ducklake:postgres:host=127.0.0.1 port=1 user=u password={SECRET} dbname=x", ["sql", "-c", "SELECT 1"]),
        ("PINTAIL_LAKE", f"ducklake:postgres:postgresql://u:{SECRET}@127.0.0.1:1/x", ["check"]),
        ("PINTAIL_INIT_SQL", f"CREATE SECRET (TYPE s3, KEY_ID 'k', SECRET '{SECRET}', NONSENSE 'x')", ["sql", "-c", "SELECT 1"]),
        ("PINTAIL_PROPERTY", f"sasl.password={SECRET}\nno.such.property=1", ["produce", "-b", "127.0.0.1:1"]),
        ("PINTAIL_PROPERTY", f"sasl.passwrd={SECRET}", ["check", "--lake", "ducklake:x", "-b", "127.0.0.1:1"]),
    ],
)
def test_a_secret_in_a_variable_is_never_shown(pintail, tmp_path, variable, value, command):
    done = pintail.run(*command, code=None, env={variable: value}, cwd=tmp_path)
    assert done.code in (1, 2, 3) and done.err and SECRET not in done.err + done.out, done
