"""What a stream is beside its entries, read and written again."""

from __future__ import annotations

from heapq import merge

import pytest

from streamcli.backend import Backend
from streamcli.backend.embedded import Embedded
from streamcli.tools.entries import id_of, pages
from streamcli.tools.state import Notes, claim, finish, gone, make_groups, make_stream, pending, read_state, settle
from tests.tools.carried import ask, make, whole
from tests.tools.desk import There


def _copy(source: Backend, target: Backend, key: bytes) -> Notes:
    notes = Notes()
    state = read_state(source, key)
    assert state is not None
    missing = list(gone(source, key, state))
    found = [(id_of(id), fields) for page in pages(source, key) for id, fields in page]
    for id, fields in merge(found, [(id, [b"stands", b"in"]) for id in missing]):
        ask(target, "XADD", key, id.text, *fields)
    make_stream(target, key)
    settle(target, key, state, notes)
    make_groups(target, key, state.groups, notes)
    for group in state.groups:
        claim(target, key, group.name, (row for rows in pending(source, key, group) for row in rows), notes)
    finish(target, key, state, missing, notes)
    return notes


@pytest.mark.parametrize("seed", range(40))
def test_a_stream_written_again_is_the_same(there: There, seed: int) -> None:
    source, target = there.backend(), Embedded(None)
    make(source, b"a", seed, nacks=there.kind == "engine")
    notes = _copy(source, target, b"a")
    assert (notes.lines, notes.left_out) == ([], 0)
    assert whole(target, b"a") == whole(source, b"a")
    target.close()


@pytest.mark.parametrize("seed", range(40, 60))
def test_a_stream_of_the_engine_is_the_same_at_a_server(there: There, seed: int) -> None:
    source, target = Embedded(None), there.backend()
    make(source, b"a", seed)
    notes = _copy(source, target, b"a")
    assert (notes.lines, notes.left_out) == ([], 0)
    assert whole(target, b"a") == whole(source, b"a")
    source.close()


def test_there_is_no_state_of_a_key_that_is_not_there(there: There) -> None:
    assert read_state(there.backend(), b"a") is None


def test_a_trimmed_pending_entry_leaves_no_greatest_deleted_id(there: There) -> None:
    source, target = Embedded(None), there.backend()
    for id in ("1-1", "2-1", "3-1"):
        ask(source, "XADD", "a", id, "f", "v")
    ask(source, "XGROUP", "CREATE", "a", "g", "0")
    ask(source, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">")
    ask(source, "XTRIM", "a", "MAXLEN", "=", "1")
    _copy(source, target, b"a")
    assert whole(target, b"a")[b"max-deleted-entry-id"] == b"0-0"
    assert [row[0] for row in ask(target, "XPENDING", "a", "g", "-", "+", 9)] == [b"1-1", b"2-1", b"3-1"]
    assert ask(target, "XRANGE", "a", "-", "+") == [[b"3-1", [b"f", b"v"]]]


def test_what_was_given_back_is_held_by_nobody_where_a_server_knows_no_xnack(there: There) -> None:
    if there.kind == "engine":
        return  # it knows it
    source, target = Embedded(None), there.backend()
    ask(source, "XADD", "a", "1-1", "f", "v")
    ask(source, "XGROUP", "CREATE", "a", "g", "0")
    ask(source, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">")
    ask(source, "XNACK", "a", "g", "FAIL", "IDS", 1, "1-1")
    notes = _copy(source, target, b"a")
    assert notes.lines == ['this server knows no XNACK: what was given back is held by a consumer "nobody"']
    assert ask(target, "XPENDING", "a", "g", "-", "+", 9)[0][:2] == [b"1-1", b"nobody"]


def test_a_thousand_pending_entries_have_the_times_of_their_delivery(there: There) -> None:
    backend = there.backend()
    for number in range(1, 2501):
        ask(backend, "XADD", "a", f"{number}-0", "f", "v")
    ask(backend, "XGROUP", "CREATE", "a", "g", "0")
    for _ in range(25):
        ask(backend, "XREADGROUP", "GROUP", "g", "c", "COUNT", 100, "STREAMS", "a", ">")
    state = read_state(backend, b"a")
    assert state is not None
    rows = [row for page in pending(backend, b"a", state.groups[0]) for row in page]
    told = whole(backend, b"a")[b"groups"][0][b"consumers"][0][b"pending"]
    assert [[row.id.text, row.delivered_ms, row.deliveries] for row in rows] == told
