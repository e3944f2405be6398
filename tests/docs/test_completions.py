"""The completion files are what the program makes of its options and commands, and real shells complete by them.

bash is everywhere; zsh and fish are asked where they are installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pexpect  # type: ignore[import-untyped]
import pytest

from streamcli import cli
from streamcli.completions import FILES, flags, main
from streamcli.grammar.commands import BY_WORD
from streamcli.tools import TOOLS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "completions"

CONFIG = """
keys = "vi"
[profiles.prod]
db = "prod.db"
  [ profiles."test-1" ]  # a comment
memory = true
[colors]
key = "bold"
"""

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
zsh = pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
fish = pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_what_make_completions_makes(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == FILES[name](), "run `make completions`"


def test_make_completions_writes_all_of_them(tmp_path: Path) -> None:
    main(str(tmp_path / "made"))
    assert sorted(os.listdir(tmp_path / "made")) == sorted(os.listdir(FOLDER)) == sorted(FILES)


def test_the_wheel_installs_them_where_the_shells_look() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    targets = settings["tool"]["hatch"]["build"]["targets"]
    assert targets["wheel"]["shared-data"] == {
        "completions/streamcli.bash": "share/bash-completion/completions/streamcli",
        "completions/_streamcli": "share/zsh/site-functions/_streamcli",
        "completions/streamcli.fish": "share/fish/vendor_completions.d/streamcli.fish",
    }
    assert "/completions" in targets["sdist"]["include"]


def test_every_option_of_the_command_line_is_completed() -> None:
    context = cli._context()
    given = {
        name
        for parameter in context.command.get_params(context)
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }
    assert {name for flag in flags() for name in flag.names} == given


# -- in real shells -----------------------------------------------------------------------------

FIRST = {name.decode() for name in BY_WORD} | {"@prod", "@test-1", "help", "explain", "serve", *TOOLS}
CASES = [  # a command line whose last word is completed, and what it may become
    ("", FIRST),
    ("XR", {"XRANGE", "XREAD", "XREADGROUP", "XREVRANGE"}),
    ("XGROUP CREATE", {"CREATE", "CREATECONSUMER"}),
    ("XINFO ", {"STREAM", "GROUPS", "CONSUMERS", "HELP"}),
    ("XLEN ", set()),
    ("XLEN --me", set()),
    ("XGROUP CREATE ", set()),
    ("@", {"@prod", "@test-1"}),
    ("@p", {"@prod"}),
    ("@prod XL", {"XLEN"}),
    ("@prod XINFO ST", {"STREAM"}),
    ("@prod --", set()),
    ("--memory XL", {"XLEN"}),
    ("-n 3 --db XREAD XL", {"XLEN"}),
    ("--db XINFO XINFO ST", {"STREAM"}),
    ("--format ", {"tree", "classic", "json", "jsonl", "csv", "table", "raw", "md"}),
    ("help cl", {"claiming", "cluster", "client", "clone"}),
    ("help xg", {"xgroup"}),
    ("--format js", {"json", "jsonl"}),
    ("--durability f", {"full"}),
    ("-n 1", {"1", *(str(number) for number in range(10, 16))}),
    ("--mem", {"--memory"}),
    ("--db o", {"one.db"}),
    ("-f my", {"my file.redis"}),
    ("-e ", set()),
    ("serve --p", {"--port", "--password"}),
    ("serve --port 0 --un", {"--unixsocket"}),
    ("serve --memory --durability ", {"normal", "full"}),
    ("serve --db o", {"one.db"}),
    ("serve --port ", set()),
    ("trim a --old", {"--older-than"}),
    ("generate a --shape l", {"logs"}),
    ("generate a --shape orders --se", {"--seed"}),
    ("rate a --mo", {"--most"}),
]
by_case = pytest.mark.parametrize(("typed", "expected"), CASES, ids=[typed for typed, _ in CASES])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a config file and some files."""
    (tmp_path / "config" / "streamcli").mkdir(parents=True)
    (tmp_path / "config" / "streamcli" / "config.toml").write_text(CONFIG)
    for name in ("one.db", "my file.redis"):
        (tmp_path / name).touch()
    return tmp_path


