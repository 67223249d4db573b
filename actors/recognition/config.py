"""Settings of recognition in one camera."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RecognitionConfig:
    """Settings.

    Attributes:
        plate_min_confidence: plates read with less are not stated (plateNum "").
        crops_per_track: pictures kept and read of one vehicle.
        gallery_bytes: of all pictures kept, per camera.
        crop_max_px: longer side of a kept picture.
        crop_min_px: vehicles narrower than this are not kept; nothing can be read of them.
        crop_interval_s: least video time between two pictures of one vehicle, so that they differ.
        margin: share of the box added on each side.
        linger_s: video time without a better picture of the vehicle after which it is read: it drives away, or stands.
        max_linger_s: video time after which it is read in any case; one that comes nearer gives better pictures all the time.
        plate_min_px: vehicles whose picture is narrower have no legible plate; theirs are not read.
        patience_s: time that recognition may take before the fact goes out without looks.
        remembered: vehicles whose looks are remembered.
    """

    plate_min_confidence: float = 0.5
    crops_per_track: int = 4
    gallery_bytes: int = 8_000_000
    crop_max_px: int = 720
    crop_min_px: int = 40
    crop_interval_s: float = 0.12
    margin: float = 0.06
    linger_s: float = 0.4
    max_linger_s: float = 3.0
    plate_min_px: int = 90
    patience_s: float = 5.0
    remembered: int = 128
