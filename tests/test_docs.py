"""Pages that are drawn from the code say what the code does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_failover_page_is_drawn_from_the_table() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "draw-failover", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
