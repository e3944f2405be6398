"""THE TABLE: every command, its words, and what is known of it.

A new option is a new line here, a parameter of the engine's handler and a
heading in its help page; nothing else knows a command's words. Parts stand in
the order in which Redis looks at them, so that the first problem is Redis's.
Since, arity, flags and key positions are COMMAND INFO's of Redis 8.10.
"""

from __future__ import annotations

from streamcli import errors
from streamcli.grammar import types as t
from streamcli.grammar.spec import (
    ALL_KEYS,
    ONE_KEY,
    SUB_KEY,
    Arg,
    Args,
    Argv,
    Check,
    Command,
    Halves,
    Ignored,
    Keys,
    Maybe,
    Option,
    Options,
    Ordered,
    Pairs,
)
from streamcli.reply import Error

# -- words that many commands share ------------------------------------------------

KEY = Arg("key", t.KEY)
KEYS = Arg("key", t.KEY, many=True)
GROUP = Arg("group", t.GROUP)
CONSUMER = Arg("consumer", t.CONSUMER)
ID = Arg("id", t.ID)
IDS = Arg("id", t.ID, many=True)
START, END = Arg("start", t.START), Arg("end", t.END)
COUNT = Option("COUNT", Arg("count", t.COUNT), note="at most so many entries")
COUNT_EACH = Option("COUNT", Arg("count", t.COUNT), note="at most so many entries per stream; 0: no limit")
BLOCK = Option("BLOCK", Arg("milliseconds", t.TIMEOUT), note="wait at most so long; 0: wait for ever")
JUSTID = Option("JUSTID", note="answer with IDs alone; the deliveries stay as counted")

MAXLEN = Option(
    "MAXLEN", Arg("threshold", t.integer("count", least=0, below=errors.MAXLEN_NEGATIVE)),
    marks=("=", "~"), one_of="trim", clash=errors.ONE_STRATEGY, note="keep at most so many entries",
)  # fmt: skip
MINID = Option(
    "MINID", Arg("threshold", t.ID, note="the lowest ID that is kept"),
    marks=("=", "~"), one_of="trim", clash=errors.ONE_STRATEGY, since="6.2.0", note="remove what is below an ID",
)  # fmt: skip
LIMIT = Option(
    "LIMIT", Arg("count", t.integer("count", least=0, below=errors.LIMIT_NEGATIVE)), within="trim", with_mark="~",
    since="6.2.0", note="remove at most so many entries in this call; 0: no limit",
)  # fmt: skip


def _references(since: str | None = None, beside: str | None = None) -> tuple[Option, ...]:
    """What groups still know of an entry that goes. A second one of these is no option at all."""
    return tuple(
        Option(token, one_of="condition", beside=beside, single=True, since=since, note=note)
        for token, note in (
            ("KEEPREF", "what is pending stays pending; so it is without this"),
            ("DELREF", "what goes is not pending any more, in any group"),
            ("ACKED", "only what every group has acknowledged goes"),
        )
    )


REFERENCES = _references("8.2.0", "trim")
COUNTED_IDS = Option(
    "IDS", Arg("numids", t.integer("count", errors.NUMIDS, least=1), note="how many IDs follow"),
    Arg("id", t.ID, many=True, late=True), fewer=errors.NUMIDS_TOO_MANY, note="the entries: how many, then their IDs",
)  # fmt: skip
MAXCOUNT = Option(
    "MAXCOUNT", Arg("maxcount", t.integer("count", least=1, below=errors.MAXCOUNT_RANGE)), since="8.10.0",
    note="at most so many entries of all streams together",
)  # fmt: skip
MAXSIZE = Option(
    "MAXSIZE", Arg("maxsize", t.integer("count", least=1, below=errors.MAXSIZE_RANGE)), since="8.10.0",
    note="no further entry once the reply is so many bytes long",
)  # fmt: skip
_PID, _IID = "the producer: who adds", "the message, as this producer names it"

_LIVES, _DIES = "the key expires after so long", "the key expires then"


def _syntax(argv: Argv, at: int) -> Error:
    return errors.SYNTAX


def _bad_subcommand(argv: Argv, at: int) -> Error:
    return errors.bad_subcommand(argv)


# -- what Redis looks at between words -----------------------------------------------


def limit_needs_a_strategy(args: Args, argc: int) -> Error | None:
    if args.get("limit") and "maxlen" not in args and "minid" not in args:
        return errors.LIMIT_NEEDS_STRATEGY
    return None


def a_strategy_is_needed(args: Args, argc: int) -> Error | None:
    return None if "maxlen" in args or "minid" in args else errors.NO_STRATEGY


def limit_needs_approx(args: Args, argc: int) -> Error | None:
    if "limit" in args and args.get("maxlen_mark", args.get("minid_mark")) != "~":
        return errors.LIMIT_NEEDS_APPROX
    return None


def an_id_above_zero(args: Args, argc: int) -> Error | None:
    return errors.ID_ZERO if args.get("id") == (0, 0) else None


def idmp_makes_ids(args: Args, argc: int) -> Error | None:
    once, given = "pid" in args or "idmpauto" in args, args.get("id")
    return errors.IDMP_NEEDS_AUTO_ID if once and isinstance(given, t.NewID) and given != t.AUTO_ID else None


def ids_are_needed(args: Args, argc: int) -> Error | None:
    return None if "numids" in args else errors.NO_IDS


def xnack_ids_are_needed(args: Args, argc: int) -> Error | None:
    return None if "numids" in args else errors.XNACK_NO_IDS


def a_setting_is_needed(args: Args, argc: int) -> Error | None:
    return None if "idmp_duration" in args or "idmp_maxsize" in args else errors.NO_IDMP_SETTING


def maxcount_not_below_count(args: Args, argc: int) -> Error | None:
    most, each = args.get("maxcount"), args.get("count")
    return errors.MAXCOUNT_BELOW_COUNT if isinstance(most, int) and isinstance(each, int) and most < each else None


def a_group_is_needed(args: Args, argc: int) -> Error | None:
    return None if "group" in args else errors.GROUP_MISSING


def entries_read_from_minus_one(args: Args, argc: int) -> Error | None:
    value = args.get("entriesread")
    return errors.ENTRIESREAD_NEGATIVE if isinstance(value, int) and value < -1 else None


