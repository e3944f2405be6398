"""The records of a file brought into streams: looked at first, then applied; or both at once.

Knows records, landings and a backend. Does not know files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from streamcli.backend import LostError, Pouring, Ready, UnreachableError
from streamcli.flags import UsageError
from streamcli.ids import MIN_ID, parse_id
from streamcli.reply import Error, Reply
from streamcli.text import bare
from streamcli.tools.expiry import expire
from streamcli.tools.job import UNREACHABLE, RefusedError, ToolError
from streamcli.tools.landing import MARK, Landing
from streamcli.tools.outgoing import Rest, commands, ready
from streamcli.tools.records import Batch, End, GroupLine, Header, LineError, PendingLine, Record, Settings
from streamcli.tools.state import Notes, Pending, State, claim, finish, make_groups, settle

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.tools.progress import Progress
    from streamcli.tools.resuming import Course
    from streamcli.tools.stopping import Stop

_ABOVE: Final = "equal or smaller"
_PIPELINED, _POURED = 512, 2048  # commands sent ahead
_SETTLED: Final = 1024  # answers after which what is certain is counted


class Plan:
    """What was asked for. `to`: the stream, None for those that the file names.

    `batch`: how many commands are sent ahead; None for as many as suits the backend.
    """

    def __init__(
        self,
        *,
        to: bytes | None = None,
        new_ids: bool = False,
        append: bool = False,
        groups: bool = False,
        batch: int | None = None,
        from_line: int = 1,
    ) -> None:
        self.to, self.new_ids, self.append, self.groups = to, new_ids, append, groups
        self.batch, self.from_line = batch, from_line


class Import:
    """One import: `look` may go through the records before `apply` does.

    `line` is the last one of which all is certain to be done, `sent` the last one that may be; `began`: some may
    have been. `unnamed`: entries get new IDs, so that nothing but `course` tells which of them are there.
    """

    def __init__(self, backend: Backend, plan: Plan, course: Course | None = None) -> None:
        self.plan, self.course = plan, course
        self.notes = Notes()
        self.landings: dict[bytes, Landing] = {}
        self.groups = self.pending = 0
        self.entries = 0  # that were found in the file
        self.line = self.sent = 0
        self.unnamed = plan.new_ids
        self.began = self.stopped = False
        self.left_out_groups = False
        self._backend = backend
        self._aside = backend.beside()  # for looking while commands are on their way
        self._to_of: bytes | None = None  # the stream of the file that --to is another name for
        self._looked = False
        self._header: Header | None = None
        self._settings: dict[bytes, State] = {}
        self._expires: dict[bytes, int | None] = {}
        self._settled: set[bytes] = set()
        self._skipped_groups: set[tuple[bytes, bytes]] = set()

    def close(self) -> None:
        self._aside.close()

    @property
    def added(self) -> int:
        return sum(landing.added for landing in self.landings.values())

    @property
    def skipped(self) -> int:
        return sum(landing.skipped for landing in self.landings.values())

    # -- looking ---------------------------------------------------------------------------

    def look(self, records: Iterator[Record], stop: Stop, progress: Progress) -> int:
        """How many entries would be added. Raises ToolError for the first thing that is wrong."""
        new = 0
        for record in self._counted(records):
            if isinstance(record, Batch):
                batch = self._due(record)
                words = self._checked(batch).words
                new += len(words) - words.count(None)
                progress.at(self.entries)
            elif isinstance(record, Settings):
                self._landing(record.stream, record.line)
            elif isinstance(record, GroupLine):
                self._look_at_group(record)
            if stop.asked:
                self.stopped = True
                break
        self._looked = True
        return new

    def _counted(self, records: Iterator[Record]) -> Iterator[Record]:
        """The records, held to what the file's first and last line say of them."""
        self._header, self.entries = None, 0
        groups = pending = line = 0
        end: End | None = None
        for record in records:
            if end is not None:
                where = record.lines[0] if isinstance(record, Batch) else record.line
                raise LineError(where, f"the export has ended on line {end.line}; import files one by one")
            if isinstance(record, Batch):
                line = record.lines[-1]
                self.entries += len(record.words) - record.words.count(None)
            elif isinstance(record, Header):
                line = record.line
                if self._header is not None or line != 1:
                    raise LineError(line, "it is the first line of an export; import files one by one")
                self._header = record
            else:
                line = record.line
                groups += isinstance(record, GroupLine)
                pending += isinstance(record, PendingLine)
                end = record if isinstance(record, End) else None
            yield record
        if end is not None and (end.entries, end.groups, end.pending) != (self.entries, groups, pending):
            raise LineError(
                end.line, f"the export says that it has {end.entries} entries, and {self.entries} are there"
            )
        if end is None and self._header is not None and not self.stopped:
            raise ToolError(f"the file ends behind line {line}, before the end of the export: it was cut off")

    def _checked(self, batch: Batch) -> Batch:
        """What is new of the entries. Raises LineError."""
        if not batch.words:
            return batch
        landing = self._landing(batch.stream, batch.lines[0])
        return landing.later(batch) if self._looked else landing.new_ones(batch)

    def _due(self, batch: Batch) -> Batch:
        """The entries from the line on that was asked for, without IDs that are not wanted, or gone ones."""
        if self.plan.from_line > batch.lines[0]:
            at = sum(line < self.plan.from_line for line in batch.lines)
            ids = None if batch.ids is None else batch.ids[at:]
            batch = Batch(batch.stream, batch.lines[at:], ids, batch.words[at:])
        if not self.plan.groups and None in batch.words:
            there = [at for at, words in enumerate(batch.words) if words is not None]
            ids = None if batch.ids is None else [batch.ids[at] for at in there]
            batch = Batch(batch.stream, [batch.lines[at] for at in there], ids, [batch.words[at] for at in there])
        if self.plan.new_ids:
            batch = batch._replace(ids=None)
        if self.course is None or batch.ids is not None or not batch.words:
            return batch
        return self.course.left(batch, self._landing(batch.stream, batch.lines[0]), looks=not self._looked)

    def _landing(self, stream: bytes | None, line: int) -> Landing:
        name = self._name(stream, line)
        landing = self.landings.get(name)
        if landing is None:
            landing = Landing(self._aside, name, append=self.plan.append, whole=self.plan.groups)
            self.landings[name] = landing
        return landing

    def _name(self, stream: bytes | None, line: int) -> bytes:
        """The stream that entries go to."""
        if stream is None and self._header is not None and len(self._header.streams) == 1:
            stream = self._header.streams[0]
        to = self.plan.to
        if to is None:
            if stream is None:
                raise UsageError("the file does not say which stream it is of: name one with --to")
            return stream
        if stream is not None and self._to_of is not None and self._to_of != stream:
            raise LineError(line, f"the file has several streams, and --to names one: {bare(to)}")
        self._to_of = stream
        return to

    def _look_at_group(self, record: GroupLine) -> None:
        """A group that is there is not set to another place. Raises LineError."""
        if not self.plan.groups:
            return
        landing = self._landing(record.stream, record.line)
        if landing.marked or landing.state is None:
            return
        there = next((one for one in landing.state.groups if one.name == record.group.name), None)
        if there is None:
            return
        name = bare(record.group.name)
        if there.last_id != record.group.last_id:
            raise LineError(
                record.line,
                f"{bare(landing.key)} has a group {name} that stands at {there.last_id}, and in the file at "
                f"{record.group.last_id}; destroy it, or import without --groups",
            )
        self._skipped_groups.add((landing.key, there.name))
        self.notes.add(f"{bare(landing.key)} has the group {name} already: it stays as it is")

    # -- applying --------------------------------------------------------------------------

    def apply(self, records: Iterator[Record], stop: Stop, progress: Progress) -> None:
        """Add the entries and make the groups. Raises ToolError: `line` says how far it has come."""
        rest = Rest(self._counted(records))
        while (record := rest.take()) is not None:
            if isinstance(record, Batch):
                rest.back(record)
                self._add(rest, stop, progress)
            elif isinstance(record, PendingLine):
                if self.plan.groups and not self._claim(record, rest):
                    continue
            elif isinstance(record, Settings):
                if self.plan.groups:
                    self._begin(record)
            elif isinstance(record, GroupLine):
                self.left_out_groups = not self.plan.groups
                if self.plan.groups:
                    self._group(record)
            if self.stopped:
                return
            if not isinstance(record, Batch):
                self.line = record.line
            if stop.asked and not isinstance(record, End):
                self.stopped = True
                return
        if self.plan.groups:
            for stream in list(self._settings):
                self._finish(stream)

    def _add(self, rest: Rest, stop: Stop, progress: Progress) -> None:
        """Send the entries up to the next record of another kind. What is refused stops it."""
        sending = _Sending(self, rest, stop)
        done = 0
        refused: tuple[int, Error] | None = None
        behind: list[int] = []
        try:
            for answers in self._answers(sending):
                for number, reply in enumerate([] if isinstance(answers, int) else answers, done):
                    if isinstance(reply, Error):
                        sending.ended = True
                        refused = refused or (number, reply)
                    elif refused is not None:
                        behind.append(number)
                if isinstance(answers, int):
                    behind += range(done, done + answers) if refused is not None else ()
                    done += answers
                else:
                    sending.came(done, answers if refused is None else answers[: max(0, refused[0] - done)])
                    done += len(answers)
                if refused is None:
                    sending.settle(done)
                    progress.at(self.entries)
        except (LostError, UnreachableError) as error:
            self._certain(sending, done if refused is None else refused[0])
            raise ToolError(f"{error}; {self.where()}", UNREACHABLE) from None
        self._certain(sending, done if refused is None else refused[0])
        if refused is not None:
            raise self._refused(sending, *refused, behind)
        if sending.fault is not None:
            raise sending.fault
        if sending.stopped:
            self.stopped = True

    def _answers(self, sending: _Sending) -> Iterator[int | list[Reply]]:
        """How many entries were added, or else the replies to them."""
        if isinstance(self._backend, Pouring):
            window = self.plan.batch or _POURED
            blocks = sending.ready((window + 1) // 2)
            yield from self._backend.poured(blocks, window=window, still=lambda: not sending.ended)
            return
        added = 0
        ids: list[Reply] = []
        try:
            for reply in self._backend.pipelined(sending, window=self.plan.batch or _PIPELINED):
                if self.unnamed:
                    ids.append(reply)
                    if len(ids) == _SETTLED:
                        yield ids
                        ids = []
                elif isinstance(reply, Error):
                    yield added
                    added = 0
                    yield [reply]
                elif (added := added + 1) == _SETTLED:
                    yield added
                    added = 0
        except (LostError, UnreachableError):
            yield ids or added
            raise
        yield ids or added

    def _certain(self, sending: _Sending, done: int) -> None:
        self.sent = sending.last_line or self.sent
        sending.settle(done)
        self.line = sending.line_before(done) or self.line

    def _refused(self, sending: _Sending, at: int, error: Error, behind: list[int]) -> ToolError:
        line, landing = sending.line_of(at)
        text = f"XADD: {error.text}"
        if _ABOVE in error.text:
            text = f"its ID is not above the last one of {bare(landing.key)} any more: somebody else adds to it"
        certain = self._certain_line()
        after = f"line {certain} is the last that is done" if certain else "nothing was done before it"
        if behind:
            first, last = sending.line_of(behind[0])[0], sending.line_of(behind[-1])[0]
            span = f"line {first}" if first == last else f"lines {first} to {last}"
            after += f"; but {len(behind)} of those sent behind it were added, too: of {span}"
        if self.unnamed and self._goes_on():
            after += "; the same command goes on"
        return LineError(line, f"{text}; {after}")

    def where(self) -> str:
        """How far it is, and how to go on, for somebody who reads why it stopped."""
        if not self.line and not self.began:
            return "nothing was done"
        goes_on, line = self._goes_on(), self._certain_line()
        if not line:
            return "nothing is certain to be done" + ("; the same command goes on" if goes_on else "")
        if not goes_on:
            return f"line {line} is the last that is certain to be done: --from-line {line + 1} goes on"
        return f"line {line} is the last that is certain to be done; the same command goes on from there"

    def _certain_line(self) -> int:
        """By this run, or by the one that it goes on from."""
        return max(self.line, self.course.line if self.course is not None else 0)

    def _goes_on(self) -> bool:
        """Is the same command going to go on?"""
        if not self.unnamed:
            return True
        return self.course is not None and self.course.keep(self.line, self.sent, self.landings.values())

    # -- groups ----------------------------------------------------------------------------

    def _begin(self, record: Settings) -> None:
        """Mark a stream as one whose groups are still to come; it is made by that."""
        for stream in list(self._settings):
            self._finish(stream)
        landing = self._landing(record.stream, record.line)
        self._settings[landing.key] = record.state
        self._expires[landing.key] = record.expires_ms
        if landing.marked or landing.state is None:
            reply = self._backend.execute((b"XGROUP", b"CREATE", landing.key, MARK, b"0", b"MKSTREAM"))
            if isinstance(reply, Error) and reply.code != "BUSYGROUP":
                raise RefusedError(reply, (b"XGROUP", b"CREATE"))
            landing.marked = True

    def _settle(self, landing: Landing) -> None:
        """Before its first group: the stream's last ID and counters."""
        if landing.key in self._settled or landing.key not in self._settings:
            return
        self._settled.add(landing.key)
        if landing.marked or landing.added:
            settle(self._backend, landing.key, self._settings[landing.key], self.notes)

    def _group(self, record: GroupLine) -> None:
        landing = self._landing(record.stream, record.line)
        if not self._looked:
            self._look_at_group(record)
        self._settle(landing)
        if (landing.key, record.group.name) not in self._skipped_groups:
            make_groups(self._backend, landing.key, [record.group], self.notes)
            self.groups += 1

    def _claim(self, first: PendingLine, rest: Rest) -> bool:
        """Make all that follows of the same group pending. Always False: the line is counted here."""
        landing = self._landing(first.stream, first.line)
        skip = (landing.key, first.group) in self._skipped_groups
        last = first

        def rows() -> Iterator[Pending]:
            nonlocal last
            record: Record | None = first
            while isinstance(record, PendingLine) and (record.stream, record.group) == (first.stream, first.group):
                last = record
                if skip or record.row.id not in landing.absent:
                    yield record.row
                else:
                    self.notes.left_out += 1
                record = rest.take()
            if record is not None:
                rest.back(record)

        if skip:
            deque(rows(), 0)
        else:
            self.pending += claim(self._backend, landing.key, first.group, rows(), self.notes)
        self.line = last.line
        return False

    def _finish(self, stream: bytes) -> None:
        """The stream is whole: what stood for gone entries, and the mark, are taken away."""
        landing = self.landings[stream]
        self._settle(landing)
        state = self._settings.pop(stream)
        finish(self._backend, stream, state, landing.stand_ins, self.notes)
        expires = self._expires.pop(stream)
        if landing.marked and expires is not None:
            expire(self._backend, stream, expires, self.notes)
        if landing.marked:
            reply = self._backend.execute((b"XGROUP", b"DESTROY", stream, MARK))
            if isinstance(reply, Error):
                raise RefusedError(reply, (b"XGROUP", b"DESTROY"))
            landing.marked = False


class _Sending:
    """The commands that add entries, as they are asked for, and the line that each is from until it is settled."""

    def __init__(self, job: Import, rest: Rest, stop: Stop) -> None:
        self.ended = self.stopped = False
        self.fault: ToolError | UsageError | None = None  # what is wrong with the next line
        self._job, self._rest, self._stop = job, rest, stop
        self._sent: deque[tuple[int, Batch, Landing]] = deque()  # each with how many were sent before it
        self._line = self.last_line = 0

    def __iter__(self) -> Iterator[list[bytes]]:
        for batch, landing in self._batches():
            for command in commands(batch, landing):
                if self.ended:  # what is behind a refused one would leave a hole
                    return
                yield command

    def ready(self, most: int) -> Iterator[Ready]:
        """The same in blocks of the wire's bytes, of so many commands at most."""
        for whole, landing in self._batches():
            for at in range(0, len(whole.words), most):
                if self.ended:
                    return
                ids = None if whole.ids is None else whole.ids[at : at + most]
                yield ready(whole._replace(ids=ids, words=whole.words[at : at + most]), landing)

    def _batches(self) -> Iterator[tuple[Batch, Landing]]:
        try:
            yield from self._new()
        except (ToolError, UsageError) as error:  # those on their way are waited for before it is told
            self.fault = error

    def _new(self) -> Iterator[tuple[Batch, Landing]]:
        count = 0
        while not self.ended:
            record = self._rest.take()
            if not isinstance(record, Batch):
                if record is not None:
                    self._rest.back(record)
                return
            whole = self._job._due(record)
            if whole.words:
                batch = self._job._checked(whole)
                landing = self._job._landing(whole.stream, whole.lines[0])
                self._job.began = True
                if batch.ids is None:
                    self._job.unnamed = True
                    landing.newest = landing.newest or landing.last or MIN_ID
                self.last_line = whole.lines[-1]
                self._sent.append((count, batch._replace(lines=batch.lines or whole.lines[-1:]), landing))
                yield batch, landing
                count += len(batch.words)
            if self._stop.asked:
                self.stopped = True
                return

    def came(self, first: int, replies: list[Reply]) -> None:
        """The IDs that were given to the commands from that number on."""
        for start, batch, landing in self._sent:
            last = min(start + len(batch.words), first + len(replies)) - 1
            if batch.ids is None and last >= max(start, first) and isinstance(reply := replies[last - first], bytes):
                landing.newest = parse_id(reply) or landing.newest

    def settle(self, done: int) -> None:
        """So many commands have been answered: batches before that are forgotten."""
        while len(self._sent) > 1 and self._sent[1][0] <= done:
            _, batch, landing = self._sent.popleft()
            landing.added += len(batch.words) - batch.words.count(None)
            self._line = batch.lines[-1]

    def line_before(self, done: int) -> int:
        """The line of the last command that was answered; the rest of what was answered is counted."""
        if not self._sent:
            return self._line
        first, batch, landing = self._sent[0]
        count = done - first
        landing.added += count - batch.words[:count].count(None)
        return batch.lines[count - 1] if count else batch.lines[-1] if not batch.words else self._line

    def line_of(self, number: int) -> tuple[int, Landing]:
        """Where a command came from that is not settled."""
        first, batch, landing = next(one for one in reversed(self._sent) if one[0] <= number)
        return batch.lines[number - first], landing
