"""The command line: what `read` makes of it, that click agrees, and what contradicts itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli import cli
from streamcli.backend.address import Address, Tls
from streamcli.flags import UnreadError, UsageError
from streamcli.settings import (
    OPTIONS,
    Settings,
    check_place,
    data_file,
    place,
    read,
    with_profile,
)
from streamcli.shell.config import Config
from streamcli.shell.output import Output
from streamcli.shell.profile import Profile
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
    except UnreadError:
        return None
    except UsageError:
        return USAGE


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
        (["-n", "2147483647"], Settings(number=2147483647)),
        (["-u", "redis://h"], Settings(url="redis://h")),
        (["--url=redis://:p@h/?db=1"], Settings(url="redis://:p@h/?db=1")),
        (["-h", "h", "-p", "6380", "PING"], Settings(host="h", port=6380, words=(b"PING",))),
        (["-hh", "-p6380"], Settings(host="h", port=6380)),
        (["-h", "::1"], Settings(host="::1")),
        (["--host=h", "--port=1"], Settings(host="h", port=1)),
        (["-s", "/x.sock"], Settings(socket="/x.sock")),
        (["-a", "\udcff", "--user", "ann"], Settings(password="\udcff", user="ann")),
        (["--pass", ""], Settings(password="")),
        (["--askpass"], Settings(askpass=True)),
        (["--tls", "--cacert", "a", "--cert", "b", "--key", "c", "--sni", "d"],
         Settings(tls=True, cacert="a", cert="b", key="c", sni="d")),
        (["--tls", "--insecure"], Settings(tls=True, insecure=True)),
        (["-c"], Settings(cluster=True)),
        (["--sentinel", "a:1,b", "--master", "m", "--sentinel-user", "u", "--sentinel-pass", "p"],
         Settings(sentinel="a:1,b", master="m", sentinel_user="u", sentinel_password="p")),
        (["--read-from", "replica"], Settings(read_from="replica")),
        (["--timeout", "0", "--connect-timeout=2.5"], Settings(timeout=0.0, connect_timeout=2.5)),
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
    given = flag.choices[-1] if flag.choices else str(flag.number[1]) if flag.number else "1.5" if flag.seconds else "x"
    args = [name, given, "word"] if flag.value is not None else [name, "word"]
    understood = by_read(args)
    assert understood is not None
    assert understood == by_click(args)


@pytest.mark.parametrize(
    "args",
    [
        ["--help"], ["--version"], ["--memory", "--help"], ["--nope"], ["-z"], ["-xz"], ["-x3", "PING"], ["--memory=1"],
        ["-e"], ["--db"], ["-n", "2147483648"], ["-n", "-1"], ["-n", "x"], ["-n", ""], ["-n", "1_0"], ["-n", "\u0661"],
        ["--format", "nope"], ["--format", "TREE"], ["--durability", ""], ["--mem"], ["--execut", "PING"],
        ["-p", "0"], ["-p", "65536"], ["-p", "x"], ["-h"], ["-a"], ["--timeout", "x"], ["--timeout", "-1"],
        ["--timeout", ""], ["--timeout", "1e3"], ["--timeout", "inf"], ["--connect-timeout", "9" * 30],
        ["--read-from", "master"],
    ],
)  # fmt: skip
def test_help_and_what_is_wrong_is_left_to_click(args: list[str]) -> None:
    with pytest.raises(UnreadError):
        read(args)


@pytest.mark.parametrize(
    "args",
    [
        ["--nope"],
        ["-z"],
        ["-e"],
        ["-n", "2147483648"],
        ["-n", "x"],
        ["--format", "nope"],
        ["--memory=1"],
        ["--timeout", "x"],
        ["-p", "0"],
        ["--read-from", "x"],
    ],
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
        (["--memory", "-h", "x"], "give --memory or -h, not both"),
        (["--db", "x", "-u", "redis://h"], "give --db or -u, not both"),
        (["--db", "x", "-a", "secret"], "give --db or -a, not both"),
        (["--db", "x", "--timeout", "1"], "give --db or --timeout, not both"),
        (["--db=", "-c"], "give --db or -c, not both"),
        (["-u", "redis://h", "-h", "x"], "give -u or -h, not both"),
        (["-u", "redis://h", "-p", "1"], "give -u or -p, not both"),
        (["-s", "/x", "-h", "x"], "give -s or -h, not both"),
        (["-s", "/x", "-p", "1"], "give -s or -p, not both"),
        (["-s", "/x", "-c"], "give -s or -c, not both"),
        (["-s", "/x", "--tls"], "give -s or --tls, not both"),
        (["--sentinel", "x", "--master", "m", "-h", "x"], "give --sentinel or -h, not both"),
        (["--sentinel", "x"], "--sentinel needs --master"),
        (["--master", "x"], "--master needs --sentinel"),
        (["--tls", "--cert", "x"], "--cert needs --key"),
        (["--tls", "--key", "x"], "--key needs --cert"),
        (["--askpass", "-a", "secret"], "give -a or --askpass, not both"),
        (["-h", ""], "-h must be the name or the address of a host"),
        (["-h", "a b"], "-h must be the name or the address of a host"),
        (["-h", "redis://:secret@h"], "-h must be a host, not a URL"),
        (["-h", "h:6379"], "-h must be a host alone, the port is given apart"),
        (["-s", ""], "-s needs a value"),
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
    + ["@p", "@", "--no-config", "-y", "--read-only", "1.5", "replica", "65535", "65536", "-p7", "-hx", "redis://h"]
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
        "server": Profile(url="redis://:secret@host", number=2, timeout=2.0),
        "host": Profile(host="h", port=7, user="ann", password="secret", tls=True, sni="s", protocol=2),
        "login": Profile(password="secret"),
        "socket": Profile(socket="/x.sock"),
        "watched": Profile(sentinel="a,b", master="m", read_from="replica", sentinel_password="secret"),
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
        (Settings(profile="server"),
         Settings(profile="server", url="redis://:secret@host", number=2, timeout=2.0)),
        (Settings(profile="server", timeout=0.0, number=0),
         Settings(profile="server", url="redis://:secret@host", number=0, timeout=0.0)),
        (Settings(profile="server", port=7),
         Settings(profile="server", url="redis://:secret@host", port=7, number=2, timeout=2.0)),
        (Settings(profile="server", db="x"), Settings(profile="server", db="x", number=2)),
        (Settings(profile="host"),
         Settings(profile="host", host="h", port=7, user="ann", password="secret", tls=True, sni="s", protocol=2)),
        (Settings(profile="host", password="p", protocol=3),
         Settings(profile="host", host="h", port=7, user="ann", password="p", tls=True, sni="s", protocol=3)),
        (Settings(profile="host", askpass=True),
         Settings(profile="host", host="h", port=7, user="ann", askpass=True, tls=True, sni="s", protocol=2)),
        (Settings(profile="login"), Settings(profile="login", host="127.0.0.1", password="secret")),
        (Settings(profile="socket"), Settings(profile="socket", socket="/x.sock")),
        (Settings(profile="watched"),
         Settings(profile="watched", sentinel="a,b", master="m", read_from="replica", sentinel_password="secret")),
    ],
)  # fmt: skip
def test_a_profile_goes_under_what_the_command_line_says(given: Settings, expected: Settings) -> None:
    assert with_profile(given, CONFIG) == expected


@pytest.mark.parametrize("place", [{"host": "x"}, {"url": "redis://x"}, {"socket": "/y"}, {"sentinel": "x"}])
@pytest.mark.parametrize("name", ["host", "server", "login", "watched"])
def test_a_place_on_the_command_line_gets_nothing_that_is_meant_for_a_profiles(
    place: dict[str, Any], name: str
) -> None:
    given = Settings(profile=name, number=1, **place)
    assert with_profile(given, CONFIG) == given


@pytest.mark.parametrize(
    ("given", "password"),
    [
        (Settings(profile="host"), "secret"),
        (Settings(profile="server"), "secret"),
        (Settings(profile="login"), "secret"),
        (Settings(profile="host", password="p"), "p"),
        (Settings(profile="host", askpass=True), "env"),  # until somebody has been asked
        (Settings(profile="socket"), "env"),
        (Settings(profile="host", host="x"), "env"),
        (Settings(profile="host", user="ann"), "secret"),
        (Settings(profile="host", user="bob"), "env"),
        (Settings(profile="host", user="bob", password="p"), "p"),
        (Settings(profile="host", user="default"), "env"),
        (Settings(profile="login", user="bob"), "env"),
        (Settings(profile="login", user="default"), "secret"),
    ],
)
def test_the_environments_password_fills_only_a_missing_one(given: Settings, password: str) -> None:
    found = place(with_profile(given, CONFIG), {"REDISCLI_AUTH": "env"})
    assert found is not None
    assert found.password == password


@pytest.mark.parametrize(
    ("given", "config", "text"),
    [
        (Settings(profile="prd"), CONFIG, "there is no profile prd in /c.toml (did you mean @prod?)"),
        (Settings(profile="x"), CONFIG, "there is no profile x in /c.toml (it has @far, @host, @login, @plain, @prod, "
         "@scratch, @server, @socket, @watched, @wrong)"),
        (Settings(profile="prod"), Config(path="/c.toml"), "there is no profile prod: /c.toml has none"),
        (Settings(profile="prod"), Config(), "there is no profile prod: the config file has none"),
        (Settings(profile="prod", password="p"), CONFIG, "-a is for a server, and profile prod is none"),
        (Settings(profile="scratch", port=7), CONFIG, "-p is for a server, and profile scratch is none"),
        (Settings(profile="wrong"), CONFIG,
         "profile wrong cannot be used: config.toml:3: db must be the name of a file, not 3"),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_gone_to_is_one_line_for_the_user(given: Settings, config: Config, text: str) -> None:
    with pytest.raises(UsageError) as raised:
        with_profile(given, config)
    assert str(raised.value) == text


# -- where a run goes ---------------------------------------------------------------------------

URL = {"STREAMCLI_URL": "redis://ann:url@there:7/3"}
AUTH = {"REDISCLI_AUTH": "env"}
THERE = Address("there", 7, user="ann", password="url", db=3)


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (Settings(), {}, None),
        (Settings(), AUTH, None),
        (Settings(timeout=1.0), {}, None),
        (Settings(), {"STREAMCLI_URL": ""}, None),
        (Settings(), URL, THERE),
        (Settings(), URL | AUTH, THERE),
        (Settings(db="x"), URL, None),
        (Settings(memory=True), URL, None),
        (Settings(host="h"), URL, Address("h")),
        (Settings(port=8), URL, Address(port=8)),
        (Settings(socket="/x"), URL, Address(path="/x")),
        (Settings(url="redis://h"), URL, Address("h")),
        (Settings(password="p", user="bob", number=0), URL, Address("there", 7, user="bob", password="p")),
        (Settings(user="bob"), URL, THERE._replace(user="bob", password="")),
        (Settings(user="bob"), URL | AUTH, THERE._replace(user="bob", password="env")),
        (Settings(user="ann"), URL | AUTH, THERE),
        (Settings(user="bob"), {"STREAMCLI_URL": "redis://:p@h"}, Address("h", user="bob", password="")),
        (Settings(user="default"), {"STREAMCLI_URL": "redis://:p@h"}, Address("h", user="default", password="p")),
        (Settings(url="redis://ann:p@h", user="bob"), {}, Address("h", user="bob", password="")),
        (Settings(url="redis://:p@h", user="bob"), {}, Address("h", user="bob", password="p")),
        (Settings(timeout=1.0, connect_timeout=0.0), URL, THERE._replace(timeout=1.0, connect_timeout=None)),
        (Settings(url="redis://h?timeout=5&connect_timeout=6", timeout=0.0), {}, Address("h", connect_timeout=6.0)),
        (Settings(protocol=2), URL, THERE._replace(protocol=2)),
        (Settings(url="redis://h?protocol=3", protocol=2), {}, Address("h", protocol=2)),
        (Settings(password="p"), {}, Address(password="p")),
        (Settings(password=""), AUTH, Address(password="")),
        (Settings(user="ann"), {}, Address(user="ann", password="")),
        (Settings(url="redis://ann@h"), {}, Address("h", user="ann", password="")),
        (Settings(user="ann"), AUTH, Address(user="ann", password="env")),
        (Settings(cluster=True), {}, Address(cluster=True)),
        (Settings(url="redis+cluster://h"), {}, Address("h", cluster=True)),
        (Settings(tls=True, insecure=True), {}, Address(tls=Tls(verify=False))),
        (Settings(url="redis://h", tls=True, sni="n"), {}, Address("h", tls=Tls(sni="n"))),
        (Settings(url="rediss://h?cacert=a&sni=m", sni="n"), {}, Address("h", tls=Tls(cacert="a", sni="n"))),
        (Settings(url="rediss://h?cert=a&key=b", cert="c", key="d"), {}, Address("h", tls=Tls(cert="c", key="d"))),
        (Settings(host="h"), AUTH, Address("h", password="env")),
        (Settings(url="redis://ann@h"), AUTH, Address("h", user="ann", password="env")),
        (Settings(url="redis://:p@h"), AUTH, Address("h", password="p")),
        (Settings(host="h", password="p"), AUTH, Address("h", password="p")),
        (Settings(socket="/x"), AUTH, Address(path="/x", password="env")),
        (Settings(read_from="replica"), {}, Address(replica=True)),
        (Settings(url="redis://h?read_from=replica", read_from="primary"), {}, Address("h")),
        (Settings(sentinel="a:1, b,[::1]:2", master="m", number=4, sentinel_user="u", sentinel_password="s"), {},
         Address(sentinels=(("a", 1), ("b", 26379), ("::1", 2)), master="m", db=4,
                 sentinel_user="u", sentinel_password="s")),
        (Settings(url="redis+sentinel://a/m", sentinel_password="s"), {},
         Address(sentinels=(("a", 26379),), master="m", sentinel_password="s")),
        (Settings(host="h", number=2147483647), {}, Address("h", db=2147483647)),
    ],
)  # fmt: skip
def test_where_a_run_goes(given: Settings, environment: dict[str, str], expected: Address | None) -> None:
    found = place(given, environment)
    assert (None if found is None else tuple(found)) == (None if expected is None else tuple(expected))


@pytest.mark.parametrize(
    ("given", "environment", "text"),
    [
        (Settings(number=16), {}, "the embedded engine has the databases 0 to 15; number 16 needs a server"),
        (Settings(db="x", number=99), URL, "the embedded engine has the databases 0 to 15; number 99 needs a server"),
        (Settings(url="redis://ann:secret@h:x"), {},
         "the URL cannot be used: the port must be a number from 1 to 65535 (a password stands before an @; "
         "in a user or a password write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25)"),
        (Settings(url=""), URL, "the URL cannot be used: a URL begins with redis://, rediss://, valkey://, "
         "valkeys://, unix://, redis+sentinel:// or redis+cluster://"),
        (Settings(), {"STREAMCLI_URL": "redis://h/secret"},
         "STREAMCLI_URL cannot be used: the database must be a number from 0 to 2147483647, as in redis://host/2"),
        (Settings(sentinel="a:0", master="m"), {},
         "--sentinel cannot be used: the port must be a number from 1 to 65535"),
        (Settings(sentinel="a,,b", master="m"), {},
         "--sentinel cannot be used: each of the hosts must be the name or the address of a host"),
        (Settings(host="h", cacert="x"), {}, "--cacert needs --tls"),
        (Settings(host="h", insecure=True), {}, "--insecure needs --tls"),
        (Settings(url="unix:///x.sock", tls=True), {}, "there is no TLS over a unix socket, and /x.sock is one"),
        (Settings(url="unix:///x.sock", port=7), {}, "-p does not go with a unix socket"),
        (Settings(url="redis+sentinel://a/m", cluster=True), {}, "-c does not go with Sentinels"),
        (Settings(host="h", sentinel_user="u"), {}, "--sentinel-user and --sentinel-pass need --sentinel"),
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_one_line_for_the_user(given: Settings, environment: dict[str, str], text: str) -> None:
    with pytest.raises(UsageError) as raised:
        place(given, environment)
    assert str(raised.value) == text


@pytest.mark.parametrize(
    ("given", "address", "text"),
    [
        (
            Settings(durability="normal"),
            Address("h"),
            "--durability is for streams of your own, and h:6379 is a server",
        ),
        (Settings(timeout=1.0), None, "--timeout is for a server; name one, by -h or -u"),
        (Settings(connect_timeout=1.0), None, "--connect-timeout is for a server; name one, by -h or -u"),
    ],
)
def test_a_flag_that_means_nothing_there_is_one_line(given: Settings, address: Address | None, text: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_place(given, address)
    assert str(raised.value) == text


def test_flags_that_mean_something_there_are_not_complained_of() -> None:
    check_place(Settings(durability="full"), None)
    check_place(Settings(timeout=1.0), Address())


def test_who_goes_elsewhere_takes_along_how_and_not_where_nor_who() -> None:
    given = {
        flag.key: True if flag.value is None else 1 if flag.number else 1.0 if flag.seconds else "x"
        for flag in OPTIONS
        if flag.key not in ("execute", "file")
    }
    assert set(Settings(**given).elsewhere().said()) == {  # type: ignore[arg-type]
        "last_from_stdin", "continue_on_error", "durability", "read_only", "yes", "no_config", "protocol", "format",
        "timeout", "connect_timeout",
    }  # fmt: skip


def test_the_text_of_settings_holds_no_password() -> None:
    text = repr(Settings(url="redis://:secret@h", password="secret", sentinel_password="secret", host="h"))
    assert text == "Settings(url=***, host='h', password=***, sentinel_password=***)"


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
