"""What a run of a tool leaves behind."""

from __future__ import annotations

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.flags import take
from streamcli.tools import tool
from streamcli.tools.job import ToolError, also_telling
from tests.tools.desk import Desk


class Stuck(Embedded):
    """Cannot be closed."""

    closed = 0

    def close(self) -> None:
        Stuck.closed += 1
        raise OSError("no space left")


def test_all_places_are_closed_though_one_cannot_be() -> None:
    desk = Desk(Stuck(), places={"b": Stuck()})
    assert desk.job.backend is not desk.job.open("b")
    with pytest.raises(OSError, match="no space left"):
        desk.job.close()
    assert Stuck.closed == 2
    desk.job.close()
    assert Stuck.closed == 2


@pytest.mark.parametrize(("before", "text"), [("", "it broke"), ("3 done", "it broke (3 done)")])
def test_a_fault_tells_what_was_done_before_it(before: str, text: str) -> None:
    with pytest.raises(ToolError) as wrong, also_telling(lambda: before):
        raise ToolError("it broke", 3)
    assert str(wrong.value) == text
    assert wrong.value.code == 3


_HOW_MANY = {"tail": "count", "generate": "count", "rate": "most", "pending": "limit", "streams": "limit"}


@pytest.mark.parametrize(("name", "key"), _HOW_MANY.items())
def test_how_many_is_called_the_same_in_every_tool(name: str, key: str) -> None:
    values, _ = take(tool(name).own_flags, ["--limit", "7"])
    assert values == {key: 7}
