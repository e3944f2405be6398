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


# What CLIENT has set and a new connection does not have: by subcommand, how it is said to be gone.
_OF_CLIENT = {
    "SETNAME": "its name is gone",
    "TRACKING": "client tracking is off",
    "NO-EVICT": "NO-EVICT is off",
    "NO-TOUCH": "NO-TOUCH is off",
}


class State:
    """`address` is how the next connection is to be greeted; `protocol` is what the user has chosen since the last."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.protocol: int | None = None
        self.queued: int | None = None
        self.watches = False
        self._later: list[tuple[int, Sequence[bytes]]] = []  # queued commands that are heeded, and their places
        self._set: dict[str, None] = {}  # of _OF_CLIENT

    def answered(self, argv: Sequence[bytes], reply: Reply) -> None:
        """Learn from a reply."""
        name = argv[0].upper()
        if self.queued is not None and reply == QUEUED:
            if name in HEEDED:
                self._later.append((self.queued, argv))
            self.queued += 1
        elif name in HEEDED:
            later = self._later
            self._learn(name, argv, reply)
            if name == b"EXEC" and isinstance(reply, list):
                for place, words in later:
                    if place < len(reply):
                        self._learn(words[0].upper(), words, reply[place])

    def _learn(self, name: bytes, argv: Sequence[bytes], reply: Reply) -> None:
        if name in (b"EXEC", b"DISCARD"):
            if not isinstance(reply, Error) or reply.code in _ABORTS:
                self._left()
        elif not isinstance(reply, Error):
            with suppress(ValueError, IndexError):  # whoever answers OK to nonsense
                self._heed(name, [word.decode("utf-8", "surrogateescape") for word in argv[1:]])

    def _heed(self, name: bytes, words: list[str]) -> None:
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
                self._left()
                self._set.clear()
                self.protocol = 2
                self.address = self.address._replace(db=0, user=None, password=None, protocol=2)
            case b"CLIENT" if words[0].upper() in _OF_CLIENT:
                self._keep(words[0].upper(), words[1])

    def _left(self) -> None:
        """There is no transaction any more."""
        self.queued, self.watches = None, False
        self._later = []

    def _keep(self, what: str, value: str) -> None:
        """`off`, and no name, are what a new connection has anyway."""
        if value and (what == "SETNAME" or value.upper() != "OFF"):
            self._set[what] = None
        else:
            self._set.pop(what, None)

    def _is(self, user: str | None, password: str) -> None:
        self.address = self.address._replace(user=None if user == "default" else user, password=password)

    def _greeted(self, words: list[str]) -> None:
        """`HELLO [protocol [AUTH user password] [SETNAME name]]`."""
        if words:
            self.protocol = int(words[0])
            self.address = self.address._replace(protocol=self.protocol)
        at = 1
        while at < len(words):
            if words[at].upper() == "AUTH":
                self._is(words[at + 1], words[at + 2])
                at += 3
            else:
                self._keep(words[at].upper(), words[at + 1])
                at += 2

    def lost(self) -> str:
        """What a new connection does not have, as the end of a sentence; it is forgotten. "" for nothing."""
        gone = []
        if self.queued is not None:
            count = f" with its {self.queued} command{'s' if self.queued != 1 else ''}" if self.queued else ""
            gone.append(f"the transaction{count} is gone")
        elif self.watches:
            gone.append("no key is watched any more")
        gone += [_OF_CLIENT[what] for what in self._set if what in _OF_CLIENT]
        self._left()
        self._set.clear()
        self.protocol = None
        return ", ".join(gone)

    @property
    def binds(self) -> bool:
        """True when a command means something else on a new connection."""
        return self.queued is not None or self.watches
