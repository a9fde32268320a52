"""The example receiver and its check of signatures, run as the programs they are, against what Parlons signs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from parlons.agents.workflows import Workflow
from parlons.workflows import webhook
from tests.support.server import free_port

FOLDER = Path(__file__).parents[2] / "examples" / "webhook-receiver"
SECRET = "signs what is sent"
BODY = json.dumps({"call": {"id": "c", "status": "completed"}, "context": {"name": "Zoé"}}).encode()


def verify(signature: str, body: bytes = BODY) -> int:
    program = [sys.executable, str(FOLDER / "verify.py"), signature]
    return subprocess.run(program, input=body, env={"WEBHOOK_SECRET": SECRET}, timeout=20).returncode


def test_the_example_accepts_what_parlons_signs_and_nothing_else() -> None:
    now = int(time.time())
    assert verify(webhook.sign(SECRET, BODY, now)) == 0
    assert verify(webhook.sign(SECRET, BODY, now), BODY + b" ") == 1
    assert verify(webhook.sign("another", BODY, now)) == 1
    assert verify(webhook.sign(SECRET, BODY, now - 400)) == 1
    for broken in ("", "t=,v1=", f"t={now}", "v1=é", f"t={now},t={now},v1=x", "t=١,v1=x"):
        assert verify(broken) == 1, broken


@pytest.fixture
def receiver() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port(socket.SOCK_STREAM)
    program = [sys.executable, str(FOLDER / "receiver.py"), str(port)]
    environment = {**os.environ, "WEBHOOK_SECRET": SECRET}
    process = subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 15
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, process
    finally:
        process.kill()
        process.communicate()


def post(port: int, secret: str, delivery: str) -> int:
    made = webhook.request(
        f"http://127.0.0.1:{port}/", headers={}, body=BODY, secret=secret, delivery=delivery, at=int(time.time())
    )
    asked = urllib.request.Request(made.url, data=made.body, headers=dict(made.headers), method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_receiver_takes_each_delivery_once(receiver: tuple[int, subprocess.Popen[str]]) -> None:
    port, process = receiver
    assert post(port, "another", "d0") == 403
    assert [post(port, SECRET, delivery) for delivery in ("d1", "d1", "d2")] == [204, 204, 204]
    assert process.stdout is not None
    lines = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [(line["delivery"], line["call"], line["status"]) for line in lines] == [
        ("d1", "c", "completed"),
        ("d2", "c", "completed"),
    ]


def test_the_workflow_in_its_readme_is_valid() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    document = json.loads(text.split("```json")[1].split("```")[0])
    workflow = Workflow.model_validate(document)
    assert (workflow.trigger, workflow.status) == ("post_call", "published")
