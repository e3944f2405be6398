"""How much a reading command may still answer: COUNT for each stream, MAXCOUNT and MAXSIZE for all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.ids import id_text
from streamcli.storage.encoding import unpack_words

if TYPE_CHECKING:
    from streamcli.storage.streams import Entry, Stream

_CHUNK = 32  # entries read at once, where it is not known for how many there is room


class Budget:
    """What is left. `sized`: bytes count.

    Redis: the bytes are those of the reply as it is sent, and the entry that
    passes them still comes. A stream's list is counted entry by entry, its
    header when the next stream's turn comes; the header of all is not.
    """

    __slots__ = ("_bytes", "_each", "_enough", "_key", "_left", "_most_bytes", "_rich", "_sent", "_taken", "sized")

    def __init__(
        self, count: int | None, maxcount: int | None, maxsize: int | None, protocol: int, enough: int = 0
    ) -> None:
        """`enough`: see `Session.reply_most`; only for what changes nothing, as it ends in the middle."""
        self._each = count if count is not None and count > 0 else None  # Redis: a COUNT of 0 or less is none
        self._left, self._most_bytes = maxcount, maxsize
        self._rich = protocol == 3
        self._key: bytes | None = None  # the stream's, until something of it is in the reply
        self._enough = enough
        self._bytes = self._sent = self._taken = 0
        self.sized = maxsize is not None

    def turn(self, key: bytes) -> bool:
        """The next stream's turn: may anything of it come?"""
        if self.sized and self._taken:
            self._bytes += _number(self._taken)
        self._key, self._taken = key, 0
        return self._open()

    def room(self) -> int:
        """How many more entries of this stream; -1 for any number. Bytes are not looked at."""
        each, left = self._each, self._left
        if each is None:
            return -1 if left is None else left
        each -= self._taken
        return each if left is None else min(each, left)

    def at_once(self) -> int:
        """How many entries to read now; -1 for all."""
        room = self.room()
        return room if not self.sized else _CHUNK if room < 0 else min(room, _CHUNK)

    def took(self, count: int) -> None:
        """So many entries came; their bytes do not count."""
        self._sent += count
        self._taken += count
        if self._left is not None:
            self._left -= count

    def take(self, id: bytes, packed: bytes | None, *numbers: int) -> bool:
        """Does another entry come? By its ID, packed fields (None: it is gone) and what else is told of it."""
        if not self.room() or not self._open():
            return False
        if self.sized:
            if self._key is not None:
                self._bytes += _bulk(self._key) + (0 if self._rich else 4)
                self._key = None
            self._bytes += 4 + _bulk(id_text(id)) + sum(map(_number, numbers))
            if packed is None:
                self._bytes += 3 if self._rich else 5
            else:
                words = unpack_words(packed)
                self._bytes += _number(len(words)) + sum(map(_bulk, words))
        self.took(1)
        return True

    def entries(self, stream: Stream, after: bytes, *numbers: int) -> list[Entry]:
        """The entries above an ID that may come, of which `numbers` are told as well."""
        if not self.sized:
            room = self.room()
            some = stream.after(after, room, most_bytes=self._enough) if room else []
            if self._enough:
                self._enough = max(1, self._enough - sum([len(fields) for _, fields in some]))
            if self._left is not None:
                self.took(len(some))
            return some
        taken: list[Entry] = []
        while most := self.at_once():
            some = stream.after(after, most)
            for entry in some:
                if not self.take(*entry, *numbers):
                    return taken
                taken.append(entry)
            if len(some) < most:
                break
            after = some[-1][0]
        return taken

    def _open(self) -> bool:
        if self._left is not None and self._left <= 0:
            return False
        return self._most_bytes is None or not self._sent or self._bytes < self._most_bytes


def _number(value: int) -> int:
    """The bytes of an integer, and of an array's header."""
    return len(b"%d" % value) + 3


def _bulk(word: bytes) -> int:
    return _number(len(word)) + len(word) + 2
