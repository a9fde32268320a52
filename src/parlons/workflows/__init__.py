"""Workflows: steps, or one webhook, run against outside systems. Knows agents as data, no call and no database."""
