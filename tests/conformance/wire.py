"""The wire, read without understanding it: commands out, replies framed and kept as the bytes they were.

A second reader of RESP beside `streamcli.resp`, on purpose: a fault of the one would otherwise hide in the other.
It knows nothing of streams.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias

Argv: TypeAlias = list[bytes]


class Stream(Protocol):
    """The part of a buffered binary file that framing needs."""

    def readline(self) -> bytes: ...

    def read(self, size: int, /) -> bytes: ...


class Aggregate:
    """An array, map, set or push: its header line and its elements, a map's pairs laid flat."""

    __slots__ = ("head", "items")

    def __init__(self, head: bytes, items: list[Node]) -> None:
        self.head = head
        self.items = items

    def fields(self) -> Iterable[tuple[bytes, int]]:
        """Each field's name, and where its value stands in `items`; the same for a map and a flat array."""
        for at in range(0, len(self.items) - 1, 2):
            yield text(self.items[at]), at + 1


Node: TypeAlias = "bytes | Aggregate"


def command(argv: Argv) -> bytes:
    """The bytes a client sends."""
    return b"*%d\r\n" % len(argv) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in argv])


def read(stream: Stream) -> Node:
    """The next reply; EOFError when there is none."""
    head = stream.readline()
    if not head.endswith(b"\r\n"):
        raise EOFError(f"the reply ends early: {head!r}")
    kind = head[:1]
    if kind in b"*~>":
        return Aggregate(head, [read(stream) for _ in range(int(head[1:]))]) if head[1:2] != b"-" else head
    if kind in b"%|":
        return Aggregate(head, [read(stream) for _ in range(2 * int(head[1:]))])
    if kind in b"$=!" and head[1:2] != b"-":
        return head + stream.read(int(head[1:]) + 2)
    return head


def join(node: Node) -> bytes:
    """The bytes a node was read from."""
    if isinstance(node, bytes):
        return node
    parts: list[bytes] = []
    _collect(node, parts)
    return b"".join(parts)


def _collect(node: Aggregate, parts: list[bytes]) -> None:
    parts.append(node.head)
    for item in node.items:
        if isinstance(item, bytes):
            parts.append(item)
        else:
            _collect(item, parts)


def text(node: Node) -> bytes:
    """What a simple or bulk string says; an empty string for anything else."""
    if isinstance(node, Aggregate):
        return b""
    if node[:1] == b"$":
        return node[node.find(b"\n") + 1 : -2]
    return node[1:-2]


def integer(node: Node) -> int | None:
    """The value of an integer reply, or None."""
    return int(node[1:-2]) if isinstance(node, bytes) and node[:1] == b":" else None
