import { Badge, Button, Card, Drawer, Group, MultiSelect, Select, SimpleGrid, Stack, Switch, Table, Text, TextInput } from '@mantine/core';
import { DateTimePicker } from '@mantine/dates';
import { IconChevronLeft, IconChevronRight, IconDownload } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { call, saveFile } from '../api';
import { EVENT_KINDS, PLATE_COLOURS, VEHICLE_COLOURS, VEHICLE_TYPES, WEATHERS, choices, nameOf } from '../codes';
import { useLanguage } from '../i18n';
import { ArchiveClip, ArchivePicture } from '../parts/archive';
import { Body, ErrorNote, Nothing, PageTitle, Waiting, useTold } from '../parts/common';
import { Pager } from '../parts/pagedtable';
import { useSession } from '../session';
import { useTasks } from '../tasks';
import type { EventDetail, TrafficEvent } from '../types';

const ROWS = 24;
/** Somebody who opens an event that has just ended waits so long for its clip before it is called missing. */
const MAKING_MS = 60_000;

interface Filters {
  taskNum: string | null;
  recordTypes: number[] | null;
  state: string | null;
  falseAlarm: boolean | null;
  startTime: string | null;
  endTime: string | null;
}

export default function EventsPage() {
  const { t, language } = useLanguage();
  const told = useTold();
  const zh = language === 'zh';
  const { tasks } = useTasks();
  const [search] = useSearchParams();
  const [filters, setFilters] = useState<Filters>({ taskNum: search.get('task'), recordTypes: null, state: null, falseAlarm: null, startTime: null, endTime: null });
  const [page, setPage] = useState(1);
  const [opened, setOpened] = useState<number | null>(search.get('event') ? Number(search.get('event')) : null);
  const set = (changes: Partial<Filters>) => {
    setFilters((before) => ({ ...before, ...changes }));
    setPage(1);
  };
  const { data, error } = useQuery({
    queryKey: ['events', filters, page],
    queryFn: () => call<{ total: number; rows: TrafficEvent[] }>('event/list', { ...filters, page, pageSize: ROWS }),
    refetchInterval: 3_000,
    placeholderData: keepPreviousData,
  });
  const names = new Map((tasks ?? []).map((task) => [task.taskNum, task.taskName]));
  const at = data?.rows.findIndex((event) => event.id === opened) ?? -1;
  const before = at > 0 ? data?.rows[at - 1]?.id : undefined;
  const after = at >= 0 ? data?.rows[at + 1]?.id : undefined;
  const exported = async () => {
    try {
      const marked: TrafficEvent[] = [];
      for (let at = 1; ; at += 1) {
        const part = await call<{ total: number; rows: TrafficEvent[] }>('event/list', { ...filters, falseAlarm: true, page: at, pageSize: 500 });
        marked.push(...part.rows);
        if (at * 500 >= part.total) break;
      }
      saveFile(new Blob([JSON.stringify(marked, null, 2)], { type: 'application/json' }), 'false-alarms.json');
    } catch (caught) {
      told.bad(caught);
    }
  };
  return (
    <>
      <PageTitle title={t('事件', 'Events')}>
        <Button variant="default" leftSection={<IconDownload size={16} />} onClick={() => void exported()}>
          {t('导出误报', 'Export false alarms')}
        </Button>
      </PageTitle>
      <Group mb="md" gap="sm" align="end">
        <Select label={t('相机', 'Camera')} placeholder={t('全部', 'All')} clearable searchable data={(tasks ?? []).map((task) => ({ value: task.taskNum, label: `${task.taskNum} ${task.taskName}` }))} value={filters.taskNum} onChange={(taskNum) => set({ taskNum })} />
        <MultiSelect label={t('事件类型', 'Kind')} placeholder={filters.recordTypes ? '' : t('全部', 'All')} clearable searchable data={choices(EVENT_KINDS, zh)} value={(filters.recordTypes ?? []).map(String)} onChange={(value) => set({ recordTypes: value.length ? value.map(Number) : null })} maw={360} />
        <Select
          label={t('状态', 'State')}
          placeholder={t('全部', 'All')}
          clearable
          data={[
            { value: 'open', label: t('未结束', 'open') },
            { value: 'closed', label: t('已结束', 'ended') },
          ]}
          value={filters.state}
          onChange={(state) => set({ state })}
          w={120}
        />
        <DateTimePicker label={t('从', 'From')} placeholder={t('不限', 'any time')} clearable withSeconds valueFormat="YYYY-MM-DD HH:mm:ss" value={filters.startTime} onChange={(startTime) => set({ startTime })} w={190} />
        <DateTimePicker label={t('至', 'To')} placeholder={t('不限', 'any time')} clearable withSeconds valueFormat="YYYY-MM-DD HH:mm:ss" value={filters.endTime} onChange={(endTime) => set({ endTime })} w={190} />
        <Switch label={t('隐藏误报', 'Hide false alarms')} checked={filters.falseAlarm === false} onChange={(e) => set({ falseAlarm: e.currentTarget.checked ? false : null })} pb={8} />
      </Group>
      <ErrorNote error={error} />
      {!data && !error && <Waiting />}
      {data?.rows.length === 0 && <Nothing>{Object.values(filters).some((value) => value !== null) ? t('没有符合条件的事件', 'No such events') : t('还没有事件', 'No events yet')}</Nothing>}
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }} spacing="sm">
        {data?.rows.map((event) => (
          <Card key={event.id} withBorder padding="xs" data-event={event.recordType}>
            <Card.Section>
              <button type="button" className="tile" onClick={() => setOpened(event.id)} aria-label={t(`打开 ${event.recordContent} ${event.recordTime}`, `Open ${nameOf(EVENT_KINDS, event.recordType, false)} ${event.recordTime}`)}>
                <div style={{ aspectRatio: '16 / 9', display: 'grid' }}>
                  <ArchivePicture path={event.recordLargePath} alt="" />
                </div>
              </button>
            </Card.Section>
            <Group justify="space-between" mt="xs" wrap="nowrap">
              <Text fw={600} truncate>
                {nameOf(EVENT_KINDS, event.recordType, zh)}
              </Text>
              <EventBadges event={event} />
            </Group>
            <Text size="sm" c="dimmed" className="num">
              {event.recordTime} · {names.get(event.taskNum) ?? event.taskNum}
              {event.roadNum > 0 && ` · ${t('车道', 'lane')} ${event.roadNum}`}
            </Text>
            {event.detail && <Text size="sm">{event.detail}</Text>}
          </Card>
        ))}
      </SimpleGrid>
      {!!data?.total && <Pager total={data.total} shown={data.rows.length} rowsPerPage={ROWS} page={page} onPage={setPage} />}
      <Drawer opened={opened !== null} onClose={() => setOpened(null)} position="right" size="xl" title={t('事件详情', 'Event')}>
        {opened !== null && (
          <Stack>
            <Group justify="space-between">
              <Button variant="default" size="compact-sm" leftSection={<IconChevronLeft size={14} />} disabled={before === undefined} onClick={() => before !== undefined && setOpened(before)}>
                {t('较新', 'Newer')}
              </Button>
              <Button variant="default" size="compact-sm" rightSection={<IconChevronRight size={14} />} disabled={after === undefined} onClick={() => after !== undefined && setOpened(after)}>
                {t('较早', 'Older')}
              </Button>
            </Group>
            <Detail key={opened} id={opened} />
          </Stack>
        )}
      </Drawer>
    </>
  );
}

