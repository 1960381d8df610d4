"""versitygw over a folder: a real S3 server on a free loopback port, with one pair of keys that may do everything, and users who may what they are given."""

import os
import signal
import subprocess
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from .procs import DEPS, Unavailable, end, free_port, guarded, tail, wait_for


def _keys() -> tuple:
    return f"KEY{uuid.uuid4().hex[:13].upper()}", uuid.uuid4().hex


class S3:
    """A server, whoever runs it."""

    def __init__(self, root, port: int, key: str, secret: str):
        self.program = DEPS / "bin" / "versitygw"
        self.root, self.port, self.key, self.secret = Path(root), port, key, secret

    def make_bucket(self) -> str:
        name = f"lake-{uuid.uuid4().hex[:12]}"
        (self.root / name).mkdir()  # what its posix backend holds to be a bucket
        return name

    def _admin(self, *arguments):
        subprocess.run(
            [
                self.program,
                "admin",
                "--access",
                self.key,
                "--secret",
                self.secret,
                "--endpoint-url",
                f"http://127.0.0.1:{self.port}",
                *arguments,
            ],
            check=True,
            capture_output=True,
            timeout=30,
        )

    def add_user(self) -> tuple:
        """Keys of somebody who may nothing yet."""
        key, secret = _keys()
        self._admin("create-user", "--access", key, "--secret", secret, "--role", "user")
        return key, secret

    def remove_user(self, key: str):
        self._admin("delete-user", "--access", key)

    def give_bucket(self, url: str, key: str):
        """The bucket of url is this user's; whose it was before may nothing there any more, except for the one with all rights."""
        self._admin("change-bucket-owner", "--bucket", url.removeprefix("s3://").split("/")[0], "--owner", key)

    def path(self, url: str) -> Path:
        """Where the server keeps the object."""
        return self.root / url.removeprefix("s3://")

    def objects(self, url: str) -> list:
        """s3://... of every object below url, as the server's own folder shows it."""
        return sorted(f"s3://{p.relative_to(self.root)}" for p in self.path(url).rglob("*") if p.is_file() and ".sgwtmp" not in p.parts)

    @property
    def environment(self) -> dict:
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
        }

    def create_secret(self, **changed) -> str:
        """CREATE SECRET as a user writes it; changed: other values of parameters."""
        values = {
            "KEY_ID": self.key,
            "SECRET": self.secret,
            "REGION": "us-east-1",
            "ENDPOINT": f"127.0.0.1:{self.port}",
            "URL_STYLE": "path",
            **changed,
        }
        return "CREATE SECRET (TYPE s3, USE_SSL false, " + ", ".join(f"{k} '{v}'" for k, v in values.items()) + ")"


class S3Server(S3):
    def __init__(self, folder: Path):
        program = DEPS / "bin" / "versitygw"
        if not program.exists():
            raise Unavailable(f"{program} is not there: deps/fetch test builds it, for which it needs Go 1.25 or newer")
        super().__init__(folder / "objects", free_port(), *_keys())
        self.log, self._users = folder / "versitygw.log", folder / "users"
        self.root.mkdir(parents=True)
        self._users.mkdir()
        self.process = None
        self.start()

    def shared(self) -> dict:
        return {"root": str(self.root), "port": self.port, "key": self.key, "secret": self.secret}

    def start(self):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "ROOT_ACCESS_KEY_ID": self.key,
            "ROOT_SECRET_ACCESS_KEY": self.secret,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                guarded(
                    [self.program, "--port", f"127.0.0.1:{self.port}", "--iam-dir", self._users, "--iam-cache-disable", "posix", self.root]
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

        def ready():
            assert self.process.poll() is None, f"versitygw ended with {self.process.returncode}:\n{tail(self.log)}"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2):
                    return True
            except urllib.error.HTTPError:
                return True  # it refuses us, so it is there
            except OSError:
                return False

        wait_for(ready, 30, f"versitygw on port {self.port}")

    def stop(self):
        self.thaw()
        end(self.process)

    remove = stop

    def freeze(self):
        """Connections are accepted and never answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
