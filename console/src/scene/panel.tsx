import { Badge, Button, Group, MultiSelect, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { EVENT_KINDS, EVENT_NAMES } from '../codes';
import { useText } from '../i18n';
import { useClassName } from '../parts/overlay';
import { CrowdForm } from './crowdform';
import type { Segment, SceneDocument } from './document';
import { TURNS, acrossLane } from './document';
import type { Selection } from './editing';
import { withFields, without } from './editing';

/** Purposes that Wayside knows, with their texts. */
export const REGION_KINDS: [string, string, string][] = [
  ['people', '人员计数', 'people are counted'],
  ['crowd', '人员聚集', 'crowds'],
  ['no_parking', '禁停区', 'no parking'],
  ['parking', '停车区', 'parking allowed'],
  ['restricted', '禁行区', 'restricted'],
  ['junction_box', '路口禁停区', 'junction box'],
  ['roadway', '路面', 'roadway'],
  ['off_road', '路外', 'off the road'],
  ['slope', '边坡', 'slope'],
  ['helmet', '须戴安全帽', 'safety helmets'],
];

const CLASSES = ['person', 'bicycle', 'motorcycle', 'car', 'bus', 'truck'];

/** What a purpose makes of a region, where its name does not say it all. */
const REGION_HELP: Record<string, [string, string]> = {
  people: ['统计区域内的人数与密度, 随人流量数据推送。', 'People in it are counted; number and density are pushed with the people data.'],
  crowd: ['统计人数, 达到下列条件时告警 (1008)。', 'People in it are counted; a gathering is an alarm (1008).'],
  no_parking: ['车辆停留即为违停 (1001)。', 'A vehicle that stands in it is parked illegally (1001).'],
  parking: ['允许停车: 不报停车与违停。', 'Standing is allowed: bays, bus stops.'],
  restricted: ['下列对象进入即告警 (1010)。', 'Closed to those below (1010).'],
  junction_box: ['路口内的停车排队为溢出 (1018)。', 'A queue standing in it is an overflow (1018).'],
  roadway: ['没有车道时的路面范围: 抛洒物、行人、事故。', 'The road where no lanes are drawn: debris, pedestrians, accidents.'],
  off_road: ['从路面驶入即为驶离 (1017)。', 'Driving into it from the road is leaving the road (1017).'],
  slope: ['观察是否滑坡 (1016)。', 'Watched for mudslides (1016).'],
  helmet: ['人员须戴安全帽 (1012)。', 'People in it must wear helmets (1012).'],
};

interface Props {
  document: SceneDocument;
  selection: Selection;
  aspect: number;
  editable: boolean;
  onCommit: (document: SceneDocument) => void;
  onRemoved: () => void;
}

/** The fields of what is selected. */
export function ItemPanel({ document, selection, aspect, editable, onCommit, onRemoved }: Props) {
  const t = useText();
  const className = useClassName();
  const disabledEvents = (names: string[] | null | undefined) => (
    <MultiSelect
      label={t('此处不检测的事件', 'Kinds of events not looked for here')}
      placeholder={names?.length ? '' : t('无', 'none')}
      data={EVENT_KINDS.map(([code, zh, en]) => ({ value: EVENT_NAMES[code]!, label: t(zh, en) }))}
      value={names ?? []}
      searchable
      disabled={!editable}
      onChange={(value) => set({ disabledEvents: value.length ? value : null })}
    />
  );
  const set = (fields: Record<string, unknown>) => onCommit(withFields(document, selection, fields));
  const remove = (
    <Button
      color="red"
      variant="light"
      size="compact-sm"
      leftSection={<IconTrash size={14} />}
      disabled={!editable}
      onClick={() => {
        onCommit(without(document, selection));
        onRemoved();
      }}
    >
      {t('删除', 'Delete')}
    </Button>
  );
  if (selection.kind === 'lane') {
    const lane = document.lanes?.[selection.index];
    if (!lane) return null;
    const turnNames = { other: t('其它', 'other'), left: t('左转', 'left'), straight: t('直行', 'straight'), right: t('右转', 'right'), uTurn: t('掉头', 'U-turn') };
    const line = (part: 'entryLine' | 'stopLine', name: string, share: number) => (
      <Group justify="space-between">
        <Text size="sm">{name}</Text>
        {lane[part] ? (
          <Button size="compact-xs" variant="default" disabled={!editable} onClick={() => set({ [part]: null })}>
            {t('移除', 'Remove')}
          </Button>
        ) : (
          <Button
            size="compact-xs"
            variant="light"
            disabled={!editable}
            onClick={() => {
              const placed: Segment | null = acrossLane(lane.polygon, lane.direction, share, aspect);
              if (placed) set({ [part]: placed });
            }}
          >
            {t('添加', 'Add')}
          </Button>
        )}
      </Group>
    );
    return (
      <Stack gap="xs">
        <Group justify="space-between">
          <Badge>{t('车道', 'Lane')}</Badge>
          {remove}
        </Group>
        <NumberInput label={t('车道编号', 'Lane number')} value={lane.roadNum} min={1} allowDecimal={false} disabled={!editable} onChange={(value) => typeof value === 'number' && set({ roadNum: value })} />
        <TextInput label={t('车道描述', 'Lane name')} value={lane.roadName ?? ''} maxLength={200} disabled={!editable} onChange={(e) => set({ roadName: e.currentTarget.value })} />
        <Select label={t('转向', 'Turn')} data={TURNS.map((turn) => ({ value: turn, label: turnNames[turn] }))} value={lane.turn ?? 'other'} allowDeselect={false} disabled={!editable} onChange={(value) => set({ turn: value })} />
        <NumberInput label={t('限速 (公里/小时)', 'Speed limit, km/h')} value={lane.speedLimitKmh ?? ''} min={1} max={300} disabled={!editable} onChange={(value) => set({ speedLimitKmh: typeof value === 'number' ? value : null })} />
        <NumberInput label={t('最低限速 (公里/小时)', 'Minimum speed, km/h')} value={lane.minSpeedKmh ?? ''} min={1} max={300} disabled={!editable} onChange={(value) => set({ minSpeedKmh: typeof value === 'number' ? value : null })} />
        <Select
          label={t('车道用途', 'Use')}
          data={[
            { value: 'driving', label: t('行车道', 'driving') },
            { value: 'emergency', label: t('应急车道', 'hard shoulder') },
          ]}
          value={lane.use ?? 'driving'}
          allowDeselect={false}
          disabled={!editable}
          onChange={(value) => set({ use: value })}
        />
        <Group grow>
          {(['leftBoundary', 'rightBoundary'] as const).map((side) => (
            <Select
              key={side}
              label={side === 'leftBoundary' ? t('左侧标线', 'Left marking') : t('右侧标线', 'Right marking')}
              placeholder={t('未知', 'unknown')}
              clearable
              data={[
                { value: 'dashed', label: t('虚线', 'dashed') },
                { value: 'solid', label: t('实线', 'solid') },
              ]}
              value={lane[side] ?? null}
              disabled={!editable}
              onChange={(value) => set({ [side]: value })}
            />
          ))}
        </Group>
        {disabledEvents(lane.disabledEvents)}
        <Button size="compact-sm" variant="default" disabled={!editable} onClick={() => set({ direction: [...lane.direction].reverse() })}>
          {t('反转行驶方向', 'Reverse the direction')}
        </Button>
        {line('stopLine', t('停止线 (红)', 'Stop line (red)'), 0.88)}
        {line('entryLine', t('测量段起点 (青)', 'Start of the measuring section (cyan)'), 0.2)}
        <Text size="xs" c="dimmed">
          {t('黄线为抓拍线, 车辆沿绿色箭头方向越过时计数。拖动白点调整; 点击边上的小点可增加顶点; 选中顶点后可用方向键微调, Delete 删除。', 'The yellow line counts vehicles that cross it along the green arrow. Drag the white points; a click on a small point adds a corner; arrow keys move the chosen one, Delete removes it.')}
        </Text>
      </Stack>
    );
  }
  if (selection.kind === 'region') {
    const region = document.regions?.[selection.index];
    if (!region) return null;
    const known = REGION_KINDS.map(([value, zh, en]) => ({ value, label: t(zh, en) }));
    const kinds = known.some(({ value }) => value === region.kind) ? known : [...known, { value: region.kind, label: region.kind }];
    return (
      <Stack gap="xs">
        <Group justify="space-between">
          <Badge color="orange">{t('区域', 'Region')}</Badge>
          {remove}
        </Group>
        <NumberInput label={t('区域编号', 'Region code')} value={region.regionCode} min={1} allowDecimal={false} disabled={!editable} onChange={(value) => typeof value === 'number' && set({ regionCode: value })} />
        <TextInput label={t('名称', 'Name')} value={region.name ?? ''} disabled={!editable} onChange={(e) => set({ name: e.currentTarget.value })} />
        <Select label={t('用途', 'Purpose')} data={kinds} value={region.kind} allowDeselect={false} disabled={!editable} onChange={(value) => value && set({ kind: value, ...(value === 'crowd' ? {} : { crowd: null }), ...(value === 'restricted' ? {} : { classes: null }) })} />
        {REGION_HELP[region.kind] && (
          <Text size="xs" c="dimmed">
            {t(...REGION_HELP[region.kind]!)}
          </Text>
        )}
        <NumberInput label={t('面积 (平方米)', 'Area, m²')} description={t('空: 由标定计算', 'empty: from the calibration')} value={region.areaM2 ?? ''} min={0.01} disabled={!editable} onChange={(value) => set({ areaM2: typeof value === 'number' ? value : null })} />
        {region.kind === 'restricted' && (
          <MultiSelect
            label={t('禁行对象', 'Closed to')}
            description={t('空: 机动车', 'empty: motor vehicles')}
            data={CLASSES.map((value) => ({ value, label: className(value) }))}
            value={region.classes ?? []}
            disabled={!editable}
            onChange={(value) => set({ classes: value.length ? value : null })}
          />
        )}
        {region.kind === 'crowd' && <CrowdForm rule={region.crowd} editable={editable} onChange={(crowd) => set({ crowd })} />}
        {disabledEvents(region.disabledEvents)}
      </Stack>
    );
  }
  if (selection.kind === 'countLine') {
    const line = document.countLines?.[selection.index];
    if (!line) return null;
    return (
      <Stack gap="xs">
        <Group justify="space-between">
          <Badge color="grape">{t('人流计数线', 'Count line')}</Badge>
          {remove}
        </Group>
        <NumberInput label={t('编号', 'Code')} value={line.code} min={1} allowDecimal={false} disabled={!editable} onChange={(value) => typeof value === 'number' && set({ code: value })} />
        <TextInput label={t('名称', 'Name')} value={line.name ?? ''} disabled={!editable} onChange={(e) => set({ name: e.currentTarget.value })} />
        <Button size="compact-sm" variant="default" disabled={!editable} onClick={() => set({ segment: [line.segment[1], line.segment[0]] })}>
          {t('交换进出方向', 'Swap in and out')}
        </Button>
        <Text size="xs" c="dimmed">
          {t('沿箭头看, 从左侧到右侧为“进”。', 'Seen along the arrow, from its left to its right is "in".')}
        </Text>
      </Stack>
    );
  }
  if (selection.kind === 'calibration') {
    const rectangle = document.calibration?.rectangle;
    return (
      <Stack gap="xs">
        <Group justify="space-between">
          <Badge color="gray">{t('标定', 'Calibration')}</Badge>
          {remove}
        </Group>
        {rectangle ? (
          <>
            <NumberInput label={t('宽 (米), 近左到近右', 'Width in m, near left to near right')} value={rectangle.widthM} min={0.1} max={1000} step={0.05} disabled={!editable} onChange={(value) => typeof value === 'number' && set({ widthM: value })} />
            <NumberInput label={t('长 (米), 近到远', 'Length in m, near to far')} value={rectangle.lengthM} min={0.1} max={5000} step={0.5} disabled={!editable} onChange={(value) => typeof value === 'number' && set({ lengthM: value })} />
            <Text size="xs" c="dimmed">
              {t('把四个角拖到路面上已知尺寸的矩形 (如车道线段与间隔: 6 m + 9 m, 车道宽 3.75 m), 顺序为近左、近右、远右、远左。白色网格应与路面平行、大小可信。', 'Drag the corners onto a rectangle of known size on the road (dashes and gaps of a lane marking: 6 m + 9 m, a lane 3.75 m wide): near left, near right, far right, far left. The white grid should lie flat on the road.')}
            </Text>
          </>
        ) : (
          <Text size="sm">{t('该场景以矩阵或点对标定; 可在 JSON 中修改, 或删除后重新标定。', 'This scene is calibrated by a matrix or points: edit it as JSON, or delete it and calibrate anew.')}</Text>
        )}
      </Stack>
    );
  }
  return (
    <Group justify="space-between">
      <Badge color="gray">{t('分析范围', 'Analysed part')}</Badge>
      {remove}
    </Group>
  );
}

/** Everything in the scene, to find and choose without a mouse. */
export function ItemList({ document, selection, onSelect }: { document: SceneDocument; selection: Selection | null; onSelect: (selection: Selection) => void }) {
  const t = useText();
  const kindName = (kind: string) => {
    const known = REGION_KINDS.find(([value]) => value === kind);
    return known ? t(known[1], known[2]) : kind;
  };
  const rows: [Selection, string][] = [
    ...(document.lanes ?? []).map((lane, index): [Selection, string] => [{ kind: 'lane', index }, `${t('车道', 'Lane')} ${lane.roadNum} ${lane.roadName ?? ''}`]),
    ...(document.regions ?? []).map((region, index): [Selection, string] => [{ kind: 'region', index }, `${t('区域', 'Region')} ${region.regionCode} ${region.name ?? ''} (${kindName(region.kind)})`]),
    ...(document.countLines ?? []).map((line, index): [Selection, string] => [{ kind: 'countLine', index }, `${t('计数线', 'Count line')} ${line.code} ${line.name ?? ''}`]),
    ...(document.outline ? [[{ kind: 'outline', index: 0 }, t('分析范围', 'Analysed part')] as [Selection, string]] : []),
    ...(document.calibration ? [[{ kind: 'calibration', index: 0 }, t('标定', 'Calibration')] as [Selection, string]] : []),
  ];
  return (
    <Stack gap={4}>
      {rows.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('还没有内容: 选择“车道”并在画面上依次点击其轮廓。', 'Nothing yet: choose "Lane" and click its outline on the picture.')}
        </Text>
      )}
      {rows.map(([item, name]) => {
        const chosen = selection?.kind === item.kind && selection.index === item.index;
        return (
          <Button key={`${item.kind}-${item.index}`} variant={chosen ? 'filled' : 'subtle'} color={chosen ? undefined : 'gray'} size="compact-sm" justify="start" onClick={() => onSelect(item)} aria-pressed={chosen}>
            {name}
          </Button>
        );
      })}
    </Stack>
  );
}

