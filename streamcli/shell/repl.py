"""The interactive shell: asks for lines and runs them, until the user leaves.

Puts the rooms together: the prompt that shows what the guide knows, the session
that runs a command, and what is done for a person only: questions, advice,
pager, pipes, history, what comes next.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from streamcli import words
from streamcli.grammar.parse import Call
from streamcli.reply import Error, Reply
from streamcli.shell import line as lines
from streamcli.shell import meta
from streamcli.shell.guide import LineGuide, now_ms
from streamcli.shell.output import Output, PipeClosedError
from streamcli.shell.patience import Patient
from streamcli.shell.plain import PlainPrompt
from streamcli.shell.replies import Replies, interruptible
from streamcli.shell.secrets import hidden, masked
from streamcli.shell.session import OK, USAGE, Session
from streamcli.shell.sinks import SinkError
from streamcli.shell.tty import Terminal
from streamcli.shell.vocabulary import in_force
from streamcli.shell.waiting import Watch
from streamcli.text import visible

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


class _EndedError(Exception):
    """A signal has ended the prompt."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


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
        self.session.tell = self.tell
        self.session.parse = lambda argv: in_force().parse(argv)
        self.guide = LineGuide(self)
        self.open = open
        self._trouble_said: str | None = None
        self._prompt: Prompt | PlainPrompt | None = None
        self._line: lines.Line | None = None
        self._started: Mapping[bytes, bytes] = {}
        self._took_ms = 0.0
        self._dumb = not options.terminal or environment.get("TERM") in (None, "", "dumb")
        screen = sys.stderr is not None and sys.stderr.isatty()  # where waits are drawn and errors coloured
        self._colored = options.color and screen
        self.draws_waits = screen and not self._dumb
        self._watch = Watch(errors.descriptor, redraw=self.draws_waits, color=self._colored, before=output.flush)
        self._terminal = Terminal(sys.stdin.fileno())
        self._replies = Replies(
            self.session, self._terminal, environment, self.pager_command, self.tell, dumb=self._dumb
        )
        self._interrupted = False
        self._db = backend.db
        self._looks = self._patient(backend)
        self._attend(backend)

    def _attend(self, backend: Backend) -> None:
        """Hear what a backend has to say."""
        backend.on_wait, backend.on_note = self._watch.waits, self.tell
        self._looks.close()
        self._looks = self._patient(backend)
        self.session.browse = self._looks.browse

    def _patient(self, backend: Backend) -> Patient:
        return Patient(backend, lambda: self._interrupted, self._watch.shows, self._watch.hide)

    @property
    def backend(self) -> Backend:
        return self.session.backend

    # -- asking for lines ----------------------------------------------------------------

    def loop(self) -> int:
        """Until the user leaves: the exit code."""
        gc.freeze()  # what was made for the start stays: no keystroke is to wait for a look at all of it
        with self._signals(), nullcontext() if self._dumb else self._terminal.quiet():
            text: str | None = ""
            try:
                while text is not None and not self.session.left:
                    text = self._one(text)
            except _EndedError as ended:
                raise SystemExit(ended.code) from None
            self._leave()
        return OK

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C is noted, and obeyed where that does no harm; an end from outside leaves the terminal as it was."""
        before = [
            (number, signal.signal(number, handler))
            for number, handler in (
                (signal.SIGINT, self._interrupt),
                (signal.SIGTERM, self._end),
                (signal.SIGHUP, self._end),
            )
        ]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """A signal at the prompt drops the line; between two prompts it ends what is not begun yet."""
        self._interrupted = True
        if self._prompt is not None and not isinstance(self._prompt, PlainPrompt):
            self._prompt.interrupt()

    def _end(self, number: int, frame: FrameType | None) -> None:
        """Leave; a prompt that is drawn is asked to, so that it can clear up behind itself."""
        prompt = self._prompt
        if prompt is None or isinstance(prompt, PlainPrompt) or not prompt.end(_EndedError(128 + number)):
            raise SystemExit(128 + number)

    def _one(self, text: str) -> str | None:
        """Ask for one line and run it: what the next one begins as, None when that was the last."""
        try:
            typed = self._ask(text)
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None
        self._interrupted = False
        try:
            return self._take(typed)
        except KeyboardInterrupt:
            self.session.say("")
        except (PipeClosedError, _EndedError):
            raise
        except Exception as error:  # a fault of ours in one line is no reason to lose the session
            if self.environment.get("STREAMCLI_DEBUG"):
                raise
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            self.session.say(f"internal error, please report it ({what}); STREAMCLI_DEBUG=1 shows where")
        return ""

    def _ask(self, text: str) -> str | Paste:
        if self._prompt is None:
            self._prompt = self._make_plain_prompt() if self._dumb else self._make_prompt()
        self._say_history_trouble()
        if isinstance(self._prompt, PlainPrompt):
            self._prompt.prefix = self.guide.prefix_text()
            with interruptible():
                return self._prompt.ask(text)
        self._prompt.show_hints = self.prefs.hints
        self._prompt.keys(self.prefs.keys)
        return self._prompt.ask(text)

    def _make_plain_prompt(self) -> PlainPrompt:
        self.guide.learn_words()
        return PlainPrompt("", self.output if self.options.terminal else self.errors)

    def _make_prompt(self) -> Prompt:
        from streamcli.shell.prompt import Prompt
        from streamcli.shell.style import depth, style

        prompt = Prompt(self.guide, self.history.load(), style(self.config.colors), depth(self.options.color))
        self.guide.watch_names(prompt.names_came)
        return prompt

    def _take(self, typed: str | Paste) -> str:
        """Run what was typed: what the next line begins as. Raises KeyboardInterrupt and PipeClosedError."""
        text = typed if isinstance(typed, str) else typed.text
        commands = lines.commands(text) if "\n" in text else [text]
        try:
            if not isinstance(typed, str) or len(commands) > 1:
                return self._run_paste(commands)
            for command in commands:
                self._remember(command)
                self._run_one(command)
        except OSError as error:
            self.session.say(f"cannot write the output: {(error.strerror or str(error)).lower()}")
        return ""

    def _run_one(self, text: str) -> int:
        code = self.run(text)
        self.output.flush()
        return code

    def _run_paste(self, commands: list[str]) -> str:
        """Ask once, then run the commands in order, up to one that fails: what was not run is kept to be edited."""
        assert self._prompt is not None
        for command in commands[:_PASTE_SHOWN]:
            self.tell(f"  {_excerpt(command)}")
        if len(commands) > _PASTE_SHOWN:
            self.tell(f"  ... and {len(commands) - _PASTE_SHOWN:,} more")
        self.output.flush()
        answer = self._prompt.answer(f"Run these {len(commands):,} commands? [Y/n] ")
        if answer is None:
            self.session.say("not done")
            return ""
        if not _yes(answer, default=True):
            return "\n".join(commands)
        for number, command in enumerate(commands, 1):
            self._remember(command)
            self.tell(f"{self.guide.prefix_text()}{_excerpt(command)}")
            try:
                code = self._run_one(command)
            except KeyboardInterrupt:
                self._interrupted, code = True, OK
            if self.session.left:
                break
            if (code or self._was_interrupted) and number < len(commands):
                what = "was interrupted" if self._was_interrupted else "failed"
                self.session.say(f"command {number:,} of {len(commands):,} {what}; the rest was not run")
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
        self._say_unfinished()
        self.output.flush()

    def _say_unfinished(self) -> None:
        """What is left of a transaction when its backend is left."""
        if self.backend.queued is not None:
            self.session.say("the transaction was not run: EXEC is missing")

    # -- running -------------------------------------------------------------------------

    def run(self, text: str, place: str = "") -> int:
        """Run one command as it was typed: its exit code."""
        self._line = line = lines.read(text) if len(text) <= lines.ANALYSED_MAX else lines.Line(text)
        self.guide.next_line = None
        self._looks.begin()
        if text.lstrip()[:1] == "#":
            return OK
        if not line.words and line.tail is not None:
            return self._wrong(f"{place}there is no command before the {line.tail.kind}")
        if not line.words and line.fault is None:
            return OK
        if line.fault is not None:
            at = len(lines.in_bytes(text[: line.fault.at]))
            self.session.point(words.SplitError(lines.in_bytes(masked(text)), words.Fault(at, line.fault.text)), place)
            return USAGE
        if line.tail is not None and not line.tail.target:
            return self._wrong(f"{place}what is to be run behind the {line.tail.kind}?")
        try:
            verb = meta.find(line.argv)
            return self._replies.run(
                line.tail,
                lambda: self._run_words(line, verb, place),
                self.prefs.format,
                chosen=self.prefs.format_chosen,
            )
        except (meta.VerbError, ConnectError, SinkError) as error:
            return self._wrong(f"{place}{error}")

    def _run_words(self, line: lines.Line, verb: meta.Verb | None, place: str) -> int:
        if verb is not None:
            return meta.run(self, verb, line.argv)
        code = self.session.run_words(line.argv, place)
        if self.prefs.timing:
            self.tell(f"{self._took_ms:.2f} ms")
        return code

    def pager_command(self) -> str | None:
        """What shows a long reply; None for nothing."""
        from streamcli.shell.sinks import pager_command

        return pager_command(self.prefs.pager, self.environment)

    # -- around a command: the session's hooks ----------------------------------------------

    def _may_run(self, call: Call) -> bool:
        """Look up what must be known beforehand, and ask about what cannot be undone."""
        from streamcli.shell.following import last_ids, marks

        browse = self._looks.browse
        keys = marks(call)
        self._started = last_ids(browse, keys) if keys else {}
        on_server = self.backend.server is not None
        writes = call.command is not None and call.command.writes
        if not self.prefs.confirm or not (writes or on_server) or self._prompt is None:
            return not self._interrupted
        from streamcli.shell.elsewhere import stakes_there
        from streamcli.shell.guard import stakes

        stake = stakes(call, browse, now_ms(), self.backend.db)
        if stake is None and on_server:
            stake = stakes_there(call, browse)
        if stake is None and self._queue_writes_to_keys_of(call):
            stake = stakes(call, _blind, now_ms(), self.backend.db)  # what will be there by EXEC nobody knows yet
        if stake is None or self._interrupted:
            return not self._interrupted
        return self.agrees(stake)

    def agrees(self, stake: str) -> bool:
        """Ask whether to go on; without a question where nobody wants any."""
        if not self.prefs.confirm or self._prompt is None:
            return True
        self.output.flush()
        if _yes(self._prompt.answer(f"{visible(stake)}. Go on? [y/N] "), default=False):
            return True
        self.session.say("not done")
        return False

    def _queue_writes_to_keys_of(self, call: Call) -> bool:
        keys = _keys(call)
        queued = self.session.queued if self.backend.queued else []
        return any(one.command is not None and one.command.writes and keys & _keys(one) for one in queued)

    @property
    def _was_interrupted(self) -> bool:
        return self._interrupted or self._watch.interrupted

    @contextmanager
    def _over(self, call: Call) -> Iterator[None]:
        writes = call.command is None or call.command.writes or self.backend.queued is not None
        began = time.perf_counter()
        try:
            with self._watch.over(writes=writes, stop=lambda: self.backend.stop(writes=writes)):
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
        advice = advise(call, error, self.backend.browse, self._line, indent, self.backend.server)
        if advice:
            self.tell(advice)

    # -- for the verbs ---------------------------------------------------------------------

    def connect(self, target: str) -> None:
        """Go to another backend. Raises ConnectError, and then nothing has changed."""
        missing = target[:1] not in ("@", ":") and not os.path.exists(os.path.expanduser(target))
        with interruptible():  # a server may take its time
            backend, read_only = self.open(target)
        self._say_unfinished()
        self.backend.close()
        self._attend(backend)
        self.session.move_to(backend, read_only)
        self._db = backend.db
        self.guide.reset()
        new = missing and backend.server is None
        self.tell(f"now at {visible(backend.target)}{', which is new' if new else ''}")

    def answer(self, chunks: Iterable[str]) -> None:
        """Lines that are what was asked for: a pipe or a file gets them, too."""
        self.session.show(iter(chunks))

    @property
    def has_screen(self) -> bool:
        """May the whole terminal be drawn on by what runs now?"""
        return not self._dumb and self._replies.on_screen

    def help(self, words: list[str]) -> None:
        """Show the help on some words, from a key."""
        try:
            meta.BARE["help"].run(self, words)
        except meta.VerbError as error:
            self.session.say(str(error))
        self.output.flush()

    def tell(self, line: str) -> None:
        """A dimmed line about what goes on."""
        self._aside(line, "2")

    def clear(self) -> None:
        """An empty screen."""
        if self._prompt is not None and not isinstance(self._prompt, PlainPrompt):
            self.output.text("\x1b[H\x1b[2J")
            self.output.flush()

    def _complain(self, line: str) -> None:
        self._aside(line, "31")

    def _aside(self, line: str, color: str) -> None:
        """A line beside the answers, after what was answered before it; a secret that was typed is not repeated."""
        self._watch.hide()
        self.output.flush()
        text = visible(hidden(line, self._line.text if self._line is not None else ""))
        with suppress(OSError, PipeClosedError):  # nobody hears
            self.errors.lines([f"\x1b[{color}m{text}\x1b[0m" if self._colored and text else text])
            self.errors.flush()

    def _wrong(self, text: str) -> int:
        self.session.say(text)
        return USAGE


def _blind(argv: Sequence[bytes]) -> Reply:
    return Error("ERR not known yet")


def _keys(call: Call) -> set[bytes]:
    return {word for word, role in zip(call.argv, call.roles, strict=False) if role is not None and role.kind == "key"}


def _excerpt(command: str, width: int = 100) -> str:
    """A command as one short line, without its secrets."""
    shown = visible(masked(command)).replace("\n", "\\n")
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."


def _yes(answer: str | None, *, default: bool) -> bool:
    word = "no" if answer is None else answer.strip().lower()
    return word in ("y", "yes") or (default and not word)
