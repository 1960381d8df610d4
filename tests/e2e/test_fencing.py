"""Each rule of the fence, shown twice: with the rule no row of a zombie lands; with the rule switched off in the test build the judge finds the damage.

A zombie is a process that froze (SIGSTOP, at a failpoint) until its partitions were given to another one, and then wakes up."""

import signal
from types import SimpleNamespace

import pytest
from support import long, on, orders
from support.crash import crashing, side_by_side, small_world
from support.judge import assert_exactly_once
from support.kafka import FAST_FAILOVER, STEADY
from support.procs import wait_for
from support.progress import landed, wait_landed
from support.proxy import PostgresProxy, through, wait_struck

TOTAL = 600
ARGS = ("--schema", orders.SCHEMA, "--table", "orders", "--flush-rows", "100", "--flush-interval", "300ms")
TO_FREEZE, TO_LIVE = (*ARGS, *FAST_FAILOVER), (*ARGS, *STEADY)
# So that a slow machine cannot let the server end a zombie's transaction before the rule in question does its work.
NO_IDLE_LIMIT = {"PGOPTIONS": "-cidle_in_transaction_session_timeout=0"}
EXPLAINED = (
    "taken over by another process",
    "fenced",
    "were lost before their rows were committed",
    "no longer assigned",
    "the lake stands at",
    "went back in time",
    "partitions cannot be claimed",
)  # frozen in a claim for so long that the catalog closed its connection: it has begun anew


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
    zombie = pintail.ingest(lake, topic, *TO_FREEZE, "--group", group, **zombie)
    zombie.wait_for(lambda: zombie.frozen, 90, "the zombie to freeze")
    heir = pintail.ingest(lake, topic, *TO_LIVE, "--group", group, **heir)
    wait_landed(heir, lake, kafka, topic, TOTAL, group, timeout=120)
    wake(zombie)
    kafka.produce(topic, orders.orders(more, 2))
    heir.wait_for(lambda: landed(lake, kafka, topic, group) >= TOTAL + more, 120, "everything, with the zombie awake")
    return zombie, heir


def explains(zombie) -> bool:
    return any(e in zombie.err for e in EXPLAINED)


def wake(zombie):
    zombie.thaw()
    try:
        wait_for(lambda: explains(zombie) or not zombie.running, 60, "the zombie to say why it stops")
    finally:
        assert explains(zombie), f"exit code {zombie.popen.returncode}\n{zombie.err[-3000:]}"


def stop(*processes):
    """A process that is told to stop in the moment in which it finds out that it was fenced may say so and exit with 1."""
    for process in processes:
        if process.running:
            process.signal(signal.SIGTERM)
            done = process.wait(40)
            assert done.code == 0 or any(e in done.err.splitlines()[-1] for e in EXPLAINED), done.err[-3000:]


# ---- zombies

ASLEEP_AT = (
    "seal.before",
    "stage.synced",
    "commit.begun",
    "commit.epochs",
    "commit.registered",
    "commit.ledger",
    "claim.raised",
    "claim.commented",
)


def zombie_lands_nothing(tmp_path, kafka, postgres, catalog, topic, point):
    group = f"{topic}-{point}"
    # Before the first commit where the thread that freezes is not the committer: SQLite's lock would stay with a process that is frozen in the middle of one.
    at = 2 if point.startswith("commit.") else 1
    with small_world(tmp_path, f"{catalog}-{point}", catalog, kafka, postgres) as (lake, pintail):
        stop(*zombie_and_heir(pintail, lake, kafka, topic, group, crashing(f"{point}:{at}:stop"), {}))
        assert_landed_once(lake, kafka, topic, group, TOTAL + 100)


@pytest.mark.timeout(500)
@pytest.mark.parametrize("catalog", [long("sqlite"), "postgres"])
def test_a_zombie_lands_nothing_wherever_it_was_frozen(catalog, tmp_path, kafka, postgres):
    side_by_side(lambda point: zombie_lands_nothing(tmp_path, kafka, postgres, catalog, new_topic(kafka), point), ASLEEP_AT)


# ---- the rules, one by one: in force, and switched off

