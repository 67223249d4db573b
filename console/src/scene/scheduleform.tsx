import { ActionIcon, Button, Card, Chip, Group, Stack, Switch, Text } from '@mantine/core';
import { TimeInput } from '@mantine/dates';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useText } from '../i18n';
import type { Day, Schedule } from './schedules';
import { DAYS, MOST_SCHEDULES, daysOf, endsNextDay, inputTime, isWholeDay, withDays, withTimes, withWholeDay } from './schedules';

interface Props {
  schedules: Schedule[];
  editable: boolean;
  onChange: (schedules: Schedule[]) => void;
}

/** Days and times at which something is looked for; none: always. */
export function ScheduleForm({ schedules, editable, onChange }: Props) {
  const t = useText();
  const names: Record<Day, string> = { mon: t('周一', 'Mon'), tue: t('周二', 'Tue'), wed: t('周三', 'Wed'), thu: t('周四', 'Thu'), fri: t('周五', 'Fri'), sat: t('周六', 'Sat'), sun: t('周日', 'Sun') };
  const replace = (index: number, schedule: Schedule) => onChange(schedules.map((old, at) => (at === index ? schedule : old)));
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" fw={500}>
          {t('检测时段', 'Times')}
        </Text>
        {schedules.length < MOST_SCHEDULES && (
          <Button size="compact-sm" variant="light" leftSection={<IconPlus size={14} />} disabled={!editable} onClick={() => onChange([...schedules, withWholeDay({}, false)])}>
            {t('添加时段', 'Add times')}
          </Button>
        )}
      </Group>
      {schedules.length === 0 && (
        <Text size="xs" c="dimmed">
          {t('始终检测。添加时段后只在这些时段内检测。', 'Looked for at all times. With times, only then.')}
        </Text>
      )}
      {schedules.map((schedule, index) => {
        const days = daysOf(schedule);
        const whole = isWholeDay(schedule);
        const number = index + 1;
        return (
          <Card key={index} withBorder padding="xs" role="group" aria-label={t(`时段 ${number}`, `Times ${number}`)}>
            <Stack gap="xs">
              <Group gap={4} justify="space-between" wrap="nowrap" align="start">
                <Chip.Group multiple value={days} onChange={(value) => value.length && replace(index, withDays(schedule, value as Day[]))}>
                  <Group gap={4}>
                    {DAYS.map((day) => (
                      <Chip key={day} value={day} size="xs" disabled={!editable}>
                        {names[day]}
                      </Chip>
                    ))}
                  </Group>
                </Chip.Group>
                <ActionIcon variant="subtle" color="red" disabled={!editable} onClick={() => onChange(schedules.filter((_, at) => at !== index))} aria-label={t(`删除时段 ${number}`, `Remove times ${number}`)}>
                  <IconTrash size={16} />
                </ActionIcon>
              </Group>
              <Group gap="sm" align="end">
                <Switch label={t('全天', 'All day')} checked={whole} disabled={!editable} onChange={(e) => replace(index, withWholeDay(schedule, e.currentTarget.checked))} pb={6} />
                {!whole && (
                  <>
                    <TimeInput label={t('起', 'From')} value={schedule.from ?? '00:00'} disabled={!editable} onChange={(e) => e.currentTarget.value && replace(index, withTimes(schedule, e.currentTarget.value, schedule.to ?? '24:00'))} />
                    <TimeInput label={endsNextDay(schedule) ? t('止 (次日)', 'To (next day)') : t('止', 'To')} value={inputTime(schedule.to ?? '24:00')} disabled={!editable} onChange={(e) => e.currentTarget.value && replace(index, withTimes(schedule, schedule.from ?? '00:00', e.currentTarget.value))} />
                  </>
                )}
              </Group>
            </Stack>
          </Card>
        );
      })}
    </Stack>
  );
}
