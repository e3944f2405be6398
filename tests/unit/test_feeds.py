"""What comes unasked from a server, in every format: whole, at once, harmless, and without secrets on a screen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli import words
from streamcli.backend import LostError, Server, Waiting
from streamcli.render import FORMATS, Options
from streamcli.reply import NIL_ARRAY, OK, QUEUED, Error, Map, Push, Reply, Set, Simple, Verbatim
from streamcli.shell.feeds import members, monitored, painted, push_text, renderer
from streamcli.shell.guide import LineGuide
from streamcli.shell.line import Tail
from streamcli.shell.output import Live, Output, PipeClosedError
from streamcli.shell.session import FAILED, LOST, Session
from streamcli.shell.session import OK as WELL
from streamcli.shell.sinks import into_file, through

PLAIN, TERMINAL = Options(), Options(terminal=True)
COLORED = Options(terminal=True, color=True)
LINE = '1339518083.107412 [3 127.0.0.1:60866] "xadd" "a b" "*" "\\xd0\\xbf" "\\x1b\\n\\xff"'


def shown(reply: Reply, format: str, options: Options = PLAIN) -> list[str]:
    return list(renderer(format, options)(reply))


# -- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [Push, list], ids=["RESP3", "RESP2"])
@pytest.mark.parametrize(
    ("items", "tree", "object"),
    [
        ([b"message", b"a", b"x"], 'a  "x"', {"type": "message", "channel": "a", "data": "x"}),
        ([b"smessage", b"a b", b""], '"a b"  ""', {"type": "smessage", "channel": "a b", "data": ""}),
        (
            [b"pmessage", b"a*", b"ab", b"\x1b[31m"],
            'a* → ab  "\\x1b[31m"',
            {"type": "pmessage", "pattern": "a*", "channel": "ab", "data": "\x1b[31m"},
        ),
        (
            [b"message", b"__redis__:invalidate", [b"a", b"b"]],
            "__redis__:invalidate  a, b",
            {"type": "message", "channel": "__redis__:invalidate", "data": ["a", "b"]},
        ),
        ([b"subscribe", b"a", 1], "subscribed to a (1)", {"type": "subscribe", "channel": "a", "count": 1}),
        (
            [b"psubscribe", b"a*", 2],
            "subscribed to pattern a* (2)",
            {"type": "psubscribe", "pattern": "a*", "count": 2},
        ),
        (
            [b"ssubscribe", b"a", 1],
            "subscribed to shard channel a (1)",
            {"type": "ssubscribe", "channel": "a", "count": 1},
        ),
        ([b"unsubscribe", None, 0], "unsubscribed (0)", {"type": "unsubscribe", "channel": None, "count": 0}),
        (
            [b"sunsubscribe", b"\n", 0],
            'unsubscribed from shard channel "\\n" (0)',
            {"type": "sunsubscribe", "channel": "\n", "count": 0},
        ),
        (
            [b"punsubscribe", b"a*", 0],
            "unsubscribed from pattern a* (0)",
            {"type": "punsubscribe", "pattern": "a*", "count": 0},
        ),
    ],
    ids=lambda value: None,
)
def test_a_message_is_a_line_of_the_tree_and_an_object_of_json(
    items: list[Reply], tree: str, object: dict[str, Any], frame: Callable[[list[Reply]], Reply]
) -> None:
    assert shown(frame(items), "tree") == [tree]
    (line,) = shown(frame(items), "jsonl")
    assert json.loads(line) == object
    assert list(json.loads(line)) == list(object)
    assert json.loads("\n".join(shown(frame(items), "json"))) == object


def test_a_message_is_a_row_of_csv() -> None:
    assert shown(Push([b"pmessage", b"a*", b"ab", b'x,"y"']), "csv") == ['pmessage,a*,ab,"x,""y"""']
    assert shown([b"subscribe", b"a", 1], "csv") == ["subscribe,a,1"]


def test_classic_and_raw_are_as_redis_cli_prints_them() -> None:
    """Compared by hand with redis-cli 8.0."""
    items: list[Reply] = [b"message", b"a", b"he\tllo"]
    frames: tuple[Reply, ...] = (items, Push(items))
    for message in frames:
        assert "\n".join(shown(message, "classic")) == '1) "message"\n2) "a"\n3) "he\\tllo"'
        assert "\n".join(shown(message, "raw")) == "message\na\nhe\tllo"
    assert shown(Simple(LINE), "classic") == shown(Simple(LINE), "raw") == [LINE]


