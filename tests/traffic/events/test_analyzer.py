"""Events of scripted roads: what is raised, and above all what is not."""

import dataclasses

import pytest

from tests.traffic.events.scripted import BICYCLE, CAR, PERSON, SIZE, START, Player, drive, lane, region, road, together, track
from traffic.events import EventAnalyzer, FrameEvidence, PixelFinding, PixelFindingKind, ViewState
from traffic.facts import EventKind, EventPhase
from traffic.passages import PassageAnalyzer
from traffic.scene import DEFAULT_RULES, Boundary, LaneUse, Schedule

TWO = (lane(1, 10), lane(2, 14))
BREAKDOWN = drive(1, 14, 5, 10, stop_m=40)


def passing(count: int, x_m: float = 10, every_s: float = 4.0):
    """Cars that pass in another lane."""
    return together(*(drive(100 + n, x_m, 5, 15, begin_s=n * every_s) for n in range(count)))


def test_a_vehicle_that_stands_in_a_lane_is_raised_once_and_closed_when_it_has_gone() -> None:
    player = Player(road(*TWO)).play(together(BREAKDOWN, passing(8)), 30)
    (event,) = player.raised()
    assert (event.kind, event.road_num, event.track_ids) == (EventKind.VEHICLE_STOPPED, 2, (1,))
    assert 12 < event.time_s - START < 16
    assert 2 < event.start_s - START < 5
    player.play(lambda t: [(1, CAR, 14, 40 + 8 * (t - 30))] if t < 36 else [], 60, from_s=30)
    assert [f.phase for f in player.facts] == [EventPhase.RAISED, EventPhase.CLOSED]


def test_a_queue_at_a_red_light_is_nothing() -> None:
    scene = road(lane(1, 10, stop_m=60), lane(2, 14, stop_m=60))
    cars = [drive(n, x, 5, 10, stop_m=54 - 7 * (n % 5), begin_s=1.5 * (n % 5)) for n, x in [(i, 10) for i in range(5)]]
    cars += [drive(10 + n, 14, 5, 10, stop_m=54 - 7 * n, begin_s=1.5 * n) for n in range(5)]
    assert Player(scene).play(together(*cars), 80).finish() == []


def test_those_who_wait_behind_a_breakdown_are_not_raised() -> None:
    waiting = [drive(2 + n, 14, 5, 10, stop_m=33 - 7 * n, begin_s=4.0 * (n + 1)) for n in range(4)]
    player = Player(road(*TWO)).play(together(BREAKDOWN, *waiting, passing(20)), 70)
    stopped = player.raised(EventKind.VEHICLE_STOPPED)
    assert [event.track_ids for event in stopped] == [(1,)]


def test_a_jam_is_one_congestion_and_not_fifty_stopped_vehicles() -> None:
    def jam(time_s: float):
        creep = 0.6 * time_s
        return [(10 * k + n, CAR, x, y) for k, x in enumerate((10, 14)) for n in range(14) if 4 < (y := 7.0 * n + creep) < 96]

    player = Player(road(*TWO)).play(jam, 60)
    assert [event.kind for event in player.raised()] == [EventKind.CONGESTION]


def test_a_parked_car_beside_the_lanes_is_nothing_unless_parking_is_forbidden_there() -> None:
    def parked(_: float):
        return [(1, CAR, 20.0, 40.0)]

    assert Player(road(*TWO)).play(parked, 60).finish() == []
    scene = road(*TWO, regions=[region(5, "no_parking", 17, 10, 23, 90)])
    (event,) = Player(scene).play(parked, 60).raised()
    assert (event.kind, event.region_code) == (EventKind.ILLEGAL_PARKING, 5)


def test_the_hard_shoulder_is_no_place_to_stop() -> None:
    scene = road(*TWO, lane(3, 18, use=LaneUse.EMERGENCY))
    (event,) = Player(scene).play(drive(1, 18, 5, 10, stop_m=40), 40).raised()
    assert event.kind is EventKind.ILLEGAL_PARKING


def test_wrong_way_needs_displacement_against_the_lane() -> None:
    player = Player(road(*TWO)).play(drive(1, 10, 90, -12), 8)
    assert [event.kind for event in player.raised()] == [EventKind.WRONG_WAY]


@pytest.mark.parametrize(("speed", "both_s"), [(2.0, 0.4), (2.0, 1.0), (4.0, 0.4), (4.0, 2.0), (8.0, 0.4)])
def test_a_wrong_way_driver_under_a_new_number_is_raised_once(speed: float, both_s: float) -> None:
    def renamed(time_s: float):
        y = 98 - speed * time_s
        return [(1, CAR, 10, y)] * (time_s < 9) + [(2, CAR, 10.2, y + 0.5)] * (time_s > 9 - both_s)

    (event,) = Player(road(*TWO)).play(renamed, min(28.0, 90 / speed)).raised()
    assert event.kind is EventKind.WRONG_WAY


