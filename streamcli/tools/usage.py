"""How a tool is used, as text: for `streamcli tail --help` and `.tail --help`."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from streamcli.flags import Flag
from streamcli.tools import TOOLS
from streamcli.tools.job import Tool

_WIDTH, _GAP, _NAMES_MOST = 80, 2, 28


def usage(name: str, tool: Tool, prefix: str = "streamcli ", width: int | None = None) -> Iterator[str]:
    """The lines of a tool's help; `prefix` stands before its name, `streamcli ` or a dot."""
    width = max(40, min(width or _WIDTH, 100))
    yield f"Usage: {prefix}{name} [OPTIONS] {tool.usage}".rstrip()
    yield ""
    for paragraph in (f"{TOOLS[name].summary}.", *tool.about.split("\n\n")):
        if paragraph:
            yield from (f"  {line}" for line in wrap(" ".join(paragraph.split()), width - 2))
            yield ""
    if tool.examples:
        yield from (f"  {prefix}{example}" for example in tool.examples)
        yield ""
    yield "Options:"
    yield from _options(tool.own_flags, width)
    if prefix != ".":
        yield ""
        yield "  Also those of streamcli itself that say where the streams are, and how answers look:"
        yield "  --db, --memory, -u, -h, -p, @PROFILE before the word ... (streamcli --help)."


def _options(flags: tuple[Flag, ...], width: int) -> Iterator[str]:
    rows = [(_names(flag), flag.help) for flag in flags]
    column = min(_NAMES_MOST, max(len(names) for names, _ in rows))
    for names, help in rows:
        lines = wrap(help, max(20, width - column - _GAP - 2)) or [""]
        if len(names) > column:
            yield f"  {names}"
        else:
            yield f"  {names:{column + _GAP}}{lines.pop(0)}"
        yield from (" " * (column + _GAP + 2) + line for line in lines)


def _names(flag: Flag) -> str:
    takes = "|".join(flag.choices) or flag.value
    return ", ".join(flag.names) + (f" {takes}" if flag.value is not None else "")
