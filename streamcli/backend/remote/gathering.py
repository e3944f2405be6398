"""One reading of streams in several slots: each slot's part on a connection of its own, all at the same time.

First without waiting; when there is nothing yet, all parts wait, the first that
has something ends the wait of the others, and what those have got in the same
moment is taken, too: what a group has delivered is shown, whatever happens.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Final

from streamcli.backend import LostError, UnreachableError
from streamcli.backend.remote.link import NOTHING, Link
from streamcli.backend.remote.nodes import Nodes
from streamcli.backend.remote.slots import AGAIN_SECONDS, REDIRECTS_MOST, Place, redirect
from streamcli.backend.remote.splitting import Part, Reading, is_empty
from streamcli.reply import Error, Map, Reply
from streamcli.resp import encode_command

PARTS_MOST: Final = 200  # slots in one command; each costs a connection
_END_SECONDS: Final = 1.0  # of silence, when answers are still due and no more is wanted
_END_SECONDS_MOST: Final = 10.0
_POLL_SECONDS: Final = 0.1

Tick = Callable[[int, "int | None"], None]
Route = Callable[[int, bool], "tuple[Place, bool]"]


class Gatherer:
    """Reads for one user. `route` gives the node of a slot, and whether it is a replica; `tick` as Remote's."""

    def __init__(self, nodes: Nodes, route: Route, tick: Tick, note: Callable[[str], None]) -> None:
        self._nodes, self._route, self._tick, self._note = nodes, route, tick, note
        self._links: dict[tuple[Place, bool, int], Link] = {}
        self._due: set[Link] = set()  # those whose answer has not been taken
        self._asked: dict[Part, Place] = {}
        self._began = 0.0
        self._block_ms: int | None = None
        self._failure: LostError | None = None

    def read(self, reading: Reading) -> Reply:
        """The reply. Raises LostError, UnreachableError, KeyboardInterrupt."""
        self._began, self._failure, self._asked = time.monotonic(), None, {}
        self._block_ms = reading.block_ms
        while True:
            answers = self._round(reading, None)
            reply = self._settled(reading, answers)
            if reply is not None or reading.block_ms is None:
                return self._empty(reading) if reply is None else reply
            left_ms = reading.block_ms
            if left_ms:
                left_ms -= self._elapsed_ms()
                if left_ms <= 0:
                    return self._empty(reading)
            answers = self._round(reading, left_ms)
            gone = [part for part, reply in answers.items() if self._redirects(part, reply)]
            for part in gone:
                answers[part] = None
            if gone and not _found(answers):  # a slot is elsewhere, or on its way: from the start, in a moment
                self._pause(_POLL_SECONDS)
                continue
            reply = self._settled(reading, answers)
            if reply is not None:
                return reply
            if self._elapsed_ms() >= reading.block_ms > 0:
                return self._empty(reading)

    def resolve(self, reading: Reading, ask: Callable[[bytes], Reply]) -> None:
        """Put the last ID of its stream in each `$`'s place, so that nothing falls between two looks.

        `ask` gives XINFO STREAM of a key. Where it is refused `$` stays, for the server to read.
        """
        for part in reading.parts:
            for at, id_ in enumerate(part.ids):
                if id_ == b"$":
                    part.ids[at] = _last_id(ask(part.keys[at])) or b"$"

    def close(self) -> None:
        for link in self._links.values():
            link.close()

    # -- one round: every part is sent, every answer taken -------------------------------------

    def _round(self, reading: Reading, block_ms: int | None) -> dict[Part, Reply]:
        """An answer for each part, or what came until one of them had something. Raises as `read` does."""
        links = {part: self._open(part, reading) for part in reading.parts}
        answers: dict[Part, Reply] = {}
        pending: dict[Part, Link] = {}
        try:
            for part, link in links.items():
                self._ask(part, link, reading.argv(part, block_ms), pending)
            self._take(pending, answers, block_ms)
            if block_ms is None:
                for part in reading.parts:
                    self._follow(reading, part, pending, answers)
        except (KeyboardInterrupt, LostError, UnreachableError) as error:
            if reading.consumes:
                self._end(pending, answers, block_ms)
            else:
                self._drop(pending)
            if not (reading.consumes and _found(answers)):
                raise self._told(error, reading) from None
            unknown = f"; {reading.undelivered}" if isinstance(error, LostError) else ""
            self._note(f"{str(error) or 'interrupted'}{unknown}; this is what the other nodes had delivered")
        else:
            self._end(pending, answers, block_ms)
        failure, self._failure = self._failure, None
        if failure is not None and reading.consumes:
            if not _found(answers):
                raise LostError(f"{failure}; {reading.undelivered}")
            self._note(f"{failure}; {reading.undelivered}")
        return answers

    def _ask(self, part: Part, link: Link, argv: list[bytes], pending: dict[Part, Link]) -> None:
        self._asked[part] = Place(link.at.host, link.at.port)
        self._send(link, argv)
        pending[part] = link

    def _take(self, pending: dict[Part, Link], answers: dict[Part, Reply], block_ms: int | None) -> None:
        """Take what comes, until it is all or (of waits) until one has something."""
        limit = self._nodes.seed.state.address.timeout if block_ms is None else None
        began = time.monotonic()
        while pending:
            for part in list(pending):
                self._taken(part, pending, answers)
            if not pending or (block_ms is not None and any(not is_empty(reply) for reply in answers.values())):
                return
            select.select(list(pending.values()), [], [], _POLL_SECONDS)
            if limit is not None and time.monotonic() - began >= limit:
                late = next(iter(pending.values())).at
                self._drop(pending)
                raise LostError(f"no reply from {late} within {limit:g} s")
            self._ticks()

    def _taken(self, part: Part, pending: dict[Part, Link], answers: dict[Part, Reply]) -> bool:
        """Take a part's answer; False when it is not there yet. Raises LostError."""
        link = pending[part]
        try:
            reply = link.glance()
        except LostError:
            del pending[part]
            raise
        if reply is NOTHING:
            return False
        del pending[part]
        self._due.discard(link)
        answers[part] = reply  # type: ignore[assignment]
        return True

    def _end(self, pending: dict[Part, Link], answers: dict[Part, Reply], block_ms: int | None) -> None:
        """End the waits that go on, and take what they answer; a connection that does not is closed.

        The user is not asked whether to go on: it takes a moment, and shows what has been delivered.
        """
        firm: set[Place] = set()  # where no wait can be ended
        for part, link in list(pending.items()):
            if block_ms is None or link.id is None:
                continue
            place = self._asked[part]
            if place not in firm:
                node = self._nodes.at(place, link.address.replica)
                if not isinstance(node.browse((b"CLIENT", b"UNBLOCK", b"%d" % link.id)), Error):
                    continue
                firm.add(place)
            try:
                if self._taken(part, pending, answers):
                    continue
            except LostError as error:
                self._failure = error
                continue
            self._failure = LostError(f"the wait at {link.at} could not be ended: the connection was dropped")
            link.close()
            del pending[part]
        self._take_the_rest(pending, answers)

    def _take_the_rest(self, pending: dict[Part, Link], answers: dict[Part, Reply]) -> None:
        """Take what still comes, until nothing has for a while; what cannot be taken is a failure."""
        began = heard = time.monotonic()
        while pending:
            for part in list(pending):
                try:
                    self._taken(part, pending, answers)
                except LostError as error:
                    self._failure = error
            ready, _, _ = select.select(list(pending.values()), [], [], _POLL_SECONDS if pending else 0)
            now = time.monotonic()
            heard = now if ready else heard
            if now - heard >= _END_SECONDS or now - began >= _END_SECONDS_MOST:
                break
        for link in pending.values():
            self._failure = LostError(f"no reply from {link.at} within {_END_SECONDS:g} s")
        self._drop(pending)

    def _drop(self, pending: dict[Part, Link]) -> None:
        for link in pending.values():
            link.close()
        pending.clear()

    def _told(self, error: BaseException, reading: Reading) -> BaseException:
        """What to raise when there is nothing to show."""
        failure, self._failure = self._failure, None
        if isinstance(error, UnreachableError):
            return error
        if not isinstance(error, KeyboardInterrupt):
            self._nodes.stale = True
            if not reading.consumes:
                return LostError(f"{error}; the command only reads and may be sent again")
            return LostError(f"{error} after the command was sent; {reading.undelivered}")
        if failure is not None and reading.consumes:
            return LostError(f"interrupted: {failure}; {reading.undelivered}", interrupted=True)
        return error

    def _send(self, link: Link, argv: list[bytes]) -> None:
        self._due.add(link)
        link.send(encode_command(argv))

    def _receive(self, link: Link, limit: float | None) -> Reply:
        reply = link.receive(lambda _: self._ticks(), limit=limit)
        self._due.discard(link)
        return reply

    def _pause(self, seconds: float) -> None:
        self._ticks()
        time.sleep(seconds)

    def _ticks(self) -> None:
        self._tick(self._elapsed_ms(), self._block_ms)

    # -- connections ------------------------------------------------------------------------------

    def _open(self, part: Part, reading: Reading) -> Link:
        """A connection to the part's node that nobody else uses. Raises UnreachableError."""
        place, replica = self._route(part.slot, not reading.consumes)
        try:
            return self._open_at(place, replica, reading.parts.index(part))
        except UnreachableError as error:
            self._nodes.learn(without=place)
            instead, of_replica = self._route(part.slot, False)
            if (instead, of_replica) == (place, replica):
                raise UnreachableError(f"{error}; slot {part.slot} is there") from None
            return self._open_at(instead, of_replica, reading.parts.index(part))

    def _open_at(self, place: Place, replica: bool, number: int) -> Link:
        wanted = self._nodes.address_at(place, replica)
        link = self._links.get((place, replica, number))
        if link is None or link.address != wanted or link in self._due:
            if link is not None:
                link.close()  # with the answer that nobody has waited for
                self._due.discard(link)
            link = self._links[place, replica, number] = Link(wanted)
        if not link.is_alive():
            link.open(lambda _: self._ticks())
            if link.id is None:  # an old server does not tell when it is greeted
                self._send(link, [b"CLIENT", b"ID"])
                told = self._receive(link, _END_SECONDS)
                link.id = told if isinstance(told, int) else None
        return link

    def _redirects(self, part: Part, reply: Reply) -> bool:
        """Is the slot elsewhere by now? That is noted, and does not mean that anything was read."""
        if not isinstance(reply, Error):
            return False
        there = redirect(reply, self._asked[part])
        if there is None:
            return reply.code == "TRYAGAIN"
        if not there.asks and self._nodes.slots.move(there.slot, there.place):
            self._nodes.stale = True
        return True

    def _follow(self, reading: Reading, part: Part, pending: dict[Part, Link], answers: dict[Part, Reply]) -> None:
        """Take the answer of the node that others send us to; nothing was read where one does."""
        pauses = list(AGAIN_SECONDS)
        for _ in range(REDIRECTS_MOST):
            reply = answers[part]
            if not self._redirects(part, reply):
                return
            there = redirect(reply, self._asked[part])
            if there is None:
                if not pauses:
                    return
                self._pause(pauses.pop(0))
                link = self._open(part, reading)
            else:
                link = self._open_at(there.place, False, reading.parts.index(part))
                if there.asks:
                    self._send(link, [b"ASKING"])
                    self._receive(link, _END_SECONDS)
            del answers[part]
            self._ask(part, link, reading.argv(part), pending)
            self._take(pending, answers, None)

    # -- answers --------------------------------------------------------------------------------------

    def _settled(self, reading: Reading, answers: dict[Part, Reply]) -> Reply:
        """One reply made of all; None while there is nothing at all."""
        replies = [answers.get(part) for part in reading.parts]
        errors = [reply for reply in replies if isinstance(reply, Error)]
        found = _found(answers)
        if errors and not (found and reading.consumes):
            return errors[0]
        for error in errors:
            self._note(f"of another slot: {error.text}")
        if not found:
            return None
        kept = [None if isinstance(reply, Error) else reply for reply in replies]
        return reading.together(kept, self._protocol(answers))

    def _protocol(self, answers: dict[Part, Reply]) -> int:
        return 3 if any(isinstance(reply, Map) for reply in answers.values()) else 2

    def _empty(self, reading: Reading) -> Reply:
        protocol = next((link.protocol for link in self._links.values() if link.is_open), 2)
        return reading.together([None] * len(reading.parts), protocol)

    def _elapsed_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)


def _found(answers: dict[Part, Reply]) -> bool:
    """Has anything been read?"""
    return any(not is_empty(reply) and not isinstance(reply, Error) for reply in answers.values())


def _last_id(reply: Reply) -> bytes | None:
    """Of an XINFO STREAM; a stream that is not there begins at 0."""
    if isinstance(reply, Error):
        return b"0-0" if reply.text == "ERR no such key" else None
    flat = [word for pair in reply for word in pair] if isinstance(reply, Map) else reply
    if not isinstance(flat, list):
        return None
    for name, value in zip(flat[::2], flat[1::2], strict=False):
        if name == b"last-generated-id" and isinstance(value, bytes):
            return value
    return None
