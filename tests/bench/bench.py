"""The benchmark: pintail beside a bare librdkafka drain of the same topic and beside other ways into the same kind of lake, on one machine in one run.

usage: make bench   or   make bench BENCH_ARGS='--only rate,decode --rounds 5'

Parts: rate (three flush sizes), memory (10 records/s), cost (staging against INSERT), sinks (side by side), freshness, small
(flushes of few rows), growth, catchup, decode.
Machines are noisy: the ratios within a run are what counts. build/bench/results.json and results.svg hold what was measured.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import chart
import part_catchup
import part_decode
import part_freshness
import part_growth
import part_rate
import part_sinks
import part_small
from support.kafka import KafkaServer
from tools import BUILD, PARTITIONS, load, machine, prioritise, produce, say

PARTS = ["rate", "memory", "cost", "sinks", "freshness", "small", "growth", "catchup", "decode"]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=3_000_000, help="of the topic that `cost` and `sinks` read")
    parser.add_argument(
        "--rate-records",
        type=int,
        default=9_000_000,
        help="of the topic that `rate` reads: many flushes, so that begin and end, when one stage works alone, weigh little",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--snapshots", type=int, default=1000, help="how far `growth` goes (default 1000; 10000 takes minutes)")
    parser.add_argument("--backlog", type=int, default=10_000_000, help="records of the topic that `catchup` reads")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument(
        "--nice",
        type=int,
        default=0,
        help="scheduling priority of everything that is measured, broker included; below 0 (root) it gets by on a busy machine",
    )
    parser.add_argument("--out", type=Path, default=BUILD / "bench", help="folder for results.json and results.svg")
    o = parser.parse_args()
    o.only = o.only.split(",")
    unknown = set(o.only) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return o


def filled_topic(kafka, records):
    topic = kafka.create_topic(PARTITIONS)
    produce(kafka, topic, records)
    return topic


def run_parts(o, folder, kafka, result):
    topic = filled_topic(kafka, o.records) if {"cost", "sinks"} & set(o.only) else None
    parts = {
        "rate": lambda: part_rate.rates(kafka, filled_topic(kafka, o.rate_records), folder, o.rounds),
        "memory": lambda: part_rate.slow(kafka, folder),
        "cost": lambda: part_rate.cost(kafka, topic, folder, o.rounds),
        "sinks": lambda: part_sinks.sinks(kafka, topic, folder, o.rounds),
        "freshness": lambda: part_freshness.freshness(kafka, folder, o.nice),
        "small": lambda: part_small.small(kafka, folder),
        "growth": lambda: part_growth.growth(kafka, folder, o.snapshots),
        "catchup": lambda: part_catchup.catch_up(kafka, folder, o.backlog),
        "decode": part_decode.decode,
    }
    for name in PARTS:
        if name in o.only:
            start = time.monotonic()
            result[name] = parts[name]()
            result["machine"][f"load_after_{name}"] = round(load(), 2)
            say(f"({name}: {time.monotonic() - start:.0f} s, load {load():.1f})")


def main():
    o = options()
    result = {"machine": {**machine(), "nice": o.nice}, "records": o.records, "rate_records": o.rate_records, "rounds": o.rounds}
    say("\n".join(f"{k:18}{v}" for k, v in result["machine"].items()))
    if load() > 0.5:
        say(f"Something else runs on this machine (load {load():.1f}): absolute figures are too low, ratios are what counts.")
    folder = Path(tempfile.mkdtemp(prefix="pintail-bench-"))
    kafka = KafkaServer(folder / "kafka") if o.only != ["decode"] else None  # its constructor starts it
    prioritise(o.nice, *([kafka.process.pid] if kafka else []))
    try:
        run_parts(o, folder, kafka, result)
    finally:
        if kafka:
            kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)
    o.out.mkdir(parents=True, exist_ok=True)
    (o.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (o.out / "results.svg").write_text(chart.draw(result))
    say(f"\nwritten: {o.out / 'results.json'}, {o.out / 'results.svg'}")


if __name__ == "__main__":
    main()
