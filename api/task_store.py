"""The task table as the supervisor reads it."""

import logging
import zoneinfo
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlmodel import col, select

from actors.ports import TaskRef, TaskSpec, camera_name
from api.fences import Office, take
from api.tables import Task
from traffic.errors import SceneError
from traffic.scene import Scene
from traffic.scene.document import parse_scene

logger = logging.getLogger(__name__)
START_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class SqlTaskStore:
    """Implements ``actors.ports.TaskStore``. Picklable: holds the URL, connects when first used.

    Rows are read anew each time, scenes only when their row changed: a thousand scenes take seconds to read.
    """

    def __init__(self, url: str, office: str = "") -> None:
        """``office``: name under which only the newest process may read the table (see ``api.fences``)."""
        self._office = Office(url, office)
        self._known: dict[int, tuple[tuple[object, ...], TaskSpec]] = {}

    def load_tasks(self) -> Sequence[TaskSpec]:
        """See TaskStore."""
        with self._office.session() as session:
            rows = session.exec(select(Task).order_by(col(Task.id))).all()
        known = {}
        for row in rows:
            mark = tuple(row.model_dump().values())
            before = self._known.get(row.id or 0)
            known[row.id or 0] = before if before is not None and before[0] == mark else (mark, task_spec(row))
        self._known = known
        return tuple(spec for _, spec in known.values())

    def begin_lives(self, task_nums: Collection[str]) -> Mapping[str, int]:
        """See TaskStore."""
        if not task_nums:
            return {}
        with self._office.session() as session:
            taken = take(session, [camera_name(num) for num in task_nums])
            session.commit()
        return {num: taken[camera_name(num)] for num in task_nums}


def task_spec(row: Task) -> TaskSpec:
    """A row as the camera's value. A scene that this version cannot read is left out with a log line: lanes are learned."""
    transport: Literal["tcp", "udp"] = "udp" if row.rtsp_transport == "udp" else "tcp"
    return TaskSpec(
        ref=TaskRef(
            task_id=row.id or 0,
            task_num=row.task_num,
            task_name=row.task_name,
            src_address=row.src_address,
            time_zone=row.time_zone,
        ),
        scene=_scene(row),
        analysed_fps=row.analysed_fps,
        rtsp_transport=transport,
        loop=row.loop,
        start_time_s=start_time_s(row.start_time, row.time_zone),
        enabled=row.enabled,
        revision=str(row.revision),
        site=row.site,
    )


def start_time_s(text: str, time_zone: str) -> float | None:
    """``yyyy-MM-dd HH:mm:ss`` in a zone as seconds since the epoch; None for ""."""
    if not text:
        return None
    return datetime.strptime(text, START_TIME_FORMAT).replace(tzinfo=zoneinfo.ZoneInfo(time_zone)).timestamp()


def _scene(row: Task) -> Scene | None:
    if not row.scene:
        return None
    try:
        return parse_scene(row.scene)
    except SceneError as error:
        logger.error("scene unreadable task=%s error=%s", row.task_num, error)
        return None
