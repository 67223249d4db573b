"""Metrics of cameras by task, and of the supervisor, on Ray's metrics endpoint."""

from dataclasses import replace

from actors.ports import CameraHealth
from actors.recognition import RecognitionCounters


class CameraMetrics:
    """Counters of one camera. Ray is imported when the first one is made, inside the actor."""

    def __init__(self, task_num: str) -> None:
        from ray.util.metrics import Counter, Gauge

        # Ray takes ASCII only.
        tags = {"task": task_num.encode("ascii", "backslashreplace").decode()}

        def counter(name: str, text: str) -> "Counter":
            made = Counter(f"wayside_{name}_total", text, tag_keys=("task",))
            made.set_default_tags(tags)
            return made

        self._decoded = counter("frames_decoded", "Frames decoded")
        self._analysed = counter("frames_analysed", "Frames analysed")
        self._still = counter("frames_still", "Frames analysed that showed nothing new and needed no detection")
        self._dropped = counter("frames_dropped", "Frames not analysed because the detector was too slow")
        self._passages = counter("passages", "Vehicle passages")
        self._events = counter("events", "Events raised or upgraded")
        self._clips_failed = counter("clips_failed", "Clips of events that could not be kept")
        self._pictures_failed = counter("pictures_failed", "Pictures that could not be kept")
        self._status = Gauge("wayside_task_status", "0 off, 1 analysing, 2 reconnecting, 3 disconnected", tag_keys=("task",))
        self._status.set_default_tags(tags)
        self._recognised = counter("vehicles_recognised", "Vehicles given to recognition")
        self._plates = counter("plates_stated", "Facts that went out with a plate")
        self._failed = counter(
            "recognition_failed", "Vehicles some of whose looks are missing because recognition failed or was slow"
        )
        self._delay = Gauge("wayside_analysis_delay_seconds", "Age of the newest live frame when analysed", tag_keys=("task",))
        self._delay.set_default_tags(tags)
        self._last: CameraHealth | None = None
        self._last_recognition = RecognitionCounters()

    def told(self, status: int) -> None:
        """The status changed; a camera without frames has no other way to show it. From any thread."""
        self._status.set(status)

    def observe(self, health: CameraHealth) -> None:
        """Bring the counters up to ``health``."""
        last = self._last
        steps = (
            (self._decoded, health.frames_decoded - (last.frames_decoded if last else 0)),
            (self._analysed, health.frames_analysed - (last.frames_analysed if last else 0)),
            (self._still, health.frames_still - (last.frames_still if last else 0)),
            (self._dropped, health.frames_dropped - (last.frames_dropped if last else 0)),
            (self._passages, health.passages - (last.passages if last else 0)),
            (self._events, health.events - (last.events if last else 0)),
            (self._clips_failed, health.clips_failed - (last.clips_failed if last else 0)),
            (self._pictures_failed, health.pictures_failed - (last.pictures_failed if last else 0)),
        )
        for counter, step in steps:
            if step > 0:
                counter.inc(step)
        self._status.set(int(health.status))
        self._delay.set(health.analysis_delay_s)
        self._last = health

    def observe_recognition(self, counters: RecognitionCounters) -> None:
        """Bring the counters of recognition up to ``counters``."""
        last = self._last_recognition
        steps = (
            (self._recognised, counters.recognised - last.recognised),
            (self._plates, counters.plates - last.plates),
            (self._failed, counters.failed - last.failed),
        )
        for counter, step in steps:
            if step > 0:
                counter.inc(step)
        self._last_recognition = replace(counters)


class SupervisorMetrics:
    """What only the supervisor knows: a camera whose machine is lost tells nothing any more. Ray is imported when it is made."""

    def __init__(self) -> None:
        from ray.util.metrics import Gauge

        self._missing = Gauge("wayside_cameras_missing", "Enabled tasks whose camera does not answer, or waits for room")

    def observe(self, missing: int) -> None:
        """``missing``: enabled tasks of which no camera answers."""
        self._missing.set(missing)
