"""Every way to a server that there is, by name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.remote.processes import ALICE, KINDS, Server

if TYPE_CHECKING:
    from streamcli.backend.address import Address
    from tests.remote.conftest import Servers


class Way(NamedTuple):
    """`at` is how to get there, without a protocol; `holder` gives the server that has a key. No key is there yet."""

    at: Address
    holder: Callable[[bytes], Server]


def way(name: str, servers: Servers) -> Way:
    """The way of that name; skips the test where it cannot be gone."""
    if name == "sentinels":
        watched = servers.sentinels()
        watched.heal()
        return Way(watched.address(), lambda _: watched.primary())
    if name == "cluster":
        cluster = servers.cluster()
        cluster.heal()
        return Way(cluster.address(), cluster.owner)
    server, address = _ALONE[name](servers)
    server.empty()
    return Way(address, lambda _: server)


def _tcp(servers: Servers, kind: str) -> tuple[Server, Address]:
    server = servers.standalone(kind)
    return server, server.address()


def _socket(servers: Servers) -> tuple[Server, Address]:
    server = servers.standalone()
    return server, server.socket_address()


def _tls(servers: Servers) -> tuple[Server, Address]:
    server = servers.tls()
    return server, server.tls_address()


def _certificate(servers: Servers) -> tuple[Server, Address]:
    server = servers.tls(clients="yes")
    return server, server.tls_address(client=True)


def _password(servers: Servers) -> tuple[Server, Address]:
    server = servers.guarded()
    return server, server.address()


def _alice(servers: Servers) -> tuple[Server, Address]:
    server = servers.guarded()
    return server, server.address(user="alice", password=ALICE)


_ALONE: Final[dict[str, Callable[[Servers], tuple[Server, Address]]]] = {
    **{kind: functools.partial(_tcp, kind=kind) for kind in KINDS},
    "unix socket": _socket,
    "tls": _tls,
    "tls with a certificate of ours": _certificate,
    "password": _password,
    "alice": _alice,
}
NAMES: Final = (*_ALONE, "sentinels", "cluster")
