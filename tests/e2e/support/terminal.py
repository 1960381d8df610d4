"""A command on a terminal of its own."""

import os
import pty
import re
import subprocess

# What pintail itself sends: colours of check, and the end of a progress line.
OWN = re.compile(rb"\x1b\[(?:1|2|0|1;31|1;32)m|\r\x1b\[K")


def on_terminal(arguments, cwd=None, timeout=120):
    """Exit code and what a terminal would get, standard error included."""
    master, slave = pty.openpty()
    process = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, cwd=cwd)
    os.close(slave)
    out = b""
    try:
        while data := os.read(master, 65536):
            out += data
    except OSError:  # the last one has closed it
        pass
    os.close(master)
    return process.wait(timeout), out


def assert_harmless(out: bytes):
    """Nothing that steers a terminal but line ends and pintail's own colours."""
    text = OWN.sub(b"", out).decode("utf-8")  # strict: bytes that are not UTF-8 steer some terminals
    bad = re.search("[^\r\n\t\x20-\x7e\u00a0-\U0010ffff]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
    assert not bad, (bad, text)
