"""Lanes learned from the motion of vehicles, for cameras without a scene."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from traffic.geometry import contains
from traffic.passages.learned_lane import lanes_of_stream
from traffic.passages.learning_config import LearningConfig
from traffic.passages.paths import Path, make_path, streams
from traffic.passages.vehicle import Vehicle
from traffic.scene.model import Lane

Array = NDArray[np.float64]


class LaneLearner:
    """Collects the ways of vehicles that no lane explains and makes lanes of their main directions of motion.

    Lanes are numbered in the order in which they are learned and never change; a direction first seen later (a signal was
    red until then) becomes a further lane.
    """

    def __init__(self, config: LearningConfig) -> None:
        self._config = config
        self._ended: list[Vehicle] = []
        self._next_s: float | None = None
        self._fresh = False
        self._seen = 0
        self.lanes: tuple[Lane, ...] = ()

    def add(self, vehicle: Vehicle) -> None:
        """Take a vehicle whose track has ended; it is kept if it was counted nowhere."""
        if not vehicle.moved or len(vehicle.trajectory) < 3:
            return
        self._seen += 1
        if not vehicle.counted:
            self._ended.append(vehicle)
            self._fresh = True
            del self._ended[: -self._config.max_trajectories]

    def due(self, time_s: float) -> bool:
        """Whether it is time for an attempt; asked once per frame."""
        if self._next_s is None:
            self._next_s = time_s + self._config.first_s
        if time_s < self._next_s or not self._fresh:
            return False
        self._next_s = time_s + self._config.every_s
        return True

    def learn(self, time_s: float, aspect: float, running: Iterable[Vehicle], *, final: bool = False) -> tuple[Lane, ...]:
        """New lanes, already appended to ``lanes``.

        Args:
            time_s: video time now. aspect: width of the picture divided by its height.
            running: vehicles still in view, whose ways so far count as well.
            final: the file has ended; no more evidence will come.
        """
        self._fresh = False
        self._ended = [v for v in self._ended if time_s - v.last_matched_s <= self._config.max_age_s]
        vehicles = [v for v in (*self._ended, *running) if not v.counted]
        paths = [p for p in (make_path(v, aspect, self._config) for v in vehicles) if p is not None]
        paths = [path for path in paths if not self._explained(path, aspect)]
        found: list[Lane] = []
        groups = streams(paths, self._config)
        for group in groups:
            if self._supported(group, time_s, final):
                others = [path for other in groups if other is not group for path in other]
                number = len(self.lanes) + len(found) + 1
                found += lanes_of_stream(group, others, aspect, number, self._config)
        self.lanes += tuple(found)
        return tuple(found)

    def take_ended(self) -> Sequence[Vehicle]:
        """The ended vehicles kept, oldest first; those counted by the caller are dropped with ``drop_counted``."""
        return tuple(self._ended)

    def drop_counted(self) -> None:
        """Forget vehicles that have been counted meanwhile."""
        self._ended = [vehicle for vehicle in self._ended if not vehicle.counted]

    def _supported(self, group: Sequence[Path], time_s: float, final: bool) -> bool:
        config = self._config
        if len(group) < config.min_share * self._seen:
            return False
        waited = final or time_s - min(path.start_s for path in group) >= config.patience_s
        if len(group) >= (config.patient_support if waited else config.support):
            return True
        return final and max(path.length for path in group) >= config.single_path

    def _explained(self, path: Path, aspect: float) -> bool:
        """Whether a lane learned before runs along this path: it was cut short, it is no new direction."""
        least_cos = np.cos(np.radians(self._config.same_direction_deg))
        explained = np.zeros(len(path.points), bool)
        scale = np.array([aspect, 1.0])
        for lane in self.lanes:
            way = np.asarray(lane.direction) * scale
            middles, steps = (way[:-1] + way[1:]) / 2, np.diff(way, axis=0)
            nearest = ((path.points[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
            directions = steps[nearest] / np.maximum(np.hypot(*steps[nearest].T), 1e-12)[:, None]
            inside = contains(np.asarray(lane.polygon) * scale, path.points)
            explained |= inside & ((directions * path.tangents).sum(axis=1) >= least_cos)
        return bool(explained.mean() >= 0.5)
