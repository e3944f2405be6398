"""Run the lines of a file or a pipe on a server without waiting for each reply.

The same effects as `Session.run` line by line: replies and errors in the order
of the lines, each error with its place. One thing differs, and is said: when a
line fails, those that were on their way behind it are run all the same. So what
may remove data is sent only when every line before it has succeeded: all that
writes, and all that the server does not call reading, but for what adds or sets.
"""

from __future__ import annotations

from collections.abc import Iterable

from streamcli import words
from streamcli.backend import LostError, UnreachableError
from streamcli.backend.kinds import BLOCKING, FEEDS, PUSHED, UNANSWERED
from streamcli.backend.remote import pipeline as pipelines
from streamcli.backend.remote.pipeline import SHORT, WEIGHT, Line, Pipeline, numbered
from streamcli.grammar.commands import BY_WORD
from streamcli.reply import Reply
from streamcli.shell.session import LOST, OK, Session

_ALONE = (
    frozenset(b"EXIT QUIT SHUTDOWN RESET HELLO AUTH CLIENT DEBUG EXEC DISCARD FAILOVER REPLICAOF SLAVEOF".split())
    | UNANSWERED
    | FEEDS
    | PUSHED.keys()
    | BLOCKING
)
"""What ends or changes the connection, may wait, or answers more than once: nothing is on its way beside it."""

_MAY_BLOCK = frozenset(name for name, command in BY_WORD.items() if "blocking" in command.flags)

_ADDS_OR_SETS = frozenset(
    b"XADD XREADGROUP XCLAIM XAUTOCLAIM PERSIST SET SETNX SETEX PSETEX MSET MSETNX GETSET APPEND SETRANGE SETBIT "
    b"INCR INCRBY INCRBYFLOAT DECR DECRBY HSET HSETNX HMSET HINCRBY HINCRBYFLOAT LPUSH LPUSHX RPUSH RPUSHX LINSERT "
    b"LSET SADD ZADD ZINCRBY GEOADD PFADD PFMERGE PUBLISH SPUBLISH".split()
)
"""What writes and takes nothing away but a value that it names a new one for; XADD if it does not trim."""

_READS = frozenset(name for name, command in BY_WORD.items() if not command.writes and not command.subcommands)
_HARMLESS = (_ADDS_OR_SETS | _READS) - {b"XADD"}
_TRIMS = frozenset((b"MAXLEN", b"MINID"))
_CREATES = ("XGROUP CREATE", "XGROUP CREATECONSUMER")

_LONG_REPLY = 32 * 1024  # bytes: what a reply that reads is taken to have when it may have any number


def of(session: Session, source: str, *, keep_going: bool) -> Batch | None:
    """What runs the lines of `source` ("line ", "setup.redis:"); None when they are to be run one by one."""
    pipeline = pipelines.of(session.backend)
    return Batch(session, pipeline, source, keep_going=keep_going) if pipeline is not None else None


