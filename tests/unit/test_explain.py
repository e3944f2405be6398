"""A command line explained, and the cautions that go with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.docs import pages
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.parse import parse
from streamcli.render import Options
from streamcli.shell.cautions import RULES, cautions
from streamcli.shell.explain import explain, words_of
from streamcli.shell.vocabulary import TABLE, put_in_force
from streamcli.words import argv
from tests.unit.told import vocabulary

NOW = 1_795_176_000_000


def explained(line: str) -> list[str]:
    return list(explain(tuple(argv(line.encode())), Options(), NOW))


def test_each_word_or_phrase_has_a_row_and_the_whole_has_the_last() -> None:
    assert explained("XREADGROUP GROUP g c COUNT 2 BLOCK 1000 STREAMS a b > 0") == [
        "XREADGROUP  read new entries, or one's own pending ones, as a consumer of a group",
        "├─ GROUP g c   the group, and who of it is reading",
        "├─ COUNT 2     at most 2 entries per stream",
        "├─ BLOCK 1000  wait at most 1s",
        "├─ STREAMS     the streams' keys, then one ID for each of them",
        "├─ a >         entries never delivered to this group",
        "├─ b 0         all that is pending for c",
        "└─ together    this one never blocks: b asks for history, which is always answered",
        "mind  in a cluster these streams must be in one slot: give their names a common {hash tag} (help cluster)",
        "mind  BLOCK does nothing here: an ID other than > asks for history, and that is answered at once"
        " (help blocking)",
        "mind  what is read stays pending until XACK: without it the list of pending entries grows for ever"
        " (help pending)",
        "mind  to read history counts as a delivery, and sets the idle time back to 0: XPENDING only looks"
        " (help pending)",
    ]


@pytest.mark.parametrize("references", ["DELREF", "ACKED"])
@pytest.mark.parametrize("line", ["XTRIM s MAXLEN ~ 100 {}", "XADD s {} MINID ~ 100-0 * f v"])
def test_about_is_said_to_be_exact_where_references_make_it_so(line: str, references: str) -> None:
    said = "\n".join(explained(line.format(references)))
    assert f"to the entry, because of {references}; up to a limit" in said
    assert "whole nodes" not in said
    assert "whole nodes only, so that more may stay; cheaper" in "\n".join(explained(line.format("KEEPREF")))


def test_trimming_by_whole_nodes_is_not_recommended_where_references_prevent_it() -> None:
    mind = "mind  trimming to the entry is dear, as nodes are taken apart: with ~ only whole nodes go (help trimming)"
    assert mind in explained("XTRIM s MAXLEN 100")
    assert mind not in explained("XTRIM s MAXLEN 100 DELREF")
    assert mind not in explained("XTRIM s MAXLEN 100 ACKED")


@pytest.mark.parametrize(
    ("line", "together"),
    [
        ("XREAD STREAMS a 0", "answers at once, with nil when there is nothing"),
        ("XREAD STREAMS a $", "always answers nil: nothing is behind $ when nothing is waited for"),
        ("XREAD BLOCK 0 STREAMS a $", "waits until there is something, for ever if need be"),
        ("XREAD BLOCK 1500 STREAMS a $", "waits for at most 1.5s when there is nothing, and then answers nil"),
        ("XREADGROUP GROUP g c BLOCK 20 STREAMS a >",
         "waits for at most 20 ms when there is nothing, and then answers nil; what it reads is pending until XACK"),
        ("XADD a * f v", "adds one entry of 1 field, and keeps all that is there"),
        ("XADD a MAXLEN ~ 10 * f v g w", "adds one entry of 2 fields, then trims the stream"),
    ],
)  # fmt: skip
def test_what_the_words_do_together(line: str, together: str) -> None:
    last = next(row for row in explained(line) if row.startswith("└─ together"))
    assert last.split(None, 2)[2] == together


def test_a_field_without_a_value_is_pointed_at() -> None:
    assert explained("XADD a * f v g")[-4:] == [
        "├─ f v  a field and its value",
        "└─ g    a field without its value",
        "wrong  ERR wrong number of arguments for 'xadd' command",
        "next  the value of g",
    ]
    assert explained("XADD a * f")[-3] == "└─ f  a field without its value"


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("XREAD COUNT", [
            "└─ COUNT  at most so many entries per stream; 0: no limit",
            "wrong  ERR wrong number of arguments for 'xread' command",
            "next  at most so many entries per stream; 0: no limit",
        ]),
        ("XREAD BLOCK 0 STREAMS", [
            "├─ BLOCK 0  wait for ever",
            "└─ STREAMS  the streams' keys, then one ID for each of them",
            "wrong  ERR syntax error",
            "next  a stream's key",
        ]),
        ("XADD a MAXLEN ~", [
            "├─ a         a stream's key",
            "└─ MAXLEN ~  keep so many entries, about: whole nodes only, so that more may stay; cheaper",
            "wrong  ERR wrong number of arguments for 'xadd' command",
            "next  keep at most so many entries",
        ]),
        ("XADD a", [
            "└─ a  a stream's key",
            "wrong  ERR wrong number of arguments for 'xadd' command",
            "next  NOMKSTREAM | KEEPREF | DELREF | ACKED | IDMPAUTO | IDMP | ...",
        ]),
    ],
)  # fmt: skip
def test_a_line_that_is_not_finished_is_explained_with_what_comes_next(line: str, rows: list[str]) -> None:
    assert explained(line)[1:] == rows


def test_an_option_says_what_it_does_where_its_value_says_nothing() -> None:
    assert explained("XADD a IDMPAUTO p * f v")[2].split(None, 3)[3] == (
        "add nothing that this producer has added before (since 8.6.0)"
    )
    assert "also what is not pending, if the entry is there" in "".join(explained("XCLAIM a g c 5 1-1 FORCE"))


def test_no_limit_is_no_limit_with_references_either() -> None:
    said = "\n".join(explained("XTRIM s MAXLEN ~ 100 LIMIT 0 DELREF"))
    assert "keep 100 entries, to the entry, because of DELREF\n" in said


CAUTIONS = [  # the line that calls for a caution, one like it that does not, and words of the caution
    ("XREAD BLOCK 5 STREAMS a $", "XREAD BLOCK 5 STREAMS a 1-1", "$ in a loop misses"),
    ("XREAD STREAMS a 0", "XREAD COUNT 5 STREAMS a 0", "without COUNT all that is there"),
    ("XRANGE a - +", "XRANGE a - + COUNT 5", "the whole stream in one reply"),
    ("XREVRANGE a + -", "XREVRANGE a + 5", "the whole stream in one reply"),
    ("XREAD BLOCK 0 STREAMS a 1-1", "XREAD BLOCK 5 STREAMS a 1-1", "BLOCK 0 waits for ever"),
    ("XREAD STREAMS a b 1-1 1-1", "XREAD STREAMS {x}a {x}b 1-1 1-1", "in a cluster"),
    ("XREADGROUP GROUP g c BLOCK 5 STREAMS a 0", "XREADGROUP GROUP g c BLOCK 5 STREAMS a >", "BLOCK does nothing here"),
    ("XREADGROUP GROUP g c STREAMS a >", "XREADGROUP GROUP g c STREAMS a 0", "stays pending until XACK"),
    ("XREADGROUP GROUP g c NOACK STREAMS a >", "XREADGROUP GROUP g c STREAMS a >", "with NOACK"),
    ("XGROUP CREATE a g $", "XGROUP CREATE a g 0", "with $ the group never sees"),
    ("XGROUP CREATE a g 0", "XGROUP CREATE a g 0 MKSTREAM", "without MKSTREAM"),
    ("XGROUP SETID a g 0", "XGROUP CREATE a g 0", "delivers entries again"),
    ("XGROUP SETID a g 5-1", "XGROUP SETID a g 5-1 ENTRIESREAD 5", "lag unknown"),
    ("XGROUP DESTROY a g", "XGROUP CREATECONSUMER a g c", "forgotten with it"),
    ("XGROUP DELCONSUMER a g c", "XGROUP CREATECONSUMER a g c", "claim them first"),
    ("XCLAIM a g c 0 1-1", "XCLAIM a g c 60000 1-1", "min-idle-time of 0"),
    ("XAUTOCLAIM a g c 0 0", "XAUTOCLAIM a g c 60000 0", "min-idle-time of 0"),
    ("XCLAIM a g c 5 1-1 FORCE", "XCLAIM a g c 5 1-1", "FORCE makes pending"),
    ("XCLAIM a g c 5 1-1 JUSTID", "XCLAIM a g c 5 1-1", "the delivery count does not grow"),
    ("XAUTOCLAIM a g c 5 0", "XCLAIM a g c 5 1-1", "go on from the ID it answers with"),
    ("XADD a * f v", "XADD a MAXLEN ~ 5 * f v", "nothing trims this stream"),
    ("XTRIM a MAXLEN 5", "XTRIM a MAXLEN ~ 5", "trimming to the entry is dear"),
    ("XADD a MINID 5 * f v", "XADD a MINID ~ 5 * f v", "trimming to the entry is dear"),
    ("XTRIM a MAXLEN ~ 5", "XDEL a 1-1", "trimmed unread is lost"),
    ("XADD a 5-1 f v", "XADD a * f v", "an ID of one's own"),
    ("XDEL a 1-1", "XACK a g 1-1", "a reference to nothing"),
    ("XSETID a 5-1", "XLEN a", "replication and repair"),
    ("DEL a", "UNLINK a", "UNLINK frees it aside"),
    ("KEYS *", "SCAN 0", "SCAN goes in steps"),
    ("XREVRANGE a - +", "XREVRANGE a + -", "nothing lies between"),
    ("XRANGE a 10 5", "XRANGE a 5 10", "nothing lies between"),
    ("FLUSHALL", "DBSIZE", "no way back"),
    ("XTRIM a MAXLEN ~ 5 LIMIT 50", "XTRIM a MAXLEN ~ 5 LIMIT 500", "removes nothing at all"),
    ("XGROUP SETID a g +", "XGROUP SETID a g 5-1", "never given anything again"),
    ("XREAD COUNT 0 STREAMS a 0", "XREAD COUNT 5 STREAMS a 0", "without COUNT all that is there"),
    ("XINFO STREAM a FULL COUNT 0", "XINFO STREAM a FULL", "COUNT 0 answers with every entry"),
    ("XTRIM a MAXLEN 5 ACKED", "XTRIM a MAXLEN 5", "a group that nobody reads keeps every entry"),
    ("XADD a MAXLEN 5 DELREF * f v", "XADD a DELREF * f v", "with DELREF an entry is taken off the list"),
    ("XDELEX a DELREF IDS 1 1-1", "XDELEX a IDS 1 1-1", "with DELREF an entry is taken off the list"),
    ("XADD a ACKED * f v", "XADD a ACKED MAXLEN 5 * f v", "do nothing where nothing is trimmed"),
    ("XADD a IDMP p i * f v", "XADD a * f v", "a repeat that comes later than the stream remembers"),
    ("XADD a IDMPAUTO p * f v", "XADD a IDMP p i * f v", "two messages with the same fields are one to IDMPAUTO"),
    ("XCFGSET a IDMP-MAXSIZE 5", "XLEN a", "a setting that changes forgets all messages"),
    ("XACKDEL a g IDS 1 1-1", "XACKDEL a g ACKED IDS 1 1-1", "what other groups have pending stays on their lists"),
    ("XREADGROUP GROUP g c CLAIM 0 STREAMS a >", "XREADGROUP GROUP g c CLAIM 5 STREAMS a >", "CLAIM 0 takes entries"),
    (
        "XREADGROUP GROUP g c NOACK CLAIM 5 STREAMS a >",
        "XREADGROUP GROUP g c NOACK STREAMS a >",
        "NOACK holds for new entries",
    ),
    ("XREADGROUP GROUP g c CLAIM 5 STREAMS a 0", "XREADGROUP GROUP g c CLAIM 5 STREAMS a >", "CLAIM does nothing for"),
    ("XNACK a g SILENT IDS 1 1-1", "XNACK a g FAIL IDS 1 1-1", "goes round for ever"),
    ("XNACK a g FAIL IDS 1 1-1", "XACK a g 1-1", "release only what you hold"),
    ("XREAD STREAMS a +", "XREAD STREAMS a 1-1", "+ gives the last entry in every call"),
    ("XREAD COUNT -1 STREAMS a 0", "XREAD COUNT 5 STREAMS a 0", "without COUNT all that is there"),
    ("XRANGE a 5 + COUNT 0", "XRANGE a 5 + COUNT 1", "a COUNT of 0 or less answers nil here"),
    ("XREVRANGE a + 5 COUNT -1", "XREAD COUNT 0 STREAMS a 5", "a COUNT of 0 or less answers nil here"),
    ("XTRIM a MINID ~ 1795176000", "XTRIM a MINID ~ 1795176000000", "a time in seconds?"),
    ("XRANGE a 1795176000 +", "XRANGE a 1795176000000 +", "a time in seconds?"),
    ("XREAD STREAMS a b 0 1795176000-5", "XREAD STREAMS a b 0 $", "a time in seconds?"),
    ("XGROUP SETID a g 1795176000", "XGROUP SETID a g 77", "a time in seconds?"),
    ("XREAD BLOCK 5 STREAMS a 1-1", "XREAD BLOCK 0 STREAMS a 1-1", "so short a BLOCK may last a tenth"),
    ("XREADGROUP GROUP g c BLOCK 99 STREAMS a >", "XREADGROUP GROUP g c BLOCK 99 STREAMS a 0", "so short a BLOCK"),
    ("MULTI", "EXEC", "BLOCK does not wait between MULTI and EXEC"),
    ("EXEC", "DISCARD", "a command that fails in there undoes nothing"),
    ("RENAME a b", "RENAME a {a}b", "in a cluster these keys"),
    ("COPY {x}a {y}a", "COPY {x}a {x}b", "in a cluster these keys"),
    ("DEL a b", "DEL a", "in a cluster these keys"),
    ("XREADGROUP GROUP g c STREAMS a >", "XREADGROUP GROUP g c COUNT 9 STREAMS a >", "the first to ask takes all"),
    (
        "XREADGROUP GROUP g c COUNT 0 STREAMS a >",
        "XREADGROUP GROUP g c MAXCOUNT 9 STREAMS a >",
        "the first to ask takes",
    ),
    ("XREADGROUP GROUP g c COUNT 9 STREAMS a 0", "XREADGROUP GROUP g c COUNT 9 STREAMS a >", "to read history counts"),
    ("XACK a g 1-1", "XDEL a 1-1", "0 is no error"),
    ("XGROUP CREATE a g 0", "XGROUP CREATE a g $", "is handed all that the stream holds"),
    ("XGROUP CREATE a g 0-0", "XGROUP CREATE a g 0 MKSTREAM", "is handed all that the stream holds"),
    ("XGROUP CREATE a g 5 ENTRIESREAD 0", "XGROUP SETID a g 5 ENTRIESREAD -1", "ENTRIESREAD is believed"),
    ("XCLAIM a g c 5 1-1 LASTID 5-5", "XCLAIM a g c 5 1-1", "LASTID moves the group on"),
    ("XAUTOCLAIM a g c 5 0", "XAUTOCLAIM a g c 5 0 JUSTID", "the reply has no deliveries"),
    ("XTRIM a MAXLEN 0", "XTRIM a MAXLEN 0 ACKED", "MAXLEN 0 takes every entry"),
    ("XTRIM a MAXLEN 1", "XTRIM a MAXLEN 0", "trimming to the entry is dear"),
    ("XADD a MAXLEN ~ 99 * f v", "XADD a MAXLEN ~ 100 * f v", "for so low a number it is not near"),
    ("XTRIM a MAXLEN ~ 10", "XTRIM a MAXLEN ~ 10 DELREF", "for so low a number it is not near"),
    ("XADD a 1795176000000000 f v", "XADD a 1795176000000 f v", "a time so far ahead stays"),
    ("XSETID a 1795176000000000", "XADD a * f v", "a time so far ahead stays"),
    ("XDEL a 1-1", "XTRIM a MAXLEN 5", "the room comes back only when"),
    ("XDEL a 1-1", "XACK a g 1-1", "makes its lag unknown"),
    ("XDELEX a IDS 1 1-1", "XDELEX a ACKED IDS 1 1-1", "makes its lag unknown"),
    ("EXPIRE a 60", "PERSIST a", "the whole stream goes then"),
    ("SET a b", "SET a b NX", "a stream of that name is replaced"),
    ("SET a b XX", "SET a b GET", "a stream of that name is replaced"),
]


@pytest.mark.parametrize(("line", "other", "text"), CAUTIONS)
def test_a_caution_is_given_where_it_is_due_and_not_elsewhere(line: str, other: str, text: str) -> None:
    assert any(text in caution.text for caution in cautions(parse(argv(line.encode()))))
    assert not any(text in caution.text for caution in cautions(parse(argv(other.encode()))))


def test_every_caution_is_tried_above_and_leads_to_a_topic() -> None:
    for rule in RULES:
        assert any(text in rule.caution.text for _, _, text in CAUTIONS), rule.caution.text
        assert rule.caution.topic in pages.topics()
        assert all(name in COMMANDS for name in rule.names)
        assert len(rule.caution.text) <= 110


def test_a_line_with_a_mistake_is_explained_as_far_as_it_goes() -> None:
    assert explained("XRANGE a x +")[-1] == "wrong  ERR Invalid stream ID specified as stream command argument"
    assert explained("XREED a") == ["ERR unknown command 'XREED', with args beginning with: 'a' (did you mean XREAD?)"]
    assert explained("XGROUP CREATE a g $ MKSTREAM")[0].startswith("XGROUP CREATE  ")


def test_the_word_that_is_wrong_is_marked_once() -> None:
    lines = explained("XDEL s x y z")
    assert [line for line in lines if line.startswith("wrong")] == [
        "wrong  ERR Invalid stream ID specified as stream command argument"
    ]
    assert [line for line in lines if "this is what is wrong" in line] == ["├─ x  this is what is wrong"]


@pytest.mark.parametrize("line", ["AUTH user hunter2", "HELLO 3 AUTH user hunter2", "ACL SETUSER bob >hunter2"])
def test_secrets_are_not_repeated(line: str) -> None:
    assert "hunter2" not in "\n".join(explained(line))


def test_about_is_never_said_to_be_at_most() -> None:
    row = next(line for line in explained("XTRIM a MAXLEN ~ 1000") if "MAXLEN" in line)
    assert row == "└─ MAXLEN ~ 1000  keep 1000 entries, about: whole nodes only, so that more may stay; cheaper"


def test_a_narrow_terminal_has_the_meaning_below_the_word() -> None:
    rows = list(explain((b"XREAD", b"STREAMS", b"orders", b"1-1"), Options(width=20), NOW))
    assert max(map(len, rows)) <= 20


def test_a_line_may_be_given_as_one_word_or_as_many() -> None:
    assert words_of([b"XADD a * f 'x y'"]) == words_of([b"XADD", b"a", b"*", b"f", b"x y"])


WORDS = b"XADD XREAD XGROUP XPENDING SET STREAMS CREATE COUNT GROUP IDLE MAXLEN a 0 * ~ > - + \x1b".split(b" ")


@given(st.lists(st.sampled_from([*WORDS, b""]), max_size=9))
def test_any_words_are_explained_in_printable_lines(words: list[bytes]) -> None:
    for row in explain(tuple(words), Options(), NOW):
        assert row.isprintable(), row


def test_an_option_of_a_servers_command_is_said_to_be_one() -> None:
    put_in_force(vocabulary())
    try:
        lines = explained("ZADD z NX CH 1 a")
    finally:
        put_in_force(TABLE)
    assert lines[2:4] == ["├─ NX  an option of ZADD", "├─ CH  an option of ZADD"]


@pytest.mark.parametrize("line", ["CONFIG SET requirepass geheim", "CONFIG SET maxmemory 0 masterauth geheim"])
def test_a_word_that_is_a_password_by_the_word_before_it_is_not_shown(line: str) -> None:
    said = "\n".join(explain(tuple(line.encode().split()), Options(), NOW))
    assert "***" in said
    assert "geheim" not in said
