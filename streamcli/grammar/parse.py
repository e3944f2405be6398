"""Read words by the table. One parser serves the engine and the prompt.

It never raises: it names every word it can, records what is wrong and goes on,
because a line being typed is wrong almost all of the time. The engine answers
with the first problem; the shell underlines all of them. Values live here;
where the words stand in the line is `words`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from streamcli import errors
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.spec import (
    Arg,
    Check,
    Command,
    Halves,
    Ignored,
    Loose,
    Maybe,
    Option,
    Options,
    Ordered,
    Pairs,
    Part,
    Role,
)
from streamcli.grammar.types import AUTO_ID, NEW
from streamcli.ids import c_string
from streamcli.reply import Error, ReplyError

_PROBLEMS_MAX = 50  # words that are no option, of which each is told: a line of nothing else is past helping


class Problem(NamedTuple):
    """Something wrong. `late`: Redis finds it only while the command runs."""

    at: int  # of the word it is about; len(argv) when a word is missing
    error: Error
    late: bool = False


class Call:
    """A command line, read.

    `roles` has one Role a word (None for words nothing is known of), `args`
    the handler's keyword arguments, `expected` what may come next (drafts
    only), `rejected` the answer of a server that does not even run it: an
    unknown command, a wrong number of words. `queued` are the calls that an
    EXEC runs; whoever knows them says so.
    """

    __slots__ = ("args", "argv", "command", "expected", "problems", "queued", "rejected", "roles")

    def __init__(self, argv: tuple[bytes, ...]) -> None:
        self.argv = argv
        self.command: Command | None = None
        self.roles: list[Role | None] = []
        self.args: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.expected: list[Arg | Option | Halves | Command] = []
        self.rejected: Error | None = None
        self.queued: list[Call] = []

    @property
    def halves(self) -> Halves | None:
        """The part of the command in which keys and IDs pair up, if it has one."""
        parts = self.command.parts if self.command is not None else ()
        return next((part for part in parts if isinstance(part, Halves)), None)

    def check(self) -> None:
        """Answer with the first problem that shows before the command runs, if there is one."""
        for problem in self.problems:
            if not problem.late:
                raise ReplyError(problem.error)

    def check_late(self) -> None:
        """Answer with the first problem left, if there is one."""
        if self.problems:
            raise ReplyError(self.problems[0].error)


def parse(argv: Sequence[bytes], *, draft: bool = False, commands: Mapping[bytes, Command] = BY_WORD) -> Call:
    """Read a command line.

    A `draft` is still being typed: what is missing at its end is expected
    rather than wrong. `commands`, by their first word, are the table's, or
    those that a server has besides.
    """
    call = Call(tuple(argv))
    if not draft and commands is BY_WORD and _again(call):
        return call
    command = _find(call, draft, commands)
    if command is None:
        call.roles += [None] * (len(argv) - len(call.roles))
        return call
    call.command = command
    if not command.subcommands:
        _Reader(call, command, draft).read()
        if not (draft or call.problems) and commands is BY_WORD:
            _keep(call)
    elif command.open:
        call.roles += [None] * (len(argv) - len(call.roles))
    return call


# -- lines that come again and again are read once ---------------------------------------------
# What a reader asks in a loop is the same line; what a writer sends differs in its fields, which nobody looks at.

_KEPT_MAX, _KEPT_WORDS, _KEPT_BYTES = 256, 64, 512
_HEAD = 3  # words before the fields
_kept: dict[tuple[bytes, ...], Call] = {}
_kept_heads: dict[tuple[int, tuple[bytes, ...]], Call] = {}  # by the number of words, and the first of them


def _again(call: Call) -> bool:
    """Was such a line read before? Then `call` is made what it would be."""
    argv = call.argv
    before = _kept_heads.get((len(argv), argv[:_HEAD]))
    if before is not None:
        args = before.args.copy()
        args["fields"] = list(argv[_HEAD:])
    elif len(argv) <= _KEPT_WORDS and (before := _kept.get(argv)) is not None:
        args = _copy(before.args)
    else:
        return False
    call.command, call.roles, call.args = before.command, before.roles, args
    return True


def _keep(call: Call) -> None:
    """Keep a call without problems, if its line is of a kind that comes again."""
    args, argv = call.args, call.argv
    id = args.get("id")
    if len(argv) > _KEPT_WORDS:
        return
    if id is AUTO_ID and len(args) == _HEAD:  # XADD key * ...
        head = argv[:_HEAD]
        _put(_kept_heads, (len(argv), head), head, call, {**args, "fields": []})
    elif type(id) is list and NEW in id:
        _put(_kept, argv, argv, call, _copy(args))


def _put(kept: dict[Any, Call], key: object, words: tuple[bytes, ...], call: Call, args: dict[str, Any]) -> None:
    if sum(map(len, words)) > _KEPT_BYTES:
        return
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[key] = copy = Call(words)
    copy.command, copy.roles, copy.args = call.command, call.roles.copy(), args


def _copy(args: dict[str, Any]) -> dict[str, Any]:
    """Whoever is given them may change them."""
    return {name: value.copy() if type(value) is list else value for name, value in args.items()}


def _find(call: Call, draft: bool, commands: Mapping[bytes, Command]) -> Command | None:
    """The command or subcommand a line names; None with the problem noted."""
    argv = call.argv
    if not argv:
        call.expected.extend(commands.values())
        return None
    command = commands.get(argv[0].upper())
    if command is None:
        _reject(call, 0, errors.unknown_command(argv))
        return None
    if not command.subcommands:
        return command
    if len(argv) == 1:
        call.expected.extend(command.subcommands.values())
        call.roles = [command.role]
        if not draft and not command.arity_ok(1):
            _reject(call, 1, errors.arity(command.name))
        return command
    subcommand = command.subcommands.get(argv[1].upper())
    if subcommand is None:
        call.roles = [command.role]
        if command.open:
            return command
        _reject(call, 1, errors.unknown_subcommand(argv))
    return subcommand


def _reject(call: Call, index: int, error: Error) -> None:
    call.rejected = error
    call.problems.append(Problem(index, error))


class _Reader:
    """One pass over the words; `at` is the next one."""

    __slots__ = ("argc", "args", "argv", "at", "call", "command", "draft", "roles", "settled")

    def __init__(self, call: Call, command: Command, draft: bool) -> None:
        self.call, self.command, self.draft = call, command, draft
        self.argv, self.argc = call.argv, len(call.argv)
        self.args, self.roles = call.args, call.roles
        self.at = 0
        self.settled = False  # a word that must come next is known: nothing after it is expected

    def read(self) -> None:
        command = self.command
        if not self.draft and not command.arity_ok(self.argc):
            _reject(self.call, self.argc, errors.arity(command.name))
        if command.most is not None and self.argc > command.most:
            self.call.problems.append(Problem(command.most, command.too_many(self.argv), late=True))
        self.roles.extend([command.role] * command.words)
        self.at = command.words
        for part in command.parts:
            _READ[type(part)](self, part)
        if self.at < self.argc:
            self.problem(errors.SYNTAX)
            self.roles.extend([None] * (self.argc - self.at))

    # -- one method for each kind of part ------------------------------------------

    def arg(self, arg: Arg) -> None:
        if not (arg.many or arg.run):
            if arg.optional and self.at >= self.argc:
                self.expect(arg)
            else:
                self.args[arg.key] = self.word(arg)
            return
        read = arg.read
        if arg.many:
            values = self.rest(arg)
        else:
            values = []
            while self.at < self.argc:
                if read is not None and isinstance(read(self.argv[self.at]), Error):
                    break
                values.append(self.word(arg))
        if self.at >= self.argc:
            self.expect(arg)
            self.settled = self.settled or (arg.run and not values)  # Redis takes none; its syntax line wants one
        self.args[arg.key] = values

    def options(self, part: Options) -> None:
        taken: dict[str, Option] = {}
        while self.at < self.argc:
            option = part.by_token.get(self.argv[self.at].upper()) or self.c_option(part)
            if option is not None and option.single and option.one_of in taken:
                option = None
            if option is None or not self.room_for(option):
                if part.unknown is None:
                    break
                if len(self.call.problems) < _PROBLEMS_MAX:
                    self.problem(part.unknown(self.argv, self.at))
                self.roles.append(None)
                self.at += 1
                if part.once and part.needs:  # the word stands where the option must
                    return
                continue
            self.option(option, taken)
            if part.once:
                return
        if self.at >= self.argc and self.draft and (self.command.most is None or self.argc < self.command.most):
            self.expect(*(option for option in part.options if self.possible(option, taken)))
            self.settled = self.settled or bool(part.once and part.needs)

    def c_option(self, part: Options) -> Option | None:
        """Redis compares keywords as C strings: what follows a NUL is not looked at."""
        word = self.argv[self.at]
        return part.by_token.get(c_string(word).upper()) if b"\0" in word else None

    def possible(self, option: Option, taken: dict[str, Option]) -> bool:
        if option.refused or option.first in self.args:
            return False
        return not option.one_of or option.one_of not in taken

    def option(self, option: Option, taken: dict[str, Option]) -> None:
        if option.refused:
            self.problem(option.refused)
        if option.one_of:
            other = taken.get(option.one_of)
            if other is not None and option.replaces:
                self.args.pop(other.key, None)
            elif other is not None and option.clash and not (option.again and other is option):
                self.problem(option.clash)
            taken[option.one_of] = option
        if option.first in self.args:
            self.forget_late(option)
        self.take(option.role)
        if option.marks:
            self.mark(option)
        args = self.args
        if not option.args:
            args[option.key] = True
        elif option.counted:
            self.counted(option)
        elif len(option.args) == 1:
            (arg,) = option.args
            args[option.key] = [self.word(arg) for _ in range(self.at, self.argc)] if arg.many else self.word(arg)
        else:
            for arg in option.args:
                args[arg.key] = self.word(arg)
        if option.rule and (error := option.rule(args, self.argc)):
            self.call.problems.append(Problem(min(self.at, self.argc) - 1, error))
        if option.then:
            self.options(option.then)

    def counted(self, option: Option) -> None:
        """A number, and that many words; after no number, those up to the next that looks like an option's."""
        count, each = option.args
        number = self.word(count)
        rest = self.argc - self.at
        if not isinstance(number, int):
            most = next((i for i, word in enumerate(self.argv[self.at :]) if word[:1].isalpha()), rest)
        else:
            most = min(number, rest)
            if number > rest and not self.draft and option.fewer:
                self.problem(option.fewer)
        values = self.rest(each, most)
        if isinstance(number, int) and len(values) < number:
            self.expect(each)
            self.settled = True
        self.args[count.key], self.args[each.key] = number, values

    def forget_late(self, option: Option) -> None:
        """An option comes again: what Redis reads later, it reads of the last one only."""
        late = [arg.role for arg in option.args if arg.late]
        if late:
            problems = self.call.problems
            problems[:] = [p for p in problems if not (p.late and p.at < len(self.roles) and self.roles[p.at] in late)]

    def mark(self, option: Option) -> None:
        """`~` or `=`, only when yet another word follows it."""
        self.args.pop(option.mark_key, None)
        if self.at + 1 < self.argc + self.draft:
            mark = c_string(self.argv[self.at]).decode("latin-1") if self.at < self.argc else ""
            if mark in option.marks:
                self.args[option.mark_key] = mark
                self.take(option.mark_role)

    def pairs(self, part: Pairs) -> None:
        rest = self.argc - self.at
        if (rest < 2 or rest % 2) and not self.draft:
            self.problem(errors.arity(self.command.name))
        self.args[part.key] = list(self.argv[self.at :])
        self.roles.extend([part.first.role, part.second.role] * (rest // 2))
        if rest % 2:
            self.roles.append(part.first.role)
        self.at = self.argc
        self.expect(part.second if rest % 2 else part.first)

    def halves(self, part: Halves) -> None:
        if not self.starts(part):
            if self.at >= self.argc:
                self.expect(part)
                self.settled = True
            if not self.draft or self.at < self.argc:
                self.problem(part.missing)
            return
        self.take(part.role)
        rest = self.argc - self.at
        if rest % 2 and not self.draft:
            self.problem(part.unbalanced)
        half = self.draft_half(part) if self.draft else (rest + 1) // 2
        keys = [self.word(part.left) for _ in range(half)]
        ids = [self.word(part.right) for _ in range(rest - half)]
        if len(ids) < len(keys) or not rest:
            self.expect(*([part.left] if not rest else [part.right] if ids else [part.left, part.right]))
        self.args[part.left.key], self.args[part.right.key] = keys, ids

    def starts(self, part: Halves) -> bool:
        """Redis knows the token only when a word follows it."""
        if self.at >= self.argc - (not self.draft):
            return False
        return c_string(self.argv[self.at]).upper() == part.token.encode()

    def draft_half(self, part: Halves) -> int:
        """How many of the words typed so far are keys: those before the first that looks like an ID, if a wrong one."""
        rest = self.argv[self.at :]
        read = part.right.read
        assert read is not None
        half = next((i for i, word in enumerate(rest) if i and read(word) != errors.INVALID_ID), len(rest))
        return half if half * 2 >= len(rest) else (len(rest) + 1) // 2

    def maybe(self, part: Maybe) -> None:
        if self.at < self.argc or self.draft:
            for inner in part.parts:
                _READ[type(inner)](self, inner)

    def ordered(self, part: Ordered) -> None:
        start = self.at
        for index in part.order:
            arg = part.args[index]
            if start + index < self.argc:
                self.args[arg.key] = self.value(arg, start + index)
        for arg in part.args:
            if self.at >= self.argc:
                self.expect(arg)
                self.settled = True
                self.args.setdefault(arg.key, None)
            self.take(arg.role)

    def check(self, part: Check) -> None:
        if not self.draft and (error := part.rule(self.args, self.argc)):
            self.problem(error)

    def ignored(self, part: Ignored) -> None:
        self.roles.extend([None] * (self.argc - self.at))
        self.at = max(self.at, self.argc)

    def loose(self, part: Loose) -> None:
        roles, expected = part.match(self.argv, self.at, self.draft)
        self.roles.extend(roles)
        most = self.command.arity
        if self.draft and 0 < most < self.argc:
            self.call.problems.append(Problem(most, errors.arity(self.command.name)))
        elif self.argc < most or most <= 0:
            self.expect(*expected)
        self.at = max(self.at, self.argc)

    # -- words ---------------------------------------------------------------------

    def word(self, arg: Arg) -> Any:
        at = self.at
        if at >= self.argc:
            self.expect(arg)
            self.settled = True
            return None
        self.roles.append(arg.role)
        self.at = at + 1
        return self.argv[at] if arg.read is None else self.value(arg, at)

    def rest(self, arg: Arg, most: int | None = None) -> list[Any]:
        """All words that are left, or so many of them, in one sweep."""
        at = self.at
        words = self.argv[at:] if most is None else self.argv[at : at + most]
        self.roles.extend([arg.role] * len(words))
        self.at = at + len(words)
        if arg.read is None:
            return list(words)
        values = list(map(arg.read, words))
        for index, value in enumerate(values, at):
            if isinstance(value, Error):
                self.call.problems.append(Problem(index, value, arg.late))
        return values

    def value(self, arg: Arg, at: int) -> Any:
        value = arg.read(self.argv[at]) if arg.read is not None else self.argv[at]
        if isinstance(value, Error):
            self.call.problems.append(Problem(at, value, arg.late))
        return value

    def take(self, role: Role) -> None:
        if self.at < self.argc:
            self.roles.append(role)
        self.at += 1

    def room_for(self, option: Option) -> bool:
        """Redis knows an option by its keyword only when its words follow."""
        return self.draft or self.at + (1 if option.counted else len(option.args)) < self.argc

    def expect(self, *what: Arg | Option | Halves) -> None:
        if self.draft and not self.settled:
            self.call.expected.extend(what)

    def problem(self, error: Error, late: bool = False) -> None:
        self.call.problems.append(Problem(min(self.at, self.argc), error, late))


_READ: dict[type[Part], Callable[[_Reader, Any], None]] = {
    Arg: _Reader.arg,
    Options: _Reader.options,
    Pairs: _Reader.pairs,
    Halves: _Reader.halves,
    Ordered: _Reader.ordered,
    Maybe: _Reader.maybe,
    Check: _Reader.check,
    Ignored: _Reader.ignored,
    Loose: _Reader.loose,
}
