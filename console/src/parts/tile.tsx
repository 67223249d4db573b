import { useEffect, useRef, useState } from 'react';
import { fetchBlob } from '../api';
import { useText } from '../i18n';

/** A still of a camera, renewed only while it is on the screen of somebody who looks. */
export function useStill(id: number, active: boolean, maxWidth: number, periodMs: number) {
  const holder = useRef<HTMLDivElement>(null);
  const [url, setUrl] = useState('');
  useEffect(() => {
    if (!active) return undefined;
    let visible = true;
    let timer = 0;
    let current = '';
    const stop = new AbortController();
    const watch = new IntersectionObserver((entries) => {
      visible = entries.some((entry) => entry.isIntersecting);
    });
    if (holder.current) watch.observe(holder.current);
    const renew = async () => {
      if (visible && !document.hidden) {
        try {
          const next = URL.createObjectURL(await fetchBlob('task/snapshot', { id, maxWidth }, stop.signal));
          if (stop.signal.aborted) URL.revokeObjectURL(next);
          else {
            setUrl(next);
            if (current) URL.revokeObjectURL(current);
            current = next;
          }
        } catch {
          // no picture yet, or the server is away: the next round tries again
        }
      }
      if (!stop.signal.aborted) timer = window.setTimeout(() => void renew(), periodMs);
    };
    void renew();
    return () => {
      stop.abort();
      watch.disconnect();
      window.clearTimeout(timer);
      if (current) URL.revokeObjectURL(current);
    };
  }, [id, active, maxWidth, periodMs]);
  return { holder, url };
}

export function Still({ id, active, name, reason }: { id: number; active: boolean; name: string; reason: string }) {
  const t = useText();
  const { holder, url } = useStill(id, active, 480, 1500);
  return (
    <div className="picture" style={{ aspectRatio: '16 / 9' }} ref={holder}>
      {active && url ? <img src={url} alt={t(`${name} 的当前画面`, `${name} now`)} /> : <div className="empty" aria-hidden="true">{reason || t('暂无画面', 'No picture')}</div>}
    </div>
  );
}
