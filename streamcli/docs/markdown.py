"""A page of CommonMark laid out for a terminal: lines of (style, text) fragments.

mistune reads it; here it is wrapped to the width. Styles are class names such
as `class:doc.heading`; which colours they have, and whether there are any, is
not known here. Code is painted by whoever knows the language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from streamcli.docs.pages import EXAMPLE, SYNTAX
from streamcli.text import columns, visible

Fragment: TypeAlias = tuple[str, str]
Line: TypeAlias = list[Fragment]
Painter: TypeAlias = Callable[[str, str], list[Line]]  # a fence's info and its body -> painted lines
Token: TypeAlias = dict[str, Any]

WIDTH_MAX = 100  # longer lines are hard to read
_WIDTH_MIN = 10
_CELL_MIN = 6
_ITEM_MIN = 2
_HANG = 4  # how far a syntax line is indented where it goes on
_ASCII = str.maketrans({
    "├": "|", "└": "`", "│": "|", "─": "-", "…": "...", "–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'",
    "→": "->", "←": "<-", "×": "x", "•": "*", "≤": "<=", "≥": ">=", "\u00a0": " ",
})  # fmt: skip
_BLANK: Line = []


def lay_out(
    text: str, width: int, *, unicode: bool = True, plain: bool = False, paint: Painter | None = None
) -> Iterator[Line]:
    """The lines of a page, none wider than `width` (10 at least, 100 at most).

    `plain`: there will be no styles, so headings are underlined and code keeps its backquotes.
    """
    layout = _Layout(max(_WIDTH_MIN, min(width, WIDTH_MAX)), unicode, plain, paint or _unpainted)
    return layout.blocks(_parser()(text), layout.width)


@lru_cache(maxsize=1)
def _parser() -> Callable[[str], list[Token]]:
    import mistune

    read = mistune.create_markdown(renderer=None, plugins=["table"])
    return lambda text: [token for token in read(text) if isinstance(token, dict)]


def _unpainted(info: str, body: str) -> list[Line]:
    return [[("class:doc.code", line)] for line in body.splitlines()]


class _Layout:
    def __init__(self, width: int, unicode: bool, plain: bool, paint: Painter) -> None:
        self.width, self.plain, self.paint, self.unicode = width, plain, paint, unicode
        self.bullets = ("•", "◦", "▪") if unicode else ("*", "-", "+")
        self.rule, self.cross, self.bar = ("─", "─┼─", " │ ") if unicode else ("-", "-+-", " | ")
        self.quote = "▏ " if unicode else "| "

    # -- blocks -------------------------------------------------------------------------

    def blocks(self, tokens: Iterable[Token], width: int, depth: int = 0) -> Iterator[Line]:
        """Blocks with a blank line between them, but not between a tight list's."""
        first = True
        for token in tokens:
            lay = getattr(self, f"_{token['type']}", None)
            if lay is None:
                continue
            lines = list(lay(token, width, depth))
            if lines:
                if not first and token["type"] not in ("block_text",) and not (depth and token["type"] == "list"):
                    yield _BLANK
                first = False
                yield from lines

    def _heading(self, token: Token, width: int, depth: int) -> Iterator[Line]:
        level = min(token["attrs"]["level"], 3)
        lines = list(_wrapped(_styled(self.inline(token["children"]), f"class:doc.heading{level}"), width))
        yield from lines
        if self.plain and lines:
            yield [("", "=-~"[level - 1] * max(map(_width, lines)))]

    def _paragraph(self, token: Token, width: int, depth: int) -> Iterator[Line]:
        return _wrapped(self.inline(token["children"]), width)

    _block_text = _paragraph

    def _block_code(self, token: Token, width: int, depth: int) -> Iterator[Line]:
        indent = "  " if width >= 2 * _WIDTH_MIN else ""
        info, room = token.get("attrs", {}).get("info") or "", width - len(indent)
        kind = info.partition(" ")[0]
        hang = _HANG if room >= _WIDTH_MIN else 0
        for line in self.paint(info, self.shown(token["raw"].rstrip("\n"))):
            typed = kind == EXAMPLE and line[0][1].startswith("> ") if line else False
            in_words = kind == SYNTAX or (typed and _width(line) > room)  # a reply is left as it is, blanks and all
            parts = _wrapped(line, room, hang) if in_words else _cut(line, room)
            for number, part in enumerate(parts):
                yield [("", indent + " " * (hang if number and in_words else 0)), *part]

    def _block_quote(self, token: Token, width: int, depth: int) -> Iterator[Line]:
        for line in self.blocks(token["children"], width - len(self.quote), depth):
            yield [("class:doc.frame", self.quote), *line]

    def _thematic_break(self, token: Token, width: int, depth: int) -> Iterator[Line]:
        yield [("class:doc.frame", self.rule * width)]

    def _list(self, token: Token, width: int, depth: int) -> Iterator[Line]:
        ordered, start = token["attrs"].get("ordered"), token["attrs"].get("start", 1)
        last = start + len(token["children"]) - 1
        bullet = self.bullets[min(depth, len(self.bullets) - 1)]
        for index, item in enumerate(token["children"]):
            mark = f"{start + index}. ".rjust(len(f"{last}. ")) if ordered else f"{bullet} "
            if index and not token.get("tight", True):
                yield _BLANK
            lines = self.blocks(item["children"], max(_ITEM_MIN, width - len(mark)), depth + 1)
            for number, line in enumerate(lines):
                yield [("class:doc.mark", mark if not number else " " * len(mark)), *line]

    # -- tables -------------------------------------------------------------------------

    def _table(self, token: Token, width: int, depth: int) -> Iterator[Line]:
        head, *bodies = token["children"]
        rows = [head["children"], *(row["children"] for body in bodies for row in body["children"])]
        cells = [[self.inline(cell["children"]) for cell in row] for row in rows]
        widths = _column_widths(cells, width - len(self.bar) * (len(head["children"]) - 1))
        if widths is None:
            yield from self._records(cells, width)
            return
        right = [cell["attrs"].get("align") == "right" for cell in head["children"]]
        for index, row in enumerate(cells):
            fragments = [_styled(cell, "class:doc.strong") for cell in row] if not index else row
            yield from self._row(fragments, widths, right)
            if not index:
                yield [("class:doc.frame", self.cross.join(self.rule * one for one in widths))]

    def _row(self, row: Sequence[Line], widths: Sequence[int], right: Sequence[bool]) -> Iterator[Line]:
        columns_of = [list(_wrapped(cell, width)) or [_BLANK] for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, columns_of))):
            line: Line = []
            for index, (lines, width) in enumerate(zip(columns_of, widths, strict=True)):
                part = lines[number] if number < len(lines) else _BLANK
                blanks = [("", " " * (width - _width(part)))]
                line += [*([("class:doc.frame", self.bar)] if index else [])]
                line += [*blanks, *part] if right[index] else [*part, *blanks]
            yield line

    def _records(self, cells: Sequence[Sequence[Line]], width: int) -> Iterator[Line]:
        """A table that is too wide: each row as lines of `heading: cell`, or of the cell alone."""
        head, *rows = cells
        for index, row in enumerate(rows):
            if index:
                yield _BLANK
            for name, cell in zip(head, row, strict=True):
                colon = [("", ": ")] if _width(name) else []
                yield from _wrapped([*_styled(name, "class:doc.strong"), *colon, *cell], width)

    # -- words within a line --------------------------------------------------------------

    def inline(self, tokens: Iterable[Token], style: str = "") -> Line:
        """The fragments of a paragraph, in one long line."""
        line: Line = []
        for token in tokens:
            kind = token["type"]
            if kind == "codespan":
                code = self.shown(visible(token["raw"]))
                line.append(("class:doc.code", f"`{code}`" if self.plain else code))
            elif kind in ("softbreak", "linebreak"):
                line.append((style, " " if kind == "softbreak" else "\n"))
            elif kind in ("strong", "emphasis"):
                line += self.inline(token["children"], f"class:doc.{kind}")
            elif kind == "link":
                line += self.inline(token["children"], "class:doc.link")
                line += [(own, self.shown(text)) for own, text in _target(token)]
            elif "children" in token:
                line += self.inline(token["children"], style)
            else:
                line.append((style, self.shown(visible(token.get("raw", "")).replace("\n", " "))))
        return line

    def shown(self, text: str) -> str:
        """The text, in ASCII where the terminal takes no more: lines as strokes, letters as redis-cli's escapes."""
        if self.unicode or text.isascii():
            return text
        text = text.translate(_ASCII)
        return "".join(
            one if one.isascii() else "".join(f"\\x{byte:02x}" for byte in one.encode("utf-8", "surrogateescape"))
            for one in text
        )


