"""The key of the first administrator: made at the first start when the operator set none, and told once."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from parlons.store import Store
from parlons.store.access import ApiKey

from . import credentials


async def make(store: Store) -> str | None:
    """The new key's secret; None when the installation has, or had, a key already."""
    secret = credentials.new_key()
    key = ApiKey(
        id=credentials.new_id(),
        name="First administrator",
        scopes=("admin",),
        hint=credentials.hint_of(secret),
        created_at=datetime.now(UTC),
        created_by="parlons serve",
        rotated_at=None,
        expires_at=None,
        last_used_at=None,
        revoked_at=None,
        rotating=False,
    )
    return secret if await store.keys.create_first(key, credentials.hash_of(secret)) else None


async def tell(store: Store) -> None:
    """At the very first start: make the key, and write it where the operator looks, once."""
    secret = await make(store)
    if secret is not None:
        sys.stdout.write(f"The administrator's key, shown this once: {secret}\n")
        sys.stdout.flush()
