"""Run lines one after another: split, send, show. The same for one-shots, files, pipes and the prompt.

Replies go to the output; an error is one line on the error stream, with the
place it came from. Does not know which backend it has or where lines come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from streamcli import words
from streamcli.grammar.parse import Call, parse
from streamcli.reply import QUEUED, Error, Reply

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.render import Options
    from streamcli.shell.output import Output

_LEAVE = (b"exit", b"quit")  # as redis-cli has them
OK, FAILED, USAGE = 0, 1, 2  # exit codes of a line
_EXCERPT = 60  # characters of a faulty line that are shown


class Session:
    """`complain` takes a line for the error stream."""

    def __init__(
        self, backend: Backend, format: str, options: Options, output: Output, complain: Callable[[str], None]
    ) -> None:
        from streamcli.render import renderer

        self._backend, self._options, self._output, self._complain = backend, options, output, complain
        self._render = renderer(format)
        self._queued: list[Call] = []
        self.left = False  # the user has said that this is all

    def run(self, line: bytes, place: str = "") -> int:
        """Run a typed line; an empty one, or a comment (`#`), is nothing. `place` stands before its errors."""
        if line.lstrip()[:1] == b"#":
            return OK
        try:
            argv = words.argv(line)
        except words.SplitError as error:
            for text in _pointed(error):
                self._say(f"{place}{text}")
            return USAGE
        if not argv:
            return OK
        if len(argv) == 1 and argv[0].lower() in _LEAVE:
            self.left = True
            return OK
        return self.run_words(argv, place)

    def run_words(self, argv: Sequence[bytes], place: str = "") -> int:
        """Run a command that is split already: OK or FAILED."""
        reply = self._backend.execute(argv)
        call = parse(argv)
        self._follow_transaction(call, reply)
        if isinstance(reply, Error):
            self._say(f"{place}{reply.text.strip()}{_hint(call)}")
            return FAILED
        self._output.lines(self._render(reply, call, self._options))
        inner = _first_error(call, reply)
        if inner is not None:
            self._say(f"{place}a command of the transaction failed: {inner.text}")
            return FAILED
        return OK

    def _say(self, line: str) -> None:
        """A line for the error stream, after what was answered before it."""
        self._output.flush()
        self._complain(line)

    def _follow_transaction(self, call: Call, reply: Reply) -> None:
        """EXEC's replies are shown by the commands that were queued."""
        if reply == QUEUED:
            self._queued.append(call)
        elif self._backend.queued is None:
            call.queued, self._queued = self._queued, []


def _first_error(call: Call, reply: Reply) -> Error | None:
    if call.command is None or call.command.name != "EXEC" or not isinstance(reply, list):
        return None
    return next((item for item in reply if isinstance(item, Error)), None)


def _hint(call: Call) -> str:
    """What to do about a command that nobody knows."""
    if call.command is not None or not call.argv or call.rejected is None:
        return ""
    from difflib import get_close_matches

    from streamcli.grammar.commands import BY_WORD

    first, *rest = call.argv[0].split(None, 1) or [b""]
    if rest and first.upper() in BY_WORD:
        return " (that is one word; a whole line goes after -e)"
    container = BY_WORD.get(call.argv[0].upper())
    given = call.argv[1 if container else 0].upper()[:_EXCERPT]
    if container is None and given in _commands_of_redis():
        return " (not in the embedded engine)"
    names = [name.decode() for name in (container.subcommands if container else BY_WORD)]
    near = get_close_matches(given.decode("latin-1"), names, 1, 0.7)
    if near:
        return f" (did you mean {near[0]}?)"
    return "" if container else " (no command of Redis; see COMMAND LIST)"


def _commands_of_redis() -> frozenset[bytes]:
    """The names of all of Redis's own commands, so that none of them is taken for a slip."""
    from importlib.resources import files

    return frozenset((files("streamcli") / "data" / "redis-commands.txt").read_bytes().split())


def _pointed(error: words.SplitError) -> list[str]:
    """What is wrong, the part of the line it is in, and a caret under the byte."""
    from streamcli.render.text import visible

    at, line = error.fault.at, error.line
    low = max(0, at - _EXCERPT // 2)
    high = low + _EXCERPT
    before, after = (
        visible(piece.decode("utf-8", "surrogateescape")).replace("\n", "\\n")
        for piece in (line[low:at], line[at:high])
    )
    before = "..." + before if low else before
    after = after + "..." if high < len(line) else after
    return [f"not sent, column {at + 1}: {error.fault.text}", f"  {before}{after}", f"  {' ' * len(before)}^"]
