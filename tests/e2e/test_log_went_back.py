"""The broker's log goes back: an unclean leader election or a restored disk takes records back that the lake has, and others
come under their offsets. It is seen, and told."""

import shutil

import pytest
from confluent_kafka.admin import NewTopic
from support import on, orders
from support.judge import assert_exactly_once
from support.kafka import KafkaServer
from support.procs import wait_for
from support.progress import wait_landed

SCHEMA = ("--schema", orders.SCHEMA)
LIVE = (*SCHEMA, "--flush-interval", "200ms", "-X", "topic.metadata.refresh.interval.ms=1000", "-X", "reconnect.backoff.max.ms=200")


def assert_told(done, topic, *words):
    last = done.err.splitlines()[-1]
    assert done.code == 1 and last.startswith("pintail ingest: ") and done.err.count("pintail ingest: ") == 1, done.err
    for word in (f"topic {topic} partition 0", "the log went back", "pintail reset", "--group", *words):
        assert word in last, (word, last)


def of(topic):
    return ("--group", f"g-{topic}")


def values(count, seed):
    return [record["value"] if isinstance(record, dict) else record for record in orders.orders(count, seed)]


def transaction(server, topic, records, commit):
    producer = server.producer(transactional_id=topic)
    producer.init_transactions(20)
    producer.begin_transaction()
    for record in records:
        producer.produce(topic, **(record if isinstance(record, dict) else {"value": record}))
    producer.flush(20)
    producer.commit_transaction(20) if commit else producer.abort_transaction(20)
    server.wait_for_markers(topic)


class Disk:
    """The broker's disk, which can be copied and put back while the broker is down."""

    def __init__(self, server, folder):
        self._server, self._logs, self._copy = server, folder / "kafka" / "logs", folder / "copy"

    def copy(self):
        self._server.stop()
        shutil.copytree(self._logs, self._copy)
        self._server.start()

    def put_back(self):
        self._server.kill()
        shutil.rmtree(self._logs)
        shutil.copytree(self._copy, self._logs)
        self._server.start()


@pytest.fixture
def disk(own_kafka, tmp_path):
    return Disk(own_kafka, tmp_path)


@pytest.mark.timeout(300)
@on("sqlite")
def test_a_disk_that_was_put_back_is_told_while_ingest_runs_and_while_it_is_stopped(pintail, lake, own_kafka, disk):
    pintail.brokers = own_kafka
    names = ("stopped", "running", "behind", "dead", "short", "same")
    for name in names:
        own_kafka.create_topic(1, name=name)
        own_kafka.produce(name, orders.orders(50, 1))
    disk.copy()
    for name in ("stopped", "running", "short"):
        own_kafka.produce(name, orders.orders(50, 2))
        pintail.ingest_all(lake, name, *SCHEMA, *of(name))
    own_kafka.produce("dead", [b"no json"] * 50)  # the last record that the lake holds is a dead letter
    pintail.ingest_all(lake, "dead", *SCHEMA, *of("dead"))
    pintail.ingest_all(lake, "same", *SCHEMA, *of("same"))
    running = {name: pintail.ingest(lake, name, *LIVE, *of(name)) for name in ("running", "behind")}
    wait_landed(running["behind"], lake, own_kafka, "behind", 50, pipeline="g-behind")
    running["running"].wait_for(lambda: "msg=assigned" in running["running"].err, 40, "its partition")
    for process in running.values():
        process.freeze()  # it sees the log when it is longer than the old one was, and never a shorter one
    own_kafka.produce("behind", orders.orders(50, 2))  # read by nobody: what the lake holds is in the log before and after
    disk.put_back()
    for name in names:
        own_kafka.produce(name, orders.orders(20 if name == "short" else 80, 3))
    for process in running.values():
        process.thaw()
    assert_told(running["running"].wait(60), "running", "offset 99", "stands at offset 100")
    for name in ("stopped", "dead"):
        found = pintail.run("check", *lake.args, "--brokers", own_kafka.address, "--topic", name, code=1)
        assert "log went back" in " ".join(found.out.split()) and "offset 99" in " ".join(found.out.split()), found.out
        for _ in range(2):
            assert_told(
                pintail.run(*pintail.ingest_args(lake, name, "--until-end", *of(name)), code=1), name, "offset 99", "stands at offset 100"
            )
    short = pintail.run(*pintail.ingest_args(lake, "short", "--until-end", *of("short")), code=1)
    assert "stands at offset 100 but the broker ends at 70" in short.err and "pintail reset" in short.err, short.err
    found = pintail.run("check", *lake.args, "--brokers", own_kafka.address, "--topic", "short", code=1)
    assert "log went back" in " ".join(found.out.split()) and "past the broker's end 70" in " ".join(found.out.split()), found.out
    pintail.ingest_all(lake, "same", *of("same"))
    wait_landed(running["behind"], lake, own_kafka, "behind", 130, pipeline="g-behind")
    running["behind"].stop()
    with lake.reader() as reader:
        for name in ("stopped", "running", "dead", "short"):
            assert sum(row["next_offset"] - row["from_offset"] for row in reader.offsets(name) if row["kind"] == "commit") == 100, name
        for name in ("same", "behind"):
            assert assert_exactly_once(reader, own_kafka, name, pipeline=f"g-{name}") == (130, 0)
    pintail.run("check", *lake.args, "--brokers", own_kafka.address, "--topic", "same", code=0)
    pintail.run("reset", *lake.args, "--brokers", own_kafka.address, "--topic", "stopped", "--to", "50", *of("stopped"))  # a way out
    pintail.ingest_all(lake, "stopped", *of("stopped"))
    with lake.reader() as reader:
        assert reader.rows("stopped") == 180


