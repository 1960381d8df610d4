"""A TCP proxy before PostgreSQL that reads enough of the wire protocol to see a COMMIT go by, and does harm to it.

A fault is armed for the next COMMIT of a transaction that some statement of mentions a text (`of`); it strikes once. What it does:

    cut before      the connection is closed on both sides, the COMMIT is never sent
    cut during      the COMMIT is sent and the connection to the client is closed at once
    cut half        only half of the COMMIT's bytes are sent, then both sides are closed
    cut after       the server has answered; the client never hears of it
    late            the client's connection is closed, the server gets its COMMIT `seconds` later, or when .release is set
    slow            the COMMIT is held back for `seconds`, then all goes on
    slow answer     the server commits at once, the client hears of it `seconds` later
    lie             the server commits; the client is told an error with `text`
    mute            the server commits; the client is never answered (until the proxy is closed)
    hold            the server is never sent the COMMIT; the client is never answered: a writer that froze with the catalog's locks in its hand
"""

import socket
import struct
import threading
import time
from contextlib import suppress

FLUSH = 'INSERT INTO "public".ducklake_data_file '  # what DuckLake writes for a transaction with new data files

SSL_REQUEST, GSS_REQUEST, CANCEL = 80877103, 80877104, 80877102


class _Fault:
    def __init__(self, kind, of, seconds, text, strike):
        self.kind, self.of, self.seconds, self.text, self.strike = kind, of, seconds, text, strike
        self.struck = threading.Event()  # the COMMIT was seen
        self.release = threading.Event()
        self.done = threading.Event()  # ... and the server has answered it, or never will
        self.answer = None  # the server's own: the command tag, or the error's text


class PostgresProxy:
    def __init__(self, port: int):
        self._server_port = port
        self._lock = threading.Lock()  # guards what follows
        self._fault = None
        self._links = set()
        self._unanswered = []
        self.startups = []  # the parameters of each connection, as the client sent them
        self.commits = []  # of each COMMIT that was seen: the transaction's statements
        self.refuse = False
        self.silent = False  # takes connections and never answers, as a host that drops packets; .cut_all() ends them
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    # ---- what tests use

    def arm(self, kind: str, of=FLUSH, seconds=2.0, text="could not serialize access: conflict", strike=None) -> _Fault:
        """strike(): called when the COMMIT was seen, before anything is done to it."""
        fault = _Fault(kind, of, seconds, text, strike)
        with self._lock:
            self._fault = fault
        return fault

    def cut_all(self):
        with self._lock:
            links = list(self._links)
        for link in links:
            link.close()
        while self._unanswered:
            self._unanswered.pop().close()

    def close(self):
        self._closing.set()
        self._listener.close()
        self.cut_all()

    # ---- inside

    def _accept(self):
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refuse:
                client.close()
                continue
            if self.silent:
                self._unanswered.append(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port), 10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            link = _Link(self, client, server)
            with self._lock:
                self._links.add(link)
            for work in (link.up, link.down):
                threading.Thread(target=work, daemon=True).start()

    def take_fault(self, statements):
        with self._lock:
            self.commits.append(statements)
            fault = self._fault
            if fault and any(fault.of in s for s in statements):
                self._fault = None
                return fault
        return None

    def forget(self, link):
        with self._lock:
            self._links.discard(link)

    def pause(self, seconds):
        self._closing.wait(seconds)


def _exactly(source, n) -> bytes:
    data = b""
    while len(data) < n:
        part = source.recv(n - len(data))
        if not part:
            raise ConnectionError("closed")
        data += part
    return data


def _end(*sockets):
    for s in sockets:
        with suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)
        s.close()


