"""What may be written to whom."""

from __future__ import annotations

import pytest

from streamcli.shell.output import says_utf8


@pytest.mark.parametrize(
    ("environment", "takes"),
    [
        ({}, True),  # a container, where nobody has said anything
        ({"LANG": ""}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # the second is what Python has put there
        ({"LANG": "POSIX"}, False),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False),
        ({"LC_CTYPE": "C", "LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "de_DE.UTF-8"}, True),  # not installed
        ({"LANG": "de_DE.utf8@euro"}, True),
        ({"LANG": "de_DE"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "C.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),  # as macOS has it
        ({"LC_ALL": "C", "PYTHONUTF8": "1"}, True),
        ({"LC_ALL": "C", "PYTHONIOENCODING": "utf-8"}, True),
    ],
)
def test_in_the_locale_c_its_name_says_whether_a_terminal_takes_utf_8(environment: dict[str, str], takes: bool) -> None:
    assert says_utf8("utf-8", environment, forced=True) is takes


def test_elsewhere_python_knows() -> None:
    assert says_utf8("UTF-8", {"LANG": "de_DE.UTF-8"}, forced=False)
    assert not says_utf8("iso8859-1", {"LANG": "de_DE"}, forced=False)
    assert not says_utf8("ascii", {"LANG": "de_DE.UTF-8"}, forced=True)
    assert not says_utf8(None, {}, forced=False)
