"""The commands of the place that lines go to: the table's, and what a server says it has besides.

One vocabulary is in force at a time. What is typed is read by it; the table is
in force until a server has told its commands, which a thread asks for in the
background, or until they are found in the cache. Knows which of the table's
commands and options a server lacks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.foreign import Facts, Foreign, commands, fact_of, facts, tokens, version, vocabulary
from streamcli.grammar.parse import Call, parse
from streamcli.grammar.spec import Command, Halves, Option
from streamcli.reply import Error, Reply
from streamcli.shell.lookup import Browse, commands_of_redis
from streamcli.text import visible

if TYPE_CHECKING:
    from streamcli.backend import Backend, Server

_PAGE = 60  # commands that are asked about at once
_HEARD_MAX = 200
_TRIES = 3
_NAME_MAX = 50  # characters of a server's name and version that a sentence shows
_FORKED: Final = (7, 2, 4)  # the last Redis that Valkey's history shares


class Vocabulary:
    """`server` is None for the engine in this process; `facts` are empty until the server has told them."""

    __slots__ = ("commands", "documented", "facts", "heard", "server", "theirs")

    def __init__(self, server: Server | None = None, known: Facts | None = None) -> None:
        self.server = server
        self.facts: Facts = known or {}
        self.theirs: Mapping[bytes, Foreign] = commands(known) if known else {}
        self.commands: Mapping[bytes, Command] = vocabulary(self.theirs) if known else BY_WORD
        self.documented = any(isinstance(fact, dict) and fact.get("documented") for fact in self.facts.values())
        self.heard: set[bytes] = set()  # names that the server knows and does not list: it has renamed a command

    @property
    def is_known(self) -> bool:
        """Is this all that may be sent? Not while a server has not told."""
        return self.server is None or bool(self.facts)

    def parse(self, argv: Sequence[bytes], *, draft: bool = False) -> Call:
        return parse(argv, draft=draft, commands=self.commands)

    def read(self, argv: Sequence[bytes], *, draft: bool = False) -> Call:
        """A line as it is to be shown: by the server's account where the table finds fault with what only that has."""
        call = self.parse(argv, draft=draft)
        if call.problems and call.command is not None and self._has_more(call.command, argv):
            return parse(argv, draft=draft, commands=self.theirs)
        return call

    def _has_more(self, command: Command, argv: Sequence[bytes]) -> bool:
        """Is one of the words a keyword of the server's that the table does not have?"""
        more = _more_tokens(self, command) if self.documented else frozenset()
        return bool(more) and any(word.upper().decode("latin-1") in more for word in argv[command.words :])

    def is_no_slip(self, call: Call) -> bool:
        """Is a command that the parser does not know one all the same, or may it be?"""
        if not self.is_known or (call.argv and call.argv[0].upper() in self.heard):
            return True
        return _name_in_redis(call) in commands_of_redis()

    def hear(self, call: Call, reply: Reply) -> None:
        """Learn from a reply: what the server has answered is none of its unknown commands."""
        if self.server is None or call.command is not None or not call.argv or call.roles[0] is not None:
            return
        unknown = isinstance(reply, Error) and reply.text.lower().startswith("err unknown")
        if not unknown and len(self.heard) < _HEARD_MAX:
            self.heard.add(call.argv[0].upper())

    # -- what the server lacks ---------------------------------------------------------------

    def lacking(self, call: Call) -> dict[int, str]:
        """What of a line the server does not have: by the words' indexes, a sentence on it."""
        if self.server is None or not self.facts:
            return {}
        command = call.command
        if command is None:
            return self._unknown(call)
        if isinstance(command, Foreign) or command.open:
            return {}
        said = self.lacks(command)
        if said:
            return dict.fromkeys(range(min(command.words, len(call.argv))), said)
        found: dict[int, str] = {}
        for index, role in enumerate(call.roles):
            if role is not None and role.kind == "token" and isinstance(role.part, Option):
                said = self.lacks(command, role.part)
                if said:
                    found[index] = said
        return found

    def lacks(self, command: Command, option: Option | None = None) -> str:
        """A sentence on a command, or an option of one, that the server does not have; empty when it may have it."""
        if self.server is None or not self.facts or isinstance(command, Foreign):
            return ""
        fact = fact_of(self.facts, command.name)
        if option is not None:
            since = option.since or command.since
            has = fact is None or option.token in _tokens_of(self, command.name) if self.documented else False
            return self._needs(option.token, since) if not has and self._is_newer(since) else ""
        if fact is not None:
            return ""
        if self._is_newer(command.since):
            return self._needs(command.name, command.since)
        container = fact_of(self.facts, command.name.partition(" ")[0])
        listed = command.words == 1 or container is None or bool(container.get("subcommands"))
        return f"this server has no {command.name}" if listed else ""

    def has_no(self, name: str) -> str:
        """A sentence on a command of Redis that the server does not have."""
        return f"{self._is()}, which has no {name}"

    def came_later(self, command: Command) -> str | None:
        """A sentence on a command of the table that came after the server; None when it did not."""
        if self.server is None or isinstance(command, Foreign) or not self._is_newer(command.since):
            return None
        return self._needs(command.name, command.since)

    def _unknown(self, call: Call) -> dict[int, str]:
        name = _name_in_redis(call)
        if name not in commands_of_redis() or call.argv[0].upper() in self.heard:
            return {}
        shown = name.decode().replace("|", " ")
        return dict.fromkeys(range(1 + shown.count(" ")), self.has_no(shown))

    def _is_newer(self, since: str) -> bool:
        """Did it come after what the server has from Redis?"""
        assert self.server is not None
        has: tuple[int, ...] | None = _FORKED
        if self.server.name in ("", "redis") or not self.documented:
            has = version(self.server.version)
        came = version(since)
        return has is not None and came is not None and came > has

    def _needs(self, name: str, since: str) -> str:
        short = since.removesuffix(".0") if since.count(".") > 1 else since
        if self.server is not None and self.server.name in ("", "redis"):
            return f"{self._is()}; {name} needs {short}"
        return f"{self._is()}, which has no {name}; Redis has it since {short}"

    def _is(self) -> str:
        own = self.server is not None and self.server.name in ("", "redis")
        return f"this server is {self.name.partition(' ')[2] if own else self.name}"

    @property
    def name(self) -> str:
        """`Redis 7.0.15`, `Valkey 9.0.0`; safe to look at."""
        name, number = (self.server.name, self.server.version) if self.server is not None else ("", "")
        shown = f"{name.capitalize() or 'Redis'} {number or 'of some version'}"
        return visible(shown[:_NAME_MAX]).replace("\n", "")