def last_id_not_below_deleted(args: Args, argc: int) -> Error | None:
    given, deleted = args.get("last_id"), args.get("maxdeletedid")
    if isinstance(given, tuple) and isinstance(deleted, tuple) and given < deleted:
        return errors.SETID_BELOW_GIVEN_DELETED
    return None


def three_words_or_six_to_nine(args: Args, argc: int) -> Error | None:
    return None if argc == 3 or 6 <= argc <= 9 else errors.SYNTAX


def idle_needs_eight_words(args: Args, argc: int) -> Error | None:
    return errors.SYNTAX if "idle" in args and argc < 8 else None


def expire_conditions(args: Args, argc: int) -> Error | None:
    if "nx" in args and ("xx" in args or "gt" in args or "lt" in args):
        return errors.NX_WITH_OTHERS
    return errors.GT_WITH_LT if "gt" in args and "lt" in args else None


def scan_count_is_positive(args: Args, argc: int) -> Error | None:
    value = args.get("count")
    return errors.SYNTAX if isinstance(value, int) and value < 1 else None


def a_filter_is_needed(args: Args, argc: int) -> Error | None:
    filtered = "module" in args or "aclcat" in args or "pattern" in args
    return None if filtered or "filterby" not in args else errors.SYNTAX


def settings_come_in_pairs(args: Args, argc: int) -> Error | None:
    return errors.arity("CONFIG SET") if argc % 2 else None


# -- makers of rows that come in families -----------------------------------------------


def _group_only(token: str, *args: Arg) -> Option:
    """An option of XREADGROUP that XREAD knows only to turn it down."""
    return Option(token, *args, refused=errors.group_only(token))


def _claim_value(token: str, name: str, type_name: str, note: str, one_of: str | None = None) -> Option:
    value = Arg(name, t.integer(type_name, errors.bad_xclaim_value(token)))
    return Option(token, value, one_of=one_of, clash=None, replaces=True, note=note)


def _help(container: str, acl: str, since: str = "5.0.0", group: str = "stream") -> Command:
    return Command(
        f"{container} HELP", 2, summary=f"List the subcommands of {container}",
        since=since, group=group, flags="loading stale", acl=acl,
    )  # fmt: skip


_CONDITIONS = (
    ("NX", "only when it has no expiry yet"),
    ("XX", "only when it has an expiry already"),
    ("GT", "only when it then lives longer"),
    ("LT", "only when it then lives shorter"),
)


def _expire(name: str, arg: Arg, since: str, summary: str) -> Command:
    return Command(
        name, -3, KEY, arg,
        Options(
            *(Option(token, one_of="condition", clash=None, since="7.0.0", note=note) for token, note in _CONDITIONS),
            unknown=lambda argv, at: errors.bad_expire_option(argv[at]),
        ),
        Check(expire_conditions),
        summary=summary, since=since, group="generic", flags="write fast", acl="keyspace", keys=ONE_KEY,
    )  # fmt: skip


def _about_key(
    name: str, since: str, summary: str, flags: str = "readonly fast", tips: tuple[str, ...] = ()
) -> Command:
    return Command(
        name, 2, KEY, summary=summary, since=since, group="generic", flags=flags, acl="keyspace", keys=ONE_KEY,
        tips=tips,
    )  # fmt: skip


def _about_keys(name: str, since: str, summary: str, flags: str) -> Command:
    return Command(
        name, -2, KEYS, summary=summary, since=since, group="generic", complexity="O(N) in the number of keys",
        flags=flags, acl="keyspace", keys=ALL_KEYS,
        tips=("request_policy:multi_shard", "response_policy:agg_sum"),
    )  # fmt: skip


def _flush(name: str, summary: str, since: str = "1.0.0") -> Command:
    return Command(
        name, -1,
        Options(Option("ASYNC", one_of="how", since="4.0.0", note="answer first, free the memory later"),
                Option("SYNC", one_of="how", since="6.2.0", note="free the memory, then answer"),
                unknown=_syntax),
        summary=summary, since=since, group="server", complexity="O(N) in the number of keys",
        flags="write", acl="keyspace dangerous",
        tips=("request_policy:all_shards", "response_policy:all_succeeded"),
    )  # fmt: skip


def _object(name: str, since: str, summary: str) -> Command:
    return Command(
        f"OBJECT {name}", 3, KEY, summary=summary, since=since, group="generic",
        flags="readonly", acl="keyspace", keys=SUB_KEY, tips=("nondeterministic_output",),
    )  # fmt: skip


def _client(name: str, arity: int, *parts: Arg | Options, since: str, summary: str, flags: str = "", acl: str = "",
            tips: tuple[str, ...] = (), complexity: str = "O(1)", lookup_first: bool = False) -> Command:  # fmt: skip
    return Command(
        f"CLIENT {name}", arity, *parts, summary=summary, since=since, group="connection", complexity=complexity,
        flags=f"noscript loading stale {flags}", acl=f"connection {acl}", tips=tips, lookup_first=lookup_first,
    )  # fmt: skip


def _container(name: str, since: str, summary: str, group: str = "stream", flags: str = "", acl: str = "",
               tips: tuple[str, ...] = (), arity: int = -2) -> Command:  # fmt: skip
    return Command(
        name, arity, summary=summary, since=since, group=group, complexity="Depends on subcommand",
        flags=flags, acl=acl, tips=tips,
    )  # fmt: skip


_TRIM_CHECKS = (Check(limit_needs_a_strategy), Check(limit_needs_approx))
_ENTRIESREAD = Option(
    "ENTRIESREAD", Arg("entries-read", t.INTEGER), rule=entries_read_from_minus_one, since="7.0.0",
    note="how many entries the group has read; -1: not known",
)  # fmt: skip
_VARIES = ("nondeterministic_output",)

_FULL_COUNT = Option("COUNT", Arg("count", t.COUNT), note="at most so many entries of each list; 0: all; else 10")
_MIN_IDLE = "only what has been idle for so long; 0: idle or not"
_HALVES = "the streams' keys, then one ID for each of them"

