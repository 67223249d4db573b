"""The approach: lanes, stop line, crossing and signal heads in world metres, laid out from the settings."""

from dataclasses import dataclass

from actors.simulation.address import SimulationSettings
from actors.simulation.camera_model import CameraModel

LANE_WIDTH_M = 3.5
TWO_WHEELER_LANE_M = 2.6
MEDIAN_M = 0.5
STOP_Y = 31.0
CROSSING_Y = (33.0, 37.5)
FAR_KERB_Y = 45.0
SIGNAL_Y = 47.0
SNAPSHOT_Y = 18.0
ENTRY_Y = 10.0
OPPOSING_SNAPSHOT_Y = 24.5
OPPOSING_ENTRY_Y = 33.0
UPSTREAM_Y = -150.0
DOWNSTREAM_Y = 150.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RoadLane:
    """One lane.

    Attributes:
        road_num: its number in the scene.
        name: its name for operators.
        x_m: centre line.
        width_m: width.
        heading: +1 away from the camera, -1 towards it.
        two_wheelers: lane of two-wheelers.
        signalled: its stop line and queue are in view.
    """

    road_num: int
    name: str
    x_m: float
    width_m: float
    heading: int
    two_wheelers: bool = False
    signalled: bool = True

    @property
    def start_y(self) -> float:
        """World Y where vehicles enter the simulation."""
        return UPSTREAM_Y if self.heading > 0 else DOWNSTREAM_Y

    @property
    def stop_y(self) -> float:
        """World Y of the lane's stop line; oncoming traffic waits across the junction, in the same phase."""
        return STOP_Y if self.heading > 0 else FAR_KERB_Y + 2.0

    @property
    def snapshot_y(self) -> float:
        """World Y of the lane's snapshot line; the oncoming lanes lie farther to the side and come into view later."""
        return SNAPSHOT_Y if self.heading > 0 else OPPOSING_SNAPSHOT_Y

    @property
    def entry_y(self) -> float:
        """World Y where the lane's measuring section begins."""
        return ENTRY_Y if self.heading > 0 else OPPOSING_ENTRY_Y

    @property
    def length_m(self) -> float:
        """Travelled metres until a vehicle's front leaves the simulation."""
        return DOWNSTREAM_Y - UPSTREAM_Y if self.heading > 0 else DOWNSTREAM_Y + 5.0

    def y_of(self, s_m: float) -> float:
        """World Y of the point ``s_m`` metres along the lane."""
        return self.start_y + self.heading * s_m

    def s_of(self, y_m: float) -> float:
        """Metres along the lane of world Y."""
        return (y_m - self.start_y) * self.heading


@dataclass(frozen=True, kw_only=True, slots=True)
class Road:
    """All lanes and the edges of the carriageway in X (kerb to kerb)."""

    lanes: tuple[RoadLane, ...]
    left_x: float
    right_x: float
    approach_right_x: float


def build_road(settings: SimulationSettings) -> Road:
    """Lay out the lanes: approach lanes right of the median, then the two-wheelers' lane; oncoming lanes to the left."""
    lanes = [
        RoadLane(road_num=i + 1, name=f"直行{i + 1}", x_m=MEDIAN_M + LANE_WIDTH_M * (i + 0.5), width_m=LANE_WIDTH_M, heading=1)
        for i in range(settings.lanes)
    ]
    edge = MEDIAN_M + LANE_WIDTH_M * settings.lanes
    x = edge + 0.25 + TWO_WHEELER_LANE_M / 2
    lanes.append(
        RoadLane(road_num=settings.lanes + 1, name="非机动车道", x_m=x, width_m=TWO_WHEELER_LANE_M, heading=1, two_wheelers=True)
    )
    lanes += [
        RoadLane(
            road_num=settings.lanes + 2 + i,
            name=f"对向{i + 1}",
            x_m=-MEDIAN_M - LANE_WIDTH_M * (i + 0.5),
            width_m=LANE_WIDTH_M,
            heading=-1,
            signalled=False,
        )
        for i in range(settings.opposing)
    ]
    left = -MEDIAN_M - LANE_WIDTH_M * settings.opposing - 0.4
    return Road(lanes=tuple(lanes), left_x=left, right_x=x + TWO_WHEELER_LANE_M / 2 + 0.3, approach_right_x=edge)


def build_camera(settings: SimulationSettings) -> CameraModel:
    """The camera of the settings, on a gantry over the approach, a little towards the median."""
    x = 0.87 * (MEDIAN_M + LANE_WIDTH_M * settings.lanes / 2)
    return CameraModel(
        width=settings.width,
        height=settings.height,
        focal_px=settings.focal * settings.width,
        height_m=settings.height_m,
        pitch_deg=settings.pitch_deg,
        x_m=x,
    )
