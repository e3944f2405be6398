"""Help in the terminal: which page someone means, and the page as lines.

`help xread`, `help xgroup create`, `help xread count` (one heading of it),
`help ids`, `help @stream`, `help dead letter` (a search), `help` (the map).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from streamcli.docs import overview, pages
from streamcli.docs.markdown import Line, lay_out
from streamcli.docs.pages import EXAMPLE, SYNTAX, Page
from streamcli.grammar.commands import COMMANDS
from streamcli.render import Options
from streamcli.shell import line as lines
from streamcli.shell.style import ansi
from streamcli.text import visible

_WIDTH = 80  # where nobody says how wide it is
_FOUND_MAX = 12  # places that a search lists


class NoPageError(Exception):
    """There is no such page; the text is one line that names the nearest."""


def answer(words: Sequence[str], options: Options, *, source: bool = False) -> Iterator[str]:
    """The lines of what someone asks help for; `source`: as the CommonMark it is. Raises NoPageError."""
    if not words:
        return _laid_out(_map(), options, source)
    if words[0].startswith("@") and len(words) == 1:
        return _laid_out(_group(words[0][1:].lower()), options, source)
    page = page_of(words)
    if page is not None:
        return _laid_out(page.text, options, source)
    section = _section_of(words)
    return _laid_out(_searched(words) if section is None else section, options, source)


def page_of(words: Sequence[str]) -> Page | None:
    """The page that the words name."""
    name = " ".join(words).upper().replace("-", " ", 1) if len(words) == 1 else " ".join(words).upper()
    for candidate in (" ".join(words).upper(), name):
        if candidate in COMMANDS:
            return pages.command(candidate)
    return pages.topic("-".join(words).lower())


def at_word(line: lines.Line, cursor: int) -> list[str]:
    """What F1 asks for: the command, and the option at the cursor if the page has a heading for it."""
    call = line.call
    if call.command is None:
        return [word.decode("utf-8", "replace") for word in line.argv[:1]]
    words = call.command.name.lower().split()
    index = line.at(cursor)
    role = call.roles[index] if index < len(call.roles) else None
    part = role.part if role is not None else None
    page = pages.command(call.command.name)
    token = getattr(part, "token", "")
    if page is not None and token and section(page, token) is not None:
        return [*words, token.lower()]
    return words


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


def _searched(words: Sequence[str]) -> str:
    """Where titles, headings and texts hold the words. Raises NoPageError when nothing does."""
    wanted = [word.lower() for word in words]

    def holds(text: str) -> bool:
        return all(word in text for word in wanted)

    found: list[tuple[int, str]] = []
    for page in pages.every():
        ask = f"help {page.name.lower()}"
        heading = next((one.text for one in page.headings[1:] if holds(one.text.lower())), None)
        line = next((one for one in page.prose.splitlines() if holds(one.lower())), None)
        if holds(page.title.lower()):
            found.append((0, f"- **{ask}** {page.summary}"))
        elif heading is not None:
            found.append((1, f"- **{ask} {_literal(heading.lower())}** {page.summary}"))
        elif line is not None and len(wanted[0]) > 2:
            found.append((2, f"- **{ask}** ... {_literal(line.strip(' -|#>`'))} ..."))
    if not found:
        raise NoPageError(_nearest(words))
    found.sort(key=lambda one: one[0])
    more = f"\n\n{len(found) - _FOUND_MAX} more pages mention it." if len(found) > _FOUND_MAX else ""
    return f"# {_literal(' '.join(words))}\n\n" + "\n".join(line for _, line in found[:_FOUND_MAX]) + more + "\n"


def _literal(text: str) -> str:
    """Words of the user's, which are no CommonMark."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()#+-.!|<>&~" else one for one in visible(text))


def _nearest(words: Sequence[str]) -> str:
    name = " ".join(words)
    known = {page.name.lower(): page for page in pages.every()}
    near = get_close_matches(name.lower()[:60], list(known), 3, 0.5)
    hint = f"; the nearest: {', '.join(near)}" if near else "; help alone is the map"
    shown = visible(name).replace("\n", " ")
    return f"no page, heading or text of the help has {shown[:60]}{hint}"


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
    return f"- **{name}** {page.summary if page is not None else ''}"


def _listed(names: Iterable[str]) -> str:
    return "\n".join(f"- **{name}** {COMMANDS[name].summary}." for name in names)


def _group(group: str) -> str:
    """The commands of one of Redis's groups. Raises NoPageError."""
    names = [command.name for command in COMMANDS.values() if command.group == group]
    if not names:
        groups = dict.fromkeys(f"@{command.group}" for command in COMMANDS.values())
        raise NoPageError(f"there is no group @{visible(group)[:60]}; there are {', '.join(groups)}")
    return f"# @{group}\n\n{_listed(names)}\n"


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
