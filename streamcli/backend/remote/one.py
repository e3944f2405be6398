"""A backend that is one server.

Nothing is ever sent twice. A connection that was lost while nobody used it is
made again when a command needs it; one that breaks under a command is told to
the user, who alone can know whether to send it again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence

from streamcli.backend import LostError, Ready, Server, UnreachableError, kinds
from streamcli.backend.address import Address
from streamcli.backend.remote.attended import Attended
from streamcli.backend.remote.link import Link
from streamcli.backend.remote.state import State
from streamcli.grammar.parse import Call, parse
from streamcli.reply import OK, Arriving, Error, Nil, Push, Reply
from streamcli.resp import encode_command

_ASIDE_SECONDS = 2.0  # for who looks for names to show
_UNBLOCK_SECONDS = 1.0
_ASIDE_BYTES = 16 * 1024 * 1024  # of a reply to those
_NO_PUSHES: frozenset[bytes] = frozenset()
_DROPPED, _LOST = "dropped", "lost"
_NAMES_THE_USER = (b"AUTH", b"HELLO")


class Remote(Attended):
    """A server, spoken to by one user. Raises UnreachableError."""

    def __init__(self, address: Address, tick: Callable[[int], None] | None = None, *, at_once: bool = True) -> None:
        """Without `at_once` the first command connects."""
        super().__init__()
        self.link = Link(address)
        self.link.on_push = self._pushed
        self.state = State(address)
        self._aside: Link | None = None
        self._aside_lock = threading.Lock()
        self._arriving: Arriving | None = None
        self._demoted = self._closed = False
        self.follows = False  # whoever has it knows of the other nodes
        self._told = ""  # what the user knows of why there is no connection
        if at_once:
            self.link.open(tick)
        else:
            self._told = _DROPPED

    # -- what the prompt shows --------------------------------------------------------------

    @property
    def target(self) -> str:
        return str(self.state.address)

    @property
    def db(self) -> int:
        return 0 if self.link.strange else self.state.address.db

    @property
    def user(self) -> str | None:
        return self.state.address.user

    @property
    def queued(self) -> int | None:
        return self.state.queued

    @property
    def server(self) -> Server | None:
        return self.link.server or Server("", "")

    # -- commands ---------------------------------------------------------------------------

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        self._stopped, self._busy = False, True
        try:
            refusal = kinds.refusal(argv)
            if refusal is not None:
                return refusal
            self.ready()
            return self._exchange(argv, arriving and self.state.queued is None)
        finally:
            self._busy = False

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        from streamcli.backend.remote.ahead import ahead

        self._stopped, self._busy = False, True
        try:
            yield from ahead(self, argvs, window)
        finally:
            self._busy = False

    def poured(
        self, blocks: Iterable[Ready], *, window: int, still: Callable[[], bool] | None = None
    ) -> Generator[int | list[Reply], None, None]:
        from streamcli.backend.remote.pouring import may_transact, pour, pour_whole

        whole = still is not None and window > 1 and may_transact(self)
        self._stopped, self._busy = False, True
        try:
            yield from pour_whole(self, blocks, window, still) if whole and still else pour(self, blocks, window)
        finally:
            self._busy = False

    def ready(self) -> None:
        """Have a connection on which a command can be sent.

        Raises UnreachableError, and LostError when the command would mean
        something else on a new connection.
        """
        rest, self._arriving = self._arriving, None
        if rest is not None and not rest.whole:
            self.drop()  # what is left of that reply is not waited for
        elif self._demoted and not self.state.binds:
            self.drop()
        elif self.link.is_alive():
            return
        self._demoted = False
        told, self._told = self._told, ""
        bound, gone = self.state.binds, self.state.lost()
        if bound:
            raise LostError(f"the connection to {self.target} had been lost: {gone}; this was not sent")
        self.link.address = self.state.address
        self.link.open(lambda ms: self.tick(ms, None))
        if told != _DROPPED or gone:
            what = f"connected to {self.target} again" if told else f"the connection to {self.target} had been lost"
            self._note(f"{what}{'' if told else '; there is a new one'}{gone and f'; {gone}'}")

    def drop(self) -> None:
        """Close it ourselves, which is nothing to speak of."""
        self.link.close()
        self._told = _DROPPED

    def broken(self) -> None:
        """It broke, and whoever calls says so."""
        self._told = _LOST

    def _exchange(self, argv: Sequence[bytes], arriving: bool) -> Reply:
        call: Call | None = None

        def waits(elapsed_ms: int) -> None:
            nonlocal call
            if call is None:
                call = parse(argv)
            self.tick(elapsed_ms, kinds.block_ms(call))

        try:
            self.link.send(encode_command(argv))
            reply = self.link.receive(
                waits, limit=self.limit(argv), arriving=arriving, pushes=self._pushes_that_answer(argv)
            )
            for _ in range(self._answers_left(argv, reply)):
                more = self.link.receive(waits, limit=self.limit(argv))
                self._pushed(Push(more if isinstance(more, list) else [more]))
        except LostError as error:
            self.broken()
            if argv[0].upper() == b"SHUTDOWN" and self.state.queued is None:
                self._note(f"{self.target} has shut down")
                return OK
            raise LostError(self.after_sending(argv, str(error))) from None
        except KeyboardInterrupt:
            reply = self._interrupted(argv)
        if isinstance(reply, Arriving):
            self._arriving = reply
        else:
            self.answered(argv, reply)
            if self.link.strange and argv[0].upper() in _NAMES_THE_USER and not isinstance(reply, Error):
                self._introduce()
        return reply

    def _introduce(self) -> None:
        """Now that the user has logged in, ask for what was refused before: protocol, database, who answers."""
        try:
            self.link.introduce(self.state.address, lambda ms: self.tick(ms, None))
        except UnreachableError as error:
            self.drop()
            self._note(str(error))

    def answered(self, argv: Sequence[bytes], reply: Reply) -> None:
        """The session is what its replies make it."""
        self.state.answered(argv, reply)
        self.link.protocol = self.state.protocol or self.link.protocol
        if isinstance(reply, Error):
            self._redirected(reply)

    def _redirected(self, error: Error) -> None:
        """What was asked is not here: Sentinels have made another one the primary, or a cluster has it elsewhere."""
        if error.code in ("MOVED", "ASK") and not self.follows:
            self.follows = True  # is not said again
            self._note("this is a node of a cluster, whose other nodes are asked when you connect with -c")
        if error.code == "READONLY" and self.state.address.sentinels and not self._demoted:
            self._demoted = True
            self._note(f"{self.link.at} is no longer the primary; the next command goes to the one that is")

    def after_sending(self, argv: Sequence[bytes], what: str) -> str:
        """What is to be said of a command that got no reply."""
        queued = self.state.queued
        executes = argv[0].upper() == b"EXEC"
        gone = self.state.lost()
        if executes and queued is not None:
            return f"{what} after EXEC was sent; the transaction may have been applied"
        if queued is not None:
            return f"{what}; {gone}, and nothing of it was applied"
        call = parse(argv)
        after = f"; {gone}" if gone else ""
        if kinds.only_reads(call):
            return f"{what}; the command only reads and may be sent again{after}"
        return f"{what} after the command was sent; it may have been applied{after}"

    def _interrupted(self, argv: Sequence[bytes]) -> Reply:
        """Ctrl-C. The server is asked to end what blocks, else the connection is dropped. Raises KeyboardInterrupt."""
        call = parse(argv)
        if self.link.is_open and kinds.may_block(call) and self.state.queued is None and self._unblock():
            try:
                reply = self.link.receive(limit=_UNBLOCK_SECONDS)
            except LostError:
                reply = None
            if not _is_empty(reply):
                return reply  # it came in the same moment, and nobody is to lose it
            if self.link.is_open:
                raise KeyboardInterrupt
        self.drop()
        if kinds.only_reads(call) and not self.state.binds:
            raise KeyboardInterrupt
        what = f"interrupted: the connection to {self.target} was dropped"
        raise LostError(self.after_sending(argv, what), interrupted=True)

    def _unblock(self) -> bool:
        if self.link.id is None:
            return False
        reply = self.browse((b"CLIENT", b"UNBLOCK", b"%d" % self.link.id))
        return isinstance(reply, int)

    def limit(self, argv: Sequence[bytes]) -> float | None:
        """Seconds to wait for the reply; one that blocks has that long on top. None: for ever."""
        timeout = self.state.address.timeout
        if timeout is None:
            return None
        call = parse(argv)
        if self.state.queued is not None or not kinds.may_block(call):
            return timeout
        block_ms = kinds.block_ms(call)
        return timeout + block_ms / 1000 if block_ms else None

    def _pushes_that_answer(self, argv: Sequence[bytes]) -> Container[bytes]:
        return kinds.PUSHED.get(argv[0].upper(), _NO_PUSHES)

    def _answers_left(self, argv: Sequence[bytes], reply: Reply) -> int:
        """How many more replies will come. Redis: in RESP2 there is one for each channel that one unsubscribes from."""
        several = self.link.protocol == 2 and argv[0].upper() in kinds.PUSHED
        return len(argv) - 2 if several and len(argv) > 2 and isinstance(reply, list) else 0

    # -- beside the session ------------------------------------------------------------------------

    def beside(self) -> Remote:
        return Remote(self.state.address)

    def browse(self, argv: Sequence[bytes], before: Sequence[bytes] = ()) -> Reply:
        """`before` is sent first, on the same connection; its reply is nobody's concern."""
        try:
            with self._aside_lock:
                if self._closed:
                    return Error("ERR closed")
                if before:
                    self._browse(before)
                return self._browse(argv)
        except (UnreachableError, LostError) as error:
            return Error(f"ERR {error}")
        except Exception as error:
            return Error(f"ERR {type(error).__name__}")

    def _browse(self, argv: Sequence[bytes]) -> Reply:
        wanted = self.state.address._replace(connect_timeout=_ASIDE_SECONDS)
        if self._aside is None or not self._aside.is_alive() or self._aside.address != wanted:
            if self._aside is not None:
                self._aside.close()
            self._aside = Link(wanted)
            self._aside.open()
        try:
            self._aside.send(encode_command(argv))
            return self._aside.receive(limit=_ASIDE_SECONDS, most=_ASIDE_BYTES)
        except BaseException:  # the reply may still come, and would be the next one's
            self._aside.close()
            raise

    def listen(self, argv: Sequence[bytes]) -> Iterator[Reply]:
        link = Link(self.state.address)
        self._stopped, self._busy = False, True
        try:
            link.open(lambda ms: self.tick(ms, None))
            link.send(encode_command(argv))
            while True:
                reply = link.receive(lambda ms: self.tick(ms, None), pushes=_Every())
                yield reply
                if isinstance(reply, Error):
                    return
        finally:
            self._busy = False
            link.close()

    def close(self) -> None:
        self._closed = True  # a question that is under way ends by itself
        self.link.close()
        if self._aside is not None:
            self._aside.close()


class _Every:
    """Holds whatever it is asked for."""

    def __contains__(self, what: object) -> bool:
        return True


def _is_empty(reply: Reply) -> bool:
    return reply is None or isinstance(reply, (Nil, Error))
