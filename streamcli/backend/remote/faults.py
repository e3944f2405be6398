"""What is wrong with a connection, in words for the user: one line each, and what to do about it.

Knows the errors of sockets, of TLS and of redis-py; makes no connection.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import stat

from streamcli.backend.address import Address
from streamcli.text import visible

_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE", "HTTP_REQUEST"})
_CLIENT_CERTIFICATE = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"})


def unreachable(error: BaseException, address: Address) -> str:
    """Why there is no connection. Of an exception of redis-py the one behind it is told."""
    cause = _cause(error)
    where = str(address)
    if isinstance(cause, ssl.SSLError):
        return _tls(cause, where)
    if isinstance(cause, socket.gaierror):
        return _no_host(cause, address.host)
    if isinstance(cause, UnicodeError):
        return f"that is no name of a host: {visible(address.host)}"
    if isinstance(cause, (TimeoutError, _redis_timeout())):
        return no_answer(where, address.connect_timeout, address.tls is not None)
    if isinstance(cause, OSError):
        return _refused(cause, address, where)
    return f"cannot connect to {where}: {one_line(cause)}"


def is_away(error: BaseException) -> bool:
    """Is it that nobody listens, or answers, rather than that we are not let in?"""
    return isinstance(_cause(error), (ConnectionRefusedError, ConnectionResetError, TimeoutError, _redis_timeout()))


def no_answer(where: str, seconds: float | None, tls: bool) -> str:
    """Nobody has said anything."""
    span = f" within {seconds:g} s" if seconds is not None else ""
    return f"{where} does not answer{span}{'; is it a port without TLS?' if tls else ''}"


def lost(error: BaseException) -> str:
    """Why a connection broke, in a few words."""
    if isinstance(error, ConnectionResetError):
        return "reset by the other side"
    if isinstance(error, BrokenPipeError):
        return "closed by the server"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {_ssl_reason(error)}"
    return one_line(error)


def one_line(error: BaseException) -> str:
    """The text of an error, whatever it holds."""
    text = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return visible(" ".join(text.split())).rstrip(".")[:200]


def _cause(error: BaseException) -> BaseException:
    """The error of the socket behind one of redis-py, which makes its own text of it."""
    seen = error
    while not isinstance(seen, OSError) and seen.__context__ is not None:
        seen = seen.__context__
    return seen if isinstance(seen, OSError) else error


def _redis_timeout() -> type[BaseException]:
    import redis

    return redis.TimeoutError


def _no_host(error: socket.gaierror, host: str) -> str:
    name = visible(host)
    if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
        return f"there is no host {name}"
    return f"the host {name} cannot be looked up: {one_line(error).lower()}"


def _refused(error: OSError, address: Address, where: str) -> str:
    if address.path is not None and error.errno == errno.ENOENT:
        return f"there is no socket {where}"
    if address.path is not None and error.errno == errno.ECONNREFUSED and not _is_socket(address.path):
        return f"{where} is no socket"
    if error.errno == errno.ECONNREFUSED:
        return f"nothing listens at {where} (connection refused)"
    if isinstance(error, ConnectionResetError) or (address.tls is not None and not error.strerror):
        return closed(where, address)
    return f"cannot connect to {where}: {one_line(error).lower()}"


def _is_socket(path: str) -> bool:
    """Is it one, or can that not be told? What is no socket is refused in the same way as one that nobody minds."""
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return True


def closed(where: str, address: Address) -> str:
    """The other side hung up before it said anything."""
    if address.tls is not None:
        return f"{where} closed the connection while TLS was agreed on; is it a port without TLS?"
    return f"{where} closed the connection before it answered; is it a port with TLS (--tls)?"


def unwelcome(where: str) -> str:
    """The other side hung up behind TLS: it judges our certificate, or the lack of one, only when TLS is agreed on."""
    return f"{where} closed the connection before it answered; does it want a certificate of ours (--cert, --key)?"


def _tls(error: ssl.SSLError, where: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = visible(error.verify_message or _ssl_reason(error)).rstrip(".")
        if error.verify_code in (62, 64):  # another host, another address
            return f"the certificate of {where} is for another name: {reason} (--sni NAME says which one is meant)"
        return f"the certificate of {where} is not trusted: {reason} (--cacert FILE names who vouches for it)"
    if isinstance(error, ssl.SSLEOFError) or error.reason in _NO_TLS:
        return f"{where} does not speak TLS; leave out --tls, or write redis:// for rediss://"
    if error.reason in _CLIENT_CERTIFICATE:
        return f"{where} wants a certificate of ours (--cert FILE --key FILE)"
    return f"TLS with {where} failed: {_ssl_reason(error)}"


def _ssl_reason(error: ssl.SSLError) -> str:
    return (error.reason or one_line(error)).replace("_", " ").lower()
