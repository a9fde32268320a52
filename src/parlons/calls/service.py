"""All calls of the process: letting them in, placing them, counting them, and letting them finish on a drain."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

from parlons import logs
from parlons.conversation.knowledge import Knowledge
from parlons.errors import Conflict, NotFound
from parlons.telephony.local_leg import LocalLeg
from parlons.telephony.sip.endpoint import Endpoint
from parlons.telephony.sip.leg_in import InboundLeg
from parlons.telephony.types import Credentials, Leg
from parlons.workflows.http_client import HttpClient

from .admission import Admitted, Load, Refused, admit
from .call import Call, new_call_id
from .call_workflows import RunSink
from .directory import Directory, LiveAgent, as_e164
from .ending import SHUTTING_DOWN
from .equipment import Equipment
from .limits import Permit
from .placing import outgoing
from .record import CallRecord
from .timeline import EndCode

log = logs.get(__name__)


class CallService:
    """Owns every call under way. ``directory`` and the passwords are replaced whole when configuration changes."""

    def __init__(
        self,
        endpoint: Endpoint,
        equipment: Equipment,
        *,
        max_calls: int,
        http: HttpClient,
        runs: RunSink,
        knowledge: Knowledge,
    ) -> None:
        self._endpoint = endpoint
        self.equipment = equipment
        self._max_calls = max_calls
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_connection: Counter[str] = Counter()
        self._draining = False
        self.ended = 0
        """Calls that have ended since the start."""
        self.directory = Directory()
        self.inbound_passwords: dict[str, dict[str, str]] = {}
        """Connection id to {user name: password}, for callers that are challenged."""
        self.outbound_passwords: dict[str, str] = {}
        self.workflow_secrets: dict[str, str] = {}
        self.http = http
        """Of all workflows."""
        self.runs = runs
        self.knowledge = knowledge

    # -- in ----------------------------------------------------------------------------------------------------

    def on_invite(self, leg: InboundLeg) -> None:
        """Decide on a new INVITE at once; an admitted one gets its task."""
        info = leg.info
        assert info is not None
        decision = admit(info, leg, self.inbound_passwords, self.directory, self._load())
        if isinstance(decision, Refused):
            self._refuse(leg, decision)
            return
        live = decision.agent
        default_country = self.directory.settings.default_country
        record = CallRecord(
            id=new_call_id(),
            direction="inbound",
            started_at=datetime.now(UTC),
            agent_id=live.id,
            agent_version=live.version,
            caller="" if info.anonymous else as_e164(info.caller_number, default_country) or info.caller_number,
            called=next((as_e164(u, default_country) or u for u in info.called if u), ""),
            anonymous=info.anonymous,
            connection_id=decision.connection_id,
            sip_call_id=info.call_id,
            language=live.agent.language,
        )
        leg.credentials = self._credentials(decision.connection_id)
        call = self._new_call(live, leg, record, decision)
        self._run(call, call.run_inbound())

    def receive(self, leg: LocalLeg, live: LiveAgent, equipment: Equipment | None = None) -> Call:
        """Take a call that comes from this process itself, with the agent it is for, published or not.

        Args:
            equipment: in place of the process's own: with the messages of an agent that is not published.

        Raises Conflict (draining, or no room); the leg is its maker's to end then.
        """
        if not self.ready:
            raise Conflict("No more calls can be taken right now.", hint="Try again when others have ended.")
        info = leg.info
        assert info is not None
        default_country = self.directory.settings.default_country
        record = CallRecord(
            id=new_call_id(),
            direction="inbound",
            started_at=datetime.now(UTC),
            agent_id=live.id,
            agent_version=live.version,
            caller=as_e164(info.caller_number, default_country) or info.caller_number,
            called=next((user for user in info.called if user), ""),
            anonymous=info.anonymous,
            language=live.agent.language,
        )
        call = Call(equipment or self.equipment, live, leg, record, self, None)
        self._run(call, call.run_inbound())
        return call

    def _credentials(self, connection_id: str | None) -> Credentials | None:
        """What answers a challenge to a BYE or INFO of ours in a call that came in."""
        connection = self.directory.connections.get(connection_id or "")
        if connection is None or connection.username is None:
            return None
        return Credentials(connection.username, self.outbound_passwords.get(connection_id or "", ""))

    def _refuse(self, leg: InboundLeg, decision: Refused) -> None:
        self.equipment.metrics.refused.labels(str(decision.code)).inc()
        if decision.code == 401:
            leg.challenge()
            return
        log.warning("invite_refused", code=decision.code, source=leg.info.source[0] if leg.info else "")
        headers = (("Retry-After", str(decision.retry_after)),) if decision.retry_after else ()
        leg.refuse(decision.code, decision.reason, headers)

    # -- out ---------------------------------------------------------------------------------------------------

    async def place(
        self, agent_id: str, to: str, context: Mapping[str, Any] | None = None, connection_id: str | None = None
    ) -> Call:
        """Place a call with an agent: ``to`` is a number, a PBX extension, or ``sip:user@host[:port]``.

        A number that may not be called, and too many calls at a time, are the outcome of a call that is not dialled.
        ``context`` holds the variables that the call begins with (``calls.initial_context`` bounds what strangers
        give), ``connection_id`` the SIP connection to call over in place of the agent's own.
        Raises NotFound, ConfigurationError or Conflict (draining, or no room) before there is a call.
        """
        if not self.ready:
            raise Conflict("No more calls can be placed right now.", hint="Try again when others have ended.")
        live = self.directory.agents.get(agent_id)
        if live is None or not live.agent.active:
            raise NotFound(f"No active agent is called {agent_id!r}.", hint="See `parlons agent list`.")
        record = CallRecord(
            id=new_call_id(),
            direction="outbound",
            started_at=datetime.now(UTC),
            agent_id=live.id,
            agent_version=live.version,
            called=to,
            language=live.agent.language,
            context=dict(context or {}),
        )
        invite = await outgoing(self, live, record, to, connection_id)
        leg = self._endpoint.invite(invite)
        record.caller, record.sip_call_id = invite.from_user, leg.call_id
        settings = self.directory.settings
        user = to.removeprefix("sip:").partition("@")[0]
        permit = self.equipment.exchange.limits.ask(user, settings, country=settings.default_country)
        refusal = permit if isinstance(permit, str) else ""
        code = EndCode.REFUSED_BY_POLICY
        if self._full(record.connection_id) and not refusal:
            refusal, code = "the SIP connection is full (max_calls)", EndCode.CONNECTION_FULL
        call = self._new_call(live, leg, record, Admitted(live, record.connection_id))
        self._run(call, call.run_outbound(refusal=refusal, code=code))
        if isinstance(permit, Permit):
            call.when_released(permit.release)
        return call

    # -- all ---------------------------------------------------------------------------------------------------

    def _new_call(self, live: LiveAgent, leg: Leg, record: CallRecord, admitted: Admitted) -> Call:
        connection = self.directory.connections.get(admitted.connection_id or "")
        return Call(self.equipment, live, leg, record, self, connection)

    def _run(self, call: Call, life: Coroutine[Any, Any, None]) -> None:
        key, connection = call.record.id, call.record.connection_id
        self._calls[key] = call
        if connection is not None:
            self._by_connection[connection] += 1
        task = asyncio.get_running_loop().create_task(life)
        self._tasks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            self.ended += 1
            self._calls.pop(key, None)
            if connection is not None:
                self._by_connection[connection] -= 1

        task.add_done_callback(ended)

    def take(self, connection_id: str) -> Callable[[], None] | None:
        """One more leg over a connection: what lets go of it again; None when it has as many as its ``max_calls``."""
        if self._full(connection_id):
            return None
        self._by_connection[connection_id] += 1

        def release() -> None:
            self._by_connection[connection_id] -= 1

        return release

    def _full(self, connection_id: str | None) -> bool:
        connection = self.directory.connections.get(connection_id or "")
        room = connection.max_calls if connection is not None else None
        return room is not None and self._by_connection[connection_id or ""] >= room

    def _load(self) -> Load:
        return Load(len(self._calls), self._max_calls, dict(self._by_connection), self._draining)

    def get(self, call_id: str) -> Call | None:
        """A call under way."""
        return self._calls.get(call_id)

    @property
    def active(self) -> int:
        """Calls under way."""
        return len(self._calls)

    def gauges(self) -> dict[str, float]:
        """Calls under way and how many there may be, and the legs that were dialled."""
        return {
            "active": len(self._calls),
            "limit": self._max_calls,
            "draining": float(self._draining),
            "outbound_legs": self.equipment.exchange.limits.legs,
        }

    @property
    def ready(self) -> bool:
        """Whether one more call can be taken."""
        return not self._draining and len(self._calls) < self._max_calls

    async def drain(self, seconds: float) -> None:
        """Take no new call; let those under way finish, for at most ``seconds``, then hang them up."""
        self._draining = True
        self._endpoint.draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for call in list(self._calls.values()):
            call.stop(SHUTTING_DOWN)
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=10)
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
