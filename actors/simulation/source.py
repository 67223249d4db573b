"""The simulated camera: frames with truth, deterministic from its settings."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.address import SimulationSettings
from actors.simulation.background import build_background, light_signals
from actors.simulation.camera_model import CameraModel
from actors.simulation.fleet import PERSON_COATS, Model
from actors.simulation.looks import look_of
from actors.simulation.materials import Finish
from actors.simulation.meshes import mesh_of
from actors.simulation.motion import Pose
from actors.simulation.painter import Painter
from actors.simulation.people import Pedestrian, PeopleModel
from actors.simulation.plates import draw_plate, plate_corners
from actors.simulation.road import DOWNSTREAM_Y, build_camera, build_road
from actors.simulation.scene_document import build_scene_document
from actors.simulation.script import Thing
from actors.simulation.shading import NEAR_M, to_world
from actors.simulation.signals import SignalPlan
from actors.simulation.slope import Slope
from actors.simulation.sprites import SpriteStore, default_cache_dir
from actors.simulation.traffic_model import TrafficModel, Vehicle
from actors.simulation.truth import FrameTruth, TrueIncident, TrueObject, TruePassage, TrueThing
from actors.simulation.weather import Sensor
from traffic.types import Box, ObjectClass

_PERSON_VIEW_M = 4.0
_STAGED_VIEW_M = 1.75
_STEP_M = 0.36  # way between two poses of a walker
_MUD_ID = -1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SimulatedFrame:
    """One frame.

    Attributes:
        index: from 0.
        time_s: seconds since the first frame, index / fps.
        image: uint8, shape (height, width, 3), RGB, C-contiguous, owned by the receiver.
        truth: what is in it.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]
    truth: FrameTruth


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """A scripted participant in one frame."""

    track_id: int
    thing: Thing
    pose: Pose

    @property
    def kind(self) -> str:
        """Name of the mesh."""
        phase = int(self.pose.moved_m / _STEP_M) % 4 if self.pose.speed_ms > 0 else 0
        return f"{self.thing.name}{phase}" if self.thing.walks else self.thing.name

    @property
    def near_y(self) -> float:
        """World Y of the end nearer to the camera."""
        mesh, forward = mesh_of(self.kind), self.pose.forward
        return self.pose.y_m - mesh.half_length_m * abs(forward[1]) - mesh.half_width_m * abs(forward[0])


@dataclass(slots=True)
class _Drawn:
    number: int
    thing: Vehicle | Pedestrian | Staged
    box: Box
    plate_box: Box | None


