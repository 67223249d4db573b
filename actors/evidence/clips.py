"""Clips of events: asked for when an event is stated, written when their end has come, the event sent after that."""

import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from actors.decoding import ClipSpan, PacketClip, save_clip
from actors.errors import ArchiveError, ClipError
from actors.evidence.config import EvidenceConfig
from actors.ports import Archive, FactEnvelope
from traffic.facts import CrowdAlarm, TrafficEvent

logger = logging.getLogger(__name__)
_MOST_WAITING = 64
_POLL_S = 0.5
_NICE = 10
Ask = Callable[[ClipSpan], "Future[PacketClip] | None"]


@dataclass(slots=True)
class ClipCounters:
    """What became of clips since the camera started."""

    copied: int = 0
    encoded: int = 0
    failed: int = 0
    last_error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    envelope: FactEnvelope
    packets: "Future[PacketClip] | None"


class ClipKeeper:
    """Holds the facts of events back until their clip is in the archive, in their order; everything else goes on at once.

    With ``hold_s`` every such fact is stated twice: at once, to be kept and not sent for so long (see FactEnvelope), so that it
    outlives this process, and again when its clip is whole.

    An event is never lost and never waits for ever: a clip that cannot be made (no packets, a full disk, a camera that stops)
    costs the clip only, and the event leaves with an empty path.
    """

    def __init__(
        self,
        archive: Archive,
        ask: Ask,
        emit: Callable[[Sequence[FactEnvelope]], None],
        config: EvidenceConfig,
        hold_s: float = 0.0,
    ) -> None:
        """``ask``: for packets that are still to come, see PacketRing.request. ``emit``: where facts go on to."""
        self._archive, self._ask, self._emit, self._config, self._hold_s = archive, ask, emit, config, hold_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._deadline_s: float | None = None
        self._last: tuple[PacketClip, str] | None = None
        self._at_work: _Job | None = None
        self._handing_over = threading.Lock()
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)
        self.counters = ClipCounters()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def take(self, envelopes: Sequence[FactEnvelope]) -> None:
        """Facts in the order of the analysis. Never waits for a clip."""
        for envelope in envelopes:
            fact = envelope.fact
            if not isinstance(fact, TrafficEvent | CrowdAlarm):
                self._emit([envelope])
                continue
            job = _Job(envelope=envelope, packets=self._request(envelope, fact.time_s) if envelope.clip else None)
            if not self._config.wait:
                self._emit([envelope])
            elif self._hold_s and envelope.clip:
                self._emit([replace(envelope, hold_s=self._hold_s)])
            if self._config.wait or envelope.clip:
                self._jobs.put(job)

    def finish(self, within_s: float) -> bool:
        """Nothing more comes: make the clips that are left, at most for about ``within_s``; after that events leave without.

        Returns whether every clip was finished with. The source must have ended, or its packets are waited for all that time.
        """
        self._deadline_s = time.monotonic() + within_s
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(within_s + 2 * _POLL_S)
        if not self._thread.is_alive():
            return True
        # A codec or an archive that does not come to an end: what waits behind it leaves from here.
        with self._handing_over:
            self._given_up = True
            left = [] if self._at_work is None else [self._at_work]
            with suppress(queue.Empty):
                while (job := self._jobs.get_nowait()) is not None:
                    left.append(job)
            if self._config.wait:
                self._emit([replace(job.envelope, clip="") for job in left])
        return False

    # -- parts --------------------------------------------------------------------------------------------------------

    def _request(self, envelope: FactEnvelope, moment_s: float) -> "Future[PacketClip] | None":
        if self._waiting >= _MOST_WAITING:
            self._fail(envelope, f"{self._waiting} clips wait already")
            return None
        packets = self._ask(ClipSpan(moment_s=moment_s, before_s=self._config.before_s, after_s=self._config.after_s))
        if packets is None:
            self._fail(envelope, "the source keeps no video")
        else:
            self._waiting += 1
        return packets

    def _run(self) -> None:
        with suppress(OSError, AttributeError):  # only on Linux has a thread a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while (job := self._jobs.get()) is not None:
            self._at_work = job
            path = self._make(job)
            with self._handing_over:
                if self._given_up:
                    return
                self._at_work = None
                if self._config.wait:
                    self._emit([replace(job.envelope, clip=path)])

    def _make(self, job: _Job) -> str:
        """The clip's path, "" without one."""
        if job.packets is None:
            return ""
        try:
            self._write(self._packets(job.packets), job.envelope.clip)
        except (ClipError, ArchiveError) as error:
            self._fail(job.envelope, str(error))
            return ""
        except Exception as error:
            # A fault of a codec nobody foresaw must not hold back this event and all after it.
            logger.exception("clip failed path=%s", job.envelope.clip)
            self._fail(job.envelope, type(error).__name__)
            return ""
        finally:
            self._waiting -= 1
        return job.envelope.clip

    def _packets(self, packets: "Future[PacketClip]") -> PacketClip:
        while True:
            if self._deadline_s is not None and time.monotonic() > self._deadline_s:
                raise ClipError("the camera stopped")
            try:
                return packets.result(_POLL_S)
            except NotYetError:
                continue

    def _write(self, clip: PacketClip, path: str) -> None:
        last = self._last
        if last is not None and _same(last[0], clip) and (data := self._archive.read(last[1])):
            self._archive.write(path, data)  # two events of one moment: the work is done once, each has its own file
            return
        with self._archive.scratch() as folder:
            file = Path(folder) / f".{uuid.uuid4().hex}.part"
            try:
                how = save_clip(clip, file, self._config.encoding)
                self._archive.adopt(path, file)
            finally:
                file.unlink(missing_ok=True)
        self._last = (_ends(clip), path)
        if how == "copied":
            self.counters.copied += 1
        else:
            self.counters.encoded += 1

    def _fail(self, envelope: FactEnvelope, reason: str) -> None:
        self.counters.failed += 1
        self.counters.last_error = reason
        logger.error("clip not kept task=%s path=%s reason=%s", envelope.task.task_num, envelope.clip, reason)


def _ends(clip: PacketClip) -> PacketClip:
    """Enough of a clip to know it again without keeping it."""
    return PacketClip(header=clip.header, packets=(clip.packets[0], clip.packets[-1]))


def _same(ends: PacketClip, clip: PacketClip) -> bool:
    return bool(clip.packets) and clip.packets[0] is ends.packets[0] and clip.packets[-1] is ends.packets[-1]
