"""An error is followed by one line on what to do about it: the right one, and safe to look at whatever was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli import words
from streamcli.backend import Server
from streamcli.backend.embedded import Embedded
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.parse import parse
from streamcli.reply import NIL_ARRAY, Error, Map, Reply, Simple
from streamcli.shell.advice import advise, suffix
from streamcli.shell.line import read
from tests.conformance.generators import KINDS

LINE_MAX = 160
XREAD = COMMANDS["XREAD"].usage()
XREADGROUP = "XREADGROUP GROUP group consumer [...] STREAMS key [key ...] id [id ...]"  # without its options
XADD = "XADD key [...] <* | id> field value [field value ...]"
XTRIM = COMMANDS["XTRIM"].usage()
XRANGE = COMMANDS["XRANGE"].usage()


@pytest.fixture
def backend() -> Iterator[Embedded]:
    """Streams `a` (5-1, 5-2; groups `workers` and `g`) and `orders` (1-1); a string `s`; a stream `e`, empty."""
    backend = Embedded(None)
    for line in (
        "XADD a 5-1 f v", "XADD a 5-2 f v", "XADD orders 1-1 f v", "SET s text", "XGROUP CREATE a workers 0",
        "XGROUP CREATE a g 0", "XADD e 7-1 f v", "XDEL e 7-1",
    ):  # fmt: skip
        assert not isinstance(backend.execute(line.encode().split()), Error)
    yield backend
    backend.close()


def advice(backend: Embedded, text: str) -> str | None:
    """Run the last of some lines, which goes wrong."""
    *before, last = text.split(" ; ")
    for line in before:
        backend.execute(words.argv(line.encode()))
    argv = words.argv(last.encode("utf-8", "surrogateescape"))
    error = backend.execute(argv)
    assert isinstance(error, Error), error
    return advise(parse(argv), error, backend.browse)


# -- what the data says --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "XGROUP CREATE a g $",
            "the group exists already: use it, move it with XGROUP SETID, or look with XINFO GROUPS a",
        ),
        ("XREADGROUP GROUP wrokers c STREAMS a >", "a has no group wrokers; did you mean workers?"),
        (
            "XREADGROUP GROUP x c STREAMS a >",
            "a has the groups g and workers; make this one with XGROUP CREATE a x $",
        ),
        (
            "XPENDING orders x",
            "orders has no groups: make it with XGROUP CREATE orders x $, or with 0 for what is there already",
        ),
        ("XREADGROUP GROUP g c STREAMS a none > >", "there is no key none: XGROUP CREATE none g $ MKSTREAM makes both"),
        ("XCLAIM oders g c 0 1-1", "there is no key oders; did you mean orders?"),
        ("XGROUP DELCONSUMER a x c", "a has the groups g and workers; make this one with XGROUP CREATE a x $"),
        ("XADD s * f v", "s is a string: GET and STRLEN read it"),
        ("GET a", "a is a stream: XLEN, XRANGE and XREVRANGE read it"),
        ("XREAD STREAMS a s 0 0", "s is a string: GET and STRLEN read it"),
        ("XADD a 5-2 f v", "the last ID of a is 5-2: give a greater one, or * to have one made"),
        ("XADD a 3-* f v", "the last ID of a is 5-2: give a greater one, or * to have one made"),
        ("XADD e 7-1 f v", "the last ID of e is 7-1: give a greater one, or * to have one made"),
        ("XADD a 0-0 f v", "the lowest ID is 0-1; * has one made"),
        (
            "XADD n 18446744073709551615-18446744073709551615 f v ; XADD n * f v",
            "n has the greatest ID there is, and takes no more entries: go on in another stream",
        ),
        ("XSETID a 5-1", "the newest entry of a is 5-2: give that ID or a greater one"),
        ("XSETID e 6-1", "e has had the ID 7-1, now deleted: give that ID or a greater one"),
        ("XSETID a 9-9 ENTRIESADDED 1", "it counts all entries ever added, and a has 2 now"),
        ("XINFO STREAM order", "there is no key order; did you mean orders?"),
        ("XINFO STREAM none", "there is no key none: XADD makes one, SCAN 0 lists what there is"),
        ("RENAME none other", "there is no key none: XADD makes one, SCAN 0 lists what there is"),
        ("SELECT 5 ; XINFO GROUPS a", "this database is empty; SELECT goes to another one"),
        ("XGROUP CREATE none g $", "there is no key none: XGROUP CREATE none g $ MKSTREAM makes it too"),
        ("XGROUP DESTROY oders g", "there is no key oders; did you mean orders?"),
    ],
)
def test_the_data_is_asked_where_it_knows_the_answer(backend: Embedded, line: str, said: str) -> None:
    assert advice(backend, line) == said


def test_of_many_groups_only_some_are_named(backend: Embedded) -> None:
    for number in range(20):
        backend.execute(f"XGROUP CREATE orders {number} 0".encode().split())
    said = "orders has the groups 0, 1 and 18 more; make this one with XGROUP CREATE orders nobody $"
    assert advice(backend, "XPENDING orders nobody") == said


def test_a_line_that_is_proposed_is_a_right_one(backend: Embedded) -> None:
    for line in ("XPENDING orders x", "XPENDING none x", "XGROUP CREATE none g $", "XPENDING none 'a b'"):
        said = advice(backend, line)
        assert said is not None
        proposed = re.search(r"XGROUP CREATE.*\$( [A-Z]+)?", said)
        assert proposed is not None
        assert parse(words.argv(proposed.group().encode())).problems == []


def test_a_server_s_other_types_are_named_too() -> None:
    call = parse(b"XLEN k".split())
    wrong = Error("WRONGTYPE Operation against a key holding the wrong kind of value")
    for holds, said in (
        ("zset", "k is a sorted set: ZRANGE reads it"),
        ("hash", "k is a hash: HGETALL reads it"),
        ("ReJSON-RL", "k is a ReJSON-RL"),
        ("none", None),
    ):
        answer = Simple(holds)
        assert advise(call, wrong, lambda argv, answer=answer: answer) == said  # type: ignore[misc]


# -- words that are missing, too many, or not what stands there ---------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XLEN", "key is missing: XLEN key"),
        ("XLEN a b", "b is one word too many: XLEN key"),
        ("TIME x", "TIME takes no more words"),
        ("XACK a g", "id is missing: XACK key group id [id ...]"),
        ("XADD a", f"id is missing: {XADD}"),
        ("XADD a * f", f"the value of f is missing: {XADD}"),
        ("XADD a MAXLEN 5", f"id is missing: {XADD}"),
        ("XADD a x f", f"x stands where id belongs: {XADD}"),
        ("XTRIM a", f"MAXLEN or MINID is missing: {XTRIM}"),
        ("XTRIM a 100", f"100 stands where MAXLEN or MINID belongs: {XTRIM}"),
        ("XTRIM a MAXLEM 100", "MAXLEM is no word of XTRIM; did you mean MAXLEN?"),
        ("XREAD a", f"a stands where STREAMS belongs: {XREAD}"),
        ("XREAD STREAM a 0", "STREAM is no word of XREAD; did you mean STREAMS?"),
        ("XREAD COUNT 2", f"STREAMS is missing: {XREAD}"),
        ("XREAD COUNT 2 a 0", f"a stands where STREAMS belongs: {XREAD}"),
        ("XREAD COUNT 2 STREAMS", "STREAMS is incomplete: STREAMS key [key ...] id [id ...]"),
        ("XREADGROUP g c STREAMS a >", f"g stands where GROUP belongs: {XREADGROUP}"),
        ("XREADGROUP COUNT 1 STREAMS a b > >", f"GROUP group consumer is missing: {XREADGROUP}"),
        ("XREAD GROUP g c STREAMS a >", f"XREADGROUP takes it: {XREADGROUP}"),
        ("XRANGE a - + LIMIT 5", f"LIMIT is no option of XRANGE: {XRANGE}"),
        ("XRANGE a - + CUONT 5", "CUONT is no word of XRANGE; did you mean COUNT?"),
        ("XRANGE a - + COUNT", "COUNT is incomplete: COUNT count"),
        ("XGROUP CREATE a n $ MKSTREM", "MKSTREM is no word of XGROUP CREATE; did you mean MKSTREAM?"),
        (
            "XPENDING a g - +",
            "count is missing: XPENDING key group [[IDLE min-idle-time] start end count [consumer]]",
        ),
        ("XCLAIM a g c 0 1-1 JUSTIDS", "JUSTIDS is no word of XCLAIM; did you mean JUSTID?"),
        ("SET s v NX XX", "NX and XX exclude each other: keep one"),
        ("SET s v EX 5 KEEPTTL", "EX and KEEPTTL exclude each other: keep one"),
        ("SCAN 0 COUNT 0", "COUNT does not take 0"),
        ("EXPIRE a 5 ZZ", "ZZ is no option of EXPIRE: EXPIRE key seconds [NX | XX | GT | LT]"),
        ("HELLO 3 SETNAM me", "SETNAM is no word of HELLO; did you mean SETNAME?"),
        ("AUTH a b c", "it is written so: AUTH [username] password"),
        ("XGROUP", "XGROUP goes on with CREATE, SETID, DESTROY, CREATECONSUMER, DELCONSUMER or HELP"),
        ("XINFO FOO a", "XINFO goes on with STREAM, GROUPS, CONSUMERS or HELP"),
        ("XGROUP CRAETE a g $", "did you mean XGROUP CREATE?"),
        ("XADDD a * f v", "did you mean XADD?"),
        ("SUBSCRIBE news", "not in the embedded engine; connect to a server that has it"),
        ("wibble", "no command of Redis; see COMMAND LIST"),
        ("tail a", "it is a tool: .tail at the prompt, streamcli tail in your shell"),
        ("steams", "did you mean the tool streams (.streams at the prompt)?"),
        ('"XADD a * f v"', '"XADD a * f v" is one word: leave out the quotes around it'),
    ],
)
def test_a_wrong_word_is_named_with_what_belongs_there(backend: Embedded, line: str, said: str) -> None:
    assert advice(backend, line) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XADD a MAXLEN 5 MINID 1 * f v", "MAXLEN and MINID exclude each other: keep one"),
        ("XTRIM a MAXLEN 5 KEEPREF ACKED", "KEEPREF and ACKED exclude each other: keep one"),
        ("XADD a IDMP p i IDMPAUTO q * f v", "IDMP and IDMPAUTO exclude each other: keep one"),
        ("XADD a IDMP p i 5-1 f v", "write * in place of 5-1: the stream makes the ID of what it adds once"),
        ("XDELEX a IDS 3 1-1 1-2", "say how many IDs follow: IDS 2 1-1 1-2"),
        ("XDELEX a IDS 1-1 1-2", "say how many IDs follow: IDS 2 1-1 1-2"),
        ("XNACK a g FAIL IDS 9 1-1 1-2 1-3 1-4", "say how many IDs follow: IDS 4 1-1 1-2 1-3 ..."),
        (
            "XNACK a g IDS 1 1-1 FAIL",
            "IDS stands where SILENT, FAIL or FATAL belongs: "
            "XNACK key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
        ),
        ("XREADGROUP GROUP g c CLAIM -1 STREAMS a >", "CLAIM 0 takes over whatever is pending"),
        ("XREADGROUP GROUP g c CLAIM 5s STREAMS a >", "5s is written 5000 here, in milliseconds"),
        (
            "XREAD COUNT 5 MAXCOUNT 2 STREAMS a 0",
            "COUNT is for each stream, MAXCOUNT for all of them: MAXCOUNT 5 or more",
        ),
        ("XREAD MAXSIZE 0 STREAMS a 0", "leave MAXSIZE out for no limit"),
        ("XCFGSET a", "say what to set: XCFGSET key [IDMP-DURATION idmp-duration] [IDMP-MAXSIZE idmp-maxsize]"),
        ("XCFGSET a IDMP-DURATION 5 IDMP-DURATION 6", "IDMP-DURATION may be given only once"),
        ("XCFGSET a DURATION 5", "DURATION is no word of XCFGSET; did you mean IDMP-DURATION?"),
        ("XTRIM a MAXLEN 5 MAXLEN 6", "MAXLEN may be given only once"),
        (
            "XADD a LIMIT 5 * f v",
            "only an approximate trim has a limit: add MAXLEN ~ threshold or MINID ~ threshold",
        ),
        ("XTRIM a MAXLEN 100 LIMIT 5", "only an approximate trim has a limit: MAXLEN ~ 100"),
        (
            "XTRIM a LIMIT 0",
            "say what to keep: MAXLEN [= | ~] threshold or MINID [= | ~] threshold",
        ),
        ("XTRIM a MAXLEN -1", "MAXLEN 0 removes every entry"),
        ("XTRIM a MAXLEN ~ 5 LIMIT -1", "LIMIT 0 sets no limit"),
        ("XREAD BLOCK -1 STREAMS a $", "BLOCK 0 waits for ever"),
        ("XREAD BLOCK 5s STREAMS a $", "5s is written 5000 here, in milliseconds"),
        ("EXPIRE a 5m", "5m is written 300 here, in seconds"),
        ("XREAD COUNT ten STREAMS a 0", "COUNT takes a whole number, not ten"),
        ("XREAD COUNT 010 STREAMS a 0", "010 is written 10 here"),
        ("XTRIM a MAXLEN 1,000", "1,000 is written 1000 here"),
        ("XTRIM a MAXLEN 5-1", "MAXLEN takes a whole number, not 5-1; MINID takes an ID"),
        ("XTRIM a MAXLEN 99999999999999999999", "99999999999999999999 is too large a number"),
        (f"XTRIM a MAXLEN {'9' * 99}", f"{'9' * 37}... is too large a number"),
        ("XTRIM a MAXLEN 0099_999_999_999_999_999_999", "0099_999_999_999_999_999_999 is too large a number"),
        ("XREAD BLOCK STREAMS a $ b", "BLOCK takes a whole number, not STREAMS"),
        (
            "XAUTOCLAIM a g c x 0",
            "min-idle-time must be a whole number, not x: "
            "XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]",
        ),
        ("XAUTOCLAIM a g c 0 0 COUNT 0", "it must be a whole number from 1 on"),
        ("XCLAIM a g c 0 5-1 IDLE x", "IDLE takes a whole number, not x"),
        ("CLIENT LIST ID x", "ID takes a whole number, not x"),
        ("SELECT 99", "databases count from 0; CONFIG GET databases says how many there are"),
        ("SCAN x", "begin at 0, and go on with the number that the last reply began with"),
        ("SET s v EX 0", "a time to live starts at 1 and, in milliseconds, fits into 64 bits"),
        ("EXPIRE a 9223372036854775807", "as milliseconds since 1970 the time must fit into 64 bits"),
        ("COPY a a", "name another key, or another database"),
        ("HELLO 4", "2 and 3 are the protocols there are"),
        ("CONFIG SET wibble 1", "CONFIG GET * lists the settings"),
        ("AUTH secret", "no password is asked for here: go on without"),
        ("AUTH ann secret", "no such user, or another password: AUTH [username] password"),
    ],
)
def test_numbers_and_options_that_clash_are_put_right(backend: Embedded, line: str, said: str) -> None:
    assert advice(backend, line) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XADD a x f v", "x is no ID here: write <ms>-<seq>, <ms>, <ms>-* or *"),
        ("XADD a MAXLE 10 * f v", "MAXLE is no ID; did you mean MAXLEN?"),
        ("XRANGE a 10 minutes ago +", 'a time becomes an ID by Tab: press it behind "10 minutes ago"'),
        ("XRANGE a 2026-11-20 10:00 +", 'a time becomes an ID by Tab: press it behind "2026-11-20 10:00"'),
        ("XRANGE a yesterday +", "a time becomes an ID by Tab: press it behind yesterday"),
        ("XRANGE a x +", "x is no ID here: write <ms>-<seq>, <ms>, (<ms>-<seq>, - or +"),
        ("XREVRANGE a + y", "y is no ID here: write <ms>-<seq>, <ms>, (<ms>-<seq>, - or +"),
        ("XDEL a 1-1 $", "$ is no ID here: write <ms>-<seq> or <ms>"),
        ("XGROUP CREATE a n >", "> is no ID here: write <ms>-<seq>, <ms> or $"),
        ("XREAD STREAMS a -", "- is no ID here: write <ms>-<seq>, <ms>, + or $"),
        ("XREAD STREAMS a b c 0", "c stands where the ID of a belongs: <ms>-<seq>, <ms>, + or $"),
        ("XREAD STREAMS a 0 COUNT 1", "COUNT goes before STREAMS"),
        ("XDEL a 99999999999999999999", "the numbers of an ID end at 18446744073709551615"),
        ("XRANGE a - (0-0", "no ID lies beyond (0-0: leave out the ("),
        ("XREAD STREAMS a >", "$ waits for what is added next, 0 begins at the first entry; > belongs to XREADGROUP"),
        (
            "XREADGROUP GROUP g c STREAMS a $",
            "> is what no consumer of the group was given yet, 0 all that this consumer has pending",
        ),
    ],
)
def test_an_id_is_answered_with_the_forms_that_its_place_takes(backend: Embedded, line: str, said: str) -> None:
    assert advice(backend, line) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("MULTI ; MULTI", "a transaction is open already: EXEC runs it, DISCARD forgets it"),
        ("EXEC", "MULTI begins a transaction, EXEC runs what was queued since"),
        ("DISCARD", "no transaction is open: there is nothing to forget"),
        ("MULTI ; WATCH a", "WATCH goes before MULTI; DISCARD leaves this transaction"),
        ("MULTI ; XADD ; EXEC", "nothing of it was run: begin again with MULTI, and leave out what was refused"),
        ("MULTI ; EXEC x", "nothing of it was run: begin again with MULTI, and leave out what was refused"),
    ],
)
def test_transactions_say_where_they_stand(backend: Embedded, line: str, said: str) -> None:
    assert advice(backend, line) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NOAUTH Authentication required.", "say first who you are: AUTH [username] password"),
        ("READONLY You can't write", "this is a replica: writes go to its master, which INFO replication names"),
        ("LOADING Redis is loading", "the server is still reading its data: try again in a moment"),
        ("MOVED 3999 127.0.0.1:6381", "the key is on another node of the cluster: connect to 127.0.0.1:6381"),
        ("MOVED 3999 \x1b[2J", 'the key is on another node of the cluster: connect to "\\x1b[2J"'),
        ("MOVED", None),
        ("CROSSSLOT x", "the keys are on different nodes: keys with one {tag} in their names stay together"),
        (
            "NOGROUP the consumer group this client was blocked on no longer exists",
            "a has no group worker; did you mean workers?",
        ),
        ("ERR Unbalanced XREAD list of streams", "STREAMS a^ b^ >^: each key needs an ID"),
        ("ERR something new", None),
        ("WAT", None),
        ("", None),
    ],
)
def test_what_only_a_server_says_is_known_by_how_it_begins(backend: Embedded, text: str, said: str | None) -> None:
    call = parse(b"XREADGROUP GROUP worker c STREAMS a b >".split())
    assert advise(call, Error(text), backend.browse) == said


@pytest.mark.parametrize(
    "line",
    ["EXPIRE a 5 NX XX", "CLIENT SETNAME 'a b'", "OBJECT FREQ a", "SCAN 0 NOVALUES", "CONFIG SET databases 5"],
)
def test_an_error_that_says_it_all_gets_no_advice(backend: Embedded, line: str) -> None:
    assert advice(backend, line) is None


# -- a line that is pointed into -----------------------------------------------------------


def pointed(backend: Embedded, text: str, indent: int) -> str | None:
    line = read(text)
    error = backend.execute(line.argv)
    assert isinstance(error, Error)
    return advise(parse(line.argv), error, backend.browse, line, indent)


def test_the_words_after_streams_are_pointed_at(backend: Embedded) -> None:
    prompt = "memory> "
    line = "XREAD COUNT 2 STREAMS a b 0"
    want = "                              ^ ^ ^  3 words after STREAMS: each key needs an ID"
    assert pointed(backend, line, len(prompt)) == want
    assert [(prompt + line)[at] for at in (30, 32, 34)] == ["a", "b", "0"]


def test_columns_are_counted_and_not_characters(backend: Embedded) -> None:
    text = "XREAD STREAMS  注文 'b c'  0 | head"
    want = "               ^    ^      ^  3 words after STREAMS: each key needs an ID"
    assert pointed(backend, text, 0) == want


def test_one_word_is_one_word(backend: Embedded) -> None:
    want = "                      ^  1 word after STREAMS: each key needs an ID"
    assert pointed(backend, "xread count 1 streams a", 0) == want


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("XREAD STREAMS \\\n a b 0", "STREAMS a^ b^ 0^: each key needs an ID"),
        ("XREAD STREAMS a\tb 0", "STREAMS a^ b^ 0^: each key needs an ID"),
        ("XREAD " + "COUNT 1 " * 12 + "STREAMS a b 0", "STREAMS a^ b^ 0^: each key needs an ID"),
        ("XREAD STREAMS " + "key " * 41, "41 words after STREAMS: each key needs an ID"),
        ("XREAD STREAMS a '\x1b[2J' b", 'STREAMS a^ "\\x1b[2J"^ b^: each key needs an ID'),
    ],
)
def test_a_line_that_is_no_short_row_is_marked_inline(backend: Embedded, text: str, said: str) -> None:
    assert pointed(backend, text, 2) == said


def test_another_line_than_the_one_that_was_sent_is_not_pointed_into(backend: Embedded) -> None:
    argv = b"XREAD STREAMS a b 0".split()
    error = backend.execute(argv)
    assert isinstance(error, Error)
    said = advise(parse(argv), error, backend.browse, read("XREAD STREAMS a b c"))
    assert said == "STREAMS a^ b^ 0^: each key needs an ID"


# -- one-shots -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([b"XADDD", b"a"], " (did you mean XADD?)"),
        ([b"xgroup", b"craete", b"a"], " (did you mean CREATE?)"),
        ([b"XGROUP", b"FOO"], ""),
        ([b"SUBSCRIBE", b"x"], " (not in the embedded engine)"),
        ([b"wibble"], " (no command of Redis; see COMMAND LIST)"),
        ([b""], " (no command of Redis; see COMMAND LIST)"),
        ([b"XADD a * f v"], " (that is one word; a whole line goes after -e)"),
        ([b"XADD", b"a"], ""),
        ([b"XLEN", b"a"], ""),
        ([], ""),
    ],
)
def test_a_one_shot_says_behind_the_error_what_to_do_about_an_unknown_command(argv: list[bytes], said: str) -> None:
    assert suffix(parse(argv)) == said


# -- whatever is typed or answered -------------------------------------------------------------


def assert_safe(said: str | None) -> None:
    if said is not None:
        assert said.isprintable(), said
        assert 0 < len(said) <= LINE_MAX, said


@pytest.mark.parametrize("seed", range(4))
def test_random_wrong_lines_get_one_printable_line_or_none(seed: int) -> None:
    backend = Embedded(None)
    wrong = advised = 0
    for unit in KINDS["errors"](seed, 250):
        for argv in unit:
            reply = backend.execute(argv)
            for error in reply if isinstance(reply, list) else [reply]:
                if isinstance(error, Error):
                    said = advise(parse(argv), error, backend.browse)
                    assert_safe(said)
                    wrong += 1
                    advised += said is not None
    backend.close()
    assert advised > wrong * 0.8 > 50


replies: st.SearchStrategy[Reply] = st.recursive(
    st.one_of(
        st.none(), st.integers(), st.binary(max_size=6), st.just(NIL_ARRAY), st.booleans(), st.floats(),
        st.text(max_size=6).map(Simple), st.sampled_from(["ERR x", "ERR no such key", ""]).map(Error),
        st.sampled_from([b"name", b"last-generated-id", b"length", b"0", b"last-entry", b"\x1b[2J"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(inner, inner), max_size=3).map(Map),
    max_leaves=8,
)  # fmt: skip
hostile = st.sampled_from([b"\x1b[2J", b"\n", b"", b"\xff", "\u202e".encode(), b"k" * 500, b"\0", "注".encode()])
lines = st.sampled_from(sorted(COMMANDS)).flatmap(
    lambda name: st.lists(
        st.one_of(hostile, st.binary(max_size=3), st.sampled_from([b"a", b"0", b"STREAMS", b"COUNT", b"GROUP", b">"])),
        max_size=7,
    ).map(lambda rest: [*name.encode().split(), *rest])
)
texts = st.sampled_from(
    [
        "NOGROUP x", "BUSYGROUP x", "WRONGTYPE x", "ERR no such key", "ERR syntax error", "MOVED 1 \x1b[2J", "ERR \n",
        "ERR The ID specified in XADD is equal or smaller than the target stream top item", "ERR unknown command 'x'",
        "ERR wrong number of arguments for 'x' command", "ERR Unbalanced x", "ERR unknown subcommand 'x'",
        "ERR Invalid stream ID specified as stream command argument", "ERR value is not an integer or out of range",
        "ERR syntax error, LIMIT cannot be used without the special ~ option", "ERR timeout is negative",
    ]
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=600)
@given(lines, st.none() | texts, replies)
def test_no_line_and_no_answer_makes_it_fall(argv: list[bytes], text: str | None, answer: Reply) -> None:
    call = parse(argv)
    errors = [problem.error for problem in call.problems] if text is None else [Error(text)]
    for error in errors:
        assert_safe(advise(call, error, lambda argv: answer))


def test_few_and_small_questions_are_asked(backend: Embedded) -> None:
    asked: list[str] = []

    def browse(argv: Sequence[bytes]) -> Reply:
        command = parse(argv).command
        assert command is not None
        assert "readonly" in command.flags
        asked.append(command.name)
        return backend.browse(argv)

    for line, most in (
        ("XPENDING none g", 2),
        ("GET a", 1),
        ("XADD a 1-1 f v", 1),
        ("XINFO STREAM none", 1),
        ("FOO", 0),
    ):
        asked.clear()
        error = backend.execute(line.encode().split())
        assert isinstance(error, Error)
        advise(parse(line.encode().split()), error, browse)
        assert len(asked) == most


def test_in_a_cluster_only_a_transaction_is_not_sent_on(backend: Embedded) -> None:
    moved, there = Error("MOVED 3300 127.0.0.1:7851"), Server("redis", "8.0.6", "cluster")
    said = advise(parse((b"XLEN", b"b")), moved, backend.browse, server=there)
    assert said == "all keys of a transaction must be in one slot; names with the same {tag} are: help cluster"
