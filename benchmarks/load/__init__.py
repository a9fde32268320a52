"""The load generator: a telephone exchange's worth of callers in one process. Imports nothing of what it measures."""
