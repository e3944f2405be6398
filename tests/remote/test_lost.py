"""A connection cut at a byte: no stale reply, no write sent twice, nothing left of a transaction, and on it goes.

Each run is made from its seed, which pytest shows when it fails. It goes through a handful of commands, half of them
inside transactions, while a proxy ends the connection at a random byte of what is sent or of what is answered; if the
commands end before that, the connection is ended while it is idle. What became of them is read from the server itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import pytest

from streamcli.backend import Backend, LostError, UnreachableError
from streamcli.backend.address import Address
from streamcli.backend.remote import connect
from streamcli.reply import OK, QUEUED, Error, Reply
from streamcli.resp import encode_command
from tests.remote.processes import Server
from tests.remote.proxy import Proxy

RUNS: Final = 1000
CHUNK: Final = 50
WAYS: Final = (*("resp3", "resp2") * 4, "resp3", "tls")  # one after another

Argv = list[bytes]


def script(rng: random.Random, key: bytes) -> list[Argv]:
    """Some commands; every XADD has a field that no other has. Few block, which takes Redis a tenth of a second."""
    count = iter(range(100))
    block = [b"BLOCK", b"1"] if rng.random() < 0.1 else []

    def one() -> Argv:
        match rng.randrange(6):
            case 0 | 1:
                return [b"XADD", key, b"*", b"n%d" % next(count), b"v" * rng.randrange(200)]
            case 2:
                return [b"XLEN", key]
            case 3:
                return [b"XRANGE", key, b"-", b"+", b"COUNT", b"3"]
            case 4:
                return [b"XREAD", *block, b"STREAMS", key + b"-none", b"$"]
        return [b"ECHO", b"token-%d" % rng.randrange(10**9)]

    lines: list[Argv] = []
    while len(lines) < 12:
        if rng.random() < 0.3:
            lines += [[b"MULTI"], *(one() for _ in range(rng.randrange(4))), [b"EXEC"]]
        else:
            lines.append(one())
    return lines


class Run:
    """What one run expects and finds. A command's fate: done, never (sent), or unknown."""

    def __init__(self, seed: int, server: Server, proxy: Proxy, address: Address) -> None:
        self.rng = random.Random(seed)
        self.key = b"lost-%d" % seed
        self.server, self.proxy, self.address = server, proxy, address
        self.lines = script(self.rng, self.key)
        self.queue: list[Argv] | None = None
        self.ids: dict[bytes, bytes] = {}  # of what was acknowledged, by its field
        self.unknown: list[set[bytes]] = []  # what went together, all or nothing
        self.faults: list[str] = []
        self.notes: list[str] = []

    def go(self) -> None:
        early = self.rng.random() < 0.15
        if early:
            self.arm()
        backend = self.connected()
        if not early:
            self.arm()
        try:
            backend.on_note = self.notes.append
            for argv in self.lines:
                self.step(backend, argv)
                assert backend.queued == (None if self.queue is None else len(self.queue)), argv
            if not self.proxy.was_cut.is_set():
                self.proxy.release()
                self.proxy.drop()
            self.step(backend, [b"ECHO", b"after"])
            if self.queue is None and self.faults:
                assert backend.execute([b"ECHO", b"well"]) == b"well"
        finally:
            backend.close()
            self.proxy.release()
        assert len(self.faults) <= 1, self.faults
        for line in (*self.faults, *self.notes):
            assert line
            assert line.isprintable(), line
        self.look()

    def arm(self) -> None:
        """The cut falls on some byte of all that would pass. Of what is answered the amount is a guess."""
        total = sum(len(encode_command(argv)) for argv in self.lines)
        self.proxy.cut(self.rng.randrange(total), down=self.rng.random() < 0.5)

    def connected(self) -> Backend:
        """Some are cut while they connect: nothing was sent, and the next attempt succeeds."""
        try:
            return connect(self.address)
        except UnreachableError as error:
            self.faults.append(str(error))
        return connect(self.address)

    def step(self, backend: Backend, argv: Argv) -> None:
        """One command, and the reply that can be no other's."""
        try:
            reply = backend.execute(argv)
        except UnreachableError as error:
            self.faults.append(str(error))
            self.queue = None
        except LostError as error:
            self.faults.append(str(error))
            self.lost(argv, self.queue, "not sent" in str(error))
            self.queue = None
        else:
            self.hold(argv, reply)

    def lost(self, argv: Argv, queue: list[Argv] | None, unsent: bool) -> None:
        """What may have been applied. Commands queued for an EXEC that was never sent cannot have been."""
        if unsent or (queue is not None and argv != [b"EXEC"]):
            return
        self.unknown.append({line[3] for line in queue or [argv] if line[0] == b"XADD"})

    def hold(self, argv: Argv, reply: Reply) -> None:
        queue = self.queue
        if argv == [b"MULTI"]:
            assert reply == OK
            self.queue = []
        elif argv == [b"EXEC"]:
            if queue is None:
                assert reply == Error("ERR EXEC without MULTI")
                return
            assert isinstance(reply, list)
            self.queue = None
            for line, part in zip(queue, reply, strict=True):
                self.belongs(line, part)
        elif queue is not None:
            assert reply == QUEUED, argv
            queue.append(argv)
        else:
            self.belongs(argv, reply)

    def belongs(self, argv: Argv, reply: Reply) -> None:
        match argv[0]:
            case b"XADD":
                assert isinstance(reply, bytes)
                self.ids[argv[3]] = reply
            case b"ECHO":
                assert reply == argv[1]
            case b"XLEN":
                assert isinstance(reply, int)
            case b"XRANGE":
                assert isinstance(reply, list)
            case _:
                assert not isinstance(reply, (list, int, bytes, Error)), reply

    def look(self) -> None:
        """On the server: what was acknowledged once, what is unknown once or not at all, and nothing else."""
        found = self.server.call("XRANGE", self.key, "-", "+")
        fields = [fields[0] for _, fields in found]
        assert len(fields) == len(set(fields)), "a write was applied twice"
        assert {fields[0]: id for id, fields in found if fields[0] in self.ids} == self.ids
        rest = set(fields) - set(self.ids)
        for together in self.unknown:
            assert rest & together in (set(), together)
            rest -= together
        assert rest == set(), "a write that was never sent has been applied"


@pytest.mark.parametrize("first", range(0, RUNS, CHUNK))
def test_whatever_the_byte_nothing_is_stale_and_nothing_is_sent_twice(
    server: Server, proxied: Callable[[int | str], Proxy], first: int
) -> None:
    way = WAYS[first // CHUNK % len(WAYS)]
    proxy = proxied(server.tls_port if way == "tls" else server.port)
    address = server.tls_address(port=proxy.port) if way == "tls" else server.address(port=proxy.port)
    address = address._replace(protocol=2 if way == "resp2" else 3)
    for seed in range(first, first + CHUNK):
        try:
            Run(seed, server, proxy, address).go()
        except BaseException as error:
            error.add_note(f"seed {seed}, {way}")
            raise
