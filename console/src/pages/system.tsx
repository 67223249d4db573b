import { Alert, Anchor, Badge, Card, Group, Progress, SimpleGrid, Table, Text, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { call } from '../api';
import { oneLanguage, useLanguage } from '../i18n';
import { ErrorNote, PageTitle, Waiting, bytes } from '../parts/common';
import type { Health, SystemInfo } from '../types';

/** Health answers 503 when something is wrong, with the same body. */
async function health(): Promise<Health> {
  const answer = (await (await fetch('/api/health')).json()) as { data: Health };
  return answer.data;
}

/** `pusher-0` is the first of the pushers. */
function partName(name: string, parts: Record<string, string>): string {
  const found = /^(.*?)(?:-(\d+))?$/.exec(name)!;
  const called = parts[name] ?? parts[found[1]!];
  if (!called) return name;
  return found[2] === undefined || parts[name] ? called : `${called} ${Number(found[2]) + 1}`;
}

export default function SystemPage() {
  const { t, language } = useLanguage();
  const { data, error } = useQuery({ queryKey: ['system'], queryFn: () => call<SystemInfo>('system/query'), refetchInterval: 10_000 });
  const { data: state } = useQuery({ queryKey: ['health'], queryFn: health, refetchInterval: 5_000 });
  if (error) return <ErrorNote error={error} />;
  if (!data) return <Waiting />;
  const used = data.disk.total && data.disk.free !== undefined ? 100 - (100 * data.disk.free) / data.disk.total : undefined;
  const names: Record<string, string> = { detector: t('检测模型', 'Detector'), engine: t('引擎 / 设备', 'Engine / device'), database: t('数据库', 'Database'), archive: t('图片与录像', 'Archive'), plates: t('车牌识别', 'Number plates'), attributes: t('车型、颜色、天气', 'Type, colour, weather') };
  const parts: Record<string, string> = {
    supervisor: t('相机调度', 'Cameras (supervisor)'),
    pusher: t('数据推送', 'Deliveries (pusher)'),
    aggregator: t('参数统计', 'Parameters (aggregator)'),
    detector: t('目标检测', 'Detector'),
    plates: t('车牌识别', 'Number plates'),
    attributes: t('车型、颜色、天气', 'Type, colour, weather'),
    disk: t('数据盘', 'Disk of the data folder'),
    database: t('数据库', 'Database'),
    archive: t('图片与录像', 'Pictures and clips'),
  };
  return (
    <>
      <PageTitle title={t('系统', 'System')} />
      {state?.notices.map((notice) => (
        <Alert key={notice} color="yellow" mb="sm">
          {oneLanguage(notice, language)}
        </Alert>
      ))}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card withBorder>
          <Text component="h3" fw={600} mb="xs">
            {t('健康状态', 'Health')}
          </Text>
          <Table>
            <Table.Tbody>
              {Object.entries(state?.components ?? {}).map(([name, told]) => (
                <Table.Tr key={name}>
                  <Table.Td>{partName(name, parts)}</Table.Td>
                  <Table.Td>{told === 'ok' ? <Badge color="teal">{t('正常', 'ok')}</Badge> : <Text c="red">{oneLanguage(told, language)}</Text>}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Card>
        <Card withBorder>
          <Text component="h3" fw={600} mb="xs">
            {t('版本与模型', 'Version and models')}
          </Text>
          <Table>
            <Table.Tbody>
              <Table.Tr>
                <Table.Td>{t('版本', 'Version')}</Table.Td>
                <Table.Td>{data.version}</Table.Td>
              </Table.Tr>
              <Table.Tr>
                <Table.Td>{t('服务器时间', 'Server time')}</Table.Td>
                <Table.Td>
                  {data.time} ({data.timeZone})
                </Table.Td>
              </Table.Tr>
              {Object.entries(data.about)
                .filter(([name]) => name in names)
                .map(([name, value]) => (
                <Table.Tr key={name}>
                  <Table.Td>{names[name] ?? name}</Table.Td>
                  <Table.Td style={{ wordBreak: 'break-all' }}>{value === 'on' ? t('开启', 'on') : value || t('关闭', 'off')}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Card>
        <Card withBorder>
          <Text component="h3" fw={600} mb="xs">
            {t('集群节点', 'Machines')}
          </Text>
          <Text size="sm" mb="xs">
            {t(`本机负载 ${data.load.minute} (${data.load.cpus} 核), 可用内存 ${bytes(data.load.memoryFree)} / ${bytes(data.load.memoryTotal)}`, `This machine: load ${data.load.minute} on ${data.load.cpus} cores, ${bytes(data.load.memoryFree)} of ${bytes(data.load.memoryTotal)} memory available`)}
          </Text>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('地址', 'Address')}</Table.Th>
                <Table.Th>{t('站点', 'Site')}</Table.Th>
                <Table.Th>CPU</Table.Th>
                <Table.Th>GPU</Table.Th>
                <Table.Th>{t('内存', 'Memory')}</Table.Th>
                <Table.Th>{t('相机', 'Cameras')}</Table.Th>
                <Table.Th>
                  <VisuallyHidden>{t('状态', 'State')}</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.machines.map((machine) => (
                <Table.Tr key={machine.address}>
                  <Table.Td>{machine.address}</Table.Td>
                  <Table.Td>{machine.site || '–'}</Table.Td>
                  <Table.Td>{machine.cpus}</Table.Td>
                  <Table.Td>{machine.gpus}</Table.Td>
                  <Table.Td>{bytes(machine.memory_bytes)}</Table.Td>
                  <Table.Td>{machine.cameras}</Table.Td>
                  <Table.Td>{machine.alive ? <Badge color="teal">{t('在线', 'alive')}</Badge> : <Badge color="red">{t('离线', 'gone')}</Badge>}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Card>
        <Card withBorder>
          <Text component="h3" fw={600} mb="xs">
            {t('存储', 'Storage')}
          </Text>
          {data.storage && (
            <Table mb="sm">
              <Table.Tbody>
                <Table.Tr>
                  <Table.Td>{t('图片与录像', 'Pictures and clips')}</Table.Td>
                  <Table.Td>
                    {t(`${data.storage.files} 个文件, ${bytes(data.storage.bytes)}`, `${data.storage.files} files, ${bytes(data.storage.bytes)}`)}
                    {!data.storage.complete && t(' (统计中)', ' (still counting)')}
                  </Table.Td>
                </Table.Tr>
                <Table.Tr>
                  <Table.Td>{t('保留', 'Kept')}</Table.Td>
                  <Table.Td>{t(`${data.storage.days} 天, 最多 ${bytes(data.storage.mostBytes)}`, `${data.storage.days} days, at most ${bytes(data.storage.mostBytes)}`)}</Table.Td>
                </Table.Tr>
              </Table.Tbody>
            </Table>
          )}
          {used !== undefined && (
            <>
              <Progress value={used} color={used > 90 ? 'red' : 'cyan'} aria-label={t('磁盘已用', 'Disk used')} />
              <Text size="sm" mt={4}>
                {t(`可用 ${bytes(data.disk.free)} / 共 ${bytes(data.disk.total)}`, `${bytes(data.disk.free)} free of ${bytes(data.disk.total)}`)}
              </Text>
            </>
          )}
          <Group gap="lg" mt="md">
            <Anchor href="/redoc" target="_blank">
              {t('接口文档', 'API reference')}
            </Anchor>
            <Anchor href="/docs" target="_blank">
              {t('接口调试', 'Try the API')}
            </Anchor>
            <Anchor href={`${window.location.protocol}//${window.location.hostname}:8265`} target="_blank">
              {t('Ray 面板 (仅本机可达)', 'Ray dashboard (this machine only)')}
            </Anchor>
          </Group>
        </Card>
      </SimpleGrid>
    </>
  );
}
