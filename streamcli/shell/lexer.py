"""The colours of a line while it is typed: what each word is, and what is certainly wrong.

A draft is not an error. What is wrong about a word that the cursor has left is
certain. The word before the cursor is judged by what it may still become: it
is a draft as long as some token that may stand there begins like it, or one
more character would make it a value. What follows a draft is not judged.

What a server does not have yet is marked too, and is no problem: it is sent.

Everything comes from the roles, the problems and the expectations of the
parser; no word of a command is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from streamcli import errors
from streamcli.grammar.meanings import Expected
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg, Command, Halves, Option, Role
from streamcli.grammar.types import SPECIAL_IDS
from streamcli.reply import Error
from streamcli.shell.line import ANALYSED_MAX, Line
from streamcli.shell.lookup import commands_of_redis
from streamcli.text import visible
from streamcli.words import Word

_AS_THEY_ARE = ("command", "key", "group", "consumer", "id", "field", "value", "pattern", "string", "secret")
_NUMBERS = (
    "count", "milliseconds", "seconds", "unix-time", "unix-time-ms", "db", "protocol", "cursor", "integer",
)  # fmt: skip
_CLASSES: Final = {
    **{kind: f"class:{kind}" for kind in _AS_THEY_ARE},
    **dict.fromkeys(("token", "mark"), "class:option"),
    **dict.fromkeys(_NUMBERS, "class:number"),
    "word": "class:string",
}
_PROBLEM: Final = "class:problem"
_LACKING: Final = "class:lacking"
_TAIL: Final = "class:pipe"
_OPERATORS = (b">", b">>")
_SUFFIXES = (b"0", b"1")  # what makes a value of the beginning of one: an ID, a number


class Verdict(NamedTuple):
    """What is known of the words at this place of the cursor.

    `wrong` says of each word that is certainly wrong, by its index, Redis's
    sentence. `draft` is the index of the word before the cursor when it is none
    yet of those that may stand there, `may_be` what it may become. `to_file`
    is the index of a `>` that waits for its file. -1: there is none.
    """

    wrong: dict[int, str]
    draft: int = -1
    may_be: tuple[Expected, ...] = ()
    to_file: int = -1


_NOTHING = Verdict({})


def paint(line: Line, cursor: int) -> list[tuple[str, str]]:
    """Fragments of style and text that join to the line."""
    text = line.text
    if not text:
        return []
    if len(text) > ANALYSED_MAX:
        return [("", text)]
    if is_comment(line):
        return [("class:comment", text)]
    if is_for_shell(line):
        return [("class:meta", text)]
    fragments: list[tuple[str, str]] = []
    at = 0
    for word, style in zip(line.words, _styles(line, cursor), strict=True):
        start, end = word.start, word.end
        if start > at:
            fragments.append(("", text[at:start]))
        fragments.append((style, text[start:end]))
        at = end
    if line.tail is not None:
        if line.tail.start > at:
            fragments.append(("", text[at : line.tail.start]))
        fragments.append((_TAIL, text[line.tail.start : line.tail.end]))
        at = line.tail.end
    if at < len(text):
        fragments.append(("", text[at:]))
    return fragments


def problems(line: Line, cursor: int) -> list[tuple[int, int, str]]:
    """Start, end and Redis's sentence of everything that is certainly wrong."""
    found = []
    for index, sentence in verdict(line, cursor).wrong.items():
        word = line.words[index]
        found.append((word.start, word.end, sentence))
    return found


def is_comment(line: Line) -> bool:
    return line.text.lstrip()[:1] == "#"


def is_for_shell(line: Line) -> bool:
    """Is it one of the shell's own commands?"""
    return line.meta or (bool(line.argv) and line.argv[0].lower() in _bare_verbs())


def before(line: Line, count: int) -> Call:
    """The first words of a line as a draft of their own: `expected` is what may come behind them."""
    return line.call if count == len(line.argv) else line.drafted(line.argv[:count])


