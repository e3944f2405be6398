"""A JSON array read element by element: it may be longer than the memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from typing import IO, Any, Final, NoReturn

from streamcli.tools.records import LineError

_CHUNK: Final = 256 * 1024  # characters
_BLANKS: Final = " \t\r\n"
_CUT_OFF: Final = "it ends in the middle; was the file cut off?"
_NEAR_END: Final = 12  # characters: an error so near to the end may be one of reading too little


class Array:
    """Iterate over it: each element with the line it begins on. Raises LineError."""

    def __init__(self, file: IO[bytes], decode: Callable[[str, int], tuple[Any, int]]) -> None:
        """`decode` is the `raw_decode` of a JSONDecoder; it may be changed between two elements."""
        self.decode = decode
        self._text = TextIOWrapper(file, encoding="utf-8-sig", newline="\n")
        self._buffer = ""
        self._at = 0
        self._line = 1

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        if self._next_character() != "[":
            raise LineError(self._line, "it is no array of objects")
        self._at += 1
        if self._next_character() != "]":
            while True:
                self._next_character()
                line = self._line
                yield line, self._element()
                mark = self._next_character()
                self._at += 1
                if mark == "]":
                    break
                if mark != ",":
                    self._wrong("a comma or ] is missing" if mark else _CUT_OFF)
        else:
            self._at += 1
        if self._next_character():
            self._wrong("there is something behind the array")

    def _next_character(self) -> str:
        """The next one that is no blank; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if character not in _BLANKS:
                    return character
                self._line += character == "\n"
                self._at += 1
            if not self._more(_CHUNK):
                return ""

    def _element(self) -> Any:
        chunk = _CHUNK
        while True:
            try:
                value, end = self.decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                near = error.pos >= len(self._buffer) - _NEAR_END or error.msg.startswith("Unterminated string")
                if near and self._more(chunk):
                    chunk *= 2
                    continue
                self._line += self._buffer.count("\n", self._at, error.pos)
                self._wrong(_CUT_OFF if near else f"it is no JSON: {error.msg}")
            except (ValueError, RecursionError) as error:
                self._wrong(f"it cannot be read: {error}")
            self._line += self._buffer.count("\n", self._at, end)
            self._at = end
            return value

    def _more(self, size: int) -> bool:
        """Read on; what was taken is forgotten. False at the end."""
        try:
            more = self._text.read(size)
        except UnicodeDecodeError:
            self._wrong("it is not UTF-8, here or a little further on")
        self._buffer, self._at = self._buffer[self._at :] + more, 0
        return bool(more)

    def _wrong(self, text: str) -> NoReturn:
        raise LineError(self._line, text)
