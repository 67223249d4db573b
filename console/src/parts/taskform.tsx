import { Alert, Badge, Button, Checkbox, Group, Modal, NumberInput, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { ApiError, call } from '../api';
import { useText } from '../i18n';
import { useTasks } from '../tasks';
import type { Probe, Task } from '../types';
import { ErrorNote, useTold } from './common';

/** The next number that no task has, as a proposal. */
function freeNumber(taken: string[]): string {
  for (let number = 1; ; number += 1) if (!taken.includes(String(number))) return String(number);
}

/** Add a camera, or edit one: paste the address, look at its picture, name it, save. */
export function TaskForm({ task, onClose, onSaved }: { task: Task | null; onClose: () => void; onSaved: (id: number) => void }) {
  const t = useText();
  const told = useTold();
  const { tasks } = useTasks();
  const [address, setAddress] = useState(task?.srcAddress ?? '');
  const [transport, setTransport] = useState<'tcp' | 'udp'>(task?.rtspTransport ?? 'tcp');
  const [taskNum, setTaskNum] = useState(task?.taskNum ?? freeNumber((tasks ?? []).map((item) => item.taskNum)));
  const [taskName, setTaskName] = useState(task?.taskName ?? '');
  const [fps, setFps] = useState(task?.analysedFps ?? 0);
  const [loop, setLoop] = useState(task?.loop ?? false);
  const [site, setSite] = useState(task?.site ?? '');
  const [startTime, setStartTime] = useState(task?.startTime ?? '');
  const [probe, setProbe] = useState<Probe | null>(null);
  const [probing, setProbing] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const isFile = (address !== '' && !/^[a-z]+:\/\//i.test(address)) || address.startsWith('file:');

  const look = async () => {
    setProbing(true);
    setError(null);
    setProbe(null);
    try {
      setProbe(await call<Probe>('task/probe', { srcAddress: address, rtspTransport: transport, id: task?.id ?? null }));
    } catch (caught) {
      setError(caught);
    }
    setProbing(false);
  };
  const save = async () => {
    setSaving(true);
    setError(null);
    const fields = { taskNum, taskName, srcAddress: address, rtspTransport: transport, analysedFps: fps, loop: isFile && loop, startTime, scene: task?.scene ?? null, timeZone: task?.timeZone ?? null, enabled: task?.enabled ?? true, site };
    try {
      const saved = task ? await call<Task>('task/edit', { ...fields, id: task.id }) : await call<Task>('task/add', fields);
      told.good(task ? t('已保存', 'Saved') : t('相机已添加', 'Camera added'));
      onClose();
      onSaved(saved.id);
    } catch (caught) {
      setError(caught);
      setSaving(false);
    }
  };
  const fault = (name: string) => (error instanceof ApiError ? error.fields.find((item) => item.field === name)?.message : undefined);
  return (
    <Modal opened onClose={onClose} size="lg" title={task ? t('编辑相机', 'Edit camera') : t('添加相机', 'Add a camera')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack gap="sm">
          <TextInput
            label={t('视频地址', 'Address')}
            description={t('rtsp://、http(s)://、文件或目录, 或演示相机 sim://approach', 'rtsp://, http(s)://, a file or folder, or the demo camera sim://approach')}
            placeholder="rtsp://user:password@192.168.1.96:554/h264/ch1"
            value={address}
            onChange={(e) => {
              setAddress(e.currentTarget.value);
              setProbe(null);
            }}
            required
            data-autofocus
            error={fault('srcAddress')}
          />
          <Group justify="space-between">
            <SegmentedControl
              value={transport}
              onChange={(value) => setTransport(value as 'tcp' | 'udp')}
              data={[
                { value: 'tcp', label: 'RTSP TCP' },
                { value: 'udp', label: 'RTSP UDP' },
              ]}
              disabled={!address.startsWith('rtsp')}
            />
            <Button variant="light" leftSection={<IconPlayerPlay size={16} />} onClick={() => void look()} loading={probing} disabled={!address.trim()}>
              {t('测试', 'Test')}
            </Button>
          </Group>
          {probe && (
            <>
              <div className="picture" style={{ maxHeight: 320 }}>
                <img src={`data:image/jpeg;base64,${probe.picture}`} alt={t('视频源首帧', 'first picture of the source')} style={{ maxHeight: 320 }} />
              </div>
              <Group gap="xs">
                <Badge color="teal">{t('可用', 'works')}</Badge>
                <Badge variant="light">
                  {probe.width}×{probe.height}
                </Badge>
                <Badge variant="light">{probe.codec}</Badge>
                <Badge variant="light">{probe.fps} fps</Badge>
                <Badge variant="light">{probe.live ? t('实时', 'live') : t('录像', 'recording')}</Badge>
              </Group>
            </>
          )}
          <Group grow align="start">
            <TextInput label={t('任务编号', 'Number')} value={taskNum} onChange={(e) => setTaskNum(e.currentTarget.value)} required maxLength={64} error={fault('taskNum')} />
            <TextInput label={t('任务名称', 'Name')} value={taskName} onChange={(e) => setTaskName(e.currentTarget.value)} required maxLength={200} error={fault('taskName')} />
          </Group>
          <Group grow align="start">
            <NumberInput label={t('分析帧率', 'Analysed frames/s')} description={t('0 为默认', '0 is the default')} value={fps} onChange={(value) => setFps(Number(value) || 0)} min={0} max={120} />
            <TextInput label={t('站点', 'Site')} description={t('空为任意节点', 'empty: any machine')} value={site} onChange={(e) => setSite(e.currentTarget.value.trim())} maxLength={63} error={fault('site')} />
            {isFile && <TextInput label={t('录像起始时间', 'Start of the recording')} description="yyyy-MM-dd HH:mm:ss" value={startTime} onChange={(e) => setStartTime(e.currentTarget.value)} error={fault('startTime')} />}
          </Group>
          {isFile && <Checkbox label={t('循环播放', 'Play again and again')} checked={loop} onChange={(e) => setLoop(e.currentTarget.checked)} />}
          <ErrorNote error={error} />
          {!task && !probe && address && <Alert variant="light">{t('建议先测试: 能看到画面再保存。不测试也可以保存。', 'Test it first and see its picture; saving without is allowed.')}</Alert>}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('取消', 'Cancel')}
            </Button>
            <Button type="submit" loading={saving}>
              {t('保存', 'Save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
