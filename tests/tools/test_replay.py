"""`replay`: the rhythm, by a clock that is an argument; and entries added again, as a user has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from streamcli.backend import Backend
from streamcli.backend.embedded import Embedded
from streamcli.ids import StreamID
from streamcli.reply import Error, Reply
from streamcli.tools.job import ToolError
from streamcli.tools.replay import Pace
from tests.e2e.program import Program, said, until
from tests.remote.processes import Server
from tests.remote.proxy import Proxy
from tests.tools.desk import Desk, There, on_engine

BASE = 1_700_000_000_000


def fill(there: There) -> None:
    """Five entries within 300 ms, and one more after an hour."""
    for ms in (0, 100, 100, 250, 300, 3_600_300):
        there.call("XADD", "a", f"{BASE + ms}-*", "n", ms, "n", b"\xff")


def fields(there: There, key: str) -> list[list[bytes]]:
    return [entry[1] for entry in there.call("XRANGE", key, "-", "+")]


# -- the rhythm ------------------------------------------------------------------------------------


def dues(pace: Pace, *times_ms: int) -> list[float]:
    return [pace.due(StreamID(ms, 1)) for ms in times_ms]


def test_entries_are_due_as_far_apart_as_their_ids() -> None:
    assert dues(Pace(1, None), 5000, 5000, 6500, 15000) == [0, 0, 1.5, 10]


def test_a_speed_divides_and_the_first_is_due_at_once() -> None:
    assert dues(Pace(10, None), 5000, 6500, 15000) == [0, 0.15, 1]
    assert dues(Pace(0.5, None), 5000, 6500) == [0, 3]
    assert dues(Pace(None, None), 5000, 6500, 10**15) == [0, 0, 0]


def test_a_long_gap_is_cut_before_it_is_divided() -> None:
    pace = Pace(10, 2000)
    assert dues(pace, 5000, 6000, 100_000, 101_000) == [0, 0.1, 0.3, 0.4]
    assert (pace.cut, pace.played_ms) == (1, 4000)


def test_a_million_entries_do_not_drift() -> None:
    pace = Pace(3, None)
    last = 0.0
    for ms in range(1_000_001):
        last = pace.due(StreamID(ms, 0))
    assert last == 1000 / 3


# -- replaying -------------------------------------------------------------------------------------------


def test_entries_get_new_ids_or_keep_theirs(there: There, program: Program) -> None:
    fill(there)
    got = program.run(*there.args, "replay", "a", "--to", "b", "--speed", "max")
    told = "a: 6 entries added to b as fast as it went; it once took 1h\n"
    assert (got.out.decode(), got.err, got.code) == (told, b"", 0)
    assert fields(there, "b") == fields(there, "a")
    cut = program.run(*there.args, "replay", "a", "--to", "d", "--speed", "max", "--max-gap", "1s")
    assert cut.out.decode() == told.replace(" b ", " d ").replace("1h", "1h (1 gap cut)")
    assert there.call("XRANGE", "b", "-", BASE + 3_600_300) == []
    got = program.run(*there.args, "replay", "a", "--to", "c", "--speed", "max", "--keep-ids")
    assert got.code == 0
    assert there.call("XRANGE", "c", "-", "+") == there.call("XRANGE", "a", "-", "+")


class Clock:
    """Time that passes when somebody sleeps, and a little at each look."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        self.now += 0.001
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Heard:
    """A target that keeps when each entry came."""

    target, db = "there", 0

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.came: list[float] = []

    def pipelined(self, argvs: list[list[bytes]]) -> Iterator[bytes]:
        for _ in argvs:
            self.came.append(self.clock.now - 1000)
            yield b"1-1"

    def execute(self, argv: Sequence[bytes]) -> Reply:
        return Error("ERR no such key")

    def close(self) -> None: ...


@pytest.mark.parametrize(("speed", "due"), [("1x", [0, 100, 100, 250, 300, 500]), ("10x", [0, 10, 10, 25, 30, 50])])
def test_the_rhythm_is_kept(there: There, monkeypatch: pytest.MonkeyPatch, speed: str, due: list[int]) -> None:
    fill(there)
    clock = Clock()
    monkeypatch.setattr("streamcli.tools.replay.time", clock)
    heard = Heard(clock)
    desk = Desk(there.backend(), "jsonl", places={"there:1": cast("Backend", heard)})
    assert desk.run("replay", "a", "--to", "b", "--at", "there:1", "--max-gap", "200ms", "--speed", speed) == 0
    for came, wanted in zip(heard.came, due, strict=True):
        assert wanted <= came * 1000 < wanted + 15
    row = json.loads(desk.text)
    assert 0 <= row.pop("late_ms") < 15
    assert due[-1] <= row.pop("seconds") * 1000 < due[-1] + 50
    last = f"{BASE + 3_600_300}-0"
    assert row == {"stream": "a", "to": "b", "added": 6, "last_id": last, "gaps_cut": 1, "dry_run": False}


