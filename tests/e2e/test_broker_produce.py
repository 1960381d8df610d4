"""pintail broker and pintail produce, judged by confluent-kafka and Python's own JSON."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import time
import uuid
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from support.procs import free_port

PINTAIL = Path(os.environ.get("PINTAIL", Path(__file__).resolve().parents[2] / "build" / "pintail"))
PRODUCTS, REGIONS, BROKEN_KINDS = 10, 6, 12


started = []


@pytest.fixture(autouse=True)
def end_what_was_started():
    yield
    while started:
        process = started.pop()
        if process.poll() is None:
            process.kill()
        process.communicate()


def start(*arguments) -> subprocess.Popen:
    process = subprocess.Popen(
        [str(PINTAIL), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started.append(process)
    return process


def run(*arguments, code=0, timeout=60):
    done = subprocess.run([str(PINTAIL), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == code, f"exit code {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
    return done


def one_line(text, *parts):
    assert text.count("\n") == 1 and text.endswith("\n"), text
    for part in parts:
        assert part in text


class Mock:
    def __init__(self, *arguments):
        self.process = start("broker", *arguments)
        self.address = self.process.stdout.readline().strip()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err

    def consumer(self):
        return Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": f"judge-{uuid.uuid4()}",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )

    def ends(self, topic):
        consumer = self.consumer()
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions}
        finally:
            consumer.close()

    def records(self, topic):
        """partition -> [(key, value)], up to the end offsets of now."""
        ends = self.ends(topic)
        consumer = self.consumer()
        consumer.assign([TopicPartition(topic, p, 0) for p in ends])
        out, left, deadline = {p: [] for p in ends}, sum(ends.values()), time.monotonic() + 60
        while left:
            assert time.monotonic() < deadline, f"{left} records did not come"
            for m in consumer.consume(10_000, 0.2):
                assert not m.error(), m.error()
                assert m.offset() == len(out[m.partition()])
                out[m.partition()].append((m.key(), m.value()))
                left -= 1
        consumer.close()
        return out

    def values(self, topic):
        return [value for records in self.records(topic).values() for _, value in records]


@pytest.fixture
def broker():
    return Mock("--topic", "orders:4", "--topic", "one:1")


# ---- broker


def test_broker_prints_one_line_when_it_is_ready_and_ends_with_0_on_sigterm():
    mock = Mock()
    assert re.fullmatch(r"127\.0\.0\.1:\d+", mock.address)
    with socket.create_connection(mock.address.split(":"), timeout=5):
        pass
    assert mock.end() == (0, "", "")


def test_broker_makes_the_topics_with_their_partitions(broker):
    assert len(broker.ends("orders")) == 4
    assert len(broker.ends("one")) == 1


def test_broker_listens_on_the_chosen_port_and_advertises_it():
    port = free_port()
    mock = Mock("--port", port, "--topic", "orders:3")
    try:
        assert mock.address == f"127.0.0.1:{port}"
        consumer = mock.consumer()
        (node,) = consumer.list_topics(timeout=10).brokers.values()
        assert (node.host, node.port) == ("127.0.0.1", port)
        consumer.close()
        big = [os.urandom(200_000) for _ in range(20)]
        producer = Producer({"bootstrap.servers": mock.address, "compression.type": "none"})
        for value in big:
            producer.produce("orders", value)
        assert producer.flush(30) == 0
        assert Counter(mock.values("orders")) == Counter(big)
    finally:
        assert mock.end()[0] == 0


def test_broker_says_when_the_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("broker", "--port", port, code=1)
        one_line(done.stderr, f"127.0.0.1:{port}", "Address already in use")
        assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["--port", "99999"], ["--port", "x"], ["--topic", "a:0"], ["--topic", ":3"], ["--topic", "a b:3"], ["--topic", "a:1:2"], ["more"]],
)
def test_broker_refuses_a_wrong_command_line(arguments):
    done = run("broker", *arguments, code=2)
    one_line(done.stderr, "pintail broker: ")
    assert done.stdout == ""


# ---- produce: the records


def strict(value):
    """The order in a value, or ValueError: JSON of RFC 8259 in UTF-8, no key twice, the types of the table."""

    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    if value is None:
        raise ValueError("tombstone")
    o = json.loads(value.decode("utf-8"), object_pairs_hook=once, parse_float=Decimal)
    if not isinstance(o, dict):
        raise ValueError("no object")
    uuid.UUID(o["order_id"])
    if not isinstance(o["quantity"], int) or not -(2**31) <= o["quantity"] < 2**31:
        raise ValueError("quantity")
    return o


def test_orders_have_the_documented_shape(broker):
    run("produce", "-b", broker.address, "-t", "orders", "--count", 5000, "--rate", 0, "--seed", 5)
    seen = [(key, strict(value)) for records in broker.records("orders").values() for key, value in records]
    assert len(seen) == 5000
    for key, o in seen:
        assert list(o) == ["order_id", "order_time", "customer_id", "product", "quantity", "unit_price", "region"]
        assert uuid.UUID(o["order_id"]).version == 4
        assert key.decode() == o["customer_id"] and re.fullmatch(r"CUST-\d{4}", o["customer_id"]) and 1 <= int(o["customer_id"][5:]) <= 500
        assert 1 <= o["quantity"] <= 5 and 100 <= o["unit_price"] <= 9999 and o["unit_price"] == round(o["unit_price"], 2)
        assert isinstance(o["order_time"], Decimal) and -o["order_time"].as_tuple().exponent == 7
    assert len({o["order_id"] for _, o in seen}) == 5000
    assert len({o["product"] for _, o in seen}) == PRODUCTS and len({o["region"] for _, o in seen}) == REGIONS
    assert len({o["customer_id"] for _, o in seen}) > 450


def test_the_same_seed_makes_the_same_records_at_any_rate(broker):
    for topic, how in [("a", ["--rate", 0]), ("b", ["--rate", 400])]:
        run("produce", "-b", broker.address, "-t", topic, "--count", 200, "--seed", 9, "--broken", 20, *how)
    assert broker.records("a") == broker.records("b")
    run("produce", "-b", broker.address, "-t", "c", "--count", 200, "--rate", 0, "--seed", 10, "--broken", 20)
    assert broker.records("a") != broker.records("c")


def test_without_a_seed_records_differ_and_order_time_is_now(broker):
    before = time.time()
    for topic in ("a", "b"):
        run("produce", "-b", broker.address, "-t", topic, "--count", 50, "--rate", 0)
    a, b = (list(map(strict, broker.values(t))) for t in ("a", "b"))
    assert not {o["order_id"] for o in a} & {o["order_id"] for o in b}
    assert all(before - 0.001 <= o["order_time"] <= time.time() for o in a + b)


def test_keys_go_to_the_partitions_that_javas_client_chooses(broker):
    run("produce", "-b", broker.address, "-t", "orders", "--count", 2000, "--rate", 0, "--seed", 1)
    ours = {key: p for p, records in broker.records("orders").items() for key, _ in records}
    chosen = {}
    producer = Producer({"bootstrap.servers": broker.address, "partitioner": "murmur2_random"})
    for key in ours:
        producer.produce("orders", b"x", key, on_delivery=lambda e, m: chosen.__setitem__(m.key(), m.partition()))
    assert producer.flush(30) == 0
    assert chosen == ours


@pytest.mark.parametrize("count, broken", [(1000, 24), (24, 24), (7, 3), (500, 499)])
def test_broken_records_are_as_many_as_asked_for_and_each_is_broken(broker, count, broken):
    done = run("produce", "-b", broker.address, "-t", "one", "--count", count, "--rate", 0, "--seed", 3, "--broken", broken)
    assert f"{broken} broken on purpose" in done.stdout
    bad, places = [], []
    for i, value in enumerate(broker.values("one")):
        try:
            strict(value)
        except ValueError:
            bad.append(value)
            places.append(i)
    assert sum(broker.ends("one").values()) == count and len(bad) == broken
    if broken >= BROKEN_KINDS:
        assert None in bad and b"" in bad
        assert (
            any(v and v.endswith(b"}{") for v in bad)
            and any(v and b"\xff" in v for v in bad)
            and any(v and v.startswith(b"[") for v in bad)
        )
    if count == 1000:
        assert max(b - a for a, b in itertools.pairwise(places)) <= 2 * count / broken, "they are mixed in, not in one place"


def test_broken_every_breaks_every_so_many_th(broker):
    run("produce", "-b", broker.address, "-t", "one", "--count", 100, "--rate", 0, "--seed", 3, "--broken-every", 10)
    for i, value in enumerate(broker.values("one")):
        if i % 10 == 9:
            with pytest.raises(ValueError):
                strict(value)
        else:
            strict(value)


# ---- produce: the run


def test_the_rate_is_kept(broker):
    began = time.monotonic()
    run("produce", "-b", broker.address, "--count", 101, "--rate", 50)
    assert 2.0 <= time.monotonic() - began < 6


def test_the_summary_counts_what_the_broker_holds(broker):
    done = run("produce", "-b", broker.address, "--count", 30_000, "--rate", 0, "--seed", 2)
    records = [r for p in broker.records("orders").values() for r in p]
    size = sum(len(key) + len(value) for key, value in records)
    one_line(done.stdout, f"30000 records to orders, {size} bytes, ", " 0 errors")
    assert len(records) == 30_000 and done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_everything_acknowledged(broker, number):
    process = start("produce", "-b", broker.address, "-t", "one", "--rate", 2000)
    deadline = time.monotonic() + 20
    while broker.ends("one")[0] < 500 and time.monotonic() < deadline:
        assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert int(out.split()[0]) == broker.ends("one")[0] >= 500


def test_records_that_are_not_acknowledged_are_an_error(broker):
    process = start("produce", "-b", broker.address, "-t", "one", "--rate", 1000, "--timeout", "1s")
    deadline = time.monotonic() + 20
    while broker.ends("one")[0] < 100 and time.monotonic() < deadline:
        assert process.poll() is None
    broker.process.kill()
    broker.process.wait(10)
    time.sleep(0.2)  # a few records more, which have nowhere to go
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 3
    one_line(err, "records were not acknowledged: ")
    assert int(re.search(r"(\d+) errors", out)[1]) == int(re.search(r"(\d+) of \d+ records", err)[1]) > 0


def test_records_that_time_out_are_counted(broker):
    process = start("produce", "-b", broker.address, "-t", "one", "--rate", 100, "--count", 300, "-X", "message.timeout.ms=1500")
    deadline = time.monotonic() + 20
    while broker.ends("one")[0] < 50 and time.monotonic() < deadline:
        assert process.poll() is None
    broker.process.send_signal(signal.SIGSTOP)
    try:
        out, err = process.communicate(timeout=30)
    finally:
        broker.process.send_signal(signal.SIGCONT)
    assert process.returncode == 3
    one_line(err, " of 300 records were not acknowledged: ", "timed out")
    assert 0 < int(re.search(r"(\d+) errors", out)[1]) < 300


def test_an_unreachable_broker_is_one_line_within_the_timeout():
    began = time.monotonic()
    address = f"127.0.0.1:{free_port()}"
    done = run("produce", "-b", address, "--count", 1, "--timeout", "1500ms", code=3)
    assert time.monotonic() - began < 5
    one_line(done.stderr, address, "Connection refused")
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments, part",
    [
        ([], "--brokers"),
        (["-b", "h:1", "-X", "no.such.property=1"], "no.such.property"),
        (["-b", "h:1", "-X", "acks=many"], "acks"),
        (["-b", "h:1", "-X", "acks"], "prop=val"),
        (["-b", "h:1", "--rate", "-1"], "--rate"),
        (["-b", "h:1", "--count", "5", "--broken", "6"], "--broken"),
        (["-b", "h:1", "--broken", "6", "--broken-every", "6"], "--broken-every"),
        (["-b", "h:1", "--create", "0"], "--create"),
        (["-b", "h:1", "--ratte", "0"], "--rate"),
    ],
)
def test_produce_refuses_a_wrong_command_line(arguments, part):
    done = run("produce", *arguments, code=2)
    one_line(done.stderr, "pintail produce: ", part)


def test_a_broker_that_cannot_make_topics_says_so(broker):
    done = run("produce", "-b", broker.address, "-t", "new", "--create", 3, "--count", 1, code=1)
    one_line(done.stderr, "topic new", "--create")


# ---- on Apache Kafka


def test_create_makes_the_topic_on_a_real_broker(kafka):
    topic = f"made-{uuid.uuid4().hex[:8]}"
    for _ in range(2):  # it may be there already
        run("produce", "-b", kafka.address, "-t", topic, "--create", 5, "--count", 500, "--rate", 0, "--seed", 1)
    assert kafka.partitions(topic) == 5
    assert len(kafka.records(topic)) == 1000


def test_a_missing_topic_is_one_line_with_advice(kafka):
    began = time.monotonic()
    done = run("produce", "-b", kafka.address, "-t", f"missing-{uuid.uuid4().hex[:8]}", "--count", 1, code=1)
    assert time.monotonic() - began < 20
    one_line(done.stderr, "does not exist", "--create")
