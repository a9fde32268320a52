"""Settings and where they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from parlons import settings
from parlons.errors import InvalidDocument


def test_environment_beats_file_beats_default(tmp_path: Path) -> None:
    (tmp_path / "parlons.toml").write_text("sip_port = 5070\nhttp_port = 8001\n")
    found, sources = settings.load({"PARLONS_SIP_PORT": "5080", "PARLONS_RTP_PORT_MIN": " "}, tmp_path)
    assert (found.sip_port, found.http_port, found.rtp_port_min) == (5080, 8001, 20000)
    origins = {s.name: s.origin for s in sources}
    assert origins["PARLONS_SIP_PORT"] == "environment"
    assert origins["PARLONS_HTTP_PORT"].endswith("parlons.toml")
    assert origins["PARLONS_RTP_PORT_MIN"] == "default"
    assert all(s.meaning for s in sources)


def test_secrets_are_not_listed(tmp_path: Path) -> None:
    _, sources = settings.load({"PARLONS_SECRET_KEY": "very-secret"}, tmp_path)
    assert "very-secret" not in repr(sources)


@pytest.mark.parametrize(
    ("environ", "text", "named"),
    [
        ({"PARLONS_SIP_PORT": "banana"}, "", "PARLONS_SIP_PORT"),
        ({"PARLONS_SIP_PORT": "70000"}, "", "PARLONS_SIP_PORT"),
        ({}, "sip_prot = 5060", "sip_prot"),
        ({}, "sip_port = ", "parlons.toml"),
        ({"PARLONS_RTP_PORT_MIN": "20000", "PARLONS_RTP_PORT_MAX": "20000"}, "", "rtp_port_max"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, environ: dict[str, str], text: str, named: str) -> None:
    if text:
        (tmp_path / "parlons.toml").write_text(text)
    with pytest.raises(InvalidDocument, match=named):
        settings.load(environ, tmp_path)
