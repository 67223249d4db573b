"""When a camera whose process died is started again. Pure: time is an argument."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RestartConfig:
    """Settings.

    Attributes:
        first_s: wait before the second start in a row; the first one after a long life is at once. growth: per start.
        most_s: longest wait. stable_s: a process that lived so long starts the row anew.
    """

    first_s: float = 1.0
    growth: float = 2.0
    most_s: float = 60.0
    stable_s: float = 60.0


class RestartPolicy:
    """A process that dies again and again (a stream that crashes the decoder) must not keep a core busy with its starts."""

    def __init__(self, config: RestartConfig | None = None) -> None:
        self._config = config or RestartConfig()
        self._deaths: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    def died(self, task_num: str, now_s: float, lived_s: float) -> float:
        """A process ended by itself after ``lived_s``; returns after how many seconds it may start again."""
        deaths = 0 if lived_s >= self._config.stable_s else self._deaths.get(task_num, 0)
        wait_s = 0.0
        if deaths:
            wait_s = min(self._config.most_s, self._config.first_s * self._config.growth ** min(deaths - 1, 30))
        self._deaths[task_num] = deaths + 1
        self._not_before[task_num] = now_s + wait_s
        return wait_s

    def may_start(self, task_num: str, now_s: float) -> bool:
        """Whether its time has come."""
        return now_s >= self._not_before.get(task_num, now_s)

    def keep(self, task_nums: Collection[str]) -> None:
        """Forget all others."""
        for known in (self._deaths, self._not_before):
            for num in known.keys() - set(task_nums):
                del known[num]
