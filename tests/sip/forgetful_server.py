"""``parlons`` with one fault that no person can make: the audio of a failover message is gone while the process runs.

Run as a program in place of ``python -m parlons``. Everything else is the real process. A server whose disk is damaged
makes the audio again, so only the bank itself can lose it.
"""

from __future__ import annotations

from parlons.agents.common import SpokenText
from parlons.agents.models import Agent, FailoverMessage
from parlons.calls.messages import MessageBank

FORGOTTEN = "(forgotten)"
"""In the name of an agent whose failover message is lost; its default error message is kept."""


def _forget() -> None:
    remembered = MessageBank.get

    def get(bank: MessageBank, agent: Agent, message: SpokenText) -> bytes | None:
        if FORGOTTEN in agent.name and isinstance(message, FailoverMessage):
            return None
        return remembered(bank, agent, message)

    MessageBank.get = get  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    from parlons.cli import main

    _forget()
    main()
