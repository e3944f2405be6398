"""`top`: streams and groups, live, on the whole screen.

`model` is what is known, `poller` finds it out in a thread of its own, `pages`
and `screen` are what is shown and what keys do; here they are put together.
"""

from __future__ import annotations

import time
from typing import Final

from streamcli.flags import Flag, UsageError
from streamcli.tools.job import OK, Given, Job, Tool
from streamcli.tools.top.model import Model
from streamcli.tools.top.paint import Look

_INTERVAL: Final = 1.0
_LEAST, _MOST = 0.1, 3600.0
_VIEWS: Final = ("streams", "groups")
_DRAW_SECONDS: Final = 0.2  # between two looks at what is new, however much comes
_DRAW_SHARE: Final = 0.05  # of the time that putting very many rows in order may take
_SILENCE_SECONDS: Final = 2.0
_ONCE_ROWS: Final = 20


def run(job: Job, given: Given) -> int:
    interval = given.seconds("interval")
    if interval is not None and not _LEAST <= interval <= _MOST:
        raise UsageError(f"--interval takes {_LEAST:g} to {_MOST:g} seconds, not {interval:g}")
    view = given.text("view") or _VIEWS[0]
    if given.on("once"):
        return _once(job, view)
    if not job.screen:
        raise UsageError("it needs a terminal to draw on; --once shows the first screen as a report")
    return _live(job, view, interval or _INTERVAL)


def _once(job: Job, view: str) -> int:
    """What would come first on the screen, as the list of its own tool has it."""
    from streamcli.tools import groups, streams

    if view == "groups":
        return groups.run(job, Given((), {"sort": "lag", "limit": _ONCE_ROWS}))
    return streams.run(job, Given((), {"sort": "rate", "limit": _ONCE_ROWS}))


def _live(job: Job, view: str, interval: float) -> int:
    from streamcli.tools.fullscreen import FullScreen
    from streamcli.tools.top.poller import Poller
    from streamcli.tools.top.screen import Screen

    backend = job.backend
    model = Model()
    with FullScreen() as terminal:

        def look() -> Look:
            columns, lines = terminal.size()
            return Look(job.options.color, job.options.unicode, columns, lines)

        screen = Screen(model, look(), interval, view)
        server = backend.server
        screen.place = f"{backend.target}  {server.name} {server.version}" if server is not None else backend.target
        poller = Poller(backend, model, terminal.wake, interval)
        backend.on_note = backend.on_push = None
        poller.start()
        read_at = 0.0
        try:
            while True:
                screen.look = look()
                if not screen.paused and (now := time.monotonic()) >= read_at:
                    screen.refresh()
                    ended = time.monotonic()
                    read_at = ended + max(_DRAW_SECONDS, (ended - now) / _DRAW_SHARE)
                screen.silent = _silence(model)
                terminal.draw(screen.lines())
                poller.look_at(screen.focus())
                for key in terminal.keys(interval):
                    if not screen.press(key):
                        return OK
                poller.interval = interval = screen.interval
                poller.pause(screen.paused)
        except EOFError:
            return OK
        finally:
            poller.end()


def _silence(model: Model) -> float:
    """For how many seconds an answer has been waited for, when that is long."""
    asked_at = model.asked_at
    waited = time.monotonic() - asked_at if asked_at is not None else 0.0
    return waited if waited > _SILENCE_SECONDS else 0.0


TOOL = Tool(
    usage="",
    run=run,
    flags=(
        Flag(("--interval",), "interval", "Seconds between two refreshes (default: 1).", "SECONDS", seconds=True),
        Flag(("--view",), "view", "What comes first (default: streams).", "VIEW", _VIEWS),
        Flag(("--once",), "once", "The first screen as a report, and no more; needs no terminal."),
    ),
    most=0,
    about="""
        Keys are those of htop: arrows, Enter to look closer, Esc back, F3 or / to search, F4 or \\ to filter, F5 for
        the other view, F6 or < > to sort, + and - for the pace, Space to pause, F1 for help, F10 or q to quit. A group
        whose lag grows is marked.
    """,
    examples=("top", "top --view groups --interval 5", "top --once --json"),
)
