"""The parser: a role for every word, every problem in Redis's order, and what may come next."""

from __future__ import annotations

from typing import Any

import pytest

from streamcli import errors
from streamcli.grammar import parse as parse_module
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.parse import Call, parse
from streamcli.grammar.spec import Arg, Command, Halves, Option
from streamcli.grammar.types import AUTO_ID, LAST, NEW, TOP, NewID
from streamcli.ids import MAX_ID, MIN_ID, StreamID
from streamcli.reply import Error
from streamcli.words import argv


def read(line: str) -> Call:
    return parse(argv(line.encode()))


def draft(line: str) -> Call:
    return parse(argv(line.encode()), draft=True)


def roles(call: Call) -> list[str]:
    """`kind:name` a word; `?` for a word that nothing is known of."""
    return [f"{role.kind}:{role.name}" if role else "?" for role in call.roles]


def kinds(line: str) -> str:
    return " ".join(role.kind if role else "?" for role in read(line).roles)


def names(what: list[Arg | Option | Halves | Command]) -> str:
    return " ".join(one.name.replace(" ", "_") if isinstance(one, Arg | Command) else one.token for one in what)


def expected(line: str) -> str:
    return names(draft(line).expected)


def problems(line: str) -> list[tuple[int, Error]]:
    return [(problem.at, problem.error) for problem in read(line).problems]


# -- roles --------------------------------------------------------------------------------


def test_every_word_has_its_role() -> None:
    assert roles(read("XADD s NOMKSTREAM MAXLEN ~ 10 LIMIT 5 1-1 f v")) == [
        "command:XADD", "key:key", "token:NOMKSTREAM", "token:MAXLEN", "mark:MAXLEN", "count:threshold",
        "token:LIMIT", "count:count", "id:id", "field:field", "value:value",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "kinds_of_words"),
    [
        ("XLEN s", "command key"),
        ("xlen s", "command key"),
        ("XADD s * f v g w", "command key id field value field value"),
        ("XADD s * MAXLEN 1", "command key id field value"),
        ("XADD s MINID = 5-1 * f v", "command key token mark id id field value"),
        ("XTRIM s MAXLEN ~ 1 LIMIT 5", "command key token mark count token count"),
        ("XREAD STREAMS s 0", "command token key id"),
        (
            "XREAD COUNT 1 BLOCK 0 STREAMS a b c 0 $ +",
            "command token count token milliseconds token key key key id id id",
        ),
        ("XREAD STREAMS 1 2 3 4", "command token key key id id"),
        ("XREADGROUP GROUP g c NOACK STREAMS s >", "command token group consumer token token key id"),
        ("XREADGROUP COUNT 1 GROUP g c STREAMS s 0", "command token count token group consumer token key id"),
        ("XREVRANGE s + -", "command key id id"),
        ("XPENDING s g IDLE 5 - + 10 c", "command key group token milliseconds id id count consumer"),
        ("XPENDING s g - + 10 c more", "command key group id id count consumer ?"),
        ("XCLAIM s g c 0 1-1 2 FORCE LASTID 3", "command key group consumer milliseconds id id token token id"),
        ("XGROUP CREATE s g $ MKSTREAM", "command command key group id token"),
        ("XINFO STREAM s FULL COUNT 5", "command command key token token count"),
        ("XNOPE a b", "? ? ?"),
        ("SET k v EX 5", "command key value token seconds"),
        ("HELLO 3 AUTH u p", "command protocol token string secret"),
        ("XLEN s more words", "command key ? ?"),
    ],
)
def test_the_kinds_of_a_lines_words(line: str, kinds_of_words: str) -> None:
    assert kinds(line) == kinds_of_words


def test_a_container_is_known_even_when_its_subcommand_is_not() -> None:
    assert kinds("XGROUP NOPE s") == "command ? ?"


