/** Codes of the protocol (manual 1.3 to 1.5, 3.1, 3.2; decisions on colours) with their texts. */

export type Code = [number, string, string];

export const EVENT_KINDS: Code[] = [
  [1001, '车辆违停', 'Illegal parking'],
  [1002, '车辆逆行', 'Wrong way'],
  [1003, '高速行人', 'Pedestrian on the highway'],
  [1004, '抛洒物', 'Debris'],
  [1005, '拥堵事件', 'Congestion'],
  [1006, '车辆低速', 'Slow vehicle'],
  [1007, '车辆高速', 'Speeding'],
  [1008, '人员聚集', 'Crowd'],
  [1009, '车辆突然减速', 'Sudden deceleration'],
  [1010, '禁行区域', 'Restricted area'],
  [1011, '违规变道', 'Illegal lane change'],
  [1012, '安全帽检测', 'No safety helmet'],
  [1013, '交通事故', 'Accident'],
  [1014, '道路养护', 'Road works'],
  [1015, '车辆停止', 'Vehicle stopped'],
  [1016, '泥石流', 'Mudslide'],
  [1017, '机动车驶离', 'Vehicle leaving the road'],
  [1018, '道口溢出', 'Junction overflow'],
];

/** Names of the kinds in scene documents, by code. */
export const EVENT_NAMES: Record<number, string> = {
  1001: 'illegal_parking',
  1002: 'wrong_way',
  1003: 'pedestrian',
  1004: 'debris',
  1005: 'congestion',
  1006: 'lower_speed',
  1007: 'speeding',
  1008: 'crowd',
  1009: 'sudden_deceleration',
  1010: 'restricted_area',
  1011: 'illegal_lane_change',
  1012: 'no_helmet',
  1013: 'accident',
  1014: 'road_works',
  1015: 'vehicle_stopped',
  1016: 'mudslide',
  1017: 'leaving_road',
  1018: 'junction_overflow',
};

export const VEHICLE_TYPES: Code[] = [
  [1, '轿车', 'Car'],
  [2, 'SUV', 'SUV'],
  [3, 'MPV', 'MPV'],
  [5, '小型客车', 'Small coach'],
  [6, '中型客车', 'Medium coach'],
  [7, '大型客车', 'Large coach'],
  [8, '皮卡车', 'Pickup'],
  [9, '公交车', 'Bus'],
  [10, '微型货车', 'Mini truck'],
  [11, '中型货车', 'Medium truck'],
  [12, '大型货车', 'Large truck'],
  [13, '重型货车', 'Heavy truck'],
  [14, '挂车', 'Trailer'],
  [15, '混凝土搅拌车', 'Concrete mixer'],
  [16, '罐车', 'Tanker'],
  [17, '消防车', 'Fire engine'],
  [18, '渣土车', 'Muck truck'],
  [19, '押运车', 'Escort vehicle'],
  [20, '工程抢修车', 'Repair vehicle'],
  [21, '救援车', 'Recovery vehicle'],
  [22, '随车吊', 'Crane truck'],
  [23, '推土机', 'Bulldozer'],
  [24, '压路机', 'Road roller'],
  [25, '挖掘机', 'Excavator'],
  [26, '救护车', 'Ambulance'],
  [27, '警车', 'Police car'],
  [28, '洒水车', 'Sprinkler'],
];

export const VEHICLE_COLOURS: Code[] = [
  [1, '白', 'White'],
  [2, '灰', 'Grey'],
  [3, '黄', 'Yellow'],
  [4, '粉', 'Pink'],
  [5, '红', 'Red'],
  [6, '紫', 'Purple'],
  [7, '绿', 'Green'],
  [8, '蓝', 'Blue'],
  [9, '棕', 'Brown'],
  [10, '黑', 'Black'],
  [255, '其它', 'Other'],
];

export const PLATE_COLOURS: Code[] = [
  [0, '未知', 'Unknown'],
  [1, '蓝牌', 'Blue'],
  [2, '黄牌', 'Yellow'],
  [3, '白牌', 'White'],
  [4, '小型新能源绿牌', 'Green, small'],
  [5, '大型新能源绿牌', 'Green, large'],
  [6, '黑牌', 'Black'],
  [7, '绿牌', 'Green'],
];

export const WEATHERS: Code[] = [
  [0, '未知', 'Unknown'],
  [1, '晴', 'Sunny'],
  [2, '雾', 'Fog'],
  [3, '雨', 'Rain'],
  [4, '雪', 'Snow'],
];

export const nameOf = (codes: Code[], code: number, zh: boolean): string => {
  const found = codes.find(([value]) => value === code);
  return found ? found[zh ? 1 : 2] : '–';
};

export const choices = (codes: Code[], zh: boolean) => codes.map(([value, chinese, english]) => ({ value: String(value), label: zh ? chinese : english }));
