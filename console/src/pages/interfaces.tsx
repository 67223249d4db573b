import { ActionIcon, Alert, Badge, Button, Checkbox, Code, CopyButton, Drawer, Group, Menu, Modal, MultiSelect, NumberInput, Select, Stack, Switch, Table, Text, TextInput, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDots, IconEdit, IconKey, IconPlus, IconSend, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { ApiError, call } from '../api';
import { useText } from '../i18n';
import { useBusiness } from '../parts/business';
import { Body, ErrorNote, Nothing, PageTitle, Waiting, bytes, useTold } from '../parts/common';
import { useSession } from '../session';
import { useTasks } from '../tasks';
import type { Interface, PushTest, Receiver } from '../types';

export default function InterfacesPage() {
  const t = useText();
  const told = useTold();
  const queries = useQueryClient();
  const { names } = useBusiness();
  const { mayChange } = useSession();
  const { data: interfaces, error } = useQuery({ queryKey: ['interfaces'], queryFn: () => call<Interface[]>('interface/list') });
  const { data: receivers } = useQuery({ queryKey: ['receivers'], queryFn: () => call<Receiver[]>('delivery/receivers'), refetchInterval: 3_000 });
  const [edited, setEdited] = useState<Interface | 'new' | null>(null);
  const [secret, setSecret] = useState('');
  const [test, setTest] = useState<PushTest | null>(null);
  const [deleting, setDeleting] = useState<Interface | null>(null);
  if (error) return <ErrorNote error={error} />;
  if (!interfaces) return <Waiting />;
  const renew = () => queries.invalidateQueries({ queryKey: ['interfaces'] });
  const act = async <T,>(path: string, id: number): Promise<T | undefined> => {
    try {
      const answer = await call<T>(path, { id });
      await renew();
      return answer;
    } catch (caught) {
      told.bad(caught);
      return undefined;
    }
  };
  return (
    <>
      <PageTitle title={t('数据接收接口', 'Receivers')}>
        {mayChange && (
          <Button leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')}>
            {t('新增数据接口', 'Add a receiver')}
          </Button>
        )}
      </PageTitle>
      {interfaces.length === 0 && <Nothing>{t('还没有数据接口: 新增后, Wayside 即向其 URL 推送数据', 'No receivers yet: once added, Wayside pushes to its URL')}</Nothing>}
      {interfaces.length > 0 && (
        <Table.ScrollContainer minWidth={700} tabIndex={0}>
          <Table highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>id</Table.Th>
                <Table.Th>{t('接口名称 / 请求Url', 'Name / URL')}</Table.Th>
                <Table.Th>{t('业务类型 / 触发条件', 'Business type / trigger')}</Table.Th>
                <Table.Th>{t('接收方状态', 'Receiver')}</Table.Th>
                <Table.Th>
                  <VisuallyHidden>{t('操作', 'Actions')}</VisuallyHidden>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {interfaces.map((item) => (
                <Table.Tr key={item.id}>
                  <Table.Td>{item.id}</Table.Td>
                  <Table.Td style={{ wordBreak: 'break-all', maxWidth: 340 }}>
                    {item.name} {!item.enabled && <Badge color="gray">{t('停用', 'off')}</Badge>}
                    <Text size="xs" c="dimmed">
                      {item.url}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {item.businessType} {names[item.businessType]}
                    <Text size="xs" c="dimmed">
                      {item.triggerCondition === 1 ? t(`周期触发 ${item.uploadPeriod} 秒`, `every ${item.uploadPeriod} s`) : t('抓拍触发', 'at once')}
                      {item.uploadImgStatus === 1 && t(', 含图片', ', with pictures')}
                      {!!item.taskNums?.length && t(`, 仅任务 ${item.taskNums.join('、')}`, `, only tasks ${item.taskNums.join(', ')}`)}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <ReceiverState receiver={receivers?.find((one) => one.interfaceId === item.id)} />
                  </Table.Td>
                  <Table.Td>
                    <Group gap={4} justify="flex-end" wrap="nowrap">
                      <Button component={Link} to={`/deliveries?interface=${item.id}`} variant="subtle" size="compact-sm">
                        {t('推送记录', 'Deliveries')}
                      </Button>
                      {mayChange && (
                        <Button variant="light" size="compact-sm" leftSection={<IconSend size={14} />} onClick={() => void act<PushTest>('interface/test', item.id).then((answer) => answer && setTest(answer))} aria-label={t(`向 ${item.name} 测试推送`, `Test push to ${item.name}`)}>
                          {t('测试推送', 'Test push')}
                        </Button>
                      )}
                      {mayChange && (
                        <Menu position="bottom-end">
                          <Menu.Target>
                            <ActionIcon variant="default" aria-label={t(`${item.name} 的操作`, `Actions for ${item.name}`)}>
                              <IconDots size={16} />
                            </ActionIcon>
                          </Menu.Target>
                          <Menu.Dropdown>
                            <Menu.Item leftSection={<IconEdit size={16} />} onClick={() => setEdited(item)}>
                              {t('编辑', 'Edit')}
                            </Menu.Item>
                            <Menu.Item leftSection={<IconKey size={16} />} onClick={() => void act<{ secret: string }>('interface/rotateSecret', item.id).then((answer) => answer && setSecret(answer.secret))}>
                              {t('更换签名密钥', 'Rotate the signing secret')}
                            </Menu.Item>
                            <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={() => setDeleting(item)}>
                              {t('删除', 'Delete')}
                            </Menu.Item>
                          </Menu.Dropdown>
                        </Menu>
                      )}
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {edited && (
        <InterfaceForm
          item={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={(made) => {
            setEdited(null);
            if (made) setSecret(made);
            void renew();
          }}
        />
      )}
      <Modal opened={secret !== ''} onClose={() => setSecret('')} title={t('签名密钥', 'Signing secret')} size="lg">
        <Alert color="yellow" mb="sm">
          {t('密钥只显示这一次。接收方可用它验证 webhook-signature (Standard Webhooks)。', 'It is shown this once. Receivers check webhook-signature with it (Standard Webhooks).')}
        </Alert>
        <Code block>{secret}</Code>
        <Group justify="flex-end" mt="sm">
          <CopyButton value={secret}>{({ copied, copy }) => <Button onClick={copy}>{copied ? t('已复制', 'Copied') : t('复制', 'Copy')}</Button>}</CopyButton>
        </Group>
      </Modal>
      <Modal opened={!!test} onClose={() => setTest(null)} title={t('测试推送', 'Test push')} size="lg">
        {test && (
          <Stack gap="sm">
            <Group gap="xs">
              <Badge color={test.success ? 'teal' : 'red'}>{test.success ? t('成功', 'success') : t('失败', 'failed')}</Badge>
              <Badge variant="light">{test.status ? `HTTP ${test.status}` : t('无应答', 'no answer')}</Badge>
              <Badge variant="light">{test.latencyMs} ms</Badge>
            </Group>
            {test.excerpt && <Body text={test.excerpt} />}
            <Text size="sm">{t('推送的示例报文:', 'The example body that was sent:')}</Text>
            <Body text={pretty(test.body)} />
          </Stack>
        )}
      </Modal>
      <Modal opened={!!deleting} onClose={() => setDeleting(null)} title={t('删除数据接口', 'Delete receiver')}>
        <Text mb="md">{t(`删除 ${deleting?.name}? 未送达的推送将一并删除。`, `Delete ${deleting?.name}? What was not delivered to it goes too.`)}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setDeleting(null)}>
            {t('取消', 'Cancel')}
          </Button>
          <Button color="red" onClick={() => void act('interface/delete', deleting!.id).then(() => setDeleting(null))}>
            {t('删除', 'Delete')}
          </Button>
        </Group>
      </Modal>
    </>
  );
}

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function ReceiverState({ receiver }: { receiver: Receiver | undefined }) {
  const t = useText();
  if (!receiver || !(receiver.lastSuccess || receiver.failingSince || receiver.disabledTime || receiver.waiting)) return <Badge color="gray">{t('尚无推送', 'nothing sent yet')}</Badge>;
  return (
    <Stack gap={2}>
      <Group gap={4}>
        {receiver.disabledTime ? (
          <Badge color="red">{t('已被停用', 'disabled')}</Badge>
        ) : receiver.failingSince ? (
          <Badge color="yellow">{t('失败中', 'failing')}</Badge>
        ) : (
          <Badge color="teal">{t('正常', 'well')}</Badge>
        )}
        {receiver.waiting > 0 && <Badge variant="light">{t(`待发 ${receiver.waiting}`, `${receiver.waiting} waiting`)}</Badge>}
        {receiver.dropped > 0 && (
          <Badge color="red" variant="light">
            {t(`丢弃 ${receiver.dropped}`, `${receiver.dropped} dropped`)}
          </Badge>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        {receiver.disabledReason ||
          (receiver.failingSince
            ? t(`自 ${receiver.failingSince} 起连续失败 ${receiver.failures} 次, 积压 ${bytes(receiver.waitingBytes)}`, `${receiver.failures} failures since ${receiver.failingSince}, ${bytes(receiver.waitingBytes)} waiting`)
            : receiver.lastSuccess && t(`最近成功 ${receiver.lastSuccess}`, `last success ${receiver.lastSuccess}`))}
      </Text>
    </Stack>
  );
}

/** The manual's form (1.2): the same fields, labels and checks, and our extensions below. */
function InterfaceForm({ item, onClose, onSaved }: { item: Interface | null; onClose: () => void; onSaved: (secret: string) => void }) {
  const t = useText();
  const { names } = useBusiness();
  const { tasks } = useTasks();
  const [fields, setFields] = useState({
    name: item?.name ?? '',
    businessType: item?.businessType ?? 11,
    triggerCondition: item?.triggerCondition ?? 2,
    uploadPeriod: item?.uploadPeriod || 10,
    contentType: 1,
    method: 1,
    url: item?.url ?? '',
    companyName: item?.companyName ?? '',
    companyId: item?.companyId ?? '',
    appId: item?.appId ?? '',
    uploadImgStatus: item?.uploadImgStatus ?? 0,
    pushResponse: item?.pushResponse ?? 1,
    acceptOther2xx: item?.acceptOther2xx ?? 0,
    taskNums: item?.taskNums ?? null,
    enabled: item?.enabled ?? true,
  });
  const [error, setError] = useState<unknown>(null);
  const [more, showMore] = useDisclosure(!!item?.taskNums || !!item?.acceptOther2xx);
  const set = (changes: Partial<typeof fields>) => setFields((before) => ({ ...before, ...changes }));
  const fault = (name: string) => (error instanceof ApiError ? error.fields.find((one) => one.field === name)?.message : undefined);
  const save = async () => {
    const body = { ...fields, uploadPeriod: fields.triggerCondition === 1 ? fields.uploadPeriod : null };
    try {
      if (item) {
        await call('interface/edit', { ...body, id: item.id });
        onSaved('');
      } else onSaved((await call<{ secret: string }>('interface/add', body)).secret);
    } catch (caught) {
      setError(caught);
    }
  };
  const needed = t('不能为空', 'must not be empty');
  return (
    <Drawer opened onClose={onClose} position="right" size="md" title={item ? t('编辑数据接口', 'Edit receiver') : t('新增数据接口', 'Add a receiver')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Stack gap="sm">
          <TextInput label={t('接口名称', 'Name')} placeholder={t('请输入任务名称, 不能为空', needed)} value={fields.name} onChange={(e) => set({ name: e.currentTarget.value })} required maxLength={200} error={fault('name')} data-autofocus />
          <Select
            label={t('业务类型', 'Business type')}
            data={Object.entries(names).map(([value, label]) => ({ value, label: `${value} ${label}` }))}
            value={String(fields.businessType)}
            allowDeselect={false}
            onChange={(value) => {
              const businessType = Number(value);
              set({ businessType, triggerCondition: businessType === 22 ? 1 : fields.triggerCondition });
            }}
            error={fault('businessType')}
          />
          <Select
            label={t('触发条件', 'Trigger')}
            description={t('抓拍获取图片会有一定延时, 建议周期触发', 'pictures take a moment: periodic push is advised')}
            data={[
              { value: '1', label: t('周期触发', 'periodic') },
              { value: '2', label: t('抓拍触发', 'at once'), disabled: fields.businessType === 22 },
            ]}
            value={String(fields.triggerCondition)}
            allowDeselect={false}
            onChange={(value) => set({ triggerCondition: Number(value) })}
            error={fault('triggerCondition')}
          />
          {fields.triggerCondition === 1 && <NumberInput label={t('上传周期 (秒, 1~120)', 'Period, s (1 to 120)')} value={fields.uploadPeriod} onChange={(value) => set({ uploadPeriod: Number(value) || 0 })} min={1} max={120} allowDecimal={false} required error={fault('uploadPeriod')} />}
          <Group grow>
            <TextInput label={t('请求Content-type', 'Content type')} value="application/json" readOnly />
            <TextInput label={t('请求Method', 'Method')} value="POST" readOnly />
          </Group>
          <TextInput label={t('请求Url', 'URL')} placeholder="http://192.168.0.115:8080/event/receive" value={fields.url} onChange={(e) => set({ url: e.currentTarget.value })} required maxLength={2048} error={fault('url')} />
          <TextInput label={t('公司名称', 'Company')} placeholder={t('请输入公司名称, 不能为空', needed)} value={fields.companyName} onChange={(e) => set({ companyName: e.currentTarget.value })} required maxLength={200} error={fault('companyName')} />
          <Group grow>
            <TextInput label={t('公司ID', 'Company id')} placeholder={t('请输入公司ID, 不能为空', needed)} value={fields.companyId} onChange={(e) => set({ companyId: e.currentTarget.value })} required maxLength={200} error={fault('companyId')} />
            <TextInput label="appID" placeholder={t('请输入appid, 不能为空', needed)} value={fields.appId} onChange={(e) => set({ appId: e.currentTarget.value })} required maxLength={200} error={fault('appId')} />
          </Group>
          <Switch label={t('是否回传图片', 'Send pictures')} checked={fields.uploadImgStatus === 1} onChange={(e) => set({ uploadImgStatus: e.currentTarget.checked ? 1 : 0 })} />
          <Switch label={t('是否响应推送', 'The receiver’s answer decides (otherwise one attempt is enough)')} checked={fields.pushResponse === 1} onChange={(e) => set({ pushResponse: e.currentTarget.checked ? 1 : 0 })} />
          <Switch label={t('启用', 'In use')} checked={fields.enabled} onChange={(e) => set({ enabled: e.currentTarget.checked })} />
          <Button variant="subtle" size="compact-sm" onClick={showMore.toggle} aria-expanded={more}>
            {t('扩展选项', 'More options')}
          </Button>
          {more && (
            <>
              <MultiSelect label={t('只推送这些任务', 'Only these tasks')} description={t('空为全部', 'empty: all')} data={(tasks ?? []).map((task) => ({ value: task.taskNum, label: `${task.taskNum} ${task.taskName}` }))} value={fields.taskNums ?? []} onChange={(value) => set({ taskNums: value.length ? value : null })} searchable clearable />
              <Checkbox label={t('200 以外的 2xx 也算成功', 'Other 2xx answers are success too')} checked={fields.acceptOther2xx === 1} onChange={(e) => set({ acceptOther2xx: e.currentTarget.checked ? 1 : 0 })} />
            </>
          )}
          <ErrorNote error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('取消', 'Cancel')}
            </Button>
            <Button type="submit">{t('确定', 'OK')}</Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
