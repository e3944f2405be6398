"""Where a server is, and how it is to be spoken to: what a URL says of it. No connection is made here.

    redis://[[USER][:PASSWORD]@][HOST][:PORT][/DB][?NAME=VALUE&...]      valkey:// is the same, rediss:// with TLS
    unix://[[USER][:PASSWORD]@]/PATH[?...]
    redis+sentinel://[[USER][:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...]/MASTER[/DB][?...]
    redis+cluster://...                                                  one node of it

User and password are the server's; a Sentinel's own are parameters. What is
wrong with a URL is said without repeating any of it, for a password that is
not written as it should be can end up in every part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from streamcli.times import seconds

PORT, SENTINEL_PORT = 6379, 26379
DB_MAX = 2**31 - 1
_PORT_MAX = 65535


class AddressError(Exception):
    """This is no address; the text is one line, without a secret."""


class Tls(NamedTuple):
    """How a connection is secured; files are named by their paths."""

    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    sni: str | None = None
    verify: bool = True


class Address(NamedTuple):
    """A server; a path is that of a unix socket. Times are in seconds, None waits for ever.

    Its texts never hold a password.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    path: str | None = None
    user: str | None = None
    password: str | None = None
    db: int = 0
    tls: Tls | None = None
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str | None = None
    sentinel_user: str | None = None
    sentinel_password: str | None = None
    cluster: bool = False
    replica: bool = False
    protocol: int | None = None
    connect_timeout: float | None = 10.0
    timeout: float | None = None

    def __str__(self) -> str:
        if self.sentinels:
            return self.master or ""
        if self.path is not None:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"<Address {self}>"


# -- parts, as flags and config files give them too ------------------------------------------------


