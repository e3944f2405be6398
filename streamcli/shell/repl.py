"""The interactive shell: asks for lines and runs them, until the user leaves.

Puts the rooms together: the prompt that shows what the guide knows, the session
that runs a command, and what is done for a person only: questions, advice,
pager, pipes, history, what comes next.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from streamcli import words
from streamcli.grammar.parse import Call
from streamcli.render.text import visible
from streamcli.reply import Error, Reply
from streamcli.shell import line as lines
from streamcli.shell import meta
from streamcli.shell.guide import LineGuide, now_ms
from streamcli.shell.output import Output
from streamcli.shell.plain import PlainPrompt
from streamcli.shell.session import FAILED, OK, USAGE, Session
from streamcli.shell.tty import Terminal
from streamcli.shell.waiting import Watch

if TYPE_CHECKING:
    from types import FrameType

    from streamcli.backend import Backend
    from streamcli.render import Options
    from streamcli.shell.config import Config
    from streamcli.shell.history import History
    from streamcli.shell.keys import Paste
    from streamcli.shell.prompt import Prompt

_PASTE_SHOWN = 4  # lines of a paste that are shown before it is run


class ConnectError(Exception):
    """`.connect` leads nowhere; the text is one line."""


class Prefs:
    """What `.format`, `.timing` and the others change; begins as the config file and the flags say."""

    def __init__(self, format: str, format_chosen: bool, config: Config, confirm: bool) -> None:
        self.format, self.format_chosen = format, format_chosen
        self.timing, self.hints, self.keys = config.timing, config.hints, config.keys
        self.pager = config.pager  # None: the environment's; "": none
        self.confirm = confirm


class Shell:
    """One user at one terminal. `open` gives the backend of a target that is named to `.connect`."""

    def __init__(
        self,
        backend: Backend,
        options: Options,
        output: Output,
        errors: Output,
        prefs: Prefs,
        config: Config,
        history: History,
        open: Callable[[str], tuple[Backend, bool]],
        read_only: bool = False,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.prefs, self.config, self.history, self.environment = prefs, config, history, environment
        self.output, self.errors, self.options, self.sourcing = output, errors, options, 0
        self.session = Session(backend, prefs.format, options, output, self._complain, read_only)
        self.session.may_run = self._may_run
        self.session.advise = self._advise
        self.session.answered = self._answered
        self.session.over = self._over
        self.guide = LineGuide(self)
        self._open = open
        self._trouble_said: str | None = None
        self._prompt: Prompt | PlainPrompt | None = None
        self._line: lines.Line | None = None
        self._started: Mapping[bytes, bytes] = {}
        self._took_ms = 0.0
        self._dumb = not options.terminal or environment.get("TERM") in (None, "", "dumb")
        self._watch = Watch(sys.stderr.fileno(), redraw=not self._dumb, color=options.color, before=output.flush)
        self._terminal = Terminal(sys.stdin.fileno())
        self._db = backend.db
        backend.on_wait = self._watch.waits

    @property
    def backend(self) -> Backend:
        return self.session.backend

    # -- asking for lines ----------------------------------------------------------------

    def loop(self) -> int:
        """Until the user leaves: the exit code."""
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            with nullcontext() if self._dumb else self._terminal.quiet():
                text: str | None = ""
                while text is not None and not self.session.left:
                    text = self._one(text)
                self._leave()
        finally:
            signal.signal(signal.SIGINT, before)
        return OK

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        """A signal at the prompt drops the line; between two prompts there is nothing to end."""
        if self._prompt is not None and not isinstance(self._prompt, PlainPrompt):
            self._prompt.interrupt()

    def _one(self, text: str) -> str | None:
        """Ask for one line and run it: what the next one begins as, None when that was the last."""
        try:
            typed = self._ask(text)
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None
        try:
            with _interruptible():
                return self._take(typed)
        except KeyboardInterrupt:
            self.session.say("")
        return ""

    def _ask(self, text: str) -> str | Paste:
        if self._prompt is None:
            self._prompt = self._make_plain_prompt() if self._dumb else self._make_prompt()
        self._say_history_trouble()
        if isinstance(self._prompt, PlainPrompt):
            self._prompt.prefix = self.guide.prefix_text()
            with _interruptible():
                return self._prompt.ask(text)
        self._prompt.show_hints = self.prefs.hints
        self._prompt.keys(self.prefs.keys)
        return self._prompt.ask(text)

    def _make_plain_prompt(self) -> PlainPrompt:
        return PlainPrompt("", self.output if self.options.terminal else self.errors)

    def _make_prompt(self) -> Prompt:
        from streamcli.shell.prompt import Prompt
        from streamcli.shell.style import depth, style

        prompt = Prompt(self.guide, self.history.load(), style(self.config.colors), depth(self.options.color))
        self.guide.watch_names(prompt.names_came)
        return prompt

    def _take(self, typed: str | Paste) -> str:
        """Run what was typed: what the next line begins as. Raises KeyboardInterrupt and PipeClosedError."""
        try:
            if isinstance(typed, str):
                self._remember(typed)
                self._run_one(typed)
                return ""
            return self._run_paste(typed.text)
        except OSError as error:
            self.session.say(f"cannot write the output: {(error.strerror or str(error)).lower()}")
        return ""

    def _run_one(self, text: str) -> int:
        code = self.run(text)
        self.output.flush()
        return code

    def _run_paste(self, text: str) -> str:
        """Ask once, then run the commands in order, up to one that fails: what was not run is kept to be edited."""
        assert self._prompt is not None
        commands = lines.commands(text)
        for command in commands[:_PASTE_SHOWN]:
            self.tell(f"  {_excerpt(command)}")
        if len(commands) > _PASTE_SHOWN:
            self.tell(f"  ... and {len(commands) - _PASTE_SHOWN:,} more")
        self.output.flush()
        if not _yes(self._prompt.answer(f"Run these {len(commands):,} commands? [Y/n] "), default=True):
            return text
        for number, command in enumerate(commands, 1):
            self._remember(command)
            self.tell(f"{self.guide.prefix_text()}{_excerpt(command)}")
            code = self._run_one(command)
            if self.session.left:
                break
            if (code or self._watch.interrupted) and number < len(commands):
                self.session.say(f"command {number:,} of {len(commands):,} failed; the rest was not run")
                return "\n".join(commands[number:])
        return ""

    def _say_history_trouble(self) -> None:
        """Once: a history that cannot be kept is no reason not to work."""
        if self.history.trouble and self.history.trouble != self._trouble_said:
            self._trouble_said = self.history.trouble
            self._complain(self.history.trouble)

    def _remember(self, text: str) -> None:
        before = len(self.history.entries)
        self.history.append(text)
        if self._prompt is not None and len(self.history.entries) != before:
            self._prompt.remember(text)

    def _leave(self) -> None:
        self.guide.stop()
        if self.backend.queued is not None:
            self.session.say("the transaction was not run: EXEC is missing")
        self.output.flush()

    # -- running -------------------------------------------------------------------------

    def run(self, text: str, place: str = "") -> int:
        """Run one command as it was typed: its exit code."""
        self._line = line = lines.read(text) if len(text) <= lines.ANALYSED_MAX else lines.Line(text)
        self.guide.next_line = None
        if text.lstrip()[:1] == "#" or not line.words:
            if line.tail is not None:
                return self._wrong(f"{place}there is no command before the {line.tail.kind}")
            if line.fault is None:
                return OK
        if line.fault is not None:
            at = len(lines.in_bytes(text[: line.fault.at]))
            self.session.point(words.SplitError(lines.in_bytes(text), words.Fault(at, line.fault.text)), place)
            return USAGE
        try:
            verb = meta.find(line.argv)
            return self._run_into(line, lambda: self._run_words(line, verb, place))
        except (meta.VerbError, ConnectError) as error:
            return self._wrong(f"{place}{error}")

    def _run_words(self, line: lines.Line, verb: meta.Verb | None, place: str) -> int:
        if verb is not None:
            return meta.run(self, verb, line.argv)
        code = self.session.run_words(line.argv, place)
        if self.prefs.timing:
            self.tell(f"{self._took_ms:.2f} ms")
        return code

    def _run_into(self, line: lines.Line, run: Callable[[], int]) -> int:
        """Run with the replies going where the line says, or to the screen."""
        from streamcli.shell import sinks

        session, tail = self.session, line.tail
        session.format = self.prefs.format
        session.show = self._on_screen
        session.options = self.options
        if tail is None:
            return run()
        if not tail.target:
            return self._wrong(f"what is to be run behind the {tail.kind}?")
        if not self.prefs.format_chosen:
            session.format = sinks.format_for(tail)
        session.options = _plain(self.options)
        codes: list[int] = []

        def show(chunks: Iterator[str]) -> None:
            self.output.flush()
            if tail.kind == "|":
                with self._terminal.lent():
                    codes.append(sinks.through(tail.target, chunks))
                self._begin_a_line()
            else:
                sinks.into_file(tail, chunks)

        session.show = show
        try:
            code = run()
        except sinks.SinkError as error:
            return self._wrong(str(error))
        finally:
            session.show, session.options = self._on_screen, self.options
        return code or (FAILED if any(codes) else OK)

    def _begin_a_line(self) -> None:
        """Go to the next line, unless at the beginning of one: nobody knows what another program has left."""
        if not self._dumb:
            self.output.text(" " * os.get_terminal_size(sys.stdout.fileno()).columns + "\r\x1b[K")

    def _on_screen(self, chunks: Iterator[str]) -> None:
        from streamcli.shell.sinks import paged

        command = self.pager_command() if self.options.terminal else None
        with self._terminal.lent():
            paged(self.output, chunks, command, self.environment)

    def pager_command(self) -> str | None:
        """What shows a long reply; None for nothing."""
        from streamcli.shell.sinks import pager_command

        return pager_command(self.prefs.pager, self.environment)

    # -- around a command: the session's hooks ----------------------------------------------

    def _may_run(self, call: Call) -> bool:
        """Look up what must be known beforehand, and ask about what cannot be undone."""
        from streamcli.shell.following import last_ids, marks

        keys = marks(call)
        self._started = last_ids(self.backend.browse, keys) if keys else {}
        if not self.prefs.confirm or call.command is None or not call.command.writes or self._prompt is None:
            return True
        from streamcli.shell.guard import stakes

        stake = stakes(call, self.backend.browse, now_ms(), self.backend.db)
        if stake is None:
            return True
        self.output.flush()
        if _yes(self._prompt.answer(f"{visible(stake)}. Go on? [y/N] "), default=False):
            return True
        self.session.say("not sent")
        return False

    @contextmanager
    def _over(self, call: Call) -> Iterator[None]:
        writes = call.command is not None and (call.command.writes or self.backend.queued is not None)
        began = time.perf_counter()
        try:
            with self._watch.over(writes=writes):
                yield
        finally:
            self._took_ms = (time.perf_counter() - began) * 1000

    def _answered(self, call: Call, reply: Reply) -> None:
        moved, self._db = self.backend.db != self._db, self.backend.db
        self.guide.answered(self._line, call, reply, self._started, moved)

    def _advise(self, call: Call, error: Error) -> None:
        if not self.prefs.hints:
            return
        from streamcli.shell.advice import advise

        indent = len(self.guide.prefix_text()) if not self.sourcing else 0
        advice = advise(call, error, self.backend.browse, self._line, indent)
        if advice:
            self.tell(advice)

    # -- for the verbs ---------------------------------------------------------------------

    def connect(self, target: str) -> None:
        """Go to another backend. Raises ConnectError, and then nothing has changed."""
        backend, read_only = self._open(target)
        if self.backend.queued is not None:
            self.session.say("the transaction was not run: EXEC is missing")
        self.backend.close()
        backend.on_wait = self._watch.waits
        self.session.backend, self.session.read_only, self._db = backend, read_only, backend.db
        self.guide.reset()
        self.tell(f"now at {visible(backend.target)}")

    def answer(self, chunks: Iterable[str]) -> None:
        """Lines that are what was asked for: a pipe or a file gets them, too."""
        self.session.show(iter(chunks))

    def tell(self, line: str) -> None:
        """A dimmed line about what goes on."""
        self._aside(line, "2")

    def clear(self) -> None:
        """An empty screen."""
        if self._prompt is not None and not isinstance(self._prompt, PlainPrompt):
            self._prompt.app.renderer.clear()

    def _complain(self, line: str) -> None:
        self._aside(line, "31")

    def _aside(self, line: str, color: str) -> None:
        """A line beside the answers, after what was answered before it."""
        self.output.flush()
        text = visible(line)
        self.errors.lines([f"\x1b[{color}m{text}\x1b[0m" if self.options.color and text else text])
        self.errors.flush()

    def _wrong(self, text: str) -> int:
        self.session.say(text)
        return USAGE


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _plain(options: Options) -> Options:
    """For a pipe or a file: no colours, nothing fitted to a screen."""
    from streamcli.render import Options

    return Options(unicode=options.unicode)


def _excerpt(command: str, width: int = 100) -> str:
    """A command as one short line, without its secrets."""
    from streamcli.shell.secrets import spans

    text = list(command)
    for start, end in spans(command):
        text[start:end] = "*" * (end - start)
    shown = visible("".join(text)).replace("\n", "\\n")
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."


def _yes(answer: str, *, default: bool) -> bool:
    word = answer.strip().lower()
    return word in ("y", "yes") or (default and not word)
