/** Answers of the API, as far as the console uses them. */
import type { SceneDocument } from './scene/document';

export interface Me {
  id: number;
  username: string;
  role: 'admin' | 'operator' | 'readonly';
}

export interface Task {
  id: number;
  taskNum: string;
  taskName: string;
  srcAddress: string;
  scene: SceneDocument | null;
  analysedFps: number;
  rtspTransport: 'tcp' | 'udp';
  loop: boolean;
  startTime: string;
  timeZone: string;
  enabled: boolean;
  site: string;
  status: number;
  statusName: string;
  reason: string;
  framesDecoded: number;
  framesAnalysed: number;
  framesDropped: number;
  fpsSource: number;
  fpsAnalysed: number;
  passages: number;
  laneCounts: Record<string, number>;
  width: number;
  height: number;
  codec: string;
}

export type TaskState = Omit<Task, 'scene'>;

export interface Probe {
  width: number;
  height: number;
  codec: string;
  fps: number;
  live: boolean;
  picture: string;
}

export interface SeenObject {
  id: number;
  name: string;
  lane: number;
  box: [number, number, number, number];
  speed: number | null;
  moved: boolean;
}

export interface LiveMessage {
  sequence: number;
  time: number;
  width: number;
  height: number;
  picture: string;
  objects: SeenObject[];
  laneCounts: Record<string, number>;
  learnedLanes: { roadNum: number; polygon: [number, number][] }[];
  events: { id: string; kind: number; box: [number, number, number, number] }[];
  /** Before stop lines: from the line to the rear of the last vehicle; no length without a calibration. */
  queues: { roadNum: number; number: number; lengthM: number | null; outline: [number, number][]; rear: [[number, number], [number, number]] }[];
}

export interface SceneFault {
  path: string;
  chinese: string;
  english: string;
}

export interface SceneCheck {
  problems: SceneFault[];
  warnings: SceneFault[];
  grid: [number, number][][];
  gridStepM: number;
}

export interface Interface {
  id: number;
  name: string;
  businessType: number;
  triggerCondition: number;
  uploadPeriod: number;
  contentType: number;
  method: number;
  url: string;
  uploadImgStatus: number;
  companyName: string;
  companyId: string;
  appId: string;
  pushResponse: number;
  acceptOther2xx: number;
  taskNums: string[] | null;
  signed: boolean;
  enabled: boolean;
}

export interface Receiver {
  interfaceId: number;
  waiting: number;
  waitingBytes: number;
  held: number;
  dropped: number;
  failures: number;
  failingSince: string;
  lastSuccess: string;
  disabledTime: string;
  disabledReason: string;
}

export interface Delivery {
  id: string;
  interfaceId: number;
  taskNum: string;
  businessType: number;
  state: 'waiting' | 'retrying' | 'delivered' | 'given_up';
  tries: number;
  size: number;
  createTime: string;
  nextTime: string;
  finishTime: string;
}

export interface DeliveryDetail extends Delivery {
  body: string;
  attempts: { time: string; status: number; latencyMs: number; excerpt: string }[];
}

export interface PushTest {
  success: boolean;
  status: number;
  latencyMs: number;
  excerpt: string;
  body: string;
}

export interface Account {
  id: number;
  username: string;
  role: Me['role'];
  disabled: boolean;
}

export interface AuditEntry {
  id: number;
  time: string;
  username: string;
  address: string;
  action: string;
  target: string;
  changes: Record<string, unknown[]>;
}

export interface SystemInfo {
  version: string;
  time: string;
  timeZone: string;
  about: Record<string, string>;
  machines: { address: string; alive: boolean; cpus: number; gpus: number; memory_bytes: number; site: string; cameras: number }[];
  disk: { total?: number; free?: number };
  load: { cpus: number; minute: number; memoryTotal: number; memoryFree: number };
  storage: { files: number; bytes: number; mostBytes: number; days: number; complete: boolean } | null;
}

export interface Health {
  status: string;
  components: Record<string, string>;
  notices: string[];
}

export interface TrafficEvent {
  id: number;
  eventId: string;
  taskNum: string;
  recordType: number;
  recordContent: string;
  firstType: number;
  state: 'open' | 'closed';
  startTime: string;
  recordTime: string;
  upgradeTime: string;
  closeTime: string;
  closedBy: string;
  confidence: number;
  roadNum: number;
  regionCode: number;
  objectClass: string;
  box: number[];
  width: number;
  height: number;
  detail: string;
  recordLargePath: string;
  recordSmallPath: string;
  videoPath: string;
  plate: string;
  plateColor: number;
  vehicleType: number;
  vehicleColor: number;
  weather: number;
  falseAlarm: boolean;
  note: string;
  markedBy: string;
  markTime: string;
}

export interface EventDetail extends TrafficEvent {
  body: Record<string, unknown> | null;
  upgradedBody: Record<string, unknown> | null;
  pictureThere: boolean;
  clipThere: boolean;
}

export interface Vehicle {
  id: number;
  taskNum: string;
  snapshotTime: string;
  roadNum: number;
  roadName: string;
  trunDirNo: number;
  objectClass: string;
  plateNum: string;
  plateColor: number;
  vehicleType: number;
  vehicleColor: number;
  vehicleSpeed: number | null;
  vehicleSpacing: number | null;
  timeDistance: number | null;
  runningTime: number | null;
  vehicleLength: number | null;
  vehicleDirection: number;
  weather: number;
  snapshotPath: string;
  vehicleTypePath: string;
}
