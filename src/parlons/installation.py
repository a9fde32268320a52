"""What every command shares: opening the store. Kept apart from the server, which is slow to import."""

from __future__ import annotations

import asyncio

from .settings import Settings
from .store import Store
from .store.crypto import SecretKey


async def open_store(settings: Settings) -> Store:
    """The database of an installation, migrated and ready; the caller closes it.

    Raises ConfigurationError or StoreError, with what to do.
    """
    await asyncio.to_thread(settings.data_dir.mkdir, parents=True, exist_ok=True)
    key = await asyncio.to_thread(SecretKey.load, settings.data_dir, settings.secret_key)
    return await Store.open(settings.store_url, key)
