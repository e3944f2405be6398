"""The hint lines: the command's syntax with the part under the cursor marked, and what the word there means.

What words mean is `grammar.meanings`' business, what is wrong the lexer's.
Knows neither a terminal nor the time; it is told both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from streamcli.grammar.foreign import Foreign
from streamcli.grammar.meanings import Expected, about, expectation, meaning
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg, Command, Option, Piece, Role
from streamcli.shell.lexer import Verdict, before, is_comment, is_for_shell, lacking, token_of, verdict
from streamcli.shell.line import ANALYSED_MAX, Line, Tail
from streamcli.text import visible

Usage: TypeAlias = "tuple[tuple[str, str], ...]"

_MARK, _PLAIN = "class:hint.mark", "class:hint.usage"
_SENTENCE_MAX = 60  # characters of a problem that is told beside something else
_NAMES_MAX = 20  # commands that are listed
_WORD_MAX = 20  # characters of the word that it is about


class Hint(NamedTuple):
    """`usage` are fragments of the syntax line; `meaning` is a problem's sentence when `problem` says so."""

    usage: Usage
    meaning: str
    problem: bool = False


def hint(line: Line, cursor: int, now_ms: int) -> Hint | None:
    """What there is to say about the place of the cursor; None when the line is no command."""
    text = line.text
    if len(text) > ANALYSED_MAX or not text.strip() or is_comment(line) or is_for_shell(line):
        return None
    call, judged = line.call, verdict(line, cursor)
    if line.tail is not None and cursor >= line.tail.start:
        return Hint(_usage(call.command, (), ()), _about_tail(line.tail))
    index = line.at(cursor)
    if index < len(line.words):
        found = _at_word(line, index, cursor, judged, now_ms)
    else:
        found = _between(line, bisect_left(line.words, cursor, key=lambda word: word.end), cursor, judged)
    if cursor >= len(text.rstrip()) and judged.wrong and index not in judged.wrong:
        return _with_problem(line, found, judged)
    return _with_lacking(line, found, index, cursor)


def fit(usage: Usage, width: int, ascii: bool = False) -> Usage:
    """The syntax line cut to so many columns, 10 or more, around its marked piece: `…` where something is left out."""
    text = "".join([part for _, part in usage])
    size = len(text)
    if size <= width:
        return usage
    more = "..." if ascii else "…"
    low, high = _marked(usage)
    room = width - len(more)
    if low == 0 or high <= room:
        start, end = 0, room
    elif low >= size - room:
        start, end = size - room, size
    else:
        room -= len(more)
        start = low - max(0, room - (high - low)) // 2
        end = start + room
    if start:
        start += max(0, text[start:low].find(" "))  # a word that is cut says little
    if end < size and high < end:
        end = max(text.rfind(" ", high, end) + 1, high) or end
    return _cut(usage, start, end, more if start else "", more if end < size else "")


# -- what stands under the cursor ----------------------------------------------------------------


def _at_word(line: Line, index: int, cursor: int, judged: Verdict, now_ms: int) -> Hint:
    call, word = line.call, line.words[index]
    role, first = call.roles[index], call.roles[0]
    command = call.command or (first.part if first is not None and isinstance(first.part, Command) else None)
    usage = _usage(command, (role,) if role else (), call.roles[:index])
    if word.open_quote and cursor == word.end:
        return Hint(usage, "the quote is open: Enter goes on in the next line")
    if 0 <= judged.to_file <= index:
        return Hint(usage, _written(line.words[judged.to_file].value.decode(), "that is named next"))
    if index in judged.wrong:
        return Hint(usage, judged.wrong[index], True)
    if index == judged.draft:
        return _to_come(before(line, index), judged.may_be)
    if role is not None:
        return Hint(usage, meaning(call, index, now_ms))
    if judged.draft >= 0 or judged.wrong or isinstance(call.command, Foreign):
        return Hint(usage, "")
    if call.command is None or call.command.open:
        whose = "Redis" if line.vocabulary.server is None else "the server"
        return Hint(usage, f"a command of {whose} whose words are not known here")
    return Hint(usage, "Redis does not look at this word")


def _between(line: Line, count: int, cursor: int, judged: Verdict) -> Hint:
    """The cursor is at no word, but behind so many of them."""
    if judged.to_file >= 0:
        return _at_word(line, judged.to_file, cursor, judged, 0)
    call = before(line, count)
    if line.text.endswith("\\") and line.open and cursor >= len(line.text):
        return Hint(_usage(call.command, (), ()), "the line goes on: Enter begins the next one")
    if not call.expected and call.command is not None and not judged.wrong and count == len(line.words):
        whole = not line.strict().problems
        return Hint(_usage(call.command, (), ()), "nothing more is needed: Enter sends it" if whole else "")
    return _to_come(call, call.expected)


