import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The files go into the Python package that serves them; the wheel carries them from there.
export default defineConfig({
  plugins: [react()],
  build: { outDir: '../api/console_files', emptyOutDir: true, chunkSizeWarningLimit: 900 },
  server: { proxy: { '/api': 'http://127.0.0.1:8000', '/image': 'http://127.0.0.1:8000', '/video': 'http://127.0.0.1:8000' } },
});
