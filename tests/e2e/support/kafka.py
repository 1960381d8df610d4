"""Apache Kafka 4.1 (KRaft, one node or three) from the jars of .deps/kafka, and what tests ask of it through confluent-kafka."""

import shutil
import subprocess
import time
import uuid
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    ElectionType,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from .procs import DEPS, Unavailable, end, free_port, guarded, listening, tail, wait_for

Record = namedtuple("Record", "topic partition offset timestamp key value headers")  # timestamp: ms since epoch


# A broker that is just making its offsets topic answers so.
_NO_GROUP_YET = (
    KafkaError.GROUP_ID_NOT_FOUND,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)

# A killed or frozen member is given up after 1.5 s.
FAST_FAILOVER = ["-X", "session.timeout.ms=1500", "-X", "heartbeat.interval.ms=300"]
# Of a process that is to live: it hears of changes as soon, but a busy machine does not make the group give it up.
STEADY = ["-X", "session.timeout.ms=10000", "-X", "heartbeat.interval.ms=300"]


class Kafka:
    """A broker at .address, whoever runs it; all reads and changes of the tests go through here."""

    replicas = 1  # of a topic

    def __init__(self, address: str):
        self.address = address

    def config(self, **more):
        return {"bootstrap.servers": self.address, "log_level": 0, **{k.replace("_", "."): v for k, v in more.items()}}

    @cached_property
    def admin(self) -> AdminClient:
        return AdminClient(self.config(), logger=_silent)

    def brokers(self) -> dict:
        """id -> where it listens; empty while nobody answers."""
        try:
            return self.admin.list_topics(timeout=5).brokers
        except KafkaException:
            return {}

    # ---- topics

    def create_topic(self, partitions=1, name=None, **config) -> str:
        name = name or f"t-{uuid.uuid4().hex[:12]}"
        new = NewTopic(name, partitions, self.replicas, config={k.replace("_", "."): str(v) for k, v in config.items()})
        self.admin.create_topics([new], operation_timeout=20)[name].result(20)
        wait_for(lambda: self.partitions(name) == partitions, 20, f"topic {name}")
        return name

    def delete_topic(self, name: str):
        self.admin.delete_topics([name], operation_timeout=20)[name].result(20)
        wait_for(lambda: self.partitions(name) == 0, 20, f"topic {name} to be gone")

    def partitions(self, name: str) -> int:
        topic = self.admin.list_topics(timeout=20).topics.get(name)
        return len(topic.partitions) if topic and not topic.error else 0

    def topic_id(self, name: str) -> str:
        """Its id (KIP-516) in base64, as Kafka writes it; another topic of the same name has another one."""
        return str(self.admin.describe_topics(TopicCollection([name]), request_timeout=20)[name].result(20).topic_id)

    def delete_records(self, topic: str, partition: int, before: int):
        """Moves the log start, as retention does."""
        at = TopicPartition(topic, partition, before)
        for future in self.admin.delete_records([at]).values():
            future.result(20)

    # ---- records

    def producer(self, **more) -> Producer:
        return Producer(
            {"linger.ms": 5, "compression.type": "lz4", "queue.buffering.max.messages": 2_000_000, **self.config(**more)}, logger=_silent
        )

    def produce(self, topic, records, **more):
        """records: values, or dicts of Producer.produce's arguments. Returns when the broker holds them all."""
        producer = self.producer(**more)
        failed = []

        def delivered(error, _):
            if error:
                failed.append(error)

        for record in records:
            arguments = record if isinstance(record, dict) else {"value": record}
            while True:
                try:
                    producer.produce(topic, on_delivery=delivered, **arguments)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        assert producer.flush(60) == 0 and not failed, f"produce to {topic} failed: {failed[:3]}"

    def ends(self, topic: str, committed=True) -> dict:
        """partition -> end offset: the last stable one, or the high watermark."""
        return self._list(topic, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED)

    def wait_for_markers(self, topic: str):
        """Until no transaction is open: the broker writes its marker after it has told the producer that it has ended."""
        wait_for(lambda: self.ends(topic) == self.ends(topic, committed=False), what="the markers of the transactions")

    def beginnings(self, topic: str) -> dict:
        """partition -> the first offset that is still there."""
        return self._list(topic, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)

    def _list(self, topic, which, level):
        asked = {TopicPartition(topic, p): which for p in range(self.partitions(topic))}
        found = self.admin.list_offsets(asked, isolation_level=level, request_timeout=20)
        return {at.partition: future.result(20).offset for at, future in found.items()}

    def records(self, *topics, limit=None) -> list:
        """Every record that the broker exposes to a read_committed reader, up to the last stable offsets of now."""
        out = []
        for topic in topics:
            out.extend(self._read(topic, limit))
        return out

    def _read(self, topic, limit):
        ends = {p: n for p, n in self.ends(topic).items() if n > 0}
        consumer = Consumer(
            {
                **self.config(),
                "group.id": f"judge-{uuid.uuid4()}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.queue.backoff.ms": 5,
                "enable.partition.eof": True,
            },
            logger=_silent,
        )
        out, open_ = [], set(ends)
        try:
            low = self.beginnings(topic)
            consumer.assign([TopicPartition(topic, p, low[p]) for p in ends])
            last = time.monotonic()
            while open_:
                for m in consumer.consume(10_000, 0.2):
                    last = time.monotonic()
                    if m.error():
                        assert m.error().code() == KafkaError._PARTITION_EOF, m.error()
                        open_.discard(m.partition())
                    elif m.offset() < ends[m.partition()]:
                        out.append(Record(topic, m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(), m.headers() or []))
                assert time.monotonic() - last < 30, (
                    f"the judge got nothing from {topic} for 30 s; partitions not at their end: {sorted(open_)}"
                )
        finally:
            consumer.close()
        return out

    # ---- groups

    def committed(self, group: str, topic: str) -> dict:
        """partition -> the offset that Kafka holds for the group."""
        try:
            found = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=20)[group].result(20)
        except KafkaException as e:
            if e.args[0].code() in _NO_GROUP_YET:
                return {}
            raise
        return {p.partition: p.offset for p in found.topic_partitions if p.topic == topic and p.offset >= 0}

    def set_committed(self, group: str, topic: str, offsets: dict):
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, p, o) for p, o in offsets.items()])
        result = self.admin.alter_consumer_group_offsets([asked], request_timeout=20)[group].result(20)
        assert not any(p.error for p in result.topic_partitions), result.topic_partitions

    def delete_group(self, group: str):
        self.admin.delete_consumer_groups([group], request_timeout=20)[group].result(20)

    def describe(self, group: str) -> tuple:
        """The group's state and members."""
        try:
            described = self.admin.describe_consumer_groups([group], request_timeout=20)[group].result(20)
        except KafkaException as e:
            if e.args[0].code() not in _NO_GROUP_YET:
                raise
            return ("DEAD" if e.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND else "UNKNOWN"), []
        return described.state.name, described.members

    def members(self, group: str) -> list:
        """For each member of the group: the sorted (topic, partition) that it was given."""
        state, members = self.describe(group)
        return [sorted((p.topic, p.partition) for p in m.assignment.topic_partitions) for m in members] if state == "STABLE" else []

    def wait_empty(self, group: str, timeout=30):
        """Until the broker has noticed that the group's members are gone, if it has ever heard of them."""
        wait_for(lambda: self.describe(group)[0] in ("EMPTY", "DEAD"), timeout, f"group {group} to be empty")


