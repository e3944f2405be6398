"""What a session that only reads does not send, and why.

Of the table's commands the table decides; of a server's own the server, which
is asked (`elsewhere`). Does not look at the data.
"""

from __future__ import annotations

from streamcli.backend.kinds import only_reads
from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.parse import Call
from streamcli.shell.elsewhere import is_ours, not_known_to_read, refusal_there
from streamcli.shell.lookup import Browse, commands_of_redis

_CHANGE_OTHERS = ("CLIENT KILL", "CLIENT UNBLOCK")  # connections, and no key


def refusal(call: Call, browse: Browse | None = None) -> str | None:
    """Why a read-only session does not send the command; None when it may.

    What is not known to be a reading command is refused: it may be a module's.
    A server, which `browse` asks, says of its own commands what they do; nobody
    else does. EXEC may go, as what it runs was let through one by one.
    """
    if not call.argv:
        return None
    command = call.command
    if command is not None and is_ours(call):
        if command.writes:
            return f"{command.name} writes, and this session is read-only"
        administers = "admin" in command.flags and command.group == "server" and not only_reads(call)
        if administers or command.name in _CHANGE_OTHERS:
            return f"{command.name} changes the server, and this session is read-only"
        return None
    if browse is not None:
        return refusal_there(call, browse)
    container = BY_WORD.get(call.argv[0].upper())
    words = [word.upper() for word in call.argv[: 1 if container is None else 2]]
    if container is not None and b"|".join(words) not in commands_of_redis():
        administers = any("admin" in one.flags for one in (container, *container.subcommands.values()))
        if not administers:
            return None  # a slip: the server will say so
    return not_known_to_read(words)
