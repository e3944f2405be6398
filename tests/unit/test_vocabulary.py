"""The words of a server: learned in the background, kept in a cache, shown while one types; what it lacks is marked."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from streamcli.backend import Backend, Server
from streamcli.grammar import commands as table
from streamcli.grammar.foreign import Facts
from streamcli.grammar.spec import Command, Options
from streamcli.render import Options as Look
from streamcli.reply import OK, Error, Reply
from streamcli.shell.completer import complete
from streamcli.shell.explain import explain
from streamcli.shell.help import NoPageError, answer
from streamcli.shell.hints import hint
from streamcli.shell.index import Block, Keys
from streamcli.shell.lexer import paint, problems
from streamcli.shell.line import Line, read
from streamcli.shell.names import Names
from streamcli.shell.secrets import masked
from streamcli.shell.vocabulary import TABLE, Learner, Vocabulary, ask, in_force, names_of, put_in_force
from tests.unit.told import REDIS_6, REDIS_7, ROWS, VALKEY_9, Told, told, vocabulary

NOW_MS = 1_767_225_600_000
PLAIN = Look(width=100, color=False, unicode=True)


@pytest.fixture(autouse=True)
def _the_table_is_in_force_again() -> Iterator[None]:
    yield
    put_in_force(TABLE)


@pytest.fixture
def on_redis_7() -> Vocabulary:
    put_in_force(known := vocabulary())
    return known


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suppose that the table knew a command that came with Redis 8.4."""
    extra = Command("XNEW", -2, summary="Do what is new", since="8.4.0")
    monkeypatch.setitem(table.BY_WORD, b"XNEW", extra)
    monkeypatch.setitem(table.COMMANDS, "XNEW", extra)


def styles(text: str, word: str) -> list[str]:
    """The classes of a word of a line whose cursor is at its end."""
    style = next(style for style, part in paint(read(text), len(text)) if part == word)
    return [one.removeprefix("class:") for one in style.split()]


def said(text: str) -> str:
    found = hint(read(text), len(text), NOW_MS)
    return found.meaning if found is not None else ""


class Cities(Names):
    """Nothing is looked up; there is one key of each type."""

    def __init__(self) -> None:
        super().__init__(lambda argv: Error("ERR no"), lambda: None)

    def keys(self, prefix: bytes = b"", type: bytes = b"stream") -> Keys:
        return Keys([Block([b"cities" if type == b"zset" else b"of-" + (type or b"any")])])


def offered(text: str) -> dict[str, str]:
    return {one.text: one.note for one in complete(read(text), len(text), Cities(), NOW_MS)}


# -- a server's own commands, as one types ---------------------------------------------------


def test_words_of_a_servers_command_have_the_colours_of_what_they_are(on_redis_7: Vocabulary) -> None:
    line = "ZADD k NX 1 a"
    assert [styles(line, word) for word in line.split()] == [["command"], ["key"], ["option"], ["number"], ["string"]]
    assert problems(read(line), len(line)) == []


def test_the_hint_shows_a_servers_syntax_line_and_what_comes_next(on_redis_7: Vocabulary) -> None:
    found = hint(read("ZADD k "), 7, NOW_MS)
    assert found is not None
    assert "".join(text for _, text in found.usage) == "ZADD key [NX | XX] [CH] score member [score member ...]"
    assert found.meaning == "NX, XX, CH or score, a number"
    assert said("ZADD k 1 ") == "member"
    assert said("CLUSTER ") == "a subcommand: RESET, SLOTS"
    assert said("LMOVE a b LEFT LEFT ") == "nothing more is needed: Enter sends it"


def test_servers_commands_subcommands_and_tokens_are_completed_with_what_they_do(on_redis_7: Vocabulary) -> None:
    assert offered("zad") == {"zadd": "Adds members to a sorted set"}
    assert offered("JSON") == {"JSON.GET": "Reads a document"}
    assert offered("CLUSTER ") == {"RESET": "Leaves", "SLOTS": "The slots"}
    assert offered("CLIENT PA") == {"PAUSE": "Stops"}
    assert offered("SORT k L") == {"LIMIT": "LIMIT offset count"}


