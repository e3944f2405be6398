"""Classic: the numbered lists of `redis-cli --no-raw`, character for character.

Rules (redis-cli.c, cliFormatReplyTTY; sds.c, sdscatrepr), as of Redis 8.0. The
one liberty: on a terminal, a status, an error or a verbatim string cannot carry
control characters, which redis-cli passes on.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from streamcli.render.flow import Joint, run_joined
from streamcli.render.raw import answers_text, double_text, text_lines
from streamcli.reply import Error, Map, Nil, Push, Set, Simple, Verbatim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamcli.render import Call, Options
    from streamcli.render.flow import Flow
    from streamcli.reply import Reply

_SHORT: Final = {10: "\\n", 13: "\\r", 9: "\\t", 7: "\\a", 8: "\\b", 34: '\\"', 92: "\\\\"}
_SHORT_LIST: Final = 256
_STRINGS_ONLY: Final = frozenset({bytes})
_escapes: Final = {code: f"\\x{code:02x}" for code in [*range(0x20), *range(0x7F, 0x100)]} | _SHORT


def render(reply: Reply, call: Call | None, options: Options) -> Iterator[str]:
    """Chunks as redis-cli shows a reply on a terminal."""
    chunks = run_joined(text_lines(reply) if answers_text(call) else _lines(reply, "", ""))
    if not options.terminal:
        return chunks
    from streamcli.text import visible

    return (visible(chunk.replace("\r\n", "\n")) for chunk in chunks)


def _quoted(data: bytes) -> str:
    text = data.decode("latin-1")
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{text.translate(_escapes)}"'


def _scalar(reply: Reply) -> str | None:
    """The one line of a leaf or of an empty container; None for one with items."""
    if isinstance(reply, bytes):
        return _quoted(reply)
    if isinstance(reply, bool):
        return "(true)" if reply else "(false)"
    if isinstance(reply, int):
        return f"(integer) {reply}"
    if isinstance(reply, Simple):
        return reply.text.partition("\0")[0]  # Redis: printed as a C string
    if isinstance(reply, Error):
        return "(error) " + reply.text.partition("\0")[0]
    if isinstance(reply, float):
        return f"(double) {double_text(reply)}"
    if isinstance(reply, Verbatim):
        return reply.data.decode("utf-8", "surrogateescape")
    if reply is None or isinstance(reply, Nil):
        return "(nil)"
    return _empty(reply)


def _empty(reply: list[Reply] | Map | Set | Push) -> str | None:
    if isinstance(reply, list):
        return None if reply else "(empty array)"
    if isinstance(reply, Map):
        return None if reply.pairs else "(empty hash)"
    if reply.items:
        return None
    return "(empty set)" if isinstance(reply, Set) else "(empty push)"


def _lines(reply: Reply, first: str, prefix: str) -> Flow:
    """The chunks of a reply: `first` begins the first line, `prefix` every other."""
    text = _scalar(reply)
    if text is not None:
        yield first + text
    elif isinstance(reply, list):
        yield _items(reply, ")", first, prefix)
    elif isinstance(reply, Set):
        yield _items(reply.items, "~", first, prefix)
    elif isinstance(reply, Push):
        yield _items(reply.items, ")", first, prefix)
    elif isinstance(reply, Map):
        yield _pairs(reply, first, prefix)


def _items(items: list[Reply], mark: str, first: str, prefix: str) -> Flow:
    width = len(str(len(items)))
    deeper = prefix + " " * (width + 2)
    before = first
    for number, item in enumerate(items, 1):
        head = f"{before}{number:>{width}}{mark} "
        if type(item) is bytes:
            yield head + _quoted(item)
        elif type(item) is list and item:
            chunk = _strings(item, head, deeper)
            if chunk is None:
                yield _items(item, ")", head, deeper)
            else:
                yield chunk
        else:
            yield _lines(item, head, deeper)
        before = prefix


def _strings(items: list[Reply], first: str, prefix: str) -> str | None:
    """A short list of strings in one chunk, as fields of an entry are; None for any other."""
    if len(items) > _SHORT_LIST or not _STRINGS_ONLY.issuperset(map(type, items)):
        return None
    template = _template(len(items), prefix)
    joined: bytes = b"\n".join(items)  # type: ignore[arg-type]
    text = joined.decode("latin-1")
    if joined.isascii() and '"' not in text and "\\" not in text and text.replace("\n", "").isprintable():
        texts = text.split("\n")
        if len(texts) == len(items):
            return first + template % tuple(texts)
    return first + template % tuple([item.decode("latin-1").translate(_escapes) for item in items])  # type: ignore[union-attr]


@lru_cache(maxsize=64)
def _template(count: int, prefix: str) -> str:
    width = len(str(count))
    return f"\n{prefix}".join([f'{number:>{width}}) "%s"' for number in range(1, count + 1)])


def _pairs(pairs: Map, first: str, prefix: str) -> Flow:
    width = len(str(len(pairs)))
    deeper = prefix + " " * (width + 2)
    before = first
    for number, (key, value) in enumerate(pairs, 1):
        yield _lines(key, f"{before}{number:>{width}}# ", deeper)
        yield Joint(" => ")
        if _takes_lines(value):
            yield ""
            yield _lines(value, deeper, deeper)
        else:
            yield _lines(value, "", deeper)
        before = prefix


def _takes_lines(reply: Reply) -> bool:
    """Whether redis-cli puts a map's value below its key (cliIsMultilineValueTTY)."""
    while True:
        if isinstance(reply, Map):
            items = [value for _, value in reply.pairs[:2]]
        elif isinstance(reply, list):
            items = reply
        elif isinstance(reply, (Set, Push)):
            items = reply.items
        else:
            return False
        if len(items) != 1:
            return len(items) > 1
        reply = items[0]
