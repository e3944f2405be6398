"""Where lines go: a file descriptor, what may be written to it, and what becomes of a pipe that closes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import BinaryIO

_FLUSH_BYTES = 64 * 1024


class PipeClosedError(Exception):
    """Nobody reads the output any more."""


class Output:
    """Collects lines for a binary stream; `flush` before waiting for anything."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._pieces: list[bytes] = []
        self._size = 0

    def lines(self, chunks: Iterable[str]) -> None:
        """Write each chunk and a line end. Raises PipeClosedError, OSError."""
        for chunk in chunks:
            data = chunk.encode("utf-8", "surrogateescape")
            self._pieces += (data, b"\n")
            self._size += len(data)
            if self._size > _FLUSH_BYTES:
                self.flush()

    def flush(self) -> None:
        if not self._pieces:
            return
        data, self._pieces, self._size = b"".join(self._pieces), [], 0
        try:
            self._stream.write(data)
            self._stream.flush()
        except BrokenPipeError:
            raise PipeClosedError from None


def give_up(stream: BinaryIO) -> None:
    """Let what is still in Python's own buffer go nowhere, so that nothing complains about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def wants_color(terminal: bool, environment: Mapping[str, str]) -> bool:
    """By NO_COLOR, CLICOLOR_FORCE and TERM, as no-color.org and bixense.com/clicolors have them."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return terminal and environment.get("TERM", "") not in ("", "dumb")


def takes_utf8(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