def test_without_unicode_the_arrow_is_two_characters() -> None:
    assert shown([b"pmessage", b"a*", b"ab", b"x"], "tree", Options(unicode=False)) == ['a* -> ab  "x"']


def test_names_and_data_have_the_colours_of_the_tree_and_what_we_say_is_dimmed() -> None:
    assert shown([b"message", b"a", b"x"], "tree", COLORED) == ['\x1b[36ma\x1b[0m  \x1b[32m"x"\x1b[0m']
    assert shown([b"subscribe", b"a", 1], "tree", COLORED) == ["\x1b[2msubscribed to a (1)\x1b[0m"]


@pytest.mark.parametrize(
    "reply",
    [[], Push([]), [b"message"], [b"message", b"a", b"b", b"c"], [1, 2], [b"pong", b""], [[b"message"], b"a", b"x"]],
    ids=repr,
)
def test_what_is_no_known_message_is_shown_as_it_is(reply: Reply) -> None:
    assert members(reply) is None
    for format in FORMATS:
        assert shown(reply, format)


# -- MONITOR --------------------------------------------------------------------------------------------


def test_a_line_of_monitor_is_read_word_by_word() -> None:
    found = monitored(Simple(LINE))
    assert found is not None
    assert found[:-1] == (
        1339518083, b"107412", 3, b"127.0.0.1:60866", [b"xadd", b"a b", b"*", "п".encode(), b"\x1b\n\xff"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "client"),
    [
        ('1.000000 [0 lua] "get" "a"', b"lua"),
        ('1.000000 [0 [::1]:5000] "get" "a"', b"[::1]:5000"),
        ('1.000000 [0 unix:/tmp/a] b/s] "get" "a"', b"unix:/tmp/a] b/s"),
    ],
)
def test_clients_have_all_sorts_of_names(line: str, client: bytes) -> None:
    found = monitored(Simple(line))
    assert found is not None
    assert found.client == client
    assert found.argv == [b"get", b"a"]
    assert shown(Simple(line), "raw", TERMINAL) == [line]


@pytest.mark.parametrize(
    "reply",
    [OK, Simple('1.5 [0 a:1] "x"'), Simple('1.000000 [0 a:1] "x'), Simple("1.000000 [0 a:1] "), b"x", None],
    ids=repr,
)
def test_what_is_no_line_of_monitor_is_none(reply: Reply) -> None:
    assert monitored(reply) is None


def test_monitor_in_each_format() -> None:
    assert shown(Simple(LINE), "tree") == [
        '2012-06-12 16:21:23.107 UTC  [3] 127.0.0.1:60866  xadd "a b" * "п" "\\x1b\\n\\xff"'
    ]
    assert shown(Simple('1.000002 [0 lua] "get" "a"'), "tree") == ["1.000002  [0] lua  get a"]
    assert json.loads(shown(Simple(LINE), "jsonl")[0]) == {
        "type": "monitor",
        "time": 1339518083.107412,
        "db": 3,
        "client": "127.0.0.1:60866",
        "command": ["xadd", "a b", "*", "п", {"base64": "Gwr/"}],
    }
    assert shown(Simple(LINE), "csv") == [
        'monitor,1339518083.107412,3,127.0.0.1:60866,xadd,a b,*,п,"\x1b\n\\xff"'
    ]  # fmt: skip
    assert shown(OK, "tree") == ["OK"]
    assert shown(OK, "jsonl") == ['{"type":"status","text":"OK"}']
    assert shown(OK, "csv") == ["status,OK"]


def test_the_words_of_a_command_have_the_colours_of_the_prompt_and_nothing_is_called_wrong() -> None:
    assert painted("XLEN a", COLORED) == "\x1b[1;34mXLEN\x1b[0m \x1b[36ma\x1b[0m"
    assert "\x1b[4" not in painted("XLEN a b c", COLORED)
    assert painted("XLEN a", PLAIN) == "XLEN a"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "command",
    ['"auth" "tomato"', '"HELLO" "3" "AUTH" "me" "tomato"', '"config" "set" "requirepass" "tomato"',
     '"acl" "setuser" "a" "on" ">tomato"', '"migrate" "h" "1" "k" "0" "1" "auth" "tomato"'],
)  # fmt: skip
def test_secrets_of_others_are_not_on_the_screen(command: str, format: str) -> None:
    reply = Simple(f"1339518083.107412 [0 a:1] {command}")
    assert "tomato" in "".join(shown(reply, "raw", PLAIN))
    text = "".join(shown(reply, format, TERMINAL))
    assert "tomato" not in text
    assert command.split('"')[1].lower() in text.lower()


