"""The guide's rules of what becomes of a value, example by example: what it says is what lands."""

import re

from support import on
from support.lake import quoted
from support.procs import REPO

VALUE = re.compile(r"`([^`]+)` (?:`([^`]+)`|(without a key)) is (?:`([^`]+)`|(NULL)|an error \(`(\w+)`\))")
RECORD = re.compile(r"the record `([^`]+)` is an error \(`(\w+)`\)")


def rules():
    """(rule, its examples) of each item below the heading; an item may go over several lines."""
    text = (REPO / "docs" / "GUIDE.md").read_text()
    section = text[text.index("### What becomes of a value") :].split("\n- ", 1)[1].split("\n\n", 1)[0]
    for item in section.split("\n- "):
        rule, *examples = (" ".join(part.split()) for part in item.split("\n  - "))
        yield rule, examples


@on("sqlite")
def test_each_rule_of_the_guide_says_what_lands(pintail, lake, kafka):
    columns, records, wanted, errors = ["plain INTEGER"], [], [], []
    for said, examples in rules():
        found = [match.groups() for match in map(VALUE.fullmatch, examples) if match]
        whole = [match.groups() for match in map(RECORD.fullmatch, examples) if match]
        assert found or whole, f"no example that can be tried: {said}"
        assert len(found) + len(whole) == len(examples), f"an example that this test does not understand: {examples}"
        for kind, value, missing, text, null, error in found:
            name = f"c{len(columns)}"
            columns.append(f"{name} {kind}")
            record = '{"plain": 1}' if missing else f'{{"plain": 1, "{name}": {value}}}'
            if error:
                errors.append((record, error))
            else:
                records.append(record)
                wanted.append((name, None if null else text, f"{said}: {kind} {value}"))
        errors += whole
    topic = kafka.create_topic(1)
    kafka.produce(topic, [record.encode() for record in records + [record for record, _ in errors]])
    pintail.ingest_all(lake, topic, "--schema", ", ".join(columns))
    with lake.reader() as reader:
        for offset, (name, text, where) in enumerate(wanted):
            assert reader.sql(f"SELECT {name}::VARCHAR FROM lake.{quoted(topic)} WHERE _kafka_offset = ?", offset) == [(text,)], where
        assert [(d["value"].decode(), d["error_code"]) for d in reader.dead_letters()] == errors
    assert len(wanted) > 20 and len(errors) > 8
