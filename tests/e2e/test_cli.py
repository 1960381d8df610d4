"""The command line itself: help, versions, exit codes, and the page that is made from the option tables."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from support import on, orders

ROOT = Path(__file__).resolve().parents[2]
PINTAIL = os.environ.get("PINTAIL", str(ROOT / "build" / "pintail"))
COMMANDS = ["ingest", "produce", "check", "sql", "reset", "broker"]


def run(*arguments):
    return subprocess.run([PINTAIL, *arguments], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


def test_docs_cli_md_is_what_the_option_tables_say():
    assert (ROOT / "docs/CLI.md").read_text() == run("help", "--markdown").stdout, "run: build/pintail help --markdown > docs/CLI.md"


def test_docs_log_md_is_what_the_table_of_events_says():
    assert (ROOT / "docs/LOG.md").read_text() == run("help", "--log-events").stdout, "run: build/pintail help --log-events > docs/LOG.md"


def log_calls(text: str):
    """(levels, events, keys) of each call of pt_log in a source: all that its event may be."""
    for call in re.finditer(r"\bpt_log\(", text):
        literals, depth, at, code = [], 0, call.end() - 1, ""
        while True:  # literals out of the way, so that brackets and commas in them do not count
            if text[at] == '"':
                literal = re.compile(r'"((?:[^"\\]|\\.)*)"').match(text, at)
                literals.append(literal[1])
                code += f'"{len(literals) - 1}"'
                at = literal.end()
                continue
            depth += (text[at] == "(") - (text[at] == ")")
            code += text[at]
            at += 1
            if depth == 0:
                break
        code = re.sub(r"\s+", " ", code)

        def joined(numbers):
            return "".join(literals[int(n)] for n in re.findall(r"\d+", numbers))

        event = re.search(r"PT_EVENT\((.*?)\)(?=, PT_|\)$)", code)[1]
        events = [joined(one) for one in re.findall(r'"\d+"(?: "\d+")*', event)]
        keys = [joined(one) for one in re.findall(r'PT_(?:STR|INT|REALF)\( ?("\d+")', code)]
        yield sorted({level.lower() for level in re.findall(r"PT_LOG_(\w+)", code)}), events, ", ".join(keys)


def test_every_log_event_of_the_sources_is_in_the_table_and_the_reverse():
    """Name, level and keys. A name that no literal gives is found by nobody, and fails."""
    told = set()
    for line in run("help", "--log-events").stdout.splitlines():
        row = re.fullmatch(r"\| `(.+?)` \| ([a-z, ]+) \| `?(.*?)`? \| (.+) \|", line)
        if row:
            told.add((row[1], row[2], row[3]))
            assert len(row[4]) > 5
    called, calls = set(), 0
    for path in sorted((ROOT / "src").rglob("*.c")):
        text = path.read_text()
        assert "pt_log_write(" not in text or path.name == "log.c", f"{path}: call pt_log"
        for levels, events, keys in log_calls(text):
            calls += 1
            assert events or path.name == "log.c", f"{path}: an event that is no literal"
            called |= {(event, ", ".join(levels), keys) for event in events}
    assert calls > 30
    assert called == told, f"not in src/base/log_events.c: {called - told}; in no source: {told - called}"


def test_the_codes_of_dead_letters_are_told_alike_by_help_man_page_and_docs():
    listed = run("help", "--markdown").stdout.split("## Error codes of dead letters", 1)[1]
    codes = dict(re.findall(r"^\| `([a-z0-9_]+)` \| (.+) \|$", listed, re.MULTILINE))
    table = (ROOT / "src/decode/codes.c").read_text()
    assert set(codes) == set(re.findall(r'\] = \{"([a-z0-9_]+)"', table)) - {"ok"} and len(codes) > 15
    helped, page = " ".join(run("ingest", "--help").stdout.split()), run("help", "--man").stdout
    for code, text in codes.items():
        assert f" {code} {text}" in helped and f".B {code}\n" in page, code


def test_every_command_has_help_and_is_listed():
    listed = run("--help").stdout
    assert max(map(len, listed.splitlines())) <= 80
    assert sorted(COMMANDS) == sorted(re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE))
    for command in COMMANDS:
        helped = run(command, "--help")
        assert helped.returncode == 0 and helped.stdout.startswith(f"pintail {command}: ")
        assert "exit codes: 0 done, 1 failed or findings, 2 wrong usage" in helped.stdout and "3 out of reach or busy" in helped.stdout
        assert max(map(len, helped.stdout.splitlines())) <= 80, max(helped.stdout.splitlines(), key=len)
        assert f"  {command} " in listed


def test_the_man_page_is_made_from_the_same_tables():
    page = run("help", "--man").stdout
    assert page.startswith(".TH PINTAIL 1")
    assert r"\-\-flush\-interval" in page


def test_version_names_the_parts():
    shown = run("--version").stdout
    assert "duckdb v1.5.5" in shown and "librdkafka 2." in shown


def test_wrong_usage_exits_2_with_one_line():
    for arguments in (
        ["nonsense"],
        ["ingest", "--nonsense"],
        ["ingest"],
        ["ingest", "--lake", "x", "--brokers", "b:1", "--topic", "t"],
        ["produce", "stray"],
    ):
        failed = run(*arguments)
        assert failed.returncode == 2, arguments
        assert len(failed.stderr.splitlines()) == 1 and failed.stdout == "", failed.stderr


@pytest.mark.parametrize(
    "arguments, meant",
    [
        (["ingets"], "ingest"),
        (["Check", "--help"], "check"),
        (["help", "prodcue"], "produce"),
        (["ingest", "--flsh-rows", "3"], "--flush-rows"),
        (["check", "--brokesr=b:1"], "--brokers"),
        (["sql", "--format", "jsn"], "json"),
        (["ingest", "--on-error=dead-leter"], "dead-letter"),
        (["reset", "--grop", "g"], "--group"),
        (["broker", "--topci", "a"], "--topic"),
    ],
)
def test_a_misspelt_word_of_the_command_line_is_asked_about(arguments, meant):
    failed = run(*arguments)
    assert failed.returncode == 2 and f"did you mean {meant}?" in failed.stderr and len(failed.stderr.splitlines()) == 1, failed.stderr


@pytest.mark.parametrize(
    "text, meant",
    [
        ("grup: g\ntopics: [{topic: t}]", "group"),
        ("flush: {row: 3}\ntopics: [{topic: t}]", "rows"),
        ("topics: [{topic: t, shcema: x}]", "schema"),
    ],
)
def test_a_misspelt_key_of_the_config_is_asked_about(text, meant, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    failed = run("ingest", "--config", str(tmp_path / "c.yaml"))
    assert failed.returncode == 2 and f"did you mean {meant}?" in failed.stderr and "known here: " in failed.stderr, failed.stderr


def test_an_unknown_help_topic_exits_2():
    failed = run("help", "nonsense")
    assert (
        failed.returncode == 2
        and failed.stdout == ""
        and failed.stderr == "pintail: unknown help topic 'nonsense'; pintail --help lists the commands\n"
    )
    assert run("help").returncode == 0 and run("help", "sql").returncode == 0


@pytest.mark.parametrize(
    "brokers, word",
    [
        ("127.0.0.1:99999", "99999"),
        ("127.0.0.1:", "no port"),
        ("h:1,127.0.0.1:abc", "abc"),
        (":9092", "HOST:PORT"),
        ("http://h:1", "HOST:PORT"),
        ("a b:1", "HOST:PORT"),
        ("[::1]:0", "no port"),
        ("SSL://:1", "HOST:PORT"),
    ],
)
def test_an_address_that_is_none_is_told_by_every_command(brokers, word):
    """librdkafka would try another port: 34463 for 99999."""
    for command in (
        ["ingest", "-t", "t", "--lake", "ducklake:x", "-d", "y"],
        ["produce"],
        ["check", "--lake", "ducklake:x"],
        ["reset", "-t", "t", "--lake", "ducklake:x"],
    ):
        done = run(*command, "-b", brokers)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and word in done.stderr and "--brokers" in done.stderr, done


@pytest.mark.parametrize("command", [*COMMANDS, "nonsense"])
@pytest.mark.parametrize("form", [["--log-format", "json"], ["--log-format=json"]])
def test_a_fatal_error_is_a_json_line_where_json_is_asked_for(command, form):
    for arguments in (["--nonsense", *form], [*form, "--nonsense"]):
        failed = run(command, *arguments)
        line = json.loads(failed.stderr)
        assert (
            failed.returncode == line["exit_code"] == 2 and line["level"] == "error" and "unknown" in line["msg"] and failed.stdout == ""
        ), failed
        assert line["command"] == (command if command != "nonsense" else "")


def test_a_fatal_error_after_the_start_is_a_json_line_too(tmp_path):
    (tmp_path / "c.yaml").write_text("log_format: json\nbrokers: 127.0.0.1:1\nlake: nonsense\ntimeout: 100ms\ntopics: [{topic: t}]\n")
    for arguments, code in (
        (["sql", "--log-format", "json", "-c", "selekt 1"], 1),
        (["check", "--lake", "ducklake:nothing.ducklake", "--log-format=json"], 2),
        (["ingest", "--config", str(tmp_path / "c.yaml"), "--flush-rows", "0"], 2),
        (["ingest", "--config", str(tmp_path / "c.yaml")], None),
    ):
        failed = run(*arguments)
        lines = [json.loads(line) for line in failed.stderr.splitlines()]
        assert (
            lines[-1]["exit_code"] == failed.returncode
            and lines[-1]["command"] == arguments[0]
            and (code is None or failed.returncode == code)
        ), failed


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_what_trying_again_can_mend_exits_3_and_check_says_that_it_could_not(tmp_path):
    """Nobody answers, or another process has the catalog file."""
    broker, lake = f"127.0.0.1:{closed_port()}", ["--lake", f"ducklake:{tmp_path}/l.ducklake", "--data-path", str(tmp_path / "d")]
    away = ["--lake", f"ducklake:postgres:host=127.0.0.1 port={closed_port()} dbname=x", "--data-path", str(tmp_path / "d")]
    nobody = ["--brokers", broker, "--topic", "t", "--timeout", "500ms"]
    assert run("sql", *lake, "-c", "create table t (a integer)").returncode == 0
    for arguments in (
        ["produce", *nobody, "--count", "1"],
        ["ingest", *nobody, *lake, "--schema", "a INTEGER"],
        ["reset", *nobody, *lake, "--group", "g"],
        ["sql", *away, "-c", "select 1"],
        ["ingest", *nobody, *away, "--schema", "a INTEGER"],
    ):
        failed = run(*arguments)
        assert failed.returncode == 3 and len(failed.stderr.splitlines()) >= 1, (arguments, failed)
    assert run("check", *away).returncode == 2
    assert run("check", *lake, "--brokers", broker, "--timeout", "500ms").returncode == 2
    holder = subprocess.Popen([PINTAIL, "sql", *lake, "--format", "csv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        holder.stdin.write(b"select 1 as x;\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"x\n"  # it has the file
        assert run("sql", *lake, "-c", "select 1").returncode == 3
        assert run("check", *lake).returncode == 2
    finally:
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()
    assert run("sql", *lake, "-c", "select nonsense").returncode == 1


@on("sqlite")
def test_a_misspelt_topic_or_table_is_asked_about(pintail, lake, kafka):
    """By the broker's list, the ledger's and the lake's."""
    topic = kafka.create_topic(1)
    wrong = topic[:-1] + ("x" if topic[-1] != "x" else "y")
    kafka.produce(topic, orders.orders(10))
    pintail.ingest_all(lake, topic, "--schema", orders.SCHEMA, "--table", "sensor_readings")
    for arguments, meant in (
        (pintail.ingest_args(lake, wrong, "--until-end", "--schema", "a INTEGER"), topic),
        (["produce", "-b", kafka.address, "-t", wrong, "--count", "1"], topic),
        (["reset", "-b", kafka.address, "-t", wrong, "-g", lake.group("sensor_readings"), *lake.args], topic),
        (["check", *lake.args, "--topic", wrong], topic),
        (pintail.ingest_args(lake, topic, "--until-end", "--table", "sensor_raedings"), "sensor_readings"),
        (["check", *lake.args, "--table", "sensorreadings"], "sensor_readings"),
    ):
        done = pintail.run(*arguments, code=None)
        assert done.code in (1, 2) and f"did you mean {meant}?" in done.err.splitlines()[-1], (arguments, done)
    assert "did you mean" not in pintail.run("check", *lake.args, "--table", "quite_different", code=2).err


@on("sqlite")
def test_log_lines_of_a_flush_name_table_and_rows(pintail, lake, kafka):
    one, two = kafka.create_topic(1), kafka.create_topic(1)
    kafka.produce(one, orders.orders(10))
    kafka.produce(two, orders.orders(7))
    said = pintail.run(
        *pintail.ingest_args(
            lake, one, "--topic", two, "--group", f"g-{one}", "--until-end", "--schema", orders.SCHEMA, "-v", "--log-format", "json"
        )
    ).err
    lines = [json.loads(line) for line in said.splitlines()]
    flushed = {}
    for line in lines:
        if line["msg"] == "flush":
            flushed[line["table"]] = flushed.get(line["table"], 0) + line["rows"]
    assert flushed == {one: 10, two: 7}
