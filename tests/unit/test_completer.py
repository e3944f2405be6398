"""What may be typed next, as a function of the line, the cursor and what is known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streamcli.shell.asking import Held, StreamIds
from streamcli.shell.completer import MOST, Completion, complete
from streamcli.shell.index import Keys
from streamcli.shell.line import Line, read
from streamcli.times import moment

NOW_MS = 1_795_275_045_678  # 2026-11-21 15:30:45.678 UTC
FIRST, SEEN, LAST, GIVEN = b"1526984818136-0", b"1526985054069-0", b"1526999352406-0", b"1526999352406-1"


class Fake:
    """A Known that knows some streams; `asked` is what it was asked for."""

    def __init__(self, *keys: bytes) -> None:
        self.all = Keys.of(keys or (b"a", b"b", b"my key", b"app:Orders"))
        self.asked: list[object] = []
        self.types: list[bytes] = []

    def keys(self, prefix: bytes = b"", type: bytes = b"stream") -> Keys:
        self.asked.append(prefix)
        self.types.append(type)
        return self.all

    def groups(self, key: bytes | None) -> Sequence[bytes]:
        self.asked.append(key)
        return {b"a": [b"g1", b"g2", b"my group"], b"b": [b"gb"], None: [b"g1", b"g2", b"gb"]}.get(key, [])

    def consumers(self, key: bytes | None, group: bytes) -> Sequence[bytes]:
        return {(b"a", b"g1"): [b"alice", b"bob"], (None, b"g1"): [b"anyone"]}.get((key, group), [])

    def ids(self, key: bytes) -> StreamIds:
        return StreamIds((SEEN, LAST), FIRST, LAST, GIVEN) if key == b"a" else StreamIds(first=b"5-5")

    def pending(self, key: bytes, group: bytes) -> Sequence[Held]:
        if group == b"released":
            return [Held(b"9-1", b"", -1, 2)]
        return [Held(b"7-1", b"ann", 90_000, 3), Held(b"8-1", b"b b", 5, 1)] if group == b"stuck" else []

    def fields(self, key: bytes) -> Sequence[bytes]:
        return [b"temp", b"place", b"my field"] if key == b"a" else []


def offers(text: str, known: Fake | None = None) -> list[Completion]:
    """The cursor is where there is a `^`, else at the end."""
    cursor = text.find("^")
    text = text.replace("^", "")
    return complete(read(text), len(text) if cursor < 0 else cursor, known or Fake(), NOW_MS)


def texts(text: str, kind: str = "", known: Fake | None = None) -> list[str]:
    return [offer.text for offer in offers(text, known) if kind in ("", offer.kind)]


def noted(text: str, kind: str) -> dict[str, str]:
    return {offer.shown: offer.note for offer in offers(text) if offer.kind == kind}


def ms(phrase: str) -> str:
    return str(moment(phrase, NOW_MS))


# -- commands and options --------------------------------------------------------------------


def test_an_empty_line_offers_all_commands_those_of_streams_first() -> None:
    found = offers("")
    assert [offer.text for offer in found[:3]] == ["XACK", "XACKDEL", "XADD"]
    assert [offer.text for offer in found].index("XTRIM") < [offer.text for offer in found].index("AUTH")
    assert found[2] == Completion(
        "XADD", 0, "XADD", "Append an entry to a stream, and trim the stream if asked", "command"
    )


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("xr", "xrange xread xreadgroup xrevrange"),
        ("XR", "XRANGE XREAD XREADGROUP XREVRANGE"),
        ("Xr", "XRANGE XREAD XREADGROUP XREVRANGE"),
        ('"xrev', '"xrevrange"'),
        ("  xau", "xautoclaim"),
        ("xlen", ""),
        ("XREAD", "XREAD XREADGROUP"),
        ("nope", ""),
        ("nope ", ""),
        ("XGROUP ", "CREATE SETID DESTROY CREATECONSUMER DELCONSUMER HELP"),
        ("xgroup ", "create setid destroy createconsumer delconsumer help"),
        ("xgroup cr", "create createconsumer"),
        ("XGROUP NOPE ", ""),
        ("XREAD ", "COUNT MAXCOUNT MAXSIZE BLOCK STREAMS"),
        ("XREAD COUNT ", ""),
        ("XREAD COUNT 5 ", "MAXCOUNT MAXSIZE BLOCK STREAMS"),
        ("xread count 5 ", "maxcount maxsize block streams"),
        ("XREAD s", "streams"),
        ("XREADGROUP ", "GROUP COUNT MAXCOUNT MAXSIZE BLOCK CLAIM NOACK STREAMS"),
        ("XTRIM a ", "MAXLEN MINID KEEPREF DELREF ACKED"),
        ("XTRIM a MAXLEN 5 ", "KEEPREF DELREF ACKED"),
        ("XTRIM a MAXLEN = 5 ", "KEEPREF DELREF ACKED"),
        ("XADD a KEEP", "KEEPREF"),
        ("XADD a MINID ~ 5 L", "LIMIT"),
        ("XADD a MINID 5 L", ""),
        ("XTRIM a MAXLEN ~ 5 ", "LIMIT KEEPREF DELREF ACKED"),
        ("XTRIM a ACKED ", "MAXLEN MINID"),
        ("XDELEX a ", "KEEPREF DELREF ACKED IDS"),
        ("XNACK a g1 ", "SILENT FAIL FATAL"),
        ("XNACK a g1 FAIL IDS 1 1-1 ", "RETRYCOUNT FORCE"),
        ("XTRIM a MAXLEN ", "= ~"),
        ("XTRIM a MAXLEN ~ ", ""),
        ("XINFO STREAM a ", "FULL"),
        ("XINFO STREAM a FULL ", "COUNT"),
        ("XADD a * f ", ""),
        ("XADD a * f v", ""),
        ("SCAN 0 TYPE ", "stream string"),
        ("SCAN 0 TYPE str", "stream string"),
        ("SET k v ", "NX XX GET EX PX EXAT PXAT KEEPTTL"),
        ("SET k v NX PX 5 ", "GET"),
        ("PING ", ""),
        ("XLEN a ", ""),
    ],
)
def test_what_the_grammar_allows_is_offered(text: str, offered: str) -> None:
    assert " ".join(texts(text)) == offered


def test_an_option_says_what_it_is_for_and_a_special_word_what_it_means() -> None:
    assert noted("XREAD ", "option")["COUNT"] == "at most so many entries per stream; 0: no limit"
    assert noted("XTRIM a MAXLEN ", "mark") == {
        "=": "exactly",
        "~": "about: whole nodes only, so that more may stay; cheaper",
    }
    assert noted("XREAD BLOCK ", "value") == {
        "0": "wait for ever",
        "1000": "wait at most 1s",
        "5000": "wait at most 5s",
    }


def test_the_replaced_part_begins_with_the_word_and_ends_at_the_cursor() -> None:
    assert [offer.start for offer in offers("xread  co")] == [7]
    assert [(offer.text, offer.start) for offer in offers("xle^xyz a b c")] == [("xlen", 0)]
    assert texts("XREAD ^ STREAMS a 0") == ["COUNT", "MAXCOUNT", "MAXSIZE", "BLOCK", "STREAMS"]
    assert [(offer.text, offer.start) for offer in offers('XLEN ключ "my^')] == []
    assert [(offer.text, offer.start) for offer in offers('DEL ключ "my^')] == [('"my key"', 9)]
    assert [(offer.text, offer.start) for offer in offers("XREAD \\\n cou")] == [("count", 9)]


# -- names ---------------------------------------------------------------------------------------


def test_keys_are_offered_as_they_must_be_typed() -> None:
    assert texts("XLEN ") == ["a", "app:Orders", "b", '"my key"']
    assert texts("XLEN ap") == ["app:Orders"]
    assert texts("XLEN orders") == ["app:Orders"]
    assert texts("XLEN my") == ['"my key"']
    assert texts('XLEN "my k') == ['"my key"']
    assert texts("XLEN 'my k") == ['"my key"']
    assert texts('XLEN "ap') == ['"app:Orders"']
    assert texts('XLEN "app:Orders"') == []
    assert texts("XLEN app:Orders") == []
    assert texts("XLEN nowhere") == []


def test_hostile_names_are_shown_and_inserted_safely() -> None:
    known = Fake(b"\x1b[31mred", b"\xff", "ключ".encode(), b"| rm", b"|", b"#x", b".q", b"", "\u202eevil".encode())
    for offer in offers("XLEN ", known):
        assert offer.shown.isprintable()
        assert offer.text.isprintable()
        assert read(f"XLEN {offer.text}").argv[1] in known.all.starting(b"", 99)
        assert read(f"XLEN {offer.text}").tail is None
    assert len(offers("XLEN ", known)) == 9
    assert texts("XLEN \\x1b", known=known) == []


def test_a_long_name_is_cut_in_the_menu_alone() -> None:
    (offer,) = offers("XLEN k", Fake(b"k" * 300))
    assert (offer.text, offer.shown) == ("k" * 300, "k" * 59 + "…")
    (offer,) = offers("XLEN k", Fake(b"k" + "鍵".encode() * 100))
    assert offer.shown == '"k' + "鍵" * 28 + "…"


def test_keys_that_stand_in_the_line_are_not_offered_again() -> None:
    assert texts("DEL a ") == ["app:Orders", "b", '"my key"']
    assert texts("XREAD STREAMS a b ", "key") == ["app:Orders", '"my key"']
    assert texts("XREAD STREAMS ") == ["a", "app:Orders", "b", '"my key"']


def test_groups_are_those_of_the_key() -> None:
    assert texts("XACK a ") == ["g1", "g2", '"my group"']
    assert texts("XACK a GROUP") == ['"my group"']
    assert texts("XACK b g") == ["gb"]
    assert texts("XINFO CONSUMERS a g") == ["g1", "g2", '"my group"']


def test_a_group_that_stands_before_its_key_is_looked_for_in_the_rest_of_the_line() -> None:
    assert texts("XREADGROUP GROUP ") == ["g1", "g2", "gb"]
    assert texts("XREADGROUP GROUP ^ STREAMS b >") == ["gb"]
    assert texts("XREADGROUP GROUP g^ c STREAMS b >") == ["gb"]
    assert texts("XREADGROUP GROUP g1 ") == ["anyone"]
    assert texts("xreadgroup group g1 ^ count 5 streams a >") == ["alice", "bob"]


def test_consumers_are_those_of_the_group() -> None:
    assert texts("XCLAIM a g1 ") == ["alice", "bob"]
    assert texts("XCLAIM a g2 ") == []
    assert texts("XPENDING a g1 - + 5 b") == ["bob"]


def test_fields_are_those_seen_in_the_stream_and_not_yet_in_the_line() -> None:
    assert texts("XADD a * ") == ["temp", "place", '"my field"']
    assert texts("XADD a * temp 5 ") == ["place", '"my field"']
    assert texts("XADD a MAXLEN 5 * pl") == ["place"]
    assert texts("XADD nowhere * ") == []


# -- IDs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "specials"),
    [
        ("XADD a ", "*"),
        ("XREAD STREAMS a ", "$ 0 +"),
        ("XREADGROUP GROUP g c STREAMS a ", "> 0"),
        ("XGROUP CREATE a g ", "$ 0"),
        ("XGROUP SETID a g ", "$ 0 - +"),
        ("XRANGE a ", "- +"),
        ("XRANGE a - ", "+ -"),
        ("XREVRANGE a ", "+ -"),
        ("XREVRANGE a + ", "- +"),
        ("XPENDING a g ", "- +"),
        ("XAUTOCLAIM a g c 0 ", "- +"),
        ("XACK a g ", ""),
        ("XDEL a ", ""),
        ("XCLAIM a g c 0 ", ""),
        ("XTRIM a MINID ", ""),
        ("XSETID a ", ""),
        ("XRANGE a 0 5 COUNT ", ""),
    ],
)
def test_special_ids_are_those_of_the_position(text: str, specials: str) -> None:
    assert " ".join(texts(text, "special")) == specials


def test_special_ids_are_explained() -> None:
    assert noted("XREAD STREAMS a ", "special")["$"] == "only what is added after this call"
    assert noted("XADD a ", "special") == {"*": "a new ID, made from the clock"}
    assert noted("XREADGROUP GROUP g c STREAMS a ", "special")[">"] == "entries never delivered to this group"


def test_ids_are_those_seen_the_last_and_the_first_of_the_stream() -> None:
    assert noted("XRANGE a ", "id") == {
        SEEN.decode(): "seen, 2018-05-22 10:30:54.069 UTC",
        LAST.decode(): "last entry, 2018-05-22 14:29:12.406 UTC",
        GIVEN.decode(): "last ID, 2018-05-22 14:29:12.406 UTC",
        FIRST.decode(): "first entry, 2018-05-22 10:26:58.136 UTC",
    }
    assert noted("XRANGE b ", "id") == {"5-5": "first entry"}
    assert texts("XRANGE a 15269848", "id") == [FIRST.decode()]
    assert texts("XRANGE a (15269848", "id") == [f"({FIRST.decode()}"]


def test_an_id_of_an_entry_is_one_that_is_there_and_not_yet_in_the_line() -> None:
    assert texts("XDEL a ") == [SEEN.decode(), LAST.decode(), FIRST.decode()]
    assert texts(f"XDEL a {SEEN.decode()} ") == [LAST.decode(), FIRST.decode()]


def test_a_new_entry_has_an_id_that_no_entry_has() -> None:
    options = ["NOMKSTREAM", "IDMPAUTO", "IDMP", "MAXLEN", "MINID", "KEEPREF", "DELREF", "ACKED"]
    assert texts("XADD a ") == ["*", *options]


def test_behind_streams_an_id_belongs_to_its_key() -> None:
    both = offers("XREAD STREAMS a b ")
    assert [offer.kind for offer in both] == [*["special"] * 3, *["id"] * 4, *["time"] * 4, *["key"] * 2]
    assert texts("XREAD STREAMS a b ", "id") == [id.decode() for id in (SEEN, LAST, GIVEN, FIRST)]
    assert texts("XREAD STREAMS a b 0 ", "id") == ["5-5"]
    assert texts("XREAD STREAMS a b 0 ", "key") == []
    assert texts("XREAD STREAMS b a 0 1", "id") == [id.decode() for id in (SEEN, LAST, GIVEN, FIRST)]
    assert texts("XREAD STREAMS a b 0 0 ") == []
    assert noted("XREAD STREAMS a b 0 ", "special")["$"] == "b: only what is added after this call"


# -- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "phrase", "start"),
    [
        ("XRANGE a 10 minutes ago", "10 minutes ago", 9),
        ("XRANGE a 10 minutes", "10 minutes ago", 9),
        ("XRANGE a 10 minutes a", "10 minutes ago", 9),
        ("XRANGE a 10 minutes ag", "10 minutes ago", 9),
        ("XRANGE a 10m", "10m ago", 9),
        ("XRANGE a -10m", "-10m", 9),
        ("XRANGE a -1h30m", "-1h30m", 9),
        ("XRANGE a an hour ago", "an hour ago", 9),
        ("XRANGE a yesterday", "yesterday", 9),
        ("XRANGE a yester", "yesterday", 9),
        ("XRANGE a 2026-11-20", "2026-11-20", 9),
        ("XRANGE a 2026-11-20 10:00", "2026-11-20 10:00", 9),
        ("XRANGE a 2026-11-20  10:00", "2026-11-20 10:00", 9),
        ("XRANGE a 2026-11-20T10:00:00+01:00", "2026-11-20T10:00:00+01:00", 9),
        ("XRANGE a 2018-05-22 10:26:58.136 UTC", "2018-05-22 10:26:58.136 UTC", 9),
        ('XRANGE a "2026-11-20 10:00', "2026-11-20 10:00", 9),
        ('XRANGE a "10 minutes ago"', "10 minutes ago", 9),
        ("XRANGE a - 10 minutes ago", "10 minutes ago", 11),
        ("XRANGE a 0 1 hour ago", "1 hour ago", 11),
        ("XRANGE a 2026-11-20 2026-11-21", "2026-11-21", 20),
        ("XREAD STREAMS a b 0 10 minutes ago", "10 minutes ago", 20),
        ("XTRIM a MINID ~ 3 days ago", "3 days ago", 16),
        ("XADD a 2026-11-20 10:00", "2026-11-20 10:00", 7),
        ("PEXPIREAT a 2026-11-20 10:00", "2026-11-20 10:00", 12),
    ],
)
def test_a_time_becomes_an_id(text: str, phrase: str, start: int) -> None:
    found = [offer for offer in offers(text) if offer.kind == "time"]
    assert [(offer.text, offer.start, offer.shown) for offer in found] == [(ms(phrase), start, phrase)]


def test_a_time_says_its_date() -> None:
    assert noted("XRANGE a 10 minutes ago", "time") == {"10 minutes ago": "2026-11-21 15:20:45.678 UTC"}


def test_a_time_can_leave_itself_out() -> None:
    assert texts("XRANGE a (10m", "time") == [f"({ms('10m ago')}"]


def test_a_unix_time_is_made_of_a_time_too() -> None:
    assert texts("EXPIREAT a 10:00") == [str(int(ms("10:00")) // 1000)]
    assert texts("XCLAIM a g1 alice 0 1-1 TIME 1 hour ago") == [ms("1 hour ago")]


def test_with_nothing_typed_a_few_times_are_offered() -> None:
    assert list(noted("XRANGE a ", "time")) == ["10 minutes ago", "1 hour ago", "today", "yesterday"]
    assert texts("XTRIM a MINID ~ ", "time") == [ms(p) for p in ("10m ago", "1h ago", "today", "yesterday")]


@pytest.mark.parametrize(
    "text",
    ["XADD a * f 10 minutes ago", "XREAD COUNT 10 minutes ago", "XLEN 10 minutes ago", "10 minutes ago", "XACK a g ",
     "XDEL a ", "XADD a ", "XRANGE a 2026-13-01", "XRANGE a 'x' 10 parsecs ago", "SET k 10:00"],
)  # fmt: skip
def test_a_time_is_offered_only_where_it_can_be_used(text: str) -> None:
    assert texts(text, "time") == []


# -- where nothing is offered ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "XRANGE a - + | ",
        "XRANGE a - + | jq XR",
        "XRANGE a - + > x",
        "XRANGE a - + >> file",
        "# XR",
        "  # XR",
        ".format ",
        "x" * 20_000,
        "XLEN " + "k" * 20_000,
        'XADD a * "f" "',
        "XLEN a\x00b ",
        "\udcff\udcfe",
        "XLEN \udcff",
    ],
)
def test_nothing_is_offered_where_nothing_is_known(text: str) -> None:
    assert texts(text) == []


def test_in_front_of_a_tail_all_is_as_ever() -> None:
    assert texts("XLEN a^ | jq") == ["a", "app:Orders"]
    assert texts("XREAD COUNT 5 ^ | jq", "option") == ["MAXCOUNT", "MAXSIZE", "BLOCK", "STREAMS"]


def test_the_shells_own_lines_are_completed_by_the_shell() -> None:
    def meta(line: Line, cursor: int) -> list[Completion]:
        return [Completion(f"{line.text}{n}", 0, "json", "", "meta") for n in range(200)]

    assert len(complete(read(".format j"), 9, Fake(), NOW_MS, meta)) == MOST
    assert complete(read("."), 1, Fake(), NOW_MS, meta)[0] == Completion(".0", 0, "json", "", "meta")
    assert complete(read(".format j"), 9, Fake(), NOW_MS) == []


def test_what_is_offered_is_bounded() -> None:
    known = Fake(*[b"k%04d" % n for n in range(3000)])
    assert texts("XLEN ", known=known) == [f"k{n:04}" for n in range(100)]
    assert texts("DEL k0000 k0002 ", known=known)[:2] == ["k0001", "k0003"]


def test_the_prefix_is_told_to_whoever_knows_the_keys() -> None:
    known = Fake()
    offers('XLEN "my k', known)
    assert known.asked == [b"my k"]


@pytest.mark.parametrize(
    ("text", "type"),
    [("XLEN ", b"stream"), ("XREAD STREAMS ", b"stream"), ("GET ", b""), ("DEL ", b""), ("TTL ", b""), ("SET ", b"")],
)
def test_keys_are_looked_for_by_the_type_that_the_command_is_for(text: str, type: bytes) -> None:
    known = Fake()
    offers(text, known)
    assert known.types == [type]


def test_any_line_and_any_cursor_is_survived() -> None:
    lines = (
        'XREAD COUNT "5" STREAMS a "b b" 0 \\\n 1-1 | jq', "XADD a MAXLEN ~ 5 LIMIT 5 * f 'v", "ключ \udcff \x00 \v x",
        "XREADGROUP GROUP g c NOACK STREAMS a b > 0 > out.txt", "XPENDING a g IDLE 5 - + 10 c x y", "XGROUP CREATE a g",
        "XCLAIM a g c 0 1-1 1-2 FORCE TIME 10 minutes ago", "'a\" b\" c", 'a"b"c d', "HELLO 3 AUTH u p SETNAME n",
    )  # fmt: skip
    for text in lines:
        for cursor in range(len(text) + 1):
            for offer in complete(read(text), cursor, Fake(), NOW_MS):
                assert 0 <= offer.start <= cursor
                assert offer.shown.isprintable()
                assert offer.note.isprintable()
                assert len(offer.note) <= 200


def test_a_password_is_never_offered_and_never_asked_for() -> None:
    known = Fake()
    assert texts("AUTH ", known=known) == texts("HELLO 3 AUTH u ", known=known) == []
    assert known.asked == []


@pytest.mark.parametrize("line", ["XACK a stuck ", "XCLAIM a stuck me 0 "])
def test_what_a_group_holds_is_offered_with_who_has_it_and_for_how_long(line: str) -> None:
    assert noted(line, "id") == {"7-1": "ann, idle 1m 30s, delivered 3x", "8-1": '"b b", idle 0s, delivered 1x'}
    assert texts(f"{line}7-1 ", "id") == ["8-1"]
    assert texts("XACK a other ", "id") == []


def test_what_was_given_back_is_held_by_nobody() -> None:
    assert noted("XACK a released ", "id") == {"9-1": "given back, delivered 2x"}
