"""Settings of one Wayside installation: environment variables ``WAYSIDE_*``, command line and Serve arguments.

Nothing reads the environment at import; ``Settings()`` does it once in the composition root and every actor gets values.
"""

import os
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from actors.outbound import OutboundPolicy

Listed = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """All settings, with units in the names. Every field can be given as ``WAYSIDE_<FIELD>`` or as a Serve argument."""

    model_config = SettingsConfigDict(env_prefix="WAYSIDE_", extra="ignore")

    host: str = Field("0.0.0.0", description="address the API listens on")
    port: int = Field(8000, ge=1, le=65535, description="port the API listens on")
    data_dir: Path = Field(Path("~/.local/share/wayside"), description="database, pictures, secrets")
    models_dir: Path = Field(Path("~/.cache/wayside/models"), description="weights catalogue on disk")
    database_url: str = Field("", repr=False, description="SQLAlchemy URL; empty: SQLite in data_dir")
    archive_url: str = Field("", description="folder or object store URL of pictures and clips; empty: data_dir/archive")
    secret_key: str = Field("", repr=False, description="key that signs login tokens; empty: made once in data_dir")
    admin_password: str = Field("", repr=False, description="password of 'admin' at first start; empty: one is made")
    time_zone: str = Field("Asia/Shanghai", description="IANA zone of wire times, unless a task says otherwise")
    data_source: str = Field("通甲优博", description="dataSource of vehicle snapshots")

    detector_model: str = Field("picodet-s", description="entry of the weights catalogue or path of an ONNX file")
    detector_width: int = Field(0, ge=0, le=4096, description="network input in pixels; 0: the model's default")
    detector_height: int = Field(0, ge=0, le=4096)
    detector_engine: str = Field("auto", description="auto, openvino, openvino-f32, onnxruntime, torch, torch-compile")
    detector_device: str = Field("auto", description="auto, cpu, cuda")
    detector_threads: int = Field(0, ge=0, le=256, description="pictures a replica computes at once; 0: one per CPU, up to 8")
    detector_num_cpus: float = Field(0.0, ge=0, le=256, description="CPUs reserved by each replica; 0: 0.3 per thread")
    detector_replicas: int = Field(1, ge=1, le=256)
    detector_replicas_max: int = Field(0, ge=0, le=256, description="so many while calls queue; 0: a fixed number")
    detector_num_gpus: float = Field(0.0, ge=0, le=8, description="GPU share reserved by each replica")
    detector_max_batch_size: int = Field(16, ge=1, le=256)
    detector_timeout_s: float = Field(10.0, gt=0, description="a frame without an answer for so long is given up")

    recognition_patience_s: float = Field(5.0, gt=0, le=60, description="a fact waits so long for its vehicle's looks")
    plates: bool = Field(True, description="read number plates")
    plate_system: str = Field("cn", description="plates to read: a name or the path of a JSON file, see docs/plates.md")
    plate_min_confidence: float = Field(0.5, ge=0, le=1, description="plates read with less are stated as empty")
    plate_engine: str = Field("auto", description="auto, openvino, openvino-f32, onnxruntime")
    plate_device: str = Field("auto", description="auto, cpu, cuda")
    plate_threads: int = Field(1, ge=1, le=256, description="CPUs used by each replica")
    plate_num_cpus: float = Field(0.2, ge=0, le=256, description="CPU share reserved by each replica; idle most of the time")
    plate_replicas: int = Field(1, ge=1, le=256)
    plate_num_gpus: float = Field(0.0, ge=0, le=8, description="GPU share reserved by each replica")
    plate_max_batch_size: int = Field(8, ge=1, le=256)
    plate_vehicle_px: int = Field(448, ge=64, le=2048, description="longer side at which crops of vehicles are searched")

    attributes: bool = Field(True, description="recognise type and colour of vehicles and the weather")
    attribute_backbone: str = Field("efficientnet-lite0", description="backbone of the weights catalogue")
    attribute_engine: str = Field("auto", description="auto, openvino, openvino-f32, onnxruntime, torch")
    attribute_device: str = Field("auto", description="auto, cpu, cuda")
    attribute_threads: int = Field(1, ge=1, le=256, description="CPUs used by each replica")
    attribute_num_cpus: float = Field(0.1, ge=0, le=256, description="CPU share reserved by each replica; idle most of the time")
    attribute_replicas: int = Field(1, ge=1, le=256)
    attribute_num_gpus: float = Field(0.0, ge=0, le=8, description="GPU share reserved by each replica")
    attribute_max_batch_size: int = Field(8, ge=1, le=256)

    analysed_fps: float = Field(12.5, gt=0, le=120, description="analysed frames/s of a live task that names none")
    disconnected_after_s: float = Field(60.0, gt=0, description="重连中 becomes 已断开 after this time")
    camera_lease_s: float = Field(60.0, ge=0, description="cameras that no supervisor asks for so long stand still; 0: never")
    camera_rebalance: bool = Field(True, description="move live cameras, one at a time, to a machine with less to do")
    camera_rebalance_after_s: float = Field(
        60.0, ge=0, description="a machine takes cameras of others when it is there for so long"
    )
    still_s: float = Field(
        0.0, ge=0, le=10, description="a picture that looks like the last detected one gets its detections, for so long; 0: never"
    )
    stall_timeout_s: float = Field(20.0, gt=0, description="no frame for this time counts as lost")
    # Small, so that a machine never refuses a camera: an overload lowers everybody's frame rate fairly and is counted.
    camera_num_cpus: float = Field(0.01, ge=0, description="CPU share reserved by each camera actor")
    camera_hardware: Literal["none", "cuda"] = Field("none", description="cuda: decode on an NVIDIA card (NVDEC) where possible")
    camera_num_gpus: float = Field(0.0, ge=0, le=1, description="GPU share of each camera actor; for camera_hardware")
    jpeg_quality: int = Field(85, ge=10, le=100)

    pushers: int = Field(1, ge=1, le=64, description="pusher actors; interfaces are spread over them")
    delivery_timeout_s: float = Field(10.0, gt=0, le=300, description="time of one attempt, connecting and answer")
    delivery_max_age_h: float = Field(75.0, gt=0, le=720, description="the last attempt of a delivery is made at this age")
    delivery_disable_after_days: float = Field(5.0, gt=0, description="an interface that fails so long is disabled")
    delivery_keep_days: float = Field(7.0, gt=0, description="finished deliveries are kept for queries and replay")
    outbox_max_waiting: int = Field(100_000, ge=1, description="unfinished deliveries of one interface")
    outbox_max_bytes: int = Field(256 * 1024**2, ge=1024**2, description="their bodies")
    outbox_max_total_bytes: int = Field(2 * 1024**3, ge=1024**2, description="bodies of all unfinished deliveries")
    aggregators: int = Field(1, ge=1, le=64, description="aggregator actors; tasks are spread over them")
    history_days: float = Field(90.0, gt=0, description="retention of traffic parameters and people counts")
    reconcile_period_s: float = Field(2.0, gt=0, description="how often the supervisor compares actors with the table")
    namespace: str = Field("wayside", description="Ray namespace of the actors")
    token_ttl_s: int = Field(86_400, ge=60)
    max_body_bytes: int = Field(4 * 1024 * 1024, ge=1024)

    event_box: bool = Field(True, description="box around the object in the large picture of an event")
    clips: bool = Field(True, description="clips of events")
    clip_before_s: float = Field(10.0, ge=0, le=120, description="seconds of video before the event's moment")
    clip_after_s: float = Field(10.0, ge=0, le=120, description="seconds of video after it")
    clip_wait: bool = Field(True, description="an event is pushed when its clip is whole; false: at once")
    clip_memory_bytes: int = Field(48 * 1024**2, ge=1024**2, description="compressed video that a camera keeps in memory")
    event_days: float = Field(365.0, gt=0, description="retention of the history of events")
    vehicle_days: float = Field(90.0, gt=0, description="retention of the history of vehicles")
    archive_options: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="of an object store: endpoint_url, key, secret"
    )
    archive_max_age_days: float = Field(30.0, gt=0, description="what is older is deleted")
    archive_max_bytes: int = Field(20 * 1024**3, ge=1024**2, description="beyond this the oldest is deleted")
    archive_min_free_bytes: int = Field(512 * 1024**2, ge=0, description="a folder leaves so much free on its disk")
    archive_protected: bool = Field(False, description="pictures and clips need a token or a signed URL")

    outbound_allow: Listed = Field((), description="addresses, networks, host names receivers and cameras may have anyway")
    outbound_private: bool = Field(True, description="receivers and cameras may be on private networks")
    push_source_secrets: bool = Field(False, description="srcAddress is pushed with its password, as the manual shows it")
    cors_origins: Listed = Field((), description="web pages of these origins may use the API, such as https://ops.example")
    tls_certificate: str = Field("", description="PEM file of the certificate chain; with tls_key the API speaks https")
    tls_key: str = Field("", description="PEM file of the certificate's key")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = Field("text", description="logs of the actors: lines of text or of JSON")

    @field_validator("data_dir", "models_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {value!r}; use an IANA name such as Asia/Shanghai") from error
        return value

    @field_validator("outbound_allow", "cors_origins", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """A text is a list with commas: an environment variable need not be JSON."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _whole_tls(self) -> "Settings":
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are needed together")
        return self

    @model_validator(mode="after")
    def _more_replicas(self) -> "Settings":
        if 0 < self.detector_replicas_max < self.detector_replicas:
            raise ValueError("detector_replicas_max is 0 (a fixed number) or at least detector_replicas")
        return self

    @property
    def outbound(self) -> OutboundPolicy:
        """Where receivers and cameras may be."""
        return OutboundPolicy(private=self.outbound_private, allowed=self.outbound_allow)

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.tls_certificate else "http"

    @property
    def resolved_database_url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'wayside.sqlite3'}"

    @property
    def resolved_archive_url(self) -> str:
        """The archive folder in force."""
        return self.archive_url or str(self.data_dir / "archive")

    @property
    def resolved_detector_threads(self) -> int:
        """Pictures a detector replica computes at once. Cameras decode beside it on the same CPUs, in the gaps."""
        return self.detector_threads or min(8, os.cpu_count() or 1)

    @property
    def sprite_cache_dir(self) -> Path:
        """Where the demo camera keeps its rendered sprites."""
        return self.data_dir / "sprites"