RULES = {  # rule: (where the zombie freezes, whose rule it is, what else is off all the time)
    "epoch-check": ("commit.begun", "zombie", ()),  # it begins to read the lake when the heir has committed: only the epoch tells
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


@pytest.mark.timeout(500)
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
        return None

    side_by_side(run, (False, True))


@pytest.mark.core
def test_a_batch_that_does_not_continue_the_ledger_is_refused_and_without_this_rule_records_are_missing(tmp_path, kafka, postgres, lake):
    topic = new_topic(kafka)

    def run(switched_off):
        group = f"{topic}-{switched_off}"
        with small_world(tmp_path, group, lake.catalog, kafka, postgres) as (own, pintail):
            broken = ("continuity",) if switched_off else ()
            done = pintail.ingest_all(own, topic, *TO_LIVE, "--group", group, **crashing("batch.lost:2:fail", broken=broken))
            if not switched_off:
                assert "the lake stands at offset" in done.err
                return assert_landed_once(own, kafka, topic, group, TOTAL)
            with pytest.raises(AssertionError, match=r"lost: \[\("):
                assert_landed_once(own, kafka, topic, group, TOTAL)
        return None

    side_by_side(run, (False, True))


# ---- COMMITs that come to nothing, or come late

FLUSH = "ducklake_data_file VALUES"  # a COMMIT of a transaction with this text is one of a flush


@pytest.fixture
def proxy(postgres):
    proxy = PostgresProxy(postgres.port)
    yield proxy
    proxy.close()


def behind(proxy, lake):
    """The lake by way of the proxy, as Pintail.ingest takes it."""
    return SimpleNamespace(args=["--lake", through(lake, proxy.port), "--data-path", lake.data_path])


@on("postgres")
@pytest.mark.timeout(400)
def test_a_zombie_frozen_in_the_middle_of_its_commit_keeps_nobody_out_and_lands_nothing(pintail, lake, kafka, proxy):
    """It has written to the catalog and holds its locks; the server ends a transaction that is idle for ten seconds."""
    topic = new_topic(kafka)
    zombie = pintail.ingest(behind(proxy, lake), topic, *TO_FREEZE, "--group", topic)
    frozen = proxy.arm("hold", FLUSH, strike=lambda: zombie.freeze())
    wait_struck(zombie, frozen, 60)
    heir = pintail.ingest(lake, topic, *TO_LIVE, "--group", topic)
    wait_landed(heir, lake, kafka, topic, TOTAL, topic, timeout=120)
    proxy.cut_all()
    wake(zombie)
    kafka.produce(topic, orders.orders(100, 2))
    heir.wait_for(lambda: landed(lake, kafka, topic, topic) >= TOTAL + 100, 120, "everything, with the zombie awake")
    stop(zombie, heir)
    assert_landed_once(lake, kafka, topic, topic, TOTAL + 100)


@on("postgres")
@pytest.mark.timeout(400)
def test_without_the_limit_for_idle_transactions_a_frozen_commit_keeps_everybody_out(pintail, lake, kafka, proxy):
    topic = new_topic(kafka)
    zombie = pintail.ingest(behind(proxy, lake), topic, *TO_FREEZE, "--group", topic, env=NO_IDLE_LIMIT)
    frozen = proxy.arm("hold", FLUSH, strike=lambda: zombie.freeze())
    wait_struck(zombie, frozen, 60)
    heir = pintail.ingest(lake, topic, *TO_LIVE, "--group", topic)
    with pytest.raises(AssertionError, match="waited 15 s in vain"):
        wait_landed(heir, lake, kafka, topic, 1, topic, timeout=15)
    proxy.cut_all()
    wait_landed(heir, lake, kafka, topic, TOTAL, topic, timeout=120)
    wake(zombie)
    stop(heir, zombie)
    assert_landed_once(lake, kafka, topic, topic, TOTAL)


def with_and_without(tmp_path, kafka, postgres, fault, rule):
    """One COMMIT is harmed by the proxy; with the rule nothing comes of it, without it rows land twice."""
    topic = new_topic(kafka)

    def run(switched_off):
        group = f"{topic}-{switched_off}"
        proxy = PostgresProxy(postgres.port)
        try:
            with small_world(tmp_path, group, "postgres", kafka, postgres) as (lake, pintail):
                process = pintail.ingest(
                    behind(proxy, lake),
                    topic,
                    *TO_LIVE,
                    "--until-end",
                    "--group",
                    group,
                    **crashing(broken=(rule,) if switched_off else (), **NO_IDLE_LIMIT),
                )
                struck = proxy.arm(fault, FLUSH, seconds=15)
                wait_struck(process, struck, 60)
                done = process.wait(150)
                assert struck.answer == "COMMIT", struck.answer
                if not switched_off:
                    assert done.code == 0, done.err[-3000:]
                    return assert_landed_once(lake, kafka, topic, group, TOTAL)
                with pytest.raises(AssertionError, match=r"more than once: \[\("):
                    assert_landed_once(lake, kafka, topic, group, TOTAL)
        finally:
            proxy.close()

    side_by_side(run, (False, True))


@pytest.mark.timeout(400)
def test_a_commit_that_comes_late_is_fenced_off_first_and_without_the_fence_lands_twice(tmp_path, kafka, postgres):
    with_and_without(tmp_path, kafka, postgres, "late", "fence")


@pytest.mark.timeout(400)
def test_a_false_conflict_after_a_commit_is_looked_into_and_with_ducklakes_own_retry_lands_twice(tmp_path, kafka, postgres):
    with_and_without(tmp_path, kafka, postgres, "lie", "own-retry")


# ---- two by mistake


@pytest.mark.serial  # three fences within a minute
@pytest.mark.timeout(400)
def test_two_processes_of_one_pipeline_that_kafka_does_not_keep_apart_never_both_land(tmp_path, kafka, postgres):
    """The same --group, hence the same ledger, but two Kafka groups: each is given all partitions. On two catalogs side by side: they mostly wait."""
    side_by_side(lambda catalog: two_by_mistake(tmp_path, kafka, postgres, catalog), ("postgres", "sqlite"))


def two_by_mistake(tmp_path, kafka, postgres, catalog):
    topic = new_topic(kafka)
    with small_world(tmp_path, topic, catalog, kafka, postgres) as (lake, pintail):
        both = [pintail.ingest(lake, topic, *TO_LIVE, "--group", topic, "-X", f"group.id={topic}-{i}") for i in (1, 2)]
        total = TOTAL

        def one_gave_up():  # without records nobody commits, and nobody notices
            nonlocal total
            kafka.produce(topic, orders.orders(10, total))
            total += 10
            return not all(p.running for p in both)

        wait_for(one_gave_up, 150, "one of the two to give up", every=0.2)
        loser, winner = sorted(both, key=lambda p: p.running)
        assert loser.wait(5).code == 1
        assert (
            "fenced 3 times within a minute; is another ingest running with the same --group" in loser.err
            and "taken over by another process" in loser.err
        )
        wait_landed(winner, lake, kafka, topic, total, topic, timeout=120)
        stop(winner)
        assert_landed_once(lake, kafka, topic, topic, total)


# ---- how the catalog keeps the path of a staged file


def ingest_with_a_relative_data_path(pintail, lake, topic, code, **how):
    lake.data_path = "the data/"  # pintail and the reader's metadata only: nothing of it is read here
    process = pintail.ingest(lake, topic, *ARGS, "--until-end", "--inline-rows", "0", cwd=lake.folder, **how)
    done = process.wait(60)
    assert done.code == code, done.err[-3000:]
    with lake.reader() as reader:
        return (
            done,
            {relative for _, table, _, relative, _ in reader.data_files() if table == "orders"},
            sum(r["row_count"] for r in reader.offsets(topic)),
        )


def test_staged_files_are_registered_relative_to_their_table_also_beside_a_relative_data_path(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(3000))
    _, relative, rows = ingest_with_a_relative_data_path(pintail, lake, topic, 0)
    assert relative == {True} and rows == 3000


def test_a_file_that_the_catalog_keeps_with_its_whole_path_ends_the_run_before_many_are(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(20_000))
    done, relative, rows = ingest_with_a_relative_data_path(pintail, lake, topic, 1, **crashing(broken=["catalog-path"]))
    assert "table orders" in done.err.splitlines()[-1] and "with its whole path" in done.err.splitlines()[-1], done.err[-2000:]
    assert relative == {False} and 0 < rows < 20_000
