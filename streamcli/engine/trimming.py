"""XTRIM, and the trimming that XADD does: by whole nodes where that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streamcli.engine.engine import Context, handles
from streamcli.reply import Reply

if TYPE_CHECKING:
    from streamcli.engine.config import Config
    from streamcli.ids import StreamID
    from streamcli.storage.streams import Node, Stream

_APPROXIMATELY = "~"
_LIMIT_NODES = 100  # Redis: `~` looks at no more than this many nodes' worth of entries a call ...
_LIMIT_WITHOUT_NODES = 10_000
_LIMIT_MAX = 1_000_000  # ... within reason


KEEPREF, DELREF, ACKED = range(3)


def references(keepref: bool, delref: bool, acked: bool) -> int:
    """Which of the three was given; KEEPREF when none was."""
    return DELREF if delref else ACKED if acked else KEEPREF


class Trim(NamedTuple):
    """What to trim to: one of `maxlen` and `minid`; `mark` is `~`, `=` or None."""

    maxlen: int | None
    minid: StreamID | None
    mark: str | None
    limit: int | None
    references: int = KEEPREF

    def most(self, config: Config) -> int:
        """How many entries may go in one call; 0 for any number."""
        if self.mark != _APPROXIMATELY:
            return 0
        if self.limit is not None:
            return self.limit
        by_nodes = _LIMIT_NODES * config.node.entries
        return min(by_nodes if by_nodes > 0 else _LIMIT_WITHOUT_NODES, _LIMIT_MAX)

    def excess(self, stream: Stream) -> int:
        """How many entries there are too many; -1 when it goes by ID."""
        return -1 if self.maxlen is None else stream.length - self.maxlen


def trim(stream: Stream, how: Trim, config: Config) -> int:
    """How many entries went.

    Source: streamTrim. Node by node from the oldest: one that lies wholly
    outside goes whole; of the first that does not, `~` leaves everything and an
    exact trim takes what is too much. Redis: with DELREF and ACKED `~` trims
    exactly, and only LIMIT tells the two apart.
    """
    most, removed = how.most(config), 0
    below = how.minid.packed if how.minid is not None else None
    node = stream.first_node()
    while node is not None and (how.maxlen is None or stream.length > how.maxlen):
        if most and removed + node.live > most:
            break
        outside = _outside(stream, node, how.maxlen, below)
        if how.references != KEEPREF:
            following = stream.node_after(node)
            removed += _drop(stream, node, how, below)
            if node.live and not outside:  # Redis: so ACKED may stop before it has found all that could go
                break
            node = following
        elif outside:
            removed += node.live
            stream.drop_first_node(node)
            node = stream.first_node()
        else:
            if how.mark != _APPROXIMATELY:
                excess = how.excess(stream)
                removed += stream.drop_from_first_node(node, most=excess if excess >= 0 else None, below=below)
            break
    return removed


def _drop(stream: Stream, node: Node, how: Trim, below: bytes | None) -> int:
    """How many of a node's entries went, with an eye on the groups."""
    ids = stream.ids_in(node, most=how.excess(stream), below=below, acked=how.references == ACKED)
    if ids and how.references == DELREF:
        stream.unreference(ids[0], ids[-1])
    stream.drop(node, ids)
    return len(ids)


def _outside(stream: Stream, node: Node, maxlen: int | None, below: bytes | None) -> bool:
    if maxlen is not None:
        return stream.length - node.live >= maxlen
    return below is not None and node.last < below


@handles("XTRIM")
def xtrim(
    ctx: Context,
    *,
    key: bytes,
    maxlen: int | None = None,
    maxlen_mark: str | None = None,
    minid: StreamID | None = None,
    minid_mark: str | None = None,
    limit: int | None = None,
    keepref: bool = False,
    delref: bool = False,
    acked: bool = False,
) -> Reply:
    """How many entries went; 0 for a missing key."""
    stream = ctx.stream(key)
    if stream is None:
        return 0
    how = Trim(maxlen, minid, maxlen_mark or minid_mark, limit, references(keepref, delref, acked))
    removed = trim(stream, how, ctx.engine.config)
    if removed:
        ctx.touch(key, stream)
    return removed
