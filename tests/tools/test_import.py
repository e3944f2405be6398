"""Import: what goes in, what is refused before anything is written, and how it goes on."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamcli.backend import Backend, LostError, Ready, UnreachableError
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote.one import Remote
from streamcli.flags import UsageError
from streamcli.reply import Error, Reply
from streamcli.tools.infile import InFile
from streamcli.tools.job import ToolError
from tests.e2e.program import until
from tests.remote.conftest import Servers
from tests.tools.carried import ask, make, whole
from tests.tools.desk import Desk, There, on_server

_ENTRIES = '{"id":"1-0","fields":[["n","1"]]}\n{"id":"2-0","fields":[["n","2"]]}\n{"id":"3-0","fields":[["n","3"]]}\n'


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Embedded(None)
    yield made
    made.close()


def _file(folder: Path, text: str | bytes, name: str = "f.jsonl") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
    return str(path)


def _refused(backend: Backend, *words: str) -> str:
    """The one line of an import that fails."""
    with pytest.raises(ToolError) as raised:
        Desk(backend).run("import", *words)
    return str(raised.value)


def _range(backend: Backend, key: str = "a") -> object:
    return ask(backend, "XRANGE", key, "-", "+")


# -- what was exported ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_a_stream_imported_with_its_groups_is_the_same(there: There, tmp_path: Path, seed: int) -> None:
    source, target = Embedded(None), there.backend()
    make(source, b"a", seed, nacks=there.kind == "engine")
    file = str(tmp_path / "a.jsonl.gz")
    assert Desk(source).run("export", "a", "--groups", "-o", file) == 0
    for at in ("a", "b"):
        desk = Desk(target)
        assert desk.run("import", file, "--groups", "--to", at) == 0
        assert desk.said == []
        assert whole(target, at.encode()) == whole(source, b"a")
    before = whole(target, b"a")
    assert Desk(target).run("import", file, "--groups") == 0
    assert whole(target, b"a") == before
    source.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=st.lists(
        st.tuples(
            st.integers(1, 3), st.lists(st.binary(max_size=6), min_size=2, max_size=8).filter(lambda w: len(w) % 2 == 0)
        ),
        min_size=1,
        max_size=12,
    ),
    key=st.binary(max_size=4),
    form=st.sampled_from(["jsonl", "json"]),
)
def test_any_bytes_come_back(
    there: There, tmp_path: Path, entries: list[tuple[int, list[bytes]]], key: bytes, form: str
) -> None:
    source, target = Embedded(None), there.backend()
    ask(target, "DEL", key)
    ms = 0
    for gap, words in entries:
        ms += gap
        ask(source, "XADD", key, f"{ms}-{gap}", *words)
    file = str(tmp_path / "any")
    assert Desk(source).run("export", "-o", file, "--format", form, "--", key) == 0
    assert Desk(target).run("import", file, "--to", key) == 0
    assert ask(target, "XRANGE", key, "-", "+") == ask(source, "XRANGE", key, "-", "+")
    source.close()


def test_several_streams_go_where_the_file_says(there: There, tmp_path: Path) -> None:
    source, target = Embedded(None), there.backend()
    for seed, key in enumerate((b"a", b"\xff", b"c")):
        make(source, key, 100 + seed)
    file = str(tmp_path / "all.jsonl")
    assert Desk(source).run("export", b"a", b"\xff", b"c", "--groups", "-o", file) == 0
    assert Desk(target).run("import", file, "--groups") == 0
    for key in (b"a", b"\xff", b"c"):
        assert whole(target, key) == whole(source, key)
    assert "the file has several streams, and --to names one: x" in _refused(target, file, "--to", "x")
    source.close()


def test_an_empty_stream_is_restored(backend: Backend, tmp_path: Path) -> None:
    source = Embedded(None)
    ask(source, "XADD", "a", "5-0", "f", "v")
    ask(source, "XDEL", "a", "5-0")
    file = str(tmp_path / "a")
    assert Desk(source).run("export", "a", "--groups", "-o", file) == 0
    assert Desk(backend).run("import", file, "--groups") == 0
    assert whole(backend, b"a") == whole(source, b"a")
    source.close()


def test_without_groups_they_are_left_out_and_that_is_said(backend: Backend, tmp_path: Path) -> None:
    source = Embedded(None)
    make(source, b"a", 5)
    ask(source, "XGROUP", "CREATE", "a", "left", "0")
    file = str(tmp_path / "a")
    Desk(source).run("export", "a", "--groups", "-o", file)
    desk = Desk(backend)
    assert desk.run("import", file) == 0
    assert desk.said == ["import: the groups of the file were left out; --groups restores them"]
    assert ask(backend, "XINFO", "GROUPS", "a") == []
    assert _range(backend) == _range(source)
    source.close()


# -- refused before anything is written ------------------------------------------------------


_HEADER = '{"export":1,"streams":["a"],"groups":false}\n'
_ONE = '{"id":"1-0","fields":[["n","1"]]}\n'
_NOT_64_BITS = "is no ID: two numbers of 64 bits, as in 5-1"
_WRONG = {
    _ONE + '{"id":"2-0","fie': "line 2: it ends in the middle; was the file cut off?",
    _ONE + '\n{"id" "2-0"}\n': "line 3: it is no JSON: Expecting ':' delimiter at column 7",
    _ONE.replace("1-0", "5-0") + _ONE: "line 2: its ID 1-0 is not above 5-0, the one before it",
    _ONE.replace("1-0", "0-0"): "line 1: 0-0 is no ID of an entry",
    _ONE.replace("1-0", "x"): f"line 1: x {_NOT_64_BITS}",
    _ONE.replace("1-0", f"1-{2**64}"): f"line 1: 1-{2**64} {_NOT_64_BITS}",
    _ONE.replace('"1-0"', "1"): "line 1: its id is no text such as 5-1",
    '{"id":"1-0","fields":[]}\n': "line 1: an entry needs a field",
    '{"id":"1-0","fields":[["n"]]}\n': "line 1: its fields are no array of [name, value] pairs",
    '{"id":"1-0","fields":["ab"]}\n': "line 1: its fields are no array of [name, value] pairs",
    '{"id":"1-0","fields":[["n",1]]}\n': 'line 1: 1 is no text, and no {"base64": ...}',
    '{"id":"1-0","fields":[["n",{"base64":"?"}]]}\n': 'line 1: {"base64": "?"} is no text, and no {"base64": ...}',
    '{"id":"1-0","fields":[["n","\\ud800"]]}\n': "line 1: half of a surrogate pair is no character",
    _ONE + '"\udcff"\n': "line 2: it is not UTF-8 at byte 2",
    _HEADER.replace(":1,", ":2,"): "line 1: the file is of version 2, this program reads 1",
    _HEADER + _ENTRIES: "the file ends behind line 4, before the end of the export: it was cut off",
    _HEADER + _ENTRIES + '{"end":{"entries":4,"groups":0,"pending":0}}\n': (
        "line 5: the export says that it has 4 entries, and 3 are there"
    ),
    _ENTRIES + '{"what":1}\n': 'line 4: it is no line of an export: {"what": 1}',
    "[" * 100_000: "line 1: it cannot be read: ",
    "[{}]": "line 1: an entry needs a field",
    '[{"a":1},\n 1]': "line 2: it is no object: an entry is {name: value, ...}",
    '[{"a":1},\n {"a"': "line 2: it ends in the middle; was the file cut off?",
    '[{"a":1}\n\n {"a":2}]': "line 3: a comma or ] is missing",
    '[{"a":1}]\n x': "line 2: there is something behind the array",
    '{"a":1}\n17\n': "line 2: it is no object: an entry is {name: value, ...}",
    "a,b\n1,2,3\n": "line 2: it has 3 cells, and the header 2",
    'a,b\n1,2\n"x\n\n': "line 3: it is no CSV: unexpected end of data",
    "id,b\n1-1,2\n1-0,2\n": "line 3: its ID 1-0 is not above 1-1, the one before it",
    "time,b\n20,2\n10,2\n": "line 3: its time is before that of the line before; sort the file, or use --new-ids",
    "time,b\n20,2\nsoon,2\n": "line 3: time is no time: soon",
}


@pytest.mark.parametrize(("text", "said"), _WRONG.items(), ids=map(str, range(len(_WRONG))))
def test_what_is_wrong_is_told_by_its_line_and_nothing_is_written(
    backend: Backend, tmp_path: Path, text: str, said: str
) -> None:
    told = _refused(backend, _file(tmp_path, text, "f"), "--to", "a")
    assert told.startswith(said)
    assert "\n" not in told
    assert ask(backend, "DBSIZE") == 0


def test_a_line_in_the_middle_of_many_is_named(backend: Backend, tmp_path: Path) -> None:
    lines = [f'{{"id":"{number}-0","fields":[["n","1"]]}}' for number in range(1, 20_001)]
    lines[17_776] = lines[17_776][:-1]
    assert _refused(backend, _file(tmp_path, "\n".join(lines)), "--to", "a").startswith(
        "line 17777: it ends in the middle"
    )


def test_a_gzip_file_that_was_cut_off_is_refused(backend: Backend, tmp_path: Path) -> None:
    data = gzip.compress(_ENTRIES.encode() * 100)
    file = _file(tmp_path, data[:-9], "f.jsonl.gz")
    assert _refused(backend, file, "--to", "a") == f"{file} is cut off, or damaged: its compressed data cannot be read"
    assert ask(backend, "DBSIZE") == 0


def test_a_file_that_is_not_there_is_one_line(backend: Backend, tmp_path: Path) -> None:
    assert _refused(backend, str(tmp_path / "x")) == f"cannot read {tmp_path}/x: no such file or directory"
    assert _refused(backend, str(tmp_path)) == f"cannot read {tmp_path}: is a directory"


def test_a_stream_that_holds_other_entries_is_refused_without_append(there: There, tmp_path: Path) -> None:
    file = _file(tmp_path, _ENTRIES)
    there.call("XADD", "a", "1-5", "other", "one")
    assert (
        _refused(there.backend(), file, "--to", "a")
        == "line 1: 1-0 is not in a, and cannot be added below its last ID, 1-5"
    )
    there.call("DEL", "a")
    there.call("XADD", "a", "0-5", "other", "one")
    assert _refused(there.backend(), file, "--to", "a") == (
        "line 1: a has an entry 0-5 that the file has not; --append adds to a stream with other entries"
    )
    desk = Desk(there.backend())
    assert desk.run("import", file, "--to", "a", "--append") == 0
    assert desk.text == "3 entries added to a\n"
    assert there.call("XLEN", "a") == 4
    there.call("DEL", "a")
    there.call("XADD", "a", "1-0", "n", "other")
    assert _refused(there.backend(), file, "--to", "a") == "line 1: a has an entry 1-0 with other fields"


def test_a_group_that_stands_elsewhere_is_not_moved(there: There, tmp_path: Path) -> None:
    target = there.backend()
    for key in ("a", "b"):
        ask(target, "XADD", key, "1-0", "f", "v")
        ask(target, "XGROUP", "CREATE", key, "g", "0" if key == "a" else "1-0")
    file = str(tmp_path / "a")
    Desk(target).run("export", "a", "--groups", "-o", file)
    assert _refused(target, file, "--groups", "--to", "b") == (
        "line 4: b has a group g that stands at 1-0, and in the file at 0-0; destroy it, or import without --groups"
    )
    desk = Desk(target)
    assert desk.run("import", file, "--groups") == 0
    assert desk.said == ["import: a has the group g already: it stays as it is"]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(there: There, tmp_path: Path) -> None:
    desk = Desk(there.backend())
    assert desk.run("import", _file(tmp_path, _ENTRIES), "--to", "a", "--dry-run") == 0
    assert desk.text == "3 entries would be added to a\n"
    assert there.call("EXISTS", "a") == 0


def test_what_does_not_go_together_is_refused(backend: Backend, tmp_path: Path) -> None:
    file = _file(tmp_path, _ENTRIES)
    for words in ((), ("--to", "a", "--groups", "--new-ids"), ("--to", "a", "--groups", "--append")):
        with pytest.raises(UsageError):
            Desk(backend).run("import", file, *words)
    with pytest.raises(UsageError):
        Desk(backend, prompt=True).run("import", "-")


# -- going on ----------------------------------------------------------------------------------


class Dying(Embedded):
    """The connection breaks while the replies of an import come, behind so many of them."""

    behind, dies = 700, True

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        for number, reply in enumerate(super().pipelined(argvs, window=window)):
            if self.dies and number == self.behind:
                raise LostError("the connection broke")
            yield reply


@pytest.mark.parametrize("groups", [False, True])
def test_an_import_whose_target_dies_goes_on_by_the_same_command(tmp_path: Path, groups: bool) -> None:
    source, target = Embedded(None), Dying(None)
    for number in range(1, 3001):
        ask(source, "XADD", "a", f"{number}-0", "n", number)
    ask(source, "XGROUP", "CREATE", "a", "g", "0")
    ask(source, "XREADGROUP", "GROUP", "g", "c", "COUNT", 900, "STREAMS", "a", ">")
    ask(source, "XDEL", "a", "500-0", "501-0", "2000-0")
    ask(source, "XTRIM", "a", "MAXLEN", "=", "2990")
    file = str(tmp_path / "a.jsonl")
    Desk(source).run("export", "a", "--groups", "-o", file)
    words = (file, "--groups") if groups else (file,)
    told = _refused(target, *words)
    line = 702 if groups else 711
    assert told == (
        f"the connection broke; line {line} is the last that is certain to be done; the same command goes on from there"
    )
    for behind in (50, 899, 3, 1) if groups else (50, 899):  # and again, the last time among the pending entries
        target.behind = behind
        _refused(target, *words)
    target.dies = False
    assert Desk(target).run("import", *words) == 0
    assert _range(target) == _range(source)
    if groups:
        assert whole(target, b"a") == whole(source, b"a")
    source.close()
    target.close()


@pytest.mark.parametrize("at_ms", [1_999_999_999_999, 1_700_000_000_000])
def test_a_stream_expires_when_it_did_unless_that_is_over(there: There, tmp_path: Path, at_ms: int) -> None:
    there.call("XADD", "a", "1-0", "n", "1")
    there.call("PEXPIREAT", "a", 1_999_999_999_999)
    file = tmp_path / "a.jsonl"
    assert Desk(there.backend()).run("export", "a", "--groups", "-o", str(file)) == 0
    file.write_text(file.read_text().replace("1999999999999", str(at_ms)))
    there.call("DEL", "a")
    desk = Desk(there.backend())
    assert desk.run("import", str(file), "--groups") == 0
    over = at_ms < 1_800_000_000_000
    assert there.call("PEXPIRETIME", "a") == (-1 if over else at_ms)
    assert desk.said == (
        ["import: the time at which the stream was to expire is over: it does not expire now"] if over else []
    )


def test_what_idempotent_producers_have_sent_is_said_to_be_left_out(tmp_path: Path) -> None:
    source, target = Embedded(None), Embedded(None)
    ask(source, "XADD", "a", "IDMP", "p", "m", "*", "n", "1")
    line = "what idempotent producers have sent is not carried: a message sent again would be added again"
    desk = Desk(source, places={"t": target})
    assert desk.run("export", "a", "--groups", "-o", str(tmp_path / "a.jsonl")) == 0
    assert desk.run("clone", ".", "t", "a") == 0
    assert desk.said == [f"export: {line}", f"a: {line}"]
    source.close()
    target.close()


def test_lines_that_end_as_in_windows_may_be_blank(backend: Backend, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    one, two = (b'{"id":"%d-0","fields":[["n","1"]]}' % number for number in (1, 2))
    file.write_bytes(b"\xef\xbb\xbf" + one + b"\r\n\r\n" + two + b"\r\n  \r\n")
    assert Desk(backend).run("import", str(file), "--to", "new") == 0
    assert ask(backend, "XLEN", "new") == 2


def test_a_file_that_was_replaced_after_it_was_checked_is_not_imported(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id":"1-0","fields":[["n","1"]]}\n')
    source = InFile(str(file))
    with source.opened() as (data, _):
        data.read()
    with source.opened() as (data, _):
        data.read()
    file.write_text('{"id":"1-0","fields":[["n","22"]]}\n')
    with (
        pytest.raises(ToolError, match=r"^.*a\.jsonl was changed while it was read; nothing was done$"),
        source.opened(),
    ):
        pass


class Unreachable(Embedded):
    """The server is gone when the second half is to be sent."""

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        for number, reply in enumerate(super().pipelined(argvs, window=window)):
            if number == 700:
                raise UnreachableError("nothing listens there")
            yield reply


def test_a_target_that_cannot_be_reached_again_is_told_with_where_it_stopped(tmp_path: Path) -> None:
    target = Unreachable(None)
    file = tmp_path / "a.jsonl"
    file.write_text("".join(f'{{"id":"{number}-0","fields":[["n",""]]}}\n' for number in range(1, 1001)))
    assert _refused(target, str(file), "--to", "a") == (
        "nothing listens there; line 700 is the last that is certain to be done; the same command goes on from there"
    )
    target.close()


def test_entries_that_are_there_are_passed_over(there: There, tmp_path: Path) -> None:
    for number in (1, 2):
        there.call("XADD", "a", f"{number}-0", "n", number)
    desk = Desk(there.backend())
    assert desk.run("import", _file(tmp_path, _ENTRIES), "--to", "a") == 0
    assert desk.text == "1 entry added to a; 2 were there already\n"
    there.call("XADD", "a", "9-0", "n", "9")
    desk = Desk(there.backend())
    assert desk.run("import", _file(tmp_path, _ENTRIES), "--to", "a") == 0
    assert desk.text == "0 entries added to a; 3 were there already\n"


class Crowded(Embedded):
    """Somebody adds to the stream while it is imported to."""

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        for number, reply in enumerate(super().pipelined(argvs, window=window)):
            if number == 0:
                self.execute((b"XADD", b"a", b"520-5", b"from", b"elsewhere"))
            yield reply


def test_two_who_add_at_once_are_told(tmp_path: Path) -> None:
    target = Crowded(None)
    lines = [f'{{"id":"{number}-0","fields":[["n","1"]]}}\n' for number in range(1, 1001)]
    assert _refused(target, _file(tmp_path, "".join(lines)), "--to", "a") == (
        "line 513: its ID is not above the last one of a any more: somebody else adds to it; line 512 is the last "
        "that is done; but 480 of those sent behind it were added, too: of lines 521 to 1000"
    )
    target.close()


def _crowded(monkeypatch: pytest.MonkeyPatch, there: There, after: int, id: str) -> list[int]:
    """Somebody adds to the stream when so many entries, or a few more, have been sent: the list says how many."""
    original, other, sent = Remote.poured, there.backend(), list[int]()

    def poured(
        self: Remote, blocks: Iterable[Ready], *, window: int, still: object
    ) -> Generator[int | list[Reply], None, None]:
        """Where there are no transactions."""

        def watched() -> Iterator[Ready]:
            count = 0
            for block in blocks:
                if count >= after and not sent:
                    sent.append(count)
                    until(lambda: ask(other, "XLEN", "a") == sent[0], "those before it are there")
                    ask(other, "XADD", "a", id.format(count + 10), "from", "elsewhere")
                count += block.commands
                yield block

        return original(self, watched(), window=window)

    monkeypatch.setattr(Remote, "poured", poured)
    return sent


@pytest.mark.parametrize("after", [50, 2000])
def test_on_a_server_too_and_little_is_sent_behind_it(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """At first the lines are read by the parser, later without it."""
    standalone = servers.standalone()
    standalone.empty()
    there = on_server(standalone)
    sent = _crowded(monkeypatch, there, after, "{}-5")
    lines = [f'{{"id":"{number}-0","fields":[["n","1"]]}}\n' for number in range(1, 4001)]
    told = _refused(there.backend(), _file(tmp_path, "".join(lines)), "--to", "a", "--batch", "100")
    last = sent[0]
    behind = there.call("XLEN", "a") - last - 1
    assert 40 <= behind <= 90
    assert told == (
        f"line {last + 1}: its ID is not above the last one of a any more: somebody else adds to it; line {last} "
        f"is the last that is done; but {behind} of those sent behind it were added, too: of lines {last + 11} to "
        f"{last + 10 + behind}"
    )
    there.close()


def test_a_server_is_sent_what_the_engine_is_given(tmp_path: Path, servers: Servers) -> None:
    """Plain lines, and among them some that only the parser can read."""
    dice = random.Random(7)
    values = ["1", "", "a b", "\u20ac", '"', "\\", "\n", "\x00", "x" * 5000, {"base64": "/wA="}]
    lines = []
    for number in range(1, 3001):
        odd = 900 < number < 1000 or dice.random() < 0.002
        some = [["n", dice.choice(values if odd else values[:4])] for _ in range(dice.randint(1, 3) if odd else 2)]
        lines.append(
            json.dumps({"id": f"{number // 7}-{number}", "fields": some}, separators=(",", ":"), ensure_ascii=odd)
        )
    file = _file(tmp_path, "".join(line + "\n" for line in lines))
    standalone = servers.standalone()
    standalone.empty()
    there, engine = on_server(standalone), Embedded(None)
    for batch in ("1", "3", "512", "100000"):
        there.call("DEL", "a")
        for backend in (there.backend(), engine):
            desk = Desk(backend)
            assert desk.run("import", file, "--to", "a", "--batch", batch) == 0
        assert _range(there.backend()) == _range(engine)
    assert ask(engine, "XLEN", "a") == 3000
    engine.close()
    there.close()


def test_when_nothing_was_answered_nothing_is_certain(tmp_path: Path) -> None:
    target = Dying(None)
    target.behind = 0
    file = _file(tmp_path, _ENTRIES)
    lost = "the connection broke; nothing is certain to be done"
    assert _refused(target, file, "--to", "a") == f"{lost}; the same command goes on"
    assert _refused(target, file, "--to", "a", "--new-ids") == lost
    target.close()


class Full(Embedded):
    """The disk is full behind the first 512."""

    full = True

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        full = Error("ERR cannot write the database: the disk is full")
        if not self.full:
            yield from super().pipelined(argvs, window=window)
            return
        yield from super().pipelined([argv for at, argv in enumerate(argvs) if at < 512], window=window)
        yield from [full] * 88


def test_a_full_disk_is_told_by_its_line(tmp_path: Path) -> None:
    target = Full(None)
    lines = [f'{{"id":"{number}-0","fields":[["n","1"]]}}\n' for number in range(1, 601)]
    file = _file(tmp_path, "".join(lines))
    assert _refused(target, file, "--to", "a") == (
        "line 513: XADD: ERR cannot write the database: the disk is full; line 512 is the last that is done"
    )
    target.full = False
    desk = Desk(target)
    assert desk.run("import", file, "--to", "a") == 0
    assert desk.text == "88 entries added to a; 512 were there already\n"
    target.close()


class FullForAMoment(Embedded):
    """There is no room for the second window, but for those behind it."""

    full = True

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        rest, count = iter(argvs), 0
        while together := [argv for _, argv in zip(range(window), rest, strict=False)]:
            count += 1
            if count == 2 and self.full:
                yield from [Error("ERR the disk is full; nothing was changed")] * len(together)
            else:
                yield from super().pipelined(together, window=window)


def test_a_full_disk_leaves_no_hole(tmp_path: Path) -> None:
    target = FullForAMoment(None)
    file = _file(tmp_path, "".join(f'{{"id":"{number}-0","fields":[["n","1"]]}}\n' for number in range(1, 1501)))
    assert _refused(target, file, "--to", "a", "--batch", "100") == (
        "line 101: XADD: ERR the disk is full; nothing was changed; line 100 is the last that is done"
    )
    target.full = False
    desk = Desk(target)
    assert desk.run("import", file, "--to", "a") == 0
    assert desk.text == "1,400 entries added to a; 100 were there already\n"
    target.close()


def test_new_ids_go_on_by_line(there: There, tmp_path: Path) -> None:
    file = _file(tmp_path, _ENTRIES)
    desk = Desk(there.backend())
    assert desk.run("import", file, "--to", "a", "--new-ids", "--from-line", "2") == 0
    assert desk.text == "2 entries added to a\n"
    assert [fields for _, fields in there.call("XRANGE", "a", "-", "+")] == [[b"n", b"2"], [b"n", b"3"]]
    assert min(int(id.partition(b"-")[0]) for id, _ in there.call("XRANGE", "a", "-", "+")) > 10**12


def test_a_pipe_is_looked_at_as_it_goes(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.write(write, (_ENTRIES + '{"id":"2-0","fields":[["n","2"]]}\n').encode())
    os.close(write)
    saved = os.dup(0)
    os.dup2(read, 0)
    try:
        assert _refused(there.backend(), "-", "--to", "a") == "line 4: its ID 2-0 is not above 3-0, the one before it"
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(read)


# -- from elsewhere ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ('{"a":1.10,"b":"x","c":null}\n', [["a", "1.10", "b", "x"]]),
        ('{"d":true,"e":{"f":[1e3,"é",null]}}\n', [["d", "true", "e", '{"f":[1e3,"é",null]}']]),
        ('[{"a": 123456789012345678901234567890},\n {"b": ""}]', [["a", "123456789012345678901234567890"], ["b", ""]]),
        ("city,t\nOslo,3\n\nBergen,\n", [["city", "Oslo", "t", "3"], ["city", "Bergen"]]),
        ('\ufeffcity;note\n"A; b";"two\nlines"\n', [["city", "A; b", "note", "two\nlines"]]),
        ("a,a (2)\n1,2\n", [["a", "1", "a", "2"]]),
        ("name\n\udcff\n", [["name", "\udcff"]]),
    ],
)  # fmt: skip
def test_data_from_elsewhere_becomes_entries_with_new_ids(
    backend: Backend, tmp_path: Path, text: str, entries: list[list[str]]
) -> None:
    assert Desk(backend).run("import", _file(tmp_path, text, "f"), "--to", "a") == 0
    found = [
        [word.decode("utf-8", "surrogateescape") for word in fields]
        for _, fields in ask(backend, "XRANGE", "a", "-", "+")
    ]
    assert found == entries


@pytest.mark.parametrize(
    ("text", "words", "ids"),
    [
        ("id,t\n5-1,3\n5-2,4\n", (), ["5-1", "5-2"]),
        ("id,t\n5,3\n5,4\n", ("--time", "id"), ["5000-0", "5000-1"]),
        ("time,t\n2026-11-20T10:00:00Z,3\n2026-11-20T11:00:00+01:00,4\n", (), ["1795168800000-0", "1795168800000-1"]),
        ('{"ts":1795168800.25,"t":3}\n{"ts":1795168801,"t":4}\n', (), ["1795168800250-0", "1795168801000-0"]),
        ('{"key":"7-1","t":3}\n{"key":"7-2","t":3}\n', ("--id", "key"), ["7-1", "7-2"]),
    ],
)
def test_a_column_of_ids_or_times_makes_the_ids(
    backend: Backend, tmp_path: Path, text: str, words: tuple[str, ...], ids: list[str]
) -> None:
    file = _file(tmp_path, text, "f")
    for _ in range(2):  # the second time everything is there
        assert Desk(backend).run("import", file, "--to", "a", *words) == 0
        assert [id.decode() for id, _ in ask(backend, "XRANGE", "a", "-", "+")] == ids


def test_csv_that_was_exported_comes_back(there: There, tmp_path: Path) -> None:
    source = Embedded(None)
    ask(source, "XADD", "a", "1-1", "id", "x", "city", "Oslo", "city", "Bergen")
    ask(source, "XADD", "b", "1-1", "city", 'a "b",\nc')
    file = str(tmp_path / "f.csv")
    assert Desk(source).run("export", "a", "b", "-o", file) == 0
    assert Desk(there.backend()).run("import", file) == 0
    for key in ("a", "b"):
        assert there.call("XRANGE", key, "-", "+") == _range(source, key)
    source.close()


def test_the_record_of_an_import_in_json(backend: Backend, tmp_path: Path) -> None:
    desk = Desk(backend, "json")
    assert desk.run("import", _file(tmp_path, _ENTRIES), "--to", "a") == 0
    assert json.loads(desk.text) == {
        "streams": ["a"], "added": 3, "skipped": 0, "groups": 0, "pending": 0, "dry_run": False
    }  # fmt: skip


def test_what_an_error_repeats_of_a_file_is_one_short_safe_line(backend: Backend, tmp_path: Path) -> None:
    evil = "\\u001b]0;x\\u0007\\n" + "y" * 100
    told = _refused(backend, _file(tmp_path, f'{{"id":"{evil}","fields":[["n","1"]]}}\n'), "--to", "a")
    assert told.startswith(r"line 1: \x1b]0;x\a\nyyyy")
    assert len(told) < 140
    told = _refused(backend, _file(tmp_path, f'{{"ts":"{evil}","n":"1"}}\n'), "--to", "a", "--time", "ts")
    assert told.startswith(r"line 1: ts is no time: \x1b]0;x\a\nyyyy")