def test_a_box_that_flips_to_and_fro_drives_no_wrong_way() -> None:
    def flipping(time_s: float):
        return [(1, CAR, 10, 50 + (3.0 if int(time_s * 10) % 2 else -3.0))]

    assert Player(road(*TWO)).play(flipping, 30).raised(EventKind.WRONG_WAY) == []


def test_a_track_that_switches_to_oncoming_traffic_drives_no_wrong_way() -> None:
    scene = road(lane(1, 10), lane(2, 14, up=False))

    def switched(time_s: float):
        up, down = (10, 10 + 12 * time_s), (14, 90 - 12 * time_s)
        one, two = (up, down) if time_s < 3 else (down, up)
        return [(1, CAR, *one), (2, CAR, *two)]

    assert Player(scene).play(switched, 6.5).raised() == []


def test_people_on_a_highway_are_raised_once_and_on_a_street_never() -> None:
    def walking(time_s: float):
        return [(1, PERSON, 10, 20 + 1.4 * time_s), (2, PERSON, 11, 20 + 1.4 * time_s)]

    assert [e.kind for e in Player(road(*TWO, highway=True)).play(walking, 20).raised()] == [EventKind.PEDESTRIAN]
    assert Player(road(*TWO)).play(walking, 20).raised() == []
    cyclist = Player(road(*TWO, highway=True)).play(lambda t: [(1, BICYCLE, 10, 10 + 5 * t)], 12)
    assert [e.kind for e in cyclist.raised()] == [EventKind.PEDESTRIAN]


def test_an_object_under_a_new_number_is_no_second_event() -> None:
    def renumbered(time_s: float):
        seen = BREAKDOWN(time_s)
        return [(number + int(time_s / 6), *rest) for number, *rest in seen]

    player = Player(road(*TWO)).play(renumbered, 60)
    assert len(player.raised()) == 1


def test_speeding_needs_more_than_the_tolerance() -> None:
    scene = road(lane(1, 10, speed_limit_kmh=60.0))
    assert [e.kind for e in Player(scene).play(drive(1, 10, 5, 25), 3.6).raised()] == [EventKind.SPEEDING]
    assert Player(scene).play(drive(1, 10, 5, 17.5), 5).raised() == []


def test_without_calibration_no_speed_is_judged() -> None:
    scene = dataclasses.replace(road(lane(1, 10, speed_limit_kmh=20.0)), calibration=None)
    assert Player(scene).play(drive(1, 10, 5, 25), 3.6).raised(EventKind.SPEEDING) == []


def test_only_a_solid_line_must_not_be_crossed() -> None:
    def change(time_s: float):
        return [(1, CAR, 10 + 4 * min(max((time_s - 2) / 2.5, 0), 1), 10 + 10 * time_s)]

    solid = road(lane(1, 10, right_boundary=Boundary.SOLID), lane(2, 14, left_boundary=Boundary.SOLID))
    assert [e.kind for e in Player(solid).play(change, 8).raised()] == [EventKind.ILLEGAL_LANE_CHANGE]
    assert Player(road(*TWO)).play(change, 8).raised() == []
    one_sided = road(lane(1, 10), lane(2, 14, left_boundary=Boundary.SOLID))  # solid only for the other lane's drivers
    assert Player(one_sided).play(change, 8).raised() == []


def test_a_closed_region_is_closed_to_its_classes() -> None:
    scene = road(*TWO, regions=[region(9, "restricted", 8, 30, 12, 90)])
    (event,) = Player(scene).play(drive(1, 10, 5, 8), 10).raised()
    assert (event.kind, event.region_code) == (EventKind.RESTRICTED_AREA, 9)
    only_people = road(*TWO, regions=[region(9, "restricted", 8, 30, 12, 90, classes=frozenset({PERSON}))])
    assert Player(only_people).play(drive(1, 10, 5, 8), 10).raised() == []


def findings(kind: PixelFindingKind, *boxes: tuple[float, float, float, float]):
    """Found twice a second."""

    def see(time_s: float) -> FrameEvidence:
        looked = round(time_s * 10) % 4 == 0
        found = tuple(PixelFinding(kind=kind, box=box, score=0.8) for box in boxes) if looked else ()
        return FrameEvidence(findings=found, looked=looked)

    return see


def test_a_thing_on_the_road_is_debris_and_one_beside_it_is_not() -> None:
    see = findings(PixelFindingKind.STATIC_OBJECT, (240, 500, 265, 512))
    player = Player(road(*TWO)).play(passing(8, x_m=14), 20, see=see)
    assert [e.kind for e in player.raised()] == [EventKind.DEBRIS]
    see = findings(PixelFindingKind.STATIC_OBJECT, (740, 500, 765, 512))
    assert Player(road(*TWO)).play(passing(8, x_m=14), 20, see=see).raised() == []


