"""When people in a region are a crowd: ``regions[].crowd`` of the scene document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from traffic.errors import SceneProblem

if TYPE_CHECKING:  # reading imports the model, and the model this
    from traffic.scene.reading import Reader

CROWD_KIND = "crowd"
KEYS = ("minPeople", "minDensityPerM2", "minTimeS", "toleranceS", "dissolveS", "repeatS")
MAX_PEOPLE, MAX_DENSITY, MAX_S = 100_000, 100.0, 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CrowdRule:
    """When people in a region are a crowd: at least ``min_people``, or at least ``min_density_per_m2``; None does not count.

    Attributes:
        min_time_s: for this long.
        tolerance_s: a shorter drop below the threshold (people hidden for a moment) does not interrupt a gathering...
        dissolve_s: ...and one that lasts this long ends it.
        repeat_s: a gathering that goes on is stated again after this long; None: never.
    """

    min_people: int | None = 10
    min_density_per_m2: float | None = None
    min_time_s: float = 10.0
    tolerance_s: float = 2.0
    dissolve_s: float = 10.0
    repeat_s: float | None = 300.0


def read_crowd(reader: "Reader", value: object, kind: str, path: str) -> CrowdRule | None:
    """The rule of a region; None without one, or where it is unusable. ``repeatS`` 0: once per gathering."""
    if value is None:
        return None
    data = reader.mapping(value, path)
    if data is None:
        return None
    if kind != CROWD_KIND:
        reader.fail(path, f"仅用于 kind 为 {CROWD_KIND} 的区域", f"only for a region of kind {CROWD_KIND}")
    standard = CrowdRule()
    density = reader.number(data, "minDensityPerM2", path, 0.01, MAX_DENSITY)
    people = _people(reader, data, path)
    seconds = {
        key: reader.number(data, key, path, 0.0, MAX_S) for key in ("minTimeS", "toleranceS", "dissolveS", "repeatS")
    }  # fmt: skip
    repeat_s = standard.repeat_s if seconds["repeatS"] is None else seconds["repeatS"] or None
    if people is None and density is None:
        people = standard.min_people
    return CrowdRule(
        min_people=people,
        min_density_per_m2=density,
        min_time_s=_or(seconds["minTimeS"], standard.min_time_s),
        tolerance_s=_or(seconds["toleranceS"], standard.tolerance_s),
        dissolve_s=_or(seconds["dissolveS"], standard.dissolve_s),
        repeat_s=repeat_s,
    )


def check_density(reader: "Reader", rule: CrowdRule | None, measured: bool, path: str) -> None:
    """A density needs an area. ``measured``: the region has one, given or from a calibration."""
    if rule is not None and rule.min_density_per_m2 is not None and not measured:
        reader.fail(
            f"{path}.crowd.minDensityPerM2",
            "需要面积: 请给出区域的 areaM2 或场景标定 calibration",
            "needs an area: give the region's areaM2 or a calibration",
        )


def crowd_document(rule: CrowdRule) -> dict[str, object]:
    """The document of a rule."""
    found: dict[str, object] = {
        "minTimeS": rule.min_time_s, "toleranceS": rule.tolerance_s, "dissolveS": rule.dissolve_s, "repeatS": rule.repeat_s or 0,
    }  # fmt: skip
    if rule.min_people is not None:
        found["minPeople"] = rule.min_people
    if rule.min_density_per_m2 is not None:
        found["minDensityPerM2"] = rule.min_density_per_m2
    return found


def unknown_crowd_keys(regions: object) -> list[SceneProblem]:
    """Keys of crowd rules that nothing reads."""
    found = []
    for index, region in enumerate(regions if isinstance(regions, Sequence) else ()):
        rule = region.get("crowd") if isinstance(region, Mapping) else None
        names = ", ".join(KEYS)
        found += [
            SceneProblem(
                f"regions[{index}].crowd.{key}", f"未知字段, 已忽略; 可用: {names}", f"unknown, ignored; known are {names}"
            )
            for key in (rule if isinstance(rule, Mapping) else ())
            if key not in KEYS
        ]
    return found


def _people(reader: "Reader", data: Mapping[str, object], path: str) -> int | None:
    value = data.get("minPeople")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_PEOPLE:
        reader.fail(f"{path}.minPeople", f"须为 1 至 {MAX_PEOPLE} 的整数", f"must be an integer from 1 to {MAX_PEOPLE}")
        return None
    return value


def _or(value: float | None, standard: float) -> float:
    return standard if value is None else value
