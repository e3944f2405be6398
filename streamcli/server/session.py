"""A session of the engine that is counted, and shown to those who MONITOR."""

from __future__ import annotations

import time
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
        began = time.perf_counter_ns()
        reply = super().run(call, now_ms)
        command = call.command
        assert command is not None
        if type(reply) is not Wait:
            self._statistics.ran(command, reply, time.perf_counter_ns() - began)
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

    def execute(self, argv: list[bytes] | tuple[bytes, ...], now_ms: int) -> Reply | Wait:  # type: ignore[override]
        commands = self._statistics.commands
        reply = super().execute(argv, now_ms)
        if type(reply) is Error and self._statistics.commands == commands:
            self._statistics.refused(argv, reply)
        return reply

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
