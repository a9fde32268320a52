"""One call that went well, with a recording, and one that failed over, in a data directory for the browser tests."""

import asyncio
import io
import sys
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.store import Store
from parlons.store.crypto import SecretKey

GOOD = [
    Event(0, "system", Kind.RINGING, {}),
    Event(40, "system", Kind.PRE_CALL, {"outcome": "ok", "detail": "", "duration_ms": 38}),
    Event(90, "agent", Kind.ANSWERED, {"codec": "PCMA", "setup_ms": 88}),
    Event(95, "agent", Kind.STEP_ENTERED, {"step": "accueil", "name": "Accueil"}),
    Event(400, "agent", Kind.TRANSCRIPT, {"text": "Cabinet médical, bonjour. Que puis-je faire pour vous ?"}),
    Event(4200, "caller", Kind.TRANSCRIPT, {"text": "Bonjour, je voudrais parler à quelqu'un du support."}),
    Event(
        4900,
        "agent",
        Kind.LATENCY,
        {"end_of_turn_ms": 420, "llm_first_token_ms": 310, "tts_first_audio_ms": 140, "total_ms": 870},
    ),
    Event(5000, "agent", Kind.TRANSCRIPT, {"text": "Bien sûr, je vous mets en relation.", "interrupted": True}),
    Event(6800, "agent", Kind.ACTION_STARTED, {"action": "Transfert support", "type": "transfer", "arguments": {}}),
    Event(6900, "system", Kind.LEG, {"leg": "destination", "event": "dialled", "description": "Support technique"}),
    Event(
        8100, "destination", Kind.LEG, {"leg": "destination", "event": "ringing", "description": "Support technique"}
    ),
    Event(
        28100,
        "agent",
        Kind.ACTION_FINISHED,
        {"action": "Transfert support", "type": "transfer", "outcome": "no_answer", "duration_ms": 21300},
    ),
    Event(28600, "agent", Kind.TRANSCRIPT, {"text": "Personne ne répond pour le moment. Puis-je prendre un message ?"}),
    Event(33000, "caller", Kind.TRANSCRIPT, {"text": "Non merci, je rappellerai."}),
    Event(
        33700,
        "agent",
        Kind.LATENCY,
        {"end_of_turn_ms": 380, "llm_first_token_ms": 520, "tts_first_audio_ms": 150, "total_ms": 1050},
    ),
    Event(34000, "agent", Kind.TRANSCRIPT, {"text": "Très bien, bonne journée !"}),
    Event(36000, "agent", Kind.HANG_UP, {"who": "agent", "why": "the conversation is over"}),
]
BAD = [
    Event(0, "system", Kind.RINGING, {}),
    Event(5002, "system", Kind.PRE_CALL, {"outcome": "pre_call_timeout", "detail": "", "duration_ms": 5000}),
    Event(5003, "system", Kind.FAILOVER, {"event": "begun", "trigger": "pre_call_timeout", "action": "message"}),
    Event(5060, "agent", Kind.ANSWERED, {"codec": "PCMA", "setup_ms": 57}),
    Event(
        5100, "agent", Kind.TRANSCRIPT, {"text": "Nos services sont temporairement indisponibles. Merci de rappeler."}
    ),
    Event(9000, "system", Kind.HANG_UP, {"who": "system", "why": "failover message spoken"}),
]


def silence(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000 * seconds))
    return file.getvalue()


async def main(folder: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'parlons.db'}", SecretKey.load(folder, None))
    now = datetime.now(UTC) - timedelta(hours=1)
    (folder / "recordings").mkdir(exist_ok=True)
    (folder / "recordings" / "seen.wav").write_bytes(silence(37))
    good = CallRecord(
        "seen",
        "inbound",
        now,
        agent_id="cabinet",
        agent_version=1,
        status=CallStatus.COMPLETED,
        caller="+33612345678",
        called="+33123456789",
    )
    good.answered_at, good.ended_at, good.ended_by = now, now + timedelta(seconds=36), "agent"
    good.end_reason, good.recording, good.context = "the conversation is over", "seen.wav", {"first_name": "Camille"}
    bad = CallRecord(
        "missed",
        "inbound",
        now - timedelta(hours=3),
        agent_id="cabinet",
        agent_version=1,
        status=CallStatus.FAILOVER,
        anonymous=True,
        called="+33123456789",
    )
    bad.answered_at, bad.ended_at, bad.ended_by = bad.started_at, bad.started_at + timedelta(seconds=9), "system"
    bad.trigger, bad.failover_action, bad.failover_outcome = "pre_call_timeout", "message", "played"
    for record, events in ((good, GOOD), (bad, BAD)):
        await store.calls.create(record)
        await store.calls.append_events(record.id, events)
    await store.close()


asyncio.run(main(Path(sys.argv[1])))
