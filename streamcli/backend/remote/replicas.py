"""A backend that reads from a replica and writes to its primary.

What only reads goes to the replica, what writes, and all of a transaction, to
the primary; so does what is not known to only read. A replica may be a moment
behind: what was just written may not be there yet. Without a replica that can
be reached the primary is read, and that is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Final

from streamcli.backend import Ready, Server, UnreachableError
from streamcli.backend.address import Address
from streamcli.backend.remote.attended import Attended
from streamcli.backend.remote.one import Remote
from streamcli.grammar.parse import parse
from streamcli.reply import Error, Reply, Verbatim

NOT_YET: Final = ("LOADING", "MASTERDOWN")  # a replica that cannot be read from
OF_THE_CONNECTION: Final = frozenset((b"AUTH", b"HELLO", b"RESET", b"SELECT"))


class Replicas(Attended):
    """The primary is connected already; `address` says how either is reached."""

    def __init__(self, primary: Remote, address: Address) -> None:
        super().__init__()
        self._primary = primary
        self._address = address
        self._replica: Remote | None = None
        self._looked = False  # for a replica, since the primary's connection was made
        self._is_primary = True  # of what was named; if not, it is a replica to read from itself
        self._flags: dict[bytes, bool] = {}
        self._told = ""
        self.attend(primary)

    @property
    def target(self) -> str:
        return str(self._address)

    @property
    def db(self) -> int:
        return self._primary.db

    @property
    def user(self) -> str | None:
        return self._primary.user

    @property
    def queued(self) -> int | None:
        return self._primary.queued

    @property
    def server(self) -> Server | None:
        return self._primary.server

    # -- commands --------------------------------------------------------------------------

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        self._stopped, self._busy = False, True
        try:
            if self._primary.state.binds or not self._only_reads(argv):
                return self._at_the_primary(argv, arriving)
            replica = self._reader()
            if replica is not None:
                try:
                    reply = replica.execute(argv, arriving=arriving)
                except UnreachableError as error:
                    self._say(f"{error}; the primary is read")
                    self._replica, self._looked = None, False
                else:
                    if not (isinstance(reply, Error) and reply.code in NOT_YET):
                        self._told = ""
                        return reply
                    self._say(f"the replica {replica.link.at} cannot be read yet; the primary is read")
            return self._at_the_primary(argv, arriving)
        finally:
            self._busy = False

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        """At the primary: what is read behind a write is to be what was written."""
        return self._primary.pipelined(argvs, window=window)

    def poured(
        self, blocks: Iterable[Ready], *, window: int, still: Callable[[], bool] | None = None
    ) -> Generator[int | list[Reply], None, None]:
        return self._primary.poured(blocks, window=window, still=still)

    def _at_the_primary(self, argv: Sequence[bytes], arriving: bool) -> Reply:
        reply = self._primary.execute(argv, arriving=arriving)
        if argv[0].upper() in OF_THE_CONNECTION and not isinstance(reply, Error) and self._replica is not None:
            self._replica.drop()  # it is another user's now, or of another database
        return reply

    def _only_reads(self, argv: Sequence[bytes]) -> bool:
        """By the table, or else by the server's own word, which is asked for once."""
        call = parse(argv)
        if call.command is not None:
            return "readonly" in call.command.flags and not call.command.writes
        name = argv[0].upper()
        known = self._flags.get(name)
        if known is None:
            reply = self._primary.browse((b"COMMAND", b"INFO", name))
            known = self._flags[name] = _has_flag(reply, "readonly")
        return known

    def _reader(self) -> Remote | None:
        """The replica, found when it is first needed; None when there is none."""
        if not self._looked:
            self._looked = True
            self._replica = self._find()
            if self._replica is None and self._is_primary:
                self._say("there is no replica to read from; the primary is read")
        replica = self._replica
        if replica is not None:
            now = self._primary.state.address
            wanted = replica.state.address._replace(
                user=now.user, password=now.password, protocol=now.protocol, db=now.db
            )
            if wanted != replica.state.address:
                replica.state.address = wanted
                replica.drop()
        return replica

    def _find(self) -> Remote | None:
        """A replica that is connected to its primary; through Sentinel it is found anew for every connection."""
        now = self._primary.state.address
        if now.sentinels:
            at = now._replace(replica=True)
        else:
            info = self._primary.browse((b"INFO", b"replication"))
            self._is_primary = b"role:slave" not in _text(info)
            nodes = replicas(info)
            if not nodes:
                return None
            at = now._replace(host=nodes[0][0], port=nodes[0][1], path=None)
        node = Remote(at, at_once=False)
        self.attend(node)
        return node

    # -- waiting and stopping ------------------------------------------------------------------

    def stop(self, *, writes: bool) -> None:
        super().stop(writes=writes)
        for node in self._nodes():
            node.stop(writes=writes)

    def _nodes(self) -> list[Remote]:
        return [self._primary] if self._replica is None else [self._primary, self._replica]

    def _say(self, line: str) -> None:
        if line != self._told:
            self._told = line
            self._note(line)

    # -- beside the session ------------------------------------------------------------------------

    def beside(self) -> Replicas:
        return Replicas(self._primary.beside(), self._primary.state.address._replace(replica=True))

    def browse(self, argv: Sequence[bytes]) -> Reply:
        return self._primary.browse(argv)

    def listen(self, argv: Sequence[bytes]) -> Iterator[Reply]:
        return self._primary.listen(argv)

    def close(self) -> None:
        for node in self._nodes():
            node.close()


def replicas(info: Reply) -> list[tuple[str, int]]:
    """Host and port of the replicas in INFO replication that are connected, the one furthest on first."""
    found: list[tuple[int, str, int]] = []
    for line in _text(info).decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if not (name.startswith("slave") and name[5:].isdigit()):
            continue
        parts = dict(part.partition("=")[::2] for part in value.split(","))
        host, port, offset = parts.get("ip", ""), parts.get("port", ""), parts.get("offset", "")
        if parts.get("state") == "online" and host.isprintable() and host and _is_port(port):
            found.append((-int(offset) if offset.isdigit() else 0, host, int(port)))
    return [(host, port) for _, host, port in sorted(found)]


def _text(reply: Reply) -> bytes:
    text = reply.data if isinstance(reply, Verbatim) else reply
    return text if isinstance(text, bytes) else b""


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535


def _has_flag(reply: Reply, flag: str) -> bool:
    """Of a COMMAND INFO about one command."""
    row = reply[0] if isinstance(reply, list) and reply else None
    flags = row[2] if isinstance(row, list) and len(row) > 2 else None
    items = getattr(flags, "items", flags)
    if not isinstance(items, list):
        return False
    return flag in [getattr(item, "text", item.decode() if isinstance(item, bytes) else "") for item in items]