leaves = (
    st.binary(max_size=8)
    | st.integers()
    | st.text(max_size=6).map(Simple)
    | st.sampled_from([None, NIL_ARRAY, 1.5, True, Verbatim("txt", b"\x1b")])
    | st.sampled_from([b"message", b"pmessage", b"subscribe", b"invalidate"])
    | st.builds(lambda line: Simple(line.decode("latin-1")), st.binary(max_size=30).map(lambda x: LINE.encode() + x))
)
replies = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(Push)
        | st.lists(inner, max_size=3).map(Set)
        | st.lists(st.tuples(inner, inner), max_size=2).map(Map)
    ),
    max_leaves=8,
)


@given(replies, st.sampled_from(FORMATS), st.sampled_from([PLAIN, TERMINAL, COLORED]))
def test_nothing_that_a_server_sends_fails_or_steers_a_terminal(reply: Reply, format: str, options: Options) -> None:
    text = "\n".join(shown(reply, format, options))
    if options is TERMINAL:
        assert text.replace("\n", "").replace("\u3000", "").isprintable() or format in ("raw", "classic")
        assert not set(text) & set(map(chr, [*range(10), *range(11, 32), *range(0x7F, 0xA0)]))


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=6))
def test_a_command_in_monitor_reads_back_as_it_was_sent(argv: list[bytes]) -> None:
    quoted = " ".join('"' + "".join([f"\\x{byte:02x}" for byte in word]) + '"' for word in argv)
    found = monitored(Simple(f"1.000000 [0 a:1] {quoted}"))
    assert found is not None
    assert found.argv == argv
    (line,) = shown(Simple(f"1.000000 [0 a:1] {quoted}"), "tree")
    if "*" not in line:  # a secret, perhaps
        assert words.argv(line.partition("  [0] a:1  ")[2].encode("utf-8", "surrogateescape")) == argv


