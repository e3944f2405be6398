"""What there is: streams, groups, consumers, read by XINFO in the dialect of any server.

Reads of a stream cost what its first and last entry weigh, and no more. What a
server does not say (its version, its ACL) is UNKNOWN, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from streamcli.reply import Error, Reply, Simple
from streamcli.text import bare
from streamcli.times import date_text
from streamcli.tools.job import RefusedError, ToolError, accepted, now_ms
from streamcli.tools.replies import items, number, record, string

if TYPE_CHECKING:
    from streamcli.backend import Backend

T = TypeVar("T")

SCAN_COUNT: Final = 1000
_GONE: Final = ("ERR no such key", "WRONGTYPE", "NOGROUP")  # what errors begin with that say so


class Stream(NamedTuple):
    """A stream at one moment. `first_ms` and `last_ms` are the times of its entries' IDs, None when it is empty.

    `added` counts the entries that were ever added: None on servers before 7.0.
    """

    length: int
    first_ms: int | None
    last_ms: int | None
    last_id: bytes
    added: int | None
    groups: int


class Group(NamedTuple):
    """A group at one moment. `lag` and `read` are None when the server does not know them."""

    name: bytes
    consumers: int
    pending: int
    last_id: bytes
    read: int | None
    lag: int | None


class Consumer(NamedTuple):
    """`idle` and `inactive` in ms; `inactive` is -1 for one that never got an entry, None before 7.2."""

    name: bytes
    pending: int
    idle: int
    inactive: int | None


# -- names ------------------------------------------------------------------------------------


def streams(backend: Backend, pattern: bytes | None = None) -> Iterator[list[bytes]]:
    """The names of the streams, some at a time, each once. Raises RefusedError, LostError, UnreachableError.

    A stream that is there all the time is found; one that comes or goes meanwhile may be.
    """
    seen: set[bytes] = set()
    typed = True
    cursor = b"0"
    while True:
        argv = [b"SCAN", cursor, *((b"MATCH", pattern) if pattern is not None else ()), b"COUNT", b"%d" % SCAN_COUNT]
        with _unexplained(backend):
            reply = backend.execute([*argv, b"TYPE", b"stream"] if typed else argv)
        if isinstance(reply, Error) and typed and reply.text.startswith("ERR syntax"):
            typed = False  # before Redis 6
            continue
        if isinstance(reply, Error):
            raise RefusedError(reply, argv)
        cursor, found = _scanned(reply)
        if not typed:
            found = _of_type_stream(backend, found)
        fresh = [name for name in dict.fromkeys(found) if name not in seen]
        seen.update(fresh)
        if fresh:
            yield fresh
        if cursor == b"0":
            return


@contextmanager
def _unexplained(backend: Backend) -> Iterator[None]:
    """How a cluster carries out a SCAN is for people who have typed one. All other notes are heard."""
    heard = backend.on_note
    if heard is not None:
        backend.on_note = lambda line: None if line.startswith("SCAN ") else heard(line)
    try:
        yield
    finally:
        backend.on_note = heard


def _scanned(reply: Reply) -> tuple[bytes, list[bytes]]:
    if isinstance(reply, list) and len(reply) == 2 and isinstance(reply[0], bytes) and isinstance(reply[1], list):
        return reply[0], [name for name in reply[1] if isinstance(name, bytes)]
    raise ToolError("SCAN was answered with something that is no list of keys")


def _of_type_stream(backend: Backend, names: list[bytes]) -> list[bytes]:
    types = backend.pipelined((b"TYPE", name) for name in names)
    return [name for name, type in zip(names, types, strict=True) if type == Simple("stream")]


def is_there(backend: Backend, name: bytes) -> bool:
    """Is there a stream of that name? Raises ToolError when it is of another kind, RefusedError."""
    argv = (b"TYPE", name)
    kind = string(accepted(backend.execute(argv), argv))
    if kind not in (b"stream", b"none"):
        raise ToolError(f"{bare(name)} is a {kind.decode('latin-1')}, no stream")
    return kind == b"stream"


def in_order_of_slots(backend: Backend, names: Iterable[bytes]) -> list[bytes]:
    """The names so that those which one node of a cluster has stand together: its commands then travel together."""
    if backend.server is None or backend.server.mode != "cluster":
        return list(names)
    from streamcli.backend.remote.slots import key_slot

    return sorted(names, key=key_slot)


# -- records ----------------------------------------------------------------------------------


def _count_or_none(value: Reply) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def id_ms(id: bytes) -> int | None:
    """The ms of an ID; None when it is none."""
    ms = id.partition(b"-")[0]
    return int(ms) if ms.isdigit() and len(ms) <= 20 else None


def is_time(ms: int | None) -> bool:
    """Can the ms of an ID be a time? IDs that somebody numbered by hand are none."""
    return ms is not None and bool(date_text(ms))


def stream(reply: Reply) -> Stream | None:
    """XINFO STREAM; None for anything else."""
    found = record(reply)
    if b"length" not in found:
        return None
    return Stream(
        number(found[b"length"]),
        _entry_ms(found.get(b"first-entry")),
        _entry_ms(found.get(b"last-entry")),
        string(found.get(b"last-generated-id")),
        _count_or_none(found.get(b"entries-added")),
        number(found.get(b"groups")),
    )


def _entry_ms(entry: Reply) -> int | None:
    return id_ms(entry[0]) if isinstance(entry, list) and entry and isinstance(entry[0], bytes) else None


def groups(reply: Reply) -> list[Group]:
    """XINFO GROUPS."""
    return [
        Group(
            string(found.get(b"name")),
            number(found.get(b"consumers")),
            number(found.get(b"pending")),
            string(found.get(b"last-delivered-id")),
            _count_or_none(found.get(b"entries-read")),
            _count_or_none(found.get(b"lag")),
        )
        for found in map(record, items(reply))
    ]


def consumers(reply: Reply) -> list[Consumer]:
    """XINFO CONSUMERS."""
    return [
        Consumer(
            string(found.get(b"name")),
            number(found.get(b"pending")),
            number(found.get(b"idle")),
            inactive if isinstance(inactive := found.get(b"inactive"), int) else None,
        )
        for found in map(record, items(reply))
    ]


# -- time, and what goes wrong ----------------------------------------------------------------


def clock(backend: Backend) -> int:
    """Now in ms, by the clock that makes the IDs: the server's, or ours when it does not tell."""
    return unix_ms(backend.execute((b"TIME",))) or now_ms()


