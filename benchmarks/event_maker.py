"""What all scripts of ``benchmarks.events`` share: the chance of a case, its camera, lanes, flows and usual motions."""

import math

from benchmarks.event_motion import scripted
from benchmarks.event_road import WIDTH_M, LaneSpec, Rng, StageCamera
from benchmarks.event_stage import Actor, Case, Flow, Noise, any_vehicle
from traffic.types import ObjectClass as Class

KMH = 1 / 3.6


class Maker:
    """What all scripts share: a camera, the chance of the case, lanes and flows."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.camera = StageCamera(rng)
        self.noise = Noise.draw(rng)
        self.way = int(rng.choice((-1, 1)))
        self.near, self.far = self.camera.near_m, self.camera.far_m

    def sharpen(self, depth_m: float, grain_m: float) -> None:
        """Draw the camera anew until a pixel covers at most ``grain_m`` along the road, ``depth_m`` into the picture."""
        while self.camera.grain(self.near + depth_m) > grain_m:
            self._draw()

    def redraw(self, depth_m: float, grain_m: float) -> None:
        """Another camera that is as sharp."""
        self._draw()
        self.sharpen(depth_m, grain_m)

    def _draw(self) -> None:
        self.camera = StageCamera(self.rng)
        self.near, self.far = self.camera.near_m, self.camera.far_m

    def u(self, low: float, high: float) -> float:
        """A number between the two."""
        return float(self.rng.uniform(low, high))

    def y(self, low: float = 6.0, high: float = 34.0) -> float:
        """A place along the road where things are seen well."""
        high = min(high, self.far - self.near - 8)
        return self.near + self.u(min(low, high), high)

    def road(self, count: int | None = None, way: int | None = None, **spec: object) -> list[LaneSpec]:
        """Lanes side by side, from the driver's left to the right."""
        count = count or int(self.rng.integers(2, 4))
        way = way or self.way
        return [LaneSpec(x=way * (i - (count - 1) / 2) * WIDTH_M, way=way, **spec) for i in range(count)]  # type: ignore[arg-type]

    def seen_y(self, x: float, low: float, high: float) -> float:
        """A place at ``x`` beside the road that lies well inside the picture."""
        y = self.y(low, high)
        while not 0.06 < self.camera.relative(x, y)[0] < 0.94 and y < self.far - 8:
            y += 2.0
        return y

    def flows(self, lanes: list[LaneSpec], per_hour: float = 500.0, kmh: float | None = None) -> list[Flow]:
        """Free traffic in lanes."""
        speed = (kmh or self.u(45, 90)) * KMH
        return [Flow(lane=lane, per_hour=per_hour, speed=speed * self.u(0.95, 1.05), due_s=self.u(0, 4)) for lane in lanes]

    def start(self, way: int) -> float:
        """Where a scripted vehicle comes into view."""
        return self.near - 8 if way > 0 else self.far + 6

    def vehicle(self, object_class: Class | None = None) -> Class:
        """A class of motor vehicle."""
        return object_class or any_vehicle(self.rng)

    def stops_at(self, x: float, y: float, way: int, kmh: float, decel: float, begin_s: float, shifts: tuple = ()):  # type: ignore[type-arg, no-untyped-def]
        """Motion that comes in, brakes and stands at ``y``, and when it stands."""
        v = kmh * KMH
        distance = abs(y - self.start(way))
        brake = v * v / 2 / decel
        if brake > distance - 2:
            v = math.sqrt(2 * decel * max(distance - 2, 1.0))
            brake = v * v / 2 / decel
        cruise = (distance - brake) / v
        motion = scripted(x, self.start(way), way, v, [(cruise, 0.0), (v / decel, -decel)], shifts, begin_s)
        return motion, begin_s + cruise + v / decel

    def case(self, name: str, scene: object, actors: list[Actor], seconds: float, **more: object) -> Case:
        """A case of this maker."""
        return Case(name=name, scene=scene, camera=self.camera, actors=actors, seconds=seconds, noise=self.noise, **more)  # type: ignore[arg-type]


def strip(x: float, low: float, high: float, half: float = WIDTH_M / 2 - 0.1) -> list[tuple[float, float]]:
    """A region along the road."""
    return [(x - half, low), (x + half, low), (x + half, high), (x - half, high)]
