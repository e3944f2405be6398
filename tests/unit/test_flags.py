"""Options among other words, as the tools take them, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from streamcli.flags import Flag, UnreadError, take

FLAGS = (
    Flag(("-n", "--count"), "count", "So many.", "N", number=(1, 100)),
    Flag(("--from",), "start", "From here.", "PLACE"),
    Flag(("--ack",), "ack", "Acknowledge."),
    Flag(("--sort",), "sort", "Order.", "BY", choices=("id", "idle")),
    Flag(("--every",), "every", "Seconds.", "SECONDS", seconds=True),
    Flag(("-x",), "x", "Several.", "X", repeats=True),
)


def test_options_may_stand_between_and_behind_words() -> None:
    assert take(FLAGS, ["a", "--from", "-10m", "b", "-n5", "--ack", "-x", "1", "-x2"], anywhere=True) == (
        {"start": "-10m", "count": 5, "ack": True, "x": ["1", "2"]},
        ["a", "b"],
    )


def test_options_end_at_the_first_word_where_they_have_to_come_first() -> None:
    assert take(FLAGS, ["--ack", "a", "-n", "5"]) == ({"ack": True}, ["a", "-n", "5"])


def test_behind_two_dashes_everything_is_a_word() -> None:
    assert take(FLAGS, ["a", "--", "--ack", "-n"], anywhere=True) == ({}, ["a", "--ack", "-n"])


def test_a_time_ago_and_a_dash_are_words() -> None:
    assert take(FLAGS, ["-10m", "-", "-5"], anywhere=True) == ({}, ["-10m", "-", "-5"])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--form", "1"], "there is no option --form; did you mean --from?"),
        (["--zzz"], "there is no option --zzz"),
        (["--from"], "--from needs a value: PLACE"),
        (["--ack=1"], "--ack takes no value"),
        (["-n", "0"], "-n takes a number from 1 to 100, not '0'"),
        (["--sort", "age"], "--sort takes id, idle, not 'age'"),
        (["--every", "soon"], "--every takes a number of seconds such as 2.5, not 'soon'"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], text: str) -> None:
    with pytest.raises(UnreadError) as wrong:
        take(FLAGS, words, anywhere=True)
    assert str(wrong.value) == text


def test_what_other_programs_call_an_option_is_understood() -> None:
    flags = (Flag(("--until",), "until", "", "PLACE"), Flag(("--tls",), "tls", ""))
    with pytest.raises(UnreadError, match="there is no option --to; did you mean --until"):
        take(flags, ["--to", "5"])
