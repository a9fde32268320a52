"""Agents in the database: drafts, published versions, and the one that is live. Rules of publishing are ``agents``'."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..agents.common import SpokenText
from ..agents.models import Agent, Failover
from ..agents.problems import problems_of
from ..agents.publishing import clashing_numbers, with_failover
from ..errors import Conflict, InvalidDocument, NotFound
from .crypto import SecretKey
from .database import Database
from .sealing import agent_slots, put_back, take_out
from .tables import agent_versions, agents


@dataclass(frozen=True, slots=True)
class AgentSummary:
    """An agent in a list. ``unpublished`` is true when the draft differs from the live version."""

    id: str
    name: str
    direction: Literal["inbound", "outbound"]
    active: bool
    phone_numbers: tuple[str, ...]
    revision: int
    live_version: int | None
    unpublished: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """One published version in a list."""

    version: int
    published_at: datetime
    live: bool


class AgentStore:
    """Drafts are edited, publishing makes one live for the next call, versions are kept for good.

    What is read shows ``KEPT`` for stored API keys, except :meth:`live`, :meth:`live_all`
    and :meth:`draft_in_clear`, which calls use.
    """

    def __init__(self, database: Database, key: SecretKey) -> None:
        self._database = database
        self._key = key
        self._ready: dict[tuple[str, int, datetime], Agent] = {}

    async def list(self) -> list[AgentSummary]:
        """Every agent, by id."""
        query = sa.select(agents, agent_versions.c.document, agent_versions.c.secrets).select_from(
            agents.outerjoin(
                agent_versions,
                (agent_versions.c.agent_id == agents.c.id) & (agent_versions.c.version == agents.c.live_version),
            )
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(agents.c.id))).all()
        return [
            AgentSummary(
                id=row.id,
                name=row.draft["name"],
                direction=row.draft["direction"],
                active=row.draft["active"],
                phone_numbers=tuple(row.draft["phone_numbers"]),
                revision=row.revision,
                live_version=row.live_version,
                unpublished=row.draft != row.document or self._differ(row.draft_secrets, row.secrets),
                updated_at=row.updated_at,
            )
            for row in rows
        ]

    async def get_draft(self, agent_id: str) -> tuple[Agent, int]:
        """The draft and its revision. Raises NotFound."""
        async with self._database.read() as connection:
            row = await _row(connection, agent_id)
        return await _agent(row.draft), row.revision

    async def draft_in_clear(self, agent_id: str) -> Agent:
        """The draft with API keys in clear, for whoever talks to it before it is published. Raises NotFound."""
        async with self._database.read() as connection:
            row = await _row(connection, agent_id)
        put_back(row.draft, agent_slots, self._key, row.draft_secrets)
        return await _agent(row.draft)

    async def save_draft(self, agent_id: str, agent: Agent, expected_revision: int | None = None) -> int:
        """Store a draft (of a new agent too) and return its revision.

        Args:
            expected_revision: the revision the change was made from; None to save whatever is there.

        Raises:
            Conflict: somebody saved since.
            InvalidDocument: an API key is to be kept, and none is stored.
        """
        async with self._database.write() as connection:
            await self._database.lock(connection, agents)
            found = (await connection.execute(sa.select(agents).where(agents.c.id == agent_id))).one_or_none()
            if expected_revision is not None and (found.revision if found else 0) != expected_revision:
                raise Conflict(
                    f"the agent {agent_id!r} was changed by somebody else meanwhile.",
                    hint="Load it again and redo the change.",
                )
            document = agent.model_dump(mode="json", by_alias=True)
            sealed = take_out(
                document, agent_slots, self._key, found.draft_secrets if found else None, f"agent {agent_id}"
            )
            return await self._write_draft(connection, agent_id, found, document, sealed)

    async def _write_draft(
        self, connection: AsyncConnection, agent_id: str, found: Any, document: dict[str, Any], sealed: str | None
    ) -> int:
        now = datetime.now(UTC)
        values = {"draft": document, "draft_secrets": sealed, "updated_at": now}
        if found is None:
            new = {"id": agent_id, "revision": 1, "created_at": now, **values}
            await connection.execute(agents.insert().values(new))
            return 1
        if found.draft == document and not self._differ(found.draft_secrets, sealed):
            return int(found.revision)
        revision = int(found.revision) + 1
        await connection.execute(agents.update().where(agents.c.id == agent_id).values(revision=revision, **values))
        return revision

    async def publish(self, agent_id: str) -> int:
        """Make the draft live for the next call and return its version; unchanged since the last one, that one.

        Raises:
            NotFound: no such agent.
            Conflict: one of its numbers is on another active agent.
        """
        return (await self.publish_all([agent_id]))[agent_id]

    async def publish_all(self, agent_ids: Collection[str]) -> dict[str, int]:
        """Publish several drafts at once, all or none: numbers may move between them. Raises like :meth:`publish`."""
        async with self._database.write() as connection:
            await self._database.lock(connection, agents)
            rows = {agent_id: await _row(connection, agent_id) for agent_id in agent_ids}
            after = {i: await _agent(r.document) for i, r in (await _live_rows(connection)).items()}
            after |= {agent_id: await _agent(row.draft) for agent_id, row in rows.items()}
            for agent_id in agent_ids:
                _refuse_clashes(agent_id, after)
            return {agent_id: await self._publish(connection, row) for agent_id, row in rows.items()}

    async def _publish(self, connection: AsyncConnection, row: Any) -> int:
        if row.live_version is not None:
            current = await _version(connection, row.id, row.live_version)
            if current.document == row.draft and not self._differ(row.draft_secrets, current.secrets):
                return int(row.live_version)
        return await _add_version(connection, row.id, row.draft, row.draft_secrets)

    async def live(self, agent_id: str) -> tuple[Agent, int] | None:
        """What the next call uses, with API keys in clear; None when it was never published, or does not exist."""
        return (await self._live(agents.c.id == agent_id)).get(agent_id)

    async def live_all(self) -> dict[str, tuple[Agent, int]]:
        """Every live agent, with API keys in clear."""
        return await self._live(sa.true())

    async def _live(self, which: sa.ColumnElement[bool]) -> dict[str, tuple[Agent, int]]:
        async with self._database.read() as connection:
            rows = await _live_rows(connection, which)
        found: dict[str, tuple[Agent, int]] = {}
        for agent_id, row in rows.items():
            cached = (agent_id, row.version, row.published_at)
            if cached not in self._ready:
                put_back(row.document, agent_slots, self._key, row.secrets)
                for old in [k for k in self._ready if k[0] == agent_id]:
                    del self._ready[old]
                self._ready[cached] = await _agent(row.document)
            found[agent_id] = (self._ready[cached], row.version)
        return found

    async def versions(self, agent_id: str) -> Sequence[AgentVersion]:
        """Every published version, newest first. Raises NotFound."""
        query = sa.select(agent_versions.c.version, agent_versions.c.published_at)
        query = query.where(agent_versions.c.agent_id == agent_id).order_by(agent_versions.c.version.desc())
        async with self._database.read() as connection:
            live = (await _row(connection, agent_id)).live_version
            rows = (await connection.execute(query)).all()
        return [AgentVersion(row.version, row.published_at, row.version == live) for row in rows]

    async def get_version(self, agent_id: str, version: int) -> Agent:
        """A published version. Raises NotFound."""
        async with self._database.read() as connection:
            row = await _version(connection, agent_id, version)
        return await _agent(row.document)

    async def restore(self, agent_id: str, version: int) -> int:
        """Make a published version the draft again, and return the draft's revision. Raises NotFound."""
        async with self._database.write() as connection:
            await self._database.lock(connection, agents)
            found = await _row(connection, agent_id)
            row = await _version(connection, agent_id, version)
            return await self._write_draft(connection, agent_id, found, row.document, row.secrets)

    async def delete(self, agent_id: str) -> None:
        """Remove the agent and its versions; its calls stay. Raises NotFound."""
        async with self._database.write() as connection:
            gone = await connection.execute(agents.delete().where(agents.c.id == agent_id))
        if not gone.rowcount:
            raise _missing(agent_id)

    async def save_failover(
        self, agent_id: str, failover: Failover, default_error_message: SpokenText | None
    ) -> int | None:
        """Save the failover tab: live for the next call, without publishing what else the draft holds.

        Writes a version that differs from the live one in these two alone, and copies both into the draft.

        Returns:
            the version now live; None when the agent was never published, and only the draft was changed.

        Raises:
            NotFound: no such agent.
            InvalidDocument: failover on an outbound agent.
        """
        async with self._database.write() as connection:
            await self._database.lock(connection, agents)
            row = await _row(connection, agent_id)
            draft = await asyncio.to_thread(_with_failover, agent_id, row.draft, failover, default_error_message)
            await self._write_draft(connection, agent_id, row, draft, row.draft_secrets)
            if row.live_version is None:
                return None
            current = await _version(connection, agent_id, row.live_version)
            document = await asyncio.to_thread(
                _with_failover, agent_id, current.document, failover, default_error_message
            )
            if document == current.document:
                return int(row.live_version)
            return await _add_version(connection, agent_id, document, current.secrets)

    def _differ(self, sealed: str | None, other: str | None) -> bool:
        """Whether two sealed sets of secrets differ; the same secrets never look the same sealed twice."""
        if sealed is None or other is None or sealed == other:
            return sealed != other
        return bool(json.loads(self._key.open(sealed)) != json.loads(self._key.open(other)))


