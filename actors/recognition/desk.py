"""Where a camera's recognition work is done: in the caller's thread for recordings, in threads of its own for live cameras.

Recognition must never hold up detection nor lose a fact. So every job has an end: an answer, a fault, or its time is over; and
while the networks are down, jobs are turned away at once instead of queueing.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actors.recognition.config import RecognitionConfig
from actors.recognition.gallery import Shot
from actors.recognition.ownership import is_own, stands_still
from actors.recognition.voting import PlateVote, vote
from models.handles import (
    Attributes,
    AttributesClient,
    PendingAttributes,
    PlateRead,
    PlateReaderClient,
    RecognitionFailedError,
    VehicleContext,
)
from traffic.facts import VehicleLooks

logger = logging.getLogger(__name__)
Image = NDArray[np.uint8]
_THREADS = 2
_MAX_WAITING = 32
_TURNED_AWAY_AFTER, _TURNED_AWAY_S = 3, 10.0
_ATTRIBUTE_CROPS = 3
_FIRST_CROPS, _SURE = 2, 0.9  # pictures read first; a vote this near to the surest possible needs no others


@dataclass(frozen=True, kw_only=True)
class RecognitionServices:
    """What recognition works with; picklable, connects lazily. None: that kind of recognition is off.

    Attributes:
        connect_plates, connect_attributes: make the clients; raise RecognitionFailedError while their networks are not up.
    """

    connect_plates: Callable[[], PlateReaderClient] | None = None
    connect_attributes: Callable[[], AttributesClient] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One vehicle to be recognised. ``shots``: best first, not empty."""

    shots: tuple[Shot, ...]
    context: VehicleContext


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What was found out about one vehicle.

    Attributes:
        vote: its plate, of any confidence; None when none was read. plate_image: uint8 (h, w, 3) RGB around it.
        failed: some network gave no answer.
    """

    vote: PlateVote | None = None
    plate_image: Image | None = field(default=None, compare=False)
    attributes: Attributes = field(default_factory=Attributes)
    failed: bool = False

    def looks(self, min_confidence: float) -> VehicleLooks:
        """As they are stated; a plate below ``min_confidence`` is none."""
        plate = self.vote if self.vote is not None and self.vote.confidence >= min_confidence else None
        return VehicleLooks(
            plate_num=plate.text if plate else "",
            plate_color=plate.color if plate else 0,
            plate_confidence=plate.confidence if plate else 0.0,
            vehicle_type=self.attributes.vehicle_type,
            vehicle_type_confidence=self.attributes.vehicle_type_confidence,
            vehicle_color=self.attributes.vehicle_color,
            vehicle_color_confidence=self.attributes.vehicle_color_confidence,
        )


class RecognitionDesk(Protocol):
    """Takes jobs."""

    def submit(self, job: Job) -> "Future[Findings]":
        """Start a job. The future ends within bounded time and never with an exception."""

    def close(self) -> None:
        """End; jobs under way end with what they have."""


class _Work:
    """Does one job after the other with lazily connected clients."""

    def __init__(self, services: RecognitionServices, config: RecognitionConfig) -> None:
        self._services, self._config = services, config
        self._plates: PlateReaderClient | None = None
        self._attributes: AttributesClient | None = None

    def run(self, job: Job, timeout_s: float) -> Findings:
        end = time.monotonic() + timeout_s
        images = [shot.cut.rgb() for shot in job.shots]
        attributes, failed = self._start_attributes(images[:_ATTRIBUTE_CROPS], job.context)
        reads: list[Sequence[PlateRead]] = []
        picked: list[tuple[PlateRead, int]] = []
        voted: PlateVote | None = None
        # The best pictures first; most plates are sure by then.
        shots = [shot for shot in job.shots if self._is_legible(shot)]
        legible = [image for image, shot in zip(images, job.shots, strict=True) if self._is_legible(shot)]
        for part in (legible[:_FIRST_CROPS], legible[_FIRST_CROPS:]):
            found, fault = self._read_plates(part, end - time.monotonic())
            failed |= fault
            reads += found
            picked = _own_reads(reads, shots)
            voted = vote([read for read, _ in picked])
            # A small plate is never quite sure; smaller pictures of it, which come next, would not help.
            if fault or (voted is not None and voted.confidence >= _SURE * voted.best.legible):
                break
        looks = Attributes()
        try:
            looks = attributes.result(max(end - time.monotonic(), 0.0)) if attributes else looks
        except RecognitionFailedError as error:
            failed = self._fault("attributes", error)
        image = None
        if voted is not None:
            index = next(index for read, index in picked if read is voted.best)
            image = _plate_image(legible[index], voted.best)
        return Findings(vote=voted, plate_image=image, attributes=looks, failed=failed)

    def _is_legible(self, shot: Shot) -> bool:
        return shot.box[2] - shot.box[0] >= self._config.plate_min_px

    def _read_plates(self, images: Sequence[Image], timeout_s: float) -> tuple[Sequence[Sequence[PlateRead]], bool]:
        """(plates of each picture, whether that failed)."""
        if not images or self._services.connect_plates is None:
            return (), False
        try:
            self._plates = self._plates or self._services.connect_plates()
            return self._plates.submit(images).result(max(timeout_s, 0.0)), False
        except RecognitionFailedError as error:
            return (), self._fault("plates", error)

    def _start_attributes(self, crops: Sequence[Image], context: VehicleContext) -> tuple[PendingAttributes | None, bool]:
        """(what was started, whether something that should have been was not)."""
        if self._services.connect_attributes is None:
            return None, False
        try:
            self._attributes = self._attributes or self._services.connect_attributes()
            return self._attributes.submit(crops, context), False
        except RecognitionFailedError as error:
            return None, self._fault("attributes", error)

    def _fault(self, what: str, error: RecognitionFailedError) -> bool:
        logger.warning("recognition failed what=%s error=%s", what, error)
        return True


class InlineDesk:
    """Does each job at once, in the caller's thread: the same recording gives the same looks."""

    def __init__(self, services: RecognitionServices, config: RecognitionConfig) -> None:
        self._work, self._timeout_s = _Work(services, config), 60.0

    def submit(self, job: Job) -> "Future[Findings]":
        """See RecognitionDesk."""
        future: Future[Findings] = Future()
        future.set_result(self._work.run(job, self._timeout_s))
        return future

    def close(self) -> None:
        """See RecognitionDesk."""


