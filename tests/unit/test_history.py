"""The history: what is kept and what is not, in which file, and that nothing about that file stops anyone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.shell import history
from streamcli.shell.history import ENTRIES_MAX, ENTRY_MAX, History, path

ROOT = Path(__file__).resolve().parents[2]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "streamcli" / "history"


# -- what is kept -------------------------------------------------------------------------------


def test_lines_come_back_in_the_next_session_the_newest_last(file: Path) -> None:
    first = History(str(file))
    for line in ("XLEN a", "XADD a * text 'two\nlines'", "XLEN a"):
        first.append(line)
    second = History(str(file))
    assert second.load() == ["XLEN a", "XADD a * text 'two\nlines'", "XLEN a"]
    assert second.entries == first.entries
    assert (first.trouble, second.trouble) == (None, None)


def test_the_file_is_text_that_says_when(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.strftime", lambda how: "2026-11-20 10:00:00")
    History(str(file)).append("XADD a * f 'b\n\nc'")
    assert file.read_bytes() == b"\n# 2026-11-20 10:00:00\n+XADD a * f 'b\n+\n+c'\n"


@pytest.mark.parametrize(
    "line",
    [
        "", "  ", "\n", " XLEN a", "\tXLEN a", "AUTH x", "HELLO 3 AUTH user x", "HELLO 3 AUTH x",
        "CONFIG SET requirepass x", ".connect redis://:x@host", "XLEN a\nAUTH x", "x" * (ENTRY_MAX + 1),
    ],
)  # fmt: skip
def test_secrets_blanks_and_endless_lines_are_not_kept(line: str, file: Path) -> None:
    kept = History(str(file))
    kept.append(line)
    assert kept.entries == []
    assert not file.exists()


def test_a_line_that_repeats_the_last_one_is_kept_once(file: Path) -> None:
    kept = History(str(file))
    for line in ("PING", "PING", "TIME", "PING"):
        kept.append(line)
    again = History(str(file))
    again.append("PING")
    assert again.entries == ["PING", "TIME", "PING"]
    assert History(str(file)).load() == ["PING", "TIME", "PING"]


def test_the_longest_line_is_kept(file: Path) -> None:
    History(str(file)).append("x" * ENTRY_MAX)
    assert History(str(file)).load() == ["x" * ENTRY_MAX]


def test_without_a_file_lines_are_kept_in_memory() -> None:
    kept = History(None)
    kept.append("PING")
    assert kept.entries == kept.load() == ["PING"]
    assert kept.trouble is None


typed = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\n\r+# \t\\'\"\x00\x1b\u2028\udcff"), max_size=30
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(typed, max_size=5))
def test_whatever_was_typed_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = tmp_path_factory.mktemp("history") / "history"
    kept = History(str(file))
    for line in lines:
        kept.append(line)
    in_a_file = [line for line in kept.entries if not any("\ud800" <= character < "\udc80" for character in line)]
    in_a_file = [line for line in in_a_file if not any("\udd00" <= character <= "\udfff" for character in line)]
    back = [line.encode("utf-8", "surrogateescape") for line in History(str(file)).load()]
    assert back == [line.encode("utf-8", "surrogateescape") for line in in_a_file]
    assert kept.trouble is None


def test_clear_forgets_everything(file: Path) -> None:
    kept = History(str(file))
    kept.append("PING")
    kept.clear()
    assert kept.entries == []
    assert kept.suggest("P") is None
    assert file.read_bytes() == b""
    kept.append("TIME")
    assert History(str(file)).load() == ["TIME"]


def test_clear_without_a_file_makes_none(file: Path) -> None:
    History(str(file)).clear()
    assert not file.exists()


# -- suggestions -----------------------------------------------------------------------------------


def test_the_newest_line_that_goes_on_like_this_is_suggested() -> None:
    kept = History(None)
    for line in ("XLEN abc", "XLEN abd", "PING", "XLEN ab"):
        kept.append(line)
    assert [kept.suggest("XLEN abc"[:size]) for size in range(9)] == [
        None, "XLEN ab", "XLEN ab", "XLEN ab", "XLEN ab", "XLEN ab", "XLEN ab", "XLEN abd", None,
    ]  # fmt: skip
    assert kept.suggest("XLEN abc and more") is None
    assert kept.suggest("P") == "PING"
    assert kept.suggest("p") is None
    kept.append("XLEN abcd")
    assert kept.suggest("XLEN abc") == "XLEN abcd"


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.text("ab", min_size=1, max_size=4), max_size=12), st.lists(st.text("ab", max_size=5), max_size=8))
def test_what_was_asked_before_changes_no_suggestion(lines: list[str], prefixes: list[str]) -> None:
    kept = History(None)
    for line in lines:
        kept.append(line)
    for prefix in prefixes:
        expected = [line for line in kept.entries if prefix and line.startswith(prefix) and line != prefix]
        assert kept.suggest(prefix) == (expected[-1] if expected else None)


# -- the file -----------------------------------------------------------------------------------------


def test_the_file_and_its_folder_are_private(file: Path) -> None:
    before = os.umask(0)
    try:
        History(str(file)).append("PING")
    finally:
        os.umask(before)
    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700


def test_a_file_that_others_can_read_is_made_private_when_it_is_read(file: Path) -> None:
    History(str(file)).append("PING")
    file.chmod(0o644)
    assert History(str(file)).load() == ["PING"]
    assert mode(file) == 0o600


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        (b"", []),
        (b"\x00\xff\x1b[31m\n\n\n", []),
        (b"+PING", ["PING"]),
        (b"junk\n+PING\njunk\n+TIME\n+x\n", ["PING", "TIME\nx"]),
        (b"\n# 2026\n+PING\n\n# 2026\n+XADD a * \xff\xc3", ["PING", "XADD a * \udcff\udcc3"]),
        (b"+a\r\n", ["a\r"]),
        (b"+\n", [""]),
        (b"\n# 2026\n+PING\n\n# 20", ["PING"]),
    ],
)
def test_a_damaged_file_gives_what_it_still_holds_and_goes_on(data: bytes, entries: list[str], file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    kept = History(str(file))
    assert kept.load() == entries
    kept.append("XLEN new")
    assert kept.trouble is None
    assert History(str(file)).load() == [*entries, "XLEN new"]


def test_entries_of_prompt_toolkit_are_read(file: Path) -> None:
    from prompt_toolkit.history import FileHistory

    file.parent.mkdir(parents=True)
    theirs = FileHistory(str(file))
    theirs.store_string("XADD a * f 'b\nc'")
    History(str(file)).append("PING")
    theirs.store_string("TIME")
    assert History(str(file)).load() == ["XADD a * f 'b\nc'", "PING", "TIME"]
    assert list(theirs.load_history_strings()) == ["TIME", "PING", "XADD a * f 'b\nc'"]


def test_a_folder_in_its_place_is_one_line_of_trouble(tmp_path: Path) -> None:
    kept = History(str(tmp_path))
    assert kept.load() == []
    kept.append("PING")
    assert kept.entries == ["PING"]
    assert kept.trouble == f"history is not kept: it is a folder: {tmp_path}"
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "history")
    kept = History(str(tmp_path / "history"))
    kept.append("PING")
    assert kept.trouble == f"history is not kept: it is not a file: {tmp_path / 'history'}"


def test_dev_null_means_that_no_history_is_wanted() -> None:
    kept = History("/dev/null")
    kept.append("PING")
    assert kept.entries == ["PING"]
    assert kept.trouble is None


def test_a_folder_that_cannot_be_made_is_one_line_of_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    kept = History(str(tmp_path / "file" / "history"))
    kept.append("PING")
    assert kept.trouble == f"history is not kept: not a directory: {tmp_path / 'file' / 'history'}"


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR])
def test_a_file_that_may_not_be_read_or_written_is_one_line_of_trouble(
    flags: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    History(str(file)).append("PING")
    truly = os.open

    def refuse(name: str, how: int, *rest: int) -> int:  # a test may run as root, who may do everything
        if name == str(file) and how & os.O_ACCMODE == flags:
            raise PermissionError(13, "Permission denied", name)
        return truly(name, how, *rest)

    monkeypatch.setattr(os, "open", refuse)
    kept = History(str(file))
    kept.append("TIME")
    kept.append("XLEN a")
    assert kept.entries[-2:] == ["TIME", "XLEN a"]
    assert kept.trouble == f"history is not kept: permission denied: {file}"


def test_a_full_disk_is_one_line_of_trouble_and_leaves_no_half_entry(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = History(str(file))
    kept.append("PING")
    before = file.read_bytes()
    truly = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: truly(descriptor, data[:7]))
    kept.append("TIME")
    monkeypatch.undo()
    assert kept.entries == ["PING", "TIME"]
    assert kept.trouble == f"history is not kept: no space left on device: {file}"
    assert file.read_bytes() == before


# -- a file that has grown ------------------------------------------------------------------------------


def entry(number: int) -> bytes:
    return b"\n# 2026-11-20 10:00:00\n+XLEN %d\n" % number


def test_a_file_that_has_grown_is_cut_back_to_the_newest_entries(file: Path) -> None:
    file.parent.mkdir(parents=True)
    grown = ENTRIES_MAX * 5 // 4
    file.write_bytes(b"".join(map(entry, range(grown))))
    kept = History(str(file))
    assert len(kept.load()) == ENTRIES_MAX
    assert kept.entries[-1] == f"XLEN {grown - 1}"
    kept.append("PING")
    expected = b"".join(map(entry, range(grown - ENTRIES_MAX + 1, grown)))[1:]
    assert file.read_bytes().startswith(expected + b"\n# ")
    again = History(str(file))
    assert again.load()[0] == f"XLEN {grown - ENTRIES_MAX + 1}"
    assert (len(again.entries), again.entries[-1]) == (ENTRIES_MAX, "PING")
    assert mode(file) == 0o600
    assert os.listdir(file.parent) == ["history"]


def test_a_file_of_endless_lines_is_read_from_its_end_and_cut_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_BYTES_MAX", 1000)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"".join(map(entry, range(100, 200))))
    kept = History(str(file))
    assert kept.load() == [f"XLEN {number}" for number in range(170, 200)]
    kept.append("PING")
    assert kept.trouble is None
    assert History(str(file)).load() == [*(f"XLEN {number}" for number in range(187, 200)), "PING"]


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"".join(map(entry, range(ENTRIES_MAX * 5 // 4))))
    file.symlink_to(elsewhere)
    History(str(file)).append("PING")
    assert file.is_symlink()
    assert len(History(str(elsewhere)).load()) == ENTRIES_MAX


WRITER = """
import sys
from streamcli.shell import history
history._GROWN = history.ENTRIES_MAX = 60
kept = history.History(sys.argv[1])
for number in range(50):
    kept.append(f"{sys.argv[2]} {number} " + "x" * 2000)