def _target(token: Token) -> Line:
    """Where a link leads, when its text does not say so: what to ask help for."""
    url: str = token["attrs"]["url"]
    text = "".join(child.get("raw", "") for child in token["children"])
    name = url.split("#", maxsplit=1)[0].rsplit("/", 1)[-1].removesuffix(".md").replace("-", " ")
    if "://" in url:
        return [("class:doc.target", f" ({visible(url)})")]
    if not name or name.replace(" ", "") == text.lower().replace("`", "").replace(" ", "").replace("-", ""):
        return []
    return [("class:doc.target", f" (help {visible(name)})")]


def _styled(line: Line, style: str) -> Line:
    return [(own or style, text) for own, text in line]


def _width(line: Line) -> int:
    return sum(columns(text) for _, text in line)


def _wrapped(line: Line, width: int, hang: int = 0) -> Iterator[Line]:
    """The line in lines that fit, broken at blanks, the later ones `hang` shorter; a word that is too long is cut.

    What has no blank before it belongs to the word, whatever its style: a comma never begins a line.
    """
    out: Line = []
    used, gap = 0, ""
    later = width - hang
    for word in _words(line):
        if word == _LINE_END:
            yield out
            out, used, gap = [], 0, ""
        elif word == _GAP:
            gap = " " if out else ""
        else:
            size = _width(word)
            if out and used + len(gap) + size > width:
                yield out
                out, used, gap, width = [], 0, "", later
            if gap:
                out.append(("", gap))
                used, gap = used + 1, ""
            pieces = list(_cut(word, later)) if size > width else [word]
            for piece in pieces[:-1]:
                yield [*out, *piece]
                out, used, width = [], 0, later
            out += pieces[-1]
            used += _width(pieces[-1])
    if out:
        yield out


