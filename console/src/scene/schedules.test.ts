import { expect, test } from 'vitest';
import type { Schedule } from './schedules';
import { daysOf, endsNextDay, inputTime, isWholeDay, withDays, withTimes, withWholeDay } from './schedules';

test('a schedule without days holds on all of them, and all of them are written as none', () => {
  expect(daysOf({ from: '07:00', to: '09:00' })).toHaveLength(7);
  const some = withDays({ from: '07:00', to: '09:00' }, ['sun', 'mon']);
  expect(some).toEqual({ days: ['mon', 'sun'], from: '07:00', to: '09:00' });
  expect(withDays(some, ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).toEqual({ from: '07:00', to: '09:00' });
});

test('no day at all is every day: a schedule that never holds cannot be written', () => {
  expect(withDays({ days: ['mon'] }, [])).toEqual({});
});

test('the whole day is known in each of its spellings', () => {
  for (const schedule of [{}, { from: '00:00', to: '24:00' }, { from: '08:00', to: '08:00' }] as Schedule[]) expect(isWholeDay(schedule)).toBe(true);
  expect(isWholeDay({ from: '22:00', to: '06:00' })).toBe(false);
  expect(withWholeDay({ days: ['mon'], from: '07:00', to: '09:00' }, true)).toEqual({ days: ['mon'] });
  expect(isWholeDay(withWholeDay({}, false))).toBe(false);
});

test('midnight at the end is 24:00 in the document and 00:00 in the field', () => {
  expect(inputTime('24:00')).toBe('00:00');
  const evening = withTimes({}, '20:00', '00:00');
  expect(evening).toEqual({ from: '20:00', to: '24:00' });
  expect(endsNextDay(evening)).toBe(false);
  expect(endsNextDay({ from: '22:00', to: '06:00' })).toBe(true);
  expect(endsNextDay({ from: '07:00', to: '19:00' })).toBe(false);
});