def _missing(agent_id: str) -> NotFound:
    return NotFound(f"there is no agent {agent_id!r}.")


def _refuse_clashes(agent_id: str, after: Mapping[str, Agent]) -> None:
    clashes = clashing_numbers(agent_id, after[agent_id], after)
    if not clashes:
        return
    number, other = clashes[0]
    more = f" ({len(clashes)} numbers in all)" if len(clashes) > 1 else ""
    raise Conflict(
        f"{number} is on {after[agent_id].name!r} ({agent_id}) and on {after[other].name!r} ({other}){more}.",
        hint="A number belongs to one active agent: remove it from one, or make one inactive.",
    )


def _with_failover(
    agent_id: str, document: Mapping[str, Any], failover: Failover, message: SpokenText | None
) -> dict[str, Any]:
    try:
        changed = with_failover(Agent.model_validate(document), failover, message)
    except ValidationError as error:
        raise InvalidDocument(f"agent {agent_id}", problems_of(error, {})) from error
    return changed.model_dump(mode="json", by_alias=True)


async def _agent(document: Mapping[str, Any]) -> Agent:
    """An agent out of its document. Not on the loop: ten thousand numbers take a quarter of a second to check."""
    return await asyncio.to_thread(Agent.model_validate, document)


async def _row(connection: AsyncConnection, agent_id: str) -> Any:
    row = (await connection.execute(sa.select(agents).where(agents.c.id == agent_id))).one_or_none()
    if row is None:
        raise _missing(agent_id)
    return row


async def _version(connection: AsyncConnection, agent_id: str, version: int) -> Any:
    query = sa.select(agent_versions).where(agent_versions.c.agent_id == agent_id, agent_versions.c.version == version)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"the agent {agent_id!r} has no version {version}.")
    return row


async def _live_rows(connection: AsyncConnection, which: sa.ColumnElement[bool] | None = None) -> dict[str, Any]:
    query = sa.select(agent_versions).join(
        agents, (agents.c.id == agent_versions.c.agent_id) & (agents.c.live_version == agent_versions.c.version)
    )
    if which is not None:
        query = query.where(which)
    return {row.agent_id: row for row in (await connection.execute(query)).all()}


async def _add_version(
    connection: AsyncConnection, agent_id: str, document: Mapping[str, Any], sealed: str | None
) -> int:
    newest = sa.select(sa.func.max(agent_versions.c.version)).where(agent_versions.c.agent_id == agent_id)
    version = int((await connection.execute(newest)).scalar() or 0) + 1
    await connection.execute(
        agent_versions.insert().values(
            agent_id=agent_id, version=version, document=document, secrets=sealed, published_at=datetime.now(UTC)
        )
    )
    await connection.execute(agents.update().where(agents.c.id == agent_id).values(live_version=version))
    return version
