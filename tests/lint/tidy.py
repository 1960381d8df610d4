#!/usr/bin/env python3
"""The rules of the house that no compiler or formatter checks.

    tests/lint/tidy.py RULE...    checks these rules; without one, all of them
    tests/lint/tidy.py --list     what there is

Each finding is a line `file:line: rule: what is wrong`; the exit code is 1 when there is one. The Makefile names the rules that are on.
"""

import argparse
import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

Finding = namedtuple("Finding", "path line text")

MAX_LINES = 400
MAX_COLUMNS = 100
RULES = {}


def rule(function):
    """A rule is found by the name of its function; its docstring is what --list shows."""
    RULES[function.__name__.replace("_", "-")] = function
    return function


class Tree:
    """The files that git knows, or all below the folder where there is no git."""

    def __init__(self, root: Path):
        self.root = root
        if (root / ".git").exists():
            listed = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=root,
                check=True,
                capture_output=True,
            )
            paths = [Path(p) for p in listed.stdout.decode().split("\0") if p]
        else:
            paths = [p.relative_to(root) for p in root.rglob("*")]
        self.paths = sorted(p for p in paths if (root / p).is_file())
        self._texts = {}

    def text(self, path: Path) -> str:
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(errors="replace")
        return self._texts[path]

    def lines(self, path: Path):
        """(number, line) of the file."""
        return enumerate(self.text(path).splitlines(), 1)

    def c_files(self, *folders) -> list:
        """Sources and headers below the folders, which are all of ours by default."""
        folders = folders or ("src", "tests")
        return [p for p in self.paths if p.suffix in (".c", ".h") and p.parts[0] in folders]


STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def without_comments(text: str) -> str:
    """The text of a C file with its comments blanked; lines stay where they are."""
    blank = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)

    def replace(found):
        part = found.group()
        return re.sub(r"[^\n]", " ", part) if part.startswith("/") else part

    return blank.sub(replace, text)


# ---- size


@rule
def file_length(tree):
    """no C file has more than 400 lines"""
    for path in tree.c_files():
        count = len(tree.text(path).splitlines())
        if count > MAX_LINES:
            yield Finding(path, count, f"{count} lines, more than {MAX_LINES}: split it by job")


@rule
def python_length(tree):
    """no Python file has more than 400 lines"""
    for path in tree.paths:
        count = len(tree.text(path).splitlines()) if path.suffix == ".py" else 0
        if count > MAX_LINES:
            yield Finding(path, count, f"{count} lines, more than {MAX_LINES}: split it by job")


@rule
def line_width(tree):
    """no line of C has more than 100 columns, unless a string on it is what makes it long"""
    for path in tree.c_files():
        for number, line in tree.lines(path):
            if len(line) > MAX_COLUMNS and len(STRING.sub('""', line)) == len(line):
                yield Finding(path, number, f"{len(line)} columns, more than {MAX_COLUMNS}")


@rule
def white_space(tree):
    """no tab, no trailing blank and no missing end of line in C, Python, scripts and Markdown"""
    for path in tree.paths:
        if path.suffix not in (".c", ".h", ".py", ".sh", ".md") or not tree.text(path):
            continue
        for number, line in tree.lines(path):
            if line != line.rstrip():
                yield Finding(path, number, "a blank at the end of the line")
            if "\t" in line and path.suffix != ".md":
                yield Finding(path, number, "a tab")
        if not tree.text(path).endswith("\n"):
            yield Finding(path, len(tree.text(path).splitlines()), "no end of line at the end of the file")


# ---- seams

ERROR_TEXT = re.compile(
    r"\bstr(?:case)?(?:str|cmp)\s*\(\s*[\w>.-]*err\w*(?:->|\.)text\b|\bstrn(?:case)?cmp\s*\(\s*[\w>.-]*err\w*(?:->|\.)text\b"
)


@rule
def error_text(tree):
    """what an error says steers nothing, but in the one file that reads DuckDB's words (src/duck/failure.c)"""
    for path in tree.c_files("src"):
        if path == Path("src/duck/failure.c"):
            continue
        for number, line in enumerate(without_comments(tree.text(path)).splitlines(), 1):
            if ERROR_TEXT.search(line):
                yield Finding(path, number, "the text of an error decides; give the error a pt_reason and ask for that")


@rule
def librdkafka(tree):
    """no type or call of librdkafka outside src/kafka/ and src/sample/"""
    for path in tree.c_files("src"):
        if path.parts[1] in ("kafka", "sample"):
            continue
        for number, line in enumerate(without_comments(tree.text(path)).splitlines(), 1):
            found = re.search(r"\brd_kafka_\w+|<librdkafka/|\brdkafka\.h", line)
            if found:
                yield Finding(path, number, f"{found.group()}: librdkafka stays in src/kafka/ and src/sample/")


BANNED = {
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strcpy": "memcpy with a checked length",
    "strcat": "snprintf",
    "strtok": "strchr and lengths",
    "gets": "getline",
    "atoi": "strtol with its end looked at",
    "atol": "strtol with its end looked at",
    "atof": "strtod with its end looked at",
}
BANNED_CALL = re.compile(rf"(?<![\w.>])({'|'.join(BANNED)})\s*\(")


