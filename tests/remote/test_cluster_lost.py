"""A cluster's connection cut at a byte: no stale reply, no write sent twice, and on it goes.

Before each primary stands a proxy; one of them ends a connection at a random byte, be it the session's or one for
reading several slots, so that what that node has delivered to a group is pending, and said to be.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

import pytest

from streamcli.backend import LostError, UnreachableError
from streamcli.backend.remote import connect, slots
from streamcli.reply import NIL_ARRAY, OK, QUEUED, Map, Reply
from tests.remote.cluster import Cluster
from tests.remote.proxy import Proxy

pytestmark = pytest.mark.xdist_group("cluster")
RUNS: Final = 120
Argv = list[bytes]


class Run:
    """Three streams, one on each node, with a group each. Every field has its stream's name in it."""

    def __init__(self, seed: int, cluster: Cluster, proxies: list[Proxy]) -> None:
        self.rng = random.Random(seed)
        self.nodes = cluster.primaries()
        self.names = [cluster.key(node, b"lost-%d" % seed) for node in self.nodes]
        self.backend = connect(cluster.address(port=proxies[0].port, protocol=self.rng.choice((2, 3))))
        self.proxy = self.rng.choice(proxies)
        self.notes: list[str] = []
        self.backend.on_note = self.notes.append
        self.ids: dict[bytes, bytes] = {}  # of what was acknowledged, by its field
        self.unknown: list[set[bytes]] = []  # what went together, all or nothing
        self.shown: list[bytes] = []  # the IDs that the group's reading has shown
        self.faults: list[str] = []
        self.count = 0

    def go(self) -> None:
        for node, name in zip(self.nodes, self.names, strict=True):
            node.call("XGROUP", "CREATE", name, "g", "0", "MKSTREAM")
        steps = [self.rng.choice((self.add, self.add, self.read, self.group, self.transaction)) for _ in range(16)]
        self.proxy.cut(self.rng.randrange(2500), down=self.rng.random() < 0.5)
        for step in steps:
            try:
                step()
            except UnreachableError as error:
                self.faults.append(str(error))
                if self.backend.queued is not None:  # the transaction has not begun on any node
                    assert self.run([b"DISCARD"]) == OK
            except LostError as error:
                self.faults.append(str(error))
                assert self.backend.queued is None
        self.proxy.release()
        for name in self.names:
            assert isinstance(self.run([b"XLEN", name]), int)
        assert self.run([b"ECHO", b"well"]) == b"well"
        self.backend.close()
        assert len(self.faults) <= 1, self.faults
        assert all(line.isprintable() for line in (*self.faults, *self.notes))
        self.look()

    def run(self, argv: Argv) -> Any:
        return self.backend.execute(argv)

    # -- steps -----------------------------------------------------------------------------------

    def field(self, name: bytes) -> bytes:
        self.count += 1
        return b"%b.%d" % (name, self.count)

    def add(self) -> None:
        name = self.rng.choice(self.names)
        field = self.field(name)
        try:
            self.ids[field] = self.run([b"XADD", name, b"*", field, b"v" * self.rng.randrange(100)])
        except LostError:
            self.unknown.append({field})
            raise

    def read(self) -> None:
        name = self.rng.choice(self.names)
        self.belong(name, self.run([b"XRANGE", name, b"-", b"+"]))
        for of, entries in streams(self.run([b"XREAD", b"STREAMS", *self.names, b"0", b"0", b"0"])):
            self.belong(of, entries)
        token = b"token-%d" % self.rng.randrange(10**9)
        assert self.run([b"ECHO", token]) == token

    def group(self) -> None:
        block = [b"BLOCK", b"1"] if self.rng.random() < 0.3 else []
        reply = self.run([b"XREADGROUP", b"GROUP", b"g", b"c", *block, b"STREAMS", *self.names, b">", b">", b">"])
        for of, entries in streams(reply):
            self.belong(of, entries)
            self.shown += [b"%b %b" % (of, entry[0]) for entry in entries]

    def transaction(self) -> None:
        name = self.rng.choice(self.names)
        fields = [self.field(name) for _ in range(self.rng.randrange(1, 4))]
        assert self.run([b"MULTI"]) == OK
        for field in fields:
            assert self.run([b"XADD", name, b"*", field, b"v"]) == QUEUED
        try:
            reply = self.run([b"EXEC"])
        except LostError as error:
            if "not sent" not in str(error):
                self.unknown.append(set(fields))
            raise
        self.ids |= dict(zip(fields, reply, strict=True))

    # -- what must be -------------------------------------------------------------------------------

    def belong(self, name: bytes, entries: Any) -> None:
        """The entries are that stream's own, and what was acknowledged has the ID that was said."""
        for id_, (field, _) in entries:
            assert field.startswith(name + b".")
            assert self.ids.get(field, id_) == id_

    def look(self) -> None:
        found: dict[bytes, bytes] = {}
        delivered: list[bytes] = []
        for node, name in zip(self.nodes, self.names, strict=True):
            entries = node.call("XRANGE", name, "-", "+")
            self.belong(name, entries)
            assert not found.keys() & {fields[0] for _, fields in entries}
            assert len(entries) == len({fields[0] for _, fields in entries}), "a write was applied twice"
            found |= {fields[0]: id_ for id_, fields in entries}
            delivered += [b"%b %b" % (name, row[0]) for row in node.call("XPENDING", name, "g", "-", "+", 1000)]
        assert {field: found[field] for field in self.ids} == self.ids
        rest = set(found) - set(self.ids)
        for together in self.unknown:
            assert rest & together in (set(), together)
            rest -= together
        assert rest == set(), "a write that was never sent has been applied"
        assert len(self.shown) == len(set(self.shown)), "an entry was shown twice"
        assert set(self.shown) <= set(delivered)
        if set(self.shown) != set(delivered):
            assert any("what it may have delivered is pending" in line for line in (*self.faults, *self.notes))


def streams(reply: Reply) -> list[tuple[Any, Any]]:
    if isinstance(reply, Map):
        return list(reply.pairs)
    assert reply is None or reply == NIL_ARRAY or isinstance(reply, list)
    return [(item[0], item[1]) for item in reply] if isinstance(reply, list) else []  # type: ignore[index]


def test_whatever_the_byte_nothing_is_stale_and_nothing_is_sent_twice(
    cluster: Cluster, proxied: Callable[[int | str], Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = [proxied(node.port) for node in cluster.primaries()]
    instead = {node.port: proxy.port for node, proxy in zip(cluster.primaries(), proxies, strict=True)}
    place = slots._place
    monkeypatch.setattr(slots, "_place", lambda host, port, asked: place(host, instead.get(port, port), asked))
    faults = 0
    for seed in range(RUNS):
        try:
            run = Run(seed, cluster, proxies)
            run.go()
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        faults += len(run.faults)
    assert faults > RUNS // 10  # else hardly anything has been tried
