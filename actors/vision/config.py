"""Settings of one ``PixelWatcher``. Lengths on the road are metres, times are seconds of video time."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class VisionConfig:
    """Settings; the defaults are explained in docs/events.md.

    Attributes:
        look_hz: how often the pixels are looked at.
        small_width_px: width of the picture that is looked at.
        static_objects, surfaces, cones, heads, view: parts that are on.
        static_after_s: an object must lie still this long to be told.
        min_object_m, max_object_m: size of an object (larger side) where metres are known.
        absorb_s: a told object that stays becomes background after this long.
        surface_after_s: a changed surface must stay this long.
        surface_share: share of a slope (or of the road) that must have changed.
        cones_every_s: cones stand for hours.
        min_head_px: smaller heads are not judged.
        view_after_s: a bad view must last this long (a dark one a third of it), a good one half of it.
        new_view_after_s: a lasting new view is taken as the right one after this long; None: never, except without a scene
            (nothing was drawn into the old view), where a minute is enough.
    """

    look_hz: float = 3.0
    small_width_px: int = 480
    static_objects: bool = True
    surfaces: bool = True
    cones: bool = True
    heads: bool = True
    view: bool = True
    static_after_s: float = 4.0
    min_object_m: float = 0.25
    max_object_m: float = 2.2
    absorb_s: float = 1800.0
    surface_after_s: float = 6.0
    surface_share: float = 0.12
    cones_every_s: float = 2.0
    min_head_px: float = 14.0
    view_after_s: float = 3.0
    new_view_after_s: float | None = None

    def __post_init__(self) -> None:
        """Raises ``ValueError`` naming the first setting outside its range."""
        ranges = {
            "look_hz": (0.5, 10.0),
            "small_width_px": (160, 960),
            "static_after_s": (1.0, 60.0),
            "min_object_m": (0.05, 2.0),
            "max_object_m": (0.3, 10.0),
            "absorb_s": (30.0, 1e6),
            "surface_after_s": (2.0, 120.0),
            "surface_share": (0.02, 0.9),
            "cones_every_s": (0.2, 60.0),
            "min_head_px": (8.0, 200.0),
            "view_after_s": (0.5, 60.0),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be within {low:g}..{high:g}, not {value!r}")
        if self.min_object_m >= self.max_object_m:
            raise ValueError("min_object_m must be less than max_object_m")
        if self.new_view_after_s is not None and self.new_view_after_s <= 0:
            raise ValueError("new_view_after_s must be positive or None")
