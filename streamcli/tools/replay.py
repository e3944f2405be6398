"""`replay STREAM --to OTHER`: the entries of a stream added again, in the rhythm in which they once came."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from streamcli.backend import LostError, UnreachableError
from streamcli.flags import Flag, UsageError
from streamcli.ids import MAX_ID, MIN_ID, StreamID, parse_id
from streamcli.reply import Error, Reply
from streamcli.text import bare, counted
from streamcli.times import date_text, span_text
from streamcli.tools import state as states
from streamcli.tools.entries import Entry, id_of, pages
from streamcli.tools.job import INTERRUPTED, OK, Given, Job, RefusedError, Tool, ToolError, is_new_file, span_ms
from streamcli.tools.marks import Mark, behind, found, id_in, last_id, number_in, place_of
from streamcli.tools.places import place
from streamcli.tools.stopping import Stop, stopping
from streamcli.tools.survey import clock

if TYPE_CHECKING:
    from streamcli.backend import Backend

_SLICE_SECONDS: Final = 0.05  # so long Ctrl-C may go unnoticed
_AT_ONCE: Final = 512
_SPEED_MOST: Final = 1e9
_SECOND: Final = 1000


class Pace:
    """When each entry is due, in seconds from the beginning; `speed` None: all at once.

    Each is reckoned from the first, so that waits which are a little too long do not add up.
    """

    def __init__(self, speed: float | None, most_ms: int | None) -> None:
        self.speed, self._most_ms = speed, most_ms
        self.played_ms = self.lasted_ms = 0  # with gaps cut, and as it was
        self.cut = 0
        """How many gaps were longer than they may be."""
        self._last_ms: int | None = None

    def due(self, id: StreamID) -> float:
        """Of the next entry. The IDs come in their order."""
        gap = 0 if self._last_ms is None else id.ms - self._last_ms
        self._last_ms = id.ms
        self.lasted_ms += gap
        if self._most_ms is not None and gap > self._most_ms:
            gap, self.cut = self._most_ms, self.cut + 1
        self.played_ms += gap
        return 0.0 if self.speed is None else self.played_ms / _SECOND / self.speed


class Player:
    """Adds entries; `added` are certain, up to `last_id`, which has become `newest`.

    `late`: by how many seconds it was behind, at most. `uncertain`: how many behind
    `last_id` may be there, because they were not answered, or one before them was refused.
    """

    def __init__(self, target: Backend, name: bytes, pace: Pace, *, keeps_ids: bool) -> None:
        self.added = 0
        self.last_id: StreamID | None = None
        self.late = 0.0
        self.newest = MIN_ID
        self.uncertain = 0
        self._target, self._name, self._pace, self._keeps_ids = target, name, pace, keeps_ids

    def play(self, new: Iterator[Entry], stop: Stop) -> Iterator[int]:
        """Add them, each when it is due; gives now and then how many are. Ends early once it is to stop."""
        began = time.monotonic()
        together: list[Entry] = []
        for entry in new:
            due = began + self._pace.due(id_of(entry[0]))
            if together and (due > time.monotonic() or len(together) >= _AT_ONCE):
                self._add(together)
                together = []
                yield self.added
            if not _wait(due, stop):
                return
            self.late = max(self.late, time.monotonic() - due) if self._pace.speed is not None else 0.0
            together.append(entry)
        self._add(together)
        yield self.added

    def _add(self, together: list[Entry]) -> None:
        """All of them. Raises ToolError when one is refused, LostError."""
        argvs = [[b"XADD", self._name, id if self._keeps_ids else b"*", *fields] for id, fields in together]
        refused: tuple[bytes, Reply] | None = None
        behind = before = 0
        try:
            for (id, _), reply in zip(together, self._target.pipelined(argvs), strict=False):
                if type(reply) is not bytes:
                    refused = refused or (id, reply)
                elif refused is not None:
                    behind += 1
                else:
                    self.added, before = self.added + 1, before + 1
                    self.last_id, self.newest = id_of(id), id_of(reply)
        except LostError:
            self.uncertain = len(together) - before
            raise
        if refused is not None:
            self.uncertain = len(together) - before if behind else 0
            self._refuse(*refused, behind)

    def _refuse(self, id: bytes, reply: Reply, behind: int) -> None:
        more = f"; behind it {counted(behind, 'entry')} were added" if behind else ""
        what = f"{id.decode()} was refused{more}"
        if not isinstance(reply, Error):
            raise ToolError(f"{what}: XADD was answered with something that is no ID")
        if "equal or smaller" in reply.text:
            raise ToolError(
                f"{what}: {bare(self._name)} has that ID, or a greater one; without --keep-ids they are new"
            )
        raise ToolError(f"{what}: {RefusedError(reply, (b'XADD',))}")


def _wait(until: float, stop: Stop) -> bool:
    """Until then; False when it is to stop."""
    while not stop.asked:
        left = until - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(left, _SLICE_SECONDS))
    return False


# -- what was said ----------------------------------------------------------------------------


def _speed(text: str | None) -> float | None:
    """How many times as fast; None for as fast as it goes. Raises UsageError."""
    if text == "max":
        return None
    number = (text or "1x").removesuffix("x")
    digits = number.replace(".", "", 1)
    speed = float(number) if digits.isascii() and digits.isdigit() else 0.0
    if not 0 < speed <= _SPEED_MOST:
        raise UsageError(f"--speed takes a factor such as 10x or 0.5x, or max, not {text!r}")
    return speed


def _gap(text: str | None) -> int | None:
    """In ms. Raises UsageError."""
    if text is None:
        return None
    gap = span_ms(text)
    if gap is None:
        raise UsageError(f"--max-gap takes a length of time such as 5s or 1m, not {text!r}")
    return gap


class _Range:
    """What is to be replayed: to where the stream ends now, at most, so that it may be added to itself."""

    def __init__(self, job: Job, given: Given) -> None:
        self.key = given.words[0]
        state = states.read_state(job.backend, self.key)
        if state is None:
            raise ToolError(f"there is no stream {bare(self.key)}")
        now = clock(job.backend)
        start, end = given.text("start"), given.text("end")
        self.start = MIN_ID if start is None else place(start, now)
        self.end = state.last_id if end is None else min(state.last_id, place(end, now, last=True))
        self.last = state.last_id
        self.total = state.length if start is None and end is None else None
        self.there: frozenset[bytes] = frozenset()  # what was added before, though one before it was not

    def entries(self, backend: Backend) -> Iterator[Entry]:
        found = chain.from_iterable(pages(backend, self.key, self.start, self.end))
        return (entry for entry in found if entry[0] not in self.there) if self.there else found


# -- going on -----------------------------------------------------------------------------------


class _Course:
    """How far the same command once came, and what is kept of it when this one stops."""

    def __init__(self, job: Job, given: Given, range: _Range, target: Backend, name: bytes) -> None:
        said = [given.text(key) for key in ("start", "end", "speed", "max_gap")]
        places = place_of(job.backend), place_of(target)
        self._mark = Mark(job.environment, "replay", *places, range.key, name, repr(said), given.on("keep_ids"))
        self._job, self._range, self._target, self._name = job, range, target, name
        self.keeps_ids = given.on("keep_ids")
        self.last_id: StreamID | None = None
        try:
            self._last = last_id(target, name)
        except RefusedError:  # it may only be added to
            self._mark, self._last = Mark(job.environment, None), None
        self.newest = self._last or MIN_ID
        if not given.on("again") and (facts := self._mark.read()):
            self._go_on(facts)

    def _go_on(self, facts: Mapping[str, Any]) -> None:
        """Narrow the range to what is left of it."""
        last, newest, name = id_in(facts, "last"), id_in(facts, "newest"), bare(self._name)
        if last > self._range.last or self.newest < newest:
            self._job.say(f"replay: {name} is not the stream at which the same command stopped: it begins anew")
            return
        self._range.total, self._range.end = None, id_in(facts, "end")
        self._range.there = _ids_in(facts)
        if last > MIN_ID:
            self._pass(last)
        self._look(newest, number_in(facts, "uncertain"))
        where = f"behind {self.last_id}" if self.last_id is not None else "from the beginning"
        self._job.say(f"replay: it goes on {where}, where the same command stopped; --again begins anew")

    def _pass(self, id: StreamID) -> None:
        self.last_id, self._range.start = id, id.next() or MAX_ID
        if id == MAX_ID:
            self._range.end = MIN_ID

    def _look(self, newest: StreamID, uncertain: int) -> None:
        """What is there, behind `newest`, of the entries of which it was not certain?"""
        wanted = list(islice(self._range.entries(self._job.backend), uncertain))
        if not wanted:
            return
        there = behind(self._target, self._name, newest)
        places = found(map(self._alike, wanted), map(self._alike, there))
        done = next((at for at, place in enumerate(places) if place is None), len(places))
        if done:
            self._pass(id_of(wanted[done - 1][0]))
        self._range.there |= {id for (id, _), at in zip(wanted, places, strict=True) if at is not None}

    def _alike(self, entry: Entry) -> tuple[bytes, ...]:
        """What is the same of an entry and of its copy."""
        id, fields = entry
        return (id, *fields) if self.keeps_ids else tuple(fields)

    def keep(self, player: Player) -> bool:
        """Keep how far it came; is the same command going to go on?"""
        last = player.last_id or MIN_ID
        facts = {
            "last": last.text.decode(),
            "newest": player.newest.text.decode(),
            "end": self._range.end.text.decode(),
            "there": [id.decode() for id in self._range.there if id_of(id) > last],
        }
        return self._mark.keep({**facts, "uncertain": player.uncertain})

    def ended(self) -> None:
        self._mark.forget()


def _ids_in(facts: Mapping[str, Any]) -> frozenset[bytes]:
    """The entries that were found behind one that was not there."""
    kept = facts.get("there")
    ids = (parse_id(str(id).encode()) for id in kept) if isinstance(kept, list) else ()
    return frozenset(id.text for id in ids if id is not None)


# -- the tool -----------------------------------------------------------------------------------


def run(job: Job, given: Given) -> int:
    speed, most = _speed(given.text("speed")), _gap(given.text("max_gap"))
    to = given.text("to")
    if to is None:
        raise UsageError("say where to, by --to")
    name, at = os.fsencode(to), given.text("at")
    range, pace = _Range(job, given), Pace(speed, most)
    source = job.backend
    if given.dry_run:
        if at is None or not is_new_file(at):
            _Course(job, given, range, source if at is None else job.open(at), name)
        return _tell_plan(job, range, pace, name, at)
    target = source.beside() if at is None else job.open(at, writes=True)
    course = _Course(job, given, range, target, name)
    player = Player(target, name, pace, keeps_ids=course.keeps_ids)
    player.last_id, player.newest = course.last_id, course.newest
    began = time.monotonic()
    try:
        with stopping() as stop, job.progress(f"replay {bare(range.key)}", range.total) as shown:
            for done in player.play(range.entries(source), stop):
                shown.at(done)
            stopped = stop.asked
    except LostError as error:
        sent = f"; {player.uncertain} more were sent, and may be there" if player.uncertain else ""
        raise LostError(f"{error}; {_stand(player, course)}{sent}", interrupted=error.interrupted) from None
    except UnreachableError as error:
        raise UnreachableError(f"{error}; {_stand(player, course)}") from None
    except ToolError as error:
        raise ToolError(f"{error}; {_stand(player, course)}", error.code) from None
    finally:
        if at is None:
            target.close()
    seconds = time.monotonic() - began
    if stopped:
        job.say(f"replay: stopped; {_stand(player, course)}")
        return INTERRUPTED
    course.ended()
    _tell(job, range, player, pace, name, seconds)
    return OK


def _stand(player: Player, course: _Course) -> str:
    """How far it is, and how to go on."""
    stand = f"added {counted(player.added, 'entry')}"
    following = None if player.last_id is None else player.last_id.next()
    if following is None and not player.uncertain:
        return stand
    kept = course.keep(player)
    if following is None:
        return f"{stand}; the same command goes on" if kept else stand
    how = f"the same command goes on, any other with --from {following}" if kept else f"go on with --from {following}"
    return f"{stand}, up to {player.last_id}; {how}"


def _tell(job: Job, range: _Range, player: Player, pace: Pace, name: bytes, seconds: float) -> None:
    how = "as fast as it went" if pace.speed is None else f"in {seconds:.1f} s, at {pace.speed:g}x"
    sentence = f"{bare(range.key)}: {counted(player.added, 'entry')} added to {bare(name)} {how}"
    sentence += f"; it once took {_span(pace.lasted_ms)}"
    if pace.cut:
        sentence += f" ({counted(pace.cut, 'gap')} cut)"
    if player.late >= 1:
        sentence += f"; it was up to {player.late:.1f} s late"
    last = None if player.last_id is None else player.last_id.text
    job.did(
        sentence,
        [
            ("stream", range.key),
            ("to", name),
            ("added", player.added),
            ("last_id", last),
            ("gaps_cut", pace.cut),
            ("seconds", round(seconds, 3)),
            ("late_ms", round(player.late * _SECOND)),
            ("dry_run", False),
        ],
    )


def _tell_plan(job: Job, range: _Range, pace: Pace, name: bytes, at: str | None) -> int:
    """What would be added, and how long it would take; the entries are read for it."""
    number = 0
    first = last = b""
    seconds = 0.0
    with stopping() as stop, job.progress(f"read {bare(range.key)}", range.total) as shown:
        for id, _ in range.entries(job.backend):
            seconds = pace.due(id_of(id))
            first, last = first or id, id
            number += 1
            if number % _AT_ONCE == 0:
                shown.at(number)
                if stop.asked:
                    return INTERRUPTED
    takes = "at once" if pace.speed is None else f"in {_span(round(seconds * _SECOND))}"
    ends = f"\nfrom {_dated(first)} to {_dated(last)}" if number else ""
    cut = f" ({counted(pace.cut, 'gap')} cut)" if pace.cut else ""
    where = f"{bare(name)}" if at is None else f"{bare(name)} at {at}"
    job.did(
        f"{bare(range.key)}: {counted(number, 'entry')} would be added to {where} {takes}{cut}{ends}",
        [
            ("stream", range.key),
            ("to", name),
            ("added", number),
            ("first_id", first or None),
            ("last_id", last or None),
            ("gaps_cut", pace.cut),
            ("seconds", None if pace.speed is None else round(seconds, 3)),
            ("dry_run", True),
        ],
    )
    return OK


def _span(ms: int) -> str:
    return span_text(ms) or f"{ms} ms"


def _dated(id: bytes) -> str:
    date = date_text(id_of(id).ms)
    return f"{id.decode()} ({date})" if date else id.decode()


TOOL: Final = Tool(
    usage="STREAM --to OTHER",
    run=run,
    flags=(
        Flag(("--to",), "to", "The stream to add the entries to.", "STREAM"),
        Flag(("--at",), "at", "Where that stream is (default: here): a file, a URL, HOST:PORT or @PROFILE.", "TARGET"),
        Flag(("--speed",), "speed", "So many times as fast (default: 1x), or max.", "FACTOR"),
        Flag(("--max-gap",), "max_gap", "Wait no longer than this for the next entry, before --speed.", "SPAN"),
        Flag(("--from",), "start", "Begin at this ID or time.", "PLACE"),
        Flag(("--until",), "end", "End with this ID or time.", "PLACE"),
        Flag(("--keep-ids",), "keep_ids", "Keep the IDs (default: new ones, of the time of adding)."),
        Flag(("--again",), "again", "Begin anew, though the same command was stopped before its end."),
    ),
    least=1,
    most=1,
    roles=("key",),
    about="Add the entries of a stream to another one with the pauses that were between them, as their IDs tell: to "
    "try a consumer with what has really happened. Each pause is reckoned from the first entry, so nothing drifts.",
    examples=(
        "replay orders --to orders:test --speed 10x",
        "replay orders --to orders --at sandbox.db --from -1h --max-gap 5s",
        "replay orders --to orders:test --speed max --keep-ids",
    ),
    writes=True,
)
