"""What a command would destroy is said before it does, with the right numbers; and what only reads is let through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.backend.embedded import Embedded
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.parse import parse
from streamcli.reply import Error, Map, Reply, Simple
from streamcli.shell.guard import COUNTED_MAX, guarded, stakes
from streamcli.shell.readonly import refusal

NOW_MS = 1_767_225_600_000
DAY = 86_400
READ_ONLY = "and this session is read-only"

Asked = Callable[[str], "str | None"]


@pytest.fixture
def backend() -> Iterator[Embedded]:
    backend = Embedded(None)
    yield backend
    backend.close()


def run(backend: Embedded, *lines: str) -> None:
    for line in lines:
        reply = backend.execute(line.encode().split())
        assert not isinstance(reply, Error), reply


def fill(backend: Embedded, key: str, count: int, *, value: str = "v") -> None:
    """Entries 1-1, 2-1, 3-1 ..."""
    run(backend, "MULTI", *[f"XADD {key} {number}-1 f {value}" for number in range(1, count + 1)], "EXEC")


def asked(backend: Embedded, line: str) -> str | None:
    return stakes(parse(line.encode().split()), backend.browse, NOW_MS, backend.db)


def test_only_commands_of_the_table_are_asked_about_and_all_of_them_write() -> None:
    assert guarded() <= COMMANDS.keys()
    assert all(COMMANDS[name].writes for name in guarded())


def test_every_look_at_the_data_only_reads(backend: Embedded) -> None:
    fill(backend, "a", 20)
    fill(backend, "b", 20)
    run(backend, "XGROUP CREATE a g 0", "XREADGROUP GROUP g ann STREAMS a >", "SET s v", "XADD a 9999999999999-1 f v")
    run(backend, "XIDMPRECORD a p i 9999999999999-1")
    looked: set[str] = set()

    def browse(argv: Sequence[bytes]) -> Reply:
        command = parse(argv).command
        assert command is not None
        looked.add(command.name)
        return backend.browse(argv)

    for line in (
        "XTRIM a MAXLEN 1", "XTRIM a MINID 9-1", "XADD a MAXLEN ~ 1 * f v", "XGROUP DESTROY a g",
        "XGROUP DELCONSUMER a g ann", "DEL a", "DEL a b", "FLUSHDB", "FLUSHALL", "RENAME a b", "COPY a b REPLACE",
        "SET a v", "EXPIRE a 0", "XTRIM a MAXLEN 1 ACKED", "XCFGSET a IDMP-MAXSIZE 5",
    ):  # fmt: skip
        assert stakes(parse(line.encode().split()), browse, NOW_MS) is not None, line
    assert looked == {name for name in looked if not COMMANDS[name].writes}
    assert {name for name in looked if "readonly" not in COMMANDS[name].flags} == {"INFO"}


# -- entries ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XTRIM a MAXLEN 5 DELREF", "XTRIM removes 15 of the 20 entries of a with what is pending of them"),
        ("XTRIM a MAXLEN 5 KEEPREF", "XTRIM removes 15 of the 20 entries of a"),
        ("XTRIM a MAXLEN 5 ACKED", "XTRIM removes up to 15 of the 20 entries of a"),
        ("XTRIM a MAXLEN ~ 5 ACKED", "XTRIM removes up to 15 of the 20 entries of a"),
        ("XADD a MAXLEN ~ 19 * f v", None),
        ("XADD a ACKED MAXLEN ~ 18 * f v", "XADD removes up to 3 entries of a and adds 1"),
    ],
)
def test_what_a_trim_with_an_eye_on_the_groups_takes(backend: Embedded, line: str, said: str | None) -> None:
    fill(backend, "a", 20)
    assert asked(backend, line) == said


def test_messages_that_would_be_forgotten_are_told_of(backend: Embedded) -> None:
    run(backend, "XADD a 9999999999999-0 f v", "XCFGSET a IDMP-MAXSIZE 50")
    assert asked(backend, "XCFGSET a IDMP-MAXSIZE 5") is None
    run(backend, "XADD a IDMP p i * f v", "XADD a IDMP q i * f v")
    assert asked(backend, "XCFGSET a IDMP-MAXSIZE 5") == "XCFGSET forgets 2 messages that producers have added to a"
    assert asked(backend, "XCFGSET a IDMP-MAXSIZE 50 IDMP-DURATION 100") is None
    assert asked(backend, "XCFGSET none IDMP-MAXSIZE 5") is None
    fill(backend, "b", 1)
    assert asked(backend, "XCFGSET b IDMP-DURATION 5") is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XTRIM a MAXLEN 500", "XTRIM removes 1,500 of the 2,000 entries of a"),
        ("XTRIM a MAXLEN = 1999", "XTRIM removes 1 of the 2,000 entries of a"),
        ("XTRIM a MAXLEN 0", "XTRIM removes all 2,000 entries of a"),
        ("XTRIM a MAXLEN ~ 500", "XTRIM removes up to 1,500 of the 2,000 entries of a"),
        ("XTRIM a MAXLEN ~ 500 LIMIT 200", "XTRIM removes up to 200 of the 2,000 entries of a"),
        ("XTRIM a MAXLEN ~ 500 LIMIT 0", "XTRIM removes up to 1,500 of the 2,000 entries of a"),
        ("XTRIM a MINID 501", "XTRIM removes 500 of the 2,000 entries of a"),
        ("XTRIM a MINID 501-2", "XTRIM removes 501 of the 2,000 entries of a"),
        ("XTRIM a MINID ~ 501", "XTRIM removes up to 500 of the 2,000 entries of a"),
        ("XTRIM a MINID 9999", "XTRIM removes all 2,000 entries of a"),
        ("XADD a MAXLEN 1992 * f v", "XADD removes 9 entries of a and adds 1"),
        ("XADD a MAXLEN 1 * f v", "XADD removes all 2,000 entries of a and adds 1"),
        ("XADD a MAXLEN 0 * f v", "XADD removes all 2,000 entries of a and the one it adds"),
        ("XADD a MAXLEN ~ 500 * f v", "XADD removes up to 1,501 entries of a and adds 1"),
        ("XADD a MINID 10 * f v", "XADD removes 9 entries of a and adds 1"),
        ("XADD a MINID 9999 8888-1 f v", "XADD removes all 2,000 entries of a and the one it adds"),
        ("xadd a nomkstream maxlen 1992 2001-* f v", "XADD removes 9 entries of a and adds 1"),
    ],
)
def test_a_trim_says_how_many_entries_go(backend: Embedded, line: str, said: str) -> None:
    fill(backend, "a", 2_000)
    assert asked(backend, line) == said


@pytest.mark.parametrize(
    "line",
    [
        "XTRIM a MAXLEN 250",
        "XTRIM a MAXLEN 251",
        "XTRIM a MINID 1-1",
        "XTRIM a MINID 0",
        "XTRIM none MAXLEN 0",
        "XTRIM none MINID 5",
        "XADD a * f v",
        "XADD a MAXLEN 250 * f v",  # one goes, one comes
        "XADD a MINID 2 * f v",
        "XADD none MAXLEN 0 * f v",
        "XADD a MAXLEN ~ 200 * f v",  # `~` takes whole nodes: 51 is too much, but less than any node has
        "XADD a MINID ~ 52 * f v",
        "XTRIM s MAXLEN 0",  # no stream
        "XADD s MAXLEN 0 * f v",
        "XTRIM a MAXLEN x",  # no command: the server will say so
        "XTRIM a",
        "XADD a MAXLEN 1 LIMIT 5 * f v",
        "XDEL a 1-1 2-1",
        "XSETID a 9999-1",
    ],
)
def test_what_removes_nothing_it_does_not_name_is_not_asked_about(backend: Embedded, line: str) -> None:
    fill(backend, "a", 250)
    run(backend, "SET s v")
    assert asked(backend, line) is None


def test_a_stream_kept_near_a_length_is_asked_about_once_a_node_goes(backend: Embedded) -> None:
    fill(backend, "a", 299)
    assert asked(backend, "XADD a MAXLEN ~ 200 * f v") == "XADD removes up to 100 entries of a and adds 1"


def test_more_entries_than_are_counted_are_said_to_be_more(backend: Embedded) -> None:
    fill(backend, "a", COUNTED_MAX + 100)
    below = f"a MINID {COUNTED_MAX + 50}-0"
    assert asked(backend, f"XTRIM {below}") == "XTRIM removes more than 10,000 of the 10,100 entries of a"
    assert asked(backend, f"XADD {below} * f v") == "XADD removes more than 10,000 entries of a and adds 1"
    assert asked(backend, f"XTRIM a MINID ~ {COUNTED_MAX + 50}") == (
        "XTRIM removes up to 10,100 of the 10,100 entries of a"
    )
    assert asked(backend, f"XTRIM a MINID {COUNTED_MAX + 1}-1") == (
        "XTRIM removes 10,000 of the 10,100 entries of a"
    )  # fmt: skip


def test_large_entries_are_not_all_read_to_be_counted(backend: Embedded) -> None:
    fill(backend, "a", 30, value="x" * 500_000)
    read = 0

    def browse(argv: Sequence[bytes]) -> Reply:
        nonlocal read
        reply = backend.browse(argv)
        read += len(reply) if isinstance(reply, list) else 0
        return reply

    call = parse(b"XTRIM a MINID 30-1".split())
    assert stakes(call, browse, NOW_MS) == "XTRIM removes more than 15 of the 30 entries of a"
    assert read == 17


def test_a_name_is_quoted_and_cut_before_it_reaches_the_screen(backend: Embedded) -> None:
    key = b"\x1b[2J " + b"k" * 100
    for number in (b"1-1", b"2-1"):
        backend.execute([b"XADD", key, number, b"f", b"v"])
    said = stakes(parse([b"XTRIM", key, b"MAXLEN", b"0"]), backend.browse, NOW_MS)
    assert said == f'XTRIM removes all 2 entries of "\\x1b[2J {"k" * 27}..."'


# -- groups ----------------------------------------------------------------------------


def test_a_group_is_not_deleted_unasked(backend: Embedded) -> None:
    fill(backend, "a", 12)
    run(backend, "XGROUP CREATE a g 0", "XGROUP CREATE a empty $", "XREADGROUP GROUP g ann STREAMS a >")
    run(backend, "XGROUP CREATECONSUMER a g bob", "XGROUP CREATECONSUMER a g eve")
    said = "XGROUP DESTROY deletes the group g of a: 3 consumers, 12 pending entries"
    assert asked(backend, "XGROUP DESTROY a g") == said
    said = "XGROUP DESTROY deletes the group empty of a: no consumers, no pending entries"
    assert asked(backend, "XGROUP DESTROY a empty") == said
    assert asked(backend, "XGROUP DESTROY a other") is None
    assert asked(backend, "XGROUP DESTROY none g") is None


def test_a_consumer_is_asked_about_when_something_is_pending(backend: Embedded) -> None:
    fill(backend, "a", 12)
    run(backend, "XGROUP CREATE a g 0", "XREADGROUP GROUP g ann STREAMS a >", "XGROUP CREATECONSUMER a g bob")
    said = "XGROUP DELCONSUMER forgets 12 pending entries of ann"
    assert asked(backend, "XGROUP DELCONSUMER a g ann") == said
    run(backend, "XACK a g " + " ".join(f"{number}-1" for number in range(1, 12)))
    assert asked(backend, "XGROUP DELCONSUMER a g ann") == "XGROUP DELCONSUMER forgets 1 pending entry of ann"
    for line in ("a g bob", "a g eve", "a none ann", "none g ann"):
        assert asked(backend, f"XGROUP DELCONSUMER {line}") is None


# -- whole keys ------------------------------------------------------------------------


@pytest.fixture
def three(backend: Embedded) -> Embedded:
    """Streams `a` (20 entries, two groups) and `b` (5 entries), a string `s`."""
    fill(backend, "a", 20)
    fill(backend, "b", 5)
    run(backend, "XGROUP CREATE a g 0", "XGROUP CREATE a h 0", "XGROUP CREATE e g 0 MKSTREAM", "SET s v")
    return backend


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("DEL a", "DEL deletes a (20 entries, 2 groups)"),
        ("UNLINK b", "UNLINK deletes b (5 entries)"),
        ("DEL e", "DEL deletes e (no entries, 1 group)"),
        ("DEL s", "DEL deletes s (string)"),
        ("DEL none", None),
        ("DEL none other", None),
        ("DEL none a other a", "DEL deletes a (20 entries, 2 groups)"),
        ("DEL a b s none a", "DEL deletes 3 keys (25 entries)"),
        ("DEL s e", "DEL deletes 2 keys"),
        ("DEL", None),
        ("GETDEL s", "GETDEL deletes s"),
        ("GETDEL none", None),
        ("FLUSHDB", "FLUSHDB deletes all 4 keys of database 0 (25 entries)"),
        ("FLUSHDB ASYNC", "FLUSHDB deletes all 4 keys of database 0 (25 entries)"),
        ("FLUSHALL", "FLUSHALL deletes all 4 keys (25 entries)"),
        ("RENAME a b", "RENAME replaces b (5 entries)"),
        ("RENAME b s", "RENAME replaces s (string)"),
        ("RENAME a a", None),
        ("RENAME a none", None),
        ("RENAME none a", None),
        ("RENAMENX a b", None),
        ("COPY a b REPLACE", "COPY replaces b (5 entries)"),
        ("COPY a b DB 0 REPLACE", "COPY replaces b (5 entries)"),
        ("COPY a b DB 3 REPLACE", "COPY replaces b of database 3 if it exists"),
        ("COPY a b", None),
        ("COPY a none REPLACE", None),
        ("COPY none a REPLACE", None),
        ("COPY a a REPLACE", None),
        ("SET a v", "SET replaces a (20 entries, 2 groups)"),
        ("SET a v XX", "SET replaces a (20 entries, 2 groups)"),
        ("SET a v NX", None),
        ("SET a v GET", None),
        ("SET s v", None),
        ("SET none v", None),
        ("SWAPDB 0 1", None),
    ],
)
def test_a_whole_key_is_not_lost_unasked(three: Embedded, line: str, said: str | None) -> None:
    assert asked(three, line) == said


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ("EXPIRE b 0", True),
        ("EXPIRE b -1", True),
        ("EXPIRE b 11", False),
        ("PEXPIRE b -5", True),
        ("PEXPIRE b 10001", False),
        (f"EXPIREAT b {NOW_MS // 1000}", True),
        (f"EXPIREAT b {NOW_MS // 1000 + 11}", False),
        (f"PEXPIREAT b {NOW_MS}", True),
        (f"PEXPIREAT b {NOW_MS + 10001}", False),
        ("EXPIRE b 0 NX", True),
        ("EXPIRE b 0 XX", False),
        ("EXPIRE b 0 GT", False),
        ("EXPIRE b 0 LT", True),
        ("EXPIRE b -9223372036854775808", False),  # no time: refused
        ("EXPIRE b x", False),
        ("EXPIRE none 0", False),
    ],
)
def test_a_time_that_has_passed_deletes_the_key(three: Embedded, line: str, gone: bool) -> None:
    name = line.partition(" ")[0]
    said = f"{name} deletes b (5 entries) at once: the time has passed"
    assert asked(three, line) == (said if gone else None)


@pytest.mark.parametrize(
    ("line", "time"), [("PEXPIRE b 5", "5 ms"), (f"PEXPIREAT b {NOW_MS + 999}", "999 ms"), ("EXPIRE b 10", "10.0s")]
)
def test_a_time_that_nobody_can_take_back_is_asked_about_too(three: Embedded, line: str, time: str) -> None:
    assert asked(three, line) == f"{line.partition(' ')[0]} deletes b (5 entries) in {time}"


def test_the_conditions_of_expire_are_looked_at(three: Embedded) -> None:
    run(three, f"EXPIRE b {DAY}")
    assert asked(three, "EXPIRE b 0 NX") is None
    assert asked(three, "EXPIRE b 0 XX") == "EXPIRE deletes b (5 entries) at once: the time has passed"


def test_flushing_names_what_is_lost_and_where(three: Embedded) -> None:
    run(three, "SELECT 3")
    assert asked(three, "FLUSHDB") is None
    assert asked(three, "FLUSHALL") == "FLUSHALL deletes all 4 keys of 1 database"
    fill(three, "c", 2)
    assert asked(three, "FLUSHDB") == "FLUSHDB deletes the only key of database 3 (2 entries)"
    assert asked(three, "FLUSHALL") == "FLUSHALL deletes all 5 keys of 2 databases (2 entries in database 3 alone)"
    call = parse([b"FLUSHDB"])
    assert stakes(call, three.browse, NOW_MS) == "FLUSHDB deletes the only key of this database (2 entries)"
    run(three, "SELECT 0", "FLUSHALL")
    assert asked(three, "FLUSHALL") is None


def test_no_more_than_so_many_streams_are_counted(backend: Embedded) -> None:
    run(backend, "MULTI", *[f"XADD s{number} 1-1 f v" for number in range(2_100)], "EXEC")
    said = asked(backend, "FLUSHDB")
    assert said is not None
    before, more, after = said.partition(" (more than ")
    assert (before, more) == ("FLUSHDB deletes all 2,100 keys of database 0", " (more than ")
    assert 0 < int(after.removesuffix(" entries)").replace(",", "")) <= 2_000


def test_a_queued_command_is_asked_about_like_any_other(three: Embedded) -> None:
    run(three, "MULTI")
    assert asked(three, "XTRIM a MAXLEN 5") == "XTRIM removes 15 of the 20 entries of a"


# -- what cannot be seen ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XTRIM a MAXLEN 5", "XTRIM removes entries of a"),
        ("XTRIM a MINID 5", "XTRIM removes entries of a"),
        ("XADD a MAXLEN 5 * f v", "XADD may remove entries of a"),
        ("XADD a * f v", None),
        ("XGROUP DESTROY a g", "XGROUP DESTROY deletes the group g of a"),
        ("XGROUP DELCONSUMER a g ann", "XGROUP DELCONSUMER forgets the pending entries of ann"),
        ("DEL a", "DEL deletes a"),
        ("DEL a b", "DEL deletes 2 keys"),
        ("FLUSHDB", "FLUSHDB deletes all keys of database 0"),
        ("FLUSHALL", "FLUSHALL deletes all keys of all databases"),
        ("RENAME a b", "RENAME replaces b if it exists"),
        ("COPY a b REPLACE", "COPY replaces b if it exists"),
        ("COPY a b", None),
        ("SET a v", "SET replaces a, whatever it holds"),
        ("EXPIRE a 0", "EXPIRE deletes a at once: the time has passed"),
        ("EXPIRE a 100", None),
    ],
)
@pytest.mark.parametrize("answer", [Error("ERR connection lost"), None, [b"x", 1], Simple("\x1b[2J")])
def test_what_cannot_be_seen_is_asked_about_without_numbers(line: str, said: str | None, answer: Reply) -> None:
    got = stakes(parse(line.encode().split()), lambda argv: answer, NOW_MS, 0)
    if isinstance(answer, Error):
        assert got == said
    else:  # nonsense from a server is no reason to fall, nor to say more than is known
        assert got is None or got.isprintable()


def test_replies_are_read_in_both_protocols(backend: Embedded) -> None:
    fill(backend, "a", 3)
    run(backend, "XGROUP CREATE a g 0", "XREADGROUP GROUP g ann STREAMS a >")

    def as_maps(reply: Reply) -> Reply:
        if isinstance(reply, list) and reply and reply[0] in (b"name", b"length"):
            return Map(list(zip(reply[::2], reply[1::2], strict=True)))
        return [as_maps(item) for item in reply] if isinstance(reply, list) else reply

    for line in ("XGROUP DESTROY a g", "XGROUP DELCONSUMER a g ann", "XADD a MAXLEN ~ 0 * f v", "DEL a"):
        call = parse(line.encode().split())
        flat = stakes(call, backend.browse, NOW_MS)
        assert flat is not None
        assert stakes(call, lambda argv: as_maps(backend.browse(argv)), NOW_MS) == flat


ids = st.tuples(st.integers(0, 12), st.integers(0, 3))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.sets(ids.filter(any), max_size=30),
    st.sets(ids, max_size=8),
    st.sampled_from(["MAXLEN", "MINID"]),
    st.integers(0, 20),
    ids,
    st.sampled_from(["XTRIM a {}", "XADD a {} 12-9 f v", "XADD a {} 13-* f v", "XADD a {} 40 f v"]),
)
def test_the_number_said_is_the_number_removed(
    added: set[tuple[int, int]], deleted: set[tuple[int, int]], how: str, count: int, minid: tuple[int, int], line: str
) -> None:
    backend = Embedded(None)
    for ms, seq in sorted(added):
        run(backend, f"XADD a {ms}-{seq} f v")
    for ms, seq in deleted:
        run(backend, f"XDEL a {ms}-{seq}")
    line = line.format(f"{how} {count}" if how == "MAXLEN" else f"{how} {count + minid[0]}-{minid[1]}")
    said = asked(backend, line)
    length = backend.execute([b"XLEN", b"a"])
    reply = backend.execute(line.encode().split())
    left = backend.execute([b"XLEN", b"a"])
    backend.close()
    assert isinstance(length, int)
    assert isinstance(left, int)
    trims = line.startswith("XTRIM")
    removed = length - left if trims else length + 1 - left
    if said is None:
        assert removed <= (not trims), reply
        return
    said = said.replace("the only entry", "1 entries").replace("all ", "")
    assert removed == int(said.split()[2]) + said.endswith("and the one it adds")


# -- sessions that only read -------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XADD a * f v", "XADD writes, " + READ_ONLY),
        ("xadd", "XADD writes, " + READ_ONLY),
        ("XGROUP CREATE a g $", "XGROUP CREATE writes, " + READ_ONLY),
        ("XREADGROUP GROUP g c STREAMS a >", "XREADGROUP writes, " + READ_ONLY),
        ("SWAPDB 0 1", "SWAPDB writes, " + READ_ONLY),
        ("FLUSHALL", "FLUSHALL writes, " + READ_ONLY),
        ("EVAL x 0", "EVAL is not known to be a reading command, " + READ_ONLY),
        ("json.set a $ 1", "JSON.SET is not known to be a reading command, " + READ_ONLY),
        ("client kill x", "CLIENT KILL changes the server, " + READ_ONLY),
        ("MEMORY PURGE", "MEMORY PURGE is not known to be a reading command, " + READ_ONLY),
        ("DEBUG RELOAD", "DEBUG RELOAD is not known to be a reading command, " + READ_ONLY),
        ("\x1b[2J", '"\\x1b[2J" is not known to be a reading command, ' + READ_ONLY),
        ("XRANGE a - +", None),
        ("XINFO STREAM a", None),
        ("XREAD BLOCK 0 STREAMS a $", None),
        ("MULTI", None),
        ("EXEC", None),
        ("SELECT 3", None),
        ("CONFIG GET *", None),
        ("XGROUP", None),
        ("XGROUP CREAT a g $", None),
        ("XINFO FOO a", None),
        ("", None),
    ],
)
def test_a_session_that_only_reads_refuses_what_is_not_known_to_read(line: str, said: str | None) -> None:
    assert refusal(parse(line.encode().split())) == said
