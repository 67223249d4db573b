import { Accordion, Badge, Button, Group, Modal, NumberInput, SegmentedControl, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api';
import { EVENT_KINDS, nameOf } from '../codes';
import { oneLanguage, useLanguage } from '../i18n';
import { Waiting } from '../parts/common';
import type { SceneDocument } from './document';
import { ScheduleForm } from './scheduleform';
import type { Schedule } from './schedules';

interface FieldSchema {
  title: string;
  type: string | string[];
  minimum?: number;
  maximum?: number;
  default?: number;
}
interface KindSchema {
  title: string;
  properties: Record<string, FieldSchema>;
}
interface SceneSchema {
  properties: { events: { properties: Record<string, KindSchema> } };
}

/** Gatherings are judged by the rule of their region. */
const CROWD = 'crowd';

const isNumber = (field: FieldSchema) => [field.type].flat().some((type) => type === 'number' || type === 'integer');

/** The rules of the kinds of events, read from the published schema: what the server knows is what is shown. */
export function RulesModal({ document, onClose, onDone }: { document: SceneDocument; onClose: () => void; onDone: (document: SceneDocument) => void }) {
  const { t, language } = useLanguage();
  const [events, setEvents] = useState<Record<string, Record<string, unknown>>>(document.events ?? {});
  const [highway, setHighway] = useState(document.highway === true);
  const { data: schema } = useQuery({ queryKey: ['scene-schema'], queryFn: () => call<SceneSchema>('scene/schema'), staleTime: Infinity });
  const set = (kind: string, name: string, value: unknown) =>
    setEvents((before) => {
      const rule = Object.fromEntries(Object.entries({ ...before[kind], [name]: value }).filter(([, one]) => one !== null && one !== ''));
      const rest = { ...before };
      delete rest[kind];
      return Object.keys(rule).length ? { ...rest, [kind]: rule } : rest;
    });
  const done = () => {
    onDone({ ...document, highway: highway || null, events: Object.keys(events).length ? events : null });
    onClose();
  };
  return (
    <Modal opened onClose={onClose} size="xl" title={t('事件规则', 'Event rules')}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t('“自动”: 场景具备条件 (车道、区域、标定) 时检测。数值为空即用默认值。', '"Auto": looked for wherever the scene makes it meaningful (lanes, regions, calibration). Empty values are the defaults.')}
        </Text>
        <Switch label={t('高速公路或封闭道路 (行人即为事件)', 'Highway: pedestrians are incidents')} checked={highway} onChange={(e) => setHighway(e.currentTarget.checked)} />
        {!schema && <Waiting />}
        <Accordion variant="separated">
          {Object.entries(schema?.properties.events.properties ?? {}).map(([kind, rule]) => {
            const code = Number(rule.title.slice(0, 4));
            const own = events[kind] ?? {};
            const state = own.enabled === true ? 'on' : own.enabled === false ? 'off' : 'auto';
            return (
              <Accordion.Item key={kind} value={kind}>
                <Accordion.Control>
                  <Group gap="xs">
                    <Text size="sm">
                      {code} {nameOf(EVENT_KINDS, code, language === 'zh')}
                    </Text>
                    {state === 'off' && <Badge color="gray">{t('关闭', 'off')}</Badge>}
                    {state === 'on' && <Badge color="teal">{t('开启', 'on')}</Badge>}
                    {Array.isArray(own.schedules) && <Badge variant="light">{t('按时段', 'at times')}</Badge>}
                    {Object.keys(own).some((name) => name !== 'enabled' && name !== 'schedules') && <Badge variant="light">{t('已调整', 'changed')}</Badge>}
                  </Group>
                </Accordion.Control>
                <Accordion.Panel>
                  <Stack gap="sm">
                    <SegmentedControl
                      value={state}
                      onChange={(value) => set(kind, 'enabled', value === 'auto' ? null : value === 'on')}
                      data={[
                        { value: 'auto', label: t('自动', 'Auto') },
                        { value: 'on', label: t('开启', 'On') },
                        { value: 'off', label: t('关闭', 'Off') },
                      ]}
                    />
                    {kind === CROWD && (
                      <Text size="sm" c="dimmed">
                        {t('聚集的人数与时长在用途为“人员聚集”的区域中设置; 此处可关闭或限定时段。', 'How many people for how long is set at each region for crowds; here they are switched off or kept to times.')}
                      </Text>
                    )}
                    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
                      {Object.entries(rule.properties)
                        .filter(([, field]) => kind !== CROWD && isNumber(field))
                        .map(([name, field]) => (
                          <NumberInput
                            key={name}
                            label={oneLanguage(swapped(field.title), language)}
                            placeholder={field.default === undefined ? '' : String(field.default)}
                            min={field.minimum}
                            max={field.maximum}
                            value={typeof own[name] === 'number' ? (own[name] as number) : ''}
                            onChange={(value) => set(kind, name, typeof value === 'number' ? value : null)}
                          />
                        ))}
                    </SimpleGrid>
                    <ScheduleForm schedules={(own.schedules as Schedule[] | undefined) ?? []} editable onChange={(schedules) => set(kind, 'schedules', schedules.length ? schedules : null)} />
                  </Stack>
                </Accordion.Panel>
              </Accordion.Item>
            );
          })}
        </Accordion>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('取消', 'Cancel')}
          </Button>
          <Button onClick={done}>{t('确定', 'OK')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** Titles of the schema are "English / 中文"; texts of the API are the other way round. */
function swapped(title: string): string {
  const cut = title.lastIndexOf(' / ');
  return cut < 0 ? title : `${title.slice(cut + 3)} / ${title.slice(0, cut)}`;
}
