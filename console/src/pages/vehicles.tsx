import { Button, Card, Drawer, Group, MultiSelect, NumberInput, Select, Stack, Table, TextInput } from '@mantine/core';
import { DateTimePicker } from '@mantine/dates';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call, fetchBlob, saveFile } from '../api';
import { PLATE_COLOURS, VEHICLE_COLOURS, VEHICLE_TYPES, WEATHERS, choices, nameOf } from '../codes';
import { useLanguage } from '../i18n';
import { ArchivePicture } from '../parts/archive';
import { PageTitle, useTold } from '../parts/common';
import { PagedTable } from '../parts/pagedtable';
import { useTasks } from '../tasks';
import type { Vehicle } from '../types';

const ROWS = 50;

interface Filters {
  taskNum: string | null;
  plate: string | null;
  vehicleTypes: number[] | null;
  vehicleColors: number[] | null;
  roadNums: number[] | null;
  startTime: string | null;
  endTime: string | null;
}

export default function VehiclesPage() {
  const { t, language } = useLanguage();
  const told = useTold();
  const zh = language === 'zh';
  const { tasks } = useTasks();
  const [filters, setFilters] = useState<Filters>({ taskNum: null, plate: null, vehicleTypes: null, vehicleColors: null, roadNums: null, startTime: null, endTime: null });
  const [settled] = useDebouncedValue(filters, 300);
  const [page, setPage] = useState(1);
  const [opened, setOpened] = useState<Vehicle | null>(null);
  const set = (changes: Partial<Filters>) => {
    setFilters((before) => ({ ...before, ...changes }));
    setPage(1);
  };
  const { data, error } = useQuery({
    queryKey: ['vehicles', settled, page],
    queryFn: () => call<{ total: number; rows: Vehicle[] }>('vehicle/list', { ...settled, page, pageSize: ROWS }),
    refetchInterval: page === 1 ? 3_000 : false,
    placeholderData: keepPreviousData,
  });
  const names = new Map((tasks ?? []).map((task) => [task.taskNum, task.taskName]));
  const save = async () => {
    try {
      saveFile(await fetchBlob('vehicle/list', { ...filters, format: 'csv' }), 'vehicles.csv');
    } catch (caught) {
      told.bad(caught);
    }
  };
  const measured = (value: number | null, digits: number, unit: string) => (value === null ? '–' : `${value.toFixed(digits)} ${unit}`);
  return (
    <>
      <PageTitle title={t('车辆', 'Vehicles')}>
        <Button variant="default" leftSection={<IconDownload size={16} />} disabled={!data?.total} onClick={() => void save()}>
          CSV
        </Button>
      </PageTitle>
      <Group mb="md" gap="sm" align="end">
        <TextInput label={t('车牌', 'Plate')} placeholder={t('任意部分, 如 A88', 'any part, such as A88')} leftSection={<IconSearch size={16} />} value={filters.plate ?? ''} maxLength={16} onChange={(e) => set({ plate: e.currentTarget.value || null })} w={180} />
        <Select label={t('相机', 'Camera')} placeholder={t('全部', 'All')} clearable searchable data={(tasks ?? []).map((task) => ({ value: task.taskNum, label: `${task.taskNum} ${task.taskName}` }))} value={filters.taskNum} onChange={(taskNum) => set({ taskNum })} />
        <MultiSelect label={t('车型', 'Type')} placeholder={filters.vehicleTypes ? '' : t('全部', 'All')} clearable searchable data={choices(VEHICLE_TYPES, zh)} value={(filters.vehicleTypes ?? []).map(String)} onChange={(value) => set({ vehicleTypes: value.length ? value.map(Number) : null })} />
        <MultiSelect label={t('颜色', 'Colour')} placeholder={filters.vehicleColors ? '' : t('全部', 'All')} clearable data={choices(VEHICLE_COLOURS, zh)} value={(filters.vehicleColors ?? []).map(String)} onChange={(value) => set({ vehicleColors: value.length ? value.map(Number) : null })} />
        <NumberInput label={t('车道', 'Lane')} placeholder={t('全部', 'All')} min={0} allowDecimal={false} value={filters.roadNums?.[0] ?? ''} onChange={(value) => set({ roadNums: typeof value === 'number' ? [value] : null })} w={90} />
        <DateTimePicker label={t('从', 'From')} placeholder={t('不限', 'any time')} clearable withSeconds valueFormat="YYYY-MM-DD HH:mm:ss" value={filters.startTime} onChange={(startTime) => set({ startTime })} w={190} />
        <DateTimePicker label={t('至', 'To')} placeholder={t('不限', 'any time')} clearable withSeconds valueFormat="YYYY-MM-DD HH:mm:ss" value={filters.endTime} onChange={(endTime) => set({ endTime })} w={190} />
      </Group>
      <PagedTable
        rows={data?.rows}
        rowKey={(row) => row.id}
        error={error}
        nothing={Object.values(filters).some((value) => value !== null) ? t('没有符合条件的车辆', 'No such vehicles') : t('还没有过车记录: 车辆越过车道的抓拍线时记录', 'No vehicles yet: each is kept when it crosses the snapshot line of a lane')}
        minWidth={760}
        total={data?.total ?? null}
        rowsPerPage={ROWS}
        page={page}
        onPage={setPage}
        columns={[
          {
            title: t('图片', 'Picture'),
            width: 96,
            cell: (row) => (
              <button type="button" className="tile" onClick={() => setOpened(row)} aria-label={t(`打开 ${row.snapshotTime}`, `Open ${row.snapshotTime}`)}>
                <ArchivePicture path={row.vehicleTypePath} alt="" height={48} />
              </button>
            ),
          },
          { title: t('时间', 'Time'), cell: (row) => row.snapshotTime, figures: true },
          { title: t('相机', 'Camera'), cell: (row) => names.get(row.taskNum) ?? row.taskNum },
          { title: t('车道', 'Lane'), cell: (row) => `${row.roadNum || '–'} ${row.roadName}` },
          { title: t('车牌', 'Plate'), cell: (row) => row.plateNum || '–' },
          { title: t('车型', 'Type'), cell: (row) => nameOf(VEHICLE_TYPES, row.vehicleType, zh) },
          { title: t('颜色', 'Colour'), cell: (row) => nameOf(VEHICLE_COLOURS, row.vehicleColor, zh) },
          { title: t('车速', 'Speed'), cell: (row) => measured(row.vehicleSpeed, 0, 'km/h'), figures: true },
          { title: t('时距', 'Headway'), cell: (row) => measured(row.timeDistance, 1, 's'), figures: true },
        ]}
      />
      <Drawer opened={!!opened} onClose={() => setOpened(null)} position="right" size="lg" title={t('过车详情', 'Vehicle')}>
        {opened && (
          <Stack>
            <ArchivePicture path={opened.vehicleTypePath} alt={t('车辆图片', 'picture of the vehicle')} />
            {opened.snapshotPath && <ArchivePicture path={opened.snapshotPath} alt={t('车牌图片', 'picture of the plate')} height={80} />}
            <Card withBorder>
              <Table>
                <Table.Tbody>
                  {[
                    [t('车牌', 'Plate'), opened.plateNum ? `${opened.plateNum} (${nameOf(PLATE_COLOURS, opened.plateColor, zh)})` : '–'],
                    [t('车型 / 颜色', 'Type / colour'), `${nameOf(VEHICLE_TYPES, opened.vehicleType, zh)} / ${nameOf(VEHICLE_COLOURS, opened.vehicleColor, zh)}`],
                    [t('时间', 'Time'), opened.snapshotTime],
                    [t('车道', 'Lane'), `${opened.roadNum} ${opened.roadName}`],
                    [t('车速', 'Speed'), measured(opened.vehicleSpeed, 1, 'km/h')],
                    [t('车头间距', 'Spacing'), measured(opened.vehicleSpacing, 1, 'm')],
                    [t('车头时距', 'Time headway'), measured(opened.timeDistance, 2, 's')],
                    [t('行车时间', 'Time in the measuring section'), measured(opened.runningTime, 2, 's')],
                    [t('车长', 'Length'), measured(opened.vehicleLength, 1, 'm')],
                    [t('天气', 'Weather'), nameOf(WEATHERS, opened.weather, zh)],
                  ].map(([name, value]) => (
                    <Table.Tr key={name}>
                      <Table.Td>{name}</Table.Td>
                      <Table.Td>{value}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Card>
          </Stack>
        )}
      </Drawer>
    </>
  );
}
