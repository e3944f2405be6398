"""What servers have said of their commands, kept in the user's cache folder: a file for each server and its version.

A file is JSON, 0600, put in its place whole. One that is damaged, too large or
somebody else's is as good as none, and a cache that cannot be written is no
trouble. Nothing read from it is trusted: who makes commands of it takes anything,
and what may be sent is never decided by it.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from streamcli.resp import encode

if TYPE_CHECKING:
    from streamcli.backend import Server
    from streamcli.grammar.foreign import Facts
    from streamcli.shell.lookup import Browse

_FORMAT = 1
_BYTES_MAX = 4 << 20
_FILES_MAX = 20
_PREFIX, _SUFFIX = "commands-", ".json"
_PART_MAX = 40  # characters of a name or a version in a file's name


def path(folder: str, target: str, server: Server, browse: Browse) -> str | None:
    """Where the commands of the server at `target` are kept: what it lists counts, too; None when it is nameless."""
    name, number = _plain(server.name), _plain(server.version)
    if not name or not number:
        return None
    from hashlib import sha256

    replies = (browse((b"COMMAND", b"COUNT")), browse((b"MODULE", b"LIST")))
    digest = sha256(
        b"".join(encode(reply) for reply in (target.encode("utf-8", "surrogateescape"), *replies))
    ).hexdigest()[:12]
    return os.path.join(folder, f"{_PREFIX}{name}-{number}-{digest}{_SUFFIX}")


def _plain(text: str) -> str:
    return "".join(one for one in text[:_PART_MAX] if one.isascii() and (one.isalnum() or one in "._+"))


def read(path: str) -> Facts | None:
    """What is kept there; None when there is nothing of ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_size > _BYTES_MAX:
                return None
            kept = json.loads(file.read(_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(kept, dict) or kept.get("format") != _FORMAT or not isinstance(kept.get("commands"), dict):
        return None
    facts: Facts = kept["commands"]
    return facts


def write(path: str, facts: Facts) -> None:
    """Keep it, if that can be done, in the place of the oldest file when there are many."""
    folder = os.path.dirname(path)
    new = f"{path}.{os.getpid()}"
    with suppress(OSError, ValueError, RecursionError):
        data = json.dumps({"format": _FORMAT, "commands": facts}, separators=(",", ":")).encode()
        if len(data) > _BYTES_MAX:
            return
        os.makedirs(folder, 0o700, exist_ok=True)
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(data)
            os.replace(new, path)
        except OSError:
            with suppress(OSError):
                os.unlink(new)
            raise
        _clear_old(folder)


def _clear_old(folder: str) -> None:
    with os.scandir(folder) as entries:
        mine = [entry for entry in entries if entry.name.startswith(_PREFIX) and entry.is_file(follow_symlinks=False)]
    mine.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime)
    for entry in mine[:-_FILES_MAX]:
        os.unlink(entry.path)
