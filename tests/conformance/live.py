"""A real Redis for as long as a test needs it: found, started on a socket of its own, stopped by its process id.

Where it is looked for: the program STREAMCLI_REDIS names; else the folder STREAMCLI_SERVERS names; else `.servers`
in the repository (what `make servers` makes). Nothing is taken from PATH: the recordings are of 8.0, and
a server of another version would only tell that versions differ. Not being found is no error here; the tests then
compare with the recordings alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.conformance.wire import Argv, Node, command, join, read

ROOT: Final = Path(__file__).resolve().parents[2]
DEFAULTS: Final = (  # what scripts and random sequences may change
    (b"stream-node-max-entries", b"100"),
    (b"stream-node-max-bytes", b"4096"),
)


def launcher(server: str = "redis") -> list[str] | None:
    """The words that start the server, or None when there is none to be had."""
    named = os.environ.get("STREAMCLI_REDIS")
    return [named] if named and server == "redis" else unpacked(f"{server}-server")


def unpacked(program: str) -> list[str] | None:
    """The words that start a program which `make servers` has brought, or None."""
    for folder in filter(None, [os.environ.get("STREAMCLI_SERVERS"), str(ROOT / ".servers")]):
        words = _unpacked(Path(folder), program)
        if words:
            return words
    return None


def _unpacked(folder: Path, name: str) -> list[str] | None:
    """An unpacked server is started by the loader it came with: it is newer than the system's libraries."""
    root = folder / "root" / "usr"
    program = root / "bin" / name
    for libraries in sorted((root / "lib").glob("*-linux-gnu*")):
        for loader in [*libraries.glob("ld-linux*.so.*"), *(folder / "root" / "usr").glob("lib*/ld-linux*.so.*")]:
            if program.exists():
                return [str(loader), "--library-path", str(libraries), str(program)]
    return None


class Server:
    """A running server; `close()` ends it."""

    def __init__(self, words: list[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="streamcli-live-")
        self.path = str(Path(self._folder.name) / "s")
        self.port = _free_port()
        options = (
            f"--port {self.port} --bind 127.0.0.1 --unixsocket {self.path} --dir {self._folder.name} --appendonly no"
        )
        self._process = subprocess.Popen(
            [*words, *options.split(), "--save", "", "--enable-debug-command", "local"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """Reads the server's log up to the line that says it listens; after it nobody reads, so the pipe is closed."""
        assert self._process.stdout is not None
        seen: list[str] = []
        with self._process.stdout as log:
            for line in log:
                seen.append(line)
                if "accept connections" in line and "unix" in line.lower():
                    return
        self.close()
        raise RuntimeError("the server did not start:\n" + "".join(seen[-5:]))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()

    def connect(self, protocol: int = 2) -> Connection:
        return Connection(self.path, protocol)

    def reset(self) -> None:
        """Empties every database and puts the settings back."""
        with contextlib.closing(self.connect()) as connection:
            connection.call([b"FLUSHALL"])
            for name, value in DEFAULTS:
                connection.call([b"CONFIG", b"SET", name, value])

    def version(self) -> str:
        with contextlib.closing(self.connect()) as connection:
            info = join(connection.call([b"INFO", b"server"])).decode()
        return next(line.partition(":")[2] for line in info.splitlines() if line.startswith("redis_version:"))


class Connection:
    """One client of a live server; replies come back as the bytes they were."""

    def __init__(self, path: str, protocol: int = 2) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb", 1 << 18)
        if protocol == 3:
            self.call([b"HELLO", b"3"])

    def call(self, argv: Argv) -> Node:
        self.send(argv)
        return self.receive()

    def send(self, argv: Argv) -> None:
        """Sends a command whose reply may be long in coming."""
        self._socket.sendall(command(argv))

    def receive(self) -> Node:
        """The reply to the oldest command that has none yet."""
        return read(self._file)

    def pipeline(self, lines: Iterable[Argv]) -> list[Node]:
        """All replies to all lines, sent at once: the server buffers replies, so nothing can jam."""
        waiting = [command(argv) for argv in lines]
        self._socket.sendall(b"".join(waiting))
        return [read(self._file) for _ in waiting]

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(server: str = "redis") -> Iterator[Server | None]:
    """A server while the block lasts, or None; a Redis found by looking around has to be an 8.0."""
    words = launcher(server)
    if words is None:
        yield None
        return
    started = Server(words)
    try:
        wanted = server != "redis" or "STREAMCLI_REDIS" in os.environ or started.version().startswith("8.0.")
        yield started if wanted else None
    finally:
        started.close()
