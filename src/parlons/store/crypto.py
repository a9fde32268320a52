"""The installation's key, and sealing of what must not be read from a copied database.

Fernet (AES-128-CBC with HMAC-SHA256): a wrong key is always noticed, never decrypted to rubbish.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from ..errors import ConfigurationError, SecretUnreadable

KEY_FILE = "secret.key"
MIN_KEY_CHARACTERS = 16


class SecretKey:
    """Seals and opens texts. Built from any text of at least 16 characters; never printed.

    Args:
        text: the key as a person set it, or as :meth:`load` made it.
        origin: where it came from, for the message when it turns out to be the wrong one.
    """

    def __init__(self, text: str, *, origin: str = "PARLONS_SECRET_KEY") -> None:
        if len(text.strip()) < MIN_KEY_CHARACTERS:
            raise ConfigurationError(
                f"the secret key from {origin} is shorter than {MIN_KEY_CHARACTERS} characters.",
                hint="Use a long random text, for example from: openssl rand -base64 32",
            )
        self.origin = origin
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(text.strip().encode()).digest()))

    def __repr__(self) -> str:
        return f"SecretKey(origin={self.origin!r})"

    @classmethod
    def load(cls, data_dir: Path, value: str | None = None) -> SecretKey:
        """The key from ``value`` (``PARLONS_SECRET_KEY``), else from the data directory, made there at first start.

        Raises:
            ConfigurationError: the key is too short, or its file cannot be read or made.
        """
        if value:
            return cls(value)
        path = data_dir / KEY_FILE
        try:
            try:
                return cls(path.read_text(), origin=str(path))
            except FileNotFoundError:
                return cls(_make(path), origin=str(path))
        except OSError as error:
            raise ConfigurationError(
                f"the secret key {path} cannot be read or made ({error.strerror}).",
                hint="Make the data directory writable, or set PARLONS_SECRET_KEY.",
            ) from error

    def seal(self, text: str) -> str:
        """Encrypt; the result is ASCII."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt.

        Raises:
            SecretUnreadable: it was sealed with another key, or changed since.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(
                f"a stored secret cannot be read with the key from {self.origin}.",
                hint="Start with the key it was stored with, or enter the secret again.",
            ) from None


def _make(path: Path) -> str:
    """Write a new key, readable by its owner alone; two processes starting at once end up with the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = secrets.token_urlsafe(32)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_text()
    finally:
        draft.unlink()
    return text
