/** The state of the scene editor: document with undo, what is selected, what is being drawn. Pure. */
import type { CalibrationDocument, LaneDocument, Point, SceneDocument, Segment } from './document';
import { acrossLane, nextNumber, roundPoint } from './document';

export type ItemKind = 'lane' | 'region' | 'countLine' | 'outline' | 'calibration';
export interface Selection {
  kind: ItemKind;
  index: number;
}
/** Which points of an item: a polygon, a polyline or a segment of it. */
export type Part = 'polygon' | 'direction' | 'snapshotLine' | 'entryLine' | 'stopLine' | 'segment' | 'image';
export type Tool = 'select' | 'lane' | 'direction' | 'region' | 'countLine' | 'outline';

export interface History {
  past: SceneDocument[];
  present: SceneDocument;
  future: SceneDocument[];
}

const MOST_STEPS = 100;

export const begin = (document: SceneDocument): History => ({ past: [], present: document, future: [] });

export function commit(history: History, document: SceneDocument): History {
  return { past: [...history.past, history.present].slice(-MOST_STEPS), present: document, future: [] };
}

export function undo(history: History): History {
  const before = history.past[history.past.length - 1];
  if (!before) return history;
  return { past: history.past.slice(0, -1), present: before, future: [history.present, ...history.future] };
}

export function redo(history: History): History {
  const next = history.future[0];
  if (!next) return history;
  return { past: [...history.past, history.present], present: next, future: history.future.slice(1) };
}

const replaced = <T>(items: T[] | null | undefined, index: number, item: T): T[] => (items ?? []).map((old, at) => (at === index ? item : old));

export function partsOf(document: SceneDocument, { kind, index }: Selection): [Part, Point[], boolean][] {
  if (kind === 'lane') {
    const lane = document.lanes?.[index];
    if (!lane) return [];
    const lines: [Part, Point[] | null | undefined][] = [
      ['snapshotLine', lane.snapshotLine],
      ['entryLine', lane.entryLine],
      ['stopLine', lane.stopLine],
    ];
    return [['polygon', lane.polygon, true], ['direction', lane.direction, false], ...lines.flatMap(([part, points]): [Part, Point[], boolean][] => (points ? [[part, points, false]] : []))];
  }
  if (kind === 'region') {
    const region = document.regions?.[index];
    return region ? [['polygon', region.polygon, true]] : [];
  }
  if (kind === 'countLine') {
    const line = document.countLines?.[index];
    return line ? [['segment', line.segment, false]] : [];
  }
  if (kind === 'outline') return document.outline ? [['polygon', document.outline, true]] : [];
  const corners = document.calibration?.rectangle?.image;
  return corners ? [['image', corners, true]] : [];
}

export function withPart(document: SceneDocument, { kind, index }: Selection, part: Part, points: Point[]): SceneDocument {
  const rounded = points.map(roundPoint);
  if (kind === 'lane') {
    const lane = document.lanes?.[index];
    return lane ? { ...document, lanes: replaced(document.lanes, index, { ...lane, [part]: rounded } as LaneDocument) } : document;
  }
  if (kind === 'region') {
    const region = document.regions?.[index];
    return region ? { ...document, regions: replaced(document.regions, index, { ...region, polygon: rounded }) } : document;
  }
  if (kind === 'countLine') {
    const line = document.countLines?.[index];
    return line ? { ...document, countLines: replaced(document.countLines, index, { ...line, segment: rounded as Segment }) } : document;
  }
  if (kind === 'outline') return { ...document, outline: rounded };
  const rectangle = document.calibration?.rectangle;
  return rectangle ? { ...document, calibration: { rectangle: { ...rectangle, image: rounded } } } : document;
}

export function withFields(document: SceneDocument, { kind, index }: Selection, fields: Record<string, unknown>): SceneDocument {
  if (kind === 'lane') return { ...document, lanes: replaced(document.lanes, index, { ...document.lanes![index]!, ...fields }) };
  if (kind === 'region') return { ...document, regions: replaced(document.regions, index, { ...document.regions![index]!, ...fields }) };
  if (kind === 'countLine') return { ...document, countLines: replaced(document.countLines, index, { ...document.countLines![index]!, ...fields }) };
  if (kind === 'calibration') {
    const rectangle = document.calibration?.rectangle;
    return rectangle ? { ...document, calibration: { rectangle: { ...rectangle, ...fields } } } : document;
  }
  return document;
}

