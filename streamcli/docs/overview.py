"""The map of the help pages: the commands by what one wants to do, and the topics in the order to read them in."""

from __future__ import annotations

from typing import Final

# Each stream command stands here once (a test holds it); all others are listed by their group in Redis.
AIMS: Final[dict[str, tuple[str, ...]]] = {
    "write": ("XADD", "XCFGSET", "XIDMPRECORD"),
    "read": ("XREAD", "XRANGE", "XREVRANGE", "XLEN"),
    "share work": (
        "XGROUP CREATE",
        "XREADGROUP",
        "XACK",
        "XACKDEL",
        "XNACK",
        "XPENDING",
        "XCLAIM",
        "XAUTOCLAIM",
        "XGROUP CREATECONSUMER",
        "XGROUP SETID",
    ),
    "inspect": ("XINFO STREAM", "XINFO GROUPS", "XINFO CONSUMERS"),
    "clean up": ("XTRIM", "XDEL", "XDELEX", "XGROUP DESTROY", "XGROUP DELCONSUMER", "XSETID"),
}
TOPICS: Final = (
    "streams",
    "ids",
    "reading",
    "blocking",
    "groups",
    "pending",
    "claiming",
    "recovery",
    "trimming",
    "lag",
    "idempotency",
    "servers",
    "serve",
    "cluster",
    "patterns",
    "kafka",
    "python",
    "tools",
    "tail",
    "export",
    "clone",
    "replay",
    "shell",
)
