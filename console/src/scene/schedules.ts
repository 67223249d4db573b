/** Times of a week at which a kind of event is looked for (`schedules` of a rule). Pure. */

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

/** As in the scene document: without `days` every day, without times the whole day. */
export interface Schedule {
  days?: Day[] | null;
  from?: string;
  to?: string;
}

export const MOST_SCHEDULES = 20;

export const daysOf = (schedule: Schedule): Day[] => (schedule.days ? DAYS.filter((day) => schedule.days!.includes(day)) : [...DAYS]);

/** Equal ends mean the whole day as well as 00:00 to 24:00 does. */
export function isWholeDay({ from = '00:00', to = '24:00' }: Schedule): boolean {
  return from === to || (from === '00:00' && to === '24:00');
}

/** Whether the span ends on the day after the one it begins on. */
export const endsNextDay = (schedule: Schedule): boolean => !isWholeDay(schedule) && inputTime(schedule.to ?? '24:00') <= (schedule.from ?? '00:00') && inputTime(schedule.to ?? '24:00') !== '00:00';

/** A field for times of day knows no 24:00; midnight at the end is 00:00 of the next day, which means the same. */
export const inputTime = (time: string): string => (time === '24:00' ? '00:00' : time);

export function withDays(schedule: Schedule, days: Day[]): Schedule {
  const { days: _, ...rest } = schedule;
  const ordered = DAYS.filter((day) => days.includes(day));
  return ordered.length === DAYS.length || ordered.length === 0 ? rest : { ...rest, days: ordered };
}

export function withTimes(schedule: Schedule, from: string, to: string): Schedule {
  return { ...schedule, from, to: to === '00:00' ? '24:00' : to };
}

export function withWholeDay(schedule: Schedule, whole: boolean): Schedule {
  const { from: _, to: __, ...rest } = schedule;
  return whole ? rest : { ...rest, from: '07:00', to: '19:00' };
}
