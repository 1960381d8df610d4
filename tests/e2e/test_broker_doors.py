"""What pintail says when it does not come in at a broker: what was seen, and the property that mends it. Real listeners, one broker for all tests."""

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AclOperation, ResourceType
from support import on, orders
from support.guarded_kafka import PASSWORD, UNKNOWN_HOST, USER
from support.judge import assert_exactly_once
from support.procs import wait_for

SASL = ["-X", "sasl.mechanism=PLAIN", "-X", f"sasl.username={USER}"]


@pytest.fixture
def guarded(shared_server):
    return shared_server("guarded")


@pytest.fixture
def tried(pintail, lake, guarded):
    """Comes to the doors (address, properties, words) all at once, with each of the commands: each ends by itself, with one line that has all the words.
    Returns the line of each command at the last door."""
    pintail.brokers = guarded
    topic = guarded.create_topic(1)
    guarded.produce(topic, orders.orders(10, 1))
    pintail.ingest_all(lake, topic, "--schema", orders.SCHEMA, "--group", topic)

    commands = {
        "ingest": ["ingest", "--topic", topic, "--group", topic, "--until-end", *lake.args],
        "produce": ["produce", "--topic", topic, "--count", "5"],
        "check": ["check", *lake.args],
        "reset": ["reset", *lake.args, "--topic", topic, "--group", topic],
    }

    def run(*doors, only=tuple(commands)):
        started = [
            (pintail.start(*commands[name], "--brokers", address, "--timeout", "3s", *properties), name, words)
            for address, properties, words in doors
            for name in only
        ]
        lines = {}
        for process, name, words in started:
            done = process.wait(60)
            said = [line for line in done.err.splitlines() if line.startswith("pintail ")]
            assert len(said) == 1 and all(word in said[0] for word in words), (process.arguments, words, done.err)
            mends_itself = "no broker answers" in said[0]
            assert done.code == (2 if name == "check" else 3 if mends_itself else 1), (process.arguments, done)
            lines[name] = said[0]
        return lines

    run.topic = topic
    return run


@on("sqlite")
def test_an_advertised_listener_that_nobody_knows_is_named_and_explained(tried, guarded):
    tried(
        (guarded.lost, [], [f"{UNKNOWN_HOST}:9092", "broker 1", "advertised.listeners", "Failed to resolve"]),
        (guarded.closed, [], [guarded.nowhere, "advertised.listeners", "Connection refused"]),
        ("no-such-host.invalid:9092", [], ["no-such-host.invalid", "--brokers"]),
    )


@on("sqlite")
def test_tls_on_one_side_only_names_the_property(tried, guarded):
    ca = ["-X", f"ssl.ca.location={guarded.ca}"]
    tls, sasl = ["-X", "security.protocol=SSL"], [*SASL, "-X", f"sasl.password={PASSWORD}"]
    tried(
        (guarded.tls, [], ["-X security.protocol=SSL", "ssl.ca.location"]),
        (guarded.sasl_tls, ["-X", "security.protocol=SASL_PLAINTEXT", *sasl], ["-X security.protocol=SASL_SSL", "ssl.ca.location"]),
        (guarded.address, tls, ["does not speak TLS", "-X security.protocol=PLAINTEXT"]),
        (guarded.sasl, ["-X", "security.protocol=SASL_SSL", *sasl], ["does not speak TLS", "-X security.protocol=SASL_PLAINTEXT"]),
        (guarded.tls, tls, ["certificate", "-X ssl.ca.location=FILE"]),
        (guarded.tls.replace("127.0.0.1", "localhost"), [*tls, *ca], ["certificate", "another host name than localhost"]),
        (guarded.mutual, [*tls, *ca], ["wants a certificate", "-X ssl.certificate.location=FILE"]),
    )


