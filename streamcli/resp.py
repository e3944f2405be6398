"""RESP2 and RESP3 without I/O: replies to bytes, and a Reader that is fed bytes.

The Reader keeps what client libraries lose: `+` and `$`, both nulls, the code
of an error, a map's order and repeated keys. It trusts nothing: a broken or
absurd reply raises ProtocolError, once, and the connection is to be dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from streamcli.reply import NIL_ARRAY, Error, Map, Nil, Push, Reply, Set, Simple, Verbatim

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")  # Redis: an error is one line
_AGGREGATES, _BULKS = (b"*", b"%", b"~", b">", b"|"), (b"$", b"=", b"!")
_KINDS = frozenset(b"*%~>|$=!+-:(_#,")
_TEXTS = (b"+", b"-", b"(", b",")
_LINE_MAX, _LENGTH_MAX = 64 * 1024, 64
_DEPTH_MAX = 512
_COUNT_MAX = 2**31 - 1
_BULK_MAX = 2**31


class ProtocolError(Exception):
    """What arrived is not RESP."""


# -- replies to bytes ------------------------------------------------------------------


def encode(reply: Reply, protocol: int = 2) -> bytes:
    """The reply as Redis writes it in RESP2 or RESP3."""
    out: list[bytes] = []
    _write(reply, protocol, out.append)
    return b"".join(out)


def encode_command(argv: Iterable[bytes]) -> bytes:
    """A command as a client sends it: an array of bulk strings."""
    words = list(argv)
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def _write(reply: Reply, protocol: int, put: Callable[[bytes], object]) -> None:
    if isinstance(reply, bytes):
        put(b"$%d\r\n%b\r\n" % (len(reply), reply))
    elif isinstance(reply, list):
        put(b"*%d\r\n" % len(reply))
        for item in reply:
            _write(item, protocol, put)
    elif isinstance(reply, int) and not isinstance(reply, bool):
        put(b":%d\r\n" % reply)
    else:
        _write_rarer(reply, protocol, put)


def _write_rarer(reply: Reply, protocol: int, put: Callable[[bytes], object]) -> None:
    match reply:
        case None:
            put(b"$-1\r\n" if protocol == 2 else b"_\r\n")
        case Nil():
            put(b"*-1\r\n" if protocol == 2 else b"_\r\n")
        case Simple(text=text):
            put(b"+%b\r\n" % text.encode(errors="surrogateescape").translate(_ONE_LINE))
        case Error(text=text):
            put(b"-%b\r\n" % text.encode(errors="surrogateescape").translate(_ONE_LINE))
        case Map(pairs=pairs):
            put(b"*%d\r\n" % (2 * len(pairs)) if protocol == 2 else b"%%%d\r\n" % len(pairs))
            for name, value in pairs:
                _write(name, protocol, put)
                _write(value, protocol, put)
        case bool():
            put(b":%d\r\n" % reply if protocol == 2 else b"#t\r\n" if reply else b"#f\r\n")
        case float():
            text = f"{reply:.17g}"
            put(b"$%d\r\n%b\r\n" % (len(text), text.encode()) if protocol == 2 else b",%b\r\n" % text.encode())
        case Set(items=items) | Push(items=items):
            mark = b"*" if protocol == 2 else b"~" if isinstance(reply, Set) else b">"
            put(b"%b%d\r\n" % (mark, len(items)))
            for item in items:
                _write(item, protocol, put)
        case Verbatim(kind=kind, data=data):
            if protocol == 2:
                put(b"$%d\r\n%b\r\n" % (len(data), data))
            else:
                put(b"=%d\r\n%b:%b\r\n" % (len(data) + 4, kind.encode(), data))


# -- bytes to replies --------------------------------------------------------------------


class _Open:
    """An aggregate whose items are still arriving."""

    __slots__ = ("items", "kind", "left")

    def __init__(self, kind: bytes, left: int) -> None:
        self.kind, self.left = kind, left
        self.items: list[Reply] = []


class Reader:
    """Feed it bytes; iterate over it for the replies that are complete.

    "Need more" is simply the end of the iteration. Nothing is read twice: an
    aggregate keeps its items while the rest is on the way. After a
    ProtocolError every iteration raises it again.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0
        self._searched = 0  # no line ends before this place
        self._stack: list[_Open] = []
        self._result: Reply = None
        self._broken: ProtocolError | None = None

    def feed(self, data: bytes) -> None:
        if self._at:
            del self._data[: self._at]
            self._searched = max(0, self._searched - self._at)
            self._at = 0
        self._data += data

    def __iter__(self) -> Iterator[Reply]:
        if self._broken is not None:
            raise self._broken
        try:
            while self._next():
                yield self._result
        except ProtocolError as error:
            self._broken = error
            raise

    def _next(self) -> bool:
        """Read on until a reply is complete (`_result`); False when more is needed."""
        while True:
            start = self._at
            line = self._line()
            if line is None:
                return False
            kind, rest = line[:1], line[1:]
            if kind in _AGGREGATES:
                opened = self._open(kind, rest)
                if opened is not None:
                    self._stack.append(opened)
                    continue
                if kind == b"|":
                    continue  # attributes of nothing
                reply: Reply = NIL_ARRAY if rest == b"-1" else _close(_Open(kind, 0))
            elif kind in _BULKS:
                size = _number(rest, _BULK_MAX, -1 if kind == b"$" else 0)
                if size < 0:
                    reply = None
                else:
                    end = self._at + size
                    if len(self._data) < end + 2:
                        self._at = self._searched = start
                        return False
                    if self._data[end : end + 2] != b"\r\n":
                        raise ProtocolError("a string that is longer than it says")
                    reply = _bulk(kind, bytes(self._data[self._at : end]))
                    self._at = end + 2
            else:
                reply = _line(kind, rest)
            if self._place(reply):
                return True

    def _line(self) -> bytes | None:
        """The next line without its end, None when it is not all here."""
        start = self._at
        if start < len(self._data) and self._data[start] not in _KINDS:
            raise ProtocolError(f"not a reply: {bytes(self._data[start : start + 40])!r}")
        end = self._data.find(b"\r\n", max(start, self._searched - 1))
        if end < 0:
            self._searched = len(self._data)
            most = _LINE_MAX if bytes(self._data[start : start + 1]) in _TEXTS else _LENGTH_MAX
            if len(self._data) - start > most:
                raise ProtocolError("a line without an end")
            return None
        self._at = self._searched = end + 2
        return bytes(self._data[start:end])

    def _open(self, kind: bytes, rest: bytes) -> _Open | None:
        """The aggregate that starts here; None when it is complete already."""
        count = _number(rest, _COUNT_MAX, -1 if kind == b"*" else 0)
        if len(self._stack) >= _DEPTH_MAX:
            raise ProtocolError("nested too deeply")
        count *= 2 if kind in b"%|" else 1
        return _Open(kind, count) if count > 0 else None

    def _place(self, reply: Reply) -> bool:
        """Put a reply where it belongs; True when that completes the outermost one."""
        while self._stack:
            top = self._stack[-1]
            top.items.append(reply)
            top.left -= 1
            if top.left:
                return False
            self._stack.pop()
            if top.kind == b"|":  # attributes are about the reply that follows; none of ours reads them
                return False
            reply = _close(top)
        self._result = reply
        return True


