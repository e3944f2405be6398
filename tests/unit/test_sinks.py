"""Replies go to files, shell commands and pagers as they come, and nothing in them is obeyed on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamcli.shell.line import Tail
from streamcli.shell.output import Output
from streamcli.shell.sinks import SinkError, format_for, into_file, paged, pager_command, through


def tail(kind: str, target: str) -> Tail:
    return Tail(kind, target, 0, 0)


@pytest.mark.parametrize(
    ("kind", "target", "format"),
    [
        ("|", "grep x", "raw"),
        ("|", "jq .", "json"),
        ("|", "jqq", "raw"),
        (">", "a.json", "json"),
        (">>", "a.JSONL", "jsonl"),
        (">", "a.csv", "csv"),
        (">", "a.txt", "raw"),
        (">", "json", "raw"),
    ],
)
def test_a_format_that_suits_where_the_reply_goes(kind: str, target: str, format: str) -> None:
    assert format_for(tail(kind, target)) == format


def test_a_file_is_written_anew_or_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "my file"
    into_file(tail(">", str(file)), ["a", "b\nc"])
    assert file.read_bytes() == b"a\nb\nc\n"
    into_file(tail(">>", str(file)), ["\udcff"])
    assert file.read_bytes() == b"a\nb\nc\n\xff\n"
    into_file(tail(">", str(file)), [])
    assert file.read_bytes() == b""


@pytest.mark.parametrize(
    ("target", "text"),
    [(".", "cannot write .: is a directory"), ("no/such/file", "cannot write no/such/file: no such file or directory")],
)
def test_a_file_that_cannot_be_written_is_said_in_one_line(target: str, text: str) -> None:
    with pytest.raises(SinkError) as error:
        into_file(tail(">", target), ["a"])
    assert str(error.value) == text


def test_data_goes_to_a_shell_command_as_its_input_only(tmp_path: Path) -> None:
    file = tmp_path / "out"
    assert through(f"cat > {file}", ["$(touch x); `touch x`", "'; touch x"]) == 0
    assert file.read_text() == "$(touch x); `touch x`\n'; touch x\n"
    assert not Path("x").exists()


def test_a_shell_command_may_stop_reading(tmp_path: Path) -> None:
    made = 0

    def endless() -> Iterator[str]:
        nonlocal made
        while True:
            made += 1
            yield "x" * 1000

    assert through(f"head -c 3 > {tmp_path / 'out'}", endless()) == 0
    assert (tmp_path / "out").read_bytes() == b"xxx"
    assert through("exit 3", ["x"]) == 3


@pytest.mark.parametrize(
    ("chosen", "environment", "command"),
    [
        ("", {"PAGER": "more"}, None),
        ("cat", {}, None),
        ("sh -s", {"PAGER": "more"}, "sh -s"),
        (None, {"PAGER": "sh -s"}, "sh -s"),
        (None, {"PAGER": ""}, None),
        (None, {"PAGER": "no-such-program -x"}, None),
    ],
)
def test_the_pager_is_the_one_that_was_chosen_if_there_is_such_a_program(
    chosen: str | None, environment: dict[str, str], command: str | None
) -> None:
    assert pager_command(chosen, environment) == command


def shown(rows: int, chunks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What came to the screen, and what to the pager."""
    monkeypatch.setenv("LINES", str(rows))
    monkeypatch.setenv("COLUMNS", "10")
    screen, pager = tmp_path / "screen", tmp_path / "pager"
    descriptor = os.open(screen, os.O_WRONLY | os.O_CREAT)
    output = Output(descriptor)
    paged(output, iter(chunks), f"cat > {pager}", {"PATH": os.environ["PATH"]})
    output.flush()
    os.close(descriptor)
    return screen.read_text(), pager.read_text() if pager.exists() else ""


def test_what_fits_on_the_screen_is_not_paged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(5, ["a", "b\nc", "\x1b[2m0123456789\x1b[0m"], tmp_path, monkeypatch) == (
        "a\nb\nc\n\x1b[2m0123456789\x1b[0m\n", "",
    )  # fmt: skip


@pytest.mark.parametrize("chunks", [["a", "b\nc", "d", "e"], ["0123456789a", "b", "c", "d"], ["é" * 50]])
def test_what_is_taller_goes_through_the_pager_from_its_first_line(
    chunks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(5, chunks, tmp_path, monkeypatch) == ("", "".join(f"{chunk}\n" for chunk in chunks))