@lru_cache(maxsize=8)
def verdict(line: Line, cursor: int) -> Verdict:
    """What is wrong, and what is being typed."""
    if len(line.text) > ANALYSED_MAX or is_comment(line) or is_for_shell(line):
        return _NOTHING
    words = line.words
    wrong: dict[int, str] = {}
    for problem in line.call.problems:
        if problem.at < len(words) and problem.at not in wrong:
            wrong[problem.at] = _sentence(problem.error.text, line.call.command is None)
    if wrong and line.call.command is None and line.vocabulary.is_no_slip(line.call):
        wrong.clear()
    faulty = _faulty(line)
    if faulty >= 0 and line.fault is not None:
        wrong[faulty] = line.fault.text
    if not wrong:
        return _NOTHING
    to_file = _waiting_for_file(line, cursor)
    if to_file in wrong:
        return Verdict(_until(wrong, to_file), to_file=to_file)
    index = _ending_at(words, cursor)
    if index in wrong and index != faulty and _can_grow(line.text, words[index]):
        may_be = tuple(_may_be(line, index)) or _one_more_key(line.call, index)
        if may_be or _begins_elsewhere(line.argv[: index + 1]):
            return Verdict(_until(wrong, index), draft=index, may_be=may_be)
    return Verdict(wrong)


@lru_cache(maxsize=8)
def lacking(line: Line) -> dict[int, str]:
    """What the server that the line is for does not have: a sentence for each such word, by its index."""
    if len(line.text) > ANALYSED_MAX or is_comment(line) or is_for_shell(line):
        return {}
    return line.vocabulary.lacking(line.call)


# -- colours ---------------------------------------------------------------------------------


def _styles(line: Line, cursor: int) -> list[str]:
    """A style for each word."""
    judged = verdict(line, cursor)
    styles = []
    for role, word in zip(line.call.roles, line.words, strict=True):
        style = "" if role is None else _CLASSES.get(role.kind, "")
        if style == "class:id" and _is_special(word.value):
            style = "class:special"
        styles.append(style)
    if judged.draft >= 0 and not _becomes(judged.may_be, line.call.roles[judged.draft]):
        styles[judged.draft] = ""  # the beginning of a token, in a place for values
    if judged.to_file >= 0:
        styles[judged.to_file :] = [_TAIL] * (len(styles) - judged.to_file)
    for index in lacking(line):
        styles[index] = f"{styles[index]} {_LACKING}".lstrip()
    for index in judged.wrong:
        styles[index] = f"{styles[index]} {_PROBLEM}".lstrip()
    return styles


def _is_special(value: bytes) -> bool:
    return value in SPECIAL_IDS or value.endswith(b"-*")


def _becomes(may_be: tuple[Expected, ...], role: Role | None) -> bool:
    return role is not None and any(what is role.part for what in may_be)


# -- what is certain ---------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _sentence(text: str, no_command: bool) -> str:
    """What Redis says, on one line; of a command it does not know, without all the words that follow."""
    if no_command:
        text = text.partition(", with args beginning with:")[0]
    return visible(text.removeprefix("ERR ")).replace("\n", " ")


def _until(wrong: dict[int, str], index: int) -> dict[int, str]:
    """What is wrong before a word; what follows it hangs on what it becomes."""
    return {at: text for at, text in wrong.items() if at < index}


def _faulty(line: Line) -> int:
    """The index of the word that follows a closing quote without a blank; an open quote is no fault yet."""
    if line.fault is None:
        return -1
    starts = [index for index, word in enumerate(line.words) if word.start == line.fault.at]
    return next((index for index in starts if index and line.words[index - 1].end == line.fault.at), -1)


def _ending_at(words: list[Word], cursor: int) -> int:
    """The index of the word that the cursor is right behind, or -1."""
    return next((index for index, word in enumerate(words) if word.end == cursor), -1)


