"""The shell's own commands: `.format json`, `.source FILE`, and the bare words `help`, `clear`, `exit`, `quit`.

VERBS is the one list of them: the prompt runs, completes and explains them from
it. Each is a function of the Shell and its words that prints, or changes the
shell; what it raises as a VerbError is one line for the user.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from streamcli.render import FORMATS
from streamcli.shell.line import segments
from streamcli.text import visible
from streamcli.tools import TOOLS, tool

if TYPE_CHECKING:
    from streamcli.shell.completer import Completion
    from streamcli.shell.line import Line
    from streamcli.shell.names import Known
    from streamcli.shell.repl import Shell

_ON_OFF = ("on", "off")
_FILES_MAX, _FILES_SHOWN = 10_000, 100  # of a folder: looked at, and offered
_SOURCES_MAX = 16  # files that source files


class VerbError(Exception):
    """A verb was not carried out; the text is one line."""


class Verb(NamedTuple):
    """`usage` is what follows the name; `choices` what its first word may be; `files`: it is the name of one."""

    name: str
    usage: str
    summary: str
    run: Callable[[Shell, list[str]], int | None]
    choices: tuple[str, ...] = ()
    files: bool = False


def find(words: tuple[bytes, ...]) -> Verb | None:
    """The verb that a line names, or None. Raises VerbError for a word with a dot that names none."""
    if not words:
        return None
    first = words[0].decode("utf-8", "replace").lower()
    if first.startswith(".") and len(first) > 1:
        verb = named(first[1:])
        if verb is None:
            near = _near(first[1:], (*VERBS, *TOOLS)).replace("mean ", "mean .")
            raise VerbError(f"no such command of the shell: {visible(first)}{near or ' (.help lists them)'}")
        return verb
    return BARE.get(first)


def named(name: str) -> Verb | None:
    """The verb of that name, without its dot: one of the shell's own, or a tool."""
    if name not in TOOLS:
        return VERBS.get(name)
    from streamcli.shell import jobs

    usage = f"[OPTIONS] {tool(name).usage}"
    return Verb(name, usage, TOOLS[name].summary, lambda shell, words: jobs.run(shell, name, words))


def run(shell: Shell, verb: Verb, words: tuple[bytes, ...]) -> int:
    """Carry out a verb: the exit code of the line. Raises VerbError."""
    given = [word.decode("utf-8", "surrogateescape") for word in words[1:]]
    if verb.choices and given and not verb.files and given[0].lower() not in verb.choices and "|" in verb.usage:
        takes = ", ".join(verb.choices)
        raise VerbError(f".{verb.name} takes {takes}, not {visible(given[0])}{_near(given[0].lower(), verb.choices)}")
    return verb.run(shell, given) or 0


def completions(
    line: Line, cursor: int, profiles: tuple[str, ...] = (), *, files: bool = True, known: Known | None = None
) -> list[Completion]:
    """What may be typed at a line that is for the shell; `files`: names of files may be looked up.

    `known` are the names that a tool's words may be.
    """
    from streamcli.shell.completer import Completion

    index = line.at(cursor)
    typed = line.text[line.words[index].start : cursor] if index < len(line.words) else ""
    start = cursor - len(typed)
    if index == 0:
        names = [(f".{verb.name}", verb.summary) for verb in VERBS.values()]
        names += [(f".{name}", found.summary) for name, found in TOOLS.items()]
        return [Completion(name, start, name, note, "meta") for name, note in names if name.startswith(typed.lower())]
    first = line.argv[0].decode("latin-1").lower()
    if first[:1] == "." and first[1:] in TOOLS:
        from streamcli.shell.jobs import offers, takes_file

        before = [word.decode("utf-8", "surrogateescape") for word in line.argv[1:index]]
        looks = typed[:1] in ("/", ".", "~") or (typed[:1] not in ("-", "@") and takes_file(first[1:], before))
        offered = offers(first[1:], before, typed, known)
        found = [Completion(text, start, visible(text), note, kind) for text, note, kind in offered] + [
            Completion(path, start, visible(path), "", "meta") for path in (_paths(typed) if files and looks else ())
        ]
        if typed[:1] == "@":
            at = [f"@{name}" for name in profiles]
            return [Completion(name, start, name, "", "meta") for name in at if name.startswith(typed)]
        return found
    verb = VERBS.get(first.removeprefix("."))
    if verb is None or index > 1:
        return []
    choices = [*verb.choices]
    if verb.name == "connect":
        choices += [f"@{name}" for name in profiles]
    found = [Completion(choice, start, choice, "", "meta") for choice in choices if choice.startswith(typed)]
    return found + [
        Completion(path, start, visible(path), "", "meta") for path in (_paths(typed) if verb.files and files else ())
    ]


