"""Whether the picture can be trusted; if not, events pause."""

from traffic.events.observations import ViewState

REASONS: dict[ViewState, str] = {
    ViewState.OK: "",
    ViewState.MOVED: "相机视角已改变, 事件检测暂停",
    ViewState.DARK: "画面过暗或黑屏, 事件检测暂停",
    ViewState.BLURRED: "画面模糊或被遮挡, 事件检测暂停",
    ViewState.SHAKING: "相机晃动, 事件检测暂停",
}


class ViewWatch:
    """Follows the state of the view. After a bad one everything stays paused for ``settle_s``."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._bad_s: float | None = None
        self._state = ViewState.OK
        self.since_s: float | None = None

    @property
    def reason(self) -> str:
        """Why events are paused, in Chinese; "" when they are not."""
        return REASONS[self._state] if self.since_s is not None else ""

    def update(self, time_s: float, state: ViewState) -> float | None:
        """The state of a frame. Returns the length of a pause that has just ended; None else."""
        if state is not ViewState.OK:
            self.since_s = time_s if self.since_s is None else self.since_s
            self._bad_s, self._state = time_s, state
            return None
        if self.since_s is None or self._bad_s is None or time_s - self._bad_s < self._settle_s:
            return None
        passed_s = time_s - self.since_s
        self.since_s = self._bad_s = None
        return passed_s
