/** The fences between the rooms, and which room may use which vendor. `test/unit/fences.test.ts` plants imports to prove them. */
const rooms = ['authenticate', 'authorize', 'limit', 'prepare', 'sign', 'send'];

const vendor = (name, packages, allowedIn) => ({
  name,
  severity: 'error',
  comment: `${packages.join(', ')} may be imported only by ${allowedIn}`,
  from: { path: '^src/', pathNot: allowedIn },
  to: { path: packages.map((one) => `node_modules/${one}/`) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'core-imports-nothing',
      severity: 'error',
      comment: 'core holds the words all rooms share; it depends on none of them and on no package',
      from: { path: '^src/core/' },
      to: { path: ['^src/(?!core/)', 'node_modules/'] },
    },
    ...rooms.map((room) => ({
      name: `${room}-keeps-to-itself`,
      severity: 'error',
      comment:
        'a room of the request path imports core, types of the configuration, and itself; gateway.ts wires',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${room}|core|config/schema)/` },
    })),
    {
      name: 'the-http-client-knows-nothing-above-it',
      severity: 'error',
      comment: 'what speaks HTTP to upstreams knows core and itself, not what it is used for',
      from: { path: '^src/send/http/' },
      to: { path: '^src/', pathNot: '^src/(send/http|core)/' },
    },
    {
      name: 'rooms-take-types-from-config',
      severity: 'error',
      comment: 'what a room needs of the configuration are its types',
      from: { path: `^src/(${rooms.join('|')})/` },
      to: { path: '^src/config/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'listen-and-observe-keep-to-themselves',
      severity: 'error',
      from: { path: '^src/(listen|observe)/' },
      to: { path: '^src/', pathNot: '^src/(core|config/schema|$1)/' },
    },
    {
      name: 'config-knows-no-room',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: '^src/(config|core)/' },
    },
    {
      name: 'dev-stays-out',
      severity: 'error',
      comment: 'the local stand-ins are for the dev command alone',
      from: { path: '^src/', pathNot: '^src/(dev/|cli/dev\\.ts$)' },
      to: { path: '^src/dev/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'production-needs-no-development-packages',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/dev/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    vendor('express-answers-for-us', ['express'], '^src/observe/'),
    vendor('helmet-answers-for-us', ['helmet'], '^src/(listen|observe)/'),
    vendor('jose-verifies', ['jose'], '^src/authenticate/'),
    vendor('lru-cache-remembers', ['lru-cache'], '^src/(authenticate|limit|sign)/'),
    vendor('redis-counts', ['ioredis', 'rate-limiter-flexible'], '^src/limit/'),
    {
      name: 'redis-is-loaded-on-demand',
      severity: 'error',
      comment: 'who counts in memory does without the packages for Redis',
      from: { path: '^src/' },
      to: {
        path: ['node_modules/ioredis/', 'node_modules/rate-limiter-flexible/'],
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    vendor('opentelemetry-traces', ['@opentelemetry'], '^src/observe/tracing/'),
    {
      name: 'tracing-is-loaded-on-demand',
      severity: 'error',
      comment: 'who does not trace does without OpenTelemetry',
      from: { path: '^src/', pathNot: '^src/observe/tracing/' },
      to: { path: '^src/observe/tracing/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    vendor('forwarding-libraries-send', ['http-proxy-middleware', 'httpxy'], '^src/send/'),
    vendor('prom-client-observes', ['prom-client'], '^src/observe/'),
    vendor('aws-clients-sign', ['@aws-sdk', '@smithy'], '^src/(sign|dev)/'),
    vendor('yaml-configures', ['yaml', 'zod'], '^src/(config|dev)/'),
    vendor('commander-commands', ['commander'], '^src/cli/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'], conditionNames: ['import', 'node', 'default'] },
    parser: 'swc',
  },
};