class _Link:
    """One connection: `up` reads from the client, `down` from the server."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.statements = []  # since the last BEGIN
        self.fault = None  # whose COMMIT is on its way: `down` decides what becomes of the answer

    def close(self):
        _end(self.client, self.server)

    def up(self):
        try:
            while True:  # the first packet has no type
                length, code = struct.unpack("!ii", _exactly(self.client, 8))
                rest = _exactly(self.client, length - 8)
                if code in (SSL_REQUEST, GSS_REQUEST):
                    self.client.sendall(b"N")
                    continue
                if code != CANCEL:
                    words = rest.rstrip(b"\0").split(b"\0")
                    self.proxy.startups.append({k.decode(): v.decode() for k, v in zip(words[::2], words[1::2])})
                self.server.sendall(struct.pack("!ii", length, code) + rest)
                break
            while True:
                head = _exactly(self.client, 5)
                body = _exactly(self.client, struct.unpack("!i", head[1:])[0] - 4)
                if head[:1] in b"QP" and self._statement(head + body, body):
                    continue
                self.server.sendall(head + body)
        except OSError:
            pass
        finally:
            if self.fault is None:  # else `down` closes it, or the proxy's end does
                self.close()
                self.proxy.forget(self)

    def _statement(self, packet, body) -> bool:
        """True when the packet was dealt with."""
        text = body.split(b"\0")[0 if packet[:1] == b"Q" else 1].decode(errors="replace").strip()
        word = text[:6].upper()
        if word == "COMMIT":
            fault = self.proxy.take_fault(self.statements)
            self.statements = []
            if fault:
                self._strike(fault, packet)
                return True
        elif text.upper().startswith(("BEGIN", "START TRANSACTION")):
            self.statements = [text]
        else:
            self.statements.append(text)
        return False

    def _strike(self, fault, packet):
        fault.struck.set()
        if fault.strike:
            fault.strike()
        kind = fault.kind
        if kind == "cut before":
            fault.done.set()
            self.close()
        elif kind == "cut half":
            self.server.sendall(packet[: len(packet) // 2])
            fault.done.set()
            self.close()
        elif kind == "late":
            self.fault = fault
            _end(self.client)
            fault.release.wait(fault.seconds)
            self.server.sendall(packet)
        elif kind == "hold":
            self.fault = fault
        elif kind == "slow":
            self.proxy.pause(fault.seconds)
            self.server.sendall(packet)
            fault.done.set()
        else:
            self.fault = fault
            self.server.sendall(packet)
            if kind == "cut during":
                _end(self.client)

    def down(self):
        try:
            while True:
                if self.fault is None or self.fault.done.is_set():
                    data = self.server.recv(65536)
                    if not data:
                        break
                    if self.fault is None:
                        self.client.sendall(data)
                        continue
                    self._answered(data)
                else:
                    self._answered(b"")
                if self.fault.kind not in ("lie", "slow answer"):
                    break
                self.fault = None
        except OSError:
            if self.fault:
                self.fault.done.set()
        finally:
            if self.fault is None or self.fault.kind not in ("mute", "hold"):
                self.close()

    def _answered(self, data):
        """The server's answer to the COMMIT; data is what has come of it already."""
        fault = self.fault
        while not data.endswith((b"\0\0\0\x05I", b"\0\0\0\x05E", b"\0\0\0\x05T")):  # ReadyForQuery
            more = self.server.recv(65536)
            if not more:
                break
            data += more
        fault.answer = data[5:].split(b"\0")[0].decode(errors="replace") if data[:1] == b"C" else data.decode(errors="replace")
        fault.done.set()
        if fault.kind == "lie":
            fields = b"SERROR\0VERROR\0C40001\0M" + fault.text.encode() + b"\0\0"
            self.client.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields + b"Z\0\0\0\x05I")
        elif fault.kind == "slow answer":
            self.proxy.pause(fault.seconds)
            self.client.sendall(data)


def wait_struck(process, fault, timeout=30):
    """Until the armed COMMIT came by."""
    process.wait_for(fault.struck.is_set, timeout, f"the COMMIT to be {fault.kind}")


def through(lake, port: int) -> str:
    """The lake's text by way of the proxy."""
    return lake.text.replace(f"port={lake.postgres.port}", f"port={port}")


__all__ = ["PostgresProxy", "through", "time", "wait_struck"]
