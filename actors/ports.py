"""What the actors need from the rooms above them, as protocols and values.

The actors never import ``api`` or ``cluster``; the composition root (``cluster.build``) hands them implementations:
tables behind ``TaskStore``, wire bodies behind the delivery ports, folders or object stores behind ``Archive``.
Everything here is picklable and free of Ray.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from traffic.aggregation import CellBatch
from traffic.facts import Fact, LaneParameters, PeopleParameters, TaskStatusCode, VehicleLooks
from traffic.people.crowd import CrowdState
from traffic.scene import Scene


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRef:
    """How a fact names its task on the wire.

    Attributes:
        task_id: key of the row in the task table.
        task_num, task_name: taskNum and taskName.
        src_address: srcAddress as stored, secrets included; the wire encoder decides about masking. In no repr, so in no log.
        time_zone: IANA name; wire times are local to it.
        life: number of the camera's life, given by the supervisor with every start; facts of an earlier life are refused. 0: not
            given by one (``wayside analyze``), and not checked.
    """

    task_id: int
    task_num: str
    task_name: str
    src_address: str = field(repr=False)
    time_zone: str
    life: int = 0


def camera_name(task_num: str) -> str:
    """Name of the camera actor of a task, and of its right to act."""
    return f"camera-{task_num}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskSpec:
    """Everything a camera actor must know about its task.

    Attributes:
        ref: identity of the task.
        scene: validated scene or None (lanes are learned).
        analysed_fps: upper bound of analysed frames per second of video; 0 means every frame.
        rtsp_transport: transport asked of RTSP servers.
        loop: a file or directory starts again at its end.
        start_time_s: wall clock of a file's first frame, seconds since the epoch; None: from its metadata or now.
        enabled: a disabled task has no running camera.
        revision: changes whenever anything above changes (hash or counter); the supervisor compares it.
        site: machines that may run the camera (see ``actors.placement``); "": any.
    """

    ref: TaskRef
    scene: Scene | None
    analysed_fps: float
    rtsp_transport: Literal["tcp", "udp"]
    loop: bool
    start_time_s: float | None
    enabled: bool
    revision: str
    site: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FactEnvelope:
    """A fact on its way from a camera to the pushers.

    Attributes:
        fact_id: unique for ever, made once by the camera; pushers drop a fact they already hold.
        task: the task that states the fact.
        fact: the fact.
        large_picture, small_picture: archive paths ("image/…", see ``traffic``'s protocol page) or "" when there is none.
            For a passage the small picture is the vehicle's crop.
        plate_picture: archive path of the plate's crop or "".
        clip: archive path of the clip ("video/…", no leading slash) or "".
        looks: what recognition read of the vehicle of a passage or of an event's main vehicle.
        weather: protocol code of the task's weather at that time, 0 unknown, 1..4.
        hold_s: pushers keep it and do not send it as an event for so long: the camera states it again, with 0, when its clip is
            whole. After that time, or when the camera has begun anew, it is sent as it is.
    """

    fact_id: str
    task: TaskRef
    fact: Fact
    large_picture: str = ""
    small_picture: str = ""
    plate_picture: str = ""
    clip: str = ""
    looks: VehicleLooks = field(default_factory=VehicleLooks)
    weather: int = 0
    hold_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraHealth:
    """One camera as the supervisor and ``/api/task/query`` see it. Counters run since the camera process started.

    Attributes:
        fps_source: frames per second the source delivers; fps_analysed: frames per second analysed (both recent).
        last_frame_time_s: video time of the newest decoded frame; None before the first.
        width, height: of the newest frame in pixels, 0 before the first.
        lane_counts: passages by roadNum.
        revision: of the task the camera works by.
        events: raised or upgraded. events_open: open now. clips_failed, clip_error: clips that could not be kept, and the last
            reason. pictures_failed: pictures that could not be kept.
        frames_still: of the analysed ones, those that showed nothing new and needed no detection of their own.
        analysis_delay_s: age of the newest live frame when its analysis was done; 0 for recordings.
        live: the source cannot be read again from its beginning; False before it was opened.
        node: Ray's id of the machine it runs on; "" outside of Ray.
    """

    task_num: str
    status: TaskStatusCode
    reason: str
    frames_decoded: int
    frames_analysed: int
    frames_dropped: int
    fps_source: float
    fps_analysed: float
    passages: int
    last_frame_time_s: float | None
    width: int
    height: int
    codec: str
    lane_counts: tuple[tuple[int, int], ...] = ()
    revision: str = ""
    events: int = 0
    events_open: int = 0
    clips_failed: int = 0
    clip_error: str = ""
    pictures_failed: int = 0
    analysis_delay_s: float = 0.0
    frames_still: int = 0
    live: bool = False
    node: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CellReceipt:
    """What an aggregator says of the batches it was sent.

    Attributes:
        life: names this life of the aggregator: it has taken them, another one may not know of them.
        durable: by source, sequence up to which batches are durable. The camera may forget those.
        refused: nothing was taken, because the camera counted on another life: it must send all that it holds.
    """

    life: str
    durable: Mapping[str, int]
    refused: bool = False


class CellSink(Protocol):
    """Takes the one-second cells of a camera."""

    def send(self, task: TaskRef, batches: Sequence[CellBatch], *, ended: bool, life: str) -> CellReceipt:
        """Hand over batches, oldest first.

        Args:
            ended: the source has ended for good.
            life: of the aggregator that has taken all other batches that are not durable; "": there are no others.

        Raises:
            SinkUnavailableError: keep them and try again.
            SupersededError: the camera has been started elsewhere since.
        """

    def crowds(self, task: TaskRef) -> Mapping[int, CrowdState]:
        """State of the task's gatherings as the newest batch told it, for a camera that starts anew.

        Raises:
            SinkUnavailableError: nobody can tell now.
        """


class ParameterStore(Protocol):
    """What aggregators keep. Every method commits before it returns, raises StoreUnavailableError when it cannot, and
    SupersededError when another process is this aggregator now."""

    def life(self, task_num: str) -> int:
        """Number of the newest life of a task's camera; 0 for none."""

    def periods(self) -> frozenset[int]:
        """Upload periods of the enabled interfaces of business types 22 and 41."""

    def load(self, task_num: str) -> str | None:
        """The saved state of a task (JSON); None when there is none."""

    def save(self, states: Mapping[str, str], history: Sequence[tuple[str, LaneParameters | PeopleParameters]]) -> None:
        """Save states by task number and the history of tasks in one transaction. History already there is replaced."""

    def prune(self, keep_s: float) -> int:
        """Forget history older than ``keep_s`` before now and states of tasks that are no more; returns rows deleted."""


class TaskStore(Protocol):
    """The task table as the supervisor needs it. Every method raises ``StoreUnavailableError`` when the database does not answer,
    and ``SupersededError`` when another supervisor has taken over."""

    def load_tasks(self) -> Sequence[TaskSpec]:
        """All tasks, enabled or not."""

    def begin_lives(self, task_nums: Collection[str]) -> Mapping[str, int]:
        """Numbers of the next lives of these tasks' cameras (``TaskRef.life``). Facts of former ones are refused from now on."""


class FactSink(Protocol):
    """Takes facts; returns only after they are persisted."""

    def publish(self, envelopes: Sequence[FactEnvelope]) -> None:
        """Persist all envelopes.

        Raises:
            SinkUnavailableError: that failed; the caller keeps and repeats them.
            SupersededError: the camera has been started elsewhere since; nothing of this life is taken any more.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveFile:
    """An object of the archive, open for reading; whoever gets it closes ``file`` (seekable).

    Attributes:
        size: bytes. tag: changes whenever the content does.
    """

    file: BinaryIO
    size: int
    tag: str


class PictureSink(Protocol):
    """Takes pictures under the protocol's relative paths."""

    def write(self, path: str, data: bytes) -> None:
        """Store ``data`` under ``path``. Raises ``ArchiveError``."""


class Archive(PictureSink, Protocol):
    """Keeps pictures and clips under the protocol's relative paths (always with '/' and no leading slash here)."""

    def write(self, path: str, data: bytes) -> None:
        """Store ``data`` under ``path``, atomically. Raises ``ArchiveError``."""

    def read(self, path: str) -> bytes | None:
        """The bytes stored under ``path``; None when there is no such object. Raises ``ArchiveError``."""

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder of this machine in which a file for ``adopt`` may be made. Raises ``ArchiveError``."""

    def adopt(self, path: str, file: Path) -> None:
        """Store a finished file of this machine under ``path``, atomically; the file itself may be gone after that. Raises
        ``ArchiveError``."""

    def open(self, path: str) -> ArchiveFile | None:
        """The object under ``path``, open for reading; None when there is none. Raises ``ArchiveError``."""
