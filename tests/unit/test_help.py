"""Which page someone means, and what is shown of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic

import pytest

from streamcli.docs import pages
from streamcli.render import Options
from streamcli.shell.help import NoPageError, _excerpt, _hits, answer, at_word, page_of
from streamcli.shell.line import Line
from streamcli.shell.trying import tried
from streamcli.shell.vocabulary import TABLE, put_in_force
from tests.unit.told import vocabulary

PLAIN = Options(width=80)


def shown(*words: str) -> str:
    return "\n".join(answer(words, PLAIN))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["XREAD"], "XREAD"),
        (["xgroup", "create"], "XGROUP CREATE"),
        (["xgroup-create"], "XGROUP CREATE"),
        (["XGROUP"], "XGROUP"),
        (["ids"], "ids"),
        (["Kafka"], "kafka"),
        (["client", "no-evict"], "CLIENT NO-EVICT"),
    ],
)
def test_a_page_has_the_name_of_its_command_or_topic(words: Sequence[str], name: str) -> None:
    page = page_of(words)
    assert page is not None
    assert page.name == name


def test_a_page_begins_with_its_title_and_syntax() -> None:
    assert shown("xlen").startswith("XLEN\n====\n\nCounts the entries of a stream.\n\n  XLEN key\n\nSince 5.0.0.")


def test_one_heading_of_a_page_can_be_asked_for() -> None:
    text = shown("xread", "count")
    assert text.startswith("XREAD\n=====\n\nCOUNT\n")
    assert text.endswith("(help xread is the whole page)")
    assert "BLOCK" not in text.split("\n")


def test_help_alone_is_the_map() -> None:
    text = shown()
    for heading in ("Write", "Read", "Share work", "Inspect", "Clean up", "Topics"):
        assert f"\n{heading}\n" in text
    assert "XAUTOCLAIM: " in text
    assert "kafka: " in text


def test_a_group_of_commands() -> None:
    text = shown("@stream")
    assert "XREADGROUP" in text
    assert "XLEN: Count" in text
    assert "STRLEN" not in text
    with pytest.raises(NoPageError, match=r"^there is no group @nosuch; there are @stream, "):
        shown("@nosuch")


@pytest.fixture
def on_a_server() -> Iterator[None]:
    put_in_force(vocabulary())
    yield
    put_in_force(TABLE)


@pytest.mark.usefixtures("on_a_server")
def test_a_group_of_a_servers_commands_is_found_however_it_is_spelled() -> None:
    for group in ("@sorted-set", "@sortedset", "@SORTED_SET"):
        assert shown(group) == "@sorted-set\n===========\n\n• ZADD: Adds members to a sorted set."
    assert "XLEN: Count" in shown("@stream")
    with pytest.raises(NoPageError, match=r"^there is no group @nosuch; there are @stream, .*, @sorted-set"):
        shown("@nosuch")


@pytest.mark.usefixtures("on_a_server")
def test_a_topic_says_that_a_server_has_a_command_of_its_name() -> None:
    first = shown("cluster").split("\n\n")[2]
    assert " ".join(first.split()) == (
        "Redis 7.0.15 has a command CLUSTER, too. help cluster reset is about one of its subcommands: reset, slots."
    )
    assert "has a command" not in shown("ids")


def test_a_topic_is_itself_where_there_is_no_server() -> None:
    assert "has a command" not in shown("cluster")


@pytest.mark.usefixtures("on_a_server")
def test_a_servers_commands_are_among_what_a_search_finds() -> None:
    assert shown("zad").startswith("zad\n===\n\n• help zadd Adds members to a sorted set.\n")
    assert "• help zadd Adds" in shown("zaddd")
    assert "• help json.get Reads a document." in shown("json")


@pytest.mark.usefixtures("on_a_server")
def test_the_page_of_a_servers_command_lists_its_options_and_since_when_they_are_there() -> None:
    text = "\n".join(answer(["zadd"], PLAIN, source=True))
    listed = "- **NX** (since 3.0.2)\n- **XX** (since 3.0.2)\n- **CH** (since 3.0.2)\n"
    assert f"## Options\n\n{listed}\n## Facts\n\n- Group: sorted\\-set\n" in text


def test_other_words_are_searched_for_in_titles_headings_and_texts() -> None:
    text = shown("dead", "letter")
    assert "help claiming" in text


def test_a_search_looks_at_whole_paragraphs_without_their_markup() -> None:
    text = shown("in", "xinfo groups")  # a link, and the line is broken before it
    assert "help xlen ..." in text
    assert "](" not in text
    assert "help echo" not in shown("xinfo groups")
    with pytest.raises(NoPageError):
        shown("Malmö")  # only within an example
    with pytest.raises(NoPageError):
        shown("is", "its", "lag,zz")


def test_a_search_shows_a_short_part_of_the_paragraph() -> None:
    wide = "\n".join(answer(["acknowledged"], Options(width=1000)))
    found = [line for line in wide.splitlines() if line.startswith("•")]
    assert found
    for page in pages.every():
        for text in page.paragraphs:
            for word in text.split()[:: max(1, len(text.split()) // 5)]:
                shown = _excerpt(text, word.lower())
                assert word.lower() in shown.lower()
                assert len(shown) <= 108
                assert shown.startswith("... ") == (not text.startswith(shown[:20]))
                assert shown.endswith(" ...") or text.endswith(shown.removeprefix("... "))


def test_a_search_ranks_whole_words_first_and_topics_before_commands() -> None:
    asked = [line for line in answer(["acknowledge"], Options(width=100)) if line.startswith("• ")]
    assert asked[0].startswith("• help groups read, work, acknowledge ")
    assert asked[1].startswith("• help pending acknowledge ")
    ranks = [(one.partial, one.place, one.command) for one in _hits(["lag"])]
    assert ranks == sorted(ranks)
    assert (False, 2, False) in ranks


def test_a_heading_that_a_page_has_not_is_answered_with_those_it_has() -> None:
    text = shown("xread", "nosuch")
    assert text.startswith("XREAD\n=====\n\nThe page `help xread` has no heading nosuch. It has:\n\n")
    assert "\n• COUNT\n• MAXCOUNT\n" in text
    assert "Elsewhere" not in text
    assert "\nElsewhere\n" in shown("xread", "dead letter")


@pytest.mark.parametrize("words", [["a" * 16_000], ["zz"] * 16_000, ["\x1b", *["b" * 900] * 99]])
def test_hostile_words_are_answered_soon_and_shortly(words: list[str]) -> None:
    start = monotonic()
    with pytest.raises(NoPageError) as error:
        shown(*words)
    assert len(str(error.value)) < 250
    assert "xread" in shown("xread", *words).lower()
    assert monotonic() - start < 2


@pytest.mark.parametrize("words", [[""], [" ", "\n"]])
def test_no_words_are_found_nowhere(words: list[str]) -> None:
    with pytest.raises(NoPageError):
        shown(*words)


def test_what_is_nowhere_is_answered_with_the_nearest() -> None:
    with pytest.raises(NoPageError, match="xread") as error:
        shown("xreed")
    assert "\n" not in str(error.value)
    with pytest.raises(NoPageError):
        shown("\x1b[31m\nnosuch")


def test_the_source_is_the_page_itself() -> None:
    page = page_of(["xlen"])
    assert page is not None
    assert "\n".join(answer(["xlen"], PLAIN, source=True)) == page.text.rstrip("\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("XREAD COU‸NT 2 STREAMS a 0", ["xread", "count"]),
        ("XREAD COUNT ‸2 STREAMS a 0", ["xread", "count"]),
        ("XREAD COUNT 2 STREAMS ‸a 0", ["xread"]),
        ("XREAD STREAMS a ‸$", ["xread", "$"]),
        ("XREADGROUP GROUP g c STREAMS a >‸", ["xreadgroup", ">"]),
        ("XADD k MAXLEN ‸~ 5 * f *", ["xadd", "~"]),
        ("XADD k MAXLEN ~ ‸5 * f *", ["xadd", "maxlen"]),
        ("XADD k MAXLEN ~ 5 ‸* f *", ["xadd", "*"]),
        ("XADD k MAXLEN ~ 5 * f ‸*", ["xadd"]),
        ("XRANGE a - ‸+", ["xrange", "+"]),
        (".help xre‸ad count", ["xread", "count"]),
        ("‸help ids", ["ids"]),
        (".help‸", []),
        (".try xread 2‸", ["xread"]),
        (".explain XREAD CO‸UNT 2", ["xread", "count"]),
        ("explain 'XREAD COUNT 2'‸", ["xread"]),
        ("explain explain explain‸", ["explain"]),
        ("xgroup create a‸", ["xgroup", "create"]),
        ("NOSUCH‸ a", ["NOSUCH"]),
        ("‸", []),
    ],
)
def test_f1_asks_about_the_word_at_the_cursor(text: str, words: list[str]) -> None:
    cursor = text.index("‸")
    assert at_word(Line(text.replace("‸", "")), cursor) == words


@pytest.mark.parametrize("number", ["99999", "0", "-1", "1" * 10_000])
def test_how_many_examples_there_are_is_said(number: str) -> None:
    with pytest.raises(NoPageError, match=r"^the page XREAD has [0-9]+ examples; \.try xread lists what it has$"):
        tried(["xread", number], PLAIN)


def test_long_words_are_cut_in_messages() -> None:
    with pytest.raises(NoPageError) as error:
        tried(["x" * 1000, "\x1b" * 1000], PLAIN)
    assert str(error.value).endswith(f"there is none for {'x' * 57}...")


def test_examples_can_be_listed_and_tried_on_streams_of_their_own() -> None:
    assert next(iter(tried(["xlen"], PLAIN))).startswith("  1  XADD cities 1-1 city Oslo ; ")
    assert list(tried(["xread"], PLAIN))[1].startswith("  2  Several streams: XADD orders 1-1 item lamp ; ")
    assert list(tried(["xlen", "1"], PLAIN))[:6] == [
        "> XADD cities 1-1 city Oslo", '"1-1"', "> XADD cities 1-2 city Lima", '"1-2"', "> XLEN cities", "2",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [[], ["nosuch"], ["xlen", "99"], ["xlen", "0"], ["1"]])
def test_an_example_that_is_not_there_is_said_in_one_line(words: list[str]) -> None:
    with pytest.raises(NoPageError) as error:
        list(tried(words, PLAIN))
    assert "\n" not in str(error.value)
