"""The command: what to run, on what, and with which exit code.

0 all went well; 1 a command answered with an error; 2 wrong usage; 3 cannot
connect, or open the database; 130 interrupted; 141 nobody reads the output any
more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from streamcli import opening
from streamcli import settings as options
from streamcli.backend import UnreachableError
from streamcli.flags import UnreadError, UsageError
from streamcli.shell.output import Output, PipeClosedError, encode_ascii, takes_utf8, wait_for, wants_color, width_in
from streamcli.shell.session import FAILED, OK, USAGE, Session
from streamcli.tools import TOOLS

if TYPE_CHECKING:
    import click

    from streamcli.backend import Backend
    from streamcli.flags import Flag
    from streamcli.render import Options
    from streamcli.settings import Settings
    from streamcli.shell.config import Config

UNREACHABLE, INTERRUPTED, PIPE_CLOSED = 3, 130, 141  # beside those of a line
_CHUNK = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def main() -> NoReturn:
    """Run `sys.argv` and leave with its exit code."""
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    output = Output(sys.stdout.fileno(), ascii=sys.stdout.isatty() and not takes_utf8(sys.stdout))
    try:
        code = _run(sys.argv[1:], output)
        output.flush()
    except KeyboardInterrupt:
        _show_what_was_answered(output)
        code = INTERRUPTED
    except PipeClosedError:
        code = PIPE_CLOSED
    except OSError as error:
        _complain(f"streamcli: cannot write the output: {_reason(error)}")
        code = FAILED
    except Exception as error:  # a fault of ours, or a database that no check has found to be damaged
        if os.environ.get("STREAMCLI_DEBUG"):
            raise
        _show_what_was_answered(output)
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        _complain(f"streamcli: internal error, please report it ({what}); STREAMCLI_DEBUG=1 shows where")
        code = FAILED
    if code == INTERRUPTED and sys.stderr is not None and sys.stderr.isatty():
        _complain("")  # the terminal has just shown ^C; what comes next begins a line
    sys.exit(code)


def _show_what_was_answered(output: Output) -> None:
    """Replies to writes that are done must not get lost with the one that is not."""
    with suppress(OSError, PipeClosedError):
        output.flush()


def _complain(line: str) -> None:
    """A line for whoever reads the errors, with nothing in it that could steer a terminal."""
    from streamcli.text import visible

    try:
        text = visible(line.replace("\n", "\\n"))
        utf8 = takes_utf8(sys.stderr)
        os.write(
            sys.stderr.fileno(), (text.encode("utf-8", "backslashreplace") if utf8 else encode_ascii(text)) + b"\n"
        )
    except (AttributeError, OSError, ValueError):
        pass  # there is nobody left to tell


def _run(args: list[str], output: Output) -> int:
    try:
        return _start(options.read(args), output)
    except UnreadError:
        return _with_click(args, output)
    except UsageError as error:
        return _usage(str(error))


def _start(settings: Settings, output: Output) -> int:
    _hide_secrets(settings)
    if settings.verb is not None:
        return _run_verb(settings.verb, settings, output)
    interactive = _is_interactive(settings)
    terminal = sys.stdout.isatty()
    asked, config = settings, None
    if not settings.no_config and (interactive or settings.profile is not None or terminal):
        from streamcli.shell import config as files

        config = files.of(os.environ)
        if interactive or settings.profile is not None:
            for warning in config.warnings:
                _complain(warning)
        settings = options.with_profile(settings, config)
    chosen = settings.format or (config.format if config is not None and terminal else None)
    chosen = chosen or _default_format(terminal)
    address = opening.address_of(settings, asks=interactive)
    try:
        backend = opening.backend(settings, address, None if interactive else chosen)
    except UnreachableError as error:
        _complain(f"streamcli: {error}")
        return UNREACHABLE
    if interactive:
        return _prompt(settings, asked, config, backend, output)
    backend.on_wait = lambda waiting: output.flush()
    session = Session(backend, chosen, _options(terminal), output, _complain, settings.read_only)
    backend.on_note = session.say
    try:
        return _run_all(settings, backend, session, output)
    finally:
        backend.close()


def _hide_secrets(settings: Settings) -> None:
    """Whoever lists the processes of this machine is to see no password of a flag, or of a command."""
    flags = (settings.url, settings.password, settings.sentinel_password)
    lines = [line for line in (*settings.execute, b" ".join(settings.words)) if _may_hold_secret(line)]
    if not lines and not any(flags):
        return
    from streamcli import title

    found = []
    if lines:
        from streamcli.shell.secrets import spans

        for line in lines:
            text = os.fsdecode(line)
            found += [text[start:end].strip("\"'") for start, end in spans(text)]
    title.hide(flags, found)


def _may_hold_secret(line: bytes) -> bool:
    """Is it worth while to import what looks for secrets? It costs a start more than the rest of this."""
    lower = line[:_CHUNK].lower()
    return any(word in lower for word in (b"auth", b"pass", b"setuser"))


def _is_interactive(settings: Settings) -> bool:
    """Is there somebody to ask for lines?"""
    given = settings.words or settings.execute or settings.file
    return not given and sys.stdin is not None and sys.stdin.isatty()


def _default_format(terminal: bool) -> str:
    return "tree" if terminal else "raw"


def _options(terminal: bool, piped: int | None = None) -> Options:
    from streamcli.render import Options

    return Options(
        color=wants_color(terminal, os.environ),
        unicode=takes_utf8(sys.stdout),
        width=os.get_terminal_size(sys.stdout.fileno()).columns if terminal else piped,
        terminal=terminal,
    )


# -- the prompt -------------------------------------------------------------------------------


def _prompt(settings: Settings, asked: Settings, config: Config | None, backend: Backend, output: Output) -> int:
    """Ask for lines until the user leaves. `asked` are the settings without those of a profile."""
    from streamcli.shell import history
    from streamcli.shell.config import Config
    from streamcli.shell.repl import Prefs, Shell

    config = config or Config()
    terminal = sys.stdout.isatty()
    chosen = settings.format or (config.format if terminal else None) or _default_format(terminal)
    shell = Shell(
        backend,
        _options(terminal),
        output,
        _errors(),
        Prefs(chosen, settings.format is not None, config, config.confirm and not settings.yes),
        config,
        history.History(history.path(os.environ) if config.history else None),
        lambda target: opening.go_to(target, asked, config),
        settings.read_only,
    )
    try:
        return shell.loop()
    finally:
        shell.backend.close()


def _errors() -> Output:
    """Standard error, or nowhere when it is closed."""
    if sys.stderr is None:
        return Output(os.open(os.devnull, os.O_WRONLY))
    return Output(sys.stderr.fileno(), ascii=not takes_utf8(sys.stderr))


# -- verbs ------------------------------------------------------------------------------------


def _run_verb(verb: str, settings: Settings, output: Output) -> int:
    """`help` and `explain`, which need no database, `serve`, and the tools."""
    if verb in TOOLS:
        from streamcli import tooling

        return tooling.run(verb, settings, output, _options(sys.stdout.isatty()), _complain)
    if verb == "serve":
        from streamcli import serving

        return serving.run(settings, _complain)
    from streamcli.shell import sinks
    from streamcli.shell.help import NoPageError, answer

    words = [os.fsdecode(word) for word in settings.words[1:]]
    if words == ["--help"]:  # as of the other verbs
        verb, words = "help", [] if verb == "help" else [verb]
    if verb == "explain":
        return _explain(settings, output)
    terminal = sys.stdout.isatty()
    source = settings.format == options.SOURCE
    if ["--format", options.SOURCE] in (words[:2], words[-2:]):  # where people write it, too
        words, source = [word for word in words if word not in ("--format", options.SOURCE)], True
    try:
        chunks = answer(words, _options(terminal, width_in(os.environ)), source=source)
    except NoPageError as error:
        _complain(str(error))
        return FAILED
    pager = sinks.pager_command(None, os.environ) if terminal and os.environ.get("TERM") != "dumb" else None
    sinks.paged(output, chunks, pager, os.environ)
    return OK


def _explain(settings: Settings, output: Output) -> int:
    """0, or 1 for a line that would be answered with an error, so that scripts can check lines before they run them."""
    from streamcli.backend.embedded import now_ms
    from streamcli.grammar.parse import parse
    from streamcli.shell.explain import explain, words_of
    from streamcli.words import SplitError

    if len(settings.words) < 2:
        return _usage("explain what? streamcli explain 'XREAD COUNT 2 STREAMS a 0'")
    try:
        argv = words_of(settings.words[1:])
    except SplitError as error:
        return _usage(f"the line cannot be read: {error.fault.text}")
    output.lines(explain(argv, _options(sys.stdout.isatty(), width_in(os.environ)), now_ms()))
    return FAILED if parse(argv).problems else OK


# -- running ----------------------------------------------------------------------------------


def _run_all(settings: Settings, backend: Backend, session: Session, output: Output) -> int:
    if settings.words:
        words = settings.words
        if settings.last_from_stdin:
            if sys.stdin is None:
                return _usage("-x reads standard input, which is closed")
            words = (*words, sys.stdin.buffer.read())
        code = session.run_words(words)
    elif settings.execute:
        code = _run_lines(iter(settings.execute), "", settings, session)
    else:
        code = OK
        for file in settings.file or ("-",):
            one = _run_file(file, settings, session, output)
            code = code or one
            if one and not settings.continue_on_error:
                break
    if backend.queued is not None:
        output.flush()
        stopped = code != OK and not settings.continue_on_error  # before whatever EXEC there may be
        _complain(f"streamcli: the transaction was not run{'' if stopped else ': EXEC is missing'}")
        return code or FAILED
    return code


def _run_file(file: str, settings: Settings, session: Session, output: Output) -> int:
    """Run the lines of a file; errors say the file and the line."""
    try:
        if file == "-":
            if sys.stdin is None:
                return _usage("standard input is closed")
            return _run_from(sys.stdin.fileno(), "line ", settings, session, output)
        descriptor = os.open(file, os.O_RDONLY)
        try:
            return _run_from(descriptor, f"{file}:", settings, session, output)
        finally:
            os.close(descriptor)
    except ReadError as error:
        return _usage(f"cannot read {'standard input' if file == '-' else file}: {error}")
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        return _usage(f"cannot read {file}: {_reason(error)}")


def _run_from(descriptor: int, source: str, settings: Settings, session: Session, output: Output) -> int:
    """Run what a file or a pipe has; on a server without waiting for each reply."""
    if session.backend.server is not None:
        from streamcli.shell import batch

        run = batch.of(session, source, keep_going=settings.continue_on_error)
        if run is not None:
            return run.run(_lines_of(descriptor, lambda: _is_at_hand(descriptor) or run.pause()))

    def pause() -> bool:
        output.flush()
        return True

    return _run_lines(_lines_of(descriptor, pause), source, settings, session)


def _run_lines(lines: Iterator[bytes], source: str, settings: Settings, session: Session) -> int:
    """Run lines until one fails, or all of them: the code of the first that failed."""
    code = OK
    for number, line in enumerate(lines, 1):
        one = session.run(line, f"{source}{number}: " if source else "")
        code = code or one
        if session.left or (one and not settings.continue_on_error):
            break
    return code


class ReadError(Exception):
    """The lines cannot be read; the text says why."""


def _read(descriptor: int) -> bytes:
    """What there is to read, once there is something; nothing at the end. Raises ReadError."""
    while True:
        try:
            return os.read(descriptor, _CHUNK)
        except BlockingIOError:
            wait_for(descriptor)
        except OSError as error:
            raise ReadError(_reason(error)) from None


def _reason(error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return (error.strerror or str(error)).lower()


def _is_at_hand(descriptor: int) -> bool:
    """Is there something to read, or the end?"""
    import select

    return bool(select.select([descriptor], [], [], 0)[0])


def _lines_of(descriptor: int, pause: Callable[[], bool]) -> Iterator[bytes]:
    """The lines as they arrive; before more is waited for, `pause` shows what was answered, or says: enough."""
    pieces: list[bytes] = []
    start: bytes | None = b""  # as long as it may be the beginning of a byte order mark
    while pause():
        chunk = _read(descriptor)
        ended = not chunk
        if start is not None:
            start += chunk
            if not ended and len(start) < len(_BOM) and _BOM.startswith(start):
                continue
            chunk, start = start.removeprefix(_BOM), None
        if ended:
            pieces.append(chunk)
            if any(pieces):
                yield b"".join(pieces)
            return
        *whole, rest = chunk.split(b"\n")
        if whole:
            yield b"".join([*pieces, whole[0]])
            yield from whole[1:]
            pieces = []
        pieces.append(rest)


# -- usage: click's part ------------------------------------------------------------------------


def _usage(text: str) -> int:
    _complain(f"streamcli: {text} (see streamcli --help)")
    return USAGE


def _with_click(args: list[str], output: Output) -> int:
    """Help, the version, and saying what is wrong with a command line."""
    import click

    try:
        with _command().make_context("streamcli", list(args)) as context:
            values = {
                key: value
                for key, value in context.params.items()
                if value is not None and value is not False and value != ()
            }
            words = values.pop("words", ())
            values = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
            return _start(options.make(values, words), output)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        return _usage(plain(error.format_message()))
    except UsageError as error:
        return _usage(str(error))


def plain(message: str) -> str:
    """click's sentence as one line; it shows words by `repr`, where a byte that is no text looks like a surrogate."""
    import re

    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", message.rstrip(".").replace("\n", " "))


