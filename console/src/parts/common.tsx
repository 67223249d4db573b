import { Alert, Badge, Center, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ApiError } from '../api';
import { oneLanguage, useLanguage, useText } from '../i18n';

export function PageTitle({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Group justify="space-between" mb="md">
      <Title order={2} size="h3">
        {title}
      </Title>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}

const COLOURS = ['gray', 'teal', 'yellow', 'red'];

/** The protocol's four states of a task, in the language chosen. */
export function StatusBadge({ status, enabled = true }: { status: number; enabled?: boolean }) {
  const t = useText();
  const names = [
    enabled ? t('未启动', 'Not started') : t('已停止', 'Stopped'),
    t('分析中', 'Analysing'),
    t('重连中', 'Reconnecting'),
    t('已断开', 'Disconnected'),
  ];
  return (
    <Badge color={COLOURS[status]} variant="filled" autoContrast>
      {names[status]}
    </Badge>
  );
}

/** What an error says, in the language chosen, with the fields at fault. */
export function useErrorText() {
  const { language } = useLanguage();
  return (error: unknown): string => {
    if (!(error instanceof ApiError)) return String(error);
    const fields = error.fields.map((fault) => `${fault.field}: ${oneLanguage(fault.message, language)}`);
    return fields.length ? fields.join('\n') : oneLanguage(error.message, language);
  };
}

export function ErrorNote({ error }: { error: unknown }) {
  const text = useErrorText();
  if (!error) return null;
  return (
    <Alert color="red" icon={<IconAlertTriangle />} my="sm" style={{ whiteSpace: 'pre-line' }} role="alert">
      {text(error)}
    </Alert>
  );
}

export function useTold() {
  const text = useErrorText();
  const t = useText();
  return {
    good: (message: string) => notifications.show({ message, color: 'teal', closeButtonProps: { 'aria-label': t('关闭', 'Close') } }),
    bad: (error: unknown) => notifications.show({ message: text(error), color: 'red', autoClose: 10_000, closeButtonProps: { 'aria-label': t('关闭', 'Close') } }),
  };
}

export function Waiting() {
  const t = useText();
  return (
    <Center h={160}>
      <Loader aria-label={t('加载中', 'Loading')} />
    </Center>
  );
}

export function Nothing({ children }: { children: ReactNode }) {
  return (
    <Center h={160}>
      <Stack align="center" gap="xs">
        <Text c="dimmed">{children}</Text>
      </Stack>
    </Center>
  );
}

export function bytes(value: number | undefined): string {
  if (value === undefined) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let left = value;
  let unit = 0;
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${left.toFixed(left < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

/** A text of a machine, as it is; scrolls, also by keyboard. */
export function Body({ text }: { text: string }) {
  return (
    <pre className="body" tabIndex={0}>
      {text}
    </pre>
  );
}
