"""The user's own editor, on a file that only they can read."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping

_USUAL = ("sensible-editor", "editor", "vi", "nano", "emacs")


class EditorError(Exception):
    """The text was not edited; one line says why."""


def edited(text: str, environment: Mapping[str, str]) -> str:
    """The text as the editor leaves it, without the line end at its end. Raises EditorError."""
    command = environment.get("VISUAL") or environment.get("EDITOR") or next(filter(shutil.which, _USUAL), None)
    if command is None:
        raise EditorError("there is no editor; EDITOR names one")
    file, path = tempfile.mkstemp(suffix=".redis")
    try:
        with open(file, "wb") as opened:
            opened.write(text.encode("utf-8", "surrogateescape"))
        code = subprocess.call(["/bin/sh", "-c", f'{command} "$1"', "sh", path])
        if code != 0:
            raise EditorError(f"the editor failed ({command}: exit code {code}); the line is as it was")
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as saved:
            return saved.read().replace("\r\n", "\n").rstrip("\n")
    except OSError as error:
        raise EditorError(f"the editor was of no use: {(error.strerror or str(error)).lower()}") from None
    finally:
        if os.path.exists(path):
            os.unlink(path)
