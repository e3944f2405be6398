"""The columns that the fields of entries have, for formats with a column a field.

A column is a name; the n-th value of a name that an entry repeats has the n-th
column of that name. Bytes in, places out: does not know what a cell looks like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streamcli.render.shape import Entries, Streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from streamcli.reply import Reply


class Columns:
    """Which place each name has, in order of first appearance among the entries that were learned."""

    def __init__(self) -> None:
        self._columns: Final[dict[tuple[bytes, int], int]] = {}
        self._places: Final[dict[tuple[bytes, ...], list[int]]] = {}

    def __len__(self) -> int:
        return len(self._columns)

    def learn(self, names: tuple[bytes, ...]) -> None:
        """Make columns for an entry's names, where they have none."""
        if names not in self._places:
            self._places[names] = [self._columns.setdefault(each, len(self._columns)) for each in _counted(names)]

    def places(self, names: tuple[bytes, ...]) -> list[int]:
        """The column of each name of an entry; -1 for one that was never learned."""
        places = self._places.get(names)
        return places if places is not None else [self._columns.get(each, -1) for each in _counted(names)]

    def names(self) -> Iterator[bytes]:
        """The name over each column."""
        return (name for name, _ in self._columns)


def _counted(names: tuple[bytes, ...]) -> Iterator[tuple[bytes, int]]:
    """Each name with how many times it has come."""
    seen: dict[bytes, int] = {}
    for name in names:
        count = seen[name] = seen.get(name, 0) + 1
        yield name, count


def distinct(head: Sequence[str], names: Iterable[str]) -> list[str]:
    """A header in which no name stands twice, for those who read rows by name: `city`, `city (2)`."""
    titles = list(head)
    taken = set(head)
    for name in names:
        title, count = name, 1
        while title in taken:
            count += 1
            title = f"{name} ({count})"
        taken.add(title)
        titles.append(title)
    return titles


def with_streams(shape: Entries | Streams) -> Iterator[tuple[bytes | None, Reply]]:
    """Each entry with the name of its stream; None where only one was asked for."""
    if isinstance(shape, Entries):
        for item in shape.items:
            yield None, item
    else:
        for name, items in shape.pairs:
            for item in items:
                yield name, item
