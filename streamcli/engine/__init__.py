"""The embedded engine: Redis's stream commands on one SQLite file."""

from streamcli.engine import (  # noqa: F401  each registers its handlers
    claiming,
    connection,
    entries,
    groups,
    info,
    introspection,
    keyspace,
    reading,
    strings,
    trimming,
)
from streamcli.engine.engine import HANDLERS, Engine, Wait
from streamcli.engine.session import Session
from streamcli.storage.schema import OpenError

__all__ = ["HANDLERS", "Engine", "OpenError", "Session", "Wait"]
