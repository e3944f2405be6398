"""The Python door: redis-py's own clients, whose commands run on the engine in this process. No socket, no server."""

from __future__ import annotations

import os
from typing import Any, Literal

import redis
import redis.asyncio
from redis.exceptions import DataError

from streamcli.client import tasks, threads
from streamcli.client.greeting import OpenError
from streamcli.client.shared import Shared
from streamcli.storage.schema import MEMORY
from streamcli.storage.schema import OpenError as Unopened

__all__ = ["OpenError", "aconnect", "connect"]

Durability = Literal["normal", "full"]


def connect(
    database: str | os.PathLike[str] = MEMORY,
    *,
    db: int = 0,
    decode_responses: bool = False,
    protocol: Literal[2, 3] = 2,
    durability: Durability = "normal",
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    client_name: str | None = None,
    max_connections: int | None = None,
    single_connection_client: bool = False,
) -> redis.Redis:
    """A redis-py client of the database in a file, made if it is missing, or of a memory of its own.

    It is used as any `redis.Redis`: commands, pipelines, WATCH, blocking reads. Each connection of its pool is a
    session of the one engine behind it, so threads may share the client; several clients, and several processes,
    may use one file at once. Two memories are two databases.

    `db`: 0 to 15, of the same file. `durability`: what an acknowledged write survives, the process ("normal") or the
    machine ("full"). The others mean what they mean to `redis.Redis`; what concerns a socket has no meaning here.

    `close()`, or leaving `with`, closes the file, and the next command opens it again. A memory lasts as long as the
    client does. After a fork the child opens the file for itself; a memory stays with the process that made it.

    Raises OpenError, a `redis.ConnectionError`, when the file cannot be used, is not streamcli's, or is damaged.
    Later on a damaged file or a full disk is a `redis.ResponseError`, and then nothing was changed.
    """
    shared = _shared(database, durability)
    settings = _settings(db, decode_responses, protocol, encoding, encoding_errors, client_name, max_connections)
    client = threads.Client(
        connection_pool=threads.Pool(shared, **settings), single_connection_client=single_connection_client
    )
    client.auto_close_connection_pool = True
    return client


def aconnect(
    database: str | os.PathLike[str] = MEMORY,
    *,
    db: int = 0,
    decode_responses: bool = False,
    protocol: Literal[2, 3] = 2,
    durability: Durability = "normal",
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    client_name: str | None = None,
    max_connections: int | None = None,
    single_connection_client: bool = False,
) -> redis.asyncio.Redis:
    """As `connect`, with redis-py's asyncio client; not itself to be awaited.

    A command runs to its end in the event loop's thread, without giving way to other tasks: a fraction of a
    millisecond, as a rule. A blocking read gives way; when it is cancelled, nothing has changed. The end is
    `await client.aclose()`, or leaving `async with`. It is not to be used after a fork.
    """
    shared = _shared(database, durability)
    settings = _settings(db, decode_responses, protocol, encoding, encoding_errors, client_name, max_connections)
    client = tasks.Client(
        connection_pool=tasks.Pool(shared, **settings), single_connection_client=single_connection_client
    )
    client.auto_close_connection_pool = True
    return client


def _settings(
    db: int,
    decode_responses: bool,
    protocol: int,
    encoding: str,
    encoding_errors: str,
    client_name: str | None,
    max_connections: int | None,
) -> dict[str, Any]:
    """For a pool. Raises DataError."""
    if protocol not in (2, 3):
        raise DataError("protocol must be 2 or 3")
    return {
        "db": db,
        "decode_responses": decode_responses,
        "protocol": protocol,
        "encoding": encoding,
        "encoding_errors": encoding_errors,
        "client_name": client_name,
        "max_connections": max_connections,
    }


def _shared(database: str | os.PathLike[str], durability: str) -> Shared:
    """The engine. Raises OpenError and DataError."""
    if durability not in ("normal", "full"):
        raise DataError('durability must be "normal" or "full"')
    path = os.fspath(database)
    try:
        return Shared(None if path == MEMORY else path, durable=durability == "full")
    except Unopened as error:
        raise OpenError(str(error)) from None
