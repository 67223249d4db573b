import { Button, Modal, PasswordInput, Stack } from '@mantine/core';
import { useState } from 'react';
import { call } from '../api';
import { useText } from '../i18n';
import { useSession } from '../session';
import { ErrorNote, useTold } from './common';

/** One's own password; every token of the account ends with it, so one signs in anew. */
export function PasswordModal({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useText();
  const told = useTold();
  const { signOut } = useSession();
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [error, setError] = useState<unknown>(null);
  const change = async () => {
    try {
      await call('account/password', { oldPassword: old, newPassword: fresh });
      told.good(t('密码已修改, 请重新登录', 'Password changed; please sign in again'));
      onClose();
      await signOut();
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <Modal opened={opened} onClose={onClose} title={t('修改密码', 'Change password')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void change();
        }}
      >
        <Stack>
          <PasswordInput label={t('原密码', 'Present password')} value={old} onChange={(e) => setOld(e.currentTarget.value)} required autoComplete="current-password" />
          <PasswordInput label={t('新密码', 'New password')} description={t('8 至 256 个字符', '8 to 256 characters')} value={fresh} onChange={(e) => setFresh(e.currentTarget.value)} required minLength={8} autoComplete="new-password" />
          <ErrorNote error={error} />
          <Button type="submit">{t('修改', 'Change')}</Button>
        </Stack>
      </form>
    </Modal>
  );
}
