"""The command line: what `read` makes of it, that click agrees, and what contradicts itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli import cli
from streamcli.settings import OPTIONS, Settings, UnreadError, UsageError, data_file, read, with_profile
from streamcli.shell.config import Config, Profile
from streamcli.shell.output import Output
from streamcli.shell.session import USAGE


def by_click(args: list[str]) -> Settings | int:
    """What click makes of a command line: settings, or the exit code."""
    started: list[Settings] = []

    def start(settings: Settings, output: Output) -> int:
        started.append(settings)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_start", start)
        patch.setattr(cli, "_complain", lambda line: None)
        code = cli._with_click(args, Output(1))
    return started[0] if started else code


def by_read(args: list[str]) -> Settings | int | None:
    """The same by `read`; None when it leaves the line to click."""
    try:
        return read(args)
    except UsageError:
        return USAGE
    except UnreadError:
        return None


# -- what is understood ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "settings"),
    [
        ([], Settings()),
        (["PING"], Settings(words=(b"PING",))),
        (["XADD", "s", "*", "-e", "--db"], Settings(words=(b"XADD", b"s", b"*", b"-e", b"--db"))),
        (["--", "-e"], Settings(words=(b"-e",))),
        (["-"], Settings(words=(b"-",))),
        ([""], Settings(words=(b"",))),
        (["-e", "PING"], Settings(execute=(b"PING",))),
        (["--execute", "PING", "--execute=XLEN s"], Settings(execute=(b"PING", b"XLEN s"))),
        (["-ePING", "-e", "-x"], Settings(execute=(b"PING", b"-x"))),
        (["-e="], Settings(execute=(b"=",))),
        (["--execute="], Settings(execute=(b"",))),
        (["-f", "a", "--file=b", "-f", "-"], Settings(file=("a", "b", "-"))),
        (["-x", "SET", "k"], Settings(words=(b"SET", b"k"), last_from_stdin=True)),
        (["--db", "x.db"], Settings(db="x.db")),
        (["--db="], Settings(db="")),
        (["--db", "a", "--db", "b"], Settings(db="b")),
        (["--memory"], Settings(memory=True)),
        (["--memory", "--memory"], Settings(memory=True)),
        (["-n", "15"], Settings(number=15)),
        (["-n0"], Settings(number=0)),
        (["-2"], Settings(protocol=2)),
        (["-3"], Settings(protocol=3)),
        (["-3", "-2"], Settings(protocol=2)),
        (["-2", "-3"], Settings(protocol=3)),
        (["--format", "jsonl"], Settings(format="jsonl")),
        (["--continue-on-error"], Settings(continue_on_error=True)),
        (["--durability", "full"], Settings(durability="full")),
        (["--durability=normal"], Settings(durability="normal")),
        (["--read-only"], Settings(read_only=True)),
        (["--yes", "XLEN", "s"], Settings(yes=True, words=(b"XLEN", b"s"))),
        (["-y"], Settings(yes=True)),
        (["--no-config"], Settings(no_config=True)),
        (["@prod"], Settings(profile="prod")),
        (["@prod", "XLEN", "@s"], Settings(profile="prod", words=(b"XLEN", b"@s"))),
        (["--read-only", "@a", "XLEN", "s"], Settings(read_only=True, profile="a", words=(b"XLEN", b"s"))),
        (["-e", "PING", "@prod"], Settings(execute=(b"PING",), profile="prod")),
        (["--", "@prod", "PING"], Settings(profile="prod", words=(b"PING",))),
        (["@prod", "-"], Settings(profile="prod", words=(b"-",))),
        (["@"], Settings(words=(b"@",))),
        (["XLEN", "@prod"], Settings(words=(b"XLEN", b"@prod"))),
        (["@\udcff"], Settings(profile="\udcff")),
        (["-e", "\udcff"], Settings(execute=(b"\xff",))),
        (["gr\u00fc\u00df"], Settings(words=("gr\u00fc\u00df".encode(),))),
        (["--memory", "-n", "3", "-3", "--format", "json", "XLEN", "s"],
         Settings(memory=True, number=3, protocol=3, format="json", words=(b"XLEN", b"s"))),
    ],
)  # fmt: skip
def test_what_a_command_line_says_and_click_says_the_same(args: list[str], settings: Settings) -> None:
    assert read(args) == settings
    assert by_click(args) == settings


@pytest.mark.parametrize("name", [name for flag in OPTIONS for name in flag.names])
def test_every_option_is_understood_by_both(name: str) -> None:
    flag = next(flag for flag in OPTIONS if name in flag.names)
    given = flag.choices[-1] if flag.choices else str(flag.number[1]) if flag.number else "x"
    args = [name, given, "word"] if flag.value is not None else [name, "word"]
    understood = by_read(args)
    assert understood is not None
    assert understood == by_click(args)


@pytest.mark.parametrize(
    "args",
    [
        ["--help"], ["--version"], ["--memory", "--help"], ["--nope"], ["-z"], ["-xz"], ["-x3", "PING"], ["--memory=1"],
        ["-e"], ["--db"], ["-n", "16"], ["-n", "-1"], ["-n", "x"], ["-n", ""], ["-n", "1_0"], ["-n", "\u0661"],
        ["--format", "nope"], ["--format", "TREE"], ["--durability", ""], ["--mem"], ["--execut", "PING"],
    ],
)  # fmt: skip
def test_help_and_what_is_wrong_is_left_to_click(args: list[str]) -> None:
    with pytest.raises(UnreadError):
        read(args)


@pytest.mark.parametrize(
    "args", [["--nope"], ["-z"], ["-e"], ["-n", "16"], ["-n", "x"], ["--format", "nope"], ["--memory=1"]]
)
def test_click_refuses_what_is_wrong_as_wrong_usage(args: list[str]) -> None:
    assert by_click(args) == 2


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["-e", "PING", "-f", "x"], "give -e or -f, not both"),
        (["-e", "PING", "XLEN", "s"], "give -e or a command, not both; a line after -e is one word, in quotes"),
        (["-f", "x", "PING"], "give -f or a command, not both"),
        (
            ["-e", "PING", "-f", "x", "PING"],
            "give -e or -f or a command, not both; a line after -e is one word, in quotes",
        ),
        (["--memory", "--db", "x"], "give --db or --memory, not both"),
        (["--memory", "--db="], "give --db or --memory, not both"),
        (["-x"], "-x needs a command, whose last word is read from standard input"),
        (["-x", "-e", "PING"], "-x needs a command, whose last word is read from standard input"),
        (["-x", "@prod"], "-x needs a command, whose last word is read from standard input"),
        (["-e", "PING", "@prod", "PING"], "give -e or a command, not both; a line after -e is one word, in quotes"),
        (["@prod", "--format", "json", "PING"], "options come before @prod"),
        (["--no-config", "@prod"], "give @prod or --no-config, not both"),
    ],
)
def test_a_contradiction_is_one_line_for_the_user(args: list[str], text: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(args)
    assert str(raised.value) == text
    assert by_click(args) == 2


pieces = st.sampled_from(
    [name for flag in OPTIONS for name in flag.names]
    + [
        "PING",
        "s",
        "",
        "-",
        "--",
        "x",
        "7",
        "16",
        "-1",
        "+7",
        " 7",
        "-n7",
        "-n=7",
        "-ePING",
        "-x3",
        "-3x",
        "-23",
        "--db=x",
    ]
    + ["--db=", "--memory=", "--format=json", "--format=x", "--file", "json", "tree", "full", "--help", "--hel", "-h"]
    + ["@p", "@", "--no-config", "-y", "--read-only"]
    + ["--execute=a=b", "--version", "---", "--=", "-=", "-e=", "\udcff", "a b", "--\u00fc"]
)


@settings(derandomize=True, deadline=None, max_examples=600)
@given(st.lists(pieces | st.text(max_size=4), max_size=6))
def test_where_read_understands_a_line_click_understands_the_same(args: list[str]) -> None:
    understood = by_read(args)
    if understood is not None:
        assert understood == by_click(args)


# -- profiles ---------------------------------------------------------------------------------

CONFIG = Config(
    profiles={
        "prod": Profile(db="/prod.db", number=3, read_only=True),
        "scratch": Profile(memory=True),
        "plain": Profile(),
        "server": Profile(url="redis://:secret@host"),
        "far": Profile(memory=True, number=16),
        "wrong": Profile(fault="config.toml:3: db must be the name of a file, not 3"),
    },
    path="/c.toml",
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Settings(), Settings()),
        (Settings(profile="prod"), Settings(profile="prod", db="/prod.db", number=3, read_only=True)),
        (Settings(profile="prod", number=5), Settings(profile="prod", db="/prod.db", number=5, read_only=True)),
        (Settings(profile="prod", db="x"), Settings(profile="prod", db="x", number=3, read_only=True)),
        (Settings(profile="prod", memory=True), Settings(profile="prod", memory=True, number=3, read_only=True)),
        (Settings(profile="scratch"), Settings(profile="scratch", memory=True)),
        (Settings(profile="scratch", db="x"), Settings(profile="scratch", db="x")),
        (Settings(profile="scratch", read_only=True), Settings(profile="scratch", memory=True, read_only=True)),
        (Settings(profile="plain", format="json"), Settings(profile="plain", format="json")),
        (Settings(profile="far", number=2), Settings(profile="far", memory=True, number=2)),
    ],
)
def test_a_profile_goes_under_what_the_command_line_says(given: Settings, expected: Settings) -> None:
    assert with_profile(given, CONFIG) == expected


@pytest.mark.parametrize(
    ("name", "config", "text"),
    [
        ("prd", CONFIG, "there is no profile prd in /c.toml (did you mean @prod?)"),
        ("x", CONFIG, "there is no profile x in /c.toml (it has @far, @plain, @prod, @scratch, @server, @wrong)"),
        ("prod", Config(path="/c.toml"), "there is no profile prod: /c.toml has none"),
        ("prod", Config(), "there is no profile prod: the config file has none"),
        ("server", CONFIG, "profile server is a server, and servers cannot be reached yet"),
        ("far", CONFIG, "profile far cannot be used: number must be 0 to 15"),
        ("wrong", CONFIG, "profile wrong cannot be used: config.toml:3: db must be the name of a file, not 3"),
    ],
)
def test_a_profile_that_cannot_be_gone_to_is_one_line_for_the_user(name: str, config: Config, text: str) -> None:
    with pytest.raises(UsageError) as raised:
        with_profile(Settings(profile=name), config)
    assert str(raised.value) == text


# -- where the data is ----------------------------------------------------------------------------


def test_the_default_file_is_in_the_users_data_folder_which_is_made_private(tmp_path: Path) -> None:
    found = data_file({"XDG_DATA_HOME": str(tmp_path / "data")})
    assert found == str(tmp_path / "data" / "streamcli" / "default.db")
    assert stat.S_IMODE(os.stat(tmp_path / "data" / "streamcli").st_mode) == 0o700
    assert data_file({"XDG_DATA_HOME": str(tmp_path / "data")}) == found


@pytest.mark.parametrize("data", [{}, {"XDG_DATA_HOME": ""}, {"XDG_DATA_HOME": "relative"}])
def test_without_a_data_folder_of_its_own_it_is_in_the_home_folder(data: dict[str, str], tmp_path: Path) -> None:
    found = data_file({"HOME": str(tmp_path), **data})
    assert found == str(tmp_path / ".local" / "share" / "streamcli" / "default.db")


def test_settings_are_never_changed() -> None:
    settings = Settings()
    with pytest.raises(AttributeError):
        settings.db = "x"  # type: ignore[misc]