def test_keys_are_offered_where_a_servers_command_takes_one(on_redis_7: Vocabulary) -> None:
    assert offered("ZADD ") == {"cities": ""}
    assert offered("SORT ") == {"of-any": ""}


def test_before_a_server_has_told_its_commands_nothing_unknown_is_wrong() -> None:
    put_in_force(Vocabulary(REDIS_7))
    for line in ("ZADD k 1 a", "FOO.BAR x", "CLIENT PAUSE a"):
        assert problems(read(line), len(line)) == []
    assert said("FOO.BAR x") == "a command of the server whose words are not known here"


def test_a_command_that_nobody_knows_is_wrong_once_the_server_has_told(on_redis_7: Vocabulary) -> None:
    assert problems(read("FOO.BAR x"), 9) == [(0, 7, "unknown command 'FOO.BAR'")]
    assert problems(read("ZAD"), 3) == []  # it may become ZADD


def test_a_renamed_command_is_not_wrong_any_more_when_the_server_has_answered_it(on_redis_7: Vocabulary) -> None:
    call = Line("KONFIG GET x").call
    on_redis_7.hear(call, Error("ERR unknown command 'KONFIG'"))
    assert problems(Line("KONFIG GET x"), 12) != []
    on_redis_7.hear(call, OK)
    assert problems(Line("KONFIG GET x"), 12) == []


def test_the_embedded_engine_knows_the_table_and_says_of_the_rest_that_it_is_of_redis() -> None:
    assert said("ZADD k") == "a command of Redis whose words are not known here"
    assert problems(read("ZADD k"), 6) == []
    assert problems(read("FOO.BAR"), 7) != []


def test_where_the_server_has_an_option_that_the_table_has_not_its_own_account_counts(on_redis_7: Vocabulary) -> None:
    assert problems(read("SET k v IFEQ x"), 14) == []
    assert styles("SET k v IFEQ x", "IFEQ") == ["option"]
    assert problems(read("SET k v NOPE x "), 15) != []


def test_an_explanation_tells_a_servers_command_too(on_redis_7: Vocabulary) -> None:
    assert list(explain((b"ZADD", b"k", b"NX", b"1", b"a"), PLAIN, NOW_MS)) == [
        "ZADD  adds members to a sorted set",
        "├─ k   a key",
        "├─ NX  an option of ZADD",
        "├─ 1   score, a number",
        "└─ a   member",
    ]


def test_help_has_a_short_page_on_a_command_that_only_the_server_has(on_redis_7: Vocabulary) -> None:
    assert list(answer(["json.get"], PLAIN, source=True)) == [
        "# JSON.GET\n\n"
        "Reads a document.\n\n"
        "```syntax\nJSON.GET key [path [path ...]]\n```\n\n"
        "Since 1.0.0.\n\n"
        "- Group: module\n"
        "- Complexity: O\\(1\\)\n"
        "- Flags: module, readonly\n\n"
        "Redis 7\\.0\\.15 says this of its own command; there is no page on it."
    ]
    assert "CLUSTER RESET [HARD | SOFT]" in "".join(answer(["cluster", "reset"], PLAIN, source=True))
    with pytest.raises(NoPageError):
        answer(["json.nothing"], PLAIN)


def test_a_page_stays_a_page_whatever_the_server_calls_its_commands() -> None:
    known = told()
    for name in ("```", "_x_"):
        known[name] = {"arity": 1, "documented": True, "arguments": [{"name": "`" * 5, "type": "string"}]}
    known["`````"] = {"arity": 1, "documented": True}
    put_in_force(Vocabulary(REDIS_7, known))
    (page,) = answer(["`````"], PLAIN, source=True)
    assert page.startswith("# \\`\\`\\`\\`\\`\n\n``````syntax\n`````\n``````\n")
    (page,) = answer(["_x_"], PLAIN, source=True)
    assert page.startswith("# \\_X\\_\n\n``````syntax\n_X_ `````\n``````\n")


