"""Six nodes of one cluster: three primaries that share the slots, and a replica for each."""

from __future__ import annotations

import binascii
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.remote.client import RefusedError, info
from tests.remote.processes import Port, Server, until

if TYPE_CHECKING:
    from streamcli.backend.address import Address

SLOTS: Final = 16384
NODE_TIMEOUT_MS: Final = 1500
_SETTINGS: Final = {
    "cluster-enabled": "yes",
    "cluster-config-file": "nodes.conf",
    "cluster-node-timeout": str(NODE_TIMEOUT_MS),
    "cluster-replica-validity-factor": "0",  # a replica may always take over
    "cluster-allow-replica-migration": "no",
    "repl-ping-replica-period": "1",  # Redis: CLUSTER SLOTS names a replica only once it has been sent something
}


def slot(key: bytes) -> int:
    """The slot of a key: of what stands in its first braces, if there is anything."""
    opened = key.find(b"{")
    closed = key.find(b"}", opened + 1)
    tag = key[opened + 1 : closed] if opened >= 0 and closed > opened + 1 else key
    return binascii.crc_hqx(tag, 0) % SLOTS


class Cluster:
    """Ready when made: all slots served, all replicas in step. Who is primary changes: ask `primaries()`."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.nodes: list[Server] = []
        self._buses: list[Port] = []
        try:
            self._build(folder)
        except BaseException:
            self.close()
            raise

    def _build(self, folder: Path) -> None:
        for number in range(6):
            bus = Port()
            self._buses.append(bus)
            settings = {**_SETTINGS, "cluster-port": str(bus.number)}
            self.nodes.append(Server(self.kind, folder / f"node-{number}", settings))
        self.ids: list[str] = [node.call("CLUSTER", "MYID").decode() for node in self.nodes]
        for number, node in enumerate(self.nodes):
            node.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number < 3:
                node.call("CLUSTER", "ADDSLOTSRANGE", SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1)
        for one, other in itertools.combinations(range(6), 2):
            self.nodes[one].call("CLUSTER", "MEET", "127.0.0.1", self.nodes[other].port, self._buses[other].number)
        until(lambda: all(len(self._known(node)) == 6 for node in self.nodes), "the nodes know each other")
        for number in range(3):
            self.nodes[3 + number].call("CLUSTER", "REPLICATE", self.ids[number])
        until(self.is_whole, "the cluster serves all slots")

    def _known(self, node: Server) -> set[str]:
        """The nodes that this one has shaken hands with."""
        rows = [line.split() for line in node.call("CLUSTER", "NODES").decode().splitlines()]
        return {row[0] for row in rows if row[0] in self.ids and "handshake" not in row[2]}

    def address(self, node: Server | None = None, **parts: Any) -> Address:
        """By way of that node, or the first that runs, with `cluster` said; parts as in `Address`."""
        return (node or self.running()[0]).address(**{"cluster": True, **parts})

    # -- who is who ---------------------------------------------------------------------

    def running(self) -> list[Server]:
        return [node for node in self.nodes if node.runs]

    def primaries(self) -> list[Server]:
        """Those that serve slots, in the order of their slots."""
        return [node for _, _, (node, *_) in self._layout()]

    def owner(self, of: bytes | int) -> Server:
        """The primary of a key, or of a slot."""
        number = of if isinstance(of, int) else slot(of)
        return next(nodes[0] for first, last, nodes in self._layout() if first <= number <= last)

    def replicas(self, of: Server) -> list[Server]:
        return next(nodes[1:] for _, _, nodes in self._layout() if nodes[0] is of)

    def _layout(self) -> list[tuple[int, int, list[Server]]]:
        """Each range of slots, with its primary and its replicas."""
        for node in self.running():
            rows = sorted(node.call("CLUSTER", "SLOTS"))
            if rows:
                return [(first, last, [self._by_port(of[1]) for of in nodes]) for first, last, *nodes in rows]
        raise RefusedError("no node knows the slots")

    def _by_port(self, port: int) -> Server:
        return next(node for node in self.nodes if node.port == port)

    def id(self, node: Server) -> str:
        return self.ids[self.nodes.index(node)]

    def key(self, node: Server, name: bytes = b"a") -> bytes:
        """A key whose slot that primary serves: the name, and a tag in braces. The same for the same layout."""
        ranges = [(first, last) for first, last, nodes in self._layout() if nodes[0] is node]
        keys = (b"%b{%d}" % (name, number) for number in itertools.count())
        return next(key for key in keys if any(first <= slot(key) <= last for first, last in ranges))

    def is_whole(self) -> bool:
        """Do all six run, agree on the slots, and see nobody failing?"""
        layouts = []
        for node in self.nodes:
            told = info(node.call("CLUSTER", "INFO"))
            if told["cluster_state"] != "ok" or told["cluster_slots_ok"] != str(SLOTS):
                return False
            rows = [line.split() for line in node.call("CLUSTER", "NODES").decode().splitlines()]
            if len(rows) != 6 or any("fail" in row[2] or "handshake" in row[2] for row in rows):
                return False
            if node.info("replication").get("master_link_status", "up") != "up":
                return False
            slots = node.call("CLUSTER", "SLOTS")
            if any(len(row) != 4 for row in slots):  # a range, its primary, and one replica
                return False
            layouts.append(sorted((row[0], row[1], row[2][1], row[3][1]) for row in slots))
        return all(layout == layouts[0] for layout in layouts)

    # -- what changes ---------------------------------------------------------------------

    def moving(self, number: int, to: Server) -> Moving:
        """A slot's way to another primary, to be gone step by step."""
        return Moving(self, number, self.owner(number), to)

    def move_slot(self, number: int, to: Server) -> None:
        """All the way."""
        moving = self.moving(number, to)
        moving.begin()
        moving.carry()
        moving.finish()

    def fail_over(self, primary: Server) -> Server:
        """The primary's replica takes its place, and it becomes the replica; gives the new primary."""
        (replica, *_) = self.replicas(primary)
        replica.call("CLUSTER", "FAILOVER")
        until(lambda: replica in self.primaries() and self.is_whole(), "the replica has taken over")
        return replica

    def kill(self, node: Server, *, wait: bool = True) -> None:
        """A node dies; returns when the others have noticed and serve all slots again, or at once with wait=False."""
        node.kill()
        if wait:
            until(lambda: self._has_recovered(node), "the cluster goes on without a node")

    def _has_recovered(self, dead: Server) -> bool:
        for node in self.running():
            if info(node.call("CLUSTER", "INFO"))["cluster_state"] != "ok":
                return False
            rows = [line.split() for line in node.call("CLUSTER", "NODES").decode().splitlines()]
            if not any(row[0] == self.id(dead) and "fail" in row[2].split(",") for row in rows):
                return False
            if any(row[2][1] == dead.port for row in node.call("CLUSTER", "SLOTS")):
                return False
        return True

    def heal(self) -> None:
        """Whatever died runs again, no slot is on its way, and no keys are left."""
        for node in self.nodes:
            if not node.runs:
                node.start()
        until(self.is_whole, "the cluster is whole again", 40)
        for node in self.primaries():
            node.empty()
            for number in _on_their_way(node.call("CLUSTER", "NODES").decode()):
                node.call("CLUSTER", "SETSLOT", number, "STABLE")

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        for bus in self._buses:
            bus.release()


