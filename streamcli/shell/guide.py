"""What the prompt shows beside the line: its prefix, colours, hints, completions, suggestions.

Brings the pure functions of the painter, the hints and the completer together
with what is known of this session: names, history, what comes next. Nothing
here waits for anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from streamcli.grammar.parse import Call
from streamcli.reply import Error, Reply
from streamcli.shell import line as lines
from streamcli.shell.secrets import hidden, masked, spans
from streamcli.shell.vocabulary import Learner, in_force
from streamcli.text import visible

if TYPE_CHECKING:
    from streamcli.shell.completer import Completion
    from streamcli.shell.meta import Verb
    from streamcli.shell.names import Names
    from streamcli.shell.prompt import Fragments
    from streamcli.shell.repl import Shell

_LOG_IN = (b"AUTH", b"HELLO")
_TARGET_MAX = 24  # characters of a target, or a user, in the prompt
_REPLICA = ("replica", "slave")
_QUEUED_MAX = 40  # characters of a queued command in the hint line


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


class LineGuide:
    """The prompt's `Guide`."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._names: Names | None = None
        self._learner: Learner | None = None
        self._names_came: Callable[[], None] = lambda: None
        self.next_line: str | None = None  # the continuation of the last command

    # -- names ------------------------------------------------------------------------------

    def watch_names(self, came: Callable[[], None]) -> None:
        """From now on names are looked up; `came` hears when there are new ones."""
        self._names_came = came
        self.learn_words()

    def learn_words(self) -> None:
        """Have what the backend knows of commands in force."""
        if self._learner is None:
            self._learner = Learner(_cache_folder(self._shell.environment), self._names_came)
        self._learner.learn(self._shell.backend)

    @property
    def names(self) -> Names:
        if self._names is None:
            from streamcli.shell.names import Names

            self._names = Names(self._browse, self._names_came)
        return self._names

    def _browse(self, argv: Iterable[bytes]) -> Reply:
        return self._shell.backend.browse(tuple(argv))

    def reset(self) -> None:
        """Another backend, or another database: what was known is not known any more."""
        self.next_line = None
        if self._learner is not None:
            self._learner.learn(self._shell.backend)
        if self._names is not None:
            self._names.reset(self._browse)

    def stop(self) -> None:
        if self._learner is not None:
            self._learner.stop()
            self._learner = None
        if self._names is not None:
            self._names.stop()
            self._names = None

    def answered(
        self, line: lines.Line | None, call: Call, reply: Reply, started: Mapping[bytes, bytes], db_changed: bool
    ) -> None:
        """A command was answered: what may come next, and which names may have changed."""
        from streamcli.shell.following import following

        in_force().hear(call, reply)
        logs_in = call.argv[0].upper() in _LOG_IN and not isinstance(reply, Error)
        if self._learner is not None and self._learner.learn(self._shell.backend, again=logs_in):
            db_changed = True  # another server, or other rights: no name is known any more
        if line is not None:
            self.next_line = following(line, reply, started)
        if db_changed:
            self.reset()
        elif self._names is not None:
            self._names.noticed(call, reply)
            if call.command is None or call.command.writes or call.command.name == "EXEC":
                self._names.forget(call)

    # -- the Guide of the prompt --------------------------------------------------------------

    def prefix(self) -> Fragments:
        shell = self._shell
        target = _short(shell.backend.target)
        fragments = [("class:prompt", target)]
        if shell.backend.user is not None:
            fragments.insert(0, ("class:prompt", f"{_short(shell.backend.user)}@"))
        if shell.backend.db:
            fragments.append(("class:prompt.db", f"[{shell.backend.db}]"))
        if shell.backend.queued is not None:
            fragments.append(("class:prompt.multi", f"(MULTI {shell.backend.queued or ''}".rstrip() + ")"))
        if shell.backend.server is not None and shell.backend.server.role in _REPLICA:
            fragments.append(("class:prompt.replica", "(replica)"))
        if shell.session.read_only:
            fragments.append(("class:prompt.read-only", "(read-only)"))
        fragments.append(("class:prompt", "> "))
        return fragments

    def prefix_text(self) -> str:
        """The prefix as it is written where there are no colours."""
        return "".join(text for _, text in self.prefix())

    def painted(self, text: str, cursor: int) -> Fragments:
        from streamcli.shell.lexer import paint

        if len(text) > lines.ANALYSED_MAX:
            return [("", text)]
        parts = lines.segments(text) if "\n" in text else [(0, len(text))]
        painted: Fragments = []
        at = 0
        for start, end in parts:
            if start > at:
                painted.append(("", text[at:start]))
            painted += paint(lines.read(text[start:end]), cursor - start)
            at = end
        if at < len(text):
            painted.append(("", text[at:]))
        return painted

    def hints(self, text: str, cursor: int, width: int) -> list[Fragments]:
        from streamcli.shell.hints import fit, hint

        segment, at, _ = _segment(text, cursor)
        if not segment.strip():
            return [[("class:hint.idle", self._idle(width)[:width])]]
        if len(segment) > lines.ANALYSED_MAX:
            return [[("class:hint.idle", f"{len(segment):,} characters: too many to be explained"[:width])]]
        line = lines.read(segment)
        verb = self._verb(line)
        if verb is not None:
            usage, summary = f".{verb.name} {verb.usage}"[:width], verb.summary[:width]
            return [[("class:hint.usage", usage)], [("class:hint.meaning", summary)]]
        if line.meta:
            return [[("class:hint.idle", ".help lists the shell's own commands"[:width])]]
        found = hint(line, at, now_ms())
        if found is None:
            return []
        kind = "class:hint.problem" if found.problem else "class:hint.meaning"
        means = self._cut(hidden(found.meaning, segment), width)
        return [list(fit(found.usage, width, ascii=not self._unicode)), [(kind, means)]]

    @property
    def _unicode(self) -> bool:
        return self._shell.options.unicode

    def _idle(self, width: int) -> str:
        if self._shell.backend.queued is not None:
            return self._queue(width)
        return ".help lists the shell's own commands; Tab completes; Ctrl-D leaves"

    def _queue(self, width: int) -> str:
        """What the open transaction has collected; what was queued last stays in sight."""
        queued = self._shell.session.queued
        if not queued:
            return self._cut("a transaction is open: EXEC runs what is queued, DISCARD forgets it", width)
        between, more = (" · ", "… · ") if self._unicode else (", ", "..., ")
        shown = ""
        for index in range(len(queued) - 1, -1, -1):
            text = self._cut(_typed(queued[index].argv[:_QUEUED_MAX]), _QUEUED_MAX)
            longer = f"{text}{between}{shown}" if shown else text
            if shown and len("queued: ") + (len(more) if index else 0) + len(longer) > width:
                return f"queued: {more}{shown}"
            shown = longer
        return self._cut(f"queued: {shown}", width)

    def _cut(self, text: str, width: int) -> str:
        text = visible(text).replace("\n", " ")
        more = "…" if self._unicode else "..."
        return text if len(text) <= width else text[: max(0, width - len(more))] + more

    def _verb(self, line: lines.Line) -> Verb | None:
        from streamcli.shell import meta

        try:
            return meta.find(line.argv)
        except meta.VerbError:
            return None

    def offers(self, text: str, cursor: int, *, asked: bool = True) -> list[Completion]:
        from streamcli.shell.completer import complete
        from streamcli.shell.meta import completions

        segment, at, start = _segment(text, cursor)
        if len(segment) > lines.ANALYSED_MAX:
            return []
        line = lines.read(segment)
        if segment.lstrip()[:1] == "." or self._verb(line) is not None:
            found = completions(line, at, tuple(self._shell.config.profiles), files=asked, known=self.names)
        else:
            found = complete(line, at, self.names, now_ms())
        return [offer._replace(start=offer.start + start) for offer in found]

    def suggestion(self, text: str) -> str | None:
        if self.next_line is not None and self.next_line.startswith(text):
            return None if spans(self.next_line) else self.next_line  # what is suggested is shown as it is
        return self._shell.history.suggest(text) if text.strip() else None

    def show_help(self, text: str, cursor: int) -> None:
        from streamcli.shell.help import at_word

        segment, at, _ = _segment(text, cursor)
        words = at_word(lines.read(segment), at) if len(segment) <= lines.ANALYSED_MAX else []
        self._shell.help(words)


def _cache_folder(environment: Mapping[str, str]) -> str | None:
    """Where what can be asked for again is kept; None without a home."""
    from streamcli.folders import folder

    try:
        return folder(environment, "XDG_CACHE_HOME", ".cache")
    except OSError:
        return None


def _typed(argv: Sequence[bytes]) -> str:
    """A command as one would type it, without its secrets; long words are cut, which are for nobody to read here."""
    return masked(" ".join([lines.shown(word[:_QUEUED_MAX]) for word in argv]))


def _short(name: str) -> str:
    """A name as the prompt has it."""
    name = visible(name).replace("\n", "\\n")
    return name if len(name) <= _TARGET_MAX else f"{name[: _TARGET_MAX - 3]}..."


def _segment(text: str, cursor: int) -> tuple[str, int, int]:
    """The command that the cursor is in, where in it the cursor is, and where in the text it begins."""
    if "\n" not in text:
        return text, cursor, 0
    for start, end in lines.segments(text):
        if start <= cursor <= end:
            return text[start:end], cursor - start, start
    return "", 0, cursor
