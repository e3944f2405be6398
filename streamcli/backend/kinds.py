"""Commands that are no question with one answer: what has no end, what waits, what is never answered.

Most of them are none of the table's, which knows streams; a connection has to
know them all the same, or it would take one reply for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from streamcli.reply import Error

if TYPE_CHECKING:
    from streamcli.grammar.parse import Call

FEEDS: Final = frozenset((b"MONITOR", b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE"))
"""Answered for as long as one listens."""

PUSHED: Final = {  # by the kind of the push
    name: frozenset((name.lower(),))
    for name in (b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE")
}
"""In RESP3 the only answers to these are pushes, of this kind."""

BLOCKING: Final = frozenset(
    (b"BLPOP", b"BRPOP", b"BRPOPLPUSH", b"BLMOVE", b"BLMPOP", b"BZPOPMIN", b"BZPOPMAX", b"BZMPOP", b"WAIT", b"WAITAOF")
)
"""They may wait, beside the table's own that do."""

_HARMLESS: Final = frozenset(
    (
        *("PING", "ECHO", "TIME", "INFO", "CONFIG GET", "CLIENT ID", "CLIENT INFO", "CLIENT LIST", "CLIENT GETNAME"),
        *("COMMAND", "COMMAND COUNT", "COMMAND DOCS", "COMMAND INFO", "COMMAND LIST", "COMMAND GETKEYS"),
    )
)  # they read no key, so that Redis does not flag them

_NEVER_ANSWERED: Final = {
    (b"CLIENT", b"REPLY", b"OFF"): "ERR without replies there would be nothing to show; it was not sent",
    (b"CLIENT", b"REPLY", b"SKIP"): "ERR without a reply there would be nothing to show; it was not sent",
    (b"SYNC",): "ERR this turns the connection into a replica's; it was not sent",
    (b"PSYNC",): "ERR this turns the connection into a replica's; it was not sent",
    (b"REPLCONF",): "ERR this is what replicas say, and is not always answered; it was not sent",
}
_LENGTHS: Final = (1, 3)
UNANSWERED: Final = frozenset(words[0] for words in _NEVER_ANSWERED)
"""First words of what is not sent at all, as it may not be answered."""


def refusal(argv: Sequence[bytes]) -> Error | None:
    """The answer, without asking, to what would leave us waiting for ever; None for anything else."""
    words = tuple(word.upper() for word in argv[: _LENGTHS[-1]])
    for length in _LENGTHS:
        text = _NEVER_ANSWERED.get(words[:length])
        if text is not None:
            return Error(text)
    return None


def block_ms(call: Call) -> int | None:
    """For how long a stream command may block, 0 for ever; None when it does not."""
    block = call.args.get("block") if call.command is not None else None
    return block if isinstance(block, int) else None


def may_block(call: Call) -> bool:
    """Does it wait, as it stands?"""
    name = call.argv[0].upper() if call.argv else b""
    if name in BLOCKING:
        return True
    if call.command is None or "blocking" not in call.command.flags:
        return False
    return call.command.group != "stream" or block_ms(call) is not None


def only_reads(call: Call) -> bool:
    """Is it certain that nothing is changed, neither a key nor a setting nor the connection?"""
    command = call.command
    return command is not None and ("readonly" in command.flags or command.name in _HARMLESS)
