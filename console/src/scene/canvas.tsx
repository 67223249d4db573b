import type Konva from 'konva';
import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { Arrow, Circle, Group, Image as KonvaImage, Layer, Line, Rect, Stage, Text } from 'react-konva';
import type { Point, SceneDocument } from './document';
import { middle } from './document';
import type { Part, Selection, Tool } from './editing';
import { partsOf, snapped, withPart } from './editing';

const REACH_PX = 9;
const LANE = '#50a0ff';
const REGION = '#ff8c00';
const PART_COLOURS: Record<Part, string> = { polygon: LANE, direction: '#7ee081', snapshotLine: '#ffe600', entryLine: '#00e0e0', stopLine: '#ff4d4d', segment: '#ff4dff', image: '#ffffff' };

const ARROWS: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const clamped = (value: number) => Math.min(1, Math.max(0, value));

export interface Vertex {
  part: Part;
  index: number;
}

interface Props {
  document: SceneDocument;
  picture: HTMLImageElement | null;
  aspect: number;
  grid: [number, number][][];
  tool: Tool;
  draft: Point[];
  selection: Selection | null;
  vertex: Vertex | null;
  editable: boolean;
  label: string;
  onDraft: (draft: Point[]) => void;
  onFinish: (draft: Point[]) => void;
  onSelect: (selection: Selection | null) => void;
  onVertex: (vertex: Vertex | null) => void;
  onPreview: (document: SceneDocument) => void;
  onCommit: (document: SceneDocument) => void;
}

