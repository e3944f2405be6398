"""Live feeds: what comes after MONITOR, SUBSCRIBE and their like, shown line by line until Ctrl-C; and pushes.

Each message is on its way to whoever reads before the next one is waited for.
Messages look as the format has them:

| format | a message | MONITOR |
|---|---|---|
| tree, table | `channel  "data"`, `pattern → channel  "data"` | date, database, client, command |
| json, jsonl | `{"type": "message", "channel": ..., "data": ...}` | `{"type": "monitor", "time": ..., ...}` |
| csv | a row, the kind first | a row |
| classic, raw | as redis-cli prints them | the line |

On a terminal the secrets of commands that others send are masked. What is none
of the kinds that are known here is shown as the reply that it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from streamcli import words
from streamcli.backend.kinds import PUSHED
from streamcli.reply import Error, Map, Nil, Push, Reply, Simple, leaves
from streamcli.shell.output import Live, PipeClosedError
from streamcli.shell.session import FAILED, OK
from streamcli.text import bare, visible
from streamcli.text import quoted as in_quotes
from streamcli.times import date_text

if TYPE_CHECKING:
    from streamcli.backend import Waiting
    from streamcli.grammar.parse import Call
    from streamcli.render import Options
    from streamcli.shell.session import Session

_ONE: Final = (b"channel", b"data")
_COUNTED: Final = (b"channel", b"count")
_PATTERN_COUNTED: Final = (b"pattern", b"count")
_MEMBERS: Final = {  # what stands behind the kind of a message
    b"message": _ONE,
    b"smessage": _ONE,
    b"pmessage": (b"pattern", b"channel", b"data"),
    **{
        kind: _PATTERN_COUNTED if kind.startswith(b"p") else _COUNTED for kinds in PUSHED.values() for kind in kinds
    },  # of having begun, or ended, to listen
}
_WHAT: Final = {b"s": "shard channel ", b"p": "pattern "}
_MONITORED: Final = re.compile(rb"(\d{1,15})\.(\d{6}) \[(\d+) (.*?)\] (\".*)", re.DOTALL)
_JUDGED: Final = ("class:problem", "class:lacking")
_CHANNEL, _DATA, _DIM = "36", "32", "2"  # as the tree has names, strings and what is said by us
_WORDS_SHOWN, _TEXT_MAX = 20, 400  # of a push


def listen(session: Session, call: Call, place: str) -> int:
    """Show what comes, until the server refuses, or nobody reads any more: the exit code of the line.

    Raises KeyboardInterrupt, LostError, UnreachableError.
    """
    backend = session.backend
    if backend.queued is not None:
        name = visible(call.argv[0].decode("utf-8", "replace").upper())
        session.say(f"{place}not sent: {name} listens, and a transaction is open; EXEC or DISCARD comes first")
        return FAILED
    replies = backend.listen(call.argv)
    before = backend.on_wait
    try:
        with session.over(call) if session.over is not None else nullcontext():
            first = next(replies)
        if isinstance(first, Error):
            return session.settle(call, first, place)
        feed = _Feed(session, first, replies)

        def waits(waiting: Waiting) -> None:
            if feed.unread:
                raise PipeClosedError

        backend.on_wait = waits
        session.show(feed)
        return OK if feed.refusal is None else session.settle(call, feed.refusal, place)
    finally:
        backend.on_wait = before
        close = getattr(replies, "close", None)
        if close is not None:
            close()


class _Feed(Live):
    """The lines of a feed. `refusal` is the error that has ended it."""

    def __init__(self, session: Session, first: Reply, replies: Iterator[Reply]) -> None:
        super().__init__(self._lines(session, first, replies))
        self.refusal: Error | None = None

    def _lines(self, session: Session, first: Reply, replies: Iterator[Reply]) -> Iterator[str]:
        tell = session.tell or (session.say if session.options.terminal else None)
        if tell is not None:
            tell("listening; Ctrl-C ends it")
        render = renderer(session.format, session.options)
        for reply in chain((first,), replies):
            if isinstance(reply, Error):
                self.refusal = reply
                return
            if chunks := list(render(reply)):
                yield "\n".join(chunks)  # whoever reads gets a message whole


# -- what comes, in each format -----------------------------------------------------------------


def renderer(format: str, options: Options) -> Callable[[Reply], Iterator[str]]:
    """What makes chunks of one thing that came."""
    from streamcli.render import renderer as of

    render = of(format)
    if format in ("tree", "table"):
        return lambda reply: _tree(reply, options) or render(reply, None, options)
    if format in ("json", "jsonl"):
        return lambda reply: render(_object(reply, options), None, options)
    if format == "csv":
        return lambda reply: render([_row(reply, options)], None, options)
    return lambda reply: render(_masked(reply) if options.terminal else reply, None, options)


class Monitored(NamedTuple):
    """A line of MONITOR: `seconds` and `micros` of Unix time, who sent it, the words, and how they stand there."""

    seconds: int
    micros: bytes
    db: int
    client: bytes
    argv: list[bytes]
    quoted: str


def monitored(reply: Reply) -> Monitored | None:
    """What a line of MONITOR says; None when it is none."""
    if not isinstance(reply, Simple):
        return None
    match = _MONITORED.fullmatch(reply.text.encode("utf-8", "surrogateescape"))
    if match is None:
        return None
    found, fault = words.split(match[5])
    if fault is not None:
        return None
    argv = [word.value for word in found]
    quoted = match[5].decode("utf-8", "surrogateescape")
    return Monitored(int(match[1]), match[2], int(match[3][:15]), match[4], argv, quoted)


def members(reply: Reply) -> list[tuple[bytes, Reply]] | None:
    """The kind of a message, as `type`, and its parts by name; None when it is of no known kind."""
    items = reply.items if isinstance(reply, Push) else reply
    if not isinstance(items, list) or not items or not isinstance(items[0], bytes):
        return None
    names = _MEMBERS.get(items[0])
    if names is None or len(items) != len(names) + 1:
        return None
    return [(b"type", items[0]), *zip(names, items[1:], strict=True)]


def _object(reply: Reply, options: Options) -> Reply:
    line = monitored(reply)
    if line is not None:
        return Map([
            (b"type", b"monitor"),
            (b"time", float(b"%d.%s" % (line.seconds, line.micros))),
            (b"db", line.db),
            (b"client", line.client),
            (b"command", list(_shown(line.argv, options))),
        ])  # fmt: skip
    found = members(reply)
    if found is not None:
        return Map([(name, value) for name, value in found])
    return Map([(b"type", b"status"), (b"text", reply)]) if isinstance(reply, Simple) else reply


def _row(reply: Reply, options: Options) -> Reply:
    line = monitored(reply)
    if line is not None:
        stamp = b"%d.%s" % (line.seconds, line.micros)
        return [b"monitor", stamp, line.db, line.client, *_shown(line.argv, options)]
    if isinstance(reply, Simple):
        return [b"status", reply]
    return reply.items if isinstance(reply, Push) else reply


def _masked(reply: Reply) -> Reply:
    """A line of MONITOR without the secrets in it; anything else as it is."""
    line = monitored(reply)
    if line is None or not isinstance(reply, Simple):
        return reply
    from streamcli.shell.secrets import masked

    return Simple(reply.text.removesuffix(line.quoted) + masked(line.quoted))


def _shown(argv: list[bytes], options: Options) -> list[bytes]:
    """The words of a command; on a terminal without its secrets."""
    if not options.terminal:
        return argv
    return [word.value for word in words.split(_typed(argv).encode("utf-8", "surrogateescape"))[0]]


def _typed(argv: list[bytes]) -> str:
    """A command as one would type it here, without its secrets."""
    from streamcli.shell.line import shown
    from streamcli.shell.secrets import masked

    return masked(" ".join([shown(word) for word in argv]))


# -- the tree: a line each -----------------------------------------------------------------------


def _tree(reply: Reply, options: Options) -> Iterator[str] | None:
    """The one line of it; None when it is of no known kind."""
    line = monitored(reply)
    text = _monitor_line(line, options) if line is not None else None
    if text is None:
        found = members(reply)
        text = _message_line(found, options) if found is not None else None
    if text is None and isinstance(reply, Simple):
        text = _in(_DIM, visible(reply.text).replace("\n", "\\n"), options)
    return None if text is None else iter((text,))


def _monitor_line(line: Monitored, options: Options) -> str:
    date = date_text(line.seconds * 1000 + int(line.micros[:3])) or f"{line.seconds}.{line.micros.decode()}"
    head = _in(_DIM, f"{date}  [{line.db}] {bare(line.client)}", options)
    return f"{head}  {painted(_typed(line.argv), options)}"


def painted(text: str, options: Options) -> str:
    """A command in the prompt's colours; nothing in it is called wrong."""
    if not options.color:
        return visible(text)
    from streamcli.shell.lexer import paint
    from streamcli.shell.line import read
    from streamcli.shell.style import ansi

    fragments = paint(read(text), -1)
    return ansi(
        [(" ".join([name for name in names.split() if name not in _JUDGED]), part) for names, part in fragments]
    )


