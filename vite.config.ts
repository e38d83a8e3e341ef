import { defineConfig } from 'vite';

/** Bundles every page Chalkreel serves: the recorder tab, the built-in classroom, the web pages. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  worker: { format: 'es' },
  logLevel: 'warn',
  build: {
    outDir: 'dist/pages',
    emptyOutDir: true,
    target: 'chrome120',
    chunkSizeWarningLimit: 3000,
    rolldownOptions: {
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
