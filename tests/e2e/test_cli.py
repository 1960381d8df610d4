"""The command line itself: help, versions, exit codes, and the page that is made from the option tables."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINTAIL = os.environ.get("PINTAIL", str(ROOT / "build" / "pintail"))
COMMANDS = ["ingest", "produce", "check", "sql", "reset", "broker"]


def run(*arguments):
    return subprocess.run([PINTAIL, *arguments], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)


def test_docs_cli_md_is_what_the_option_tables_say():
    assert (ROOT / "docs/CLI.md").read_text() == run("help", "--markdown").stdout, "run: build/pintail help --markdown > docs/CLI.md"


def test_every_command_has_help_and_is_listed():
    listed = run("--help").stdout
    for command in COMMANDS:
        helped = run(command, "--help")
        assert helped.returncode == 0 and helped.stdout.startswith(f"pintail {command}: ")
        assert "exit codes: 0 done, 1 failed or findings, 2 wrong usage" in helped.stdout
        assert f"  {command} " in listed


def test_the_man_page_is_made_from_the_same_tables():
    page = run("help", "--man").stdout
    assert page.startswith(".TH PINTAIL 1")
    assert r"\-\-flush\-interval" in page


def test_version_names_the_parts():
    shown = run("--version").stdout
    assert "duckdb v1.5.5" in shown and "librdkafka 2." in shown


def test_wrong_usage_exits_2_with_one_line():
    for arguments in (["nonsense"], ["ingest", "--nonsense"], ["ingest"], ["ingest", "--lake", "x", "--brokers", "b:1", "--topic", "t"], ["produce", "stray"]):
        failed = run(*arguments)
        assert failed.returncode == 2, arguments
        assert len(failed.stderr.splitlines()) == 1 and failed.stdout == "", failed.stderr
