import { Badge, Button, Group, Modal, PasswordInput, Select, Stack, Switch, Table, Tabs, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api';
import { useText } from '../i18n';
import { ErrorNote, PageTitle, Waiting, useTold } from '../parts/common';
import { PagedTable } from '../parts/pagedtable';
import { useSession } from '../session';
import type { Account, AuditEntry } from '../types';

const ENTRIES = 50;

function useRoles() {
  const t = useText();
  return { admin: t('管理员', 'administrator'), operator: t('操作员', 'operator'), readonly: t('只读', 'read-only') };
}

export default function UsersPage() {
  const t = useText();
  return (
    <>
      <PageTitle title={t('用户', 'Users')} />
      <Tabs defaultValue="accounts" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="accounts">{t('账号', 'Accounts')}</Tabs.Tab>
          <Tabs.Tab value="audit">{t('操作日志', 'Log of changes')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="accounts">
          <Accounts />
        </Tabs.Panel>
        <Tabs.Panel value="audit">
          <Audit />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Accounts() {
  const t = useText();
  const roles = useRoles();
  const { me } = useSession();
  const { data, error } = useQuery({ queryKey: ['accounts'], queryFn: () => call<Account[]>('account/list') });
  const [edited, setEdited] = useState<Account | 'new' | null>(null);
  if (error) return <ErrorNote error={error} />;
  if (!data) return <Waiting />;
  return (
    <>
      <Button leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')} mb="sm">
        {t('添加账号', 'Add an account')}
      </Button>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('用户名', 'User name')}</Table.Th>
            <Table.Th>{t('角色', 'Role')}</Table.Th>
            <Table.Th>{t('状态', 'State')}</Table.Th>
            <Table.Th>
              <VisuallyHidden>{t('操作', 'Actions')}</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.map((account) => (
            <Table.Tr key={account.id}>
              <Table.Td>
                {account.username} {account.id === me?.id && <Badge variant="light">{t('本人', 'you')}</Badge>}
              </Table.Td>
              <Table.Td>{roles[account.role]}</Table.Td>
              <Table.Td>{account.disabled ? <Badge color="gray">{t('停用', 'disabled')}</Badge> : <Badge color="teal">{t('正常', 'active')}</Badge>}</Table.Td>
              <Table.Td>
                <Button variant="subtle" size="compact-sm" onClick={() => setEdited(account)}>
                  {t('编辑', 'Edit')}
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {edited && <AccountForm account={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </>
  );
}

function AccountForm({ account, onClose }: { account: Account | null; onClose: () => void }) {
  const t = useText();
  const told = useTold();
  const roles = useRoles();
  const queries = useQueryClient();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<string>(account?.role ?? 'operator');
  const [disabled, setDisabled] = useState(account?.disabled ?? false);
  const [error, setError] = useState<unknown>(null);
  const act = async (path: string, body: Record<string, unknown>) => {
    try {
      await call(path, body);
      await queries.invalidateQueries({ queryKey: ['accounts'] });
      told.good(t('已保存', 'Saved'));
      onClose();
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <Modal opened onClose={onClose} title={account ? account.username : t('添加账号', 'Add an account')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void (account ? act('account/edit', { id: account.id, role, disabled, password: password || null }) : act('account/add', { username, password, role }));
        }}
      >
        <Stack>
          {!account && <TextInput label={t('用户名', 'User name')} value={username} onChange={(e) => setUsername(e.currentTarget.value)} required maxLength={64} autoComplete="off" />}
          <Select label={t('角色', 'Role')} data={Object.entries(roles).map(([value, label]) => ({ value, label }))} value={role} allowDeselect={false} onChange={(value) => value && setRole(value)} />
          <PasswordInput label={account ? t('新密码 (空为不变)', 'New password (empty keeps it)') : t('密码', 'Password')} description={t('8 至 256 个字符', '8 to 256 characters')} value={password} onChange={(e) => setPassword(e.currentTarget.value)} required={!account} minLength={8} autoComplete="new-password" />
          {account && <Switch label={t('停用', 'Disabled')} checked={disabled} onChange={(e) => setDisabled(e.currentTarget.checked)} />}
          <ErrorNote error={error} />
          <Group justify="space-between">
            {account ? (
              <Button color="red" variant="light" onClick={() => void act('account/delete', { id: account.id })}>
                {t('删除', 'Delete')}
              </Button>
            ) : (
              <span />
            )}
            <Button type="submit">{t('保存', 'Save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Audit() {
  const t = useText();
  const [page, setPage] = useState(1);
  const { data, error } = useQuery({ queryKey: ['audit', page], queryFn: () => call<AuditEntry[]>('audit/list', { page, pageSize: ENTRIES }), placeholderData: keepPreviousData });
  return (
    <PagedTable
      rows={data}
      rowKey={(entry) => entry.id}
      error={error}
      nothing={t('还没有操作', 'Nothing yet')}
      minWidth={800}
      total={null}
      rowsPerPage={ENTRIES}
      page={page}
      onPage={setPage}
      columns={[
        { title: t('时间', 'Time'), cell: (entry) => entry.time, figures: true },
        { title: t('操作人', 'Who'), cell: (entry) => entry.username },
        { title: t('来源', 'From'), cell: (entry) => entry.address },
        { title: t('操作', 'What'), cell: (entry) => entry.action },
        { title: t('对象', 'Record'), cell: (entry) => entry.target },
        {
          title: t('变更', 'Changes'),
          cell: (entry) =>
            Object.entries(entry.changes).map(([name, change]) => (
              <Text key={name} size="xs" lineClamp={2} style={{ wordBreak: 'break-all' }}>
                {name}: {JSON.stringify(change[0])} → {JSON.stringify(change[1])}
              </Text>
            )),
        },
      ]}
    />
  );
}
