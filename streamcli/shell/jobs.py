"""`.tail a`, `.groups` ...: how the prompt runs a tool, completes its words and shows how it is used.

A tool has a session of its own beside the user's, so that no open transaction
and nothing watched is disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from streamcli.backend import LostError, UnreachableError
from streamcli.flags import Flag, UsageError, take
from streamcli.render import FORMATS
from streamcli.shell.output import Live
from streamcli.tools import tool as tool_of
from streamcli.tools.job import INTERRUPTED, OK, UNREACHABLE, Given, Job, Tool, ToolError

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.shell.names import Known
    from streamcli.shell.repl import Shell

_USAGE = 2
_FORMAT = Flag(("--format",), "format", "How answers are shown.", "FORMAT", choices=FORMATS)
_YES = Flag(("-y", "--yes"), "yes", "Do not ask before what cannot be undone.")
_KINDS = {"CONSUMER": "consumer", "GROUP": "group", "STREAM": "key", "FIELD": "field", "NAMES": "field"}
_CHOSEN_BY_NAME = ("json", "jsonl", "csv")  # formats that a redirection's file name says


def flags_of(tool: Tool) -> tuple[Flag, ...]:
    """The options that may stand behind a tool's name at the prompt."""
    own = {flag.key for flag in tool.flags}
    return (*tool.own_flags, *(flag for flag in (_FORMAT, _YES) if flag.key == "format" or flag.key not in own))


def run(shell: Shell, name: str, words: list[str]) -> int:
    """Run a tool for the user of a shell: its exit code."""
    from streamcli.shell.replies import interruptible

    tool = tool_of(name)
    if "--help" in words[: words.index("--") if "--" in words else None]:
        from streamcli.tools.usage import usage

        shell.answer(usage(name, tool, ".", shell.options.width))
        return OK
    try:
        values, plain = take(flags_of(tool), words, anywhere=True)
        given = Given([word.encode("utf-8", "surrogateescape") for word in plain], values)
        tool.check(given.words)
        if shell.session.read_only and tool.changes(given):
            raise ToolError("it writes, and this session is read-only; --dry-run is allowed")
        job = _job(shell, given)
        try:
            with interruptible():
                return tool.run(job, given)
        finally:
            job.close()
            if tool.writes:
                shell.guide.reset()  # names may have come and gone
    except UsageError as error:
        shell.session.say(f".{name}: {error} (.{name} --help says more)")
        return _USAGE
    except ToolError as error:
        shell.session.say(f".{name}: {error}")
        return error.code
    except (LostError, UnreachableError) as error:
        shell.session.say(f".{name}: {error}")
        return UNREACHABLE
    except KeyboardInterrupt:
        shell.session.say("")
        return INTERRUPTED


def _job(shell: Shell, given: Given) -> Job:
    by_name = shell.session.format if shell.session.format in _CHOSEN_BY_NAME else None
    chosen = shell.prefs.format if shell.prefs.format_chosen else by_name
    on_screen = shell.has_screen
    return Job(
        _Prompt(shell, asks=not given.on("yes")),
        given.text("format") or chosen,
        shell.session.options,
        shell.environment,
        screen=on_screen,
        prompt=True,
        read_only=shell.session.read_only,
        errors=shell.errors.descriptor if shell.draws_waits else None,
    )


class _Prompt:
    """The World of a tool at a prompt."""

    def __init__(self, shell: Shell, *, asks: bool) -> None:
        self._shell, self._asks = shell, asks
        self._live: Live | None = None

    def backend(self) -> Backend:
        backend = self._shell.backend.beside()
        backend.on_note = self._shell.tell
        return backend

    def show(self, chunks: Iterable[str], *, live: bool) -> None:
        self._live = Live(iter(chunks)) if live else None
        self._shell.session.show(self._live or iter(chunks))

    def unread(self) -> bool:
        return self._live is not None and self._live.unread

    def say(self, line: str) -> None:
        self._shell.tell(line)

    def open(self, target: str, *, writes: bool) -> Backend:
        return opened(target, writes, self._shell.open)

    def agrees(self, question: str) -> bool:
        return not self._asks or self._shell.agrees(question)


