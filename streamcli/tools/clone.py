"""`clone FROM TO [STREAM...]`: streams moved whole between any two places, compared, and kept current."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from streamcli.backend import LostError, UnreachableError
from streamcli.flags import Flag, UsageError
from streamcli.render.shape import ID
from streamcli.reply import Reply
from streamcli.text import bare, counted, visible
from streamcli.tools import state as states
from streamcli.tools.comparing import Verdict, compared, is_same
from streamcli.tools.copying import DRAFT, Copy, StoppedError, draft_name
from streamcli.tools.expiry import expires_ms, note_messages
from streamcli.tools.job import (
    FAILED,
    INTERRUPTED,
    OK,
    UNREACHABLE,
    Given,
    Job,
    RefusedError,
    Tool,
    ToolError,
    is_new_file,
)
from streamcli.tools.replies import items, string
from streamcli.tools.report import COUNT, Column, report
from streamcli.tools.stopping import Stop, stopping
from streamcli.tools.survey import streams

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.tools.state import State

_HERE: Final = (b".", b"-")
_NEW, _ON, _REPLACE, _UPDATE, _THERE, _REFUSED = "new", "goes on", "replaces", "updates", "is there", "refused"


def _lines(reply: Reply) -> str:
    return "; ".join(bare(string(one)) for one in items(reply)) or "-"


def _yes(reply: Reply) -> str:
    return "yes" if reply else "no"


_PLANNED: Final = (
    Column("stream"), Column("copy"), Column("did"), Column("why"),
    Column("entries", COUNT), Column("groups", COUNT), Column("pending", COUNT), Column("dry_run", people=_yes),
)  # fmt: skip
_DONE: Final = (
    Column("stream"), Column("copy"), Column("did"), Column("entries", COUNT), Column("added", COUNT),
    Column("removed", COUNT), Column("last_id", ID), Column("groups", COUNT), Column("pending", COUNT),
    Column("compared", COUNT), Column("differences", people=_lines), Column("notes", people=_lines),
    Column("dry_run", people=_yes),
)  # fmt: skip


class Part:
    """One stream to be copied: where from, where to, and what was found there. `why` says what is wrong with it."""

    def __init__(self, key: bytes, name: bytes, draft: bytes, state: State) -> None:
        self.key, self.name, self.draft, self.state = key, name, draft, state
        self.status, self.why = _NEW, ""
        self.replaces = False

    @property
    def pending(self) -> int:
        return sum(group.pending for group in self.state.groups)

    @property
    def title(self) -> str:
        return bare(self.key) if self.key == self.name else f"{bare(self.key)} as {bare(self.name)}"


class Clone:
    """One run."""

    def __init__(self, job: Job, given: Given, stop: Stop) -> None:
        self.job, self.given, self.stop = job, given, stop
        self.full = given.text("verify") != "quick"
        self.follows = given.on("follow")
        first, second = given.words[:2]
        if first == second or {first, second} == set(_HERE):
            raise UsageError(f"FROM and TO are the same: {visible(os.fsdecode(first))}")
        self.source = self._open(first, reads=True)
        self.target = self._open(second, reads=False)
        self.rows: list[tuple[Reply, ...]] = []

    def _open(self, word: bytes, *, reads: bool) -> Backend:
        if word in _HERE:
            return self.job.backend
        place = os.fsdecode(word)
        if is_new_file(place):
            if reads:
                raise ToolError(f"there is no database to read: {visible(place)}", UNREACHABLE)
            if self.given.dry_run:
                place = ":memory:"  # as empty as it will be
        return self.job.open(place, writes=not reads and not self.given.dry_run)

    # -- what is to be done --------------------------------------------------------------------

    def parts(self) -> list[Part]:
        keys = list(dict.fromkeys(self.given.words[2:])) or self._all()
        rename, prefix = self.given.text("rename"), (self.given.text("prefix") or "").encode("utf-8", "surrogateescape")
        if rename is not None and len(keys) != 1:
            raise UsageError(f"--rename is for one stream, and there are {len(keys)}")
        cluster = self.target.server is not None and self.target.server.mode == "cluster"
        parts = []
        for key in keys:
            name = prefix + (key if rename is None else rename.encode("utf-8", "surrogateescape"))
            part = self._part(key, name, draft_name(name, cluster=cluster))
            if part is not None:
                parts.append(part)
        return parts

    def _all(self) -> list[bytes]:
        """All streams of the source, or those that match."""
        patterns = [one.encode("utf-8", "surrogateescape") for one in self.given.texts("match")] or [b"*"]
        found: dict[bytes, None] = {}
        for pattern in patterns:
            for names in streams(self.source, pattern):
                found |= dict.fromkeys(name for name in names if not _is_draft(name))
        return sorted(found)

    def _part(self, key: bytes, name: bytes, draft: bytes) -> Part | None:
        """None for a stream that was not named, and has gone meanwhile."""
        try:
            state = states.read_state(self.source, key)
        except RefusedError as error:
            raise _about(bare(key), error) from None
        if state is None:
            if self.given.words[2:]:
                raise ToolError(f"there is no stream {bare(key)}")
            return None
        if self.given.on("no_groups"):
            state = state._replace(groups=())
        part = Part(key, name, draft, state)
        try:
            self._look(part)
        except RefusedError as error:
            if error.error.code not in ("WRONGTYPE",):
                raise
            part.status, part.why = _REFUSED, f"{bare(name)} is there, and is no stream"
        except ToolError as error:
            part.status, part.why = _REFUSED, str(error)
        return part

    def _look(self, part: Part) -> None:
        """What there is at the target, and so what is to be done."""
        there = states.read_state(self.target, part.name)
        part.replaces = there is not None and self.given.on("replace")
        if there is not None and not part.replaces:
            if self.follows or self.given.on("update"):
                part.status = _UPDATE
                if there.last_id > part.state.last_id:
                    raise ToolError(f"{bare(part.name)} has gone on by itself, to {there.last_id}")
                self._copy(part, part.name).resume()
            elif is_same(part.state, there):
                part.status = _THERE
            else:
                part.status = _REFUSED
                part.why = f"{bare(part.name)} is there already: --replace puts a new copy in its place"
                part.why += ", --update brings an old copy up to date"
            return
        part.status = _REPLACE if part.replaces else _NEW
        if states.read_state(self.target, part.draft) is not None:
            part.status = _ON
            try:
                self._copy(part, part.draft).resume()
            except ToolError as error:
                raise ToolError(f"{error} (half a copy, of something else; DEL it to begin anew)") from None

    def _copy(self, part: Part, name: bytes) -> Copy:
        return Copy(
            self.source,
            part.key,
            self.target,
            name,
            groups=not self.given.on("no_groups"),
            stopped=lambda: self.stop.asked,
        )

    # -- doing it --------------------------------------------------------------------------------

    def make(self, part: Part) -> tuple[Copy, bool]:
        """Copy one stream and compare it; was all well?"""
        in_place = part.status in (_UPDATE, _THERE)
        copy = self._copy(part, part.name if in_place else part.draft)
        try:
            if part.status not in (_NEW, _REPLACE):
                copy.resume()
            with self.job.progress(f"clone {bare(part.key)}", part.state.length or None) as shown:
                copy.heard = shown.at
                state = part.state if part.status == _THERE else copy.bring()
            if state is None:
                raise ToolError("it is gone from the source; what was copied is left as it is")
            with self.job.progress(f"compare {bare(part.key)}", state.length or None) as shown:
                mends = part.status != _THERE
                verdict = compared(copy, state, full=self.full, mends=mends, heard=shown.at)
            if not in_place and (not verdict.differences or verdict.moved):
                self._publish(part, copy, state)
            if part.status != _THERE:
                set_expiry(copy, part.key)
        except StoppedError:
            raise StoppedError(self._stand(part, copy)) from None
        except (LostError, UnreachableError) as error:
            raise type(error)(f"{error}; {self._stand(part, copy)}") from None
        except ToolError as error:
            raise self._failed(part, copy, error) from None
        note_messages(self.source, part.key, copy.notes)
        self._tell(part, copy, state, verdict)
        return copy, not verdict.differences or verdict.moved

    def _publish(self, part: Part, copy: Copy, state: State) -> None:
        """The copy gets its name, in one step."""
        set_expiry(copy, part.key)
        if part.replaces:
            copy.ask(b"RENAME", part.draft, part.name)
        elif copy.ask(b"RENAMENX", part.draft, part.name) != 1:
            there = states.read_state(self.target, part.name)
            if there is not None and is_same(state, there):  # another clone's
                copy.ask(b"DEL", part.draft)
                return
            raise ToolError(f"{bare(part.name)} has come into being meanwhile; the copy is in {bare(part.draft)}")
        copy.name = part.name

    def _stand(self, part: Part, copy: Copy) -> str:
        at = f" up to {copy.last_id}" if copy.added else ""
        return f"{part.title}: {counted(copy.added, 'entry')} copied{at}; the same command goes on from there"

    def _failed(self, part: Part, copy: Copy, error: ToolError) -> ToolError:
        if copy.has_hole and copy.name == part.draft:
            self.target.execute((b"DEL", part.draft))
            return ToolError(
                f"{part.title}: {error}; what was copied has a hole and was removed: begin anew", error.code
            )
        if not copy.added:
            return _about(part.title, error)
        return ToolError(f"{error}; {self._stand(part, copy)}", error.code)

    # -- telling ---------------------------------------------------------------------------------

    def _tell(self, part: Part, copy: Copy, state: State, verdict: Verdict) -> None:
        left_out = sum(copy.left_out.values())
        pending = sum(group.pending for group in state.groups)
        notes = [*copy.notes.lines, *verdict.notes]
        if left_out:
            notes.append(f"{counted(left_out, 'pending entry')} could not be made so (gone, or newer than the copy)")
        if verdict.moved:
            notes.append("the source has changed while it was copied: the copy is of a moment in between")
        for note in notes:
            self.job.say(f"{part.title}: {note}")
        if self.job.format is None:
            done = {
                _THERE: "is there already",
                _UPDATE: f"{counted(copy.added, 'entry')} added, {copy.removed:,} removed",
            }
            what = done.get(part.status) or "copied"
            groups = f", {counted(len(state.groups), 'group')}, {pending - left_out:,} pending" if state.groups else ""
            sentence = f"{part.title}: {counted(state.length, 'entry')}{groups}: {what}"
            how = "all entries" if self.full else f"{verdict.compared:,} of the entries"
            if not verdict.differences:
                sentence += f"; compared ({how}): the same"
            self.job.show([visible(sentence)])
        for line in () if verdict.moved else verdict.differences:
            self.job.say(f"{part.title} differs: {line}")
        differences = [] if verdict.moved else verdict.differences
        self.rows.append((
            part.key, part.name, part.status.replace(" ", "-").encode(), state.length, copy.added, copy.removed,
            state.last_id.text, len(state.groups), pending - left_out, verdict.compared,
            [line.encode() for line in differences], [line.encode() for line in notes], False,
        ))  # fmt: skip

    def plan(self, parts: Sequence[Part]) -> int:
        """Show what would be done."""
        for part in parts:
            groups = len(part.state.groups)
            if self.job.format is None:
                more = f", {counted(groups, 'group')}, {part.pending:,} pending" if groups else ""
                what = f"{part.status} ({part.why})" if part.why else part.status
                self.job.show([visible(f"{part.title}: {counted(part.state.length, 'entry')}{more}: {what}")])
            counts = (part.state.length, groups, part.pending)
            self.rows.append(
                (part.key, part.name, part.status.replace(" ", "-").encode(), part.why.encode() or None, *counts, True)
            )
        self.show_rows(_PLANNED)
        return FAILED if any(part.status == _REFUSED for part in parts) else OK

    def show_rows(self, columns: Sequence[Column]) -> None:
        if self.job.format is not None:
            report(self.job, columns, self.rows)


def set_expiry(copy: Copy, key: bytes) -> None:
    """The copy is to expire when the source does."""
    theirs, ours = expires_ms(copy.source, key, copy.notes), expires_ms(copy.target, copy.name)
    if theirs is not None and theirs != ours:
        copy.ask(b"PEXPIREAT", copy.name, b"%d" % theirs)
    elif theirs is None and ours is not None:
        copy.ask(b"PERSIST", copy.name)


def _is_draft(name: bytes) -> bool:
    before, mark, number = name.rpartition(DRAFT)
    return bool(before and mark) and (not number or (number[:1] == b":" and number[1:].isdigit()))


def _about(title: str, error: ToolError) -> ToolError:
    return ToolError(f"{title}: {error}", error.code)


def run(job: Job, given: Given) -> int:
    if given.words[2:] and given.texts("match"):
        raise UsageError("name streams, or give --match, not both")
    if given.on("replace") and given.on("update"):
        raise UsageError("give --replace or --update, not both")
    with stopping() as stop:
        clone = Clone(job, given, stop)
        parts = clone.parts()
        if given.dry_run:
            return clone.plan(parts)
        refused = [part for part in parts if part.status == _REFUSED]
        for part in refused:
            job.say(f"clone: {part.title}: {part.why}")
        if refused:
            raise ToolError("nothing was copied")
        replaced = [bare(part.name) for part in parts if part.replaces]
        if replaced and not job.agrees(f"{', '.join(replaced)} will be replaced by a copy"):
            return FAILED
        well, copies = True, []
        try:
            for part in parts:
                copy, was_well = clone.make(part)
                copies.append((part, copy))
                well = well and was_well
        except StoppedError as stopped:
            job.say(f"clone: stopped; {stopped}")
            return INTERRUPTED
        finally:
            clone.show_rows(_DONE)
        if clone.follows and well:
            from streamcli.tools.keeping import keep

            keep(job, stop, [(part.title, part.key, copy) for part, copy in copies], given.seconds("every") or 1.0)
        if not parts:
            job.say("clone: there are no streams to copy")
    return OK if well else FAILED


TOOL: Final = Tool(
    usage="FROM TO [STREAM...]",
    run=run,
    flags=(
        Flag(("--match",), "match", "Copy the streams whose names match; may be given more than once.", "PATTERN",
             repeats=True),
        Flag(("--rename",), "rename", "Call the copy so (of one stream).", "NAME"),
        Flag(("--prefix",), "prefix", "Put this before the names of the copies.", "TEXT"),
        Flag(("--replace",), "replace", "Put the copy in the place of a stream that is there, when it is whole."),
        Flag(("--update",), "update", "Bring a copy that is there up to date."),
        Flag(("--no-groups",), "no_groups", "Copy entries alone, and no groups."),
        Flag(("--verify",), "verify", "Compare all entries in the end (full, the default), or some.", "HOW",
             choices=("full", "quick")),
        Flag(("--follow",), "follow", "Then keep the copies current, until Ctrl-C."),
        Flag(("--every",), "every", "With --follow: look for what is no new entry so often (default: 1).", "SECONDS",
             seconds=True),
    ),
    least=2,
    roles=("target", "target", "key"),
    about="Copy streams whole: entries with their IDs, last ID and counters, groups, consumers, and what is pending, "
    "with its times and counts. FROM and TO are each a file, a URL, HOST:PORT or @PROFILE; . is the place in use. "
    "Without STREAM all streams are copied. A copy appears under its name when it is whole and was compared.",
    examples=(
        "clone . redis://db.example:6379",
        "clone @prod sandbox.db orders --no-groups",
        "clone old.db @prod --match 'orders:*' --follow",
    ),
    writes=True,
)  # fmt: skip
