"""A deed on a server, as a script: the look and the deed are one step, and many entries one round trip.

What a script cannot do here, and what is done then, is `singles`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from streamcli.reply import Error, Reply
from streamcli.tools.job import RefusedError, ToolError
from streamcli.tools.pending.deeds import CHANGED, DELETED, DONE, GONE, NACK, NO_XNACK, REFUSED, Deed, Doer, Outcome
from streamcli.tools.pending.held import Held

if TYPE_CHECKING:
    from streamcli.backend import Backend

# Lua's `unpack` gives some 8,000 values. Idle below 0 is what XNACK has released.
_LUA: Final = b"""
local stream, target = KEYS[1], KEYS[2] or KEYS[1]
local group, deed, to, mode, idle, copies, origin =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1', tonumber(ARGV[7])
local outcomes = {}
local function simply(id)
  if deed == 'claim' then
    local got = redis.pcall('XCLAIM', stream, group, to, 0, id, 'JUSTID')
    if got.err then return 'refused', got.err end
    return #got > 0 and 'done' or 'deleted', ''
  end
  local count
  if deed == 'nack' then count = redis.pcall('XNACK', stream, group, mode, 'IDS', 1, id)
  else count = redis.pcall('XACK', stream, group, id) end
  if type(count) == 'table' then return 'refused', count.err end
  return count > 0 and 'done' or 'gone', ''
end
local function copy(id, at)
  local found = redis.pcall('XRANGE', stream, id, id)
  if found.err then return 'refused', found.err end
  if #found == 0 then return 'deleted', '' end
  local words = found[1][2]
  for extra = 1, origin do words[#words + 1] = ARGV[at + 2 + extra] end
  if #words > 7900 then return 'large', '' end
  local added = redis.pcall('XADD', target, '*', unpack(words))
  if type(added) == 'table' then return 'refused', added.err end
  local acked = redis.pcall('XACK', stream, group, id)
  return 'done', added
end
for at = 8, #ARGV, 3 + origin do
  local id, kind, detail = ARGV[at], nil, ''
  local rows = redis.pcall('XPENDING', stream, group, id, id, 1)
  if rows.err then kind, detail = 'refused', rows.err
  elseif #rows == 0 then kind = 'gone'
  else
    local row = rows[1]
    if row[2] ~= ARGV[at + 1] or row[4] ~= tonumber(ARGV[at + 2]) or (row[3] >= 0 and row[3] < idle) then
      kind = 'changed'
    elseif copies then kind, detail = copy(id, at)
    else kind, detail = simply(id) end
  end
  outcomes[#outcomes + 1] = kind
  outcomes[#outcomes + 1] = detail
  if kind == 'refused' or kind == 'large' then break end
end
return outcomes
"""


LARGE: Final = "large"  # it has more fields than a script can add; what comes behind it was not tried
_KINDS: Final = {kind.encode(): kind for kind in (DONE, GONE, CHANGED, DELETED, REFUSED, LARGE)}


class NoScriptError(ToolError):
    """This server runs no scripts, or not for this user; nothing was done."""


class Script(Doer):
    """On a server that runs scripts."""

    def __init__(self, deed: Deed, backend: Backend) -> None:
        super().__init__(deed)
        self._backend = backend

    def do(self, helds: Sequence[Held]) -> list[Outcome]:
        """May end in LARGE, too. Raises NoScriptError, too."""
        self.may_acknowledge(self._backend.execute)
        deed = self.deed
        keys = [deed.stream, *([deed.target] if deed.target != deed.stream else [])]
        words: list[bytes] = []
        origin = 0
        for held in helds:
            extra = deed.origin(held)
            origin = len(extra)
            words += [held.id, held.consumer, b"%d" % held.deliveries, *extra]
        argv = [
            b"EVAL", _LUA, b"%d" % len(keys), *keys, deed.group, deed.name.encode(), deed.to, deed.mode,
            b"%d" % deed.idle_ms, b"1" if deed.copies else b"0", b"%d" % origin, *words,
        ]  # fmt: skip
        reply = self._backend.execute(argv)
        if isinstance(reply, Error):
            if _runs_no_scripts(reply):
                raise NoScriptError("there is no EVAL here" if "nknown" in reply.text else f"EVAL: {reply.text}")
            raise RefusedError(reply, argv)
        return _outcomes(reply, deed, len(helds))


def _runs_no_scripts(error: Error) -> bool:
    text = error.text.lower()
    return error.code == "NOPERM" or any(word in text for word in ("unknown", "unsupported", "disabled", "not allowed"))


def _outcomes(reply: Reply, deed: Deed, most: int) -> list[Outcome]:
    if not isinstance(reply, list) or len(reply) % 2 or not 0 < len(reply) <= 2 * most:
        raise ToolError("the server has answered a script with something else")
    found: list[Outcome] = []
    for kind, detail in zip(reply[::2], reply[1::2], strict=True):
        if not isinstance(kind, bytes) or not isinstance(detail, bytes):
            raise ToolError("the server has answered a script with something else")
        if deed.name == NACK and kind == b"refused" and b"nknown" in detail:
            raise ToolError(NO_XNACK)
        if kind not in _KINDS:
            raise ToolError("the server has answered a script with something else")
        found.append(Outcome(_KINDS[kind], detail))
    return found
