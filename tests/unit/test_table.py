"""The table and the engine agree; what the table says of the stream commands is written out here once more."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final

import pytest

from streamcli.engine import HANDLERS
from streamcli.grammar.commands import BY_WORD, COMMANDS, STREAMS
from streamcli.grammar.spec import Arg, Command, Halves, Maybe, Option, Options, Ordered, Pairs, Part
from streamcli.reply import Error

RUNNABLE = sorted(name for name, command in COMMANDS.items() if not command.subcommands)

USAGE = """
XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO pid | IDMP pid iid] \
[<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]
XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]
XLEN key
XDEL key id [id ...]
XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]
XRANGE key start end [COUNT count]
XREVRANGE key end start [COUNT count]
XREAD [COUNT count] [MAXCOUNT maxcount] [MAXSIZE maxsize] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]
XREADGROUP GROUP group consumer [COUNT count] [MAXCOUNT maxcount] [MAXSIZE maxsize] [BLOCK milliseconds] \
[CLAIM min-idle-time] [NOACK] STREAMS key [key ...] id [id ...]
XACK key group id [id ...]
XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]
XNACK key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]
XPENDING key group [[IDLE min-idle-time] start end count [consumer]]
XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms | TIME unix-time-milliseconds] [RETRYCOUNT count] \
[FORCE] [JUSTID] [LASTID lastid]
XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]
XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]
XCFGSET key [IDMP-DURATION idmp-duration] [IDMP-MAXSIZE idmp-maxsize]
XIDMPRECORD key pid iid stream-id
XGROUP
XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]
XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]
XGROUP DESTROY key group
XGROUP CREATECONSUMER key group consumer
XGROUP DELCONSUMER key group consumer
XGROUP HELP
XINFO
XINFO STREAM key [FULL [COUNT count]]
XINFO GROUPS key
XINFO CONSUMERS key group
XINFO HELP
"""

ARITY = {
    "XADD": -5, "XTRIM": -4, "XLEN": 2, "XDEL": -3, "XRANGE": -4, "XREVRANGE": -4, "XREAD": -4, "XREADGROUP": -7,
    "XACK": -4, "XPENDING": -3, "XCLAIM": -6, "XAUTOCLAIM": -6, "XSETID": -3, "XGROUP": -2, "XINFO": -2,
    "XGROUP CREATE": -5, "XGROUP SETID": -5, "XGROUP DESTROY": 4, "XGROUP CREATECONSUMER": 5,
    "XGROUP DELCONSUMER": 5, "XGROUP HELP": 2, "XINFO STREAM": -3, "XINFO GROUPS": 3, "XINFO CONSUMERS": 4,
    "XINFO HELP": 2, "XDELEX": -5, "XACKDEL": -6, "XNACK": -7, "XCFGSET": -2, "XIDMPRECORD": 5,
}  # fmt: skip

# Everything not named here came with Redis 5.0 (commands) or with its command (options).
COMMAND_SINCE = {
    "XAUTOCLAIM": "6.2.0", "XGROUP CREATECONSUMER": "6.2.0", "XDELEX": "8.2.0", "XACKDEL": "8.2.0",
    "XCFGSET": "8.6.0", "XIDMPRECORD": "8.6.2", "XNACK": "8.8.0",
}  # fmt: skip
OPTION_SINCE = {
    ("XADD", "NOMKSTREAM"): "6.2.0", ("XADD", "MINID"): "6.2.0", ("XADD", "LIMIT"): "6.2.0",
    ("XTRIM", "MINID"): "6.2.0", ("XTRIM", "LIMIT"): "6.2.0", ("XPENDING", "IDLE"): "6.2.0",
    ("XINFO STREAM", "FULL"): "6.0.0", ("XGROUP CREATE", "ENTRIESREAD"): "7.0.0",
    ("XGROUP SETID", "ENTRIESREAD"): "7.0.0", ("XSETID", "ENTRIESADDED"): "7.0.0", ("XSETID", "MAXDELETEDID"): "7.0.0",
    ("XADD", "KEEPREF"): "8.2.0", ("XADD", "DELREF"): "8.2.0", ("XADD", "ACKED"): "8.2.0",
    ("XTRIM", "KEEPREF"): "8.2.0", ("XTRIM", "DELREF"): "8.2.0", ("XTRIM", "ACKED"): "8.2.0",
    ("XREADGROUP", "CLAIM"): "8.4.0", ("XADD", "IDMP"): "8.6.0", ("XADD", "IDMPAUTO"): "8.6.0",
    ("XREAD", "MAXCOUNT"): "8.10.0", ("XREAD", "MAXSIZE"): "8.10.0", ("XREADGROUP", "MAXCOUNT"): "8.10.0",
    ("XREADGROUP", "MAXSIZE"): "8.10.0",
}  # fmt: skip

# Handlers that take some of their arguments as **keywords, and which those are.
REST: Final = {
    "FLUSHDB": {"async", "sync"},
    "FLUSHALL": {"async", "sync"},
    "EXPIRE": {"seconds"},
    "PEXPIRE": {"milliseconds"},
    "EXPIREAT": {"unix_time_seconds"},
    "PEXPIREAT": {"unix_time_milliseconds"},
}


def all_options(parts: tuple[Part, ...]) -> Iterator[Option]:
    for part in parts:
        if isinstance(part, Options):
            for option in part.options:
                yield option
                if option.then:
                    yield from all_options((option.then,))
        elif isinstance(part, Maybe):
            yield from all_options(part.parts)


def arguments(parts: tuple[Part, ...], needed: bool = True) -> Iterator[tuple[str, bool]]:
    """What the parser passes on: the names, and whether they always come."""
    for part in parts:
        match part:
            case Arg():
                yield part.key, needed and not part.optional
            case Pairs():
                yield part.key, needed
            case Halves():
                yield from ((part.left.key, needed), (part.right.key, needed))
            case Ordered():
                yield from ((arg.key, needed) for arg in part.args)
            case Maybe():
                yield from arguments(part.parts, needed=False)
            case Options():
                for option in all_options((part,)):
                    if not option.refused:
                        yield from option_arguments(option, needed and option.token == part.needs)


def option_arguments(option: Option, needed: bool) -> Iterator[tuple[str, bool]]:
    if len(option.args) > 1:
        yield from ((arg.key, needed) for arg in option.args)
    else:
        yield option.key, needed
    if option.marks:
        yield option.mark_key, False


def parameters(name: str) -> dict[str, bool]:
    """A handler's keyword parameters, and which of them have no default."""
    found: dict[str, bool] = {}
    for parameter in list(inspect.signature(HANDLERS[name].run).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= dict.fromkeys(REST[name], False)
        else:
            assert parameter.kind is parameter.KEYWORD_ONLY, parameter.name
            found[parameter.name] = parameter.default is parameter.empty
    return found


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_handler_takes_exactly_its_commands_arguments(name: str) -> None:
    assert set(parameters(name)) == {argument for argument, _ in arguments(COMMANDS[name].parts)}


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_handler_has_a_default_for_what_may_be_left_out(name: str) -> None:
    optional = {argument for argument, needed in arguments(COMMANDS[name].parts) if not needed}
    assert {argument for argument, has_none in parameters(name).items() if has_none} & optional == set()


def test_every_command_has_a_handler_and_every_handler_a_command() -> None:
    assert set(RUNNABLE) <= set(HANDLERS)
    assert set(HANDLERS) <= set(COMMANDS)


def test_containers_answer_with_their_subcommands() -> None:
    containers = {name for name, command in COMMANDS.items() if command.subcommands}
    assert containers == {"XGROUP", "XINFO", "OBJECT", "CLIENT", "COMMAND", "CONFIG", "MEMORY", "DEBUG"}
    assert containers & set(HANDLERS) == {"COMMAND"}  # the only one that is a command too


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_command_that_reads_or_writes_keys_runs_in_a_transaction_of_the_store(name: str) -> None:
    command = COMMANDS[name]
    if command.keys.first or "movablekeys" in command.flags or command.writes:
        assert HANDLERS[name].store


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_command_that_writes_is_not_called_readonly(name: str) -> None:
    assert not {"write", "readonly"} <= COMMANDS[name].flags


def test_the_syntax_lines_of_the_stream_commands() -> None:
    assert [command.usage() for command in STREAMS] == USAGE.strip().splitlines()


def test_the_arity_of_the_stream_commands() -> None:
    assert {c.name: c.arity for c in STREAMS} == {c.name: ARITY[c.name] for c in STREAMS}


def test_the_version_that_brought_each_stream_command() -> None:
    assert {c.name: c.since for c in STREAMS} == {c.name: COMMAND_SINCE.get(c.name, "5.0.0") for c in STREAMS}


def test_an_option_says_which_version_brought_it_when_it_is_younger_than_its_command() -> None:
    table = {
        (command.name, option.token): option.since
        for command in STREAMS
        for option in all_options(command.parts)
        if not option.refused
    }
    expected = {key: OPTION_SINCE.get(key) for key in table}
    # COUNT came with FULL, and is offered only after it.
    assert table.pop(("XINFO STREAM", "COUNT")) in (None, "6.0.0")
    del expected["XINFO STREAM", "COUNT"]
    assert table == expected


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_option_is_older_than_its_command(command: Command) -> None:
    def version(text: str) -> list[int]:
        return [int(number) for number in text.split(".")]

    for option in all_options(command.parts):
        if option.since is not None:
            assert version(option.since) > version(command.since), option.token


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_token_is_written_in_capitals_and_named_once(command: Command) -> None:
    tokens = [option.token for option in all_options(command.parts)]
    assert tokens == [token.upper() for token in tokens]
    assert len(tokens) == len(set(tokens))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_says_what_it_does_in_one_sentence_without_a_full_stop(command: Command) -> None:
    assert command.summary
    assert command.summary[0].isupper()
    assert command.summary.isprintable()
    assert not command.summary.endswith(".")


NOTE_MAX: Final = 60


def notes(parts: tuple[Part, ...]) -> Iterator[tuple[str, str]]:
    """The notes of a command's options and arguments, and what they are about; an option must have one."""
    for part in parts:
        match part:
            case Arg():
                yield part.name, part.note or "-"
            case Pairs():
                yield from notes((part.first, part.second))
            case Halves():
                yield part.token, part.note
                yield from notes((part.left, part.right))
            case Ordered():
                yield from notes(part.args)
            case Maybe():
                yield from notes(part.parts)
            case Options():
                for option in all_options((part,)):
                    if not option.refused:
                        yield option.token, option.note
                        yield from notes(option.args)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_option_says_what_it_does_in_a_short_phrase(command: Command) -> None:
    for name, note in notes(command.parts):
        assert 0 < len(note) <= NOTE_MAX, name
        assert note.isascii(), name
        assert note.isprintable(), name
        assert not note[0].isupper(), name
        assert not note.endswith("...") or note.endswith(" ..."), name
        assert not note.removesuffix(" ...").endswith("."), name


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_is_found_by_its_words_whatever_their_case(command: Command) -> None:
    first, _, second = command.name.partition(" ")
    found = BY_WORD[first.encode()]
    assert (found.subcommands[second.encode()] if second else found) is command


def test_every_answer_to_two_options_that_clash_is_an_error() -> None:
    for command in COMMANDS.values():
        for option in all_options(command.parts):
            assert option.clash is None or isinstance(option.clash, Error)
