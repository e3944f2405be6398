"""The config file: what a user wants of every session, and places to go to by name.

    format = "tree"
    keys = "vi"

    [colors]
    key = "ansicyan bold"

    [profiles.prod]
    db = "~/streams/prod.db"
    read-only = true

ITEMS is the one list of what can be set; checks, near names and help are made
from it. A mistake is a warning that names its line, and the rest counts all the
same, except that a profile with a mistake cannot be gone to: it could be the
wrong place. TOML alone is known here, not what comes of a setting.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from streamcli.folders import folder
from streamcli.render import FORMATS
from streamcli.shell.profile import Profile, contradiction
from streamcli.shell.style import NAMES

_SIZE_MAX = 1024 * 1024
_NO_STRINGS: Mapping[str, str] = {}
_SHOWN_MAX = 40  # characters of a value in a warning


class Config(NamedTuple):
    """What the file says, over the defaults. `warnings` are lines for the user; `path` is the file, if there is one."""

    format: str | None = None
    keys: str = "emacs"
    pager: str | None = None  # a command; None leaves it to PAGER, "" is none
    timing: bool = False
    hints: bool = True
    confirm: bool = True
    history: bool = True
    colors: Mapping[str, str] = _NO_STRINGS
    profiles: Mapping[str, Profile] = {}
    warnings: tuple[str, ...] = ()
    path: str | None = None


class Item(NamedTuple):
    """A setting: `wrong` says what is the matter with a value, or None; a table has `items` or any names."""

    name: str
    help: str
    wrong: Callable[[object], str | None]

    @property
    def default(self) -> object:
        return Config._field_defaults.get(self.name)


def _one_of(*choices: str) -> Callable[[object], str | None]:
    said = f"{', '.join(choices[:-1])} or {choices[-1]}"
    return lambda value: None if value in choices else f"must be {said}, not {_shown(value)}"


def _bool(value: object) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"


def _pager(value: object) -> str | None:
    good = isinstance(value, bool) or (isinstance(value, str) and bool(value.strip()))
    return None if good else f'must be true, false or a command such as "less -R", not {_shown(value)}'


def _table(value: object) -> str | None:
    return None if isinstance(value, dict) else f"must be a table, not {_shown(value)}"


def _file(value: object) -> str | None:
    good = isinstance(value, str) and bool(value) and "\0" not in value
    return None if good else f"must be the name of a file, not {_shown(value)}"


def _url(value: object) -> str | None:
    # Whatever it is, it may hold a password: it is not shown.
    from streamcli.backend.address import AddressError, address

    if not isinstance(value, str):
        return "must be a URL such as redis://host:6379"
    try:
        address(value)
    except AddressError as error:
        return f"cannot be used: {error}"
    return None


def _host(value: object) -> str | None:
    from streamcli.backend.address import host_fault

    return host_fault(value) if isinstance(value, str) else f"must be the name of a host, not {_shown(value)}"


def _sentinel(value: object) -> str | None:
    from streamcli.backend.address import AddressError, nodes

    given = value if isinstance(value, list) else [value]
    parts = [part for part in given if isinstance(part, str)]
    if not parts or len(parts) < len(given):
        return 'must be hosts such as ["one:26379", "two:26379"]'
    try:
        nodes(",".join(parts))
    except AddressError as error:
        return f"cannot be used: {error}"
    return None


def _int(what: str, least: int, most: int) -> Callable[[object], str | None]:
    def wrong(value: object) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if good else f"must be {what}, not {_shown(value)}"

    return wrong


def _seconds(value: object) -> str | None:
    from streamcli.times import seconds

    good = isinstance(value, int | float) and not isinstance(value, bool) and seconds(f"{value:.9f}") is not None
    return None if good else f"must be a number of seconds such as 2.5, not {_shown(value)}"


def _text_of(what: str) -> Callable[[object], str | None]:
    """A text that may be a secret: it is not shown."""
    return lambda value: None if isinstance(value, str) and value else f"must be {what}, in quotes"


ITEMS = (
    Item("format", "How replies are shown on a terminal.", _one_of(*FORMATS)),
    Item("keys", "How keys edit the line.", _one_of("emacs", "vi")),
    Item("pager", "Whether, or by which command, long replies are paged.", _pager),
    Item("timing", "Show how long each command took.", _bool),
    Item("hints", "Show hints while typing, and advice after errors.", _bool),
    Item("confirm", "Ask before what cannot be undone.", _bool),
    Item("history", "Keep lines from one session to the next.", _bool),
    Item("colors", "Styles by role.", _table),
    Item("profiles", "Places by name, for @NAME.", _table),
)
PROFILE_ITEMS = (
    Item("db", "Keep streams in this file; ~ is the home folder.", _file),
    Item("memory", "Keep streams in memory, for one run only.", _bool),
    Item("url", "A server, as a URL.", _url),
    Item("host", "A server, by its host.", _host),
    Item("port", "The port of the host; 6379 when it is not said.", _int("a number from 1 to 65535", 1, 65535)),
    Item("socket", "A server, by its unix socket.", _file),
    Item("cluster", "The server is a node of a cluster: follow keys to their nodes.", _bool),
    Item("sentinel", "A server, by Sentinels that know where it is: a list of host:port.", _sentinel),
    Item("master", "The name that Sentinels know the master by.", _text_of("a name")),
    Item("read-from", "Which server answers commands that only read.", _one_of("primary", "replica")),
    Item("connect-timeout", "Seconds to wait for a connection; 0 is no limit.", _seconds),
    Item("timeout", "Seconds to wait for a reply; 0 is no limit.", _seconds),
    Item("user", "Log in as this user.", _text_of("a user")),
    Item("password", "The password.", _text_of("a password")),
    Item("askpass", "Ask for the password.", _bool),
    Item("sentinel-user", "Log in to Sentinels as this user.", _text_of("a user")),
    Item("sentinel-password", "The password for Sentinels.", _text_of("a password")),
    Item("tls", "Secure the connection.", _bool),
    Item("cacert", "Trust the certificates of this file instead of the system's.", _file),
    Item("cert", "Show the server this certificate.", _file),
    Item("key", "The certificate's private key.", _file),
    Item("sni", "Expect, and ask for, this name instead of the host's.", _text_of("a name")),
    Item("insecure", "Accept any certificate: nobody checks who answers.", _bool),
    Item("protocol", "Speak RESP2 or RESP3.", _int("2 or 3", 2, 3)),
    Item("number", "Use this database number.", _int("the number of a database", 0, 2**31 - 1)),
    Item("read-only", "Refuse commands that write.", _bool),
)
_FILES = ("db", "socket", "cacert", "cert", "key")

_COLOR = re.compile(r"(?:fg:|bg:)?(?:#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}|default)")
_ANSI = {"ansidefault", "ansiblack", "ansigray", "ansiwhite", "ansibrightblack"} | {
    f"ansi{bright}{color}"
    for bright in ("", "bright")
    for color in ("red", "green", "yellow", "blue", "magenta", "cyan")
}
_ATTRIBUTES = {
    no + name for no in ("", "no") for name in ("bold", "dim", "italic", "underline", "strike", "reverse", "blink")
}


def _style(value: object) -> str | None:
    """What is wrong with a style: an attribute, a colour's name or `#rrggbb`, `bg:` before it; or several."""
    if not isinstance(value, str):
        return f'must be a style such as "ansicyan bold", not {_shown(value)}'
    for word in value.split():
        name = word.removeprefix("fg:").removeprefix("bg:")
        if word not in _ATTRIBUTES and name not in _ANSI and not _COLOR.fullmatch(word):
            found = near(f"ansi{name}", _ANSI, 0.9) or near(name, _ANSI | _ATTRIBUTES)
            return f"has no such style: {_shown(word)}{found}"
    return None