class ThreadedDesk:
    """Two threads; jobs that would wait too long, and all jobs for a while after three faults in a row, are turned away."""

    def __init__(
        self, services: RecognitionServices, config: RecognitionConfig, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._work, self._config, self._clock = _Work(services, config), config, clock
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="recognition")
        self._lock = threading.Lock()
        self._waiting = 0
        self._faults = 0
        self._closed_until = -np.inf

    def submit(self, job: Job) -> "Future[Findings]":
        """See RecognitionDesk."""
        with self._lock:
            turned_away = self._waiting >= _MAX_WAITING or self._clock() < self._closed_until
            self._waiting += not turned_away
        if turned_away:
            future: Future[Findings] = Future()
            future.set_result(Findings(failed=True))
            return future
        return self._pool.submit(self._run, job, self._clock() + self._config.patience_s)

    def close(self) -> None:
        """See RecognitionDesk."""
        self._pool.shutdown(wait=False, cancel_futures=False)

    def _run(self, job: Job, end: float) -> Findings:
        found = Findings(failed=True)
        try:
            left = end - self._clock()
            if left > 0:
                found = self._work.run(job, left)
        finally:
            with self._lock:
                self._waiting -= 1
                self._faults = self._faults + 1 if found.failed else 0
                if self._faults >= _TURNED_AWAY_AFTER:
                    self._faults, self._closed_until = 0, self._clock() + _TURNED_AWAY_S
        return found


def _own_reads(reads: Sequence[Sequence[PlateRead]], shots: Sequence[Shot]) -> list[tuple[PlateRead, int]]:
    """(read, number of its shot): in each shot the surest plate that can be the vehicle's own; none that stands still."""
    placed: list[tuple[PlateRead, int, NDArray[np.float64]]] = []
    for index, (found, shot) in enumerate(zip(reads, shots, strict=False)):
        own = [(read, shot.cut.to_frame(read.corners)) for read in found]
        own = [(read, corners) for read, corners in own if is_own(corners, shot)]
        placed += [(read, index, corners) for read, corners in own]
    still = {
        text
        for text in {read.text for read, _, _ in placed}
        if stands_still([(corners, shots[index]) for read, index, corners in placed if read.text == text])
    }
    best: dict[int, PlateRead] = {}
    for read, index, _ in placed:
        if read.text not in still and (index not in best or read.confidence > best[index].confidence):
            best[index] = read
    return [(read, index) for index, read in sorted(best.items())]


def _plate_image(image: Image, read: PlateRead) -> Image:
    """The plate with a little around it, at least two pixels wide and high."""
    (x1, y1), (x2, y2) = read.corners.min(axis=0), read.corners.max(axis=0)
    dx, dy = 0.12 * (x2 - x1) + 2, 0.25 * (y2 - y1) + 2
    height, width = image.shape[:2]
    left, top = int(np.clip(x1 - dx, 0, width - 2)), int(np.clip(y1 - dy, 0, height - 2))
    right, bottom = int(np.clip(np.ceil(x2 + dx), left + 2, width)), int(np.clip(np.ceil(y2 + dy), top + 2, height))
    return np.ascontiguousarray(image[top:bottom, left:right])
