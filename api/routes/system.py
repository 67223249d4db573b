"""The system page of the console: what runs here, how busy it is, what is kept."""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from api.routes.common import Services, SignedIn, done
from api.schemas import Envelope
from api.schemas_console import LoadData, StorageData, SystemData
from api.services import ApiServices
from api.wire.times import wire_time

router = APIRouter()


@router.post("/api/system/query", tags=["health"], response_model=Envelope[SystemData], summary="系统信息 / what runs here")
def system(request: Request, services: Services, user: SignedIn) -> Envelope[Any]:
    """Version, models, machines, load and storage."""
    folder = services.about.get("archive", "")
    try:
        usage = shutil.disk_usage(folder)
        disk = {"total": usage.total, "free": usage.free}
    except OSError:
        disk = {}
    return done(
        SystemData(
            version=request.app.version,
            time=wire_time(time.time(), services.time_zone),
            timeZone=services.time_zone,
            about=dict(services.about),
            machines=[dict(machine) for machine in services.control.machines()],
            load=_load(),
            storage=_storage(services),
            disk=disk,
        )
    )


def _load() -> LoadData:
    page = os.sysconf("SC_PAGE_SIZE")
    total, free = page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    with contextlib.suppress(OSError):  # what caches hold is to be had as well; Linux says how much
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    return LoadData(cpus=os.cpu_count() or 1, minute=round(os.getloadavg()[0], 2), memoryTotal=total, memoryFree=free)


def _storage(services: ApiServices) -> StorageData | None:
    keeper = services.archive_keeper
    usage = keeper.usage if keeper else None
    if keeper is None or usage is None:
        return None
    return StorageData(
        files=usage.files,
        bytes=usage.size_bytes,
        mostBytes=keeper.limits.max_bytes,
        days=keeper.limits.max_age_s / 86_400,
        complete=usage.complete,
    )
