"""Start `streamcli serve`, reach it, end it. It has the face of `tests.conformance.live.Server`, and more."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conformance.live import DEFAULTS, Connection
from tests.conformance.wire import Argv, command, join
from tests.e2e.program import DEADLINE, ROOT, until


class Served:
    """A server on a free port and on a unix socket; `flags` are added to it."""

    def __init__(self, *flags: str | Path, environment: Mapping[str, str] | None = None, files: int | None = None):
        self._folder = tempfile.TemporaryDirectory(prefix="streamcli-served-")
        self.path = os.path.join(self._folder.name, "s")
        self.log: list[str] = []
        given = [str(flag) for flag in flags]
        if "--db" not in given:
            given.append("--memory")
        words = [sys.executable, "-m", "streamcli", "serve", "--port", "0", "--unixsocket", self.path, *given]
        if files is not None:
            words = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *words]
        self.process = subprocess.Popen(
            words,
            cwd=ROOT,
            env={**os.environ, "HOME": self._folder.name, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.ready = self.process.stdout.readline()
        if not self.ready:
            self.process.wait(DEADLINE)
            self._listener.join(DEADLINE)
            raise RuntimeError(f"it did not start: {self.log}")
        self.port = int(self.ready.partition(" and ")[0].rpartition(":")[2])

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.log.append(line.rstrip("\n"))

    # -- reaching it ---------------------------------------------------------------------

    def connect(self, protocol: int = 2) -> Connection:
        return Connection(self.path, protocol)

    def call(self, *words: str | bytes) -> bytes:
        """The reply to one command on a connection of its own, as it was on the wire."""
        with contextlib.closing(self.connect()) as connection:
            return join(connection.call(argv(*words)))

    def client(self, **options: Any) -> Any:
        """redis-py, which asks once."""
        given: dict[str, Any] = {
            "decode_responses": True,
            "socket_timeout": DEADLINE,
            "retry": Retry(NoBackoff(), 0),
        } | options
        return redis.Redis(port=self.port, **given)

    def socket(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(DEADLINE)
        return connection

    def reset(self) -> None:
        """Empties every database, puts the settings back, and sends away whom an earlier test has left."""
        with contextlib.closing(self.connect()) as connection:
            connection.call([b"FLUSHALL"])
            for name, value in DEFAULTS:
                connection.call([b"CONFIG", b"SET", name, value])
            connection.call([b"CLIENT", b"KILL", b"TYPE", b"normal"])

    def info(self, section: str) -> dict[str, str]:
        """INFO's lines of one section."""
        text = self.call("INFO", section).decode("utf-8", "replace")
        return dict(line.partition(":")[::2] for line in text.split("\r\n") if ":" in line)

    def wait_until_blocked(self, clients: int) -> None:
        until(lambda: self.info("clients")["blocked_clients"] == str(clients), f"{clients} clients wait")

    # -- ending it -----------------------------------------------------------------------

    def end(self, with_signal: int = signal.SIGTERM) -> int:
        """The exit code."""
        self.process.send_signal(with_signal)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(DEADLINE)
        self._listener.join(DEADLINE)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._folder.cleanup()


def argv(*words: str | bytes) -> Argv:
    return [word.encode() if isinstance(word, str) else word for word in words]


def sent(*lines: str) -> bytes:
    """Commands as a client sends them; words are apart by blanks."""
    return b"".join(command(argv(*line.split(" "))) for line in lines)


def heard(connection: socket.socket, until_closed: bool = False, size: int = 0) -> bytes:
    """So many bytes, or all there is until the server hangs up; a server that resets has hung up, too."""
    data = b""
    while until_closed or len(data) < size:
        try:
            chunk = connection.recv(65536)
        except ConnectionError:
            break
        if not chunk:
            break
        data += chunk
    return data


@contextlib.contextmanager
def serving(*flags: str | Path, **options: Any) -> Iterator[Served]:
    server = Served(*flags, **options)
    try:
        yield server
    finally:
        server.close()
