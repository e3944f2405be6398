"""Run a help page's example on an engine of its own, in memory, with a clock of its own.

The user's data is never touched, and nothing waits: a command that would block
is answered as if its time had passed, and `DEBUG SLEEP` moves the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from streamcli.engine import Engine, Wait
from streamcli.grammar.parse import Call, parse
from streamcli.render import Options, renderer
from streamcli.reply import QUEUED, Error, Reply
from streamcli.text import visible
from streamcli.words import argv

if TYPE_CHECKING:
    from streamcli.docs.pages import Example, Page

UNTITLED = "Examples"  # the heading that all of a page's examples have in common
_LISTED_MAX = 90  # characters of an example in the list
NOON_MS = 1_795_176_000_000  # 2026-11-20 12:00:00 UTC, at which every example begins
_FOREVER_MS = 60_000


class Done(NamedTuple):
    """What a line has printed; `reply` is what it was made of."""

    line: str
    printed: str
    reply: Reply


def run(lines: Iterable[str], options: Options, format: str = "tree") -> Iterator[Done]:
    """Run lines one after another. Raises SplitError for a line that is no list of words."""
    render = renderer(format)
    engine = Engine(None)
    session = engine.session()
    now_ms = NOON_MS
    queued: list[Call] = []
    try:
        for line in lines:
            call = parse(argv(line.encode("utf-8", "surrogateescape")))
            reply = session.execute(call.argv, now_ms)
            if isinstance(reply, Wait):
                now_ms = reply.deadline_ms or now_ms + _FOREVER_MS
                reply = reply.timed_out
            if reply == QUEUED:
                queued.append(call)
            elif session.queue is None:
                call.queued, queued = queued, []
            yield Done(line, _printed(render(reply, call, options), reply), reply)
    finally:
        engine.close()


def _printed(chunks: Iterator[str], reply: Reply) -> str:
    return reply.text.strip() if isinstance(reply, Error) else "\n".join(chunks)


def tried(words: Sequence[str], options: Options) -> Iterator[str]:
    """`.try xread 2`: the lines of an example as they are run; `.try xread`: which examples there are.

    Raises NoPageError when there is no such page or example.
    """
    from streamcli.shell.help import NUMBER, NoPageError, cut, page_of

    *name, last = words or [""]
    number = int(last[:9]) if name and NUMBER.fullmatch(last) else None
    page = page_of(name if number is not None else words) if words else None
    if page is None:
        said = cut(" ".join(words)) or "nothing"
        raise NoPageError(f"try an example of which page? .try xread lists those of one; there is none for {said}")
    examples = page.examples
    if not examples:
        raise NoPageError(f"the page {page.name} has no examples")
    if number is None:
        return _listed(page, examples)
    if not 1 <= number <= len(examples):
        has = "1 example" if len(examples) == 1 else f"{len(examples)} examples"
        raise NoPageError(f"the page {page.name} has {has}; .try {page.name.lower()} lists what it has")
    return _echoed(examples[number - 1], options)


def _listed(page: Page, examples: Sequence[Example]) -> Iterator[str]:
    for example in examples:
        first = " ; ".join(step.command for step in example.steps)
        if example.title != UNTITLED:
            first = f"{example.title}: {first}"
        shown = first if len(first) <= _LISTED_MAX else f"{first[: _LISTED_MAX - 3]}..."
        yield f"{example.number:>3}  {shown}"
    yield f"     .try {page.name.lower()} N runs one, on streams of its own"


def _echoed(example: Example, options: Options) -> Iterator[str]:
    from streamcli.shell.lexer import paint
    from streamcli.shell.line import read
    from streamcli.shell.style import ansi

    for done in run([step.command for step in example.steps], options):
        yield f"> {ansi(paint(read(done.line), len(done.line)))}" if options.color else f"> {done.line}"
        if done.printed:
            yield visible(done.printed) if isinstance(done.reply, Error) else done.printed
