"""Every allocation of pintail's own in an ingest is failed in turn: it ends with one line and exit 1, without crash or leak, and
the next start lands everything."""

import pytest
from support.crash import small_world
from support.judge import assert_exactly_once
from support.kafka import FAST_FAILOVER
from support.sanitize import assert_no_report, sanitized

SAMPLES = 10
SCHEMA = "n INTEGER, s VARCHAR, l VARCHAR[]"
RECORDS = [b'{"n":1,"s":"longer than twelve bytes","l":["a","b"]}', b"broken", b'{"n":2}', b'{"n":1.5}']


@pytest.fixture(scope="module")
def topic(kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, [{"value": value, "headers": [("h", b"v")], "partition": n % 2} for n, value in enumerate(RECORDS * 10)])
    return topic


def _group(lake, topic) -> str:
    return f"{topic}-{lake.folder.name}"


def _ingest(pintail, lake, topic, code, **environment):
    process = pintail.ingest(
        lake, topic, "--until-end", "--schema", SCHEMA, "--group", _group(lake, topic), *FAST_FAILOVER, **sanitized(**environment)
    )
    done = process.wait(100)
    assert_no_report(done.err)
    assert done.code in code, f"exit code {done.code}\n{done.err[-3000:]}"
    return done


def _count(folder, kafka, topic) -> int:
    with small_world(folder, "count", "sqlite", kafka, None) as (lake, pintail):
        _ingest(pintail, lake, topic, (0,), PINTAIL_ALLOC_REPORT=str(folder / "count.txt"))
    return int((folder / "count.txt").read_text())


def _fail_one(folder, kafka, topic, which: str):
    name = f"alloc{which.replace('+', '-all')}"
    with small_world(folder, name, "sqlite", kafka, None) as (lake, pintail):
        done = _ingest(pintail, lake, topic, (0, 1), PINTAIL_ALLOC_FAIL=which)
        said = [line for line in done.err.splitlines() if not line.startswith("time=")]
        if done.code == 1:
            assert len(said) == 1 and said[0].startswith("pintail ingest: "), done.err
        else:
            assert said == [], done.err
        print(which, done.code, *said)
        if done.code == 1:
            pintail.ingest_rest(lake, topic, "--schema", SCHEMA, "--group", _group(lake, topic), *FAST_FAILOVER)
        with lake.reader() as reader:
            landed = assert_exactly_once(
                reader,
                kafka,
                topic,
                pipeline=_group(lake, topic),
                columns=("n",),
                select={},
                expected=lambda v: (1 if v == RECORDS[0] else 2,),
            )
        assert landed == (20, 20)
    return done.code


def _sweep(folder, kafka, topic, numbers):
    codes = [_fail_one(folder, kafka, topic, which) for which in numbers]
    assert codes.count(1) > len(codes) / 2, f"most of them have to matter: {codes}"


@pytest.mark.timeout(400)
def test_an_allocation_that_fails_ends_in_one_line_and_the_next_start_lands_everything(kafka, topic, tmp_path):
    count = _count(tmp_path, kafka, topic)
    assert count > 100
    numbers = [str(1 + n * (count - 1) // (SAMPLES - 1)) for n in range(SAMPLES)]
    numbers[1::4] = [number + "+" for number in numbers[1::4]]  # and all that follow it
    _sweep(tmp_path, kafka, topic, numbers)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_each_allocation_that_fails_ends_in_one_line_and_the_next_start_lands_everything(kafka, topic, tmp_path):
    count = _count(tmp_path, kafka, topic)
    _sweep(tmp_path, kafka, topic, [f"{n}{'+' if n % 5 == 0 else ''}" for n in range(1, count + 1)])
