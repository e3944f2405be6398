"""How a connection begins: a session opened, and what redis-py says first to a server said to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis.exceptions

from streamcli.client.shared import Argv, Shared, Talk
from streamcli.client.values import Values
from streamcli.resp import Reader
from streamcli.storage.schema import OpenError as Unopened

PUSHED = frozenset(
    name for kind in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE") for name in (kind, kind.lower(), kind.encode())
)


class OpenError(redis.exceptions.ConnectionError, Unopened):
    """The file cannot be used; the text is one sentence that says why. A `redis.ConnectionError`."""


def opened(shared: Shared, nudge: Callable[[], None]) -> Talk:
    """A new session. Raises OpenError."""
    try:
        return shared.talk(nudge)
    except Unopened as error:
        raise OpenError(str(error)) from None


def greet(talk: Talk, connection: Any, values: Values) -> None:
    """Protocol, name, library, database: as a server is told. Raises what redis-py raises when one is refused."""
    name, version = _library(connection)
    wanted: list[tuple[Argv, bool]] = []  # and: is its error one of the connection
    if connection.protocol == 3:
        wanted.append(([b"HELLO", b"3"], True))
    if connection.client_name:
        wanted.append(([b"CLIENT", b"SETNAME", connection.encoder.encode(connection.client_name)], True))
    wanted += [
        ([b"CLIENT", b"SETINFO", option, value.encode()], False)
        for option, value in ((b"LIB-NAME", name), (b"LIB-VER", version))
        if value
    ]
    if connection.db:
        wanted.append(([b"SELECT", connection.encoder.encode(connection.db)], True))
    for argv, matters in wanted:
        talk.send((argv,))
        reply = values.value(talk.replies.popleft())
        if matters and isinstance(reply, Exception):
            raise reply


def _library(connection: Any) -> tuple[str | None, str | None]:
    """Name and version of the client library, as the installed redis-py would send them."""
    info = getattr(connection, "driver_info", None)
    if info is not None:
        return info.formatted_name, info.lib_version
    return getattr(connection, "lib_name", None), getattr(connection, "lib_version", None)


def unmaintained() -> dict[str, Any]:
    """What tells a pool not to ask for notices of maintenance, where redis-py knows of them."""
    try:
        from redis.maint_notifications import MaintNotificationsConfig
    except ImportError:
        return {}
    return {"maint_notifications_config": MaintNotificationsConfig(enabled=False)}


def no_pushes(command: object) -> redis.exceptions.ResponseError:
    """What who subscribes is told."""
    name = command.decode() if isinstance(command, bytes) else command
    return redis.exceptions.ResponseError(f"{name}: the embedded engine has no pub/sub; connect to a server")


def unpacked(command: Any) -> Sequence[Argv]:
    """The command lines of what `pack_command` or `pack_commands` gave; wire bytes are read as a server would."""
    if isinstance(command, (str, bytes)):
        command = [command]
    if all(type(item) is list for item in command):
        return command if isinstance(command, list) else list(command)
    reader = Reader()
    for item in command:
        reader.feed(item.encode() if isinstance(item, str) else bytes(item))
    return [[bytes(word) for word in line] for line in reader]  # type: ignore[union-attr, arg-type]