def _message_line(found: list[tuple[bytes, Reply]], options: Options) -> str:
    kind, parts = found[0][1], [value for _, value in found[1:]]
    assert isinstance(kind, bytes)
    if found[-1][0] == b"count":
        return _in(_DIM, _confirmation(kind, parts[0], parts[1]), options)
    arrow = " → " if options.unicode else " -> "
    names = arrow.join([_in(_CHANNEL, _name(part), options) for part in parts[:-1]])
    data = parts[-1]
    text = in_quotes(data) if isinstance(data, bytes) else _name(data)
    return f"{names}  {_in(_DATA if isinstance(data, bytes) else _DIM, text, options)}"


def _confirmation(kind: bytes, name: Reply, count: Reply) -> str:
    """`subscribed to pattern p* (2)`: the count is of all that the connection listens to."""
    verb = "unsubscribed from" if b"uns" in kind else "subscribed to"
    if name is None:
        return f"{verb.partition(' ')[0]} ({_name(count)})"
    return f"{verb} {_WHAT.get(kind[:1] if kind != b'subscribe' else b'', '')}{_name(name)} ({_name(count)})"


def _name(reply: Reply) -> str:
    """A leaf in one harmless word; of what should be none, all of its leaves."""
    if isinstance(reply, bytes):
        return bare(reply)
    return ", ".join(_leaves(reply)) or "(nil)"


