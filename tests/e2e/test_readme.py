"""The commands and the file that README.md and docs/GUIDE.md show work as they stand there; only the broker's address is another one."""

import re
import shlex
import textwrap

import pytest
from confluent_kafka import Producer
from support.pintail import Pintail
from support.procs import REPO

README, GUIDE = (REPO / "README.md").read_text(), (REPO / "docs" / "GUIDE.md").read_text()
CLICKS = [
    b'{"id": "1f52d0f7-e11f-4096-8098-e9b97b89310a", "seen": %d, "page": "/p", "price": "1.25", "tags": ["a"]}' % (1_760_000_000 + n)
    for n in range(20)
]
ORDERS = [b'{"order_id": "1f52d0f7-e11f-4096-8098-e9b97b89310a", "quantity": 2, "unit_price": 3.5}'] * 30


@pytest.fixture
def broker(tmp_path):
    """pintail's own, with the topics that both documents speak of."""
    runner = Pintail(tmp_path)
    process = runner.start("broker", "--topic", "clicks:2", "--topic", "orders:2")
    address = process.wait_for(lambda: process.out.strip(), 30, "the broker's address")
    producer = Producer({"bootstrap.servers": address})
    for topic, values in (("clicks", [*CLICKS, b"broken"]), ("orders", ORDERS)):
        for value in values:
            producer.produce(topic, value)
    assert producer.flush(30) == 0
    yield runner, address
    runner.end_all()


def indented_after(text: str, words: str) -> str:
    """The first block of code behind these words."""
    return textwrap.dedent(re.search(r"\n((?:    .*\n|\n)+)", text[text.index(words) :])[1])


def rows(runner, lake, table) -> int:
    return int(runner.run("sql", "--lake", lake, "-c", f"SELECT count(*) FROM lake.{table}", "--format", "csv").out.split()[1])


def test_the_readmes_own_topic_lands_and_is_sound(broker):
    runner, address = broker
    commands = indented_after(README, "## Your own topic").replace("\\\n", " ").splitlines()
    ran = []
    for command in (shlex.split(c.replace("localhost:9092", address)) for c in commands):
        if command[:1] == ["pintail"]:
            runner.run(*command[1:], *(["--until-end"] if command[1] == "ingest" else []))
            ran.append(command[1])
    assert ran == ["ingest", "check"]
    assert rows(runner, "ducklake:sqlite:metadata/lake.sqlite", "clicks") == len(CLICKS)


def test_the_guides_file_of_several_topics_lands_them_and_dead_letters_are_shown_as_text(broker):
    runner, address = broker
    (runner.folder / "ingest.yaml").write_text(indented_after(GUIDE, "## Several topics").replace("127.0.0.1:9092", address))
    runner.run("ingest", "--config", "ingest.yaml", "--until-end", "--max-dead-letters", "1")
    lake = "ducklake:sqlite:metadata/lake.sqlite"
    assert (rows(runner, lake, "stream_orders"), rows(runner, lake, "clicks")) == (len(ORDERS), len(CLICKS))
    command = shlex.split(indented_after(GUIDE, "To read dead letters as text"))
    assert command[:4] == ["pintail", "sql", "--lake", "..."]
    assert "broken" in runner.run("sql", "--lake", lake, *command[4:]).out
