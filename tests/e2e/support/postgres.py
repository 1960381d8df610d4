"""A PostgreSQL server of our own, on a free loopback port, without a password."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

from .procs import Unavailable, end, free_port, guarded, once_per_run, tail, wait_for


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]) if p.parts[-3].isdigit() else 0)
    if found:
        return found[-1].parent
    if shutil.which("initdb"):
        return Path(os.path.realpath(shutil.which("initdb"))).parent
    raise Unavailable("no PostgreSQL server: apt-get install postgresql (deps/fetch test does it)")


def _account() -> dict:
    """Whom the server's programs run as: they refuse root."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        raise Unavailable("PostgreSQL refuses to run as root, and there is no user postgres to run it as") from None
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class Postgres:
    """A server on the port, whoever runs it."""

    def __init__(self, port: int):
        self.port = port
        self.programs, self._user = _programs(), _account()

    def _run(self, program, *arguments):
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            text=True,
            capture_output=True,
            timeout=60,
            **self._user,
        )

    def sql(self, text: str, database="postgres") -> str:
        done = self._run(
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database, "-AtX", "-v", "ON_ERROR_STOP=1", "-c", text
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create_database(self) -> str:
        name = f"lake_{uuid.uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def connection_string(self, database: str) -> str:
        return f"dbname={database} host=127.0.0.1 port={self.port} user=postgres"


class PostgresServer(Postgres):
    def __init__(self, **settings):
        """settings: of postgresql.conf, over those of start()."""
        super().__init__(free_port())
        self._settings = settings
        # Not below pytest's folder: that one is closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="pintail-pg-"))
        self.log = self.folder / "postgres.log"
        self.process = None
        self._own(self.folder)
        subprocess.run(["cp", "-a", once_per_run("postgres-template", self._initdb) / "db", self.folder / "db"], check=True)
        self.start()

    def _own(self, folder: Path):
        if self._user:
            os.chown(folder, self._user["user"], self._user["group"])

    def _initdb(self, folder: Path):
        self._own(folder)
        done = self._run("initdb", "-D", folder / "db", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        assert done.returncode == 0, done.stderr

    def shared(self) -> dict:
        return {"port": self.port}

    def start(self):
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
            "max_connections": 200,
            "log_min_messages": "fatal",
            **self._settings,
        }
        arguments = [a for k, v in settings.items() for a in ("-c", f"{k}={v}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                guarded([self.programs / "postgres", "-D", self.folder / "db", *arguments]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"LC_ALL": "C"},
                start_new_session=True,
                **self._user,
            )

        def ready():
            assert self.process.poll() is None, f"PostgreSQL ended with {self.process.returncode}:\n{tail(self.log)}"
            return self._run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q").returncode == 0

        wait_for(ready, 30, f"PostgreSQL on port {self.port}")

    def stop(self):
        end(self.process, signal.SIGINT)  # fast shutdown

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class StandbyServer(PostgresServer):
    """A streaming standby of another server, which it follows until it is cut off, and takes the place of when it is promoted."""

    def __init__(self, primary: PostgresServer):
        self._settings = {}
        self.programs = primary.programs
        self._user = primary._user
        self.folder = Path(tempfile.mkdtemp(prefix="pintail-pg-"))
        if self._user:
            os.chown(self.folder, self._user["user"], self._user["group"])
        self.port = free_port()
        self.log = self.folder / "postgres.log"
        self.process = None
        self.primary = primary
        done = self._run(
            "pg_basebackup",
            "-h",
            "127.0.0.1",
            "-p",
            str(primary.port),
            "-U",
            "postgres",
            "-D",
            self.folder / "db",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
        )
        assert done.returncode == 0, done.stderr
        self.start()

    def wait_level(self):
        """Until it has all that the primary has now."""
        lsn = self.primary.sql("SELECT pg_current_wal_insert_lsn()")
        wait_for(lambda: self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "t", 30, "the standby to follow")

    def cut_off(self):
        """From here on it gets nothing any more."""
        self.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("SELECT pg_reload_conf()")
        wait_for(lambda: self.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0", 30, "the standby to be cut off")

    def promote(self):
        assert self.sql("SELECT pg_promote()") == "t"