# -- where it is, and reading it ------------------------------------------------------------------


def path(environment: Mapping[str, str]) -> str | None:
    """The config file: STREAMCLI_CONFIG's, else the one in the user's config folder; None when there is no home."""
    if named := environment.get("STREAMCLI_CONFIG"):
        return named
    try:
        return os.path.join(folder(environment, "XDG_CONFIG_HOME", ".config"), "config.toml")
    except OSError:
        return None


def of(environment: Mapping[str, str]) -> Config:
    """What the user's config file says. Only one that STREAMCLI_CONFIG names has to be there."""
    return load(path(environment), needed=bool(environment.get("STREAMCLI_CONFIG")))


def load(path: str | None, *, needed: bool = False) -> Config:
    """What a file says. Never raises: what is wrong is in `warnings`."""
    if path is None:
        return Config()
    label = os.path.basename(path) or path
    try:
        text, readable_by_others = _text(path)
    except FileNotFoundError:
        return Config(warnings=(f"{label}: there is no such file: {path}",) if needed else (), path=path)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Config(warnings=(f"{label}:{line}: not UTF-8; the file is ignored",), path=path)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        return Config(warnings=(f"{label}: cannot be read: {reason.lower()}: {path}",), path=path)
    if not text.strip():
        return Config(path=path)
    import tomllib

    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Config(warnings=(_syntax(label, text, str(error)),), path=path)
    reader = _Reader(label, text, os.path.dirname(os.path.abspath(path)))
    return reader.config(values, readable_by_others)._replace(path=path)


