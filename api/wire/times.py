"""Times as the protocol writes them, local to the task's zone."""

import zoneinfo
from datetime import datetime


def wire_time(time_s: float, time_zone: str) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in the task's zone."""
    return f"{datetime.fromtimestamp(time_s, zoneinfo.ZoneInfo(time_zone)):%Y-%m-%d %H:%M:%S}"


def wire_date(time_s: float, time_zone: str) -> str:
    """``yyyy/MM/dd HH:mm`` in the task's zone (3.2 ``date``)."""
    return f"{datetime.fromtimestamp(time_s, zoneinfo.ZoneInfo(time_zone)):%Y/%m/%d %H:%M}"
