// The house's rules as machine-checked facts (docs: ARCHITECTURE.md, "Rules"). Run by `npm run check` and by test/architecture.
const core = (...rooms) => `^packages/core/src/(${rooms.join('|')})/`;

/** Third-party libraries and the only folders that may import them. */
const homes = {
  undici: ['^packages/core/src/transport/'],
  '@grpc/grpc-js': [
    '^packages/core/src/feed/',
    '^packages/core/src/identity/providers/ca-client\\.ts$',
    '^packages/feed/src/',
    '^packages/grpc/src/',
    '^packages/cli/src/',
  ],
  '@bufbuild/protobuf': ['^packages/xds/src/'],
  '@opentelemetry/api': ['^packages/core/src/telemetry/'],
  re2js: ['^packages/core/src/matching/'],
  yaml: ['^packages/config/src/load/'],
  ajv: ['^packages/config/src/schema/', '^packages/config/schema-recipe/'],
  '@peculiar/x509': ['^packages/feed/src/ca/'],
  'reflect-metadata': ['^packages/feed/src/ca/'],
  commander: ['^packages/cli/src/'],
  'fastify-plugin': ['^packages/fastify/src/'],
};

const notTests = '\\.test\\.ts$|/testing/|/fixtures?/|-fixtures?\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: { pathNot: notTests },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'xds-stands-alone',
      severity: 'error',
      from: { path: '^packages/xds/' },
      to: { path: '^packages/(?!xds/)' },
    },
    {
      name: 'config-sees-xds-only',
      severity: 'error',
      from: { path: '^packages/config/' },
      to: { path: '^packages/(?!xds/|config/)' },
    },
    {
      name: 'core-sees-xds-only',
      severity: 'error',
      from: { path: '^packages/core/', pathNot: notTests },
      to: { path: '^packages/(?!xds/|core/)' },
    },
    {
      name: 'feed-sees-config-and-xds',
      severity: 'error',
      from: { path: '^packages/feed/', pathNot: notTests },
      to: { path: '^packages/(?!xds/|config/|feed/)' },
    },
    {
      name: 'adapters-see-core-only',
      severity: 'error',
      from: { path: '^packages/(express|fastify|grpc)/', pathNot: notTests },
      to: { path: '^packages/(xds|config|feed|cli)/' },
    },
    {
      name: 'core-by-its-public-name',
      severity: 'error',
      from: { path: '^packages/(express|fastify|grpc|cli)/', pathNot: notTests },
      to: { path: '^packages/core/src/(?!(index|driver)\\.ts|testing/)' },
    },
    {
      name: 'nothing-imports-an-adapter',
      severity: 'error',
      from: { path: '^packages/(xds|core|config|feed|cli)/', pathNot: notTests },
      to: { path: '^packages/(express|fastify|grpc)/' },
    },
    {
      name: 'policies-do-not-meet',
      comment:
        'filters, balance, identity and telemetry never import each other; only mesh/ wires them (types of a contract are fine)',
      severity: 'error',
      from: { path: core('filters', 'balance', 'identity', 'telemetry'), pathNot: notTests },
      to: {
        path: core('filters', 'balance', 'identity', 'telemetry'),
        pathNot: '^packages/core/src/$1/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-mesh-sees-everything',
      severity: 'error',
      from: {
        path: '^packages/core/src/',
        pathNot: `^packages/core/src/(mesh/|index\\.ts|driver\\.ts|mesh-extension\\.ts|testing/)|${notTests}`,
      },
      to: { path: '^packages/core/src/mesh/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'streams-know-no-resource-type',
      severity: 'error',
      from: { path: '^packages/core/src/feed/[a-z]+-stream\\.ts$' },
      to: { path: '^packages/core/src/snapshot/' },
    },
    ...Object.entries(homes).map(([library, folders]) => ({
      name: `home-of-${library.replace(/[^a-z0-9]/g, '-')}`,
      severity: 'error',
      from: { path: '^packages/', pathNot: [...folders, notTests, '/gen/'].join('|') },
      to: { path: `^node_modules/${library}/`, dependencyTypesNot: ['type-only'] },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/|/gen/|^packages/xds/bundle/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.cruise.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