def _text(path: str) -> tuple[str, bool]:
    """The file's text, and whether other users can read it. Raises OSError and UnicodeDecodeError."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place is not waited for
    with open(file, "rb") as opened:
        data = opened.read(_SIZE_MAX + 1)
        if len(data) > _SIZE_MAX:
            raise OSError(27, "it is too large for a config file")
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        return text, bool(stat.S_IMODE(os.fstat(file).st_mode) & 0o044)


def _syntax(label: str, text: str, message: str) -> str:
    """What tomllib says, with the line in front."""
    at = re.fullmatch(r"(.*?) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    if at is not None:
        what, line = f"{at[1]} (column {at[3]})", int(at[2])
    else:
        what, line = message.removesuffix(" (at end of document)"), text.rstrip("\n").count("\n") + 1
    return f"{label}:{line}: not TOML: {what[:1].lower()}{what[1:]}; the file is ignored"


# -- what is in it ------------------------------------------------------------------------------------


class _Reader:
    """Checks one file's values. A warning says `label:line:`."""

    def __init__(self, label: str, text: str, folder: str) -> None:
        self.label, self.folder = label, folder
        self.warnings: list[str] = []
        self.lines = _lines(text)

    def config(self, values: dict[str, Any], readable_by_others: bool) -> Config:
        good = self.checked(values, ITEMS, (), "; ignored")
        colors = good.pop("colors", {})
        profiles = good.pop("profiles", {})
        if isinstance(good.get("pager"), bool):
            good["pager"] = None if good["pager"] else ""
        good["colors"] = {role: style for role, style in _dotted(colors) if self.color(role, style)}
        good["profiles"] = {name: self.profile(name, value) for name, value in profiles.items()}
        if readable_by_others and any(profile.holds_password for profile in good["profiles"].values()):
            self.warnings.append(f"{self.label}: others can read it, and there is a password in it (chmod 600 it)")
        return Config(**good, warnings=tuple(self.warnings))

    def checked(
        self, values: dict[str, Any], items: tuple[Item, ...], under: tuple[str, ...], ending: str
    ) -> dict[str, Any]:
        """The values that are right, by name; a warning for each of the others."""
        by_name = {item.name: item for item in items}
        good: dict[str, Any] = {}
        for name, value in values.items():
            item = by_name.get(name)
            if item is None:
                self.warn((*under, name), f"no such setting: {_plain(name)}{near(name, by_name)}")
            elif wrong := item.wrong(value):
                self.warn((*under, name), f"{name} {wrong}{ending}")
            else:
                good[name] = value
        return good

    def color(self, role: str, style: object) -> bool:
        where = ("colors", role)
        if role not in NAMES:
            self.warn(where, f"no such role: {_plain(role)}{near(role, NAMES)}")
        elif wrong := _style(style):
            self.warn(where, f"{role} {wrong}; ignored")
        else:
            return True
        return False

    def profile(self, name: str, value: object) -> Profile:
        said = len(self.warnings)
        under = ("profiles", name)
        if not isinstance(value, dict):
            self.warn(under, f"profile {_plain(name)} {_table(value)}")
            return Profile(fault=self.warnings[said])
        good = self.checked(value, PROFILE_ITEMS, under, "")
        if len(self.warnings) == said and (wrong := contradiction(good)):
            self.warn((*under, wrong[0]), f"profile {_plain(name)} {wrong[1]}")
        for file in _FILES:
            if file in good:
                good[file] = os.path.join(self.folder, os.path.expanduser(good[file]))
        if isinstance(good.get("sentinel"), list):
            good["sentinel"] = ",".join(good["sentinel"])
        fault = self.warnings[said] if len(self.warnings) > said else None
        return Profile(**{key.replace("-", "_"): each for key, each in good.items()}, fault=fault)

    def warn(self, where: tuple[str, ...], text: str) -> None:
        """A warning about the value at a path of keys; the line is that of the nearest key that is found."""
        keys = _path(where)
        line = next((self.lines[keys[:size]] for size in range(len(keys), 0, -1) if keys[:size] in self.lines), None)
        self.warnings.append(f"{self.label}:{line}: {text}" if line else f"{self.label}: {text}")


