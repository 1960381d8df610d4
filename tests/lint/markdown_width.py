#!/usr/bin/env python3
"""Prose of Markdown has lines that fit beside a diff: `markdown_width.py LIMIT FILE...` names those that are longer.

Tables, code (fenced or indented), link definitions and a line that is one long word (an address) are left alone.
"""

import re
import sys
from pathlib import Path


def too_long(text: str, limit: int):
    """(number, columns) of each line of prose that is too long."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if mark and (fence is None or line.strip().startswith(fence)):
            fence = mark.group(1) if fence is None else None
            continue
        if fence or len(line) <= limit or line.lstrip().startswith("|"):
            continue
        if re.match(r" {4}(?! *(?:[-*+]|\d+\.) )", line) or re.match(r" {0,3}\[[^]]+\]:", line) or " " not in line.strip():
            continue
        yield number, len(line)


def main() -> int:
    limit, *files = sys.argv[1:]
    found = [(name, *at) for name in files for at in too_long(Path(name).read_text(), int(limit))]
    for name, number, columns in found:
        print(f"{name}:{number}: {columns} columns, more than {limit}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