# -- pushes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([b"invalidate", [b"a", b"b c"]], 'push: invalidate a, "b c"'),
        ([b"invalidate", None], "push: invalidate everything"),
        ([b"invalidate", NIL_ARRAY], "push: invalidate everything"),
        ([b"unsubscribe", b"a", 0], "push: unsubscribe a 0"),
        ([b"tracking-redir-broken", 7], "push: tracking-redir-broken 7"),
        ([b"\x1b[31m\n", Map([(b"k", [None, 1.5])])], 'push: "\\x1b[31m\\n" k (nil) 1.5'),
        ([], "push:"),
        (
            [b"invalidate", [b"%d" % n for n in range(25)]],
            f"push: invalidate {', '.join(map(str, range(20)))} and 5 more",
        ),
        ([b"big", b"x" * 1000], f"push: big {'x' * 387}..."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_push_is_one_line(items: list[Reply], text: str) -> None:
    assert push_text(Push(items)) == text


@given(replies)
def test_any_push_is_one_harmless_line(reply: Reply) -> None:
    text = push_text(Push([reply, reply]))
    assert text.replace("\u3000", "").isprintable()
    assert len(text) < 450


# -- a session that listens --------------------------------------------------------------------------------


class Talking:
    """A backend that has something to say. Exceptions among the replies are raised."""

    def __init__(self, *replies: Reply | BaseException, queued: int | None = None) -> None:
        self.on_wait: Callable[[Waiting], None] | None = None
        self.on_push: Callable[[Push], None] | None = None
        self.on_note: Callable[[str], None] | None = None
        self.target, self.db, self.queued = "there", 0, queued
        self.user: str | None = None
        self.server: Server | None = Server("redis", "8.0.0")
        self.replies = replies
        self.asked: list[Sequence[bytes]] = []
        self.closed = False

    def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
        self.asked.append(argv)
        return OK

    def pipelined(self, argvs: Iterable[Sequence[bytes]], *, window: int = 512) -> Generator[Reply, None, None]:
        yield from map(self.execute, argvs)

    def beside(self) -> Talking:
        return self

    def browse(self, argv: Sequence[bytes]) -> Reply:
        return Error("ERR not here")

    def listen(self, argv: Sequence[bytes]) -> Iterator[Reply]:
        self.asked.append(argv)
        try:
            for reply in self.replies:
                if isinstance(reply, BaseException):
                    raise reply
                if reply is WAITS:
                    assert self.on_wait is not None
                    self.on_wait(Waiting(100, None))
                else:
                    yield reply
        finally:
            self.closed = True

    def stop(self, *, writes: bool) -> None: ...

    def close(self) -> None: ...


WAITS = Set([b"the time in which nothing comes"])
MESSAGE = Push([b"message", b"a", b"x"])


class Desk:
    """A session on a backend; what it has written, and what it complains of."""

    def __init__(self, backend: Talking, tmp_path: Path, format: str = "tree") -> None:
        self.file = tmp_path / "out"
        self.output = Output(os.open(self.file, os.O_WRONLY | os.O_CREAT))
        self.said: list[str] = []
        self.session = Session(backend, format, PLAIN, self.output, self.said.append)

    @property
    def written(self) -> str:
        return self.file.read_text()


def test_each_message_is_written_before_the_next_one_is_waited_for(tmp_path: Path) -> None:
    seen: list[str] = []

    class Slow(Talking):
        def listen(self, argv: Sequence[bytes]) -> Iterator[Reply]:
            for reply in super().listen(argv):
                seen.append(desk.written)
                yield reply

    desk = Desk(Slow(MESSAGE, MESSAGE, MESSAGE), tmp_path)
    assert desk.session.run(b"subscribe a") == WELL
    assert seen == ["", 'a  "x"\n', 'a  "x"\n' * 2]


def test_the_feed_has_gone_when_ctrl_c_comes_and_waits_are_told_to_whom_they_were(tmp_path: Path) -> None:
    backend = Talking(MESSAGE, WAITS, KeyboardInterrupt())
    desk = Desk(backend, tmp_path)
    heard: list[Waiting] = []
    backend.on_wait = told = heard.append
    with pytest.raises(KeyboardInterrupt):
        desk.session.run(b"SUBSCRIBE a")
    assert backend.closed
    assert backend.on_wait == told
    assert heard == []
    assert desk.written == 'a  "x"\n'


def test_a_lost_connection_is_one_line_behind_what_came(tmp_path: Path) -> None:
    desk = Desk(Talking(MESSAGE, LostError("the connection was lost")), tmp_path)
    assert desk.session.run(b"MONITOR", "line 3: ") == LOST
    assert desk.written == 'a  "x"\n'
    assert desk.said == ["line 3: the connection was lost"]


@pytest.mark.parametrize("before", [(), (MESSAGE,)])
def test_a_refusal_is_an_error_as_of_any_command(before: tuple[Reply, ...], tmp_path: Path) -> None:
    desk = Desk(Talking(*before, Error("NOPERM no")), tmp_path)
    assert desk.session.run(b"SSUBSCRIBE a", "line 3: ") == FAILED
    assert desk.said == ["line 3: NOPERM no"]
    assert desk.written == 'a  "x"\n' * len(before)


def test_in_a_transaction_nothing_is_sent(tmp_path: Path) -> None:
    backend = Talking(MESSAGE, queued=1)
    desk = Desk(backend, tmp_path)
    assert desk.session.run(b"psubscribe a", "line 3: ") == FAILED
    assert desk.said == [
        "line 3: not sent: PSUBSCRIBE listens, and a transaction is open; EXEC or DISCARD comes first"
    ]  # fmt: skip
    assert backend.asked == []


def test_only_a_server_is_listened_to_and_what_ends_a_subscription_is_a_command_like_others(tmp_path: Path) -> None:
    backend = Talking(MESSAGE)
    desk = Desk(backend, tmp_path, "raw")
    assert desk.session.run(b"UNSUBSCRIBE a") == WELL
    backend.server = None
    assert desk.session.run(b"SUBSCRIBE a") == WELL
    desk.output.flush()
    assert desk.written == "OK\nOK\n"


def test_pushes_are_told_apart_from_replies(tmp_path: Path) -> None:
    backend = Talking()
    desk = Desk(backend, tmp_path, "raw")
    desk.session.run(b"PING")
    assert backend.on_push is not None
    backend.on_push(Push([b"invalidate", [b"a"]]))
    told: list[str] = []
    desk.session.tell = told.append
    other = Talking()
    desk.session.move_to(other, read_only=False)
    assert other.on_push is not None
    other.on_push(Push([b"invalidate", None]))
    assert (desk.said, told, desk.written) == (["push: invalidate a"], ["push: invalidate everything"], "OK\n")


# -- what the prompt says of a session ------------------------------------------------------------------------


def guide(tmp_path: Path, *lines: str, unicode: bool = True) -> LineGuide:
    """Of a session in which some lines have been queued."""

    class Queueing(Talking):
        def execute(self, argv: Sequence[bytes], *, arriving: bool = False) -> Reply:
            self.queued = 0 if self.queued is None else self.queued + 1
            return OK if argv[0] == b"MULTI" else QUEUED

    backend = Queueing()
    session = Desk(backend, tmp_path).session
    for line in lines:
        session.run(line.encode())
    shell: Any = SimpleNamespace(backend=backend, session=session, options=Options(unicode=unicode))
    return LineGuide(shell)


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (80, "queued: XADD a * f v · INCR n · AUTH ******"),
        (43, "queued: XADD a * f v · INCR n · AUTH ******"),
        (42, "queued: … · INCR n · AUTH ******"),
        (25, "queued: … · AUTH ******"),
        (15, "queued: … · AUT"),
    ],
)
def test_the_hint_line_lists_what_is_queued_and_what_was_last_stays_in_sight(
    width: int, text: str, tmp_path: Path
) -> None:
    queue = guide(tmp_path, "MULTI", "XADD a * f v", "INCR n", "AUTH tomato")
    assert queue.hints("", 0, width) == [[("class:hint.idle", text)]]


