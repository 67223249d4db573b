"""Settings of one ``EventAnalyzer``. Durations are seconds of video time, so the camera's rate does not matter."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic.facts import EventKind
from traffic.scene.rules import DEFAULT_RULES, EventRule


@dataclass(frozen=True, kw_only=True, slots=True)
class EventConfig:
    """Settings shared by all kinds, and rules that replace the default ones (a scene's rules replace both).

    Attributes:
        rules: by kind; kinds that are left out have their default rule.
        tick_s: the scene is judged at most this often; between, boxes are averaged.
        gap_s: a longer time between two frames was not observed: motions are not carried over it.
        restart_s: a time that lies further back than this is another stream.
        settle_s: after a pause nothing is judged for this long (trackers and lanes come back first).
        patience_s: evidence may be missing this long before an event that is not raised yet is dropped.
        keep_s: an open event whose evidence is gone ends after this long; things that stand and may be hidden get
        keep_standing_s: this long.
    """

    rules: Mapping[EventKind, EventRule] = field(default_factory=dict)
    tick_s: float = 0.2
    gap_s: float = 2.0
    restart_s: float = 5.0
    settle_s: float = 1.0
    patience_s: float = 1.2
    keep_s: float = 3.0
    keep_standing_s: float = 15.0

    def rule(self, kind: EventKind) -> EventRule:
        """The rule of a kind."""
        return self.rules.get(kind, DEFAULT_RULES[kind])
