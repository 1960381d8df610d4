"""Records of 10 KB each: some thousand of them are more than pintail may hold while it has to wait."""

import json

# Little memory of pintail's own, so that what an outage adds to it shows.
ARGS = ("--schema", "s VARCHAR", "--flush-bytes", "2MiB", "--flush-interval", "200ms", "--queue-bytes", "4MiB")
# Arguments of the judge.
JUDGED = {"columns": ("s",), "select": {}, "expected": lambda value: (json.loads(value)["s"],)}


def records(count: int) -> list:
    return [json.dumps({"s": f"{n:08d}" + "x" * 10_000}).encode() for n in range(count)]
