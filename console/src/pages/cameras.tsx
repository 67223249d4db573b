import { Anchor, Button, Card, Group, SegmentedControl, SimpleGrid, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { call } from '../api';
import { EVENT_KINDS, nameOf } from '../codes';
import { reasonIn, useLanguage } from '../i18n';
import { Nothing, PageTitle, StatusBadge, Waiting } from '../parts/common';
import { TaskForm } from '../parts/taskform';
import { Still } from '../parts/tile';
import { useSession } from '../session';
import { useTasks } from '../tasks';
import type { TrafficEvent } from '../types';

/** When and what happened last there, and the way to it. */
function LastEvent({ event }: { event: TrafficEvent | undefined }) {
  const { t, language } = useLanguage();
  if (!event)
    return (
      <Text size="sm" c="dimmed">
        {t('没有事件', 'No events')}
      </Text>
    );
  return (
    <Anchor component={Link} to={`/events?task=${encodeURIComponent(event.taskNum)}&event=${event.id}`} size="sm" c={event.state === 'open' ? 'red' : undefined} truncate display="block">
      {event.state === 'open' ? t('正在发生', 'Now') : t('最近事件', 'Last event')}: {nameOf(EVENT_KINDS, event.recordType, language === 'zh')} · {event.recordTime.slice(5, 16)}
    </Anchor>
  );
}

export default function CamerasPage() {
  const { t, language } = useLanguage();
  const { tasks } = useTasks();
  const { mayChange } = useSession();
  const navigate = useNavigate();
  const { data: latest } = useQuery({ queryKey: ['events', 'latest'], queryFn: () => call<TrafficEvent[]>('event/latest'), refetchInterval: 5_000 });
  const [adding, add] = useDisclosure(false);
  const [wanted, setWanted] = useState('');
  const [kind, setKind] = useState('all');
  if (!tasks) return <Waiting />;
  const shown = tasks.filter(
    (task) =>
      `${task.taskNum} ${task.taskName}`.toLowerCase().includes(wanted.toLowerCase()) &&
      (kind === 'all' || (kind === 'well' ? task.status === 1 : task.status !== 1)),
  );
  return (
    <>
      <PageTitle title={t('相机', 'Cameras')}>
        {tasks.length > 4 && (
          <>
            <TextInput placeholder={t('编号或名称', 'Number or name')} aria-label={t('查找相机', 'Find a camera')} leftSection={<IconSearch size={16} />} value={wanted} onChange={(e) => setWanted(e.currentTarget.value)} />
            <SegmentedControl
              value={kind}
              onChange={setKind}
              data={[
                { value: 'all', label: t('全部', 'All') },
                { value: 'well', label: t('分析中', 'Analysing') },
                { value: 'ill', label: t('异常', 'Not analysing') },
              ]}
            />
          </>
        )}
        {mayChange && (
          <Button leftSection={<IconPlus size={16} />} onClick={add.open}>
            {t('添加相机', 'Add a camera')}
          </Button>
        )}
      </PageTitle>
      {shown.length === 0 && <Nothing>{tasks.length ? t('没有符合条件的相机', 'No such cameras') : t('还没有相机, 点击“添加相机”并粘贴视频地址', 'No cameras yet: add one by pasting its address')}</Nothing>}
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 3, xl: 4 }} spacing="sm">
        {shown.map((task) => {
          const dark = task.enabled && task.framesAnalysed > 0 ? '' : task.enabled ? reasonIn(task.reason, language) || t('等待首帧', 'Waiting for its first picture') : t('已停止', 'Stopped');
          return (
          <Card key={task.id} withBorder padding="xs" data-task={task.taskNum}>
            <Card.Section>
              <button type="button" className="tile" onClick={() => navigate(`/cameras/${task.id}`)} aria-label={`${t(`打开 ${task.taskName}`, `Open ${task.taskName}`)}${dark && `: ${dark}`}`}>
                <Still id={task.id} active={!dark} name={task.taskName} reason={dark} />
              </button>
            </Card.Section>
            <Group justify="space-between" mt="xs" wrap="nowrap">
              <Text fw={600} truncate>
                {task.taskName}
              </Text>
              <StatusBadge status={task.status} enabled={task.enabled} />
            </Group>
            <Group justify="space-between" gap="xs">
              <Text size="sm" c="dimmed">
                {task.taskNum}
              </Text>
              <Text size="sm" className="num" title={t('分析 / 视频源 帧每秒', 'analysed / source frames per second')}>
                {task.fpsAnalysed.toFixed(1)} / {task.fpsSource.toFixed(0)} fps
                {task.framesDropped > 0 && <> · {t(`丢弃 ${task.framesDropped}`, `${task.framesDropped} dropped`)}</>} · {t(`${task.passages} 辆`, `${task.passages} vehicles`)}
              </Text>
            </Group>
            <LastEvent event={latest?.find((one) => one.taskNum === task.taskNum)} />
            {task.enabled && task.reason && (
              <Text size="xs" c="red" mt={4}>
                {reasonIn(task.reason, language)}
              </Text>
            )}
          </Card>
          );
        })}
      </SimpleGrid>
      {adding && <TaskForm task={null} onClose={add.close} onSaved={(id) => navigate(`/cameras/${id}`)} />}
    </>
  );
}