def node(text: str, default: int = PORT) -> tuple[str, int]:
    """Host and port of `host`, `host:port`, `[::1]:port`; no host is this machine. Raises AddressError."""
    if text[:1] == "[":
        host, closed, rest = text[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        if ":" not in host or not closed or colon not in ("", ":") or (colon and not port):
            raise AddressError(_BRACKETS)
    else:
        host, colon, port = text.partition(":")
        if ":" in port:
            raise AddressError(_BRACKETS)
    if not colon:
        return host or "127.0.0.1", default
    number = whole(port, _PORT_MAX)
    if not number:
        raise AddressError(_NO_PORT)
    return host or "127.0.0.1", number


def nodes(text: str, default: int = SENTINEL_PORT) -> tuple[tuple[str, int], ...]:
    """Hosts and ports, with commas between them. Raises AddressError."""
    found = tuple(node(each.strip(), default) if each.strip() else ("", 0) for each in text.split(","))
    for host, _ in found:
        if wrong := host_fault(host):
            raise AddressError(f"each of the hosts {wrong}")
    return found


def host_fault(host: str) -> str | None:
    """What is the matter with the name of a host, to be read behind it; None when it may be one."""
    if "://" in host:
        return "must be a host, not a URL"
    if not host or not host.isprintable() or not set(host).isdisjoint(" /@[],\\\"'"):
        return "must be the name or the address of a host"
    if host.count(":") == 1:
        return "must be a host alone, the port is given apart"
    return None


def whole(text: str, most: int) -> int | None:
    """A number from 0 to `most` as plain digits say it; None when it is none."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or int(text) > most:
        return None
    return int(text)


def limit(seconds: float) -> float | None:
    """A time limit as an Address has it: 0 is none, as it is for redis-cli."""
    return seconds or None


_CLASHES = (
    ("url", "host"), ("url", "port"), ("url", "socket"), ("url", "sentinel"), ("url", "master"),
    ("socket", "host"), ("socket", "port"), ("socket", "sentinel"), ("socket", "cluster"), ("socket", "tls"),
    ("sentinel", "host"), ("sentinel", "port"), ("sentinel", "cluster"), ("password", "askpass"),
)  # fmt: skip
_NEEDED = (("master", "sentinel"), ("sentinel", "master"), ("cert", "key"), ("key", "cert"))


def clash(given: Collection[str]) -> tuple[str, str] | None:
    """Two of the given settings of which only one can be; None when they go together."""
    return next((pair for pair in _CLASHES if pair[0] in given and pair[1] in given), None)


def missing(given: Collection[str]) -> tuple[str, str] | None:
    """One of the given settings, and the one that it is nothing without; None when nothing is missing."""
    return next((pair for pair in _NEEDED if pair[0] in given and pair[1] not in given), None)


# -- a URL ------------------------------------------------------------------------------------------

_KINDS = ("", "sentinel", "cluster", "unix")
_TLS = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}
_BEGINS = "a URL begins with redis://, rediss://, valkey://, valkeys://, unix://, redis+sentinel:// or redis+cluster://"
_SPELL = "in a user or a password write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25"
_BRACKETS = "an IPv6 address stands in brackets, as in [::1]:6379"
_NO_PORT = f"the port must be a number from 1 to {_PORT_MAX}"
_NO_DB = f"the database must be a number from 0 to {DB_MAX}"


def address(url: str) -> Address:
    """What a URL says. Raises AddressError."""
    scheme, found, rest = url.partition("://")
    base, _, kind = scheme.lower().partition("+")
    if base == "unix" and not kind:
        base, kind = "redis", "unix"
    if not found or base not in _TLS or kind not in _KINDS:
        raise AddressError(f"{_BEGINS}{_near_scheme(scheme) if found else ''}")
    if any(character <= " " or character == "\x7f" for character in rest):
        raise AddressError("a URL has no blanks and no control characters; a blank is written %20")
    if "#" in rest:
        raise AddressError(f"a URL of a server has no #; {_SPELL}")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if "@" in query or ("@" in path and kind != "unix"):
        raise AddressError(f"there is an @ behind the host; {_SPELL}")
    info, _, hosts = authority.rpartition("@")
    user, _, password = info.partition(":")
    fields: dict[str, Any] = {"user": _decoded(user) or None, "password": _decoded(password) or None}
    if kind == "unix":
        fields |= _socket(hosts, slash + path)
    elif kind == "sentinel":
        fields |= _sentinel(hosts, path)
    else:
        fields |= _server(hosts, path) | {"cluster": kind == "cluster"}
    return _with_parameters(fields, query, Tls() if _TLS[base] else None)


def _near_scheme(scheme: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(scheme[:20].lower(), [*_TLS, "unix", "redis+sentinel", "redis+cluster"], 1, 0.6)
    return f" (did you mean {near[0]}://?)" if near else ""


def _socket(hosts: str, path: str) -> dict[str, Any]:
    found = _decoded(path)
    if hosts or found in ("", "/") or "\0" in found:
        raise AddressError("unix:// is followed by the whole path of a socket, as in unix:///run/redis.sock")
    return {"path": found}


def _sentinel(hosts: str, path: str) -> dict[str, Any]:
    master, _, db = path.partition("/")
    if not master:
        raise AddressError("a Sentinel's URL names its master, as in redis+sentinel://host:26379/mymaster")
    return {"sentinels": _hosts(hosts, SENTINEL_PORT), "master": _decoded(master), **_db(db)}


def _server(hosts: str, path: str) -> dict[str, Any]:
    found = _hosts(hosts, PORT)
    if len(found) > 1:
        raise AddressError("the URL names more than one host; give one of them")
    return {"host": found[0][0], "port": found[0][1], **_db(path)}


def _hosts(hosts: str, default: int) -> tuple[tuple[str, int], ...]:
    """Hosts and ports; what is no port may be a password whose `@` is missing."""
    if "," in hosts and not all(hosts.split(",")):
        raise AddressError("there is no host beside one of the commas")
    try:
        found = [node(each, default) for each in hosts.split(",")]
    except AddressError as error:
        behind = hosts.rpartition(":")[2]
        hint = "" if not behind or behind.isdigit() else f" (a password stands before an @; {_SPELL})"
        raise AddressError(f"{error}{hint}") from None
    named = tuple((_decoded(host), port) for host, port in found)
    for host, _ in named:
        if wrong := host_fault(host):
            raise AddressError(f"what is behind :// {wrong}")
    return named


def _db(text: str) -> dict[str, Any]:
    if not text:
        return {}
    number = whole(text, DB_MAX)
    if number is None:
        raise AddressError(f"{_NO_DB}, as in redis://host/2")
    return {"db": number}


def _decoded(text: str) -> str:
    """The text with its %XX as what they stand for; bytes that are no UTF-8 as surrogates."""
    if "%" not in text:
        return text
    first, *rest = text.encode("utf-8", "surrogateescape").split(b"%")
    whole = bytearray(first)
    for piece in rest:
        digits = piece[:2]
        if len(digits) < 2 or not set(digits) <= set(b"0123456789abcdefABCDEF"):
            raise AddressError("in a URL two hexadecimal digits follow a %; a % itself is written %25")
        whole.append(int(digits, 16))
        whole += piece[2:]
    return whole.decode("utf-8", "surrogateescape")


# -- its parameters ---------------------------------------------------------------------------------

_ALIASES = {  # as redis-py calls them
    "username": "user",
    "socket_timeout": "timeout",
    "socket_connect_timeout": "connect_timeout",
    "ssl_ca_certs": "cacert",
    "ssl_certfile": "cert",
    "ssl_keyfile": "key",
    "ssl_cert_reqs": "verify",
}
_TEXTS = ("user", "password", "sentinel_user", "sentinel_password")
_OF_TLS = ("cacert", "cert", "key", "sni", "verify")
_SECONDS = ("timeout", "connect_timeout")
_CHOICES: dict[str, dict[str, Any]] = {
    "protocol": {"2": 2, "3": 3},
    "read_from": {"primary": False, "replica": True},
    "verify": {"required": True, "none": False},
}
_PARAMETERS = ("db", *_TEXTS, *_OF_TLS[:-1], *_SECONDS, "protocol", "read_from")


def _with_parameters(fields: dict[str, Any], query: str, tls: Tls | None) -> Address:
    given = {name: value for name, value in fields.items() if value is not None}
    secured: dict[str, Any] = {}
    for name, text in _parameters(query):
        if name in given or name in secured:
            raise AddressError(f"the URL gives {_spelled(name)} twice")
        if name in _OF_TLS:
            secured[name] = _value(name, text)
        else:
            given[name] = _value(name, text)
    if secured and tls is None:
        raise AddressError(f"{_spelled(next(iter(secured)))} needs a URL with TLS, as in rediss://host")
    if tls is not None:
        if given.get("path") is not None:
            raise AddressError("there is no TLS over a unix socket")
        if pair := missing(secured):
            raise AddressError(f"the URL gives {pair[0]} without {pair[1]}")
        given["tls"] = tls._replace(**secured)
    if "sentinels" not in given and (given.keys() & {"sentinel_user", "sentinel_password"}):
        raise AddressError("sentinel_user and sentinel_password are for redis+sentinel://")
    given["replica"] = given.pop("read_from", False)
    return Address(**given)


def _parameters(query: str) -> Iterable[tuple[str, str]]:
    for piece in query.split("&") if query else ():
        name, _, value = piece.partition("=")
        name = name.lower().replace("-", "_")
        known = _ALIASES.get(name, name)
        if known not in _PARAMETERS and known != "verify":
            raise AddressError(_no_parameter(name))
        yield known, _decoded(value)


def _no_parameter(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name[:40], [*_PARAMETERS, *_ALIASES], 1, 0.65)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_PARAMETERS)}"
    return f"the URL has a parameter that means nothing here ({hint})"


def _value(name: str, text: str) -> object:
    if name == "db":
        if (number := whole(text, DB_MAX)) is None:
            raise AddressError(_NO_DB)
        return number
    if name in _SECONDS:
        if (time := seconds(text)) is None:
            raise AddressError(f"{name} must be a number of seconds, such as 2.5")
        return limit(time)
    if name in _CHOICES:
        if text not in _CHOICES[name]:
            raise AddressError(f"{_spelled(name)} must be {' or '.join(_CHOICES[name])}")
        return _CHOICES[name][text]
    if not text or (name in _OF_TLS and "\0" in text):
        raise AddressError(f"{name} needs a value")
    return text


def _spelled(name: str) -> str:
    return "ssl_cert_reqs" if name == "verify" else name
