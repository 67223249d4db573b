"""What a collision leaves behind tells it: several things that came to lie there at once, and people on foot among them."""

from collections.abc import Callable

import pytest

from tests.traffic.events.scripted import PERSON, Player, Script, drive, lane, road, together
from traffic.events import FrameEvidence, PixelFinding, PixelFindingKind
from traffic.facts import EventKind

X_M = 20.0
Piece = tuple[float, float, float]  # metres across, metres along, seconds: since when it lies there


def findings(*pieces: Piece, cones: tuple[Piece, ...] = ()) -> Callable[[float], FrameEvidence]:
    """Looks at the pixels five times a second: things 0.6 m wide, and cones."""

    def see(time_s: float) -> FrameEvidence:
        found = [
            PixelFinding(kind=kind, box=(25 * x - 7.5, 988 - 10 * y, 25 * x + 7.5, 1000 - 10 * y), score=0.8)
            for kind, some in ((PixelFindingKind.STATIC_OBJECT, pieces), (PixelFindingKind.CONE, cones))
            for x, y, since_s in some
            if time_s >= since_s
        ]
        return FrameEvidence(findings=tuple(found), looked=True)

    return see


def walker(x_m: float = X_M + 1, y_m: float = 36.0, begin_s: float = 2.0) -> Script:
    """Somebody who walks about there."""
    return lambda time_s: [(7, PERSON, x_m, y_m + 0.3 * (time_s - begin_s))] if time_s >= begin_s else []


def raised(script: Script, see: Callable[[float], FrameEvidence], seconds: float = 14.0) -> set[EventKind]:
    """Kinds of events on an ordinary street with one lane."""
    player = Player(road(lane(1, X_M), highway=False)).play(script, seconds, see=see)
    return {fact.kind for fact in player.raised()}


def test_pieces_that_fell_together_and_somebody_among_them_are_an_accident() -> None:
    pieces = ((X_M, 30.0, 3.0), (X_M + 1, 34.0, 4.0))
    assert EventKind.ACCIDENT in raised(walker(), findings(*pieces))


def test_it_is_one_accident_with_the_pieces_and_the_person_in_its_box() -> None:
    pieces = ((X_M, 30.0, 3.0), (X_M + 1, 34.0, 4.0))
    player = Player(road(lane(1, X_M), highway=False)).play(walker(), 14.0, see=findings(*pieces))
    accident, *more = player.raised(EventKind.ACCIDENT)
    assert not more
    left, top, right, bottom = accident.box
    assert left <= 25 * X_M - 7 and right >= 25 * (X_M + 1) + 7  # noqa: PT018
    assert top <= 640 and bottom >= 699  # noqa: PT018


@pytest.mark.parametrize(
    ("script", "pieces"),
    [
        pytest.param(walker(), ((X_M, 30.0, 3.0),), id="a single thing is a lost load"),
        pytest.param(lambda _: [], ((X_M, 30.0, 3.0), (X_M + 1, 34.0, 4.0)), id="nobody comes to look"),
        pytest.param(walker(y_m=60.0), ((X_M, 30.0, 3.0), (X_M + 1, 34.0, 4.0)), id="who walks is far away"),
        pytest.param(walker(), ((X_M, 30.0, 1.0), (X_M + 1, 34.0, 7.0)), id="the second came long after the first"),
        pytest.param(walker(), ((X_M, 30.0, 3.0), (X_M + 9, 34.0, 4.0)), id="the second lies beside the road"),
        pytest.param(
            drive(1, X_M, 10.0, 12.0),
            ((X_M, 30.0, 3.0), (X_M + 1, 34.0, 4.0)),
            id="only a vehicle is there",
        ),
    ],
)
def test_what_lies_on_the_road_otherwise_is_no_accident(script: Script, pieces: tuple[Piece, ...]) -> None:
    assert EventKind.ACCIDENT not in raised(script, findings(*pieces))


def test_things_among_the_cones_of_road_works_are_none() -> None:
    cones = tuple((X_M - 1, 26.0 + 3 * i, 0.0) for i in range(4))
    late = ((X_M + 1, 30.0, 13.0), (X_M + 1, 34.0, 14.0))
    kinds = raised(walker(), findings(*late, cones=cones), 24.0)
    assert EventKind.ROAD_WORKS in kinds
    assert EventKind.ACCIDENT not in kinds


def test_whoever_has_left_is_not_among_them() -> None:
    def gone(time_s: float) -> list[tuple[int, object, float, float]]:
        return [(7, PERSON, X_M + 1, 36.0)] if time_s < 2.0 else []

    pieces = ((X_M, 30.0, 8.0), (X_M + 1, 34.0, 9.0))
    assert EventKind.ACCIDENT not in raised(gone, findings(*pieces), 18.0)  # type: ignore[arg-type]


def test_vehicles_and_people_are_in_the_box_and_strewn_parts_are_not() -> None:
    """One piece lies 10 m away on the road; the car that stands among the people is what the picture has to show."""
    pieces = ((X_M, 26.0, 3.0), (X_M + 1, 34.0, 4.0))
    script = together(walker(), drive(3, X_M, 10, 8, stop_m=30))
    player = Player(road(lane(1, X_M), highway=False)).play(script, 14.0, see=findings(*pieces))
    accident, *more = player.raised(EventKind.ACCIDENT)
    assert not more
    _, top, _, bottom = accident.box
    assert 3 in accident.track_ids
    assert top < 650  # the person
    assert 690 < bottom < 720, "the car's foot, not the piece that lies nearer"
