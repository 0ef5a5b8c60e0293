"""Real servers for the tests: PostgreSQL, Redis and nginx as Debian has them, on loopback, in a directory of their own.

PostgreSQL does not run as root: where the tests do, it runs as the user that its package made.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest

DEADLINE = 10.0
PASSWORD = "s3cret/pass:word@x"


def program(name: str, *places: str) -> str:
    """Where a program is; the test is skipped where it is not."""
    found = shutil.which(name) or next((str(path) for place in places for path in sorted(Path("/").glob(place))), None)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


_held: list[socket.socket] = []


def free_port() -> int:
    """A port for one server of the test's own, on which nobody listens yet.

    It is held without listening, which lets a server have it that asks for its very number, and nobody else: the tests
    beside these ask for any port many times a second.
    """
    holding = socket.socket()
    holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holding.bind(("127.0.0.1", 0))
    _held.append(holding)
    return int(holding.getsockname()[1])


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Engine:
    """One server: `start`, `stop`, `start` again on the same port, with what it keeps."""

    def __init__(self, arguments: Sequence[str], port: int, *, user: str | None = None) -> None:
        self.port = port
        self.place = Path(tempfile.mkdtemp(prefix="streamchat-engine-"))
        self._arguments, self._user = arguments, user
        self._process: subprocess.Popen[bytes] | None = None
        if user is not None:
            shutil.chown(self.place, user)

    def run(self, *arguments: str, **options: Any) -> None:
        """Run a program where the server runs, as who it runs."""
        subprocess.run(arguments, check=True, capture_output=True, cwd=self.place, **self._as(), **options)

    def start(self) -> None:
        log = (self.place / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [argument.format(port=self.port, place=self.place) for argument in self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.place,
                **self._as(),
            )
        until = time.monotonic() + DEADLINE
        while not self.ready():
            assert self._process.poll() is None and time.monotonic() < until, (self.place / "log").read_text()
            time.sleep(0.01)

    def ready(self) -> bool:
        """Whether it answers."""
        return listening(self.port)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; for PostgreSQL SIGINT is the one that does not wait for its clients."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(DEADLINE)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGQUIT)  # at once: nothing of it is wanted any more
        shutil.rmtree(self.place, ignore_errors=True)

    def _as(self) -> dict[str, Any]:
        return {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}


class Postgres(Engine):
    """A PostgreSQL whose user has a password."""

    def __init__(self) -> None:
        postgres = program("postgres", "usr/lib/postgresql/*/bin/postgres")
        options = ("fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=16MB")
        flags = [flag for option in options for flag in ("-c", option)]
        super().__init__(
            [postgres, "-D", "{place}/data", "-p", "{port}", *flags],
            free_port(),
            user="postgres" if os.geteuid() == 0 else None,
        )
        (self.place / "password").write_text(PASSWORD)
        self._made = 0
        initdb = str(Path(postgres).with_name("initdb"))
        how = ("-A", "scram-sha-256", "--pwfile=password", "-U", "team", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.run(initdb, "-D", "data", *how)

    def ready(self) -> bool:
        import psycopg

        try:
            self._admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def database(self) -> str:
        """The address of a new database."""
        self._made += 1
        name = f"chat{self._made}"
        with self._admin() as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return f"postgresql://team:{PASSWORD.replace('/', '%2F').replace('@', '%40')}@127.0.0.1:{self.port}/{name}"

    def _admin(self) -> Any:
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="team", password=PASSWORD, dbname="postgres", autocommit=True
        )


class Redis(Engine):
    """A Redis that keeps nothing on disk."""

    def __init__(self) -> None:
        redis = program("redis-server")
        super().__init__(
            [redis, "--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], free_port()
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


class Nginx(Engine):
    """An nginx before some servers, configured as the README says."""

    def __init__(self, *ports: int) -> None:
        nginx = program("nginx", "usr/sbin/nginx")
        super().__init__([nginx, "-c", "{place}/nginx.conf", "-p", "{place}", "-e", "{place}/log"], free_port())
        servers = " ".join(f"server 127.0.0.1:{port};" for port in ports)
        (self.place / "nginx.conf").write_text(_NGINX % (self.place, servers, self.port))


_NGINX = """
daemon off;
worker_processes 1;
pid %s/pid;
events { worker_connections 256; }
http {
  access_log off;
  upstream streamchat { %s }
  server {
    listen 127.0.0.1:%d;
    location / {
      proxy_pass http://streamchat;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering off;
      proxy_read_timeout 1h;
      proxy_next_upstream error timeout;
      gzip off;
    }
  }
}
"""
