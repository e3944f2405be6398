"""Servers: one, found through Sentinel or not, with replicas to read from or not; or a cluster.

The only room that knows redis-py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from streamcli.backend import Backend
from streamcli.backend.address import Address
from streamcli.reply import Reply

if TYPE_CHECKING:
    from streamcli.backend.remote.one import Remote


def connect(address: Address, tick: Callable[[int], None] | None = None) -> Backend:
    """The backend for an address; `tick` hears how many ms it has taken.

    Raises UnreachableError, and what `tick` raises.
    """
    from streamcli.backend.remote.one import Remote

    first = Remote(address._replace(replica=False), tick)
    is_cluster = _says_it_is_of_a_cluster(first)
    told: Reply = None
    if is_cluster is not False:
        from streamcli.backend.remote.nodes import slots_of

        told = slots_of(first, tick)
    if is_cluster or (is_cluster is None and isinstance(told, list)):
        from streamcli.backend.remote.cluster import Cluster

        return Cluster(first, address, told)
    if address.replica:
        from streamcli.backend.remote.replicas import Replicas

        return Replicas(first, address)
    return first


def _says_it_is_of_a_cluster(node: Remote) -> bool | None:
    """By the user's word, or the server's; None when neither says, and its slots are to be asked for."""
    if node.state.address.cluster:
        return True
    server = node.link.server
    return server.mode == "cluster" if server is not None and server.mode else None