STREAMS = (
    Command(
        "XADD", -5, KEY,
        Options(
            Option("NOMKSTREAM", since="6.2.0", note="add nothing when the stream does not exist"),
            *REFERENCES,
            Option("IDMPAUTO", Arg("pid", t.some_text(errors.IDMPAUTO_NO_PRODUCER), note=_PID),
                   one_of="idmp", clash=errors.IDMP_TWICE, since="8.6.0",
                   note="add nothing that this producer has added before"),
            Option("IDMP", Arg("pid", t.some_text(errors.IDMP_NO_PRODUCER), note=_PID),
                   Arg("iid", t.some_text(errors.IDMP_NO_ID), note=_IID),
                   one_of="idmp", clash=errors.IDMP_TWICE, since="8.6.0",
                   note="add nothing that this producer has added by this ID"),
            MAXLEN, MINID, LIMIT,
        ),
        Arg("id", t.NEW_ID, shown="<* | id>"), Check(idmp_makes_ids), *_TRIM_CHECKS,
        Pairs("fields", Arg("field", t.FIELD), Arg("value", t.VALUE)),
        Check(an_id_above_zero),
        access="RW update", note="UPDATE instead of INSERT because of the optional trimming feature",
        summary="Append an entry to a stream, and trim the stream if asked", since="5.0.0",
        complexity="O(1) to add; O(M) more for M entries trimmed", flags="write denyoom fast", acl="stream",
        keys=ONE_KEY, tips=_VARIES,
    ),
    Command(
        "XTRIM", -4, KEY, Options(MAXLEN, MINID, LIMIT, *REFERENCES, unknown=_syntax, needs="trim"),
        Check(limit_needs_a_strategy), Check(a_strategy_is_needed), Check(limit_needs_approx),
        access="RW delete", summary="Remove a stream's oldest entries", since="5.0.0",
        complexity="O(M) for M entries removed",
        flags="write", acl="stream", keys=ONE_KEY, tips=_VARIES,
    ),
    Command(
        "XLEN", 2, KEY, summary="Count the entries of a stream", since="5.0.0", flags="readonly fast",
        acl="stream", keys=ONE_KEY,
    ),
    Command(
        "XDEL", -3, KEY, IDS,
        access="RW delete", summary="Delete entries by ID", since="5.0.0", complexity="O(1) for each ID",
        flags="write fast", acl="stream", keys=ONE_KEY, lookup_first=True,
    ),
    Command(
        "XDELEX", -5, KEY, Options(*_references(), COUNTED_IDS, unknown=_syntax, needs="IDS"),
        Check(ids_are_needed),
        access="RW delete", summary="Delete entries by ID, with an eye on the groups", since="8.2.0",
        complexity="O(log N) for each ID and group", flags="write fast", acl="stream", keys=ONE_KEY, lookup_first=True,
    ),
    Command(
        "XRANGE", -4, KEY, START, END, Options(COUNT, unknown=_syntax),
        access="RO access", summary="Read the entries between two IDs, oldest first", since="5.0.0",
        complexity="O(log N + M) for M entries returned", flags="readonly", acl="stream", keys=ONE_KEY,
    ),
    Command(
        "XREVRANGE", -4, KEY, Ordered(END, START, order=(1, 0)), Options(COUNT, unknown=_syntax),
        access="RO access", summary="Read the entries between two IDs, newest first", since="5.0.0",
        complexity="O(log N + M) for M entries returned", flags="readonly", acl="stream", keys=ONE_KEY,
    ),
    Command(
        "XREAD", -4,
        Options(
            COUNT_EACH, MAXCOUNT, MAXSIZE, BLOCK, _group_only("GROUP", GROUP, CONSUMER),
            _group_only("CLAIM", Arg("min-idle-time", t.TEXT)), _group_only("NOACK"),
        ),
        Halves("STREAMS", KEY, Arg("id", t.AFTER, late=True), errors.XREAD_UNBALANCED, note=_HALVES),
        Check(maxcount_not_below_count),
        summary="Read entries newer than an ID from one or more streams, waiting for them if asked", since="5.0.0",
        complexity="O(log N + M) for each stream and M entries returned", flags="readonly blocking movablekeys",
        acl="stream", access="RO access incomplete",
    ),
    Command(
        "XREADGROUP", -7,
        Options(
            Option("GROUP", GROUP, CONSUMER, note="the group, and who of it is reading"),
            COUNT_EACH, MAXCOUNT, MAXSIZE, BLOCK,
            Option("CLAIM", Arg("min-idle-time", t.integer(
                "milliseconds", errors.CLAIM_NOT_AN_INTEGER, 0, errors.CLAIM_NEGATIVE)), since="8.4.0",
                note="first what has been pending for so long, then what is new"),
            Option("NOACK", note="what is delivered is not kept as pending"), needs="GROUP",
        ),
        Halves("STREAMS", KEY, Arg("id", t.GROUP_AFTER, late=True), errors.XREADGROUP_UNBALANCED, note=_HALVES),
        Check(a_group_is_needed), Check(maxcount_not_below_count),
        summary="Read new entries, or one's own pending ones, as a consumer of a group", since="5.0.0",
        complexity="O(log N + M) for each stream and M entries returned", flags="write blocking movablekeys",
        acl="stream", access="RO access incomplete",
    ),
    Command(
        "XACK", -4, KEY, GROUP, IDS, access="RW update", summary="Mark pending entries as processed", since="5.0.0",
        complexity="O(1) for each ID", flags="write fast", acl="stream", keys=ONE_KEY, lookup_first=True,
    ),
    Command(
        "XACKDEL", -6, KEY, GROUP, Options(*_references(), COUNTED_IDS, unknown=_syntax, needs="IDS"),
        Check(ids_are_needed),
        access="RW update delete", summary="Mark pending entries as processed, and delete them", since="8.2.0",
        complexity="O(log N) for each ID and group", flags="write fast", acl="stream", keys=ONE_KEY, lookup_first=True,
    ),
    Command(
        "XNACK", -7, KEY, GROUP,
        Options(
            Option("SILENT", one_of="mode", note="it was no attempt: one delivery fewer"),
            Option("FAIL", one_of="mode", note="it was an attempt: the deliveries stay as counted"),
            Option("FATAL", one_of="mode", note="no attempt may help: as many deliveries as there can be"),
            unknown=lambda argv, at: errors.XNACK_MODE, once=True, needs="mode",
        ),
        Options(
            Option("IDS", Arg("numids", t.integer("count", errors.XNACK_NUMIDS, least=1, most=t.INT[-1]),
                              note="how many IDs follow"),
                   Arg("id", t.ID, many=True, late=True), fewer=errors.XNACK_NUMIDS_TOO_MANY,
                   note="the entries: how many, then their IDs"),
            Option("RETRYCOUNT", Arg("count", t.integer("count", least=0, below=errors.XNACK_RETRYCOUNT)),
                   note="as if delivered so many times"),
            Option("FORCE", note="also what is not pending, if the entry is there"),
            unknown=lambda argv, at: errors.bad_xnack_option(argv[at]), needs="IDS",
        ),
        Check(xnack_ids_are_needed),
        access="RW update", summary="Give pending entries back, for any consumer to take", since="8.8.0",
        complexity="O(log N) for each ID", flags="write fast", acl="stream", keys=ONE_KEY, lookup_first=True,
    ),
    Command(
        "XPENDING", -3, KEY, GROUP, Check(three_words_or_six_to_nine),
        Maybe(
            Options(
                Option("IDLE", Arg("min-idle-time", t.MILLISECONDS), since="6.2.0", note=_MIN_IDLE), once=True),
            Check(idle_needs_eight_words),
            Ordered(START, END, Arg("count", t.COUNT, note="at most so many entries"), order=(2, 0, 1)),
            Arg("consumer", t.CONSUMER, optional=True, note="only what is pending for this consumer"), Ignored(),
        ),
        access="RO access", summary="Say what a group has delivered and not yet acknowledged", since="5.0.0",
        complexity="O(log N + M) for M rows returned", flags="readonly", acl="stream", keys=ONE_KEY, tips=_VARIES,
    ),
    Command(
        "XCLAIM", -6, KEY, GROUP, CONSUMER,
        Arg("min-idle-time", t.integer("milliseconds", errors.XCLAIM_MIN_IDLE), note=_MIN_IDLE),
        Arg("id", t.ID, run=True),
        Options(
            _claim_value("IDLE", "ms", "milliseconds", "as if last delivered so long ago", "delivery"),
            _claim_value("TIME", "unix-time-milliseconds", "unix-time-ms", "as if last delivered then", "delivery"),
            _claim_value("RETRYCOUNT", "count", "count", "as if delivered so many times"),
            Option("FORCE", note="also what is not pending, if the entry is there"), JUSTID,
            Option("LASTID", Arg("lastid", t.ID), note="the group's last ID becomes at least this"),
            unknown=lambda argv, at: errors.bad_xclaim_option(argv[at]),
        ),
        access="RW update", summary="Take over pending entries by ID", since="5.0.0", complexity="O(log N) for each ID",
        flags="write fast", acl="stream", keys=ONE_KEY, tips=_VARIES, lookup_first=True,
    ),
    Command(
        "XAUTOCLAIM", -6, KEY, GROUP, CONSUMER,
        Arg("min-idle-time", t.integer("milliseconds", errors.XAUTOCLAIM_MIN_IDLE), note=_MIN_IDLE), START,
        Options(
            Option("COUNT", Arg("count", t.integer(
                "count", errors.COUNT_NOT_POSITIVE, least=1, most=t.I64_MAX // 16)),
                note="take over at most so many entries; else 100"),
            JUSTID, unknown=_syntax,
        ),
        access="RW delete", summary="Take over the entries that have been pending for too long", since="6.2.0",
        complexity="O(M) for M entries looked at", flags="write fast", acl="stream", keys=ONE_KEY, tips=_VARIES,
    ),
    Command(
        "XSETID", -3, KEY, Arg("last-id", t.ID, note="new entries come after this ID"),
        Options(
            Option("ENTRIESADDED", Arg("entries-added", t.integer(
                "count", least=0, below=errors.ENTRIES_ADDED_NEGATIVE)), since="7.0.0",
                note="so many entries added in all"),
            Option("MAXDELETEDID", Arg("max-deleted-id", t.ID), rule=last_id_not_below_deleted, since="7.0.0",
                   note="the greatest ID that was ever deleted"),
            unknown=_syntax,
        ),
        access="RW update", summary="Set a stream's last ID and counters (for replication and repair)", since="5.0.0",
        flags="write denyoom fast", acl="stream", keys=ONE_KEY,
    ),
    Command(
        "XCFGSET", -2, KEY,
        Options(
            Option("IDMP-DURATION", Arg("idmp-duration", t.integer(
                "seconds", least=1, below=errors.IDMP_DURATION_RANGE, most=86_400, above=errors.IDMP_DURATION_RANGE)),
                one_of="duration", clash=errors.IDMP_DURATION_TWICE, note="remember what was added for so long"),
            Option("IDMP-MAXSIZE", Arg("idmp-maxsize", t.integer(
                "count", least=1, below=errors.IDMP_MAXSIZE_RANGE, most=10_000, above=errors.IDMP_MAXSIZE_RANGE)),
                one_of="maxsize", clash=errors.IDMP_MAXSIZE_TWICE, note="remember so many messages of each producer"),
            unknown=_syntax,
        ),
        Check(a_setting_is_needed),
        access="RW update", summary="Set for how long, and of how many messages, a stream remembers what was added",
        since="8.6.0",
        complexity="O(1); O(N) in what is forgotten when a setting changes", flags="write fast", acl="stream",
        keys=ONE_KEY, lookup_first=True,
    ),
    Command(
        "XIDMPRECORD", 5, KEY,
        Ordered(Arg("pid", t.some_text(errors.PRODUCER_EMPTY), note=_PID),
                Arg("iid", t.some_text(errors.IID_EMPTY), note=_IID),
                Arg("stream-id", t.ID, note="the ID of the entry that was added"), order=(2, 0, 1)),
        access="RW update", summary="Remember an entry as added by a producer (for replication and repair)",
        since="8.6.2",
        complexity="O(log N)", flags="write denyoom fast", acl="stream", keys=ONE_KEY,
    ),
    _container("XGROUP", "5.0.0", "Create and change consumer groups"),
    Command(
        "XGROUP CREATE", -5, KEY, GROUP, Arg("id", t.LAST_ID, late=True, shown="<id | $>"),
        Options(
            Option("MKSTREAM", note="create the stream when it does not exist"), _ENTRIESREAD,
            unknown=_bad_subcommand,
        ),
        access="RW insert", summary="Create a consumer group", since="5.0.0", flags="write denyoom", acl="stream",
        keys=SUB_KEY, most=8,
    ),
    Command(
        "XGROUP SETID", -5, KEY, GROUP, Arg("id", t.GROUP_ID, late=True, shown="<id | $>"),
        Options(_ENTRIESREAD, unknown=_bad_subcommand),
        access="RW update", summary="Move a group to another place in its stream", since="5.0.0", flags="write",
        acl="stream",
        keys=SUB_KEY, most=7,
    ),
    Command(
        "XGROUP DESTROY", 4, KEY, GROUP,
        access="RW delete", summary="Delete a group with its consumers and pending entries",
        since="5.0.0", complexity="O(M) for M pending entries", flags="write", acl="stream", keys=SUB_KEY,
    ),
    Command(
        "XGROUP CREATECONSUMER", 5, KEY, GROUP, CONSUMER,
        access="RW insert", summary="Add a consumer to a group", since="6.2.0",
        flags="write denyoom", acl="stream", keys=SUB_KEY,
    ),
    Command(
        "XGROUP DELCONSUMER", 5, KEY, GROUP, CONSUMER,
        access="RW delete", summary="Delete a consumer and forget its pending entries",
        since="5.0.0", complexity="O(M) for M pending entries", flags="write", acl="stream", keys=SUB_KEY,
    ),
    _help("XGROUP", "stream"),
    _container("XINFO", "5.0.0", "Look into streams, groups and consumers"),
    Command(
        "XINFO STREAM", -3, KEY,
        Options(
            Option("FULL", then=Options(_FULL_COUNT, once=True), since="6.0.0",
                   note="with entries, groups, consumers and what is pending"),
            unknown=_bad_subcommand, once=True,
        ),
        Options(unknown=_bad_subcommand),
        access="RO access", summary="Describe a stream; in full, with its entries, groups and consumers", since="5.0.0",
        complexity="O(M) for M entries and pending entries returned", flags="readonly", acl="stream", keys=SUB_KEY,
        lookup_first=True, most=6,
    ),
    Command(
        "XINFO GROUPS", 3, KEY, access="RO access", summary="Describe a stream's groups", since="5.0.0",
        complexity="O(M) in the number of groups", flags="readonly", acl="stream", keys=SUB_KEY,
    ),
    Command(
        "XINFO CONSUMERS", 4, KEY, GROUP, access="RO access", summary="Describe a group's consumers", since="5.0.0",
        complexity="O(M) in the number of consumers", flags="readonly", acl="stream", keys=SUB_KEY, tips=_VARIES,
    ),
    _help("XINFO", "stream"),
)  # fmt: skip

# -- keys of any type ---------------------------------------------------------------------

_TTL = ("nondeterministic_output",)
_NEWKEY = Arg("newkey", t.KEY, note="the name it gets")

GENERIC = (
    _about_keys("DEL", "1.0.0", "Delete keys", "write"),
    _about_keys("UNLINK", "4.0.0", "Delete keys", "write fast"),
    _about_keys("EXISTS", "1.0.0", "Count which of the keys exist", "readonly fast"),
    _about_keys("TOUCH", "3.2.1", "Count which of the keys exist, and mark them as used", "readonly fast"),
    _about_key("TYPE", "1.0.0", "Say what kind of value a key holds"),
    _about_key("TTL", "1.0.0", "Say in how many seconds a key expires", tips=_TTL),
    _about_key("PTTL", "2.6.0", "Say in how many milliseconds a key expires", tips=_TTL),
    _about_key("EXPIRETIME", "7.0.0", "Say when a key expires, in Unix seconds"),
    _about_key("PEXPIRETIME", "7.0.0", "Say when a key expires, in Unix milliseconds"),
    _about_key("PERSIST", "2.2.0", "Keep a key that was to expire", "write fast"),
    _expire("EXPIRE", Arg("seconds", t.SECONDS, late=True, note=_LIVES), "1.0.0",
            "Let a key expire in so many seconds"),
    _expire("PEXPIRE", Arg("milliseconds", t.MILLISECONDS, late=True, note=_LIVES), "2.6.0",
            "Let a key expire in so many milliseconds"),
    _expire("EXPIREAT", Arg("unix-time-seconds", t.UNIX_SECONDS, late=True, note=_DIES), "1.2.0",
            "Let a key expire at a Unix time in seconds"),
    _expire("PEXPIREAT", Arg("unix-time-milliseconds", t.UNIX_MILLISECONDS, late=True, note=_DIES), "2.6.0",
            "Let a key expire at a Unix time in milliseconds"),
    Command(
        "KEYS", 2, Arg("pattern", t.PATTERN), summary="List the keys that match a pattern", since="1.0.0",
        group="generic", complexity="O(N) in the number of keys", flags="readonly", acl="keyspace dangerous",
        tips=("request_policy:all_shards", "nondeterministic_output_order"),
    ),
    Command(
        "SCAN", -2, Arg("cursor", t.CURSOR, note="go on where the last reply ended; 0: from the start"),
        Options(
            Option("MATCH", Arg("pattern", t.PATTERN), note="only keys that match a pattern"),
            Option("COUNT", Arg("count", t.COUNT), rule=scan_count_is_positive,
                   note="look at about so many keys; else 10"),
            Option("TYPE", Arg("type", t.TEXT), since="6.0.0", note="only keys of this type: stream, string ..."),
            Option("NOVALUES", refused=errors.BAD_SCAN_NOVALUES), unknown=_syntax,
        ),
        summary="List keys, some at a time", since="2.8.0", group="generic", complexity="O(1) a call",
        flags="readonly", acl="keyspace",
        tips=("nondeterministic_output", "request_policy:special", "response_policy:special"),
    ),
    Command(
        "RENAME", 3, KEY, _NEWKEY, summary="Give a key another name, replacing what had it", since="1.0.0",
        group="generic", flags="write", acl="keyspace", keys=Keys(1, 2, 1),
    ),
    Command(
        "RENAMENX", 3, KEY, _NEWKEY, summary="Give a key another name unless that is taken", since="1.0.0",
        group="generic", flags="write fast", acl="keyspace", keys=Keys(1, 2, 1),
    ),
    Command(
        "COPY", -3, Arg("source", t.KEY, note="the key to copy"), Arg("destination", t.KEY, note="the key of the copy"),
        Options(
            Option("DB", Arg("destination-db", t.DB), note="put the copy into this database"),
            Option("REPLACE", note="replace what has that name"), unknown=_syntax,
        ),
        summary="Copy a key", since="6.2.0", group="generic", complexity="O(N) in the size of the value",
        flags="write denyoom", acl="keyspace", keys=Keys(1, 2, 1),
    ),
    Command(
        "MOVE", 3, KEY, Arg("db", t.DB, note="the database it goes to"), summary="Move a key to another database",
        since="1.0.0", group="generic", flags="write fast", acl="keyspace", access="RW access update", keys=ONE_KEY,
    ),
    Command(
        "RANDOMKEY", 1, summary="Name any one key", since="1.0.0", group="generic", flags="readonly", acl="keyspace",
        tips=("request_policy:all_shards", "response_policy:special", "nondeterministic_output"),
    ),
    Command(
        "DUMP", 2, KEY, summary="Give a value as bytes that RESTORE takes", since="2.6.0", group="generic",
        complexity="O(N) in the size of the value", flags="readonly", acl="keyspace", keys=ONE_KEY, tips=_VARIES,
    ),
    Command(
        "RESTORE", -4, KEY, Arg("ttl", t.INTEGER, late=True, note="milliseconds it lives; 0: it does not expire"),
        Arg("serialized-value", t.VALUE, note="what DUMP has given"),
        Options(
            Option("REPLACE", since="3.0.0", note="replace what has that name"),
            Option("ABSTTL", since="5.0.0", note="the ttl is a Unix time in milliseconds"),
            Option("IDLETIME", Arg("seconds", t.integer("seconds", least=0, below=errors.INVALID_IDLETIME)),
                   one_of="use", since="5.0.0", note="how long it was not used (nothing comes of it here)"),
            Option("FREQ", Arg("frequency", t.integer("count", least=0, below=errors.INVALID_FREQ, most=255,
                                                      above=errors.INVALID_FREQ)),
                   one_of="use", since="5.0.0", note="how often it was used (nothing comes of it here)"),
            unknown=_syntax,
        ),
        summary="Make a key of what DUMP has given", since="2.6.0", group="generic",
        complexity="O(N) in the size of the value", flags="write denyoom", acl="keyspace dangerous", keys=ONE_KEY,
    ),
    _container("OBJECT", "2.2.3", "Look into how a value is kept", "generic"),
    _object("ENCODING", "2.2.3", "Name the encoding of a value"),
    _object("FREQ", "4.0.0", "Say how often a key is used (under an LFU policy)"),
    _object("IDLETIME", "2.2.3", "Say how many seconds a key has not been used"),
    _object("REFCOUNT", "2.2.3", "Count the references to a value"),
    _help("OBJECT", "keyspace", "6.2.0", "generic"),
)  # fmt: skip

# -- strings: as much as scripts around streams need -----------------------------------------

_EXPIRY = (
    ("EX", Arg("seconds", t.SECONDS, late=True, note=_LIVES), "2.6.12"),
    ("PX", Arg("milliseconds", t.MILLISECONDS, late=True, note=_LIVES), "2.6.12"),
    ("EXAT", Arg("unix-time-seconds", t.UNIX_SECONDS, late=True, note=_DIES), "6.2.0"),
    ("PXAT", Arg("unix-time-milliseconds", t.UNIX_MILLISECONDS, late=True, note=_DIES), "6.2.0"),
)

STRINGS = (
    Command(
        "SET", -3, KEY, Arg("value", t.VALUE),
        Options(
            Option("NX", one_of="condition", again=True, since="2.6.12", note="only when the key does not exist"),
            Option("XX", one_of="condition", again=True, since="2.6.12", note="only when the key exists"),
            Option("GET", since="6.2.0", note="answer with the old value"),
            *(Option(token, arg, one_of="expiration", again=True, since=since, note=arg.note)
              for token, arg, since in _EXPIRY),
            Option("KEEPTTL", one_of="expiration", again=True, since="6.0.0", note="keep the expiry it has"),
            unknown=_syntax,
        ),
        summary="Set a string", since="1.0.0", group="string", flags="write denyoom", acl="string", keys=ONE_KEY,
    ),
    Command("GET", 2, KEY, summary="Read a string", since="1.0.0", group="string", flags="readonly fast",
            acl="string", keys=ONE_KEY),
    Command("GETDEL", 2, KEY, summary="Read a string and delete it", since="6.2.0", group="string",
            flags="write fast", acl="string", keys=ONE_KEY),
    Command("STRLEN", 2, KEY, summary="Count the bytes of a string", since="2.2.0", group="string",
            flags="readonly fast", acl="string", keys=ONE_KEY),
)  # fmt: skip

# -- transactions -----------------------------------------------------------------------------

_TRANSACTION = "noscript loading stale fast allow_busy"

TRANSACTIONS = (
    Command("MULTI", 1, summary="Start to collect commands", since="1.2.0", group="transactions",
            flags=_TRANSACTION, acl="transaction", queued=False),
    Command("EXEC", 1, summary="Run the collected commands as one", since="1.2.0", group="transactions",
            complexity="That of its commands", flags="noscript loading stale skip_slowlog", acl="transaction",
            queued=False),
    Command("DISCARD", 1, summary="Forget the collected commands", since="2.0.0", group="transactions",
            complexity="O(N) in the number of commands", flags=_TRANSACTION, acl="transaction", queued=False),
    Command("WATCH", -2, KEYS, summary="Let EXEC run only if the keys do not change", since="2.2.0",
            group="transactions", complexity="O(1) for each key", flags=_TRANSACTION, acl="transaction",
            keys=ALL_KEYS, queued=False),
    Command("UNWATCH", 1, summary="Watch no key any more", since="2.2.0", group="transactions",
            flags=_TRANSACTION, acl="transaction"),
)  # fmt: skip

# -- the connection and the server ---------------------------------------------------------------

_SESSION = "noscript loading stale fast no_auth allow_busy"
_SERVER_TIPS = ("nondeterministic_output", "request_policy:all_shards", "response_policy:special")
_ALL_NODES = ("request_policy:all_nodes", "response_policy:all_succeeded")

_CLIENT_IDS = Arg("client-id", t.integer("integer", errors.INVALID_CLIENT_ID), many=True)

CONNECTION = (
    Command("PING", -1, Arg("message", t.TEXT, optional=True), Ignored(), summary="Answer PONG, or the message",
            since="1.0.0", group="connection", flags="fast", acl="connection",
            tips=("request_policy:all_shards", "response_policy:all_succeeded")),
    Command("ECHO", 2, Arg("message", t.TEXT), summary="Answer the message", since="1.0.0", group="connection",
            flags="loading stale fast", acl="connection"),
    Command(
        "HELLO", -1,
        Maybe(
            Arg("protover", t.PROTOCOL, note="the protocol's version: 2 or 3"),
            Options(
                Option("AUTH", Arg("username", t.TEXT, note="a user's name"), Arg("password", t.SECRET),
                       note="log in as a user"),
                Option("SETNAME", Arg("clientname", t.CLIENT_NAME), note="name the connection"),
                unknown=lambda argv, at: errors.bad_hello_option(argv[at]),
            ),
        ),
        summary="Say who one is and choose the protocol, 2 or 3", since="6.0.0", group="connection",
        flags=_SESSION, acl="connection",
    ),
    Command("AUTH", -2,
            Arg("credential", t.SECRET, many=True, shown="[username] password", note="a user's name, a password"),
            summary="Say who one is", since="1.0.0", group="connection",
            complexity="O(N) in the number of passwords of the user", flags=_SESSION, acl="connection"),
    Command("SELECT", 2, Arg("index", t.DB, note="the database's number"),
            summary="Use another database", since="1.0.0", group="connection",
            flags="loading stale fast", acl="connection"),
    Command("RESET", 1, summary="Bring the session back to how it began", since="6.2.0", group="connection",
            flags=_SESSION, acl="connection", queued=False),
    Command("QUIT", -1, Ignored(), summary="Leave", since="1.0.0", group="connection", flags=_SESSION,
            acl="connection", queued=False),
    _container("CLIENT", "2.4.0", "Look at and change the connection", "connection"),
    _client("ID", 2, since="5.0.0", summary="Name the connection's number"),
    _client("INFO", 2, since="6.2.0", summary="Describe the connection", tips=_VARIES),
    _client("LIST", -2, Options(
                Option("TYPE", Arg("client-type", t.TEXT), since="5.0.0", note="only this type: normal, pubsub ..."),
                Option("ID", _CLIENT_IDS, since="6.2.0", note="only the connections with these numbers"),
                unknown=_syntax, once=True),
            since="2.4.0", summary="Describe the connections", flags="admin", acl="admin dangerous", tips=_VARIES),
    _client("SETNAME", 3, Arg("connection-name", t.CLIENT_NAME), since="2.6.9", summary="Name the connection",
            tips=_ALL_NODES),
    _client("GETNAME", 2, since="2.6.9", summary="Say what the connection is called"),
    _client("SETINFO", 4, Arg("attribute", t.TEXT, note="lib-name or lib-ver"), Arg("value", t.TEXT), since="7.2.0",
            summary="Say which library the client uses", tips=_ALL_NODES),
    _client("NO-EVICT", 3, Arg("enabled", t.TEXT, note="on or off"),
            since="7.0.0", summary="Keep the connection when memory is short",
            flags="admin", acl="admin dangerous"),
    _client("NO-TOUCH", 3, Arg("enabled", t.TEXT, note="on or off"),
            since="7.2.0", summary="Read keys without marking them as used"),
    _client("KILL", -3,
            Arg("address", t.ADDRESS, run=True, shown="[ip:port]", note="the client with this address"),
            Options(
                Option("ID", Arg("client-id", t.integer("integer", errors.CLIENT_ID_NOT_POSITIVE, 1)),
                       since="2.8.12", note="the client with this number"),
                Option("TYPE", Arg("client-type", t.TEXT), since="2.8.12", note="clients of this type: normal ..."),
                Option("USER", Arg("username", t.TEXT), note="clients that are logged in as this user"),
                Option("ADDR", Arg("address", t.TEXT, shown="ip:port"), note="clients at this address"),
                Option("LADDR", Arg("address", t.TEXT, shown="ip:port"), since="6.2.0",
                       note="clients that have connected to this address of the server"),
                Option("SKIPME", Arg("skipme", t.YES_OR_NO, shown="<YES | NO>"),
                       note="spare the client that asks: yes, if it is not said, or no"),
                Option("MAXAGE", Arg("maxage", t.integer("seconds", errors.MAXAGE_NOT_INTEGER, 1,
                                                         errors.MAXAGE_NOT_POSITIVE)),
                       since="7.4.0", note="clients that have been connected for so long, in seconds"),
                unknown=_syntax),
            since="2.4.0", summary="Close connections", flags="admin", acl="admin dangerous", lookup_first=True,
            complexity="O(N) in the number of clients"),
    _client("UNBLOCK", -3, Arg("client-id", t.INTEGER, late=True), Options(
                Option("TIMEOUT", one_of="reason", note="as if its time were over; so it is without a word, too"),
                Option("ERROR", one_of="reason", note="with an error"),
                unknown=lambda argv, at: errors.UNBLOCK_REASON, once=True),
            since="5.0.0", summary="End the wait of another client", flags="admin", acl="admin dangerous",
            lookup_first=True),
    _client("REPLY", 3, Options(
                Option("ON", one_of="mode", note="answer every command"),
                Option("OFF", one_of="mode", note="answer none"),
                Option("SKIP", one_of="mode", note="do not answer the next command"),
                unknown=_syntax, once=True, needs="mode"),
            since="3.2.0", summary="Choose which commands are answered"),
    _help("CLIENT", "connection", "5.0.0", "connection"),
)  # fmt: skip

_NAMES = Arg("command-name", t.TEXT, many=True, shown="[command-name [command-name ...]]")

SERVER = (
    Command("DBSIZE", 1, summary="Count the keys of the database", since="1.0.0", group="server",
            flags="readonly fast", acl="keyspace", tips=("request_policy:all_shards", "response_policy:agg_sum")),
    _flush("FLUSHDB", "Delete every key of the database"),
    _flush("FLUSHALL", "Delete every key of every database"),
    Command("SWAPDB", 3, Arg("index1", t.integer("db", errors.INVALID_FIRST_DB, t.INT[0], most=t.INT[-1])),
            Arg("index2", t.integer("db", errors.INVALID_SECOND_DB, t.INT[0], most=t.INT[-1])),
            summary="Swap two databases", since="4.0.0", group="server", flags="write fast", acl="keyspace dangerous"),
    Command("INFO", -1,
            Arg("section", t.TEXT, many=True, shown="[section [section ...]]", note="only a part: server, clients ..."),
            summary="Describe the server", since="1.0.0",
            group="server", flags="loading stale", acl="dangerous", tips=_SERVER_TIPS),
    Command("TIME", 1, summary="Tell the time", since="2.6.0", group="server", flags="loading stale fast",
            tips=("nondeterministic_output",)),
    _container("COMMAND", "2.8.13", "Describe the commands", "server", "loading stale", "connection",
               ("nondeterministic_output_order",), arity=-1),
    Command("COMMAND COUNT", 2, summary="Count the commands", since="2.8.13", group="server",
            flags="loading stale", acl="connection"),
    Command("COMMAND LIST", -2, Options(
                Option("FILTERBY", note="only some of the commands", then=Options(
                    Option("MODULE", Arg("module-name", t.TEXT), one_of="filter", note="those of a module"),
                    Option("ACLCAT", Arg("category", t.TEXT), one_of="filter", note="those of an ACL category"),
                    Option("PATTERN", Arg("pattern", t.PATTERN), one_of="filter", note="those that match a pattern"),
                    unknown=_syntax, once=True, needs="filter")),
                unknown=_syntax, once=True),
            Check(a_filter_is_needed),
            summary="Name the commands", since="7.0.0", group="server", complexity="O(N) in the number of commands",
            flags="loading stale", acl="connection", tips=("nondeterministic_output_order",)),
    Command("COMMAND INFO", -2, _NAMES, summary="Describe commands for programs",
            since="2.8.13", group="server", complexity="O(N) in the number of commands", flags="loading stale",
            acl="connection", tips=("nondeterministic_output_order",)),
    Command("COMMAND DOCS", -2, _NAMES, summary="Describe commands for people",
            since="7.0.0", group="server", complexity="O(N) in the number of commands", flags="loading stale",
            acl="connection", tips=("nondeterministic_output_order",)),
    Command("COMMAND GETKEYS", -3, Arg("command", t.COMMAND_WORD, many=True, note="a command line, a word each"),
            summary="Name the keys of a command line",
            since="2.8.13", group="server", complexity="O(N) in the number of words", flags="loading stale",
            acl="connection"),
    _help("COMMAND", "connection", "5.0.0", "server"),
    _container("CONFIG", "2.0.0", "Look at and change settings", "server"),
    Command("CONFIG GET", -3, Arg("parameter", t.PATTERN, many=True, note="a setting's name, or a pattern"),
            summary="Read settings", since="2.0.0",
            group="server", complexity="O(N) in the number of settings", flags="admin noscript loading stale",
            acl="admin dangerous"),
    Command("CONFIG SET", -4, Check(settings_come_in_pairs),
            Pairs("settings", Arg("parameter", t.TEXT, note="a setting's name"), Arg("value", t.TEXT)),
            summary="Change settings until the process ends", since="2.0.0", group="server",
            complexity="O(N) in the number of settings", flags="admin noscript loading stale", acl="admin dangerous",
            tips=_ALL_NODES),
    Command("CONFIG RESETSTAT", 2, summary="Count from nought again", since="2.0.0", group="server",
            flags="admin noscript loading stale", acl="admin dangerous", tips=_ALL_NODES),
    _help("CONFIG", "", "5.0.0", "server"),
    Command("MONITOR", 1, summary="Hear of every command that the server runs", since="1.0.0", group="server",
            flags="admin noscript loading stale", acl="admin dangerous"),
    Command("SHUTDOWN", -1, Options(
                Option("NOSAVE", one_of="save", note="without saving; what was acknowledged is kept anyway"),
                Option("SAVE", one_of="save", note="save first; what was acknowledged is kept anyway"),
                Option("NOW", since="7.0.0", note="do not wait for replicas"),
                Option("FORCE", since="7.0.0", note="end even if it cannot be saved"),
                Option("ABORT", since="7.0.0", note="call off an end that is under way"),
                unknown=_syntax),
            summary="End the server", since="1.0.0", group="server", complexity="O(N) in the number of clients",
            flags="admin noscript loading stale no_multi allow_busy", acl="admin dangerous"),
    _container("MEMORY", "4.0.0", "Look at memory", "server"),
    Command("MEMORY USAGE", -3, KEY, Options(
                Option("SAMPLES", Arg("count", t.COUNT), note="measure so many nodes and guess the rest; 0: all"),
                unknown=_syntax),
            summary="Estimate the bytes that a key takes", since="4.0.0", group="server",
            complexity="O(N) in the number of nodes", flags="readonly", keys=SUB_KEY),
    _help("MEMORY", "", "4.0.0", "server"),
    _container("DEBUG", "1.0.0", "Help to test", "server", "admin noscript loading stale", "admin dangerous"),
    Command("DEBUG SLEEP", 3, Arg("seconds", t.FRACTION, note="answer after so long"),
            summary="Answer after so many seconds", since="1.0.0",
            group="server", flags="admin noscript loading stale", acl="admin dangerous"),
)  # fmt: skip


def _by_name() -> dict[str, Command]:
    return {c.name: c for c in (*STREAMS, *GENERIC, *STRINGS, *TRANSACTIONS, *CONNECTION, *SERVER)}


def _by_word(commands: dict[str, Command]) -> dict[bytes, Command]:
    """Commands by their first word; a container holds its subcommands by their second."""
    by_word: dict[bytes, Command] = {}
    for name, command in commands.items():
        container, _, subcommand = name.partition(" ")
        if subcommand:
            commands[container].subcommands[subcommand.encode()] = command
        else:
            by_word[name.encode()] = command
    return by_word


COMMANDS = _by_name()
BY_WORD = _by_word(COMMANDS)
