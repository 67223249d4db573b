import { ActionIcon, Alert, AppShell, Burger, Group, Menu, NavLink, Text, Title, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconAlertTriangle, IconBell, IconCar, IconChartLine, IconDeviceCctv, IconKey, IconLanguage, IconLogout, IconMoon, IconPlugConnected, IconSend, IconServer, IconSun, IconUser, IconUsers } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useEffect } from 'react';
import { Link, useLocation } from 'react-router';
import { useLanguage } from './i18n';
import { PasswordModal } from './parts/password';
import { useSession } from './session';
import { useTasks } from './tasks';

export function Shell({ children }: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const [changing, password] = useDisclosure(false);
  const { language, setLanguage, t } = useLanguage();
  const { me, signOut } = useSession();
  const { databaseAway } = useTasks();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const { pathname } = useLocation();
  useEffect(close, [pathname, close]);
  // A tablet keeps its width for pictures: icons alone, with their names under the pointer.
  const rail = useMediaQuery('(min-width: 48em) and (max-width: 74.99em)');
  const pages = [
    { to: '/cameras', label: t('相机', 'Cameras'), icon: IconDeviceCctv },
    { to: '/events', label: t('事件', 'Events'), icon: IconBell },
    { to: '/vehicles', label: t('车辆', 'Vehicles'), icon: IconCar },
    { to: '/traffic', label: t('交通与人流', 'Traffic and people'), icon: IconChartLine },
    { to: '/interfaces', label: t('数据接口', 'Receivers'), icon: IconPlugConnected },
    { to: '/deliveries', label: t('推送记录', 'Deliveries'), icon: IconSend },
    ...(me?.role === 'admin' ? [{ to: '/users', label: t('用户', 'Users'), icon: IconUsers }] : []),
    { to: '/system', label: t('系统', 'System'), icon: IconServer },
  ];
  return (
    <AppShell header={{ height: 52 }} navbar={{ width: rail ? 60 : 208, breakpoint: 'sm', collapsed: { mobile: !opened } }} padding="md">
      <AppShell.Header>
        <a className="skip" href="#main">
          {t('跳到内容', 'Skip to content')}
        </a>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('菜单', 'Menu')} />
            <Title order={1} size="h4">
              Wayside
            </Title>
            <Text size="sm" c="dimmed" visibleFrom="md">
              {t('视频交通信息分析', 'video traffic analysis')}
            </Text>
          </Group>
          <Group gap={4} wrap="nowrap">
            <Tooltip label={language === 'zh' ? 'English' : '中文'}>
              <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => setLanguage(language === 'zh' ? 'en' : 'zh')} aria-label={language === 'zh' ? 'English' : '中文'}>
                <IconLanguage size={20} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label={scheme === 'dark' ? t('浅色', 'Light') : t('深色', 'Dark')}>
              <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')} aria-label={scheme === 'dark' ? t('浅色', 'Light') : t('深色', 'Dark')}>
                {scheme === 'dark' ? <IconSun size={20} /> : <IconMoon size={20} />}
              </ActionIcon>
            </Tooltip>
            <Menu position="bottom-end" width={200}>
              <Menu.Target>
                <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('账号', 'Account')}>
                  <IconUser size={20} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>
                  {me?.username} · {me?.role}
                </Menu.Label>
                <Menu.Item leftSection={<IconKey size={16} />} onClick={password.open}>
                  {t('修改密码', 'Change password')}
                </Menu.Item>
                <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
                  {t('退出登录', 'Sign out')}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t('导航', 'Navigation')}>
        {pages.map(({ to, label, icon: Icon }) => (
          <Tooltip key={to} label={label} position="right" disabled={!rail}>
            <NavLink component={Link} to={to} label={rail ? undefined : label} aria-label={rail ? label : undefined} leftSection={<Icon size={18} />} active={pathname.startsWith(to)} aria-current={pathname.startsWith(to) ? 'page' : undefined} />
          </Tooltip>
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main">
        {databaseAway && (
          <Alert color="red" icon={<IconAlertTriangle />} mb="md">
            {t('数据库暂不可用, 页面显示的是最近一次的状态', 'The database does not answer; what you see is the last known state')}
          </Alert>
        )}
        {children}
      </AppShell.Main>
      <PasswordModal opened={changing} onClose={password.close} />
    </AppShell>
  );
}
