"""What comes from records and names never steers a terminal; a pipe gets csv and json byte for byte."""

import csv
import io
import json
import subprocess

import pytest
from support import on
from support.pintail import binary
from support.terminal import assert_harmless, on_terminal

EVIL = "\x1b]0;owned\x07\x1b[31m\x9b31m\x7f\u202eabc\u2066\u200f\u2028"
NAMED = "\x9b31m\u202eabc"  # without C0: pintail refuses these in names


@pytest.mark.parametrize(
    "arguments",
    [
        [EVIL],
        ["help", EVIL],
        ["ingest", f"--{EVIL}"],
        ["sql", "--format", EVIL],
        ["produce", EVIL],
        ["produce", "-b", "127.0.0.1:1", "-t", EVIL],
        ["broker", "--topic", EVIL],
        ["check", "--lake", f"ducklake:{EVIL}"],
        ["check", "--lake", EVIL],
        ["ingest", "--config", EVIL],
        ["reset", "--lake", "ducklake:x", "-b", "x", "-t", "t", "-g", EVIL],
        ["sql", EVIL],
        ["ingest", "--lake", f"ducklake:sqlite:{EVIL}", "-b", "127.0.0.1:1", "-t", EVIL],
        ["ingest", "-b", EVIL, "-t", "t", "--lake", "ducklake:x", "-d", "y", "--timeout", "300ms", "--schema", "a INTEGER"],
        ["sql", "-c", f"select error('{EVIL}')"],
        ["sql", "-c", f'select "{EVIL}" from x'],
        ["sql", "-c", EVIL],
        ["sql", "-c", "explain select '" + EVIL + "'"],
        ["sql", "-c", f"attach 'ducklake:{EVIL}.x' as {NAMED}"],
        *[
            [
                "sql",
                "--format",
                form,
                "-c",
                f"select '{EVIL}' as \"n{EVIL}\", ['{EVIL}'] as l, '{EVIL}'::blob as b, {{'{EVIL}': '{EVIL}'}} as s",
            ]
            for form in ("csv", "json", "markdown", "box")
        ],
        ["sql", "--log-format", "json", "-c", f"select error('{EVIL}')"],
    ],
)
def test_nothing_that_was_given_steers_a_terminal(arguments, tmp_path):
    _, out = on_terminal([binary(), *arguments], cwd=tmp_path)
    assert out
    assert_harmless(out)


def test_arguments_that_are_not_utf8_do_not_either(tmp_path):
    for arguments in ([b"\xff\x9b31m"], [b"sql", b"-c", b"\xff\x9b31m"], [b"ingest", b"--\x9bx"]):
        done = subprocess.run([str(binary()), *arguments], capture_output=True, cwd=tmp_path, timeout=60)
        assert done.returncode and b"\\xff" in done.stderr + b"\\xff" and b"\x9b" not in done.stderr
        assert_harmless(done.stderr)


@on("sqlite")
def test_nothing_in_a_record_steers_a_terminal(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(
        topic, [json.dumps({"v": EVIL, "n": {"w": EVIL}, EVIL: 1}), json.dumps({"v": "plain"}), "no JSON: " + EVIL, b"\xff\x1b[31m"]
    )
    ingest = pintail.ingest_args(
        lake, topic, "--until-end", "--schema", "v VARCHAR, n STRUCT(w VARCHAR)", "--table", f"t{NAMED}", "--group", f"{topic}{NAMED}"
    )
    for arguments in (
        [*ingest, "-v"],
        ingest,
        [*ingest, "--log-format", "json"],
        [*ingest, "--on-error", "fail"],
        ["check", *lake.args],
        ["check", *lake.args, "--json"],
        ["check", *lake.args, "-t", NAMED],
        *[
            ["sql", *lake.args, "--format", form, "-c", f'from lake."t{NAMED}"; from lake.pintail.dead_letters; from lake.pintail.offsets']
            for form in ("csv", "json", "markdown", "box")
        ],
        ["reset", *lake.args, "-b", kafka.address, "-t", topic, "-g", f"{topic}{NAMED}"],
    ):
        _, out = on_terminal([binary(), *arguments], cwd=pintail.folder)
        assert len(out) > 10
        assert_harmless(out)
    pintail.run("sql", *lake.args, "--format", "csv", "-c", f"select v from lake.\"t{NAMED}\" where v <> 'plain'")
    assert list(csv.reader(io.StringIO(pintail.folder.joinpath(piped_name(pintail)).read_bytes().decode(), newline="")))[1] == [EVIL]
    rows = json.loads(pintail.run("sql", *lake.args, "--format", "json", "-c", f'select v from lake."t{NAMED}" order by v').out)
    assert {"v": EVIL} in rows
    assert EVIL.encode("utf-8")[-8:] in pintail.folder.joinpath(piped_name(pintail)).read_bytes()  # as it is, but for JSON's own escapes


def piped_name(pintail):
    return sorted(pintail.folder.glob("pintail-*.out"), key=lambda p: p.stat().st_mtime)[-1].name
