"""What a Redis command answers, with every distinction the wire makes.

Integers and bulk strings are plain `int` and `bytes`, arrays are lists, the
null bulk string is None, RESP3's booleans and doubles are `bool` and `float`.
What Python has no type for is named here. Plain classes, not dataclasses: this
module is on the path of every start, and `dataclasses` costs more than all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias


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
