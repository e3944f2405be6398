"""The help pages are true: every command and option has its page and heading, every example prints what it shows."""

from __future__ import annotations

import contextlib
import io

import pytest

from streamcli.docs import overview, pages
from streamcli.docs.pages import Example, Page
from streamcli.grammar.commands import COMMANDS, STREAMS
from streamcli.grammar.parse import parse
from streamcli.grammar.spec import Command, Option
from streamcli.render import Options
from streamcli.resp import encode
from streamcli.shell import trying
from streamcli.words import argv
from tests.conformance.live import Server
from tests.conformance.masks import Masks
from tests.conformance.wire import read
from tests.docs.check_pages import DATA, faults

PAGES = pages.every()
LEAVES = {"shell"}  # what a page tells of our own program is no business of a server's


def test_every_command_of_the_table_has_a_page_and_the_reverse() -> None:
    files = {file.stem for file in (DATA / "commands").glob("*.md")}
    assert files == {pages.stem_of(name) for name in COMMANDS}


def test_every_topic_of_the_map_has_a_page_and_the_reverse() -> None:
    assert set(pages.topics()) == set(overview.TOPICS)


def test_every_stream_command_stands_in_the_map_once() -> None:
    listed = [name for names in overview.AIMS.values() for name in names]
    containers = {command.name for command in STREAMS if command.subcommands or command.name.endswith(" HELP")}
    assert sorted(listed) == sorted({command.name for command in STREAMS} - containers)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_whole_and_its_examples_print_what_it_shows(page: Page) -> None:
    assert list(faults(page)) == []


@pytest.mark.parametrize(
    ("true", "lie", "told"),
    [
        ("### LIMIT\n", "### LIMITS\n", ["no `### ` heading for LIMIT", "what the table does not have: LIMITS"]),
        ("### ~\n", "\n", ["no `### ` heading for ~"]),
        ("### KEEPREF\n", "### ATONCE\n\nEverything.\n\n### KEEPREF\n", ["what the table does not have: ATONCE"]),
        ("cheaper than exactly", "cheaper than ATMOST", ["it names what there is not: ATMOST"]),
        ("[XADD](xadd.md) do", "[XADD](xad.md) do", ["the link xad.md leads nowhere"]),
        ("[XADD](xadd.md) do", "[XADD](https://a.example) do", ["leaves the terminal"]),
        ("Since 5.0.0.", "Since 5.0.1.", ["it does not say: Since 5.0.0. O(M) for M entries removed."]),
        ("O(M) for M", "O(N) for N", ["it does not say: Since 5.0.0. O(M) for M entries removed."]),
        (
            "### DELREF\n\nSince 8.2.0.",
            "### DELREF\n\nSince 8.4.0.",
            ["DELREF does not say that it is there since 8.2.0"],
        ),
        ("threshold [LIMIT count]", "threshold [LIMIT n]", ["the syntax line is not the table's"]),
        ("> XTRIM jobs MAXLEN 2\n2", "> XTRIM jobs MAXLEN 2\n3", ["example 1: XTRIM jobs MAXLEN 2"]),
        ("> XTRIM jobs MAXLEN 2\n2", "> XTRIM jobs MAXLEN 3\n2", ["example 1: XTRIM jobs MAXLEN 3"]),
        ("## Errors", "## Faults", ["no section Errors"]),
        ("```streamcli clock", "```redis", ["no such fence: ```redis"]),
        ("is wrong.\n- `ERR", "is wrong.\n\n- `ERR", ["a blank line in a list"]),
    ],
)
def test_what_is_untrue_in_a_page_is_told(true: str, lie: str, told: list[str]) -> None:
    page = pages.command("XTRIM")
    assert page is not None
    assert true in page.text
    found = "\n".join(faults(page._replace(text=page.text.replace(true, lie, 1))))
    assert all(one in found for one in told), found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_fits_on_a_screen_of_its_source(page: Page) -> None:
    assert max(map(len, page.prose.splitlines())) <= 120
    assert page.text.endswith("\n")
    assert "\t" not in page.text


def test_there_are_examples_enough() -> None:
    assert sum(len(page.examples) for page in PAGES) > 150


def on_server(server: Server, example: Example) -> list[bytes]:
    server.reset()
    masks = Masks()
    with contextlib.closing(server.connect()) as connection:
        return [masks.apply(words, connection.call(words)) for words in map(words_of, example.steps)]


def words_of(step: pages.Step) -> list[bytes]:
    return argv(step.command.encode())


def on_engine(example: Example) -> list[bytes]:
    masks = Masks()
    done = trying.run([step.command for step in example.steps], Options())
    return [
        masks.apply(words_of(step), read(io.BytesIO(encode(one.reply, 2))))
        for step, one in zip(example.steps, done, strict=True)
    ]


def waits_for_ever(example: Example) -> bool:
    return any(b"BLOCK" in words and words[words.index(b"BLOCK") + 1] == b"0" for words in map(words_of, example.steps))


def newer(example: Example) -> bool:
    """Does it use what Redis 8.0 does not have?"""
    for call in map(parse, map(words_of, example.steps)):
        parts = [role.part for role in call.roles if role is not None]
        brought = [part.since for part in parts if isinstance(part, Command | Option) and part.since is not None]
        if any(tuple(map(int, since.split("."))) >= (8, 2) for since in brought):
            return True
        if any(word.startswith(b"stream-idmp-") for word in call.argv):
            return True
    return False


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.examples and page.stem not in LEAVES], ids=lambda page: page.stem
)
def test_a_real_server_answers_the_examples_alike(page: Page, redis_8_0: Server | None) -> None:
    for example in page.examples:
        expected = on_engine(example)
        if redis_8_0 is not None and not (example.clock or newer(example) or waits_for_ever(example)):
            assert on_server(redis_8_0, example) == expected, f"example {example.number}"
