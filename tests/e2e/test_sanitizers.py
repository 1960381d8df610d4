"""The whole way of a record under AddressSanitizer, LeakSanitizer and UBSan. `make e2e-asan` runs everything so, `make e2e-tsan` what has threads under
ThreadSanitizer."""

import pytest
from support import on, orders
from support.judge import assert_exactly_once
from support.progress import wait_landed
from support.sanitize import assert_no_report, sanitized

pytestmark = pytest.mark.timeout(400)
BROKEN = [b"", b"{", b'{"quantity": 1e99}', b'{"product": "\xff"}', b'{"order_id": "no"}']


@on("sqlite", "postgres")
def test_an_ingest_that_reaches_the_end_leaves_no_leak_and_no_report(pintail, lake, kafka):
    topic = kafka.create_topic(3)
    kafka.produce(topic, [*orders.orders(20_000, 5), *BROKEN])
    done = pintail.run(
        *pintail.ingest_args(lake, topic, "--until-end", "--schema", orders.SCHEMA, "--flush-rows", "3000"), timeout=110, **sanitized()
    )
    assert_no_report(done.err)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (20_000, len(BROKEN))


@on("sqlite")
def test_an_ingest_that_is_told_to_stop_leaves_no_leak_and_no_report(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    for round_ in range(2):
        kafka.produce(topic, orders.orders(2000, round_))
        process = pintail.ingest(lake, topic, "--schema", orders.SCHEMA, "--flush-interval", "200ms", **sanitized())
        wait_landed(process, lake, kafka, topic, 2000 * (round_ + 1), timeout=100)
        assert_no_report(process.stop(100).err)
    with lake.reader() as reader:
        assert assert_exactly_once(reader, kafka, topic) == (4000, 0)


@on("sqlite")
def test_check_and_sql_leave_no_leak_and_no_report(pintail, lake, kafka):
    topic = kafka.create_topic(2)
    kafka.produce(topic, [*orders.orders(500, 1), *BROKEN])
    pintail.ingest_all(lake, topic, "--schema", orders.SCHEMA)
    for arguments, code in [
        (("check", "--brokers", kafka.address), 0),
        (("check", "--json"), 0),
        (("sql", "-c", f'SELECT * FROM lake."{topic}" LIMIT 50'), 0),
        (("sql", "-c", "SELECT nothing"), 1),
    ]:
        done = pintail.run(*arguments, *lake.args, code=code, timeout=100, **sanitized())
        assert_no_report(done.err)
