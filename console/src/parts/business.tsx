import { useText } from '../i18n';

/** Names of the manual's business types (1.2). */
export function useBusiness() {
  const t = useText();
  const names: Record<number, string> = { 11: t('事件告警数据', 'Events'), 21: t('车辆抓拍数据', 'Vehicle snapshots'), 22: t('综合交通参数', 'Traffic parameters'), 41: t('人流量数据', 'People'), 52: t('任务状态数据', 'Task status') };
  const states: Record<string, string> = { waiting: t('等待', 'waiting'), retrying: t('重试中', 'retrying'), delivered: t('已送达', 'delivered'), given_up: t('已放弃', 'given up') };
  return { names, states };
}

export const STATE_COLOURS: Record<string, string> = { waiting: 'blue', retrying: 'yellow', delivered: 'teal', given_up: 'red' };
