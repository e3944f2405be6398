"""A page laid out for a terminal of any width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.docs import pages
from streamcli.docs.markdown import lay_out
from streamcli.text import columns


def laid(text: str, width: int = 40, *, plain: bool = False, unicode: bool = True) -> list[str]:
    return ["".join(part for _, part in line).rstrip() for line in lay_out(text, width, plain=plain, unicode=unicode)]


def test_paragraphs_are_wrapped_and_stand_apart() -> None:
    assert laid("one two three four five six seven eight nine\nten\n\neleven") == [
        "one two three four five six seven eight", "nine ten", "", "eleven",
    ]  # fmt: skip


def test_what_stands_behind_code_or_a_link_without_a_blank_stays_there() -> None:
    assert laid("one two `three`, four ([XADD](xadd.md)), **five**!", 12) == [
        "one two", "three, four", "(XADD),", "five!",
    ]  # fmt: skip


def test_headings_are_underlined_where_there_are_no_styles() -> None:
    text = "# XREAD\n\n## Options\n\n### `$`\n\nonly `new` ones"
    assert laid(text) == ["XREAD", "", "Options", "", "$", "", "only new ones"]
    assert laid(text, plain=True) == [
        "XREAD", "=====", "", "Options", "-------", "", "`$`", "~~~", "", "only `new` ones",
    ]  # fmt: skip


def test_lists_nest() -> None:
    text = "- one and two and three and four and five and six\n  - inner\n\n1. first\n2. second"
    assert laid(text, 30) == [
        "• one and two and three and", "  four and five and six", "  ◦ inner", "", "1. first", "2. second",
    ]  # fmt: skip
    assert laid("- a\n  - b", unicode=False) == ["* a", "  - b"]


def test_links_are_shown_with_what_to_ask_help_for_unless_their_text_says_it() -> None:
    assert laid("[XACK](xack.md), [XGROUP CREATE](xgroup-create.md), [entry IDs](../topics/ids.md)", 100) == [
        "XACK, XGROUP CREATE, entry IDs (help ids)"
    ]


def test_tables_are_drawn_and_their_cells_wrapped() -> None:
    text = "| ID | meaning | n |\n|---|---|--:|\n| `$` | what is added from now on | 1 |\n| `0` | all | 20 |"
    assert laid(text, 30) == [
        "ID │ meaning              │  n",
        "───┼──────────────────────┼───",
        "$  │ what is added from   │  1",
        "   │ now on               │",
        "0  │ all                  │ 20",
    ]
    assert laid(text, 30, unicode=False)[1] == "---+----------------------+---"


def test_a_column_is_not_cut_within_a_word_if_another_can_give_way() -> None:
    text = "| field | it says |\n|---|---|\n| `max-deleted-entry-id` | the highest that was removed |"
    assert laid(text, 36) == [
        "field                │ it says",
        "─────────────────────┼──────────────",
        "max-deleted-entry-id │ the highest",
        "                     │ that was",
        "                     │ removed",
    ]
    assert laid(text, 20)[2:4] == ["max-delet │ the", "ed-entry- │ highest"]


def test_what_is_typed_in_an_example_goes_on_behind_a_blank() -> None:
    text = "```streamcli\n> XREADGROUP GROUP team ann COUNT 1 STREAMS jobs >\njobs\n```"
    assert laid(text, 40) == ["  > XREADGROUP GROUP team ann COUNT 1", "      STREAMS jobs >", "  jobs"]
    assert laid(text, 80) == ["  > XREADGROUP GROUP team ann COUNT 1 STREAMS jobs >", "  jobs"]


def test_a_table_that_cannot_fit_becomes_lines() -> None:
    assert laid("| command | meaning |\n|---|---|\n| XLEN | counts |", 12) == ["command:", "XLEN", "meaning:", "counts"]
    assert laid("| | meaning |\n|---|---|\n| XLEN | counts |", 12) == ["XLEN", "meaning:", "counts"]


def test_code_is_painted_by_whoever_knows_it_and_cut_only_where_it_must() -> None:
    seen = []

    def paint(info: str, body: str) -> list[list[tuple[str, str]]]:
        seen.append((info, body))
        return [[("class:x", line)] for line in body.splitlines()]

    lines = list(lay_out("```streamcli clock\n> XLEN a\n12345678901234567890123\n```", 22, paint=paint))
    assert seen == [("streamcli clock", "> XLEN a\n12345678901234567890123")]
    assert ["".join(text for _, text in line) for line in lines] == ["  > XLEN a", "  12345678901234567890", "  123"]
    assert lines[0][1] == ("class:x", "> XLEN a")


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert laid("a \x1b[31mred `\x07` b") == ["a \\x1b[31mred \\a b"]


def test_a_syntax_line_goes_on_indented_and_is_broken_at_blanks() -> None:
    text = "```syntax\nXREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]\n```"
    assert laid(text, 40) == [
        "  XREAD [COUNT count] [BLOCK", "      milliseconds] STREAMS key [key", "      ...] id [id ...]",
    ]  # fmt: skip
    assert laid("```\n1234567890 1234567890 12345\n```", 20) == ["  1234567890 1234567", "  890 12345"]


@pytest.mark.parametrize("width", [30, 80])
@pytest.mark.parametrize("page", [page for page in pages.every() if page.syntax], ids=lambda page: page.stem)
def test_no_word_of_a_syntax_line_is_cut(page: pages.Page, width: int) -> None:
    assert " ".join(laid(f"```syntax\n{page.syntax}\n```", width)).split() == page.syntax.split()


@pytest.mark.parametrize("page", pages.every(), ids=lambda page: page.stem)
def test_every_page_is_ascii_where_the_terminal_takes_no_more(page: pages.Page) -> None:
    for width in (20, 80):
        assert "\n".join(laid(page.text, width, unicode=False)).isascii()


def test_boxes_are_drawn_with_strokes_and_letters_escaped_where_there_is_only_ascii() -> None:
    text = "“Malmö” … `é–` [x](y.md)\n\n```streamcli\n├─ a\n│  └─ ö\n```"
    assert laid(text, unicode=False) == [
        '"Malm\\xc3\\xb6" ... \\xc3\\xa9- x (help y)', "", "  |- a", "  |  `- \\xc3\\xb6",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [10, 20, 40, 80, 200])
@pytest.mark.parametrize("page", pages.every(), ids=lambda page: page.stem)
def test_no_page_is_wider_than_the_terminal(page: pages.Page, width: int) -> None:
    for line in lay_out(page.text, width):
        assert sum(columns(text) for _, text in line) <= width


@given(st.text(st.sampled_from("ab *_`#|->[]()\n1.世"), max_size=80), st.integers(10, 40))
def test_any_text_can_be_laid_out(text: str, width: int) -> None:
    for line in lay_out(text, width):
        assert sum(columns(part) for _, part in line) <= width
    for line in lay_out(f"```syntax\n{text}", width, unicode=False):
        assert sum(columns(part) for _, part in line) <= width