@pytest.mark.timeout(300)
@on("sqlite")
def test_a_log_that_did_not_go_back_is_never_taken_for_one_that_did(pintail, lake, tmp_path):
    """What a topic may lose or gain at its end beside records: markers of transactions, aborted records, retention, compaction;
    and the broker that starts again, with a new epoch."""
    server = KafkaServer(tmp_path / "kafka", **{"log.cleaner.backoff.ms": 200, "log.cleaner.dedupe.buffer.size": 8 << 20})
    try:
        pintail.brokers = server
        topics = {
            "committed": {},
            "aborted": {},
            "retention": {},
            "append-time": {"message_timestamp_type": "LogAppendTime"},
            "compacted": {"cleanup_policy": "compact", "segment_ms": 100, "min_cleanable_dirty_ratio": 0.01},
            "emptied": {},
        }
        every = [argument for name in topics for argument in ("--topic", name)]
        for name, config in topics.items():
            server.create_topic(1, name=name, **config)
            if name in ("committed", "aborted"):
                transaction(server, name, values(30, 1), True)
                if name == "aborted":
                    transaction(server, name, values(5, 2), False)
            else:
                server.produce(name, [{"value": value, "key": b"k"} for value in values(30, 1)])
        pintail.ingest_all(lake, None, *every, *SCHEMA, *of("all"))
        with lake.writer() as writer:
            writer.sql("DELETE FROM lake.emptied")
        server.delete_records("retention", 0, 30)
        server.produce("compacted", [{"value": value, "key": b"k"} for value in values(2, 2)])

        def compacted():
            server.produce(
                "compacted", [{"value": values(1, 3)[0], "key": b"l"}]
            )  # rolls the segment, and the cleaner leaves only the newest one alone
            return min(record.offset for record in server.records("compacted")) > 29

        wait_for(compacted, 90, "the last record that the lake holds to be compacted away", every=0.3)
        running = pintail.ingest(lake, None, *every, *LIVE, *of("all"))
        running.wait_for(lambda: "msg=assigned" in running.err, 60, "its partitions")
        server.stop()
        server.start()
        for name in topics:
            server.produce(name, [{"value": value, "key": b"k"} for value in values(10, 4)])
        wait_landed(running, lake, server, "append-time", 40, pipeline="g-all", timeout=90)
        running.stop()
        server.stop()
        server.start()
        for name in topics:
            server.produce(name, [{"value": value, "key": b"k"} for value in values(10, 5)])
        pintail.ingest_all(lake, None, *every, *of("all"))
        assert "went back" not in running.err, running.err
        with lake.reader() as reader:
            for name in topics:
                assert max(row["next_offset"] for row in reader.offsets(name)) == server.ends(name)[0], name
            epochs = [row["leader_epoch"] for row in sorted(reader.offsets("append-time"), key=lambda row: row["next_offset"])]
            assert None not in epochs and epochs == sorted(epochs) and len(set(epochs)) == 3, epochs
        found = pintail.run("check", *lake.args, "--brokers", server.address, code=None)
        assert "went back" not in " ".join(found.out.split()), found.out
    finally:
        server.stop()


@pytest.mark.timeout(300)
@on("sqlite")
def test_an_unclean_leader_election_is_told_while_ingest_runs_and_while_it_is_stopped(pintail, lake, kafka_cluster):
    pintail.brokers = kafka_cluster
    names = ("stopped", "running", "emptied")
    new = [
        NewTopic(name, 1, replica_assignment=[[1, 2]], config={"unclean.leader.election.enable": "true", "min.insync.replicas": "1"})
        for name in names
    ]
    for future in kafka_cluster.admin.create_topics(new, operation_timeout=20).values():
        future.result(20)
    for name in names:
        wait_for(lambda name=name: kafka_cluster.partitions(name) == 1, 20, f"topic {name}")
        kafka_cluster.produce(name, orders.orders(50, 1))
    wait_for(lambda: all(set(kafka_cluster.layout(name)[0].isrs) == {1, 2} for name in names), 30, "both replicas")
    kafka_cluster.nodes[2].stop()
    for name in names:
        wait_for(lambda name=name: kafka_cluster.layout(name)[0].isrs == [1], 40, "the follower to be missed")
        kafka_cluster.produce(name, orders.orders(50, 2))
        pintail.ingest_all(lake, name, *SCHEMA, *of(name))
    running = pintail.ingest(lake, "running", *LIVE, *of("running"))
    running.wait_for(lambda: "msg=assigned" in running.err, 40, "its partition")
    with lake.writer() as writer:
        writer.sql("DELETE FROM lake.emptied")  # only the leader epoch is left to compare
    kafka_cluster.nodes[1].kill()
    kafka_cluster.nodes[2].start()  # with the third node there is a quorum again, and nobody to catch up with
    for name in names:
        wait_for(lambda name=name: kafka_cluster.leaders(name) == {0: 2}, 90, f"the follower to lead {name}")
        kafka_cluster.produce(name, orders.orders(80, 3))
    kafka_cluster.nodes[1].start()
    assert_told(running.wait(90), "running", "stands at offset 100")
    assert_told(
        pintail.run(*pintail.ingest_args(lake, "stopped", "--until-end", *of("stopped")), code=1),
        "stopped",
        "leader epoch",
        "offset 99",
        "stands at offset 100",
    )
    assert_told(
        pintail.run(*pintail.ingest_args(lake, "emptied", "--until-end", *of("emptied")), code=1),
        "emptied",
        "leader epoch",
        "ends at offset 50",
        "stands at offset 100",
    )
    found = pintail.run("check", *lake.args, "--brokers", kafka_cluster.address, "--topic", "stopped", code=1)
    assert "log went back" in " ".join(found.out.split()) and "leader epoch" in " ".join(found.out.split()), found.out
