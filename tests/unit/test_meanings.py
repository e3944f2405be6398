"""What each word of a command line is said to mean."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.meanings import age_text, expectation, meaning, name
from streamcli.grammar.parse import parse
from streamcli.words import argv

PROFILE = settings(derandomize=True, deadline=None, max_examples=400)
NOW_MS: Final = 1_800_000_000_000  # 2027-01-15 08:00:00
OLD = "1526984818136"
OLD_TEXT = "2018-05-22 10:26:58.136 UTC, 8 years ago"
SECOND, MINUTE, HOUR, DAY, YEAR = 1000, 60_000, 3_600_000, 86_400_000, 31_556_952_000


def means(line: str, word: str) -> str:
    """What the last such word of the line means."""
    words = argv(line.encode())
    index = len(words) - 1 - words[::-1].index(word.encode())
    return meaning(parse(words), index, NOW_MS)


def next_of(line: str) -> list[str]:
    """What may come behind a line."""
    call = parse(argv(line.encode()), draft=True)
    return [expectation(what, call) for what in call.expected]


# -- IDs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "word", "text"),
    [
        ("XADD s * f v", "*", "a new ID, made from the clock"),
        ("XADD s 5-* f v", "5-*", "the next free ID of millisecond 5"),
        (f"XADD s {OLD}-* f v", f"{OLD}-*", f"the next free ID of millisecond {OLD}: {OLD_TEXT}"),
        ("XADD s 5 f v", "5", "exactly 5-0"),
        (f"XADD s {OLD}-1 f v", f"{OLD}-1", f"exactly {OLD}-1: {OLD_TEXT}"),
        ("XADD s 0 f v", "0", "no entry can have it: the lowest ID is 0-1"),
        ("XADD s MINID 5-1 * f v", "5-1", "the lowest ID that is kept"),
        (f"XADD s MINID {OLD} * f v", OLD, f"the lowest ID that is kept: {OLD_TEXT}"),
        ("XRANGE s - +", "-", "from the first entry"),
        ("XRANGE s - +", "+", "up to the last entry"),
        ("XRANGE s + -", "+", "from the last entry"),
        ("XRANGE s 0 +", "0", "from the first entry"),
        (f"XRANGE s {OLD} +", OLD, f"from the first ID of that millisecond: {OLD_TEXT}"),
        (f"XRANGE s - {OLD}", OLD, f"up to the last ID of that millisecond: {OLD_TEXT}"),
        (f"XRANGE s {OLD}-3 +", f"{OLD}-3", f"from this ID on: {OLD_TEXT}"),
        (f"XRANGE s - {OLD}-3", f"{OLD}-3", f"up to this ID: {OLD_TEXT}"),
        (f"XRANGE s ({OLD}-3 +", f"({OLD}-3", f"after this ID, itself left out: {OLD_TEXT}"),
        ("XRANGE s - (5-3", "(5-3", "before this ID, itself left out"),
        ("XRANGE s (5 +", "(5", "after the first ID of that millisecond, itself left out"),
        ("XREVRANGE s (5 -", "(5", "before the last ID of that millisecond, itself left out"),
        ("XREAD STREAMS s $", "$", "only what is added after this call"),
        ("XREAD STREAMS s +", "+", "the last entry"),
        ("XREAD STREAMS s 0", "0", "the whole stream from its first entry"),
        (f"XREAD STREAMS s {OLD}-0", f"{OLD}-0", f"entries after this ID: {OLD_TEXT}"),
        ("XREAD STREAMS s t 0 $", "0", "s: the whole stream from its first entry"),
        ("XREAD STREAMS s t 0 $", "$", "t: only what is added after this call"),
        ('XREAD STREAMS "my s" t 0 $', "0", '"my s": the whole stream from its first entry'),
        ("XREADGROUP GROUP g ann STREAMS s >", ">", "entries never delivered to this group"),
        ("XREADGROUP GROUP g ann STREAMS s 0", "0", "all that is pending for ann"),
        ("XREADGROUP GROUP g ann STREAMS s 5-1", "5-1", "what is pending for ann after 5-1"),
        ('XREADGROUP GROUP g "a\\x1bb" STREAMS s 0', "0", 'all that is pending for "a\\x1bb"'),
        ("XGROUP CREATE s g $", "$", "only what is added from now on"),
        ("XGROUP CREATE s g 0", "0", "the whole stream from its first entry"),
        ("XGROUP CREATE s g 0-0", "0-0", "the whole stream from its first entry"),
        (f"XGROUP CREATE s g {OLD}", OLD, f"deliver what comes after this ID: {OLD_TEXT}"),
        ("XGROUP SETID s g -", "-", "the whole stream from its first entry"),
        ("XGROUP SETID s g +", "+", "past every ID: nothing is delivered any more"),
        (f"XDEL s {OLD}-0", f"{OLD}-0", OLD_TEXT),
        ("XACK s g 5-1", "5-1", "an entry's ID"),
        ("XSETID s 5-1", "5-1", "new entries come after this ID"),
        ("XAUTOCLAIM s g ann 0 0-0", "0-0", "from the first entry"),
        ("XCLAIM s g ann 0 5-1 LASTID 7", "7", "the group's last ID becomes at least this"),
    ],
)
def test_what_an_id_means_where_it_stands(line: str, word: str, text: str) -> None:
    assert means(line, word) == text


# -- numbers and times ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "word", "text"),
    [
        ("XREAD BLOCK 0 STREAMS s $", "0", "wait for ever"),
        ("XREAD BLOCK 1500 STREAMS s $", "1500", "wait at most 1.5s"),
        ("XREAD BLOCK 5000 STREAMS s $", "5000", "wait at most 5s"),
        ("XREAD BLOCK 61000 STREAMS s $", "61000", "wait at most 1m 1s"),
        ("XREAD BLOCK 20 STREAMS s $", "20", "wait at most 20 ms"),
        ("XREAD COUNT 2 STREAMS s $", "2", "at most 2 entries per stream"),
        ("XREAD COUNT 1 STREAMS s $", "1", "at most 1 entry per stream"),
        ("XREAD COUNT 0 STREAMS s $", "0", "no limit"),
        ("XREAD COUNT 2 STREAMS s $", "COUNT", "at most so many entries per stream; 0: no limit"),
        ("XRANGE s - + COUNT 0", "0", "at most 0 entries"),
        ("XINFO STREAM s FULL COUNT 3", "3", "at most 3 entries of each list"),
        ("XINFO STREAM s FULL COUNT 0", "0", "all"),
        ("XADD s MAXLEN 0 * f v", "0", "keep at most 0 entries"),
        ("XADD s MAXLEN ~ 1000 * f v", "1000", "keep at most 1000 entries"),
        ("XADD s MAXLEN ~ 1000 * f v", "~", "about: whole nodes only, so that more may stay; cheaper"),
        ("XADD s MAXLEN = 1000 * f v", "=", "exactly"),
        ("XADD s MAXLEN ~ 9 LIMIT 0 * f v", "0", "no limit"),
        ("XADD s MAXLEN ~ 9 LIMIT 5 * f v", "5", "remove at most 5 entries in this call"),
        ("XAUTOCLAIM s g c 60000 0 COUNT 5", "60000", "only what has been idle for 1m"),
        ("XAUTOCLAIM s g c 60000 0 COUNT 5", "5", "take over at most 5 entries"),
        ("XAUTOCLAIM s g c 0 5", "0", "idle or not"),
        ("XPENDING s g IDLE 60000 - + 10", "60000", "only what has been idle for 1m"),
        ("XPENDING s g - + 10", "10", "at most 10 entries"),
        ("XCLAIM s g c 0 1 IDLE 5000", "5000", "as if last delivered 5s ago"),
        (f"XCLAIM s g c 0 1 TIME {OLD}", OLD, f"as if last delivered then: {OLD_TEXT}"),
        ("XCLAIM s g c 0 1-1 RETRYCOUNT 1", "1", "as if delivered 1 time"),
        ("XGROUP CREATE s g $ ENTRIESREAD -1", "-1", "not known"),
        ("EXPIRE k 100", "100", "the key expires after 1m 40s"),
        ("EXPIRE k -1", "-1", "the key expires at once"),
        ("PEXPIRE k 20", "20", "the key expires after 20 ms"),
        ("EXPIREAT k 1800000060", "1800000060", "the key expires then: 2027-01-15 08:01:00.000 UTC, in 1 minute"),
        ("PEXPIREAT k 5", "5", "the key expires then"),
        ("SET k v EX 60", "60", "the key expires after 1m"),
        ("SELECT 3", "3", "database 3"),
        ("COPY a b DB 3", "3", "database 3"),
        ("HELLO 3", "3", "RESP3: maps, sets, doubles and booleans too"),
        ("SCAN 0", "0", "from the start"),
        ("SCAN 17", "17", "go on where the last reply ended"),
        ("SCAN 0 COUNT 50", "50", "look at about 50 keys"),
        ("KEYS *", "*", "all of them"),
        ("DEBUG SLEEP 0.5", "0.5", "answer after 500 ms"),
    ],
)
def test_what_a_number_means_where_it_stands(line: str, word: str, text: str) -> None:
    assert means(line, word) == text


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (0, "now"),
        (999, "now"),
        (1500, "1 second ago"),
        (59 * SECOND, "59 seconds ago"),
        (MINUTE, "1 minute ago"),
        (MINUTE + 20 * SECOND, "1 minute 20 seconds ago"),
        (5 * MINUTE + 20 * SECOND, "5 minutes ago"),
        (2 * HOUR + 5 * MINUTE, "2 hours 5 minutes ago"),
        (2 * HOUR + 5 * SECOND, "2 hours ago"),
        (3 * DAY + 4 * HOUR, "3 days 4 hours ago"),
        (12 * DAY, "12 days ago"),
        (YEAR + 3 * DAY, "1 year ago"),
        (YEAR + 61 * DAY, "1 year 2 months ago"),
        (8 * YEAR + 200 * DAY, "8 years ago"),
        (-3 * MINUTE, "in 3 minutes"),
        (-2 * DAY, "in 2 days"),
        (-1, "now"),
    ],
)
def test_how_long_ago(distance: int, text: str) -> None:
    assert age_text(NOW_MS - distance, NOW_MS) == text


# -- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "word", "text"),
    [
        ("XLEN s", "XLEN", "count the entries of a stream"),
        ("XGROUP CREATECONSUMER s g c", "XGROUP", "add a consumer to a group (since 6.2.0)"),
        ("XGROUP CREATE s g $", "XGROUP", "create a consumer group"),
        ("XADD s NOMKSTREAM * f v", "NOMKSTREAM", "add nothing when the stream does not exist (since 6.2.0)"),
        ("XREAD STREAMS s 0", "STREAMS", "the streams' keys, then one ID for each of them"),
        ("XLEN s", "s", "a stream's key"),
        ("DEL s", "s", "a key"),
        ("RENAME a b", "b", "the name it gets"),
        ("XADD s * city Rome", "city", "a field's name"),
        ("XADD s * city Rome", "Rome", "the value of city"),
        ('XADD s * "a field" Rome', "Rome", 'the value of "a field"'),
        ("CONFIG SET maxmemory 5", "5", "the value of maxmemory"),
        ("SET a Rome", "Rome", "a value"),
        ("XPENDING s g - + 10 ann", "ann", "only what is pending for this consumer"),
        ("XACK s g 5", "g", "a consumer group"),
        ("PING hello", "hello", "some text"),
        ("HELLO 3 AUTH ann secret", "ann", "a user's name"),
        ("HELLO 3 AUTH ann secret", "secret", "a password; it is not kept"),
        ("AUTH secret", "secret", "a user's name, a password"),
        ("ZADD k 1 m", "k", ""),
        ("PING a b", "b", ""),
    ],
)  # fmt: skip
def test_what_a_word_means(line: str, word: str, text: str) -> None:
    assert means(line, word) == text


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("XLEN", ["a stream's key"]),
        ("XADD s MAXLEN", ["keep at most so many entries; = or ~ may stand before it"]),
        ("XADD s MAXLEN ~", ["keep at most so many entries"]),
        ("XADD s * city", ["the value of city"]),
        ("XREAD STREAMS", ["a stream's key"]),
        ("XREAD STREAMS a b", ["a stream's key", "for a: entries after this ID; $ only new ones, + the last one"]),
        ("XREAD STREAMS a b 0", ["for b: entries after this ID; $ only new ones, + the last one"]),
        ("XREAD COUNT 5", ["MAXCOUNT", "MAXSIZE", "BLOCK", "STREAMS"]),
        ("XREAD BLOCK", ["wait at most so long; 0: wait for ever"]),
        ("XRANGE s -", ["an ID to end at; + is the last, ( leaves it out"]),
        ("XINFO", ["STREAM", "GROUPS", "CONSUMERS", "HELP"]),
        ("HELLO 3 AUTH ann", ["a password; it is not kept"]),
    ],
)
def test_what_is_expected(line: str, texts: list[str]) -> None:
    assert next_of(line) == texts


def test_a_name_is_printable_and_not_too_long() -> None:
    assert name(b"ann") == "ann"
    assert name(b"a b") == '"a b"'
    assert name(b"\x1b\xff") == '"\\x1b\\xff"'
    assert len(name(b"x" * 10_000)) == 32


# -- any words ------------------------------------------------------------------------------------------

NAMES = st.sampled_from(sorted(COMMANDS)).map(lambda command: command.encode().split())
WORDS = st.sampled_from(
    [
        *(b"s", b"0", b"5-1", b"5-*", b"*", b"$", b">", b"+", b"-", b"(5", b"~", b"COUNT", b"STREAMS", b"GROUP"),
        *(b"IDLE", b"BLOCK", b"MAXLEN", b"-1", b"99999999999999999999", b"1e400", b"nan", b"inf", b"\0", b""),
        b"(18446744073709551615",
    ]
) | st.binary(max_size=4)


@PROFILE
@given(NAMES, st.lists(WORDS, max_size=9), st.integers(0, 2**63))
def test_any_words_have_meanings_on_one_printable_line(first: list[bytes], rest: list[bytes], now_ms: int) -> None:
    words = [*first, *rest]
    for draft in (True, False):
        call = parse(words, draft=draft)
        for index in range(len(words)):
            assert meaning(call, index, now_ms).isprintable()
        for what in call.expected:
            assert expectation(what, call)
            assert expectation(what, call).isprintable()
