"""Facts about vehicles wait here for the looks of their vehicle, in their order and for a bounded time."""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace

from actors.decoding import DecodedFrame, rgb_jpeg
from actors.ports import FactEnvelope
from actors.recognition.config import RecognitionConfig
from actors.recognition.desk import Findings, Job, RecognitionDesk
from actors.recognition.gallery import Gallery
from models.handles import VehicleContext
from traffic.facts import VehicleLooks
from traffic.types import Track, TrackId, TrackState

logger = logging.getLogger(__name__)
SavePlate = Callable[[FactEnvelope, bytes], str]


@dataclass(slots=True)
class RecognitionCounters:
    """Since the recognizer was made: vehicles recognised, plates stated, vehicles some of whose looks are missing because
    recognition failed or was slow, plates withheld because another vehicle has them."""

    recognised: int = 0
    plates: int = 0
    failed: int = 0
    contested: int = 0


@dataclass(slots=True)
class _Waiting:
    """A fact in the queue. ``track_id`` None: it waits only for those before it."""

    envelope: FactEnvelope
    track_id: TrackId | None
    context: VehicleContext | None
    held_s: float
    begun: bool = False
    job: "Future[Findings] | None" = None


class Recognizer:
    """Recognition of one camera. Called by its analysis alone; only the desk's jobs run elsewhere.

    Args:
        desk: does the work.
        save_plate: keeps a plate's JPEG for a fact and answers its path, "" when it could not.
    """

    def __init__(
        self, desk: RecognitionDesk, config: RecognitionConfig, save_plate: SavePlate, *, jpeg_quality: int = 90
    ) -> None:
        self._desk, self._config, self._save_plate, self._quality = desk, config, save_plate, jpeg_quality
        self._gallery = Gallery(config)
        self._queue: deque[_Waiting] = deque()
        self._known: OrderedDict[TrackId, Findings] = OrderedDict()
        self._owners: OrderedDict[str, TrackId] = OrderedDict()
        self._alive: frozenset[TrackId] = frozenset()
        self._visible: frozenset[TrackId] = frozenset()
        self.counters = RecognitionCounters()

    @property
    def waiting(self) -> int:
        """Facts held."""
        return len(self._queue)

    @property
    def bytes_held(self) -> int:
        """Of pictures."""
        return self._gallery.bytes_held

    def looks_of(self, track_id: TrackId) -> VehicleLooks:
        """What is known of a vehicle by now; unknown codes before it was recognised."""
        found = self._known.get(track_id)
        return found.looks(self._config.plate_min_confidence) if found else VehicleLooks()

    def observe(self, frame: DecodedFrame, tracks: Sequence[Track]) -> None:
        """Every analysed frame with its tracks, before the facts of that frame are held."""
        self._alive = frozenset(track.track_id for track in tracks if track.state is not TrackState.DELETED)
        self._visible = frozenset(track.track_id for track in tracks if track.state is TrackState.CONFIRMED)
        self._gallery.observe(frame, tracks)
        for track_id in self._gallery.renewed:
            self._known.pop(track_id, None)

    def renew(self, track_id: TrackId, since_s: float) -> None:
        """The track carries another vehicle than before since video time ``since_s``: what was known of the first is not its."""
        self._gallery.drop_before(track_id, since_s)
        self._known.pop(track_id, None)

    def hold(
        self, envelope: FactEnvelope, time_s: float, track_id: TrackId | None = None, context: VehicleContext | None = None
    ) -> None:
        """Queue a fact; ``time_s``: video time now. With ``track_id`` and ``context`` it gets that vehicle's looks."""
        self._queue.append(_Waiting(envelope, track_id, context, time_s))

    def release(self, time_s: float) -> tuple[FactEnvelope, ...]:
        """Facts that are ready at video time ``time_s``, in the order in which they were held. Never waits."""
        for item in self._queue:
            if not item.begun and self._is_due(item, time_s):
                self._begin(item)
        ready = []
        while self._queue and self._queue[0].begun and (self._queue[0].job is None or self._queue[0].job.done()):
            ready.append(self._completed(self._queue.popleft()))
        return tuple(ready)

    def finish(self, timeout_s: float) -> tuple[FactEnvelope, ...]:
        """Everything held, now: no more frames come. Waits at most ``timeout_s`` for each job under way."""
        for item in self._queue:
            if not item.begun:
                self._begin(item)
        ready = []
        while self._queue:
            item = self._queue.popleft()
            if item.job is not None:
                try:
                    item.job.exception(timeout_s)
                except FutureTimeoutError:
                    item.job, timeout_s = None, 0.0
                    self.counters.failed += 1
            ready.append(self._completed(item))
        return tuple(ready)

    def close(self) -> None:
        """End the desk's work."""
        self._desk.close()

    def _is_due(self, item: _Waiting, time_s: float) -> bool:
        """Whether no better picture of the vehicle is to be expected, or it has been waited for long enough."""
        if item.track_id is None or item.track_id not in self._visible or time_s - item.held_s >= self._config.max_linger_s:
            return True
        return time_s - max(item.held_s, self._gallery.improved_s(item.track_id)) >= self._config.linger_s

    def _begin(self, item: _Waiting) -> None:
        item.begun = True
        if item.track_id is None or item.context is None:
            return
        shots = self._gallery.shots(item.track_id)
        if shots:
            item.job = self._desk.submit(Job(shots=shots, context=item.context))

    def _completed(self, item: _Waiting) -> FactEnvelope:
        if item.track_id is None:
            return item.envelope
        found = self._remember(item.track_id, _answer(item.job) if item.job is not None else None)
        if found is None:
            return item.envelope
        looks = found.looks(self._config.plate_min_confidence)
        if looks.plate_num and not self._claim(item.track_id, found):
            self.counters.contested += 1
            looks = replace(looks, plate_num="", plate_color=0, plate_confidence=0.0)
        path = ""
        if looks.plate_num:
            self.counters.plates += 1
            if found.plate_image is not None:
                path = self._save_plate(item.envelope, rgb_jpeg(found.plate_image, quality=self._quality))
        return replace(item.envelope, looks=looks, plate_picture=path)

    def _remember(self, track_id: TrackId, new: Findings | None) -> Findings | None:
        """The new findings joined with what was known: the surer plate, the newer attributes."""
        old = self._known.pop(track_id, None)
        if new is not None:
            self.counters.recognised += 1
            self.counters.failed += new.failed
            if old is not None and _sureness(old) > _sureness(new):
                new = replace(new, vote=old.vote, plate_image=old.plate_image)
            if old is not None and new.failed:
                new = replace(new, attributes=old.attributes)
        best = new or old
        if best is not None:
            self._known[track_id] = best
            while len(self._known) > self._config.remembered:
                self._known.popitem(last=False)
        return best

    def _claim(self, track_id: TrackId, found: Findings) -> bool:
        """Whether the vehicle may have its plate: no other one in view has it already as surely, or has read it more surely."""
        assert found.vote is not None
        text, sureness = found.vote.text, _sureness(found)
        owner = self._owners.get(text)
        held = self._known.get(owner) if owner in self._alive - {track_id} and owner is not None else None
        if held is not None and _says(held, text) >= sureness:
            return False
        rivals = [item for item in self._queue if item.track_id in self._alive - {track_id}]
        ended = [item.job for item in rivals if item.job is not None and item.job.done()]
        if any(_says(_answer(job), text) > sureness for job in ended):
            return False
        self._owners.pop(text, None)
        self._owners[text] = track_id
        while len(self._owners) > self._config.remembered:
            self._owners.popitem(last=False)
        return True


def _answer(job: "Future[Findings]") -> Findings:
    """What an ended job found. A fault in the work itself must cost the looks, not the camera's analysis."""
    error = job.exception()
    if error is not None:
        logger.error("recognition job failed", exc_info=error)
        return Findings(failed=True)
    return job.result()


def _says(found: Findings, text: str) -> float:
    """How surely ``text`` was read, 0 when something else was."""
    return found.vote.confidence if found.vote is not None and found.vote.text == text else 0.0


def _sureness(found: Findings) -> float:
    return found.vote.confidence if found.vote is not None else 0.0
