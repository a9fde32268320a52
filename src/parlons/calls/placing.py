"""A call that an agent places itself: over which connection, as whom; and with which headers, when it is dialled."""

from __future__ import annotations

from parlons.agents.connections import SipConnection
from parlons.agents.context import CallContext
from parlons.conversation.prompt import Templates
from parlons.errors import ConfigurationError
from parlons.telephony.types import OutboundInvite

from . import dialling
from .dialling import Header
from .directory import LiveAgent, as_e164
from .parts import CallResources
from .record import CallRecord
from .timeline import Kind, Timeline


async def outgoing(
    resources: CallResources, live: LiveAgent, record: CallRecord, to: str, connection_id: str | None = None
) -> OutboundInvite:
    """The INVITE of a call to ``to``: a number, a PBX extension, or ``sip:user@host[:port]``; over a connection, else
    the agent's, else the settings'. Names the connection on the record. Raises ConfigurationError."""
    directory, agent = resources.directory, live.agent
    country = directory.settings.default_country
    shown = dialling.agent_number(agent, live.id)
    if to.startswith("sip:"):
        return dialling.to_uri(to, shown=shown)
    route = dialling.choose_route(
        connection_id, agent, directory.settings, None, directory.connections, resources.outbound_passwords
    )
    if isinstance(route, str):
        raise ConfigurationError(
            "There is no SIP connection to place this call over.",
            hint="Set the agent's sip_connection_id, or outbound_connection_id in settings.yaml.",
        )
    record.connection_id = route.connection_id
    return dialling.over(
        route,
        as_e164(to, country) or to,
        dialling.own_identity(route.connection, shown, country),
        country=country,
    )


async def headers_of(connection: SipConnection, context: CallContext, timeline: Timeline) -> tuple[Header, ...]:
    """A connection's own headers for a call that is about to be dialled, with what its pre-call workflow gave. One that
    cannot be sent is left out, and noted."""
    configured, problems = await dialling.connection_headers(connection, Templates(context, timeline).render)
    headers, refused = dialling.merge_headers(configured, ())
    if problems or refused:
        timeline.add("system", Kind.LEG, leg="destination", event="headers_left_out", problems=[*problems, *refused])
    return tuple(headers)
