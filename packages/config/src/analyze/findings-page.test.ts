// docs/reference/findings.md is made from the table of messages: `npx vitest run findings-page -u` rewrites it.
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Message } from './messages.js';
import { messages } from './messages.js';

const page = fileURLToPath(new URL('../../../../docs/reference/findings.md', import.meta.url));
const table: readonly Message[] = Object.values(messages);

it('the reference page lists every finding as the code has it', async () => {
  const rows = table.map(
    ({ code, name, level, template, istioCode }) =>
      `| ${code} | ${name} | ${level} | ${template} | ${istioCode ?? ''} |`,
  );
  const text = [
    '# What `heddle check` can say',
    '',
    'An object with a finding of level `error` is not in force. A `warning` is likely a mistake, but what is missing may live elsewhere; `info` is worth knowing.',
    'Codes are never reused. The last column is the code of `istioctl analyze` for the same fault.',
    '',
    '<!-- prettier-ignore-start -->',
    '',
    '| code | name | level | message | Istio |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '<!-- prettier-ignore-end -->',
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot(page);
});
