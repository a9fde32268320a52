"""One call that went well, with a recording, and one that failed over, in a data directory for the browser tests."""

import asyncio
import io
import sys
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parlons.agents.workflows import DataSource, WebPage, Workflow
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.store import Store
from parlons.store.access import ApiKey
from parlons.store.crypto import SecretKey
from parlons.workflows.runs import Run, RunError, StepRun

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


async def look_after(store: Store, now: datetime) -> None:
    """What administrators see in the settings: keys in each state, and a secret."""
    for number, name in enumerate(("Site web", "Agenda", "Ancien site")):
        made = now - timedelta(days=40 - number)
        key = ApiKey(
            f"key{number}", name, ("read", "calls"), f"parlons_A{number}b2", made, "accueil", None,
            now + timedelta(days=200) if number == 1 else None, now if number == 0 else None, None, False,
        )  # fmt: skip
        await store.keys.create(key, f"{number}" * 64)
    await store.keys.rotate("key1", "e" * 64, "parlons_Z9y8")
    await store.keys.revoke("key2")
    await store.secrets.put("CRM_KEY", "a-value-that-no-page-shows")


async def fill_a_source(store: Store) -> None:
    """A data source with documents that are read and one of each kind of trouble; nothing of it is in an index."""
    page = "https://www.example.com/horaires-d-ouverture-du-cabinet-et-jours-de-fermeture-exceptionnelle"
    pages = [WebPage(url=page)]
    await store.data_sources.put("patients", DataSource(name="Informations patients", language="fr-FR", pages=pages))
    files = (("Tarifs et remboursements 2026.pdf", 412_000, 38), ("questions-frequentes.docx", 58_300, 24))
    for name, size, passages in files:
        given = await store.knowledge.give("patients", name, size=size, sha256="a" * 64)
        await store.knowledge.read(given.id, given.version, passages=passages, made_with="fr")
    old = await store.knowledge.give("patients", "ancien règlement (numérisé).pdf", size=9_400_000, sha256="b" * 64)
    scanned = "The PDF holds pictures of pages and no text. Have text recognised in it (OCR) first."
    await store.knowledge.refuse(old.id, old.version, scanned)
    listed = await store.knowledge.give("patients", page, size=0, sha256="", url=page)
    await store.knowledge.refuse(listed.id, listed.version, "The site answers 404 for this page.")


async def workflows(store: Store, call: CallRecord, now: datetime) -> None:
    """A workflow of each kind, with a run that went well, one that did not, and a delivery that failed for good."""
    order = {
        "name": "Trouver la commande",
        "trigger": "live_call",
        "status": "published",
        "input": [{"name": "order_number", "description": "Six chiffres", "required": True}],
        "steps": [
            {
                "id": "find",
                "type": "http",
                "url": "https://shop.example/orders/{{ input.order_number }}",
                "headers": {"Authorization": "Bearer {{ secrets.CRM_KEY }}"},
                "expected_status": [200, 404],
            },
            {
                "id": "known",
                "type": "branch",
                "branches": [
                    {
                        "variable": "steps.find.status",
                        "operator": "equals",
                        "value": 200,
                        "steps": [{"id": "found", "type": "return", "value": {"result": "{{ steps.find.body }}"}}],
                    }
                ],
                "else": [{"id": "unknown", "type": "return", "value": {"result": "Aucune commande."}}],
            },
        ],
    }
    crm = {"name": "Informer le CRM", "trigger": "post_call", "kind": "webhook", "status": "published"}
    crm |= {"url": "https://crm.example/calls", "secret": "a-secret-of-the-tests"}
    await store.workflows.put("commande", Workflow.model_validate(order))
    await store.workflows.put("crm", Workflow.model_validate(crm))
    sent = {"method": "GET", "url": "https://shop.example/orders/123456", "headers": {"Authorization": "***"}}
    sent |= {"query": {}, "body": None}
    good = StepRun("find", "http", 1, 84, sent, {"status": 200, "headers": {}, "body": {"state": "expédiée"}})
    taken = StepRun("known", "branch", 86, 1, None, {"branch": 1})
    given = StepRun("found", "return", 86, 0, None, {"result": {"state": "expédiée"}})
    ran = Run("run-good", "live_call", "ok", now.timestamp(), 87, {"result": {"state": "expédiée"}})
    ran.steps = [good, taken, given]
    error = RunError("find", "unexpected_status", "the service answered 503.")
    bad = StepRun("find", "http", 1, 62, sent, {"status": 503, "headers": {}, "body": "en maintenance"}, error)
    failed = Run("run-bad", "live_call", "error", now.timestamp() + 60, 63, error=error, steps=[bad])
    await store.calls.write_batch([call], (), [("commande", call.id, ran), ("commande", call.id, failed)])
    (delivery,) = (await store.deliveries.list(workflow_id="crm")).deliveries
    await store.deliveries.failed(delivery, now, "crm.example answered 500.", None)
    crm["status"] = "disabled"  # no call of these tests sends anything
    await store.workflows.put("crm", Workflow.model_validate(crm))


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
    await look_after(store, now)
    await fill_a_source(store)
    await workflows(store, good, now)
    await store.close()


asyncio.run(main(Path(sys.argv[1])))