def test_a_word_that_could_be_an_option_is_a_field_after_the_id() -> None:
    call = read("XADD s * NOMKSTREAM 1")
    assert call.args == {"key": b"s", "id": AUTO_ID, "fields": [b"NOMKSTREAM", b"1"]}


def test_a_mark_needs_a_word_after_it() -> None:
    assert read("XADD s MAXLEN ~ 5 * f v").args["maxlen_mark"] == "~"
    assert problems("XTRIM s MAXLEN ~") == [(3, errors.NOT_AN_INTEGER)]


# -- arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "args"),
    [
        ("XADD s * f v", {"key": b"s", "id": AUTO_ID, "fields": [b"f", b"v"]}),
        ("XADD s 5-* f v", {"key": b"s", "id": NewID(5, None), "fields": [b"f", b"v"]}),
        ("XADD s 5 f v", {"key": b"s", "id": NewID(5, 0), "fields": [b"f", b"v"]}),
        (
            "XADD s nomkstream minid ~ 5 limit 0 7-1 f v",
            {"key": b"s", "nomkstream": True, "minid": StreamID(5, 0), "minid_mark": "~", "limit": 0,
             "id": NewID(7, 1), "fields": [b"f", b"v"]},
        ),
        ("XTRIM s MAXLEN 5", {"key": b"s", "maxlen": 5}),
        ("XTRIM s MAXLEN = 5", {"key": b"s", "maxlen": 5, "maxlen_mark": "="}),
        ("XRANGE s 5 5", {"key": b"s", "start": StreamID(5, 0), "end": StreamID(5, 2**64 - 1)}),
        ("XRANGE s (5 (5", {"key": b"s", "start": StreamID(5, 1), "end": StreamID(5, 2**64 - 2)}),
        ("XREVRANGE s + - COUNT 3", {"key": b"s", "start": MIN_ID, "end": MAX_ID, "count": 3}),
        ("XRANGE s - + COUNT 1 COUNT 2", {"key": b"s", "start": MIN_ID, "end": MAX_ID, "count": 2}),
        ("XREAD STREAMS a b $ +", {"key": [b"a", b"b"], "id": [LAST, TOP]}),
        (
            "XREADGROUP NOACK GROUP g c STREAMS a b > 5",
            {"noack": True, "group": b"g", "consumer": b"c", "key": [b"a", b"b"], "id": [NEW, StreamID(5, 0)]},
        ),
        ("XPENDING s g", {"key": b"s", "group": b"g"}),
        (
            "XPENDING s g IDLE 9 - + 10",
            {"key": b"s", "group": b"g", "idle": 9, "start": MIN_ID, "end": MAX_ID, "count": 10},
        ),
        (
            "XCLAIM s g c 0 1-1 2-2 IDLE 5 TIME 6 RETRYCOUNT 7 FORCE JUSTID LASTID 9-9",
            {"key": b"s", "group": b"g", "consumer": b"c", "min_idle_time": 0, "id": [StreamID(1, 1), StreamID(2, 2)],
             "time": 6, "retrycount": 7, "force": True, "justid": True, "lastid": StreamID(9, 9)},
        ),
        (
            "XAUTOCLAIM s g c 0 - COUNT 5 JUSTID",
            {"key": b"s", "group": b"g", "consumer": b"c", "min_idle_time": 0, "start": MIN_ID, "count": 5,
             "justid": True},
        ),
        ("XGROUP CREATE s g $ MKSTREAM ENTRIESREAD -1",
         {"key": b"s", "group": b"g", "id": LAST, "mkstream": True, "entriesread": -1}),
        ("XGROUP SETID s g -", {"key": b"s", "group": b"g", "id": MIN_ID}),
        ("XINFO STREAM s FULL COUNT 0", {"key": b"s", "full": True, "count": 0}),
        ("XSETID s 5-5 ENTRIESADDED 3 MAXDELETEDID 1-1",
         {"key": b"s", "last_id": StreamID(5, 5), "entriesadded": 3, "maxdeletedid": StreamID(1, 1)}),
    ],
)  # fmt: skip
def test_what_a_handler_is_given(line: str, args: dict[str, Any]) -> None:
    call = read(line)
    assert call.problems == []
    assert call.args == args


