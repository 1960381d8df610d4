"""Limits of the system and of names: one line and no crash."""

import json
import os
import resource
import signal
import subprocess
import time

import pytest
from support import on, orders
from support.memory import SANITIZED
from support.pintail import binary

COMMANDS = {
    "ingest": ["-b", "127.0.0.1:1", "-t", "t", "--lake", "ducklake:x", "-d", "y", "--schema", "a INTEGER"],
    "produce": ["-b", "127.0.0.1:1"],
    "check": ["--lake", "ducklake:x"],
    "sql": ["-c", "select 1"],
    "reset": ["-b", "127.0.0.1:1", "-t", "t", "-g", "g", "--lake", "ducklake:x"],
    "broker": [],
}
MIB = 1 << 20


def limited(arguments, limits, cwd):
    def limit():
        for number, value in limits:
            resource.setrlimit(number, (value, value))

    return subprocess.run(
        [str(binary()), *arguments], preexec_fn=limit, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=cwd
    )


NOT_SANITIZED = pytest.mark.skipif(SANITIZED, reason="the sanitizer takes terabytes of address space, and threads of its own")


@pytest.mark.parametrize(
    "number, value, word",
    [
        (resource.RLIMIT_NOFILE, 15, "ulimit -n"),
        (resource.RLIMIT_NOFILE, 3, "ulimit -n"),
        pytest.param(resource.RLIMIT_AS, 300 * 1000 * 1024, "ulimit -v", marks=NOT_SANITIZED),
        pytest.param(resource.RLIMIT_DATA, 200 * MIB, "ulimit -d", marks=NOT_SANITIZED),
        (resource.RLIMIT_STACK, MIB // 4, "ulimit -s"),
    ],
)
def test_a_limit_that_is_too_low_is_one_line_of_every_command(number, value, word, tmp_path):
    for command, arguments in COMMANDS.items():
        done = limited([command, *arguments], [(number, value)], tmp_path)
        if done.returncode == 127 and "shared libraries" in done.stderr:
            assert value == 3  # not even the loader comes that far
            continue
        assert (done.returncode, done.stdout) == (2, "") and len(done.stderr.splitlines()) == 1 and word in done.stderr, (command, done)
        assert limited([command, "--help"], [(number, value)], tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_soft_limit_of_files_is_raised(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    done = subprocess.run(
        [str(binary()), "sql", "--format", "csv", "-c", "select 1 as x"], preexec_fn=limit, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "x\n1\n"), done


def test_a_limit_of_file_sizes_is_an_error_of_the_write(tmp_path):
    done = limited(
        ["sql", "--lake", f"ducklake:{tmp_path}/l.ducklake", "--data-path", f"{tmp_path}/d", "-c", "create table t as from range(1000000)"],
        [(resource.RLIMIT_FSIZE, 10000)],
        tmp_path,
    )
    assert done.returncode in (1, 3) and "File too large" in done.stderr, done


@NOT_SANITIZED
def test_a_limit_of_threads_is_one_line():
    def limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        if os.geteuid() == 0:  # whom the limit does not bind
            os.setuid(65534)

    done = subprocess.run(
        [str(binary()), "sql", "-c", "select 1"],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        cwd="/",
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "ulimit -u" in done.stderr, done


def expand(depth, under):
    """A few hundred bytes that stand for ten to the power of depth values."""
    lines = [f"  a0: &a0 [{','.join('x' * 10)}]"] + [f"  a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, depth)]
    return under + "\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "topics: [{topic: t}]\n" + expand(7, "kafka:"),
        expand(7, "flush:") + "topics: [{topic: t}]\n",
        expand(9, "nonsense:"),
        "topics: [{topic: t}]\nkafka: &k\n  a: *k\n",
        "a: &a [*a]\n",
        "topics: &t [{topic: t, table: " + "[" * 5000 + "]" * 5000 + "}]\n",
    ],
)
def test_a_config_whose_aliases_have_no_end_is_refused_at_once(text, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    done = limited(["ingest", "--config", "c.yaml"], [(resource.RLIMIT_CPU, 5)], tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "config c.yaml line" in done.stderr, done


def test_aliases_that_end_are_welcome(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "brokers: 127.0.0.1:1\nlake: nonsense\nkafka: {a: &v x, b: *v}\ntopics: [{topic: t, schema: &s a INTEGER}, {topic: u, schema: *s}]\n"
    )
    done = limited(["ingest", "--config", "c.yaml"], [], tmp_path)
    assert done.returncode == 2 and "alias" not in done.stderr, done


LONG = "g" * 40000


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["ingest", "-b", "127.0.0.1:1", "-t", "t", "--lake", "ducklake:x", "-g", LONG], "255"),
        (["ingest", "-b", "127.0.0.1:1", "-t", "g" * 250, "--lake", "ducklake:x"], "249"),
        (["ingest", "-b", "127.0.0.1:1", "-t", "t", "--table", "g" * 256, "--lake", "ducklake:x"], "255"),
        (["ingest", "-b", "127.0.0.1:1", "-t", "t", "--lake", "ducklake:x", "-X", f"client.id={LONG}"], "255"),
        (["ingest", "-b", "127.0.0.1:1", "-t", "a b", "--lake", "ducklake:x"], "letters"),
        (["ingest", "-b", "127.0.0.1:1", "-t", "t", "--lake", "ducklake:x", "-g", "a\x1bb"], "control character"),
        (["ingest", "-b", "127.0.0.1:1", "-t", "t", "--lake", "ducklake:x", "-g", ""], "empty"),
        (["reset", "-b", "127.0.0.1:1", "-t", "t", "--lake", "ducklake:x", "-g", LONG], "255"),
        (["reset", "-b", "127.0.0.1:1", "-t", LONG, "--lake", "ducklake:x", "-g", "g"], "249"),
        (["produce", "-b", "127.0.0.1:1", "-t", LONG], "249"),
        (["produce", "-b", "127.0.0.1:1", "-X", f"client.id={LONG}"], "255"),
        (["check", "--lake", "ducklake:x", "-X", f"client.id={LONG}"], "255"),
    ],
)
def test_a_name_that_is_too_long_or_no_name_is_refused_before_anything_is_asked(arguments, word, tmp_path):
    done = limited(arguments, [], tmp_path)
    assert done.returncode == 2 and len(done.stderr) < 400 and len(done.stderr.splitlines()) == 1 and word in done.stderr, done
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        'group: "a\\0b"',
        f"group: {LONG}",
        'kafka: {client.id: "a\\0b"}',
        'kafka: {"client\\0.id": a}',
        f"kafka: {{client.id: {LONG}}}",
        'lake: "ducklake:x\\0y"',
        'brokers: "b\\0:1"',
        'init_sql: ["select 1\\0"]',
    ],
)
def test_a_nul_or_a_long_name_in_the_config_is_refused(text, tmp_path):
    more = {"brokers": "127.0.0.1:1", "lake": "ducklake:x", "topics": [{"topic": "t"}]}
    (tmp_path / "c.yaml").write_text(
        "\n".join([text, *[f"{k}: {json.dumps(v)}" for k, v in more.items() if not text.startswith(k)]]) + "\n"
    )
    done = limited(["ingest", "--config", "c.yaml"], [], tmp_path)
    assert done.returncode == 2 and len(done.stderr) < 600 and ("NUL" in done.stderr or "255" in done.stderr), done


@on("sqlite")
def test_sighup_is_a_stop_like_sigterm_but_not_under_nohup(pintail, lake, kafka):
    topic = kafka.create_topic(1)
    kafka.produce(topic, orders.orders(300))
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the suite may run under nohup
    process = pintail.ingest(lake, topic, "--schema", orders.SCHEMA, "--flush-interval", "10m")
    signal.signal(signal.SIGHUP, inherited)
    process.wait_for(lambda: "assigned" in process.err, 40, "the assignment")
    time.sleep(1)  # some records are read; if not, nothing is to be flushed
    process.signal(signal.SIGHUP)
    assert process.wait(60).code == 0
    broker = subprocess.Popen(
        ["nohup", str(binary()), "broker"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    broker.stdout.readline()
    broker.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert broker.poll() is None
    broker.send_signal(signal.SIGTERM)
    assert broker.wait(30) == 0
    broker.stdout.close()
    pintail.ingest_rest(lake, topic, "--schema", orders.SCHEMA)
    with lake.reader() as reader:
        assert reader.one(f'SELECT count(*) FROM lake."{topic}"') == 300