@rule
def banned_call(tree):
    """no function of the C library that writes or reads without a bound, or hides an error"""
    for path in tree.c_files("src"):
        for number, line in enumerate(without_comments(tree.text(path)).splitlines(), 1):
            for found in BANNED_CALL.finditer(STRING.sub('""', line)):
                yield Finding(path, number, f"{found.group(1)}: use {BANNED[found.group(1)]}")


# ---- circles


def circles(edges: dict) -> list:
    """The strongly connected parts of a graph (node -> set of nodes) that are a circle, each sorted. Tarjan's way, without recursion."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for start in sorted(edges):
        if start in index:
            continue
        work = [(start, iter(sorted(edges[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, after = work[-1]
            for other in after:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(edges.get(other, ())))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    if len(part) > 1 or node in edges.get(node, ()):
                        found.append(sorted(part))
    return sorted(found)


def includes(tree) -> dict:
    """file -> files of src/ that it includes."""
    files = set(tree.c_files("src"))
    edges = {}
    for path in files:
        edges[path] = set()
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', without_comments(tree.text(path)), re.MULTILINE):
            edges[path] |= {p for p in (path.parent / name, Path("src") / name) if p in files}
    return edges


def shown(part) -> str:
    return " <-> ".join(str(p) for p in part)


@rule
def include_circle(tree):
    """no file includes itself by way of others"""
    for part in circles(includes(tree)):
        yield Finding(part[0], 1, f"a circle of includes: {shown(part)}")


@rule
def unit_circle(tree):
    """no two modules (x.c and x.h) need each other; a template that a source includes (x_part.h without a source) is of that source"""
    edges = includes(tree)
    sources = {p.with_suffix("") for p in edges if p.suffix == ".c"}
    owner = {}
    for path in edges:
        unit = path.with_suffix("")
        if unit not in sources:  # a template belongs to the source that its name begins with
            own = [s for s in sources if s.parent == unit.parent and unit.name.startswith(s.name + "_")]
            unit = max(own, key=lambda s: len(s.name), default=unit)
        owner[path] = unit
    units = {unit: set() for unit in owner.values()}
    for path, others in edges.items():
        units[owner[path]] |= {owner[other] for other in others} - {owner[path]}
    for part in circles(units):
        yield Finding(f"{part[0]}.c", 1, f"a circle of files: {shown(part)}")


@rule
def room_circle(tree):
    """no two rooms (the folders right below src/) need each other"""

    def room(path):
        return Path(*path.parts[:2]) if len(path.parts) > 2 else path.parent

    rooms = {}
    for path, others in includes(tree).items():
        rooms.setdefault(room(path), set()).update({room(other) for other in others} - {room(path)})
    for part in circles(rooms):
        yield Finding(part[0], 1, f"a circle of folders: {shown(part)}")


# ---- words

DOCUMENT = re.compile(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.md)\b|\b(DESIGN|HOUSE|STYLE)\b(?=[ ,.:;)]*(?:\d|section|§|$))")
TEXTS = (".c", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ".toml", ".ini", "")


@rule
def cited_document(tree):
    """no comment and no page cites a document that is not in the repository"""
    here = {str(p) for p in tree.paths} | {p.name for p in tree.paths}
    for path in tree.paths:
        if path.suffix not in TEXTS or path.parts[:2] in (("tests", "fuzz"), ("tests", "lint")) or path.name == "test_lint.py":
            continue
        for number, line in tree.lines(path):
            for found in DOCUMENT.finditer(line):
                name = found.group(1) or found.group(2)
                if name not in here and Path(name).name not in here:
                    yield Finding(path, number, f"{name} is not in the repository")


CITED_PATH = re.compile(r"(?<![\w/.<-])((?:[\w-]+/)+[\w-]+\.(?:c|h|py|sql|cmake))(?![\w/*])")
BELOW = ("", "src", "tests", "tests/unit", "tests/e2e")


def comments(text: str) -> str:
    """The comments of a C file alone; lines stay where they are."""
    bare = without_comments(text)
    return "".join("\n" if a == "\n" else a if a != b else " " for a, b in zip(text, bare, strict=True))


@rule
def cited_path(tree):
    """no comment and no page names a file that is not there any more"""
    here = {str(p) for p in tree.paths}
    for path in tree.paths:
        c_file = path.suffix in (".c", ".h")
        if (not c_file and path.suffix not in (".md", ".txt")) or path.name == "CHANGELOG.md":
            continue
        text = tree.text(path)
        for number, line in enumerate((comments(text) if c_file else text).splitlines(), 1):
            for found in CITED_PATH.finditer(line):
                name = found.group(1)
                if not any(str(Path(below) / name) in here for below in BELOW):
                    yield Finding(path, number, f"{name} is not there")


def main() -> int:
    parser = argparse.ArgumentParser(description="The rules of the house that no compiler or formatter checks.")
    parser.add_argument("rules", nargs="*", metavar="RULE")
    parser.add_argument("--list", action="store_true", help="the rules there are")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="another tree than this one")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name:16}{function.__doc__}" for name, function in RULES.items()))
        return 0
    unknown = [name for name in options.rules if name not in RULES]
    if unknown:
        parser.error(f"there is no rule {', '.join(unknown)}; --list shows them")
    tree = Tree(options.root)
    count = 0
    for name in options.rules or RULES:
        for finding in RULES[name](tree):
            print(f"{finding.path}:{finding.line}: {name}: {finding.text}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
