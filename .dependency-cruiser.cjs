/** The import directions of the design: roles import services, services import leaves, never the other way. */

const roles = '^(src/api|src/batch|src/demo|src/cli|recorder|highlight)/';
const services = '^src/(storage|queue|media|access)/';
const leaves = '^src/(model|protocol)/|^src/(errors|clock|log|lifecycle|config|programs)\\.ts$';

/** A third-party package and the only place that may import it. */
function home(name, place) {
  return {
    name: `home-of-${name}`,
    comment: `${name} has one home: everything else goes through the file that wraps it.`,
    severity: 'error',
    from: { pathNot: place },
    to: { path: `node_modules/${name}/` },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'roles-apart',
      comment: 'Roles are separate processes that meet only through queue, storage and index.',
      severity: 'error',
      from: { path: roles },
      to: {
        path: roles,
        // The same role: the first captured group is its folder.
        pathNot: '^$1/',
      },
    },
    {
      name: 'services-below-roles',
      severity: 'error',
      from: { path: services },
      to: { path: roles },
    },
    {
      name: 'leaves-at-the-bottom',
      severity: 'error',
      from: { path: leaves },
      to: { path: `${services}|${roles}|^src/(web|verify)/` },
    },
    {
      name: 'model-is-pure',
      comment: 'src/model imports nothing but itself.',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { pathNot: '^src/model/' },
    },
    {
      name: 'media-knows-no-recordings',
      severity: 'error',
      from: { path: '^src/media/' },
      to: { path: '^src/(storage|queue|access)/|^src/model/(recording|highlight)\\.ts$' },
    },
    {
      name: 'verify-is-a-stranger',
      comment: 'The independent checker imports nothing of ours.',
      severity: 'error',
      from: { path: '^src/verify/' },
      to: { path: '^(src|recorder|highlight|test)/', pathNot: '^src/verify/' },
    },
    {
      name: 'pages-are-apart',
      comment:
        'Pages are bundled: Node code never imports them, and of ours they import only pure code.',
      severity: 'error',
      from: { path: '^(recorder/(page|classroom)|src/web)/' },
      to: {
        path: '^(src|recorder|highlight)/',
        pathNot:
          '^(recorder/(page|classroom)|src/(web|model|protocol))/|^src/media/avc-level\\.ts$',
      },
    },
    {
      name: 'node-imports-no-page',
      severity: 'error',
      from: {
        path: '^(src|recorder|highlight)/',
        pathNot: '^(recorder/(page|classroom)|src/web)/',
      },
      to: { path: '^(recorder/(page|classroom)|src/web)/' },
    },
    {
      name: 'product-imports-no-test',
      severity: 'error',
      from: { path: '^(src|recorder|highlight)/' },
      to: { path: '^test/' },
    },
    {
      name: 'declared-packages-only',
      severity: 'error',
      from: { path: '^(src|recorder|highlight)/' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'],
        dependencyTypesNot: ['type-only'],
      },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    home('puppeteer(-core)?', '^(recorder/browser|test/support/browser)\\.ts$'),
    home('fluent-ffmpeg', '^src/media/ffmpeg\\.ts$'),
    home('bullmq', '^src/queue/'),
    home('express', '^src/api/'),
    home('compression', '^src/api/'),
    home('ws', '^(recorder|src/demo|test)/'),
    home('pino(-pretty)?', '^src/log\\.ts$'),
    home('(@excalidraw/excalidraw|react|react-dom)', '^recorder/classroom/board/'),
    home('commander', '^(src/(cli|verify)|recorder)/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data|demo-out|\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // 'production' is the only name under which Excalidraw's style sheet is found
      conditionNames: ['import', 'require', 'node', 'production', 'default', 'types'],
      extensions: ['.ts', '.js', '.d.ts'],
    },
  },
};
