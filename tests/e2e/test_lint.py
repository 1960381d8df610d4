"""Each rule of tests/lint finds what it is for, and leaves alone what is right."""

import os
import shutil
import subprocess
import sys

import pytest
from support.procs import REPO

TIDY, WIDTH = REPO / "tests" / "lint" / "tidy.py", REPO / "tests" / "lint" / "markdown_width.py"
GUARANTEES = REPO / "tests" / "lint" / "guarantees.py"
LONG = "x" * 101

# rule -> files that break it
BROKEN = {
    "file-length": {"src/base/a.c": "\n" * 401},
    "python-length": {"tests/a.py": "\n" * 401},
    "line-width": {"src/base/a.h": f"// {LONG}\n"},
    "white-space": {"src/base/a.c": "int a; \n"},
    "error-text": {"src/lake/a.c": 'if (strstr(err->text, "COMMIT")) return;\n'},
    "librdkafka": {"src/ingest/a.h": "void a(rd_kafka_t *k);\n"},
    "banned-call": {"src/base/a.c": "strcpy(a, b);\n"},
    "include-circle": {"src/base/a.h": '#include "b.h"\n', "src/base/b.h": '#include "c.h"\n', "src/base/c.h": '#include "base/a.h"\n'},
    "unit-circle": {"src/a/a.c": '#include "b/b.h"\n', "src/a/a.h": "", "src/b/b.c": '#include "a/a.h"\n', "src/b/b.h": ""},
    "room-circle": {"src/a/a.c": '#include "b/b.h"\n', "src/a/c.h": "", "src/b/b.h": "", "src/b/d.c": '#include "a/c.h"\n'},
    "cited-document": {"src/a.c": "// as shared/PLAN.md has it\n"},
    "cited-path": {"src/a.c": "// what src/lake/gone.h says\n"},
}
SOUND = {
    "file-length": {"src/base/a.c": "\n" * 400},
    "python-length": {"tests/a.py": "\n" * 400},
    "line-width": {"src/base/a.c": f'say("{LONG}");\n'},
    "white-space": {"src/base/a.c": "int a;\n"},
    "error-text": {
        "src/duck/failure.c": 'strstr(err->text, "x");\n',
        "src/lake/a.c": '// not strstr(err->text, "x")\nfputs(err->text, f);\n',
    },
    "librdkafka": {"src/kafka/a.h": "void a(rd_kafka_t *k);\n", "src/ingest/a.c": "/* as rd_kafka_poll does */\n"},
    "banned-call": {"src/base/a.c": 'x->gets(1); say("strcpy(a)"); // strcpy(\n'},
    "include-circle": {"src/base/a.c": '#include "a.h"\n', "src/base/a.h": '#include "b.h"\n', "src/base/b.h": ""},
    "unit-circle": {"src/a/a.c": '#include "a/a_part.h"\n', "src/a/a_part.h": '#include "a/a.h"\n', "src/a/a.h": ""},
    "room-circle": {
        "src/a/a.c": '#include "b/b.h"\n#include "a/c/d.h"\n',
        "src/a/c/d.h": '#include "a/a.h"\n',
        "src/a/a.h": "",
        "src/b/b.h": "",
    },
    "cited-document": {"src/a.c": "// docs/GUIDE.md says so, in RFC 8259\n", "docs/GUIDE.md": ""},
    "cited-path": {"src/a.c": "// what src/lake/here.h says\n", "src/lake/here.h": ""},
}


def tidy(folder, rule, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return subprocess.run([sys.executable, TIDY, "--root", folder, rule], capture_output=True, text=True)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_finds_what_breaks_it_and_nothing_else(tmp_path, rule):
    done = tidy(tmp_path / "broken", rule, BROKEN[rule])
    assert done.returncode == 1 and f": {rule}: " in done.stdout, done
    done = tidy(tmp_path / "sound", rule, SOUND[rule])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_rule_has_a_broken_instance():
    listed = subprocess.run([sys.executable, TIDY, "--list"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(BROKEN) == list(SOUND)


def test_prose_that_is_too_wide_is_found_but_no_table_code_or_address(tmp_path):
    page = tmp_path / "page.md"
    words = "word " * 30
    page.write_text(f"| {words} |\n\n```\n{words}\n```\n\n    {words}\n\nhttps://{'x' * 120}\n")
    done = subprocess.run([sys.executable, WIDTH, "100", page], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    page.write_text(f"{words}\n- {words}\n    - {words}\n")
    done = subprocess.run([sys.executable, WIDTH, "100", page], capture_output=True, text=True)
    assert done.returncode == 1 and [line.split(":")[1] for line in done.stdout.splitlines()] == ["1", "2", "3"], done


def test_a_promise_without_a_test_and_a_name_without_a_test_are_found(tmp_path):
    def found(promises):
        page.write_text(f"# Guarantees\n\n- No promise.\n\n## The promises\n\n{promises}\n## Conditions\n\n- None.\n")
        done = subprocess.run([sys.executable, GUARANTEES, "--root", tmp_path], capture_output=True, text=True)
        assert done.stderr == "" and done.returncode == (1 if done.stdout else 0), done
        return [line.split(": ", 1)[1] for line in done.stdout.splitlines()]

    page = tmp_path / "docs" / "GUARANTEES.md"
    for path in ("docs/GUARANTEES.md", "tests/e2e/test_a.py", "tests/unit/base/test_b.c"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("def test_one(x):\n    pass\n")
    assert (
        found("### A group\n\n- It works,\n  always.\n  - Tests: `test_one`, `test_a.py`\n- So does `it`: `tests/unit/base/test_b.c`\n")
        == []
    )
    assert found("| promise | tests |\n| --- | --- |\n| It works | `test_one` |\n") == []
    for name, wrong in (
        ("test_two", "no file of tests/e2e has a test test_two"),
        ("test_b.py", "there is no test_b.py in tests/e2e"),
        ("tests/unit/lake/test_b.c", "there is no tests/unit/lake/test_b.c"),
        ("test_b.c", "test_b.c needs its path, such as tests/unit/base/test_b.c"),
    ):
        assert found(f"- It works: `{name}`\n") == [wrong]
    assert found("- It works.\n- It works: `test_one`\n") == ["a promise without a test"]
    assert found("") == ['no promise below "## The promises"']


def test_the_tools_work_in_a_checkout_that_was_copied_or_moved(tmp_path):
    """The scripts that pip installs name the folder of then, which is gone."""
    installed = REPO / ".deps" / "lint-venv"
    if not installed.exists():
        pytest.skip("the lint's tools are not installed: make lint brings them")
    moved = tmp_path / "lint-venv"
    shutil.copytree(installed / "bin", moved / "bin", symlinks=True)
    (moved / "lib").symlink_to(installed / "lib")
    for script in (moved / "bin").iterdir():
        if script.is_file() and not script.is_symlink() and script.read_bytes().startswith(b"#!"):
            script.write_text("#!/gone/python\n")
    done = subprocess.run(
        [REPO / "tests" / "lint" / "run", REPO / "build", "clang_format"],
        env={**os.environ, "PINTAIL_DEPS": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
