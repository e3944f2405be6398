"""What a help page must hold: run by the tests, and by whoever writes one.

python -m tests.docs.check_pages xread xgroup-create topics/ids    # say what is wrong
python -m tests.docs.check_pages --write xread                     # and put what examples print into the page
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from streamcli.docs import pages
from streamcli.docs.pages import Example, Page
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.spec import Arg, Command, Halves, Maybe, Option, Options, Ordered, Pairs, Part
from streamcli.grammar.types import SPECIAL_IDS
from streamcli.render import Options as Look
from streamcli.reply import Error
from streamcli.shell import trying

DATA = Path(pages.__file__).resolve().parents[1] / "data"
SECTIONS = ("Returns", "Errors", "In practice", "Examples", "See also")
FENCES = ("```", "```syntax", "```streamcli", "```streamcli clock", "```toml", "```text", "```sh", "```console")
# What stands in capitals in a text and is no word of Redis's language: errors, formats, what a user puts in its place.
NO_WORDS = """
ERR WRONGTYPE NOGROUP BUSYGROUP EXECABORT CROSSSLOT WRONGPASS NOPROTO NOAUTH BUSYKEY UNBLOCKED OOM MOVED ASK TRYAGAIN
CLUSTERDOWN DENY BLOCKING QUEUED PONG IID LFU RESP2 RESP3 CRC16 UTC UTF-8 ASCII JSON CSV URL TLS RFC SIGTERM PATH F10
FILE HOST PORT NAME PROFILE SECONDS FROM TEXT CONSUMER OTHER TARGET PASSWORD REWRITE DOCTOR STATS TRACKING
"""
_CAPITALS = re.compile(r"(?<![\w/.-])[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*(?![\w-])")
_BROKEN_LIST = re.compile(r"^- [^\n]*\n(?:  [^\n]*\n)*\n- ", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]+\]\(([^)]+)\)")


def options_of(parts: tuple[Part, ...]) -> Iterator[Option]:
    """Every option of a command, those that follow others too."""
    for part in parts:
        if isinstance(part, Options):
            for option in part.options:
                if not option.refused:
                    yield option
                    if option.then:
                        yield from options_of((option.then,))
        elif isinstance(part, Maybe):
            yield from options_of(part.parts)


def args_of(parts: tuple[Part, ...]) -> Iterator[Arg]:
    """Every positional word of a command."""
    for part in parts:
        if isinstance(part, Arg):
            yield part
        elif isinstance(part, Ordered):
            yield from part.args
        elif isinstance(part, Halves):
            yield from (part.left, part.right)
        elif isinstance(part, Pairs):
            yield from (part.first, part.second)
        elif isinstance(part, Maybe):
            yield from args_of(part.parts)


def wanted_headings(command: Command) -> set[str]:
    """Its options, and the special IDs that its words may be."""
    wanted = {option.token for option in options_of(command.parts)}
    for option in options_of(command.parts):
        wanted |= set(option.marks)
    for arg in args_of(command.parts):
        if arg.type.name == "id" and arg.read is not None:
            wanted |= {word.decode() for word in SPECIAL_IDS if not isinstance(arg.read(word), Error)}
    return wanted


@lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """Every command and option there is, ours and those of Redis that the table does not have."""
    names = (files("streamcli") / "data" / "redis-commands.txt").read_text(encoding="utf-8").upper().split()
    return frozenset(NO_WORDS.split()).union(
        names, *(_CAPITALS.findall(f"{one.name} {one.usage()}") for one in COMMANDS.values())
    )


def faults(page: Page) -> Iterator[str]:
    """Everything that is wrong with a page, a line each."""
    headings = [heading.text for heading in page.headings]
    if len(page.summary) < 10 or not page.summary.endswith("."):
        yield "the first paragraph is no sentence"
    if not page.topic:
        yield from _faults_of_command(page, COMMANDS[page.name], headings)
    for target in _LINK.findall(page.text):
        file = _file_of(page, target)
        if not target.startswith(("http:", "https:")) and not (file.is_file() and file.is_relative_to(DATA)):
            yield f"the link {target} leads nowhere"
        if target.startswith("http"):
            yield f"the link {target} leaves the terminal"
    if unknown := {word for word in _CAPITALS.findall(page.prose) if len(word) > 2} - known_words():
        yield f"it names what there is not: {', '.join(sorted(unknown))}"
    if broken := _BROKEN_LIST.search(page.prose):
        yield f"a blank line in a list, above: {page.prose[broken.end() :].partition(chr(10))[0]}"
    for line in page.text.splitlines():
        if line.lstrip().startswith(("```", "~~~")) and line not in FENCES:
            yield f"no such fence: {line}"
    for example in page.examples:
        if example.number == 1 and not example.steps:
            yield "an example without a line"
    for body in re.findall(r"^```streamcli[^\n]*\n(.*?)^```", page.text, re.MULTILINE | re.DOTALL):
        if not body.startswith("> "):
            yield f"an example does not begin with what is typed: {body[:40]}"
    for example in page.examples:
        for step, (wanted, got) in zip(example.steps, printed(example), strict=True):
            if wanted != got:
                yield f"example {example.number}: {step.command}\n--- page\n{wanted}\n--- engine\n{got}"


def _faults_of_command(page: Page, command: Command, headings: list[str]) -> Iterator[str]:
    if page.title != command.name:
        yield f"the title is not {command.name}"
    if page.syntax != command.usage():
        yield f"the syntax line is not the table's: {command.usage()}"
    since = f"Since {command.since}. {command.complexity}."
    if f"\n{since}\n" not in page.text:
        yield f"it does not say: {since}"
    if command.name.startswith("X") and ("log N" in command.complexity) != ("\nN is " in page.text):
        yield "it does not say what N is, or says it though there is none"
    for option in options_of(command.parts):
        section = page.text.split(f"### {option.token}\n", 1)[-1].split("\n#", 1)[0]
        if option.since and f"since {option.since}" not in section.lower():
            yield f"{option.token} does not say that it is there since {option.since}"
    wanted = wanted_headings(command)
    found = {heading.text for heading in page.headings if heading.level == 3}
    words = {text for text in found if text.isupper() or not text[:1].isalnum()}
    if missing := wanted - found:
        yield f"no `### ` heading for {', '.join(sorted(missing))}"
    if extra := words - wanted:
        yield f"headings for what the table does not have: {', '.join(sorted(extra))}"
    needed = SECTIONS if command.name.startswith("X") and not command.name.endswith("HELP") else ("Returns", "Examples")
    for section in needed:
        if section not in headings:
            yield f"no section {section}"
    if not page.examples and not command.subcommands:
        yield "no example"


def _file_of(page: Page, target: str) -> Path:
    folder = DATA / ("topics" if page.topic else "commands")
    return (folder / target.split("#", maxsplit=1)[0]).resolve()


def printed(example: Example) -> Iterator[tuple[str, str]]:
    """What the page says that each line prints, and what it does print."""
    lines = [step.command for step in example.steps]
    for step, done in zip(example.steps, trying.run(lines, Look(unicode=True)), strict=True):
        yield step.reply, done.printed


def write(page: Page) -> None:
    """Put what its examples print into the page."""

    def anew(match: re.Match[str]) -> str:
        commands = [line[2:] for line in match[2].splitlines() if line.startswith("> ")]
        body = "".join(
            f"> {done.line}\n{done.printed}\n" if done.printed else f"> {done.line}\n"
            for done in trying.run(commands, Look(unicode=True))
        )
        return f"{match[1]}{body}```"

    file = DATA / ("topics" if page.topic else "commands") / f"{page.stem}.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"^(```streamcli[^\n]*\n)(.*?)^```", anew, text, flags=re.M | re.S), encoding="utf-8")


def main() -> int:
    """Check the pages that are named, or all."""
    words = [word for word in sys.argv[1:] if word != "--write"]
    chosen = [page for page in pages.every() if not words or page.stem in words or f"topics/{page.stem}" in words]
    bad = 0
    if "--write" in sys.argv:
        for page in chosen:
            write(page)
        pages.command.cache_clear()
        pages.topic.cache_clear()
        chosen = [(pages.topic if page.topic else pages.command)(page.name) or page for page in chosen]
    for page in chosen:
        for fault in faults(page):
            bad += 1
            print(f"{page.stem}: {fault}")
    print(f"{len(chosen)} pages, {bad} faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
