"""The engine for many clients: who is connected, who waits, what is one transaction.

What arrives together from a client is run as one transaction of the file: all of
it is kept before the first reply goes out, or all is answered with what went
wrong. Those who wait for a stream are asked in the order in which they began
to, as soon as a command that changed it is kept and before the next one is run;
other processes' changes are looked for as long as somebody waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from time import time_ns

from streamcli import errors
from streamcli.engine import HANDLERS, Engine, Wait
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.parse import parse
from streamcli.reply import Error, Reply
from streamcli.server.client import Client
from streamcli.server.host import ServerHost
from streamcli.server.limits import Limits, settings
from streamcli.server.monitors import Monitors
from streamcli.server.session import ServedSession
from streamcli.server.statistics import Statistics
from streamcli.storage.schema import FAULTS, GoneError, explain

_POLL_SECONDS = 0.015  # how long another process's write may stay unseen
_EXPIRY_SECONDS = 0.1  # how long an expired key may
_REPLIES_BYTES = 1024 * 1024  # of one transaction, before they are sent
_BATCH_SECONDS = 0.2  # of one transaction, before others have their turn
_READING_SECONDS = 0.02  # of commands that need not be one
_QUEUED = b"+QUEUED\r\n"


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


class Server:
    """Nothing here listens: whoever does makes a Client for each connection. `log` takes a line for the operator."""

    def __init__(
        self, engine: Engine, log: Callable[[str], None], *, password: bytes | None = None, clients: int | None = None
    ) -> None:
        self.engine, self.log = engine, log
        self.limits = Limits() if clients is None else Limits(clients)
        self.statistics = Statistics()
        self.monitors = Monitors()
        self.clients: dict[int, Client] = {}  # by the number of their session
        self.blocked: dict[tuple[int, bytes], dict[Client, None]] = {}
        self.sleepers: set[Client] = set()  # who waits for no key
        self.changes = 0
        self.began = time.monotonic()
        self.stopped = asyncio.Event()
        self.ending = False  # a SHUTDOWN is under way
        self.patient = True  # and those who have not read all may do so
        self._told = False  # that the file is gone
        self._touched: dict[tuple[int, bytes], None] = {}
        self._touched_all = False
        self._places = 0
        self._poll: asyncio.TimerHandle | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._looked = 0.0
        self._waking = False
        self.host = ServerHost(self, password)
        engine.host = self.host
        engine.on_touch = self._touch
        engine.config.more = settings(self)

    # -- clients -------------------------------------------------------------------------

    def arrived(self, client: Client) -> None:
        """A connection was made."""
        if len(self.clients) >= self.limits.clients:
            self.statistics.rejected_connections += 1
            client.send(errors.TOO_MANY_CLIENTS)
            client.flush()
            client.close()
            return
        self.statistics.connections += 1
        client.session = session = ServedSession(client, self.engine.next_session())
        self.engine.sessions[session.id] = session
        session.authenticated = self.host.password is None
        self.clients[session.id] = client

    def left(self, client: Client) -> None:
        """A connection is gone: what it waited for, and what it had begun, is forgotten."""
        self.unblock(client)
        self.monitors.discard(client)
        if client.session is not None and self.clients.pop(client.session.id, None) is not None:
            client.session.close()

    def complain(self, client: Client, why: str) -> None:
        """For the operator: why a client was sent away."""
        self.log(f"closed the connection of {client.address}: {why}")

    def limits_changed(self) -> None:
        """A setting was changed: those who are connected are held to it, too."""
        for client in self.clients.values():
            client.limits_changed()
        if self.limits.idle and self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(1, self._close_idle)

    def _close_idle(self) -> None:
        self._sweep = None
        now = time.monotonic()
        for client in list(self.clients.values()):
            waits = client.wait is not None or client in self.monitors
            if self.limits.idle and not waits and now - client.active > self.limits.idle:
                client.abort()
        if self.limits.idle:
            self._sweep = asyncio.get_running_loop().call_later(1, self._close_idle)

    # -- running commands ------------------------------------------------------------------

    def run(self, client: Client) -> None:
        """Run what is in a client's queue, up to a command that waits, and send the replies."""
        queue, now = client.queue, now_ms()
        self.statistics.tick(now)
        taken = list(queue)
        try:
            if (self.engine.store.shared or len(taken) > 1) and any(map(_writes, taken)):
                with self.engine.batch(now):
                    self._run_queue(client, now)
            else:
                self._run_queue(client, now)
        except Exception as error:  # a fault of ours is no reason to leave the others
            self._failed(client, taken[: len(taken) - len(queue)], error)
        self._ran(client)

    def run_alone(self, client: Client, argv: list[bytes]) -> None:
        """As `run`, of a command that came alone: the way that is gone most."""
        now = time_ns() // 1_000_000
        self.statistics.tick(now)
        assert client.session is not None
        try:
            reply = client.session.execute(argv, now)
            if type(reply) is Wait:
                client.wait = reply
            else:
                client.send(reply)  # type: ignore[arg-type]
        except Exception as error:
            self._failed(client, [argv], error)
        self._ran(client)

    def _ran(self, client: Client) -> None:
        """Send the replies, and do what follows from the commands."""
        client.flush()
        if self.monitors:
            self.monitors.flush()
        if client.wait is not None:
            self._block(client)
        if self.blocked:
            self._watch_file()  # a key may have been given an end
            self.wake()
        elif self._touched or self._touched_all:  # for somebody who was sent away by the same transaction
            self._touched, self._touched_all = {}, False
        if self.ending:
            self.stop()

    def _run_queue(self, client: Client, now: int) -> None:
        """Until somebody may have to be served before the next command."""
        queue, session, size = client.queue, client.session, 0
        ends = time.monotonic() + (_BATCH_SECONDS if self.engine.store.in_transaction else _READING_SECONDS)
        assert session is not None
        while queue:
            argv = queue.popleft()
            reply = session.execute(argv, now)
            if isinstance(reply, Wait):
                client.wait = reply
                return
            size += client.send(reply)
            if size > _REPLIES_BYTES or client.leaving or client.closing or client.flooded:
                return
            if self._touched or self._touched_all or time.monotonic() > ends:
                return

    def _failed(self, client: Client, ran: list[list[bytes]], error: Exception) -> None:
        if isinstance(error, FAULTS):
            if isinstance(error, GoneError) and not self._told:
                self._told = True
                self.log(f"commands that write are refused: {explain(error)}")
            self._undone(client, ran, errors.storage(explain(error)))
        else:
            self.log(f"internal error, please report it: {_what(error)}")
            self._undone(client, ran, errors.internal(_what(error)))

    def _undone(self, client: Client, ran: list[list[bytes]], error: Error) -> None:
        """The transaction could not be kept: that is the answer to all in it that has to do with keys."""
        self.engine.store.recover()
        self._touched.clear()
        self._touched_all = False
        client.wait = None
        self.ending = False
        replies = client.replies.copy()
        client.replies.clear()
        for argv, reply in zip(ran, replies, strict=False):
            if reply and reply != _QUEUED and _concerns_keys(argv):
                client.send(error)
            else:
                client.replies.append(reply)
        if len(replies) < len(ran):  # the last one came to no reply
            client.send(error)

    # -- waiting -------------------------------------------------------------------------

    def _touch(self, db: int | None, name: bytes) -> None:
        """For `Engine.on_touch`; a db of None is every key there is."""
        self.changes += 1
        if not self.blocked:
            return
        if db is None:
            self._touched_all = True
        elif (db, name) in self.blocked:
            self._touched[db, name] = None

    def _block(self, client: Client) -> None:
        wait, session = client.wait, client.session
        assert wait is not None
        assert session is not None
        self._places += 1
        client.place = self._places
        self._set_timer(client, wait)
        if not wait.keys:
            self.sleepers.add(client)
        for name in wait.keys:
            self.blocked.setdefault((session.db, name), {})[client] = None
        self._watch_file()

    def _set_timer(self, client: Client, wait: Wait) -> None:
        """For when time alone may change something."""
        if client.timer is not None:
            client.timer.cancel()
            client.timer = None
        if wait.next_ms is not None:
            left = max(0, wait.next_ms - now_ms()) / 1000
            client.timer = asyncio.get_running_loop().call_later(left, self._time_has_come, client)

    def unblock(self, client: Client) -> bool:
        """A client waits no more; True when it did."""
        wait, client.wait = client.wait, None
        if client.timer is not None:
            client.timer.cancel()
            client.timer = None
        if wait is None or client.session is None:
            return False
        self.sleepers.discard(client)
        for name in wait.keys:
            key = client.session.db, name
            waiting = self.blocked.get(key)
            if waiting is not None:
                waiting.pop(client, None)
                if not waiting:
                    del self.blocked[key]
        return True

    def answer(self, client: Client, reply: Reply) -> None:
        """End a wait with a reply, and go on with what the client has sent meanwhile."""
        if self.unblock(client):
            client.send(reply)
            client.flush()
            asyncio.get_running_loop().call_soon(client.go_on)

    def _time_has_come(self, client: Client) -> None:
        """The wait is over, or what is pending may be old enough to be taken over."""
        wait = client.wait
        if wait is None:
            return
        client.timer = None
        over = wait.deadline_ms is not None and now_ms() >= wait.deadline_ms
        if wait.keys:
            self._ask_again([client])
        if client.wait is None:
            return
        if over:
            self.answer(client, wait.timed_out)
        else:
            self._set_timer(client, client.wait)

    def wake(self) -> None:
        """Ask again those who wait for what has changed, in the order in which they began to wait."""
        if self._waking:
            return
        self._waking = True
        try:
            while self._touched or self._touched_all:
                keys = list(self.blocked) if self._touched_all else list(self._touched)
                self._touched, self._touched_all = {}, False
                waiting = {client for key in keys for client in self.blocked.get(key, ())}
                if waiting:
                    self._ask_again(sorted(waiting, key=lambda client: client.place))
            self.monitors.flush()
        finally:
            self._waking = False

    def _ask_again(self, clients: list[Client]) -> None:
        """One transaction for all of them, because one is dear; each its own when that cannot be kept."""
        now = now_ms()
        waits = [(client, client.wait) for client in clients if client.wait is not None]
        replies: list[tuple[Client, Reply]] = []
        empty: set[tuple[int, tuple[bytes, ...], bytes]] = set()  # groups that have nothing more to give
        try:
            with self.engine.batch(now):
                for client, wait in waits:
                    session = client.session
                    assert session is not None
                    if wait.group is not None and (session.db, wait.keys, wait.group) in empty:
                        continue
                    reply = session.resume(wait, now)
                    if isinstance(reply, Wait):
                        client.wait = reply
                        if reply.next_ms != wait.next_ms:
                            self._set_timer(client, reply)
                        if wait.group is not None and b"CLAIM" not in map(bytes.upper, wait.argv):
                            empty.add((session.db, wait.keys, wait.group))
                    else:
                        replies.append((client, reply))
        except Exception as error:
            self.engine.store.recover()
            for client, wait in waits:
                client.wait = wait  # as it was before what is undone
            if len(waits) > 1:
                for client, _ in waits:
                    self._ask_again([client])
                return
            why = explain(error) if isinstance(error, FAULTS) else _what(error)
            self.log(f"a client that waited was answered with an error: {why}")
            replies = [(waits[0][0], errors.storage(why) if isinstance(error, FAULTS) else errors.internal(why))]
        for client, reply in replies:
            self.answer(client, reply)

    def _watch_file(self) -> None:
        """Look for other processes' changes, and for keys that expire, as long as somebody waits."""
        store = self.engine.store
        if self._poll is None and self.blocked and (store.shared or store.next_expiry_ms is not None):
            seconds = _POLL_SECONDS if store.shared else _EXPIRY_SECONDS
            self._poll = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._poll = None
        if not self.blocked:
            return
        now = time.monotonic()
        store = self.engine.store
        next_ms = store.next_expiry_ms
        expired = next_ms is not None and next_ms <= now_ms() and now - self._looked >= _EXPIRY_SECONDS
        if store.changed() or expired:
            self._looked = now
            self._touched_all = True
            self.wake()
        self._watch_file()

    # -- the end ---------------------------------------------------------------------------

    def stop(self) -> None:
        """Send everybody away and let `stopped` be known; what was answered is kept."""
        for client in list(self.clients.values()):
            client.flush()
            client.close()
        for timer in (self._poll, self._sweep):
            if timer is not None:
                timer.cancel()
        self.stopped.set()


def _writes(argv: list[bytes]) -> bool:
    """May the command change something? Containers may."""
    command = BY_WORD.get(argv[0].upper())
    return command is not None and (command.writes or bool(command.subcommands) or command.name == "EXEC")


def _concerns_keys(argv: list[bytes]) -> bool:
    command = parse(argv).command
    return command is not None and (command.name == "EXEC" or HANDLERS[command.name].store)


def _what(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n", 1)[0]
