import { ActionIcon, Alert, Badge, Button, Card, FileButton, Grid, Group, JsonInput, Modal, SegmentedControl, Select, Stack, Text, Title, Tooltip, VisuallyHidden } from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import { IconArrowBackUp, IconArrowForwardUp, IconArrowLeft, IconBell, IconCamera, IconCode, IconCopy, IconDeviceFloppy, IconDownload, IconRuler2, IconUpload } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { useNavigate, useParams } from 'react-router';
import { call, fetchBlob, saveFile } from '../api';
import { useLanguage } from '../i18n';
import { ErrorNote, Waiting, useTold } from '../parts/common';
import type { Vertex } from '../scene/canvas';
import { SceneCanvas } from '../scene/canvas';
import type { Point, SceneDocument, Segment } from '../scene/document';
import { EMPTY } from '../scene/document';
import type { History, Selection, Tool } from '../scene/editing';
import { begin, commit, freshCalibration, itemOf, partsOf, redo, undo, withCountLine, withLane, withPart, withRegion, without } from '../scene/editing';
import { ItemList, ItemPanel } from '../scene/panel';
import { RulesModal } from '../scene/rules';
import { useSession } from '../session';
import { useTasks } from '../tasks';
import type { SceneCheck, Task } from '../types';

function usePicture(id: number) {
  const [picture, setPicture] = useState<HTMLImageElement | null>(null);
  const renew = useCallback(async () => {
    const blob = await fetchBlob('task/snapshot', { id, maxWidth: 1280, drawn: false }).catch(() => null);
    if (!blob) return;
    const image = new Image();
    image.src = URL.createObjectURL(blob);
    await image.decode();
    setPicture(image);
  }, [id]);
  useEffect(() => void renew(), [renew]);
  return { picture, renew };
}

export default function ScenePage() {
  const id = Number(useParams().id);
  const { data: task, error } = useQuery({ queryKey: ['task', id], queryFn: () => call<Task>('task/query', { id }) });
  if (error) return <ErrorNote error={error} />;
  return task ? <Editor key={task.id} task={task} /> : <Waiting />;
}

