import { useEffect, useState } from 'react';
import { fetchArchive } from '../api';
import { useText } from '../i18n';

/** The object URL of a file of the archive; undefined while it is fetched (again and again for `patienceMs`), null when it
 * cannot be had. */
function useArchive(path: string, patienceMs = 0): string | null | undefined {
  const [url, setUrl] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    if (!path) {
      setUrl(null);
      return undefined;
    }
    const stop = new AbortController();
    let made = '';
    setUrl(undefined);
    const until = Date.now() + patienceMs;
    let timer = 0;
    const look = () => {
      fetchArchive(path, stop.signal).then(
        (blob) => {
          made = URL.createObjectURL(blob);
          setUrl(made);
        },
        () => {
          if (stop.signal.aborted) return;
          if (Date.now() < until) timer = window.setTimeout(look, 2_000);
          else setUrl(null);
        },
      );
    };
    look();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
      if (made) URL.revokeObjectURL(made);
    };
  }, [path, patienceMs]);
  return url;
}

export function ArchivePicture({ path, alt, height }: { path: string; alt: string; height?: number }) {
  const t = useText();
  const url = useArchive(path);
  return (
    <div className="picture" style={{ height }}>
      {url ? <img src={url} alt={alt} /> : <div className="empty" aria-hidden="true">{url === null ? t('无图片', 'no picture') : '…'}</div>}
    </div>
  );
}

export function ArchiveClip({ path, label }: { path: string; label: string }) {
  const t = useText();
  // An event is in the list while its clip is still being made.
  const url = useArchive(path, 90_000);
  if (!path) return null;
  return (
    <div className="picture" style={{ minHeight: 120 }}>
      {url ? <video src={url} controls muted playsInline preload="auto" aria-label={label} /> : <div className="empty">{url === null ? t('录像不存在或已过期', 'the clip is missing or its retention has ended') : t('录像加载中…', 'loading the clip…')}</div>}
    </div>
  );
}
