"""The composition root: settings in, one Serve application out. ``serve deploy``, ``wayside up`` and jobs all come here."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ray import serve

from actors.aggregator import AggregatorConfig, AggregatorSink
from actors.archive import FolderArchive, ObjectArchive, open_archive
from actors.camera_config import CameraConfig, CameraServices
from actors.delivery.health import HealthPolicy
from actors.delivery.policy import DeliveryPolicy
from actors.delivery.ports import Bounds
from actors.evidence.config import EvidenceConfig
from actors.pipeline import PipelineConfig
from actors.places import ActorPlaces, CameraPlaces
from actors.pusher import PusherConfig, PusherSink
from actors.recognition import RecognitionConfig, RecognitionServices
from api.outbox import SqlOutboxStore
from api.parameter_store import SqlParameterStore
from api.task_store import SqlTaskStore
from cluster.actors import APP_NAME, INGRESS_NAME, SUPERVISOR, ActorSystem, AggregatorPlan, PusherPlan, actor_environment
from cluster.rollout import Share, free_now, has_room, surge_percent
from cluster.settings import Settings
from models.attributes.clients import ServeAttributesClient, ServeWeatherClient
from models.attributes.deployment import DEPLOYMENT_NAME as ATTRIBUTES_NAME
from models.attributes.deployment import AttributeSettings, build_attributes
from models.deployment import DEPLOYMENT_NAME, DetectorSettings, build_detector
from models.handles import ServePlateReaderClient
from models.plates.deployment import DEPLOYMENT_NAME as PLATES_NAME
from models.plates.deployment import PlateSettings, build_plates
from models.serve_client import ServeDetectorClient

logger = logging.getLogger(__name__)


def detector_settings(settings: Settings) -> DetectorSettings:
    """The detector deployment's share of the settings."""
    size = (settings.detector_width, settings.detector_height)
    return DetectorSettings(
        model=settings.detector_model,
        input_size=size if all(size) else None,
        engine=settings.detector_engine,
        device=settings.detector_device,
        streams=settings.resolved_detector_threads,
        num_cpus=settings.detector_num_cpus or (1.0 if settings.detector_num_gpus else 0.3 * settings.resolved_detector_threads),
        replicas=settings.detector_replicas,
        most_replicas=settings.detector_replicas_max,
        num_gpus=settings.detector_num_gpus,
        max_batch_size=settings.detector_max_batch_size,
        models_dir=settings.models_dir,
    )


def plate_settings(settings: Settings) -> PlateSettings:
    """The plate reader deployment's share of the settings."""
    return PlateSettings(
        system=settings.plate_system,
        longest_px=settings.plate_vehicle_px,
        engine=settings.plate_engine,
        device=settings.plate_device,
        threads=settings.plate_threads,
        num_cpus=settings.plate_num_cpus,
        replicas=settings.plate_replicas,
        num_gpus=settings.plate_num_gpus,
        max_batch_size=settings.plate_max_batch_size,
        models_dir=settings.models_dir,
    )


def attribute_settings(settings: Settings) -> AttributeSettings:
    """The attributes deployment's share of the settings."""
    return AttributeSettings(
        backbone=settings.attribute_backbone,
        engine=settings.attribute_engine,
        device=settings.attribute_device,
        threads=settings.attribute_threads,
        num_cpus=settings.attribute_num_cpus,
        replicas=settings.attribute_replicas,
        num_gpus=settings.attribute_num_gpus,
        max_batch_size=settings.attribute_max_batch_size,
        models_dir=settings.models_dir,
    )


def recognition_config(settings: Settings) -> RecognitionConfig:
    """How every camera recognises vehicles."""
    return RecognitionConfig(plate_min_confidence=settings.plate_min_confidence, patience_s=settings.recognition_patience_s)


def recognition_services(settings: Settings) -> RecognitionServices | None:
    """How cameras reach the recognition deployments; None when all of it is off."""
    plates = partial(ServePlateReaderClient.connect, APP_NAME, PLATES_NAME) if settings.plates else None
    attributes = partial(ServeAttributesClient.connect, APP_NAME, ATTRIBUTES_NAME) if settings.attributes else None
    if plates is None and attributes is None:
        return None
    return RecognitionServices(connect_plates=plates, connect_attributes=attributes)


def network_deployments(settings: Settings) -> tuple[Any, ...]:
    """The bound deployments of networks that are on, the detector first.

    Where there is room, a new version's replicas start beside the old ones; see ``cluster.rollout``.
    """
    plans: list[tuple[Callable[[Any], Any], Any]] = [(build_detector, detector_settings(settings))]
    plans += [(build_plates, plate_settings(settings))] if settings.plates else []
    plans += [(build_attributes, attribute_settings(settings))] if settings.attributes else []
    beside = has_room(free_now(), [Share(cpus=plan.num_cpus, gpus=plan.num_gpus) for _, plan in plans])
    if not beside:
        logger.info("no room for a second replica of each network: a new version stops the old ones first")
    return tuple(make(replace(plan, surge_percent=surge_percent(plan.replicas) if beside else 0)) for make, plan in plans)


