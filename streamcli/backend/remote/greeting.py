"""The first words on a connection: which protocol, who we are, which database.

HELLO says it all at once and tells who answers; a server that does not know it
(before 6, or made to look so) gets AUTH and is spoken to in RESP2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from streamcli.backend import Server, UnreachableError
from streamcli.backend.address import Address
from streamcli.reply import Error, Map, Reply
from streamcli.text import visible

Ask: TypeAlias = Callable[..., Reply]
_REFUSED = frozenset({"WRONGPASS", "NOPERM"})


class Greeting(NamedTuple):
    """What was agreed on. `server` is None when it does not say who it is, `id` when not which client we are.

    Without `welcome` nothing was: it wants a password first.
    """

    protocol: int
    server: Server | None
    id: int | None
    welcome: bool = True


def greet(address: Address, ask: Ask) -> Greeting:
    """Greet. `ask` sends words and gives the reply. Raises UnreachableError when the server lets nobody in."""
    greeting = _hello(address, ask)
    if greeting is None:
        if address.password is not None:
            _authenticate(address, ask)
        greeting = Greeting(2, None, None)
    if address.cluster and address.replica:
        ask("READONLY")  # a replica of a cluster sends everybody away who has not said so
    if not greeting.welcome or not address.db:
        return greeting
    reply = ask("SELECT", str(address.db))
    if not isinstance(reply, Error):
        return greeting
    if reply.code == "NOAUTH":
        return greeting._replace(welcome=False)
    what = "does not let us use" if reply.code == "NOPERM" else "has no"
    raise UnreachableError(f"{address} {what} database {address.db}: {visible(reply.text)}")


def _hello(address: Address, ask: Ask) -> Greeting | None:
    """What HELLO was answered; None when the server does not take it."""
    credentials = () if address.password is None else ("AUTH", address.user or "default", address.password)
    for protocol in (address.protocol or 3, 2):
        reply = ask("HELLO", str(protocol), *credentials)
        if not isinstance(reply, Error):
            server, number = who(reply)
            return Greeting(protocol, server, number)
        if reply.code == "WRONGPASS":
            raise UnreachableError(_refusal(address, reply))
        if reply.code == "NOAUTH":
            return Greeting(2, None, None, welcome=False)
        if reply.code == "DENIED" or "max number of clients" in reply.text:  # it hangs up now
            raise UnreachableError(f"{address} does not let us in: {visible(reply.text)}")
        if reply.code != "NOPROTO":
            return None
    return None


def _authenticate(address: Address, ask: Ask) -> None:
    assert address.password is not None
    words = (address.password,) if address.user is None else (address.user, address.password)
    reply = ask("AUTH", *words)
    if isinstance(reply, Error):
        raise UnreachableError(_refusal(address, reply))


def _refusal(address: Address, error: Error) -> str:
    user = f"user {visible(address.user)}" if address.user is not None else "the default user"
    if not address.password:
        return f"{address} does not let {user} in without a password (--askpass asks for one): {visible(error.text)}"
    if error.code in _REFUSED or "invalid password" in error.text:
        return f"{address} does not let {user} in with this password: {visible(error.text)}"
    return f"{address} does not let {user} in: {visible(error.text)}"


def who(reply: Reply) -> tuple[Server | None, int | None]:
    """The server that answered HELLO so, and its number for the connection."""
    pairs = _pairs(reply)
    name, version = _text(pairs.get(b"server")), _text(pairs.get(b"version"))
    number = pairs.get(b"id")
    server = Server(name, version, _text(pairs.get(b"mode")), _text(pairs.get(b"role"))) if name else None
    return server, number if isinstance(number, int) else None


def _pairs(reply: Reply) -> dict[bytes, Reply]:
    if isinstance(reply, Map):
        pairs = reply.pairs
    elif isinstance(reply, list):
        pairs = list(zip(reply[::2], reply[1::2], strict=False))
    else:
        return {}
    return {key: value for key, value in pairs if isinstance(key, bytes)}


def _text(value: Reply) -> str:
    return visible(value.decode("utf-8", "replace")) if isinstance(value, bytes) else ""
