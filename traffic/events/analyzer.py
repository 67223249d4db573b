"""The events of one camera: tracks and pixel findings of each frame in, ``TrafficEvent`` facts out."""

import dataclasses
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from traffic.events.accident import AccidentDetector
from traffic.events.config import EventConfig
from traffic.events.congestion import CongestionDetector
from traffic.events.debris import DebrisDetector, MudslideDetector
from traffic.events.deceleration import DecelerationDetector
from traffic.events.detector import Detector
from traffic.events.evidence import Evidence
from traffic.events.helmet import HelmetDetector
from traffic.events.incident import Incident
from traffic.events.junction import JunctionOverflowDetector
from traffic.events.lane_change import LaneChangeDetector
from traffic.events.leaving_road import LeavingRoadDetector
from traffic.events.lifecycle import LifeCycle
from traffic.events.movers import Movers
from traffic.events.observations import FaintPerson, FrameEvidence, PixelFinding, ViewState
from traffic.events.parking import ParkingDetector
from traffic.events.pedestrian import PedestrianDetector
from traffic.events.queues import Queues
from traffic.events.relations import related
from traffic.events.restricted import RestrictedDetector
from traffic.events.road_works import RoadWorksDetector
from traffic.events.roads import RoadMap
from traffic.events.speeding import LowerSpeedDetector, SpeedingDetector
from traffic.events.stopped import StoppedDetector
from traffic.events.viewing import ViewWatch
from traffic.events.world import HEIGHTS_M, World
from traffic.events.wreckage import wreckage
from traffic.events.wrong_way import WrongWayDetector
from traffic.facts import EventKind, EventPhase, TrafficEvent, VehiclePassage
from traffic.passages import PassageAnalyzer
from traffic.scene.model import Scene
from traffic.scene.rules import EventRule
from traffic.types import Box, Track

_NO_SCENE = Scene()


