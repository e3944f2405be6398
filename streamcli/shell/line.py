"""A line as it is typed: its words and where they stand, what each one is, and where its reply is to go.

The prompt's painter, completer and hints all look at the same `Line`. Places
count characters of the text. Knows the splitter and the parser, and by which
vocabulary a line is read; what a word means is theirs to say.

`| shell command`, `> file` and `>> file` are found here, by the words alone:

- a bare `|` ends the command; all behind it is for the shell;
- a bare `>` or `>>` as the last word but one is for the file that the last
  word names, unless that looks like an entry ID (`STREAMS a b > 0` are two
  IDs; a file of that name is `./0`);
- what stands in quotes is always data.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from streamcli import words
from streamcli.grammar.parse import Call
from streamcli.shell.vocabulary import Vocabulary, in_force
from streamcli.words import Fault, Word

ANALYSED_MAX = 16_384  # characters; what is longer is data from elsewhere, and is neither coloured nor explained
_PIPE, _INTO, _ONTO = "|", ">", ">>"
_LIKE_AN_ID = re.compile(r"[-+$*>]|[(]?\d+(-(\d+|\*))?")
_QUOTED_CONTINUED = r'"(?:[^"\\]|\\.)*"?|\'(?:[^\'\\]|\\\'|\\)*\'?|\\\n'
_QUOTED_OR_CONTINUED = re.compile(_QUOTED_CONTINUED, re.DOTALL)
_QUOTED_CONTINUED_OR_END = re.compile(_QUOTED_CONTINUED + r"|\n", re.DOTALL)
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_COMMENT = re.compile(r"[ \t]*#[^\n]*")


class Tail(NamedTuple):
    """Where a reply goes instead of the screen: `kind` is `|`, `>` or `>>`; `target` a shell command or a file."""

    kind: str
    target: str
    start: int
    end: int


class Line:
    """What there is to know of a line.

    `words` are the command's own (values are bytes, places count characters),
    `tail` what follows them, `fault` why it is no list of words, `call` the
    words as a draft, `meta` whether it is for the shell itself (`.format json`),
    `vocabulary` what it is read by: what is in force, unless one is given.
    """

    __slots__ = ("argv", "call", "fault", "meta", "tail", "text", "vocabulary", "words")

    def __init__(self, text: str, vocabulary: Vocabulary | None = None) -> None:
        self.text = text
        self.vocabulary = in_force() if vocabulary is None else vocabulary
        joined = _join(text)
        split, self.fault = words.split(in_bytes(joined))
        if not text.isascii():
            split, self.fault = _in_characters(text, split, self.fault)
        count, self.tail = _tail(joined, split)
        self.words: list[Word] = split[:count]
        if self.tail is not None and self.tail.kind == _PIPE and self.fault and self.fault.at > self.tail.start:
            self.fault = None  # the shell has quoting rules of its own
        self.argv = tuple([word.value for word in self.words])
        self.meta = bool(self.argv) and self.argv[0][:1] == b"." and len(self.argv[0]) > 1
        self.call: Call = self.drafted(() if self.meta or text.lstrip()[:1] == "#" else self.argv)

    @property
    def open(self) -> bool:
        """Does it go on in the next line: is a quote open, or is a backslash its last character?"""
        return continues(self.text)

    def drafted(self, argv: tuple[bytes, ...]) -> Call:
        """Some words read as a draft, by the same vocabulary."""
        return _drafted(argv, self.vocabulary)

    def strict(self, count: int | None = None) -> Call:
        """The line, or so many of its words, as they would be sent."""
        return self.vocabulary.read(self.argv[:count])

    def at(self, cursor: int) -> int:
        """The index of the word that the cursor is in, or right behind; `len(words)` when it is at none."""
        for index, word in enumerate(self.words):
            if word.start <= cursor <= word.end:
                return index
        return len(self.words)


def read(text: str) -> Line:
    """The Line of a text; everyone who asks about the same text at one keystroke gets the same one."""
    return _read(text, in_force())


@lru_cache(maxsize=8)
def _read(text: str, vocabulary: Vocabulary) -> Line:
    return Line(text, vocabulary)


def forget() -> None:
    """Keep no line: for whoever measures what reading one costs."""
    _read.cache_clear()
    _drafted.cache_clear()


@lru_cache(maxsize=8)
def _drafted(argv: tuple[bytes, ...], vocabulary: Vocabulary) -> Call:
    """While one word is typed, those before it stay the same."""
    return vocabulary.read(argv, draft=True)


def in_bytes(text: str) -> bytes:
    """What a text is in UTF-8; bytes that are none come from, and go back to, lone surrogates."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte: nothing that a terminal sends
        return _NO_BYTE.sub("?", text).encode("utf-8", "surrogateescape")


