"""Codecs, resampling, concealment and tones, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlons.telephony.media.codecs import G711, PCMA, PCMU, make_codec
from parlons.telephony.media.playout import Playout
from parlons.telephony.media.plc import Concealer, merge
from parlons.telephony.media.resample import Resampler
from parlons.telephony.media.tones import BUSY, RINGBACK, busy, key_tone, ringback
from tests.telephony.media.support import likeness, speech

EVERY_SAMPLE = np.arange(-32768, 32768).astype("<i2")


def sine(hertz: float, rate: int, seconds: float = 1.0, peak: float = 8000) -> np.ndarray:
    return np.asarray(peak * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype("<i2")


def level(pcm: bytes, hertz: float, rate: int) -> float:
    """The peak of one frequency in ``pcm``."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    at = np.arange(len(samples)) / rate
    return float(2 * np.abs(np.mean(samples * np.exp(-2j * np.pi * hertz * at))))


@pytest.mark.parametrize(
    ("codec", "known"),
    [
        # ITU-T G.711 tables 1a, 1b, 2a and 2b, scaled to 16 bits
        (PCMA, {0x80 ^ 0x55: 8, 0x00 ^ 0x55: -8, 0xFF ^ 0x55: 32256, 0x7F ^ 0x55: -32256, 0xA0 ^ 0x55: 528}),
        (PCMU, {0xFF: 0, 0x7F: 0, 0x80: 32124, 0x00: -32124, 0xFE: 8, 0x7E: -8}),
    ],
)
def test_g711_decodes_as_the_recommendation_says(codec: G711, known: dict[int, int]) -> None:
    for code, value in known.items():
        assert np.frombuffer(codec.decode(bytes((code,))), "<i2")[0] == value


@pytest.mark.parametrize("codec", [PCMA, PCMU])
def test_g711_encodes_to_the_nearest_level_and_keeps_the_sign(codec: G711) -> None:
    back = np.frombuffer(codec.decode(codec.encode(EVERY_SAMPLE.tobytes())), "<i2").astype(int)
    samples = EVERY_SAMPLE.astype(int)
    assert (np.sign(back) * np.sign(samples) >= 0).all()
    assert (np.diff(back) >= 0).all()
    error = np.abs(back - samples)
    assert (error <= np.maximum(np.abs(samples) / 32 + 8, 16) + (np.abs(samples) > 32100) * 700).all()
    codes = bytes(range(256))
    again = codec.decode(codec.encode(codec.decode(codes)))
    assert again == codec.decode(codes)
    assert codec.silence == codec.encode(bytes(320))


def test_g722_round_trip_keeps_wideband_speech() -> None:
    codec = make_codec("G722")
    words = speech(2.0, 16000)
    coded = [codec.encode(words[at : at + 640]) for at in range(0, len(words), 640)]
    assert {len(payload) for payload in coded} == {160}
    assert likeness(b"".join(codec.decode(payload) for payload in coded), words, 16000) > 0.98
    wide = sine(6000, 16000).tobytes()
    heard = b"".join(codec.decode(codec.encode(wide[at : at + 640])) for at in range(0, len(wide), 640))
    assert level(heard, 6000, 16000) > 5000


@pytest.mark.parametrize(
    ("source", "target"), [(8000, 16000), (16000, 8000), (24000, 8000), (22050, 8000), (22050, 16000), (8000, 48000)]
)
def test_resampling_keeps_speech_band_and_drops_the_rest(source: int, target: int) -> None:
    narrow = min(source, target)
    for hertz, wanted in ((300, 1.0), (1000, 1.0), (narrow * 0.4, 1.0)):
        out = Resampler(source, target).push(sine(hertz, source).tobytes())
        assert level(out[2000:-2000], hertz, target) == pytest.approx(8000 * wanted, rel=0.03)
    if source > target:
        alias = np.frombuffer(Resampler(source, target).push(sine(target * 0.62, source).tobytes()), "<i2")
        assert np.abs(alias[200:-200].astype(int)).max() < 80  # 40 dB down: no alias to hear


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([(8000, 16000), (24000, 8000), (22050, 8000), (16000, 24000)]),
    st.lists(st.integers(0, 1500), min_size=1, max_size=30),
)
def test_chunk_borders_cannot_be_heard(rates: tuple[int, int], cuts: list[int]) -> None:
    pcm = speech(1.0, rates[0])
    whole = Resampler(*rates)
    expected = whole.push(pcm) + whole.flush()
    pieces, out, at = Resampler(*rates), b"", 0
    for cut in cuts:
        out += pieces.push(pcm[at : at + cut])
        at += cut
    out += pieces.push(pcm[at:]) + pieces.flush()
    assert out == expected
    assert len(out) // 2 == pytest.approx(len(pcm) // 2 * rates[1] / rates[0], abs=rates[1] / 400)