# -- problems -------------------------------------------------------------------------------

ARITY = errors.arity


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("XADD", ARITY("XADD")),
        ("XADD s * f", ARITY("XADD")),
        ("XADD s * f v g", ARITY("XADD")),
        ("XADD s 0-0 f v", errors.ID_ZERO),
        ("XADD s 0 f v", errors.ID_ZERO),
        ("XADD s - f v", errors.INVALID_ID),
        ("XADD s NOPE * f v", errors.INVALID_ID),
        ("XADD s MAXLEN x * f v", errors.NOT_AN_INTEGER),
        ("XADD s MAXLEN 010 * f v", errors.NOT_AN_INTEGER),
        ("XADD s MAXLEN -1 * f v", errors.MAXLEN_NEGATIVE),
        ("XADD s MAXLEN 5 MINID 5 * f v", errors.ONE_STRATEGY),
        ("XADD s MAXLEN 5 MAXLEN 5 * f v", errors.ONE_STRATEGY),
        ("XADD s MINID ~ x * f v", errors.INVALID_ID),
        ("XADD s LIMIT 5 * f v", errors.LIMIT_NEEDS_STRATEGY),
        ("XADD s MAXLEN 5 LIMIT 5 * f v", errors.LIMIT_NEEDS_APPROX),
        ("XADD s MAXLEN = 5 LIMIT 0 * f v", errors.LIMIT_NEEDS_APPROX),
        ("XADD s MAXLEN ~ 5 LIMIT -1 * f v", errors.LIMIT_NEGATIVE),
        ("XADD s MAXLEN ~ 1-1 f v", errors.NOT_AN_INTEGER),
        ("XTRIM s LIMIT 0", errors.NO_STRATEGY),
        ("XTRIM s LIMIT 5", errors.LIMIT_NEEDS_STRATEGY),
        ("XTRIM s MAXLEN 5 NOPE", errors.SYNTAX),
        ("XTRIM s MAXLEN 5 LIMIT", errors.SYNTAX),
        ("XRANGE s - + COUNT", errors.SYNTAX),
        ("XRANGE s - + COUNT x", errors.NOT_AN_INTEGER),
        ("XRANGE s - + NOPE 1", errors.SYNTAX),
        ("XRANGE s (- +", errors.INVALID_ID),
        ("XRANGE s ( +", errors.INVALID_ID),
        ("XRANGE s (18446744073709551615-18446744073709551615 +", errors.INVALID_START),
        ("XRANGE s - (0-0", errors.INVALID_END),
        ("XREVRANGE s x y", errors.INVALID_ID),
        ("XREAD COUNT 1 BLOCK 0", errors.SYNTAX),
        ("XREAD STREAMS a b 0", errors.XREAD_UNBALANCED),
        ("XREAD COUNT x STREAMS a 0", errors.NOT_AN_INTEGER),
        ("XREAD BLOCK x STREAMS a 0", errors.NOT_A_TIMEOUT),
        ("XREAD BLOCK -1 STREAMS a 0", errors.NEGATIVE_TIMEOUT),
        ("XREAD BLOCK 9223372036854775807 STREAMS a 0", errors.TIMEOUT_OUT_OF_RANGE),
        ("XREAD STREAMS a >", errors.NEW_NEEDS_GROUP),
        ("XREAD GROUP g c STREAMS a 0", errors.group_only("GROUP")),
        ("XREAD NOACK STREAMS a 0", errors.group_only("NOACK")),
        ("XREADGROUP COUNT 1 COUNT 2 STREAMS a >", errors.GROUP_MISSING),
        ("XREADGROUP GROUP g c STREAMS a b >", errors.XREADGROUP_UNBALANCED),
        ("XREADGROUP GROUP g c STREAMS a $", errors.meaningless_id("$")),
        ("XREADGROUP GROUP g c STREAMS a +", errors.meaningless_id("+")),
        ("XPENDING s g -", errors.SYNTAX),
        ("XPENDING s g - + x", errors.NOT_AN_INTEGER),
        ("XPENDING s g x y 10", errors.INVALID_ID),
        ("XPENDING s g IDLE 5 - +", errors.SYNTAX),
        ("XPENDING s g IDLE x - + 10", errors.NOT_AN_INTEGER),
        ("XPENDING s g - + 10 c 1 2 3", errors.SYNTAX),
        ("XCLAIM s g c x 1-1", errors.XCLAIM_MIN_IDLE),
        ("XCLAIM s g c 0 1-1 x 2-2", errors.bad_xclaim_option(b"x")),
        ("XCLAIM s g c 0 1-1 IDLE", errors.bad_xclaim_option(b"IDLE")),
        ("XCLAIM s g c 0 1-1 IDLE x", errors.bad_xclaim_value("IDLE")),
        ("XCLAIM s g c 0 1-1 LASTID x", errors.INVALID_ID),
        ("XAUTOCLAIM s g c x 0", errors.XAUTOCLAIM_MIN_IDLE),
        ("XAUTOCLAIM s g c 0 0 COUNT 0", errors.COUNT_NOT_POSITIVE),
        ("XAUTOCLAIM s g c 0 0 NOPE", errors.SYNTAX),
        ("XGROUP CREATE s g -", errors.INVALID_ID),
        ("XGROUP CREATE s g $ ENTRIESREAD -2", errors.ENTRIESREAD_NEGATIVE),
        ("XGROUP CREATE s g $ NOPE", errors.bad_subcommand((b"XGROUP", b"CREATE"))),
        ("XGROUP create s", ARITY("XGROUP CREATE")),
        ("XGROUP", ARITY("XGROUP")),
        ("XGROUP NOPE s", errors.unknown_subcommand((b"XGROUP", b"NOPE"))),
        ("XINFO STREAM s NOPE", errors.bad_subcommand((b"XINFO", b"STREAM"))),
        ("XSETID s 1-1 MAXDELETEDID 2-2", errors.SETID_BELOW_GIVEN_DELETED),
        ("XSETID s 1-1 ENTRIESADDED -1", errors.ENTRIES_ADDED_NEGATIVE),
        ("XDEL s 1-1 x", errors.INVALID_ID),
        ("XACK s g x", errors.INVALID_ID),
        ("XLEN", ARITY("XLEN")),
        ("XLEN s t", ARITY("XLEN")),
        ("NOPE", errors.unknown_command((b"NOPE",))),
    ],
)
def test_the_first_problem_is_redis_answer(line: str, error: Error) -> None:
    call = read(line)
    assert call.problems[0].error == error


