import { Button, Card, Checkbox, Group, SegmentedControl, Select, SimpleGrid, Text } from '@mantine/core';
import { DatePickerInput } from '@mantine/dates';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { useMemo, useState } from 'react';
import { call, fetchBlob, saveFile } from '../api';
import { useLanguage } from '../i18n';
import type { Series } from '../parts/chart';
import { Chart } from '../parts/chart';
import { ErrorNote, Nothing, PageTitle, Waiting, useTold } from '../parts/common';
import { useTasks } from '../tasks';
import type { Task } from '../types';

type Row = Record<string, string | number | null> & { startTime: string };
type Period = '1h' | '6h' | 'day';
const FORMAT = 'YYYY-MM-DD HH:mm:ss';

/** The wall clock of the camera's zone as a naive moment: the API takes and answers local times of the task. */
const nowIn = (zone: string | undefined) => dayjs(new Date().toLocaleString('sv-SE', { timeZone: zone || undefined }));

function span(day: string, period: Period, zone: string | undefined): { startTime: string; endTime: string; bucket: number } {
  const chosen = dayjs(day);
  if (period === 'day') return { startTime: chosen.startOf('day').format(FORMAT), endTime: chosen.add(1, 'day').startOf('day').format(FORMAT), bucket: 900 };
  const end = nowIn(zone).add(1, 'minute').startOf('minute');
  return { startTime: end.subtract(period === '1h' ? 60 : 360, 'minute').format(FORMAT), endTime: end.format(FORMAT), bucket: period === '1h' ? 60 : 300 };
}

