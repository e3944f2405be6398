"""The engine answers every script and every recorded random sequence as the real server did, byte for byte.

Where a server is at hand it is asked again, so that a recording can not go stale unseen.
"""

from __future__ import annotations

import pytest

from streamcli.storage import large
from tests.conformance import samples, script
from tests.conformance.embedded import Embedded
from tests.conformance.fuzz import quoted
from tests.conformance.live import Server
from tests.conformance.sides import Live, Side

_SAMPLES = list(samples.read())
_SHOWN = 12  # differences told of; the rest are counted


def _hold(expected: list[tuple[str, str]], name: str, side: Side) -> None:
    found = script.play(name, side)
    side.close()
    told = script.differences(expected, found)
    assert not told, f"{len(told)} replies differ\n" + "\n".join(told[:_SHOWN])


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", script.names())
def test_engine_answers_the_script_as_recorded(name: str, protocol: int) -> None:
    _hold(script.recording(name, protocol), name, Embedded(protocol))


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", script.names())
def test_recording_is_what_the_server_says(name: str, protocol: int, redis_8_0: Server | None) -> None:
    expected = script.recording(name, protocol)
    if redis_8_0 is None:  # nothing to ask; that the recording belongs to the script can still be told
        assert [command for command, _ in expected] == [step.text for step in script.steps(name)]
    else:
        _hold(expected, name, Live(redis_8_0, protocol))


@pytest.mark.parametrize("sample", _SAMPLES, ids=[sample.name for sample in _SAMPLES])
def test_engine_answers_the_random_sequence_as_recorded(sample: samples.Sample) -> None:
    engine = Embedded(sample.protocol)
    for at, (argv, expected) in enumerate(zip(sample.log, sample.replies, strict=True)):
        assert engine.call(argv) == expected, f"command {at + 1}: {quoted(argv)}"
    engine.close()


@pytest.mark.parametrize("sample", _SAMPLES, ids=[sample.name for sample in _SAMPLES])
def test_engine_answers_so_with_its_entries_kept_apart(sample: samples.Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long fields have a table of their own; here nearly all are long."""
    monkeypatch.setattr(large, "LARGE_BYTES", 6)
    test_engine_answers_the_random_sequence_as_recorded(sample)
