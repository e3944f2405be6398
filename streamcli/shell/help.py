"""Help in the terminal: which page someone means, and the page as lines.

`help xread`, `help xgroup create`, `help xread count` (one heading of it),
`help ids`, `help @stream`, `help dead letter` (a search), `help` (the map).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Final, NamedTuple

from streamcli.docs import overview, pages
from streamcli.docs.markdown import Line, lay_out
from streamcli.docs.pages import EXAMPLE, SYNTAX, Page
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.spec import Option, Role
from streamcli.render import Options
from streamcli.shell import line as lines
from streamcli.shell.server_page import beginning, beside, server_page
from streamcli.shell.style import ansi
from streamcli.shell.vocabulary import in_force
from streamcli.text import visible

_WIDTH = 80  # where nobody says how wide it is
_FOUND_MAX = 12  # places that a search lists
_EXCERPT = 100  # characters of a paragraph that holds the words
_WORDS_MAX, _WORD_MAX = 20, 200  # what is looked at of what someone asks
_CUT = 60  # characters of the user's in a message
_SIGNS: Final = frozenset((b"$", b">", b"*", b"-", b"+", b"~", b"="))  # words that have a heading of their own
_VERBS: Final = frozenset((b"help", b".help", b"?", b".?", b".try", b"explain", b".explain"))
NUMBER: Final = re.compile(r"[-+]?[0-9]+")


class NoPageError(Exception):
    """There is no such page; the text is one line that names the nearest."""


def answer(words: Sequence[str], options: Options, *, source: bool = False) -> Iterator[str]:
    """The lines of what someone asks help for; `source`: as the CommonMark it is. Raises NoPageError."""
    words = [word[:_WORD_MAX] for word in words[:_WORDS_MAX]]
    if not words:
        return _laid_out(_map(), options, source)
    if words[0].startswith("@") and len(words) == 1:
        return _laid_out(_group(words[0][1:].lower()), options, source)
    page = page_of(words)
    if page is not None:
        return _laid_out(_with_command(page) if page.topic else page.text, options, source)
    found = _section_of(words) or server_page(words) or _headings_of(words) or _searched(words)
    return _laid_out(found, options, source)


def _with_command(topic: Page) -> str:
    """A topic's text; where a server has a command of that name, behind the first paragraph what there is on it."""
    said = beside(topic.name)
    if not said:
        return topic.text
    title, first, rest = topic.text.split("\n\n", 2)
    return f"{title}\n\n{first}\n\n{said}\n\n{rest}"


def page_of(words: Sequence[str]) -> Page | None:
    """The page that the words name."""
    name = " ".join(words).upper().replace("-", " ", 1) if len(words) == 1 else " ".join(words).upper()
    for candidate in (" ".join(words).upper(), name):
        if candidate in COMMANDS:
            return pages.command(candidate)
    return pages.topic("-".join(words).lower())


def at_word(line: lines.Line, cursor: int) -> list[str]:
    """What F1 asks for: the command, and the option at the cursor if the page has a heading for it."""
    verb = line.argv[0].lower() if line.argv else b""
    if line.call.command is not None or verb not in _VERBS:
        return _at_command(line, cursor)
    if verb.endswith(b"explain") and len(line.words) > 1:
        start = line.words[1].start
        if len(line.words) == 2:  # in quotes, perhaps
            return _at_command(lines.read(_decoded(line.argv[1])), 0)
        return _at_command(lines.read(line.text[start:]), max(0, cursor - start))
    words = [_decoded(word) for word in line.argv[1:]]
    if verb == b".try" and len(words) > 1 and NUMBER.fullmatch(words[-1]):
        words.pop()
    return words


def _at_command(line: lines.Line, cursor: int) -> list[str]:
    call = line.call
    page = pages.command(call.command.name) if call.command is not None else None
    if call.command is None or page is None:
        count = call.command.words if call.command is not None else 1
        return [_decoded(word) for word in line.argv[:count]]
    words = call.command.name.lower().split()
    index = line.at(cursor)
    role = call.roles[index] if index < len(call.roles) else None
    asked: list[str] = []
    if index < len(line.argv) and (role is None or role.kind in ("id", "mark")):
        asked.append(_decoded(line.argv[index]) if line.argv[index] in _SIGNS else "")
    asked.append(getattr(role.part, "token", "") or _option_of(call.roles[:index], role.part) if role else "")
    found = next((one for one in asked if one and section(page, one) is not None), None)
    return words if found is None else [*words, found.lower()]


