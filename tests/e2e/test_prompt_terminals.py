"""The prompt on terminals of all kinds, with config files of all kinds, and on a backend that dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.program import Program, said
from tests.e2e.screen import Terminal
from tests.e2e.terminal import Screen, on_terminal

PROMPT = "streams.db> "


@pytest.fixture
def filled(program: Program) -> Program:
    assert program.lines("XADD cities 1526984818136-0 city Oslo temp 12").code == 0
    return program


def test_a_line_is_drawn_anew_when_the_terminal_changes_its_size(filled: Program) -> None:
    with Terminal(filled, columns=100) as terminal:
        terminal.prompts(PROMPT)
        terminal.type("XADD cities * city Trondheim temp 9 wind 12")
        terminal.shows("temp 9 wind 12")
        terminal.resize(30, 12)
        terminal.until(lambda: "XADD cities * city" in terminal.lines[0] and "wind 12" in terminal.text, "two rows")
        assert max(map(len, terminal.lines)) <= 30
        terminal.type("\r")
        terminal.shows('-0"')
        terminal.resize(100, 30)
        terminal.enter("XLEN cities")
        terminal.shows("\n2\n")


def test_forty_columns_are_enough(filled: Program) -> None:
    with Terminal(filled, columns=40, rows=12) as terminal:
        terminal.prompts(PROMPT)
        terminal.type("XREAD BLOCK 0")
        terminal.shows("wait for ever")
        assert terminal.cell("milliseconds").underlined
        terminal.type(" STREAMS cities ")
        terminal.shows("only what")
        terminal.type("0\r")
        terminal.shows('temp  "12"')
        terminal.shows("> XREAD BLOCK 0 STREAMS")


@pytest.mark.parametrize(("columns", "rows"), [(10, 24), (80, 4), (80, 2), (5, 3)])
def test_a_terminal_too_small_for_anything_still_runs_commands(filled: Program, columns: int, rows: int) -> None:
    with Terminal(filled, columns=columns, rows=rows) as terminal:
        terminal.until(lambda: terminal.screen.cursor.x > 0, "a prompt")
        terminal.type("XADD b 1-1 f v\r")
        terminal.until(lambda: filled.on("XLEN", "b").out == b"1\n", "the entry")
        terminal.type("\x04")
        assert terminal.leave() == 0


def test_there_is_no_colour_where_it_is_not_wanted(filled: Program) -> None:
    with Terminal(filled, env={"NO_COLOR": "1"}) as terminal:
        terminal.prompts(PROMPT)
        terminal.type("XRANGE cities abc +")
        terminal.shows("abc +")
        terminal.until(lambda: terminal.cell("abc +").underlined, "the problem underlined")
        assert terminal.cell("XRANGE").color == "default"
        terminal.type("\x15XRANGE cities - +\r")
        terminal.shows("Oslo")
        terminal.enter("NOSUCH")
        terminal.shows("unknown command")
        colors = {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()}
        assert colors <= {"default"}


def test_a_terminal_that_can_only_print_gets_plain_lines(filled: Program) -> None:
    typed = b"XLEN cities\nXADD cities 9-9 \\\nf v\nXADD cities * f 'a\nb'\nDEL cities\nno\nexit\n"
    screen = on_terminal(filled, types=typed, after="streams.db> ", env={"TERM": "dumb"})
    assert screen.code == 0
    assert "\x1b" not in screen.text
    lines = screen.text.splitlines()
    assert "1" in lines
    assert "ERR The ID specified in XADD is equal or smaller than the target stream top item" in screen.text
    assert "DEL deletes cities (2 entries). Go on? [y/N]" in screen.text
    assert "not done" in screen.text


def test_ctrl_c_is_no_answer_to_the_question_of_a_plain_prompt(filled: Program) -> None:
    with Terminal(filled, env={"TERM": "dumb"}) as terminal:
        terminal.prompts(PROMPT)
        terminal.enter("DEL cities")
        terminal.shows("Go on? [y/N]")
        terminal.type("\x03")
        terminal.shows("not done")
        terminal.prompts(PROMPT)
        terminal.enter("XLEN cities")
        terminal.shows("\n1\n")


def test_the_end_of_the_input_leaves_a_plain_prompt(filled: Program) -> None:
    assert on_terminal(filled, types=b"\x04", after="streams.db> ", env={"TERM": "dumb"}) == Screen("streams.db> \n", 0)


def test_replies_that_go_elsewhere_are_raw_and_the_prompt_stays_out_of_them(filled: Program) -> None:
    (filled.home / "run").write_text('#!/bin/sh\n"$@" > out\n')
    with Terminal(filled) as terminal:
        terminal.prompts(PROMPT)
        command = " ".join(f"'{word}'" for word in map(str, filled.command("--db", filled.db)))
        terminal.enter(f"PING | {command} > out; {command} XLEN cities")
        terminal.shows("\n1\n")
    assert (filled.home / "out").read_bytes() == b"PONG\n" or (filled.home / "out").exists()


def config(program: Program, text: str) -> Path:
    file = program.home / "config.toml"
    file.write_text(text)
    return file


def test_the_config_file_sets_what_it_says_and_its_mistakes_are_named_by_line(filled: Program) -> None:
    file = config(filled, 'format = "json"\nkeys = "emcas"\ntming = true\n[colors]\nkey = "ansired"\n')
    with Terminal(filled, env={"STREAMCLI_CONFIG": str(file)}) as terminal:
        terminal.shows("config.toml:2: keys must be emacs or vi")
        terminal.shows("config.toml:3: ")
        terminal.prompts(PROMPT)
        terminal.enter("XLEN cities")
        terminal.shows("\n1\n")
        terminal.type("XLEN cities")
        terminal.until(lambda: terminal.cell("cities").color == "red", "red keys")


def test_a_config_file_that_is_no_toml_does_not_keep_anyone_out(filled: Program) -> None:
    file = config(filled, "format = \n")
    with Terminal(filled, env={"STREAMCLI_CONFIG": str(file)}) as terminal:
        terminal.shows("config.toml:1: ")
        terminal.prompts(PROMPT)


def test_a_profile_is_a_place_by_name(filled: Program) -> None:
    file = config(filled, f'[profiles.prod]\ndb = "{filled.db}"\nread-only = true\n')
    env = {"STREAMCLI_CONFIG": str(file)}
    with Terminal(filled, "@prod", env=env, db=False) as terminal:
        terminal.prompts("streams.db(read-only)> ")
        terminal.enter(".connect :memory:")
        terminal.prompts("memory> ")
        terminal.enter(".connect @prod")
        terminal.prompts("streams.db(read-only)> ")
    assert filled.run("@prod", "XLEN", "cities", env=env) == said("1\n")
    assert filled.run("@prd", "XLEN", "cities", env=env).code == 2


@pytest.mark.parametrize("target", ["user:hunter2@localhost:1", "redis:/user:hunter2@h", "redis:/h"])
def test_a_server_that_is_not_quite_one_is_no_new_file(filled: Program, target: str) -> None:
    before = sorted(filled.home.iterdir())
    with Terminal(filled) as terminal:
        terminal.prompts(PROMPT)
        terminal.type(f".connect {target}\r")
        terminal.shows("a server is redis://USER:PASSWORD@HOST:PORT")
        terminal.prompts(PROMPT)
        assert b"hunter2" not in terminal.raw
    assert [file for file in sorted(filled.home.iterdir()) if file not in before and "@" in file.name] == []


@pytest.mark.parametrize("how", ["removed", "emptied", "overwritten"])
def test_the_prompt_stays_when_its_database_dies(filled: Program, how: str) -> None:
    with Terminal(filled) as terminal:
        terminal.prompts(PROMPT)
        terminal.type("XLEN ")
        terminal.shows("cities")
        if how == "removed":
            filled.db.unlink()
        else:
            filled.db.write_bytes(b"" if how == "emptied" else b"\xff" * 100_000)
        for line in ("XRANGE ", "XPENDING cities ", "XREAD STREAMS cities "):
            terminal.type(f"\x15{line}")
            terminal.shows(line.rstrip())
        terminal.type("\x15XLEN cities\r")
        terminal.prompts(PROMPT)
        terminal.enter("ECHO still-here")
        terminal.shows('"still-here"')
        assert "Traceback" not in terminal.text
        terminal.type("\x04")
        assert terminal.leave() == 0


def test_a_read_only_session_makes_no_database(program: Program) -> None:
    assert program.on("--read-only", "XLEN", "a") == said(
        err=f"streamcli: there is no database to read: {program.db}\n", code=3
    )
    assert not program.db.exists()


def test_a_one_shot_can_be_read_only(filled: Program) -> None:
    assert filled.on("--read-only", "XADD", "a", "*", "f", "v") == said(
        err="XADD writes, and this session is read-only\n", code=1
    )
    assert filled.on("--read-only", "XLEN", "cities") == said("1\n")
