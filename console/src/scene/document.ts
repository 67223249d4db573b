/** The scene document (docs/scene.md): relative image points, 0..1 from the top left. */

export type Point = [number, number];
export type Segment = [Point, Point];
export type Turn = 'other' | 'left' | 'straight' | 'right' | 'uTurn';
export const TURNS: Turn[] = ['other', 'left', 'straight', 'right', 'uTurn'];

export interface LaneDocument {
  roadNum: number;
  roadName?: string;
  turn?: Turn;
  polygon: Point[];
  direction: Point[];
  snapshotLine: Segment;
  entryLine?: Segment | null;
  stopLine?: Segment | null;
  speedLimitKmh?: number | null;
  minSpeedKmh?: number | null;
  leftBoundary?: 'dashed' | 'solid' | null;
  rightBoundary?: 'dashed' | 'solid' | null;
  use?: 'driving' | 'emergency' | null;
  disabledEvents?: string[] | null;
  [key: string]: unknown;
}

export interface RegionDocument {
  regionCode: number;
  name?: string;
  kind: string;
  polygon: Point[];
  areaM2?: number | null;
  classes?: string[] | null;
  disabledEvents?: string[] | null;
  crowd?: Record<string, unknown> | null;
  [key: string]: unknown;
}

export interface CountLineDocument {
  code: number;
  name?: string;
  segment: Segment;
  [key: string]: unknown;
}

export interface CalibrationDocument {
  rectangle?: { image: Point[]; widthM: number; lengthM: number };
  points?: unknown;
  matrix?: unknown;
  [key: string]: unknown;
}

/** Keys that this console does not edit are kept as they are. */
export interface SceneDocument {
  version: number;
  lanes?: LaneDocument[] | null;
  regions?: RegionDocument[] | null;
  countLines?: CountLineDocument[] | null;
  calibration?: CalibrationDocument | null;
  outline?: Point[] | null;
  highway?: boolean | null;
  events?: Record<string, Record<string, unknown>> | null;
  [key: string]: unknown;
}

export const EMPTY: SceneDocument = { version: 1, lanes: [], regions: [], countLines: [], calibration: null, outline: null };

export const round = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * 1e5) / 1e5;
export const roundPoint = ([x, y]: Point): Point => [round(x), round(y)];

export function nextNumber(taken: number[]): number {
  let number = 1;
  while (taken.includes(number)) number += 1;
  return number;
}

export function middle(points: Point[]): Point {
  const sum = points.reduce<Point>((total, point) => [total[0] + point[0], total[1] + point[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/** Where the line through `at` with direction (dx, dy) leaves the polygon on both sides; null when it misses it. */
export function chord(polygon: Point[], at: Point, dx: number, dy: number): Segment | null {
  let before = -Infinity;
  let after = Infinity;
  polygon.forEach((a, index) => {
    const b = polygon[(index + 1) % polygon.length]!;
    const ex = b[0] - a[0];
    const ey = b[1] - a[1];
    const determinant = dx * ey - dy * ex;
    if (Math.abs(determinant) < 1e-12) return;
    const along = ((a[0] - at[0]) * ey - (a[1] - at[1]) * ex) / determinant;
    const edge = ((a[0] - at[0]) * dy - (a[1] - at[1]) * dx) / determinant;
    if (edge < 0 || edge > 1) return;
    if (along <= 0) before = Math.max(before, along);
    if (along >= 0) after = Math.min(after, along);
  });
  if (!Number.isFinite(before) || !Number.isFinite(after) || after - before < 1e-6) return null;
  return [roundPoint([at[0] + dx * before, at[1] + dy * before]), roundPoint([at[0] + dx * after, at[1] + dy * after])];
}

/**
 * A line across a lane at `share` (0 upstream .. 1 downstream) of its direction of travel: level in the picture where the lane runs
 * up or down it, upright where it runs across. `aspect` is width / height of the picture.
 */
export function acrossLane(polygon: Point[], direction: Point[], share: number, aspect: number): Segment | null {
  const begin = direction[0]!;
  const end = direction[direction.length - 1]!;
  const at: Point = [begin[0] + (end[0] - begin[0]) * share, begin[1] + (end[1] - begin[1]) * share];
  const dx = (end[0] - begin[0]) * aspect;
  const dy = end[1] - begin[1];
  const level = Math.abs(dy) >= Math.abs(dx);
  return chord(polygon, at, level ? 1 : 0, level ? 0 : 1);
}
