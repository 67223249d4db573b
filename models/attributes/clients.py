"""How cameras reach type, colour and weather recognition: in this process or over Ray Serve."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.handles import Attributes, PendingAttributes, PendingWeather, RecognitionFailedError, VehicleContext

if TYPE_CHECKING:
    from models.attributes.reader import AttributeReader

Image = NDArray[np.uint8]
Answer = TypeVar("Answer")


class _Done(Generic[Answer]):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def result(self, timeout_s: float) -> Answer:
        return self._answer


class LocalAttributesClient:
    """The networks in this very process; reading happens in ``submit``. Deterministic."""

    def __init__(self, reader: "AttributeReader") -> None:
        self._reader = reader

    def submit(self, crops: Sequence[Image], context: VehicleContext) -> PendingAttributes:
        """See AttributesClient."""
        return _Done(self._reader.read([(crops, context)])[0])


class LocalWeatherClient:
    """The same for the weather."""

    def __init__(self, reader: "AttributeReader") -> None:
        self._reader = reader

    def submit(self, picture: Image) -> PendingWeather:
        """See WeatherClient."""
        return _Done(self._reader.weather([picture])[0])


class _ServeAnswer(Generic[Answer]):
    def __init__(self, response: Any) -> None:
        self._response = response

    def result(self, timeout_s: float) -> Answer:
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        try:
            answer: Answer = self._response.result(timeout_s=timeout_s)
        except (TimeoutError, RayError, RayServeException) as error:
            self._response.cancel()  # what nobody waits for must not queue up
            raise RecognitionFailedError(f"{type(error).__name__}: {error}") from error
        return answer


class _ServeClient:
    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @staticmethod
    def _look_up(app_name: str, deployment: str) -> Any:
        from ray import serve
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        try:
            return serve.get_deployment_handle(deployment, app_name=app_name)
        except (RayError, RayServeException) as error:
            raise RecognitionFailedError(f"{type(error).__name__}: {error}") from error

    @staticmethod
    def _call(method: Any, *arguments: Any) -> Any:
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        try:
            return method.remote(*arguments)
        except (RayError, RayServeException) as error:
            raise RecognitionFailedError(f"{type(error).__name__}: {error}") from error


class ServeAttributesClient(_ServeClient):
    """The attributes deployment of the running Serve application. Usable from any thread of an actor."""

    @classmethod
    def connect(cls, app_name: str, deployment: str) -> "ServeAttributesClient":
        """Look up the deployment. Raises RecognitionFailedError while it is not up."""
        return cls(cls._look_up(app_name, deployment))

    def submit(self, crops: Sequence[Image], context: VehicleContext) -> PendingAttributes:
        """See AttributesClient. A vehicle is a request; the deployment batches over vehicles and cameras."""
        answer: _ServeAnswer[Attributes] = _ServeAnswer(self._call(self._handle, list(crops), context))
        return answer


class ServeWeatherClient(_ServeClient):
    """The weather of the attributes deployment."""

    @classmethod
    def connect(cls, app_name: str, deployment: str) -> "ServeWeatherClient":
        """Look up the deployment. Raises RecognitionFailedError while it is not up."""
        return cls(cls._look_up(app_name, deployment))

    def submit(self, picture: Image) -> PendingWeather:
        """See WeatherClient."""
        answer: _ServeAnswer[NDArray[np.float64]] = _ServeAnswer(self._call(self._handle.weather, picture))
        return answer
