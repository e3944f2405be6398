"""Tools at the prompt: run beside the user's session, completed, explained, sent where a line says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from streamcli.shell.asking import Held
from streamcli.shell.jobs import offers, takes_file
from streamcli.shell.names import Known
from tests.e2e.program import Program
from tests.e2e.screen import Terminal
from tests.tools.desk import There


@pytest.fixture
def prompt(there: There) -> str:
    return f"{there.name}> "


@pytest.fixture
def terminal(program: Program, there: There, prompt: str) -> Iterator[Terminal]:
    for number in range(1, 6):
        there.call("XADD", "a", f"{number}-0", "n", number)
    with Terminal(program, *there.args, env={"PAGER": ""}, columns=100, db=False) as terminal:
        terminal.prompts(prompt)
        yield terminal


def test_a_tool_answers_at_the_prompt(terminal: Terminal, there: There, prompt: str) -> None:
    terminal.enter(".trim a --before 3")
    terminal.shows("2 entries of the 5 in a will be removed, all before 3-0. Go on? [y/N]")
    terminal.enter("y")
    terminal.shows("a: 2 entries removed, all before 3-0")
    terminal.prompts(prompt)
    assert there.call("XLEN", "a") == 3


def test_an_open_transaction_is_not_disturbed(terminal: Terminal, there: There, prompt: str) -> None:
    terminal.enter("MULTI")
    terminal.prompts(f"{there.name}(MULTI)> ")
    terminal.enter("XLEN a")
    terminal.shows("QUEUED")
    terminal.enter(".trim a --before 3 --yes")
    terminal.shows("2 entries removed")
    terminal.enter("EXEC")
    terminal.shows("XLEN  3")


def test_the_answer_goes_where_the_line_says(terminal: Terminal, program: Program) -> None:
    terminal.enter(".rate a --every 1s > rate.json")
    terminal.shows("written to rate.json as json")
    rows = json.loads((program.home / "rate.json").read_text())
    assert rows == [{"from": 0, "to": 1000, "entries": 5, "rate": 5}]
    terminal.enter(".rate a --every 1s | tr a-z A-Z")
    terminal.shows("5 ENTRIES")


def test_what_is_wrong_is_one_line(terminal: Terminal, prompt: str) -> None:
    terminal.enter(".trim a --olderthan 7d")
    terminal.shows(".trim: there is no option --olderthan; did you mean --older-than? (.trim --help says more)")
    terminal.prompts(prompt)
    terminal.enter(".trim nosuch --acked")
    terminal.shows(".trim: there is no stream nosuch")
    terminal.prompts(prompt)
    terminal.enter(".trin a")
    terminal.shows("no such command of the shell: .trin (did you mean .trim?)")


def test_help_lists_and_explains_the_tools(terminal: Terminal, prompt: str) -> None:
    terminal.enter(".trim --help")
    terminal.shows("--older-than AGE  Remove entries older than this: 7d, 12h, 90m.")
    terminal.prompts(prompt)
    terminal.enter(".help rate | head -1")
    terminal.shows("Usage: .rate [OPTIONS] STREAM")


def test_tab_completes_tools_options_and_names(terminal: Terminal, prompt: str) -> None:
    terminal.type(".gen\t")
    terminal.shows(".generate")
    terminal.type(" x --sha\t")
    terminal.shows("--shape")
    terminal.type(" se\t")
    terminal.shows("--shape sensors")


class _Names:
    """What is known, all of it."""

    def groups(self, key: bytes | None) -> list[bytes]:
        return [b"g1", b"g2"] if key == b"a" else []

    def consumers(self, key: bytes | None, group: bytes) -> list[bytes]:
        return [b"ann", b"bob"] if (key, group) == (b"a", b"g1") else []

    def fields(self, key: bytes) -> list[bytes]:
        return [b"city", b"count"] if key == b"a" else []

    def pending(self, key: bytes, group: bytes) -> list[Held]:
        return [Held(id, b"ann", 1000, 1) for id in (b"1-1", b"1-2")] if (key, group) == (b"a", b"g1") else []


def test_a_flag_is_offered_once_and_its_values_behind_it() -> None:
    assert [text for text, _, _ in offers("generate", ["a", "--seed", "1"], "--s", None)] == ["--shape", "--span"]
    assert [text for text, _, _ in offers("generate", ["a", "--shape"], "", None)] == [
        "orders", "sensors", "clicks", "logs",
    ]  # fmt: skip
    names: Known = _Names()  # type: ignore[assignment]
    assert list(offers("rate", ["a"], "x", names)) == []


def test_values_of_flags_are_completed_by_what_there_is() -> None:
    names: Known = _Names()  # type: ignore[assignment]

    def offered(name: str, before: str, typed: str = "") -> list[str]:
        return [text for text, _, _ in offers(name, before.split(), typed, names)]

    assert offered("pending", "a g1 claim --to") == ["ann", "bob"]
    assert offered("pending", "a g1 ack 1-1", "1") == ["1-2"]
    assert offered("rate", "a --by", "ci") == ["city"]
    assert offered("tail", "a --fields", "city,co") == ["city,count"]


def test_files_are_completed_where_one_is_wanted() -> None:
    assert takes_file("import", [])
    assert takes_file("export", ["a", "-o"])
    assert takes_file("replay", ["a", "--at"])
    assert not takes_file("export", [])
    assert not takes_file("tail", ["a"])
