"""`pending`: who holds what of a group, for how long, delivered how often; and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from streamcli.flags import Flag, UsageError
from streamcli.ids import MAX_ID, MIN_ID, parse_id
from streamcli.tools.entries import so_many
from streamcli.tools.job import FAILED, INTERRUPTED, OK, Given, Job, Tool, ToolError, now_ms, span_ms
from streamcli.tools.pending.acting import PAST, Tally, act, doer, so_far
from streamcli.tools.pending.deeds import ACK, CLAIM, DEAD_LETTER, NACK, REQUEUE, Deed
from streamcli.tools.pending.held import PAGE, Held, Pending, Wanted
from streamcli.tools.pending.listing import show
from streamcli.tools.survey import by_clock

LIST: Final = "list"
ACTIONS: Final = (LIST, ACK, CLAIM, NACK, REQUEUE, DEAD_LETTER)
_DEEDS: Final = tuple(action.encode() for action in ACTIONS[1:])
_MODES: Final = ("fail", "silent", "fatal")
_TO: Final = {CLAIM: "CONSUMER", DEAD_LETTER: "STREAM"}
_NUMBER_MOST: Final = 10**9


def run(job: Job, given: Given) -> int:
    stream, group, *words = given.words
    action, ids = _action(words)
    _check(action, given)
    _check_all(job, action, given, bool(ids))
    is_by_place = given.text("from") is not None or given.text("until") is not None
    read = partial(_wanted, given)
    wanted = by_clock(lambda: job.backend, read) if is_by_place else read(now_ms())
    pending = Pending(job.backend, stream, group)
    most = given.number("limit")
    if action == LIST:
        if _browses(job, given, ids):
            from streamcli.tools.pending.screen import browse

            return browse(job, pending, wanted, read_only=job.read_only, not_atomic=given.on("not_atomic"))
        pages = _chosen(pending, wanted, ids, most, None)
        return show(job, pending, pages, payload=not given.on("no_payload"))
    return _act(job, given, pending, _deed(action, given, stream, group, wanted, bool(ids)), wanted, ids)


def _action(words: list[bytes]) -> tuple[str, list[bytes]]:
    """The action, and the IDs in full behind it; IDs alone are listed. Raises UsageError."""
    action = words[0].decode("utf-8", "backslashreplace") if words else LIST
    rest = words[1:]
    if action not in ACTIONS:
        if not words[0][:1].isdigit():
            raise UsageError(_no_action(action))
        action, rest = LIST, words
    ids: dict[bytes, None] = {}
    for word in rest:
        id = parse_id(word) if word[:1].isdigit() else None
        if id is None:
            raise UsageError(
                f"{word.decode('utf-8', 'backslashreplace')!r} is no ID of an entry, such as 1526984818136-0"
            )
        ids[id.text] = None
    return action, list(ids)


def _no_action(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, ACTIONS, 1, 0.5)
    return f"there is no action {word!r}; {f'did you mean {near[0]}?' if near else 'it is ' + ', '.join(ACTIONS)}"


def _check(action: str, given: Given) -> None:
    """Flags that this action has no use for are a mistake, and not passed over. Raises UsageError."""
    if action in _TO and not given.text("to"):
        raise UsageError(f"{action} needs --to {_TO[action]}")
    if action not in _TO and given.text("to") is not None:
        raise UsageError("--to is for claim and dead-letter; a range of IDs goes --until one")
    for key, name, actions in (
        ("mode", "--mode", (NACK,)),
        ("reason", "--reason", (DEAD_LETTER,)),
        ("not_atomic", "--not-atomic", (REQUEUE, DEAD_LETTER, LIST)),
        ("browse", "--browse", (LIST,)),
        ("no_payload", "--no-payload", (LIST,)),
        ("all", "--all", ACTIONS[1:]),
        ("dry_run", "--dry-run", ACTIONS[1:]),
    ):
        if action not in actions and given.on(key):
            raise UsageError(f"{name} is for {' and '.join(actions) if len(actions) < 3 else 'what changes something'}")


def _check_all(job: Job, action: str, given: Given, chosen: bool) -> None:
    """What is acknowledged is nobody's any more: where nobody is asked, all of it has to be said. Raises UsageError."""
    chosen = chosen or any(given.text(key) is not None for key in ("consumer", "idle", "from", "until"))
    chosen = chosen or any(given.number(key) is not None for key in ("deliveries", "limit"))
    if given.on("all") and chosen:
        raise UsageError("--all leaves nothing to choose: it goes without IDs, filters and --limit")
    if action == ACK and not (chosen or given.on("all") or given.dry_run or job.prompt):
        raise UsageError("name IDs or a filter; to acknowledge all that is pending, say --all")


