"""Where lines go: a file descriptor, what may be written to it, and what becomes of a pipe that closes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

_FLUSH_BYTES = 64 * 1024
_UTF8 = "utf8"


class PipeClosedError(Exception):
    """Nobody reads the output any more."""


class Live:
    """Chunks that come when they like. Whoever writes them flushes each, and says to which descriptor they go."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self.descriptor = -1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._chunks)

    @property
    def unread(self) -> bool:
        """Has whoever read them gone? For the time in which there is nothing to write, which would tell."""
        import select

        if self.descriptor < 0:
            return False
        poll = select.poll()
        poll.register(self.descriptor, 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


class Output:
    """Collects lines for a file descriptor; `flush` before waiting for anything.

    `ascii`: whoever reads takes no UTF-8, so other characters go out as `\\xHH`.
    """

    def __init__(self, descriptor: int, *, ascii: bool = False) -> None:
        self.descriptor = descriptor
        self._encode = encode_ascii if ascii else _encode_utf8
        self._pieces: list[bytes] = []
        self._size = 0

    def lines(self, chunks: Iterable[str]) -> None:
        """Write each chunk and a line end. Raises PipeClosedError, OSError."""
        full = _FLUSH_BYTES
        if isinstance(chunks, Live):
            chunks.descriptor, full = self.descriptor, -1
        for chunk in chunks:
            data = self._encode(chunk)
            self._pieces += (data, b"\n")
            self._size += len(data)
            if self._size > full:
                self.flush()

    def text(self, text: str) -> None:
        """Write something that is no line yet: a prompt."""
        data = self._encode(text)
        self._pieces.append(data)
        self._size += len(data)

    def flush(self) -> None:
        """Write all of it, however little the descriptor takes at a time."""
        if not self._pieces:
            return
        left = memoryview(b"".join(self._pieces))
        self._pieces, self._size = [], 0
        while left:
            try:
                left = left[os.write(self.descriptor, left) :]
            except BlockingIOError:
                wait_for(self.descriptor, writing=True)
            except BrokenPipeError:
                raise PipeClosedError from None


def _encode_utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def encode_ascii(text: str) -> bytes:
    """The text with every other character as the `\\xHH` of its UTF-8 bytes."""
    if text.isascii():
        return text.encode()
    raw = text.encode("utf-8", "surrogateescape")
    return b"".join(b"\\x%02x" % byte if byte > 127 else bytes((byte,)) for byte in raw)


def wait_for(descriptor: int, *, writing: bool = False) -> None:
    """Until a descriptor that does not block has something, or takes something."""
    import select

    select.select([] if writing else [descriptor], [descriptor] if writing else [], [])


def wants_color(terminal: bool, environment: Mapping[str, str]) -> bool:
    """By NO_COLOR, CLICOLOR_FORCE and TERM, as no-color.org and bixense.com/clicolors have them."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return terminal and environment.get("TERM", "") not in ("", "dumb")


def width_in(environment: Mapping[str, str]) -> int | None:
    """How wide COLUMNS says that it is, if it says so."""
    said = environment.get("COLUMNS", "")
    return int(said) or None if said.isascii() and said.isdigit() and len(said) < 10 else None


def takes_utf8(stream: TextIO) -> bool:
    return says_utf8(stream.encoding, os.environ, forced=bool(sys.flags.utf8_mode))


def says_utf8(encoding: str | None, environment: Mapping[str, str], *, forced: bool) -> bool:
    """Does whoever reads a stream of that encoding take UTF-8?

    `forced` is Python's UTF-8 mode. In the locale C, and in one that is not
    installed, Python speaks UTF-8 by itself (PEP 538, PEP 540), so there the
    name of the locale is asked, if there is one.
    """
    if _plain(encoding) != _UTF8:
        return False
    if not forced or environment.get("PYTHONUTF8") == "1" or environment.get("PYTHONIOENCODING"):
        return True
    kind = environment.get("LC_CTYPE")
    coerced = _plain(kind).removeprefix("c.") == _UTF8  # what Python has put there, not the user
    names = (environment.get("LC_ALL"), None if coerced else kind, environment.get("LANG"))
    name, _, codes = next((one for one in names if one), "").partition("@")[0].partition(".")
    return _plain(codes) == _UTF8 if codes else name not in ("C", "POSIX")


def _plain(encoding: str | None) -> str:
    return (encoding or "").lower().replace("-", "").replace("_", "")
