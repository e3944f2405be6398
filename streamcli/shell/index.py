"""Many names in order, to be found by how they begin or what they hold, in far less than a keystroke's time.

Nothing here takes long in one piece: an index is made of blocks, and no step of
making it holds the interpreter for more than a millisecond or two.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import merge
from itertools import accumulate, islice

BLOCK = 4096  # names
_SEARCHED_MAX = 4 << 20  # bytes; looking through more of them would be felt
_PASSED_MAX = 64  # finds in a block that lie across two names


class Block:
    """Some keys in order, joined: two large objects are made, searched and dropped faster than many small ones."""

    __slots__ = ("_folded", "_starts", "count", "joined")

    def __init__(self, names: Iterable[bytes]) -> None:
        ordered = sorted(names)
        self.count = len(ordered)
        self.joined = b"\n".join([*ordered, b""])
        folded = self.joined.lower()
        self._folded = self.joined if folded == self.joined else folded
        self._starts = array("L", accumulate((len(name) + 1 for name in ordered), initial=0))

    def __getitem__(self, index: int) -> bytes:
        return self.joined[self._starts[index] : self._starts[index + 1] - 1]

    def starting(self, prefix: bytes) -> Iterator[bytes]:
        at = bisect_left(range(self.count), prefix, key=self.__getitem__)
        while at < self.count and (name := self[at]).startswith(prefix):
            yield name
            at += 1

    def holding(self, folded: bytes) -> Iterator[bytes]:
        """A text with a line end in it may be found across two names: some such finds are passed over."""
        at, passed = 0, 0
        while passed < _PASSED_MAX and (found := self._folded.find(folded, at)) >= 0:
            index = bisect_left(self._starts, found + 1) - 1
            at = self._starts[index + 1]
            if found + len(folded) < at:
                yield self[index]
            else:
                passed += 1


class Keys:
    """Keys in order, to be found by how they begin or what they hold; `whole` says whether they are all there are."""

    __slots__ = ("_blocks", "whole")

    def __init__(self, blocks: Sequence[Block] = (), whole: bool = True) -> None:
        self._blocks, self.whole = blocks, whole

    @classmethod
    def of(cls, names: Collection[bytes], whole: bool = True) -> Keys:
        ordered = sorted(names)
        return cls([Block(ordered[at : at + BLOCK]) for at in range(0, len(ordered), BLOCK)], whole)

    def __len__(self) -> int:
        return sum([block.count for block in self._blocks])

    def __contains__(self, name: bytes) -> bool:
        return next(iter(self.starting(name, 1)), None) == name

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Keys)
            and self.whole == other.whole
            and [block.joined for block in self._blocks] == [block.joined for block in other._blocks]
        )

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Keys) -> Keys:
        return Keys([*self._blocks, *other._blocks], self.whole) if other._blocks else self

    def starting(self, prefix: bytes, most: int) -> list[bytes]:
        """The first that begin with the prefix, in order."""
        found = merge(*[block.starting(prefix) for block in self._blocks])
        return list(dict.fromkeys(islice(found, most)))

    def holding(self, text: bytes, most: int) -> list[bytes]:
        """Some that hold the text, large or small letters alike, in order."""
        folded = text.lower()
        ends = accumulate([len(block.joined) for block in self._blocks])
        near = [block for block, end in zip(self._blocks, ends, strict=True) if end <= _SEARCHED_MAX]
        found = (name for block in near for name in block.holding(folded))
        return sorted(dict.fromkeys(islice(found, most)))

    def matching(self, text: bytes, most: int, but: Collection[bytes] = ()) -> list[bytes]:
        """First those that begin with the text, then those that hold it; none of `but`."""
        found = self.starting(text, most + len(but))
        if text and len(found) < most + len(but):
            found += self.holding(text, most + len(but))
        return [name for name in dict.fromkeys(found) if name not in but][:most]
