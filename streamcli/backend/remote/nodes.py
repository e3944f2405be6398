"""The nodes of a cluster: a connection to each, made when it is first needed, and who serves which slot.

Discovery is CLUSTER SLOTS over our own connections. redis-py's NodesManager
asks the same, but on connections and with a parser of its own, which nobody
could interrupt, and keeps a pool for every node.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from streamcli.backend import LostError
from streamcli.backend.address import Address
from streamcli.backend.remote.one import Remote
from streamcli.backend.remote.slots import Place, Slots
from streamcli.reply import Reply
from streamcli.resp import encode_command

SLOTS_WORDS: Final = (b"CLUSTER", b"SLOTS")


def slots_of(node: Remote, tick: Callable[[int], None] | None = None) -> Reply:
    """The answer to CLUSTER SLOTS, on the connection that is there; None when none comes in the time for connecting.

    Nothing of the user's is sent, so that nothing is to be said then. Raises what `tick` raises.
    """
    try:
        node.link.send(encode_command(SLOTS_WORDS))
        return node.link.receive(tick, limit=node.state.address.connect_timeout)
    except LostError:
        node.drop()
        return None
    except BaseException:
        node.close()
        raise


class Nodes:
    """`seed` is the node for commands without keys: the one that was named, or another after that has died.

    `stale`: what is known of the slots may be old.
    """

    def __init__(
        self, seed: Remote, address: Address, attend: Callable[[Remote], None], stopped: Callable[[], bool]
    ) -> None:
        self.seed = seed
        self.slots = Slots()
        self.stale = True
        self._address = address
        self._attend = attend
        self._stopped = stopped
        self._lock = threading.Lock()
        self._learning = threading.Lock()
        self._made: dict[tuple[Place, bool], Remote] = {}
        attend(seed)
        if address.path is None:
            self._made[self.seed_place, False] = seed

    @property
    def seed_place(self) -> Place:
        return self.place(self.seed)

    def address_at(self, place: Place, replica: bool) -> Address:
        """As which a node is spoken to: like the seed. A replica is told that it will be read from."""
        known = self.seed.state.address
        return known._replace(host=place.host, port=place.port, path=None, cluster=replica, replica=replica)

    def at(self, place: Place, replica: bool = False) -> Remote:
        """The node there; it connects when it is first asked something."""
        with self._lock:
            node = self._made.get((place, replica))
            if node is None:
                node = self._made[place, replica] = Remote(self.address_at(place, replica), at_once=False)
                self._attend(node)
            return node

    def place(self, node: Remote) -> Place:
        address = node.link.at
        return Place(address.host, address.port)

    def all(self) -> list[Remote]:
        with self._lock:
            return list(dict.fromkeys([self.seed, *self._made.values()]))

    def learn(self, without: Place | None = None) -> bool:
        """Ask for the slots, one node after another until one tells; the seed first, `without` last.

        Nothing is raised: when nobody tells, what was known stays, and is asked for again by the next command.
        """
        with self._learning:
            for place in self._to_ask(without):
                if self._stopped():
                    break
                node = self.at(place) if place is not None else self.seed
                if self.slots.learn(node.browse(SLOTS_WORDS), place or self.seed_place):
                    self.stale = False
                    return True
        return False

    def _to_ask(self, without: Place | None) -> list[Place | None]:
        """Where to ask, None is the seed; those first that are connected."""
        seed = self.seed_place
        asked: list[Place | None] = [None, *(place for place in self.slots.places() if place != seed)]
        asked.sort(key=lambda place: (self.at(place) if place is not None else self.seed).link.is_open, reverse=True)
        asked.sort(key=lambda place: (place or seed) == without)
        return asked

    def follow(self, node: Remote) -> None:
        """All nodes are spoken to as this one is now: as another user, in another protocol."""
        was, now = self.seed.state.address, node.state.address
        who = {"user": now.user, "password": now.password, "protocol": now.protocol, "db": now.db}
        for other in self.all():
            if other is not node and not other.state.binds:
                wanted = other.state.address._replace(**who)  # type: ignore[arg-type]
                if wanted != other.state.address:
                    other.state.address = wanted
                    other.drop()
        if not self.slots.primaries or was.user != now.user:
            self.stale = True

    def close(self) -> None:
        for node in self.all():
            node.close()