def test_all_problems_are_kept_each_at_its_word() -> None:
    assert problems("XADD s MAXLEN x LIMIT y bad f v g") == [
        (3, errors.NOT_AN_INTEGER),
        (5, errors.NOT_AN_INTEGER),
        (6, errors.INVALID_ID),
        (7, errors.LIMIT_NEEDS_APPROX),
        (7, errors.arity("XADD")),
    ]


def test_a_missing_word_is_a_problem_behind_the_last_one() -> None:
    assert read("XLEN").problems[0].at == 1


def test_both_ends_of_a_reversed_range_are_read_start_first() -> None:
    """Redis reads the start first, although it stands last."""
    assert problems("XREVRANGE s (0-0 (18446744073709551615-18446744073709551615") == [
        (3, errors.INVALID_START),
        (2, errors.INVALID_END),
    ]


def test_the_ids_of_a_reading_command_are_looked_at_late() -> None:
    call = read("XREAD STREAMS a b x y")
    assert [(problem.at, problem.late) for problem in call.problems] == [(4, True), (5, True)]
    call.check()


def test_a_line_without_problems_has_none() -> None:
    assert problems("XREADGROUP GROUP g c COUNT 1 BLOCK 0 NOACK STREAMS a >") == []


def test_a_server_rejects_what_it_does_not_even_run() -> None:
    assert read("NOPE").rejected == errors.unknown_command((b"NOPE",))
    assert read("XLEN").rejected == errors.arity("XLEN")
    assert read("XGROUP NOPE").rejected == errors.unknown_subcommand((b"XGROUP", b"NOPE"))
    assert read("XADD s bad f v").rejected is None


