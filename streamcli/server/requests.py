"""Bytes from a client to command lines, without I/O.

Rules (networking.c: processMultibulkBuffer, processInlineBuffer):

1. An array of bulk strings is a command; an empty one is nothing.
2. Any other line is a command typed by hand, split as redis-cli splits it.
3. What is neither raises RequestError, whose text is the error that Redis
   sends before it hangs up. Nothing after it is read.
4. Before a client has said who it is, only short commands are taken.

Nearly every command arrives whole and holds no line end in a word: what was
fed is split at its line ends once, and such a command is every other line of
it. All else is read word by word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streamcli import words
from streamcli.grammar.types import read_integer

BULK_MAX: Final = 512 * 1024 * 1024
_LINE_MAX: Final = 64 * 1024
_ARGUMENTS_MAX: Final = 2**31 - 1
_STRANGER_ARGUMENTS_MAX, _STRANGER_BULK_MAX = 10, 16384
_SHORT_COMMAND, _SHORT_WORD = 256, 4096
_counts: Final = {b"*%d" % count: count for count in range(1, _SHORT_COMMAND + 1)}.get
_heads: Final = {size: b"$%d" % size for size in range(_SHORT_WORD + 1)}.get
_STAR, _DOLLAR, _RETURN, _NEWLINE = b"*$\r\n"


class RequestError(Exception):
    """What arrived is no request; the text is the error to answer with, as it goes over the wire."""


class Requests:
    """Feed it; ask for `next`, or iterate. `size` is what waits to be read or for its rest, in bytes."""

    def __init__(self) -> None:
        self.bulk_max = BULK_MAX
        self.stranger = False  # rule 4
        self._data = b""
        self._at = 0
        self._lines: list[bytes] | None = None  # what is behind `_at`, split; None where that does not help
        self._line = 0  # the first of them that is not read
        self._more: list[bytes] = []  # arrived since, as long as that is too little to go on
        self._arrived = 0
        self._needed = 0  # how much has to arrive before it is worth looking
        self._split_later = False
        self._left = 0  # words of the command that is being read
        self._words: list[bytes] = []
        self._bulk = -1  # length of the word that is being read
        self._kept = 0
        self._broken: RequestError | None = None

    @property
    def size(self) -> int:
        return len(self._data) - self._at + self._arrived + self._kept

    @property
    def begun(self) -> bool:
        """Is there something of a request whose rest is to come?"""
        return self._left > 0 or self.size > 0

    def feed(self, data: bytes) -> None:
        self._more.append(data)
        self._arrived += len(data)

    def alone(self, data: bytes) -> list[bytes] | None:
        """The command that these bytes are, if they are one and nothing more; else they are fed, and None.

        What a client sends that waits for each reply: the way that is gone most.
        """
        if not (self._arrived or self._data or self.stranger or self._left):
            lines = data.split(b"\r\n", 2 * _SHORT_COMMAND + 2)
            count = _counts(lines[0])
            if count is not None and len(lines) == 2 * count + 2 and not lines[-1]:
                request = lines[2:-1:2]
                if list(map(_heads, map(len, request))) == lines[1:-1:2]:
                    return request
        self.feed(data)
        return None

    def __iter__(self) -> Iterator[list[bytes]]:
        while (request := self.next()) is not None:
            yield request

    def next(self) -> list[bytes] | None:
        """The next command; None when more is needed. Raises RequestError, and again whenever it is asked."""
        if self._broken is not None:
            raise self._broken
        try:
            return self._next()
        except RequestError as error:
            self._broken = error
            raise

    def _next(self) -> list[bytes] | None:
        if self._arrived and self._arrived >= self._needed:
            self._take()
        while True:
            if self._lines is not None:
                request = self._whole(self._lines)
                if request is not None:
                    return request
            if not self._left:
                request = self._begin()
                if request is not None:
                    return request
                if not self._left:
                    return None
            if not self._go_on():
                return None
            request, self._words, self._kept = self._words, [], 0
            if self._split_later:
                self._split()
            return request

    def _take(self) -> None:
        """Put what has arrived behind what is left."""
        if self._lines is not None:
            self._unsplit(self._lines)
        rest = self._data[self._at :]
        self._data = b"".join([rest, *self._more]) if rest or len(self._more) > 1 else self._more[0]
        self._at = self._arrived = self._needed = 0
        self._more.clear()
        if self._left:
            self._split_later = True
        else:
            self._split()

    def _split(self) -> None:
        self._split_later = False
        if self._data[self._at : self._at + 1] == b"*" and not self.stranger:
            self._lines, self._line = self._data[self._at :].split(b"\r\n"), 0

    def _whole(self, lines: list[bytes]) -> list[bytes] | None:
        """The next command, if it is all there and its words hold no line ends."""
        at = self._line
        count = _counts(lines[at])
        if count is not None and not self.stranger:
            end = at + 1 + 2 * count
            if end < len(lines):
                request = lines[at + 2 : end : 2]
                if list(map(_heads, map(len, request))) == lines[at + 1 : end : 2]:
                    if end == len(lines) - 1 and not lines[end]:  # and that was all
                        self._data, self._at, self._lines = b"", 0, None
                    else:
                        self._line = end
                    return request
        self._unsplit(lines)
        return None

    def _unsplit(self, lines: list[bytes]) -> None:
        """Go on word by word, behind the commands that were taken whole."""
        read = lines[: self._line]
        self._at += sum(map(len, read)) + 2 * len(read)
        self._lines = None

    # -- word by word ------------------------------------------------------------------

    def _begin(self) -> list[bytes] | None:
        """Read the beginning of a command, or all of one that was typed."""
        while self._at < len(self._data):
            if self._data[self._at] != _STAR:
                request = self._inline()
                if request is None or request:
                    return request
                continue
            line = self._header("too big mbulk count string")
            if line is None:
                return None
            count = read_integer(line)
            if count is None or count > _ARGUMENTS_MAX:
                raise RequestError("ERR Protocol error: invalid multibulk length")
            if self.stranger and count > _STRANGER_ARGUMENTS_MAX:
                raise RequestError("ERR Protocol error: unauthenticated multibulk length")
            if count > 0:
                self._left = count
                return None
        return None

    def _go_on(self) -> bool:
        """Read words until the command is whole; False when more is needed."""
        while self._left:
            if self._bulk < 0:
                if self._at >= len(self._data):
                    return False
                if self._data[self._at] != _DOLLAR:
                    raise RequestError(f"ERR Protocol error: expected '$', got '{_shown(self._data[self._at])}'")
                line = self._header("too big bulk count string")
                if line is None:
                    return False
                self._bulk = self._length(line)
            end = self._at + self._bulk
            if len(self._data) < end + 2:
                self._needed = end + 2 - len(self._data)
                return False
            self._words.append(self._data[self._at : end])
            self._kept += self._bulk
            self._at = end + 2  # Redis: whatever these two are
            self._bulk = -1
            self._left -= 1
        return True

    def _length(self, line: bytes) -> int:
        length = read_integer(line)
        if length is None or not 0 <= length <= self.bulk_max:
            raise RequestError("ERR Protocol error: invalid bulk length")
        if self.stranger and length > _STRANGER_BULK_MAX:
            raise RequestError("ERR Protocol error: unauthenticated bulk length")
        return length

    def _header(self, too_long: str) -> bytes | None:
        """The next line without its first character and its end, None when it is not all here."""
        end = self._data.find(b"\r", self._at)
        if end < 0 or end + 1 >= len(self._data):
            if len(self._data) - self._at > _LINE_MAX:
                raise RequestError(f"ERR Protocol error: {too_long}")
            return None
        line = self._data[self._at + 1 : end]
        self._at = end + 2
        return line

    def _inline(self) -> list[bytes] | None:
        """A command typed by hand; [] for an empty line, None when the line is not all here."""
        end = self._data.find(b"\n", self._at)
        if (len(self._data) if end < 0 else end) - self._at > _LINE_MAX:
            raise RequestError("ERR Protocol error: too big inline request")
        if end < 0:
            return None
        line = self._data[self._at : end].removesuffix(b"\r")
        self._at = end + 1
        try:
            return words.argv(line)
        except words.SplitError:
            raise RequestError("ERR Protocol error: unbalanced quotes in request") from None


def _shown(byte: int) -> str:
    """A byte inside a message, as Redis writes it there: as it is."""
    return bytes([byte]).decode(errors="surrogateescape")