def _paths(typed: str) -> Iterator[str]:
    """Files and folders that go on like this, some of them."""
    folder, prefix = os.path.split(typed)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            some = islice(entries, _FILES_MAX)
            found = [one for one in some if one.name.startswith(prefix) and (prefix or not one.name.startswith("."))]
            shown = sorted(found, key=lambda one: one.name)[:_FILES_SHOWN]
            names = [one.name + ("/" if one.is_dir() else "") for one in shown]
    except OSError:
        return
    for name in names:
        if name.isprintable() and not set(" '\"\\|<>") & set(name):
            yield os.path.join(folder, name)


def _near(given: str, names: Iterable[str]) -> str:
    from streamcli.shell.config import near

    return near(given, names, 0.6)


# -- what the verbs do ----------------------------------------------------------------------


def _switch(name: str) -> Callable[[Shell, list[str]], None]:
    def switch(shell: Shell, words: list[str]) -> None:
        if words:
            setattr(shell.prefs, name, words[0].lower() == "on")
        shell.tell(f"{name} {'on' if getattr(shell.prefs, name) else 'off'}")

    return switch


def _format(shell: Shell, words: list[str]) -> None:
    if words:
        shell.prefs.format, shell.prefs.format_chosen = words[0].lower(), True
    shell.tell(f"format {shell.prefs.format}")


def _keys(shell: Shell, words: list[str]) -> None:
    if words:
        shell.prefs.keys = words[0].lower()
    shell.tell(f"keys {shell.prefs.keys}")


def _pager(shell: Shell, words: list[str]) -> None:
    if words:
        chosen = " ".join(words)
        shell.prefs.pager = None if chosen.lower() == "on" else "" if chosen.lower() == "off" else chosen
    command = shell.pager_command()
    if words and command is None and shell.prefs.pager != "":
        raise VerbError(f"no such pager: {visible(shell.prefs.pager or 'less')}; replies go to the screen")
    shell.tell(f"pager {'off' if command is None else visible(command)}")


def _connect(shell: Shell, words: list[str]) -> None:
    if len(words) != 1:
        raise VerbError("connect to what? .connect FILE, URL, HOST:PORT, :memory: or @PROFILE")
    shell.connect(words[0])