def test_no_words_are_no_problem() -> None:
    call = parse([])
    assert (call.command, call.roles, call.problems, call.rejected) == (None, [], [], None)
    assert len(call.expected) == len(BY_WORD)


def test_keywords_are_compared_as_c_strings() -> None:
    assert parse([b"XRANGE", b"s", b"-", b"+", b"count\0x", b"5"]).args["count"] == 5


# -- drafts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "may_come_next"),
    [
        ("XADD", "key"),
        ("XADD s", "NOMKSTREAM KEEPREF DELREF ACKED IDMPAUTO IDMP MAXLEN MINID LIMIT id"),
        ("XADD s NOMKSTREAM", "KEEPREF DELREF ACKED IDMPAUTO IDMP MAXLEN MINID LIMIT id"),
        ("XADD s MAXLEN", "threshold"),
        ("XADD s MAXLEN ~", "threshold"),
        ("XADD s MAXLEN ~ 5", "NOMKSTREAM KEEPREF DELREF ACKED IDMPAUTO IDMP LIMIT id"),
        ("XADD s MINID ~ 5 LIMIT", "count"),
        ("XADD s MAXLEN ~ 5 LIMIT 1 NOMKSTREAM", "KEEPREF DELREF ACKED IDMPAUTO IDMP id"),
        ("XADD s ACKED", "NOMKSTREAM IDMPAUTO IDMP MAXLEN MINID LIMIT id"),
        ("XADD s IDMP", "pid"),
        ("XADD s IDMP p", "iid"),
        ("XADD s IDMP p i", "NOMKSTREAM KEEPREF DELREF ACKED MAXLEN MINID LIMIT id"),
        ("XDELEX s", "KEEPREF DELREF ACKED IDS"),
        ("XDELEX s IDS", "numids"),
        ("XDELEX s IDS 2", "id"),
        ("XDELEX s IDS 2 1-1", "id"),
        ("XDELEX s IDS 2 1-1 2-1", "KEEPREF DELREF ACKED"),
        ("XNACK s g", "SILENT FAIL FATAL"),
        ("XNACK s g FAIL", "IDS RETRYCOUNT FORCE"),
        ("XNACK s g FAIL IDS 1 1-1 FORCE", "RETRYCOUNT"),
        ("XCFGSET s IDMP-MAXSIZE 5", "IDMP-DURATION"),
        ("XIDMPRECORD s p", "iid"),
        ("XADD s *", "field"),
        ("XADD s * f", "value"),
        ("XADD s * f v", "field"),
        ("XTRIM s", "MAXLEN MINID LIMIT KEEPREF DELREF ACKED"),
        ("XTRIM s MAXLEN 5", "LIMIT KEEPREF DELREF ACKED"),
        ("XLEN", "key"),
        ("XLEN s", ""),
        ("XDEL s", "id"),
        ("XDEL s 1-1", "id"),
        ("XRANGE s", "start"),
        ("XRANGE s -", "end"),
        ("XRANGE s - +", "COUNT"),
        ("XRANGE s - + COUNT", "count"),
        ("XRANGE s - + COUNT 5", ""),
        ("XREVRANGE s", "end"),
        ("XREVRANGE s +", "start"),
        ("XREAD", "COUNT MAXCOUNT MAXSIZE BLOCK STREAMS"),
        ("XREAD COUNT", "count"),
        ("XREAD COUNT 1", "MAXCOUNT MAXSIZE BLOCK STREAMS"),
        ("XREAD COUNT 1 BLOCK", "milliseconds"),
        ("XREAD COUNT 1 BLOCK 0", "MAXCOUNT MAXSIZE STREAMS"),
        ("XREAD STREAMS", "key"),
        ("XREAD STREAMS a", "key id"),
        ("XREAD STREAMS a b", "key id"),
        ("XREAD STREAMS a b 0", "id"),
        ("XREAD STREAMS a b 0 0", ""),
        ("XREADGROUP", "GROUP COUNT MAXCOUNT MAXSIZE BLOCK CLAIM NOACK STREAMS"),
        ("XREADGROUP GROUP", "group"),
        ("XREADGROUP GROUP g", "consumer"),
        ("XREADGROUP GROUP g c", "COUNT MAXCOUNT MAXSIZE BLOCK CLAIM NOACK STREAMS"),
        ("XREADGROUP GROUP g c NOACK STREAMS a", "key id"),
        ("XREADGROUP GROUP g c STREAMS a >", ""),
        ("XACK s", "group"),
        ("XACK s g", "id"),
        ("XPENDING s g", "IDLE start"),
        ("XPENDING s g IDLE", "min-idle-time"),
        ("XPENDING s g IDLE 5", "start"),
        ("XPENDING s g -", "end"),
        ("XPENDING s g - +", "count"),
        ("XPENDING s g - + 10", "consumer"),
        ("XPENDING s g - + 10 c", ""),
        ("XCLAIM s g c", "min-idle-time"),
        ("XCLAIM s g c 0", "id"),
        ("XCLAIM s g c 0 1-1", "id IDLE TIME RETRYCOUNT FORCE JUSTID LASTID"),
        ("XCLAIM s g c 0 1-1 IDLE 5", "RETRYCOUNT FORCE JUSTID LASTID"),
        ("XAUTOCLAIM s g c 0", "start"),
        ("XAUTOCLAIM s g c 0 0 COUNT 1", "JUSTID"),
        ("XSETID s 1-1", "ENTRIESADDED MAXDELETEDID"),
        ("XGROUP CREATE s g", "id"),
        ("XGROUP CREATE s g $", "MKSTREAM ENTRIESREAD"),
        ("XGROUP CREATE s g $ MKSTREAM ENTRIESREAD", "entries-read"),
        ("XINFO STREAM s", "FULL"),
        ("XINFO STREAM s FULL", "COUNT"),
        ("XINFO STREAM s FULL COUNT", "count"),
        ("XINFO", "XINFO_STREAM XINFO_GROUPS XINFO_CONSUMERS XINFO_HELP"),
        ("SET k v NX", "GET EX PX EXAT PXAT KEEPTTL"),
        ("SET k v EX 5", "NX XX GET"),
        ("NOPE", ""),
    ],
)
def test_what_may_come_next(line: str, may_come_next: str) -> None:
    assert expected(line) == may_come_next


