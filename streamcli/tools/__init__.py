"""What Redis itself has no command for: verbs of the command line (`streamcli tail a`) and of the prompt (`.tail a`).

TOOLS is the one list of them. A tool is imported when it is run, explained or
completed; a start that names none of them pays for this list alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from streamcli.tools.job import Tool


class Named(NamedTuple):
    """Where a tool is, and what it does in a few words."""

    module: str
    summary: str


TOOLS: Final[dict[str, Named]] = {
    "tail": Named("tail", "Follow streams, merged by ID, or what a group delivers"),
    "streams": Named("streams", "Every stream: length, times, rate, memory, groups, lag"),
    "groups": Named("groups", "Every group: lag, pending, oldest pending, consumers"),
    "top": Named("top", "Streams and groups, live, on the whole screen"),
    "pending": Named("pending", "Who holds what of a group, and what to do about it"),
    "export": Named("export", "Write streams to a file, an entry a line"),
    "import": Named("importing", "Bring the entries of a file into a stream"),
    "clone": Named("clone", "Copy streams whole from one place to another"),
    "replay": Named("replay", "Add the entries of a stream again, in their rhythm"),
    "trim": Named("trim", "Remove what is old, or what every group has acknowledged"),
    "rate": Named("rate", "Plot how many entries came when, in all or by what a field says"),
    "id": Named("about_id", "Explain an ID, or turn a time into one"),
    "generate": Named("generate", "Make a demo stream, with a plausible shape and rate"),
}


def tool(name: str) -> Tool:
    """The tool of that name. Raises KeyError."""
    found: Tool = __import__(f"{__name__}.{TOOLS[name].module}", fromlist=["TOOL"]).TOOL
    return found
