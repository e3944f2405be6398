"""Every error text Redis uses, once.

Sentences that carry a user's bytes are functions. Knows no command and raises
nothing: a parser keeps these as problems, a handler answers with them.
"""

from __future__ import annotations

from streamcli.ids import c_string
from streamcli.reply import Error

_SHOWN_MAX = 128  # Redis: names are printed with %.128s


def shown(word: bytes, most: int | None = None) -> str:
    """A user's bytes inside a message.

    Any byte survives the trip to the wire, but C formats it with %s, so it
    ends at a NUL, and a message is one line, so line ends become blanks.
    """
    text = c_string(word)[:most].replace(b"\r", b" ").replace(b"\n", b" ")
    return text.decode(errors="surrogateescape")


SYNTAX = Error("ERR syntax error")
WRONGTYPE = Error("WRONGTYPE Operation against a key holding the wrong kind of value")
NO_SUCH_KEY = Error("ERR no such key")

# -- reading one word ----------------------------------------------------------
NOT_AN_INTEGER = Error("ERR value is not an integer or out of range")
NOT_A_TIMEOUT = Error("ERR timeout is not an integer or out of range")
NEGATIVE_TIMEOUT = Error("ERR timeout is negative")
TIMEOUT_OUT_OF_RANGE = Error("ERR timeout is out of range")
INVALID_ID = Error("ERR Invalid stream ID specified as stream command argument")
INVALID_START = Error("ERR invalid start ID for the interval")
INVALID_END = Error("ERR invalid end ID for the interval")
INVALID_CURSOR = Error("ERR invalid cursor")
DB_OUT_OF_RANGE = Error("ERR DB index is out of range")
INVALID_FIRST_DB = Error("ERR invalid first DB index")
INVALID_SECOND_DB = Error("ERR invalid second DB index")

