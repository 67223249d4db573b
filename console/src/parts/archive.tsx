import { useEffect, useState } from 'react';
import { fetchArchive } from '../api';
import { useText } from '../i18n';

/** The object URL of a file of the archive; undefined while it is fetched, null when it cannot be had. */
function useArchive(path: string): string | null | undefined {
  const [url, setUrl] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    if (!path) {
      setUrl(null);
      return undefined;
    }
    const stop = new AbortController();
    let made = '';
    setUrl(undefined);
    fetchArchive(path, stop.signal).then(
      (blob) => {
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => {
        if (!stop.signal.aborted) setUrl(null);
      },
    );
    return () => {
      stop.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [path]);
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

/** `made`: the clip is there; it takes a while after the event, and goes when its retention ends. */
export function ArchiveClip({ path, made, young, label }: { path: string; made: boolean; young: boolean; label: string }) {
  const t = useText();
  const url = useArchive(made ? path : '');
  if (!path) return null;
  const told = !made && young ? t('录像生成中…', 'the clip is being made…') : made && url === undefined ? t('录像加载中…', 'loading the clip…') : t('录像不存在或已过期', 'the clip is missing or its retention has ended');
  return (
    <div className="picture" style={{ minHeight: 120 }}>
      {url ? <video src={url} controls muted playsInline preload="auto" aria-label={label} /> : <div className="empty">{told}</div>}
    </div>
  );
}
