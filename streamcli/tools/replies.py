"""Reading what commands answer, in either protocol. A server may send anything: what is not as expected is nothing."""

from __future__ import annotations

from streamcli.reply import Map, Reply, Simple


def items(reply: Reply) -> list[Reply]:
    """An array's items; none of anything else."""
    return reply if isinstance(reply, list) else []


def record(reply: Reply) -> dict[bytes, Reply]:
    """Values by name: of a map, or of the flat array that stands for one in RESP2."""
    if isinstance(reply, Map):
        return {string(name): value for name, value in reply.pairs}
    flat = iter(items(reply))
    return {string(name): value for name, value in zip(flat, flat, strict=False)}


def number(reply: Reply, other: int = 0) -> int:
    """An integer; `other` when it is none."""
    return reply if isinstance(reply, int) else other


def string(reply: Reply) -> bytes:
    """A bulk string or a status; empty when it is neither."""
    if isinstance(reply, Simple):
        return reply.text.encode("utf-8", "surrogateescape")
    return reply if isinstance(reply, bytes) else b""
