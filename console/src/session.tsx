import { useQueryClient } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { ApiError, call, hasToken, setToken, whenSignedOut } from './api';
import type { Me } from './types';

interface SessionState {
  /** undefined while it is looked up, null when nobody is signed in. */
  me: Me | null | undefined;
  mayChange: boolean;
  signIn: (username: string, password: string, remember: boolean) => Promise<void>;
  signOut: () => Promise<void>;
}

const Context = createContext<SessionState | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  const [me, setMe] = useState<Me | null | undefined>(undefined);
  const queries = useQueryClient();
  useEffect(() => {
    whenSignedOut(() => setMe(null));
    if (!hasToken()) {
      setMe(null);
      return undefined;
    }
    // A server that is away for a moment (a new version, a busy machine) signs nobody out: only its refusal does.
    const stop = new AbortController();
    void (async () => {
      while (!stop.signal.aborted) {
        try {
          return setMe(await call<Me>('account/me', {}, stop.signal));
        } catch (error) {
          if (error instanceof ApiError && error.status >= 400 && error.status < 500) return setMe(null);
        }
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    })();
    return () => stop.abort();
  }, []);
  const signIn = useCallback(async (username: string, password: string, remember: boolean) => {
    const answer = await call<{ token: string }>('account/login', { username, password });
    setToken(answer.token, remember);
    setMe(await call<Me>('account/me'));
  }, []);
  const signOut = useCallback(async () => {
    await call('account/logout').catch(() => undefined);
    setToken('');
    queries.clear();
    setMe(null);
  }, [queries]);
  const value = useMemo(() => ({ me, mayChange: !!me && me.role !== 'readonly', signIn, signOut }), [me, signIn, signOut]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useSession(): SessionState {
  const state = useContext(Context);
  if (!state) throw new Error('useSession outside SessionProvider');
  return state;
}