def _source(shell: Shell, words: list[str]) -> int:
    if len(words) != 1:
        raise VerbError("run which file? .source takes one FILE")
    if shell.sourcing >= _SOURCES_MAX:
        raise VerbError(f"{visible(words[0])} was not run: {_SOURCES_MAX} files run each other already")
    try:
        with open(os.path.expanduser(words[0]), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            text = file.read().removeprefix("\ufeff").replace("\r\n", "\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise VerbError(f"cannot read {visible(words[0])}: {reason.lower()}") from None
    shell.sourcing += 1
    try:
        at, number = 0, 1
        for start, end in segments(text):
            number += text.count("\n", at, start)
            at = start
            code = 1  # unless it comes to its end
            try:
                code = shell.run(text[start:end], f"{words[0]}:{number}: ")
            finally:
                if code and text[end:].strip():
                    shell.tell(f"{words[0]}:{number}: the lines behind this one were not run")
            if code or shell.session.left:
                return code
        return 0
    finally:
        shell.sourcing -= 1


def _history(shell: Shell, words: list[str]) -> None:
    if words and words[0].lower() == "clear":
        if not shell.agrees(f".history clear forgets all {len(shell.history.entries):,} lines"):
            return
        shell.history.clear()
        shell.tell("history is empty")
        return
    if (words and not words[0].isascii()) or (words and not words[0].isdigit()):
        raise VerbError(f".history takes a number of lines or clear, not {visible(words[0])}")
    entries = shell.history.entries
    count = min(int(words[0][:9]) if words else 20, len(entries))
    first = len(entries) - count
    shell.answer(
        f"{number:>5}  {visible(entry)}".replace("\n", "\n       ")
        for number, entry in enumerate(entries[first:], first + 1)
    )


def _help(shell: Shell, words: list[str]) -> int:
    """`.help` alone lists the verbs; with words it is `help`."""
    name = words[0].lower().removeprefix(".") if len(words) == 1 else ""
    if name in TOOLS:
        from streamcli.tools.usage import usage

        shell.answer(usage(name, tool(name), ".", shell.options.width))
        return 0
    verb = VERBS.get(name)
    if verb is not None and (words[0].startswith(".") or verb.name != "help"):
        shell.answer([f".{verb.name} {verb.usage}".rstrip(), f"  {verb.summary}."])
        return 0
    if words:
        return _pages(shell, words)
    shell.answer(_overview(shell.options.width))
    return 0


def _pages(shell: Shell, words: list[str]) -> int:
    from streamcli.shell.help import NoPageError, answer

    try:
        shell.answer(answer(words, shell.session.options))
    except NoPageError as error:
        raise VerbError(str(error)) from None
    return 0


def _try(shell: Shell, words: list[str]) -> int:
    from streamcli.shell.help import NoPageError
    from streamcli.shell.trying import tried

    try:
        shell.answer(tried(words, shell.session.options))
    except NoPageError as error:
        raise VerbError(str(error)) from None
    return 0


def _explain(shell: Shell, words: list[str]) -> None:
    from streamcli.shell.explain import explain, words_of
    from streamcli.shell.guide import now_ms
    from streamcli.words import SplitError

    if not words:
        raise VerbError("explain what? .explain XREAD COUNT 2 STREAMS a 0")
    try:
        argv = words_of([word.encode("utf-8", "surrogateescape") for word in words])
    except SplitError as error:
        raise VerbError(f"the line cannot be read: {error.fault.text}") from None
    shell.answer(explain(argv, shell.session.options, now_ms()))


def _overview(width: int | None) -> Iterator[str]:
    """What `.help` lists, folded to the width of the screen."""
    from textwrap import wrap

    width = max(40, min(width or 120, 120))

    def rows(pairs: Iterable[tuple[str, str]], column: int) -> Iterator[str]:
        for name, text in pairs:
            lines = wrap(text, max(20, width - column)) or [""]
            if len(name) + 2 > column:
                yield name
            else:
                yield f"{name:{column}}{lines.pop(0)}"
            yield from (" " * column + line for line in lines)

    yield "the shell's own commands:"
    yield from rows(
        ((f"  .{verb.name} {verb.usage}".rstrip(), verb.summary) for verb in VERBS.values()), 32 if width < 100 else 52
    )
    yield ""
    yield from wrap("tools for streams, which are words of the command line, too (.tail --help says more):", width)
    yield from rows(((f"  .{name}", found.summary) for name, found in TOOLS.items()), 14)
    yield ""
    yield from rows(
        (
            ("after", "any command: | SHELL COMMAND, > FILE or >> FILE (a bare | or > in data is written in quotes)"),
            (
                "keys",
                "Tab completes, Right takes the suggestion, Ctrl-R searches the history, Alt-Enter makes a new line, "
                "Ctrl-X Ctrl-E (vi: v) opens the editor, Ctrl-C drops the line or ends a wait, Ctrl-D leaves, "
                "F1 is help on the word at the cursor",
            ),
            ("help", "shows what there is to read; help xadd is a command's page, help ids a topic's"),
        ),
        7,
    )


def _clear(shell: Shell, words: list[str]) -> None:
    shell.clear()


def _quit(shell: Shell, words: list[str]) -> None:
    shell.session.left = True


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("help", "[COMMAND|TOPIC|WORDS]", "List these, or show a page of the help", _help),
        Verb("explain", "COMMAND LINE", "Say what each word of a command means", _explain),
        Verb("try", "COMMAND|TOPIC [N]", "Run an example of a page on streams of its own", _try),
        Verb("format", "[" + "|".join(FORMATS) + "]", "How replies are shown", _format, FORMATS),
        Verb("timing", "[on|off]", "Show how long a command took", _switch("timing"), _ON_OFF),
        Verb("hints", "[on|off]", "Show the hint line, and advice after errors", _switch("hints"), _ON_OFF),
        Verb("pager", "[on|off|COMMAND]", "What shows a reply that is taller than the screen", _pager),
        Verb("keys", "[emacs|vi]", "How keys edit the line", _keys, ("emacs", "vi")),
        Verb("connect", "FILE|URL|HOST:PORT|@PROFILE", "Go to other streams", _connect, (":memory:",), files=True),
        Verb("source", "FILE", "Run the lines of a file", _source, files=True),
        Verb("history", "[N|clear]", "Show the last lines, or forget them all", _history),
        Verb("clear", "", "Clear the screen", _clear),
        Verb("quit", "", "Leave", _quit),
        Verb("exit", "", "Leave", _quit),
    )
}
BARE: dict[str, Verb] = {  # these work without their dot
    "help": Verb("help", "[COMMAND|TOPIC|@GROUP|WORDS]", "Show a page of the help, or search it", _pages),
    **{name: VERBS[name] for name in ("clear", "quit", "exit")},
    "?": VERBS["help"],
}
