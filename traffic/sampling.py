"""The share of one camera in traffic parameters and people: frames in, batches of one-second cells and crowd alarms out."""

import dataclasses
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from traffic.aggregation import CellBatch
from traffic.facts import CrowdAlarm, EventKind, VehiclePassage
from traffic.parameters.cell import LaneCell
from traffic.parameters.config import ParameterConfig
from traffic.parameters.faint import FaintWatch
from traffic.parameters.observation import Passing
from traffic.parameters.placing import LanePlacer
from traffic.parameters.queue_shape import QueueOutline, queue_outline
from traffic.parameters.queueing import Queue
from traffic.parameters.sampler import CameraSampler
from traffic.passages import PassageAnalyzer
from traffic.people import CrowdMonitor, CrowdRule, PeopleConfig, PeopleSampler
from traffic.people.crowd import CrowdState, durable_part
from traffic.scene.crowd import CROWD_KIND
from traffic.scene.model import Lane, Region, Scene
from traffic.scene.rules import DEFAULT_RULES
from traffic.types import Box, Detections, Track


class SceneSampler:
    """Feed it every analysed frame in order of time, after the ``PassageAnalyzer`` has seen it.

    Lanes are the analyzer's: those of the scene, or learned ones, which are sampled from the moment they are known.
    """

    def __init__(
        self,
        scene: Scene | None,
        source: str,
        parameters: ParameterConfig | None = None,
        people: PeopleConfig | None = None,
        crowd: CrowdRule | None = None,
        time_zone: str = "Asia/Shanghai",
    ) -> None:
        """``source``: name of this life of the camera, never used again (see ``CellBatch``). ``crowd``: for crowd regions without
        a rule of their own. ``time_zone``: of the schedules of the scene's rule for crowds; an IANA name."""
        self._scene, self._source = scene or Scene(), source
        self._config = parameters or ParameterConfig()
        self._people = PeopleSampler(self._scene, people)
        self._rule = crowd or CrowdRule()
        self._zone = ZoneInfo(time_zone)
        self._kind = next((rule for rule in self._scene.events if rule.kind is EventKind.CROWD), DEFAULT_RULES[EventKind.CROWD])
        self._lanes: tuple[Lane, ...] = ()
        self._frame_size: tuple[int, int] | None = None
        self._placer: LanePlacer | None = None
        self._sampler = CameraSampler((), self._config)
        self._faint = FaintWatch()
        self._monitors: dict[int, CrowdMonitor] = {}
        self._crowds: dict[int, CrowdState] = {}
        self._left: list[LaneCell] = []
        self._told: tuple[object, ...] = ()
        self._sequence = 0

    @property
    def late_passings(self) -> int:
        """Passages stated after their second was closed (those of lanes learned later); they are in no parameter."""
        return self._sampler.late_passings

    @property
    def people(self) -> Mapping[int, int]:
        """People in each region in the newest frame, by region code."""
        return self._people.numbers

    @property
    def queues(self) -> Mapping[int, Queue]:
        """The queues there are in the newest frame, by roadNum."""
        return self._sampler.queues

    def queue_outlines(self, queues: Mapping[int, Queue], analyzer: PassageAnalyzer) -> tuple[QueueOutline, ...]:
        """Where queues (of a recent frame) lie in the picture."""
        placer, view = self._placer, analyzer.view
        if placer is None or view is None:
            return ()
        straight = placer.straight
        found = (
            queue_outline(lane, straight[lane.road_num], view, queues[lane.road_num])
            for lane in placer.lanes
            if lane.road_num in queues and lane.road_num in straight
        )
        return tuple(outline for outline in found if outline is not None)

    def advance(
        self,
        time_s: float,
        frame_size: tuple[int, int],
        tracks: Sequence[Track],
        analyzer: PassageAnalyzer,
        passages: Sequence[VehiclePassage],
        detections: Detections | None = None,
    ) -> tuple[CrowdAlarm, ...]:
        """A frame: its tracks, the analyzer that has seen it, and the passages stated with it. Returns alarms due now.

        ``detections``: all that the detector found, which continues queues of vehicles that are followed; None: tracks alone.
        """
        self._look(frame_size, analyzer)
        if self._placer is not None:
            queues = detections is not None and any(lane.stop_line is not None for lane in self._lanes)
            faint = self._faint.update(time_s, detections, tracks) if queues and detections is not None else ()
            self._sampler.advance(time_s, self._placer.place(time_s, analyzer.vehicles, faint))
        for passage in passages:
            self._sampler.passed(passage.road_num, _passing(passage))
        if not self._people.wanted:
            return ()
        self._people.advance(time_s, frame_size, tracks)
        return tuple(self._alarms(time_s, frame_size))

    def take(self) -> CellBatch | None:
        """The cells closed since the last call, and at once the state of a gathering that formed, was stated or dissolved; None
        while there is neither."""
        cells, people = (*self._left, *self._sampler.take()), self._people.take()
        self._left = []
        return self._batch(cells, people) if cells or people or self._crowd_marks() != self._told else None

    def finish(self) -> CellBatch | None:
        """What is left: the source has ended."""
        cells, people = (*self._left, *self._sampler.finish()), self._people.finish()
        return self._batch(cells, people) if cells or people else None

    def crowds(self) -> dict[int, CrowdState]:
        """State of the gatherings by region, for ``restore_crowds`` of the next life."""
        return {code: monitor.snapshot() for code, monitor in self._monitors.items()}

    def restore_crowds(self, state: Mapping[int, CrowdState]) -> None:
        """Before the first frame: gatherings that a former life has stated."""
        self._crowds = dict(state)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _batch(self, lanes: tuple[LaneCell, ...], people: tuple[object, ...]) -> CellBatch:
        self._sequence += 1
        self._told = self._crowd_marks()
        watermarks = [self._sampler.watermark] if self._lanes else []
        watermarks += [self._people.watermark] if self._people.wanted else []
        # At the end of a source there is no next second to wait for; the aggregator then closes by its own means.
        newest = [cell.second + 1 for cell in (*lanes, *people)]  # type: ignore[attr-defined]
        return CellBatch(
            source=self._source,
            sequence=self._sequence,
            watermark=min((*watermarks, *([max(newest)] if newest else []))),
            lanes=lanes,
            people=people,  # type: ignore[arg-type]
            crowds=tuple(sorted(self.crowds().items())),
        )

    def _crowd_marks(self) -> tuple[object, ...]:
        return tuple(durable_part(monitor.snapshot()) for monitor in self._monitors.values())

    def _look(self, frame_size: tuple[int, int], analyzer: PassageAnalyzer) -> None:
        """Follow the analyzer's lanes and the picture's size."""
        if analyzer.lanes == self._lanes and frame_size == self._frame_size:
            return
        self._lanes, self._frame_size = analyzer.lanes, frame_size
        self._left += self._sampler.finish()
        view = analyzer.view
        self._placer = LanePlacer(self._lanes, view, self._config) if self._lanes and view is not None else None
        shapes = [lane.shape for lane in self._placer.straight.values()] if self._placer else []
        self._sampler = CameraSampler(shapes, self._config)

    def _alarms(self, time_s: float, frame_size: tuple[int, int]) -> list[CrowdAlarm]:
        found = []
        wanted = self._kind.enabled is not False and self._kind.is_due(time_s, self._zone)
        for region in self._scene.regions:
            if region.kind != CROWD_KIND:
                continue
            monitor = self._monitors.get(region.region_code)
            if monitor is None:
                area = self._people.area_m2(region.region_code)
                monitor = CrowdMonitor(region.region_code, region.name, region.crowd or self._rule, area)
                self._monitors[region.region_code] = monitor
                if region.region_code in self._crowds:
                    monitor.restore(self._crowds[region.region_code])
            # Nobody wants to know now: as if nobody was there, so that what goes on when somebody does is stated then.
            number = self._people.numbers.get(region.region_code, 0)
            alarm = monitor.update(time_s, number if wanted and EventKind.CROWD not in region.disabled_events else 0)
            if alarm is not None:
                found.append(dataclasses.replace(alarm, box=_around(region, frame_size)))
        return found


def _passing(passage: VehiclePassage) -> Passing:
    return Passing(
        time_s=passage.time_s, object_class=passage.object_class, speed_kmh=passage.speed_kmh,
        time_headway_s=passage.time_headway_s, spacing_m=passage.spacing_m,
    )  # fmt: skip


def _around(region: Region, frame_size: tuple[int, int]) -> Box:
    points = np.asarray(region.polygon, np.float64) * np.array(frame_size)
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return (float(x1), float(y1), float(x2), float(y2))