TABLE: Final = Vocabulary()


class _Force:
    """What is in force; one thread puts it there, others look."""

    now = TABLE


def in_force() -> Vocabulary:
    return _Force.now


def put_in_force(new: Vocabulary) -> None:
    _Force.now = new


@lru_cache(maxsize=256)
def _tokens_of(vocabulary: Vocabulary, name: str) -> frozenset[str]:
    return tokens(fact_of(vocabulary.facts, name))


@lru_cache(maxsize=256)
def _more_tokens(vocabulary: Vocabulary, command: Command) -> frozenset[str]:
    """Keywords that the server has for a command of the table besides those known; none where secrets are read."""
    roles = [role for _, roles in command.pieces() for role in roles]
    if isinstance(command, Foreign) or any(role.kind == "secret" for role in roles):
        return frozenset()
    known = {role.part.token for role in roles if isinstance(role.part, Option | Halves)}
    return frozenset(token for token in _tokens_of(vocabulary, command.name) - known if token[:1].isalpha())


def _name_in_redis(call: Call) -> bytes:
    """The command's name as Redis lists it, `XGROUP|CREATE`, when its container is known."""
    in_container = bool(call.roles) and call.roles[0] is not None
    return b"|".join(call.argv[: 1 + in_container]).upper()


# -- learning it ---------------------------------------------------------------------------


