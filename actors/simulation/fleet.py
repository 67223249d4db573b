"""The vehicles that drive in the simulation: models with dimensions, looks and drivers."""

from dataclasses import dataclass

from traffic.types import ObjectClass

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A kind of vehicle in one paint.

    Attributes:
        kind: shape, see ``meshes``.
        object_class: class a detector should give it.
        paint, second: linear RGB albedo of the body and of the decoration or load box.
        length_m: bumper to bumper.
        share: relative frequency.
        max_accel, brake: comfortable acceleration and deceleration, m/s².
        plate_colour: plate background: ``blue``, ``yellow``, ``green`` or "" (none).
    """

    kind: str
    object_class: ObjectClass
    paint: Colour
    second: Colour
    length_m: float
    share: float
    max_accel: float
    brake: float
    plate_colour: str


_LENGTH = {"sedan": 4.6, "hatch": 4.05, "suv": 4.65, "van": 5.2, "bus": 11.6, "truck": 7.0, "ebike": 1.8, "bicycle": 1.75}
_PAINTS: tuple[tuple[str, Colour, float], ...] = (
    ("sedan", (0.62, 0.63, 0.64), 9),
    ("sedan", (0.03, 0.03, 0.035), 7),
    ("sedan", (0.80, 0.80, 0.79), 7),
    ("sedan", (0.30, 0.02, 0.02), 4),
    ("hatch", (0.03, 0.07, 0.22), 5),
    ("hatch", (0.45, 0.44, 0.40), 5),
    ("suv", (0.80, 0.80, 0.79), 8),
    ("suv", (0.10, 0.11, 0.12), 8),
    ("suv", (0.13, 0.20, 0.32), 5),
    ("van", (0.72, 0.72, 0.70), 6),
    ("van", (0.25, 0.26, 0.27), 4),
)


def _cars() -> tuple[Model, ...]:
    return tuple(
        Model(
            kind=kind,
            object_class=ObjectClass.CAR,
            paint=paint,
            second=paint,
            length_m=_LENGTH[kind],
            share=share,
            max_accel=1.8,
            brake=2.2,
            plate_colour="green" if index == 4 else "blue",
        )
        for index, (kind, paint, share) in enumerate(_PAINTS)
    )


def _heavy(kind: str, object_class: ObjectClass, paint: Colour, second: Colour, share: float) -> Model:
    return Model(
        kind=kind,
        object_class=object_class,
        paint=paint,
        second=second,
        length_m=_LENGTH[kind],
        share=share,
        max_accel=1.0,
        brake=1.8,
        plate_colour="yellow",
    )


def _two_wheeler(kind: str, object_class: ObjectClass, paint: Colour, coat: Colour, share: float) -> Model:
    return Model(
        kind=kind,
        object_class=object_class,
        paint=paint,
        second=coat,
        length_m=_LENGTH[kind],
        share=share,
        max_accel=1.2,
        brake=1.8,
        plate_colour="",
    )


MOTOR_FLEET: tuple[Model, ...] = (
    *_cars(),
    _heavy("bus", ObjectClass.BUS, (0.80, 0.80, 0.79), (0.05, 0.28, 0.16), 2.5),
    _heavy("bus", ObjectClass.BUS, (0.62, 0.05, 0.04), (0.75, 0.75, 0.75), 2.0),
    _heavy("truck", ObjectClass.TRUCK, (0.75, 0.75, 0.74), (0.10, 0.20, 0.42), 2.5),
    _heavy("truck", ObjectClass.TRUCK, (0.12, 0.20, 0.45), (0.74, 0.74, 0.72), 2.5),
)
TWO_WHEELER_FLEET: tuple[Model, ...] = (
    _two_wheeler("ebike", ObjectClass.MOTORCYCLE, (0.55, 0.04, 0.03), (0.05, 0.07, 0.16), 4),
    _two_wheeler("ebike", ObjectClass.MOTORCYCLE, (0.03, 0.03, 0.04), (0.60, 0.55, 0.05), 4),
    _two_wheeler("ebike", ObjectClass.MOTORCYCLE, (0.70, 0.70, 0.68), (0.22, 0.03, 0.05), 3),
    _two_wheeler("bicycle", ObjectClass.BICYCLE, (0.05, 0.10, 0.30), (0.30, 0.32, 0.34), 2),
)
PERSON_COATS: tuple[tuple[Colour, Colour], ...] = (
    ((0.45, 0.05, 0.05), (0.03, 0.04, 0.08)),
    ((0.06, 0.12, 0.32), (0.04, 0.04, 0.04)),
    ((0.60, 0.60, 0.58), (0.05, 0.07, 0.14)),
    ((0.05, 0.05, 0.05), (0.16, 0.14, 0.11)),
    ((0.50, 0.38, 0.06), (0.05, 0.05, 0.06)),
)

_PROVINCES = "京沪津苏浙川"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_CHARACTERS = "0123456789" + _LETTERS


def plate_text(model: Model, picks: "list[int]") -> str:
    """A number plate from eight random integers: province, office letter and a serial of five, of which at most two are letters;
    on green plates D or F, a letter or digit, and four digits (GA 36-2018)."""
    if not model.plate_colour:
        return ""
    head = _PROVINCES[picks[0] % len(_PROVINCES)] + _LETTERS[picks[1] % len(_LETTERS)]
    serial = [_CHARACTERS[picks[2] % len(_CHARACTERS)], *("0123456789"[pick % 10] for pick in picks[3:7])]
    if model.plate_colour == "green":
        return head + "DF"[picks[7] % 2] + "".join(serial)
    if picks[7] % 2:
        serial[1 + picks[7] // 2 % 4] = _LETTERS[picks[7] // 8 % len(_LETTERS)]
    return head + "".join(serial)
