"""The decoder alone, in memory, on one thread, beside DuckDB's from_json on the same records."""

import json

from tools import BUILD, print_table, say, timed


def decode(*arguments) -> list:
    out = timed([BUILD / "tests/bench/bench_decode", "--json", *(arguments or ["--seconds", "1"])])[0]
    found = [json.loads(line) for line in out.splitlines()]
    cases = {}
    for line in found:
        cases.setdefault(line["case"], {"bytes_per_record": line["bytes_per_record"]})[line["scanner"]] = line["gb_per_s"]
    say("\nDecoder alone, GB/s of JSON on one core")
    print_table(
        [("", ""), ("bytes/record", ".0f"), ("best", ".2f"), ("portable", ".2f"), ("DuckDB from_json", ".2f"), ("best/from_json", ".1f")],
        [
            [name, c["bytes_per_record"], c["best"], c["portable"], c.get("duckdb"), c["best"] / c["duckdb"] if c.get("duckdb") else None]
            for name, c in cases.items()
        ],
    )
    return [{"case": name, **c} for name, c in cases.items()]
