"""What a run of this suite takes: an ordinary one has each test on one catalog and the core on all, the long tier has the rest."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = ("test_ingest.py", "test_ingest_flush.py", "test_inlined.py")


def collected(*arguments) -> set:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode in (0, 5), done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}


def catalogs(tests, name) -> set:
    return {c for c in ("duckdb", "sqlite", "postgres") for t in tests if name in t and c in t.split("[")[-1]}


@pytest.fixture(scope="module")
def usual():
    return collected(*FILES)


def test_the_core_runs_on_each_catalog_and_any_other_test_on_one_so_that_all_have_their_turn(usual):
    assert catalogs(usual, "test_100000_records_of_4_partitions_land") == {"duckdb", "sqlite", "postgres"}
    for name in ("test_an_empty_topic_ends_with_0", "test_a_second_run_without_schema", "test_a_batch_is_committed_after_flush_interval"):
        assert len([t for t in usual if name in t]) == 1, name
    assert catalogs(usual, "test_a_partitioned_table_takes_a_few_rows_at_a_time") != set()
    assert catalogs(usual, "::") == {"duckdb", "sqlite", "postgres"}


def test_an_ordinary_run_and_the_long_tier_together_are_the_whole_matrix(usual):
    long = collected("-m", "long", *FILES)
    assert usual & long == set()
    assert usual | long == collected("--all-catalogs", "-m", "long or not long", *FILES)


@pytest.mark.parametrize("arguments", [["-k", "empty_topic_ends and sqlite"], ["test_ingest.py::{0}[sqlite]"]], ids=["by word", "by name"])
def test_a_catalog_that_is_asked_for_is_run_whatever_is_drawn(arguments):
    name = "test_an_empty_topic_ends_with_0_and_leaves_the_table_and_pintails_own"
    for catalog in ("duckdb", "postgres"):  # one of them at least is not the one that is drawn
        asked = [a.format(name).replace("sqlite", catalog) for a in arguments]
        assert collected(*asked, *(FILES if "-k" in asked else ())) == {f"test_ingest.py::{name}[{catalog}]"}
