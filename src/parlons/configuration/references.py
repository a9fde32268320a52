"""Whether everything a document names exists. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..agents.actions import RagAction, TransferAction, WorkflowAction
from ..agents.common import Document
from ..agents.connections import InstallationSettings, SipConnection
from ..agents.models import Agent, FailoverTransfer, FailoverWorkflow
from ..agents.path import WorkflowStep
from ..agents.workflows import Workflow
from .kinds import AGENTS, CONNECTIONS, DATA_SOURCES, WORKFLOWS, Kind

Reference = tuple[str, Kind, str | None, str | None]
"""(path of the value, kind it names, its id, the trigger a workflow must have)."""


def references(document: Document) -> Iterator[Reference]:
    """Everything a document names; ids may be None, where nothing is named."""
    if isinstance(document, Agent):
        yield from _of_agent(document)
    elif isinstance(document, SipConnection):
        yield "default_agent_id", AGENTS, document.default_agent_id, None
    elif isinstance(document, InstallationSettings):
        yield "outbound_connection_id", CONNECTIONS, document.outbound_connection_id, None


def _of_agent(agent: Agent) -> Iterator[Reference]:
    yield "sip_connection_id", CONNECTIONS, agent.sip_connection_id, None
    for index, action in enumerate(agent.actions):
        at = f"actions[{index}]"
        if isinstance(action, TransferAction):
            yield f"{at}.sip_connection_id", CONNECTIONS, action.sip_connection_id, None
            yield f"{at}.target_agent_id", AGENTS, action.target_agent_id, None
        elif isinstance(action, WorkflowAction):
            yield f"{at}.workflow_id", WORKFLOWS, action.workflow_id, "live_call"
        elif isinstance(action, RagAction):
            yield f"{at}.data_source_id", DATA_SOURCES, action.data_source_id, None
    for index, step in enumerate(agent.path.steps if agent.path else ()):
        if isinstance(step, WorkflowStep):
            yield f"path.steps[{index}].workflow_id", WORKFLOWS, step.workflow_id, "live_call"
    if agent.pre_call:
        yield "pre_call.workflow_id", WORKFLOWS, agent.pre_call.workflow_id, "pre_call"
    rescue = agent.failover.action
    if isinstance(rescue, FailoverWorkflow):
        yield "failover.action.workflow_id", WORKFLOWS, rescue.workflow_id, "failover"
    elif isinstance(rescue, FailoverTransfer):
        yield "failover.action.sip_connection_id", CONNECTIONS, rescue.sip_connection_id, None


def missing(
    document: Document, existing: Mapping[str, Collection[str]], workflows: Mapping[str, Workflow]
) -> list[tuple[str, str]]:
    """(path, what is wrong) for everything a document names that is not there, or is a workflow of another trigger.

    Args:
        existing: ids by the kind's folder.
    """
    found: list[tuple[str, str]] = []
    for path, kind, named, trigger in references(document):
        if named is None:
            continue
        if named not in existing[kind.folder]:
            found.append((path, f"there is no {kind.noun} {named!r}"))
        elif trigger and (workflow := workflows.get(named)) and workflow.trigger != trigger:
            found.append((path, f"the workflow {named!r} is for {workflow.trigger}, not for {trigger}"))
    return found