def _can_grow(text: str, word: Word) -> bool:
    """May more be typed at its end? Not behind a closing quote."""
    return bool(word.open_quote) or text[word.end - 1] not in "\"'"


def _may_be(line: Line, index: int) -> Iterator[Expected]:
    """What of the table the word may become when it goes on."""
    role, word, command = line.call.roles[index], line.argv[index], line.call.command
    typed = word.upper().decode("latin-1")
    tokens = [part for part in _tokens(command) if part.token.startswith(typed)] if command is not None else []
    arg = role.part if role is not None and isinstance(role.part, Arg) else None
    if arg is not None and not tokens and not _reads(arg, word):
        return
    call = before(line, index)
    only = arg if any(what is arg for what in call.expected) else None  # the parser has chosen between arguments
    for what in call.expected:
        if not isinstance(what, Arg):
            if token_of(what).startswith(typed):
                yield what
        elif (only is None or what is only) and _reads(what, word):
            yield what
    for part in tokens:
        if isinstance(part, Option) and part not in call.expected and _may_come(line, call, part):
            yield part


def token_of(what: Option | Halves | Command) -> str:
    """The word by which it is typed."""
    return what.name.rpartition(" ")[2] if isinstance(what, Command) else what.token


def _reads(arg: Arg, word: bytes) -> bool:
    """Would one more character make it a value, which it is not yet?"""
    read = arg.read
    if read is None:
        return True
    return isinstance(read(word), Error) and any(not isinstance(read(word + more), Error) for more in _SUFFIXES)


def _may_come(line: Line, call: Call, option: Option) -> bool:
    """May an option that has come before come again?"""
    longer = line.drafted((*call.argv, option.token.encode()))
    return option.refused is None and all(problem.at < len(call.argv) for problem in longer.problems)


def _one_more_key(call: Call, index: int) -> tuple[Expected, ...]:
    """Where a draft's keys end and its IDs begin is a guess: what is no ID at all may be one more key."""
    halves, role = call.halves, call.roles[index]
    if halves is None or role is not halves.right.role or halves.right.read is None:
        return ()
    return (halves.left,) if halves.right.read(call.argv[index]) == errors.INVALID_ID else ()


def _waiting_for_file(line: Line, cursor: int) -> int:
    """The index of a `>` or `>>` behind a whole command, whose file is not named yet, or not to its end; or -1."""
    words = line.words
    if line.tail is not None or len(words) < 2 or cursor < words[-1].start:
        return -1
    index = len(words) - 1
    if not _is_operator(words[index]):
        index -= 1
        if cursor != words[-1].end or not _is_operator(words[index]):
            return -1
    return -1 if line.strict(index).problems else index


def _is_operator(word: Word) -> bool:
    return word.value in _OPERATORS and word.end - word.start == len(word.value)


# -- what is known elsewhere ------------------------------------------------------------------------


@lru_cache(maxsize=32)
def _tokens(command: Command) -> tuple[Option | Halves, ...]:
    """What in a command's syntax line begins with a word of Redis's."""
    parts = [role.part for _, roles in command.pieces() for role in roles if role.kind == "token"]
    return tuple(dict.fromkeys(part for part in parts if isinstance(part, Option | Halves)))


def _begins_elsewhere(argv: tuple[bytes, ...]) -> bool:
    """Does a command begin like this that only a server knows, or one of the shell's own?"""
    typed = b"|".join(argv[:2]).upper()
    if len(argv) > 2 or not typed:
        return False
    if len(argv) == 1 and any(verb.startswith(typed.lower()) for verb in _bare_verbs()):
        return True
    return any(name.startswith(typed) for name in commands_of_redis())


@lru_cache(maxsize=1)
def _bare_verbs() -> frozenset[bytes]:
    """The shell's own commands that work without their dot."""
    from streamcli.shell.meta import BARE

    return frozenset(name.encode() for name in BARE)
