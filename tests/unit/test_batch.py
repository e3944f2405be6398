"""Lines that are on their way together have the effects of lines that are run one by one."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from streamcli.backend.address import Address
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import link
from streamcli.backend.remote.one import Remote
from streamcli.backend.remote.pipeline import Pipeline
from streamcli.render import Options
from streamcli.reply import QUEUED, Error
from streamcli.resp import Reader, encode
from streamcli.shell.batch import Batch
from streamcli.shell.output import Output
from streamcli.shell.session import LOST, Session
from tests.unit.told import Told

SEEDS = range(12)


class Engine:
    """The embedded engine as a server.

    `die_at`: the connection ends instead of the reply to so manieth command.
    `hold`: no reply is sent before so many commands have come.
    """

    def __init__(self) -> None:
        self.backend = Embedded()
        self.commands: list[list[bytes]] = []
        self.die_at: int | None = None
        self.hold = 0
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), client:
            self._converse(client)

    def _converse(self, client: socket.socket) -> None:
        reader, session = Reader(), self.backend.engine.session()
        replies: list[bytes] = []
        while data := client.recv(4096):
            reader.feed(data)
            for argv in reader:
                assert isinstance(argv, list)
                words = [word for word in argv if isinstance(word, bytes)]
                greeting = words[0] in (b"HELLO", b"CLIENT", b"INFO", b"ROLE", b"COMMAND")
                if not greeting:
                    self.commands.append(words)
                if self.die_at is not None and len(self.commands) > self.die_at:
                    return
                with self._lock:
                    self.backend.session = session
                    replies.append(encode(self.backend.execute(words), session.protocol))
                if greeting or len(self.commands) >= self.hold:
                    client.sendall(b"".join(replies))
                    replies = []

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join(10)


Making = Callable[[], Engine]


@pytest.fixture
def engine() -> Iterator[Making]:
    made: list[Engine] = []

    def make() -> Engine:
        made.append(Engine())
        return made[-1]

    yield make
    for one in made:
        one.close()


class Run:
    """A session on a server; what it shows and says stands in one file, in order."""

    def __init__(self, engine: Engine, path: Path, format: str = "raw", read_only: bool = False) -> None:
        self.engine = engine
        self.backend = Remote(Address(port=engine.port, protocol=2))
        self.path = path
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self.output = Output(self.file)
        self.session = Session(self.backend, format, Options(), self.output, self.say, read_only=read_only)

    def say(self, line: str) -> None:
        os.write(self.file, b"! " + line.encode() + b"\n")

    def said(self) -> bytes:
        self.output.flush()
        return self.path.read_bytes()

    def one_by_one(self, lines: Sequence[bytes], *, keep_going: bool) -> int:
        code = 0
        for number, line in enumerate(lines, 1):
            one = self.session.run(line, f"line {number}: ")
            code = code or one
            if self.session.left or (one and not keep_going):
                break
        return code

    def together(self, lines: Sequence[bytes], window: int = 128, *, keep_going: bool = False) -> int:
        pipeline = Pipeline(self.backend, window)
        return Batch(self.session, pipeline, "line ", keep_going=keep_going).run(iter(lines))

    def state(self) -> tuple[object, ...]:
        rows = [self.engine.backend.browse((b"XRANGE", b"s%d" % number, b"-", b"+")) for number in range(3)]
        return (*rows, self.engine.backend.browse((b"GET", b"t")), self.backend.db, self.backend.queued)

    def close(self) -> None:
        self.backend.close()
        os.close(self.file)


@pytest.fixture
def run(engine: Making, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def make(format: str = "raw", read_only: bool = False) -> Run:
        made.append(Run(engine(), tmp_path / str(len(made)), format, read_only))
        return made[-1]

    yield make
    for one in made:
        one.close()


def script(seed: int) -> list[bytes]:
    """Lines of all sorts: many that add, some that fail, transactions, what is run alone, what is nothing."""
    rng = random.Random(seed)
    lines = []
    for number in range(1, 200):
        stream = rng.randrange(3)
        lines.append(
            rng.choice(
                [
                    f"XADD s{stream} {number}-1 f {number}",
                    f"XADD s{stream} {number}-1 f {number}",
                    f"XADD s{stream} {number}-2 field 'two words' g \"x\\ny\"",
                    f"XADD s{stream} {rng.randrange(200)}-1 f v",
                    f"XLEN s{stream}",
                    f"XRANGE s{stream} - + COUNT {rng.randrange(1, 5)}",
                    f"XREAD COUNT 2 STREAMS s{stream} 0",
                    f"XREAD BLOCK 1 COUNT 1 STREAMS s{stream} 0",
                    f"XDEL s{stream} {rng.randrange(200)}-1",
                    "SET t v",
                    "GET t",
                    "GET nothing",
                    "PING",
                    "ECHO 'ümlaut \x07'",
                    "XADD t 1-1 f v",
                    "XADD",
                    "NOSUCH a b",
                    "MULTI",
                    "MULTI",
                    "EXEC",
                    "EXEC",
                    "DISCARD",
                    "WATCH t",
                    "SELECT 0",
                    "# a comment, it's one",
                    "",
                    "   ",
                    "ECHO 'open",
                    "INFO nothing",
                ]
            )
        )
    return [line.encode() for line in lines]


@pytest.mark.parametrize("window", [1, 2, 7, 128])
@pytest.mark.parametrize("seed", SEEDS)
def test_all_lines_together_do_what_they_do_one_by_one(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, seed: int, window: int
) -> None:
    format = ("raw", "json", "tree")[seed % 3]
    lines = script(seed)
    one, all = run(format), run(format)
    code = one.one_by_one(lines, keep_going=True)
    monkeypatch.setattr(link, "_READ_BYTES", random.Random(seed).choice((1, 5, 64, 4096)))
    assert all.together(lines, window, keep_going=True) == code
    assert all.said() == one.said()
    assert all.state() == one.state()
    assert all.engine.commands == one.engine.commands


@pytest.mark.parametrize("window", [1, 2, 7, 128])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_error_ends_it_and_what_was_behind_it_is_said(
    run: Callable[..., Run], seed: int, window: int
) -> None:
    lines = script(seed)[seed:]
    first, all = run(), run()
    code = first.one_by_one(lines, keep_going=False)
    assert all.together(lines, window) == code
    said, shown = all.said().splitlines(), first.said().splitlines()
    assert said[: len(shown)] == shown
    sent = len(all.engine.commands)
    assert len(first.engine.commands) <= sent < len(first.engine.commands) + window
    same = run()
    same.one_by_one(
        [b"XADD" if words == [b"XADD"] else b" ".join(map(quoted, words)) for words in all.engine.commands],
        keep_going=True,
    )
    assert all.state() == same.state()
    assert (b" failed; line" in said[-1]) == (sent > len(first.engine.commands))


def quoted(word: bytes) -> bytes:
    from streamcli.words import quote

    return quote(word)


def adds(count: int, *, bad: int) -> list[bytes]:
    """Lines that add, but for one."""
    return [b"XADD s0 %d-1 f v" % number if number != bad else b"XADD s0 0-0 f v" for number in range(1, count + 1)]


ZERO = "ERR The ID specified in XADD must be greater than 0-0"


def test_lines_behind_one_that_failed_are_named(run: Callable[..., Run]) -> None:
    one = run()
    one.engine.hold = 8
    assert one.together(adds(30, bad=2), 8) == 1
    shown = ["1-1", f"! line 2: {ZERO}", *(f"{number}-1" for number in range(3, 9))]
    last = "! line 2 failed; lines 3 to 8 had been sent already and were run, the rest was not sent"
    assert one.said().decode().splitlines() == [*shown, last]
    assert len(one.engine.commands) == 8


def test_a_single_line_behind_it_is_named(run: Callable[..., Run]) -> None:
    one = run()
    assert one.together(adds(2, bad=1)) == 1
    last = "! line 1 failed; line 2 had been sent already and was run, the rest was not sent"
    assert one.said().decode().splitlines() == [f"! line 1: {ZERO}", "2-1", last]


def test_nothing_is_said_when_nothing_was_behind_it(run: Callable[..., Run]) -> None:
    one = run()
    assert one.together(adds(3, bad=3)) == 1
    assert one.said().decode().splitlines() == ["1-1", "2-1", f"! line 3: {ZERO}"]


def test_what_was_queued_behind_it_is_not_said_to_be_run(run: Callable[..., Run]) -> None:
    one = run()
    assert one.together([b"MULTI", b"NOSUCH", b"XADD s0 1-1 f v"]) == 1
    assert one.said().decode().splitlines()[-2:] == [
        "QUEUED",
        "! line 2 failed; line 3 had been sent already, the rest was not sent",
    ]
    assert one.backend.queued == 1


@pytest.mark.parametrize(
    "line",
    b"""DEL s0, FLUSHALL, XTRIM s0 MAXLEN 0, XGROUP DESTROY s0 g, EXEC, XADD s0 MAXLEN 1 * f v, XACK s0 g 1-1,
    xadd s0 NOMKSTREAM minid ~ 1 * f v, EXPIRE s0 0, RENAME s0 s1, COPY s0 s1 REPLACE, XGROUP DELCONSUMER s0 g c,
    XGROUP SETID s0 g 0, LREM l 0 a, ZREMRANGEBYSCORE z 0 1, SDIFFSTORE a b c, EVAL s 0, NO.SUCH a,
    REPLCONF a, SCRIPT FLUSH, SORT a STORE b""".replace(b"\n", b"").split(b", "),
)
def test_what_removes_data_waits_for_all_before_it(run: Callable[..., Run], line: bytes) -> None:
    one = run()
    assert one.together([b"XADD s0 1-1 f v", b"XADD s0 0-0 f v", b"PING", line, b"PING"]) == 1
    assert one.engine.commands[-1] == [b"PING"]
    assert len(one.engine.commands) == 3


@pytest.mark.parametrize(
    "line",
    b"""XADD s1 * MAXLEN v, XADD s1 1-1 minid v, XADD s1 NOMKSTREAM 1-1 f v, XGROUP CREATE s0 g 0, XLEN s0, SET k v,
    HSET h f v, rpush l a, ZADD z 1 a, XREADGROUP GROUP g c STREAMS s0 >, XINFO STREAM s0, CONFIG GET a, MULTI,
    SELECT 0""".replace(b"\n", b"").split(b", "),
)
def test_what_adds_sets_or_reads_waits_for_nothing(run: Callable[..., Run], line: bytes) -> None:
    one = run()
    one.engine.hold = 4
    assert one.together([b"XADD s0 0-0 f v", line, b"PING", b"PING", b"PING"], 4) == 1
    assert one.engine.commands[1] == line.split()


def test_of_its_own_commands_the_server_itself_says_which_only_read(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, told = run(), Told()
    monkeypatch.setattr(one.backend, "browse", told.browse)
    one.engine.hold = 4
    lines = [b"XADD s0 0-0 f v", b"ZUNION 1 a", b"CLUSTER SLOTS", b"ZUNION 1 b", b"CLUSTER RESET", b"PING"]
    assert one.together(lines, 8) == 1
    assert one.engine.commands == [line.split() for line in lines[:4]]
    assert told.asked == [(b"COMMAND", b"INFO", name) for name in (b"ZUNION", b"CLUSTER")]


def test_an_error_repeats_no_secret_of_its_line(run: Callable[..., Run]) -> None:
    one = run()
    lines = [b"AUHT hunter2", b"ACL SETUSER ann '>hunter2 or so'", b"AUTH 'hunter2", b"NOSUCH hunter2"]
    assert one.together(lines, keep_going=True) == 1
    assert one.said().decode().splitlines() == [
        "! line 1: ERR unknown command 'AUHT', with args beginning with: '***' (did you mean AUTH?)",
        "! line 2: ERR unknown command 'ACL', with args beginning with: 'SETUSER' 'ann' '***' "
        "(this server is 8.10.0, which has no ACL)",
        "! line 3: not sent, column 6: the ' here is never closed",
        "! line 3:   AUTH ********",
        "! line 3:        ^",
        "! line 4: ERR unknown command 'NOSUCH', with args beginning with: 'hunter2' (did you mean TOUCH?)",
    ]


def test_an_error_inside_a_transaction_repeats_no_secret_either(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = run()
    one.session.run(b"MULTI")
    one.session.run(b"SET t v")
    one.session._queued[0] = one.session.parse([b"CONFIG", b"SET", b"requirepass", b"hunter2"])
    monkeypatch.setattr(one.backend, "execute", lambda argv, arriving: [Error("ERR no: hunter2")])
    monkeypatch.setattr(one.backend.state, "queued", None)
    one.session.run(b"EXEC")
    assert one.said().decode().splitlines()[-1] == "! a command of the transaction failed: ERR no: ***"


def test_a_queued_reply_without_a_transaction_queues_nothing(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = run()
    monkeypatch.setattr(one.backend, "execute", lambda argv, arriving: QUEUED)
    assert one.session.run(b"PING") == 0
    assert one.session.queued == []


def test_a_line_that_cannot_be_read_is_told_of_after_those_before_it(run: Callable[..., Run]) -> None:
    one = run()
    assert one.together([b"PING", b"ECHO 'open", b"PING"]) == 2
    assert one.said().decode().splitlines()[:2] == ["PONG", "! line 2: not sent, column 6: the ' here is never closed"]
    assert len(one.engine.commands) == 1


def test_a_session_that_only_reads_refuses_in_order(run: Callable[..., Run]) -> None:
    one = run(read_only=True)
    assert one.together([b"PING", b"XADD s0 1-1 f v", b"PING"], keep_going=True) == 1
    assert one.said() == b"PONG\n! line 2: XADD writes, and this session is read-only\nPONG\n"


def test_nothing_is_run_behind_exit(run: Callable[..., Run]) -> None:
    one = run()
    assert one.together([b"PING", b"exit", b"PING"]) == 0
    assert one.said() == b"PONG\n"


def test_a_lost_connection_ends_it_and_names_what_was_sent(run: Callable[..., Run]) -> None:
    one = run()
    one.engine.die_at = 3
    assert one.together([b"XADD s0 %d-1 f v" % number for number in range(1, 20)], 8, keep_going=True) == LOST
    *shown, last = one.said().decode().splitlines()
    number = len(shown) + 1
    assert shown == [f"{done}-1" for done in range(1, number)]
    assert last.startswith(f"! line {number}: the connection to 127.0.0.1:{one.engine.port} was lost (")
    assert last.split("; ")[1].startswith(f"lines {number} to ")
    assert last.endswith(" were sent and may have been applied")
    assert len(one.engine.commands) == 4


def test_a_lost_transaction_is_said_to_be_gone(run: Callable[..., Run]) -> None:
    one = run()
    one.engine.die_at = 3
    assert one.together([b"MULTI", b"XADD s0 1-1 f v", b"PING", *[b"PING"] * 20], 2) == LOST
    assert one.said().decode().splitlines()[-1].endswith("is gone, and nothing of it was applied")
    assert one.backend.queued is None
    assert one.session.queued == []


def test_lines_that_only_read_may_be_sent_again(run: Callable[..., Run]) -> None:
    one = run()
    one.engine.die_at = 1
    assert one.together([b"PING"] * 8, 8) == LOST
    assert one.said().decode().splitlines()[-1].endswith(" got no reply; they only read and may be sent again")


def test_an_interrupt_names_what_was_sent_when_it_writes(run: Callable[..., Run]) -> None:
    one = run()
    one.engine.hold = 1000
    one.backend.on_wait = lambda waiting: interrupt()
    with pytest.raises(KeyboardInterrupt):
        one.together([b"PING", *[b"XADD s0 %d-1 f v" % number for number in range(1, 9)], b"PING"], 128)
    dropped = f"interrupted: the connection to 127.0.0.1:{one.engine.port} was dropped"
    assert one.said().decode() == f"! line 1: {dropped}; lines 2 to 9 were sent and may have been applied\n"


def test_an_interrupt_of_reading_lines_says_nothing(run: Callable[..., Run]) -> None:
    one = run()
    one.engine.hold = 1000
    one.backend.on_wait = lambda waiting: interrupt()
    with pytest.raises(KeyboardInterrupt):
        one.together([b"PING"] * 10)
    assert one.said() == b""


def interrupt() -> None:
    raise KeyboardInterrupt


def test_lines_are_read_as_they_are_needed(run: Callable[..., Run]) -> None:
    """However many there are, no more are held than may be on their way."""
    one = run()
    most = 0
    pipeline = Pipeline(one.backend, 16)

    def lines() -> Iterator[bytes]:
        nonlocal most
        for number in range(1, 1001):
            yield b"XADD s0 %d-1 f v" % number
            most = max(most, len(pipeline.waiting))

    assert Batch(one.session, pipeline, "line ", keep_going=False).run(lines()) == 0
    assert most <= 16
    assert one.said().count(b"\n") == 1000


def test_bytes_on_their_way_are_bounded_too(run: Callable[..., Run]) -> None:
    one = run()
    pipeline = Pipeline(one.backend, 128, 10_000)
    taken = [pipeline.post(number, (b"ECHO", b"x" * 3000)) for number in range(1, 5)]
    assert taken == [True, True, True, False]


def test_a_pause_shows_everything_and_ends_what_has_failed(run: Callable[..., Run]) -> None:
    one = run()
    batch = Batch(one.session, Pipeline(one.backend), "line ", keep_going=False)
    seen: list[object] = []

    def lines() -> Iterator[bytes]:
        yield b"PING"
        seen.append((batch.pause(), one.path.read_bytes()))
        yield b"NOSUCH"
        seen.append(batch.pause())

    assert batch.run(lines()) == 1
    assert seen == [(True, b"PONG\n"), False]