# -- adding and trimming -------------------------------------------------------
ID_ZERO = Error("ERR The ID specified in XADD must be greater than 0-0")
ID_TOO_SMALL = Error("ERR The ID specified in XADD is equal or smaller than the target stream top item")
EXHAUSTED = Error("ERR The stream has exhausted the last possible ID, unable to add more items")
TOO_LARGE = Error("ERR Elements are too large to be stored")
ONE_STRATEGY = Error("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
MAXLEN_NEGATIVE = Error("ERR The MAXLEN argument must be >= 0.")
LIMIT_NEGATIVE = Error("ERR The LIMIT argument must be >= 0.")
LIMIT_NEEDS_STRATEGY = Error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
LIMIT_NEEDS_APPROX = Error("ERR syntax error, LIMIT cannot be used without the special ~ option")
NO_STRATEGY = Error("ERR syntax error, XTRIM must be called with a trimming strategy")

# -- adding once ---------------------------------------------------------------
IDMP_TWICE = Error("ERR syntax error, IDMP/IDMPAUTO specified multiple times")
IDMP_NEEDS_AUTO_ID = Error("ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs")
IDMPAUTO_NO_PRODUCER = Error("ERR syntax error, IDMPAUTO requires a non-empty producer ID")
IDMP_NO_PRODUCER = Error("ERR syntax error, IDMP requires a non-empty producer ID")
IDMP_NO_ID = Error("ERR syntax error, IDMP requires a non-empty idempotent ID")
IDMP_DURATION_RANGE = Error("ERR IDMP-DURATION must be between 1 and 86400 seconds")
IDMP_DURATION_TWICE = Error("ERR IDMP-DURATION specified multiple times")
IDMP_MAXSIZE_RANGE = Error("ERR IDMP-MAXSIZE must be between 1 and 10000 entries")
IDMP_MAXSIZE_TWICE = Error("ERR IDMP-MAXSIZE specified multiple times")
NO_IDMP_SETTING = Error("ERR At least one parameter must be specified")
PRODUCER_EMPTY = Error("ERR producer ID must be non-empty")
IID_EMPTY = Error("ERR idempotent ID must be non-empty")
NO_SUCH_ENTRY = Error("ERR No such message in stream")
IID_TAKEN = Error("ERR IID already exists for this producer with a different stream ID")

# -- deleting by count ---------------------------------------------------------
NUMIDS = Error("ERR Number of IDs must be a positive integer")
NUMIDS_TOO_MANY = Error("ERR The `numids` parameter must match the number of arguments")
NO_IDS = Error("ERR IDS option is required")

# -- XSETID --------------------------------------------------------------------
ENTRIES_ADDED_NEGATIVE = Error("ERR entries_added must be positive")
SETID_BELOW_GIVEN_DELETED = Error("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
SETID_BELOW_DELETED = Error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
SETID_BELOW_TOP = Error("ERR The ID specified in XSETID is smaller than the target stream top item")
SETID_BELOW_LENGTH = Error("ERR The entries_added specified in XSETID is smaller than the target stream length")

# -- reading -------------------------------------------------------------------
XREAD_UNBALANCED = Error(
    "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."
)
XREADGROUP_UNBALANCED = Error(
    "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
)
GROUP_MISSING = Error("ERR Missing GROUP option for XREADGROUP")
MAXCOUNT_RANGE = Error("ERR MAXCOUNT must be a positive integer")
MAXSIZE_RANGE = Error("ERR MAXSIZE must be a positive integer")
MAXCOUNT_BELOW_COUNT = Error("ERR MAXCOUNT must be greater than or equal to COUNT")
CLAIM_NOT_AN_INTEGER = Error("ERR min-idle-time is not an integer or out of range")
CLAIM_NEGATIVE = Error("ERR min-idle-time must be a positive integer")
NEW_NEEDS_GROUP = Error(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)

# -- groups --------------------------------------------------------------------
BUSYGROUP = Error("BUSYGROUP Consumer Group name already exists")
ENTRIESREAD_NEGATIVE = Error("ERR value for ENTRIESREAD must be positive or -1")
XGROUP_NEEDS_KEY = Error(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the "
    "MKSTREAM option to create an empty stream automatically."
)
XCLAIM_MIN_IDLE = Error("ERR Invalid min-idle-time argument for XCLAIM")
XAUTOCLAIM_MIN_IDLE = Error("ERR Invalid min-idle-time argument for XAUTOCLAIM")
XNACK_MODE = Error("ERR mode must be SILENT, FAIL, or FATAL")
XNACK_NUMIDS = Error("ERR numids must be a positive integer")
XNACK_NUMIDS_TOO_MANY = Error("ERR number of IDs doesn't match numids")
XNACK_RETRYCOUNT = Error("ERR Invalid RETRYCOUNT value, must be >= 0")
XNACK_NO_IDS = Error("ERR syntax error, expected IDS keyword")
COUNT_NOT_POSITIVE = Error("ERR COUNT must be > 0")
COUNT_TOO_HIGH = Error("ERR Insufficient memory, failed allocating transient memory, COUNT too high.")

# -- keys ----------------------------------------------------------------------
SAME_OBJECT = Error("ERR source and destination objects are the same")
NX_WITH_OTHERS = Error("ERR NX and XX, GT or LT options at the same time are not compatible")
GT_WITH_LT = Error("ERR GT and LT options at the same time are not compatible")
BUSYKEY = Error("BUSYKEY Target key name already exists.")
INVALID_TTL = Error("ERR Invalid TTL value, must be >= 0")
INVALID_IDLETIME = Error("ERR Invalid IDLETIME value, must be >= 0")
INVALID_FREQ = Error("ERR Invalid FREQ value, must be >= 0 and <= 255")
BAD_PAYLOAD = Error("ERR DUMP payload version or checksum are wrong")
BAD_DATA = Error("ERR Bad data format")
NO_LFU = Error(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
    "switching between policies at runtime LRU and LFU data will take some time to adjust."
)

# -- the connection and its transaction -----------------------------------------
NESTED_MULTI = Error("ERR MULTI calls can not be nested")
WATCH_IN_MULTI = Error("ERR WATCH inside MULTI is not allowed")
EXEC_WITHOUT_MULTI = Error("ERR EXEC without MULTI")
DISCARD_WITHOUT_MULTI = Error("ERR DISCARD without MULTI")
EXECABORT = Error("EXECABORT Transaction discarded because of previous errors.")
BAD_SCAN_NOVALUES = Error("ERR NOVALUES option can only be used in HSCAN")
INT_OUT_OF_RANGE = Error("ERR value is out of range, value must between -2147483648 and 2147483647")
NOAUTH = Error("NOAUTH Authentication required.")
HELLO_NOAUTH = Error(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "
    "option can be used to authenticate the client and select the RESP protocol version at the same time"
)
TOO_MANY_CLIENTS = Error("ERR max number of clients reached")
SERVER_ONLY = Error("ERR there is no server: this is the embedded engine of one program")  # ours
UNBLOCKED = Error("UNBLOCKED client unblocked via CLIENT UNBLOCK")
NO_SUCH_CLIENT = Error("ERR No such client")
CLIENT_ID_NOT_POSITIVE = Error("ERR client-id should be greater than 0")
MAXAGE_NOT_INTEGER = Error("ERR maxage is not an integer or out of range")
MAXAGE_NOT_POSITIVE = Error("ERR maxage should be greater than 0")
UNBLOCK_REASON = Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
NOT_IN_MULTI = Error("ERR Command not allowed inside a transaction")
MONITOR_IN_MULTI = Error("ERR MONITOR isn't allowed for DENY BLOCKING client")
NO_SHUTDOWN = Error("ERR No shutdown in progress.")
HALF_A_REQUEST = Error("ERR Protocol error: half a request, and nothing more for too long")  # ours
WRONGPASS = Error("WRONGPASS invalid username-password pair or user is disabled.")
NO_PASSWORD_SET = Error(
    "ERR AUTH <password> called without any password configured for the default user. "
    "Are you sure your configuration is correct?"
)
NOPROTO = Error("NOPROTO unsupported protocol version")
PROTOCOL_NOT_INTEGER = Error("ERR Protocol version is not an integer or out of range")
CLIENT_NAME_CHARACTERS = Error("ERR Client names cannot contain spaces, newlines or special characters.")
INVALID_CLIENT_ID = Error("ERR Invalid client ID")
NO_KEY_ARGUMENTS = Error("ERR The command has no key arguments")
BAD_ARGUMENT_COUNT = Error("ERR Invalid number of arguments specified for command")
BAD_KEYS = Error("ERR Invalid arguments specified for command")
BAD_COMMAND = Error("ERR Invalid command specified")


def arity(command: str) -> Error:
    """`command` as the table writes it: "XGROUP CREATE" is shown as xgroup|create."""
    return Error(f"ERR wrong number of arguments for '{command.lower().replace(' ', '|')}' command")


def unknown_command(argv: tuple[bytes, ...]) -> Error:
    """Redis: names the first words until they pass 128 characters."""
    listed = b""
    for word in argv[1:]:
        if len(listed) >= _SHOWN_MAX:
            break
        listed += b"'%s' " % c_string(word)[: _SHOWN_MAX - len(listed)]
    return Error(f"ERR unknown command '{shown(argv[0], _SHOWN_MAX)}', with args beginning with: {shown(listed)}")


def unknown_subcommand(argv: tuple[bytes, ...]) -> Error:
    """The second word is none of the container's subcommands."""
    return Error(f"ERR unknown subcommand '{shown(argv[1], _SHOWN_MAX)}'. Try {shown(argv[0]).upper()} HELP.")


def bad_subcommand(argv: tuple[bytes, ...]) -> Error:
    """The subcommand is known, the words after it are not what it takes."""
    return Error(
        f"ERR unknown subcommand or wrong number of arguments for '{shown(argv[1], _SHOWN_MAX)}'. "
        f"Try {shown(argv[0]).upper()} HELP."
    )


def group_only(token: str) -> Error:
    return Error(f"ERR The {token} option is only supported by XREADGROUP. You called XREAD instead.")


def meaningless_id(special: str) -> Error:
    return Error(
        f"ERR The {special} ID is meaningless in the context of XREADGROUP: you want to read the history of this "
        f"consumer by specifying a proper ID, or use the > ID to get new messages. The {special} ID would just "
        "return an empty result set."
    )


def no_group(key: bytes, group: bytes, context: str = "") -> Error:
    return Error(f"NOGROUP No such key '{shown(key)}' or consumer group '{shown(group)}'{context}")


def no_group_for_key(group: bytes, key: bytes) -> Error:
    return Error(f"NOGROUP No such consumer group '{shown(group)}' for key name '{shown(key)}'")


def bad_xclaim_option(word: bytes) -> Error:
    return Error(f"ERR Unrecognized XCLAIM option '{shown(word)}'")


def bad_xclaim_value(token: str) -> Error:
    return Error(f"ERR Invalid {token} option argument for XCLAIM")


def bad_xnack_option(word: bytes) -> Error:
    return Error(f"ERR Unrecognized XNACK option '{shown(word)}'")


def bad_expire_option(word: bytes) -> Error:
    return Error(f"ERR Unsupported option {shown(word)}")


def bad_expire_time(command: str) -> Error:
    return Error(f"ERR invalid expire time in '{command.lower()}' command")


def exec_refused(error: Error) -> Error:
    """EXEC itself was malformed: the transaction is gone."""
    return Error(f"EXECABORT Transaction discarded because of: {error.text.partition(' ')[2]}")


def bad_hello_option(word: bytes) -> Error:
    return Error(f"ERR Syntax error in HELLO option '{shown(word)}'")


def bad_client_info(attribute: bytes) -> Error:
    return Error(f"ERR {shown(attribute)} cannot contain spaces, newlines or special characters.")


def bad_client_attribute(word: bytes) -> Error:
    return Error(f"ERR Unrecognized option '{shown(word)}'")


def unknown_client_type(word: bytes) -> Error:
    return Error(f"ERR Unknown client type '{shown(word)}'")


def no_such_user(word: bytes) -> Error:
    return Error(f"ERR No such user '{shown(word)}'")


def unknown_setting(name: bytes) -> Error:
    return Error(f"ERR Unknown option or number of arguments for CONFIG SET - '{shown(name)}'")


def bad_setting(name: bytes, why: str) -> Error:
    return Error(f"ERR CONFIG SET failed (possibly related to argument '{shown(name)}') - {why}")


def storage(sentence: str) -> Error:
    """Ours: the file could not be read or written; nothing was changed."""
    return Error(f"ERR {sentence}")


def internal(what: str) -> Error:
    """Ours: the command ran into a fault of the program."""
    return Error(f"ERR internal error, please report it: {what}")
