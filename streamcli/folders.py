"""Where a user's files are, by the XDG Base Directory specification. Makes no folder and opens no file."""

from __future__ import annotations

import os
from collections.abc import Mapping


def folder(environment: Mapping[str, str], variable: str, *default: str) -> str:
    """Our folder under the one that a variable names, else under `default` in the home folder.

    A relative path counts as not given, as the specification wants it. A home
    that is not there is an OSError: it is not to be made.
    """
    named = environment.get(variable, "")
    if not os.path.isabs(named):
        named = os.path.join(home(environment), *default)
    return os.path.join(named, "streamcli")


def home(environment: Mapping[str, str]) -> str:
    """The user's home folder. Raises OSError when there is none."""
    user = environment.get("HOME", "")
    if not os.path.isabs(user):
        import pwd

        try:
            user = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            raise FileNotFoundError(2, "the user has no home folder", "HOME") from None
    os.stat(user)
    return user
