"""The kinds of document a configuration folder holds, and where each is. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from ..agents.common import Document
from ..agents.connections import InstallationSettings, SipConnection
from ..agents.models import Agent
from ..agents.workflows import DataSource, Workflow
from ..store.sealing import Slots, agent_slots, connection_slots, no_slots, settings_slots, workflow_slots


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its folder (empty for the settings, which are one file), its model, and where its secrets are."""

    folder: str
    model: type[Document]
    slots: Slots
    noun: str


AGENTS = Kind("agents", Agent, agent_slots, "agent")
CONNECTIONS = Kind("sip_connections", SipConnection, connection_slots, "SIP connection")
WORKFLOWS = Kind("workflows", Workflow, workflow_slots, "workflow")
DATA_SOURCES = Kind("data_sources", DataSource, no_slots, "data source")
SETTINGS = Kind("", InstallationSettings, settings_slots, "settings")

FOLDERS = {kind.folder: kind for kind in (CONNECTIONS, DATA_SOURCES, WORKFLOWS, AGENTS)}
SETTINGS_KEY = "settings"
ENDINGS = (".yaml", ".yml", ".json")


def key_of(kind: Kind, document_id: str) -> str:
    """``agents/accueil``, or ``settings``: how a document is known, whatever its file's ending."""
    return f"{kind.folder}/{document_id}" if kind.folder else SETTINGS_KEY