def _option_of(before: Sequence[Role | None], part: object) -> str:
    """The token of the option that a word belongs to: the nearest one before it that takes such a word."""
    options = [role.part for role in before if role is not None and isinstance(role.part, Option)]
    return next((option.token for option in reversed(options) if any(arg is part for arg in option.args)), "")


def _decoded(word: bytes) -> str:
    return word.decode("utf-8", "replace")


def section(page: Page, heading: str) -> str | None:
    """The part of a page below a heading, under the page's title; None when it has no such heading."""
    headings = page.headings
    for index, one in enumerate(headings):
        if one.level > 1 and one.text.lower() == heading.lower():
            end = next((later.at for later in headings[index + 1 :] if later.level <= one.level), len(page.text))
            more = f"(help {page.name.lower()} is the whole page)"
            return f"# {page.title}\n\n{page.text[one.at : end].strip()}\n\n{more}\n"
    return None


def _section_of(words: Sequence[str]) -> str | None:
    """`xread count`: a page and one of its headings."""
    for count in range(len(words) - 1, 0, -1):
        page = page_of(words[:count])
        if page is not None and (found := section(page, " ".join(words[count:]))) is not None:
            return found
    return None


# -- search -------------------------------------------------------------------------------------


class _Found(NamedTuple):
    """A page that holds the words. The least is the best: whole words, in a title, of a topic."""

    partial: bool
    place: int  # 0 in its title, 1 in a heading, 2 in its text
    command: bool
    line: str  # of the list


def _searched(words: Sequence[str]) -> str:
    """The server's commands of about that name, and where titles, headings and texts hold the words.

    Raises NoPageError when there is nothing of it.
    """
    found = _hits(words)
    own = beginning(words[0]) if len(words) == 1 else []
    if not found and not own:
        raise NoPageError(_nearest(words))
    return f"# {_literal(' '.join(words))}\n\n" + "\n".join([*own, _hit_list(found)])


def _hit_list(found: Sequence[_Found]) -> str:
    over = len(found) - _FOUND_MAX
    more = f"\n\n{over} more page{' mentions' if over == 1 else 's mention'} it." if over > 0 else ""
    return "\n".join(one.line for one in found[:_FOUND_MAX]) + more + "\n"


def _hits(words: Sequence[str], but: Page | None = None) -> list[_Found]:
    wanted = [" ".join(word.lower().split()) for word in words if word.strip()]
    found = [_found_in(page, wanted) for page in pages.every() if page != but] if wanted else []
    return sorted((one for one in found if one is not None), key=lambda one: one[:3])


def _found_in(page: Page, wanted: Sequence[str]) -> _Found | None:
    """The best place of a page."""
    longest = max(wanted, key=len)
    ask = f"help {page.name.lower()}"
    found: list[_Found] = []

    def look(text: str, place: int, line: Callable[[], str]) -> None:
        low = text.lower()
        if all(word in low for word in wanted):
            found.append(_Found(any(_whole(word, low) is None for word in wanted), place, not page.topic, line()))

    look(page.title, 0, lambda: f"- **{ask}** {page.summary}")
    for heading in page.headings[1:]:
        if heading.text != pages.SEE_ALSO:
            name = _literal(heading.text.lower())
            look(heading.text, 1, partial("- **{} {}** {}".format, ask, name, page.summary))
    for text in page.paragraphs if len(longest) > 2 else ():
        look(text, 2, partial(lambda text: f"- **{ask}** {_literal(_excerpt(text, longest))}", text))
    return min(found, key=lambda one: one[:3], default=None)


def _whole(word: str, text: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)


def _excerpt(text: str, word: str) -> str:
    """About 100 characters around a word, cut at blanks."""
    low = text.lower()
    match = _whole(word, low)
    at = match.start() if match is not None else max(0, low.find(word))
    start = 0 if at <= _EXCERPT // 3 else text.rfind(" ", 0, at - _EXCERPT // 3) + 1
    if len(text) - start <= _EXCERPT:
        start = text.find(" ", len(text) - _EXCERPT - 1) + 1 if len(text) > _EXCERPT else 0
        start = min(start, at)
    end = start + _EXCERPT if len(text) - start > _EXCERPT else len(text)
    if end < len(text):
        blank = text.rfind(" ", start, end + 1)
        end = blank if blank > at else end
    return f"{'... ' if start else ''}{text[start:end]}{' ...' if end < len(text) else ''}"


