"""How a run, or `.connect`, gets to its streams: the engine in this process, or a connection to a server.

Each is imported when it is asked for: a run on a server knows nothing of
SQLite, and one on a file nothing of redis-py.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from streamcli import settings as options
from streamcli.backend import UnreachableError
from streamcli.flags import UsageError

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.backend.address import Address
    from streamcli.settings import Settings
    from streamcli.shell.config import Config


def backend(settings: Settings, address: Address | None, one_shot: str | None = None) -> Backend:
    """The backend, of a server or (no address) in this process. Raises UnreachableError.

    `one_shot` is the format that a run without a prompt answers in.
    """
    if address is not None:
        from streamcli.backend.remote import connect

        return connect(address._replace(protocol=_protocol(address, one_shot)))
    from streamcli.backend.embedded import Embedded
    from streamcli.engine import OpenError

    try:
        path = None if settings.memory else settings.db
        if path is None and not settings.memory:
            path = options.data_file(os.environ)
    except OSError as error:
        raise UnreachableError(
            f"cannot make the data folder: {(error.strerror or str(error)).lower()}: {error.filename}"
        ) from None
    if settings.read_only and path is not None and path != ":memory:" and not os.path.exists(path):
        raise UnreachableError(f"there is no database to read: {path}")
    try:
        embedded = Embedded(path, durable=settings.durability == "full")
    except OpenError as error:
        raise UnreachableError(str(error)) from None
    if settings.number:
        embedded.execute((b"SELECT", b"%d" % settings.number))
    if settings.protocol == 3:
        embedded.execute((b"HELLO", b"3"))
    return embedded


def address_of(settings: Settings, *, asks: bool = False) -> Address | None:
    """Where a run goes, with the password that somebody types if need be; None is the engine in this process.

    `asks`: also for one that is merely missing. Raises UsageError.
    """
    address = options.place(settings, os.environ)
    options.check_place(settings, address)
    if address is not None and (settings.askpass or (asks and lacks_password(settings, address))):
        address = address._replace(password=ask_password(address))
    return address


def _protocol(address: Address, one_shot: str | None) -> int | None:
    """Which RESP to speak; None is 3 where the server has it.

    The shapes of raw and classic are the protocol's own. A script that takes
    its output apart gets what redis-cli prints, which is what the same line
    prints on the embedded engine: both are RESP2 unless -3 is said.
    """
    if address.protocol is None and one_shot in ("raw", "classic"):
        return 2
    return address.protocol


def lacks_password(settings: Settings, address: Address) -> bool:
    """Is a user named whose password nothing has given, and somebody there to be asked for it?"""
    return address.user is not None and not address.password and settings.password is None and _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def ask_password(address: Address) -> str:
    """The password, as somebody at the terminal types it unseen; empty for none. Raises UsageError."""
    if not _has_terminal():  # getpass would go on without one, and show what is typed
        raise UsageError("--askpass needs a terminal; there is REDISCLI_AUTH, too")
    from getpass import getpass

    from streamcli.text import visible

    try:
        return getpass(visible(f"Password for {address.user or 'the default user'} at {address}: "))
    except EOFError:
        raise UsageError("no password was given") from None
    except UnicodeDecodeError:
        raise UsageError("the password is not text in the terminal's encoding") from None


def go_to(target: str, asked: Settings, config: Config) -> tuple[Backend, bool]:
    """The backend of a target named at the prompt, and whether it is to be read only. Raises ConnectError."""
    from streamcli.shell.repl import ConnectError

    there = asked.elsewhere()
    try:
        if "://" in target:
            there = there._replace(url=target)
        elif target[:1] == "@":
            there = options.with_profile(there._replace(profile=target[1:]), config)
        elif (node := _node(target)) is not None:
            there = there._replace(host=node[0], port=node[1])
        elif _is_nearly_a_url(target) and not os.path.exists(target):  # no file is made whose name is a password
            raise UsageError(
                "a server is redis://USER:PASSWORD@HOST:PORT; the name of a new file like this begins with ./"
            )
        else:
            there = there._replace(memory=target == ":memory:", db=os.path.expanduser(target))
        address = options.place(there, os.environ)
        if address is not None and there.askpass:
            address = address._replace(password=_ask_at_the_prompt(address))
        return backend(there, address), there.read_only
    except (UsageError, UnreachableError) as error:
        raise ConnectError(str(error)) from None


def _ask_at_the_prompt(address: Address) -> str:
    """The password. Raises UsageError; Ctrl-C is no password."""
    from streamcli.shell.replies import interruptible

    try:
        with interruptible():
            return ask_password(address)
    except KeyboardInterrupt:
        raise UsageError("no password was given") from None


def _is_nearly_a_url(target: str) -> bool:
    """`user:password@host`, `redis:/host`."""
    if target[:1] in ("/", ".", "~"):
        return False
    return ":" in target.rpartition("@")[0] or target.lower().startswith(("redis:", "rediss:", "valkey:", "unix:"))


def _node(target: str) -> tuple[str, int] | None:
    """The host and the port of HOST:PORT; None when it is the name of a file."""
    from streamcli.backend.address import AddressError, host_fault, node

    if not target.rpartition(":")[2].isdigit() or os.path.exists(target):
        return None
    try:
        host, port = node(target)
    except AddressError:
        return None
    return None if host_fault(host) else (host, port)