# So that the tests need not wait 45 s for a killed member; with them FAST_FAILOVER.
_SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 500,
    "group.consumer.min.session.timeout.ms": 500,
    "group.consumer.session.timeout.ms": 6000,
    "group.consumer.min.heartbeat.interval.ms": 100,
    "group.consumer.heartbeat.interval.ms": 300,
    "auto.create.topics.enable": "false",
    "log.retention.ms": -1,  # records with times of long ago stay
}


def _replicas(count, in_sync) -> dict:
    """Of the topics that a broker makes for itself."""
    return {
        "offsets.topic.replication.factor": count,
        "transaction.state.log.replication.factor": count,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": count,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


class Node:
    """One process of Apache Kafka, broker and controller, that may be stopped, killed and started again."""

    def __init__(self, folder: Path, number=1, heap="768m"):
        self.folder, self.number, self._heap = folder, number, heap
        self.process = None
        self.port, self.controller_port = free_port(), free_port()
        jars = sorted((DEPS / "kafka").glob("*.jar"))
        if not shutil.which("java"):
            raise Unavailable("no java: Apache Kafka needs JDK 17 (apt-get install openjdk-17-jdk-headless)")
        if not jars:
            raise Unavailable(f"no jars in {DEPS / 'kafka'}: deps/fetch test gets Apache Kafka")
        self._classpath = ":".join(map(str, jars))
        self._properties = folder / "server.properties"
        self.log = folder / "kafka.log"
        folder.mkdir(parents=True, exist_ok=True)

    def _java(self, *arguments, heap):
        return [
            "java",
            f"-Xmx{heap}",
            "-Xshare:auto",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            self._classpath,
            *arguments,
        ]

    def format(self, cluster: str, *more, doors=None, advertised=None, protocols=None, **settings):
        """doors: more listeners (name -> port), with their protocols, and what they advertise where that is not their own address."""
        ports = {"PLAINTEXT": self.port, "CONTROLLER": self.controller_port, **(doors or {})}
        addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **(protocols or {})}
        settings = {
            **_SETTINGS,
            "node.id": self.number,
            "log.dirs": self.folder / "logs",
            "listeners": ",".join(f"{name}://{address}" for name, address in addresses.items()),
            "advertised.listeners": ",".join(f"{name}://{address}" for name, address in {**addresses, **(advertised or {})}.items()),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            **{k.replace("_", "."): v for k, v in settings.items()},
        }
        self._properties.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
        with self.log.open("ab") as log:
            subprocess.run(
                self._java("kafka.tools.StorageTool", "format", *more, "-t", cluster, "-c", self._properties, heap="128m"),
                check=True,
                stdout=log,
                stderr=log,
                timeout=120,
            )

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                guarded(self._java("kafka.Kafka", self._properties, heap=self._heap)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def assert_running(self):
        assert self.process.poll() is None, f"Kafka ended with {self.process.returncode}:\n{tail(self.log)}"

    def stop(self):
        """Hands its leaderships over first, where there is somebody to take them."""
        if self.process:
            end(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()


class KafkaServer(Kafka):
    def __init__(self, folder: Path, **settings):
        self._node = Node(folder)
        super().__init__(f"127.0.0.1:{self._node.port}")
        self._node.format(
            _uuid(),
            "--standalone",
            **{"controller.quorum.bootstrap.servers": f"127.0.0.1:{self._node.controller_port}"},
            **_replicas(1, 1),
            **settings,
        )
        self.start()

    @property
    def process(self):
        return self._node.process

    def shared(self) -> dict:
        return {"address": self.address}

    def start(self):
        self._node.start()

        def ready():
            self._node.assert_running()
            return listening(self._node.port) and len(self.brokers()) == 1

        wait_for(ready, 60, f"Kafka at {self.address}", every=0.1)

    def stop(self):
        self._node.stop()

    remove = stop

    def kill(self):
        self._node.kill()


class KafkaCluster(Kafka):
    """Three nodes; topics have a replica on each, and go on while two of them are there."""

    replicas = 3

    def __init__(self, folder: Path):
        nodes = [Node(folder / f"node-{number}", number, heap="256m") for number in (1, 2, 3)]
        self.nodes = {node.number: node for node in nodes}
        super().__init__(",".join(f"127.0.0.1:{node.port}" for node in nodes))
        settings = {
            **_replicas(3, 2),
            "default.replication.factor": 3,
            "min.insync.replicas": 2,
            "auto.leader.rebalance.enable": "false",
            "controller.quorum.voters": ",".join(f"{node.number}@127.0.0.1:{node.controller_port}" for node in nodes),
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "log.cleaner.dedupe.buffer.size": 8 << 20,
            "num.network.threads": 2,
            "num.io.threads": 4,
        }
        cluster = _uuid()
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda node: node.format(cluster, **settings), nodes))
        try:
            for node in nodes:
                node.start()
            self.wait_whole()
        except BaseException:
            self.stop()
            raise

    def wait_whole(self, *topics, timeout=120):
        """Until all nodes are brokers, and have all that the topics hold."""

        def whole():
            for node in self.nodes.values():
                node.assert_running()
            return set(self.brokers()) == set(self.nodes) and all(
                set(p.isrs) == set(self.nodes) for t in topics for p in self.layout(t).values()
            )

        wait_for(whole, timeout, f"Kafka's three nodes at {self.address}", every=0.2)

    def layout(self, topic: str) -> dict:
        """partition -> metadata with leader, replicas (the preferred leader first) and isrs; empty while nobody tells."""
        try:
            return self.admin.list_topics(topic, timeout=5).topics[topic].partitions
        except KafkaException:
            return {}

    def leaders(self, topic: str) -> dict:
        return {number: partition.leader for number, partition in self.layout(topic).items()}

    def coordinator(self, group: str) -> int:
        """The node that keeps the group."""
        return self.admin.describe_consumer_groups([group], request_timeout=20)[group].result(20).coordinator.id

    def elect_preferred(self, topic: str):
        """Gives every partition back to its first replica, with all nodes alive."""
        self.admin.elect_leaders(ElectionType.PREFERRED).result(60)  # with request_timeout= confluent-kafka 2.15.0 raises SystemError
        wait_for(
            lambda: (layout := self.layout(topic)) and all(p.leader == p.replicas[0] for p in layout.values()),
            30,
            f"the preferred leaders of {topic}",
        )

    def stop(self):
        for node in self.nodes.values():
            if node.process and node.process.poll() is None:
                node.process.terminate()
        for node in self.nodes.values():
            node.stop()


def _uuid() -> str:
    return uuid.uuid4().hex[:22]


class _Silent:
    """confluent-kafka logs to this; what matters comes back as an error of the call."""

    def log(self, *_, **__):
        pass


_silent = _Silent()
