"""Names of the kinds of events: for paths (English, snake_case) and for ``recordContent`` (Chinese, manual 3.1)."""

from traffic.facts import EventKind

KIND_SLUGS: dict[EventKind, str] = {kind: kind.name.lower() for kind in EventKind}
KIND_TEXTS: dict[EventKind, str] = {
    EventKind.ILLEGAL_PARKING: "车辆违停",
    EventKind.WRONG_WAY: "车辆逆行",
    EventKind.PEDESTRIAN: "高速行人",
    EventKind.DEBRIS: "抛洒物",
    EventKind.CONGESTION: "拥堵事件",
    EventKind.LOWER_SPEED: "车辆低速",
    EventKind.SPEEDING: "车辆高速",
    EventKind.CROWD: "人员聚集",
    EventKind.SUDDEN_DECELERATION: "车辆突然减速",
    EventKind.RESTRICTED_AREA: "禁行区域",
    EventKind.ILLEGAL_LANE_CHANGE: "违规变道",
    EventKind.NO_HELMET: "安全帽检测",
    EventKind.ACCIDENT: "交通事故",
    EventKind.ROAD_WORKS: "道路养护",
    EventKind.VEHICLE_STOPPED: "车辆停止",
    EventKind.MUDSLIDE: "泥石流",
    EventKind.LEAVING_ROAD: "机动车驶离",
    EventKind.JUNCTION_OVERFLOW: "道口溢出",
}
