"""What a connection holds: its database, protocol and name, its transaction, what it watches.

Runs one command line after another in that light. Knows how a command is
carried out (parse, queue, transaction of the store, handler), not what any of
them does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streamcli import errors
from streamcli.engine.engine import HANDLERS, Context, Engine, Wait
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.parse import Call, parse
from streamcli.reply import NIL_ARRAY, OK, QUEUED, Error, Reply, ReplyError
from streamcli.storage.schema import FAULTS, DamagedError, explain
from streamcli.storage.store import STREAM


class Session:
    """One user's view of an engine; made by `Engine.session`."""

    def __init__(self, engine: Engine, id: int) -> None:
        self.engine, self.id = engine, id
        self.db = 0
        self.protocol = 2
        self.authenticated = True
        self.name = b""
        self.library: dict[str, bytes] = {}
        self.queue: list[Call] | None = None  # the commands after MULTI
        self.queue_bytes = 0  # of their words
        self.dirty = False  # a watched key was changed through this engine
        self.executing = False
        self._executed = 0  # how many commands the transaction has that runs
        self.last_command = ""
        self._spoiled = False  # a command was refused between MULTI and EXEC
        self._watched: dict[tuple[int, bytes], object] = {}

    def execute(self, argv: Sequence[bytes], now_ms: int) -> Reply | Wait:
        """Run one command line; `now_ms` is Unix time."""
        call = parse(argv)
        if call.rejected is not None:
            if self.queue is not None:
                self._spoiled = True
            if call.command is COMMANDS["EXEC"]:
                self._leave()
                return self.refused(call, errors.exec_refused(call.rejected))
            return self.refused(call, call.rejected)
        command = call.command
        if command is None:  # no words at all
            return self.refused(call, errors.unknown_command((b"",)))
        if not self.authenticated and "no_auth" not in command.flags:
            return self.refused(call, errors.NOAUTH)
        if self.queue is not None and command.queued:
            if "no_multi" in command.flags:
                self._spoiled = True
                return self.refused(call, errors.NOT_IN_MULTI)
            self.queue.append(call)
            self.queue_bytes += sum(map(len, call.argv))
            return QUEUED
        self.last_command = command.name
        return self.run(call, now_ms)

    def refused(self, call: Call, error: Error) -> Error:
        """A command is answered with an error and not carried out."""
        return error

    def resume(self, wait: Wait, now_ms: int) -> Reply | Wait:
        """Ask again for a command that waits: a reply, or what to go on waiting for.

        The deadline stays what it was; what woke nobody is not asked again.
        """
        inside = self.engine.store.in_transaction
        try:
            ready = self.engine.ready(self.db, wait, now_ms)
            if not ready and wait.again_ms is not None and now_ms >= wait.again_ms:
                wait = wait._replace(again_ms=self.engine.due_ms(self.db, wait, now_ms))
                ready = wait.again_ms is not None and now_ms >= wait.again_ms
        except FAULTS as error:
            if inside:
                raise
            return errors.storage(explain(error))
        if ready:
            again = self.execute(wait.argv, now_ms)
            if not isinstance(again, Wait):
                return again
            wait = again._replace(deadline_ms=wait.deadline_ms)
        if wait.deadline_ms is not None and now_ms >= wait.deadline_ms:
            return wait.timed_out
        return wait

    def run(self, call: Call, now_ms: int) -> Reply | Wait:
        """Carry out a call that is well enough formed to be run or queued."""
        command = call.command
        assert command is not None
        handler = HANDLERS[command.name]
        store = self.engine.store
        inside = store.in_transaction  # then a fault has undone more than this command, and others must hear of it
        try:
            if call.problems and not command.lookup_first:
                call.check()
            if not handler.store:
                return handler.run(Context(self.engine, self, call, now_ms), **call.args)
            single = handler.single == len(call.args)
            with store.transaction(write=command.writes, now_ms=now_ms, single=single):
                try:
                    return handler.run(Context(self.engine, self, call, now_ms), **call.args)
                except ReplyError as wrong:  # Redis: what a command did before it failed stays done
                    return wrong.error
        except ReplyError as wrong:
            return wrong.error
        except FAULTS as error:
            if inside:
                raise
            return errors.storage(explain(error))
        except Exception as error:
            if not store.damaged():
                raise
            damage = DamagedError(str(error))  # rows that make no sense are no fault of ours
            if inside:
                raise damage from None
            return errors.storage(explain(damage))

    # -- transactions --------------------------------------------------------------------

    def multi(self) -> Reply:
        if self.queue is not None:
            return errors.NESTED_MULTI
        self.queue = []
        return OK

    def discard(self) -> Reply:
        if self.queue is None:
            return errors.DISCARD_WITHOUT_MULTI
        self._leave()
        return OK

    def exec(self, now_ms: int) -> Reply:
        """Run the queue as one; nothing of it when a command was refused or a watched key changed."""
        queue = self.queue
        if queue is None:
            return errors.EXEC_WITHOUT_MULTI
        if self._spoiled:
            self._leave()
            return errors.EXECABORT
        store = self.engine.store
        writes = any(call.command is not None and call.command.writes for call in queue)
        inside = store.in_transaction
        try:
            with store.transaction(write=writes, now_ms=now_ms):
                if self._watched and (self.dirty or self._watched_changed(now_ms)):
                    return NIL_ARRAY
                return self._run_all(queue, now_ms)
        except FAULTS as error:
            if inside:
                raise
            return errors.storage(explain(error))
        finally:
            self._leave()

    def _run_all(self, queue: list[Call], now_ms: int) -> list[Reply]:
        self.queue, self.executing = None, True
        self._executed = len(queue)
        try:
            replies: list[Reply] = []
            for call in queue:
                if self.heard_enough and call.command is not None and "readonly" in call.command.flags:
                    continue
                reply = self.run(call, now_ms)
                replies.append(self.kept(reply.timed_out if isinstance(reply, Wait) else reply))
            return replies
        finally:
            self.executing = False

    @property
    def reply_most(self) -> int:
        """How many bytes of a reply anybody would be sent; 0 for any number. A longer one need not be complete."""
        return 0

    @property
    def heard_enough(self) -> bool:
        """Will no more be sent of what a transaction answers? Then only what it does matters."""
        return False

    def kept(self, reply: Reply) -> Reply:
        """What one command of a transaction has answered, as it is kept until the last one has been run."""
        return reply

    @property
    def collected(self) -> int | None:
        """How many commands the transaction has; None when there is none."""
        if self.executing:
            return self._executed
        return None if self.queue is None else len(self.queue)

    def watch(self, names: list[bytes], now_ms: int) -> Reply:
        for name in names:
            if (self.db, name) not in self._watched:
                self._watched[self.db, name] = self._state(self.db, name, now_ms)
                self.engine.watch(self, self.db, name)
        return OK

    @property
    def plain(self) -> bool:
        """Is a command run as it comes: with no transaction that collects it, and no password missing?"""
        return self.queue is None and self.authenticated

    @property
    def watching(self) -> int:
        """How many keys are watched."""
        return len(self._watched)

    @property
    def watched(self) -> Iterable[tuple[int, bytes]]:
        """Their databases and names."""
        return self._watched

    def unwatch(self) -> Reply:
        self.engine.unwatch(self, list(self._watched))
        self._watched.clear()
        self.dirty = False
        return OK

    def _watched_changed(self, now_ms: int) -> bool:
        """Has another process changed a key? (This one's changes set `dirty`.)"""
        return any(self._state(db, name, now_ms) != state for (db, name), state in self._watched.items())

    def _state(self, db: int, name: bytes, now_ms: int) -> object:
        """Equal as long as a key has not been changed."""
        key = self.engine.store.key(db, name, now_ms)
        if key is None:
            return None
        version = self.engine.store.stream(key).version if key.kind == STREAM else 0
        return key.id, key.expires_ms, version

    def _leave(self) -> None:
        self.queue, self.queue_bytes, self._spoiled = None, 0, False
        self.unwatch()

    # -- the connection -------------------------------------------------------------------

    def reset(self) -> None:
        """Back to how the session began."""
        self._leave()
        self.db, self.protocol, self.name = 0, 2, b""
        self.authenticated = self.engine.host.password is None
        self.engine.host.reset(self)

    def close(self) -> None:
        """The connection is gone: forget its transaction and what it watched."""
        self._leave()
        self.engine.sessions.pop(self.id, None)
