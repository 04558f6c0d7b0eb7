// RBAC trees against a naive evaluator that works on the JSON itself.
import { type JsonObject, type JsonValue, RBACSchema, fromJson } from '@heddle/xds';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FilterRequestChanges, filterRequest } from '../../testing/filter-requests.js';
import { compileRbac } from './rbac-engine.js';
import { PIPELINE_SOURCES } from './rbac-request.js';

type Node = JsonObject;

const leafPermission: fc.Arbitrary<Node> = fc.oneof(
  fc.constant({ any: true }),
  fc.constantFrom('/a', '/a/b', '/c').map((exact) => ({ urlPath: { path: { exact } } })),
  fc.constantFrom('/a', '/').map((prefix) => ({ urlPath: { path: { prefix } } })),
  fc.constantFrom('GET', 'POST').map((exact) => ({ header: { name: ':method', stringMatch: { exact } } })),
  fc.constantFrom(80, 9080).map((destinationPort) => ({ destinationPort })),
  fc.constantFrom([1, 81], [80, 9080], [80, 9081]).map(([start, end]) => ({ destinationPortRange: { start, end } })),
);
const leafPrincipal: fc.Arbitrary<Node> = fc.oneof(
  fc.constant({ any: true }),
  fc.constant({ authenticated: {} }),
  fc.constantFrom('spiffe://a', 'spiffe://b').map((exact) => ({ authenticated: { principalName: { exact } } })),
  fc.constantFrom(8, 32).map((prefixLen) => ({ directRemoteIp: { addressPrefix: '10.0.0.7', prefixLen } })),
  fc.constantFrom('x', 'y').map((exact) => ({ header: { name: 'user', stringMatch: { exact } } })),
);

function tree(leaf: fc.Arbitrary<Node>, and: string, or: string, not: string, list: string): fc.Arbitrary<Node> {
  return fc.letrec<{ node: Node }>((tie) => {
    const children = fc.array(tie('node'), { minLength: 1, maxLength: 3 });
    return {
      node: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        leaf,
        children.map((items) => ({ [and]: { [list]: items } })),
        children.map((items) => ({ [or]: { [list]: items } })),
        tie('node').map((item) => ({ [not]: item })),
      ),
    };
  }).node;
}

const permission = tree(leafPermission, 'andRules', 'orRules', 'notRule', 'rules');
const principal = tree(leafPrincipal, 'andIds', 'orIds', 'notId', 'ids');
const policies = fc.dictionary(
  fc.constantFrom('p1', 'p2', 'p3'),
  fc.record({
    permissions: fc.array(permission, { minLength: 1, maxLength: 2 }),
    principals: fc.array(principal, { minLength: 1, maxLength: 2 }),
  }),
);
const request: fc.Arbitrary<FilterRequestChanges> = fc.record({
  path: fc.constantFrom('/a', '/a?x', '/a/b', '/c', '/d'),
  method: fc.constantFrom('GET', 'POST'),
  destinationPort: fc.constantFrom(80, 443, 9080),
  peerPrincipal: fc.constantFrom(undefined, 'spiffe://a', 'spiffe://b'),
  sourceIp: fc.constantFrom('10.0.0.7', '10.9.9.9', '192.168.0.1'),
  headers: fc.constantFrom<Record<string, string>>({}, { user: 'x' }, { user: 'y' }),
});

/** The meaning of each node, written down a second time, as plainly as possible. */
function holds(node: Node, asked: FilterRequestChanges): boolean {
  const [[kind, value] = ['', null]] = Object.entries(node);
  const items = (key: string) => (value as Record<string, Node[]>)[key] ?? [];
  const plain = (asked.path ?? '').split('?')[0] ?? '';
  switch (kind) {
    case 'any':
      return true;
    case 'andRules':
      return items('rules').every((item) => holds(item, asked));
    case 'orRules':
      return items('rules').some((item) => holds(item, asked));
    case 'andIds':
      return items('ids').every((item) => holds(item, asked));
    case 'orIds':
      return items('ids').some((item) => holds(item, asked));
    case 'notRule':
    case 'notId':
      return !holds(value as Node, asked);
    case 'urlPath': {
      const { exact, prefix } = (value as { path: { exact?: string; prefix?: string } }).path;
      return exact === undefined ? plain.startsWith(prefix ?? '') : plain === exact;
    }
    case 'header': {
      const { name, stringMatch } = value as { name: string; stringMatch: { exact: string } };
      return (name === ':method' ? asked.method : asked.headers?.[name]) === stringMatch.exact;
    }
    case 'destinationPort':
      return asked.destinationPort === value;
    case 'destinationPortRange': {
      const { start, end } = value as { start: number; end: number };
      return (asked.destinationPort ?? 0) >= start && (asked.destinationPort ?? 0) < end;
    }
    case 'authenticated': {
      const name = (value as { principalName?: { exact: string } }).principalName?.exact;
      return asked.peerPrincipal !== undefined && (name === undefined || asked.peerPrincipal === name);
    }
    case 'directRemoteIp':
      return (value as { prefixLen: number }).prefixLen === 32
        ? asked.sourceIp === '10.0.0.7'
        : (asked.sourceIp ?? '').startsWith('10.');
    default:
      throw new Error(`no meaning for ${kind}`);
  }
}

test('every tree of rules decides as its plain meaning says, for ALLOW and DENY', () => {
  fc.assert(
    fc.property(fc.constantFrom('ALLOW', 'DENY'), policies, request, (action, named, asked) => {
      const engine = compileRbac(fromJson(RBACSchema, { action, policies: named as JsonValue }), PIPELINE_SOURCES);
      const first = Object.keys(named)
        .sort()
        .find((name) => {
          const { permissions, principals } = named[name] ?? { permissions: [], principals: [] };
          return permissions.some((one) => holds(one, asked)) && principals.some((one) => holds(one, asked));
        });
      expect(engine.decide(filterRequest(asked))).toEqual({
        allowed: (first !== undefined) === (action === 'ALLOW'),
        policy: first,
      });
    }),
    { numRuns: 500 },
  );
});
