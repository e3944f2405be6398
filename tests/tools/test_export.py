"""Export: what is in a file, and when a file is there."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from streamcli.backend import Backend, LostError
from streamcli.backend.embedded import Embedded
from streamcli.flags import UsageError
from streamcli.reply import Reply
from streamcli.tools.job import ToolError
from streamcli.tools.outfile import OutFile
from tests.tools.carried import ask
from tests.tools.desk import Desk, There


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Embedded(None)
    for number in range(1, 4):
        ask(made, "XADD", "a", f"{number}-0", "city", "Oslo", "city", b"\xff\x00")
    ask(made, "XADD", "b", "5-1", "t", "21")
    yield made
    made.close()


class Dying(Embedded):
    """Its connection breaks when it is asked for the entries behind 1068-0."""

    dies = True

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        if self.dies and argv[0] == b"XRANGE" and argv[2] == b"1068-1":
            raise LostError("the connection broke")
        return super().execute(argv, arriving=arriving)


def test_an_export_has_a_first_line_entries_and_a_last_line_with_their_number(there: There) -> None:
    there.call("XADD", "a", "1-0", "city", "Oslo", "city", b"\xff\x00", "", "")
    desk = Desk(there.backend())
    assert desk.run("export", "a") == 0
    assert desk.text == (
        '{"export":1,"streams":["a"],"groups":false}\n'
        '{"id":"1-0","fields":[["city","Oslo"],["city",{"base64":"/wA="}],["",""]]}\n'
        '{"end":{"entries":1,"groups":0,"pending":0}}\n'
    )


def test_several_streams_are_named_in_their_entries(backend: Backend) -> None:
    desk = Desk(backend)
    assert desk.run("export", "b", "a", "--until", "1") == 0
    assert [json.loads(line) for line in desk.text.splitlines()[1:-1]] == [
        {"stream": "a", "id": "1-0", "fields": [["city", "Oslo"], ["city", {"base64": "/wA="}]]}
    ]


def test_plain_is_entries_alone_and_ranges_count_both_ends_in(backend: Backend) -> None:
    desk = Desk(backend)
    assert desk.run("export", "a", "--plain", "--from", "2-0", "--until", "3") == 0
    assert [json.loads(line)["id"] for line in desk.text.splitlines()] == ["2-0", "3-0"]


def test_json_is_one_array(backend: Backend) -> None:
    for words in (("--format", "json"), ("--json",)):
        desk = Desk(backend)
        assert desk.run("export", "a", "b", *words) == 0
        assert [(one["stream"], one["id"]) for one in json.loads(desk.text)] == [
            ("a", "1-0"), ("a", "2-0"), ("a", "3-0"), ("b", "5-1")
        ]  # fmt: skip
    desk = Desk(backend)
    ask(backend, "XTRIM", "a", "MAXLEN", 0)
    assert desk.run("export", "a", "--json") == 0
    assert json.loads(desk.text) == []


def test_csv_has_a_column_for_each_name_and_each_repetition(backend: Backend) -> None:
    desk = Desk(backend)
    assert desk.run("export", "a", "b", "--format", "csv", "--from", "3") == 0
    assert desk.text == "stream,id,city,city (2),t\na,3-0,Oslo,\\xff\0,\nb,5-1,,,21\n"


def test_with_groups_everything_that_a_stream_is_is_written(backend: Backend) -> None:
    ask(backend, "XGROUP", "CREATE", "a", "g", "0")
    ask(backend, "XREADGROUP", "GROUP", "g", "c", "COUNT", 2, "STREAMS", "a", ">")
    ask(backend, "XDEL", "a", "1-0")
    desk = Desk(backend)
    assert desk.run("export", "a", "--groups") == 0
    lines = [json.loads(line) for line in desk.text.splitlines()]
    assert lines[0] == {"export": 1, "streams": ["a"], "groups": True}
    assert lines[1] == {
        "stream": "a",
        "settings": {
            "length": 2, "last-generated-id": "3-0", "entries-added": 3, "max-deleted-entry-id": "1-0",
            "idmp-duration": 100, "idmp-maxsize": 100,
        },
    }  # fmt: skip
    assert lines[2] == {"id": "1-0", "fields": None}
    assert [line["id"] for line in lines[3:5]] == ["2-0", "3-0"]
    group = lines[5]
    times = [group["consumers"][0].pop(name) for name in ("seen-time", "active-time")]
    assert group == {
        "stream": "a", "group": "g", "last-delivered-id": "2-0", "entries-read": 2,
        "consumers": [{"name": "c", "pending": 2}],
    }  # fmt: skip
    assert lines[6:8] == [
        {"stream": "a", "group": "g", "id": id, "consumer": "c", "delivery-time": times[0], "deliveries": 1}
        for id in ("1-0", "2-0")
    ]
    assert lines[8:] == [{"end": {"entries": 2, "groups": 1, "pending": 2}}]


def test_a_file_that_ends_in_gz_is_compressed_and_takes_its_format_from_its_name(
    backend: Backend, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv.gz"
    desk = Desk(backend)
    assert desk.run("export", "b", "-o", str(file)) == 0
    assert gzip.decompress(file.read_bytes()) == b"id,t\n5-1,21\n"
    assert desk.text == f"1 entry of b exported to {file}\n"
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv.gz"]


def test_a_file_that_is_there_is_replaced_only_if_one_agrees(backend: Backend, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("precious")
    desk = Desk(backend, answers=[False])
    with pytest.raises(ToolError, match=r"a\.jsonl is there, and stays as it is$"):
        desk.run("export", "a", "-o", str(file))
    assert desk.asked == [f"{file} is there, and will be replaced"]
    assert file.read_text() == "precious"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_an_export_whose_source_dies_goes_on_where_it_was(tmp_path: Path, name: str) -> None:
    backend = Dying(None)
    for number in range(1, 2501):
        ask(backend, "XADD", "a", f"{number}-0", "n", number)
    ask(backend, "XGROUP", "CREATE", "a", "g", "0")
    file = tmp_path / name
    with pytest.raises(ToolError) as raised:
        Desk(backend).run("export", "a", "--groups", "-o", str(file))
    assert raised.value.code == 3
    assert str(raised.value) == (
        f"the connection broke; 1,068 entries are in {file}.part, and the same command goes on behind 1068-0"
    )
    assert not file.exists()
    backend.dies = False
    ask(backend, "XADD", "a", "9999-0", "n", "later")  # not of this export
    desk = Desk(backend)
    assert desk.run("export", "a", "--groups", "-o", str(file)) == 0
    assert desk.said == [f"export: 1,068 entries are in {file}.part already; going on from there"]
    assert desk.text == f"2,500 entries of a exported to {file}, with 1 group and 0 pending\n"
    data = file.read_bytes()
    lines = [json.loads(line) for line in (gzip.decompress(data) if name.endswith("gz") else data).splitlines()]
    assert [line["id"] for line in lines if "fields" in line] == [f"{number}-0" for number in range(1, 2501)]
    assert lines[-1] == {"end": {"entries": 2500, "groups": 1, "pending": 0}}
    assert [one.name for one in tmp_path.iterdir()] == [name]
    backend.close()


def test_to_stdout_it_says_where_to_go_on() -> None:
    backend = Dying(None)
    for number in range(1, 1102):
        ask(backend, "XADD", "a", f"{number}-0", "n", number)
    with pytest.raises(ToolError, match=r"the last entry written is 1068-0: --from 1068-1 goes on from there$"):
        Desk(backend).run("export", "a")
    backend.close()


def test_a_part_that_is_damaged_or_of_another_export_is_begun_anew(backend: Backend, tmp_path: Path) -> None:
    file = tmp_path / "b.jsonl"
    for rubbish in (b"", b"rubbish", b'{"export":1,"streams":["b"],"groups":false}\n{"id":"5-1","fie'):
        (tmp_path / "b.jsonl.part").write_bytes(rubbish)
        desk = Desk(backend)
        assert (desk.run("export", "b", "-o", str(file)), desk.said) == (0, [])
        assert len(file.read_text().splitlines()) == 3


def _stopped(file: Path, *words: str, value: str = "n") -> None:
    """An export of 3000 entries that has ended behind the 1068th."""
    backend = _thousands(value)
    with pytest.raises(ToolError):
        Desk(backend).run("export", "a", "-o", str(file), *words)
    backend.close()


def _thousands(value: str = "n") -> Dying:
    backend = Dying(None)
    for number in range(1, 3001):
        ask(backend, "XADD", "a", f"{number}-0", value, number)
    return backend


@pytest.mark.parametrize(
    ("stopped", "now", "value", "first"),
    [
        (("--from", "1001"), (), "n", 1),
        (("--until", "2000"), (), "n", 1),
        ((), ("--from", "1001"), "n", 1),
        (("--groups",), (), "n", 1),
        (("--plain",), (), "n", 1),
        ((), (), "other", 1),
        ((), (), "n", 3000),
    ],
)
def test_a_part_of_other_bounds_or_of_another_place_is_no_beginning(
    tmp_path: Path, stopped: tuple[str, ...], now: tuple[str, ...], value: str, first: int
) -> None:
    file = tmp_path / "a.jsonl"
    _stopped(file, *stopped)
    backend = _thousands(value)
    if first != 1:
        ask(backend, "DEL", "a")
        ask(backend, "XADD", "a", "1-0", "n", "1")
    backend.dies = False
    desk = Desk(backend)
    assert (desk.run("export", "a", "-o", str(file), *now), desk.said) == (0, [])
    fields = [json.loads(line)["fields"] for line in file.read_text().splitlines()[1:-1]]
    assert fields == [[[value, str(number)]] for number in (range(1001 if now else 1, 3001) if first == 1 else [1])]
    backend.close()


def test_a_part_of_the_same_bounds_is_gone_on_with_though_its_beginning_was_trimmed(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    _stopped(file, "--from", "1001", "--until", "2000")
    backend = _thousands()
    backend.dies = False
    ask(backend, "XTRIM", "a", "MINID", "1500")
    desk = Desk(backend)
    assert desk.run("export", "a", "-o", str(file), "--from", "1001", "--until", "2000") == 0
    assert desk.said == [f"export: 68 entries are in {file}.part already; going on from there"]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines[0] == {
        "export": 1,
        "streams": ["a"],
        "groups": False,
        "from": "1001-0",
        "to": "2000-18446744073709551615",
    }
    assert [line["id"] for line in lines[1:-1]] == [
        f"{number}-0" for number in (*range(1001, 1069), *range(1500, 2001))
    ]
    backend.close()


def test_bounds_that_move_with_the_clock_are_told_as_they_were(tmp_path: Path) -> None:
    backend = _thousands()
    with pytest.raises(
        ToolError, match=r"the same command with --until \d{13}-18446744073709551615 goes on behind 1068-0$"
    ):
        Desk(backend).run("export", "a", "-o", str(tmp_path / "a.jsonl"), "--until", "-1m")
    backend.close()


def test_nothing_is_kept_of_what_nobody_can_go_on_with(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    backend = _thousands()
    with pytest.raises(ToolError, match=r"the connection broke; nothing was written$"):
        Desk(backend).run("export", "a", "-o", str(file), "--plain")
    assert list(tmp_path.iterdir()) == []
    backend.close()


def test_of_two_exports_into_one_file_the_second_does_nothing(backend: Backend, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    with OutFile(str(file)) as first:
        first.write("precious")
        with pytest.raises(ToolError, match=r"^somebody else is writing .*/a\.jsonl\.part$"):
            Desk(backend).run("export", "a", "-o", str(file))
        first.done()
    assert file.read_text() == "precious\n"


def test_a_part_that_has_grown_since_it_was_looked_at_is_left_alone(tmp_path: Path) -> None:
    part = tmp_path / "a.jsonl.part"
    part.write_text("line\n")
    with pytest.raises(ToolError, match="somebody else is writing"):
        OutFile(str(tmp_path / "a.jsonl"), go_on=4)
    with OutFile(str(tmp_path / "a.jsonl"), go_on=5) as file:
        file.write("more")
        file.done()
    assert (tmp_path / "a.jsonl").read_text() == "line\nmore\n"


def test_how_many_a_group_had_read_is_unknown_when_it_has_read_on_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    backend = _thousands()
    ask(backend, "XGROUP", "CREATE", "a", "g", "0")
    with pytest.raises(ToolError):
        Desk(backend).run("export", "a", "-o", str(file), "--groups")
    backend.dies = False
    ask(backend, "XADD", "a", "4000-0", "n", "later")
    ask(backend, "XREADGROUP", "GROUP", "g", "c", "NOACK", "STREAMS", "a", ">")
    assert Desk(backend).run("export", "a", "-o", str(file), "--groups") == 0
    group = json.loads(file.read_text().splitlines()[-2])
    assert (group["last-delivered-id"], group["entries-read"]) == ("3000-0", None)
    backend.close()


def test_what_is_pending_behind_a_last_id_that_was_set_back_is_not_lost_in_silence(tmp_path: Path) -> None:
    backend, other = Embedded(None), Embedded(None)
    ask(backend, "XADD", "a", "5-0", "n", "1")
    ask(backend, "XGROUP", "CREATE", "a", "g", "0")
    ask(backend, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">")
    ask(backend, "XTRIM", "a", "MAXLEN", "0")
    ask(backend, "XSETID", "a", "2-0")
    file = str(tmp_path / "a.jsonl")
    desk = Desk(backend)
    desk.run("export", "a", "--groups", "-o", file)
    assert desk.text.endswith("with 1 group and 1 pending\n")
    desk = Desk(other)
    assert desk.run("import", file, "--groups") == 0
    assert desk.said == ["import: 1 pending entries are gone from the stream, and could not be made pending"]
    backend.close()
    other.close()


def test_a_file_that_cannot_be_written_is_one_line(backend: Backend, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"^cannot write .*/no/a.jsonl: no such file or directory$") as raised:
        Desk(backend).run("export", "a", "-o", str(tmp_path / "no" / "a.jsonl"))
    assert raised.value.code == 3


def test_a_full_disk_leaves_no_file(backend: Backend) -> None:
    with pytest.raises(ToolError, match=r"^cannot write /dev/full: no space left on device$"):
        Desk(backend).run("export", "a", "-o", "/dev/full")


@pytest.mark.parametrize(("key", "said"), [("nowhere", "there is no stream nowhere"), ("s", "s is no stream")])
def test_what_is_no_stream_is_said(backend: Backend, key: str, said: str) -> None:
    ask(backend, "SET", "s", "1")
    with pytest.raises(ToolError) as raised:
        Desk(backend).run("export", key)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    "words",
    [("--groups", "--format", "csv"), ("--plain", "--groups"), ("--from", "3", "--until", "2"), ("--from", "x")],
)
def test_what_does_not_go_together_is_refused(backend: Backend, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        Desk(backend).run("export", "a", *words)


def test_what_is_added_meanwhile_is_not_in_it(backend: Backend) -> None:
    for number in range(10, 2000):
        ask(backend, "XADD", "a", f"{number}-0", "n", "1")

    class Busy(Desk):
        def show(self, chunks: Iterable[str], *, live: bool) -> None:
            for chunk in chunks:
                self.shown.append(chunk)
                ask(backend, "XADD", "a", "*", "n", "later")

    desk = Busy(backend)
    assert desk.run("export", "a") == 0
    assert desk.text.splitlines()[-1] == '{"end":{"entries":1993,"groups":0,"pending":0}}'


def test_what_is_trimmed_meanwhile_is_simply_not_there(backend: Backend) -> None:
    for number in range(10, 3000):
        ask(backend, "XADD", "a", f"{number}-0", "n", "1")

    class Trimming(Desk):
        def show(self, chunks: Iterable[str], *, live: bool) -> None:
            for chunk in chunks:
                self.shown.append(chunk)
                ask(backend, "XTRIM", "a", "MINID", "2990-0")

    desk = Trimming(backend)
    assert desk.run("export", "a") == 0
    lines = desk.text.splitlines()
    ids = [json.loads(line)["id"] for line in lines[1:-1]]
    assert ids[-10:] == [f"{number}-0" for number in range(2990, 3000)]
    assert json.loads(lines[-1])["end"]["entries"] == len(ids)