_KEY = r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'"""
_KEYS = re.compile(rf"[ \t]*((?:{_KEY})(?:[ \t]*\.[ \t]*(?:{_KEY}))*)[ \t]*")
_ONE_KEY = re.compile(_KEY)
_HEADER = re.compile(r"[ \t]*\[\[?")


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """On which line each key and each table's header stands, by its path of keys; tomllib does not say."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    inside = ""  # the quotes of a text of many lines
    for number, line in enumerate(text.split("\n"), 1):
        if inside:
            inside = "" if inside in line else inside
            continue
        header = _HEADER.match(line)
        keys = _KEYS.match(line, header.end() if header else 0)
        if keys is None:
            continue
        names = _path(_unquoted(key) for key in _ONE_KEY.findall(keys[1]))
        if header:
            table = names
        elif line[keys.end() : keys.end() + 1] != "=":
            continue
        here = table if header else table + names
        for size in range(1, len(here) + 1):
            found.setdefault(here[:size], number)
        inside = next((quotes for quotes in ('"""', "'''") if line.count(quotes) == 1), "")
    return found


def _path(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys one by one; one with a dot in it counts as two, so that `prompt.db` is found in quotes and without."""
    return tuple(".".join(keys).split("."))


def _unquoted(key: str) -> str:
    if key[:1] == "'":
        return key[1:-1]
    if key[:1] != '"':
        return key
    import tomllib

    try:
        return str(tomllib.loads(f"key = {key}")["key"])
    except tomllib.TOMLDecodeError:  # it was no key, but a line of a text
        return key


def _dotted(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    """A table's values by dotted name: `prompt.db = ...` is a table in a table for TOML."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _dotted(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def near(given: str, names: Iterable[str], cutoff: float = 0.65) -> str:
    """` (did you mean keys?)`, or nothing when no name is near."""
    from difflib import get_close_matches

    found = get_close_matches(given[:_SHOWN_MAX], sorted(names), 1, cutoff)
    return f" (did you mean {found[0]}?)" if found else ""


def _plain(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]{1,40}", name) else _shown(name)


def _shown(value: object) -> str:
    """A value as the file may have it, short, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if "://" in value:  # it may hold a password
            return "a URL"
        text = value.replace("\n", "\\n")
        return f'"{text[:_SHOWN_MAX]}..."' if len(text) > _SHOWN_MAX else f'"{text}"'
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return str(value)[:_SHOWN_MAX]