def test_resampler_gives_exact_frames_and_starts_afresh_after_a_flush() -> None:
    for source, target in ((8000, 16000), (16000, 8000), (24000, 8000), (48000, 16000), (8000, 24000)):
        resampler = Resampler(source, target)
        frames = [len(resampler.push(bytes(source // 25))) for _ in range(10)]
        assert set(frames) == {target // 25}
    resampler = Resampler(24000, 8000)
    loud = sine(1000, 24000, 0.1).tobytes()
    first = resampler.push(loud) + resampler.flush()
    assert resampler.push(loud) + resampler.flush() == first
    assert Resampler(8000, 8000).push(loud) == loud


def test_concealment_goes_on_with_the_pitch_and_fades() -> None:
    tone = sine(130, 8000, 0.3).tobytes()
    concealer = Concealer(8000)
    for at in range(0, 3200, 320):
        concealer.good(tone[at : at + 320])
    lost = [np.frombuffer(concealer.conceal(160), "<i2").astype(float) for _ in range(5)]
    original = np.frombuffer(tone[3200:3520], "<i2").astype(float)
    assert np.corrcoef(lost[0], original)[0, 1] > 0.97
    energies = [np.abs(frame).max() for frame in lost]
    assert energies[0] > energies[1] > energies[2] > 0
    assert energies[3] == energies[4] == 0


def test_return_from_concealment_does_not_click() -> None:
    concealer = Concealer(8000)
    concealer.good(bytes(320))
    assert concealer.conceal(160) == bytes(320)
    loud = np.full(160, 10000, "<i2").tobytes()
    back = np.frombuffer(concealer.good(loud), "<i2").astype(int)
    assert back[0] == 0
    assert np.diff(back).max() < 300
    assert (back[40:] == 10000).all()
    assert concealer.good(loud) == loud


def test_concealment_without_history_is_silence() -> None:
    concealer = Concealer(16000)
    assert concealer.conceal(320) == bytes(640)
    concealer.good(sine(200, 16000, 0.02).tobytes())
    assert any(concealer.conceal(320))
    concealer.forget()
    assert concealer.conceal(320) == bytes(640)


def test_merge_is_a_cross_fade() -> None:
    first, second = np.full(160, 1000, "<i2").tobytes(), np.full(160, 3000, "<i2").tobytes()
    out = np.frombuffer(merge(first, second), "<i2")
    assert (out[0], out[-1]) == (1000, 3000)
    assert (np.diff(out) >= 0).all()


def stretches(pcm: bytes, rate: int) -> list[tuple[bool, float]]:
    """(sounds or not, seconds) in turn."""
    loud = np.abs(np.frombuffer(pcm, "<i2").astype(int)).reshape(-1, rate // 100).max(axis=1) > 500
    edges = np.flatnonzero(np.diff(loud.astype(int))) + 1
    parts = np.split(loud, edges)
    return [(bool(part[0]), len(part) / 100) for part in parts]


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("country", [*RINGBACK, "XX"])
def test_ringback_has_the_countrys_cadence_and_pitch(country: str, rate: int) -> None:
    tone = ringback(country.lower(), rate)
    frames = [tone() for _ in range(1000)]
    assert {len(frame) for frame in frames} == {rate // 25}
    cadence = RINGBACK.get(country)
    pattern = cadence.pattern if cadence is not None else (1.0, 4.0)
    found = stretches(b"".join(frames), rate)
    for number, (sounds, seconds) in enumerate(found[:-1]):
        assert sounds == (number % 2 == 0)
        assert seconds == pytest.approx(pattern[number % len(pattern)], abs=0.011)
    second = b"".join(frames[: int(pattern[0] * 50)])
    for hertz in cadence.frequencies if cadence is not None else (425,):
        assert level(second, hertz, rate) > 3500
    samples = np.frombuffer(b"".join(frames), "<i2").astype(int)
    assert np.abs(np.diff(samples)).max() < 4000  # no click


@pytest.mark.parametrize("country", [*BUSY, "XX"])
def test_busy_tone_is_faster_than_ringing(country: str) -> None:
    tone = busy(country, 8000)
    found = stretches(b"".join(tone() for _ in range(200)), 8000)
    assert len(found) >= 8
    assert all(seconds <= 0.51 for _sounds, seconds in found)


@pytest.mark.parametrize(
    ("digit", "low", "high"), [("1", 697, 1209), ("0", 941, 1336), ("#", 941, 1477), ("A", 697, 1633)]
)
def test_key_tones_are_the_pairs_of_q23(digit: str, low: int, high: int) -> None:
    frames = key_tone(digit, 8000, 0.1)
    assert len(frames) == 5
    pcm = b"".join(frames)
    assert level(pcm, low, 8000) == pytest.approx(7000, rel=0.1)
    assert level(pcm, high, 8000) == pytest.approx(7000, rel=0.1)
    assert np.abs(np.diff(np.frombuffer(pcm, "<i2").astype(int))).max() < 15000


def test_playout_keeps_no_more_than_it_can_play_soon() -> None:
    playout = Playout()
    for number in range(5000):
        playout.put(number, b"\x00", 8, newest=True, until_tick=0.01)
        assert len(playout._segments) <= 256


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(-30, 60), st.sampled_from([40, 80, 160, 240, 480, 7]), st.booleans(), st.integers(0, 3)),
        max_size=120,
    )
)
def test_playout_always_gives_whole_ticks(packets: list[tuple[int, int, bool, int]]) -> None:
    playout = Playout()
    for number, (offset, size, newest, ticks) in enumerate(packets):
        timestamp = (0xFFFFFF00 + (number + offset) * 80) & 0xFFFFFFFF
        playout.put(timestamp, bytes(size), 8, newest=newest, until_tick=0.01)
        for _ in range(ticks):
            octets = sum(piece.octets for piece in playout.tick())
            assert octets in (0, 160, 320)
        assert playout.delay_ms <= 3000
