import { createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';

export type Language = 'zh' | 'en';
/** Both languages of a text stand side by side where it is used, so that none can be forgotten. */
export type Say = (zh: string, en: string) => string;

interface LanguageState {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Say;
}

const KEY = 'wayside.language';
const Context = createContext<LanguageState>({ language: 'zh', setLanguage: () => undefined, t: (zh) => zh });

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setState] = useState<Language>(() => {
    const kept = localStorage.getItem(KEY);
    if (kept === 'zh' || kept === 'en') return kept;
    return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
  });
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const setLanguage = useCallback((next: Language) => {
    localStorage.setItem(KEY, next);
    setState(next);
  }, []);
  const t = useCallback<Say>((zh, en) => (language === 'zh' ? zh : en), [language]);
  const value = useMemo(() => ({ language, setLanguage, t }), [language, setLanguage, t]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export const useLanguage = () => useContext(Context);
export const useText = (): Say => useContext(Context).t;

/** One side of a text that the server says as "中文 / English". */
export function oneLanguage(text: string, language: Language): string {
  const cut = text.indexOf(' / ');
  if (cut < 0) return text;
  return language === 'zh' ? text.slice(0, cut) : text.slice(cut + 3);
}

/** Why a camera is not analysed, said by the server as "中文 (English)": in English the text in brackets, where there is one. */
export function reasonIn(reason: string, language: Language): string {
  const found = /^[^(]*\p{Script=Han}[^(]*\((.+)\)$/u.exec(reason);
  return language === 'en' && found ? found[1]! : reason;
}
