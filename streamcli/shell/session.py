"""Run lines one after another: split, send, show. The same for one-shots, files, pipes and the prompt.

Replies go to the output; an error is one line on the error stream, with the
place it came from. Does not know which backend it has or where lines come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from streamcli import words
from streamcli.backend import LostError, UnreachableError
from streamcli.grammar.parse import Call, parse
from streamcli.reply import QUEUED, Arriving, Error, Push, Reply

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from streamcli.backend import Backend
    from streamcli.render import Options
    from streamcli.shell.lookup import Browse
    from streamcli.shell.output import Output

_LEAVE = (b"exit", b"quit")  # as redis-cli has them
OK, FAILED, USAGE, LOST = 0, 1, 2, 3  # exit codes of a line
_REPEATED = 12  # bytes of a word by which it is found again in an error, which may have cut it
_EXCERPT = 60  # characters of a faulty line that are shown


class Session:
    """`complain` takes a line for the error stream.

    The prompt sets what only a person at a keyboard has a use for: `may_run`
    is asked before a command is sent and may say no; `advise` gives a line of
    advice for an error; `answered` hears of every reply; `show` writes one
    somewhere else; the command runs inside `over`; `parse` knows a server's
    own commands too; `tell` takes what is said beside the replies and is no
    error; `browse` asks the backend in less time than that would take.
    """

    def __init__(
        self,
        backend: Backend,
        format: str,
        options: Options,
        output: Output,
        complain: Callable[[str], None],
        read_only: bool = False,
    ) -> None:
        self.backend, self.format, self.options, self.output = backend, format, options, output
        self.read_only = read_only
        self.may_run: Callable[[Call], bool] | None = None
        self.advise: Callable[[Call, Error], None] | None = None
        self.answered: Callable[[Call, Reply], None] | None = None
        self.show: Callable[[Iterator[str]], None] = output.lines
        self.over: Callable[[Call], AbstractContextManager[None]] | None = None
        self.parse: Callable[[Sequence[bytes]], Call] = parse
        self.tell: Callable[[str], None] | None = None
        self.browse: Browse | None = None
        self.left = False  # the user has said that this is all
        self._complain = complain
        self._queued: list[Call] = []
        backend.on_push = self._pushed

    def run(self, line: bytes, place: str = "") -> int:
        """Run a typed line; an empty one, or a comment (`#`), is nothing. `place` stands before its errors."""
        if line.lstrip()[:1] == b"#":
            return OK
        try:
            argv = words.argv(line)
        except words.SplitError as error:
            self.point(_masked(error), place)
            return USAGE
        if not argv:
            return OK
        if len(argv) == 1 and argv[0].lower() in _LEAVE:
            self.left = True
            return OK
        return self.run_words(argv, place)

    def run_words(self, argv: Sequence[bytes], place: str = "") -> int:
        """Run a command that is split already: OK, FAILED or LOST."""
        call = self.parse(argv)
        if refusal := self.refusal(call):
            self.say(f"{place}{refusal}")
            return FAILED
        if self.may_run is not None and not self.may_run(call):
            return FAILED
        try:
            return self._send(call, place)
        except (LostError, UnreachableError) as error:
            self.forget_queue()
            self.say(f"{place}{error}")
            if isinstance(error, LostError) and error.interrupted:
                raise KeyboardInterrupt from None
            return LOST

    def refusal(self, call: Call) -> str | None:
        """Why it is not sent by a session that is read-only."""
        if not self.read_only:
            return None
        from streamcli.shell.readonly import refusal

        return refusal(call, None if self.backend.server is None else self.browse or self.backend.browse)

    def _send(self, call: Call, place: str) -> int:
        """Send it and show what comes. Raises LostError, UnreachableError."""
        if self.backend.server is not None:
            from streamcli.backend.kinds import FEEDS

            if call.argv[0].upper() in FEEDS:
                from streamcli.shell.feeds import listen

                return listen(self, call, place)
        return self.settle(call, self._ask(call), place)

    def settle(self, call: Call, reply: Reply, place: str = "") -> int:
        """Show what a command was answered: OK or FAILED. Raises LostError when the reply breaks off."""
        self._follow_transaction(call, reply)
        if isinstance(reply, Arriving):
            from streamcli.render import renderer

            self.show(renderer(self.format)(reply, call, self.options))
            if self.answered is not None:
                self.answered(call, list(reply.tail))
            return OK
        if self.answered is not None:
            self.answered(call, reply)
        if isinstance(reply, Error):
            suffix = "" if self.advise else _suffix(call, reply, self.backend)
            self.say(f"{place}{_unsecret(reply, call)}{suffix}")
            if self.advise is not None:
                self.advise(call, reply)
            return FAILED
        from streamcli.render import renderer

        self.show(renderer(self.format)(reply, call, self.options))
        inner = _first_error(call, reply)
        if inner is not None:
            self.say(f"{place}a command of the transaction failed: {inner}")
            return FAILED
        return OK

    def _ask(self, call: Call) -> Reply:
        if self.over is None:
            return self.backend.execute(call.argv, arriving=True)
        with self.over(call):
            return self.backend.execute(call.argv, arriving=True)

    def move_to(self, backend: Backend, read_only: bool) -> None:
        """Run what comes on another backend; what the last one had queued is forgotten."""
        self.backend, self.read_only, self._queued = backend, read_only, []
        backend.on_push = self._pushed

    def forget_queue(self) -> None:
        """The connection was lost; when there was a transaction, it is gone."""
        if self.backend.queued is None:
            self._queued = []

    @property
    def queued(self) -> list[Call]:
        """The commands of the open transaction."""
        return self._queued

    def point(self, error: words.SplitError, place: str = "") -> None:
        """Show where a line's quoting is wrong."""
        for text in _pointed(error):
            self.say(f"{place}{text}")

    def say(self, line: str) -> None:
        """A line for the error stream, after what was answered before it."""
        self.output.flush()
        self._complain(line)

    def _pushed(self, push: Push) -> None:
        """What the server says without being asked stands apart from replies."""
        from streamcli.shell.feeds import push_text

        (self.tell or self.say)(push_text(push))

    def _follow_transaction(self, call: Call, reply: Reply) -> None:
        """EXEC's replies are shown by the commands that were queued."""
        if self.backend.queued is None:
            call.queued, self._queued = self._queued, []
        elif reply == QUEUED:
            self._queued.append(call)


