// Reference pages say what the code says: they are held to the tables that the code uses.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ENVIRONMENT_VARIABLES, ERROR_KINDS, HEDDLE_VERSION } from '@heddle/core';

const page = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

/** Cells of the table rows whose first cell is code. */
function rows(markdown: string): string[][] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`|`$/g, '')),
  );
}

it('lists every error code with its statuses and flag', () => {
  const documented = rows(page('docs/reference/errors.md')).map((cells) => cells.slice(0, 4));
  const kinds = Object.entries(ERROR_KINDS);
  expect(documented).toEqual(
    kinds.map(([code, kind]) => [code, String(kind.httpStatus), String(kind.grpcStatus), kind.flag]),
  );
});

it('lists every environment variable with its option', () => {
  const documented = rows(page('docs/reference/environment.md')).map((cells) => cells.slice(0, 2));
  expect(documented).toEqual(ENVIRONMENT_VARIABLES.map(([variable, option]) => [variable, option]));
});

it('has one version everywhere', () => {
  const packages = ['xds', 'core', 'config', 'feed', 'express', 'fastify', 'grpc', 'cli'];
  const versions = packages.map(
    (name) => (JSON.parse(page(`packages/${name}/package.json`)) as { version: string }).version,
  );
  expect(new Set([HEDDLE_VERSION, ...versions])).toEqual(new Set([HEDDLE_VERSION]));
});
