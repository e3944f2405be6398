"""A reply to lines: one module a format, each `render(reply, call, options)`.

Rules of the room:

1. `render` gives an iterator of *chunks*: lines without their last newline. A
   chunk may hold newlines inside (an entry comes as one), so write each with
   one "\\n" after it. The first chunk comes at once, however long the reply is.
2. Bytes that are not UTF-8 travel as surrogates (`surrogateescape`), and only
   in `raw` and `classic`: whoever writes encodes them the same way.
3. No renderer raises, whatever a server sent: what does not look as the command
   says it should is drawn as the plain nest of arrays that it is. Only what an
   `Arriving` raises when its items stop coming goes through, to whoever writes.
4. With `options.terminal` no control character but "\\n" comes out, in any format.
5. The items of an Arriving are drawn as they come and not kept, but in `csv`,
   whose header is about all of them; `table` looks at the first hundred before it draws.
6. Nothing is imported before it is used: a PING in raw costs raw alone.

Does not know where the lines go, nor which format to take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Protocol, TypeAlias

    from streamcli.reply import Reply

    class Named(Protocol):
        """A command of the table, as far as a renderer looks."""

        @property
        def name(self) -> str: ...

    class Call(Protocol):
        """What was asked, as far as a renderer looks (`grammar.parse.Call` is one).

        Two more attributes are looked for and may be missing: `argv`, the words
        as bytes, and, for EXEC, `queued`, the calls of the transaction.
        """

        @property
        def command(self) -> Named | None: ...

        @property
        def args(self) -> Mapping[str, object]: ...

    Renderer: TypeAlias = "Callable[[Reply, Call | None, Options], Iterator[str]]"

FORMATS: Final = ("tree", "classic", "json", "jsonl", "csv", "table", "raw")


class Options:
    """How the lines are to look; the same for every format.

    `unicode` draws boxes, else ASCII stands in; `width` is the terminal's, for
    layouts that have to fit (`table` alone cuts data, and only there); `terminal` says
    that a terminal will read the lines, so nothing in the data may steer it.
    """

    __slots__ = ("color", "terminal", "unicode", "width")

    def __init__(
        self, color: bool = False, unicode: bool = True, width: int | None = None, terminal: bool = False
    ) -> None:
        self.color: Final = color
        self.unicode: Final = unicode
        self.width: Final = width
        self.terminal: Final = terminal


def renderer(format: str) -> Renderer:
    """The `render` of a format in FORMATS, imported now; KeyError for any other name."""
    if format not in FORMATS:
        raise KeyError(format)
    module = __import__(f"{__name__}.{format}", fromlist=["render"])
    return cast("Renderer", module.render)
