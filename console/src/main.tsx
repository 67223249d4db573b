import { MantineProvider, createTheme } from '@mantine/core';
import '@mantine/core/styles.css';
import '@mantine/dates/styles.css';
import { Notifications } from '@mantine/notifications';
import '@mantine/notifications/styles.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, useMemo } from 'react';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { HashRouter } from 'react-router';
import { ApiError } from './api';
import { App } from './app';
import { LanguageProvider, useText } from './i18n';
import { SessionProvider } from './session';
import './style.css';

const themeFor = (close: string) => createTheme({
  components: { Modal: { defaultProps: { closeButtonProps: { 'aria-label': close } } }, Drawer: { defaultProps: { closeButtonProps: { 'aria-label': close } } } },
  primaryColor: 'cyan',
  primaryShade: 9,
  fontFamily: 'system-ui, "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif',
  defaultRadius: 'md',
  autoContrast: true,
});
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

function Themed({ children }: { children: ReactNode }) {
  const t = useText();
  const theme = useMemo(() => themeFor(t('关闭', 'Close')), [t]);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      {children}
    </MantineProvider>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <LanguageProvider>
      <Themed>
        <QueryClientProvider client={queries}>
          <Notifications position="top-right" />
          <HashRouter>
            <SessionProvider>
              <App />
            </SessionProvider>
          </HashRouter>
        </QueryClientProvider>
      </Themed>
    </LanguageProvider>
  </StrictMode>,
);
