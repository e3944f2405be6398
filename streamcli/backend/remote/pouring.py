"""Commands that are ready in the wire's bytes, for `Pouring.poured`: sent block by block, ahead of their replies.

What a server answers when nothing is amiss is known beforehand, so that the
replies of a whole block are one comparison; only what differs is read. Bounded
in commands and in bytes, like `ahead`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from streamcli.backend import LostError, Ready
from streamcli.reply import Error, Reply

if TYPE_CHECKING:
    from streamcli.backend.remote.one import Remote

_BYTES: Final = 4 * 1024 * 1024  # on their way
_XADD: Final = (b"XADD",)


def pour(remote: Remote, blocks: Iterable[Ready], window: int) -> Iterator[int | list[Reply]]:
    """The answers to each block of XADDs. Raises LostError, UnreachableError."""
    sent: deque[Ready] = deque()
    count = size = 0

    def room(wanted: int) -> Iterator[int | list[Reply]]:
        nonlocal count, size
        while sent and (count + wanted > window or size >= _BYTES):
            count, size = count - sent[0].commands, size - len(sent[0].data)
            yield from _answers(remote, sent)

    try:
        for block in blocks:
            yield from room(block.commands)
            if not sent:
                remote.ready()
            sent.append(block)
            count, size = count + block.commands, size + len(block.data)
            remote.link.send(block.data)
            yield from room(block.commands)  # whoever makes the next one is to know of these answers
        while sent:
            yield from _answers(remote, sent)
    except GeneratorExit:
        _drain(remote, sent)
        raise
    except LostError:
        remote.link.close()  # it may be another connection that was lost, the one of whoever makes the blocks
        remote.broken()
        remote.state.lost()
        if sent and (rest := remote.link.left(sum(block.commands for block in sent))):
            yield rest
        raise
    except KeyboardInterrupt:
        if not sent:
            raise
        remote.drop()
        remote.state.lost()
        text = f"interrupted: the connection to {remote.target} was dropped; what was sent may have been applied"
        raise LostError(text, interrupted=True) from None
    except BaseException:
        if sent:
            remote.drop()  # the replies that are due are not the next command's
        raise


def _answers(remote: Remote, sent: deque[Ready]) -> Iterator[int | list[Reply]]:
    """Those to the block that was sent first, which waits no more then. What came before a fault is given first."""
    block, limit = sent[0], remote.state.address.timeout
    if remote.link.receive_these(block.replies, _tick(remote), limit=limit):
        sent.popleft()
        yield block.commands
        return
    replies: list[Reply] = []
    fault: LostError | None = None
    try:
        while (left := block.commands - len(replies)) > 0:
            replies += remote.link.arrived_strings(left) or [remote.link.receive(_tick(remote), limit=limit)]
    except LostError as error:
        fault = error
    for reply in replies:
        if isinstance(reply, Error) or remote.state.queued is not None:
            remote.answered(_XADD, reply)
    sent.popleft()
    yield replies
    if fault is not None:
        sent.clear()
        raise fault


def _tick(remote: Remote) -> Callable[[int], None]:
    return lambda ms: remote.tick(ms, None)


def _drain(remote: Remote, sent: deque[Ready]) -> None:
    """Nobody wants the rest: what was sent is waited for, so that the next reply is the next command's."""
    try:
        while sent:
            for _ in _answers(remote, sent):
                pass
    except LostError:
        remote.broken()
        remote.state.lost()