_GAP: Line = [("", " ")]
_LINE_END: Line = [("", "\n")]


def _words(line: Line) -> Iterator[Line]:
    """Words, each of one or more fragments, blanks and forced line ends."""
    word: Line = []
    for style, text in line:
        for index, row in enumerate(text.split("\n")):
            for number, part in enumerate(row.split(" ")):
                if index or number:
                    if word:
                        yield word
                    yield _GAP if number else _LINE_END
                    word = []
                if part:
                    word.append((style, part))
    if word:
        yield word


def _cut(line: Line, width: int) -> Iterator[Line]:
    """The line in pieces of at most so many columns, whatever stands there."""
    out: Line = []
    left = width
    for style, text in line:
        rest = text
        while rest:
            size = columns(rest)
            if size <= left:
                out.append((style, rest))
                left -= size
                break
            taken = _fitting(rest, left)
            if taken:
                out.append((style, rest[:taken]))
                rest = rest[taken:]
            elif not out:  # a wide character on a narrow line
                out.append((style, rest[0]))
                rest = rest[1:]
            yield out
            out, left = [], width
    yield out


def _fitting(text: str, width: int) -> int:
    used = 0
    for index, character in enumerate(text):
        used += columns(character)
        if used > width:
            return index
    return len(text)


def _column_widths(cells: Sequence[Sequence[Line]], room: int) -> list[int] | None:
    """How wide each column is: the widest are made narrower until all fit, but no word is cut if that can be helped.

    None when there is no room for columns.
    """
    every = list(zip(*cells, strict=True))
    wanted = [max(1, *map(_width, column)) for column in every]
    if room < sum(min(width, _CELL_MIN) for width in wanted):
        return None
    least = [max((_width(word) for cell in column for word in _words(cell)), default=1) for column in every]
    if sum(least) > room:
        least = [min(width, _CELL_MIN) for width in wanted]
    for level in range(room, 0, -1):
        widths = [min(width, max(low, level)) for width, low in zip(wanted, least, strict=True)]
        if sum(widths) <= room:
            break
    over = room - sum(widths)
    for index, width in enumerate(wanted):  # what rounding left goes to the first that was cut
        if width > widths[index]:
            widths[index] += min(over, width - widths[index])
            break
    return widths
