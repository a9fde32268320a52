"""Providers of speech and language: what an agent's configuration names, made into plug-ins of the voice runtime."""
