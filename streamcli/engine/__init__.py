"""The embedded engine: Redis's stream commands on one SQLite file."""

# Each of these registers its handlers.
import streamcli.engine.claiming
import streamcli.engine.connection
import streamcli.engine.deleting
import streamcli.engine.entries
import streamcli.engine.groups
import streamcli.engine.idempotency
import streamcli.engine.info
import streamcli.engine.introspection
import streamcli.engine.keyspace
import streamcli.engine.payloads
import streamcli.engine.reading
import streamcli.engine.releasing
import streamcli.engine.strings
import streamcli.engine.trimming  # noqa: F401
from streamcli.engine.engine import HANDLERS, Engine, Wait
from streamcli.engine.session import Session
from streamcli.storage.schema import OpenError

__all__ = ["HANDLERS", "Engine", "OpenError", "Session", "Wait"]