def test_a_queued_command_is_one_short_harmless_line(tmp_path: Path) -> None:
    queue = guide(tmp_path, "MULTI", f'XADD a * "\x1b[31m\n" {"x" * 100}', unicode=False)
    assert queue.hints("", 0, 80) == [[("class:hint.idle", 'queued: XADD a * "\\x1b[31m\\n" xxxxxxxxxxxxxxx...')]]


def test_an_open_transaction_without_commands_says_how_it_ends(tmp_path: Path) -> None:
    text = "a transaction is open: EXEC runs what is queued, DISCARD forgets it"
    assert guide(tmp_path, "MULTI").hints(" ", 0, 80) == [[("class:hint.idle", text)]]


@pytest.mark.parametrize(
    ("user", "role", "text"),
    [
        (None, "master", "there> "),
        ("alice", "master", "alice@there> "),
        ("\x1b[31m", "replica", "\\x1b[31m@there(replica)> "),
        ("a" * 30, "slave", f"{'a' * 21}...@there(replica)> "),
    ],
)
def test_the_prompt_says_who_one_is_and_where(user: str | None, role: str, text: str, tmp_path: Path) -> None:
    backend = Talking()
    backend.user, backend.server = user, Server("redis", "8.0.0", "standalone", role)
    shell: Any = SimpleNamespace(backend=backend, session=Desk(backend, tmp_path).session)
    assert LineGuide(shell).prefix_text() == text


# -- where it goes ------------------------------------------------------------------------------------------


def test_a_reader_that_has_gone_is_noticed_while_nothing_comes() -> None:
    reader, writer = os.pipe()
    feed = Live(iter(["a"]))
    assert not feed.unread
    Output(writer).lines(feed)
    assert os.read(reader, 10) == b"a\n"
    assert not feed.unread
    os.close(reader)
    assert feed.unread
    os.close(writer)


def test_a_shell_command_gets_each_line_at_once_and_may_leave(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def chunks() -> Iterator[str]:
        yield "one"
        while out.read_text() != "one\n":
            pass
        yield "two"
        while not feed.unread:
            pass
        raise PipeClosedError

    out.touch()
    feed = Live(chunks())
    assert through(f"sed -u 2q > {out}", feed) == 0
    assert out.read_text() == "one\ntwo\n"


def test_the_shell_command_is_not_left_behind_when_the_feed_breaks_off(tmp_path: Path) -> None:
    def chunks() -> Iterator[str]:
        yield "one"
        raise LostError("gone")

    with pytest.raises(LostError):
        through(f"cat > {tmp_path / 'out'}; echo done >> {tmp_path / 'out'}", Live(chunks()))
    assert (tmp_path / "out").read_text() == "one\ndone\n"


def test_a_file_gets_each_line_at_once(tmp_path: Path) -> None:
    file = tmp_path / "out"
    seen: list[str] = []

    def chunks() -> Iterator[str]:
        for text in ("one", "two"):
            yield text
            seen.append(file.read_text())

    into_file(Tail(">", str(file), 0, 0), Live(chunks()))
    assert seen == ["one\n", "one\ntwo\n"]
