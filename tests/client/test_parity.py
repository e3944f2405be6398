"""The conformance scripts through the door: the recorded bytes, and the values redis-py reads from them."""

from __future__ import annotations

import pytest

from tests.client.side import Door
from tests.conformance import script


@pytest.mark.parametrize("decode", [False, True], ids=["bytes", "text"])
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", script.names())
def test_the_door_answers_the_script_as_recorded(name: str, protocol: int, decode: bool) -> None:
    door = Door(protocol, decode=decode)
    found = script.play(name, door)
    door.close()
    told = script.differences(script.recording(name, protocol), found)
    assert not told, f"{len(told)} replies differ\n" + "\n".join(told[:12])
