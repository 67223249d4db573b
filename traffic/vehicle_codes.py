"""The protocol's codes of vehicle types (manual 1.3), colours and weather (1.5), with the names receivers know."""

from enum import IntEnum


class VehicleType(IntEnum):
    """vehicleType of the protocol. Code 4 (面包车) is deprecated and is not here: it can never be sent."""

    UNKNOWN = 0
    CAR = 1
    SUV = 2
    MPV = 3
    SMALL_COACH = 5
    MEDIUM_COACH = 6
    LARGE_COACH = 7
    PICKUP = 8
    BUS = 9
    MINI_TRUCK = 10
    MEDIUM_TRUCK = 11
    LARGE_TRUCK = 12
    HEAVY_TRUCK = 13
    TRAILER = 14
    MIXER = 15
    TANKER = 16
    FIRE_ENGINE = 17
    TIPPER = 18
    CASH_TRANSPORT = 19
    REPAIR = 20
    RECOVERY = 21
    CRANE_TRUCK = 22
    BULLDOZER = 23
    ROLLER = 24
    EXCAVATOR = 25
    AMBULANCE = 26
    POLICE = 27
    SPRINKLER = 28


class VehicleColor(IntEnum):
    """vehicleColor: the order of the Chinese road-traffic colour standard. Silver is GREY, orange is YELLOW, beige is BROWN."""

    WHITE = 1
    GREY = 2
    YELLOW = 3
    PINK = 4
    RED = 5
    PURPLE = 6
    GREEN = 7
    BLUE = 8
    BROWN = 9
    BLACK = 10
    UNKNOWN = 255


class Weather(IntEnum):
    """weather of the protocol. SUNNY stands for dry and clear, clouds or not: the table has no other code for it."""

    UNKNOWN = 0
    SUNNY = 1
    FOG = 2
    RAIN = 3
    SNOW = 4


_TYPES = (
    "未知 轿车 SUV MPV 小型客车 中型客车 大型客车 皮卡车 公交车 微型货车 中型货车 大型货车 重型货车 挂车 混凝土搅拌车 罐车 "
    "消防车 渣土车 押运车 工程抢修车 救援车 随车吊 推土机 压路机 挖掘机 救护车 警车 洒水车"
)
VEHICLE_TYPE_NAMES: dict[VehicleType, str] = dict(zip(VehicleType, _TYPES.split(), strict=True))
VEHICLE_COLOR_NAMES: dict[VehicleColor, str] = dict(
    zip(VehicleColor, ("白", "灰", "黄", "粉", "红", "紫", "绿", "蓝", "棕", "黑", "其他"), strict=True)
)
WEATHER_NAMES: dict[Weather, str] = dict(zip(Weather, ("未知", "晴", "雾", "雨", "雪"), strict=True))
