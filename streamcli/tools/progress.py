"""How far long work is: a line on the terminal's error stream that draws itself anew, and nothing elsewhere."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from types import TracebackType
from typing import Final

from streamcli.text import columns, visible
from streamcli.times import span_text

_EVERY_SECONDS: Final = 0.1
_FIRST_SECONDS: Final = 0.3  # what is done sooner shows nothing
_BAR: Final = 20


class Progress:
    """`total` None: nobody knows how much there is. A context: at its end the line is gone."""

    def __init__(self, descriptor: int | None, what: str, total: int | None, *, unicode: bool) -> None:
        self.done = 0
        self.total = total
        self._descriptor, self._what, self._unicode = descriptor, visible(what), unicode
        self._began = self._drawn = time.monotonic()
        self._shown = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.hide()

    def at(self, done: int) -> None:
        """So many are done by now."""
        self.done = done
        if self._descriptor is None:
            return
        now = time.monotonic()
        if now - self._drawn >= _EVERY_SECONDS and now - self._began >= _FIRST_SECONDS:
            self._drawn = now
            self._write("\r\x1b[K" + self._fitted(self.text(now - self._began)))
            self._shown = True

    def hide(self) -> None:
        """Make room for another line."""
        if self._shown:
            self._shown = False
            self._write("\r\x1b[K")

    def text(self, seconds: float) -> str:
        """`export a: 120,000 of 1,000,000, 12 %, 104,300/s, 8.4s left`, after so many seconds."""
        rate = self.done / seconds if seconds > 0 else 0.0
        of = f" of {self.total:,}" if self.total else ""
        parts = [f"{self._what}: {self.done:,}{of}"]
        if self.total:
            share = min(1.0, self.done / self.total)
            parts.insert(0, self._bar(share))
            parts.append(f"{share:.0%}")
        parts.append(f"{rate:,.0f}/s")
        if self.total and rate > 0 and self.done < self.total:
            left_ms = round((self.total - self.done) / rate * 1000)
            parts.append(f"{span_text(left_ms) or '1s'} left")
        return "  ".join(parts)

    def _bar(self, share: float) -> str:
        full, empty = ("█", "░") if self._unicode else ("#", ".")
        filled = round(share * _BAR)
        return full * filled + empty * (_BAR - filled)

    def _fitted(self, text: str) -> str:
        assert self._descriptor is not None
        try:
            width = os.get_terminal_size(self._descriptor).columns
        except OSError:
            width = 80
        if columns(text) < width:
            return text
        plain = text.partition("  ")[2] if self.total else text  # the bar goes first
        return plain[: max(0, width - 1)]

    def _write(self, text: str) -> None:
        assert self._descriptor is not None
        with suppress(OSError):  # nobody looks
            os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