def _close(open_: _Open) -> Reply:
    items = open_.items
    if open_.kind == b"%":
        return Map(list(zip(items[::2], items[1::2], strict=True)))
    if open_.kind == b"~":
        return Set(items)
    return Push(items) if open_.kind == b">" else items


def _bulk(kind: bytes, data: bytes) -> Reply:
    if kind == b"=":
        if data[3:4] != b":":
            raise ProtocolError("a text without its kind")
        return Verbatim(data[:3].decode("latin-1"), data[4:])
    return Error(data.decode(errors="surrogateescape")) if kind == b"!" else data


def _line(kind: bytes, rest: bytes) -> Reply:
    """A reply of one line."""
    match kind:
        case b"+":
            return Simple(rest.decode(errors="surrogateescape"))
        case b"-":
            return Error(rest.decode(errors="surrogateescape"))
        case b":" | b"(":
            return _number(rest)
        case b"_" if not rest:
            return None
        case b"#" if rest in (b"t", b"f"):
            return rest == b"t"
        case b",":
            try:
                return float(rest)
            except ValueError:
                pass
    raise ProtocolError(f"not a reply: {(kind + rest)[:40]!r}")


def _number(text: bytes, most: int | None = None, least: int = 0) -> int:
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if not digits.isdigit() or len(digits) > 4096:
        raise ProtocolError(f"not a number: {text[:40]!r}")
    value = int(text)
    if most is not None and not least <= value <= most:
        raise ProtocolError(f"not a length: {text[:40]!r}")
    return value
