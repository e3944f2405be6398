"""Imports that give new IDs and are stopped: the same command goes on, with no entry missing and none twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path

import pytest

from streamcli.backend import LostError
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
from streamcli.reply import Reply
from streamcli.tools.job import ToolError
from streamcli.tools.marks import found
from tests.e2e.program import Program
from tests.remote.processes import Server
from tests.remote.proxy import Proxy
from tests.tools.desk import Desk, There, on_engine

_COUNT = 3000
_ROWS = "n,again\n" + "".join(f"{number},{number % 7}\n" for number in range(_COUNT))
_LINES = "".join(f'{{"id":"{number + 1}-1","fields":[["n","{number}"]]}}\n' for number in range(_COUNT))


def numbers(there: There, key: str = "a") -> list[int]:
    return [int(fields[1]) for _, fields in there.call("XRANGE", key, "-", "+")]


class Breaking(Embedded):
    """The connection breaks after so many replies; `applied` commands behind them are carried out all the same.

    `lost`: so many of those in between are not.
    """

    left, applied, lost = 1500, 40, 0

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        rest = iter(argvs)
        for reply in super().pipelined(rest, window=window):
            if self.left == 0:
                for argv in [argv for argv, _ in zip(rest, range(self.applied), strict=False)][self.lost :]:
                    self.execute(argv)
                raise LostError("the connection broke")
            self.left -= 1
            yield reply


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("a.csv", _ROWS, []), ("a.jsonl", _LINES, ["--new-ids"]), ("b.csv", _ROWS, ["--new-ids"])],
)
@pytest.mark.parametrize("window", ["1", "97", "512"])
def test_after_a_lost_connection(tmp_path: Path, name: str, text: str, words: list[str], window: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    target = Breaking(str(tmp_path / "there.db"))
    words = ["import", str(file), "--to", "a", "--batch", window, *words]
    environment = {"HOME": str(tmp_path)}
    desk = Desk(target, environment=environment)
    with pytest.raises(ToolError) as raised:
        desk.run(*words)
    line = 1501 if name.endswith(".csv") else 1500
    told = (
        f"the connection broke; line {line} is the last that is certain to be done; the same command goes on from there"
    )
    assert str(raised.value) == told
    target.left = -1
    there = on_engine(tmp_path / "there.db")
    before = len(numbers(there))
    desk = Desk(target, environment=environment)
    assert desk.run(*words, "--dry-run") == 0
    told = f"{_COUNT - before:,} entries would be added to a; {before:,} were there already\n"
    assert desk.text == told
    desk = Desk(target, environment=environment)
    assert desk.run(*words) == 0
    assert desk.said == [f"import: it goes on behind line {line}, where the same command stopped; --again begins anew"]
    assert desk.text == told.replace("would be added", "added")
    assert numbers(there) == [*range(_COUNT)]
    desk = Desk(target, environment=environment)
    assert desk.run(*words) == 0  # it had come to its end: that is another import
    assert len(numbers(there)) == 2 * _COUNT
    there.close()
    target.close()


@pytest.mark.parametrize(("left", "applied"), [(0, 0), (0, 40), (3, 5), (45, 0), (400, 40)])
@pytest.mark.parametrize("lost", [0, 3])
def test_after_a_second_lost_connection(tmp_path: Path, left: int, applied: int, lost: int) -> None:
    (tmp_path / "a.csv").write_text(_ROWS)
    target = Breaking(str(tmp_path / "there.db"))
    target.lost = lost
    words, environment = ["import", str(tmp_path / "a.csv"), "--to", "a", "--batch", "97"], {"HOME": str(tmp_path)}
    for target.left, target.applied in ((1500, 40), (left, applied)):
        with pytest.raises(ToolError) as raised:
            Desk(target, environment=environment).run(*words)
        assert "nothing is certain" not in str(raised.value)
    target.left = -1
    assert Desk(target, environment=environment).run(*words) == 0
    there = on_engine(tmp_path / "there.db")
    assert sorted(numbers(there)) == [*range(_COUNT)]
    there.close()
    target.close()


def stopped(tmp_path: Path) -> tuple[Breaking, list[str], dict[str, str]]:
    """An import of a.csv that has lost its connection."""
    (tmp_path / "a.csv").write_text(_ROWS)
    target = Breaking(str(tmp_path / "there.db"))
    words, environment = ["import", str(tmp_path / "a.csv"), "--to", "a"], {"HOME": str(tmp_path)}
    with pytest.raises(ToolError):
        Desk(target, environment=environment).run(*words)
    target.left = -1
    return target, words, environment


def test_a_file_that_was_changed_is_not_guessed_at(tmp_path: Path) -> None:
    target, words, environment = stopped(tmp_path)
    (tmp_path / "a.csv").write_text(_ROWS + "1,1\n")
    with pytest.raises(ToolError) as raised:
        Desk(target, environment=environment).run(*words)
    assert str(raised.value) == (
        f"{tmp_path}/a.csv was changed since the same command stopped behind line 1501: "
        "--from-line 1502 goes on there, --again begins anew"
    )
    desk = Desk(target, environment=environment)
    assert desk.run(*words, "--again", "--dry-run") == 0
    assert desk.text == "3,001 entries would be added to a\n"
    target.close()


@pytest.mark.parametrize("newest", [{"zz": "1-1"}, {"61": "x"}, [], None])
def test_what_somebody_has_written_into_the_state_is_no_crash(tmp_path: Path, newest: object) -> None:
    target, words, environment = stopped(tmp_path)
    (state,) = (tmp_path / ".local" / "state" / "streamcli" / "stopped").iterdir()
    facts = json.loads(state.read_text())
    state.write_text(json.dumps({**facts, "newest": newest, "there": [None, "x", 5.5]}))
    assert Desk(target, environment=environment).run(*words) == 0
    target.close()


def test_a_stream_that_was_deleted_meanwhile_gets_all_of_it(tmp_path: Path) -> None:
    target, words, environment = stopped(tmp_path)
    target.execute((b"DEL", b"a"))
    desk = Desk(target, environment=environment)
    assert desk.run(*words) == 0
    assert desk.text == "3,000 entries added to a\n"
    assert desk.said == ["import: it begins anew: the stream is not the one at which the same command stopped"]
    target.close()


def test_what_others_add_meanwhile_is_not_taken_for_ours(tmp_path: Path) -> None:
    target, words, environment = stopped(tmp_path)
    for number in (5, 6):
        target.execute((b"XADD", b"a", b"*", b"n", b"%d" % number, b"again", b"other"))
    assert Desk(target, environment=environment).run(*words) == 0
    there = on_engine(tmp_path / "there.db")
    fields = [fields for _, fields in there.call("XRANGE", "a", "-", "+")]
    assert [int(words[1]) for words in fields if words[3] != b"other"] == [*range(_COUNT)]
    there.close()
    target.close()


def test_on_a_server_whose_connection_breaks(
    server: Server, proxied: Callable[[int | str], Proxy], program: Program
) -> None:
    (program.home / "a.csv").write_text(_ROWS)
    proxy = proxied(server.port)
    proxy.cut(after=40_000, down=True)
    words = ["-h", "127.0.0.1", "-p", str(proxy.port), "import", "a.csv", "--to", "a", "--batch", "300"]
    got = program.run(*words)
    assert got.code == 3
    assert got.err.endswith(b"is the last that is certain to be done; the same command goes on from there\n"), got.err
    before = server.call("XLEN", "a")
    assert 0 < before < _COUNT
    proxy.release()
    got = program.run(*words)
    assert got.code == 0, got.err
    backend = connect(server.address())
    reply = backend.execute((b"XRANGE", b"a", b"-", b"+"))
    assert isinstance(reply, list)
    assert [int(entry[1][1]) for entry in reply] == [*range(_COUNT)]  # type: ignore[index, arg-type]
    backend.close()


@pytest.mark.parametrize(
    ("wanted", "there", "places"),
    [
        ("", "abc", []),
        ("abc", "", [None, None, None]),
        ("abc", "xaybz", [1, 3, None]),
        ("aab", "aba", [0, 2, None]),
        ("abc", "bc", [None, 0, 1]),
        ("aaa", "aa", [0, 1, None]),
    ],
)
def test_what_is_found_behind_what(wanted: str, there: str, places: list[int | None]) -> None:
    assert found(wanted, there) == places