def unix_ms(reply: Reply) -> int | None:
    """What TIME has answered, in ms; None for anything else."""
    if isinstance(reply, list) and len(reply) == 2:
        seconds, micros = reply
        if isinstance(seconds, bytes) and isinstance(micros, bytes) and seconds.isdigit() and micros.isdigit():
            return int(seconds) * 1000 + int(micros) // 1000
    return None


def is_gone(error: Error) -> bool:
    """Does it say that there is no such stream or group (any more)?"""
    return error.text.startswith(_GONE)


def by_clock(backend: Callable[[], Backend], read: Callable[[int], T]) -> T:
    """What `read` makes of that time. A UsageError of its own comes before anything is asked."""
    read(now_ms())
    return read(clock(backend()))


class Asked:
    """Questions about many names, sent ahead of each other; `refused` is the first that was not allowed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.refused: RefusedError | None = None
        self.refusals = 0

    def each(self, argvs: Sequence[Sequence[bytes]]) -> Iterator[Reply | None]:
        """The reply to each; None where there is nothing (any more) to tell of, or nobody may.

        Raises LostError, UnreachableError.
        """
        for argv, reply in zip(argvs, self._backend.pipelined(argvs), strict=True):
            if not isinstance(reply, Error):
                yield reply
                continue
            if not is_gone(reply):
                self.refusals += 1
                self.refused = self.refused or RefusedError(reply, argv)
            yield None

    @property
    def complaint(self) -> str | None:
        """A line that says what could not be asked; None when all could."""
        if self.refused is None:
            return None
        more = f" (and {self.refusals - 1:,} more like it)" if self.refusals > 1 else ""
        return f"not all is known: {self.refused}{more}"
