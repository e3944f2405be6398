"""The help pages: which there are, and what is in them as text.

A page is CommonMark in `data/commands` (one a command of the table) or
`data/topics`. Its first heading is its title, the paragraph below it says what
it is about. A block fenced as `streamcli` is an example: lines that begin with
`> ` are typed, what follows each is its reply. Knows nothing of layout, nor of
running anything.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from streamcli.grammar.commands import COMMANDS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_FENCE = re.compile(r"^```(\S*)[ ]*(\S*)[ ]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+?)[ ]*$", re.MULTILINE)
_MARKUP = re.compile(r"`+([^`]*)`+|\[([^\]]*)\]\([^)]*\)|\*+")  # code, a link, what makes words bold
_MARK = re.compile(r"^[ ]*(?:[-+>#]+|\d+\.|\|[-:| ]+$|\|)[ ]*", re.MULTILINE)  # what a line begins with
EXAMPLE, SYNTAX = "streamcli", "syntax"  # what fences are called
SEE_ALSO = "See also"


class Step(NamedTuple):
    """A line that is typed, and what it prints."""

    command: str
    reply: str


class Example(NamedTuple):
    """One block, which is run on an empty engine of its own. `clock`: what it prints depends on the time."""

    number: int
    title: str
    steps: tuple[Step, ...]
    clock: bool


class Heading(NamedTuple):
    level: int
    text: str  # without backquotes
    at: int  # its place in the page's text


class Page(NamedTuple):
    """`name` is what help calls it: `XGROUP CREATE`, `ids`; `stem` the name of its file."""

    name: str
    stem: str
    text: str
    topic: bool

    @property
    def headings(self) -> list[Heading]:
        fenced = [match.span() for match in _FENCE.finditer(self.text)]
        return [
            Heading(len(match[1]), match[2].replace("`", ""), match.start())
            for match in _HEADING.finditer(self.text)
            if not any(start <= match.start() < end for start, end in fenced)
        ]

    @property
    def prose(self) -> str:
        """The text without its blocks of code."""
        return _FENCE.sub("", self.text)

    @property
    def paragraphs(self) -> list[str]:
        """The prose without its markup, each paragraph in one line; not the headings, nor what is below See also."""
        found: list[str] = []
        for part in re.split(r"\n\s*\n", self.prose):
            heading = _HEADING.match(part.lstrip())
            if heading is not None and heading[2] == SEE_ALSO:
                break
            plain = _MARKUP.sub(_words_of, _MARK.sub("", part if heading is None else _HEADING.sub("", part)))
            found.append(" ".join(plain.split()))
        return [one for one in found if one]

    @property
    def title(self) -> str:
        return self.headings[0].text

    @property
    def summary(self) -> str:
        """The first paragraph, in one line."""
        body = self.text.split("\n", 1)[1].strip()
        return " ".join(body.split("\n\n", 1)[0].split())

    @property
    def syntax(self) -> str:
        """The syntax line that the page shows; empty for a topic."""
        return next((match[3].strip() for match in _FENCE.finditer(self.text) if match[1] == SYNTAX), "")

    @property
    def examples(self) -> list[Example]:
        found: list[Example] = []
        headings = self.headings
        for match in _FENCE.finditer(self.text):
            if match[1] == EXAMPLE:
                above = [heading.text for heading in headings if heading.at < match.start()]
                found.append(Example(len(found) + 1, above[-1], _steps(match[3]), match[2] == "clock"))
        return found


def _words_of(markup: re.Match[str]) -> str:
    return markup[1] or (markup[2] or "").replace("`", "")


def _steps(body: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for line in body.splitlines():
        if line.startswith("> "):
            steps.append(Step(line[2:], ""))
        elif steps:
            command, reply = steps[-1]
            steps[-1] = Step(command, f"{reply}{line}\n")
    return tuple(Step(command, reply.rstrip("\n")) for command, reply in steps)


def stem_of(command: str) -> str:
    """The name of a command's file: `xgroup-create`."""
    return command.lower().replace(" ", "-")


def _data(kind: str) -> Traversable:
    return files("streamcli") / "data" / kind


@lru_cache(maxsize=1)
def topics() -> tuple[str, ...]:
    """The topics' names, in the order of the alphabet."""
    return tuple(sorted(entry.name[:-3] for entry in _data("topics").iterdir() if entry.name.endswith(".md")))


@lru_cache(maxsize=256)
def command(name: str) -> Page | None:
    """The page of a command of the table."""
    return _read(name, "commands", stem_of(name), topic=False) if name in COMMANDS else None


@lru_cache(maxsize=64)
def topic(name: str) -> Page | None:
    """The page of a topic."""
    return _read(name, "topics", name, topic=True) if name in topics() else None


def _read(name: str, kind: str, stem: str, *, topic: bool) -> Page | None:
    file = _data(kind) / f"{stem}.md"
    return Page(name, stem, file.read_text(encoding="utf-8"), topic) if file.is_file() else None


def every() -> list[Page]:
    """All pages, the commands' first."""
    found = [*map(command, COMMANDS), *map(topic, topics())]
    return [page for page in found if page is not None]