def test_secrets_of_a_servers_commands_are_hidden_however_little_it_says_of_them(on_redis_7: Vocabulary) -> None:
    assert masked("MIGRATE h AUTH hunter2") == "MIGRATE h AUTH *******"
    assert masked("EVAL s 0 password hunter2") == "EVAL s 0 password *******"
    assert masked("CONFIG SET requirepass hunter2") == "CONFIG SET requirepass *******"
    assert masked("ACL SETUSER ann >hunter2") == "ACL SETUSER ann ********"
    assert masked("JSON.GET k a") == "JSON.GET k a"


# -- what a server lacks -----------------------------------------------------------------------


@pytest.mark.usefixtures("newer")
def test_an_option_that_the_server_does_not_have_yet_is_marked_and_named_and_no_problem() -> None:
    put_in_force(vocabulary())
    line = "XREADGROUP GROUP g ann CLAIM 5 STREAMS a >"
    assert styles(line, "CLAIM") == ["option", "lacking"]
    assert problems(read(line), len(line)) == []
    found = hint(read(line), line.index("CLAIM") + 2, NOW_MS)
    assert found is not None
    assert (found.meaning, found.problem) == ("this server is 7.0.15; CLAIM needs 8.4", False)
    assert said(line).endswith("; this server is 7.0.15; CLAIM needs 8.4")
    assert offered("XREADGROUP GROUP g ann CL") == {"CLAIM": "this server is 7.0.15; CLAIM needs 8.4"}
    explained = list(explain(tuple(line.encode().split()), PLAIN, NOW_MS))
    assert "mind  this server is 7.0.15; CLAIM needs 8.4" in explained


@pytest.mark.usefixtures("newer")
def test_a_command_that_the_server_does_not_have_yet_is_marked_too() -> None:
    put_in_force(vocabulary())
    assert styles("XNEW a", "XNEW") == ["command", "lacking"]
    assert said("XNEW").endswith("this server is 7.0.15; XNEW needs 8.4")
    assert offered("XNE") == {"XNEW": "this server is 7.0.15; XNEW needs 8.4"}


@pytest.mark.usefixtures("newer")
def test_valkey_is_told_by_its_name_and_lacks_what_came_after_they_parted() -> None:
    known = vocabulary(VALKEY_9)
    command = table.COMMANDS["XREADGROUP"]
    options = [one for part in command.parts if isinstance(part, Options) for one in part.options]
    claim = next(one for one in options if one.token == "CLAIM")
    said = "this server is Valkey 9.1.2, which has no CLAIM; Redis has it since 8.4"
    assert known.lacks(command, claim) == said
    assert known.lacks(command, table.COUNT_EACH) == ""  # Valkey may describe its commands in fewer words
    assert known.lacks(table.COMMANDS["CLIENT SETINFO"]) == ""


def test_what_the_server_documents_it_has_whatever_its_version() -> None:
    known = told(with_table=True)
    known["XADD"]["arguments"].append({"name": "minid", "type": "block", "arguments": [{"token": "MINID"}]})
    server = Vocabulary(Server("redis", "6.0.1"), known)
    assert server.lacks(table.COMMANDS["XADD"], table.MINID) == ""
    assert server.lacks(table.COMMANDS["XADD"], table.LIMIT) == "this server is 6.0.1; LIMIT needs 6.2"


def test_a_server_without_documentation_is_judged_by_its_version() -> None:
    old, whole = ask(Told(REDIS_6, docs=False).browse)
    assert whole
    server = Vocabulary(REDIS_6, old)
    assert not server.documented
    assert server.lacks(table.COMMANDS["XADD"], table.MINID) == ""
    assert server.lacks(table.COMMANDS["CLIENT NO-EVICT"]) == "this server is 6.2.14; CLIENT NO-EVICT needs 7.0"
    assert server.lacks(table.COMMANDS["CLIENT ID"]) == ""
    put_in_force(server)
    assert said("ZADD k 1 a ") == "some text"
    assert problems(read("CLIENT PAUSE a"), 13) == []


