"""The engine for many clients: who is connected, who waits, what is one transaction.

What arrives together from a client is run as one transaction of the file. Those
who wait for a stream are asked in the order in which they began to, as soon as a
transaction that changed it is kept; other processes' changes are looked for as
long as somebody waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from streamcli import errors
from streamcli.engine import Engine, Wait
from streamcli.grammar.commands import BY_WORD
from streamcli.reply import Error, Reply
from streamcli.server.client import Client
from streamcli.server.statistics import Statistics
from streamcli.storage.schema import FAULTS, explain

_POLL_SECONDS = 0.01  # how long another process's write may stay unseen
_EXPIRY_SECONDS = 0.1  # how long an expired key may
_REPLIES_BYTES = 1024 * 1024  # of one transaction, before they are sent
_NO_NAME = b""


class Limits(NamedTuple):
    """Bytes, and clients."""

    clients: int = 10_000
    query_buffer: int = 1024**3
    output_buffer: int = 256 * 1024**2
    ahead: int = 1024**2  # read of a client that waits


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


class Server:
    """`log` takes a line for the operator."""

    def __init__(self, engine: Engine, log: Callable[[str], None], *, password: bytes | None = None) -> None:
        from streamcli.server.host import ServerHost

        self.engine, self.log, self.limits = engine, log, Limits()
        self.statistics = Statistics()
        self.clients: dict[int, Client] = {}  # by the number of their session
        self.blocked: dict[tuple[int, bytes], dict[Client, None]] = {}
        self.sleepers: set[Client] = set()  # who waits for no key
        self.monitors: dict[Client, None] = {}
        self.changes = 0
        self.began = time.monotonic()
        self.stopped = asyncio.Event()
        self._touched: dict[tuple[int, bytes], None] = {}
        self._touched_all = False
        self._places = 0
        self._poll: asyncio.TimerHandle | None = None
        self._looked = 0.0
        self._waking = False
        self.host = ServerHost(self, password)
        engine.host = self.host
        engine.on_touch = self._touch

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
        client.session = session = self.engine.session()
        session.authenticated = client_is_known = self.host.password is None
        client.requests.stranger = not client_is_known
        self.clients[session.id] = client

    def left(self, client: Client) -> None:
        """A connection is gone: what it waited for, and what it had begun, is forgotten."""
        self.unblock(client)
        self.monitors.pop(client, None)
        if client.session is not None and self.clients.pop(client.session.id, None) is not None:
            client.session.close()

    def complain(self, client: Client, what: str) -> None:
        """For the operator: why a client was sent away."""
        self.log(f"closed {client.address}: {what}")

    # -- running commands ------------------------------------------------------------------

    def run(self, client: Client) -> None:
        """Run what is in a client's queue, up to a command that waits, and send the replies."""
        session, queue = client.session, client.queue
        if session is None:
            queue.clear()
            return
        now = now_ms()
        together = len(queue) > 1 and any(_writes(argv) for argv in queue)
        if together:
            taken = list(queue)
            try:
                with self.engine.batch(now):
                    self._run_queue(client, now)
            except FAULTS as error:
                self._undone(client, taken[: len(taken) - len(queue)], errors.storage(explain(error)))
        else:
            self._run_queue(client, now)
        client.flush()
        if client.wait is not None:
            self._block(client)
        self.wake()

    def _undone(self, client: Client, taken: list[list[bytes]], error: Error) -> None:
        """The transaction could not be kept: that is the answer to all that was in it."""
        client.forget()
        client.wait = None
        self._touched.clear()
        for _ in taken:
            client.send(error)

    def _run_queue(self, client: Client, now: int) -> None:
        queue, size = client.queue, 0
        while queue and client.wait is None and size < _REPLIES_BYTES and not client.closing:
            argv = queue.popleft()
            reply = self._run(client, argv, now)
            if isinstance(reply, Wait):
                client.wait = reply
            else:
                size += client.send(reply)

    def _run(self, client: Client, argv: list[bytes], now: int) -> Reply | Wait:
        session, statistics = client.session, self.statistics
        assert session is not None
        if not session.authenticated and not _may_be_sent_by_strangers(argv):
            statistics.error("NOAUTH")
            return errors.NOAUTH
        if self.monitors:
            self.host.show(client, argv)
        began = time.perf_counter_ns()
        reply = session.execute(argv, now)
        statistics.commands += 1
        statistics.count(session, argv, reply, time.perf_counter_ns() - began)
        return reply

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
        wait = client.wait
        assert wait is not None
        assert client.session is not None
        self._places += 1
        client.place, client.wait_began_ms = self._places, now_ms()
        if wait.deadline_ms is not None:
            left = max(0, wait.deadline_ms - client.wait_began_ms) / 1000
            client.timer = asyncio.get_running_loop().call_later(left, self._time_is_over, client)
        self._register(client, wait)
        self._watch_file()

    def _register(self, client: Client, wait: Wait) -> None:
        assert client.session is not None
        if not wait.keys:
            self.sleepers.add(client)
        for name in wait.keys:
            self.blocked.setdefault((client.session.db, name), {})[client] = None

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
            self.statistics.unblocked += 1
            client.send(reply)
            client.flush()
            asyncio.get_running_loop().call_soon(client.go_on)

    def _time_is_over(self, client: Client) -> None:
        wait = client.wait
        if wait is None:
            return
        client.timer = None
        self._ask_again([client])
        if client.wait is not None:
            self.answer(client, wait.timed_out)

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
        finally:
            self._waking = False

    def _ask_again(self, clients: list[Client]) -> None:
        """One transaction for all of them, because one is dear."""
        now = now_ms()
        replies: list[tuple[Client, Reply]] = []
        try:
            with self.engine.batch(now):
                for client in clients:
                    if client.wait is None or client.session is None:
                        continue
                    reply = client.session.resume(client.wait, now)
                    if isinstance(reply, Wait):
                        client.wait = reply
                    else:
                        replies.append((client, reply))
        except FAULTS as error:
            self.log(explain(error))
            return
        for client, reply in replies:
            self.answer(client, reply)

    def _watch_file(self) -> None:
        """Look for other processes' changes, and for keys that expire, as long as somebody waits."""
        if self._poll is None and self.blocked:
            seconds = _POLL_SECONDS if self.engine.store.shared else _EXPIRY_SECONDS
            self._poll = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._poll = None
        if not self.blocked:
            return
        now = time.monotonic()
        store = self.engine.store
        expires = store.next_expiry_ms is not None and now - self._looked >= _EXPIRY_SECONDS
        if store.changed() or expires:
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
        self.stopped.set()


def _writes(argv: list[bytes]) -> bool:
    """May the command change something? Containers may."""
    command = BY_WORD.get(argv[0].upper())
    return command is None or command.writes or bool(command.subcommands) or command.name == "EXEC"


def _may_be_sent_by_strangers(argv: list[bytes]) -> bool:
    command = BY_WORD.get(argv[0].upper())
    return command is not None and "no_auth" in command.flags
