"""What is kept: agents, connections, workflows, settings, secrets and calls, in SQLite or PostgreSQL."""

from .crypto import SecretKey
from .store import Store
from .writer import CallWriter

__all__ = ["CallWriter", "SecretKey", "Store"]