def pusher_names(settings: Settings) -> tuple[str, ...]:
    """Names of the pusher actors."""
    return tuple(f"pusher-{index}" for index in range(settings.pushers))


def aggregator_names(settings: Settings) -> tuple[str, ...]:
    """Names of the aggregator actors."""
    return tuple(f"aggregator-{index}" for index in range(settings.aggregators))


def evidence_config(settings: Settings) -> EvidenceConfig:
    """Pictures and clips of events."""
    return EvidenceConfig(
        boxed=settings.event_box,
        clips=settings.clips,
        before_s=settings.clip_before_s,
        after_s=settings.clip_after_s,
        wait=settings.clip_wait,
        memory_bytes=settings.clip_memory_bytes,
    )


def archive_of(settings: Settings) -> FolderArchive | ObjectArchive:
    """The archive of this installation."""
    return open_archive(settings.resolved_archive_url, settings.archive_options, settings.archive_min_free_bytes)


def camera_config(settings: Settings) -> CameraConfig:
    """What every camera of this installation shares."""
    return CameraConfig(
        pipeline=PipelineConfig(
            jpeg_quality=settings.jpeg_quality,
            detector_timeout_s=settings.detector_timeout_s,
            evidence=evidence_config(settings),
            recognition=recognition_config(settings),
            still_s=settings.still_s,
        ),
        default_analysed_fps=settings.analysed_fps,
        disconnected_after_s=settings.disconnected_after_s,
        stall_timeout_s=settings.stall_timeout_s,
        hardware=settings.camera_hardware,
        outbound=settings.outbound,
        lease_s=settings.camera_lease_s,
    )


def pusher_config(settings: Settings) -> PusherConfig:
    """What every pusher of this installation shares."""
    max_age_s = settings.delivery_max_age_h * 3600
    disable_after_s = settings.delivery_disable_after_days * 86_400
    return PusherConfig(
        timeout_s=settings.delivery_timeout_s,
        outbound=settings.outbound,
        policy=DeliveryPolicy(max_age_s=max_age_s),
        # A fifth of the time is left to the operator who was told.
        health=HealthPolicy(disable_after_s=disable_after_s, notice_after_s=disable_after_s * 0.8),
        bounds=Bounds(
            max_waiting=settings.outbox_max_waiting,
            max_bytes=settings.outbox_max_bytes,
            max_total_bytes=settings.outbox_max_total_bytes,
            max_age_s=max_age_s + 3600,  # what waits is given up by its policy before it is dropped for its age
            keep_s=settings.delivery_keep_days * 86_400,
            keep_events_s=settings.event_days * 86_400,
            keep_vehicles_s=settings.vehicle_days * 86_400,
        ),
    )


def camera_services(settings: Settings) -> CameraServices:
    """What the cameras of this installation work with."""
    return CameraServices(
        connect_detector=partial(ServeDetectorClient.connect, APP_NAME, DEPLOYMENT_NAME, settings.detector_timeout_s),
        sink=PusherSink(pusher_names(settings), settings.namespace),
        archive=archive_of(settings),
        cells=AggregatorSink(aggregator_names(settings), settings.namespace),
        recognition=recognition_services(settings),
        connect_weather=partial(ServeWeatherClient.connect, APP_NAME, ATTRIBUTES_NAME) if settings.attributes else None,
    )


def camera_places(settings: Settings, services: CameraServices) -> ActorPlaces:
    """Every camera in an actor of its own."""
    return ActorPlaces(
        namespace=settings.namespace,
        services=services,
        config=camera_config(settings),
        options={
            "num_cpus": settings.camera_num_cpus,
            "num_gpus": settings.camera_num_gpus,
            "runtime_env": {"env_vars": actor_environment(settings)},
        },
        log_level=settings.log_level,
    )


def actor_system(settings: Settings, places: CameraPlaces | None = None) -> ActorSystem:
    """The long-lived actors with everything they are given. ``places``: where cameras run, where not in actors of their own."""
    return ActorSystem(
        settings=settings,
        task_store=SqlTaskStore(settings.resolved_database_url, office=SUPERVISOR),
        places=places if places is not None else camera_places(settings, camera_services(settings)),
        pushers=PusherPlan(
            names=pusher_names(settings),
            outbox_factory=partial(SqlOutboxStore, settings.resolved_database_url),
            archive=archive_of(settings),
            config=pusher_config(settings),
        ),
        aggregators=AggregatorPlan(
            names=aggregator_names(settings),
            store_factory=partial(SqlParameterStore, settings.resolved_database_url),
            sink=PusherSink(pusher_names(settings), settings.namespace),
            config=AggregatorConfig(history_days=settings.history_days),
        ),
    )


def build(args: dict[str, Any]) -> Any:
    """Application builder named in ``ray_config.yaml``; ``args`` overrides settings by field name."""
    settings = Settings(**args)
    logger.info("building application data_dir=%s", settings.data_dir)
    from cluster.ingress import make_ingress

    ingress = make_ingress(settings)
    return ingress.bind(settings, *network_deployments(settings))


__all__ = ["APP_NAME", "INGRESS_NAME", "actor_system", "build", "serve"]
