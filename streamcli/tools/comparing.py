"""Is a copy what its source is? All entries, or some of each part, and all that is beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from streamcli.ids import MIN_ID, StreamID
from streamcli.text import bare, counted
from streamcli.tools import state as states
from streamcli.tools.entries import entries, id_of, pages

if TYPE_CHECKING:
    from streamcli.tools.copying import Copy
    from streamcli.tools.state import Group, Pending, State

_SAMPLES: Final = 64
_A_SAMPLE: Final = 16  # entries
_NAMED: Final = 3  # differing IDs that are named


class Verdict:
    """`differences` are lines for people, `notes` what cannot be the same there.

    `compared` counts the entries that were looked at on both sides.
    `moved`: the source has changed since it was copied, so that a difference need not be a fault.
    """

    def __init__(self) -> None:
        self.differences: list[str] = []
        self.notes: list[str] = []
        self.compared = 0
        self.moved = False


def compared(
    copy: Copy, state: State, *, full: bool, mends: bool = True, heard: Callable[[int], None] = lambda done: None
) -> Verdict:
    """Hold a copy to its source, as it was in `state`; `full`: each entry, and not some of each part.

    With `mends` what the source has no more is taken out of the copy on the way.
    Raises RefusedError, LostError, StoppedError.
    """
    verdict = Verdict()
    length = copy.ask(b"XLEN", copy.name)
    if full or length != state.length:
        _all_entries(copy, state, verdict, mends, heard)
    else:
        _some_entries(copy, state, verdict)
    _beside_entries(copy, state, verdict)
    if verdict.differences:
        verdict.moved = copy.read() != state
    return verdict


# -- entries ------------------------------------------------------------------------------


def _all_entries(copy: Copy, state: State, verdict: Verdict, mends: bool, heard: Callable[[int], None]) -> None:
    at: StreamID | None = MIN_ID
    over: list[bytes] = []  # that only the copy has
    wrong: list[bytes] = []
    for page in pages(copy.source, copy.key, MIN_ID, state.last_id):
        last = id_of(page[-1][0])
        ours = None
        for theirs in pages(copy.target, copy.name, at or MIN_ID, last, len(page)):
            if ours is None:
                if theirs == page:
                    break
                ours = dict(page)
            for id, fields in theirs:
                known = ours.pop(id, None)
                if known is None:
                    over.append(id)
                elif known != fields:
                    wrong.append(id)
        else:
            wrong += ours if ours is not None else [id for id, _ in page]
        at = last.next()
        verdict.compared += len(page)
        heard(verdict.compared)
        copy.check_stop()
    if at is not None:
        over += [id for page in pages(copy.target, copy.name, at, state.last_id) for id, _ in page]
    if over and mends:
        copy.remove(over, state)
    elif over:
        verdict.differences.append(f"the copy has entries that the source has not: {_named(over)}")
    if wrong:
        verdict.differences.append(f"entries differ or are missing: {_named(wrong)}")


def _named(ids: list[bytes]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(id.decode() for id in ids[:_NAMED]) + more


def is_same(state: State, there: State) -> bool:
    """Is all that is counted the same, as far as both places count it?"""
    if (state.length, state.last_id) != (there.length, there.last_id):
        return False
    pairs = ((state.entries_added, there.entries_added), (state.max_deleted_id, there.max_deleted_id))
    if any(ours != theirs and ours is not None and theirs is not None for ours, theirs in pairs):
        return False
    return [_without_times(group) for group in state.groups] == [_without_times(group) for group in there.groups]


def _without_times(group: Group) -> Group:
    """Nobody can set when consumers were seen."""
    names = tuple(one._replace(seen_ms=None, active_ms=None) for one in group.consumers)
    return group._replace(consumers=names)


def _some_entries(copy: Copy, state: State, verdict: Verdict) -> None:
    """At both ends, and at places between them, as far apart in time."""
    for start in _places(state):
        sides = [
            entries(copy.ask(b"XRANGE", key, start.text, b"+", b"COUNT", b"%d" % _A_SAMPLE, backend=backend))
            for backend, key in ((copy.source, copy.key), (copy.target, copy.name))
        ]
        ours, theirs = ([entry for entry in side if id_of(entry[0]) <= state.last_id] for side in sides)
        verdict.compared += len(ours)
        if ours != theirs:
            verdict.differences.append(f"entries differ behind {start}")
            return


def _places(state: State) -> Iterator[StreamID]:
    if state.first_id is None:
        return
    yield state.first_id
    first, last = state.first_id.ms, state.last_id.ms
    if last - first < _SAMPLES:
        return
    for number in range(1, _SAMPLES):
        yield StreamID(first + (last - first) * number // _SAMPLES, 0)


# -- all else -----------------------------------------------------------------------------


def _beside_entries(copy: Copy, state: State, verdict: Verdict) -> None:
    there = states.read_state(copy.target, copy.name)
    if there is None:
        verdict.differences.append(f"{bare(copy.name)} is gone")
        return
    for what, ours, theirs in (
        ("last ID", state.last_id, there.last_id),
        ("number of entries ever added", state.entries_added, there.entries_added),
        ("greatest deleted ID", state.max_deleted_id, there.max_deleted_id),
        ("memory of idempotent messages", state.idmp, there.idmp),
    ):
        if ours != theirs and ours is not None and theirs is not None:
            verdict.differences.append(f"the {what} is {theirs}, not {ours}")
    theirs_by_name = {group.name: group for group in there.groups}
    for group in state.groups:
        other = theirs_by_name.pop(group.name, None)
        if other is None:
            verdict.differences.append(f"group {bare(group.name)} is missing")
        else:
            verdict.differences += _group_differences(copy, group, other)
            _compare_read(state, group, other, verdict)
        copy.check_stop()
    verdict.differences += [f"group {bare(name)} is not the source's" for name in theirs_by_name]


def _group_differences(copy: Copy, group: Group, other: Group) -> Iterator[str]:
    name = bare(group.name)
    if group.last_id != other.last_id:
        yield f"group {name} has read to {other.last_id}, not {group.last_id}"
    ours = {consumer.name for consumer in group.consumers}
    theirs = {consumer.name for consumer in other.consumers}
    if ours != theirs - ({states.NOBODY} - ours):
        yield f"group {name} has other consumers"
    left_out = copy.left_out.get(group.name, 0)
    differing = _rows_that_differ(copy, group, other)
    if differing > left_out:
        yield f"group {name} differs in {counted(differing - left_out, 'pending entry')}"


def _compare_read(state: State, group: Group, other: Group, verdict: Verdict) -> None:
    """Redis: no group may have read more entries than were added; it could before 8.2, and counts can be set."""
    ours, theirs = group.entries_read, other.entries_read
    if ours == theirs:
        return
    line = f"group {bare(group.name)} has read {_known(theirs)} entries, not {_known(ours)}"
    if ours is not None and state.entries_added is not None and theirs == state.entries_added < ours:
        verdict.notes.append(f"{line}: this server allows no more than were added")
    else:
        verdict.differences.append(line)


def _known(number: int | None) -> str:
    return "an unknown number of" if number is None else str(number)


def _rows_that_differ(copy: Copy, group: Group, other: Group) -> int:
    """How many pending entries are not the same on both sides."""
    sides: list[Iterator[list[Pending]]] = [
        states.pending(copy.source, copy.key, group),
        states.pending(copy.target, copy.name, other),
    ]
    differing = 0
    ours: dict[StreamID, Pending] = {}
    theirs: dict[StreamID, Pending] = {}
    for page, page_there in zip_longest(*sides, fillvalue=[]):
        if page == page_there and not ours and not theirs:
            continue
        ours |= {row.id: row for row in page}
        theirs |= {row.id: _as_given(row) for row in page_there}
        for id in ours.keys() & theirs.keys():
            differing += _as_given(ours.pop(id)) != theirs.pop(id)
    return differing + len(ours) + len(theirs)


def _as_given(row: Pending) -> Pending:
    """What was given back is held by nobody in particular where there is no XNACK."""
    return row._replace(consumer=None) if row.consumer == states.NOBODY and not row.delivered_ms else row