def continues(text: str) -> bool:
    """Does the text end inside quotes, or in a backslash outside of them?"""
    at = 0
    if "#" in text:
        start = segments(text)[-1:] or [(0, 0)]
        text = text[start[0][0] :]
        if _COMMENT.match(text):
            return False  # in a comment a quote is an apostrophe
    for match in _QUOTED_OR_CONTINUED.finditer(text):
        at = match.end()
        if match.group() != "\\\n" and not _closed(match.group()):
            return True
    return text.endswith("\\") and at < len(text)


def segments(text: str) -> list[tuple[int, int]]:
    """Where each command of a text begins and ends. A line end ends it, but not in quotes or behind a backslash."""
    found: list[tuple[int, int]] = []
    start = at = 0
    while at <= len(text):
        if at == start and (comment := _COMMENT.match(text, at)):
            at = comment.end()
        match = _QUOTED_CONTINUED_OR_END.search(text, at)
        if match is not None and match.group() != "\n":
            at = match.end()
            continue
        end = match.start() if match is not None else len(text)
        if text[start:end].strip():
            found.append((start, end))
        start = at = end + 1
    return found


def commands(text: str) -> list[str]:
    """The commands of a text of many lines, without blank lines and comments."""
    found = [text[start:end] for start, end in segments(text)]
    return [command for command in found if not _COMMENT.match(command)]


def _closed(quoted: str) -> bool:
    quote = quoted[0]
    if len(quoted) < 2 or quoted[-1] != quote:
        return False
    inside = quoted[1:-1]
    if quote == "'":
        return not inside.endswith("\\")
    return (len(inside) - len(inside.rstrip("\\"))) % 2 == 0


def _join(text: str) -> str:
    """The text with each backslash at a line's end as two blanks, so that places stay what they are."""
    if text.endswith("\\") and continues(text):
        text = text[:-1] + " "
    if "\\\n" not in text:
        return text
    return _QUOTED_OR_CONTINUED.sub(lambda match: "  " if match.group() == "\\\n" else match.group(), text)


def _in_characters(text: str, split: list[Word], fault: Fault | None) -> tuple[list[Word], Fault | None]:
    """Places in bytes to places in characters."""
    raw = in_bytes(text)
    if raw.decode("utf-8", "replace") != text:  # bytes that are no text: a character may be any of them
        return _by_table(text, split, fault)
    moved: list[Word] = []
    at = place = 0
    for word in split:
        start = place + len(raw[at : word.start].decode())
        place = start + len(raw[word.start : word.end].decode())
        at = word.end
        moved.append(Word(word.value, start, place, word.open_quote))
    return moved, fault and fault._replace(at=len(raw[: fault.at].decode()))


def _by_table(text: str, split: list[Word], fault: Fault | None) -> tuple[list[Word], Fault | None]:
    place = {}
    at = 0
    for index, character in enumerate(text):
        place[at] = index
        at += 1 if "\ud800" <= character <= "\udfff" else len(character.encode())
    place[at] = len(text)
    moved = [word._replace(start=place[word.start], end=place[word.end]) for word in split]
    return moved, fault and fault._replace(at=place[fault.at])


def _tail(text: str, split: list[Word]) -> tuple[int, Tail | None]:
    """How many words are the command's, and where its reply goes."""
    for index, word in enumerate(split):
        if word.value == b"|" and _bare(text, word):
            return index, Tail(_PIPE, text[word.end :].strip(), word.start, len(text))
    if len(split) >= 3:
        operator, target = split[-2:]
        kind = operator.value.decode("latin-1")
        if (
            kind in (_INTO, _ONTO)
            and _bare(text, operator)
            and not _LIKE_AN_ID.fullmatch(text[target.start : target.end])
        ):
            return len(split) - 2, Tail(kind, _text_of(target.value), operator.start, target.end)
    return len(split), None


def _bare(text: str, word: Word) -> bool:
    return word.end - word.start == len(word.value)


def _text_of(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def shown(value: bytes) -> str:
    """The word as one would type it here: quoted when it could be taken for something else."""
    if value in (b"|", b">", b">>") or value[:1] in (b"#", b"."):
        return f'"{value.decode()}"' if value in (b"|", b">", b">>") else _quoted(value)
    return words.quote(value).decode("utf-8", "surrogateescape")


def _quoted(value: bytes) -> str:
    text = words.quote(value).decode("utf-8", "surrogateescape")
    return text if text[:1] == '"' else f'"{text}"'
