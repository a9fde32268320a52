"""A call that an agent places itself: over which connection, as whom, with which headers."""

from __future__ import annotations

import asyncio

from parlons import logs
from parlons.agents.templates import render
from parlons.errors import ConfigurationError
from parlons.telephony.types import OutboundInvite

from . import dialling
from .directory import LiveAgent, as_e164
from .parts import CallResources
from .record import CallRecord
from .variables import call_context, sip_variables

log = logs.get(__name__)


async def outgoing(resources: CallResources, live: LiveAgent, record: CallRecord, to: str) -> OutboundInvite:
    """The INVITE of a call to ``to``: a number, a PBX extension, or ``sip:user@host[:port]``. Names the connection on
    the record. Raises ConfigurationError."""
    directory, agent = resources.directory, live.agent
    country = directory.settings.default_country
    shown = dialling.agent_number(agent, live.id)
    if to.startswith("sip:"):
        return dialling.to_uri(to, shown=shown)
    route = dialling.choose_route(
        None, agent, directory.settings, None, directory.connections, resources.outbound_passwords
    )
    if isinstance(route, str):
        raise ConfigurationError(
            "There is no SIP connection to place this call over.",
            hint="Set the agent's sip_connection_id, or outbound_connection_id in settings.yaml.",
        )
    record.connection_id = route.connection_id
    variables = call_context(live, record, sip_variables(None)).variables()

    async def rendered(template: str, _field: str) -> str:
        return (await asyncio.to_thread(render, template, variables, strict=False)).text

    configured, problems = await dialling.connection_headers(route.connection, rendered)
    headers, refused = dialling.merge_headers(configured, ())
    if problems or refused:
        log.warning("headers_left_out", call_id=record.id, problems=[*problems, *refused])
    return dialling.over(
        route,
        as_e164(to, country) or to,
        dialling.own_identity(route.connection, shown, country),
        country=country,
        headers=headers,
    )
