"""The config file: what can be set, and that every mistake is a warning with its line, never a stop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.shell import config
from streamcli.shell.config import ITEMS, PROFILE_ITEMS, Config, load, of, path
from streamcli.shell.profile import Profile
from streamcli.shell.style import NAMES, ROLES


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(file: Path, text: str) -> Config:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return load(str(file))


# -- what can be set ---------------------------------------------------------------------------


def test_everything_that_can_be_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert read(
        file,
        """
        format = "classic"
        keys = "vi"
        pager = "less -R"
        timing = true
        hints = false
        confirm = false
        history = false

        [colors]
        key = "ansicyan bold"
        prompt.db = "bg:#aabbcc nounderline"
        "prompt.multi" = "fg:ansired"
        value = ""

        [profiles.prod]
        db = "~/streams/prod.db"
        number = 3
        read-only = true

        [profiles."two words"]
        memory = true

        [profiles.server]
        url = "rediss://host:6379/1"
        sni = "n"

        [profiles.host]
        host = "::1"
        port = 6380
        user = "ann"
        password = "x"
        tls = true
        cacert = "~/ca.pem"
        cert = "tls/cert.pem"
        key = "/key.pem"
        insecure = false
        cluster = true
        read-from = "replica"
        connect-timeout = 2
        timeout = 0.5
        protocol = 2

        [profiles.socket]
        socket = "~/redis.sock"

        [profiles.watched]
        sentinel = ["one:26379", "two"]
        master = "prod"
        sentinel-user = "bob"
        sentinel-password = "y"

        [profiles.watched-too]
        sentinel = "one:26379,two"
        master = "prod"
        """,
    ) == Config(
        format="classic",
        keys="vi",
        pager="less -R",
        timing=True,
        hints=False,
        confirm=False,
        history=False,
        colors={
            "key": "ansicyan bold",
            "prompt.db": "bg:#aabbcc nounderline",
            "prompt.multi": "fg:ansired",
            "value": "",
        },
        profiles={
            "prod": Profile(db="/home/ann/streams/prod.db", number=3, read_only=True),
            "two words": Profile(memory=True),
            "server": Profile(url="rediss://host:6379/1", sni="n"),
            "host": Profile(
                host="::1", port=6380, user="ann", password="x", tls=True, cacert="/home/ann/ca.pem",
                cert=str(file.parent / "tls" / "cert.pem"), key="/key.pem", cluster=True, read_from="replica",
                connect_timeout=2, timeout=0.5, protocol=2,
            ),
            "socket": Profile(socket="/home/ann/redis.sock"),
            "watched": Profile(
                sentinel="one:26379,two", master="prod", sentinel_user="bob", sentinel_password="y",
            ),
            "watched-too": Profile(sentinel="one:26379,two", master="prod"),
        },
        path=str(file),
    )  # fmt: skip


@pytest.mark.parametrize(("text", "pager"), [("true", None), ("false", ""), ('"most"', "most")])
def test_the_pager_is_the_environments_or_none_or_a_command(text: str, pager: str | None, file: Path) -> None:
    assert read(file, f"pager = {text}").pager == pager


def test_a_relative_file_of_a_profile_is_beside_the_config_file(file: Path) -> None:
    assert read(file, '[profiles.a]\ndb = "x/y.db"').profiles["a"].db == str(file.parent / "x" / "y.db")


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "\ufeff", 'keys = "emacs"\r\nhints = true\r\n'])
def test_nothing_said_is_the_defaults(text: str, file: Path) -> None:
    assert read(file, text)._replace(path=None) == Config()


def test_what_is_listed_is_what_there_is() -> None:
    assert [item.name for item in ITEMS] == [name for name in Config._fields if name not in ("warnings", "path")]
    assert [item.name.replace("-", "_") for item in PROFILE_ITEMS] == list(Profile._fields[:-1])
    assert [item.default for item in ITEMS] == [getattr(Config(), item.name) for item in ITEMS]
    assert all(item.help.endswith(".") for item in (*ITEMS, *PROFILE_ITEMS))


def test_every_style_of_our_own_is_one_that_may_be_set(file: Path) -> None:
    text = "[colors]\n" + "".join(f'"{name}" = "{ROLES.get(name, "")}"\n' for name in NAMES)
    assert read(file, text).warnings == ()


def test_every_colour_and_attribute_is_one_that_prompt_toolkit_knows() -> None:
    from prompt_toolkit.styles import Style

    words = [*config._ANSI, *config._ATTRIBUTES, "default", "#abc", "#aabbcc", "bg:ansired", "fg:#abc"]
    for word in words:
        Style.from_dict({"a": word})
        assert config._style(word) is None


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ('keys = "emcas"', ':1: keys must be emacs or vi, not "emcas"; ignored'),
        (
            '\n\nformat = "tre"',
            ':3: format must be tree, classic, json, jsonl, csv, table or raw, not "tre"; ignored',
        ),
        ('# x\nformt = "tree"', ":2: no such setting: formt (did you mean format?)"),
        ("zzz = 1", ":1: no such setting: zzz"),
        ('timing = "yes"', ':1: timing must be true or false, not "yes"; ignored'),
        ("hints = 1", ":1: hints must be true or false, not 1; ignored"),
        ("pager = 3", ':1: pager must be true, false or a command such as "less -R", not 3; ignored'),
        ('pager = " "', ':1: pager must be true, false or a command such as "less -R", not " "; ignored'),
        ("colors = 3", ":1: colors must be a table, not 3; ignored"),
        ("profiles = []", ":1: profiles must be a table, not a list; ignored"),
        ('[colors]\nkee = "bold"', ":2: no such role: kee (did you mean key?)"),
        ('[colors]\nkey = "cyan"', ':2: key has no such style: "cyan" (did you mean ansicyan?); ignored'),
        ('[colors]\nkey = "bold undrline"', ':2: key has no such style: "undrline" (did you mean underline?); ignored'),
        ('[colors]\nkey = "#abcd"', ':2: key has no such style: "#abcd"; ignored'),
        ("[colors]\nkey = 3", ':2: key must be a style such as "ansicyan bold", not 3; ignored'),
        ('[colors]\n"prompt.db" = "x"\nprompt.multi = ""', ':2: prompt.db has no such style: "x"; ignored'),
        ('[colors]\nprompt.db = "x"\n', ':2: prompt.db has no such style: "x"; ignored'),
        ('colors.key = "x"\n', ':1: key has no such style: "x"; ignored'),
        ('colors = { group = "", key = "x" }\n', ':1: key has no such style: "x"; ignored'),
        ('[profiles]\na = "x.db"', ':2: profile a must be a table, not "x.db"'),
        ("[profiles.a]\n\ndb = 3", ":3: db must be the name of a file, not 3"),
        ('[profiles.a]\ndb = ""', ':2: db must be the name of a file, not ""'),
        ('[profiles.a]\nmemory = "yes"', ':2: memory must be true or false, not "yes"'),
        ("[profiles.a]\nnumber = -1", ":2: number must be the number of a database, not -1"),
        ("[profiles.a]\nnumber = true", ":2: number must be the number of a database, not true"),
        ('[profiles.a]\nurl = "secret"', ":2: url cannot be used: a URL begins with redis://, rediss://, "
         "valkey://, valkeys://, unix://, redis+sentinel:// or redis+cluster://"),
        ("[profiles.a]\nurl = 3", ":2: url must be a URL such as redis://host:6379"),
        ('[profiles.a]\nurl = "redis://:secret/@h"', ":2: url cannot be used: there is an @ behind the host; "
         "in a user or a password write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25"),
        ('[profiles.a]\nhost = ""', ":2: host must be the name or the address of a host"),
        ('[profiles.a]\nhost = "redis://:secret@h"', ":2: host must be a host, not a URL"),
        ('[profiles.a]\nhost = "h:1"', ":2: host must be a host alone, the port is given apart"),
        ("[profiles.a]\nhost = 3", ":2: host must be the name of a host, not 3"),
        ("[profiles.a]\nport = 0", ":2: port must be a number from 1 to 65535, not 0"),
        ('[profiles.a]\nport = "1"', ':2: port must be a number from 1 to 65535, not "1"'),
        ("[profiles.a]\npassword = 1234", ":2: password must be a password, in quotes"),
        ('[profiles.a]\npassword = ""', ":2: password must be a password, in quotes"),
        ('[profiles.a]\nsocket = 3', ":2: socket must be the name of a file, not 3"),
        ('[profiles.a]\nhost = "h"\nread-from = "slave"',
         ':3: read-from must be primary or replica, not "slave"'),
        ("[profiles.a]\ntimeout = -1", ":2: timeout must be a number of seconds such as 2.5, not -1"),
        ("[profiles.a]\ntimeout = inf", ":2: timeout must be a number of seconds such as 2.5, not inf"),
        ("[profiles.a]\nprotocol = 4", ":2: protocol must be 2 or 3, not 4"),
        ("[profiles.a]\nnumber = 2147483648", ":2: number must be the number of a database, not 2147483648"),
        ("[profiles.a]\nsentinel = []", ':2: sentinel must be hosts such as ["one:26379", "two:26379"]'),
        ("[profiles.a]\nsentinel = [3]", ':2: sentinel must be hosts such as ["one:26379", "two:26379"]'),
        ('[profiles.a]\nmaster = "m"\nsentinel = "a:x"',
         ":3: sentinel cannot be used: the port must be a number from 1 to 65535"),
        ('[profiles.a]\nurl = "redis://h"\nport = 7', ":3: profile a has url and port; give one of them"),
        ('[profiles.a]\nhost = "h"\nsocket = "/x"', ":3: profile a has host and socket; give one of them"),
        ('[profiles.a]\npassword = "secret"\ndb = "x"', ":3: profile a has password and db; give one of them"),
        ('[profiles.a]\nmemory = true\nhost = "x"', ":3: profile a has memory and host; give one of them"),
        ('[profiles.a]\nsentinel = "a"', ":2: profile a has sentinel without master"),
        ('[profiles.a]\ncert = "x"\ntls = true', ":2: profile a has cert without key"),
        ('[profiles.a]\nhost = "h"\ninsecure = true', ":3: profile a has insecure without tls = true"),
        ('[profiles.a]\nhost = "h"\nsentinel-user = "x"', ":3: profile a has sentinel-user without sentinel"),
        ('keys = "redis://:secret@h"', ":1: keys must be emacs or vi, not a URL; ignored"),
        ("[profiles.a]\nread_only = true", ":2: no such setting: read_only (did you mean read-only?)"),
        ('[profiles.a]\ndb = "x"\nmemory = true', ":3: profile a has db and memory; give one of them"),
        ('[profiles.b]\n["profiles"."a"]\n"db" = 3', ":3: db must be the name of a file, not 3"),
        ('[profiles."a.b"]\ndb = 3', ":2: db must be the name of a file, not 3"),
        ('x = """\nkeys = "vi"\n"""', ":1: no such setting: x"),
        ('pager = """\nkeys = 1\n"""\nkeys = 3', ":4: keys must be emacs or vi, not 3; ignored"),
        ('"a\\u0007\\nb" = 1', ':1: no such setting: "a\x07\\nb"'),
        (f'keys = "{"x" * 50}"', f':1: keys must be emacs or vi, not "{"x" * 40}..."; ignored'),
        ("keys = 1979-05-27", ":1: keys must be emacs or vi, not 1979-05-27; ignored"),
        ('keys = "vi"\nkeys', ":2: not TOML: expected '=' after a key in a key/value pair; the file is ignored"),
        ("keys = \nhints = true", ":1: not TOML: invalid value (column 8); the file is ignored"),
        ('keys = "vi"\npager = """\n\n', ":2: not TOML: unterminated string; the file is ignored"),
        ('keys = "vi"\nkeys = "vi"', ":2: not TOML: cannot overwrite a value; the file is ignored"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_line(text: str, warning: str, file: Path) -> None:
    assert read(file, text).warnings == (f"config.toml{warning}",)


def test_the_rest_of_a_file_with_mistakes_counts(file: Path) -> None:
    found = read(file, 'keys = 3\ntiming = true\n[colors]\nkey = "x"\ngroup = "bold"\n[profiles.a]\nmemory = true')
    assert (found.keys, found.timing, found.colors, found.profiles) == (
        "emacs", True, {"group": "bold"}, {"a": Profile(memory=True)},
    )  # fmt: skip
    assert len(found.warnings) == 2


def test_a_profile_with_a_mistake_says_so_for_it_could_be_the_wrong_place(file: Path) -> None:
    found = read(file, '[profiles.a]\ndb = 3\n[profiles.b]\ndb = "/b"\nread_only = true\n[profiles.c]\nmemory = true')
    assert found.profiles["a"].fault == found.warnings[0]
    assert found.profiles["b"] == Profile(db="/b", fault=found.warnings[1])
    assert found.profiles["c"].fault is None


def test_a_password_that_others_can_read_is_warned_of_once(file: Path) -> None:
    text = '[profiles.a]\nurl = "redis://:x@host"\n[profiles.b]\nurl = "redis://user:y@host"'
    assert read(file, text).warnings == ()
    file.chmod(0o644)
    warning = "config.toml: others can read it, and there is a password in it (chmod 600 it)"
    assert load(str(file)).warnings == (warning,)
    file.write_text('[profiles.a]\nurl = "redis://host"')
    assert load(str(file)).warnings == ()


@pytest.mark.parametrize(
    "text",
    ['password = "x"', 'sentinel-password = "x"\nsentinel = "a"\nmaster = "m"', 'url = "redis://h?password=x"',
     'url = "unix://:x@/y"', 'url = "redis+sentinel://h/m?sentinel_password=x"'],
)  # fmt: skip
def test_a_password_wherever_it_is_in_a_profile_is_warned_of(text: str, file: Path) -> None:
    file.write_text(f"[profiles.a]\n{text}")
    file.chmod(0o640)
    assert load(str(file)).warnings == (
        "config.toml: others can read it, and there is a password in it (chmod 600 it)",
    )  # fmt: skip


def test_the_text_of_a_profile_holds_no_password() -> None:
    profile = Profile(url="redis://:x@h", password="x", sentinel_password="x", host="h")
    assert repr(profile) == "Profile(url=***, host='h', password=***, sentinel_password=***)"


def test_a_file_that_is_no_utf8_is_named_by_line(file: Path) -> None:
    file.write_bytes(b'keys = "vi"\n# \xff\n')
    assert load(str(file)) == Config(
        warnings=("config.toml:2: not UTF-8; the file is ignored",), path=str(file)
    )  # fmt: skip


def test_a_folder_in_its_place_is_one_line(tmp_path: Path) -> None:
    (warning,) = load(str(tmp_path)).warnings
    assert warning == f"{tmp_path.name}: cannot be read: is a directory: {tmp_path}"


def test_a_pipe_in_its_place_is_not_waited_for(file: Path) -> None:
    os.mkfifo(file)
    assert load(str(file)) == Config(path=str(file))


def test_a_file_that_never_ends_is_one_line() -> None:
    assert load("/dev/zero").warnings == ("zero: cannot be read: it is too large for a config file: /dev/zero",)


def test_a_missing_file_is_a_warning_only_when_it_was_named(file: Path) -> None:
    assert load(str(file)) == Config(path=str(file))
    assert load(str(file), needed=True).warnings == (f"config.toml: there is no such file: {file}",)
    assert of({"STREAMCLI_CONFIG": str(file)}).warnings == (f"config.toml: there is no such file: {file}",)
    assert of({"XDG_CONFIG_HOME": str(file.parent)}).warnings == ()
    assert load(None) == Config()


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from([
            "keys", " = ", '"vi"', "\n", "[colors]", "[profiles.a]", "[[profiles]]", "key", "'", '"', '"""', "{", "}",
            "[", "]", ".", "\\", "true", "3", "db", "profiles", "=", ",", "#", "\x00", "\u00fc", '"\\u12"',
        ])
        | st.text(max_size=3),
        max_size=14,
    )
)  # fmt: skip
def test_no_text_stops_it(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    file = tmp_path_factory.mktemp("config") / "config.toml"
    file.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
    assert all("\n" not in warning for warning in load(str(file)).warnings)


# -- where it is ------------------------------------------------------------------------------------


def test_it_is_in_the_users_config_folder_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert path({"STREAMCLI_CONFIG": "x.toml", "HOME": home}) == "x.toml"
    assert path({"STREAMCLI_CONFIG": "", "XDG_CONFIG_HOME": "/c"}) == "/c/streamcli/config.toml"
    assert path({"XDG_CONFIG_HOME": "c", "HOME": home}) == f"{home}/.config/streamcli/config.toml"
    assert path({"HOME": f"{home}/missing"}) is None
    assert of({"HOME": f"{home}/missing"}) == Config()


def test_tomllib_is_imported_only_for_a_file_with_something_in_it(file: Path) -> None:
    script = "import sys; from streamcli.shell.config import load; load(sys.argv[1]); print('tomllib' in sys.modules)"
    for text, imported in ((None, "False"), ("hints = true", "True")):
        if text is not None:
            file.write_text(text)
        done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == imported