export function without(document: SceneDocument, { kind, index }: Selection): SceneDocument {
  const rest = <T>(items: T[] | null | undefined) => (items ?? []).filter((_, at) => at !== index);
  if (kind === 'lane') return { ...document, lanes: rest(document.lanes) };
  if (kind === 'region') return { ...document, regions: rest(document.regions) };
  if (kind === 'countLine') return { ...document, countLines: rest(document.countLines) };
  if (kind === 'outline') return { ...document, outline: null };
  return { ...document, calibration: null };
}

/** A new lane from its outline and direction; its snapshot line lies two thirds of the way down. */
export function withLane(document: SceneDocument, polygon: Point[], direction: Point[], aspect: number): SceneDocument {
  const lanes = document.lanes ?? [];
  const snapshotLine = acrossLane(polygon, direction, 0.65, aspect) ?? [polygon[0]!, polygon[1]!];
  const lane: LaneDocument = {
    roadNum: nextNumber(lanes.map((item) => item.roadNum)),
    roadName: '',
    turn: 'straight',
    polygon: polygon.map(roundPoint),
    direction: direction.map(roundPoint),
    snapshotLine,
  };
  return { ...document, lanes: [...lanes, lane] };
}

export function withRegion(document: SceneDocument, polygon: Point[]): SceneDocument {
  const regions = document.regions ?? [];
  const regionCode = nextNumber(regions.map((item) => item.regionCode));
  return { ...document, regions: [...regions, { regionCode, name: '', kind: 'people', polygon: polygon.map(roundPoint) }] };
}

export function withCountLine(document: SceneDocument, segment: Segment): SceneDocument {
  const lines = document.countLines ?? [];
  // Regions and lines share one field on the wire, so their numbers do not collide either.
  const code = nextNumber([...lines.map((item) => item.code), ...(document.regions ?? []).map((item) => item.regionCode)]);
  return { ...document, countLines: [...lines, { code, name: '', segment: segment.map(roundPoint) as Segment }] };
}

/** A rectangle to drag onto one of known size on the road: a lane's width and 20 m of it. */
export function freshCalibration(): CalibrationDocument {
  return { rectangle: { image: [[0.35, 0.85], [0.6, 0.85], [0.55, 0.6], [0.42, 0.6]], widthM: 3.75, lengthM: 20 } };
}

/** Which item a problem such as `lanes[2].polygon` is about. */
export function itemOf(path: string): Selection | null {
  const found = /^(?:scene\.)?(lanes|regions|countLines|outline|calibration)(?:\[(\d+)\])?/.exec(path);
  if (!found) return null;
  const kinds: Record<string, ItemKind> = { lanes: 'lane', regions: 'region', countLines: 'countLine', outline: 'outline', calibration: 'calibration' };
  return { kind: kinds[found[1]!]!, index: Number(found[2] ?? 0) };
}

/** The nearest vertex of the document within `reach` pixels, so that neighbouring lanes share their corners. */
export function snapped(document: SceneDocument, point: Point, size: { width: number; height: number }, reach: number, except?: Point): Point {
  const all: Point[] = [...(document.lanes ?? []).flatMap((lane) => lane.polygon), ...(document.regions ?? []).flatMap((region) => region.polygon), ...(document.outline ?? [])];
  let best = point;
  let distance = reach;
  for (const other of all) {
    if (except && other[0] === except[0] && other[1] === except[1]) continue;
    const away = Math.hypot((other[0] - point[0]) * size.width, (other[1] - point[1]) * size.height);
    if (away < distance) {
      best = other;
      distance = away;
    }
  }
  const edge = (value: number, pixels: number) => (value * pixels < reach ? 0 : (1 - value) * pixels < reach ? 1 : value);
  return best !== point ? best : roundPoint([edge(point[0], size.width), edge(point[1], size.height)]);
}