/** The picture with everything drawn on it. Points are dragged, lines are clicked point by point. */
export function SceneCanvas(props: Props) {
  const { document, picture, aspect, grid, tool, draft, selection, vertex, editable } = props;
  const holder = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(960);
  const [cursor, setCursor] = useState<Point | null>(null);
  const [cross, setCross] = useState<Point | null>(null);
  useEffect(() => {
    setCross(null);
    setCursor(null);
  }, [props.tool]);
  useEffect(() => {
    const watch = new ResizeObserver((entries) => setWidth(Math.max(320, entries[0]!.contentRect.width)));
    watch.observe(holder.current!);
    return () => watch.disconnect();
  }, []);
  const size = { width, height: width / aspect };
  const px = (points: Point[]) => points.flatMap(([x, y]) => [x * size.width, y * size.height]);
  const pointer = (stage: Konva.Stage | null): Point | null => {
    const at = stage?.getPointerPosition();
    return at ? snapped(document, [at.x / size.width, at.y / size.height], size, REACH_PX) : null;
  };
  const drawing = tool !== 'select';
  const closes = tool === 'lane' || tool === 'region' || tool === 'outline';

  const click = (stage: Konva.Stage | null) => {
    const at = pointer(stage);
    if (at && drawing) place(at);
  };
  const place = (at: Point) => {
    const near = (other: Point | undefined) => !!other && Math.hypot((other[0] - at[0]) * size.width, (other[1] - at[1]) * size.height) < REACH_PX;
    // A second click on the last point (a double click) ends an outline as one on its first point does.
    if (near(draft[0]) || near(draft[draft.length - 1])) {
      if (closes && draft.length >= 3) props.onFinish(draft);
      return;
    }
    const next = [...draft, at];
    if ((tool === 'countLine' || tool === 'direction') && next.length === 2) props.onFinish(next);
    else props.onDraft(next);
  };
  /** Without a mouse: arrow keys move a cross and Space places a point at it; Page Up and Page Down choose a point to move. */
  const onKey = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key];
    if (drawing && (arrow || event.key === ' ')) {
      const now = cross ?? [0.5, 0.5];
      if (arrow) {
        const step = (event.shiftKey ? 4 : 24) / size.width;
        const next: Point = [clamped(now[0] + arrow[0] * step), clamped(now[1] + arrow[1] * step * aspect)];
        setCross(next);
        setCursor(next);
      } else place(snapped(document, now, size, REACH_PX));
    } else if (!drawing && selection && editable && (event.key === 'PageDown' || event.key === 'PageUp')) {
      const all = partsOf(document, selection).flatMap(([part, points]) => points.map((_, index): Vertex => ({ part, index })));
      const at = all.findIndex((one) => one.part === vertex?.part && one.index === vertex.index);
      const step = event.key === 'PageDown' ? 1 : -1;
      if (all.length) props.onVertex(all[(at < 0 ? (step > 0 ? 0 : -1) : at + step + all.length) % all.length] ?? all[all.length - 1]!);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const select = (item: Selection) => (drawing ? undefined : () => props.onSelect(item));
  const chosen = (kind: Selection['kind'], index: number) => selection?.kind === kind && selection.index === index;

  return (
    <div ref={holder} tabIndex={0} onKeyDown={onKey} style={{ cursor: drawing ? 'crosshair' : 'default', touchAction: 'none' }} data-testid="scene-canvas" role="application" aria-label={props.label}>
      <Stage
        width={size.width}
        height={size.height}
        onClick={(event) => {
          if (drawing) click(event.target.getStage());
          else if (event.target === event.target.getStage() || event.target.name() === 'ground') props.onSelect(null);
        }}
        onTap={(event) => drawing && click(event.target.getStage())}
        onMouseMove={(event) => {
          if (!drawing) return;
          setCross(null);
          setCursor(pointer(event.target.getStage()));
        }}
        onMouseLeave={() => setCursor(null)}
      >
        <Layer listening={!drawing}>
          <Rect name="ground" width={size.width} height={size.height} fill="#1b2229" />
          {picture && <KonvaImage name="ground" image={picture} width={size.width} height={size.height} />}
        </Layer>
        <Layer listening={false}>
          {grid.map((line, index) => (
            <Line key={index} points={px(line)} stroke="#ffffff" strokeWidth={0.8} opacity={0.55} />
          ))}
        </Layer>
        <Layer listening={!drawing}>
          {document.outline && <Line points={px(document.outline)} closed stroke="#ffffff" strokeWidth={chosen('outline', 0) ? 2.5 : 1.2} dash={[10, 6]} onClick={select({ kind: 'outline', index: 0 })} hitStrokeWidth={12} />}
          {document.regions?.map((region, index) => (
            <Group key={`region-${index}`} onClick={select({ kind: 'region', index })} onTap={select({ kind: 'region', index })}>
              <Line points={px(region.polygon)} closed stroke={REGION} strokeWidth={chosen('region', index) ? 3 : 1.5} fill="rgba(255,140,0,0.14)" dash={[8, 5]} />
              <Label at={middle(region.polygon)} size={size} text={`${region.regionCode} ${region.name || region.kind}`} colour={REGION} />
            </Group>
          ))}
          {document.lanes?.map((lane, index) => (
            <Group key={`lane-${index}`} onClick={select({ kind: 'lane', index })} onTap={select({ kind: 'lane', index })}>
              <Line points={px(lane.polygon)} closed stroke={LANE} strokeWidth={chosen('lane', index) ? 3 : 1.5} fill={chosen('lane', index) ? 'rgba(80,160,255,0.26)' : 'rgba(80,160,255,0.12)'} />
              <Arrow points={px(lane.direction)} stroke={PART_COLOURS.direction} fill={PART_COLOURS.direction} strokeWidth={2} pointerLength={10} pointerWidth={10} />
              <Line points={px(lane.snapshotLine)} stroke={PART_COLOURS.snapshotLine} strokeWidth={3} />
              {lane.entryLine && <Line points={px(lane.entryLine)} stroke={PART_COLOURS.entryLine} strokeWidth={2.5} />}
              {lane.stopLine && <Line points={px(lane.stopLine)} stroke={PART_COLOURS.stopLine} strokeWidth={3} />}
              <Label at={middle(lane.polygon)} size={size} text={`${lane.roadNum} ${lane.roadName ?? ''}`} colour="#ffffff" />
            </Group>
          ))}
          {document.countLines?.map((line, index) => (
            <Group key={`line-${index}`} onClick={select({ kind: 'countLine', index })}>
              <Arrow points={px(line.segment)} stroke={PART_COLOURS.segment} fill={PART_COLOURS.segment} strokeWidth={chosen('countLine', index) ? 4 : 2.5} hitStrokeWidth={14} />
              <Label at={middle(line.segment)} size={size} text={`${line.code} ${line.name ?? ''}`} colour={PART_COLOURS.segment} />
            </Group>
          ))}
          {document.calibration?.rectangle && (
            <Line points={px(document.calibration.rectangle.image)} closed stroke="#ffffff" strokeWidth={chosen('calibration', 0) ? 3 : 1.5} fill="rgba(255,255,255,0.10)" onClick={select({ kind: 'calibration', index: 0 })} />
          )}
        </Layer>
        <Layer>
          {selection && editable && !drawing && <Handles {...props} size={size} selection={selection} vertex={vertex} px={px} />}
          {drawing && cross && <Line points={[cross[0] * size.width, 0, cross[0] * size.width, size.height]} stroke="#00dc5a" strokeWidth={1} listening={false} />}
          {drawing && cross && <Line points={[0, cross[1] * size.height, size.width, cross[1] * size.height]} stroke="#00dc5a" strokeWidth={1} listening={false} />}
          {drawing && draft.length > 0 && (
            <>
              <Line points={px(cursor ? [...draft, cursor] : draft)} stroke="#ffffff" strokeWidth={2} dash={[6, 4]} listening={false} />
              {draft.map(([x, y], index) => (
                <Circle key={index} x={x * size.width} y={y * size.height} radius={index === 0 ? 7 : 4} fill={index === 0 && draft.length >= 3 ? '#00dc5a' : '#ffffff'} stroke="#000000" strokeWidth={1} listening={false} />
              ))}
            </>
          )}
        </Layer>
      </Stage>
    </div>
  );
}

