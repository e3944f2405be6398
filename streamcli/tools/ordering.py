"""Which rows come first, and how many: --sort, --reverse, --limit of what lists things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from streamcli.flags import Flag
from streamcli.reply import Nil
from streamcli.tools.job import Given

_LIMIT_MAX: Final = 10_000_000
T = TypeVar("T")


def flags(keys: tuple[str, ...]) -> tuple[Flag, ...]:
    """The options; names come from the first letter on, all else from the greatest."""
    return (
        Flag(
            ("--sort",),
            "sort",
            f"Order by this (default: {keys[0]}); numbers from the greatest.",
            "BY",
            keys,
        ),
        Flag(("--reverse",), "reverse", "The other way round."),
        Flag(("--limit",), "limit", "So many rows at most.", "N", number=(1, _LIMIT_MAX)),
    )


class Order:
    """How rows are to be ordered and cut; `key` is one of the tool's keys."""

    def __init__(self, given: Given, first: str) -> None:
        self.key = given.text("sort") or first
        self._limit = given.number("limit")
        self._reverse = given.on("reverse")

    def cut(self, rows: list[T], value: Callable[[T], Any], name: Callable[[T], Any]) -> list[T]:
        """The rows in order, less those beyond the limit. What has no value, or none that is known, comes last."""
        known = [row for row in rows if not _is_missing(value(row))]
        missing = [row for row in rows if _is_missing(value(row))]
        descends = not isinstance(value(known[0]), (bytes, tuple)) if known else False
        known.sort(key=name)
        known.sort(key=value, reverse=descends != self._reverse)
        missing.sort(key=name)
        return (known + missing)[: self._limit]


def _is_missing(value: object) -> bool:
    return value is None or isinstance(value, Nil)
