"""A session of the engine that is counted, and shown to those who MONITOR."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

from streamcli.engine import Session, Wait
from streamcli.reply import Error, Reply

if TYPE_CHECKING:
    from streamcli.grammar.parse import Call
    from streamcli.server.client import Client


class ServedSession(Session):
    """Belongs to one client of a server."""

    def __init__(self, client: Client, id: int) -> None:
        super().__init__(client.server.engine, id)
        self._client = client
        self._statistics = client.server.statistics
        self._monitors = client.server.monitors
        self._resuming = False

    def run(self, call: Call, now_ms: int) -> Reply | Wait:
        began = perf_counter_ns()
        reply = Session.run(self, call, now_ms)
        command = call.command
        assert command is not None
        if type(reply) is not Wait:
            self._statistics.ran(command, reply, perf_counter_ns() - began)
            if "readonly" in command.flags:
                self._looked_up(call)
        if self._monitors and not self._resuming:  # Redis: who has waited was shown before
            self._monitors.show(self._client, call)
        return reply

    def resume(self, wait: Wait, now_ms: int) -> Reply | Wait:
        self._resuming = True
        try:
            return super().resume(wait, now_ms)
        finally:
            self._resuming = False

    def refused(self, call: Call, error: Error) -> Error:
        self._statistics.refused(call.command, error)
        return error

    @property
    def reply_most(self) -> int:
        return self._client.server.limits.output

    @property
    def heard_enough(self) -> bool:
        return self._client.flooded

    def kept(self, reply: Reply) -> Reply:
        """In bytes, so that they can be counted, and what is too much let go of."""
        return self._client.encoded(reply)

    def _looked_up(self, call: Call) -> None:
        """Were the keys there that the command has read? (What is there is remembered by then.)"""
        given = call.args.get("key")
        if given is not None:
            remembers = self.engine.store.remembers
            for name in given if isinstance(given, list) else (given,):
                if remembers(self.db, name):
                    self._statistics.hits += 1
                else:
                    self._statistics.misses += 1
