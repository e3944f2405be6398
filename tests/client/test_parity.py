"""The conformance scripts through the door: the recorded bytes, and the values redis-py reads from them."""

from __future__ import annotations

import io
from typing import Any

import pytest

import streamcli
from streamcli.resp import encode
from tests.client.parsed import encoder_of, parsed, shape
from tests.conformance import script
from tests.conformance.masks import Masks
from tests.conformance.older import of_8_0
from tests.conformance.wire import Argv, read


class Door:
    """A client whose connections are asked as redis-py's commands and pipelines ask them."""

    def __init__(self, protocol: int, *, decode: bool) -> None:
        self._client: Any = streamcli.connect(
            protocol=protocol,  # type: ignore[arg-type]
            decode_responses=decode,
            encoding_errors="surrogateescape" if decode else "strict",
        )
        self._encoder = encoder_of("utf-8", "surrogateescape" if decode else "strict", decode)
        self._protocol = protocol
        self._open: dict[str, tuple[Any, Masks]] = {}

    def call(self, argv: Argv, who: str = "") -> bytes:
        if who not in self._open:
            self._open[who] = (self._client.connection_pool.get_connection(), Masks())
        connection, masks = self._open[who]
        talk = connection._talk
        with of_8_0():  # as whom the recordings were made
            connection.send_packed_command([list(argv)])
            if not talk.replies:
                connection._wait(talk)
        wire = encode(talk.replies[0], talk.session.protocol)
        try:
            value = connection.read_response(disconnect_on_error=False)
        except Exception as error:
            value = error
        if talk.session.protocol == self._protocol:  # a client that says HELLO behind redis-py's back is on its own
            assert shape(value) == shape(parsed(wire, self._protocol, self._encoder)), argv
        return masks.apply(argv, read(io.BytesIO(wire)))

    def run(self, log: Any) -> list[bytes]:
        return [self.call(argv) for argv in log]

    def close(self) -> None:
        self._client.close()


@pytest.mark.parametrize("decode", [False, True], ids=["bytes", "text"])
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", script.names())
def test_the_door_answers_the_script_as_recorded(name: str, protocol: int, decode: bool) -> None:
    door = Door(protocol, decode=decode)
    found = script.play(name, door)
    door.close()
    told = script.differences(script.recording(name, protocol), found)
    assert not told, f"{len(told)} replies differ\n" + "\n".join(told[:12])
