"""Audio, ears, SIP text and /proc: the small parts that the figures rest on."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from benchmarks.hearing import Ears
from benchmarks.load import wire

from benchmarks import audio, procstat

INVITE = (
    b"INVITE sip:bench@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKa;rport\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:8;branch=z9hG4bKb\r\nf: <sip:a@b>;tag=1\r\nt: <sip:bench@127.0.0.1>\r\n"
    b"i: abc\r\nCSeq: 1 INVITE\r\nm: <sip:a@127.0.0.1:9>\r\n\r\n"
)


def tone(seconds: float, size: int = 8000) -> bytes:
    t = np.arange(round(seconds * audio.RATE))
    return (size * np.sin(2 * np.pi * 300 * t / audio.RATE)).astype(np.int16).tobytes()


def test_alaw_follows_g711() -> None:
    known = {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256, 0x80: 5504}
    assert {code: int(audio.DECODED[code]) for code in known} == known
    every = bytes(range(256))
    assert audio.encode(audio.decode(every)) == every


def test_mulaw_follows_g711() -> None:
    known = {0xFF: 0, 0x7F: 0, 0x80: 32124, 0x00: -32124, 0xEF: 132, 0x8F: 16764}
    assert {code: int(audio.PCMU.decoding[code]) for code in known} == known
    every = bytes(code for code in range(256) if code != 0x7F)  # two codes for nothing: one comes back
    assert audio.PCMU.encode(audio.PCMU.decode(every)) in (every, every[:-1] + b"\x7f")
    assert not audio.PCMU.loud(bytes([audio.PCMU.silence]) * 160)
    assert audio.PCMU.loud(audio.PCMU.encode(tone(0.02)))


def test_alaw_is_never_further_off_than_half_a_step() -> None:
    pcm = np.arange(-32256, 32257, dtype=np.int16)
    back = np.frombuffer(audio.decode(audio.encode(pcm.tobytes())), np.int16)
    error = np.abs(back.astype(np.int32) - pcm)
    assert (error <= np.maximum(8, np.abs(pcm.astype(np.int32)) // 32 + 8)).all()


def test_loud_tells_speech_from_silence() -> None:
    assert audio.loud(audio.encode(tone(0.02)))
    assert not audio.loud(bytes([audio.SILENCE_BYTE]) * 160)
    assert not audio.loud(audio.encode(tone(0.02, size=200)))


def test_trim_cuts_to_speech_and_refuses_a_clip_without_any() -> None:
    padded = np.frombuffer(bytes(3200) + tone(0.5) + bytes(6400), np.int16)
    assert len(audio.trim(padded)) == round(0.5 * audio.RATE)
    with pytest.raises(ValueError, match="no speech"):
        audio.trim(np.zeros(8000, np.int16))


def test_the_caller_says_it_in_one_breath() -> None:
    said = audio.speak(audio.UTTERANCE)
    assert 1.5 < len(said) / audio.RATE < 4.0
    assert audio.longest_pause(said) < 0.15, "a recogniser would take the pause for the end of the utterance"


def test_ears_hear_each_utterance_once_200_ms_after_its_end() -> None:
    ears, heard = Ears(), []
    clip = bytes(8000) + tone(0.5) + bytes(1600) + tone(0.5) + bytes(16000) + tone(0.5) + bytes(16000)
    for i in range(0, len(clip), 320):
        if ears.hear(clip[i : i + 320], audio.RATE):
            heard.append(round((i + 320) / 16000, 2))
    # the pause of 0.1 s inside the first one is not its end
    assert heard == [pytest.approx(1.8, abs=0.021), pytest.approx(3.3, abs=0.021)]


def test_ears_take_a_click_for_nothing() -> None:
    ears = Ears()
    clip = tone(0.1) + bytes(16000)
    assert not any(ears.hear(clip[i : i + 320], audio.RATE) for i in range(0, len(clip), 320))


def test_a_message_is_read_with_compact_and_repeated_headers() -> None:
    message = wire.parse(INVITE)
    assert message is not None
    assert (message.method, message.code, message.header("call-id")) == ("INVITE", 0, "abc")
    assert len(message.headers["via"]) == 2
    assert wire.tag(message.header("from")) == "1"
    assert wire.uri(message.header("contact")) == "sip:a@127.0.0.1:9"


def test_a_response_copies_every_via_and_adds_our_tag_once() -> None:
    message = wire.parse(INVITE)
    assert message is not None
    back = wire.parse(wire.respond(message, 200, "OK", body=wire.session("192.0.2.1", 4000), to_tag="x"))
    assert back is not None
    assert (back.code, back.method) == (200, "INVITE")
    assert back.headers["via"] == message.headers["via"]
    assert wire.tag(back.header("to")) == "x"
    assert wire.media_address(back.body) == ("192.0.2.1", 4000)


@pytest.mark.parametrize("body", ["", "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 8\r\n", "m=audio 9 RTP/AVP 8"])
def test_an_answer_without_our_codec_or_address_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="no PCMA audio"):
        wire.media_address(body)
    with pytest.raises(ValueError, match="no PCMU audio"):
        wire.media_address(wire.session("192.0.2.1", 4000), "PCMU")
    assert wire.media_address(wire.session("192.0.2.1", 4000, codec="PCMU"), "PCMU") == ("192.0.2.1", 4000)
    with pytest.raises(ValueError, match="no PCMA audio"):
        wire.media_address("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0 9\r\n")


@pytest.mark.parametrize("noise", [b"", b"\r\n\r\n", b"\xff\xfe\x00", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_not_sip_is_none(noise: bytes) -> None:
    assert wire.parse(noise) is None


def test_cpu_and_memory_of_a_process_are_seen_from_outside() -> None:
    pid = os.getpid()
    meter = procstat.CpuMeter(pid)
    meter.start()
    until = time.monotonic() + 0.3
    while time.process_time() >= 0 and time.monotonic() < until:
        pass
    assert meter.percent() > 20
    before = procstat.memory_mb(pid)
    kept = np.ones(40_000_000, np.uint8)
    assert 35 < procstat.memory_mb(pid) - before < 60
    assert len(kept) == 40_000_000


def test_a_command_name_with_brackets_and_spaces_does_not_shift_the_fields() -> None:
    numbers = "S 42 1 1 0 -1 0 0 0 0 0 100 50 20 30 20 0"
    parent, seconds = procstat.parse_stat(f"7 (a b) c)) {numbers}\n")
    assert parent == 42
    assert seconds == pytest.approx(200 / os.sysconf("SC_CLK_TCK"))
