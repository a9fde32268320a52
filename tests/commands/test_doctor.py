"""What the doctor sees."""

from __future__ import annotations

import socket
from pathlib import Path

from parlons.commands import doctor
from parlons.settings import Settings


def settings(tmp_path: Path, **fields: object) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path, "sip_host": "127.0.0.1", "max_calls": 10, **fields})


def test_a_taken_port_is_named_with_the_fix(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = doctor.ports(settings(tmp_path, sip_port=port), running=False)[0]
        assert f"{port}/udp" in found.what
        assert "PARLONS_SIP_PORT" in found.fix
        assert not doctor.ports(settings(tmp_path, sip_port=port), running=True)[0].fix


def test_too_few_rtp_ports(tmp_path: Path) -> None:
    found = doctor.ports(settings(tmp_path, rtp_port_min=20000, rtp_port_max=20009), running=False)[-1]
    assert "5 calls" in found.detail
    assert found.fix


def test_data_folder(tmp_path: Path) -> None:
    assert "writable" in doctor.data_folder(settings(tmp_path)).detail
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "PARLONS_DATA_DIR" in doctor.data_folder(settings(tmp_path, data_dir=blocked / "data")).fix


def test_clock() -> None:
    assert doctor.clock(now=lambda: 0.0)[0].fix
    kept, loose = doctor.clock(state=lambda: 0)[0], doctor.clock(state=lambda: 5)[0]
    assert (kept.detail, loose.fix) == ("synchronised", "")
    assert "not kept" in loose.detail
    assert doctor.clock(zone="Mars/Olympus")[1].fix
