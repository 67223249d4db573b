import { expect, test } from 'vitest';
import { oneLanguage, reasonIn } from './i18n';

test('reasons are told in the language chosen, and whole where they have one only', () => {
  const reason = '视频源连接超时 (connection timed out)';
  expect(reasonIn(reason, 'en')).toBe('connection timed out');
  expect(reasonIn(reason, 'zh')).toBe(reason);
  expect(reasonIn('no machine of site north (of 3)', 'en')).toBe('no machine of site north (of 3)');
  expect(reasonIn('', 'en')).toBe('');
});

test('messages of the API are cut at their slash', () => {
  expect(oneLanguage('不能为空 / must not be empty', 'en')).toBe('must not be empty');
  expect(oneLanguage('不能为空 / must not be empty', 'zh')).toBe('不能为空');
});