class SimulatedCamera:
    """A road camera that exists in code only. ``cache_dir`` holds sprites; None: the user's cache folder."""

    def __init__(self, settings: SimulationSettings, cache_dir: Path | None = None) -> None:
        self.settings = settings
        self._road, self._camera = build_road(settings), build_camera(settings)
        self._look = look_of(settings.light, settings.weather)
        self._store = SpriteStore(self._camera, self._look, cache_dir or default_cache_dir())

    def scene_document(self) -> dict[str, Any]:
        """The scene document that fits this view; calibration exact."""
        return build_scene_document(self.settings, self._road, self._camera)

    @property
    def view(self) -> CameraModel:
        """The pinhole camera of this view."""
        return self._camera

    @property
    def sprite_bytes(self) -> int:
        """Memory the sprites take now."""
        return self._store.bytes_held

    def frames(self) -> Iterator[SimulatedFrame]:
        """The film from its beginning; every call starts anew. As fast as the receiver takes frames."""
        settings = self.settings
        plan = SignalPlan(cycle_s=settings.cycle_s, green_s=settings.green_s)
        traffic, people = TrafficModel(settings, self._road, plan), PeopleModel(settings, self._road, plan)
        sensor, painter = Sensor(settings), Painter(self._camera, self._store)
        plain = build_background(settings, self._camera, self._road, self._look)
        slope = None
        if any(incident.kind == "mudslide" for incident in settings.incidents):
            slope = Slope(self._road, self._camera, self._look, settings.seed)
            plain = slope.draw(plain)
        lit: dict[tuple[str, bool], NDArray[np.uint8]] = {}
        traffic.advance(-0.5 / settings.fps)
        index = 0
        while settings.frame_count is None or index < settings.frame_count:
            time_s = index / settings.fps
            passages = traffic.advance(time_s)
            people.advance(time_s)
            state, walk = plan.vehicle(time_s), plan.walk_left_s(time_s) > 0
            if (state, walk) not in lit:
                lit[state, walk] = light_signals(plain, self._camera, self._road, state, walk)
            image = lit[state, walk].copy()
            mud_s = traffic.stage.mud_s(time_s)
            mud_box = slope.mud(image, mud_s) if slope is not None and mud_s is not None else None
            staged = [Staged(track_id=n, thing=t, pose=p) for n, t, p in traffic.stage.things(time_s)]
            drawn = self._paint(image, painter, traffic, people, staged)
            sway = sensor.sway(time_s) if settings.shake else (0.0, 0.0)
            if settings.shake:
                matrix = np.array([[1.0, 0, sway[0]], [0, 1.0, sway[1]]])
                image = cv2.warpAffine(image, matrix, (settings.width, settings.height), borderMode=cv2.BORDER_REPLICATE)
            image = sensor.apply(image, index)
            incidents = self._incidents(traffic.incidents(), drawn, sway, mud_box)
            truth = self._truth(drawn, painter.visible_shares(), sway, traffic, people, passages, (state, walk), incidents)
            yield SimulatedFrame(index=index, time_s=time_s, image=np.ascontiguousarray(image), truth=truth)
            index += 1

    # painting -------------------------------------------------------------------------------------------------------

    def _paint(
        self,
        image: NDArray[np.uint8],
        painter: Painter,
        traffic: TrafficModel,
        people: PeopleModel,
        staged: list[Staged],
    ) -> list[_Drawn]:
        painter.begin()
        things: list[tuple[float, int, Vehicle | Pedestrian | Staged]] = [(v.near_y, v.track_id, v) for v in traffic.vehicles()]
        things += [(p.y_m, p.track_id, p) for p in people.people]
        things += [(s.near_y, s.track_id, s) for s in staged]
        things.sort(key=lambda t: (-t[0], t[1]))
        drawn = []
        for number, (_, _, thing) in enumerate(things, 1):
            plate_box = None
            if isinstance(thing, Vehicle):
                if not -15.0 < thing.near_y < DOWNSTREAM_Y:
                    continue
                box, plate_box = self._paint_vehicle(image, painter, number, thing)
            elif isinstance(thing, Staged):
                box, plate_box = self._paint_staged(image, painter, number, thing)
            else:
                box = self._paint_person(image, painter, number, thing)
            if box is not None:
                drawn.append(_Drawn(number, thing, box, plate_box))
        return drawn

    def _paint_vehicle(
        self, image: NDArray[np.uint8], painter: Painter, number: int, vehicle: Vehicle
    ) -> tuple[Box | None, Box | None]:
        model, heading = vehicle.model, vehicle.heading
        finish = Finish(model.paint, model.second, model.plate_colour, self._look.lamps)
        place = (vehicle.x_m, vehicle.front_y - heading * model.length_m / 2)
        forward = (0.0, float(heading))
        box = painter.draw(image, number, model.kind, finish, vehicle.lane.x_m, place, forward)
        if box is None or not vehicle.plate:
            return box, None
        return box, self._paint_plate(image, model, vehicle.plate, place, forward)

    def _paint_staged(
        self, image: NDArray[np.uint8], painter: Painter, number: int, staged: Staged
    ) -> tuple[Box | None, Box | None]:
        thing, pose = staged.thing, staged.pose
        place, model = (pose.x_m, pose.y_m), thing.model
        view_x = round(pose.x_m / _STAGED_VIEW_M) * _STAGED_VIEW_M
        if not -15.0 < pose.y_m < DOWNSTREAM_Y:
            return None, None
        if model is None:
            finish = Finish(thing.paint, thing.second, "", 0.0)
            return painter.draw(image, number, staged.kind, finish, view_x, place, pose.forward), None
        finish = Finish(model.paint, model.second, model.plate_colour, self._look.lamps)
        box = painter.draw(image, number, model.kind, finish, view_x, place, pose.forward)
        if box is None or not thing.plate:
            return box, None
        return box, self._paint_plate(image, model, thing.plate, place, pose.forward)

    def _paint_plate(
        self, image: NDArray[np.uint8], model: Model, plate: str, place: tuple[float, float], forward: tuple[float, float]
    ) -> Box | None:
        """The plate of the end turned to the camera; its box, None when it is not in view."""
        end = -1 if forward[1] > 0 else 1
        corners = self._camera.project(to_world(plate_corners(mesh_of(model.kind), end), *place, forward))
        if (corners[:, 2] < NEAR_M).any():
            return None
        (x1, y1), (x2, y2) = corners[:, :2].min(0), corners[:, :2].max(0)
        if x1 < 0 or y1 < 0 or x2 > self._camera.width or y2 > self._camera.height:
            return None
        gain = float(np.clip(sum(self._look.road) / 3 * 1.05, 0.35, 1.0))
        if float(self._look.air(corners[0, 2])) < 0.4:
            draw_plate(image, corners[:, :2], plate, model.plate_colour, gain)
        return (float(x1), float(y1), float(x2), float(y2))

    def _paint_person(self, image: NDArray[np.uint8], painter: Painter, number: int, person: Pedestrian) -> Box | None:
        coat, legs = PERSON_COATS[person.look]
        phase = int(person.walked_m / _STEP_M) % 4 if person.speed_ms > 0 else 0
        view_x = round(person.x_m / _PERSON_VIEW_M) * _PERSON_VIEW_M
        forward = (float(person.direction), 0.0)
        return painter.draw(
            image, number, f"person{phase}", Finish(coat, legs, "", 0.0), view_x, (person.x_m, person.y_m), forward
        )

    # truth ----------------------------------------------------------------------------------------------------------

    def _truth(
        self,
        drawn: list[_Drawn],
        shares: dict[int, float],
        sway: tuple[float, float],
        traffic: TrafficModel,
        people: PeopleModel,
        passages: tuple[TruePassage, ...],
        signal: tuple[str, bool],
        incidents: tuple[TrueIncident, ...],
    ) -> FrameTruth:
        objects = [o for d in reversed(drawn) if (o := self._true_object(d, shares.get(d.number, 0.0), sway)) is not None]
        return FrameTruth(
            objects=tuple(objects),
            signal=signal[0],
            pedestrian_signal="green" if signal[1] else "red",
            queues=traffic.queues(),
            passages=passages,
            incidents=incidents,
            people=len(people.people),
        )

    def _incidents(
        self,
        incidents: tuple[TrueIncident, ...],
        drawn: list[_Drawn],
        sway: tuple[float, float],
        mud_box: Box | None,
    ) -> tuple[TrueIncident, ...]:
        """The incidents with the boxes of what is in view."""
        done = []
        for incident in incidents:
            boxes, things = [], []
            for item in drawn:
                box = self._in_frame(item.box, sway)
                if box is None or item.thing.track_id not in incident.track_ids:
                    continue
                boxes.append(box)
                if isinstance(item.thing, Staged) and item.thing.thing.object_class is None:
                    things.append(TrueThing(kind=item.thing.thing.name, box=box))
            if incident.kind == "mudslide" and mud_box is not None and (box := self._in_frame(mud_box, sway)) is not None:
                boxes.append(box)
                things.append(TrueThing(kind="mud", box=box))
            around = None
            if boxes:
                low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
                around = (float(low[0]), float(low[1]), float(high[2]), float(high[3]))
            done.append(replace(incident, box=around, things=tuple(things)))
        return tuple(done)

    def _in_frame(self, box: Box, sway: tuple[float, float]) -> Box | None:
        """A box moved by the sway and clipped to the frame; None when less than two pixels are left."""
        width, height, (dx, dy) = self.settings.width, self.settings.height, sway
        x1, y1, x2, y2 = box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy
        clipped = (max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2))
        return None if clipped[2] - clipped[0] < 2 or clipped[3] - clipped[1] < 2 else clipped

    def _true_object(self, drawn: _Drawn, visible: float, sway: tuple[float, float]) -> TrueObject | None:
        width, height, (dx, dy) = self.settings.width, self.settings.height, sway
        x1, y1, x2, y2 = drawn.box[0] + dx, drawn.box[1] + dy, drawn.box[2] + dx, drawn.box[3] + dy
        box = self._in_frame(drawn.box, sway)
        if box is None:
            return None
        thing, plate = drawn.thing, drawn.plate_box
        truncated = x1 < 0 or y1 < 0 or x2 > width or y2 > height
        plate_box = None if plate is None else (plate[0] + dx, plate[1] + dy, plate[2] + dx, plate[3] + dy)
        if isinstance(thing, Staged):
            return _true_staged(thing, box, visible, truncated, plate_box)
        vehicle = thing if isinstance(thing, Vehicle) else None
        return TrueObject(
            track_id=thing.track_id,
            object_class=vehicle.model.object_class if vehicle else ObjectClass.PERSON,
            kind=vehicle.model.kind if vehicle else "person",
            box=box,
            visible=visible,
            truncated=truncated,
            road_num=vehicle.lane.road_num if vehicle else 0,
            position_m=(vehicle.x_m, vehicle.near_y) if vehicle else (thing.x_m, thing.y_m),  # type: ignore[union-attr]
            speed_kmh=thing.speed_ms * 3.6 * (-1.0 if vehicle and vehicle.wrong_way else 1.0),
            plate=vehicle.plate if vehicle else "",
            plate_box=plate_box,
        )


def _true_staged(staged: Staged, box: Box, visible: float, truncated: bool, plate_box: Box | None) -> TrueObject | None:
    """Truth of a scripted participant; None for things without an object class (they are told with their incident)."""
    if staged.thing.object_class is None:
        return None
    return TrueObject(
        track_id=staged.track_id,
        object_class=staged.thing.object_class,
        kind=staged.thing.name,
        box=box,
        visible=visible,
        truncated=truncated,
        road_num=staged.thing.road_num,
        position_m=(staged.pose.x_m, staged.near_y),
        speed_kmh=staged.pose.speed_ms * 3.6,
        plate=staged.thing.plate,
        plate_box=plate_box,
    )
