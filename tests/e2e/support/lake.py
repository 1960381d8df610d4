"""A lake of a test, and the stock DuckDB that reads it. Nothing here is pintail's."""

import contextlib
import hashlib
import time
from pathlib import Path

import duckdb

from .procs import DEPS

EXTENSIONS = DEPS / "duckdb" / "extensions"
_LOADED = {"duckdb": (), "sqlite": ("sqlite_scanner",), "postgres": ("postgres_scanner",)}
# A reader beside a writer on one SQLite file has to wait now and then.
_BUSY = ("locked", "busy")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def plain(path: str) -> str:
    """The path for a function of DuckDB's that expands patterns."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)


def stock():
    """A stock DuckDB in memory with the fetched extensions at hand. To check their signatures would cost a quarter of a second of CPU each time."""
    return duckdb.connect(
        config={"extension_directory": str(EXTENSIONS), "autoinstall_known_extensions": False, "allow_unsigned_extensions": True}
    )


class Reader:
    """A stock DuckDB with the lake attached as `lake`. Use it as a context manager."""

    def __init__(self, lake: "Lake", read_only=True):
        self.lake = lake
        self.connection = stock()
        if read_only:
            self.connection.execute("SET threads = 1")  # several of them cost a third more CPU for the small tables of a test
        self._answers = {}  # name -> newest snapshot, answer
        try:
            for name in (*(("httpfs",) if lake.s3 or lake.encrypted else ()), *_LOADED[lake.catalog], "ducklake"):
                self.connection.execute(f"LOAD {name}")
            if lake.s3:
                self.connection.execute(lake.s3.create_secret())
            self.connection.execute("SET TimeZone='UTC'")
            options = ["READ_ONLY"] if read_only else [f"DATA_PATH {text(lake.data_path)}", *(["ENCRYPTED"] if lake.encrypted else [])]
            if lake.catalog == "sqlite":
                options.append("META_BUSY_TIMEOUT 5000")
            self.connection.execute(f"ATTACH {text(lake.text)} AS lake ({', '.join(options)})")
        except BaseException:
            self.connection.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(duckdb.Error):
            self.connection.execute("DETACH lake")
        self.connection.close()

    def sql(self, statement: str, *parameters) -> list:
        """Rows as tuples. Against another process's lock the statement is tried again."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return self.connection.execute(statement, list(parameters)).fetchall()
            except duckdb.Error as e:
                if not any(word in str(e) for word in _BUSY) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def at_newest(self, name, question):
        """question(self), which is asked again only when there is another snapshot: to ask for that costs a tenth of a query of the lake."""
        newest = self.sql(
            "SELECT snapshot_id, snapshot_time FROM __ducklake_metadata_lake.ducklake_snapshot ORDER BY snapshot_id DESC LIMIT 1"
        )
        if self._answers.get(name, (None,))[0] != newest:
            self._answers[name] = (newest, question(self))
        return self._answers[name][1]

    def mark(self, table: str) -> str:
        """What stands behind the UUID in the names of pintail's files of the table."""
        return self.one(
            "SELECT table_uuid::VARCHAR FROM __ducklake_metadata_lake.ducklake_table WHERE table_name = ? AND end_snapshot IS NULL", table
        ).rsplit("-", 1)[1][:8]

    def one(self, text: str, *parameters):
        (row,) = self.sql(text, *parameters)
        return row[0] if len(row) == 1 else row

    def dicts(self, text: str, *parameters) -> list:
        rows = self.sql(text, *parameters)
        names = [d[0] for d in self.connection.description]
        return [dict(zip(names, row)) for row in rows]

    # ---- what pintail keeps

    def lake_id(self) -> str:
        """The lake's own: the table_uuid of pintail.offsets."""
        return str(
            self.one(
                "SELECT t.table_uuid FROM __ducklake_metadata_lake.ducklake_table t JOIN __ducklake_metadata_lake.ducklake_schema s USING (schema_id) "
                "WHERE s.schema_name = 'pintail' AND t.table_name = 'offsets' AND t.end_snapshot IS NULL"
            )
        )

    def default_group(self, table: str) -> str:
        return f"pintail-{table}-{self.lake_id().rsplit('-', 1)[1][:8]}"

    def rows(self, table: str) -> int:
        return self.one(f"SELECT count(*) FROM lake.{quoted(table)}")

    def has_table(self, table: str, schema="main") -> bool:
        return (
            self.one(
                "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = ? AND table_name = ?", schema, table
            )
            == 1
        )

    def columns(self, table: str, schema="main") -> dict:
        """name -> type, in the table's order."""
        return dict(
            self.sql(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = ? AND table_name = ? "
                "ORDER BY column_index",
                schema,
                table,
            )
        )

    def offsets(self, topic=None) -> list:
        where = "" if topic is None else f" WHERE topic = '{topic}'"
        return self.dicts(f'SELECT * FROM lake.pintail.offsets{where} ORDER BY pipeline, topic, "partition", from_offset, next_offset')

    def dead_letters(self, topic=None) -> list:
        where = "" if topic is None else f" WHERE topic = '{topic}'"
        return self.dicts(f'SELECT * FROM lake.pintail.dead_letters{where} ORDER BY topic, "partition", "offset"')

    def snapshots(self) -> int:
        return self.one("SELECT count(*) FROM lake.snapshots()")

    def data_files(self) -> list:
        """schema, table, full path, whether it is stored relative, row count: every data file that is alive."""
        meta = "__ducklake_metadata_lake"
        root = self.one(f"SELECT value FROM {meta}.ducklake_metadata WHERE key = 'data_path' LIMIT 1")
        found = self.sql(
            f"""
            SELECT s.schema_name, t.table_name, f.path, f.path_is_relative, f.record_count,
                   CASE WHEN s.path_is_relative THEN ? || s.path ELSE s.path END, t.path, t.path_is_relative
            FROM {meta}.ducklake_data_file f
            JOIN {meta}.ducklake_table t ON t.table_id = f.table_id AND t.end_snapshot IS NULL
            JOIN {meta}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
            WHERE f.end_snapshot IS NULL""",
            root,
        )
        out = []
        for schema, table, path, relative, count, schema_path, table_path, table_relative in found:
            folder = (schema_path if table_relative else "") + table_path
            out.append((schema, table, (folder if relative else "") + path, bool(relative), count))
        return out


