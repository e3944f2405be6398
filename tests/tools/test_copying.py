"""Copies and their sources: the same for any bytes, and whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.crc import key_slot

from streamcli.backend import Backend
from streamcli.backend.embedded import Embedded
from streamcli.reply import Error, Reply
from streamcli.tools.comparing import compared
from streamcli.tools.copying import _STAND_IN, Copy, StoppedError, draft_name
from streamcli.tools.entries import pages
from streamcli.tools.job import RefusedError, ToolError
from tests.remote.conftest import Servers
from tests.remote.processes import KINDS
from tests.tools.desk import Desk, There
from tests.tools.streams import LINES, look, run

PROFILE = settings(derandomize=True, deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
SAID = ("could not be made so", "given back", "allows no more")  # of what a place cannot be told, in part


def cloned(source: Backend, target: Backend, *words: str | bytes) -> Desk:
    """A clone that had to succeed."""
    desk = Desk(source, places={"there:1": target})
    assert (desk.run("clone", ".", "there:1", *words), desk.text) == (0, desk.text), desk.said
    return desk


def is_short(desk: Desk) -> bool:
    """Was it said that something could not be carried?"""
    return any(part in line for line in desk.said for part in SAID)


def check(lines: list[list[bytes]], target: Backend, *, exact: bool = False) -> None:
    """Out of a new engine to the target, and back into another one."""
    source, back = Embedded(), Embedded()
    try:
        run(source, lines)
        if source.execute((b"EXISTS", b"a")) != 1:
            return
        short = is_short(cloned(source, target, "a"))
        assert short or look(target, exact=exact) == look(source, exact=exact)
        assert target.execute((b"DBSIZE",)) == 1
        is_short(cloned(target, back, "a"))
        assert look(back) == look(target)
    finally:
        source.close()
        back.close()


@PROFILE
@given(LINES)
def test_a_clone_equals_its_source_in_the_engine(lines: list[list[bytes]]) -> None:
    target = Embedded()
    check(lines, target, exact=True)
    target.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_clone_equals_its_source_on_a_server(kind: str, servers: Servers) -> None:
    from streamcli.backend.remote import connect

    server = servers.standalone(kind)
    target = connect(server.address())

    @settings(PROFILE, max_examples=60)
    @given(LINES)
    def holds(lines: list[list[bytes]]) -> None:
        server.empty()
        check(lines, target)

    holds()
    target.close()


@pytest.mark.xdist_group("cluster")
def test_a_clone_equals_its_source_in_a_cluster(on_cluster: There) -> None:
    target = on_cluster.backend()

    @settings(PROFILE, max_examples=25)
    @given(LINES)
    def holds(lines: list[list[bytes]]) -> None:
        target.execute((b"FLUSHALL",))
        check(lines, target)

    holds()


@PROFILE
@given(st.binary(max_size=20) | st.text("a{}:", max_size=8).map(str.encode))
def test_a_draft_is_in_the_slot_of_its_name(name: bytes) -> None:
    draft = draft_name(name, cluster=True)
    assert draft.startswith(name + b":cloning")
    assert key_slot(draft) == key_slot(name)


def changed_meanwhile(source: Embedded, meanwhile: dict[int, list[list[bytes]]]) -> Backend:
    """The source, in which these lines are run before the command of that number."""
    number = 0

    class Changing:
        def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
            nonlocal number
            number += 1
            run(source, meanwhile.get(number, []))
            return source.execute(argv, arriving=arriving)

        def __getattr__(self, name: str) -> Any:
            return getattr(source, name)

    return cast("Backend", Changing())


@PROFILE
@given(LINES, st.dictionaries(st.integers(1, 60), LINES.map(lambda lines: lines[-4:]), max_size=8))
def test_whatever_happens_meanwhile_an_update_makes_it_the_same_or_says_why_not(
    lines: list[list[bytes]], meanwhile: dict[int, list[list[bytes]]]
) -> None:
    source, target = Embedded(), Embedded()
    run(source, lines)
    desk = Desk(source, places={"there:1": target})
    with suppress(ToolError):
        Desk(changed_meanwhile(source, meanwhile), places={"there:1": target}).run("clone", ".", "there:1", "a")
    if source.execute((b"EXISTS", b"a")) == 1:
        refused = ""
        try:
            assert desk.run("clone", ".", "there:1", "a", "--update") == 0
        except ToolError as error:  # its last ID was set back, or nothing is left of what was copied
            refused = str(error)
        if refused:
            assert "somebody else" in refused or refused == "nothing was copied"
        else:
            assert is_short(desk) or look(target, exact=True) == look(source, exact=True)
    source.close()
    target.close()


# -- on the way --------------------------------------------------------------------------------


class Watched:
    """A backend that does something before the `at`th command of a kind."""

    def __init__(self, backend: Backend, command: bytes, at: int, do: Callable[[], object]) -> None:
        self._backend, self._command, self._left, self._do = backend, command, at, do

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        if argv[0] == self._command:
            self._left -= 1
            if not self._left:
                self._do()
        return self._backend.execute(argv, arriving=arriving)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def filled(entries: int = 5000) -> Embedded:
    """A stream `a` whose first half group g has pending."""
    backend = Embedded()
    for number in range(1, entries + 1):
        backend.execute((b"XADD", b"a", b"%d-1" % number, b"n", b"%d" % number))
    backend.execute((b"XGROUP", b"CREATE", b"a", b"g", b"0"))
    half = b"%d" % (entries // 2)
    backend.execute((b"XREADGROUP", b"GROUP", b"g", b"c", b"COUNT", half, b"STREAMS", b"a", b">"))
    return backend


@pytest.mark.parametrize(
    "line",
    [
        "XTRIM a MINID 1500",
        "XDEL a 10-1 1700-1 2000-1 4999-1",
        "XTRIM a MAXLEN 0",
        "XADD a 6000-1 n 6000",
        "XACK a g 7-1",
    ],
)
@pytest.mark.parametrize("at", [2, 5])
def test_what_changes_while_it_is_copied_is_in_the_copy_as_it_became(line: str, at: int) -> None:
    source, target = filled(), Embedded()
    watched = Watched(source, b"XRANGE", at, lambda: source.execute(line.encode().split()))
    desk = cloned(watched, target)
    assert look(target, exact=True) == look(source, exact=True)
    assert desk.said == []


def test_what_is_trimmed_while_it_is_compared_leaves_no_greatest_deleted_id() -> None:
    source, target = filled(100), Embedded()
    copy = Copy(source, b"a", target, b"a")
    state = copy.bring()
    assert state is not None
    source.execute((b"XTRIM", b"a", b"MAXLEN", b"10"))
    assert compared(copy, state, full=True).differences == []
    copy.bring()
    assert look(target, exact=True) == look(source, exact=True)


def test_an_entry_that_says_what_a_stand_in_says_is_copied_as_any_other() -> None:
    source, target = Embedded(), Embedded()
    for number in (1, 2, 3):
        for backend, key in ((source, b"a"), *(((target, b"a:cloning"),) if number < 3 else ())):
            backend.execute((b"XADD", key, b"%d-1" % number, *_STAND_IN))
    desk = Desk(source, places={"there:1": target})
    assert desk.run("clone", ".", "there:1", "a") == 0
    assert look(target, exact=True) == look(source, exact=True)


def test_a_copy_that_was_stopped_goes_on_where_it_was() -> None:
    source, target = filled(), Embedded()
    done: list[int] = []
    copy = Copy(source, b"a", target, b"a:cloning", heard=done.append, stopped=lambda: len(done) > 1)
    with pytest.raises(StoppedError):
        copy.bring()
    assert 0 < copy.added < 5000
    assert target.execute((b"XLEN", b"a:cloning")) == copy.added
    adds = 0

    def count() -> None:
        nonlocal adds
        adds += 1

    desk = Desk(source, "jsonl", places={"there:1": Watched(target, b"RENAMENX", 1, count)})
    assert desk.run("clone", ".", "there:1") == 0
    assert f'"did":"goes-on","entries":5000,"added":{5000 - copy.added},' in desk.text.replace('": ', '":').replace(
        ", ", ","
    )
    assert adds == 1
    assert look(target, exact=True) == look(source, exact=True)
    assert target.execute((b"DBSIZE",)) == 1


def test_a_stop_among_the_pending_loses_nothing() -> None:
    source, target = filled(), Embedded()
    done: list[int] = []
    copy = Copy(source, b"a", target, b"a:cloning", heard=done.append, stopped=lambda: len(done) > 7)
    with pytest.raises(StoppedError):
        copy.bring()
    assert copy.added == 5000
    cloned(source, target)
    assert look(target, exact=True) == look(source, exact=True)


@pytest.mark.parametrize("finished", [False, True])
def test_of_two_clones_into_one_target_the_slower_leaves_it_to_the_other(finished: bool) -> None:
    source, target = filled(), Embedded()
    first, other = Copy(source, b"a", target, b"a:cloning"), Copy(source, b"a", target.beside(), b"a:cloning")

    def overtake(done: int) -> None:
        if not other.last_id.ms:
            other.resume()
            other.bring()
            if finished:
                target.execute((b"RENAME", b"a:cloning", b"a"))

    first.heard = overtake
    how = (
        "a:cloning is gone: it was removed, or another clone" if finished else "somebody else adds entries to a:cloning"
    )
    with pytest.raises(ToolError, match=how):
        first.bring()
    assert target.execute((b"DBSIZE",)) == 1
    cloned(source, target)
    assert look(target, exact=True) == look(source, exact=True)
    assert target.execute((b"DBSIZE",)) == 1


class Refusing:
    """A target that refuses one XADD, and none after it."""

    def __init__(self, backend: Backend, id: bytes, *, once: bool) -> None:
        self._backend, self._id, self._once, self._refused = backend, id, once, False

    def pipelined(self, argvs: Any, *, window: int = 512) -> Any:
        for argv in argvs:
            if argv[0] == b"XADD" and (self._id in argv or (self._refused and not self._once)):
                self._refused = True
                yield Error("OOM command not allowed when used memory > 'maxmemory'.")
            else:
                yield from self._backend.pipelined([argv])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def test_an_entry_that_is_refused_is_where_the_same_command_goes_on() -> None:
    source, target = filled(2000), Embedded()
    refusing = Refusing(target, b"1500-1", once=False)
    desk = Desk(source, places={"there:1": refusing})
    with pytest.raises(ToolError) as caught:
        desk.run("clone", ".", "there:1")
    assert str(caught.value) == (
        "XADD: OOM command not allowed when used memory > 'maxmemory'.; "
        "a: 1,499 entries copied up to 1499-1; the same command goes on from there"
    )
    cloned(source, target)
    assert look(target, exact=True) == look(source, exact=True)


def test_no_more_is_sent_behind_an_entry_that_was_refused() -> None:
    source, target = filled(2000), Embedded()
    copy = Copy(source, b"a", Refusing(target, b"1500-1", once=True), b"b")
    with pytest.raises(RefusedError):
        copy.bring()
    assert target.execute((b"XLEN", b"b")) == 1499


def test_a_copy_with_a_hole_is_taken_away() -> None:
    source, target = filled(2000), Embedded()

    class Late(Refusing):
        def pipelined(self, argvs: Any, *, window: int = 512) -> Any:
            return iter(list(super().pipelined(list(argvs))))  # all are sent before the first reply is seen

    desk = Desk(source, places={"there:1": Late(target, b"1500-1", once=True)})
    with pytest.raises(ToolError, match="what was copied has a hole and was removed: begin anew"):
        desk.run("clone", ".", "there:1")
    assert target.execute((b"DBSIZE",)) == 0


# -- comparing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "difference"),
    [
        ("XACK a g 5-1", "group g differs in 1 pending entry"),
        ("XCLAIM a g c 0 5-1 RETRYCOUNT 9 TIME 1", "group g differs in 1 pending entry"),
        ("XGROUP SETID a g 7-1 ENTRIESREAD 7", "group g has read to 7-1, not 50-1"),
        ("XGROUP CREATE a h 0", "group h is not the source's"),
        ("XGROUP DESTROY a g", "group g is missing"),
        ("XGROUP CREATECONSUMER a g d", "group g has other consumers"),
        ("XSETID a 200-1 ENTRIESADDED 300", "the number of entries ever added is 300, not 100"),
        ("XDEL a 70-1", "entries differ or are missing: 70-1"),
        ("XADD a 101-1 f v", "the last ID is 101-1, not 100-1"),
    ],
)
def test_whatever_differs_is_found(line: str, difference: str) -> None:
    source, target = filled(100), Embedded()
    cloned(source, target)
    copy = Copy(source, b"a", target, b"a")
    state = copy.read()
    assert state is not None
    assert compared(copy, state, full=True, mends=False).differences == []
    target.execute(line.encode().split())
    full = compared(copy, state, full=True, mends=False)
    assert difference in full.differences, full.differences
    assert not full.moved
    quick = compared(copy, state, full=False, mends=False)
    assert quick.differences


def test_another_value_is_found_by_a_full_comparison() -> None:
    source, target = filled(3000), filled(3000)
    target.execute((b"DEL", b"a"))
    for number in range(1, 3001):
        value = b"other" if number in (1500, 2999) else b"%d" % number
        target.execute((b"XADD", b"a", b"%d-1" % number, b"n", value))
    copy = Copy(source, b"a", target, b"a", groups=False)
    state = copy.read()
    assert state is not None
    verdict = compared(copy, state, full=True, mends=False)
    assert (verdict.differences, verdict.compared) == (["entries differ or are missing: 1500-1, 2999-1"], 3000)


def test_large_entries_are_read_a_few_at_a_time() -> None:
    source = Embedded()
    for number in range(1, 151):
        source.execute((b"XADD", b"a", b"%d-1" % number, b"f", b"v" * 500_000))
    lengths = [len(page) for page in pages(source, b"a")]
    assert lengths == [4, *[16] * 9, 2]
    assert [len(page) for page in pages(filled(2500), b"a")] == [4, 64, 1000, 1000, 432]
