"""Commands sent ahead of their replies, for `Backend.pipelined`: to one server, or node by node to a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from streamcli.backend import LostError
from streamcli.backend.remote.one import Remote
from streamcli.backend.remote.pipeline import SHORT, WEIGHT, Pipeline
from streamcli.reply import Arriving, Reply

_BYTES: Final = 4 * 1024 * 1024  # on their way, replies included


def ahead(remote: Remote, argvs: Iterable[Sequence[bytes]], window: int) -> Iterator[Reply]:
    """The replies of one server. Raises LostError, UnreachableError."""
    line = Pipeline(remote, window, _BYTES)
    try:
        for number, argv in enumerate(argvs, 1):
            short = argv[0] in SHORT
            if not line.post(number, argv, 0 if short else WEIGHT, plain=short):
                while not line.is_half_empty:
                    yield from _arrived(line)
        while line.waiting:
            yield from _arrived(line)
    except GeneratorExit:
        _drain(line)
        raise
    except LostError as error:
        line.lost(str(error))
        raise
    except KeyboardInterrupt:
        fate = line.interrupted()
        if fate.matters:
            raise LostError(fate.text, interrupted=True) from None
        raise


def _arrived(line: Pipeline) -> Iterator[Reply]:
    """Wait for a reply; it, and those that have come with it.

    All are taken before one is given: whoever stops here leaves no line of which
    nobody knows whether it has its reply. Those before a fault are given first.
    """
    line.wait()
    found = line.arrived_strings()
    fault: LostError | None = None
    try:
        for _, reply in line.arrived():
            found.append(list(reply) if isinstance(reply, Arriving) else reply)
    except LostError as error:
        fault = error
    yield from found
    if fault is not None:
        raise fault


def _drain(line: Pipeline) -> None:
    """Nobody wants the replies any more: what was sent is waited for, so that the next reply is the next command's."""
    line.drop()
    try:
        while line.waiting:
            for _ in _arrived(line):
                pass
    except LostError as error:
        line.lost(str(error))


def by_node(
    argvs: Iterable[Sequence[bytes]],
    node_of: Callable[[Sequence[bytes]], Remote | None],
    execute: Callable[[Sequence[bytes]], Reply],
    was_redirected: Callable[[Reply], bool],
    window: int,
) -> Iterator[Reply]:
    """The replies of a cluster: ahead for as long as commands go to one node, which `node_of` tells.

    What a node sends elsewhere (`was_redirected`), and what has no node of its
    own, is run by `execute`, when those before it have been answered, and no
    reply is due that it could take for its own. A node that answers so has done
    nothing.
    """
    rest = iter(argvs)
    first = next(rest, None)
    while first is not None:
        node = node_of(first)
        if node is None:
            yield execute(first)
            first = next(rest, None)
            continue
        run = _Run(node, first, rest, node_of)
        replies = ahead(node, run, window)
        for reply in replies:
            argv = run.answered()
            if not was_redirected(reply):
                yield reply
                continue
            run.ends = True
            due = [(argv, reply), *((run.answered(), behind) for behind in replies)]
            for one, answer in due:
                yield execute(one) if was_redirected(answer) else answer
        first = run.next


class _Run:
    """The commands that go to one node, one after another, until it `ends`; `next` is the first of the others."""

    def __init__(
        self,
        node: Remote,
        first: Sequence[bytes],
        rest: Iterator[Sequence[bytes]],
        node_of: Callable[[Sequence[bytes]], Remote | None],
    ) -> None:
        self.next: Sequence[bytes] | None = first
        self.ends = False
        self._node, self._rest, self._node_of = node, rest, node_of
        self._sent: list[Sequence[bytes]] = []
        self._taken = 0

    def __iter__(self) -> Iterator[Sequence[bytes]]:
        argv = self.next
        while argv is not None:
            self._sent.append(argv)
            yield argv
            argv = self.next = next(self._rest, None)
            if argv is not None and (self.ends or self._node_of(argv) is not self._node):
                return

    def answered(self) -> Sequence[bytes]:
        """The command that the next reply is for; it is forgotten."""
        argv = self._sent[self._taken]
        self._taken += 1
        if self._taken >= 1024:
            del self._sent[: self._taken]
            self._taken = 0
        return argv
