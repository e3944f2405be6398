"""What a session on a server has become, by what it was answered."""

from __future__ import annotations

import pytest

from streamcli.backend.address import Address
from streamcli.backend.remote.state import State
from streamcli.reply import NIL_ARRAY, OK, QUEUED, Error, Map, Reply, Simple


@pytest.fixture
def state() -> State:
    return State(Address(password="old"))


def after(state: State, *steps: tuple[str, Reply]) -> State:
    for line, reply in steps:
        state.answered(line.encode().split(), reply)
    return state


def test_a_transaction_counts_what_is_queued_until_it_is_run(state: State) -> None:
    assert after(state, ("MULTI", OK)).queued == 0
    assert after(state, ("SELECT 3", QUEUED), ("EXEC x", Error("ERR wrong number of arguments"))).queued == 1
    assert state.address.db == 0
    assert after(state, ("exec", [OK])).queued is None


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("EXEC", NIL_ARRAY),
        ("EXEC", Error("EXECABORT Transaction discarded")),
        ("DISCARD", OK),
        ("RESET", Simple("RESET")),
    ],
)
def test_what_ends_a_transaction(state: State, line: str, reply: Reply) -> None:
    after(state, ("WATCH a", OK), ("MULTI", OK), (line, reply))
    assert (state.queued, state.watches, state.lost()) == (None, False, "")


def test_a_transaction_that_was_refused_is_none(state: State) -> None:
    assert after(state, ("MULTI x", Error("ERR wrong number of arguments for 'multi' command"))).queued is None


def test_the_next_connection_is_greeted_as_this_one_has_become(state: State) -> None:
    after(state, ("SELECT 7", OK), ("AUTH ann secret", OK), ("HELLO 2", Map([])))
    assert state.address[:] == Address(user="ann", password="secret", db=7, protocol=2)[:]
    after(state, ("HELLO 3 AUTH bob word SETNAME x", Map([])))
    assert (state.address.user, state.address.password, state.address.protocol) == ("bob", "word", 3)
    after(state, ("AUTH default pass", OK))
    assert (state.address.user, state.address.password) == (None, "pass")
    after(state, ("RESET", Simple("RESET")))
    assert state.address[:] == Address(protocol=2)[:]


def test_what_was_refused_changes_nothing(state: State) -> None:
    after(state, ("SELECT 99", Error("ERR DB index is out of range")), ("AUTH ann no", Error("WRONGPASS invalid")))
    assert (state.address.db, state.address.user, state.address.password) == (0, None, "old")


def test_what_a_new_connection_does_not_have_is_said_once(state: State) -> None:
    after(state, ("CLIENT TRACKING ON", OK), ("WATCH a b", OK), ("MULTI", OK), ("XLEN a", QUEUED), ("XLEN b", QUEUED))
    assert state.binds
    assert state.lost() == "the transaction with its 2 commands is gone, client tracking is off"
    assert (state.lost(), state.binds, state.queued) == ("", False, None)


def test_watched_keys_bind_until_they_are_let_go(state: State) -> None:
    assert after(state, ("WATCH a", OK)).binds
    assert not after(state, ("UNWATCH", OK)).binds
    assert after(state, ("WATCH a", OK)).lost() == "no key is watched any more"


@pytest.mark.parametrize("line", ["SELECT", "AUTH", "HELLO 3 AUTH x", "HELLO x", "CLIENT", "SELECT x"])
def test_an_answer_that_makes_no_sense_is_no_reason_to_fall_over(state: State, line: str) -> None:
    after(state, (line, OK))
    assert state.address.db == 0


def test_what_a_transaction_did_to_the_session_is_learned_when_it_has_run(state: State) -> None:
    after(state, ("MULTI", OK), ("XLEN a", QUEUED), ("SELECT 5", QUEUED), ("AUTH ann pw", QUEUED), ("HELLO 3", QUEUED))
    assert (state.address.db, state.address.user, state.protocol) == (0, None, None)
    after(state, ("EXEC", [1, OK, OK, Map([])]))
    assert (state.address.db, state.address.user, state.address.password, state.protocol) == (5, "ann", "pw", 3)


def test_what_failed_in_a_transaction_or_was_never_run_is_not_learned(state: State) -> None:
    after(state, ("MULTI", OK), ("SELECT 5", QUEUED), ("AUTH ann pw", QUEUED), ("EXEC", [OK, Error("WRONGPASS no")]))
    assert (state.address.db, state.address.user) == (5, None)
    after(state, ("MULTI", OK), ("SELECT 6", QUEUED), ("DISCARD", OK), ("MULTI", OK), ("XLEN a", QUEUED), ("EXEC", [1]))
    assert state.address.db == 5
    after(state, ("WATCH a", OK), ("MULTI", OK), ("SELECT 7", QUEUED), ("EXEC", NIL_ARRAY))
    assert state.address.db == 5


def test_names_and_modes_of_the_connection_are_said_to_be_gone(state: State) -> None:
    after(state, ("CLIENT SETNAME x", OK), ("CLIENT NO-TOUCH on", OK), ("CLIENT NO-EVICT off", OK))
    assert state.lost() == "its name is gone, NO-TOUCH is off"
    after(state, ("HELLO 3 SETNAME y", Map([])), ("CLIENT TRACKING on", OK), ("CLIENT TRACKING off", OK))
    assert state.lost() == "its name is gone"
