import { Badge, Button, Checkbox, Drawer, Group, Pagination, Select, Stack, Table, Text, Timeline } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { call } from '../api';
import { useText } from '../i18n';
import { STATE_COLOURS, useBusiness } from '../parts/business';
import { ErrorNote, Nothing, PageTitle, Waiting, bytes, useTold } from '../parts/common';
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
      <ErrorNote error={error} />
      {!data && !error && <Waiting />}
      {data && data.rows.length === 0 && <Nothing>{t('没有推送', 'No deliveries')}</Nothing>}
      {data && data.rows.length > 0 && (
        <>
          <Table.ScrollContainer minWidth={860}>
            <Table highlightOnHover>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th />
                  <Table.Th>{t('时间', 'Time')}</Table.Th>
                  <Table.Th>{t('数据接口', 'Receiver')}</Table.Th>
                  <Table.Th>{t('业务类型', 'Business type')}</Table.Th>
                  <Table.Th>{t('任务', 'Task')}</Table.Th>
                  <Table.Th>{t('状态', 'State')}</Table.Th>
                  <Table.Th>{t('次数', 'Tries')}</Table.Th>
                  <Table.Th>{t('大小', 'Size')}</Table.Th>
                  <Table.Th />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {data.rows.map((row) => (
                  <Table.Tr key={row.id}>
                    <Table.Td>
                      <Checkbox aria-label={t(`选择 ${row.id}`, `choose ${row.id}`)} checked={chosen.includes(row.id)} onChange={(e) => setChosen(e.currentTarget.checked ? [...chosen, row.id] : chosen.filter((id) => id !== row.id))} />
                    </Table.Td>
                    <Table.Td className="num">{row.createTime}</Table.Td>
                    <Table.Td>{name(row.interfaceId)}</Table.Td>
                    <Table.Td>{names[row.businessType]}</Table.Td>
                    <Table.Td>{row.taskNum}</Table.Td>
                    <Table.Td>
                      <Badge color={STATE_COLOURS[row.state]} autoContrast>
                        {states[row.state]}
                      </Badge>
                    </Table.Td>
                    <Table.Td className="num">{row.tries}</Table.Td>
                    <Table.Td className="num">{bytes(row.size)}</Table.Td>
                    <Table.Td>
                      <Button variant="subtle" size="compact-sm" onClick={() => setOpened(row.id)}>
                        {t('详情', 'Details')}
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Group justify="space-between" mt="sm">
            <Text size="sm" c="dimmed">
              {t(`共 ${data.total} 条`, `${data.total} in all`)}
            </Text>
            <Pagination total={Math.max(1, Math.ceil(data.total / ROWS))} value={page} onChange={setPage} getControlProps={(control) => ({ 'aria-label': control })} />
          </Group>
        </>
      )}
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
      <pre className="body">{pretty(data.body)}</pre>
      <Text fw={600}>{t('推送过程', 'Attempts')}</Text>
      {data.attempts.length === 0 && <Text c="dimmed">{t('还没有推送', 'none yet')}</Text>}
      <Timeline active={data.attempts.length} bulletSize={14}>
        {data.attempts.map((attempt, index) => (
          <Timeline.Item key={index} color={attempt.status === 200 ? 'teal' : 'red'} title={`${attempt.status ? `HTTP ${attempt.status}` : t('无应答', 'no answer')} · ${attempt.latencyMs.toFixed(0)} ms`}>
            <Text size="xs" c="dimmed">
              {attempt.time}
            </Text>
            {attempt.excerpt && <pre className="body">{attempt.excerpt}</pre>}
          </Timeline.Item>
        ))}
      </Timeline>
      {data.nextTime && <Text size="sm">{t(`下次推送 ${data.nextTime}`, `next attempt ${data.nextTime}`)}</Text>}
    </Stack>
  );
}
