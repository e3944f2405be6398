"""PING to QUIT, CLIENT, and transactions: what concerns a session and no key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from streamcli import errors
from streamcli.engine.engine import Context, handles
from streamcli.grammar.types import read_client_name
from streamcli.reply import OK, Error, Reply, ReplyError, Simple

if TYPE_CHECKING:
    from streamcli.engine.session import Session

REFERENCE_VERSION = "8.10.0"  # of Redis: whose replies these are
_USER = b"default"


@handles("PING", store=False)
def ping(ctx: Context, *, message: bytes | None = None) -> Reply:
    if len(ctx.call.argv) > 2:
        raise ReplyError(errors.arity("PING"))
    return Simple("PONG") if message is None else message


@handles("ECHO", store=False)
def echo(ctx: Context, *, message: bytes) -> Reply:
    return message


@handles("HELLO", store=False)
def hello(
    ctx: Context,
    *,
    protover: int | None = None,
    username: bytes | None = None,
    password: bytes | None = None,
    setname: bytes | None = None,
) -> Reply:
    """Who answers, as a map, in the protocol that was chosen."""
    if username is not None:
        _log_in(ctx, username, password or b"")
    if not ctx.session.authenticated:
        raise ReplyError(errors.HELLO_NOAUTH)
    if setname is not None:
        ctx.session.name = setname
    if protover is not None:
        ctx.session.protocol = protover
    return ctx.map(
        [
            (b"server", b"redis"),
            (b"version", REFERENCE_VERSION.encode()),
            (b"proto", ctx.session.protocol),
            (b"id", ctx.session.id),
            (b"mode", b"standalone"),
            (b"role", b"master"),
            (b"modules", []),
        ]
    )


@handles("AUTH", store=False)
def auth(ctx: Context, *, credential: list[bytes]) -> Reply:
    """Where there is no password to give, the default user is welcome with any."""
    if len(credential) > 2:
        raise ReplyError(errors.SYNTAX)
    if len(credential) == 1 and ctx.engine.host.password is None:
        raise ReplyError(errors.NO_PASSWORD_SET)
    _log_in(ctx, credential[0] if len(credential) == 2 else _USER, credential[-1])
    return OK


def _log_in(ctx: Context, user: bytes, password: bytes) -> None:
    """Let the user in. Raises WRONGPASS."""
    from hmac import compare_digest

    wanted = ctx.engine.host.password
    if user != _USER or (wanted is not None and not compare_digest(password, wanted)):
        raise ReplyError(errors.WRONGPASS)
    ctx.session.authenticated = True


@handles("SELECT", store=False)
def select(ctx: Context, *, index: int) -> Reply:
    ctx.session.db = index
    return OK


@handles("RESET", store=False)
def reset(ctx: Context) -> Reply:
    ctx.session.reset()
    return Simple("RESET")


@handles("QUIT", store=False)
def quit_(ctx: Context) -> Reply:
    ctx.engine.host.leave(ctx.session)
    return OK


# -- transactions ---------------------------------------------------------------------


@handles("MULTI", store=False)
def multi(ctx: Context) -> Reply:
    return ctx.session.multi()


@handles("EXEC", store=False)
def exec_(ctx: Context) -> Reply:
    return ctx.session.exec(ctx.now_ms)


@handles("DISCARD", store=False)
def discard(ctx: Context) -> Reply:
    return ctx.session.discard()


@handles("WATCH")
def watch(ctx: Context, *, key: list[bytes]) -> Reply:
    if ctx.session.queue is not None:
        raise ReplyError(errors.WATCH_IN_MULTI)
    return ctx.session.watch(key, ctx.now_ms)


@handles("UNWATCH", store=False)
def unwatch(ctx: Context) -> Reply:
    return ctx.session.unwatch()


# -- CLIENT --------------------------------------------------------------------------------


@handles("CLIENT ID", store=False)
def client_id(ctx: Context) -> Reply:
    return ctx.session.id


@handles("CLIENT SETNAME", store=False)
def client_setname(ctx: Context, *, connection_name: bytes) -> Reply:
    ctx.session.name = connection_name
    return OK


@handles("CLIENT GETNAME", store=False)
def client_getname(ctx: Context) -> Reply:
    return ctx.session.name or None


@handles("CLIENT SETINFO", store=False)
def client_setinfo(ctx: Context, *, attribute: bytes, value: bytes) -> Reply:
    name = attribute.lower().decode("latin-1")
    if name not in ("lib-name", "lib-ver"):
        raise ReplyError(errors.bad_client_attribute(attribute))
    if isinstance(read_client_name(value), Error):
        raise ReplyError(errors.bad_client_info(attribute))
    ctx.session.library[name] = value
    return OK


@handles("CLIENT NO-EVICT", store=False)
@handles("CLIENT NO-TOUCH", store=False)
def client_no_evict(ctx: Context, *, enabled: bytes) -> Reply:
    if enabled.lower() not in (b"on", b"off"):
        raise ReplyError(errors.SYNTAX)
    return OK


def _line(session: Session) -> bytes:
    """A session as CLIENT LIST describes it; what an embedded session has no use for is left out."""
    fields = session.engine.host.describe(session) or {
        "id": session.id,
        "name": session.name.decode("latin-1"),
        "db": session.db,
        "multi": -1 if session.queue is None else len(session.queue),
        "watch": session.watching,
        "cmd": session.last_command.lower().replace(" ", "|") or "NULL",
        "user": _USER.decode(),
        "lib-name": session.library.get("lib-name", b"").decode("latin-1"),
        "lib-ver": session.library.get("lib-ver", b"").decode("latin-1"),
        "resp": session.protocol,
    }
    return " ".join(f"{name}={value}" for name, value in fields.items()).encode("latin-1", "replace") + b"\n"


@handles("CLIENT INFO", store=False)
def client_info(ctx: Context) -> Reply:
    return ctx.text(_line(ctx.session))


@handles("CLIENT LIST", store=False)
def client_list(ctx: Context, *, type: bytes | None = None, id: list[int] | None = None) -> Reply:
    """A line for each session of this engine."""
    if type is not None and _client_type(type) != b"normal":
        return ctx.text(b"")
    sessions = ctx.engine.sessions
    chosen = sessions.values() if id is None else [sessions[one] for one in id if one in sessions]
    return ctx.text(b"".join(map(_line, chosen)))


def _client_type(word: bytes) -> bytes:
    """A kind of client, in small letters; every client of ours is a normal one. Raises "unknown client type"."""
    kind = word.lower()
    if kind not in (b"normal", b"slave", b"replica", b"pubsub", b"master"):
        raise ReplyError(errors.unknown_client_type(word))
    return kind


@handles("CLIENT KILL", store=False)
def client_kill(
    ctx: Context, *, address: list[bytes], id: int | None = None, type: bytes | None = None, user: bytes | None = None,
    addr: bytes | None = None, laddr: bytes | None = None, skipme: bool = True, maxage: int | None = None,
) -> Reply:  # fmt: skip
    """How many connections were closed; of a lone address OK. Filters are all to hold."""
    engine = ctx.engine
    if len(ctx.call.argv) == 3:  # Redis: three words are the old form, whatever the third one is
        found = _chosen(ctx, addr=ctx.call.argv[2])
        if not found or not engine.host.kill(ctx.session, found):
            raise ReplyError(errors.NO_SUCH_CLIENT)
        return OK
    ctx.call.check()
    if address:
        raise ReplyError(errors.SYNTAX)
    if type is not None and _client_type(type) != b"normal":
        return 0
    if user is not None and user != _USER:
        raise ReplyError(errors.no_such_user(user))
    found = _chosen(ctx, id=id, addr=addr, laddr=laddr, age=maxage)
    return engine.host.kill(ctx.session, [one for one in found if not (skipme and one is ctx.session)])


def _chosen(ctx: Context, **wanted: int | bytes | None) -> list[Session]:
    """The sessions of which each of these holds; an age is the least."""
    least = wanted.pop("age", None)
    found = []
    for session in ctx.engine.sessions.values():
        known = ctx.engine.host.describe(session) or {"id": session.id}
        same = all(
            value is None or str(known.get(name)) == (str(value) if isinstance(value, int) else os.fsdecode(value))
            for name, value in wanted.items()
        )
        age = known.get("age", 0)
        if same and (least is None or (isinstance(age, int) and isinstance(least, int) and age >= least)):
            found.append(session)
    return found


@handles("CLIENT UNBLOCK", store=False)
def client_unblock(ctx: Context, *, client_id: int | Error, timeout: bool = False, error: bool = False) -> Reply:
    """1, or 0 when the client does not wait."""
    if len(ctx.call.argv) > 4:
        raise ReplyError(errors.bad_subcommand(ctx.call.argv))
    ctx.call.check()
    ctx.call.check_late()
    assert isinstance(client_id, int)
    return int(ctx.engine.host.unblock(client_id, error=error))


@handles("CLIENT REPLY", store=False)
def client_reply(ctx: Context, *, on: bool = False, off: bool = False, skip: bool = False) -> Reply:
    return ctx.engine.host.reply_mode(ctx.session, "OFF" if off else "SKIP" if skip else "ON")


# -- the whole server ----------------------------------------------------------------------


@handles("MONITOR", store=False)
def monitor(ctx: Context) -> Reply:
    if not ctx.may_wait():
        raise ReplyError(errors.MONITOR_IN_MULTI)
    return ctx.engine.host.monitor(ctx.session)


@handles("SHUTDOWN", store=False)
def shutdown(
    ctx: Context, *, nosave: bool = False, save: bool = False, now: bool = False, force: bool = False,
    abort: bool = False,
) -> Reply:  # fmt: skip
    """No reply but the end of the connection. What was acknowledged is kept either way; there is nothing to abort."""
    if abort:
        if len(ctx.call.argv) > 2:
            raise ReplyError(errors.SYNTAX)
        raise ReplyError(errors.NO_SHUTDOWN)
    return ctx.engine.host.shutdown(ctx.session, now=now)


@handles("CONFIG RESETSTAT", store=False)
def config_resetstat(ctx: Context) -> Reply:
    ctx.engine.host.reset_statistics()
    return OK
