"""A command line explained: a row for each word or phrase, what it does as a whole, and what to mind.

The rows come from the parser's roles, the table's notes and the meanings of
values: nothing about any command is written here but what its words do together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from streamcli import errors, words
from streamcli.grammar.foreign import Foreign
from streamcli.grammar.meanings import expectation, meaning, name
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg, Halves, Option, Pairs
from streamcli.grammar.types import LAST, NEW
from streamcli.shell.advice import suffix
from streamcli.shell.cautions import cautions
from streamcli.shell.line import shown
from streamcli.shell.secrets import hidden, secret_words
from streamcli.shell.vocabulary import in_force
from streamcli.text import columns, visible
from streamcli.times import span_text

if TYPE_CHECKING:
    from streamcli.render import Options

_WORD_MAX = 40  # columns of a row's words
_ROOM_MIN = 16  # columns for what they mean; with fewer the terminal may wrap it
_BAR = 3  # columns
_NEXT_MAX = 6  # of what may come next
_TOGETHER = "together"


def words_of(given: Sequence[bytes]) -> tuple[bytes, ...]:
    """The words of a command that was given as words, or as one line. Raises SplitError."""
    return tuple(words.argv(given[0])) if len(given) == 1 else tuple(given)


class Row(NamedTuple):
    """Some words of the line, and what they mean there; `at` are the indexes of the words."""

    at: tuple[int, ...]
    means: str


def explain(argv: tuple[bytes, ...], options: Options, now_ms: int) -> Iterator[str]:
    """The lines of an explanation: a tree, one word or phrase a row."""
    words_known = in_force()
    call = words_known.read(argv)
    lacks = list(dict.fromkeys(words_known.lacking(call).values()))
    if call.command is None:
        error = call.problems[0].error if call.problems else errors.unknown_command(argv or (b"",))
        yield f"{_said(error.text, argv)}{f' ({lacks[0]})' if lacks else suffix(call, words_known.server)}"
        return
    drawn = _unfinished(call, words_known.read(argv, draft=True))
    found = rows(drawn, now_ms)
    secret = secret_words(argv)
    texts = [_cut(" ".join(_word(drawn, index, secret) for index in row.at)) for row in found]
    together = whole(call)
    width = max(map(columns, [*texts[1:], _TOGETHER if together else ""]), default=0)
    mark, last, bar = ("├─ ", "└─ ", "│  ") if options.unicode else ("|- ", "`- ", "|  ")
    look = _Look(options.color)
    room = options.width
    yield from _hung(look.bold(texts[0]), columns(texts[0]), "", found[0].means, room)
    tail = [(_TOGETHER, together)] if together else []
    lines = [*zip(texts[1:], (row.means for row in found[1:]), strict=True), *tail]
    for index, (text, means) in enumerate(lines):
        ends = index == len(lines) - 1
        shown_text = look.bold(text) if index < len(texts) - 1 else look.dim(text)
        head = f"{look.dim(last if ends else mark)}{shown_text}{' ' * (width - columns(text))}"
        yield from _hung(head, len(mark) + width, "" if ends else look.dim(bar), means, room)
    if call.problems:  # a server says the first one only
        yield from _hung(look.red("wrong"), 5, "", _said(call.problems[0].error.text, argv), room)
    if drawn is not call and drawn.expected:
        come = " | ".join(expectation(one, drawn) for one in drawn.expected[:_NEXT_MAX])
        more = " | ..." if len(drawn.expected) > _NEXT_MAX else ""
        yield from _hung(look.yellow("next"), 4, "", f"{come}{more}", room)
    for sentence in lacks:
        yield from _hung(look.yellow("mind"), 4, "", sentence, room)
    for caution in cautions(call):
        yield from _hung(look.yellow("mind"), 4, "", f"{caution.text} (help {caution.topic})", room)


def _unfinished(call: Call, draft: Call) -> Call:
    """The line as one that is still being typed, if words at its end are all that it lacks."""
    return draft if call.problems and not draft.problems else call


def _hung(head: str, size: int, bar: str, text: str, width: int | None) -> Iterator[str]:
    """A head of `size` columns and the text beside it, wrapped so that it hangs; `bar` goes on at the left."""
    room = width - size - 2 if width else 0
    if not width:
        yield f"{head}  {text}".rstrip()
        return
    if room < _ROOM_MIN:  # no place beside it: below it
        yield head.rstrip()
        for line in wrap(text, max(1, width - _BAR - 2), break_on_hyphens=False):
            yield f"{bar or ' ' * _BAR}  {line}"
        return
    first, *rest = wrap(text, room, break_on_hyphens=False) or [""]
    yield f"{head}  {first}".rstrip()
    blanks = " " * (size + 2 - (_BAR if bar else 0))
    for line in rest:
        yield f"{bar}{blanks}{line}"


class _Look:
    def __init__(self, color: bool) -> None:
        self._color = color

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and text else text

    def bold(self, text: str) -> str:
        return self._in("1", text)

    def dim(self, text: str) -> str:
        return self._in("2", text)

    def red(self, text: str) -> str:
        return self._in("31", text)

    def yellow(self, text: str) -> str:
        return self._in("33", text)


def _word(call: Call, index: int, secret: Collection[int]) -> str:
    role = call.roles[index] if index < len(call.roles) else None
    if index in secret or (role is not None and role.kind == "secret"):
        return "***"
    return ">" if call.argv[index] == NEW.mark else shown(call.argv[index])


def _said(error: str, argv: Sequence[bytes]) -> str:
    """An error, without the secrets among the words that it repeats."""
    return hidden(visible(error).strip(), " ".join(map(shown, argv)))


def _cut(text: str) -> str:
    text = visible(text).replace("\n", "\\n")
    return text if len(text) <= _WORD_MAX else f"{text[: _WORD_MAX - 3]}..."


# -- rows -------------------------------------------------------------------------------------


def rows(call: Call, now_ms: int) -> list[Row]:
    """The command, then each option with its words, each pair, each other word."""
    assert call.command is not None
    found: list[Row] = []
    index = call.command.words
    found.append(Row(tuple(range(min(index, len(call.argv)))), meaning(call, 0, now_ms)))
    halves, pairs = call.halves, next((part for part in call.command.parts if isinstance(part, Pairs)), None)
    while index < len(call.argv):
        size = _phrase(call, index, pairs)
        at = tuple(range(index, index + size))
        if halves is not None and _part(call, index) is halves:
            found += _of_halves(call, index, halves, now_ms)
            break
        found.append(Row(at, _of_phrase(call, at, now_ms)))
        index += size
    wrong = call.problems[0].at if call.problems else -1
    last = found[-1].at
    if pairs is not None and len(last) == 1 and _part(call, last[0]) is pairs.first:
        lone = f"a {pairs.first.name} without its {pairs.second.name}"
        return [*found[:-1], Row(last, lone)]
    return [Row(row.at, "this is what is wrong") if wrong in row.at else row for row in found]


def _part(call: Call, index: int) -> object:
    role = call.roles[index] if index < len(call.roles) else None
    return role.part if role is not None else None


def _phrase(call: Call, index: int, pairs: Pairs | None) -> int:
    """How many words from here on belong together."""
    part = _part(call, index)
    if isinstance(part, Option):
        size = 1
        args: tuple[Arg, ...] = part.args
        while index + size < len(call.argv):
            role = call.roles[index + size] if index + size < len(call.roles) else None
            if role is None or (role is not part.mark_role and not any(role is arg.role for arg in args)):
                break
            size += 1
        return size
    if pairs is not None and part is pairs.first and index + 1 < len(call.argv):
        return 2
    return 1


def _of_phrase(call: Call, at: tuple[int, ...], now_ms: int) -> str:
    part = _part(call, at[0])
    if isinstance(part, Option) and len(part.args) == 1 and len(at) > 1:
        said = meaning(call, at[-1 if call.roles[at[-1]] is not part.mark_role else 0], now_ms)
        if said == part.args[0].note and part.note and not part.marks:  # it says what the word is, not what it does
            said = meaning(call, at[0], now_ms)
        mark = next((meaning(call, index, now_ms) for index in at if call.roles[index] is part.mark_role), "")
        return f"{said.replace('at most ', '')}, {mark}" if mark else said
    if len(at) == 2 and not isinstance(part, Option):
        first, second = (_part(call, index) for index in at)
        return f"a {getattr(first, 'name', 'word')} and its {getattr(second, 'name', 'word')}"
    said = meaning(call, at[0], now_ms)
    if isinstance(part, Option) and call.command is not None and (not said or said.startswith("since ")):
        return f"an option of {call.command.name}{f' ({said})' if said else ''}"
    return said


def _of_halves(call: Call, index: int, halves: Halves, now_ms: int) -> list[Row]:
    """The token, then each key with its ID."""
    rest = len(call.argv) - index - 1
    found = [Row((index,), meaning(call, index, now_ms))]
    if rest % 2:
        return [*found, *(Row((at,), meaning(call, at, now_ms)) for at in range(index + 1, len(call.argv)))]
    half = rest // 2
    for at in range(index + 1, index + 1 + half):
        said = meaning(call, at + half, now_ms)
        own = f"{name(call.argv[at])}: "
        found.append(Row((at, at + half), said.removeprefix(own)))
    return found


# -- what the words do together ------------------------------------------------------------------

_WHOLE: dict[str, Callable[[Call], str]] = {}


def _together(*names: str) -> Callable[[Callable[[Call], str]], Callable[[Call], str]]:
    def register(say: Callable[[Call], str]) -> Callable[[Call], str]:
        _WHOLE.update(dict.fromkeys(names, say))
        return say

    return register


def whole(call: Call) -> str:
    """What the command as a whole would do; empty where its first row has said it."""
    if call.command is None or call.problems or isinstance(call.command, Foreign):
        return ""
    say = _WHOLE.get(call.command.name)
    return say(call) if say is not None else ""


def _wait(call: Call) -> str:
    block = call.args.get("block")
    if block is None:
        return "answers at once, with nil when there is nothing"
    if block == 0:
        return "waits until there is something, for ever if need be"
    return f"waits for at most {span_text(block) or f'{block} ms'} when there is nothing, and then answers nil"


@_together("XREAD")
def _xread(call: Call) -> str:
    if "block" not in call.args and all(id is LAST for id in call.args["id"]):
        return "always answers nil: nothing is behind $ when nothing is waited for"
    return _wait(call)


@_together("XREADGROUP")
def _xreadgroup(call: Call) -> str:
    history = [name(key) for key, id in zip(call.args["key"], call.args["id"], strict=True) if id is not NEW]
    if history:
        asks = f"{', '.join(history[:3])} ask{'s' if len(history) == 1 else ''} for history, which is always answered"
        return f"this one never blocks: {asks}"
    kept = "" if "noack" in call.args else "; what it reads is pending until XACK"
    if "claim" in call.args:
        idle = span_text(call.args["claim"])
        overdue = f"what has been pending for {idle}" if idle else "what is pending"
        return f"first takes over {overdue}, whoever has it, then reads what is new; {_wait(call)}{kept}"
    return _wait(call) + kept


@_together("XADD")
def _xadd(call: Call) -> str:
    fields = len(call.args["fields"]) // 2
    kept = "then trims the stream" if "maxlen" in call.args or "minid" in call.args else "and keeps all that is there"
    said = f"adds one entry of {fields} field{'s' if fields != 1 else ''}, {kept}"
    once = "pid" in call.args or "idmpauto" in call.args
    return f"{said}; a repeat does nothing and answers with the first ID" if once else said


@_together("XAUTOCLAIM")
def _xautoclaim(call: Call) -> str:
    return "answers with the ID to go on from, what was claimed, and the IDs of pending entries that are gone"
