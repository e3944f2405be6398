"""`pending` beside others: operators, consumers, and ends in the middle. Nothing is done twice, nor after an ack."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from streamcli.backend import Backend
from streamcli.backend.address import Address
from streamcli.backend.remote import connect
from streamcli.tools.job import ToolError
from streamcli.tools.pending.acting import doer
from streamcli.tools.pending.deeds import CHANGED, DELETED, DONE, GONE, Deed, Outcome
from streamcli.tools.pending.held import Held, Pending, Wanted
from streamcli.tools.pending.singles import Singles
from tests.e2e.program import Program, Running, said, until
from tests.e2e.test_disk_full import at_most
from tests.tools.desk import Desk, There, on_engine


def fill(there: There, count: int, consumers: tuple[str, ...] = ("alice", "bob")) -> None:
    """`count` entries of `a`, in turns with the consumers; entry 1-N has the field n with N."""
    backend = there.backend()
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    adds = [(b"XADD", b"a", b"1-%d" % number, b"n", b"%d" % number) for number in range(1, count + 1)]
    reads = [
        (b"XREADGROUP", b"GROUP", b"g", consumer.encode(), b"COUNT", b"7", b"STREAMS", b"a", b">")
        for _, consumer in zip(range(count // 7 + 1), cycle(consumers), strict=False)
    ]
    for _ in backend.pipelined([*adds, *reads]):
        pass


def pending(there: There) -> list[bytes]:
    return [row[0] for row in there.call("XPENDING", "a", "g", "-", "+", 100_000)]


def copies(there: There, stream: str = "a") -> list[int]:
    """The number of each entry that is a copy."""
    return [int(fields[1]) for id, fields in there.call("XRANGE", stream, "2", "+")]


def held(there: There, id: str = "1-1") -> Held:
    found = Pending(there.backend(), b"a", b"g").of([id.encode()])[0]
    assert found is not None
    return found


def deed(name: str = "requeue", to: bytes = b"", idle_ms: int = 0) -> Deed:
    return Deed(name, b"a", b"g", to, idle_ms=idle_ms)


def together(*works: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()


DEEDS = [
    pytest.param(deed("ack"), id="ack"),
    pytest.param(deed("claim", b"carol"), id="claim"),
    pytest.param(deed("requeue"), id="requeue"),
    pytest.param(deed("dead-letter", b"a:dead"), id="dead-letter"),
]


@pytest.fixture(params=["as it is", "singles"])
def do(request: pytest.FixtureRequest) -> Callable[[There, Deed, list[Held]], list[Outcome]]:
    """How a deed is done here, and how it is done where no script can be."""

    def run(there: There, deed: Deed, helds: list[Held]) -> list[Outcome]:
        backend = there.backend()
        if request.param == "singles":
            return Singles(deed, backend).do(helds)
        return doer(deed, backend, not_atomic=False).do(helds)

    return run


Do = Callable[[There, Deed, "list[Held]"], "list[Outcome]"]


@pytest.mark.parametrize("what", DEEDS)
def test_what_was_acknowledged_after_the_look_is_gone(there: There, do: Do, what: Deed) -> None:
    fill(there, 2)
    looked = held(there)
    there.call("XACK", "a", "g", "1-1")
    assert do(there, what, [looked]) == [Outcome(GONE)]
    assert copies(there) == copies(there, "a:dead") == []
    assert pending(there) == [b"1-2"]


@pytest.mark.parametrize("what", DEEDS)
def test_what_another_consumer_took_after_the_look_is_left_alone(there: There, do: Do, what: Deed) -> None:
    fill(there, 1)
    looked = held(there)
    there.call("XCLAIM", "a", "g", "dave", 0, "1-1", "JUSTID")
    assert do(there, what, [looked]) == [Outcome(CHANGED)]
    assert copies(there) == copies(there, "a:dead") == []
    assert held(there).consumer == b"dave"


@pytest.mark.parametrize("what", DEEDS)
def test_what_was_delivered_again_after_the_look_is_left_alone(there: There, do: Do, what: Deed) -> None:
    fill(there, 1, ("alice",))
    looked = held(there)
    there.call("XREADGROUP", "GROUP", "g", "alice", "STREAMS", "a", "0")
    assert do(there, what, [looked]) == [Outcome(CHANGED)]
    assert pending(there) == [b"1-1"]


@pytest.mark.parametrize("what", DEEDS)
def test_what_is_idle_no_longer_is_left_alone(there: There, do: Do, what: Deed) -> None:
    fill(there, 1, ("alice",))
    there.call("XCLAIM", "a", "g", "alice", 0, "1-1", "IDLE", 10_000_000, "JUSTID")
    looked = held(there)
    there.call("XCLAIM", "a", "g", "alice", 0, "1-1", "JUSTID")
    assert do(there, what._replace(idle_ms=1_000_000), [looked]) == [Outcome(CHANGED)]
    assert pending(there) == [b"1-1"]


@pytest.mark.parametrize("what", DEEDS[2:])
def test_what_was_deleted_cannot_be_copied_and_stays_pending(there: There, do: Do, what: Deed) -> None:
    fill(there, 1)
    looked = held(there)
    there.call("XDEL", "a", "1-1")
    assert do(there, what, [looked]) == [Outcome(DELETED)]
    assert pending(there) == [b"1-1"]


@pytest.mark.parametrize("what", DEEDS)
def test_one_deed_is_done_once(there: There, do: Do, what: Deed) -> None:
    fill(there, 1)
    looked = held(there)
    assert [outcome.kind for outcome in do(there, what, [looked, looked])] in ([DONE, GONE], [DONE, CHANGED])


@pytest.mark.parametrize("words", [("requeue",), ("dead-letter", "--to", "a:dead")], ids=["requeue", "dead-letter"])
def test_two_operators_copy_each_entry_once(there: There, words: tuple[str, ...]) -> None:
    fill(there, 1000)
    desks = [Desk(there.backend()), Desk(there.backend())]
    together(*[lambda desk=desk: desk.run("pending", "a", "g", *words) for desk in desks])
    found = copies(there, "a:dead" if "--to" in words else "a")
    assert sorted(found) == list(range(1, 1001))
    assert pending(there) == []


def test_an_entry_is_either_acknowledged_by_its_consumer_or_requeued(there: There) -> None:
    fill(there, 1000)
    acked: list[int] = []
    consumer = there.backend()

    def consume() -> None:
        numbers = list(range(1, 1001))
        random.Random(7).shuffle(numbers)
        wanted = ((number, consumer.execute([b"XACK", b"a", b"g", b"1-%d" % number])) for number in numbers[:600])
        acked.extend(number for number, count in wanted if count == 1)

    desk = Desk(there.backend())
    together(consume, lambda: desk.run("pending", "a", "g", "requeue"))
    assert Counter([*acked, *copies(there)]) == Counter(range(1, 1001))
    assert pending(there) == []


class _Acking:
    """A backend in whose midst a consumer acknowledges the entry just before XACK."""

    def __init__(self, backend: Backend, other: Backend) -> None:
        self._backend, self._other = backend, other

    def execute(self, argv: list[bytes], *, arriving: bool = False) -> object:
        if argv[0] == b"XACK" and argv[-1] != b"0-0":
            self._other.execute(argv)
        return self._backend.execute(argv)


def test_without_a_script_the_copy_of_what_is_acknowledged_in_between_is_taken_back(there: There) -> None:
    fill(there, 1)
    looked = held(there)
    backend = _Acking(there.backend(), there.backend())
    assert Singles(deed("requeue"), backend).do([looked]) == [Outcome(GONE)]  # type: ignore[arg-type]
    assert copies(there) == []


def under_way(there: There, program: Program) -> tuple[Running, int]:
    """A process that requeues so many entries, a part of which it has done."""
    count = 10_000 if there.kind == "engine" else 60_000
    fill(there, count)
    process = program.start(*there.args, "pending", "a", "g", "requeue")
    until(lambda: bool(there.call("XLEN", "a") > count + 300), "some are copied")
    return process, count


def test_a_process_that_is_killed_has_lost_and_doubled_nothing(there: There, program: Program) -> None:
    process, count = under_way(there, program)
    process.process.kill()
    process.process.wait()
    left = [int(id.split(b"-")[1]) for id in pending(there)]
    assert 0 < len(left) < count
    assert sorted([*copies(there), *left]) == list(range(1, count + 1))
    assert program.run(*there.args, "pending", "a", "g", "requeue").code == 0
    assert sorted(copies(there)) == list(range(1, count + 1))


def test_ctrl_c_stops_between_entries_and_the_same_command_goes_on(there: There, program: Program) -> None:
    process, count = under_way(there, program)
    process.interrupt()
    result = process.finish()
    done, last = len(copies(there)), sorted(copies(there))[-1]
    assert result == said(
        f"requeued {done:,} entries of group g in a\n",
        f"stopped: {done:,} entries before, the last was 1-{last}; the same command goes on from there\n",
        130,
    )
    assert program.run(*there.args, "pending", "a", "g", "requeue").code == 0
    assert sorted(copies(there)) == list(range(1, count + 1))


def test_a_page_that_changes_while_it_is_read_gives_each_entry_once(there: There) -> None:
    fill(there, 50)
    group = Pending(there.backend(), b"a", b"g")
    seen: list[bytes] = []
    for page in group.pages(Wanted(), size=10):
        seen += [one.id for one in page]
        there.call("XACK", "a", "g", *[one.id for one in page])
    assert seen == [b"1-%d" % number for number in range(1, 51)]


def test_what_was_done_before_a_refusal_is_told(there: There) -> None:
    fill(there, 40)
    there.call("XSETID", "a", "18446744073709551615-18446744073709551610")
    with pytest.raises(ToolError, match=r"exhausted.*entries before, the last was 1-5; the same command goes on"):
        Desk(there.backend()).run("pending", "a", "g", "requeue")
    assert len(pending(there)) == 35


def test_a_full_disk_is_one_line_and_loses_nothing(program: Program, tmp_path: Path) -> None:
    there = on_engine(tmp_path / "full.db")
    there.call("XGROUP", "CREATE", "a", "g", 0, "MKSTREAM")
    for number in range(1, 301):
        there.call("XADD", "a", f"1-{number}", "n", number, "big", b"x" * 1000)
    there.call("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "a", ">")
    there.close()
    size = (tmp_path / "full.db").stat().st_size
    got = program.run(*there.args, "pending", "a", "g", "requeue", before=at_most(size + 100_000))
    assert (got.code, got.out) == (3, b"")
    assert re.fullmatch(
        rb"streamcli pending: the database file cannot be read or written \(disk I/O error\); nothing of it was kept"
        rb"( \(\d+ entries before, the last was 1-\d+; the same command goes on from there\))?\n",
        got.err,
    )
    again = on_engine(tmp_path / "full.db")
    left = [int(id.split(b"-")[1]) for id in pending(again)]
    assert sorted([*copies(again), *left]) == list(range(1, 301))
    assert left
    assert program.run(*there.args, "pending", "a", "g", "requeue").code == 0
    assert sorted(copies(again)) == list(range(1, 301))
    again.close()


def test_a_server_of_our_own_runs_no_scripts_and_copies_if_it_is_told_to(program: Program) -> None:
    server = program.start("serve", "--memory", "--port", "0")
    port = int(server.hear().split(b":")[-1])
    there = There("server", f"127.0.0.1:{port}", ["-p", str(port)], lambda: connect(Address(port=port)))
    fill(there, 3)
    assert program.run(*there.args, "pending", "a", "g", "requeue") == said(
        "",
        "streamcli pending: there is no EVAL here; without a script no entry can be moved in one step: "
        "--not-atomic copies it, then acknowledges it\n",
        1,
    )
    assert len(pending(there)) == 3
    assert program.run(*there.args, "pending", "a", "g", "ack", "1-1").code == 0
    assert program.run(*there.args, "pending", "a", "g", "requeue", "--not-atomic").code == 0
    assert copies(there) == [2, 3]
    there.close()
    server.stop()