def _in(code: str, text: str, options: Options) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if options.color else text


# -- pushes that belong to no feed ------------------------------------------------------------------


def push_text(push: Push) -> str:
    """`push: invalidate a, b`: one line, cut when it is long."""
    kind, rest = push.items[:1], push.items[1:]
    if kind == [b"invalidate"] and len(rest) == 1 and (rest[0] is None or isinstance(rest[0], Nil)):
        return "push: invalidate everything"
    found = _leaves(rest)
    shown = list(_first(found, _WORDS_SHOWN))
    more = sum(1 for _ in found)
    text = " ".join(["push:", *_leaves(kind)])
    between = ", " if kind == [b"invalidate"] else " "
    text = f"{text} {between.join(shown)}".rstrip()
    if len(text) > _TEXT_MAX:
        text = f"{text[: _TEXT_MAX - 3]}..."
    return f"{text} and {more:,} more" if more else text


def _first(found: Iterator[str], count: int) -> Iterator[str]:
    for _, text in zip(range(count), found, strict=False):
        yield text


def _leaves(reply: Reply) -> Iterator[str]:
    """The leaves of a reply as words, in order."""
    return map(_leaf, leaves(reply))


def _leaf(item: Reply) -> str:
    if isinstance(item, bytes):
        return bare(item)
    if item is None or isinstance(item, Nil):
        return "(nil)"
    text = getattr(item, "text", None) or getattr(item, "data", item)
    return bare(text) if isinstance(text, bytes) else visible(str(text)).replace("\n", "\\n")
