"""Prometheus metrics of one process. Gauges are read from their owners when scraped, so they cannot drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = (0.01, 0.02, 0.03, 0.06, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0)


class _Gauges(Collector):
    def __init__(self, sources: Mapping[str, Callable[[], Mapping[str, float]]]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        for owner, read in self._sources.items():
            for name, value in read().items():
                metric = f"parlons_{owner}_{name}"
                yield GaugeMetricFamily(metric, f"{owner}: {name.replace('_', ' ')}", value=value)


class Metrics:
    """Everything that is counted. ``watch`` adds an owner of gauges."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._sources: dict[str, Callable[[], Mapping[str, float]]] = {}
        self.registry.register(_Gauges(self._sources))
        self.calls = Counter("parlons_calls", "calls ended", ["direction", "status"], registry=self.registry)
        self.refused = Counter("parlons_invites_refused", "INVITEs refused", ["code"], registry=self.registry)
        self.setup = Histogram("parlons_call_setup_seconds", "INVITE to 200", buckets=_SECONDS, registry=self.registry)
        self.turn = Histogram(
            "parlons_turn_seconds", "end of the caller's turn to first audio", buckets=_SECONDS, registry=self.registry
        )

    def watch(self, owner: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Export what ``read`` returns as ``parlons_<owner>_<name>``."""
        self._sources[owner] = read

    def gauges(self) -> dict[str, float]:
        """Every gauge, by its exported name."""
        return {f"parlons_{owner}_{name}": v for owner, read in self._sources.items() for name, v in read().items()}

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)
