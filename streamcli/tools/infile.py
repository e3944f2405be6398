"""A file, or standard input, to be read from its beginning: once, or twice if it can be."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from typing import IO, Final, cast

from streamcli.tools.job import UNREACHABLE, ToolError

STDIN: Final = "-"
_GZIP: Final = b"\x1f\x8b"
_SNIFFED: Final = 4096
_BUFFER: Final = 1 << 18


class InFile:
    """`twice`: it can be read again. `name` is what it is called in errors. Raises ToolError."""

    def __init__(self, path: str) -> None:
        self.name = "standard input" if path == STDIN else path
        self._path = path
        self._start = 0
        self._read: tuple[int, ...] | None = None  # what was read first
        try:
            status = os.fstat(0) if path == STDIN else os.stat(path)
            self.twice = stat.S_ISREG(status.st_mode)
            if path == STDIN and self.twice:
                self._start = os.lseek(0, 0, os.SEEK_CUR)
        except (OSError, ValueError) as error:
            raise self._failed(error) from None

    @contextmanager
    def opened(self) -> Iterator[tuple[IO[bytes], bytes]]:
        """The file, unpacked if it is gzip, and the beginning of what is in it. Faults in reading it are ToolErrors."""
        try:
            with self._open() as raw:
                if not raw.peek(len(_GZIP)).startswith(_GZIP):
                    yield raw, raw.peek(_SNIFFED)[:_SNIFFED]
                    return
                from gzip import GzipFile

                with GzipFile(fileobj=raw) as packed:
                    yield cast("IO[bytes]", packed), packed.peek(_SNIFFED)[:_SNIFFED]
        except (EOFError, zlib.error):
            raise ToolError(f"{self.name} is cut off, or damaged: its compressed data cannot be read", 1) from None
        except OSError as error:
            raise self._failed(error) from None

    def _open(self) -> BufferedReader:
        if self._path != STDIN:
            file = FileIO(self._path)
            now = os.fstat(file.fileno())
            found = now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns
            if self.twice and self._read not in (None, found):
                file.close()
                raise ToolError(f"{self.name} was changed while it was read; nothing was done")
            self._read = found
            return BufferedReader(file, _BUFFER)
        if self.twice:
            os.lseek(0, self._start, os.SEEK_SET)
        return BufferedReader(FileIO(0, closefd=False), _BUFFER)

    def _failed(self, error: Exception) -> ToolError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return ToolError(f"cannot read {self.name}: {reason.lower()}", UNREACHABLE)
