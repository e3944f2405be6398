"""The command: what to run, on what, and with which exit code.

0 all went well; 1 a command answered with an error; 2 wrong usage; 3 cannot
open the database; 130 interrupted; 141 nobody reads the output any more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from streamcli import settings as options
from streamcli.shell.output import Output, PipeClosedError, encode_ascii, takes_utf8, wait_for, wants_color
from streamcli.shell.session import FAILED, OK, USAGE, Session

if TYPE_CHECKING:
    import click

    from streamcli.backend.embedded import Embedded
    from streamcli.render import Options
    from streamcli.settings import Flag, Settings
    from streamcli.shell.config import Config

UNREACHABLE, INTERRUPTED, PIPE_CLOSED = 3, 130, 141  # beside those of a line
_CHUNK = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def main() -> NoReturn:
    """Run `sys.argv` and leave with its exit code."""
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    output = Output(sys.stdout.fileno(), ascii=sys.stdout.isatty() and not takes_utf8(sys.stdout.encoding))
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
        utf8 = takes_utf8(sys.stderr.encoding)
        os.write(
            sys.stderr.fileno(), (text.encode("utf-8", "backslashreplace") if utf8 else encode_ascii(text)) + b"\n"
        )
    except (AttributeError, OSError, ValueError):
        pass  # there is nobody left to tell


def _run(args: list[str], output: Output) -> int:
    try:
        return _start(options.read(args), output)
    except options.UnreadError:
        return _with_click(args, output)
    except options.UsageError as error:
        return _usage(str(error))


def _start(settings: Settings, output: Output) -> int:
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
    try:
        backend = _open(settings)
    except UnreachableError as error:
        _complain(f"streamcli: {error}")
        return UNREACHABLE
    if interactive:
        return _prompt(settings, asked, config, backend, output)
    backend.on_wait = lambda waiting: output.flush()
    chosen = settings.format or (config.format if config is not None and terminal else None)
    session = Session(
        backend, chosen or _default_format(terminal), _options(terminal), output, _complain, settings.read_only
    )
    try:
        return _run_all(settings, backend, session, output)
    finally:
        backend.close()


def _is_interactive(settings: Settings) -> bool:
    """Is there somebody to ask for lines?"""
    given = settings.words or settings.execute or settings.file
    return not given and sys.stdin is not None and sys.stdin.isatty()


# -- opening --------------------------------------------------------------------------------


class UnreachableError(Exception):
    """There is no backend; the text is one line."""


def _open(settings: Settings) -> Embedded:
    """The backend. Raises UnreachableError."""
    from streamcli.backend.embedded import Embedded
    from streamcli.engine import OpenError

    try:
        path = None if settings.memory else settings.db
        if path is None and not settings.memory:
            path = options.data_file(os.environ)
    except OSError as error:
        raise UnreachableError(f"cannot make the data folder: {_reason(error)}: {error.filename}") from None
    if settings.read_only and path is not None and path != ":memory:" and not os.path.exists(path):
        raise UnreachableError(f"there is no database to read: {path}")
    try:
        backend = Embedded(path, durable=settings.durability == "full")
    except OpenError as error:
        raise UnreachableError(str(error)) from None
    if settings.number:
        backend.execute((b"SELECT", b"%d" % settings.number))
    if settings.protocol == 3:
        backend.execute((b"HELLO", b"3"))
    return backend


def _default_format(terminal: bool) -> str:
    return "tree" if terminal else "raw"


def _options(terminal: bool) -> Options:
    from streamcli.render import Options

    return Options(
        color=wants_color(terminal, os.environ),
        unicode=takes_utf8(sys.stdout.encoding),
        width=os.get_terminal_size(sys.stdout.fileno()).columns if terminal else None,
        terminal=terminal,
    )


# -- the prompt -------------------------------------------------------------------------------


def _prompt(settings: Settings, asked: Settings, config: Config | None, backend: Embedded, output: Output) -> int:
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
        lambda target: _go_to(target, asked, config),
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
    return Output(sys.stderr.fileno(), ascii=not takes_utf8(sys.stderr.encoding))


def _go_to(target: str, settings: Settings, config: Config) -> tuple[Embedded, bool]:
    """The backend of a target named at the prompt, and whether it is to be read only. Raises ConnectError."""
    from streamcli.shell.repl import ConnectError

    if "://" in target:
        raise ConnectError("servers cannot be reached yet; name a file, :memory: or a @PROFILE")
    bare = settings._replace(db=None, memory=False, number=None, profile=None)
    try:
        if target[:1] == "@":
            there = options.with_profile(bare._replace(profile=target[1:]), config)
        else:
            there = bare._replace(memory=target == ":memory:", db=os.path.expanduser(target))
        return _open(there), there.read_only
    except (options.UsageError, UnreachableError) as error:
        raise ConnectError(str(error)) from None


# -- verbs ------------------------------------------------------------------------------------


def _run_verb(verb: str, settings: Settings, output: Output) -> int:
    """`help` and `explain`: they need no database."""
    from streamcli.shell import sinks
    from streamcli.shell.help import NoPageError, answer

    if verb == "explain":
        return _explain(settings, output)
    terminal = sys.stdout.isatty()
    words = [os.fsdecode(word) for word in settings.words[1:]]
    source = settings.format == options.SOURCE
    if ["--format", options.SOURCE] in (words[:2], words[-2:]):  # where people write it, too
        words, source = [word for word in words if word not in ("--format", options.SOURCE)], True
    try:
        chunks = answer(words, _options(terminal), source=source)
    except NoPageError as error:
        _complain(str(error))
        return FAILED
    pager = sinks.pager_command(None, os.environ) if terminal and os.environ.get("TERM") != "dumb" else None
    sinks.paged(output, chunks, pager, os.environ)
    return OK


def _explain(settings: Settings, output: Output) -> int:
    from streamcli.backend.embedded import now_ms
    from streamcli.shell.explain import explain, words_of
    from streamcli.words import SplitError

    if len(settings.words) < 2:
        return _usage("explain what? streamcli explain 'XREAD COUNT 2 STREAMS a 0'")
    try:
        argv = words_of(settings.words[1:])
    except SplitError as error:
        return _usage(f"the line cannot be read: {error.fault.text}")
    output.lines(explain(argv, _options(sys.stdout.isatty()), now_ms()))
    return OK


# -- running ----------------------------------------------------------------------------------


def _run_all(settings: Settings, backend: Embedded, session: Session, output: Output) -> int:
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
        _complain("streamcli: the transaction was not run: EXEC is missing")
        return code or FAILED
    return code


def _run_file(file: str, settings: Settings, session: Session, output: Output) -> int:
    """Run the lines of a file; errors say the file and the line."""
    try:
        if file == "-":
            if sys.stdin is None:
                return _usage("standard input is closed")
            return _run_lines(_lines_of(sys.stdin.fileno(), output), "line ", settings, session)
        descriptor = os.open(file, os.O_RDONLY)
        try:
            return _run_lines(_lines_of(descriptor, output), f"{file}:", settings, session)
        finally:
            os.close(descriptor)
    except ReadError as error:
        return _usage(f"cannot read {'standard input' if file == '-' else file}: {error}")
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        return _usage(f"cannot read {file}: {_reason(error)}")


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


def _lines_of(descriptor: int, output: Output) -> Iterator[bytes]:
    """The lines as they arrive; what was answered so far is shown before more is waited for."""
    pieces: list[bytes] = []
    start: bytes | None = b""  # as long as it may be the beginning of a byte order mark
    while True:
        output.flush()
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
        return _usage(_plain(error.format_message()))
    except options.UsageError as error:
        return _usage(str(error))


def _plain(message: str) -> str:
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

    command = click.Command(
        "streamcli",
        params=[*map(_parameter, options.OPTIONS), click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"allow_interspersed_args": False, "help_option_names": ["--help"]},
        options_metavar="[OPTIONS]",
        help=(
            "Redis Streams on one file: a prompt, or stream commands from words, lines, files or a pipe.\n\n"
            "\b\n"
            "  streamcli XADD a '*' city 'New York'\n"
            "  streamcli -e 'XREAD COUNT 2 STREAMS a 0'\n"
            "  streamcli -f setup.redis\n"
            "  generate | streamcli --format jsonl\n"
            "  streamcli                              (the prompt)\n"
            "  streamcli help xread                   (what there is to read)\n"
            "  streamcli explain 'XREAD STREAMS a $'  (what each word means)"
        ),
        epilog="Exit codes: 0 ok, 1 a command failed, 2 wrong usage, 3 cannot open the database, "
        "130 interrupted, 141 nobody reads the output.",
    )
    click.version_option(__version__, prog_name="streamcli", message="%(prog)s %(version)s")(command)
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            parameter.metavar = "[@PROFILE] [COMMAND [WORD]...]"
    return command


def _parameter(flag: Flag) -> click.Option:
    import click

    if flag.value is None:
        return click.Option([*flag.names, flag.key], is_flag=True, flag_value=flag.sets, default=None, help=flag.help)
    kind: click.ParamType[Any] | None = None
    if flag.choices:
        kind = click.Choice(flag.choices)
    elif flag.number is not None:
        kind = click.IntRange(*flag.number)
    metavar = "|".join(flag.choices) if flag.choices else flag.value
    return click.Option([*flag.names, flag.key], type=kind, multiple=flag.repeats, metavar=metavar, help=flag.help)
