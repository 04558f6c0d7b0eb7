// Rules of a VirtualService that never decide, because an earlier one takes all their requests.
import type { ConfigObject } from '../../../model/config-object.js';
import type { Analyzer } from '../../analyzer.js';
import { matchCovers } from '../../match-covers.js';
import { messages } from '../../messages.js';
import type { Report } from '../../report.js';

export const virtualServiceOrder: Analyzer = {
  name: 'virtual-service-order',
  description: 'Rules and matches of a VirtualService behind one that already matches the same requests',
  inputs: ['VirtualService'],
  scope: 'object',
  analyze(view, report) {
    for (const object of view.all('VirtualService')) {
      for (const protocol of ['http', 'tcp', 'tls'] as const) {
        checkOrder(object, protocol, object.spec[protocol] ?? [], report);
      }
    }
  },
};

type Match = Readonly<Record<string, unknown>>;
interface Rule {
  readonly name?: string | undefined;
  readonly match?: readonly unknown[] | undefined;
}

function checkOrder(object: ConfigObject<unknown>, protocol: string, rules: readonly Rule[], report: Report): void {
  const earlier: { readonly match: Match; readonly label: string }[] = [];
  let catchAll: string | undefined;
  rules.forEach((rule, index) => {
    const path = ['spec', protocol, index];
    const label = rule.name ? `${protocol}[${index}] (${rule.name})` : `${protocol}[${index}]`;
    if (catchAll !== undefined) {
      report(messages.unreachableRoute, { object, path }, { reason: `${catchAll} before it matches every request` });
      return;
    }
    const matches = (rule.match ?? []) as readonly Match[];
    if (matches.length === 0) {
      catchAll = label;
      return;
    }
    const covered = matches.map((match) => earlier.find((before) => matchCovers(before.match, match))?.label);
    matches.forEach((match, at) => {
      const other = covered[at] ?? coveredWithin(matches, at, label);
      if (other !== undefined) report(messages.ineffectiveMatch, { object, path: [...path, 'match', at] }, { other });
      earlier.push({ match, label: `${label}.match[${at}]` });
      if (Object.keys(match).every((key) => key === 'name')) catchAll ??= label;
    });
    if (covered.every((other) => other !== undefined)) {
      report(
        messages.unreachableRoute,
        { object, path },
        { reason: `all its matches are taken by ${[...new Set(covered)].join(', ')}` },
      );
    }
  });
}

function coveredWithin(matches: readonly Match[], at: number, label: string): string | undefined {
  const match = matches[at];
  const other = match ? matches.slice(0, at).findIndex((before) => matchCovers(before, match)) : -1;
  return other < 0 ? undefined : `${label}.match[${other}]`;
}