class Learner:
    """Puts a backend's vocabulary in force; `came` is called from a thread when a server has told its own.

    `folder` is the cache's, None for no cache.
    """

    def __init__(self, folder: str | None, came: Callable[[], None]) -> None:
        self._folder, self._came = folder, came
        self._backend: Backend | None = None
        self._who: tuple[tuple[str, str] | None, str | None] = (None, None)  # server and user
        self._life = 0
        self._lock = threading.Lock()

    def learn(self, backend: Backend, *, again: bool = False) -> bool:
        """From now on lines go to this backend. True when what it knows is looked up: it was not known before.

        Also when another server has taken its place; and when nothing has been
        told yet, but to another user, or (`again`) before somebody logged in.
        """
        server, user = backend.server, backend.user
        who = None if server is None else (server.name, server.version)
        same = backend is self._backend and who == self._who[0]
        if same and (in_force().is_known or (user == self._who[1] and not again)):
            return False
        with self._lock:
            self._life += 1
            self._backend, self._who = backend, (who, user)
            put_in_force(TABLE if server is None else Vocabulary(server))
        if server is not None:
            args = (self._life, server, backend)
            with suppress(RuntimeError):  # no thread to be had: the table alone
                threading.Thread(target=self._run, args=args, name="vocabulary", daemon=True).start()
        return True

    def stop(self) -> None:
        """Nothing is put in force any more but the table."""
        with self._lock:
            self._life += 1
            self._backend, self._who = None, (None, None)
            put_in_force(TABLE)

    def _run(self, life: int, server: Server, backend: Backend) -> None:
        def browse(argv: Sequence[bytes]) -> Reply:
            return backend.browse(argv) if life == self._life else Error("ERR over")

        with suppress(Exception):  # whatever a backend does, it is no reason to trouble the user
            known = self._known(backend.target, server, browse)
            new = Vocabulary(server, known)
            with self._lock:
                if life != self._life or not known:
                    return
                put_in_force(new)
            self._came()

    def _known(self, target: str, server: Server, browse: Browse) -> Facts:
        """What is in the cache, else what the server says; that is kept."""
        from streamcli.shell import cached

        path = cached.path(self._folder, target, server, browse) if self._folder is not None else None
        known = cached.read(path) if path is not None else None
        if known:
            return known
        for _ in range(_TRIES):
            known, whole = ask(browse)
            if known:
                if path is not None and whole:
                    cached.write(path, known)
                return known
        return {}


def ask(browse: Browse) -> tuple[Facts, bool]:
    """What the server says of its commands, and whether that is all: page by page, so that others get a word in."""
    info = browse((b"COMMAND",))
    if not isinstance(info, list):
        return {}, False
    known = facts(None, info)
    names = [name.lower().encode() for name in known]
    whole = True
    for at in range(0, len(names), _PAGE):
        docs = browse((b"COMMAND", b"DOCS", *names[at : at + _PAGE]))
        if isinstance(docs, Error):
            whole = docs.text.lower().startswith("err unknown")  # before Redis 7 there are none
            break
        _merge(known, facts(docs, None))
    return known, whole


def _merge(known: Facts, more: Facts) -> None:
    for name, fact in more.items():
        mine: Any = known.setdefault(name, {})
        inner = fact.pop("subcommands", None)
        mine.update(fact)
        if inner:
            _merge(mine.setdefault("subcommands", {}), inner)


def names_of(browse: Browse) -> list[bytes]:
    """The names of the server's commands in capitals, asked for once; empty when it does not tell."""
    reply = browse((b"COMMAND", b"LIST"))
    if isinstance(reply, Error):
        reply = browse((b"COMMAND",))
    rows = reply if isinstance(reply, list) else []
    firsts = [row[0] if isinstance(row, list) and row else row for row in rows]
    texts = [first if isinstance(first, bytes) else getattr(first, "text", "").encode() for first in firsts]
    return [text.upper() for text in texts if isinstance(text, bytes) and text and b"|" not in text]
