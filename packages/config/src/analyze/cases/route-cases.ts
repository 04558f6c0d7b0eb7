// Cases of routes and of what they refer to.
import type { AnalysisCase } from './analysis-case.js';
import { reviews, virtualServiceYaml } from './analysis-case.js';

const subsets = `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
`;
const to = (weights: readonly number[]) =>
  '- route:\n' +
  weights.map((weight, at) => `  - {destination: {host: reviews, subset: v${at + 1}}, weight: ${weight}}`).join('\n');
const all = (rules: string) => virtualServiceYaml(rules) + subsets + reviews;
const plain = 'route: [{destination: {host: reviews}}]';
const name = 'VirtualService default/reviews';

export const routeCases: readonly AnalysisCase[] = [
  { title: 'a sound canary', yaml: all(to([90, 10])), finds: [] },
  { title: 'weights that add up to nothing', yaml: all(to([0, 0])), finds: [`zero-weights ${name} 7`] },
  { title: 'a negative weight', yaml: all(to([110, -10])), finds: [`negative-weight ${name} 9`] },
  { title: 'weights of nearly 100', yaml: all(to([95, 15])), finds: [`weights-not-100 ${name} 7`] },
  { title: 'shares that are not meant as percent', yaml: all(to([2, 1])), finds: [] },
  {
    title: 'a rule behind the one for everything',
    yaml: all(`- ${plain}\n- ${plain}`),
    finds: [`unreachable-route ${name} 8`],
  },
  {
    title: 'a match that an earlier prefix takes',
    yaml: all(
      `- match: [{uri: {prefix: /a}}]\n  ${plain}\n- match:\n  - uri: {exact: /a/b}\n  - uri: {exact: /c}\n  ${plain}`,
    ),
    finds: [`ineffective-match ${name} 10`],
  },
  {
    title: 'a narrower header match before a wider one',
    yaml: all(
      `- match: [{uri: {prefix: /a}, headers: {end-user: {exact: jason}}}]\n  ${plain}\n- match: [{uri: {prefix: /a}}]\n  ${plain}`,
    ),
    finds: [],
  },
  { title: 'a rule that does nothing', yaml: all('- timeout: 10s'), finds: [`route-without-action ${name} 7`] },
  {
    title: 'a rule that redirects and routes',
    yaml: all(`- ${plain}\n  redirect: {uri: /a}`),
    finds: [`conflicting-actions ${name} 7`],
  },
  {
    title: 'a look-ahead',
    yaml: all(`- match: [{uri: {regex: "/(?=a)"}}]\n  ${plain}`),
    finds: [`bad-regex ${name} 7`],
  },
  {
    title: 'two VirtualServices for one host',
    yaml: all(`- ${plain}`) + '---\n' + virtualServiceYaml(`- ${plain}`, 'other'),
    finds: [`conflicting-hosts ${name} 5`, 'conflicting-hosts VirtualService default/other 38'],
  },
  {
    title: 'a misspelt host',
    yaml: all('- route: [{destination: {host: reveiws}}]'),
    finds: [`unknown-host ${name} 7`],
    suggests: 'did you mean `reviews`?',
  },
  {
    title: 'a host of another namespace by its short name',
    yaml: all(`- ${plain}`).replace('{name: reviews}', '{name: reviews, namespace: prod}'),
    finds: ['unknown-host VirtualService prod/reviews 7'],
    suggests: 'did you mean `reviews.default.svc.cluster.local`?',
  },
  {
    title: 'a host with its namespace only',
    yaml: all('- route: [{destination: {host: reviews.default}}]'),
    finds: [`unknown-host ${name} 7`],
    suggests: 'did you mean `reviews.default.svc.cluster.local`?',
  },
  {
    title: 'a misspelt subset',
    yaml: all('- route: [{destination: {host: reviews, subset: canray}}]').replace(
      'name: v2, labels',
      'name: canary, labels',
    ),
    finds: [`unknown-subset ${name} 7`],
    suggests: 'did you mean `canary`?',
  },
  {
    title: 'a mirror to nowhere',
    yaml: all(`- ${plain}\n  mirror: {host: nobody}`),
    finds: [`unknown-host ${name} 8`],
  },
  {
    title: 'a port that the service lacks',
    yaml: all('- route: [{destination: {host: reviews, port: {number: 80}}}]'),
    finds: [`unknown-port ${name} 7`],
  },
  {
    title: 'a port that has to be chosen',
    yaml: all(`- ${plain}`).replace(
      '[{name: http, port: 9080}]',
      '[{name: http, port: 9080}, {name: http-b, port: 81}]',
    ),
    finds: [`port-needed ${name} 7`],
  },
  {
    title: 'a rule for a host that does not exist',
    yaml: subsets.replace('host: reviews', 'host: reviws') + reviews,
    finds: ['unknown-rule-host DestinationRule default/reviews 6'],
    suggests: 'did you mean `reviews`?',
  },
  {
    title: 'a subset that no workload is in',
    yaml: subsets.replace('version: v2', 'version: v9') + reviews,
    finds: ['subset-without-workloads DestinationRule default/reviews 9'],
  },
  {
    title: 'two subsets of one name',
    yaml: subsets.replace('name: v2', 'name: v1') + reviews,
    finds: ['duplicate-subset DestinationRule default/reviews 9'],
  },
  {
    title: 'gateways that are missing or serve other hosts',
    yaml:
      all(`- ${plain}`).replace('  http:', '  gateways: [lost, edge]\n  http:') +
      '---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge}\nspec:\n  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]\n',
    finds: [`unknown-gateway ${name} 6`, `host-not-in-gateway ${name} 6`],
  },
  {
    title: 'backends of an HTTPRoute',
    yaml: `${reviews}apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: reviews}
spec:
  parentRefs: [{kind: Service, group: "", name: reviews, port: 9080}]
  rules:
  - backendRefs:
    - {name: review, port: 9080}
    - {name: reviews, port: 80}
`,
    finds: ['unknown-backend HTTPRoute default/reviews 23', 'unknown-port HTTPRoute default/reviews 24'],
    suggests: 'did you mean `reviews`?',
  },
  {
    title: 'a deprecated field',
    yaml: all(`- ${plain}\n  fault: {delay: {percent: 10, fixedDelay: 5s}}`),
    finds: [`deprecated-field ${name} 8`],
  },
];
