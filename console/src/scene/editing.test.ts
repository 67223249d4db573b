import { describe, expect, it } from 'vitest';
import type { Point, SceneDocument } from './document';
import { EMPTY, acrossLane, chord, nextNumber } from './document';
import { begin, commit, itemOf, partsOf, redo, snapped, undo, withCountLine, withLane, withPart, withRegion, without } from './editing';

const SQUARE: Point[] = [[0.2, 0.9], [0.6, 0.9], [0.6, 0.3], [0.2, 0.3]];
const UP: Point[] = [[0.4, 0.85], [0.4, 0.35]];

describe('lines across a lane', () => {
  it('reach from edge to edge where the lane runs up the picture', () => {
    const line = acrossLane(SQUARE, UP, 0.5, 16 / 9)!;
    expect(line[0]).toEqual([0.2, 0.6]);
    expect(line[1]).toEqual([0.6, 0.6]);
  });
  it('stand upright where the lane runs across the picture', () => {
    const line = acrossLane(SQUARE, [[0.25, 0.6], [0.55, 0.6]], 0.5, 16 / 9)!;
    expect(line.map(([x]) => x)).toEqual([0.4, 0.4]);
  });
  it('are none where the line misses the polygon', () => {
    expect(chord(SQUARE, [0.9, 0.1], 1, 0)).toBeNull();
  });
});

describe('documents', () => {
  it('number new lanes, and keep keys that the editor does not know', () => {
    const given: SceneDocument = { ...EMPTY, lanes: [{ roadNum: 1, polygon: SQUARE, direction: UP, snapshotLine: [[0.2, 0.5], [0.6, 0.5]], solidLeft: true }], events: { speeding: { enabled: false } } };
    const made = withPart(withLane(given, SQUARE, UP, 16 / 9), { kind: 'lane', index: 0 }, 'polygon', SQUARE);
    expect(made.lanes!.map((lane) => lane.roadNum)).toEqual([1, 2]);
    expect(made.lanes![0]!.solidLeft).toBe(true);
    expect(made.events).toEqual({ speeding: { enabled: false } });
  });
  it('give regions and count lines numbers of their own', () => {
    const made = withCountLine(withRegion(EMPTY, SQUARE), [[0.1, 0.1], [0.2, 0.2]]);
    expect([made.regions![0]!.regionCode, made.countLines![0]!.code]).toEqual([1, 2]);
    expect(nextNumber([1, 3])).toBe(2);
  });
  it('lose what is removed and nothing else', () => {
    const made = without(withRegion(withRegion(EMPTY, SQUARE), SQUARE), { kind: 'region', index: 0 });
    expect(made.regions!.map((region) => region.regionCode)).toEqual([2]);
  });
});

describe('history', () => {
  it('goes back and forth, and a new step forgets what was undone', () => {
    const first = begin(EMPTY);
    const second = commit(first, withRegion(EMPTY, SQUARE));
    expect(undo(second).present).toBe(EMPTY);
    expect(redo(undo(second)).present).toBe(second.present);
    expect(commit(undo(second), EMPTY).future).toEqual([]);
    expect(undo(begin(EMPTY)).present).toBe(EMPTY);
  });
});

describe('pointing', () => {
  const document = withRegion(EMPTY, SQUARE);
  const size = { width: 1000, height: 500 };
  it('snaps to a near corner and to the edge of the picture, and nowhere else', () => {
    expect(snapped(document, [0.203, 0.905], size, 9)).toEqual([0.2, 0.9]);
    expect(snapped(document, [0.004, 0.5], size, 9)).toEqual([0, 0.5]);
    expect(snapped(document, [0.4, 0.5], size, 9)).toEqual([0.4, 0.5]);
  });
  it('finds the item that a problem is about', () => {
    expect(itemOf('lanes[2].polygon')).toEqual({ kind: 'lane', index: 2 });
    expect(itemOf('calibration.rectangle')).toEqual({ kind: 'calibration', index: 0 });
    expect(itemOf('version')).toBeNull();
  });
  it('knows the parts of a selection', () => {
    expect(partsOf(document, { kind: 'region', index: 0 }).map(([part]) => part)).toEqual(['polygon']);
    expect(partsOf(document, { kind: 'lane', index: 5 })).toEqual([]);
  });
});