def _context() -> click.Context:
    import click

    return click.Context(_command(), info_name="streamcli")


def _command() -> click.Command:
    """The command line as click knows it, made from OPTIONS."""
    import click

    from streamcli import __version__

    class Command(click.Command):
        def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
            """The options group by group, as OPTIONS has them."""
            shown = {parameter.opts[0]: parameter.get_help_record(context) for parameter in self.get_params(context)}
            with formatter.section("Words that are no commands of Redis (each with --help)"):
                formatter.write_dl([(name, text.rstrip(".")) for name, text in options.VERBS])
            titled = [(title, [flag.names[0] for flag in flags]) for title, flags in options.GROUPS]
            for title, names in [*titled, ("Help", ["--version", "--help"])]:
                with formatter.section(title):
                    formatter.write_dl([record for name in names if (record := shown[name]) is not None])

    command = Command(
        "streamcli",
        params=[*map(click_option, options.OPTIONS), click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"allow_interspersed_args": False, "help_option_names": ["--help"]},
        options_metavar="[OPTIONS]",
        help=(
            "Redis Streams, on one file or on a server: a prompt, or commands from words, lines, files or a pipe.\n\n"
            "\b\n"
            "  streamcli XADD a '*' city 'New York'\n"
            "  streamcli -e 'XREAD COUNT 2 STREAMS a 0'\n"
            "  streamcli -f setup.redis\n"
            "  generate | streamcli --format jsonl\n"
            "  streamcli                              (the prompt)\n"
            "  streamcli -h 127.0.0.1 -p 6379         (on a server)\n"
            "  streamcli help xread                   (what there is to read)\n"
            "  streamcli explain 'XREAD STREAMS a $'  (what each word means)"
        ),
        epilog="Exit codes: 0 ok, 1 a command failed, 2 wrong usage, 3 cannot connect or open, "
        "130 interrupted, 141 nobody reads the output.",
    )
    click.version_option(__version__, prog_name="streamcli", message="%(prog)s %(version)s")(command)
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            parameter.metavar = "[@PROFILE] [COMMAND [WORD]...]"
    return command


def click_option(flag: Flag) -> click.Option:
    import click

    if flag.value is None:
        return click.Option([*flag.names, flag.key], is_flag=True, flag_value=flag.sets, default=None, help=flag.help)
    kind: click.ParamType[Any] | Callable[[str], float] | None = None
    if flag.choices:
        kind = click.Choice(flag.choices)
    elif flag.seconds:
        kind = _seconds
    elif flag.number is not None:
        kind = click.IntRange(*flag.number)
    metavar = "|".join(flag.choices) if flag.choices else flag.value
    return click.Option([*flag.names, flag.key], type=kind, multiple=flag.repeats, metavar=metavar, help=flag.help)


def _seconds(given: str) -> float:
    """For click: what `settings.read` does by itself."""
    import click

    from streamcli.times import seconds

    if (time := seconds(given)) is None:
        raise click.BadParameter(f"{given!r} is not a number of seconds such as 2.5.")
    return time