class Lake:
    def __init__(self, catalog: str, folder: Path, postgres=None):
        self.catalog = catalog
        self.folder = folder
        self.data_path = f"{folder}/data/"
        self.s3 = None
        self.encrypted = False  # set before a writer makes the lake
        self.postgres = postgres
        self.last_error = None
        self._kept = None
        if catalog == "duckdb":
            self.text = f"ducklake:{folder}/metadata/lake.ducklake"
        elif catalog == "sqlite":
            self.text = f"ducklake:sqlite:{folder}/metadata/lake.sqlite"
        else:
            self.database = postgres.create_database()
            self.text = f"ducklake:postgres:{postgres.connection_string(self.database)}"

    def group(self, table: str) -> str:
        """The group of tests that do not care: of this lake alone, since others on the same broker have tables of that name."""
        return f"pintail-{table}-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]}"

    def move_to(self, s3):
        """Data on an object store, in a bucket of its own; before the lake is made."""
        self.s3 = s3
        self.data_path = f"s3://{s3.make_bucket()}/a lake/data"

    @property
    def args(self) -> list:
        return ["--lake", self.text, "--data-path", self.data_path]

    @property
    def concurrent(self) -> bool:
        """Others may read while pintail has the lake open; a DuckDB-file catalog allows one process."""
        return self.catalog != "duckdb"

    def reader(self) -> Reader:
        return Reader(self)

    def writer(self) -> Reader:
        """Stock DuckDB that may change the lake (and makes it when it is missing)."""
        (self.folder / "metadata").mkdir(parents=True, exist_ok=True)
        return Reader(self, read_only=False)

    def read(self, question, default=None):
        """question(reader); default while the lake or a table of it is not there yet, is busy or out of reach. The reader is kept for the
        next question, where pintail does not mind."""
        try:
            if not self.concurrent:
                with self.reader() as reader:
                    return question(reader)
            self._kept = self._kept or self.reader()
            return question(self._kept)
        except duckdb.Error as e:
            self.last_error = e
            self.close()
            return default

    def close(self):
        if self._kept:
            self._kept.close()
            self._kept = None

    def files(self) -> list:
        """Every file under the data path."""
        if self.s3:
            return self.s3.objects(self.data_path)
        return sorted(str(p) for p in Path(self.data_path).rglob("*") if p.is_file())