function Editor({ task }: { task: Task }) {
  const { t, language } = useLanguage();
  const told = useTold();
  const { mayChange } = useSession();
  const { tasks } = useTasks();
  const queries = useQueryClient();
  const [history, setHistory] = useState<History>(() => begin(task.scene ?? EMPTY));
  const [saved, setSaved] = useState(history.present);
  const [preview, setPreview] = useState<SceneDocument | null>(null);
  const [tool, setTool] = useState<Tool>('select');
  const [draft, setDraft] = useState<Point[]>([]);
  const [outline, setOutline] = useState<Point[]>([]); // of the lane whose direction is being clicked
  const [selection, setSelection] = useState<Selection | null>(null);
  const [vertex, setVertex] = useState<Vertex | null>(null);
  const [check, setCheck] = useState<SceneCheck | null>(null);
  const [saving, setSaving] = useState(false);
  const [asJson, json] = useDisclosure(false);
  const [leaving, setLeaving] = useState(''); // where somebody wants to go with changes unsaved
  const [ruling, rules] = useDisclosure(false);
  const navigate = useNavigate();
  const { picture, renew } = usePicture(task.id);
  const document = preview ?? history.present;
  const changed = history.present !== saved;
  const aspect = picture ? picture.naturalWidth / picture.naturalHeight : task.width && task.height ? task.width / task.height : 16 / 9;

  const [settled] = useDebouncedValue(document, 200);
  useEffect(() => {
    const stop = new AbortController();
    call<SceneCheck>('scene/check', { scene: settled }, stop.signal).then(setCheck, () => undefined);
    return () => stop.abort();
  }, [settled]);
  useLeaveGuard(changed, setLeaving);

  const put = (next: SceneDocument) => {
    setPreview(null);
    setHistory((before) => commit(before, next));
  };
  const choose = (next: Tool) => {
    setTool(next);
    setDraft([]);
    setOutline([]);
    if (next !== 'select') setSelection(null);
  };
  const finish = (points: Point[]) => {
    setDraft([]);
    if (tool === 'lane') {
      setOutline(points);
      setTool('direction');
      return;
    }
    setTool('select');
    const now = history.present;
    if (tool === 'direction') {
      put(withLane(now, outline, points, aspect));
      setSelection({ kind: 'lane', index: now.lanes?.length ?? 0 });
      setOutline([]);
    } else if (tool === 'region') {
      put(withRegion(now, points));
      setSelection({ kind: 'region', index: now.regions?.length ?? 0 });
    } else if (tool === 'countLine') {
      put(withCountLine(now, points as Segment));
      setSelection({ kind: 'countLine', index: now.countLines?.length ?? 0 });
    } else if (tool === 'outline') {
      put({ ...now, outline: points });
      setSelection({ kind: 'outline', index: 0 });
    }
  };
  const calibrate = () => {
    choose('select');
    if (!history.present.calibration) put({ ...history.present, calibration: freshCalibration() });
    setSelection({ kind: 'calibration', index: 0 });
  };
  const save = async () => {
    setSaving(true);
    try {
      const current = await call<Task>('task/query', { id: task.id });
      await call<Task>('task/edit', { ...current, scene: history.present });
      setSaved(history.present);
      await queries.invalidateQueries({ queryKey: ['task', task.id] });
      told.good(t('场景已保存, 即时生效', 'Scene saved; it applies at once'));
    } catch (caught) {
      told.bad(caught);
    }
    setSaving(false);
  };
  const copyFrom = async (from: string | null) => {
    if (!from) return;
    try {
      const other = await call<Task>('task/query', { id: Number(from) });
      put(other.scene ?? EMPTY);
      setSelection(null);
    } catch (caught) {
      told.bad(caught);
    }
  };
  const read = async (file: File | null) => {
    if (!file) return;
    try {
      put(JSON.parse(await file.text()) as SceneDocument);
      setSelection(null);
    } catch {
      told.bad(new Error(t('文件不是 JSON', 'The file is not JSON')));
    }
  };
  const onKey = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest('input, textarea, [role=dialog]')) return;
    const ctrl = event.ctrlKey || event.metaKey;
    if (ctrl && event.key.toLowerCase() === 'z' && !event.shiftKey) setHistory(undo);
    else if (ctrl && (event.key.toLowerCase() === 'y' || (event.key.toLowerCase() === 'z' && event.shiftKey))) setHistory(redo);
    else if (event.key === 'Escape') choose('select');
    else if (event.key === 'Enter' && draft.length >= 3 && tool !== 'select') finish(draft);
    else if (event.key === 'Backspace' && draft.length) setDraft(draft.slice(0, -1));
    else if (event.key === 'Delete' && selection && mayChange) {
      const part = vertex && partsOf(history.present, selection).find(([name]) => name === vertex.part);
      const least = part?.[2] ? 3 : 2;
      if (vertex && part && (part[0] === 'polygon' || part[0] === 'direction') && part[1].length > least)
        put(withPart(history.present, selection, vertex.part, part[1].filter((_, index) => index !== vertex.index)));
      else put(without(history.present, selection));
      setVertex(null);
    } else if (event.key.startsWith('Arrow') && selection && vertex && mayChange) {
      const part = partsOf(history.present, selection).find(([name]) => name === vertex.part);
      if (!part) return;
      const step = (event.shiftKey ? 10 : 1) / 1280;
      const dx = event.key === 'ArrowLeft' ? -step : event.key === 'ArrowRight' ? step : 0;
      const dy = (event.key === 'ArrowUp' ? -step : event.key === 'ArrowDown' ? step : 0) * aspect;
      put(withPart(history.present, selection, vertex.part, part[1].map(([x, y], index): Point => (index === vertex.index ? [x + dx, y + dy] : [x, y]))));
    } else return;
    event.preventDefault();
  };
  const hint = useMemo(() => {
    const hints: Record<Tool, string> = {
      select: t('点击车道或区域以选择; 拖动白点调整。', 'Click a lane or region to choose it; drag its white points.'),
      lane: t('依次点击车道轮廓的各个角, 点击首点、双击或回车结束。', 'Click the corners of the lane; a click on the first, a double click or Enter ends it.'),
      direction: t('点击两次: 先点车辆驶来处, 再点驶去处。', 'Click twice: where vehicles come from, then where they go.'),
      region: t('依次点击区域的各个角, 点击首点、双击或回车结束。', 'Click the corners of the region; a click on the first, a double click or Enter ends it.'),
      countLine: t('点击计数线的两端; 沿线看从左到右为“进”。', 'Click both ends of the line; seen along it, left to right is "in".'),
      outline: t('圈出需要分析的部分; 远处小目标会放大。', 'Outline the part to analyse; small far objects are enlarged.'),
    };
    return hints[tool];
  }, [tool, t]);
  return (
    <Stack gap="sm" onKeyDown={onKey} tabIndex={-1} style={{ outline: 'none' }}>
      <Group justify="space-between">
        <Group gap="sm">
          <ActionIcon onClick={() => (changed ? setLeaving(`/cameras/${task.id}`) : navigate(`/cameras/${task.id}`))} variant="subtle" color="gray" aria-label={t('返回相机', 'Back to the camera')}>
            <IconArrowLeft size={20} />
          </ActionIcon>
          <Title order={2} size="h3">
            {task.taskName} · {t('场景', 'scene')}
          </Title>
          {changed && <Badge color="yellow">{t('未保存', 'not saved')}</Badge>}
        </Group>
        <Group gap="xs">
          <Tooltip label={t('撤销 Ctrl+Z', 'Undo Ctrl+Z')}>
            <ActionIcon variant="default" size="lg" disabled={!history.past.length} onClick={() => setHistory(undo)} aria-label={t('撤销', 'Undo')}>
              <IconArrowBackUp size={18} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('重做 Ctrl+Y', 'Redo Ctrl+Y')}>
            <ActionIcon variant="default" size="lg" disabled={!history.future.length} onClick={() => setHistory(redo)} aria-label={t('重做', 'Redo')}>
              <IconArrowForwardUp size={18} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('换一张画面', 'Renew the picture')}>
            <ActionIcon variant="default" size="lg" onClick={() => void renew()} aria-label={t('换一张画面', 'Renew the picture')}>
              <IconCamera size={18} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('导出 JSON', 'Export JSON')}>
            <ActionIcon variant="default" size="lg" onClick={() => saveFile(new Blob([JSON.stringify(history.present, null, 2)], { type: 'application/json' }), `scene-${task.taskNum}.json`)} aria-label={t('导出 JSON', 'Export JSON')}>
              <IconDownload size={18} />
            </ActionIcon>
          </Tooltip>
          {mayChange && (
            <>
              <FileButton onChange={(file) => void read(file)} accept="application/json,.json">
                {(props) => (
                  <Tooltip label={t('导入 JSON', 'Import JSON')}>
                    <ActionIcon {...props} variant="default" size="lg" aria-label={t('导入 JSON', 'Import JSON')}>
                      <IconUpload size={18} />
                    </ActionIcon>
                  </Tooltip>
                )}
              </FileButton>
              <Tooltip label={t('以 JSON 编辑', 'Edit as JSON')}>
                <ActionIcon variant="default" size="lg" onClick={json.open} aria-label={t('以 JSON 编辑', 'Edit as JSON')}>
                  <IconCode size={18} />
                </ActionIcon>
              </Tooltip>
              <Button leftSection={<IconDeviceFloppy size={16} />} onClick={() => void save()} loading={saving} disabled={!changed || !!check?.problems.length}>
                {t('保存', 'Save')}
              </Button>
            </>
          )}
        </Group>
      </Group>
      {mayChange && (
        <Group gap="sm">
          <SegmentedControl
            value={tool === 'direction' ? 'lane' : tool}
            onChange={(value) => choose(value as Tool)}
            data={[
              { value: 'select', label: t('选择', 'Select') },
              { value: 'lane', label: t('车道', 'Lane') },
              { value: 'region', label: t('区域', 'Region') },
              { value: 'countLine', label: t('计数线', 'Count line') },
              { value: 'outline', label: t('分析范围', 'Analysed part') },
            ]}
          />
          <Button variant="light" leftSection={<IconRuler2 size={16} />} onClick={calibrate}>
            {t('标定', 'Calibrate')}
          </Button>
          <Button variant="light" leftSection={<IconBell size={16} />} onClick={rules.open}>
            {t('事件规则', 'Event rules')}
          </Button>
          {(tasks?.length ?? 0) > 1 && (
            <Select placeholder={t('从其他相机复制', 'Copy from another camera')} aria-label={t('从其他相机复制', 'Copy from another camera')} leftSection={<IconCopy size={16} />} searchable data={(tasks ?? []).filter((item) => item.id !== task.id).map((item) => ({ value: String(item.id), label: `${item.taskNum} ${item.taskName}` }))} value={null} onChange={(value) => void copyFrom(value)} />
          )}
        </Group>
      )}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 8, lg: 9 }}>
          <SceneCanvas
            document={document}
            picture={picture}
            aspect={aspect}
            grid={check?.grid ?? []}
            tool={tool}
            draft={draft}
            selection={selection}
            vertex={vertex}
            editable={mayChange}
            label={t('场景画布', 'Scene canvas')}
            onDraft={setDraft}
            onFinish={finish}
            onSelect={(item) => {
              setSelection(item);
              setVertex(null);
            }}
            onVertex={setVertex}
            onPreview={setPreview}
            onCommit={put}
          />
          <Group justify="space-between" mt={4} wrap="nowrap" align="start">
            <div>
              <Text size="sm" c="dimmed">
                {hint}
              </Text>
              <Text size="xs" c="dimmed">
                {tool === 'select'
                  ? t('键盘: 右侧列表选择对象, Tab 到画面后 Page Up/Down 选点, 方向键移动, Delete 删除。', 'Keyboard: choose in the list at the right, Tab to the picture, Page Up/Down choose a point, arrow keys move it, Delete removes.')
                  : t('键盘: Tab 到画面, 方向键移动十字 (Shift 微调), 空格落点, 退格撤回, 回车结束, Esc 取消。', 'Keyboard: Tab to the picture, arrow keys move a cross (Shift: finely), Space places a point, Backspace takes one back, Enter ends, Esc cancels.')}
              </Text>
              <VisuallyHidden aria-live="polite">{tool !== 'select' && t(`已落 ${draft.length} 点`, `${draft.length} points`)}</VisuallyHidden>
            </div>
            {!!check?.gridStepM && (
              <Text size="sm" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
                {t(`网格 ${check.gridStepM} 米`, `grid ${check.gridStepM} m`)}
              </Text>
            )}
          </Group>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4, lg: 3 }}>
          <Stack gap="sm">
            {check && (
              <Card withBorder padding="sm" data-testid="problems">
                {check.problems.length === 0 ? (
                  <Text size="sm" c="teal" fw={600}>
                    {t('场景有效', 'The scene is valid')}
                  </Text>
                ) : (
                  <Stack gap={6}>
                    {check.problems.map((fault) => (
                      <button key={fault.path + fault.english} type="button" className="tile" onClick={() => setSelection(itemOf(fault.path))}>
                        <Text size="sm" c="red">
                          <b>{fault.path}</b>: {language === 'zh' ? fault.chinese : fault.english}
                        </Text>
                      </button>
                    ))}
                  </Stack>
                )}
                {check.warnings.map((fault) => (
                  <Text key={fault.path + fault.english} size="sm" c="dimmed">
                    <b>{fault.path}</b>: {language === 'zh' ? fault.chinese : fault.english}
                  </Text>
                ))}
              </Card>
            )}
            {selection && (
              <Card withBorder padding="sm">
                <ItemPanel
                  document={history.present}
                  selection={selection}
                  aspect={aspect}
                  editable={mayChange}
                  onCommit={put}
                  onRemoved={() => {
                    setSelection(null);
                    setVertex(null);
                  }}
                />
              </Card>
            )}
            <Card withBorder padding="sm">
              <ItemList
                document={document}
                selection={selection}
                onSelect={(item) => {
                  choose('select');
                  setSelection(item);
                }}
              />
            </Card>
            {!document.calibration && <Alert variant="light">{t('未标定: 能计数, 但没有车速、车距与排队长度。', 'Not calibrated: vehicles are counted, but there are no speeds, distances or queue lengths.')}</Alert>}
          </Stack>
        </Grid.Col>
      </Grid>
      {ruling && <RulesModal document={history.present} onClose={rules.close} onDone={put} />}
      {asJson && <JsonModal document={history.present} onClose={json.close} onDone={put} />}
      <Modal opened={leaving !== ''} onClose={() => setLeaving('')} title={t('有未保存的修改', 'Unsaved changes')}>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => navigate(leaving)}>
            {t('放弃修改', 'Discard them')}
          </Button>
          <Button onClick={() => setLeaving('')}>{t('继续编辑', 'Go on editing')}</Button>
        </Group>
      </Modal>
    </Stack>
  );
}

