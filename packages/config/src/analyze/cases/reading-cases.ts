// Cases of what reading and the schemas find.
import type { AnalysisCase } from './analysis-case.js';
import { virtualServiceYaml } from './analysis-case.js';

const route = '- route: [{destination: {host: reviews.example.com}}]';
const entry = `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: example}
spec:
  hosts: [reviews.example.com]
  ports: [{name: http, number: 80, protocol: HTTP}]
  resolution: DNS
`;
const document = (extra: string) => virtualServiceYaml(`${route}\n${extra}`) + entry;

export const readingCases: readonly AnalysisCase[] = [
  { title: 'text that is no YAML', yaml: 'apiVersion: v1\nkind: [Service\n', finds: ['yaml-syntax - 3'] },
  {
    title: 'the broken document does not hide the sound one',
    yaml: `a: b: c\n---\n${document('  timeout: 10')}`,
    finds: ['yaml-syntax - 1', 'bad-duration VirtualService default/reviews 10'],
  },
  { title: 'a key that is given twice', yaml: document('  timeout: 10s\n  timeout: 5s'), finds: ['duplicate-key - 9'] },
  { title: 'an alias without anchor', yaml: 'apiVersion: v1\nkind: *nobody\n', finds: ['yaml-syntax - 2'] },
  { title: 'a key that is a map', yaml: 'apiVersion: v1\nkind: Service\n{a: b}: c\n', finds: ['bad-key - 3'] },
  {
    title: 'a Helm template',
    yaml: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n',
    finds: ['templated-file - 4'],
    suggests: 'render it first',
  },
  { title: 'a document that is text', yaml: 'just text\n', finds: ['foreign-document - 1'] },
  {
    title: 'an object without kind',
    yaml: '# lost\napiVersion: v1\nmetadata: {name: a}\n',
    finds: ['not-an-object - 2'],
  },
  {
    title: 'a kind that has nothing to do with a mesh',
    yaml: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
    finds: ['unread-kind ConfigMap default/a 2'],
  },
  {
    title: 'a misspelt kind',
    yaml: 'apiVersion: networking.istio.io/v1\nkind: VirtualSevrice\nmetadata: {name: a}\n',
    finds: ['unknown-kind VirtualSevrice default/a 2'],
    suggests: 'did you mean `VirtualService`?',
  },
  {
    title: 'a kind in the wrong group',
    yaml: 'apiVersion: v1\nkind: VirtualService\nmetadata: {name: a}\n',
    finds: ['unknown-kind VirtualService default/a 2'],
    suggests: 'did you mean apiVersion `networking.istio.io/v1`?',
  },
  {
    title: 'a version that never was',
    yaml: document('').replace('networking.istio.io/v1', 'networking.istio.io/v1beta2'),
    finds: ['unknown-version VirtualService default/reviews 1'],
    suggests: 'write `apiVersion: networking.istio.io/v1`',
  },
  {
    title: 'a version that clusters no longer serve',
    yaml: 'apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {name: a}\nspec:\n  rules: [{backendRefs: [{group: x.io, kind: Y, name: z}]}]\n',
    finds: ['retired-version TCPRoute default/a 1', 'unsupported-kind TCPRoute default/a 2'],
  },
  {
    title: 'one name given to two objects',
    yaml: document('') + '---\n' + virtualServiceYaml(route),
    finds: ['duplicate-object VirtualService default/reviews 18'],
  },
  {
    title: 'unknown fields at every level',
    yaml: document('  timout: 10s\n  retries: {attempt: 2}')
      .replace('  hosts:', '  host: a\n  hosts:')
      .replace('metadata: {', 'metadata: {lables: {}, '),
    finds: [
      'unknown-field VirtualService default/reviews 3',
      'unknown-field VirtualService default/reviews 5',
      'unknown-field VirtualService default/reviews 9',
      'unknown-field VirtualService default/reviews 10',
    ],
    suggests: 'did you mean `labels`?',
  },
  {
    title: 'an unknown field beside spec',
    yaml: document('').replace('spec:', 'stauts: {}\nspec:'),
    finds: ['unknown-field VirtualService default/reviews 4'],
  },
  {
    title: 'a number where text has to be',
    yaml: document('  name: 1'),
    finds: ['wrong-type VirtualService default/reviews 8'],
    suggests: 'put it in quotes: "1"',
  },
  {
    title: 'a required field that is missing',
    yaml: document('').replace('{host: reviews.example.com}', '{subset: v1}'),
    finds: ['missing-field VirtualService default/reviews 7'],
  },
  {
    title: 'a word that is no choice',
    yaml: 'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a}\nspec:\n  mtls:\n    mode: STRCIT\n',
    finds: ['not-a-choice PeerAuthentication default/a 6'],
    suggests: 'did you mean `STRICT`?',
  },
  {
    title: 'a duration without unit',
    yaml: document('  timeout: 10'),
    finds: ['bad-duration VirtualService default/reviews 8'],
    suggests: 'write `10s` for seconds',
  },
  {
    title: 'a duration that is no duration',
    yaml: document('  timeout: 10 s'),
    finds: ['bad-duration VirtualService default/reviews 8'],
  },
  {
    title: 'a slip in one field does not hide the others',
    yaml: document('  timeout: 10 s\n  retires: {}\n  mirror: {host: nobody}'),
    finds: [
      'bad-duration VirtualService default/reviews 8',
      'unknown-field VirtualService default/reviews 9',
      'unknown-host VirtualService default/reviews 10',
    ],
  },
  {
    title: 'a duration of nothing',
    yaml: document('  timeout: 0s'),
    finds: ['bad-duration VirtualService default/reviews 8'],
  },
  {
    title: 'a port beyond all ports',
    yaml: document('').replace('number: 80', 'number: 80000'),
    finds: ['out-of-range ServiceEntry default/example 15'],
  },
  {
    title: 'a value of the wrong form',
    yaml: 'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec:\n  hostnames: [UPPER.example.com]\n',
    finds: ['bad-pattern HTTPRoute default/a 5'],
  },
  {
    title: 'a list that may not be empty',
    yaml: document('').replace('hosts: [reviews.example.com]', 'hosts: []'),
    finds: ['unknown-host VirtualService default/reviews 7', 'bad-length ServiceEntry default/example 14'],
  },
  {
    title: 'two fields that exclude each other',
    yaml: document('  match: [{uri: {exact: /a, prefix: /a}}]'),
    finds: ['only-one-of VirtualService default/reviews 8'],
  },
  {
    title: 'a rule of the CRD that is written in CEL',
    yaml: document('').replace('resolution: DNS', 'resolution: NONE\n  endpoints: [{address: 10.0.0.1}]'),
    finds: ['bad-value ServiceEntry default/example 17'],
  },
  {
    title: 'a name that Kubernetes refuses',
    yaml: document('').replace('{name: example}', '{name: Example_1}'),
    finds: ['bad-name ServiceEntry default/Example_1 12'],
  },
];
