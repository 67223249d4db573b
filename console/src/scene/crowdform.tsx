import { NumberInput, SimpleGrid, Stack, Text } from '@mantine/core';
import { useText } from '../i18n';

type Rule = Record<string, unknown>;

interface Props {
  rule: Rule | null | undefined;
  editable: boolean;
  onChange: (rule: Rule | null) => void;
}

/** When people in a region are a gathering (`regions[].crowd`); empty fields are the defaults. */
export function CrowdForm({ rule, editable, onChange }: Props) {
  const t = useText();
  const fields: [string, string, string, number, number, boolean][] = [
    ['minPeople', t('人数达到', 'From this many people'), rule?.minDensityPerM2 === undefined ? '10' : '', 1, 100_000, true],
    ['minDensityPerM2', t('或每平方米人数达到', 'Or people per m² from'), '', 0.01, 100, false],
    ['minTimeS', t('持续 (秒)', 'For, s'), '10', 0, 86_400, false],
    ['toleranceS', t('容许短暂下降 (秒)', 'Shorter drops are forgiven, s'), '2', 0, 86_400, false],
    ['dissolveS', t('低于阈值多久视为解散 (秒)', 'Dissolved after, s'), '10', 0, 86_400, false],
    ['repeatS', t('重复告警间隔 (秒, 0 只报一次)', 'Stated again after, s (0: once)'), '300', 0, 86_400, false],
  ];
  const set = (name: string, value: number | null) => {
    const next = Object.fromEntries(Object.entries({ ...rule, [name]: value }).filter(([, one]) => one !== null));
    onChange(Object.keys(next).length ? next : null);
  };
  return (
    <Stack gap={4} role="group" aria-label={t('聚集判定', 'When people are a gathering')}>
      <Text size="sm" fw={600} mt="xs">
        {t('聚集判定', 'When people are a gathering')}
      </Text>
      <SimpleGrid cols={1} spacing="xs" verticalSpacing="xs">
        {fields.map(([name, label, placeholder, min, max, whole]) => (
          <NumberInput key={name} label={label} placeholder={placeholder} min={min} max={max} allowDecimal={!whole} disabled={!editable} value={typeof rule?.[name] === 'number' ? (rule[name] as number) : ''} onChange={(value) => set(name, typeof value === 'number' ? value : null)} />
        ))}
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        {t('按密度判定需要面积或标定。星期与时间在“事件规则”的 1008 中设置。', 'A density needs the area or a calibration. Days and times are set under "Event rules", 1008.')}
      </Text>
    </Stack>
  );
}