@pytest.mark.parametrize(
    ("words", "keys", "ids"),
    [
        ("a", 1, 0),
        ("a b", 2, 0),
        ("a b c", 3, 0),
        ("a b 0", 2, 1),
        ("a 0", 1, 1),
        ("a $", 1, 1),
        ("a b 0 0", 2, 2),
        ("a b c $", 3, 1),
        ("0", 1, 0),  # the first is a key, whatever it looks like
        ("0 0", 1, 1),
        ("a 1 0", 2, 1),  # an ID too many for one key: so "1" is a key
        ("1 2 3 4", 2, 2),
    ],
)
def test_half_typed_streams_are_split_at_the_first_word_that_looks_like_an_id(words: str, keys: int, ids: int) -> None:
    assert kinds_of_draft(f"XREAD STREAMS {words}") == " ".join(["command", "token", *["key"] * keys, *["id"] * ids])


def kinds_of_draft(line: str) -> str:
    return " ".join(role.kind if role else "?" for role in draft(line).roles)


def test_what_is_missing_at_the_end_of_a_draft_is_not_wrong() -> None:
    line = argv(b"XREADGROUP GROUP g c COUNT 1 STREAMS a b > >")
    for count in range(len(line) + 1):
        assert parse(line[:count], draft=True).problems == []