def _headings_of(words: Sequence[str]) -> str | None:
    """`xread nosuch`: what headings the page has, and where else the words are; None when no page is named."""
    for count in range(len(words) - 1, 0, -1):
        page = page_of(words[:count])
        if page is not None:
            name, asked = page.name.lower(), _literal(cut(" ".join(words[count:])))
            listed = "\n".join(f"- {_literal(text)}" for text in dict.fromkeys(one.text for one in page.headings[1:]))
            elsewhere = _hits(words, but=page)
            more = f"\n## Elsewhere\n\n{_hit_list(elsewhere)}" if elsewhere else ""
            return f"# {page.title}\n\nThe page `help {name}` has no heading {asked}. It has:\n\n{listed}\n{more}"
    return None


def cut(text: str) -> str:
    """Words of the user's in a message: one line, and not a long one."""
    shown = visible(text[:_CUT]).replace("\n", " ")
    return shown if len(text) <= _CUT and len(shown) <= _CUT else f"{shown[: _CUT - 3]}..."


def _literal(text: str) -> str:
    """Words of the user's, which are no CommonMark."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()#+-.!|<>&~" else one for one in visible(text))


def _nearest(words: Sequence[str]) -> str:
    name = " ".join(words)
    known = {page.name.lower(): page for page in pages.every()}
    near = get_close_matches(name.lower()[:_CUT], list(known), 3, 0.6)
    hint = f"; the nearest: {', '.join(near)}" if near else "; help alone is the map"
    return f"no page, heading or text of the help has {cut(name) or 'no words'}{hint}"


# -- what is made from the table --------------------------------------------------------------


def _map() -> str:
    """The commands by what one wants to do, and the topics."""
    parts = ["# Help\n\n`help xread` shows a page, `help ids` a topic, `help dead letter` searches.\n"]
    for aim, names in overview.AIMS.items():
        parts.append(f"## {aim.capitalize()}\n\n{_listed(names)}\n")
    parts.append("## Topics\n\n" + "\n".join(map(_topic_line, overview.TOPICS)) + "\n")
    groups = dict.fromkeys(command.group for command in COMMANDS.values())
    parts.append("## All the rest\n\n" + ", ".join(f"`help @{group}`" for group in groups) + ".\n")
    parts.append("At the prompt, `.help` lists the shell's own commands, and F1 is help on the word at the cursor.\n")
    return "\n".join(parts)


def _topic_line(name: str) -> str:
    page = pages.topic(name)
    return f"- **{name}**: {page.summary if page is not None else ''}"


def _listed(names: Iterable[str]) -> str:
    return "\n".join(f"- **{name}**: {COMMANDS[name].summary}." for name in names)


def _group(group: str) -> str:
    """The commands of one of Redis's groups, the server's own behind the table's. Raises NoPageError."""
    every = dict(COMMANDS)
    for command in sorted(in_force().theirs.values(), key=lambda command: command.name):
        for one in (command, *command.subcommands.values()):
            every.setdefault(one.name, one)
    groups = dict.fromkeys(command.group for command in every.values())
    meant = next((name for name in groups if _plain(name) == _plain(group)), None)
    if meant is None:
        raise NoPageError(f"there is no group @{cut(group)}; there are {', '.join(f'@{name}' for name in groups)}")
    listed = "\n".join(
        f"- **{_literal(one.name)}**{f': {_literal(one.summary)}.' if one.summary else ''}"
        for one in every.values()
        if one.group == meant
    )
    return f"# @{_literal(meant)}\n\n{listed}\n"


def _plain(group: str) -> str:
    """`sorted-set`, `sorted_set` and `sortedset` are one."""
    return group.lower().replace("-", "").replace("_", "")


# -- lines --------------------------------------------------------------------------------------


def _laid_out(text: str, options: Options, source: bool) -> Iterator[str]:
    if source:
        yield text.rstrip("\n")
        return
    for line in lay_out(
        text, options.width or _WIDTH, unicode=options.unicode, plain=not options.color, paint=paint_code
    ):
        yield encode(line, options)


def encode(line: Line, options: Options) -> str:
    """A line for the screen, or without its styles."""
    return ansi(line) if options.color else "".join(text for _, text in line).rstrip()


def paint_code(info: str, body: str) -> list[Line]:
    """Commands as the prompt paints them, replies told from them."""
    from streamcli.shell.lexer import paint

    kind = info.split(None, 1)[0] if info else ""
    painted: list[Line] = []
    for row in body.splitlines():
        if kind == EXAMPLE and row.startswith("> "):
            painted.append([("class:doc.frame", "> "), *paint(lines.read(row[2:]), len(row))])
        elif kind == EXAMPLE:
            painted.append([("class:doc.reply", row)])
        elif kind == SYNTAX:
            painted.append([("class:doc.strong", row)])
        else:
            painted.append([("class:doc.code", row)])
    return painted
