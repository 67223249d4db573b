"""Cameras call the detector deployment over Ray Serve. Ray is imported inside, where a camera runs."""

from typing import Any

from models.handles import DetectionFailedError, Image, InputFit, PendingDetections
from traffic.types import Detections


class ServeDetectorClient:
    """The detector deployment of the running Serve application. To be used by one thread at a time."""

    def __init__(self, handle: Any, input_size: tuple[int, int], input_fit: InputFit | None = None) -> None:
        self._handle = handle
        self._input_size = input_size
        self._input_fit = input_fit or InputFit()
        self._pictures_per_call = 1
        self._open = _Call(handle)

    @classmethod
    def connect(cls, app_name: str, deployment: str, timeout_s: float) -> "ServeDetectorClient":
        """Look up the deployment and ask it for its input. Raises DetectionFailedError while it is not up."""
        from ray import serve
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        try:
            handle: Any = serve.get_deployment_handle(deployment, app_name=app_name)
            # Pictures are large: a replica on this machine first, while it keeps up. Serve has no public name for it yet, and may
            # take this one away: then any replica is asked.
            prefer = getattr(handle, "_init", None)
            if prefer is not None:
                prefer(_prefer_local_routing=True)
            (width, height), fit = handle.get_input.remote().result(timeout_s=timeout_s)
        except (TimeoutError, RayError, RayServeException) as error:
            raise DetectionFailedError(f"{type(error).__name__}: {error}") from error
        return cls(handle, (int(width), int(height)), fit)

    @property
    def input_size(self) -> tuple[int, int]:
        """See DetectorClient."""
        return self._input_size

    @property
    def input_fit(self) -> InputFit:
        """See DetectorClient."""
        return self._input_fit

    def gather(self, pictures: int) -> None:
        """See DetectorClient."""
        self._pictures_per_call = max(1, pictures)

    def submit(self, image: Image) -> PendingDetections:
        """See DetectorClient."""
        if self._open.sent:
            self._open = _Call(self._handle)
        pending = self._open.add(image)
        if self._open.size >= self._pictures_per_call:
            self._open.send()
        return pending


class _Call:
    """Pictures that go to the detector together; the first answer that is asked for sends them."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._images: list[Image] = []
        self._response: Any = None
        self._found: list[Detections] | None = None
        self._failure = ""
        self.sent = False

    @property
    def size(self) -> int:
        return len(self._images)

    def add(self, image: Image) -> "_Pending":
        self._images.append(image)
        return _Pending(self, len(self._images) - 1)

    def send(self) -> None:
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        images, self._images, self.sent = self._images, [], True
        try:
            self._response = self._handle.remote(images)
        except (RayError, RayServeException) as error:
            self._failure = f"{type(error).__name__}: {error}"

    def wait(self, timeout_s: float) -> list[Detections]:
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        if not self.sent:
            self.send()
        if self._found is None and not self._failure:
            try:
                answers = self._response.result(timeout_s=timeout_s)
                self._found = [Detections(boxes=boxes, scores=scores, classes=classes) for boxes, scores, classes in answers]
            except (TimeoutError, RayError, RayServeException) as error:
                self._failure = f"{type(error).__name__}: {error}"
                self._response.cancel()  # what nobody waits for must not queue up
            self._response = None
        if self._found is None:
            raise DetectionFailedError(self._failure)
        return self._found


class _Pending:
    """One picture of a call."""

    def __init__(self, call: _Call, index: int) -> None:
        self._call, self._index = call, index

    def result(self, timeout_s: float) -> Detections:
        return self._call.wait(timeout_s)[self._index]
