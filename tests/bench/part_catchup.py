"""After an outage: how fast a long topic is caught up with, and what `pintail check` reads of the lake that comes of it."""

import contextlib
import subprocess
import time
from pathlib import Path

from tools import PARTITIONS, PINTAIL, ingest, lake_options, produce, say

FLUSH_ROWS = 200_000


def catch_up(kafka, folder, records) -> dict:
    topic = kafka.create_topic(PARTITIONS)
    produce(kafka, topic, records)
    empty = kafka.create_topic(PARTITIONS)
    produce(kafka, empty, 1)
    ingest(kafka.address, empty, folder / "empty", FLUSH_ROWS)
    caught = ingest(kafka.address, topic, folder / "caught-up", FLUSH_ROWS)
    size = sum(p.stat().st_size for p in (folder / "caught-up" / "data").rglob("*") if p.is_file()) / 1e6
    base, check = looked_through(folder / "empty"), looked_through(folder / "caught-up")
    read = check["read_mb"] - base["read_mb"]
    say(
        f"\ncatch-up with {records:,} records: {caught['seconds']:.1f} s, {caught['rate']:,.0f} rows/s, {caught['commits']} "
        f"commits, peak {caught['memory_mb']:.0f} MB"
    )
    say(
        f"check of that lake: {check['seconds']:.1f} s ({base['seconds']:.1f} s of a lake with one row); it read {read:.0f} MB of {size:.0f} MB"
    )
    return {
        "ingest": caught,
        "check_seconds": check["seconds"],
        "check_seconds_empty": base["seconds"],
        "check_read_mb": read,
        "data_mb": size,
    }


def looked_through(lake) -> dict:
    """check: seconds, and all that it read, its own program included."""
    start = time.monotonic()
    process = subprocess.Popen([str(PINTAIL), "check", *lake_options(lake)], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    read = 0
    while process.poll() is None:
        with contextlib.suppress(OSError, IndexError):  # it has just ended
            read = int(Path(f"/proc/{process.pid}/io").read_text().split()[1])
        time.sleep(0.002)
    assert process.returncode == 0, f"check ended with {process.returncode}"
    return {"seconds": time.monotonic() - start, "read_mb": read / 1e6}
