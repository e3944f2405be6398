"""A connection cut at a byte: no stale reply, no write sent twice, nothing left of a transaction, and on it goes.

Each run is made from its seed, which pytest shows when it fails. It goes through a handful of commands, half of them
inside transactions, while a proxy ends the connection at a random byte of what is sent or of what is answered; if the
commands end before that, the connection is ended while it is idle. What became of them is read from the server itself.

Some runs watch keys and change databases, take long replies as they arrive, or only in part; some send their commands
ahead of the replies; in some another thread looks something up all the while; and in some the user has enough: of a
read that blocks, or of a server from which nothing more comes.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

import pytest

from streamcli.backend import Backend, LostError, UnreachableError, Waiting
from streamcli.backend.address import Address
from streamcli.backend.remote import connect, pipeline
from streamcli.reply import NIL_ARRAY, OK, QUEUED, Arriving, Error, Reply
from streamcli.resp import encode_command
from tests.remote.processes import Server
from tests.remote.proxy import Proxy

RUNS: Final = 1000
CHUNK: Final = 50
WAYS: Final = (*("resp3", "resp2") * 4, "resp3", "tls")  # one after another
MANY: Final = b"lost-many"  # a stream whose entries are more than what is taken in one piece
ENTRIES: Final[list[Reply]] = [[b"1-%d" % number, [b"f", b"v"]] for number in range(1, 1101)]

Argv = list[bytes]
Written = tuple[int, bytes]  # in which database, and the field


def script(rng: random.Random, key: bytes) -> list[Argv]:
    """Some commands; every XADD has a field that no other has. Few block, which takes Redis a tenth of a second."""
    count = iter(range(100))
    block = [b"BLOCK", b"1"] if rng.random() < 0.1 else []
    states, long = rng.random() < 0.3, rng.random() < 0.1

    def one() -> Argv:
        match rng.randrange(7 if states else 6):
            case 0 | 1:
                return [b"XADD", key, b"*", b"n%d" % next(count), b"v" * rng.randrange(200)]
            case 2:
                return [b"XLEN", key]
            case 3:
                return [b"XRANGE", key, b"-", b"+", b"COUNT", b"3"]
            case 4:
                return [b"XREAD", *block, b"STREAMS", key + b"-none", b"$"]
            case 5:
                return [b"ECHO", b"token-%d" % rng.randrange(10**9)]
        return [b"SELECT", b"%d" % rng.randrange(2)]

    lines: list[Argv] = []
    while len(lines) < 12:
        if states and rng.random() < 0.3:
            lines.append([b"WATCH", key])
        if long and rng.random() < 0.2:
            lines.append([b"XRANGE", MANY, b"-", b"+"])
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
        self.db = 0
        self.watched: set[int] = set()  # in which databases the key is watched
        self.dirty = False  # what is watched has changed
        self.ids: dict[Written, bytes] = {}  # of what was acknowledged
        self.unknown: list[set[Written]] = []  # what went together, all or nothing
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.excused = False  # a long reply was not taken to its end: what hung on its connection goes with it
        self.ahead = self.rng.random() < 0.15
        self.beside = self.rng.random() < 0.1
        self.enough = self.rng.choices(("", "of a wait", "of silence"), (90, 4, 6))[0]
        if self.enough == "of silence":  # whoever takes a reply as it arrives is interrupted by the signal alone
            self.lines = [argv for argv in self.lines if argv[1:2] != [MANY]]

    def go(self) -> None:
        early = not self.enough and self.rng.random() < 0.15
        if early:
            self.arm()
        backend = self.connected()
        if not early:
            self.arm()
        looker = Looker(backend) if self.beside else None
        try:
            backend.on_note = self.notes.append
            if self.enough:
                backend.on_wait = self.has_enough
            if self.ahead:
                self.send_ahead(backend)
            else:
                for argv in self.lines:
                    self.step(backend, argv)
                    self.agree(backend, argv)
            if not self.proxy.was_cut.is_set():
                self.proxy.release()
                self.proxy.drop()
            self.step(backend, [b"ECHO", b"after"])
            if self.queue is None and self.faults:
                self.proxy.release()
                backend.on_wait = None  # a machine with much else to do is no server that is silent
                assert backend.execute([b"ECHO", b"well"]) == b"well"
            self.agree(backend, [])
        finally:
            if looker is not None:
                looker.end()
            backend.close()
            self.proxy.release()
        assert len(self.faults) <= 1, self.faults
        assert looker is None or looker.wrong == []
        for line in (*self.faults, *self.notes):
            assert line
            assert line.isprintable(), line
        self.look()

    def agree(self, backend: Backend, argv: Argv) -> None:
        """The prompt shows what is."""
        assert backend.queued == (None if self.queue is None else len(self.queue)), argv
        assert backend.db == self.db, argv

    def arm(self) -> None:
        """The cut falls on some byte of all that would pass. Of what is answered the amount is a guess."""
        total = sum(len(encode_command(argv)) for argv in self.lines)
        down = self.rng.random() < 0.5
        if down:
            total += sum(40_000 for argv in self.lines if argv[1:2] == [MANY])
        after = self.rng.randrange(total)
        if self.enough == "of silence":
            self.proxy.was_cut.clear()
            self.proxy.stall(after, down=down)
        else:
            self.proxy.cut(after, down=down)
        if self.enough == "of a wait":
            free = [at for at in range(len(self.lines)) if not _is_inside(self.lines, at)]
            line = [b"XREAD", b"BLOCK", b"5000", b"STREAMS", self.key + b"-none", b"$"]
            self.lines.insert(self.rng.choice(free), line)

    def has_enough(self, _: Waiting) -> None:
        self.proxy.release()
        raise KeyboardInterrupt

    def connected(self) -> Backend:
        """Some are cut while they connect: nothing was sent, and the next attempt succeeds."""
        try:
            return connect(self.address)
        except UnreachableError as error:
            self.faults.append(str(error))
        return connect(self.address)

    # -- commands one by one ---------------------------------------------------------------------

    def step(self, backend: Backend, argv: Argv) -> None:
        """One command, and the reply that can be no other's."""
        excused, self.excused = self.excused, False
        try:
            reply = self.taken(backend.execute(argv, arriving=True))
        except KeyboardInterrupt:  # nothing was changed, and nothing is lost
            assert self.enough
        except UnreachableError as error:
            self.faults.append(str(error))
            self.forget()
        except LostError as error:
            unsent = "not sent" in str(error)
            if not error.interrupted and not (excused and unsent):
                self.faults.append(str(error))
            if not self.excused:  # else what hung on the connection is said to be gone by the next command
                self.lost(argv, unsent)
        else:
            self.hold(argv, reply)

    def taken(self, reply: Reply) -> Reply:
        """All of a reply that arrives; or the beginning, after which anything may be in our way but must not be."""
        if not isinstance(reply, Arriving):
            return reply
        self.excused = True
        if self.rng.random() < 0.3:
            most = self.rng.randrange(1, len(ENTRIES))
            taken = [item for item, _ in zip(reply, range(most), strict=False)]
            assert taken == ENTRIES[:most]
            return ENTRIES
        whole = list(reply)
        self.excused = False
        return whole

    def lost(self, argv: Argv, unsent: bool) -> None:
        """What may have been applied. Commands queued for an EXEC that was never sent cannot have been."""
        if not unsent and (self.queue is None or argv == [b"EXEC"]):
            together = self.written([argv] if self.queue is None else self.queue)
            self.unknown.append(set(together))
        self.forget()

    def written(self, lines: list[Argv]) -> list[Written]:
        """What these commands write, one after another."""
        db, found = self.db, []
        for argv in lines:
            if argv[0] == b"SELECT":
                db = int(argv[1])
            elif argv[0] == b"XADD":
                found.append((db, argv[3]))
        return found

    def forget(self) -> None:
        """What a new connection does not have."""
        self.queue, self.dirty = None, False
        self.watched = set()

    # -- commands ahead of the replies -------------------------------------------------------------

    def send_ahead(self, backend: Backend) -> None:
        """All commands; EXEC and what waits when everything before has been answered."""
        pipe = pipeline.of(backend, window=8)
        assert pipe is not None
        for number, argv in enumerate([*self.lines, []], 1):
            alone = argv in ([], [b"EXEC"]) or b"BLOCK" in argv
            try:
                if not alone:
                    pipe.post(number, argv)
                while pipe.waiting and (alone or not pipe.is_half_empty):
                    pipe.wait()
                    for line, reply in pipe.arrived():
                        self.hold(list(line[1]), list(reply) if isinstance(reply, Arriving) else reply)
            except (LostError, UnreachableError, KeyboardInterrupt) as error:
                self.lost_ahead(pipe, error)
            if alone and argv:
                self.step(backend, argv)
            if not pipe.waiting:
                self.agree(backend, argv)

    def lost_ahead(self, pipe: pipeline.Pipeline, error: BaseException) -> None:
        """What may have been applied of what had been sent."""
        excused, self.excused = self.excused, False
        sent = [list(line[1]) for line in pipe.waiting][: pipe.sent]
        if isinstance(error, KeyboardInterrupt):
            assert self.enough
            pipe.interrupted()
        else:
            if not (excused and "not sent" in str(error)):
                self.faults.append(str(error))
            assert pipe.lost(str(error)).text.isprintable()
        assert not pipe.waiting
        if [b"MULTI"] in sent:
            sent = sent[: sent.index([b"MULTI"])]
        if self.queue is None:
            self.unknown += [{one} for one in self.written(sent)]
        self.forget()

    # -- replies ------------------------------------------------------------------------------------

    def hold(self, argv: Argv, reply: Reply) -> None:
        queue = self.queue
        if argv == [b"MULTI"]:
            assert reply == OK
            self.queue = []
        elif argv == [b"EXEC"]:
            self.executed(reply)
        elif queue is not None:
            assert reply == QUEUED, argv
            queue.append(argv)
        else:
            self.belongs(argv, reply)

    def executed(self, reply: Reply) -> None:
        queue, dirty, watched = self.queue, self.dirty, self.watched
        if queue is None:
            assert reply == Error("ERR EXEC without MULTI")
            return
        self.forget()
        if reply is None or reply == NIL_ARRAY:
            # What was lost on its way may have come after the key was watched.
            assert watched
            assert dirty or self.unknown
            return
        assert not dirty
        assert isinstance(reply, list)
        for line, part in zip(queue, reply, strict=True):
            self.belongs(line, part)

    def belongs(self, argv: Argv, reply: Reply) -> None:
        match argv[0]:
            case b"XADD":
                assert isinstance(reply, bytes)
                self.ids[self.db, argv[3]] = reply
                self.dirty = self.dirty or self.db in self.watched
            case b"ECHO":
                assert reply == argv[1]
            case b"XLEN":
                assert isinstance(reply, int)
            case b"XRANGE" if argv[1] == MANY:
                assert reply == ENTRIES
            case b"XRANGE":
                assert isinstance(reply, list)
                assert len(reply) <= 3
            case b"SELECT":
                assert reply == OK
                self.db = int(argv[1])
            case b"WATCH":
                assert reply == OK
                self.watched.add(self.db)
            case _:
                assert not isinstance(reply, (list, int, bytes, Error)), reply

    def look(self) -> None:
        """On the server: what was acknowledged once, what is unknown once or not at all, and nothing else."""
        found: list[tuple[Written, bytes]] = []
        with self.server.client() as client:
            for db in (0, 1):
                client.call("SELECT", db)
                found += [((db, fields[0]), id) for id, fields in client.call("XRANGE", self.key, "-", "+")]
        assert len(found) == len({field for (_, field), _ in found}), "a write was applied twice"
        assert {one: id for one, id in found if one in self.ids} == self.ids
        rest = {one for one, _ in found} - set(self.ids)
        for together in self.unknown:
            assert rest & together in (set(), together)
            rest -= together
        assert rest == set(), "a write that was never sent has been applied"


