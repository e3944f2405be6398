"""A command as COMMAND DOCS describes it: the table's row as nested maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.grammar.spec import Arg, Halves, Option, Options, Ordered, Pairs, Part
from streamcli.grammar.spec import Maybe as MaybePart
from streamcli.reply import Reply, Simple

if TYPE_CHECKING:
    from streamcli.engine.engine import Context
    from streamcli.grammar.spec import Command

_TYPES = {
    "count": "integer",
    "db": "integer",
    "milliseconds": "integer",
    "protocol": "integer",
    "unix-time-ms": "unix-time",
}
_OPTIONAL = ("optional",)
_MARKS = {"=": "equal", "~": "approximately"}
_KEPT = ("key", "pattern", "integer", "unix-time")


def describe(ctx: Context, command: Command) -> Reply:
    """Summary, since, group, complexity; arguments and subcommands where there are any."""
    pairs: list[tuple[Reply, Reply]] = [
        (b"summary", command.summary.encode()),
        (b"since", command.since.encode()),
        (b"group", command.group.encode()),
        (b"complexity", command.complexity.encode()),
    ]
    arguments = [argument for part in command.parts for argument in _part(ctx, part)]
    if arguments:
        pairs.append((b"arguments", arguments))
    if command.subcommands:
        subcommands = [
            (sub.name.lower().replace(" ", "|").encode(), describe(ctx, sub)) for sub in command.subcommands.values()
        ]
        pairs.append((b"subcommands", ctx.map(list(subcommands))))
    return ctx.map(pairs)


def _part(ctx: Context, part: Part) -> list[Reply]:
    match part:
        case Arg():
            return [_arg(ctx, part, optional=part.optional)]
        case Options():
            return _options(ctx, part)
        case Pairs(first=first, second=second):
            inner: list[Reply] = [_arg(ctx, first), _arg(ctx, second)]
            return [_argument(ctx, "data", "block", flags=("multiple",), inner=inner)]
        case Halves(token=token, left=left, right=right):
            inner = [_arg(ctx, left, multiple=True), _arg(ctx, right, multiple=True)]
            return [_argument(ctx, token.lower(), "block", token=token, inner=inner)]
        case Ordered(args=args):
            return [_arg(ctx, arg) for arg in args]
        case MaybePart(parts=parts):
            inner = [argument for one in parts for argument in _part(ctx, one)]
            return [_argument(ctx, "filters", "block", flags=("optional",), inner=inner)]
    return []


def _arg(ctx: Context, arg: Arg, *, optional: bool = False, multiple: bool = False) -> Reply:
    kind = _TYPES.get(arg.type.name, arg.type.name)
    named = (("optional", optional), ("multiple", multiple or arg.many or arg.run))
    flags = tuple(name for name, given in named if given)
    return _argument(ctx, arg.name, kind if kind in _KEPT else "string", flags=flags)


def _options(ctx: Context, part: Options) -> list[Reply]:
    """Options that exclude each other are one argument; the others are one each."""
    told: list[Reply] = []
    inside: list[Reply] = []  # Redis: what may stand beside the trim that XTRIM must have is told as a part of it
    for name, room in part.rooms().items():
        flags = () if name == part.needs else _OPTIONAL
        since = room[0].since if len({option.since for option in room}) == 1 else None
        if any(option.within for option in room):
            inside += _strategy(ctx, room)
            told.append(_argument(ctx, name, "block", since=since, flags=flags, inner=inside))
        elif len(room) == 1:
            told.append(_option(ctx, room[0], since, flags))
        else:
            choices = [_option(ctx, option, None, ()) for option in room]
            one = _argument(ctx, name, "oneof", since=since, flags=flags, inner=choices)
            (inside if part.needs and inside else told).append(one)
    return told


def _strategy(ctx: Context, room: list[Option]) -> list[Reply]:
    """`<MAXLEN | MINID> [= | ~] threshold [LIMIT count]`, piece by piece."""
    choices = [option for option in room if not option.within]
    tokens = [_argument(ctx, one.token.lower(), "pure-token", token=one.token, since=one.since) for one in choices]
    marks: list[Reply] = [_argument(ctx, _MARKS.get(mark, mark), "pure-token", token=mark) for mark in choices[0].marks]
    return [
        _argument(ctx, "strategy", "oneof", inner=tokens),
        _argument(ctx, "operator", "oneof", flags=_OPTIONAL, inner=marks),
        _argument(ctx, "threshold", "string"),
        *(_option(ctx, option, option.since, _OPTIONAL) for option in room if option.within),
    ]


def _option(ctx: Context, option: Option, since: str | None, flags: tuple[str, ...]) -> Reply:
    name = option.token.lower()
    if not option.args and not option.then:
        return _argument(ctx, name, "pure-token", token=option.token, since=since, flags=flags)
    inner = [_arg(ctx, arg) for arg in option.args] + (_part(ctx, option.then) if option.then else [])
    return _argument(ctx, name, "block", token=option.token, since=since, flags=flags, inner=inner)


def _argument(
    ctx: Context,
    name: str,
    kind: str,
    *,
    token: str | None = None,
    since: str | None = None,
    flags: tuple[str, ...] = (),
    inner: list[Reply] | None = None,
) -> Reply:
    pairs: list[tuple[Reply, Reply]] = [(b"name", name.encode()), (b"type", kind.encode())]
    if token is not None:
        pairs.append((b"token", token.encode()))
    if since is not None:
        pairs.append((b"since", since.encode()))
    if flags:
        pairs.append((b"flags", ctx.set([Simple(flag) for flag in flags])))
    if inner:
        pairs.append((b"arguments", inner))
    return ctx.map(pairs)
