"""Documents as bytes become sections of text. Slow, and the bytes are hostile: only ``process`` runs it."""