class Moving:
    """One slot between two primaries. After `begin` the old one answers ASK for keys that it no longer has."""

    def __init__(self, cluster: Cluster, number: int, old: Server, new: Server) -> None:
        self.cluster, self.number, self.old, self.new = cluster, number, old, new

    def begin(self) -> None:
        self.new.call("CLUSTER", "SETSLOT", self.number, "IMPORTING", self.cluster.id(self.old))
        self.old.call("CLUSTER", "SETSLOT", self.number, "MIGRATING", self.cluster.id(self.new))

    def carry(self, count: int = 1000) -> list[bytes]:
        """Takes some of its keys over, or all; gives their names. A command on some of both answers TRYAGAIN."""
        keys: list[bytes] = self.old.call("CLUSTER", "GETKEYSINSLOT", self.number, count)
        if keys:
            self.old.call("MIGRATE", "127.0.0.1", self.new.port, "", 0, 5000, "KEYS", *keys)
        return keys

    def finish(self) -> None:
        """From now on the old one answers MOVED. Returns when everybody knows."""
        for node in (self.new, self.old):
            node.call("CLUSTER", "SETSLOT", self.number, "NODE", self.cluster.id(self.new))
        for node in self.cluster.primaries():
            node.call("CLUSTER", "SETSLOT", self.number, "NODE", self.cluster.id(self.new))
        nodes = self.cluster.running()
        what = "every node knows the slot's place"
        try:
            until(lambda: all(self._is_known_to(node) for node in nodes), what, 5)
        except AssertionError:  # of two nodes with the same epoch each may go on thinking that it is the other's
            self.new.call("CLUSTER", "BUMPEPOCH")
            until(lambda: all(self._is_known_to(node) for node in nodes), what)

    def _is_known_to(self, node: Server) -> bool:
        rows = node.call("CLUSTER", "SLOTS")
        return any(first <= self.number <= last and nodes[0][1] == self.new.port for first, last, *nodes in rows)


def _on_their_way(nodes: str) -> list[int]:
    """The slots that a node's own row of CLUSTER NODES shows in brackets."""
    mine = next(line for line in nodes.splitlines() if "myself" in line)
    return [int(word[1:].split("-", 1)[0]) for word in mine.split()[8:] if word.startswith("[")]
