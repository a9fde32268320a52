"""``parlons chat`` as a person at a terminal has it: what is said, what is only told, and what is wrong beforehand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SHOP: dict[str, Any] = {
    "name": "Boutique",
    "language": "fr-FR",
    "greeting": "Bonjour.",
    "prompt": "- horaires : Nous sommes ouverts de neuf heures à dix-huit heures.",
}
TRANSFER = {
    "type": "transfer",
    "name": "Support",
    "description": "L'appelant veut le support technique.",
    "destinations": [{"phone": "+33123456780", "description": "Technicien"}],
}


def chat(folder: Path, typed: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    file = folder / "boutique.json"
    file.write_text(json.dumps(SHOP | changes), "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "parlons", "chat", str(file)],
        input=typed, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "PARLONS_DATA_DIR": str(folder / "data")},
    )  # fmt: skip


def test_a_question_is_answered_and_a_transfer_is_told(tmp_path: Path) -> None:
    done = chat(tmp_path, "quels sont vos horaires\n\nje voudrais le support technique\n", actions=[TRANSFER])
    assert done.returncode == 0, done.stderr
    assert "Bonjour." in done.stdout
    assert "Nous sommes ouverts de neuf heures à dix-huit heures." in done.stdout
    assert "+33123456780 would be rung now" in done.stdout
    assert "why=transferred" in done.stdout


def test_the_end_of_the_input_ends_it(tmp_path: Path) -> None:
    done = chat(tmp_path, "")
    assert done.returncode == 0, done.stderr
    assert "why=hung_up" in done.stdout


def test_an_agent_that_cannot_think_is_told_before_anything_is_typed(tmp_path: Path) -> None:
    done = chat(tmp_path, "bonjour\n", providers={"llm": [{"type": "openai"}]})
    assert done.returncode != 0
    assert "OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_agent_would_take_over(tmp_path: Path) -> None:
    to_night = {
        "type": "transfer", "name": "Support", "description": "L'appelant veut le support.", "target_agent_id": "nuit",
    }  # fmt: skip
    done = chat(tmp_path, "je voudrais le support\n", actions=[to_night])
    assert done.returncode == 0, done.stderr
    assert "the agent nuit would take over; see `parlons chat nuit`" in done.stdout
