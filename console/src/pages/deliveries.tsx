import { Badge, Button, Checkbox, Drawer, Group, Select, Stack, Text, Timeline } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { call } from '../api';
import { useText } from '../i18n';
import { STATE_COLOURS, useBusiness } from '../parts/business';
import { Body, ErrorNote, PageTitle, Waiting, bytes, useTold } from '../parts/common';
import { PagedTable } from '../parts/pagedtable';
import { useSession } from '../session';
import type { Delivery, DeliveryDetail, Interface } from '../types';
import { pretty } from './interfaces';

const ROWS = 50;

export default function DeliveriesPage() {
  const t = useText();
  const told = useTold();
  const queries = useQueryClient();
  const { mayChange } = useSession();
  const { names, states } = useBusiness();
  const [search, setSearch] = useSearchParams();
  const interfaceId = search.get('interface');
  const [state, setState] = useState<string | null>(null);
  const [page, setPage] = useState(1);
  const [chosen, setChosen] = useState<string[]>([]);
  const [opened, setOpened] = useState('');
  const { data: interfaces } = useQuery({ queryKey: ['interfaces'], queryFn: () => call<Interface[]>('interface/list') });
  const wanted = { interfaceId: interfaceId ? Number(interfaceId) : null, states: state ? [state] : null };
  const { data, error } = useQuery({
    queryKey: ['deliveries', wanted, page],
    queryFn: () => call<{ total: number; rows: Delivery[] }>('delivery/list', { ...wanted, page, pageSize: ROWS }),
    refetchInterval: 2_000,
    placeholderData: keepPreviousData,
  });
  const replay = async (body: Record<string, unknown>) => {
    try {
      const { replayed } = await call<{ replayed: number }>('delivery/replay', body);
      told.good(t(`重新推送 ${replayed} 条`, `${replayed} are sent again`));
      setChosen([]);
      await queries.invalidateQueries({ queryKey: ['deliveries'] });
    } catch (caught) {
      told.bad(caught);
    }
  };
  const name = (id: number) => interfaces?.find((item) => item.id === id)?.name ?? String(id);
  return (
    <>
      <PageTitle title={t('推送记录', 'Deliveries')}>
        <Select aria-label={t('数据接口', 'Receiver')} placeholder={t('全部接口', 'All receivers')} clearable searchable data={(interfaces ?? []).map((item) => ({ value: String(item.id), label: `${item.id} ${item.name}` }))} value={interfaceId} onChange={(value) => { setSearch(value ? { interface: value } : {}); setPage(1); }} />
        <Select aria-label={t('状态', 'State')} placeholder={t('全部状态', 'All states')} clearable data={Object.entries(states).map(([value, label]) => ({ value, label }))} value={state} onChange={(value) => { setState(value); setPage(1); }} />
        {mayChange && (
          <>
            <Button variant="light" leftSection={<IconRefresh size={16} />} disabled={!chosen.length} onClick={() => void replay({ ids: chosen })}>
              {t('重新推送所选', 'Send the chosen again')}
            </Button>
            <Button variant="default" onClick={() => void replay({ failed: true, ...(interfaceId ? { interfaceId: Number(interfaceId) } : {}) })}>
              {t('重新推送全部失败', 'Send all failed again')}
            </Button>
          </>
        )}
      </PageTitle>
      <PagedTable
        rows={data?.rows}
        rowKey={(row) => row.id}
        error={error}
        nothing={t('没有推送', 'No deliveries')}
        minWidth={760}
        total={data?.total ?? null}
        rowsPerPage={ROWS}
        page={page}
        onPage={setPage}
        columns={[
          {
            title: t('选择', 'Choose'),
            cell: (row) => <Checkbox aria-label={t(`选择 ${row.id}`, `choose ${row.id}`)} checked={chosen.includes(row.id)} onChange={(e) => setChosen(e.currentTarget.checked ? [...chosen, row.id] : chosen.filter((id) => id !== row.id))} />,
          },
          { title: t('时间', 'Time'), cell: (row) => row.createTime, figures: true },
          { title: t('数据接口', 'Receiver'), cell: (row) => name(row.interfaceId) },
          { title: t('业务类型', 'Business type'), cell: (row) => names[row.businessType] },
          { title: t('任务', 'Task'), cell: (row) => row.taskNum },
          {
            title: t('状态', 'State'),
            cell: (row) => (
              <Badge color={STATE_COLOURS[row.state]} autoContrast>
                {states[row.state]}
              </Badge>
            ),
          },
          { title: t('次数', 'Tries'), cell: (row) => row.tries, figures: true },
          { title: t('大小', 'Size'), cell: (row) => bytes(row.size), figures: true },
          {
            title: '',
            cell: (row) => (
              <Button variant="subtle" size="compact-sm" onClick={() => setOpened(row.id)}>
                {t('详情', 'Details')}
              </Button>
            ),
          },
        ]}
      />
      <Drawer opened={opened !== ''} onClose={() => setOpened('')} position="right" size="lg" title={t('推送详情', 'Delivery')}>
        {opened && <Detail id={opened} onReplay={mayChange ? () => void replay({ ids: [opened] }) : undefined} />}
      </Drawer>
    </>
  );
}

function Detail({ id, onReplay }: { id: string; onReplay?: () => void }) {
  const t = useText();
  const { states } = useBusiness();
  const { data, error } = useQuery({ queryKey: ['deliveries', 'one', id], queryFn: () => call<DeliveryDetail>('delivery/query', { id }), refetchInterval: 2_000 });
  if (error) return <ErrorNote error={error} />;
  if (!data) return <Waiting />;
  return (
    <Stack>
      <Group justify="space-between">
        <Group gap="xs">
          <Badge color={STATE_COLOURS[data.state]} autoContrast>
            {states[data.state]}
          </Badge>
          <Text size="sm" c="dimmed">
            {data.id}
          </Text>
        </Group>
        {onReplay && (
          <Button size="compact-sm" leftSection={<IconRefresh size={14} />} onClick={onReplay}>
            {t('重新推送', 'Send again')}
          </Button>
        )}
      </Group>
      <Text fw={600}>{t('报文', 'Body')}</Text>
      <Body text={pretty(data.body)} />
      <Text fw={600}>{t('推送过程', 'Attempts')}</Text>
      {data.attempts.length === 0 && <Text c="dimmed">{t('还没有推送', 'none yet')}</Text>}
      <Timeline active={data.attempts.length} bulletSize={14}>
        {data.attempts.map((attempt, index) => (
          <Timeline.Item key={index} color={attempt.status === 200 ? 'teal' : 'red'} title={`${attempt.status ? `HTTP ${attempt.status}` : t('无应答', 'no answer')} · ${attempt.latencyMs.toFixed(0)} ms`}>
            <Text size="xs" c="dimmed">
              {attempt.time}
            </Text>
            {attempt.excerpt && <Body text={attempt.excerpt} />}
          </Timeline.Item>
        ))}
      </Timeline>
      {data.nextTime && <Text size="sm">{t(`下次推送 ${data.nextTime}`, `next attempt ${data.nextTime}`)}</Text>}
    </Stack>
  );
}