def test_cones_in_a_lane_are_road_works_and_their_workers_no_pedestrians() -> None:
    cones = [(240, 500 - 40 * k, 250, 518 - 40 * k) for k in range(3)]
    see = findings(PixelFindingKind.CONE, *cones)
    player = Player(road(*TWO, highway=True)).play(lambda t: [(1, PERSON, 10, 52 + 0.1 * t)], 30, see=see)
    assert [e.kind for e in player.raised()] == [EventKind.ROAD_WORKS]


def test_a_schedule_says_when_a_kind_is_looked_for() -> None:
    rule = DEFAULT_RULES[EventKind.VEHICLE_STOPPED]
    night = dataclasses.replace(rule, schedules=(Schedule(begin_min=22 * 60, end_min=6 * 60),))
    day = dataclasses.replace(rule, schedules=(Schedule(begin_min=6 * 60, end_min=22 * 60),))
    script = together(BREAKDOWN, passing(8))
    assert len(Player(road(*TWO, events=(night,))).play(script, 30).raised()) == 1  # the scripts begin at midnight
    assert Player(road(*TWO, events=(day,))).play(script, 30).raised() == []


@pytest.mark.parametrize("off", ["rule", "lane", "region"])
def test_a_kind_can_be_switched_off(off: str) -> None:
    kind = EventKind.VEHICLE_STOPPED
    lanes = (TWO[0], lane(2, 14, disabled_events=frozenset({kind} if off == "lane" else ())))
    areas = [region(1, "quiet", 12, 0, 16, 100, disabled_events=frozenset({kind} if off == "region" else ()))]
    rules = (dataclasses.replace(DEFAULT_RULES[kind], enabled=False),) if off == "rule" else ()
    assert Player(road(*lanes, regions=areas, events=rules)).play(together(BREAKDOWN, passing(8)), 30).raised() == []


def test_a_bad_view_pauses_events_and_says_so() -> None:
    player = Player(road(*TWO))
    player.play(BREAKDOWN, 8)
    player.play(BREAKDOWN, 40, from_s=8, see=lambda _: FrameEvidence(view=ViewState.DARK))
    assert player.raised() == []
    assert "画面过暗" in player.analyzer.paused_reason
    player.play(BREAKDOWN, 70, from_s=40)
    assert player.analyzer.paused_reason == ""
    assert len(player.raised()) == 1
    player.play(BREAKDOWN, 100, from_s=70, see=lambda _: FrameEvidence(view=ViewState.BLURRED))
    player.play(BREAKDOWN, 110, from_s=100)
    assert [f.phase for f in player.facts] == [EventPhase.RAISED]  # not seeing it is no reason to close it


def test_a_moved_camera_ends_all_events() -> None:
    player = Player(road(*TWO)).play(BREAKDOWN, 20)
    player.play(BREAKDOWN, 21, from_s=20, see=lambda _: FrameEvidence(view=ViewState.MOVED))
    assert [f.phase for f in player.facts] == [EventPhase.RAISED, EventPhase.CLOSED]


def test_the_same_video_twice_states_the_same_events() -> None:
    script = together(BREAKDOWN, passing(8))
    one, two = (Player(road(*TWO)).play(script, 30).finish() for _ in range(2))
    assert one == two
    assert one[0].event_id != Player(road(*TWO), life="b").play(script, 30).finish()[0].event_id


def test_a_stream_that_starts_anew_ends_its_events_and_late_frames_are_ignored() -> None:
    player = Player(road(*TWO)).play(BREAKDOWN, 30)
    assert player.analyzer.update(START + 29.0, SIZE, (), player.passages, (), FrameEvidence()) == ()
    player.play(BREAKDOWN, 1, from_s=0)
    assert [f.phase for f in player.facts] == [EventPhase.RAISED, EventPhase.CLOSED]


def test_active_shows_open_events_with_the_box_of_now() -> None:
    player = Player(road(*TWO)).play(BREAKDOWN, 20)
    (event,) = player.analyzer.active
    assert event.box == track((1, CAR, 14, 40), START, START).box
    player.finish()
    assert player.analyzer.active == ()


def test_memory_does_not_grow_with_traffic() -> None:
    player = Player(road(*TWO), fps=2)
    player.play(together(*(drive(n, 10 + 4 * (n % 2), 5, 15, begin_s=2.0 * n) for n in range(60))), 120)
    assert len(player.analyzer._movers) < 20


def test_the_first_frame_of_an_empty_road_says_nothing() -> None:
    analyzer, passages = EventAnalyzer(None), PassageAnalyzer(None)
    passages.update(START, SIZE, ())
    assert analyzer.update(START, SIZE, (), passages, (), FrameEvidence()) == ()
    assert analyzer.finish() == ()