assert kept.trouble is None, kept.trouble
"""


def test_shells_that_run_at_once_tear_and_lose_nothing_though_they_cut_the_file_back(file: Path) -> None:
    shells = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name], cwd=ROOT) for name in ("one", "two", "three")
    ]
    assert [shell.wait(60) for shell in shells] == [0, 0, 0]
    lines = History(str(file)).load()
    assert all(line.endswith(" " + "x" * 2000) for line in lines)
    assert len(set(lines)) == len(lines)
    assert len(lines) >= 60
    for name in ("one", "two", "three"):  # of each shell the newest are there, in order and without a gap
        numbers = [int(line.split()[1]) for line in lines if line.startswith(f"{name} ")]
        assert numbers == list(range(50 - len(numbers), 50))


# -- where it is ----------------------------------------------------------------------------------------


def test_it_is_in_the_users_state_folder(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert path({"XDG_STATE_HOME": "/state", "HOME": home}) == "/state/streamcli/history"
    assert path({"HOME": home}) == f"{home}/.local/state/streamcli/history"
    assert path({"XDG_STATE_HOME": "relative", "HOME": home}) == f"{home}/.local/state/streamcli/history"
    assert path({"HOME": f"{home}/missing"}) is None
    assert list(tmp_path.iterdir()) == []
