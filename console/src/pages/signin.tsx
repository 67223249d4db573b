import { ActionIcon, Button, Center, Checkbox, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconLanguage } from '@tabler/icons-react';
import { useState } from 'react';
import { useLanguage } from '../i18n';
import { ErrorNote } from '../parts/common';
import { useSession } from '../session';

export function SignInPage() {
  const { language, setLanguage, t } = useLanguage();
  const { signIn } = useSession();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [remember, setRemember] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const enter = async () => {
    setBusy(true);
    setError(null);
    try {
      await signIn(username, password, remember);
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder shadow="sm" p="xl" w={380}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void enter();
          }}
        >
          <Stack>
            <Group justify="space-between">
              <Title order={1} size="h2">
                Wayside
              </Title>
              <ActionIcon variant="subtle" color="gray" onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')} aria-label={language === 'zh' ? 'English' : '中文'}>
                <IconLanguage size={20} />
              </ActionIcon>
            </Group>
            <Text c="dimmed" size="sm">
              {t('视频交通信息分析服务器', 'Video traffic analysis server')}
            </Text>
            <TextInput label={t('用户名', 'User name')} value={username} onChange={(e) => setUsername(e.currentTarget.value)} required autoFocus autoComplete="username" />
            <PasswordInput
              label={t('密码', 'Password')}
              description={t('首次启动的密码在数据目录的 admin-password 文件中', 'The first start wrote it to the file admin-password in the data folder')}
              value={password}
              onChange={(e) => setPassword(e.currentTarget.value)}
              required
              autoComplete="current-password"
            />
            <Checkbox label={t('在此浏览器保持登录', 'Stay signed in on this browser')} checked={remember} onChange={(e) => setRemember(e.currentTarget.checked)} />
            <ErrorNote error={error} />
            <Button type="submit" loading={busy}>
              {t('登录', 'Sign in')}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
