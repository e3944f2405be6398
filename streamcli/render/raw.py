"""Raw: what `redis-cli` prints off a terminal, byte for byte.

Rules (redis-cli.c, cliFormatReplyRaw): every leaf on its own line, nesting
forgotten; a null and an empty array are an empty line; a map's key and value
share a line; an error is followed by an empty line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streamcli.render.flow import Joint, run_joined
from streamcli.reply import Error, Map, Nil, Push, Set, Simple, Verbatim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamcli.render import Call, Options
    from streamcli.render.flow import Flow
    from streamcli.reply import Reply

_SHORT_LIST: Final = 256  # as the fields of an entry are; a longer one comes item by item
_STRINGS_ONLY: Final = frozenset({bytes})
_GREATEST_WHOLE: Final = float(2**62)
# Redis: redis-cli prints these commands' text as it is, in every mode (issueCommandRepeat, `output_raw`).
_TEXT_COMMANDS: Final = frozenset({"INFO", "LOLWUT"})
_TEXT_PAIRS: Final[dict[tuple[str, ...], int]] = {  # and how many words the line must have, 0 for any number
    ("DEBUG", "HTSTATS"): 0,
    ("DEBUG", "HTSTATS-KEY"): 0,
    ("DEBUG", "CLIENT-EVICTION"): 0,
    ("MEMORY", "MALLOC-STATS"): 0,
    ("MEMORY", "DOCTOR"): 0,
    ("CLUSTER", "NODES"): 2,
    ("CLUSTER", "INFO"): 2,
    ("CLIENT", "LIST"): 0,
    ("CLIENT", "INFO"): 0,
    ("LATENCY", "GRAPH"): 3,
    ("LATENCY", "DOCTOR"): 2,
    ("PROXY", "INFO"): 0,
}


def render(reply: Reply, call: Call | None, options: Options) -> Iterator[str]:
    """Chunks as redis-cli's raw output, exact off a terminal and made harmless on one."""
    chunks = run_joined(text_lines(reply) if answers_text(call) else _lines(reply))
    if not options.terminal:
        return chunks
    from streamcli.text import visible

    return (visible(chunk.replace("\r\n", "\n")) for chunk in chunks)


def answers_text(call: Call | None) -> bool:
    """True for a command whose string is a page of text to read, such as INFO."""
    words: tuple[bytes, ...] = getattr(call, "argv", ())
    names = tuple([word.decode("latin-1").upper() for word in words[:2]])
    if not names:
        return False
    return names[0] in _TEXT_COMMANDS or _TEXT_PAIRS.get(names, -1) in (0, len(words))


def text_lines(reply: Reply) -> Flow:
    """The chunks of a page of text, which ends its last line itself."""
    if isinstance(reply, bytes):
        yield reply.decode("utf-8", "surrogateescape").removesuffix("\n")
    elif isinstance(reply, Verbatim):
        yield reply.data.decode("utf-8", "surrogateescape").removesuffix("\n")
    elif isinstance(reply, Error):
        yield reply.text
    else:
        yield _lines(reply)


def _lines(reply: Reply) -> Flow:
    """The chunks of any reply; never none at all."""
    if isinstance(reply, bytes):
        yield reply.decode("utf-8", "surrogateescape")
    elif isinstance(reply, list):
        yield _items(reply)
    elif isinstance(reply, Simple):
        yield reply.text
    elif isinstance(reply, Error):
        yield reply.text
        yield ""
    elif isinstance(reply, bool):
        yield "(true)" if reply else "(false)"
    elif isinstance(reply, int):
        yield str(reply)
    elif isinstance(reply, float):
        yield double_text(reply)
    elif isinstance(reply, Map):
        yield _pairs(reply)
    elif isinstance(reply, (Set, Push)):
        yield _items(reply.items)
    elif isinstance(reply, Verbatim):
        yield reply.data.decode("utf-8", "surrogateescape")
    elif reply is None or isinstance(reply, Nil):
        yield ""


def _items(items: list[Reply]) -> Flow:
    if not items:
        yield ""
        return
    if type(items) is list and (chunk := _strings(items)) is not None:
        yield chunk
        return
    for item in items:
        if type(item) is bytes:
            yield item.decode("utf-8", "surrogateescape")
        elif type(item) is list and (chunk := _entry(item)) is not None:
            yield chunk
        else:
            yield _lines(item)


def _strings(items: list[Reply]) -> str | None:
    """A short list of strings in one chunk; None for any other."""
    if len(items) > _SHORT_LIST or not _STRINGS_ONLY.issuperset(map(type, items)):
        return None
    joined: bytes = b"\n".join(items)  # type: ignore[arg-type]
    if b"\r\n" in joined:  # a carriage return at the end of a string is not part of a line end
        return None
    return joined.decode("utf-8", "surrogateescape")


def _entry(item: list[Reply]) -> str | None:
    """An entry with its fields in one chunk; None for any other list."""
    if len(item) != 2 or type(item[1]) is not list or not item[1]:
        return None
    return _strings([item[0], *item[1]])


def _pairs(pairs: Map) -> Flow:
    if not pairs.pairs:
        yield ""
    for key, value in pairs:
        yield _lines(key)
        yield Joint(" ")
        yield _lines(value)


def double_text(value: float) -> str:
    """A double as Redis writes it: `3` and not `3.0`, else the shortest digits (util.c, double2ll; fpconv_dtoa).

    The reply has lost what the server wrote, so a server with other habits is
    not copied to the digit.
    """
    sign = "-" if str(value).startswith("-") else ""
    if value == 0 or value - value != 0:  # infinite, or no number
        return sign + "0" if value == 0 else str(value)
    if value.is_integer() and abs(value) <= _GREATEST_WHOLE:
        return str(int(value))
    mantissa, _, exponent = str(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    stripped = digits.rstrip("0")
    return sign + _decimal(stripped, int(exponent or 0) - len(fraction) + len(digits) - len(stripped))


def _decimal(digits: str, power: int) -> str:
    """`digits` times ten to the `power`, in scientific form where fpconv's emit_digits chooses it."""
    count = len(digits)
    exponent = power + count - 1
    if power >= 0 and exponent < count + 7:
        return digits + "0" * power
    if power < 0 and (power > -7 or abs(exponent) < 4):
        point = count + power
        return f"{digits[:point]}.{digits[point:]}" if point > 0 else f"0.{'0' * -point}{digits}"
    mantissa = f"{digits[0]}.{digits[1:]}" if count > 1 else digits
    return f"{mantissa}e{exponent:+d}"
