"""What connections do alike, for threads and for tasks: begin a session, put words together, send them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis.exceptions import ConnectionError

from streamcli.client.greeting import greet, opened
from streamcli.client.shared import Argv, BusyError, Shared, Talk
from streamcli.client.values import Values, Words


class Sender:
    """Stands before redis-py's own class among a connection's bases; `_talk` is its session, while there is one."""

    _shared: Shared
    _talk: Talk | None
    _words: Words
    _values: Values
    db: Any

    def _nudge(self) -> None:
        """From any thread: whoever waits is to look again."""
        raise NotImplementedError

    def _drop(self) -> None:
        """End the session: its transaction and what it watches are forgotten, a wait changes nothing."""
        raise NotImplementedError

    def repr_pieces(self) -> list[tuple[str, Any]]:
        return [("shared", self._shared), ("db", self.db)]

    @property
    def is_ready(self) -> bool:
        """A session, and nothing left over of what was asked before."""
        talk = self._talk
        return talk is not None and not talk.replies and talk.wait is None

    def open(self) -> Talk:
        """A new session. Raises OpenError."""
        talk = opened(self._shared, self._nudge)
        try:
            greet(talk, self, self._values)
        except BaseException:
            talk.close()
            raise
        self._talk = talk
        return talk

    def pack_command(self, *args: Any) -> list[Argv]:
        return [self._words.argv(args)]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[Argv]:
        argv = self._words.argv
        return [argv(tuple(args)) for args in commands]

    def _send(self, commands: Any) -> None:
        talk = self._talk or self.open()
        try:
            talk.send(commands)
        except BusyError:
            self._drop()
            raise ConnectionError("the engine is busy with the command that this one interrupted") from None
        except BaseException:
            self._drop()
            raise