def run(command: list[str], place: Path, **more: str) -> list[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "XDG_CONFIG_HOME": str(place / "config"),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        command, cwd=place, env={**environment, **more}, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


ASK_BASH = """
. "$1"; shift
COMP_WORDS=(streamcli "$@"); COMP_CWORD=$#; COMP_WORDBREAKS=$BREAKS
compopt() { :; }
_streamcli streamcli
for reply in "${COMPREPLY[@]}"; do echo "$reply"; done
"""


def by_bash(words: list[str], place: Path, breaks: str = "", **more: str) -> list[str]:
    """What bash would offer for the last word; `breaks` are characters at which it has cut the line."""
    script = ["bash", "--norc", "--noprofile", "-c", ASK_BASH, "bash", str(FOLDER / "streamcli.bash"), *words]
    return run(script, place, BREAKS=breaks, **more)


@bash
@by_case
def test_bash_completes(typed: str, expected: set[str], place: Path) -> None:
    found = by_bash(typed.split(" "), place)
    assert set(found) == expected
    assert len(found) == len(expected)


@bash
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["@", "p"], ["@prod"]),
        (["@"], ["@prod", "@test-1"]),
        (["@", "prod", "XL"], ["XLEN"]),
        (["--format", "="], ["tree", "classic", "json", "jsonl", "csv", "table", "raw", "md"]),
        (["--format", "=", "js"], ["json", "jsonl"]),
        (["--format", "=", "json", "XL"], ["XLEN"]),
        (["--db", "=", "o"], ["one.db"]),
    ],
)
def test_bash_completes_words_that_it_has_cut(words: list[str], expected: list[str], place: Path) -> None:
    assert by_bash(words, place, "@=") == expected


@bash
@pytest.mark.parametrize(("option", "breaks"), [("-s", "@=:"), ("-u", "@=:"), ("-s", "=:")])
def test_a_profile_is_completed_whole_in_a_bash_that_somebody_types_at(option: str, breaks: str, place: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], cwd=str(place), env=environment, encoding="utf-8", timeout=60
    )
    with shell:
        shell.sendline(f"XDG_CONFIG_HOME=config; shopt {option} hostcomplete; COMP_WORDBREAKS=$' \\n{breaks}'")
        shell.sendline(f"streamcli() {{ printf '<%s>' \"$@\"; }}; . '{FOLDER / 'streamcli.bash'}'; echo rea''dy")
        shell.expect("ready")
        shell.sendline("streamcli @p\t")
        shell.expect("<.*>")
        assert shell.after == "<@prod>"


@bash
def test_bash_completes_words_that_it_was_told_not_to_cut(place: Path) -> None:
    assert by_bash(["--format=js"], place) == ["--format=json", "--format=jsonl"]
    assert by_bash(["@p"], place) == ["@prod"]


@bash
def test_bash_goes_on_in_the_case_that_was_begun(place: Path) -> None:
    assert by_bash(["xr"], place) == ["xrange", "xrevrange", "xread", "xreadgroup"]
    assert by_bash(["xinfo", "st"], place) == ["stream"]
    assert by_bash(["Xinfo", "ST"], place) == ["STREAM"]


@bash
def test_profiles_are_those_of_the_config_file_that_is_used(place: Path) -> None:
    (place / "mine.toml").write_text("[profiles.mine]\nmemory = true\n")
    assert by_bash(["@"], place, STREAMCLI_CONFIG=str(place / "mine.toml")) == ["@mine"]
    assert by_bash(["@"], place, STREAMCLI_CONFIG=str(place / "missing")) == []
    assert by_bash(["@"], place, XDG_CONFIG_HOME="", STREAMCLI_CONFIG="") == []


ASK_FISH = """
source $argv[1]
complete -C $argv[2]
"""


@fish
@by_case
def test_fish_completes(typed: str, expected: set[str], place: Path) -> None:
    asked = ["fish", "--no-config", "-c", ASK_FISH, str(FOLDER / "streamcli.fish"), f"streamcli {typed}"]
    found = {line.split("\t")[0] for line in run(asked, place)}
    if typed == "-n 1":
        assert found == expected
    else:  # of files fish also offers those that only hold what was typed
        assert {word for word in found if word.startswith(typed.rpartition(" ")[2])} == expected


ZSHRC = r"""
PS1= LISTMAX=10000
fpath=($COMPLETIONS $fpath)
autoload -U compinit
compinit -u -D
compadd() {
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
        local -a offered
        builtin compadd -O offered "$@"
        print -rl -- $offered >>$OFFERED
    fi
    builtin compadd "$@"
}
finish() { print "fini""shed" }
zle -N finish
bindkey '^T' finish
zle-line-init() { print "rea""dy" }
zle -N zle-line-init
"""


@zsh
@by_case
def test_zsh_completes(typed: str, expected: set[str], place: Path) -> None:
    (place / ".zshrc").write_text(ZSHRC)
    offered = place / "offered"
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(place), "ZDOTDIR": str(place), "TERM": "dumb", "LC_ALL": "C.UTF-8",
        "XDG_CONFIG_HOME": str(place / "config"), "COMPLETIONS": str(FOLDER), "OFFERED": str(offered),
    }  # fmt: skip
    with pexpect.spawn("zsh", ["-d", "-i"], env=environment, cwd=str(place), timeout=30) as shell:
        shell.expect_exact("ready")
        shell.send(f"streamcli {typed}\t\x14")
        shell.expect_exact("finished")
        shell.sendeof()
    found = offered.read_text().replace("\\ ", " ").splitlines() if offered.exists() else []
    begun = typed.rpartition(" ")[2].lower()  # a busy zsh has been seen to go round once more, behind what it put in
    assert {word for word in found if word and word.lower().startswith(begun)} == expected
