"""Which node of a cluster serves which slot, as its nodes have told; and where they send us instead.

No connection is made here. What a node says is not trusted: a name is a name
and a port is a port, or it is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot

from streamcli.reply import Error, Reply

__all__ = ["AGAIN_SECONDS", "REDIRECTS_MOST", "SLOTS", "Place", "Redirect", "Slots", "key_slot", "redirect"]

REDIRECTS_MOST: Final = 16  # for one command
AGAIN_SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8)  # pauses while a slot's keys are on their way
_HOST_MAX: Final = 255  # characters
_PORT_MAX: Final = 65535
_PLACES_MAX: Final = 4 * SLOTS  # in one answer: each slot a range of its own, with three replicas
_UNKNOWN: Final = (b"", b"?")  # a node's host, when it does not know its own


class Place(NamedTuple):
    """Where a node listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Redirect(NamedTuple):
    """A node's answer that another one is to be asked. `asks`: this once, because the slot is on its way there."""

    slot: int
    place: Place
    asks: bool


class Slots:
    """The slots, each with its primary. Nothing is known at first; `learn` takes over what a node says.

    Threads may look while another one learns: they see what was, or what is.
    """

    def __init__(self) -> None:
        self._owners: list[Place | None] = [None] * SLOTS
        self._replicas: dict[Place, tuple[Place, ...]] = {}
        self.primaries: tuple[Place, ...] = ()
        """Those that serve slots, in the order of their first slots."""

    def owner(self, slot: int) -> Place | None:
        return self._owners[slot]

    def replicas(self, primary: Place) -> tuple[Place, ...]:
        return self._replicas.get(primary, ())

    def places(self) -> list[Place]:
        """Every node there is, primaries first."""
        others = [replica for primary in self.primaries for replica in self.replicas(primary)]
        return list(dict.fromkeys([*self.primaries, *others]))

    def learn(self, reply: Reply, asked: Place) -> bool:
        """Take over the answer to CLUSTER SLOTS of the node `asked`; False when it is none, or tells of no slot."""
        owners: list[Place | None] = [None] * SLOTS
        replicas: dict[Place, tuple[Place, ...]] = {}
        count = 0
        for row in reply if isinstance(reply, list) else ():
            read = _range(row, asked)
            if read is None:
                continue
            first, last, (primary, *others) = read
            count += 1 + len(others)
            if count > _PLACES_MAX:
                return False
            owners[first : last + 1] = [primary] * (last + 1 - first)
            replicas[primary] = tuple(dict.fromkeys([*replicas.get(primary, ()), *others]))
        if not replicas:
            return False
        self._replicas, self._owners = replicas, owners
        self.primaries = _in_order(owners)
        return True

    def move(self, slot: int, place: Place) -> bool:
        """A slot is served there now; True when nothing was known of that primary, so that more will have changed."""
        self._owners[slot] = place
        known = place in self.primaries
        if not known:
            self.primaries = _in_order(self._owners)
        return not known


def _in_order(owners: Iterable[Place | None]) -> tuple[Place, ...]:
    return tuple(owner for owner in dict.fromkeys(owners) if owner is not None)


def _range(row: Reply, asked: Place) -> tuple[int, int, list[Place]] | None:
    """`[first, last, [host, port, ...] ...]`; None when it is not that."""
    if not isinstance(row, list) or len(row) < 3:
        return None
    first, last, *nodes = row
    if not isinstance(first, int) or not isinstance(last, int) or not 0 <= first <= last < SLOTS:
        return None
    places = [_place(node[0], node[1], asked) for node in nodes if isinstance(node, list) and len(node) >= 2]
    found = [place for place in places if place is not None]
    return (first, last, found) if found and places[0] is not None else None


def _place(host: Reply, port: Reply, asked: Place) -> Place | None:
    """A node that does not know its own host is where the one that was asked is."""
    if not isinstance(port, int) or not 0 < port <= _PORT_MAX:
        return None
    if host is None or host in _UNKNOWN:
        return Place(asked.host, port)
    if not isinstance(host, bytes):
        return None
    name = host.decode("utf-8", "replace")
    return Place(name, port) if len(name) <= _HOST_MAX and name.isprintable() and " " not in name else None


def redirect(reply: Reply, asked: Place) -> Redirect | None:
    """Where the node `asked` sends us: `MOVED slot host:port`, `ASK slot host:port`. None when it does not."""
    if not isinstance(reply, Error) or reply.code not in ("MOVED", "ASK"):
        return None
    words = reply.text.split(" ")
    if len(words) != 3 or not _is_number(words[1]) or int(words[1]) >= SLOTS:
        return None
    host, colon, port = words[2].rpartition(":")
    if not colon or not _is_number(port):
        return None
    place = _place(host.encode("utf-8", "surrogateescape"), int(port), asked)
    return None if place is None else Redirect(int(words[1]), place, reply.code == "ASK")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5