export default function TrafficPage() {
  const { t, language } = useLanguage();
  const told = useTold();
  const { tasks } = useTasks();
  const [taskNum, setTaskNum] = useState<string | null>(null);
  const [topic, setTopic] = useState<'traffic' | 'people'>('traffic');
  const [period, setPeriod] = useState<Period>('1h');
  const [day, setDay] = useState<string>(() => dayjs().format('YYYY-MM-DD'));
  const [compare, setCompare] = useState(false);
  const [other, setOther] = useState<string>(() => dayjs().subtract(1, 'day').format('YYYY-MM-DD'));
  const chosen = taskNum ?? tasks?.[0]?.taskNum ?? null;
  const zone = tasks?.find((task) => task.taskNum === chosen)?.timeZone;
  const taskId = tasks?.find((task) => task.taskNum === chosen)?.id;
  const { data: task } = useQuery({ queryKey: ['task', taskId], queryFn: () => call<Task>('task/query', { id: taskId }), enabled: taskId !== undefined });
  const range = span(day, period, zone);
  const query = (from: { startTime: string; endTime: string; bucket: number }) => call<Row[]>(`${topic}/query`, { taskNum: chosen, ...from });
  const { data, error } = useQuery({ queryKey: ['history', topic, chosen, period, day], queryFn: () => query(span(day, period, zone)), enabled: !!chosen, refetchInterval: 30_000 });
  const { data: before } = useQuery({ queryKey: ['history', topic, chosen, 'day', other], queryFn: () => query(span(other, 'day', zone)), enabled: !!chosen && compare && period === 'day' });
  const labels = useMemo(() => {
    const made: string[] = [];
    const end = dayjs(range.endTime);
    for (let at = dayjs(range.startTime); at.isBefore(end); at = at.add(range.bucket, 'second')) made.push(at.format('HH:mm'));
    return made;
  }, [range.startTime, range.endTime, range.bucket]);
  /** What the scene calls the lane, region or line of a row. */
  const nameIn = (row: Row): string => {
    const scene = task?.scene;
    const code = row.roadNum ?? row.regionCode;
    if (row.roadNum !== undefined) return scene?.lanes?.find((lane) => lane.roadNum === code)?.roadName ?? '';
    if (row.kind === 'countLine') return scene?.countLines?.find((line) => line.code === code)?.name ?? '';
    return scene?.regions?.find((region) => region.regionCode === code)?.name ?? '';
  };
  const series = (field: string, factor = 1): Series[] => {
    const key = topic === 'traffic' ? 'roadNum' : 'regionCode';
    const made = (rows: Row[] | undefined, suffix: string, dashed: boolean) => {
      const found = new Map<string, Series>();
      for (const row of rows ?? []) {
        const kind = row.kind === 'countLine' ? t('计数线', 'line') : topic === 'traffic' ? t('车道', 'lane') : t('区域', 'region');
        const called = nameIn(row);
        const name = `${kind} ${row[key]}${called && ` ${called}`}${suffix}`;
        const one = found.get(name) ?? { name, points: [], dashed };
        const value = row[field];
        one.points.push([row.startTime.slice(11, 16), typeof value === 'number' ? Math.round(value * factor * 100) / 100 : null]);
        found.set(name, one);
      }
      return [...found.values()];
    };
    return [...made(data, '', false), ...(compare && period === 'day' ? made(before, ` · ${other}`, true) : [])];
  };
  const charts: { title: string; unit: string; field: string; factor?: number; kind?: 'line' | 'bar' }[] =
    topic === 'traffic'
      ? [
          { title: t('流量', 'Flow'), unit: t('辆/小时', 'veh/h'), field: 'flowRateVehH' },
          { title: t('平均车速', 'Mean speed'), unit: 'km/h', field: 'timeMeanSpeedKmh' },
          { title: t('时间占有率', 'Time occupancy'), unit: '%', field: 'timeOccupancyRatio', factor: 100 },
          { title: t('空间占有率', 'Space occupancy'), unit: '%', field: 'spaceOccupancyRatio', factor: 100 },
          { title: t('密度', 'Density'), unit: t('辆/公里', 'veh/km'), field: 'densityVehKm' },
          { title: t('最大排队长度', 'Longest queue'), unit: 'm', field: 'maxQueueLengthM' },
          { title: t('最大排队车辆数', 'Most vehicles in the queue'), unit: t('辆', 'vehicles'), field: 'maxQueueNum' },
          { title: t('车头时距', 'Time headway'), unit: 's', field: 'meanTimeHeadwayS' },
        ]
      : [
          { title: t('进', 'In'), unit: t('人', 'people'), field: 'peopleIn', kind: 'bar' },
          { title: t('出', 'Out'), unit: t('人', 'people'), field: 'peopleOut', kind: 'bar' },
          { title: t('人数 (平均)', 'People (mean)'), unit: t('人', 'people'), field: 'peopleMean' },
          { title: t('密度', 'Density'), unit: t('人/平方米', 'people/m²'), field: 'densityPerM2' },
        ];
  const save = async () => {
    try {
      saveFile(await fetchBlob(`${topic}/query`, { taskNum: chosen, ...range, format: 'csv' }), `${topic}-${chosen}-${range.startTime.slice(0, 10)}.csv`);
    } catch (caught) {
      told.bad(caught);
    }
  };
  if (!tasks) return <Waiting />;
  return (
    <>
      <PageTitle title={t('交通与人流', 'Traffic and people')}>
        <Button variant="default" leftSection={<IconDownload size={16} />} disabled={!data?.length} onClick={() => void save()}>
          CSV
        </Button>
      </PageTitle>
      <Group mb="md" gap="sm" align="end">
        <Select label={t('相机', 'Camera')} data={tasks.map((task) => ({ value: task.taskNum, label: `${task.taskNum} ${task.taskName}` }))} value={chosen} onChange={setTaskNum} searchable allowDeselect={false} />
        <SegmentedControl
          value={topic}
          onChange={(value) => setTopic(value as 'traffic' | 'people')}
          data={[
            { value: 'traffic', label: t('车道', 'Lanes') },
            { value: 'people', label: t('人流', 'People') },
          ]}
        />
        <SegmentedControl
          value={period}
          onChange={(value) => setPeriod(value as Period)}
          data={[
            { value: '1h', label: t('1 小时', '1 h') },
            { value: '6h', label: t('6 小时', '6 h') },
            { value: 'day', label: t('一天', 'A day') },
          ]}
        />
        {period === 'day' && (
          <>
            <DatePickerInput label={t('日期', 'Day')} value={day} onChange={(value) => value && setDay(value)} locale={language === 'zh' ? 'zh-cn' : 'en'} valueFormat="YYYY-MM-DD" />
            <Checkbox label={t('对比', 'Compare with')} checked={compare} onChange={(e) => setCompare(e.currentTarget.checked)} pb={8} />
            {compare && <DatePickerInput aria-label={t('对比日期', 'Day to compare with')} value={other} onChange={(value) => value && setOther(value)} locale={language === 'zh' ? 'zh-cn' : 'en'} valueFormat="YYYY-MM-DD" />}
          </>
        )}
      </Group>
      <ErrorNote error={error} />
      {data?.length === 0 && <Nothing>{t('该时段没有数据: 每满一分钟写入一次; 车道参数需要车道, 人流需要区域或计数线', 'Nothing in this period: a row is written each full minute; lanes are needed, or regions and count lines for people')}</Nothing>}
      {!!data?.length && (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="sm">
          {charts.map(({ title, unit, field, factor, kind }) => (
            <Card key={field} withBorder padding="sm">
              <Text component="h3" fw={600} size="sm" mb={4}>
                {title}
              </Text>
              <Chart title={title} unit={unit} labels={labels} series={series(field, factor)} kind={kind} />
            </Card>
          ))}
        </SimpleGrid>
      )}
    </>
  );
}