class Batch:
    """`keep_going`: a line that fails does not stop those after it."""

    def __init__(self, session: Session, pipeline: Pipeline, source: str, *, keep_going: bool) -> None:
        self._session, self._pipeline, self._source, self._keep_going = session, pipeline, source, keep_going
        self._code = OK
        self._failed: int | None = None  # the line that stopped it
        self._behind: list[int] = []  # those that were on their way then
        self._removing: dict[bytes, bool] = {}  # what is known of the server's own commands
        self._is_raw = session.format == "raw" and not session.options.terminal

    def run(self, lines: Iterable[bytes]) -> int:
        """Run them: the code of the first that failed; LOST when the connection was lost, which ends it."""
        try:
            for number, line in enumerate(lines, 1):
                if not self._line(number, line):
                    break
            self._settle_all()
            self._say_what_was_run()
        except (LostError, UnreachableError) as error:
            self._lost(str(error))
        except KeyboardInterrupt:
            self._interrupted()
            raise
        return self._code

    def pause(self) -> bool:
        """Everything is sent, answered and shown; False when no more lines are wanted. For who waits for lines."""
        self._settle_all()
        self._session.output.flush()
        return self._failed is None

    # -- lines ------------------------------------------------------------------------------------

    def _line(self, number: int, line: bytes) -> bool:
        """Post a line, or run it; False when it is the last."""
        if b"#" in line and line.lstrip()[:1] == b"#":
            return True
        try:
            argv = words.argv(line)
        except words.SplitError:
            return self._alone(number, line)
        if not argv:
            return True
        name = argv[0].upper()
        if name in _ALONE or (name in _MAY_BLOCK and any(word.upper() == b"BLOCK" for word in argv)):
            return self._alone(number, line)
        if self._session.read_only and self._session.refusal(self._session.parse(argv)):
            return self._alone(number, line)
        if name not in _HARMLESS and not self._keep_going and self._may_remove(name, argv) and not self._settle_all():
            return False
        plain = name in SHORT
        if not self._pipeline.post(number, argv, 0 if plain else _weight(name), plain=plain):
            while not self._pipeline.is_half_empty:
                self._settle()
        return self._failed is None

    def _alone(self, number: int, line: bytes) -> bool:
        """Run a line as it always was, when all before it have been answered."""
        if not self._settle_all():
            return False
        code = self._session.run(line, self._place(number))
        if code == LOST:
            self._code = LOST
            return False
        self._code = self._code or code
        return not (self._session.left or (code and not self._keep_going))

    def _may_remove(self, name: bytes, argv: list[bytes]) -> bool:
        """Does it remove data, as far as anybody can tell?"""
        if name == b"XADD":
            head = argv[2][:1] if len(argv) > 2 else b"*"
            return not (head == b"*" or head.isdigit()) and any(word.upper() in _TRIMS for word in argv)
        if name in self._removing:
            return self._removing[name]
        call = self._session.parse(argv)
        if call.command is not None and not call.command.open:
            return call.command.writes and call.command.name not in _CREATES
        from streamcli.shell.elsewhere import refusal_there, told

        browse = self._session.backend.browse
        removes = refusal_there(call, browse) is not None
        theirs = told(call, browse).get(name)
        if theirs is None or not theirs.subcommands:
            self._removing[name] = removes
        return removes

    def _place(self, number: int) -> str:
        return f"{self._source}{number}: "

    # -- replies ------------------------------------------------------------------------------------

    def _settle_all(self) -> bool:
        """Send what was posted and show every reply; False when nothing more is to be sent."""
        while self._pipeline.waiting:
            self._settle()
        return self._failed is None

    def _settle(self) -> None:
        """Wait for a reply, and show all that have come."""
        self._pipeline.wait()
        shown: list[bytes] = []  # together, which costs a tenth of one by one
        try:
            for line, reply in self._pipeline.arrived():
                if self._is_raw and line[3] and self._failed is None:
                    if type(reply) is bytes:
                        shown.append(reply)
                        continue
                    if type(reply) is int:
                        shown.append(b"%d" % reply)
                        continue
                self._show(shown)
                self._shown(line, reply)
        finally:
            self._show(shown)

    def _show(self, strings: list[bytes]) -> None:
        """Show short replies as the format `raw` has them."""
        if strings:
            self._session.show(iter((b"\n".join(strings).decode("utf-8", "surrogateescape"),)))
            strings.clear()

    def _shown(self, line: Line, reply: Reply) -> None:
        """Show any reply, and see what it means for the lines to come."""
        number, argv, _, _ = line
        code = self._session.settle(self._session.parse(argv), reply, self._place(number))
        if self._failed is not None:
            self._behind.append(number)
        elif code and not self._keep_going:
            self._failed = number
            self._pipeline.drop()
        self._code = self._code or code

    # -- ends -------------------------------------------------------------------------------------------

    def _say_what_was_run(self) -> None:
        if self._failed is None or not self._behind:
            return
        one = len(self._behind) == 1
        run = (" and was run" if one else " and were run") if self._session.backend.queued is None else ""
        sent = f"{numbered(self._behind)} had been sent already{run}"
        self._session.say(f"{self._source}{self._failed} failed; {sent}, the rest was not sent")

    def _lost(self, what: str) -> None:
        waiting = self._pipeline.waiting
        place = self._place(waiting[0][0]) if waiting else ""
        fate = self._pipeline.lost(what)
        self._session.forget_queue()
        self._session.say(place + fate.text)
        self._code = LOST

    def _interrupted(self) -> None:
        waiting = self._pipeline.waiting
        place = self._place(waiting[0][0]) if waiting else ""
        fate = self._pipeline.interrupted()
        self._session.forget_queue()
        if fate.matters:
            self._session.say(place + fate.text)


def _weight(name: bytes) -> int:
    """How many bytes a command's reply is taken to have: no server is to hold many long replies for us."""
    command = BY_WORD.get(name)
    reads = command is not None and not command.writes and "fast" not in command.flags
    return _LONG_REPLY if reads else WEIGHT
