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
_MULTI, _EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"


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


def pour_whole(
    remote: Remote, blocks: Iterable[Ready], window: int, still: Callable[[], bool]
) -> Iterator[int | list[Reply]]:
    """The same in transactions of up to `window` commands, each sent when the one before it was answered.

    What is behind a refused command is then never there, for nothing may fill the
    hole. The next one is made while the server carries out the last.
    """
    sent: list[Ready] = []
    try:
        for group in _groups(blocks, window):
            if sent:
                whole, sent = sent, []
                yield from _of_transaction(remote, whole)
                if not still():
                    return
            remote.ready()
            sent = group
            remote.link.send(b"".join([_MULTI, *(block.data for block in group), _EXEC]))
        whole, sent = sent, []
        if whole:
            yield from _of_transaction(remote, whole)
    except LostError:
        remote.link.close()
        remote.broken()
        remote.state.lost()
        raise
    except BaseException as error:
        if sent:
            remote.drop()  # the replies that are due are not the next command's
            remote.state.lost()
        if sent and isinstance(error, KeyboardInterrupt):
            text = f"interrupted: the connection to {remote.target} was dropped; what was sent may have been applied"
            raise LostError(text, interrupted=True) from None
        raise


def may_transact(remote: Remote) -> bool:
    """Does the server know transactions, and may this user have them? An empty one tells."""
    if isinstance(remote.execute((b"MULTI",)), Error):
        return False
    if isinstance(remote.execute((b"EXEC",)), Error):
        remote.drop()
        remote.state.lost()
        return False
    return True


def _groups(blocks: Iterable[Ready], window: int) -> Iterator[list[Ready]]:
    group: list[Ready] = []
    count = size = 0
    for block in blocks:
        if group and (count + block.commands > window or size + len(block.data) > _BYTES):
            yield group
            group, count, size = [], 0, 0
        group.append(block)
        count, size = count + block.commands, size + len(block.data)
    if group:
        yield group


def _of_transaction(remote: Remote, group: list[Ready]) -> Iterator[int | list[Reply]]:
    """The answers to each block of one transaction: to all of them an error when nothing of it was done."""
    count = sum(block.commands for block in group)
    if all(block.replies for block in group):
        queued = b"+OK\r\n" + b"+QUEUED\r\n" * count + b"*%d\r\n" % count
        expected = b"".join([queued, *(block.replies for block in group)])
        if remote.link.receive_these(expected, _tick(remote), limit=remote.state.address.timeout):
            yield from (block.commands for block in group)
            return
    limit = remote.state.address.timeout
    first, *replies, last = [remote.link.receive(_tick(remote), limit=limit) for _ in range(count + 2)]
    if isinstance(last, list) and len(last) == count:
        replies = last
    elif not isinstance(first, Error):
        refusal = next((reply for reply in replies if isinstance(reply, Error)), last)
        replies = [refusal if isinstance(refusal, Error) else Error("ERR the transaction was not carried out")] * count
    for error in {reply.text: reply for reply in replies if isinstance(reply, Error)}.values():
        remote.answered(_XADD, error)
    at = 0
    for block in group:
        yield replies[at : at + block.commands]
        at += block.commands


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
