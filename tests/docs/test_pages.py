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
