"""Self-hosted voice agents on the phone."""

__version__ = "0.1.0"
