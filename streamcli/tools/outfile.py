"""A file that is there when it is whole: written beside its name, and renamed at the end.

What was written so far is `NAME.part`; it is kept when the work may go on
(`keep`), and taken away otherwise. A name that ends in .gz is compressed.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any, Final

from streamcli.tools.job import UNREACHABLE, ToolError

_LEVEL: Final = 3  # of gzip: twice as fast as 6, and hardly larger for lines that are much alike


class OutFile:
    """Use it as a context: without `done` nothing of that name comes to be."""

    def __init__(self, name: str, *, go_on: int | None = None) -> None:
        """`go_on`: behind what NAME.part has, which was so many bytes. Raises ToolError."""
        self.name = name
        self.part = f"{name}.part"
        self._whole = self._kept = False
        self._packed: Any = None
        try:
            with suppress(FileNotFoundError):
                if not stat.S_ISREG(os.stat(name).st_mode):  # /dev/null, a pipe
                    self.part = name
            self._raw: IO[bytes] = os.fdopen(self._open(go_on), "wb", 1 << 18)
            if name.endswith(".gz"):
                from gzip import GzipFile

                self._packed = GzipFile("", "wb", _LEVEL, self._raw, 0)
        except (OSError, ValueError) as error:
            raise self._failed(error) from None

    def _open(self, go_on: int | None) -> int:
        """The part, empty or as it was found, for us alone. Raises OSError, ToolError."""
        if self.part == self.name:
            return os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        file = os.open(self.part, os.O_WRONLY | os.O_APPEND | (os.O_CREAT if go_on is None else 0), 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            there, ours = os.stat(self.part), os.fstat(file)
            if there.st_ino != ours.st_ino or (go_on is not None and ours.st_size != go_on):
                raise BlockingIOError  # it was finished, or went on, between two looks
            os.truncate(file, go_on or 0)
        except (BlockingIOError, FileNotFoundError):
            os.close(file)
            raise ToolError(f"somebody else is writing {self.part}") from None
        except BaseException:
            os.close(file)
            raise
        return file

    def __enter__(self) -> OutFile:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._close()
        if self.part != self.name and not self._whole and not self._kept:
            with suppress(OSError):
                os.unlink(self.part)

    def write(self, text: str) -> None:
        """Lines, and the last line's end. Raises ToolError."""
        try:
            (self._packed or self._raw).write(text.encode("utf-8", "surrogateescape") + b"\n")
        except OSError as error:
            raise self._failed(error) from None

    def done(self) -> None:
        """It is whole. Raises ToolError."""
        try:
            self._close()
            if self.part != self.name:
                os.replace(self.part, self.name)
        except OSError as error:
            raise self._failed(error) from None
        self._whole = True

    def keep(self) -> None:
        """The part stays, so that somebody can go on with it."""
        self._kept = self.part != self.name

    @property
    def kept(self) -> bool:
        return self._kept

    def _close(self) -> None:
        packed, self._packed = self._packed, None
        if packed is not None:
            packed.close()
        if not self._raw.closed:
            self._raw.flush()
            if self.part != self.name:
                os.fsync(self._raw.fileno())
            self._raw.close()

    def _failed(self, error: Exception) -> ToolError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return ToolError(f"cannot write {self.name}: {reason.lower()}", UNREACHABLE)


def whole_lines(part: str) -> Iterator[bytes]:
    """The lines of what was written so far.

    Raises ValueError when its end is no line's, OSError, EOFError, zlib.error.
    """
    import gzip

    with gzip.open(part) if part.endswith(".gz.part") else open(part, "rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                raise ValueError
            yield line