def _to_come(call: Call, expected: Sequence[Expected]) -> Hint:
    """What may stand behind the words of `call`."""
    commands = [what for what in expected if isinstance(what, Command)]
    if commands:
        return _commands_to_come(call, commands)
    roles = [what.role for what in expected]
    last = call.roles[-1] if call.roles else None
    if last is not None and last.kind == "token" and isinstance(last.part, Option) and last.part.marks:
        roles.append(last.part.mark_role)
    usage = _usage(call.command, roles, call.roles)
    if len(expected) == 1 and not isinstance(expected[0], Arg):
        said = about(expected[0])
        return Hint(usage, f"{token_of(expected[0])}{said and f': {said}'}")
    return Hint(usage, _either([expectation(what, call) for what in expected]))


def _commands_to_come(call: Call, commands: list[Command]) -> Hint:
    if len(commands) == 1:
        return Hint(_usage(commands[0], (commands[0].role,), ()), about(commands[0]))
    names = [token_of(command) for command in commands]
    if call.command is None:
        return Hint((), f"a command: {', '.join(names)}" if len(names) <= _NAMES_MAX else "a command")
    return Hint(_usage_of_container(call.command, commands, ()), f"a subcommand: {', '.join(names)}")


def _about_tail(tail: Tail) -> str:
    target = visible(tail.target).replace("\n", " ")
    if tail.kind == "|":
        return f"the reply goes to the shell command {target or 'that comes next'}"
    return _written(tail.kind, target)


def _written(kind: str, target: str) -> str:
    return f"the reply is {'written' if kind == '>' else 'appended'} to the file {target}"


def _with_problem(line: Line, found: Hint, judged: Verdict) -> Hint:
    """The cursor is at the end, and something before it is wrong."""
    index, sentence = next(iter(judged.wrong.items()))
    if not found.meaning:
        return found._replace(meaning=sentence, problem=True)
    if len(sentence) > _SENTENCE_MAX:
        return found
    word = line.words[index]
    shown = visible(line.text[word.start : min(word.end, word.start + _WORD_MAX)]).replace("\n", " ")
    return found._replace(meaning=f"{found.meaning}; {shown}: {sentence}")


def _with_lacking(line: Line, found: Hint, index: int, cursor: int) -> Hint:
    """What the server does not have, at that word and at the end of the line."""
    lacks = lacking(line)
    if not lacks or found.problem:
        return found
    sentence = lacks.get(index) or next(iter(lacks.values()))
    if index in lacks or line.call.command is None:
        return found._replace(meaning=sentence)
    if cursor < len(line.text.rstrip()):
        return found
    return found._replace(meaning=f"{found.meaning}; {sentence}" if found.meaning else sentence)


def _either(texts: Iterable[str]) -> str:
    """`A, B or C`, each of them once."""
    *most, last = dict.fromkeys(texts) or [""]
    return f"{', '.join(most)} or {last}" if most else last


# -- the syntax line -------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _pieces(command: Command) -> tuple[Piece, ...]:
    return tuple(command.pieces())


def _usage(command: Command | None, marked: Iterable[Role], roles: Sequence[Role | None]) -> Usage:
    """The syntax line with the pieces of some roles marked; `roles` are those of the words before the cursor.

    A word that the line shows twice (`field value [field value ...]`) is
    marked where its turn is.
    """
    if command is None:
        return ()
    if command.subcommands:
        return _usage_of_container(command, (), marked)
    pieces = _pieces(command)
    marks = set()
    for mark in marked:
        places = [at for at, (_, of) in enumerate(pieces) if any(role is mark for role in of)]
        if len(places) > 1:
            turn = sum(role is mark for role in roles)
            places = [places[min(turn, len(places) - 1)]]
        marks.update(places)
    return _joined([(text, at in marks) for at, (text, _) in enumerate(pieces)])


def _usage_of_container(command: Command, subcommands: Sequence[Command], marked: Iterable[Role]) -> Usage:
    """`XGROUP <CREATE | SETID | ...>`, some of its subcommands marked, or its own name."""
    pieces = [(command.name, any(role is command.role for role in marked))]
    for index, subcommand in enumerate(command.subcommands.values()):
        pieces.append((" | " if index else " <", False))
        pieces.append((token_of(subcommand), subcommand in subcommands))
    return _joined([*pieces, (">", False)])


def _joined(pieces: Iterable[tuple[str, bool]]) -> Usage:
    """Fragments, those of one style in one; a blank before a marked piece is not marked."""
    found: list[tuple[str, str]] = []
    for text, is_marked in pieces:
        blank = " " if is_marked and text[:1] == " " else ""
        for style, part in ((_PLAIN, blank), (_MARK if is_marked else _PLAIN, text[len(blank) :])):
            if part and found and found[-1][0] == style:
                found[-1] = style, found[-1][1] + part
            elif part:
                found.append((style, part))
    return tuple(found)


def _marked(usage: Usage) -> tuple[int, int]:
    """Where the first marked fragment begins and ends; 0, 0 when there is none."""
    at = 0
    for style, text in usage:
        if style == _MARK:
            return at, at + len(text)
        at += len(text)
    return 0, 0


def _cut(usage: Usage, start: int, end: int, left: str, right: str) -> Usage:
    found = [(_PLAIN, left)] if left else []
    at = 0
    for style, text in usage:
        part = text[max(0, start - at) : max(0, end - at)]
        if part:
            found.append((style, part))
        at += len(text)
    return (*found, (_PLAIN, right)) if right else tuple(found)
