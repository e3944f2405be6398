"""What a Redis command answers, with every distinction the wire makes.

Integers and bulk strings are plain `int` and `bytes`, arrays are lists, the
null bulk string is None, RESP3's booleans and doubles are `bool` and `float`.
What Python has no type for is named here. Plain classes, not dataclasses: this
module is on the path of every start, and `dataclasses` costs more than all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

TAIL_MOST: Final = 100


class _Text:
    """A line of text whose class says what it is."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: Final = text

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.text == other.text

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.text))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class Simple(_Text):
    """A status such as `+OK`."""

    __slots__ = ()


class Error(_Text):
    """An error as it travels, code first: `ERR syntax error`.

    A user's bytes inside the text are kept by the surrogateescape handler.
    """

    __slots__ = ()

    @property
    def code(self) -> str:
        """The first word: `ERR`, `NOGROUP`, `WRONGTYPE` ..."""
        return self.text.partition(" ")[0]


class Nil:
    """The null *array*, `*-1`; the only instance is NIL_ARRAY.

    (The null bulk string, `$-1`, is None. RESP3 has one null for both, and
    a reader of it gives None.)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "NIL_ARRAY"


class Map:
    """Pairs in order: a map in RESP3, a flat array in RESP2.

    Never a dict: the wire keeps the order, and a key may come twice.
    """

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[Reply, Reply]]) -> None:
        self.pairs: Final = pairs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and self.pairs == other.pairs

    def __iter__(self) -> Iterator[tuple[Reply, Reply]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"Map({self.pairs!r})"

    __hash__ = None  # type: ignore[assignment]


class _Items:
    """A list whose class says what it is on the wire."""

    __slots__ = ("items",)

    def __init__(self, items: list[Reply]) -> None:
        self.items: Final = items

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.items == other.items

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.items!r})"

    __hash__ = None  # type: ignore[assignment]


class Set(_Items):
    """A RESP3 set; an array in RESP2."""

    __slots__ = ()


class Push(_Items):
    """A RESP3 push: what a server says without being asked."""

    __slots__ = ()


class Arriving(list["Reply"]):
    """A long array whose items are still on the way; `pieces` brings them, some at a time.

    A list that is never there as a whole: `len` is what was announced, the items
    are taken once, in order, and a second iteration raises RuntimeError. The
    first may be looked at before that, as `[0]`. What waits for more raises what
    goes wrong then, out of the iteration and out of `[0]`. Whoever needs all of
    it says `list(arriving)` and goes on with that.
    """

    __slots__ = ("_begun", "_count", "_first", "_pieces", "tail", "whole")

    def __init__(self, count: int, pieces: Iterator[list[Reply]]) -> None:
        super().__init__()
        self._count, self._pieces = count, pieces
        self._first: list[Reply] | None = None
        self._begun = False
        self.tail: list[Reply] = []
        """The last of the items that have come, TAIL_MOST at most."""
        self.whole = False
        """Whether all of it has come, so that what the connection brings next is another reply."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Reply]:
        if self._begun:
            raise RuntimeError("the items of a reply that arrives can be taken once")
        self._begun = True
        return self._items()

    def __reversed__(self) -> Iterator[Reply]:
        return reversed(list(self))

    def __getitem__(self, at: Any) -> Any:
        if at != 0 or self._begun:
            raise RuntimeError("of a reply that arrives only the first item can be looked at")
        if self._first is None:
            self._first = self._next()
        return self._first[0]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"Arriving({self._count})"

    def close(self) -> None:
        """Nobody wants the rest: the iteration ends, and there will be no other."""
        self._begun = True
        self._pieces = iter(())

    def _items(self) -> Iterator[Reply]:
        if self._first is not None:
            first, self._first = self._first, None
            yield from first
        while piece := self._next():
            yield from piece

    def _next(self) -> list[Reply]:
        piece = next(self._pieces, [])
        self.tail = piece[-TAIL_MOST:] if len(piece) >= TAIL_MOST else [*self.tail, *piece][-TAIL_MOST:]
        return piece

    __hash__ = None


def leaves(reply: Reply) -> Iterator[Reply]:
    """What a reply has inside that has nothing inside itself, in order, however deep it is."""
    left = [reply]
    while left:
        item = left.pop()
        if isinstance(item, Map):
            left += [part for pair in reversed(item.pairs) for part in reversed(pair)]
        elif isinstance(item, list):
            left += reversed(item)
        elif isinstance(item, _Items):
            left += reversed(item.items)
        else:
            yield item


class Verbatim:
    """A RESP3 verbatim string: `kind` is "txt" or "mkd"; a bulk string in RESP2."""

    __slots__ = ("data", "kind")

    def __init__(self, kind: str, data: bytes) -> None:
        self.kind: Final = kind
        self.data: Final = data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verbatim) and (self.kind, self.data) == (other.kind, other.data)

    def __hash__(self) -> int:
        return hash((self.kind, self.data))

    def __repr__(self) -> str:
        return f"Verbatim({self.kind!r}, {self.data!r})"


Reply: TypeAlias = (
    "Simple | Error | int | bytes | Nil | Map | list[Reply] | float | bool | Set | Push | Verbatim | None"
)

OK: Final = Simple("OK")
QUEUED: Final = Simple("QUEUED")
NIL_ARRAY: Final = Nil()


class ReplyError(Exception):
    """Raised inside the engine to answer with an error."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.text)
        self.error: Final = error
