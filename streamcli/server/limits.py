"""How much a server lets its clients cost, and the settings of CONFIG that say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from streamcli.engine.config import Setting, read_number
from streamcli.server.requests import BULK_MAX

if TYPE_CHECKING:
    from streamcli.server.server import Server

CLIENTS = 10_000
_SPARE_FILES = 32  # that are none of clients
_I64_MAX, _U32_MAX, _INT_MAX = 2**63 - 1, 2**32 - 1, 2**31 - 1
_UNREAD_BYTES = 64 * 1024
_LEAST_BYTES = 1024**2
_CLASSES = (b"normal", b"slave", b"replica", b"pubsub")


class Limits:
    """Of one server; sizes in bytes, times in seconds."""

    def __init__(self, clients: int = CLIENTS) -> None:
        self.clients = clients
        self.bulk = BULK_MAX  # one word
        self.query = 1024**3  # all that a client has sent and that is not run
        self.outputs = {  # what a client has not read: hard and soft limit, seconds; only the first ones are ever used
            b"normal": (256 * 1024**2, 0, 0),
            b"slave": (256 * 1024**2, 64 * 1024**2, 60),
            b"pubsub": (32 * 1024**2, 8 * 1024**2, 60),
        }
        self.idle = 0  # a client that says nothing; 0 is for ever
        self.patience = 60.0  # for the rest of a request

    @property
    def output(self) -> int:
        """What a client's replies may not come to before they are read; 0 is no limit."""
        return self.outputs[b"normal"][0]

    @property
    def soft_output(self) -> tuple[int, int]:
        """What they may not come to for longer than so many seconds; 0 is no limit."""
        return self.outputs[b"normal"][1:]

    @property
    def unread(self) -> int:
        """How many bytes may wait for a client before no more of its commands are run."""
        given = [limit for limit in self.outputs[b"normal"][:2] if limit]
        return min(_UNREAD_BYTES, *given) if given else _UNREAD_BYTES


def allow_files(clients: int) -> int:
    """For how many clients the system gives this process files, after it was asked: at most `clients`."""
    try:
        import resource
    except ImportError:  # no Unix
        return clients
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + _SPARE_FILES
    infinite = resource.RLIM_INFINITY
    if soft == infinite or soft >= wanted:
        return clients
    most = wanted if hard == infinite else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        most = soft
    return max(1, min(clients, most - _SPARE_FILES))


def settings(server: Server) -> dict[bytes, Setting]:
    """What CONFIG may read and set of a server."""
    limits, host = server.limits, server.host

    def number(name: str, least: int, most: int, *, memory: bool = False) -> Setting:
        def fault(value: bytes) -> str | None:
            read = read_number(value, least, most, memory=memory)
            return read if isinstance(read, str) else None

        def change(value: bytes) -> None:
            setattr(limits, name, read_number(value, least, most, memory=memory))
            server.limits_changed()

        return Setting(lambda: b"%d" % getattr(limits, name), fault, change)

    def change_outputs(value: bytes) -> None:
        _read_outputs(value, limits.outputs)
        server.limits_changed()

    return {
        b"maxclients": number("clients", 1, _U32_MAX)._replace(fault=_clients_fault),
        b"proto-max-bulk-len": number("bulk", _LEAST_BYTES, _I64_MAX, memory=True),
        b"client-query-buffer-limit": number("query", _LEAST_BYTES, _I64_MAX, memory=True),
        b"client-output-buffer-limit": Setting(
            lambda: b" ".join(b"%b %d %d %d" % (name, *sizes) for name, sizes in limits.outputs.items()),
            lambda value: _read_outputs(value, {}),
            change_outputs,
        ),
        b"timeout": number("idle", 0, _INT_MAX),
        b"requirepass": Setting(lambda: host.password or b"", host.password_fault, host.set_password),
        b"durability": Setting(
            lambda: b"full" if server.engine.store.durable else b"normal",
            lambda value: None if value.lower() in (b"normal", b"full") else "argument must be 'normal' or 'full'",
            lambda value: server.engine.store.be_durable(value.lower() == b"full"),
        ),
        b"port": _fixed(lambda: b"%d" % host.port),
        b"unixsocket": _fixed(lambda: host.socket.encode(errors="surrogateescape")),
        b"bind": _fixed(lambda: host.bind.encode(errors="surrogateescape")),
    }


def _fixed(get: Callable[[], bytes]) -> Setting:
    return Setting(get, lambda value: "can't set immutable config", lambda value: None)


def _clients_fault(value: bytes) -> str | None:
    read = read_number(value, 1, _U32_MAX)
    if isinstance(read, str):
        return read
    allowed = allow_files(read)
    if allowed < read:
        return f"The operating system is not able to handle the specified number of clients, try with {allowed}"
    return None


def _read_outputs(value: bytes, into: dict[bytes, tuple[int, int, int]]) -> str | None:
    """Put what the words say of each class there; or what is wrong with them in Redis's words."""
    words = value.split()
    if not words or len(words) % 4:
        return "Wrong number of arguments in buffer limit configuration."
    for at in range(0, len(words), 4):
        name = words[at].lower()
        if name not in _CLASSES:
            return "Invalid client class specified in buffer limit configuration."
        hard, soft = (read_number(word, 0, _I64_MAX, memory=True) for word in words[at + 1 : at + 3])
        seconds = read_number(words[at + 3], 0, _INT_MAX)
        if isinstance(hard, str) or isinstance(soft, str) or isinstance(seconds, str):
            return "Error in hard, soft or soft_seconds setting in buffer limit configuration."
        into[b"slave" if name == b"replica" else name] = (hard, soft, seconds)
    return None
