"""RESP2 and RESP3 without I/O: replies to bytes, and a Reader that is fed bytes.

The Reader keeps what client libraries lose: `+` and `$`, both nulls, the code
of an error, a map's order and repeated keys. It trusts nothing: a broken or
absurd reply raises ProtocolError, once, and the connection is to be dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from streamcli.reply import NIL_ARRAY, Arriving, Error, Map, Nil, Push, Reply, Set, Simple, Verbatim

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")  # Redis: an error is one line
_AGGREGATES, _BULKS = (b"*", b"%", b"~", b">", b"|"), (b"$", b"=", b"!")
_KINDS = frozenset(b"*%~>|$=!+-:(_#,")
_TEXTS = (b"+", b"-", b"(", b",")
_LINE_MAX, _LENGTH_MAX = 64 * 1024, 64
_DEPTH_MAX = 512
_COUNT_MAX = 2**31 - 1
_BULK_MAX = 2**31
_PIECE = 64 * 1024  # bytes that are split at a time
_SHORT_ARRAY, _HEADS_KEPT = 256, 4096
_NOTHING_YET: Any = object()  # what a line gives that only begins something


class ProtocolError(Exception):
    """What arrived is not RESP."""


# -- replies to bytes ------------------------------------------------------------------


class Encoded(Verbatim):
    """A reply that is in the wire's bytes already: what a server keeps of a transaction that goes on."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:
        super().__init__("", data)


def encode(reply: Reply, protocol: int = 2) -> bytes:
    """The reply as Redis writes it in RESP2 or RESP3."""
    if type(reply) is bytes:  # an ID, most often
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    out: list[bytes] = []
    _write(reply, protocol, out.append)
    return b"".join(out)


def encode_command(argv: Iterable[bytes]) -> bytes:
    """A command as a client sends it: an array of bulk strings."""
    words = list(argv)
    pieces = [b""] * (2 * len(words))
    pieces[::2] = map(_head, map(len, words))
    pieces[1::2] = words
    return b"*%d\r\n%b\r\n" % (len(words), b"\r\n".join(pieces)) if words else b"*0\r\n"


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
        case Encoded(data=data):
            put(data)
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

    __slots__ = ("items", "kind", "left", "most")

    def __init__(self, kind: bytes, left: int) -> None:
        self.kind, self.left, self.most = kind, left, left
        self.items: list[Reply] = []


class _Heads(dict[int, bytes]):
    """What stands before a string of so many bytes."""

    def __missing__(self, size: int) -> bytes:
        head = b"$%d" % size
        if size < _HEADS_KEPT:
            self[size] = head
        return head


_head: Final = _Heads().__getitem__
_short: Final = {b"*%d" % count: count for count in range(1, _SHORT_ARRAY + 1)}.get


