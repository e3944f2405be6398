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


class Trim(NamedTuple):
    """What to trim to: one of `maxlen` and `minid`; `mark` is `~`, `=` or None."""

    maxlen: int | None
    minid: StreamID | None
    mark: str | None
    limit: int | None

    def most(self, config: Config) -> int:
        """How many entries may go in one call; 0 for any number."""
        if self.mark != _APPROXIMATELY:
            return 0
        if self.limit is not None:
            return self.limit
        by_nodes = _LIMIT_NODES * config.node.entries
        return min(by_nodes if by_nodes > 0 else _LIMIT_WITHOUT_NODES, _LIMIT_MAX)


def trim(stream: Stream, how: Trim, config: Config) -> int:
    """How many entries went.

    Source: streamTrim. Node by node from the oldest: one that lies wholly
    outside goes whole; of the first that does not, `~` leaves everything and an
    exact trim takes what is too much.
    """
    most, removed = how.most(config), 0
    below = how.minid.packed if how.minid is not None else None
    while how.maxlen is None or stream.length > how.maxlen:
        node = stream.first_node()
        if node is None:
            break
        if most and removed + node.live > most:
            break
        if _outside(stream, node, how.maxlen, below):
            removed += node.live
            stream.drop_first_node(node)
            continue
        if how.mark != _APPROXIMATELY:
            excess = stream.length - how.maxlen if how.maxlen is not None else None
            removed += stream.drop_from_first_node(node, most=excess, below=below)
        break
    return removed


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
) -> Reply:
    """How many entries went; 0 for a missing key."""
    stream = ctx.stream(key)
    if stream is None:
        return 0
    removed = trim(stream, Trim(maxlen, minid, maxlen_mark or minid_mark, limit), ctx.engine.config)
    if removed:
        ctx.touch(key, stream)
    return removed
