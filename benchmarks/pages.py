"""Help pages: what it costs to lay one out."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.measure import Row, bounded, clocked, milliseconds, race
from streamcli.docs import pages
from streamcli.docs.markdown import lay_out
from streamcli.render import Options
from streamcli.shell import help

_LINES, _MOST_MS = 300, 30.0


def rows(rounds: int) -> Iterator[Row]:
    """A page of 300 lines, made of real ones; colours and the painting of its examples included."""
    text = _long_page()
    look = Options(color=True, width=80)

    def one() -> None:
        for line in lay_out(text, 80, paint=help.paint_code):
            help.encode(line, look)

    (seconds,) = race(rounds, lambda: clocked(1, one))
    yield bounded(f"Lay out a help page of {_LINES} lines", seconds * 1000, milliseconds(seconds), _MOST_MS, "ms")


def _long_page() -> str:
    lines: list[str] = []
    for name in ("XREAD", "XREADGROUP", "XADD", "XCLAIM"):
        page = pages.command(name)
        assert page is not None
        lines += page.text.splitlines()
    return "\n".join(lines[:_LINES]) + "\n```\n"
