"""What a failover action says and whom it rings, rendered for one call. A label that cannot be rendered is left out."""

from __future__ import annotations

import asyncio

from parlons.agents import templates
from parlons.agents.context import CallContext
from parlons.agents.models import FailoverTransfer
from parlons.conversation.line import TransferOrder
from parlons.errors import TemplateError
from parlons.workflows.replies import FailoverWords

from .timeline import Kind, Timeline


async def order_of(action: FailoverTransfer, context: CallContext, timeline: Timeline) -> TransferOrder:
    """The transfer, with nothing left to render. Headers that cannot be rendered are noted and dropped: the caller
    matters more than a label."""
    problems: list[str] = []

    async def rendered(template: str, name: str) -> str | None:
        try:
            made = await asyncio.to_thread(templates.render, template, context, strict=True)
        except TemplateError as error:
            problems.append(f"{name}: {error.message}")
            return None
        return made.text

    headers = [(header.name, await rendered(header.value, header.name)) for header in action.headers]
    user_to_user = await rendered(action.user_to_user or "", "User-to-User")
    if problems:
        timeline.add("system", Kind.LEG, leg="destination", event="headers_left_out", problems=problems)
    return TransferOrder(
        action="failover",
        user=action.phone or action.destination_id or "",
        connection_id=action.sip_connection_id,
        ring_seconds=action.max_ring_seconds,
        headers=tuple((name, value) for name, value in headers if value is not None),
        user_to_user=user_to_user or "",
    )


async def words_of(words: FailoverWords, context: CallContext, timeline: Timeline) -> str:
    """A workflow's message; after the answer an undefined variable is empty. Raises TemplateError when nothing can be
    said of it."""
    made = await asyncio.to_thread(templates.render, words.text, context)
    for name in made.undefined:
        timeline.add("system", Kind.VARIABLE_UNDEFINED, name=name, field="failover_action.text")
    if not made.text.strip():
        raise TemplateError("The failover workflow's message is empty once rendered.")
    return made.text.strip()
