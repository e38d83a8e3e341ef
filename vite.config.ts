import path from 'node:path';
import { defineConfig } from 'vite';

/** Bundles every page Chalkreel serves: the recorder tab, the built-in classroom, the web pages. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  worker: { format: 'es' },
  logLevel: 'warn',
  resolve: {
    alias: {
      '@excalidraw/mermaid-to-excalidraw': path.resolve('recorder/classroom/board/no-diagrams.ts'),
    },
  },
  build: {
    outDir: 'dist/pages',
    emptyOutDir: true,
    target: 'chrome120',
    chunkSizeWarningLimit: 3000,
    rolldownOptions: {
      // React's "use client", all over Excalidraw's parts, means nothing in a bundle
      onLog: (level, log, handle) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
      input: {
        recorder: 'recorder/page/index.html',
        classroom: 'recorder/classroom/index.html',
        watch: 'src/web/watch.html',
        share: 'src/web/share.html',
        panel: 'src/web/panel.html',
      },
    },
  },
});
