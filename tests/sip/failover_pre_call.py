"""The outside system asked while the phone rings, in every way that it can fail; with failover on, and without."""

from __future__ import annotations

from tests.sip.failover_stage import Visit
from tests.sip.failover_world import (
    CLOSED,
    DEADLINE_TOLERANCE,
    GREETING,
    KNOWN_GREETING,
    MESSAGE,
    PRE_CALL_SECONDS,
    SORRY,
    asks,
    case,
    failing_over,
)

FAULTS: dict[str, tuple[str, str]] = {
    "refused": ("pre_call_error", GREETING),
    "hang": ("pre_call_timeout", GREETING),
    "late": ("pre_call_timeout", GREETING),
    "error": ("pre_call_error", GREETING),
    "moved": ("pre_call_error", GREETING),
    "huge": ("pre_call_error", GREETING),
    "no_json": ("pre_call_error", GREETING),
    "array": ("pre_call_invalid", GREETING),
    "unknown_key": ("pre_call_invalid", GREETING),
    "unknown_voice": ("configuration_rejected", KNOWN_GREETING),
    "no_data_source": ("configuration_rejected", KNOWN_GREETING),
    "no_language": ("configuration_rejected", KNOWN_GREETING),
}
"""What the service does, to the trigger and to what an agent without failover says: what arrived valid is kept."""


def _in_time(visit: Visit) -> None:
    """The phone rings no longer than the workflow may take."""
    rang = next(e.at for e in visit.call.responses if e.message.code == 180)
    assert visit.call.up_at - rang <= PRE_CALL_SECONDS + 2 * DEADLINE_TOLERANCE  # many calls are played meanwhile


def _degraded(path: str, trigger: str, greeting: str) -> None:
    @case(name=f"degraded-{path}", **asks(path))
    async def play(visit: Visit) -> None:
        await visit.dial()
        await visit.is_greeted()
        _in_time(visit)
        visit.heard(greeting)
        await visit.hang_up()
        visit.record("completed", trigger, None, None, ended_by="caller")


def _failing_over(path: str, trigger: str) -> None:
    @case(name=f"failing_over-{path}", **asks(path), **failing_over(MESSAGE))
    async def play(visit: Visit) -> None:
        await visit.dial()
        await visit.gets_only(CLOSED)
        _in_time(visit)
        visit.record("failover", trigger, "message", "played", ended_by="system")
        visit.checks.append(lambda: _says_why(visit, trigger))


def _says_why(visit: Visit, trigger: str) -> None:
    (asked,) = visit.events("pre_call")
    (begun,) = visit.events("failover", event="begun")
    assert asked["outcome"] == trigger
    assert asked["detail"] == begun["detail"] != ""
    assert not visit.stage.service.asked["elsewhere"], "a redirect led to another private address"


for _path, (_trigger, _greeting) in FAULTS.items():
    _degraded(_path, _trigger, _greeting)
    _failing_over(_path, _trigger)


@case(**asks("context"), **failing_over(MESSAGE))
async def nothing_fails(visit: Visit) -> None:
    """Failover is on, and nobody needs it."""
    await visit.dial()
    await visit.is_greeted()
    visit.heard(KNOWN_GREETING)
    await visit.hang_up()
    visit.record("completed", None, None, None, ended_by="caller")


@case(name="degraded-failover", **asks("failover"))
async def failover_asked_for_where_there_is_none(visit: Visit) -> None:
    await visit.dial()
    await visit.gets_only(SORRY)
    visit.record("failed", "pre_call_requested", None, None, ended_by="system")
