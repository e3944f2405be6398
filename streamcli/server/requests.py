"""Bytes from a client to command lines, without I/O.

Rules (networking.c: processMultibulkBuffer, processInlineBuffer):

1. An array of bulk strings is a command; an empty one is nothing.
2. Any other line is a command typed by hand, split as redis-cli splits it.
3. What is neither raises RequestError, whose text is the error that Redis
   sends before it hangs up. Nothing after it is read.
4. Before a client has said who it is, only short commands are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streamcli import words

_LINE_MAX: Final = 64 * 1024
_ARGUMENTS_MAX: Final = 2**31 - 1
_STRANGER_ARGUMENTS_MAX, _STRANGER_BULK_MAX = 10, 16384
_NUMBER_MAX: Final = 32  # digits that are looked at


class RequestError(Exception):
    """What arrived is no request; the text is the error to answer with."""


class Requests:
    """Feed it; iterate for the commands that are complete. `size` is what waits for its rest, in bytes."""

    def __init__(self, bulk_max: int = 512 * 1024 * 1024) -> None:
        self.bulk_max = bulk_max
        self.stranger = False
        self._data = bytearray()
        self._at = 0
        self._left = 0  # words of the command that is being read
        self._words: list[bytes] = []
        self._bulk = -1  # length of the word that is being read
        self._kept = 0

    @property
    def size(self) -> int:
        return len(self._data) - self._at + self._kept

    def feed(self, data: bytes) -> None:
        if self._at:
            del self._data[: self._at]
            self._at = 0
        self._data += data

    def __iter__(self) -> Iterator[list[bytes]]:
        while (request := self.next()) is not None:
            yield request

    def next(self) -> list[bytes] | None:
        """The next command; None when more is needed. Raises RequestError."""
        while True:
            if not self._left:
                request = self._begin()
                if request is not None:
                    return request
                if not self._left:
                    return None
            if not self._go_on():
                return None
            request, self._words, self._kept = self._words, [], 0
            return request

    def _begin(self) -> list[bytes] | None:
        """Read the beginning of a command, or all of one that was typed."""
        while self._at < len(self._data):
            if self._data[self._at] != 42:  # *
                request = self._inline()
                if request is None or request:
                    return request
                continue
            line = self._line("too big mbulk count string")
            if line is None:
                return None
            count = _number(line[1:])
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
        data, left, words_ = self._data, self._left, self._words
        at, end = self._at, len(self._data)
        try:
            while left:
                length = self._bulk
                if length < 0:
                    stop = data.find(b"\r\n", at)
                    if stop < 0 or at == end:
                        self._check_length_line(at)
                        return False
                    length = self._length(bytes(data[at:stop]))
                    at = stop + 2
                if end - at < length + 2:
                    self._bulk = length
                    return False
                words_.append(bytes(data[at : at + length]))
                self._kept += length
                at += length + 2
                self._bulk = -1
                left -= 1
            return True
        finally:
            self._at, self._left = at, left

    def _length(self, line: bytes) -> int:
        if line[:1] != b"$":
            given = chr(line[0]) if line else "\r"
            raise RequestError(f"ERR Protocol error: expected '$', got '{_shown(given)}'")
        digits = line[1:]
        length = int(digits) if digits.isdigit() and len(digits) < 12 else _number(digits)
        if length is None or length < 0 or length > self.bulk_max:
            raise RequestError("ERR Protocol error: invalid bulk length")
        if self.stranger and length > _STRANGER_BULK_MAX:
            raise RequestError("ERR Protocol error: unauthenticated bulk length")
        return length

    def _check_length_line(self, at: int) -> None:
        """A line of a length that does not end, or is none, is not waited for."""
        if at < len(self._data) and self._data[at] != 36:  # $
            raise RequestError(f"ERR Protocol error: expected '$', got '{_shown(chr(self._data[at]))}'")
        if len(self._data) - at > _LINE_MAX:
            raise RequestError("ERR Protocol error: too big bulk count string")

    def _line(self, too_long: str) -> bytes | None:
        """The next line without its end, None when it is not all here."""
        end = self._data.find(b"\r\n", self._at)
        if end < 0:
            if len(self._data) - self._at > _LINE_MAX:
                raise RequestError(f"ERR Protocol error: {too_long}")
            return None
        line = bytes(self._data[self._at : end])
        self._at = end + 2
        return line

    def _inline(self) -> list[bytes] | None:
        """A command typed by hand; [] for an empty line, None when the line is not all here."""
        end = self._data.find(b"\n", self._at)
        if end < 0:
            if len(self._data) - self._at > _LINE_MAX:
                raise RequestError("ERR Protocol error: too big inline request")
            return None
        line = bytes(self._data[self._at : end]).removesuffix(b"\r")
        self._at = end + 1
        if len(line) > _LINE_MAX:
            raise RequestError("ERR Protocol error: too big inline request")
        try:
            return words.argv(line)
        except words.SplitError:
            raise RequestError("ERR Protocol error: unbalanced quotes in request") from None


def _number(text: bytes) -> int | None:
    """As Redis's string2ll reads it; None for anything else."""
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or len(digits) > _NUMBER_MAX or (digits[:1] == b"0" and text != b"0"):
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


def _shown(character: str) -> str:
    return character if " " <= character <= "~" else "?"
