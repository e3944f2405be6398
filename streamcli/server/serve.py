"""A server from its first to its last moment: the database, the sockets, the signals, the log."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any, NamedTuple

from streamcli.engine import Engine, OpenError
from streamcli.server.client import Client
from streamcli.server.limits import allow_files
from streamcli.server.server import Server
from streamcli.text import visible

_BACKLOG = 1024
_GOODBYE_SECONDS = 2.0  # for what clients have not read when the server ends
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")  # that end it
_HARVEST = 50_000  # objects between two looks for garbage: commands leave none in circles


class ServeError(Exception):
    """The server cannot be; the text is one line."""


class OpenToAllError(Exception):
    """Other machines could reach it, and there is no password; the text is one line."""


class Place(NamedTuple):
    """`port` None: no TCP. `path` None: memory. `clients` None: as many as is usual."""

    host: str = "127.0.0.1"
    port: int | None = 6379
    socket: str | None = None
    path: str | None = None
    durable: bool = False
    password: str | None = None
    clients: int | None = None


def serve(place: Place) -> None:
    """Serve until somebody ends it; whoever called is to end, too: the signals that say so are ignored then.

    Raises ServeError, OpenToAllError.
    """
    addresses = _addresses(place)
    public = any(not ip_address(address[4][0].partition("%")[0]).is_loopback for address in addresses)
    if public and not place.password:
        raise OpenToAllError(
            f"{place.host} can be reached from other machines, and there is no password; "
            "set STREAMCLI_PASSWORD, or use --askpass, or listen on 127.0.0.1"
        )
    listeners: list[socket.socket] = []
    made: os.stat_result | None = None  # the file of the unix socket
    try:
        listeners += _listen(addresses, place)
        if place.socket is not None:
            listeners.append(_listen_at(place.socket))
            made = os.lstat(place.socket)
        try:
            engine = Engine(place.path, durable=place.durable)
        except OpenError as error:
            raise ServeError(str(error)) from None
        try:
            asyncio.run(_woken(_serve(engine, listeners, place, public=public)))
        finally:
            engine.close()
    finally:
        for listener in listeners:
            _close(listener, place.socket if listener.family == _unix() else None, made)
    for number in _heeded():  # Python gives them back their meaning before it has ended
        signal.signal(number, signal.SIG_IGN)


async def _serve(engine: Engine, listeners: list[socket.socket], place: Place, *, public: bool) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_unexpected)
    password = None if place.password is None else os.fsencode(place.password)
    server = Server(engine, log, password=password, clients=place.clients)
    allowed = allow_files(server.limits.clients)
    if allowed < server.limits.clients:
        log(f"the system lets this process have {allowed} clients, not {server.limits.clients}")
        server.limits.clients = allowed
    names = [_name(listener) for listener in listeners]
    server.host.public, server.host.socket = public, place.socket or ""
    if place.port is not None:
        server.host.bind, server.host.port = place.host, listeners[0].getsockname()[1]
    accepting = []
    for listener in listeners:
        create: Any = loop.create_unix_server if listener.family == _unix() else loop.create_server
        accepting.append(await create(lambda: Client(server), sock=listener, backlog=_BACKLOG))
    _end_by_signal(loop, server)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_HARVEST, 20, 20)
    log(f"serving {place.path or 'memory'} on {' and '.join(names)}, for at most {server.limits.clients} clients")
    _say(f"Ready on {' and '.join(names)}")
    await server.stopped.wait()
    for each in accepting:
        each.close()
    ends = time.monotonic() + _GOODBYE_SECONDS
    while server.patient and server.clients and time.monotonic() < ends:
        await asyncio.sleep(0.01)
    for client in list(server.clients.values()):
        client.abort()
    log("ended")


async def _woken(serving: Coroutine[Any, Any, None]) -> None:
    with woken_by_signals(asyncio.get_running_loop()):
        await serving


@contextmanager
def woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[socket.socket]:
    """Let a signal wake the loop; gives what it is heard by.

    One that came just before the loop went to sleep was noticed when something else woke it, which may be never.
    """
    heard, told = socket.socketpair()
    with heard, told:
        heard.setblocking(False)
        told.setblocking(False)
        loop.add_reader(heard, heard.recv, 4096)
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        try:
            yield heard
        finally:
            signal.set_wakeup_fd(-1)
            loop.remove_reader(heard)


def _end_by_signal(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    """Let a signal end the server, and any that follows change nothing.

    Not by the loop's own handlers: it takes them away before the database and the sockets are closed, and of two
    signals, as `timeout` and impatient people send them, the second one would be the end of the process.
    """

    def end(number: int, frame: object) -> None:
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(server.stop)

    for number in _heeded():
        signal.signal(number, end)


def _heeded() -> list[int]:
    """The signals that end the server, but those that are ignored: by nohup, and in a shell's background."""
    found = (getattr(signal, name, None) for name in _SIGNALS)
    return [number for number in found if number is not None and signal.getsignal(number) is not signal.SIG_IGN]


