"""What benchmarks of pedestrians do not ask: fast, hidden, waiting and two-wheeled road users, and cameras that skip or shake."""

from collections.abc import Iterable

import pytest

from tests.traffic.tracking.scripted import Followed, Sight, follow, on_road, person, times, without_hidden
from traffic.tracking import PEDESTRIANS, Tracker
from traffic.types import ObjectClass, TrackState


def _one_id_each(followed: Followed, count: int) -> None:
    assert len(followed.ids) == count
    assert all(len(ids) == 1 for ids in followed.ids.values()), followed.ids
    assert len({ids[0] for ids in followed.ids.values()}) == count


@pytest.mark.parametrize("toward", [True, False])
def test_vehicles_at_30_m_s_seen_five_times_a_second_keep_their_ids(toward: bool) -> None:
    def script(time_s: float) -> Iterable[Sight]:
        for number in range(6):  # two lanes, each vehicle 1.5 s behind the last
            distance_m = 30.0 * (time_s - 1.5 * (number // 2) - 0.4 * (number % 2))
            ahead_m = 130.0 - distance_m if toward else 25.0 + distance_m
            if 22.0 < ahead_m < 130.0 and distance_m >= 0:
                yield on_road(f"car {number}", ahead_m, -1.8 if number % 2 else 1.8)

    followed = follow(Tracker(), script, times(8.0, 5.0), jitter=0.02)
    _one_id_each(followed, 6)


def test_a_car_that_waits_three_minutes_behind_a_parked_lorry_is_the_same_car_afterwards() -> None:
    def script(time_s: float) -> Iterable[Sight]:
        car = on_road("car", 60.0 - min(time_s, 3.0) * 5.0)  # comes to a stand at 45 m
        # the lorry draws up in front of it after 8 s and leaves after three minutes
        lorry_s = time_s - 8.0
        aside_m = -12.0 + 4.0 * lorry_s if lorry_s < 3.0 else (0.0 if lorry_s < 183.0 else 4.0 * (lorry_s - 183.0))
        lorry = on_road("lorry", 36.0, aside_m, extent_m=(2.5, 3.8), object_class=ObjectClass.TRUCK)
        return without_hidden([car, lorry] if -12.0 <= aside_m < 12.0 and lorry_s >= 0 else [car])

    followed = follow(Tracker(), script, times(200.0, 5.0), jitter=0.01)
    _one_id_each(followed, 2)
    assert sum(track.state is TrackState.LOST for tracks in followed.frames for track in tracks) > 170 * 5


def test_a_moving_car_that_a_passing_lorry_hides_keeps_its_id() -> None:
    def script(time_s: float) -> Iterable[Sight]:
        car = on_road("car", 33.0 + 4.0 * time_s, -0.3 * time_s)
        lorry = on_road("lorry", 29.0, -10.0 + 6.0 * time_s, extent_m=(8.0, 3.8), object_class=ObjectClass.TRUCK)
        return without_hidden([car, lorry], 0.5)

    at_s = times(3.4, 12.5)
    seen = "".join("x" if any(sight.name == "car" for sight in script(time_s)) else "." for time_s in at_s)
    assert seen.strip("x").count(".") == len(seen.strip("x")) >= 12  # hidden once, for a second or more
    followed = follow(Tracker(), script, at_s, jitter=0.01)
    _one_id_each(followed, 2)


@pytest.mark.parametrize("fps", [8.0, 25.0])
@pytest.mark.parametrize("tracker", [Tracker(), Tracker(PEDESTRIANS)], ids=["traffic", "pedestrians"])
def test_pedestrians_who_cross_and_hide_each_other_keep_their_ids(tracker: Tracker, fps: float) -> None:
    def script(time_s: float) -> Iterable[Sight]:
        return without_hidden(
            [
                person("left", 200.0 + 90.0 * time_s, 500.0),
                person("right", 800.0 - 90.0 * time_s, 512.0, 126.0),
                person("standing", 640.0, 470.0, 110.0),
            ]
        )

    tracker.reset()
    followed = follow(tracker, script, times(7.0, fps), jitter=0.012)
    _one_id_each(followed, 3)


@pytest.mark.parametrize("speed_m_s", [0.0, 8.0, 20.0])
def test_a_second_of_video_that_is_missing_does_not_change_ids(speed_m_s: float) -> None:
    def script(time_s: float) -> Iterable[Sight]:
        for number, aside_m in enumerate((-5.0, 0.0, 5.0)):
            yield on_road(f"car {number}", 110.0 - 12.0 * number - speed_m_s * time_s, aside_m)

    at_s = [time_s for time_s in times(3.5, 12.5) if not 1.6 < time_s < 2.65]
    followed = follow(Tracker(), script, at_s, jitter=0.01)
    _one_id_each(followed, 3)


def test_after_half_a_minute_without_video_moving_objects_are_others() -> None:
    followed = follow(
        Tracker(), lambda time_s: [on_road("car", 60.0 - 5.0 * (time_s % 5))], [0.0, 0.2, 0.4, 0.6, 30.6, 30.8, 31.0]
    )
    assert len(followed.ids["car"]) == 2


@pytest.mark.parametrize("vehicle", [ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE])
def test_a_two_wheeler_and_its_rider_are_one_object_whatever_part_is_found(vehicle: ObjectClass) -> None:
    def script(time_s: float) -> Iterable[Sight]:
        x, frame = 200.0 + 120.0 * time_s, round(time_s * 10)
        wheels = Sight(name="two-wheeler", box=(x, 420.0, x + 90.0, 480.0), object_class=vehicle)
        rider = Sight(name="two-wheeler", box=(x + 22.0, 360.0, x + 66.0, 462.0), object_class=ObjectClass.PERSON)
        if frame < 8 or frame % 3:
            yield wheels
        if frame < 8 or frame % 4:
            yield rider

    followed = follow(Tracker(), script, times(5.0, 10.0), jitter=0.01)
    _one_id_each(followed, 1)
    assert len(followed.all_ids) == 1
    last = followed.frames[-1][0]
    assert last.object_class is vehicle
    assert last.box[1] == pytest.approx(360.0, abs=8.0)
    assert last.box[3] == pytest.approx(480.0, abs=8.0)


def test_two_boxes_of_one_motorcycle_one_with_its_rider_are_one_object_and_the_next_motorcycle_another() -> None:
    def script(time_s: float) -> Iterable[Sight]:
        for name, x in (("first", 200.0 + 120.0 * time_s), ("second", 280.0 + 120.0 * time_s)):
            yield Sight(name=name, box=(x, 420.0, x + 40.0, 480.0), object_class=ObjectClass.MOTORCYCLE)
            yield Sight(name=name, box=(x + 2.0, 362.0, x + 40.0, 480.0), object_class=ObjectClass.MOTORCYCLE, score=0.6)
            yield Sight(name=name, box=(x + 8.0, 360.0, x + 34.0, 462.0), object_class=ObjectClass.PERSON)

    followed = follow(Tracker(), script, times(4.0, 10.0), jitter=0.01)
    assert len(followed.all_ids) == 2


def test_who_walks_past_a_parked_bicycle_does_not_become_it() -> None:
    def script(time_s: float) -> Iterable[Sight]:
        yield Sight(name="bicycle", box=(400.0, 430.0, 490.0, 480.0), object_class=ObjectClass.BICYCLE)
        yield person("walker", 150.0 + 100.0 * time_s, 474.0)

    followed = follow(Tracker(), script, times(6.0, 10.0), jitter=0.01)
    _one_id_each(followed, 2)
    walker = next(track for track in followed.frames[-1] if track.track_id == followed.ids["walker"][0])
    assert walker.object_class is ObjectClass.PERSON
    assert walker.moved


def test_a_vehicle_named_car_and_truck_at_once_is_one_track() -> None:
    def script(time_s: float) -> Iterable[Sight]:
        yield on_road("van", 60.0 - 8.0 * time_s, extent_m=(2.0, 2.2), score=0.6)
        yield on_road("van", 60.1 - 8.0 * time_s, extent_m=(2.0, 2.2), score=0.7, object_class=ObjectClass.TRUCK)

    followed = follow(Tracker(), script, times(3.0, 10.0), jitter=0.01)
    assert len(followed.all_ids) == 1
    assert followed.frames[-1][0].object_class is ObjectClass.TRUCK


def test_a_fifth_of_all_detections_missing_costs_no_id() -> None:
    def script(time_s: float) -> Iterable[Sight]:
        for number in range(4):
            yield on_road(f"car {number}", 110.0 - 15.0 * time_s, 4.0 * (number - 1.5))

    followed = follow(Tracker(), script, times(5.0, 12.5), jitter=0.02, missed=0.2)
    _one_id_each(followed, 4)


def test_a_swinging_camera_takes_the_hidden_along() -> None:
    def script(time_s: float) -> Iterable[Sight]:
        swing = 60.0 * max(time_s - 2.0, 0.0)  # the camera turns to the left after two seconds
        people = [person(f"person {number}", 100.0 + 150.0 * number + swing, 400.0 + 20.0 * number) for number in range(6)]
        return [one for one in people if one.name != "person 3" or not 2.0 < time_s < 2.9]

    followed = follow(Tracker(PEDESTRIANS), script, times(4.0, 25.0), jitter=0.005)
    _one_id_each(followed, 6)
