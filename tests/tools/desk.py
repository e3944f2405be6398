"""A Job in this process, with all that it shows and says kept; and a place with streams, for a tool to work at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streamcli.backend import Backend
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
from streamcli.flags import take
from streamcli.render import Options
from streamcli.reply import Reply
from streamcli.tools import tool
from streamcli.tools.job import Given, Job
from tests.remote.cluster import Cluster
from tests.remote.processes import Server

Open = Callable[[str], Backend]


class Desk:
    """The World of a tool; `answers` are what a person says to its questions, True when they run out."""

    def __init__(
        self,
        backend: Backend,
        format: str | None = None,
        *,
        options: Options | None = None,
        places: Mapping[str, Backend] | None = None,
        answers: Sequence[bool] = (),
        environment: Mapping[str, str] | None = None,
        prompt: bool = False,
        read_only: bool = False,
    ) -> None:
        self.shown: list[str] = []
        self.said: list[str] = []
        self.asked: list[str] = []
        self._at, self._places, self._answers = backend, places or {}, list(answers)
        self._home = TemporaryDirectory()  # for what a tool keeps; gone with the desk
        environment = {"HOME": self._home.name, **(environment or {})}
        self.job = Job(self, format, options or Options(), environment, prompt=prompt, read_only=read_only)

    def run(self, name: str, *words: str | bytes) -> int:
        """Run a tool as a command line would; what it raises comes out."""
        chosen = tool(name)
        said = [word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word for word in words]
        values, plain = take(chosen.own_flags, said, anywhere=True)
        given = Given([word.encode("utf-8", "surrogateescape") for word in plain], values)
        chosen.check(given.words)
        if "format" in values and self.job.format is None:
            self.job = Job(self, str(values["format"]), self.job.options, self.job.environment)
        return chosen.run(self.job, given)

    @property
    def text(self) -> str:
        """All that was shown, as lines."""
        return "".join(f"{chunk}\n" for chunk in self.shown)

    # -- the World ---------------------------------------------------------------------------

    def backend(self) -> Backend:
        return self._at

    def show(self, chunks: Iterable[str], *, live: bool) -> None:
        self.shown.extend(chunks)

    def unread(self) -> bool:
        return False

    def say(self, line: str) -> None:
        self.said.append(line)

    def open(self, target: str, *, writes: bool) -> Backend:
        return self._places[target]

    def agrees(self, question: str) -> bool:
        self.asked.append(question)
        return self._answers.pop(0) if self._answers else True


class There:
    """A place with streams: `kind` is "engine", "server" or "cluster"; `args` go to it on a command line.

    `name` is what a prompt calls it.
    """

    def __init__(self, kind: str, name: str, args: list[str], open: Callable[[], Backend]) -> None:
        self.kind, self.name, self.args, self._open = kind, name, args, open
        self._backends: list[Backend] = []

    def backend(self) -> Backend:
        """A connection of one's own; closed with the test."""
        backend = self._open()
        self._backends.append(backend)
        return backend

    def call(self, *words: bytes | str | int) -> Any:
        """The reply to a command: what is truly there."""
        if not self._backends:
            self.backend()
        reply: Reply = self._backends[0].execute([
            word if isinstance(word, bytes) else str(word).encode() for word in words
        ])  # fmt: skip
        return reply

    def close(self) -> None:
        for backend in self._backends:
            backend.close()


def on_engine(file: Path) -> There:
    return There("engine", file.name, ["--db", str(file)], lambda: Embedded(str(file)))


def on_server(server: Server) -> There:
    args = ["-h", "127.0.0.1", "-p", str(server.port)]
    return There("server", str(server.address()), args, lambda: connect(server.address()))


def on_cluster(cluster: Cluster) -> There:
    address = cluster.address()
    return There(
        "cluster", f"cluster {address}", ["-c", "-h", address.host, "-p", str(address.port)], lambda: connect(address)
    )
