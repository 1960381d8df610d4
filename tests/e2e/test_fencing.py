"""Each rule of the fence, shown twice: with the rule no row of a zombie lands; with the rule switched off in the test build the judge finds the damage.

A zombie is a process that froze (SIGSTOP, at a failpoint) until its partitions were given to another one, and then wakes up."""

import pytest
from support import on, orders
from support.crash import crashing, side_by_side, small_world
from support.judge import assert_exactly_once
from support.kafka import FAST_FAILOVER
from support.procs import wait_for
from support.progress import landed, wait_landed
from support.proxy import PostgresProxy, through, wait_struck

TOTAL = 600
ARGS = ("--schema", orders.SCHEMA, "--table", "orders", "--flush-rows", "100", "--flush-interval", "300ms", *FAST_FAILOVER)
# So that a slow machine cannot let the server end a zombie's transaction before the rule in question does its work.
NO_IDLE_LIMIT = {"PGOPTIONS": "-cidle_in_transaction_session_timeout=0"}
EXPLAINED = ("taken over by another process", "fenced", "were lost before their rows were committed", "no longer assigned", "the lake stands at")


def new_topic(kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, orders.orders(TOTAL))
    return topic


def assert_landed_once(lake, kafka, topic, group, count):
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic, "orders", pipeline=group) == (count, 0)


def zombie_and_heir(pintail, lake, kafka, topic, group, zombie, heir, more=100):
    """The zombie freezes at its failpoint; the heir takes over and lands everything; the zombie wakes up. Returns (zombie, heir), both running or ended,
    when the zombie has said what became of it and `more` records have landed since."""
    zombie = pintail.ingest(lake, topic, *ARGS, "--group", group, **zombie)
    zombie.wait_for(lambda: zombie.frozen, 60, "the zombie to freeze")
    heir = pintail.ingest(lake, topic, *ARGS, "--group", group, **heir)
    wait_landed(heir, lake, kafka, topic, TOTAL, group, timeout=60)
    zombie.thaw()
    wait_for(lambda: any(e in zombie.err for e in EXPLAINED), 60, "the zombie to say why it stops")
    kafka.produce(topic, orders.orders(more, 2))
    heir.wait_for(lambda: landed(lake, kafka, topic, group) >= TOTAL + more, 60, "everything, with the zombie awake")
    return zombie, heir


def stop(*processes):
    for process in processes:
        if process.running:
            process.stop()


# ---- zombies

ASLEEP_AT = ("seal.before", "stage.synced", "commit.begun", "commit.epochs", "commit.registered", "commit.ledger", "claim.raised", "claim.commented")


def zombie_lands_nothing(tmp_path, kafka, postgres, catalog, topic, point):
    group = f"{topic}-{point}"
    at = 1 if point.startswith("claim.") else 2
    with small_world(tmp_path, f"{catalog}-{point}", catalog, kafka, postgres) as (lake, pintail):
        stop(*zombie_and_heir(pintail, lake, kafka, topic, group, crashing(f"{point}:{at}:stop"), {}))
        assert_landed_once(lake, kafka, topic, group, TOTAL + 100)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("catalog", ["sqlite", "postgres"])
def test_a_zombie_lands_nothing_wherever_it_was_frozen(catalog, tmp_path, kafka, postgres):
    side_by_side(lambda point: zombie_lands_nothing(tmp_path, kafka, postgres, catalog, new_topic(kafka), point), ASLEEP_AT)


# ---- the rules, one by one: in force, and switched off

RULES = {  # rule: (where the zombie freezes, whose rule it is, what else is off all the time)
    "epoch-check": ("commit.begun", "zombie", ()),    # it begins to read the lake when the heir has committed: only the epoch tells
    # It has read the epochs before. DuckLake's own retry is switched off in a release, and that alone would refuse the zombie: its snapshot has been taken.
    "ledger-row": ("commit.registered", "zombie", ("own-retry",)),
    "comment": ("commit.registered", "heir", ("own-retry",)),
    "fence": ("commit.begun", "both", ()),
}


def broken_rules(rule, switched_off):
    """For the zombie and for the heir."""
    _, whose, always = RULES[rule]
    mine = (rule,) if switched_off else ()
    return (*always, *(mine if whose != "heir" else ())), mine if whose != "zombie" else ()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rule", RULES)
def test_without_this_rule_a_zombie_doubles_rows_and_with_it_none(rule, tmp_path, kafka, postgres):
    topic = new_topic(kafka)

    def run(switched_off):
        group = f"{topic}-{'without' if switched_off else 'with'}-{rule}"
        zombies, heirs = broken_rules(rule, switched_off)
        with small_world(tmp_path, group, "postgres", kafka, postgres) as (lake, pintail):
            zombie = crashing(f"{RULES[rule][0]}:1:stop", broken=zombies, **NO_IDLE_LIMIT)
            stop(*zombie_and_heir(pintail, lake, kafka, topic, group, zombie, crashing(broken=heirs), more=0))
            if not switched_off:
                return assert_landed_once(lake, kafka, topic, group, TOTAL)
            with pytest.raises(AssertionError, match=r"more than once: \[\("):
                assert_landed_once(lake, kafka, topic, group, TOTAL)

    side_by_side(run, (False, True))


def test_a_batch_that_does_not_continue_the_ledger_is_refused_and_without_this_rule_records_are_missing(tmp_path, kafka, postgres, lake):
    topic = new_topic(kafka)

    def run(switched_off):
        group = f"{topic}-{switched_off}"
        with small_world(tmp_path, group, lake.catalog, kafka, postgres) as (own, pintail):
            broken = ("continuity",) if switched_off else ()
            done = pintail.ingest_all(own, topic, *ARGS, "--group", group, **crashing("batch.lost:2:fail", broken=broken))
            if not switched_off:
                assert "the lake stands at offset" in done.err
                return assert_landed_once(own, kafka, topic, group, TOTAL)
            with pytest.raises(AssertionError, match=r"lost: \[\("):
                assert_landed_once(own, kafka, topic, group, TOTAL)

    side_by_side(run, (False, True))
