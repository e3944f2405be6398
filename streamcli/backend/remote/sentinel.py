"""Finds the primary, or a replica, that Sentinels watch over; anew for every connection.

redis-py's Sentinel asks them, in a thread, so that nobody is kept from pressing
Ctrl-C. What each of them said is kept, because redis-py makes one error of
"nobody answers", "no such name" and "none elected". What was found is believed
only after it has said itself that it is what is wanted: during a failover the
Sentinels may still name a primary that is none any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.sentinel import MasterNotFoundError, Sentinel

from streamcli.backend import UnreachableError
from streamcli.backend.address import Address
from streamcli.backend.remote import door, faults
from streamcli.text import visible

if TYPE_CHECKING:
    from streamcli.backend.remote.link import Link

PATIENCE_SECONDS: Final = 10.0  # for a failover, unless the address has its own time for connecting
_ASKING_SECONDS: Final = 2.0  # for one Sentinel
_POLL_SECONDS: Final = 0.05
_PAUSE_SECONDS: Final = 0.25

Tick = Callable[[int], None]
_last: dict[tuple[tuple[str, int], ...], tuple[str, int]] = {}
"""The one of each circle of Sentinels that has answered: it is asked first next time."""


class _PassingError(UnreachableError):
    """There is nobody to connect to while a failover goes on."""


class _Watcher(redis.Redis):
    """One Sentinel, as redis-py's Sentinel asks it; `masters` is what it said, `error` why it said nothing."""

    def __init__(self, at: Address) -> None:
        kind, options = door.carrier(at)
        pool = ConnectionPool(
            connection_class=kind,
            username=at.user,
            password=at.password,
            encoding_errors="surrogateescape",
            protocol=2,
            driver_info=None,
            **options,
        )
        super().__init__(connection_pool=pool)
        self.at = at
        self.masters: dict[str, dict[str, Any]] | None = None
        self.error: Exception | None = None

    def sentinel_masters(self) -> dict[str, dict[str, Any]]:
        """Raises ConnectionError whatever goes wrong, so that the next Sentinel is asked."""
        try:
            found: Any = super().sentinel_masters()  # by name, in RESP2; redis-py's types say that it may be a list
            self.masters = dict(found)
            return self.masters
        except Exception as error:  # of hostile bytes, too
            self.error = error
            raise RedisConnectionError from error


def open_through(link: Link, tick: Tick | None = None) -> None:
    """Open the link at what its address stands for; a failover that goes on is waited for.

    Raises UnreachableError, and what `tick` raises.
    """
    address = link.address
    began = time.monotonic()

    def ticks(_: int = 0) -> None:
        if tick is not None:
            tick(int((time.monotonic() - began) * 1000))

    patience = PATIENCE_SECONDS if address.connect_timeout is None else address.connect_timeout
    while True:
        try:
            at = find(address, ticks)
            link.open_at(at, ticks)
            role = link.role()
            if role == "" or (role == "master") is not address.replica:
                return
            link.close()
            what = "a replica is wanted, and it is the primary" if address.replica else "it is a replica now"
            raise _PassingError(f"the sentinels name {at} for {visible(address.master or '')}, but {what}")
        except (_PassingError, door.AwayError):
            if address.replica or time.monotonic() - began >= patience:
                raise  # whoever wants a replica can read the primary meanwhile
        pause = time.monotonic() + _PAUSE_SECONDS
        while time.monotonic() < pause:
            ticks()
            time.sleep(_POLL_SECONDS)


def find(address: Address, tick: Callable[[], None] | None = None) -> Address:
    """Where the primary of `address.master` is, or with `address.replica` one of its replicas.

    Raises UnreachableError, and what `tick` raises.
    """
    if address.tls is not None:
        door.check_files(address.tls)
    found: list[tuple[str, int]] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(_discover(address))
        except BaseException as error:  # it is told in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=work, name="sentinel", daemon=True)
    thread.start()
    while thread.is_alive():
        if tick is not None:
            tick()
        thread.join(_POLL_SECONDS)
    if failed:
        error = failed[0]
        raise error if isinstance(error, UnreachableError) else UnreachableError(faults.one_line(error)) from None
    host, port = found[0]
    return address._replace(host=host, port=port, sentinels=(), master=None)


def _discover(address: Address) -> tuple[str, int]:
    """Host and port. Raises UnreachableError."""
    first = _last.get(address.sentinels)
    nodes = sorted(address.sentinels, key=lambda node: node != first)
    watchers = [_Watcher(_asked_at(address, host, port)) for host, port in nodes]
    circle: Any = Sentinel([])  # type: ignore[no-untyped-call]
    circle.sentinels = list(watchers)
    name = address.master or ""
    try:
        host, port = circle.discover_master(name)
        first_answer = circle.sentinels[0]
        if isinstance(first_answer, _Watcher):
            _last[address.sentinels] = (first_answer.at.host, first_answer.at.port)
        if not address.replica:
            return _node(host, port)
        replicas = circle.discover_slaves(name)
    except MasterNotFoundError:
        raise _explained(address, watchers) from None
    except (RedisError, LookupError, ValueError, TypeError) as error:
        raise UnreachableError(f"the sentinels gave no sensible answer: {faults.one_line(error)}") from None
    finally:
        for watcher in watchers:
            watcher.close()
    if not replicas:
        raise NoReplicaError(f"the sentinels know no replica of {visible(name)} that is up")
    return _node(*replicas[0])


def _node(host: object, port: object) -> tuple[str, int]:
    """Raises UnreachableError when it is none: what a Sentinel says is not trusted."""
    sensible = isinstance(host, str) and 0 < len(host) <= 255 and host.isprintable() and " " not in host
    if not sensible or not isinstance(port, int) or not 0 < port <= 65535:
        raise UnreachableError("the sentinels gave no sensible answer: no host and port")
    return str(host), port


class NoReplicaError(UnreachableError):
    """There is a primary, but no replica of it."""


def _asked_at(address: Address, host: str, port: int) -> Address:
    limit = address.connect_timeout
    return address._replace(
        host=host,
        port=port,
        path=None,
        user=address.sentinel_user,
        password=address.sentinel_password,
        sentinels=(),
        connect_timeout=_ASKING_SECONDS if limit is None else min(limit, _ASKING_SECONDS),
    )


def _explained(address: Address, watchers: list[_Watcher]) -> UnreachableError:
    """Why there is no primary, by what the Sentinels said."""
    name = visible(address.master or "")
    told = [watcher.masters for watcher in watchers if watcher.masters is not None]
    if any(address.master in masters for masters in told):
        return _PassingError(f"the sentinels have no primary for {name} that is up; is a failover going on?")
    if told:
        others = sorted({visible(other) for masters in told for other in masters})
        known = f"; they watch {', '.join(others[:10])}" if others else ""
        return UnreachableError(f"the sentinels know no master {name}{known}")
    reasons = [_reason(watcher) for watcher in watchers]
    return UnreachableError(f"no sentinel can be asked: {'; '.join(dict.fromkeys(reasons))}"[:500])


def _reason(watcher: _Watcher) -> str:
    error = watcher.error
    if error is None:
        return str(watcher.at)
    if isinstance(error, (redis.AuthenticationError, redis.ResponseError)):
        return f"{watcher.at} refuses: {faults.one_line(error)}"
    return faults.unreachable(error, watcher.at)
