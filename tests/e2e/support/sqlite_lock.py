"""Another program that has an SQLite catalog open. A process of its own: two SQLites in one (Python's, and the one in the DuckDB of the test's reader) take
each other's locks away, and commits are lost (https://sqlite.org/howtocorrupt.html, 2.2.1)."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def holding(path: Path, *statements):
    """Runs the statements, and is gone at the end. Yields what runs another one and returns its rows."""
    process = subprocess.Popen(
        [sys.executable, "-m", "support.sqlite_lock", path],
        cwd=Path(__file__).parents[1],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def run(statement) -> list:
        process.stdin.write(json.dumps(statement) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    try:
        for statement in statements:
            run(statement)
        yield run
    finally:
        process.stdin.close()
        code = process.wait(60)
        process.stdout.close()
    assert code == 0


def _serve(path):
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:  # which rolls back
        for line in sys.stdin:
            print(json.dumps(connection.execute(json.loads(line)).fetchall()), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
