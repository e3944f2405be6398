"""What a session has become by what it was answered: database, user, protocol, transaction, watched keys.

The server keeps all of it with the connection; here is what has to be shown at
the prompt, and what has to be done again, or said to be gone, when there is a
new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from streamcli.backend.address import Address
from streamcli.reply import QUEUED, Error, Reply

HEEDED = frozenset(
    (b"SELECT", b"AUTH", b"HELLO", b"RESET", b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH", b"CLIENT")
)
# With these EXEC has ended the transaction, too: a cluster's node gives it up when it sends somebody away.
_ABORTS = frozenset(("EXECABORT", "MOVED", "ASK", "CROSSSLOT", "TRYAGAIN", "CLUSTERDOWN"))


class State:
    """`address` is how the next connection is to be greeted."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.queued: int | None = None
        self.watches = False
        self.tracks = False

    def answered(self, argv: Sequence[bytes], reply: Reply) -> None:
        """Learn from a reply."""
        if self.queued is not None and reply == QUEUED:
            self.queued += 1
            return
        name = argv[0].upper()
        if name in HEEDED:
            with suppress(ValueError, IndexError):  # whoever answers OK to nonsense
                self._learn(name, argv, reply)

    def _learn(self, name: bytes, argv: Sequence[bytes], reply: Reply) -> None:
        if name in (b"EXEC", b"DISCARD"):
            if not isinstance(reply, Error) or reply.code in _ABORTS:
                self.queued, self.watches = None, False
            return
        if isinstance(reply, Error):
            return
        words = [word.decode("utf-8", "surrogateescape") for word in argv[1:]]
        match name:
            case b"MULTI":
                self.queued = 0
            case b"WATCH":
                self.watches = True
            case b"UNWATCH":
                self.watches = False
            case b"SELECT":
                self.address = self.address._replace(db=int(words[0]))
            case b"AUTH":
                self._is(words[0] if len(words) > 1 else None, words[-1])
            case b"HELLO":
                self._greeted(words)
            case b"RESET":
                self.queued, self.watches, self.tracks = None, False, False
                self.address = self.address._replace(db=0, user=None, password=None, protocol=2)
            case b"CLIENT" if len(words) > 1 and words[0].upper() == "TRACKING":
                self.tracks = words[1].upper() == "ON"

    def _is(self, user: str | None, password: str) -> None:
        self.address = self.address._replace(user=None if user == "default" else user, password=password)

    def _greeted(self, words: list[str]) -> None:
        """`HELLO [protocol [AUTH user password] [SETNAME name]]`."""
        if words:
            self.address = self.address._replace(protocol=int(words[0]))
        for at, word in enumerate(words[1:], 1):
            if word.upper() == "AUTH":
                self._is(words[at + 1], words[at + 2])
                return
            if word.upper() == "SETNAME":
                return

    def lost(self) -> str:
        """What a new connection does not have, as the end of a sentence; it is forgotten. "" for nothing."""
        gone = []
        if self.queued is not None:
            count = f" with its {self.queued} command{'s' if self.queued != 1 else ''}" if self.queued else ""
            gone.append(f"the transaction{count} is gone")
        elif self.watches:
            gone.append("no key is watched any more")
        if self.tracks:
            gone.append("client tracking is off")
        self.queued, self.watches, self.tracks = None, False, False
        return ", ".join(gone)

    @property
    def binds(self) -> bool:
        """True when a command means something else on a new connection."""
        return self.queued is not None or self.watches