function JsonModal({ document, onClose, onDone }: { document: SceneDocument; onClose: () => void; onDone: (document: SceneDocument) => void }) {
  const { t } = useLanguage();
  const [text, setText] = useState(() => JSON.stringify(document, null, 2));
  const take = () => {
    try {
      onDone(JSON.parse(text) as SceneDocument);
      onClose();
    } catch {
      // the field itself says that it is no JSON
    }
  };
  return (
    <Modal opened onClose={onClose} size="xl" title="JSON">
      <JsonInput value={text} onChange={setText} autosize minRows={12} maxRows={28} validationError={t('不是合法的 JSON', 'not valid JSON')} aria-label="JSON" styles={{ input: { fontFamily: 'monospace' } }} />
      <Group justify="flex-end" mt="sm">
        <Button onClick={take}>{t('应用', 'Apply')}</Button>
      </Group>
    </Modal>
  );
}

/** Asks before the tab is closed, or a link is followed, with unsaved changes. */
function useLeaveGuard(changed: boolean, onLeave: (to: string) => void) {
  useEffect(() => {
    if (!changed) return undefined;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    const follow = (event: MouseEvent) => {
      const link = (event.target as Element).closest?.('a[href^="#/"]');
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      onLeave(link.getAttribute('href')!.slice(1));
    };
    window.addEventListener('beforeunload', ask);
    window.document.addEventListener('click', follow, true);
    return () => {
      window.removeEventListener('beforeunload', ask);
      window.document.removeEventListener('click', follow, true);
    };
  }, [changed, onLeave]);
}