class Reader:
    """Feed it bytes; iterate over it for the replies that are complete.

    "Need more" is simply the end of the iteration. Nothing is read twice: an
    aggregate keeps its items while the rest is on the way. After a
    ProtocolError every iteration raises it again.

    What was fed is split at its line ends, a piece at a time, and read line by
    line; most lines come in arrays of strings, which are read whole. A string
    that holds line ends is put together again; one that goes on behind its
    piece is collected without looking at what is in it.
    """

    def __init__(self) -> None:
        self._fed: deque[bytes] = deque()
        self._fed_at = 0  # how much of the first one is taken
        self._lines: list[bytes] = []
        self._at = 0  # the first line that is not read
        self._tail = b""  # behind the lines: the beginning of one
        self._string, self._string_kind, self._missing = bytearray(), b"", 0  # a string, and how much of it is to come
        self._stack: list[_Open] = []
        self._result: Reply = None
        self._arriving: Arriving | None = None
        self._broken: ProtocolError | None = None

    def feed(self, data: bytes) -> None:
        if data:
            self._fed.append(bytes(data))

    def __iter__(self) -> Iterator[Reply]:
        while True:
            lines, at = self._lines, self._at
            alone = not self._stack and self._broken is None and at + 1 < len(lines)
            if alone and lines[at] == _head(len(lines[at + 1])):  # the IDs of many XADDs come like this
                self._at = at + 2
                yield lines[at + 1]
            elif self._next():
                yield self._result
            else:
                return

    def strings(self, most: int) -> list[bytes]:
        """The next replies, `most` at most, if they are here and strings of one line, as many XADDs give; else none."""
        lines, at = self._lines, self._at
        if self._stack or self._missing or self._arriving is not None or self._broken is not None:
            return []
        end = at + 2 * min(most, (len(lines) - at) // 2)
        found = lines[at + 1 : end : 2]
        if lines[at:end:2] != [*map(_head, map(len, found))]:
            return []
        self._at = end
        return found

    def take(self, expected: bytes) -> bool | None:
        """True when these bytes, whole replies, are what comes next: then they are read; None when they may yet be."""
        if self._at < len(self._lines) or self._tail or self._stack or self._missing:
            return False
        if self._arriving is not None or self._broken is not None:
            return False
        fed, at = self._fed, self._fed_at
        if len(fed) > 1 and len(fed[0]) - at < len(expected):
            self._fed, self._fed_at = fed, at = deque([b"".join(fed)[at:]]), 0
        if not fed:
            return None
        if not fed[0].startswith(expected, at):
            return None if len(fed[0]) - at < len(expected) and expected.startswith(fed[0][at:]) else False
        self._take(len(expected))
        return True

    def arriving(
        self, least: int, more: Callable[[], None], fault: Callable[[ProtocolError], Exception] | None = None
    ) -> Arriving | None:
        """The next reply, its items to be taken as they come, when it is an array of at least `least`; else None.

        Whenever all that was fed is used up its iteration calls `more`, which
        feeds the reader, or raises. What is not RESP comes out of the iteration
        as a ProtocolError, or as what `fault` makes of that. Items that are
        left when the next reply is asked for are thrown away.
        """
        if self._broken is not None or self._arriving is not None:
            return None
        if not self._stack and not self._missing:
            self._begin(least)
        outermost = self._stack[0] if self._stack else None
        if outermost is None or outermost.kind != b"*" or outermost.most < least:
            return None
        self._arriving = Arriving(outermost.most, self._pieces(outermost, more, fault))
        return self._arriving

    def _begin(self, least: int) -> None:
        """Open the array that comes next if it is long; a fault is left to whoever reads."""
        try:
            while self._at == len(self._lines):
                if not self._split():
                    return
            line = self._lines[self._at]
            if line[:1] == b"*" and (count := _number(line[1:], _COUNT_MAX, -1)) >= max(1, least):
                self._at += 1
                self._stack.append(_Open(b"*", count))
        except ProtocolError:
            pass

    def _pieces(
        self, outermost: _Open, more: Callable[[], None], fault: Callable[[ProtocolError], Exception] | None
    ) -> Iterator[list[Reply]]:
        """The items of an array, as many at a time as there are."""
        arriving = self._arriving
        assert arriving is not None
        while self._arriving is arriving:
            try:
                done = self._step()
            except ProtocolError as error:
                self._broken = error
                raise error if fault is None else fault(error) from None
            items, outermost.items = outermost.items, []
            if done:
                self._end_arriving()
            if items:
                yield items
            if done is None:
                more()

    def _end_arriving(self) -> None:
        if self._arriving is not None:
            self._arriving.whole, self._arriving = True, None

    # -- from bytes to lines, from lines to replies ------------------------------------

    def _next(self) -> bool:
        """Read on until a reply is complete (`_result`); False when more is needed."""
        if self._broken is not None:
            raise self._broken
        try:
            while True:
                done = self._step()
                if self._arriving is None:
                    if done is not False:
                        return done is True
                elif done is None:
                    self._stack[0].items.clear()
                    return False
                elif done:
                    self._end_arriving()
                else:
                    self._stack[0].items.clear()
        except ProtocolError as error:
            self._broken = error
            raise

    def _step(self) -> bool | None:
        """Read on, in one piece at most: True when a reply is complete, None when nothing is left of what was fed."""
        if self._missing:
            return self._place(_string(self._string_kind, self._collected())) if self._collect() else None
        if self._at < len(self._lines):
            return self._walk()
        return False if self._split() else None

    def _split(self) -> bool:
        """Go to the next piece; False when there is none. All lines have been read."""
        tail = self._tail
        if tail:
            if tail[0] not in _KINDS:
                raise ProtocolError(f"not a reply: {tail[:40]!r}")
            if len(tail) > _line_most(tail):
                raise ProtocolError("a line without an end")
        piece = self._take(_PIECE)
        if not piece:
            return False
        lines = (tail + piece).split(b"\r\n")
        self._tail, self._lines, self._at = lines.pop(), lines, 0
        return True

    def _take(self, most: int) -> bytes:
        """The next bytes of what was fed, `most` at most."""
        if not self._fed:
            return b""
        first, at = self._fed[0], self._fed_at
        if len(first) - at > most:
            self._fed_at = at + most
            return first[at : at + most]
        self._fed.popleft()
        self._fed_at = 0
        return first[at:]

    def _collect(self) -> bool:
        """Add to the string that is on its way; True when it is complete."""
        while self._missing:
            piece = self._take(self._missing)
            if not piece:
                return False
            self._string += piece
            self._missing -= len(piece)
        return True

    def _collected(self) -> bytes:
        string, self._string = self._string, bytearray()
        if not string.endswith(b"\r\n"):
            raise ProtocolError("a string that is longer than it says")
        del string[-2:]
        return bytes(string)

    def _walk(self) -> bool:
        """Read the lines there are; True when a reply is complete."""
        lines, at, stack = self._lines, self._at, self._stack
        count = len(lines)
        while at < count:
            line = lines[at]
            at += 1
            reply: Any = _NOTHING_YET
            size = _short(line, 0)
            end = at + 2 * size
            if not size:
                if at < count and line == _head(len(lines[at])):
                    reply, end = lines[at], at + 1
                elif line[:1] == b":" and line[1:].isdigit() and len(line) <= _LENGTH_MAX:
                    reply = int(line[1:])
            # Does every second line say how long the next one is? Then it is an array of strings, for sure.
            elif end <= count and len(stack) < _DEPTH_MAX - 1:
                inner = _short(lines[at + 2], 0) if size == 2 else 0
                if inner:  # an entry: its ID, and its fields
                    end = at + 3 + 2 * inner
                    values = lines[at + 4 : end : 2]
                    heads = lines[at + 3 : end : 2]
                    whole = end <= count and lines[at] == _head(len(lines[at + 1]))
                    if whole and heads == [*map(_head, map(len, values))]:
                        reply = [lines[at + 1], values]
                elif lines[end - 2][:1] == b"$":
                    values = lines[at + 1 : end : 2]
                    if lines[at:end:2] == [*map(_head, map(len, values))]:
                        reply = values
            if reply is not _NOTHING_YET:
                at = end
            else:
                self._at = at
                reply = self._read(line)
                at = self._at
                if reply is _NOTHING_YET:
                    continue
            if stack and stack[-1].left > 1:
                top = stack[-1]
                top.items.append(reply)
                top.left -= 1
            elif self._place(reply):
                self._at = at
                return True
        self._at = at
        return False

    def _read(self, line: bytes) -> Any:
        """What a line begins, whatever it is: a reply, or _NOTHING_YET."""
        kind, rest = line[:1], line[1:]
        if kind in _AGGREGATES:
            opened = self._open(kind, rest)
            if opened is not None:
                self._stack.append(opened)
                return _NOTHING_YET
            if kind == b"|":
                return _NOTHING_YET  # attributes of nothing
            return NIL_ARRAY if rest == b"-1" else _close(_Open(kind, 0))
        if kind in _BULKS:
            size = _number(rest, _BULK_MAX, -1 if kind == b"$" else 0)
            if size < 0:
                return None
            data = self._bytes(kind, size)
            return _NOTHING_YET if data is None else _string(kind, data)
        if len(line) > _line_most(line):
            raise ProtocolError("a line that is too long")
        return _line(kind, rest)

    def _bytes(self, kind: bytes, size: int) -> bytes | None:
        """The string at the next line; None when it goes on behind the lines, and is then collected."""
        lines, at = self._lines, self._at
        have, end = -2, at
        while have < size and end < len(lines):
            have += 2 + len(lines[end])
            end += 1
        if have == size:
            self._at = end
            return lines[at] if end == at + 1 else b"\r\n".join(lines[at:end])
        if have < size:
            self._string = bytearray(b"\r\n".join([*lines[at:], self._tail]))
            self._string_kind, self._missing = kind, size + 2 - len(self._string)
            self._at, self._tail = end, b""
        if have > size or self._missing <= 0:
            raise ProtocolError("a string that is longer than it says")
        return None

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


def _line_most(line: bytes) -> int:
    return _LINE_MAX if line[:1] in _TEXTS else _LENGTH_MAX


def _close(open_: _Open) -> Reply:
    items = open_.items
    if open_.kind == b"%":
        return Map(list(zip(items[::2], items[1::2], strict=True)))
    if open_.kind == b"~":
        return Set(items)
    return Push(items) if open_.kind == b">" else items


def _string(kind: bytes, data: bytes) -> Reply:
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
