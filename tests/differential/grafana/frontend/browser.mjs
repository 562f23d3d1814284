// The little of a browser that Grafana's packages touch when they are loaded.
globalThis.window = globalThis;
globalThis.location = new URL('http://grafana.example/');
globalThis.addEventListener = () => {};
const store = new Map();
globalThis.localStorage = {
  getItem: (key) => store.get(key) ?? null, setItem: (key, value) => store.set(key, value), removeItem: (key) => store.delete(key),
};
globalThis.grafanaBootData = { settings: { featureToggles: {} }, user: { orgId: 1 } };
