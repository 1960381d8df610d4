"""Records that confluent-kafka's Python would not send. Header names that are not UTF-8: straight through librdkafka by ctypes, in a process of its own, as
two librdkafkas in one do not get on. Batches that no client library can decompress: by a Produce request over a socket."""

import ctypes
import pickle
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from .procs import DEPS

_LIBRARY = DEPS / "librdkafka" / "lib" / "librdkafka.so.1"
_PRODUCER = 0
_OK, _END, _TOPIC, _PARTITION, _VALUE, _KEY, _FLAGS, _TIMESTAMP, _HEADERS = 0, 0, 1, 3, 4, 5, 7, 8, 10
_COPY = 0x2


def produce(address: str, topic: str, records):
    """records: (timestamp, value, key, [(name, value or None), ...]), all bytes, to partition 0 in this order."""
    subprocess.run(
        [sys.executable, "-m", "support.rawproduce"],
        cwd=Path(__file__).parents[1],
        input=pickle.dumps((address, topic, records)),
        check=True,
        timeout=60,
    )


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
            producer,
            ctypes.c_int(_TOPIC),
            topic.encode(),
            ctypes.c_int(_PARTITION),
            ctypes.c_int(0),
            ctypes.c_int(_VALUE),
            value,
            ctypes.c_size_t(len(value)),
            ctypes.c_int(_KEY),
            key,
            ctypes.c_size_t(len(key)),
            ctypes.c_int(_FLAGS),
            ctypes.c_int(_COPY),
            ctypes.c_int(_TIMESTAMP),
            ctypes.c_int64(timestamp),
            ctypes.c_int(_HEADERS),
            list_,
            ctypes.c_int(_END),
        )
        assert code == _OK, code
        rk.rd_kafka_poll(producer, 0)
    assert rk.rd_kafka_flush(producer, 30000) == _OK
    rk.rd_kafka_destroy(producer)


# ---- a batch as the broker takes it and no reader of it can

_PRODUCE, _PRODUCE_VERSION, _LZ4 = 0, 3, 3


def produce_undecodable(address: str, topic: str, partition: int, values) -> int:
    """A batch of LZ4 whose content checksum is wrong: Kafka's own decoder does not look at it, so the broker takes the batch; librdkafka's does. To a node that
    leads the partition. Returns the batch's first offset."""
    records = b"".join(_record(n, value) for n, value in enumerate(values))
    return _send(address, topic, partition, _batch(_lz4(records, checksum=0xBAD), len(values), _LZ4))


def _varint(n: int) -> bytes:
    n, out = (n << 1) ^ (n >> 63), bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])


def _record(number: int, value: bytes) -> bytes:
    body = b"\0" + _varint(0) + _varint(number) + _varint(-1) + _varint(len(value)) + value + _varint(0)
    return _varint(len(body)) + body


def _batch(records: bytes, count: int, codec: int) -> bytes:
    """RecordBatch, version 2."""
    now = int(time.time() * 1000)
    body = struct.pack("!hiqqqhii", codec, count - 1, now, now, -1, -1, -1, count) + records
    return struct.pack("!qiibI", 0, len(body) + 9, -1, 2, _crc32c(body)) + body


def _lz4(data: bytes, checksum: int) -> bytes:
    """A frame of one block, stored as it is, with this content checksum."""
    descriptor = bytes([0x64, 0x40])  # version 1, independent blocks, content checksum; blocks of up to 64 KiB
    assert len(data) <= 1 << 16
    head = struct.pack("<I", 0x184D2204) + descriptor + bytes([_xxh32(descriptor) >> 8 & 0xFF])
    return head + struct.pack("<I", 1 << 31 | len(data)) + data + struct.pack("<II", 0, checksum)


def _xxh32(data: bytes) -> int:
    """Of less than four bytes."""
    h = 374761393 + len(data)
    for byte in data:
        h = h + byte * 374761393 & 0xFFFFFFFF
        h = (h << 11 | h >> 21) * 2654435761 & 0xFFFFFFFF
    h = (h ^ h >> 15) * 2246822519 & 0xFFFFFFFF
    h = (h ^ h >> 13) * 3266489917 & 0xFFFFFFFF
    return h ^ h >> 16


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _send(address, topic, partition, batch) -> int:
    def text(s):
        return struct.pack("!h", len(s)) + s.encode()

    request = (
        struct.pack("!hhi", _PRODUCE, _PRODUCE_VERSION, 1)
        + text("raw")
        + struct.pack("!hhi", -1, -1, 30000)
        + struct.pack("!i", 1)
        + text(topic)
        + struct.pack("!iii", 1, partition, len(batch))
        + batch
    )
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), 30) as s, s.makefile("rb") as answers:
        s.sendall(struct.pack("!i", len(request)) + request)
        answer = answers.read(struct.unpack("!i", answers.read(4))[0])
    code, offset = struct.unpack_from("!hq", answer, 4 + 4 + len(text(topic)) + 4 + 4)
    assert code == 0, f"the broker refused the batch with error code {code}"
    return offset


if __name__ == "__main__":
    _produce(*pickle.load(sys.stdin.buffer))