class EventAnalyzer:
    """Feed it every analysed frame in order of time, after the ``PassageAnalyzer`` has seen it.

    State is bounded: histories of ten seconds per object in view, at most 256 incidents. Gatherings of people (1008) are
    stated by ``traffic.sampling`` as ``CrowdAlarm`` and not here.
    """

    def __init__(
        self, scene: Scene | None, *, config: EventConfig | None = None, time_zone: str = "Asia/Shanghai", life: str = ""
    ) -> None:
        """
        Args:
            time_zone: of the schedules; an IANA name.
            life: goes into the event ids, for sources whose times may repeat. Leave it empty where the same video analysed
                twice must state the same events.

        Raises:
            zoneinfo.ZoneInfoNotFoundError: there is no such time zone.
        """
        self._scene, self._config = scene or _NO_SCENE, config or EventConfig()
        self._zone = ZoneInfo(time_zone)
        self._rules = {kind: self._config.rule(kind) for kind in EventKind}
        self._rules.update({rule.kind: rule for rule in self._scene.events})
        self._movers, self._watch = Movers(), ViewWatch(self._config.settle_s)
        self._life = life
        self._cycle = LifeCycle(self._config, self._rules.__getitem__, life)
        self._queues = Queues()
        detectors: tuple[Detector, ...] = (
            AccidentDetector(self._queues), RoadWorksDetector(), ParkingDetector(self._queues), StoppedDetector(self._queues),
            WrongWayDetector(), PedestrianDetector(), DebrisDetector(), CongestionDetector(), LowerSpeedDetector(),
            SpeedingDetector(), DecelerationDetector(), RestrictedDetector(), LaneChangeDetector(), HelmetDetector(),
            MudslideDetector(), LeavingRoadDetector(), JunctionOverflowDetector(),
        )  # fmt: skip
        self._detectors = tuple(d for d in detectors if self._rules[d.kind].enabled is not False)
        self._map: RoadMap | None = None
        self._frame_size = (0, 0)
        self._time_s: float | None = None
        self._tick_s = -np.inf
        self._findings: list[PixelFinding] = []
        self._looked = False
        self._faint: tuple[FaintPerson, ...] = ()
        self._boxes: dict[int, Box] = {}

    @property
    def active(self) -> tuple[TrafficEvent, ...]:
        """Open events with the boxes of now, for overlays; phase RAISED."""
        if self._time_s is None:
            return ()
        return tuple(self._now(incident) for incident in self._cycle.raised)

    @property
    def paused_reason(self) -> str:
        """Why no events are looked for, in Chinese; "" when they are."""
        return self._watch.reason

    def update(
        self,
        time_s: float,
        frame_size: tuple[int, int],
        tracks: Sequence[Track],
        analyzer: PassageAnalyzer,
        passages: Sequence[VehiclePassage],
        evidence: FrameEvidence,
    ) -> tuple[TrafficEvent, ...]:
        """Advance to the frame at ``time_s``.

        Args:
            time_s: video time of the frame; a frame that is not later than the last one is ignored, one more than 5 s earlier
                is another stream: all events end and it starts anew.
            frame_size: (width, height) in pixels. tracks: of ``Tracker.update`` for this frame.
            analyzer: that has just seen the same frame. passages: that it stated with it (not needed so far).
            evidence: what the pixels of the frame said.

        Returns:
            Events raised, upgraded and closed now.
        """
        del passages  # speeds are taken from the trajectories of all vehicles, whether they pass a line or not
        stated: list[TrafficEvent] = []
        if self._time_s is not None and time_s <= self._time_s:
            if self._time_s - time_s <= self._config.restart_s:
                return ()
            stated += self._restart()
        stated += self._see_view(time_s, evidence.view)
        self._see_gap(time_s)
        self._time_s = time_s
        if self._watch.since_s is not None or analyzer.view is None:
            self._frame_size = frame_size
            return tuple(stated)
        self._look(frame_size, analyzer)
        self._movers.note(tracks)
        self._boxes = {track.track_id: track.box for track in tracks}
        self._findings += evidence.findings
        self._looked |= evidence.looked or bool(evidence.findings)
        self._faint = evidence.faint
        if time_s - self._tick_s >= self._config.tick_s - 1e-3:
            stated += self._tick(time_s)
        return tuple(stated)

    def finish(self) -> tuple[TrafficEvent, ...]:
        """The source has ended: close what is open."""
        return tuple(self._cycle.finish(self._frame_size))

    # -- parts --------------------------------------------------------------------------------------------------------

    def _tick(self, time_s: float) -> list[TrafficEvent]:
        assert self._map is not None
        self._tick_s = time_s
        self._movers.tick(time_s, self._map.view, HEIGHTS_M)
        rules: Callable[[EventKind], EventRule] = self._rules.__getitem__
        world = World(
            time_s,
            self._frame_size,
            self._map,
            self._movers,
            rules,
            self._cycle.open_of,
            self._findings,
            self._looked,
            self._faint,
        )
        self._findings, self._looked, self._faint = [], False, ()
        self._queues.update(world)
        found: list[Evidence] = []
        for detector in self._detectors:
            found += detector.look(world)
        if self._rules[EventKind.ACCIDENT].enabled is not False:
            found += wreckage(world, found)
        due = {kind for kind, rule in self._rules.items() if rule.is_due(time_s, self._zone)}
        found = [e for e in related(world, found) if e.kind in due and not self._is_off(world, e)]
        return self._cycle.update(time_s, found, self._frame_size)

    def _is_off(self, world: World, evidence: Evidence) -> bool:
        """Whether the lane or a region of the evidence has its kind switched off."""
        lanes = self._map.lanes if self._map else ()
        if any(lane.road_num == evidence.road_num and evidence.kind in lane.disabled_events for lane in lanes):
            return True
        off = [n for n, region in enumerate(self._scene.regions) if evidence.kind in region.disabled_events]
        if not off:
            return False
        width, height = self._frame_size
        x1, _, x2, y2 = evidence.box
        foot = np.array([[(x1 + x2) / 2 / width, y2 / height]])
        return bool(world.road_map.in_regions(foot)[off].any())

    def _look(self, frame_size: tuple[int, int], analyzer: PassageAnalyzer) -> None:
        """Follow the analyzer's lanes and the picture's size."""
        view = analyzer.view
        assert view is not None
        if self._map is not None and self._map.view is view and self._map.lanes == analyzer.lanes:
            return
        if frame_size != self._frame_size and self._map is not None:
            self._movers.reset()
        self._frame_size = frame_size
        self._map = RoadMap(self._scene, analyzer.lanes, view, drawn=bool(self._scene.lanes))
        self._reset_detectors()

    def _see_view(self, time_s: float, state: ViewState) -> list[TrafficEvent]:
        """Pause while the view is bad. When the camera was moved, all places are void and open events end."""
        stated: list[TrafficEvent] = []
        if state is ViewState.MOVED:
            stated += self._cycle.finish(self._frame_size)
        passed_s = self._watch.update(time_s, state)
        if passed_s is not None:
            self._forget_motion(passed_s)
        return stated

    def _see_gap(self, time_s: float) -> None:
        if self._time_s is not None and self._watch.since_s is None and time_s - self._time_s > self._config.gap_s:
            self._forget_motion(time_s - self._time_s)

    def _forget_motion(self, passed_s: float) -> None:
        """Nobody looked for so long: no motion is carried over it, and no event ends for it."""
        self._movers.reset()
        self._queues.reset()
        self._reset_detectors()
        self._cycle.hold(passed_s)
        self._findings, self._looked, self._faint = [], False, ()

    def _restart(self) -> list[TrafficEvent]:
        stated = self._cycle.finish(self._frame_size)
        self._cycle = LifeCycle(self._config, self._rules.__getitem__, self._life)
        self._movers.reset()
        self._queues.reset()
        self._reset_detectors()
        self._watch = ViewWatch(self._config.settle_s)
        self._time_s, self._tick_s = None, -np.inf
        return stated

    def _reset_detectors(self) -> None:
        for detector in self._detectors:
            detector.reset()

    def _now(self, incident: Incident) -> TrafficEvent:
        """An open event with the box of now."""
        assert self._time_s is not None
        fact = incident.fact(EventPhase.RAISED, self._time_s, self._frame_size)
        boxes = [self._boxes[track_id] for track_id in fact.track_ids if track_id in self._boxes]
        if not boxes:
            return fact
        points = np.array(boxes)
        (x1, y1), (x2, y2) = points[:, :2].min(axis=0), points[:, 2:].max(axis=0)
        return dataclasses.replace(fact, box=(float(x1), float(y1), float(x2), float(y2)))
