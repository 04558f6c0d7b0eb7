import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (name: string, file = 'index.ts') =>
  fileURLToPath(new URL(`packages/${name}/src/${file}`, import.meta.url));

// Unit tests run on the sources. @heddle/xds is used as built (one bundle), so that no test file transforms 90 generated modules.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@heddle\/core\/testing$/, replacement: source('core', 'testing/index.ts') },
      { find: /^@heddle\/core\/driver$/, replacement: source('core', 'driver.ts') },
      {
        find: /^@heddle\/(core|config|feed|express|fastify|grpc)$/,
        replacement: fileURLToPath(new URL('packages', import.meta.url)) + '/$1/src/index.ts',
      },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    reporters: process.env['CI'] ? ['default'] : ['default'],
  },
});
