"""The guide's table of what becomes of a value, row by row: what it says is what lands."""

import re

from support import on
from support.lake import quoted
from support.procs import REPO

VALUE = re.compile(r"`([^`]+)` (?:`([^`]+)`|(without a key)) is (?:`([^`]+)`|(NULL)|an error \(`(\w+)`\))")
RECORD = re.compile(r"the record `([^`]+)` is an error \(`(\w+)`\)")


def table_rows():
    text = (REPO / "docs" / "GUIDE.md").read_text()
    table = text[text.index("| in the record | becomes |") :].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


@on("sqlite")
def test_each_row_of_the_guides_table_says_what_lands(pintail, lake, kafka):
    columns, records, wanted, errors = ["plain INTEGER"], [], [], []
    for said, _, examples in table_rows():
        found = VALUE.findall(examples)
        whole = RECORD.findall(examples)
        assert found or whole, f"no example that can be tried: {said}"
        assert len(found) + len(whole) == len(examples.split("; ")), f"an example that this test does not understand: {examples}"
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