@on("sqlite")
def test_a_sasl_port_without_sasl_a_wrong_password_and_a_wrong_mechanism_name_the_property(tried, guarded):
    plain, right = ["-X", "security.protocol=SASL_PLAINTEXT"], ["-X", f"sasl.password={PASSWORD}"]
    said = tried(
        (guarded.sasl, [], ["-X security.protocol=SASL_PLAINTEXT", "sasl.mechanism", "sasl.username"]),
        (
            guarded.sasl_tls,
            ["-X", "security.protocol=SSL", "-X", f"ssl.ca.location={guarded.ca}"],
            ["-X security.protocol=SASL_SSL", "sasl.username"],
        ),
        (guarded.sasl, [*plain, "-X", "sasl.mechanism=SCRAM-SHA-256", *SASL[2:], *right], ["-X sasl.mechanism=PLAIN"]),
        (guarded.address, [*plain, *SASL, *right], ["does not ask for SASL", "-X security.protocol=PLAINTEXT"]),
        (
            guarded.sasl,
            [*plain, *SASL, "-X", "sasl.password=wrong-password"],
            ["Invalid username or password", "sasl.username", "sasl.password"],
        ),
    )
    assert not any("wrong-password" in line for line in said.values()), said


@on("sqlite")
def test_what_the_acls_deny_is_told_with_the_user_and_the_right_that_is_missing(tried, guarded, pintail, lake):
    denied = ["ACLs", f"user {USER}", "-X sasl.username="]
    tried((guarded.sasl, guarded.as_user(), [f"topic {tried.topic}", "READ", "WRITE", "DESCRIBE", *denied]))
    guarded.allow(ResourceType.TOPIC, tried.topic, AclOperation.DESCRIBE)
    said = tried((guarded.sasl, guarded.as_user(), denied), only=["ingest", "produce"])
    assert f"group {tried.topic}" in said["ingest"] and "READ on the group" in said["ingest"] and "topic ?" not in said["ingest"], said
    assert f"topic {tried.topic}" in said["produce"], said
    guarded.allow(ResourceType.GROUP, tried.topic, AclOperation.READ)
    guarded.produce(tried.topic, orders.orders(5, 2))
    tried((guarded.sasl, guarded.as_user(), [f"topic {tried.topic}", *denied]), only=["ingest"])
    said = pintail.run(
        "produce",
        "--topic",
        "not-there",
        "--create",
        "1",
        "--brokers",
        guarded.sasl,
        *guarded.as_user(),
        "--count",
        "1",
        "--timeout",
        "2s",
        code=1,
    )
    assert "not-there cannot be made" in said.err and "CREATE" in said.err and USER in said.err, said.err
    guarded.allow(ResourceType.TOPIC, tried.topic, AclOperation.READ)
    pintail.run(
        "ingest", "--topic", tried.topic, "--group", tried.topic, "--until-end", *lake.args, "--brokers", guarded.sasl, *guarded.as_user()
    )
    with lake.reader() as reader:
        assert assert_exactly_once(reader, guarded, tried.topic, pipeline=tried.topic)[0] == 15


@on("sqlite")
def test_a_member_with_another_assignment_strategy_is_named_with_the_remedy(tried, guarded):
    other = Consumer(
        guarded.config(group_id=tried.topic, client_id="somebody-else", partition_assignment_strategy="range", session_timeout_ms=10000)
    )
    try:
        other.subscribe([tried.topic])
        wait_for(lambda: other.poll(0.1) is None and other.assignment(), 30, "the other member's assignment")
        tried(
            (
                guarded.address,
                [],
                [
                    f"group {tried.topic}",
                    "INCONSISTENT_GROUP_PROTOCOL",
                    "somebody-else",
                    "-X partition.assignment.strategy=range",
                    "--group",
                ],
            ),
            only=["ingest"],
        )
    finally:
        other.close()
    tried(
        (
            guarded.address,
            ["-X", "session.timeout.ms=100", "-X", "heartbeat.interval.ms=50"],
            ["session.timeout.ms=100", "group.min.session.timeout.ms"],
        ),
        only=["ingest"],
    )