def test_a_command_of_newer_servers_is_said_to_be_missing_and_is_no_slip(on_redis_7: Vocabulary) -> None:
    sentence = "this server is 7.0.15, which has no HGETDEL"
    assert problems(read("HGETDEL a g"), 11) == []
    assert styles("HGETDEL a g", "HGETDEL") == ["lacking"]
    assert said("HGETDEL a g") == sentence
    (line,) = explain((b"HGETDEL", b"a"), PLAIN, NOW_MS)
    assert line.endswith(f" ({sentence})")


def test_a_command_that_was_taken_from_the_server_is_said_to_be_missing() -> None:
    known = told(with_table=True)
    del known["FLUSHALL"]
    assert Vocabulary(REDIS_7, known).lacks(table.COMMANDS["FLUSHALL"]) == "this server has no FLUSHALL"


def test_the_name_of_a_server_is_safe_to_look_at() -> None:
    server = Vocabulary(Server("evil\x1b[2J\n", "9\x1b]0;"), told(with_table=True))
    assert server.name.isprintable()


# -- learning it ----------------------------------------------------------------------------------


class Came:
    """Waits for the learner's thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(6), "nothing has come"
        self._event.clear()


@pytest.fixture
def came() -> Came:
    return Came()


Learn = Callable[[Told], None]


def learns(folder: Path | None, came: Came) -> Learn:
    """A learner that is waited for."""
    learner = Learner(None if folder is None else str(folder), came)

    def learn(backend: Told) -> None:
        learner.learn(cast("Backend", backend))
        came.wait()

    return learn


def test_a_servers_commands_are_asked_for_and_then_in_force(came: Came) -> None:
    learns(None, came)(Told())
    assert in_force().server == REDIS_7
    assert b"ZADD" in in_force().commands
    assert in_force().facts == told()


def test_while_a_server_is_asked_the_table_is_in_force_and_nothing_waits(came: Came) -> None:
    asked, go = threading.Event(), threading.Event()

    class Slow(Told):
        def browse(self, argv: Sequence[bytes]) -> Reply:
            asked.set()
            assert go.wait(6)
            return super().browse(argv)

    learner = Learner(None, came)
    learner.learn(cast("Backend", Slow()))
    assert asked.wait(6)
    assert (in_force().server, in_force().facts) == (REDIS_7, {})
    learner.learn(cast("Backend", Told(None)))  # left again, before it has answered
    go.set()
    assert in_force() is TABLE


def test_the_same_backend_is_asked_once(came: Came) -> None:
    learner, backend = Learner(None, came), Told()
    learner.learn(cast("Backend", backend))
    came.wait()
    count = len(backend.asked)
    learner.learn(cast("Backend", backend))
    assert len(backend.asked) == count


class Shut(Told):
    """Tells nothing before somebody has logged in."""

    is_open = False

    def browse(self, argv: Sequence[bytes]) -> Reply:
        return super().browse(argv) if self.is_open else Error("NOAUTH Authentication required.")


def test_who_has_logged_in_is_told_what_was_kept_from_others(came: Came) -> None:
    learner, backend = Learner(None, came), Shut()
    there = cast("Backend", backend)
    for user in ("ann", None):
        backend.server, backend.user = Server("", ""), None
        backend.is_open = False
        assert learner.learn(there)
        assert not learner.learn(there)
        assert in_force().facts == {}
        backend.is_open = True
        backend.user = user
        assert learner.learn(there, again=True)
        came.wait()
        assert in_force().facts == told()
        assert not learner.learn(there, again=True)  # it knows
        learner.stop()


def test_another_version_in_the_place_of_the_first_is_asked_again(came: Came) -> None:
    learner, backend = Learner(None, came), Told()
    there = cast("Backend", backend)
    learner.learn(there)
    came.wait()
    backend.server = VALKEY_9
    assert learner.learn(there)
    came.wait()
    assert in_force().server == VALKEY_9
    backend.server = VALKEY_9._replace(role="replica")
    assert not learner.learn(there)


def test_leaving_brings_the_table_back(came: Came) -> None:
    learner = Learner(None, came)
    learner.learn(cast("Backend", Told()))
    came.wait()
    learner.stop()
    assert in_force() is TABLE


def test_a_server_that_tells_nothing_leaves_the_table_in_force() -> None:
    refusing = Told()
    refusing.browse = lambda argv: Error("NOPERM no")  # type: ignore[method-assign]
    assert ask(refusing.browse) == ({}, False)
    assert names_of(refusing.browse) == []


def test_a_server_that_breaks_off_is_learned_as_far_as_it_goes_and_not_kept(tmp_path: Path, came: Came) -> None:
    class Broken(Told):
        def browse(self, argv: Sequence[bytes]) -> Reply:
            return Error("ERR the connection was lost") if b"DOCS" in argv else super().browse(argv)

    learns(tmp_path, came)(Broken())
    assert in_force().commands[b"ZADD"].usage() == "ZADD key arg arg [arg ...]"
    assert list(tmp_path.iterdir()) == []


def test_names_are_asked_for_on_any_server() -> None:
    names = sorted(name.upper().encode() for name in ROWS if "|" not in name)
    assert sorted(names_of(Told().browse)) == names
    assert sorted(names_of(Told(docs=False).browse)) == names


# -- the cache --------------------------------------------------------------------------------------


def kept(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_a_server_has_told_is_kept_for_the_user_alone_and_not_asked_for_again(tmp_path: Path, came: Came) -> None:
    folder = tmp_path / "cache" / "streamcli"
    learns(folder, came)(Told())
    path = kept(folder)
    assert path.name.startswith("commands-redis-7.0.15-")
    assert path.stat().st_mode & 0o777 == 0o600
    backend = Told()
    learns(folder, came)(backend)
    assert in_force().facts == told()
    assert backend.asked == [(b"COMMAND", b"COUNT"), (b"MODULE", b"LIST")]


def test_each_server_version_and_set_of_modules_has_a_file_of_its_own(tmp_path: Path, came: Came) -> None:
    class Modules(Told):
        def browse(self, argv: Sequence[bytes]) -> Reply:
            return [[b"name", b"ReJSON", b"ver", 20000]] if b"MODULE" in argv else super().browse(argv)

    for backend in (Told(), Told(VALKEY_9), Modules(), Told(), Told(target="there:6379")):
        learns(tmp_path, came)(backend)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 2, "commands": {"X": {}}}',
        b'{"format": 1, "commands": 5}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_as_good_as_none_and_replaced(tmp_path: Path, came: Came, content: bytes) -> None:
    learns(tmp_path, came)(Told())
    path = kept(tmp_path)
    path.write_bytes(content)
    learns(tmp_path, came)(Told())
    assert in_force().facts == told()
    assert json.loads(kept(tmp_path).read_bytes())["commands"] == told()


def test_a_link_a_folder_and_a_pipe_are_not_read(tmp_path: Path, came: Came) -> None:
    learns(tmp_path, came)(Told())
    path = kept(tmp_path)
    lie: Facts = {"LIE": {}}
    (tmp_path / "elsewhere").write_text(json.dumps({"format": 1, "commands": lie}))
    makes: list[Callable[[], object]] = [
        lambda: path.symlink_to(tmp_path / "elsewhere"),
        lambda: os.mkfifo(path),
    ]
    for make in makes:
        path.unlink()
        make()
        learns(tmp_path, came)(Told())
        assert in_force().facts == told()


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path, came: Came) -> None:
    (tmp_path / "file").write_text("")
    learns(tmp_path / "file" / "streamcli", came)(Told())
    assert in_force().facts == told()


def test_old_files_give_way(tmp_path: Path, came: Came) -> None:
    for number in range(30):
        path = tmp_path / f"commands-redis-1.{number}-x.json"
        path.write_text("{}")
        os.utime(path, (number, number))
    (tmp_path / "mine.txt").write_text("")
    learns(tmp_path, came)(Told())
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == 21
    assert {"mine.txt", "commands-redis-1.29-x.json"} <= names
    assert "commands-redis-1.0-x.json" not in names
