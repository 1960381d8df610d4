"""Every commit of pintail's says what it is, so that a lake which requires messages takes it: the tables, claims, flushes of each kind, folds, resets."""

import json

from support import on, orders
from support.judge import assert_exactly_once
from support.lake import quoted

SCHEMA = ("--schema", orders.SCHEMA)
BY_HAND = "by hand"


def commits(reader) -> list:
    """author, message, extra_info of each snapshot but the lake's first."""
    return reader.dicts(
        "SELECT snapshot_id, author, commit_message, commit_extra_info, changes::VARCHAR AS changes FROM lake.snapshots() WHERE snapshot_id > 0 ORDER BY 1"
    )


def test_a_lake_that_requires_messages_works_from_start_to_end(pintail, lake, kafka):
    parted, topic = kafka.create_topic(1), kafka.create_topic(2)
    kafka.produce(topic, [*orders.orders(40), b"{", b""])
    kafka.produce(parted, orders.orders(40))
    with lake.writer() as writer:
        writer.sql("CALL lake.set_option('require_commit_message', true)")
        writer.sql("BEGIN")
        writer.sql(f"CALL lake.set_commit_message('somebody', '{BY_HAND}')")
        writer.sql(f"CREATE TABLE lake.{quoted(parted)} ({orders.SCHEMA}, {', '.join(f'{k} {v}' for k, v in orders.METADATA.items())})")
        writer.sql(f"ALTER TABLE lake.{quoted(parted)} SET PARTITIONED BY (region)")
        writer.sql("COMMIT")
    both = ("--group", f"pintail-{topic}")
    pintail.ingest_all(lake, topic, *SCHEMA, *both, "--flush-rows", "10", "--fold-interval", "1ms")
    pintail.ingest_all(lake, parted, *both, "--inline-rows", "0")
    kafka.produce(topic, orders.orders(200))
    pintail.ingest_all(lake, topic, *SCHEMA, *both)
    pintail.run("reset", *lake.args, "--brokers", kafka.address, "--topic", topic, *both, "--to", "latest")
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (240, 2)
        assert assert_exactly_once(reader, kafka, parted, pipeline=both[1]) == (40, 0)
        made = [c for c in commits(reader) if c["commit_message"] != BY_HAND]
        version = pintail.run("--version").out.split()[1]
        assert {c["author"] for c in made} == {f"pintail {version}"}
        assert all(c["commit_message"] for c in made)
        extra = [(c, json.loads(c["commit_extra_info"])) for c in made]
        flushes = [e | {"snapshot": c["snapshot_id"]} for c, e in extra if "partitions" in e]
        assert len({e["commit_id"] for _, e in extra}) == len(extra)
        assert all(e["pipeline"] for c, e in extra if "makes" not in c["commit_message"])
        ledger = reader.dicts("SELECT * FROM lake.pintail.offsets")
        assert {
            (
                e["pipeline"],
                e["commit_id"],
                e["snapshot"],
                p["topic"],
                p["partition"],
                p["from"],
                p["next"],
                p["rows"],
                p["dead_letters"],
                p.get("kind", "commit"),
            )
            for e in flushes
            for p in e["partitions"]
        } == {
            (
                r["pipeline"],
                str(r["commit_id"]),
                r["lake_snapshot"],
                r["topic"],
                r["partition"],
                r["from_offset"],
                r["next_offset"],
                r["row_count"],
                r["dead_letter_count"],
                r["kind"],
            )
            for r in ledger
        }
        assert all(
            (e["rows"], e["dead_letters"]) == (sum(p["rows"] for p in e["partitions"]), sum(p["dead_letters"] for p in e["partitions"]))
            for e in flushes
        )
        said = " | ".join(c["commit_message"] for c in made)
        assert all(
            word in said
            for word in (
                "makes the tables of pintail",
                f"makes table {topic}",
                "claim of 2 partitions",
                "folds the inlined rows of",
                "reset of",
                f"0 dead letters of {parted}",
            )
        ), said


@on("sqlite")
def test_what_a_commit_says_names_every_one_of_many_partitions(pintail, lake, kafka):
    topic = kafka.create_topic(300)
    kafka.produce(topic, [{**order, "partition": partition} for partition, order in enumerate(orders.orders(300))])
    pintail.ingest_all(lake, topic, *SCHEMA)
    with lake.reader() as reader:
        said = [json.loads(c["commit_extra_info"]) for c in commits(reader)]
        flushed = [p for e in said for p in e.get("partitions", [])]
        assert sorted((p["partition"], p["from"], p["next"], p["rows"]) for p in flushed) == [(n, 0, 1, 1) for n in range(300)]
        assert sorted(p["partition"] for e in said for p in e.get("claims", [])) == list(range(300))
        assert not any("left_out" in e for e in said)
