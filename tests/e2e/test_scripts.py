"""scripts/*.sql run in order from an empty folder, in pintail sql and in the stock duckdb command line, and leave the same lake."""

import os
import subprocess
from pathlib import Path

import pytest
from support.lake import stock

REPO = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PINTAIL", str(REPO / "build" / "pintail"))
EXTENSIONS = str(REPO / ".deps" / "duckdb" / "extensions")
DUCKDB = REPO / ".deps" / "bin" / "duckdb"
SCRIPTS = sorted((REPO / "scripts").glob("*.sql"))


def with_pintail(script, folder):
    return [BINARY, "sql", str(script)]


def with_duckdb(script, folder):
    if not DUCKDB.exists():
        pytest.skip("the duckdb command line is not fetched (deps/fetch test)")
    return [str(DUCKDB), "-init", "/dev/null", "-bail", "-cmd", f"SET extension_directory = '{EXTENSIONS}'", "-f", str(script)]


def run(command, script, folder):
    """What the script prints. No network: INSTALL must do without."""
    env = {**os.environ, "HOME": str(folder), "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(command(script, folder), cwd=folder, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0 and done.stderr == "", f"{script.name}: {done.stderr}"
    return done.stdout


def read(folder, query):
    with stock() as db:
        before = os.getcwd()
        os.chdir(folder)  # the lake's paths are relative
        try:
            db.execute("LOAD ducklake; ATTACH 'ducklake:metadata/my_lake.ducklake' AS l (READ_ONLY)")
            return db.execute(query).fetchall()
        finally:
            os.chdir(before)


def test_the_scripts_are_there():
    assert [s.name for s in SCRIPTS] == ["01_setup.sql", "02_crud.sql", "03_time_travel.sql", "04_advanced.sql", "05_import_parquet.sql"]


@pytest.mark.parametrize("command", [with_pintail, with_duckdb])
def test_scripts_run_in_order_from_an_empty_folder(command, tmp_path):
    output = {script.name[:2]: run(command, script, tmp_path) for script in SCRIPTS}
    assert "products" in output["01"]
    assert "Laptop" in output["02"] and "USB hub" in output["02"]
    assert "update_preimage" in output["03"] and "half-price sale" in output["03"]
    assert "│ rows_that_differ │\n│      int64       │\n├──────────────────┤\n│                0 │" in output["03"]
    assert "product_name" in output["04"] and "snapshots_after" in output["04"]

    assert read(tmp_path, "SELECT id, name, price::VARCHAR, stock FROM l.products ORDER BY id") == [
        (1, "Laptop", "1169.10", 10),
        (2, "Monitor", "314.55", 30),
        (3, "Keyboard", "79.90", 150),
        (4, "Mouse", "24.90", 180),
        (5, "Headphones", "199.00", 45),
        (7, "USB hub", "39.00", 60),
    ]
    assert read(tmp_path, "SELECT count(*), count(DISTINCT order_id), max(order_id) FROM l.orders") == [(501, 501, 501)]
    assert read(tmp_path, "SELECT count(*), min(currency) FROM l.catalogue") == [(6, "EUR")]
    assert read(tmp_path, "SELECT count(*), sum(amount)::VARCHAR FROM l.sales") == [(1500, "74250.00")]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "metadata"]  # INSTALL fetched nothing into HOME


@pytest.mark.parametrize("command", [with_pintail, with_duckdb])
def test_scripts_may_run_again(command, tmp_path):
    for names in [["01", "02", "03", "04", "05"], ["02", "03", "04", "04", "03", "05"], ["01", "02", "03", "04", "05"]]:
        for name in names:
            run(command, next(s for s in SCRIPTS if s.name.startswith(name)), tmp_path)
    assert read(tmp_path, "SELECT count(*), sum(stock) FROM l.products") == [(6, 475)]
    assert read(tmp_path, "SELECT count(*) FROM l.sales") == [(1500,)]


def test_both_programs_print_the_same_tables(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for script in SCRIPTS[:2]:
        ours, theirs = run(with_pintail, script, tmp_path / "a"), run(with_duckdb, script, tmp_path / "b")
    assert ours == theirs  # of 02_crud.sql: the others print times and file names, or a DESCRIBE, which duckdb draws its own way


def test_two_scripts_in_one_process_are_refused_with_the_place(tmp_path):
    """Each attaches the lake, so each wants a process of its own."""
    done = subprocess.run([BINARY, "sql", *map(str, SCRIPTS[:2])], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "02_crud.sql:6: " in done.stderr and "already" in done.stderr