function Label({ at, size, text, colour }: { at: Point; size: { width: number; height: number }; text: string; colour: string }) {
  return <Text x={at[0] * size.width - 60} y={at[1] * size.height - 8} width={120} align="center" text={text.trim()} fontSize={14} fontStyle="bold" fill={colour} shadowColor="#000000" shadowBlur={3} shadowOpacity={1} listening={false} />;
}

function Handles({ document, selection, vertex, size, px, onVertex, onPreview, onCommit }: Props & { size: { width: number; height: number }; selection: Selection; px: (points: Point[]) => number[] }) {
  return (
    <>
      {partsOf(document, selection).map(([part, points, closed]) => {
        const colour = selection.kind === 'region' ? REGION : PART_COLOURS[part];
        const moved = (index: number, node: Konva.Node): SceneDocument => {
          const before = points[index]!;
          const at = snapped(document, [node.x() / size.width, node.y() / size.height], size, REACH_PX, before);
          return withPart(document, selection, part, points.map((point, other) => (other === index ? at : point)));
        };
        return (
          <Group key={part}>
            {part !== 'polygon' && part !== 'image' && <Line points={px(points)} stroke={colour} strokeWidth={1} dash={[3, 3]} listening={false} />}
            {closed &&
              part === 'polygon' &&
              points.map((point, index) => {
                const next = points[(index + 1) % points.length]!;
                const [x, y] = middle([point, next]);
                return (
                  <Circle
                    key={`between-${index}`}
                    x={x * size.width}
                    y={y * size.height}
                    radius={4}
                    fill="rgba(255,255,255,0.55)"
                    stroke={colour}
                    strokeWidth={1}
                    hitStrokeWidth={10}
                    onClick={() => onCommit(withPart(document, selection, part, [...points.slice(0, index + 1), [x, y], ...points.slice(index + 1)]))}
                    onTap={() => onCommit(withPart(document, selection, part, [...points.slice(0, index + 1), [x, y], ...points.slice(index + 1)]))}
                  />
                );
              })}
            {points.map(([x, y], index) => (
              <Circle
                key={index}
                x={x * size.width}
                y={y * size.height}
                radius={vertex?.part === part && vertex.index === index ? 8 : 6}
                fill={vertex?.part === part && vertex.index === index ? colour : '#ffffff'}
                stroke={colour}
                strokeWidth={3}
                hitStrokeWidth={14}
                draggable
                onClick={() => onVertex({ part, index })}
                onTap={() => onVertex({ part, index })}
                onDragStart={() => onVertex({ part, index })}
                onDragMove={(event) => onPreview(moved(index, event.target))}
                onDragEnd={(event) => onCommit(moved(index, event.target))}
              />
            ))}
          </Group>
        );
      })}
    </>
  );
}
