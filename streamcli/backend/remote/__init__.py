"""Servers: one, found through Sentinel or not, with replicas to read from or not; or a cluster.

The only room that knows redis-py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from streamcli.backend import Backend, LostError
from streamcli.backend.address import Address

if TYPE_CHECKING:
    from streamcli.backend.remote.one import Remote


def connect(address: Address, tick: Callable[[int], None] | None = None) -> Backend:
    """The backend for an address; `tick` hears how many ms it has taken.

    Raises UnreachableError, and what `tick` raises.
    """
    from streamcli.backend.remote.one import Remote

    first = Remote(address._replace(replica=False), tick)
    if _is_of_a_cluster(first):
        from streamcli.backend.remote.cluster import Cluster

        return Cluster(first, address)
    if address.replica:
        from streamcli.backend.remote.replicas import Replicas

        return Replicas(first, address)
    return first


def _is_of_a_cluster(node: Remote) -> bool:
    """By the server's own word. One too old to say it is asked for its slots, unless it lets nobody in."""
    if node.state.address.cluster:
        return True
    server = node.link.server
    if server is not None and server.mode:
        return server.mode == "cluster"
    from streamcli.backend.remote.nodes import SLOTS_WORDS

    try:
        return isinstance(node.execute(SLOTS_WORDS), list)
    except LostError:  # nothing of the user's was sent; the first command connects again
        return False