# -- listening ---------------------------------------------------------------------------


def _addresses(place: Place) -> list[Any]:
    """Where to listen for TCP."""
    if place.port is None:
        return []
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ServeError(f"cannot listen on {place.host}: {_reason(error)}") from None
    return found[:1] if place.port == 0 else found


def _listen(addresses: list[Any], place: Place) -> list[socket.socket]:
    found: list[socket.socket] = []
    for family, kind, protocol, _, address in addresses:
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if found and address[0] == "::1":  # of localhost, on a machine that has no IPv6
                continue
            for each in found:
                each.close()
            raise ServeError(f"cannot listen on {_shown(address)}: {_reason(error)}") from None
        found.append(listener)
    return found


def _listen_at(path: str) -> socket.socket:
    """A unix socket that only this user may connect to; what a server that was killed has left is taken away."""
    unix = _unix()
    if unix is None:
        raise ServeError("this system has no unix sockets")
    if os.path.lexists(path):
        _take_away(path, unix)
    listener = socket.socket(unix)
    before = os.umask(0o077)
    try:
        listener.bind(path)
        listener.listen(_BACKLOG)
    except (OSError, ValueError) as error:
        listener.close()
        raise ServeError(f"cannot listen on {path}: {_reason(error)}") from None
    finally:
        os.umask(before)
    return listener


def _take_away(path: str, unix: int) -> None:
    """Remove a socket that nobody answers at. Raises ServeError for anything else.

    What it is has to be looked at first: a file that is no socket refuses a connection, too.
    """
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise ServeError(f"cannot listen on {path}: there is a file of that name")
    with socket.socket(unix) as probe:
        probe.settimeout(2)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            try:
                os.unlink(path)
            except OSError as error:
                raise ServeError(f"cannot listen on {path}: {_reason(error)}") from None
            return
        except OSError as error:
            raise ServeError(f"cannot listen on {path}: {_reason(error)}") from None
    raise ServeError(f"cannot listen on {path}: another server is using it")


def _close(listener: socket.socket, path: str | None, made: os.stat_result | None) -> None:
    """Close it, and remove the file of a unix socket if it is still the one that we have made."""
    listener.close()
    if path is not None and made is not None:
        with suppress(OSError):
            found = os.lstat(path)
            if stat.S_ISSOCK(found.st_mode) and (found.st_dev, found.st_ino) == (made.st_dev, made.st_ino):
                os.unlink(path)


def _unix() -> int | None:
    return getattr(socket, "AF_UNIX", None)


def _name(listener: socket.socket) -> str:
    address = listener.getsockname()
    return _shown(address) if isinstance(address, tuple) else os.fsdecode(address)


def _shown(address: tuple[Any, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


# -- what is said --------------------------------------------------------------------------


def log(line: str) -> None:
    """A line for the operator, with the time, on standard error."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError, AttributeError, ValueError):
        text = visible(f"{stamp} {line}".replace("\n", " "))
        os.write(sys.stderr.fileno(), text.encode("utf-8", "backslashreplace") + b"\n")


def _say(line: str) -> None:
    with suppress(OSError, AttributeError, ValueError):
        os.write(sys.stdout.fileno(), visible(line).encode("utf-8", "backslashreplace") + b"\n")


def _unexpected(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody has caught ends nothing; it is told of."""
    error = context.get("exception")
    what = f"{type(error).__name__}: {error}" if error is not None else context.get("message", "")
    log(f"internal error, please report it: {what}")
