// Does with Grafana's Prometheus data source what its users do, and prints what they would see.
// node ask.cjs SERVER FROM_MS TO_MS [DOING...]
import './browser.mjs';
import { PrometheusDatasource } from '@grafana/prometheus';
import { dateTime } from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import { connect } from './grafana.mjs';

const [, , server, begin, end, ...wanted] = process.argv;
const range = { from: dateTime(Number(begin)), to: dateTime(Number(end)) };
range.raw = range;
console.log = console.warn = console.error = () => {};

function source(method, more) {
  return new PrometheusDatasource({
    id: 1, uid: method, type: 'prometheus', name: 'qvmon', url: '', access: 'proxy', meta: { id: 'prometheus' },
    jsonData: { httpMethod: method, ...more },
  });
}

function shown({ fields, length, name, refId, meta }) {
  const { type, custom, notices, executedQueryString } = meta ?? {};
  return {
    name, refId, length, type, resultType: custom?.resultType, notices, executedQueryString,
    fields: fields.map(({ name, type, labels, config, values }) => ({
      name, type, labels, title: config?.displayNameFromDS, interval: config?.interval, values: Array.from(values, written),
    })),
  };
}

/** A value as JSON can hold it. */
function written(value) {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

async function panel(data, target) {
  const request = {
    requestId: 'Q1', panelId: 1, dashboardUID: 'd', app: 'dashboard', timezone: 'utc', range, rangeRaw: range, intervalMs: 15000,
    interval: '15s', maxDataPoints: 500, scopedVars: {}, targets: [{ refId: 'A', datasource: undefined, ...target }],
  };
  const { data: frames, error, state } = await lastValueFrom(data.query(request));
  return { frames: frames.map(shown), error: error && { message: error.message, status: error.status }, state, raw: frames };
}

const seen = async (...asked) => {
  const { raw: _, ...answer } = await panel(...asked);
  return answer;
};

/** What users do: a name, and how a data source does it. Which values a limit leaves is nobody's promise. */
const DOINGS = {
  'save and test': (data) => data.callHealthCheck(),
  open: async (data) => {
    await Promise.all([data.init(), data.loadRules()]);
    return [data.exemplarsAvailable, data.ruleMappings];
  },
  'open the editor': async ({ languageProvider: told }) => {
    await told.start(range);
    return [told.retrieveMetrics(), told.retrieveLabelKeys(), told.retrieveHistogramMetrics(), told.retrieveMetricsMetadata()];
  },
  'labels of a metric': ({ languageProvider: told }) => told.queryLabelKeys(range, '{__name__="requests_total"}'),
  'values of a label': ({ languageProvider: told }) => told.queryLabelValues(range, 'job', '{__name__="requests_total"}'),
  'values of a dotted label': ({ languageProvider: told }) => told.queryLabelValues(range, 'a.b'),
  'how many of few values': async ({ languageProvider: told }) => (await told.queryLabelValues(range, 'job', undefined, 1)).length,
  'names of metrics that match': ({ languageProvider: told }) => told.queryLabelValues(range, '__name__', '{job=~"a.*"}'),
  'variable: label_names()': (data) => data.metricFindQuery('label_names()', { range }),
  'variable: label_names(match)': (data) => data.metricFindQuery('label_names(requests)', { range }),
  'variable: label_values(label)': (data) => data.metricFindQuery('label_values(instance)', { range }),
  'variable: label_values(metric, label)': (data) => data.metricFindQuery('label_values(requests_total{job="api"}, code)', { range }),
  'variable: metrics(match)': (data) => data.metricFindQuery('metrics(.*_total)', { range }),
  'variable: query_result(vector)': (data) => data.metricFindQuery('query_result(sort(count by (job) (requests_total)))', { range }),
  'variable: query_result(scalar)': (data) => data.metricFindQuery('query_result(scalar(vector(7)))', { range }),
  'variable: series': (data) => data.metricFindQuery('requests_total{job="db"}', { range }),
  'filters: keys': (data) => data.getTagKeys({ filters: [], timeRange: range, queries: [{ refId: 'A', expr: 'rate(requests_total[1m])' }] }),
  'filters: values': (data) => data.getTagValues({ key: 'job', filters: [{ key: 'code', operator: '=|', value: '200', values: ['200', '500'] }], timeRange: range }),
  'filters: suggestions of scopes': (data) => data.getTagValues({
    key: 'code', filters: [], timeRange: range, queries: [{ refId: 'A', expr: 'sum(rate(requests_total[$__interval]))' }],
    scopes: [{ metadata: { name: 's' }, spec: { filters: [{ key: 'job', value: 'api', operator: 'equals' }] } }],
  }),
  'panel: series': (data) => seen(data, { expr: 'requests_total', range: true }),
  'panel: rate': (data) => seen(data, { expr: 'sum by (job) (rate(requests_total[$__rate_interval]))', range: true, legendFormat: '{{job}}' }),
  'panel: filtered': (data) => seen(data, { expr: 'requests_total', range: true, adhocFilters: [{ key: 'job', operator: 'equals', value: 'db' }] }),
  'panel: table': (data) => seen(data, { expr: 'requests_total', instant: true, range: false, format: 'table' }),
  'panel: heatmap': (data) => seen(data, { expr: 'sum by (le) (rate(latency_bucket[2m]))', range: true, format: 'heatmap', legendFormat: '{{le}}' }),
  'panel: percentile': (data) => seen(data, { expr: 'histogram_quantile(0.9, sum by (le) (latency_bucket))', range: true }),
  'panel: dotted names': (data) => seen(data, { expr: '{"my.dotted.metric"} or {"http.server.duration"}', range: true }),
  'panel: nothing': (data) => seen(data, { expr: 'nothing_here', range: true }),
  'panel: mistake': (data) => seen(data, { expr: 'sum(', range: true }),
  'panel: doubtful': (data) => seen(data, { expr: 'rate(temperature[5m]) + quantile(3, requests_total)', range: true }),
  'panel: wide step': (data) => seen(data, { expr: 'max_over_time(requests_total[$__interval])', range: true, interval: '5m', intervalFactor: 2 }),
  'panel: odd numbers': (data) => seen(data, { expr: 'vector(NaN) or vector(Inf)', range: true }),
  'explore: both': (data) => seen(data, { expr: 'requests_total', instant: true, range: true }),
  'explore: scalar': (data) => seen(data, { expr: 'scalar(count(requests_total)) * 2', instant: true, range: false }),
  'explore: string': (data) => seen(data, { expr: '"hello"', instant: true, range: false }),
  'explore: samples': (data) => seen(data, { expr: 'requests_total{job="api"}[2m]', instant: true, range: false }),
  'explore: exemplars': (data) => seen(data, { expr: 'demo_requests_total', range: true, exemplar: true }),
  annotations: async (data) => {
    const { raw } = await panel(data, { expr: 'requests_total > 0', range: true, refId: 'Anno', interval: '60s' });
    const events = data.annotations.processEvents({ titleFormat: '{{job}}', tagKeys: 'job' }, raw);
    return raw.length ? lastValueFrom(events) : [];
  },
  hints: async (data) => {
    const { raw } = await panel(data, { expr: 'latency_bucket', range: true });
    return data.getQueryHints({ refId: 'A', expr: 'latency_bucket' }, raw);
  },
};

const SEARCHES = {
  'search: open the editor': DOINGS['open the editor'],
  'search: metrics by a word': ({ languageProvider: told }) => told.resourceClient.searchMetricNames(range, 'request', { includeMetadata: true }),
  'search: metrics by a wrong word': ({ languageProvider: told }) => told.resourceClient.searchMetricNames(range, 'reqeusts_totl'),
  'search: few metrics': ({ languageProvider: told }) => told.resourceClient.searchMetricNames(range, 'o', { limit: 3 }),
  'search: labels': ({ languageProvider: told }) => told.resourceClient.searchLabelNames(range, 'inst'),
  'search: values': ({ languageProvider: told }) => told.resourceClient.searchLabelValues(range, 'job', 'a', { match: '{__name__="requests_total"}' }),
  'search: still there': ({ languageProvider: told }) => Promise.resolve(told.resourceClient.isAvailable()),
};

/** How a data source can be set: today's way, the way for old servers, and with the search API. */
const VISITS = [['', DOINGS, {}], ['by series, ', DOINGS, { seriesEndpoint: true }], ['', SEARCHES, { enableSearchApi: true }]];

async function told(doing, data) {
  try {
    return await doing(data);
  } catch (error) {
    return { failed: String(error?.message ?? error?.data?.error ?? error), status: error?.status };
  }
}

async function main() {
  const answers = {};
  connect(server);
  for (const method of ['POST', 'GET']) {
    for (const [kind, doings, settings] of VISITS) {
      const data = source(method, settings);
      for (const [name, doing] of Object.entries(doings)) {
        if (wanted.length === 0 || wanted.includes(name)) {
          answers[`${method}, ${kind}${name}`] = await told(doing, data);
        }
      }
    }
  }
  process.stdout.write(JSON.stringify(answers));
}

main();
