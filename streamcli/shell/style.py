"""How the prompt looks: a style for each role, in the terminal's own sixteen colours.

Those follow the user's theme, dark or light. The config file's `[colors]` go
over these. The names are the painter's and the hint line's classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prompt_toolkit.output import ColorDepth
    from prompt_toolkit.styles import BaseStyle

ROLES: Final[dict[str, str]] = {
    "command": "bold ansiblue",
    "option": "ansimagenta",
    "key": "ansicyan",
    "group": "ansigreen",
    "consumer": "ansigreen italic",
    "id": "ansiyellow",
    "special": "bold ansiyellow",
    "field": "ansicyan italic",
    "value": "",
    "number": "ansiyellow",
    "pattern": "ansicyan",
    "string": "",
    "secret": "ansibrightblack",
    "meta": "bold ansimagenta",
    "comment": "ansibrightblack",
    "pipe": "ansired",
    "problem": "underline ansired",
    "lacking": "underline ansiyellow",
}
_REST: Final[dict[str, str]] = {
    "prompt": "bold",
    "prompt.db": "bold",
    "prompt.multi": "bold ansimagenta",
    "prompt.replica": "ansiyellow",
    "prompt.read-only": "ansiyellow",
    "prompt.more": "ansibrightblack",
    "hint": "",
    "hint.usage": "ansibrightblack",
    "hint.mark": "bold underline",
    "hint.meaning": "",
    "hint.problem": "ansired",
    "hint.idle": "ansibrightblack",
    "auto-suggestion": "dim ansibrightblack",
    "completion-menu": "noreverse",
    "completion-menu.completion": "bg:ansibrightblack ansiwhite",
    "completion-menu.completion.current": "noreverse bg:ansiblue ansiwhite bold",
    "completion-menu.meta.completion": "bg:ansibrightblack ansiwhite",
    "completion-menu.meta.completion.current": "bg:ansiblue ansiwhite",
    "scrollbar.background": "bg:ansibrightblack",
    "scrollbar.button": "bg:ansigray",
}
_DOCS: Final[dict[str, str]] = {
    "doc.heading1": "bold underline",
    "doc.heading2": "bold ansiblue",
    "doc.heading3": "bold ansimagenta",
    "doc.strong": "bold",
    "doc.emphasis": "italic",
    "doc.code": "ansicyan",
    "doc.link": "underline",
    "doc.target": "ansibrightblack",
    "doc.frame": "ansibrightblack",
    "doc.mark": "ansibrightblack",
    "doc.reply": "ansibrightblack",
}
NAMES: Final = (*ROLES, *_REST, *_DOCS)  # what `[colors]` may name


def style(colors: Mapping[str, str]) -> BaseStyle:
    """The style of the prompt, with a user's colours over ours; one that cannot be read is left out."""
    from prompt_toolkit.styles import Style

    chosen = {**ROLES, **_REST, **_DOCS}
    for name, text in colors.items():
        try:
            Style.from_dict({name: text})
        except (ValueError, AssertionError):
            continue
        chosen[name] = text
    return Style.from_dict(chosen)


def depth(color: bool) -> ColorDepth | None:
    """None lets the terminal's name decide; without colour, bold and underline are left."""
    from prompt_toolkit.output import ColorDepth

    return None if color else ColorDepth.DEPTH_1_BIT


_SGR: Final = {
    "bold": "1", "dim": "2", "italic": "3", "underline": "4",
    **{f"ansi{name}": str(30 + number) for number, name in enumerate(
        ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "gray"))},
    "ansibrightblack": "90", "ansiwhite": "97",
}  # fmt: skip


def ansi(line: Iterable[tuple[str, str]]) -> str:
    """A line of fragments for a terminal, in our own styles: what is printed, not drawn by the prompt."""
    shown: list[str] = []
    for names, text in line:
        words = [word for name in names.split() for word in _ALL.get(name.removeprefix("class:"), "").split()]
        codes = ";".join([_SGR[word] for word in words if word in _SGR])
        shown.append(f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text)
    return "".join(shown)


_ALL: Final = {**ROLES, **_REST, **_DOCS}
