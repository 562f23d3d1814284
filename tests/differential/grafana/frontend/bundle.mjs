// Bundles ask.mjs with Grafana's packages for Node; widgets, which need a browser, are left empty.
import { build } from 'esbuild';

const WIDGETS = /^(@grafana\/(ui|plugin-ui|assistant|i18n)|monaco-.*|react-select|react-window|react-use|react-highlight-words|@hello-pangea\/dnd|@floating-ui\/.*|@emotion\/.*|ol)(\/|$)/;

/** A module that has every name, each of them anything: what esbuild copies, it copies by prototype. */
const EMPTY = `
  const anything = new Proxy(function () {}, {
    get: (_, name) => (name === '__esModule' || name === 'then' ? undefined : name === Symbol.toPrimitive ? () => '' : anything),
    getPrototypeOf: () => anything, apply: () => anything, construct: () => anything,
  });
  module.exports = anything;`;

const widgets = {
  name: 'widgets',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: WIDGETS }, ({ path }) => ({ path, namespace: 'widget' }));
    onLoad({ filter: /.*/, namespace: 'widget' }, () => ({ contents: EMPTY }));
  },
};

await build({
  entryPoints: ['ask.mjs'], outfile: process.argv[2], bundle: true, platform: 'node', format: 'cjs',
  plugins: [widgets], loader: { '.css': 'empty', '.svg': 'empty', '.png': 'empty' }, logLevel: 'error',
});
