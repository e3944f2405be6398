"""Which page someone means, and what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streamcli.render import Options
from streamcli.shell.help import NoPageError, answer, at_word, page_of
from streamcli.shell.line import Line
from streamcli.shell.trying import tried

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
    assert "XAUTOCLAIM" in text
    assert "kafka" in text


def test_a_group_of_commands() -> None:
    text = shown("@stream")
    assert "XREADGROUP" in text
    assert "XLEN" in text
    assert "STRLEN" not in text
    with pytest.raises(NoPageError, match=r"^there is no group @nosuch; there are @stream, "):
        shown("@nosuch")


def test_other_words_are_searched_for_in_titles_headings_and_texts() -> None:
    text = shown("dead", "letter")
    assert "help claiming" in text


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
        ("XREAD COUNT 2 STREAMS ‸a 0", ["xread"]),
        ("xgroup create a‸", ["xgroup", "create"]),
        ("NOSUCH‸ a", ["NOSUCH"]),
        ("‸", []),
    ],
)
def test_f1_asks_about_the_word_at_the_cursor(text: str, words: list[str]) -> None:
    cursor = text.index("‸")
    assert at_word(Line(text.replace("‸", "")), cursor) == words


def test_examples_can_be_listed_and_tried_on_streams_of_their_own() -> None:
    assert next(iter(tried(["xlen"], PLAIN))).startswith("  1  XADD cities 1-1 city Oslo ; ")
    assert list(tried(["xlen", "1"], PLAIN))[:6] == [
        "> XADD cities 1-1 city Oslo", '"1-1"', "> XADD cities 1-2 city Lima", '"1-2"', "> XLEN cities", "2",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [[], ["nosuch"], ["xlen", "99"], ["xlen", "0"], ["1"]])
def test_an_example_that_is_not_there_is_said_in_one_line(words: list[str]) -> None:
    with pytest.raises(NoPageError) as error:
        list(tried(words, PLAIN))
    assert "\n" not in str(error.value)
