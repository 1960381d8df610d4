"""Records that confluent-kafka's Python would not send: header names that are not UTF-8. Straight through librdkafka by ctypes, in a process of its own, as
two librdkafkas in one do not get on."""

import ctypes
import pickle
import subprocess
import sys
from pathlib import Path

from .procs import DEPS

_LIBRARY = DEPS / "librdkafka" / "lib" / "librdkafka.so.1"
_PRODUCER = 0
_OK, _END, _TOPIC, _PARTITION, _VALUE, _KEY, _FLAGS, _TIMESTAMP, _HEADERS = 0, 0, 1, 3, 4, 5, 7, 8, 10
_COPY = 0x2


def produce(address: str, topic: str, records):
    """records: (timestamp, value, key, [(name, value or None), ...]), all bytes, to partition 0 in this order."""
    subprocess.run([sys.executable, "-m", "support.rawproduce"], cwd=Path(__file__).parents[1], input=pickle.dumps((address, topic, records)), check=True, timeout=60)


def _produce(address, topic, records):
    rk = ctypes.CDLL(str(_LIBRARY))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
        getattr(rk, name).restype = ctypes.c_void_p
    why = ctypes.create_string_buffer(300)
    conf = ctypes.c_void_p(rk.rd_kafka_conf_new())
    assert rk.rd_kafka_conf_set(conf, b"bootstrap.servers", address.encode(), why, 300) == _OK, why.value
    assert rk.rd_kafka_conf_set(conf, b"message.max.bytes", b"30000000", why, 300) == _OK, why.value
    producer = ctypes.c_void_p(rk.rd_kafka_new(_PRODUCER, conf, why, ctypes.c_size_t(300)))
    assert producer, why.value
    for timestamp, value, key, headers in records:
        list_ = ctypes.c_void_p(rk.rd_kafka_headers_new(ctypes.c_size_t(len(headers))))
        for name, content in headers:
            size = ctypes.c_ssize_t(-1 if content is None else len(content))
            assert rk.rd_kafka_header_add(list_, name, ctypes.c_ssize_t(len(name)), content, size) == _OK
        code = rk.rd_kafka_producev(
            producer, ctypes.c_int(_TOPIC), topic.encode(), ctypes.c_int(_PARTITION), ctypes.c_int(0), ctypes.c_int(_VALUE), value,
            ctypes.c_size_t(len(value)), ctypes.c_int(_KEY), key, ctypes.c_size_t(len(key)), ctypes.c_int(_FLAGS), ctypes.c_int(_COPY),
            ctypes.c_int(_TIMESTAMP), ctypes.c_int64(timestamp), ctypes.c_int(_HEADERS), list_, ctypes.c_int(_END))
        assert code == _OK, code
        rk.rd_kafka_poll(producer, 0)
    assert rk.rd_kafka_flush(producer, 30000) == _OK
    rk.rd_kafka_destroy(producer)


if __name__ == "__main__":
    _produce(*pickle.load(sys.stdin.buffer))