def opened(target: str, writes: bool, go_to: Callable[[str], tuple[Backend, bool]]) -> Backend:
    """The backend of another place, for a tool. Raises ToolError."""
    from streamcli.shell.repl import ConnectError

    try:
        backend, read_only = go_to(target)
    except ConnectError as error:
        raise ToolError(str(error), UNREACHABLE) from None
    if writes and read_only:
        backend.close()
        raise ToolError(f"{target} is read-only, as its profile says")
    return backend


# -- completion -----------------------------------------------------------------------------


def offers(name: str, before: list[str], typed: str, known: Known | None) -> Iterator[tuple[str, str, str]]:
    """What may stand at a word of a tool's line: text, note, kind. `before` are the words between it and the name."""
    tool = tool_of(name)
    flags = flags_of(tool)
    by_name = {one: flag for flag in flags for one in flag.names}
    plain: list[str] = []
    wanted: Flag | None = None
    for word in before:
        if wanted is not None:
            wanted = None
        elif word in by_name and by_name[word].value is not None:
            wanted = by_name[word]
        elif word[:1] != "-" or word == "-":
            plain.append(word)
    if wanted is not None:
        kind = _KINDS.get(wanted.value or "", "")
        if wanted.value == "NAME" and len(plain) > 2:  # of a group's pending entries: who, or where to
            kind = "key" if plain[2] == "dead-letter" else "consumer"
        yield from ((choice, "", "meta") for choice in wanted.choices if choice.startswith(typed))
        yield from _named(kind, plain, known, typed)
        return
    if typed[:1] == "-":
        said = {by_name[word].key for word in before if word in by_name}
        for flag in flags:
            if flag.repeats or flag.key not in said:
                yield from ((one, flag.help, "option") for one in flag.names[-1:] if one.startswith(typed))
        return
    if tool.roles and (tool.most is None or len(plain) < tool.most):
        role = tool.roles[min(len(plain), len(tool.roles) - 1)]
        role = "pending" if role == "id" and len(plain) > 2 else role
        if "|" in role:
            yield from ((choice, "", "meta") for choice in role.split("|") if choice.startswith(typed))
        else:
            yield from _named(role, plain, known, typed)


def takes_file(name: str, before: list[str]) -> bool:
    """May a file's name stand behind these words of a tool's line?"""
    tool = tool_of(name)
    flags = {one: flag for flag in flags_of(tool) for one in flag.names}
    last = flags.get(before[-1]) if before else None
    if last is not None and last.value is not None:
        return last.value in ("FILE", "TARGET")
    plain = sum(word[:1] != "-" for word in before)
    return bool(tool.roles) and tool.roles[min(plain, len(tool.roles) - 1)] in ("file", "target")


def _named(role: str, plain: list[str], known: Known | None, typed: str) -> Iterator[tuple[str, str, str]]:
    """Names of what there is, of the streams and groups that were named before."""
    from itertools import islice

    from streamcli.shell.completer import MOST
    from streamcli.shell.line import shown

    if known is None:
        return
    words = [word.encode("utf-8", "surrogateescape") for word in plain]
    before, comma, typed = typed.rpartition(",") if role == "field" else ("", "", typed)
    prefix = typed.strip("\"'").encode("utf-8", "surrogateescape")
    names: Iterable[bytes] = ()
    if role == "key":
        names = known.keys(prefix).matching(prefix, MOST)
    elif role == "group" and words:
        names = known.groups(words[0])
    elif role == "consumer" and len(words) > 1:
        names = known.consumers(words[0], words[1])
    elif role == "field" and words:
        names = known.fields(words[0])
    elif role == "pending" and len(words) > 1:
        names = [one.id for one in known.pending(words[0], words[1]) if one.id not in words]
    for name in islice((name for name in names if name.startswith(prefix)), MOST):
        yield before + comma + shown(name), "", role
