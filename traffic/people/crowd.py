"""The life of a gathering: forms, is stated, is stated again, dissolves."""

from collections.abc import Sequence

from traffic.facts import CrowdAlarm
from traffic.scene.crowd import CrowdRule

CrowdState = tuple[float | int | None, ...]  # see CrowdMonitor.snapshot
_ROUNDING = 1e-9
_ANOTHER_STREAM_S = 5.0
_SAME_GATHERING_S = 60.0  # after a shorter pause of looking (a restart) the crowd that is there is the one that was
_NOTHING: CrowdState = (None, None, None, None, 0, None, None)


class CrowdMonitor:
    """One region. Feed it the number of people of every analysed frame in order of time."""

    def __init__(self, region_code: int, region_name: str, rule: CrowdRule, area_m2: float | None = None) -> None:
        self._code, self._name, self._rule, self._area_m2 = region_code, region_name, rule, area_m2
        self._since_s: float | None = None  # of the gathering
        self._last_above_s: float | None = None
        self._seen_s: float | None = None
        self._stated_s: float | None = None  # of the newest alarm of this gathering
        self._stated = 0
        self._origin_s: float | None = None  # when people first gathered: the gathering's name, which a restart does not change
        self._origin_seen_s = 0.0

    @property
    def gathered(self) -> bool:
        """Whether a gathering has been stated and has not dissolved."""
        return self._stated > 0

    def update(self, time_s: float, people: int) -> CrowdAlarm | None:
        """The alarm that is due now, if any."""
        if self._seen_s is not None and time_s < self._seen_s - _ANOTHER_STREAM_S:
            self.restore(_NOTHING)  # the recording begins again: what was known lies in its future
        above = self._is_crowd(people)
        if self._stated and self._seen_s is not None and time_s - self._seen_s > self._rule.tolerance_s:
            self._last_above_s = time_s  # nobody looked meanwhile: no reason to think that it has dissolved
        self._keep_name(time_s, above)
        self._seen_s = time_s
        if self._since_s is not None and not above:
            assert self._last_above_s is not None
            patience_s = self._rule.dissolve_s if self._stated else self._rule.tolerance_s
            if time_s - self._last_above_s > patience_s - _ROUNDING:
                self._since_s = self._last_above_s = self._stated_s = None
                self._stated = 0
        if not above:
            return None
        if self._last_above_s is not None and not self._stated and time_s - self._last_above_s > self._rule.tolerance_s:
            self._since_s = None  # nobody looked meanwhile: it has not lasted for all we know
        self._since_s = time_s if self._since_s is None else self._since_s
        self._last_above_s = time_s
        return self._state(time_s, people) if self._is_due(time_s) else None

    def _keep_name(self, time_s: float, above: bool) -> None:
        """Keep the gathering's name until it is seen to have dissolved, or nobody looked for long."""
        pause_s = 0.0 if self._seen_s is None else time_s - self._seen_s
        if self._origin_s is not None and pause_s > self._rule.tolerance_s:
            self._origin_seen_s = time_s
            if pause_s > _SAME_GATHERING_S and not self._stated:
                self._origin_s = None
        if above:
            self._origin_s = time_s if self._origin_s is None else self._origin_s
            self._origin_seen_s = time_s
        elif time_s - self._origin_seen_s > self._rule.dissolve_s - _ROUNDING:
            self._origin_s = None

    def _is_crowd(self, people: int) -> bool:
        rule = self._rule
        if rule.min_people is not None and people >= rule.min_people:
            return True
        dense = rule.min_density_per_m2
        return dense is not None and self._area_m2 is not None and people >= dense * self._area_m2 - _ROUNDING

    def _is_due(self, time_s: float) -> bool:
        assert self._since_s is not None
        if not self._stated or self._stated_s is None:
            return time_s - self._since_s >= self._rule.min_time_s - _ROUNDING
        return self._rule.repeat_s is not None and time_s - self._stated_s >= self._rule.repeat_s - _ROUNDING

    def _state(self, time_s: float, people: int) -> CrowdAlarm:
        assert self._since_s is not None
        self._stated_s, self._stated = time_s, self._stated + 1
        return CrowdAlarm(
            region_code=self._code,
            region_name=self._name,
            time_s=time_s,
            since_s=self._since_s,
            origin_s=self._since_s if self._origin_s is None else self._origin_s,
            people_num=people,
            area_m2=self._area_m2,
            density_per_m2=people / self._area_m2 if self._area_m2 else None,
            repeat=self._stated - 1,
        )

    def snapshot(self) -> CrowdState:
        """Plain values from which ``restore`` goes on, so that a restart states no gathering twice: since, last above, seen, and,
        from the fourth on, what must be durable before an alarm goes out: stated at, times stated, origin; then origin seen."""
        stated = (self._stated_s, self._stated, self._origin_s)
        return (self._since_s, self._last_above_s, self._seen_s, *stated, self._origin_seen_s)

    def restore(self, state: Sequence[float | int | None]) -> None:
        """Take over a snapshot (or one of an earlier version, without origin)."""
        self._since_s, self._last_above_s, self._seen_s, self._stated_s = state[:4]
        self._stated = int(state[4] or 0)
        self._origin_s, origin_seen_s = state[5:7] if len(state) > 5 else (self._since_s, self._last_above_s)
        self._origin_seen_s = origin_seen_s or 0.0


def durable_part(state: CrowdState) -> CrowdState:
    """Of a snapshot, what an alarm's identity hangs on; the rest changes with every frame."""
    return state[3:6]
