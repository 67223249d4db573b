"""The networks of the settings in this process, without Ray: for recordings and still pictures."""

from actors.recognition import RecognitionServices
from cluster.recognize import Networks
from cluster.settings import Settings
from models.attributes.clients import LocalAttributesClient, LocalWeatherClient
from models.attributes.reader import AttributeReader, load_attribute_reader
from models.detector import Detector
from models.handles import LocalDetectorClient, LocalPlateReaderClient
from models.plates.reader import SCENE_PX
from models.plates.systems import find_system, load_plate_reader
from models.store import WeightsStore


def local_detector(settings: Settings, engine: str, threads: int = 1) -> LocalDetectorClient:
    """The detector. Raises ModelError: weights missing or damaged."""
    size = (settings.detector_width, settings.detector_height)
    detector = Detector(
        settings.detector_model,
        WeightsStore(settings.models_dir),
        input_size=size if all(size) else None,
        engine=engine,
        device=settings.detector_device,
        threads=threads,
    )
    return LocalDetectorClient(detector)


def local_networks(settings: Settings) -> Networks:
    """Everything that looks at still pictures. Raises ModelError: weights missing or damaged."""
    detector = local_detector(settings, settings.detector_engine)
    reader = _attributes(settings) if settings.attributes else None
    return Networks(
        detector=detector,
        plates=_plates(settings, SCENE_PX) if settings.plates else None,
        attributes=LocalAttributesClient(reader) if reader else None,
        weather=LocalWeatherClient(reader) if reader else None,
    )


def local_recognition(settings: Settings) -> tuple[RecognitionServices | None, LocalWeatherClient | None]:
    """Recognition of vehicles and of the weather (None: off). Raises ModelError: weights missing or damaged, said at once."""
    plates = _plates(settings) if settings.plates else None
    reader = _attributes(settings) if settings.attributes else None
    attributes = LocalAttributesClient(reader) if reader else None
    services = RecognitionServices(
        connect_plates=(lambda: plates) if plates else None, connect_attributes=(lambda: attributes) if attributes else None
    )
    return services if plates or attributes else None, LocalWeatherClient(reader) if reader else None


def _plates(settings: Settings, longest_px: int = 0) -> LocalPlateReaderClient:
    reader = load_plate_reader(
        find_system(settings.plate_system),
        WeightsStore(settings.models_dir),
        engine=settings.plate_engine,
        device=settings.plate_device,
        threads=settings.plate_threads,
    )
    return LocalPlateReaderClient(reader, longest_px or settings.plate_vehicle_px, thorough=bool(longest_px))


def _attributes(settings: Settings) -> AttributeReader:
    return load_attribute_reader(
        WeightsStore(settings.models_dir),
        engine=settings.attribute_engine,
        device=settings.attribute_device,
        threads=settings.attribute_threads,
        backbone=settings.attribute_backbone,
    )
