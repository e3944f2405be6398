"""The user's own editor, on a file that only they can read."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping

_USUAL = ("sensible-editor", "editor", "vi", "nano", "emacs")


def edited(text: str, environment: Mapping[str, str]) -> str:
    """The text as the editor leaves it, without the line end at its end; as it was when the editor fails."""
    command = environment.get("VISUAL") or environment.get("EDITOR") or next(filter(shutil.which, _USUAL), None)
    if command is None:
        return text
    file, path = tempfile.mkstemp(suffix=".redis")
    try:
        with open(file, "wb") as opened:
            opened.write(text.encode("utf-8", "surrogateescape"))
        if subprocess.call(["/bin/sh", "-c", f'{command} "$1"', "sh", path]) != 0:
            return text
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as saved:
            return saved.read().replace("\r\n", "\n").rstrip("\n")
    except OSError:
        return text
    finally:
        if os.path.exists(path):
            os.unlink(path)