function EventBadges({ event }: { event: TrafficEvent }) {
  const { t } = useLanguage();
  return (
    <Group gap={4} wrap="nowrap">
      {event.falseAlarm && <Badge color="gray">{t('误报', 'false alarm')}</Badge>}
      {event.state === 'open' ? <Badge color="red">{t('未结束', 'open')}</Badge> : <Badge color="teal">{t('已结束', 'ended')}</Badge>}
    </Group>
  );
}

function Detail({ id }: { id: number }) {
  const { t, language } = useLanguage();
  const zh = language === 'zh';
  const told = useTold();
  const queries = useQueryClient();
  const { mayChange } = useSession();
  const [note, setNote] = useState('');
  const [opened] = useState(() => Date.now());
  const { data, error, dataUpdatedAt } = useQuery({ queryKey: ['events', 'one', id], queryFn: () => call<EventDetail>('event/query', { id }), refetchInterval: 5_000 });
  if (error) return <ErrorNote error={error} />;
  if (!data) return <Waiting />;
  const act = async (path: string, body: Record<string, unknown>) => {
    try {
      await call(path, { id, note, ...body });
      await queries.invalidateQueries({ queryKey: ['events'] });
      told.good(t('已保存', 'Saved'));
    } catch (caught) {
      told.bad(caught);
    }
  };
  const rows: [string, string][] = [
    [t('发生', 'Began'), data.startTime],
    [t('上报', 'Raised'), data.recordTime],
    [t('升级', 'Upgraded'), data.upgradeTime && `${data.upgradeTime} (${nameOf(EVENT_KINDS, data.firstType, zh)} → ${nameOf(EVENT_KINDS, data.recordType, zh)})`],
    [t('结束', 'Ended'), data.closeTime && `${data.closeTime}${data.closedBy ? ` (${data.closedBy})` : ''}`],
    [t('置信度', 'Confidence'), data.confidence.toFixed(2)],
    [t('车道 / 区域', 'Lane / region'), `${data.roadNum || '–'} / ${data.regionCode || '–'}`],
    [t('车牌', 'Plate'), data.plate && `${data.plate} (${nameOf(PLATE_COLOURS, data.plateColor, zh)})`],
    [t('车型 / 颜色', 'Type / colour'), data.objectClass && `${nameOf(VEHICLE_TYPES, data.vehicleType, zh)} / ${nameOf(VEHICLE_COLOURS, data.vehicleColor, zh)}`],
    [t('天气', 'Weather'), nameOf(WEATHERS, data.weather, zh)],
    [t('详情', 'Detail'), data.detail],
    [t('备注', 'Note'), data.note && `${data.note}${data.markedBy ? ` (${data.markedBy}, ${data.markTime})` : ''}`],
  ];
  return (
    <Stack>
      <Group gap="xs">
        <Text fw={700} size="lg">
          {nameOf(EVENT_KINDS, data.recordType, zh)} ({data.recordType})
        </Text>
        <EventBadges event={data} />
      </Group>
      <ArchivePicture path={data.pictureThere ? data.recordLargePath : ''} alt={t('抓拍图片', 'picture of the event')} />
      <ArchiveClip path={data.videoPath} made={data.clipThere} young={data.state === 'open' || dataUpdatedAt - opened < MAKING_MS} label={t('事件录像', 'clip of the event')} />
      <Table>
        <Table.Tbody>
          {rows
            .filter(([, value]) => value)
            .map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Td w={140}>{name}</Table.Td>
                <Table.Td>{value}</Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
      {mayChange && (
        <Group align="end">
          <TextInput label={t('备注', 'Note')} value={note} onChange={(e) => setNote(e.currentTarget.value)} maxLength={500} flex={1} />
          <Button variant="light" color={data.falseAlarm ? 'gray' : 'orange'} onClick={() => void act('event/mark', { falseAlarm: !data.falseAlarm })}>
            {data.falseAlarm ? t('取消误报', 'Not a false alarm') : t('标记误报', 'Mark as false alarm')}
          </Button>
          {data.state === 'open' && (
            <Button variant="default" onClick={() => void act('event/close', {})}>
              {t('结束事件', 'End the event')}
            </Button>
          )}
        </Group>
      )}
      <Text fw={600}>{t('推送的报文', 'The body as it was pushed')}</Text>
      <Body text={JSON.stringify(data.upgradedBody ?? data.body, null, 2)} />
    </Stack>
  );
}
