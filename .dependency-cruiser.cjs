/**
 * The layers, as rules. Arrows point at what a file may import; type imports count.
 *
 *   decorators -> aspect -> manager -> cache <- { backends, codecs }
 *   express -> { http, injection, manager, cache }; http stands on the foundation alone
 *
 * `scripts/check-layers.mjs` runs them, and proves on `spec/fixtures/layering-bad` that each one can fail.
 */
const { join } = require('node:path');

/** Errors, options, durations and the clock: what every layer may use. */
const FOUNDATION = '^src/(?:errors|options|duration|clock|load-peer)\\.ts$';

/** The adapters that the core entry names itself, because they need nothing but Node. */
const EMBEDDED =
  '^src/(?:backends/(?:memory/|tiered/|null-backend\\.ts$)|codecs/(?:json|gzip|brotli|zstd|value-model|default-framer|from-serializer)[a-z-]*\\.ts$)';

/** Which layers a layer may import besides itself and the foundation. */
const ARROWS = {
  cache: [],
  backends: ['^src/cache/'],
  codecs: ['^src/cache/'],
  manager: ['^src/cache/', EMBEDDED],
  aspect: ['^src/cache/', '^src/manager/'],
  decorators: ['^src/cache/', '^src/manager/', '^src/aspect/'],
  injection: ['^src/cache/', '^src/manager/', EMBEDDED],
  config: ['^src/cache/', '^src/manager/', '^src/injection/'],
  testing: ['^src/cache/'],
  http: [],
  express: ['^src/http/', '^src/cache/', '^src/manager/', '^src/injection/'],
};

/** Where each optional peer may be named: statically, dynamically or as a type. */
const OPTIONAL_PEERS = {
  ioredis: '^src/backends/redis/',
  msgpackr: '^src/codecs/msgpack[a-z-]*\\.ts$',
  'lz4-napi': '^src/codecs/lz4[a-z-]*\\.ts$',
  'class-validator': '^src/config/|^src/[a-z]+/[a-z-]*model[a-z-]*\\.ts$',
  'class-transformer': '^src/config/|^src/[a-z]+/[a-z-]*model[a-z-]*\\.ts$',
};

const anyOf = (names) => names.join('|');
const inPackages = (names) => `(?:^|/)node_modules/(?:${anyOf(names)})/`;

const layerRules = Object.entries(ARROWS).map(([layer, lower]) => ({
  name: `${layer}-knows-lower-layers-only`,
  comment: `src/${layer} imports a layer above it, or one beside it.`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: [`^src/${layer}/`, FOUNDATION, ...lower] },
}));

const peerRules = Object.entries(OPTIONAL_PEERS).map(([peer, home]) => ({
  name: `${peer}-stays-in-its-adapter`,
  comment: `The optional peer '${peer}' is named outside its adapter.`,
  severity: 'error',
  from: { path: '^src/', pathNot: home },
  to: { path: inPackages([peer]) },
}));

/** Rules about what is loaded at once; they hold on the graph without dynamic imports. */
const entryRules = [
  {
    name: 'core-entry-loads-no-optional-peer',
    comment: 'Importing the core entry would load an optional peer.',
    severity: 'error',
    from: { path: '^src/index\\.ts$' },
    to: { path: inPackages([...Object.keys(OPTIONAL_PEERS), 'express', 'keyv']), reachable: true },
  },
  {
    name: 'core-entry-loads-no-optional-adapter',
    comment: 'Importing the core entry would load an adapter that has an entry of its own.',
    severity: 'error',
    from: { path: '^src/index\\.ts$' },
    to: {
      path: '^src/(?:backends/redis|config|testing|http|express|keyv|prometheus|opentelemetry|cli)/|^src/codecs/(?:msgpack|lz4)',
      reachable: true,
    },
  },
];

const rules = [
  {
    name: 'no-circular',
    comment: 'Two files that need each other are one file, or hide a third one.',
    severity: 'error',
    from: { path: '^src/' },
    to: { circular: true },
  },
  {
    name: 'no-unresolvable',
    comment: 'The import leads nowhere.',
    severity: 'error',
    from: { path: '^src/' },
    to: { couldNotResolve: true },
  },
  {
    name: 'peers-only',
    comment: 'Published code imports a package that is no peer dependency.',
    severity: 'error',
    from: { path: '^src/' },
    to: {
      path: '(?:^|/)node_modules/',
      pathNot: inPackages([
        'tsyringe',
        'reflect-metadata',
        '@types/node',
        ...Object.keys(OPTIONAL_PEERS),
      ]),
    },
  },
  {
    name: 'errors-and-clock-import-nothing',
    comment: 'The lowest files stand on nothing.',
    severity: 'error',
    from: { path: '^src/(?:errors|clock)\\.ts$' },
    to: { path: '^src/' },
  },
  {
    name: 'foundation-knows-errors-only',
    comment: 'Options and durations need the error classes and nothing else.',
    severity: 'error',
    from: { path: FOUNDATION },
    to: { path: '^src/', pathNot: '^src/errors\\.ts$' },
  },
  {
    name: 'backends-do-not-know-each-other',
    comment: 'A backend imports its sibling.',
    severity: 'error',
    from: { path: '^src/backends/(?!tiered/)([^/]+)/' },
    to: { path: '^src/backends/', pathNot: ['^src/backends/$1/'] },
  },
  {
    name: 'tiers-know-memory-only',
    comment: 'The tiered backend takes any two backends; by name it knows its default first tier.',
    severity: 'error',
    from: { path: '^src/backends/tiered/' },
    to: {
      path: '^src/backends/',
      pathNot: ['^src/backends/tiered/', '^src/backends/memory/memory-backend\\.ts$'],
    },
  },
  {
    name: 'container-at-the-rim',
    comment:
      'Caches, backends and codecs are built by hand as well: only the rim knows the container.',
    severity: 'error',
    from: {
      path: '^src/(?:cache|backends/(?!redis/)|codecs|aspect|decorators|testing)/|' + FOUNDATION,
    },
    to: { path: inPackages(['tsyringe', 'reflect-metadata']) },
  },
  {
    name: 'nobody-imports-an-entry',
    comment: 'An entry is for users; code imports the file that it needs.',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '/index\\.ts$' },
  },
  ...layerRules,
  ...peerRules,
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: process.env.LAYERS_GRAPH === 'static' ? entryRules : rules,
  options: {
    doNotFollow: { path: '(?:^|/)node_modules/' },
    ...(process.env.LAYERS_GRAPH === 'static' ? { exclude: { dynamic: true } } : {}),
    tsPreCompilationDeps: process.env.LAYERS_GRAPH !== 'static',
    tsConfig: { fileName: join(__dirname, 'tsconfig.json') },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
