import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// One entry per page, so that a page never downloads the code of another.
export default defineConfig({
  plugins: [vue()],
  base: '/',
  resolve: { alias: { '@': at('./src') } },
  define: { __VUE_OPTIONS_API__: false, __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: {
    target: ['chrome87', 'edge88', 'firefox78', 'safari14'],
    assetsDir: 'assets',
    // A data: font or style would need a wider content security policy.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: {
        index: at('./index.html'),
        room: at('./room.html'),
        precheck: at('./precheck.html'),
        desk: at('./desk.html'),
        screen: at('./screen.html'),
        live: at('./live.html'),
        answers: at('./answers.html'),
        department: at('./department.html'),
        account: at('./account.html'),
        admin: at('./admin.html'),
      },
    },
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8080',
      '/healthz': 'http://127.0.0.1:8080',
      '/socket.io': { target: 'http://127.0.0.1:8080', ws: true },
    },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'] },
})
