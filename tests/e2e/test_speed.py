"""Guards against a change that halves the speed. Ratios only, each to something measured in the same seconds on the same machine, best of three: a busy
machine slows both sides. `make bench` has the figures themselves."""

import json
import sys

import pytest
from support.procs import REPO, once_per_run

sys.path.insert(0, str(REPO / "tests" / "bench"))
import part_decode
from tools import PARTITIONS, drain, ingest, produce

pytestmark = pytest.mark.serial
RECORDS = 1_000_000


@pytest.fixture(scope="module")
def rounds(kafka, tmp_path_factory):
    """Three times a drain and an ingest of the same million orders; and what the start of ingest costs, which is no part of a record.
    Measured once, whichever workers run the tests."""
    lake = tmp_path_factory.mktemp("speed") / "lake"

    def measure(folder):
        topic = kafka.create_topic(PARTITIONS)
        produce(kafka, topic, RECORDS)
        startup = min(ingest(kafka.address, kafka.create_topic(PARTITIONS), lake, 1000)["cpu_seconds"] for _ in range(2))
        pairs = [(drain(kafka.address, topic), ingest(kafka.address, topic, lake, 200_000)) for _ in range(3)]
        (folder / "rounds.json").write_text(json.dumps([startup, pairs]))

    return json.loads((once_per_run("speed-rounds", measure) / "rounds.json").read_text())


def test_a_record_costs_at_most_four_times_the_cpu_of_a_bare_drain(rounds):
    """Two and a half times is normal, three on a crowded machine."""
    startup, pairs = rounds
    bare = min(d["cpu_seconds"] for d, _ in pairs)
    ours = min(i["cpu_seconds"] for _, i in pairs) - startup
    print(f"CPU: {ours / bare:.2f} times the drain's")
    assert ours / bare <= 4.2, f"ingest {ours:.2f} s CPU for {RECORDS:,} records, drain {bare:.2f} s"


def test_ingest_reaches_three_tenths_of_a_bare_drain(rounds):
    """0.6 is normal; this one sees waiting that costs no CPU, and leaves room for a machine where threads wait for their turn."""
    _, pairs = rounds
    best = max(i["rate"] / d["rate"] for d, i in pairs)
    print(f"rate: {best:.2f} of the drain's")
    assert best >= 0.3, [(round(d["rate"]), round(i["rate"])) for d, i in pairs]


# normal: five times, three times
@pytest.mark.parametrize("case, times", [("orders_compact", 3.3), ("orders_shuffled", 2.0)])
def test_the_decoder_stays_ahead_of_from_json(case, times):
    found = [part_decode.decode("--seconds", "0.3", case)[0] for _ in range(3)]
    ratio = max(c["best"] for c in found) / max(c["duckdb"] for c in found)
    assert ratio >= times, found