def _wanted(given: Given, now_ms: int) -> Wanted:
    """The filters. Raises UsageError."""
    from streamcli.tools.places import place

    idle = given.text("idle")
    idle_ms = 0 if idle is None else span_ms(idle)
    if idle_ms is None:
        raise UsageError(f"--idle takes a length of time such as 5m, 1h30m, 250ms, not {idle!r}")
    start, end = given.text("from"), given.text("until")
    consumer = given.text("consumer")
    return Wanted(
        place(start, now_ms) if start is not None else MIN_ID,
        place(end, now_ms, last=True) if end is not None else MAX_ID,
        None if consumer is None else _bytes(consumer),
        idle_ms,
        given.number("deliveries") or 0,
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _deed(action: str, given: Given, stream: bytes, group: bytes, wanted: Wanted, chosen: bool) -> Deed:
    to = _bytes(given.text("to") or "")
    if action == DEAD_LETTER and to == stream:
        raise UsageError("--to is the stream itself; requeue puts a copy at its end")
    reason = given.text("reason")
    return Deed(
        action,
        stream,
        group,
        to,
        (given.text("mode") or _MODES[0]).upper().encode(),
        _bytes(reason) if reason is not None else _reason(given, wanted, chosen),
        wanted.idle_ms,
    )


def _reason(given: Given, wanted: Wanted, chosen: bool) -> bytes:
    """Why an entry is a dead letter, by what was asked for."""
    reasons: list[str] = []
    if wanted.deliveries:
        reasons.append(f"deliveries >= {wanted.deliveries}")
    if wanted.idle_ms:
        reasons.append(f"idle >= {given.text('idle')}")
    return "; ".join(reasons or ["chosen by its ID" if chosen else "pending"]).encode()


def _chosen(
    pending: Pending, wanted: Wanted, ids: list[bytes], most: int | None, missing: list[bytes] | None
) -> Iterator[list[Held]]:
    """Pages of what is wanted, or of the IDs that are; those that are not come to `missing`."""
    if not ids:
        yield from pending.pages(wanted, most)
        return
    left = len(ids) if most is None else most
    for at in range(0, len(ids), PAGE):
        part = ids[at : at + PAGE]
        page: list[Held] = []
        for id, held in zip(part, pending.of(part), strict=True):
            if held is not None and wanted.takes(held):
                page.append(held)
            elif missing is not None:
                missing.append(id)
        if page[:left]:
            yield page[:left]
        left -= len(page[:left])


def _act(job: Job, given: Given, pending: Pending, deed: Deed, wanted: Wanted, ids: list[bytes]) -> int:
    most = given.number("limit")
    does = doer(deed, pending.backend, not_atomic=given.on("not_atomic"))
    if not ids:  # what is delivered from now on, copies for one, is not meant
        greatest = pending.summary().greatest
        if greatest is None:
            return _told(job, deed, Tally(), [], chosen=False)
        wanted = wanted._replace(end=min(wanted.end, greatest))
    if given.dry_run:
        return _dry_run(job, pending, deed, wanted, ids, most)
    total = len(ids) if ids else pending.count(_countable(wanted, given), most)
    if total and not ids and not job.agrees(_question(deed, total)):
        return FAILED
    missing: list[bytes] = []
    from streamcli.tools.stopping import stopping

    with stopping() as stop, job.progress(f"{deed.name} {_name(deed.stream)} {_name(deed.group)}", total) as progress:
        pages = _chosen(pending, wanted, ids, most, missing)
        tally = act(does.do, pages, lambda: stop.asked, progress.at)
    return _told(job, deed, tally, missing, chosen=bool(ids))


def _countable(wanted: Wanted, given: Given) -> Wanted:
    """Without the end that was put in for copies: the summary can count that."""
    return wanted if given.text("until") is not None else wanted._replace(end=MAX_ID)


def _question(deed: Deed, total: int) -> str:
    """A sentence: whoever asks puts "Go on?" behind it."""
    to = f" to {_name(deed.to)}" if deed.to else ""
    return f"{so_many(total)} of {_where(deed)} will be {PAST[deed.name]}{to}"


def _where(deed: Deed) -> str:
    return f"group {_name(deed.group)} in {_name(deed.stream)}"


def _dry_run(job: Job, pending: Pending, deed: Deed, wanted: Wanted, ids: list[bytes], most: int | None) -> int:
    missing: list[bytes] = []
    count = 0

    def counted() -> Iterator[list[Held]]:
        nonlocal count
        for page in _chosen(pending, wanted, ids, most, missing):
            count += len(page)
            yield page

    show(job, pending, counted(), payload=False)
    _say_missing(job, missing)
    job.say(f"{so_many(count)} would be {PAST[deed.name]}; nothing was changed")
    return FAILED if missing else OK


def _told(job: Job, deed: Deed, tally: Tally, missing: list[bytes], *, chosen: bool) -> int:
    """Say what was done; the exit code. What was `chosen` by its ID must have been done."""
    done = tally.done
    to = f" to {_name(deed.to)}" if deed.to and done else ""
    job.did(
        f"{PAST[deed.name]} {so_many(done)} of {_where(deed)}{to}{tally.rest_text()}",
        [
            ("action", deed.name.encode()),
            ("stream", deed.stream),
            ("group", deed.group),
            *([("to", deed.to)] if deed.to else []),
            *tally.counts.items(),
            ("not_pending", len(missing)),
            ("last", tally.last or None),
            ("last_copy", tally.copy or None),
        ],
    )
    _say_missing(job, missing)
    for held, why in tally.problems:
        job.say(f"{held.id.decode()} was {why}" if why.startswith("d") else f"{held.id.decode()} is {why}")
    if tally.refusal is not None:
        raise ToolError(f"{tally.refusal} ({so_far(tally)})" if tally.seen else tally.refusal)
    if tally.stopped:
        job.say(f"stopped: {so_far(tally)}" if tally.seen else "stopped before the first entry")
        return INTERRUPTED
    left = tally.seen - tally.done if chosen else tally.counts["deleted"]
    return FAILED if missing or left else OK


def _say_missing(job: Job, missing: list[bytes]) -> None:
    for id in missing[:10]:
        job.say(f"{id.decode()} is not pending, or not as it was asked for")
    if len(missing) > 10:
        job.say(f"nor are {len(missing) - 10:,} more")


def _name(data: bytes) -> str:
    from streamcli.text import bare

    return bare(data)


def _browses(job: Job, given: Given, ids: list[bytes]) -> bool:
    """Asked for; or at the prompt, where nothing but a list can be meant. Raises UsageError."""
    if given.on("browse"):
        if not job.screen:
            raise UsageError("--browse needs a terminal for stdin and stdout")
        if ids or given.number("limit") is not None:
            raise UsageError("--browse lists what passes the filters: IDs and --limit are for a list")
        return True
    plain = not ids and job.format is None and given.number("limit") is None and not given.on("no_payload")
    return job.prompt and job.screen and len(given.words) == 2 and plain


_FLAGS: Final = (
    Flag(("--consumer",), "consumer", "Only what this consumer holds.", "CONSUMER"),
    Flag(("--idle",), "idle", "Only what was last delivered so long ago, or longer: 5m, 1h30m, 250ms.", "TIME"),
    Flag(("--deliveries",), "deliveries", "Only what was delivered so often, or more.", "N", number=(0, _NUMBER_MOST)),
    Flag(("--from",), "from", "Only from this ID on, or this time: -10m, yesterday.", "PLACE"),
    Flag(("--until",), "until", "Only up to this ID, or this time.", "PLACE"),
    Flag(("-n", "--limit"), "limit", "At most so many entries.", "N", number=(0, _NUMBER_MOST)),
    Flag(
        ("--all",),
        "all",
        "All that is pending; ack wants it said where there are no IDs, no filters, and nobody to ask.",
    ),
    Flag(("--no-payload",), "no_payload", "List them without their fields."),
    Flag(("--browse",), "browse", "A list on the whole terminal, with keys for all of this."),
    Flag(("--to",), "to", "claim: the consumer that gets them; dead-letter: the stream.", "NAME"),
    Flag(("--mode",), "mode", "nack: how the delivery is counted, fail by default.", "MODE", choices=_MODES),
    Flag(("--reason",), "reason", "dead-letter: why, in place of the filters.", "TEXT"),
    Flag(
        ("--not-atomic",),
        "not_atomic",
        "requeue, dead-letter: where it cannot be one step, copy an entry first and acknowledge it then.",
    ),
)

TOOL: Final = Tool(
    usage="STREAM GROUP [ACTION] [ID...]",
    run=run,
    flags=_FLAGS,
    least=2,
    roles=("key", "group", "|".join(ACTIONS), "id"),
    about=(
        "ACTION is list (when there is none), ack, claim, nack, requeue or dead-letter. It is about the IDs that are "
        "given, or else about every pending entry that passes the filters.\n\n"
        "requeue adds a copy at the end of the stream and acknowledges the old entry; dead-letter does so in another "
        "stream, with the fields dead-letter:stream, :group, :id, :consumer, :deliveries and :reason behind the "
        "entry's own. What is acknowledged or delivered anew meanwhile is left alone."
    ),
    examples=(
        "pending a g --idle 5m",
        "pending a g ack 1526984818136-0",
        "pending a g claim --consumer alice --idle 1h --to bob",
        "pending a g dead-letter --deliveries 5 --to a:dead --dry-run",
    ),
    writes=True,
    reads=lambda given: given.words[2:3] == () or given.words[2] not in _DEEDS,
)
