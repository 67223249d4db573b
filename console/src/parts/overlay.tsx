import { EVENT_KINDS, nameOf } from '../codes';
import { useLanguage, useText } from '../i18n';
import type { Point, SceneDocument } from '../scene/document';
import { middle } from '../scene/document';
import type { LiveMessage } from '../types';

const COLOURS: Record<string, string> = { person: '#ff8c00', bicycle: '#ffd700', motorcycle: '#ff69b4', car: '#00dc5a', bus: '#00beff', truck: '#c08bff' };

export function useClassName() {
  const t = useText();
  return (name: string): string =>
    ({ person: t('行人', 'person'), bicycle: t('自行车', 'bicycle'), car: t('轿车', 'car'), motorcycle: t('摩托车', 'motorcycle'), bus: t('客车', 'bus'), truck: t('货车', 'truck') })[name] ?? name;
}

/** Lanes, lines, queues, boxes, ids, speeds and counts over a picture, in step with it. */
export function Overlay({ view, scene, show }: { view: LiveMessage; scene: SceneDocument | null; show: { lanes: boolean; queues: boolean; boxes: boolean; labels: boolean } }) {
  const t = useText();
  const className = useClassName();
  const { language } = useLanguage();
  const width = 1000;
  const height = (width * view.height) / view.width;
  const at = ([x, y]: Point) => `${x * width},${y * height}`;
  const path = (points: Point[]) => points.map(at).join(' ');
  const lanes = scene?.lanes?.length ? scene.lanes.map((lane) => ({ roadNum: lane.roadNum, polygon: lane.polygon, lane })) : view.learnedLanes.map((lane) => ({ ...lane, lane: null }));
  return (
    <svg viewBox={`0 0 ${width} ${height}`} style={{ position: 'absolute', inset: 0, width: '100%', height: '100%' }} aria-hidden="true">
      {show.lanes &&
        lanes.map(({ roadNum, polygon, lane }) => {
          const [x, y] = middle(lane ? (lane.snapshotLine as Point[]) : polygon);
          return (
            <g key={roadNum}>
              <polygon points={path(polygon)} fill="rgba(80,160,255,0.08)" stroke="#50a0ff" strokeWidth={1.5} />
              {lane && <polyline points={path(lane.snapshotLine)} stroke="#ffe600" strokeWidth={2.5} fill="none" />}
              {lane?.stopLine && <polyline points={path(lane.stopLine)} stroke="#ff4d4d" strokeWidth={2.5} fill="none" />}
              <text x={x * width} y={y * height - 6} fill="#ffe600" stroke="#000" strokeWidth={3} paintOrder="stroke" fontSize={18} fontWeight={700} textAnchor="middle">
                {roadNum}: {view.laneCounts[String(roadNum)] ?? 0}
              </text>
            </g>
          );
        })}
      {show.lanes && scene?.regions?.map((region) => <polygon key={region.regionCode} points={path(region.polygon)} fill="rgba(255,140,0,0.08)" stroke="#ff8c00" strokeWidth={1.5} strokeDasharray="6 4" />)}
      {show.lanes && scene?.countLines?.map((line) => <polyline key={line.code} points={path(line.segment)} stroke="#f0f" strokeWidth={2.5} fill="none" />)}
      {show.queues &&
        view.queues.map((queue) => (
          <g key={queue.roadNum} data-queue={queue.roadNum}>
            <polygon points={path(queue.outline)} fill="rgba(255,77,157,0.14)" stroke="#ff4d9d" strokeWidth={1.5} />
            <polyline points={path(queue.rear)} stroke="#ff4d9d" strokeWidth={4} fill="none" />
          </g>
        ))}
      {view.events.map((event) => {
        const [x1, y1, x2, y2] = event.box;
        return (
          <g key={event.id}>
            <rect x={x1 * width} y={y1 * height} width={(x2 - x1) * width} height={(y2 - y1) * height} fill="none" stroke="#ff2020" strokeWidth={4} />
            <text x={x1 * width} y={Math.max(16, y1 * height - 20)} fill="#ff5050" stroke="#000" strokeWidth={3} paintOrder="stroke" fontSize={18} fontWeight={700}>
              {nameOf(EVENT_KINDS, event.kind, language === 'zh')}
            </text>
          </g>
        );
      })}
      {show.boxes &&
        view.objects.map((item) => {
          const [x1, y1, x2, y2] = item.box;
          const colour = COLOURS[item.name] ?? '#fff';
          return (
            <g key={item.id}>
              <rect x={x1 * width} y={y1 * height} width={(x2 - x1) * width} height={(y2 - y1) * height} fill="none" stroke={colour} strokeWidth={item.moved ? 2.5 : 1.2} />
              {show.labels && (
                <text x={x1 * width} y={Math.max(12, y1 * height - 4)} fill={colour} stroke="#000" strokeWidth={3} paintOrder="stroke" fontSize={14}>
                  {className(item.name)} {item.id}
                  {item.speed !== null && ` ${item.speed.toFixed(0)} km/h`}
                </text>
              )}
            </g>
          );
        })}
      {show.queues &&
        view.queues.map((queue) => {
          const [x, y] = middle(queue.rear);
          return (
            <text key={queue.roadNum} x={x * width} y={y * height + 5} fill="#ff9ecb" stroke="#000" strokeWidth={3.5} paintOrder="stroke" fontSize={17} fontWeight={700} textAnchor="middle">
              {t(`排队 ${queue.number} 辆`, `queue ${queue.number}`)}
              {queue.lengthM !== null && ` · ${queue.lengthM.toFixed(0)} m`}
            </text>
          );
        })}
    </svg>
  );
}
