"""The history of parameters in buckets: minutes of the tables merged by what each value means."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from api.tables import LaneHistory, PeopleHistory

MINUTE_S = 60
Row = dict[str, Any]


def lane_buckets(rows: Iterable[LaneHistory], bucket_s: int, offset_s: int = 0) -> list[Row]:
    """Buckets [k·bucket, (k + 1)·bucket) of local time (UTC + ``offset_s``) of each lane, in order of time, then lane.

    Counts are added, ratios and density weighted with the observed time, speeds, headways and spacings with the vehicles; the
    queue is that of the bucket's end, its maxima the largest.
    """
    return [
        _lane(begin, bucket_s, road_num, found)
        for (begin, road_num), found in sorted(_grouped(rows, bucket_s, offset_s, lambda row: row.road_num).items())
    ]


def people_buckets(rows: Iterable[PeopleHistory], bucket_s: int, offset_s: int = 0) -> list[Row]:
    """Buckets of each region and line: in and out added, number and density weighted with the observed time."""
    grouped = _grouped(rows, bucket_s, offset_s, lambda row: (row.code, row.is_line))
    return [_people(begin, bucket_s, code, is_line, found) for (begin, (code, is_line)), found in sorted(grouped.items())]


def _grouped(rows: Iterable[Any], bucket_s: int, offset_s: int, key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for row in rows:
        begin = (row.close_s - MINUTE_S + offset_s) // bucket_s * bucket_s - offset_s
        found.setdefault((begin, key(row)), []).append(row)
    return found


def _lane(begin: int, bucket_s: int, road_num: int, rows: Sequence[LaneHistory]) -> Row:
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(json.loads(row.counts))
    observed_s = sum(row.observed_s for row in rows)
    vehicles = sum(row.vehicles for row in rows)
    times, passed = [row.observed_s for row in rows], [row.vehicles for row in rows]
    last = max(rows, key=lambda row: row.close_s)
    return {
        "open_s": begin,
        "close_s": begin + bucket_s,
        "roadNum": road_num,
        "observedS": round(observed_s, 2),
        "vehicles": vehicles,
        "counts": dict(sorted(counts.items())),
        "flowRateVehH": round(vehicles / observed_s * 3600, 1) if observed_s else None,
        "timeOccupancyRatio": _mean([row.time_occupancy_ratio for row in rows], times, 4),
        "spaceOccupancyRatio": _mean([row.space_occupancy_ratio for row in rows], times, 4),
        "densityVehKm": _mean([row.density_veh_km for row in rows], times, 2),
        "timeMeanSpeedKmh": _mean([row.time_mean_speed_kmh for row in rows], passed, 1),
        "spaceMeanSpeedKmh": _mean(
            [row.space_mean_speed_kmh for row in rows], [row.observed_s * (row.density_veh_km or 0.0) for row in rows], 1
        ),
        "meanTimeHeadwayS": _mean([row.mean_time_headway_s for row in rows], passed, 2),
        "meanSpacingM": _mean([row.mean_spacing_m for row in rows], passed, 2),
        "queueLengthM": _rounded(last.queue_length_m, 2),
        "queueNum": last.queue_num,
        "maxQueueLengthM": _rounded(_largest(row.max_queue_length_m for row in rows), 2),
        "maxQueueNum": _largest(row.max_queue_num for row in rows),
    }


def _people(begin: int, bucket_s: int, code: int, is_line: bool, rows: Sequence[PeopleHistory]) -> Row:
    times = [row.observed_s for row in rows]
    return {
        "open_s": begin,
        "close_s": begin + bucket_s,
        "regionCode": code,
        "kind": "countLine" if is_line else "region",
        "observedS": round(sum(times), 2),
        "peopleIn": sum(row.people_in for row in rows),
        "peopleOut": sum(row.people_out for row in rows),
        "peopleMean": _mean([row.people_mean for row in rows], times, 2),
        "peopleMax": _largest(row.people_max for row in rows),
        "areaM2": max(rows, key=lambda row: row.close_s).area_m2,
        "densityPerM2": _mean([row.density_per_m2 for row in rows], times, 4),
    }


def _mean(values: Sequence[float | None], weights: Sequence[float], digits: int) -> float | None:
    """Weighted mean of the known values; None without any weight."""
    known = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None and weight > 0]
    total = sum(weight for _, weight in known)
    return round(sum(value * weight for value, weight in known) / total, digits) if total else None


def _largest(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