class Looker:
    """Looks things up from a thread of its own, until `end`; `wrong` are answers to what it did not ask."""

    def __init__(self, backend: Backend) -> None:
        self.wrong: list[Reply] = []
        self._backend = backend
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        number = 0
        while not self._ends.wait(0.001):
            number += 1
            word = b"beside-%d" % number
            reply = self._backend.browse([b"ECHO", word])
            if reply != word and not isinstance(reply, Error):
                self.wrong.append(reply)

    def end(self) -> None:
        self._ends.set()
        self._thread.join()


def _is_inside(lines: list[Argv], at: int) -> bool:
    """Is this place one in a transaction?"""
    return lines[:at].count([b"MULTI"]) > lines[:at].count([b"EXEC"])


@pytest.mark.parametrize("first", range(0, RUNS, CHUNK))
def test_whatever_the_byte_nothing_is_stale_and_nothing_is_sent_twice(
    server: Server, proxied: Callable[[int | str], Proxy], first: int
) -> None:
    with server.client() as client:
        for db in (0, 1):
            client.call("SELECT", db)
            client.pipeline([[b"XADD", MANY, b"1-%d" % number, b"f", b"v"] for number in range(1, len(ENTRIES) + 1)])
    way = WAYS[first // CHUNK % len(WAYS)]
    proxy = proxied(server.tls_port if way == "tls" else server.port)
    address = server.tls_address(port=proxy.port) if way == "tls" else server.address(port=proxy.port)
    address = address._replace(protocol=2 if way == "resp2" else 3)
    for seed in range(first, first + CHUNK):
        try:
            Run(seed, server, proxy, address).go()
        except KeyboardInterrupt as error:  # it would end all tests
            raise AssertionError(f"seed {seed}, {way}: a run's own interrupt came out of it") from error
        except BaseException as error:
            error.add_note(f"seed {seed}, {way}")
            raise