def test_what_is_wrong_in_a_draft_is_a_problem_all_the_same() -> None:
    call = draft("XADD s MAXLEN x 1-1 f")
    assert [(problem.at, problem.error) for problem in call.problems] == [(3, errors.NOT_AN_INTEGER)]


def test_only_drafts_expect_anything_of_a_known_command() -> None:
    assert read("XADD s").expected == []


def told(call: Call) -> tuple[object, ...]:
    """All that a call says of its line."""
    return call.argv, call.command, call.roles, call.args, call.problems, call.rejected, call.expected


@pytest.mark.parametrize(
    "line",
    [
        "XADD s * f v",
        "XADD s * f v g",
        "XADD s * f v g w",
        "xadd s * f v",
        "XADD NOMKSTREAM * f v",
        "XADD s NOMKSTREAM * f v",
        "XADD s MAXLEN * f v",
        "XADD s 5-* f v",
        "XADD s 5-5 * v",
        "XADD s IDMP * f v w",
        "XREADGROUP GROUP g c STREAMS s >",
        "XREADGROUP GROUP g c COUNT 10 STREAMS s t > >",
        "XREADGROUP GROUP g c COUNT 10 STREAMS s t > 5",
        "XREADGROUP GROUP g c COUNT x STREAMS s >",
        "XREADGROUP GROUP g c STREAMS s t >",
        "XREADGROUP GROUP g c STREAMS s $",
        "XREAD STREAMS s >",
    ],
)
def test_a_line_that_comes_again_is_read_as_it_was_the_first_time(line: str) -> None:
    words = argv(line.encode())
    first = parse(words)
    fields = list(first.args.get("fields", ()))
    for value in first.args.values():  # whoever is given them may do with them what he likes
        if isinstance(value, list):
            value.append(b"spoiled")
    again, other = parse(words), parse([*words[:-1], b"other"])
    assert again.args.get("fields", []) == fields
    kept, heads = parse_module._kept.copy(), parse_module._kept_heads.copy()
    parse_module._kept.clear()
    parse_module._kept_heads.clear()
    assert told(again) == told(parse(words))
    parse_module._kept.clear()
    parse_module._kept_heads.clear()
    assert told(other) == told(parse([*words[:-1], b"other"]))
    parse_module._kept.update(kept)
    parse_module._kept_heads.update(heads)


def test_what_is_kept_of_lines_is_bounded_and_holds_no_values() -> None:
    for number in range(1000):
        parse([b"XADD", b"s%d" % number, b"*", b"f", b"v" * 1000])
        parse([b"XREADGROUP", b"GROUP", b"g", b"c%d" % number, b"STREAMS", b"s", b">"])
    parse([b"XADD", b"wide", b"*", *[b"f", b"v"] * 100])
    parse([b"XADD", b"k" * 1000, b"*", b"f", b"v"])
    parse([b"XREADGROUP", b"GROUP", b"g", b"c" * 1000, b"STREAMS", b"s", b">"])
    for kept in (parse_module._kept, parse_module._kept_heads):
        assert 0 < len(kept) <= 256
        assert all(sum(map(len, call.argv)) <= 512 for call in kept.values())
        assert not any(call.args.get("fields") for call in kept.values())
