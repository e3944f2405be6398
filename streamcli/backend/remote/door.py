"""Opens the socket of a server: redis-py does it, in a thread, so that nobody is kept from pressing Ctrl-C.

What is said over the socket is not known here.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

from streamcli.backend import UnreachableError
from streamcli.backend.address import Address, Tls
from streamcli.backend.remote import faults

_TICK_SECONDS = 0.05


class AwayError(UnreachableError):
    """Nobody is there just now; somebody may be in a moment."""


class _Secured(SSLConnection):
    """redis-py's, with a name of its own for the certificate to be checked against."""

    def __init__(self, *, sni: str | None, **options: Any) -> None:
        super().__init__(**options)
        self._sni = sni

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> Any:
        host = self.host
        self.host = self._sni or host
        try:
            return super()._wrap_socket_with_ssl(sock)  # type: ignore[no-untyped-call]
        finally:
            self.host = host


class _Attempt:
    """One try; `abandon` it, and a socket that comes all the same is closed."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._abandoned = False
        self.done = threading.Event()
        self.connection: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            connection: Any = _connection(self._address)
            connection.connect()
            with self._lock:
                if self._abandoned:
                    connection.disconnect()
                else:
                    self.connection = connection
        except BaseException as error:  # it is told in the thread that waits
            self.error = error
        self.done.set()

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self.connection is not None:
                self.connection.disconnect()


def opened(address: Address, tick: Callable[[], None] | None = None) -> tuple[Any, socket.socket]:
    """redis-py's connection, which keeps the socket alive, and the socket.

    `tick` is called while it takes time; what it raises ends the attempt. Raises UnreachableError.
    """
    if address.tls is not None:
        check_files(address.tls)
    attempt = _Attempt(address)
    threading.Thread(target=attempt.run, name="connect", daemon=True).start()
    try:
        while not attempt.done.wait(_TICK_SECONDS):
            if tick is not None:
                tick()
    except BaseException:
        attempt.abandon()
        raise
    if attempt.error is not None:
        kind = AwayError if faults.is_away(attempt.error) else UnreachableError
        raise kind(faults.unreachable(attempt.error, address)) from None
    return attempt.connection, attempt.connection._sock


def _connection(address: Address) -> Connection | UnixDomainSocketConnection:
    kind, options = carrier(address)
    made: Connection | UnixDomainSocketConnection = kind(redis_connect_func=_nothing, **options)
    return made  # the greeting is ours, because our reader reads the answer


def carrier(address: Address) -> tuple[type, dict[str, Any]]:
    """redis-py's class for a connection to the address, and its options; who we are is not among them."""
    options: dict[str, Any] = {
        "socket_connect_timeout": address.connect_timeout,
        "socket_timeout": address.connect_timeout,  # agreeing on TLS is still connecting
        "retry": Retry(NoBackoff(), 0),
    }
    if address.path is not None:
        return UnixDomainSocketConnection, {"path": address.path, **options}
    options.update(host=address.host, port=address.port, socket_keepalive=True)
    tls = address.tls
    if tls is None:
        return Connection, options
    return _Secured, {
        "sni": tls.sni,
        "ssl_keyfile": tls.key,
        "ssl_certfile": tls.cert,
        "ssl_ca_certs": tls.cacert,
        "ssl_cert_reqs": "required" if tls.verify else "none",
        "ssl_check_hostname": tls.verify,
        **options,
    }


def _nothing(connection: Any) -> None:
    """No greeting."""


def check_files(tls: Tls) -> None:
    """A file that is of no use is named; the TLS library does not say which it is. Raises UnreachableError."""
    for what, file in (("authority's certificate", tls.cacert), ("certificate", tls.cert), ("key", tls.key)):
        if file is None:
            continue
        try:
            with open(file, "rb"):
                pass
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UnreachableError(f"the {what} {file} cannot be read: {reason}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if tls.cacert is not None:
            context.load_verify_locations(tls.cacert)
    except (ssl.SSLError, ValueError):
        raise UnreachableError(f"the authority's certificate {tls.cacert} is none") from None
    try:
        if tls.cert is not None:  # a key with a password would make the library ask for it, on the terminal
            context.load_cert_chain(tls.cert, tls.key, password=lambda: "")
    except (ssl.SSLError, ValueError):
        raise UnreachableError(
            f"the certificate {tls.cert} and the key {tls.key} cannot be used: no PEM, no pair, or the key is encrypted"
        ) from None


def close(connection: Any) -> None:
    """Close it, however it is."""
    with suppress(Exception):
        connection.disconnect()
