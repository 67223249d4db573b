import { ActionIcon, Button, Card, Chip, Grid, Group, Menu, Modal, Stack, Table, Text, Title, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowLeft, IconDots, IconEdit, IconMaximize, IconPlayerPause, IconPlayerPlay, IconRoad, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { call, streamWhileSeen } from '../api';
import { reasonIn, useLanguage } from '../i18n';
import { ErrorNote, StatusBadge, Waiting, useTold } from '../parts/common';
import { Overlay } from '../parts/overlay';
import { TaskForm } from '../parts/taskform';
import { useSession } from '../session';
import { useTasks } from '../tasks';
import type { LiveMessage, Task } from '../types';

/** A picture no larger than it is shown: what nobody sees need not be made, sent and decoded ten times a second. */
const WIDTHS = [640, 960, 1280];

function useLive(id: number, shownWidth: number): LiveMessage | null {
  const [view, setView] = useState<LiveMessage | null>(null);
  const maxWidth = shownWidth ? (WIDTHS.find((width) => width >= shownWidth) ?? WIDTHS[WIDTHS.length - 1]) : 0; // 0: not laid out yet
  useEffect(() => setView(null), [id]);
  useEffect(() => (maxWidth ? streamWhileSeen<LiveMessage>('task/live', { id, maxWidth, maxFps: 10 }, setView) : undefined), [id, maxWidth]);
  return view;
}

export default function CameraPage() {
  const id = Number(useParams().id);
  const { t, language } = useLanguage();
  const told = useTold();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { mayChange } = useSession();
  const { tasks } = useTasks();
  const state = tasks?.find((item) => item.id === id);
  const { data: task, error } = useQuery({ queryKey: ['task', id], queryFn: () => call<Task>('task/query', { id }) });
  const frame = useRef<HTMLDivElement>(null);
  const [frameWidth, setFrameWidth] = useState(0);
  const view = useLive(id, frameWidth * window.devicePixelRatio);
  const [shown, setShown] = useState<string[]>(['lanes', 'queues', 'boxes', 'labels']);
  const [editing, edit] = useDisclosure(false);
  const [deleting, remove] = useDisclosure(false);
  const measured = useCallback((element: HTMLDivElement | null) => {
    frame.current = element;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => setFrameWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  if (error) return <ErrorNote error={error} />;
  if (!task) return <Waiting />;
  const now = state ?? task;
  const act = async (path: string, good: string) => {
    try {
      await call(path, { id });
      told.good(good);
      await queries.invalidateQueries({ queryKey: ['task', id] });
      if (path === 'task/delete') navigate('/cameras');
    } catch (caught) {
      told.bad(caught);
    }
  };
  const lanes = new Map((task.scene?.lanes ?? []).map((lane) => [String(lane.roadNum), lane.roadName ?? '']));
  const hasStopLine = new Set((task.scene?.lanes ?? []).filter((lane) => lane.stopLine).map((lane) => String(lane.roadNum)));
  const counts = view?.laneCounts ?? now.laneCounts;
  const seen = new Map<number, { number: number; speeds: number[] }>();
  for (const item of view?.objects ?? []) {
    const lane = seen.get(item.lane) ?? { number: 0, speeds: [] };
    lane.number += 1;
    if (item.speed !== null) lane.speeds.push(item.speed);
    seen.set(item.lane, lane);
  }
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Group gap="sm">
          <ActionIcon component={Link} to="/cameras" variant="subtle" color="gray" aria-label={t('返回相机列表', 'Back to the cameras')}>
            <IconArrowLeft size={20} />
          </ActionIcon>
          <Title order={2} size="h3">
            {task.taskName}
          </Title>
          <StatusBadge status={now.status} enabled={now.enabled} />
        </Group>
        <Group gap="xs">
          <Button component={Link} to={`/cameras/${id}/scene`} leftSection={<IconRoad size={16} />} variant="light">
            {t('场景与车道', 'Scene and lanes')}
          </Button>
          {mayChange && (
            <>
              {now.enabled ? (
                <Button variant="default" leftSection={<IconPlayerPause size={16} />} onClick={() => void act('task/stop', t('已停止', 'Stopped'))}>
                  {t('停止', 'Stop')}
                </Button>
              ) : (
                <Button leftSection={<IconPlayerPlay size={16} />} onClick={() => void act('task/start', t('已启动', 'Started'))}>
                  {t('启动', 'Start')}
                </Button>
              )}
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="default" size="lg" aria-label={t('更多', 'More')}>
                    <IconDots size={18} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconEdit size={16} />} onClick={edit.open}>
                    {t('编辑', 'Edit')}
                  </Menu.Item>
                  <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={remove.open}>
                    {t('删除', 'Delete')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            </>
          )}
        </Group>
      </Group>
      {now.reason && (
        <Text c="red" role="alert">
          {reasonIn(now.reason, language)}
        </Text>
      )}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 8, xl: 9 }}>
          <div className="picture" ref={measured} style={{ aspectRatio: view ? `${view.width} / ${view.height}` : '16 / 9' }}>
            {view ? (
              <>
                <img src={`data:image/jpeg;base64,${view.picture}`} alt={t(`${task.taskName} 的实时画面`, `${task.taskName} live`)} />
                <Overlay view={view} scene={task.scene} show={{ lanes: shown.includes('lanes'), queues: shown.includes('queues'), boxes: shown.includes('boxes'), labels: shown.includes('labels') }} />
              </>
            ) : (
              <div className="empty">{now.enabled ? t('等待画面…', 'Waiting for a picture…') : t('已停止', 'Stopped')}</div>
            )}
          </div>
          <Group justify="space-between" mt="xs">
            <Chip.Group multiple value={shown} onChange={setShown}>
              <Group gap="xs">
                <Chip value="lanes">{t('车道', 'Lanes')}</Chip>
                <Chip value="queues">{t('排队', 'Queues')}</Chip>
                <Chip value="boxes">{t('目标框', 'Boxes')}</Chip>
                <Chip value="labels">{t('编号与速度', 'Ids and speeds')}</Chip>
              </Group>
            </Chip.Group>
            <Group gap="xs">
              <Text size="sm" c="dimmed" className="num">
                {view && new Date(view.time * 1000).toLocaleString('sv-SE', { timeZone: task.timeZone || undefined })} · {now.width}×{now.height} {now.codec} · {now.fpsAnalysed.toFixed(1)} / {now.fpsSource.toFixed(0)} fps
              </Text>
              <Tooltip label={t('全屏', 'Full screen')}>
                <ActionIcon variant="default" onClick={() => void frame.current?.requestFullscreen()} aria-label={t('全屏', 'Full screen')}>
                  <IconMaximize size={16} />
                </ActionIcon>
              </Tooltip>
            </Group>
          </Group>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4, xl: 3 }}>
          <Card withBorder>
            <Text fw={600} mb="xs">
              {t('车道计数', 'Vehicles by lane')}
            </Text>
            <Table className="numbers" data-testid="lane-counts" horizontalSpacing={6} style={{ whiteSpace: 'nowrap' }}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t('车道', 'Lane')}</Table.Th>
                  <Table.Th>{t('已过车', 'Passed')}</Table.Th>
                  <Table.Th>{t('画面内', 'In view')}</Table.Th>
                  <Table.Th>km/h</Table.Th>
                  <Table.Th>{t('排队', 'Queue')}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {[...new Set([...lanes.keys(), ...Object.keys(counts)])]
                  .sort((a, b) => Number(a) - Number(b))
                  .map((lane) => {
                    const inside = seen.get(Number(lane));
                    const queue = view?.queues.find((one) => one.roadNum === Number(lane));
                    return (
                      <Table.Tr key={lane}>
                        <Table.Td>
                          {lane === '0' ? t('无', 'none') : lane}
                          <Text size="xs" c="dimmed" truncate maw={90}>
                            {lanes.get(lane)}
                          </Text>
                        </Table.Td>
                        <Table.Td>{counts[lane] ?? 0}</Table.Td>
                        <Table.Td>{inside?.number ?? 0}</Table.Td>
                        <Table.Td>{inside?.speeds.length ? (inside.speeds.reduce((a, b) => a + b, 0) / inside.speeds.length).toFixed(0) : '–'}</Table.Td>
                        <Table.Td>
                          {queue ? queue.number : hasStopLine.has(lane) ? 0 : '–'}
                          {queue?.lengthM != null && (
                            <Text size="xs" c="dimmed">
                              {queue.lengthM.toFixed(0)} m
                            </Text>
                          )}
                        </Table.Td>
                      </Table.Tr>
                    );
                  })}
              </Table.Tbody>
            </Table>
            {!task.scene?.lanes?.length && (
              <Text size="sm" c="dimmed" mt="xs">
                {t('没有绘制车道: 车道由车流自动学习。绘制并标定后才有车速与车距。', 'No lanes are drawn: they are learned from the traffic. Speeds and distances need drawn lanes and a calibration.')}
              </Text>
            )}
          </Card>
          <Card withBorder mt="sm">
            <Text size="sm">
              {t('任务编号', 'Number')}: {task.taskNum}
            </Text>
            <Text size="sm" style={{ wordBreak: 'break-all' }}>
              {t('视频地址', 'Address')}: {task.srcAddress}
            </Text>
            <Text size="sm">
              {t('已解码 / 已分析 / 丢弃 帧', 'Frames decoded / analysed / dropped')}: {now.framesDecoded} / {now.framesAnalysed} / {now.framesDropped}
            </Text>
            <Button component={Link} to={`/events?task=${encodeURIComponent(task.taskNum)}`} variant="subtle" size="compact-sm" mt="xs">
              {t('该相机的事件', 'Events of this camera')}
            </Button>
          </Card>
        </Grid.Col>
      </Grid>
      {editing && <TaskForm task={task} onClose={edit.close} onSaved={() => void queries.invalidateQueries({ queryKey: ['task', id] })} />}
      <Modal opened={deleting} onClose={remove.close} title={t('删除相机', 'Delete camera')}>
        <Text mb="md">{t(`删除 ${task.taskName}? 已保存的历史与图片按保留期清理。`, `Delete ${task.taskName}? Its history and pictures stay until their retention ends.`)}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={remove.close}>
            {t('取消', 'Cancel')}
          </Button>
          <Button color="red" onClick={() => void act('task/delete', t('已删除', 'Deleted'))}>
            {t('删除', 'Delete')}
          </Button>
        </Group>
      </Modal>
    </Stack>
  );
}
