"""What 1,000 and 10,000 cameras cost, from measured figures: ``python -m benchmarks.scale_cost``, a table in Markdown.

Every figure below was measured on one machine (AMD EPYC with AVX512-BF16, two cores in use by others) and multiplied. What was
assumed stands under ``ASSUMED``. Nobody has run 1,000 cameras.
"""

from dataclasses import dataclass

# Measured; ms of one core unless it says otherwise. Where: docs/scaling.md.
DECODE_MS = 4.2  # a 1920x1080 H.264 picture of a real clip; 2.2 of an easier one
PICTURE_MS = 2.9  # an analysed picture to the detector and back: scaling, the call over Serve
ANALYSIS_MS = {12.5: 4.0, 5.0: 4.9}  # tracker, passages, samplers, events with a scene of six lanes, nine objects in view
DETECTOR_MS = 17.0  # PicoDet-S, 640x384, OpenVINO bf16
SUPERVISOR_MS_S, API_CORES, RAY_CORES = 0.3, 0.1, 0.1  # per camera; of one user who asks six times a second; Ray's own
CELLS_MS = 1.5  # a camera's second in the aggregator
FACT_MS = 5.0  # a vehicle in the pusher: into the outbox and the history, one POST
CAMERA_MIB = 163.0
PASSAGE_BYTES, DELIVERY_BYTES, LANE_MINUTE_BYTES = 280.0, 962.0, 141.0  # rows with their indexes, SQLite
CROP_KB = 6.0  # of a vehicle in 1920x1080; two crops of one clip, 2.2 in 1280x720
INPUT_KB = 737.0  # a picture of 640x384 on its way to a detector on another machine

# ASSUMED
FPS, LANES, VEHICLES_H, PEAK = 25.0, 6, 600.0, 1.5  # PEAK: rush hours, Ray, the loss of a machine
VEHICLE_DAYS, DELIVERY_DAYS, PARAMETER_DAYS, ARCHIVE_DAYS = 90, 7, 90, 30
DAY_SHARE = 0.5  # of 24 hours at the full rate of vehicles
STREAM_MBIT_S = 4.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one camera, ``analysed`` pictures per second."""

    analysed: float

    @property
    def camera_ms_s(self) -> float:
        """CPU of the camera's own process, ms per second."""
        return FPS * DECODE_MS + self.analysed * (PICTURE_MS + ANALYSIS_MS[self.analysed])

    @property
    def central_ms_s(self) -> float:
        """CPU of what stands behind the cameras, ms per second and camera."""
        return SUPERVISOR_MS_S + CELLS_MS + VEHICLES_H / 3600 * FACT_MS

    @property
    def detector_ms_s(self) -> float:
        """CPU of the detector where there is no GPU."""
        return self.analysed * DETECTOR_MS


def rows(cameras: int) -> dict[str, str]:
    """The table's cells for so many cameras."""
    fast, slow = Cost(analysed=12.5), Cost(analysed=5.0)
    vehicles_day = VEHICLES_H * 24 * DAY_SHARE

    def both(value: float, other: float, unit: str = "", digits: int = 0) -> str:
        return f"{value:,.{digits}f} / {other:,.{digits}f}{unit}"

    def cores(cost: Cost) -> float:
        return cameras * cost.camera_ms_s / 1e3 * PEAK

    passages, deliveries = vehicles_day * PASSAGE_BYTES, vehicles_day * DELIVERY_BYTES
    minutes = 1440 * LANES * LANE_MINUTE_BYTES
    day_gb = cameras * (passages + deliveries + minutes) / 1e9
    kept_gb = cameras * (passages * VEHICLE_DAYS + deliveries * DELIVERY_DAYS + minutes * PARAMETER_DAYS) / 1e9
    central = cameras * fast.central_ms_s / 1e3 * PEAK + API_CORES + RAY_CORES
    archive_gb = cameras * vehicles_day * CROP_KB / 1e6
    return {
        "cores of camera processes, 12.5 / 5 analysed a second": both(cores(fast), cores(slow)),
        "cores of detectors where there is no GPU": both(*(cameras * c.detector_ms_s / 1e3 * PEAK for c in (fast, slow))),
        "pictures/s for GPUs, if there are": both(cameras * 12.5, cameras * 5.0),
        "cores of supervisor, aggregators, pushers, API, Ray": f"{central:,.1f}",
        "memory of camera processes, GiB": f"{cameras * CAMERA_MIB / 1024 * PEAK:,.0f}",
        "vehicles/s, each a delivery to one receiver": f"{cameras * VEHICLES_H / 3600:,.0f}",
        "aggregators (half busy); pushers per receiver of all vehicles (half busy)": (
            f"{cameras * CELLS_MS / 1e3 / 0.5:,.1f}; {cameras * VEHICLES_H / 3600 * FACT_MS / 1e3 / 0.5:,.1f}"
        ),
        "database: grows a day; kept, GB": f"{day_gb:,.1f}; {kept_gb:,.0f}",
        "archive (pictures of vehicles): grows a day; kept, GB": f"{archive_gb:,.0f}; {archive_gb * ARCHIVE_DAYS:,.0f}",
        "video in, Gbit/s": f"{cameras * STREAM_MBIT_S / 1e3:,.0f}",
        "to detectors on other machines, GB/s": both(*(cameras * c.analysed * INPUT_KB / 1e6 for c in (fast, slow)), digits=1),
    }


def main() -> None:
    """Print the table."""
    thousand, ten = rows(1000), rows(10_000)
    print("| | 1,000 cameras | 10,000 cameras |\n|---|---|---|")
    for name, value in thousand.items():
        print(f"| {name} | {value} | {ten[name]} |")


if __name__ == "__main__":
    main()
