"""A mistake in a small language, and where it is: one line to say, and a picture with a caret."""

from __future__ import annotations

from typing import Final

from streamcli.flags import UsageError
from streamcli.text import columns, visible

_AROUND: Final = 60  # characters of a long source that are shown on either side


class PointedError(UsageError):
    """What is wrong with `source` at the character `at`: `what` says which option, `text` what is wanted."""

    def __init__(self, what: str, text: str, source: str, at: int) -> None:
        super().__init__(f"{what}, column {at + 1}: {_line(text)}")
        self.source: Final = source
        self.at: Final = at

    @property
    def picture(self) -> tuple[str, str]:
        """The source in one line, and a line with a caret below the place."""
        first = max(0, self.at - _AROUND)
        before = ("..." if first else "") + _line(self.source[first : self.at])
        behind = _line(self.source[self.at : self.at + _AROUND])
        return f"  {before}{behind}", f"  {' ' * columns(before)}^"


def _line(text: str) -> str:
    return visible(text).replace("\n", "\\n")
