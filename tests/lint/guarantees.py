#!/usr/bin/env python3
"""Every promise of docs/GUARANTEES.md names a test, and every test that the page names exists.

A name in code marks is looked up by its form: `test_x` is a function of tests/e2e, `test_x.py` a file there, `tests/...` a path.
`guarantees.py --root FOLDER` looks at another tree than this one.
"""

import argparse
import re
import sys
from pathlib import Path

PAGE = Path("docs/GUARANTEES.md")
NAMED = re.compile(r"`((?:[\w.-]+/)*test_\w+(?:\.\w+)?|tests/[^`\s]+)`")


def functions(root: Path) -> set:
    """The names of the end-to-end tests."""
    return {
        name
        for path in (root / "tests" / "e2e").glob("test_*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def complaint(root: Path, tests: set, name: str) -> str | None:
    """What is wrong with one name, or None."""
    if "/" in name:
        return None if (root / name).exists() else f"there is no {name}"
    if name.endswith(".py"):
        return None if (root / "tests" / "e2e" / name).is_file() else f"there is no {name} in tests/e2e"
    if "." in name:
        return f"{name} needs its path, such as tests/unit/base/{name}"
    return None if name in tests else f"no file of tests/e2e has a test {name}"


def promises(text: str):
    """(line, text) of each item and each row of a table below "## The promises"."""
    item = None
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            inside = line == "## The promises" or (inside and line.startswith("###"))
        begins = inside and (line.startswith("- ") or (line.startswith("| ") and not re.match(r"\| *(---|promise\b)", line)))
        if item and (begins or line.startswith("#")):
            yield item
            item = None
        if begins:
            item = (number, line)
        elif item:
            item = (item[0], f"{item[1]}\n{line}")
    if item:
        yield item


def findings(root: Path):
    """(line, text) of all that is wrong with the page."""
    text = (root / PAGE).read_text()
    tests = functions(root)
    for found in NAMED.finditer(text):
        wrong = complaint(root, tests, found[1])
        if wrong:
            yield text.count("\n", 0, found.start()) + 1, wrong
    count = 0
    for number, promise in promises(text):
        count += 1
        if not NAMED.search(promise):
            yield number, "a promise without a test"
    if not count:
        yield 1, 'no promise below "## The promises"'


def main() -> int:
    parser = argparse.ArgumentParser(description="Every promise names a test that exists.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="another tree than this one")
    found = sorted(findings(parser.parse_args().root))
    for number, text in found:
        print(f"{PAGE}:{number}: {text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