def test_a_part_goes_to_another_place(there: There, program: Program) -> None:
    fill(there)
    words = ["replay", "a", "--to", "b", "--at", "other.db", "--speed", "max"]
    got = program.run(*there.args, *words, "--from", str(BASE + 100), "--until", "2023-11-14 22:13:20.25")
    assert got.out.decode().startswith("a: 3 entries added to b as fast")
    other = on_engine(program.home / "other.db")
    assert [one[1] for one in fields(other, "b")] == [b"100", b"100", b"250"]
    assert there.call("EXISTS", "b") == 0
    other.close()


def test_a_stream_can_be_added_to_itself_once(there: There) -> None:
    fill(there)
    desk = Desk(there.backend())
    assert desk.run("replay", "a", "--to", "a", "--speed", "max") == 0
    assert there.call("XLEN", "a") == 12


def test_a_dry_run_adds_nothing_and_tells_how_long_it_would_take(there: There, program: Program) -> None:
    fill(there)
    ends = f"{BASE}-0 (2023-11-14 22:13:20.000 UTC) to {BASE + 3_600_300}-0 (2023-11-14 23:13:20.300 UTC)"
    told = f"a: 6 entries would be added to b {{}}\nfrom {ends}\n"
    words = [*there.args, "replay", "a", "--to", "b", "--dry-run"]
    assert program.run(*words) == said(told.format("in 1h"))
    assert program.run(*words, "--speed", "max") == said(told.format("at once"))
    assert program.run(*words, "--speed", "60x", "--max-gap", "1m") == said(told.format("in 1.0s (1 gap cut)"))
    assert there.call("EXISTS", "b") == 0


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["a"], 2, "say where to, by --to"),
        (["b", "--to", "c"], 1, "there is no stream b"),
        (["a", "--to", "c", "--speed", "0x"], 2, "--speed takes a factor such as 10x or 0.5x, or max, not '0x'"),
        (["a", "--to", "c", "--speed", "-1"], 2, "--speed takes a factor such as 10x or 0.5x, or max, not '-1'"),
        (["a", "--to", "c", "--speed", "x"], 2, "--speed takes a factor such as 10x or 0.5x, or max, not 'x'"),
        (["a", "--to", "c", "--max-gap", "soon"], 2, "--max-gap takes a length of time such as 5s or 1m, not 'soon'"),
        (["a", "b", "--to", "c"], 2, "it takes: STREAM --to OTHER, and no more"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(program: Program, words: list[str], code: int, error: str) -> None:
    assert program.on("XADD", "a", "1-1", "f", "v").code == 0
    more = " (see streamcli replay --help)" if code == 2 else ""
    assert program.on("replay", *words) == said("", f"streamcli replay: {error}{more}\n", code)


def test_ids_that_cannot_be_kept_are_refused_with_their_place(there: There, program: Program) -> None:
    fill(there)
    there.call("XADD", "b", "*", "f", "v")
    error = f"{BASE}-0 was refused: b has that ID, or a greater one; without --keep-ids they are new; added 0 entries"
    got = program.run(*there.args, "replay", "a", "--to", "b", "--keep-ids")
    assert got == said("", f"streamcli replay: {error}\n", 1)
    assert there.call("XLEN", "b") == 1


def stopped(there: There, program: Program, *words: str) -> None:
    """A replay of `a` to `b` that Ctrl-C has stopped before the last entry."""
    fill(there)
    running = program.start(*there.args, "replay", "a", "--to", "b", *words)
    until(lambda: there.call("XLEN", "b") == 5, "all but the last are added")
    running.interrupt()
    stand = f"added 5 entries, up to {BASE + 300}-0; the same command goes on, any other with --from {BASE + 300}-1"
    assert running.finish() == said("", f"replay: stopped; {stand}\n", 130)


_GOES_ON = "replay: it goes on behind {}, where the same command stopped; --again begins anew\n"


@pytest.mark.parametrize("words", [[], ["--keep-ids"]])
def test_after_ctrl_c_the_same_command_goes_on(there: There, program: Program, words: list[str]) -> None:
    stopped(there, program, *words)
    there.call("XADD", "a", f"{BASE + 3_700_000}-0", "n", "later")  # is not of it: it ended elsewhere when it began
    said_of_it = _GOES_ON.format(f"{BASE + 300}-0")
    got = program.run(*there.args, "replay", "a", "--to", "b", *words, "--dry-run")
    assert (got.out.decode().splitlines()[0], got.err.decode()) == (
        "a: 1 entry would be added to b in 0 ms",
        said_of_it,
    )
    got = program.run(*there.args, "replay", "a", "--to", "b", *words)
    assert (got.out.decode()[:21], got.err.decode(), got.code) == ("a: 1 entry added to b", said_of_it, 0)
    assert fields(there, "b") == fields(there, "a")[:-1]
    got = program.run(*there.args, "replay", "a", "--to", "b", "--speed", "max", "--keep-ids", "--dry-run")
    assert got.err == b""  # it has ended, and that is another command


def test_it_begins_anew_when_told_so_or_when_the_copy_is_another(there: There, program: Program) -> None:
    stopped(there, program)
    got = program.run(*there.args, "replay", "a", "--to", "b", "--again", "--dry-run")
    assert (got.out.decode()[:22], got.err) == ("a: 6 entries would be ", b"")
    there.call("DEL", "b")
    got = program.run(*there.args, "replay", "a", "--to", "b", "--dry-run")
    assert (got.out.decode()[:22], got.err.decode()) == (
        "a: 6 entries would be ",
        "replay: b is not the stream at which the same command stopped: it begins anew\n",
    )


def test_ctrl_c_says_where_another_command_may_go_on(there: There, program: Program) -> None:
    stopped(there, program)
    got = program.run(*there.args, "replay", "a", "--to", "b", "--from", f"{BASE + 300}-1")
    assert got.code == 0
    assert fields(there, "b") == fields(there, "a")


def test_when_the_target_dies_it_says_what_is_certain(
    server: Server, proxied: Callable[[int | str], Proxy], program: Program
) -> None:
    lines = "".join(f"XADD a {number}-1 n {number:0100}\n" for number in range(1, 2001))
    assert program.on(stdin=lines.encode()).code == 0
    proxy = proxied(server.port)
    proxy.cut(after=120_000, down=False)
    got = program.on("replay", "a", "--to", "b", "--at", f"127.0.0.1:{proxy.port}", "--speed", "max")
    found = re.fullmatch(
        r"streamcli replay: the connection to .* was lost \(.*\); added ([\d,]+) entries, up to (\d+)-1; "
        r"the same command goes on, any other with --from (\d+)-2; (\d+) more were sent, and may be there\n",
        got.err.decode(),
    )
    assert (got.code, found is None) == (3, False), got.err
    assert found is not None
    added, sent = int(found[1].replace(",", "")), int(found[4])
    assert added == int(found[2]) == int(found[3])
    assert added <= server.call("XLEN", "b") <= added + sent
    proxy.release()
    got = program.on("replay", "a", "--to", "b", "--at", f"127.0.0.1:{proxy.port}", "--speed", "max")
    assert got.code == 0, got.err
    assert [values for _, values in server.call("XRANGE", "b", "-", "+")] == [
        [b"n", b"%0100d" % number] for number in range(1, 2001)
    ]


class Choosy(Embedded):
    """Refuses some entries in the middle, at first."""

    refused: tuple[bytes, ...] = (b"3", b"4", b"6", b"9")

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        for argv in argvs:
            if argv[-1] in self.refused:
                yield Error("OOM command not allowed")
            else:
                yield self.execute(argv)


def test_what_was_added_behind_refused_entries_is_not_added_again(tmp_path: Path) -> None:
    place = on_engine(tmp_path / "there.db")
    for number in range(1, 11):
        place.call("XADD", "a", f"{number}-1", "n", number)
    target, environment = Choosy(str(tmp_path / "target.db")), {"HOME": str(tmp_path)}
    words = ["replay", "a", "--to", "b", "--at", "target.db:", "--speed", "max"]
    with pytest.raises(ToolError) as raised:
        Desk(place.backend(), places={"target.db:": target}, environment=environment).run(*words)
    assert str(raised.value) == (
        "3-1 was refused; behind it 4 entries were added: XADD: OOM command not allowed; "
        "added 2 entries, up to 2-1; the same command goes on, any other with --from 2-2"
    )
    target.refused = ()
    assert Desk(place.backend(), places={"target.db:": target}, environment=environment).run(*words) == 0
    values = values_in(tmp_path / "target.db")
    assert values == [b"1", b"2", b"5", b"7", b"8", b"10", b"3", b"4", b"6", b"9"]
    place.close()


@pytest.mark.parametrize("second", [(b"3",), (b"3", b"6"), (b"4",), (b"6",), (b"3", b"4", b"6", b"9")])
def test_nor_when_the_same_command_is_refused_twice(tmp_path: Path, second: tuple[bytes, ...]) -> None:
    place = on_engine(tmp_path / "there.db")
    for number in range(1, 11):
        place.call("XADD", "a", f"{number}-1", "n", number)
    target, environment = Choosy(str(tmp_path / "target.db")), {"HOME": str(tmp_path)}
    words = ["replay", "a", "--to", "b", "--at", "target.db:", "--speed", "max"]
    for target.refused in (Choosy.refused, second):
        with pytest.raises(ToolError):
            Desk(place.backend(), places={"target.db:": target}, environment=environment).run(*words)
    target.refused = ()
    assert Desk(place.backend(), places={"target.db:": target}, environment=environment).run(*words) == 0
    assert sorted(map(int, values_in(tmp_path / "target.db"))) == [*range(1, 11)]
    place.close()


def values_in(file: Path) -> list[bytes]:
    there = on_engine(file)
    values = [one[1] for one in fields(there, "b")]
    there.close()
    return values


@pytest.mark.xdist_group("cluster")
def test_into_another_slot_of_a_cluster(on_cluster: There) -> None:
    on_cluster.call("FLUSHALL")
    fill(on_cluster)
    desk = Desk(on_cluster.backend())
    assert desk.run("replay", "a", "--to", "another", "--speed", "max") == 0
    assert fields(on_cluster, "another") == fields(on_cluster, "a")