def _first_error(call: Call, reply: Reply) -> str | None:
    """What the first command that failed in a transaction was answered."""
    if call.command is None or call.command.name != "EXEC" or not isinstance(reply, list):
        return None
    for at, item in enumerate(reply):
        if isinstance(item, Error):
            return _unsecret(item, call.queued[at] if at < len(call.queued) else call)
    return None


def _unsecret(error: Error, call: Call) -> str:
    """An error's text without the secrets of the command: servers repeat what they do not understand."""
    text = error.text.strip()
    words = [word[:_REPEATED].decode("utf-8", "surrogateescape") for word in call.argv[1:]]
    if not any(len(word) > 1 and word in text for word in words):
        return text
    from streamcli.shell.secrets import hidden_words

    return hidden_words(text, call.argv)


def _masked(error: words.SplitError) -> words.SplitError:
    """The same fault, in a line that shows no secret."""
    from streamcli.shell.secrets import masked

    line, at = error.line, error.fault.at
    before = line[:at].decode("utf-8", "surrogateescape")
    shown = masked(line.decode("utf-8", "surrogateescape"))
    at = len(shown[: len(before)].encode("utf-8", "surrogateescape"))
    return words.SplitError(shown.encode("utf-8", "surrogateescape"), error.fault._replace(at=at))


def _suffix(call: Call, error: Error, backend: Backend) -> str:
    """What to do about a command that nobody knows."""
    if call.command is not None or call.rejected is None:
        return ""
    if backend.server is not None and not error.text.lower().startswith("err unknown "):
        return ""  # the server knows it
    from streamcli.shell.advice import suffix

    return suffix(call, backend.server, backend.browse)


def _pointed(error: words.SplitError) -> list[str]:
    """What is wrong, the part of the line it is in, and a caret under the byte."""
    from streamcli.text import visible

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
