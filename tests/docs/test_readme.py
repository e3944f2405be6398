"""Every example of the README, and of the pages on tools, is run; what it prints is what stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.console import ROOT, run_all

PAGES = {
    "README.md": 8,
    "streamcli/data/topics/tools.md": 7,
    "streamcli/data/topics/recovery.md": 7,
    "streamcli/data/topics/tail.md": 10,
    "streamcli/data/topics/clone.md": 8,
    "streamcli/data/topics/replay.md": 5,
    "streamcli/data/topics/export.md": 13,
}  # and how many examples they have, at least


@pytest.mark.parametrize("page", PAGES)
def test_every_example_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    assert run_all((ROOT / page).read_text(encoding="utf-8"), tmp_path) >= PAGES[page]


def test_the_test_command_of_the_readme_is_what_ci_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^    make test\b", readme, re.MULTILINE)
    assert re.search(r"^make test check$", ci, re.MULTILINE)
