// A small stateful stand-in for qvmon's server, for work on the client alone:
//   npm run build && node dev/mock.mjs [port]     (user: admin, password: admin)
// It answers the same paths with the same shapes; nothing of it ships.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const PORT = Number(process.argv[2] ?? 9090);
const ROOT = join(fileURLToPath(new URL('.', import.meta.url)), '..', 'dist');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'";
const START = Date.now();
const PERMISSIONS = ['telemetry:read', 'alerts:read', 'incidents:read', 'incidents:respond', 'incidents:command', 'access:administer'];

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const user = { login: 'admin', roles: ['administrator'], permissions: PERMISSIONS, must_change_password: process.env.MUST_CHANGE === '1' };
const sessions = new Set();
const streams = new Set();
let sequence = 100;

const WORKFLOWS = {
  'trade-execution': ['order-gateway', 'smart-order-router', 'execution-quality'],
  'market-data-ingestion': ['feed-handler', 'normalizer', 'tick-store'],
  'trading-decision': ['signal-engine', 'decision-engine'],
  'portfolio-coordination': ['risk-manager', 'portfolio-manager', 'rebalancer'],
};

function alert(id, rule, state, severity, workflow, service, extra = {}) {
  const labels = { alertname: rule, severity, workflow, service, instance: `127.0.0.1:91${id.length}4`, venue: 'XNAS', ...extra.labels };
  return {
    alert_id: id, rule, group: extra.group ?? 'trading', state, severity, service, workflow, labels,
    annotations: { summary: extra.summary ?? `${rule} on ${service}`, description: 'The 95th percentile of order acknowledgement stayed above its objective. Check the venue session first, then the gateway’s send queue.', runbook_url: 'https://runbooks.example/order-latency' },
    value: extra.value ?? '0.7312', expr: extra.expr ?? 'histogram_quantile(0.95, sum by (workflow, service, le) (rate(qv_request_duration_seconds_bucket[1m]))) > 0.5',
    active_at: ago(extra.active ?? 400), fired_at: state === 'pending' ? null : ago(extra.fired ?? 340), resolved_at: state === 'resolved' ? ago(60) : null, updated_at: ago(100), incident_id: extra.incident ?? null,
  };
}

const alerts = [
  alert('a1', 'OrderAckLatencyHigh', 'firing', 'critical', 'trade-execution', 'order-gateway', { incident: 'i12', summary: 'Order acknowledgement p95 is 731 ms on order-gateway (objective 500 ms)' }),
  alert('a2', 'OrderAckLatencyHigh', 'firing', 'critical', 'trade-execution', 'smart-order-router', { incident: 'i12', summary: 'Order acknowledgement p95 is 655 ms on smart-order-router (objective 500 ms)' }),
  alert('a3', 'OrderRejectRateHigh', 'pending', 'warning', 'trade-execution', 'order-gateway', { active: 20, summary: '4.2% of orders are rejected on order-gateway', expr: 'sum by (workflow, service) (rate(qv_errors_total[1m])) / sum by (workflow, service) (rate(qv_requests_total[1m])) > 0.03', value: '0.0421' }),
  alert('a4', 'HostFilesystemFilling', 'firing', 'warning', '', '', { group: 'host', labels: { device: '/dev/vda1', mountpoint: '/' }, summary: '/ on this host is 91% full', value: '0.91', expr: '1 - node_filesystem_avail_bytes / node_filesystem_size_bytes > 0.9' }),
  alert('a5', 'FeedGap', 'resolved', 'critical', 'market-data-ingestion', 'feed-handler', { summary: 'Sequence gap on XNAS', incident: 'i11' }),
];

const incidents = [
  { incident_id: 'i12', number: 12, title: 'OrderAckLatencyHigh on trade-execution / order-gateway', status: 'open', severity: 'critical', service: 'order-gateway', workflow: 'trade-execution', assignee: '', opened_at: ago(340), acknowledged_at: null, acknowledged_by: '', resolved_at: null, updated_at: ago(50), alert_ids: ['a1', 'a2'], open_alert_ids: ['a1', 'a2'] },
  { incident_id: 'i13', number: 13, title: 'HostFilesystemFilling', status: 'acknowledged', severity: 'warning', service: '', workflow: '', assignee: 'ada', opened_at: ago(5400), acknowledged_at: ago(5000), acknowledged_by: 'ada', resolved_at: null, updated_at: ago(5000), alert_ids: ['a4'], open_alert_ids: ['a4'] },
  { incident_id: 'i11', number: 11, title: 'FeedGap on market-data-ingestion / feed-handler', status: 'resolved', severity: 'critical', service: 'feed-handler', workflow: 'market-data-ingestion', assignee: 'admin', opened_at: ago(9000), acknowledged_at: ago(8900), acknowledged_by: 'admin', resolved_at: ago(8000), updated_at: ago(8000), alert_ids: ['a5'], open_alert_ids: [] },
];

const facts = [];
function fact(type, subject, text, actor = 'service:alerting', seconds = 0, body = {}) {
  const one = { id: `main:${++sequence}`, at: ago(seconds), recorded_at: ago(seconds), type, subject, actor, text, body };
  facts.push(one);
  for (const stream of streams) stream.write(`id: ${one.id}\nevent: fact\ndata: ${JSON.stringify(one)}\n\n`);
  return one;
}
fact('alert.pending', 'alert/a1', 'OrderAckLatencyHigh (order-gateway) is pending: the value is 0.61', 'rule:trading/OrderAckLatencyHigh', 400);
fact('alert.firing', 'alert/a1', 'OrderAckLatencyHigh (order-gateway) is firing: p95 is 731 ms', 'rule:trading/OrderAckLatencyHigh', 340, { event_ms: Date.now() - 340_450, ingested_us: (Date.now() - 340_400) * 1000, decided_us: (Date.now() - 340_100) * 1000 });
fact('incident.opened', 'incident/i12', 'incident 12 opened (critical): OrderAckLatencyHigh on trade-execution / order-gateway', 'service:incidents', 339);
fact('delivery.succeeded', 'delivery/d1', 'webhook:oncall took delivery at attempt 1', 'service:distribution', 338);
fact('alert.firing', 'alert/a2', 'OrderAckLatencyHigh (smart-order-router) is firing: p95 is 655 ms', 'rule:trading/OrderAckLatencyHigh', 300);
fact('incident.alert_attached', 'incident/i12', 'alert OrderAckLatencyHigh (critical) belongs to the incident', 'service:incidents', 299);
fact('delivery.failed', 'delivery/d2', 'smtp:desk refused delivery at attempt 1: connection refused', 'service:distribution', 290);
fact('incident.commented', 'incident/i12', 'ada: venue session looks fine', 'person:ada', 240, { text: 'XNAS session looks fine from here: heartbeats are on time.\nLooking at the send queue of the gateway next.' });

function overview() {
  const workflows = Object.entries(WORKFLOWS).map(([name, services]) => {
    const rows = services.map((service) => {
      const firing = alerts.filter((one) => one.state === 'firing' && one.service === service);
      const open = incidents.filter((one) => one.status !== 'resolved' && one.service === service);
      const status = firing.length ? 'critical' : service === 'rebalancer' ? 'degraded' : 'healthy';
      const reason = firing.length ? firing[0].annotations.summary : status === 'degraded' ? '1 of 2 instances is down: connection refused' : 'all instances up, nothing fires';
      return { name: service, status, reason, instances: { up: status === 'degraded' ? 1 : 2, total: 2 }, firing: firing.map((one) => ({ alert_id: one.alert_id, rule: one.rule, severity: one.severity, since: one.fired_at })), open_incidents: open };
    });
    const order = ['critical', 'degraded', 'unknown', 'healthy'];
    rows.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
    const bad = rows.filter((row) => row.status !== 'healthy');
    return { name, status: rows[0].status, reason: bad.length ? `${bad.length} of ${rows.length} services need attention` : `${rows.length} services healthy`, services: rows };
  });
  const order = ['critical', 'degraded', 'unknown', 'healthy'];
  workflows.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  return { generated_at: ago(0), status: workflows[0].status, workflows, recent: facts.filter((one) => Date.parse(one.at) > Date.now() - 1_800_000), open_incidents: incidents.filter((one) => one.status !== 'resolved').length, firing_alerts: alerts.filter((one) => one.state === 'firing').length };
}

const SERIES = Object.entries(WORKFLOWS).flatMap(([workflow, services]) => services.map((service) => ({ workflow, service })));
function wave(seed, time, base) {
  return base * (1 + 0.25 * Math.sin(time / 180 + seed) + 0.1 * Math.sin(time / 23 + seed * 7) + 0.05 * Math.sin(time * 1.7 + seed * 3));
}
function valueOf(query, index, time) {
  const bad = SERIES[index].service === 'order-gateway' || SERIES[index].service === 'smart-order-router';
  const fault = bad && time > START / 1000 - 420 ? 4 : 1;
  if (/quantile/.test(query)) return wave(index, time, 0.16) * fault;
  if (/errors/.test(query)) return Math.max(0, wave(index, time, 0.002) * fault * fault);
  return wave(index, time, 120 + index * 31);
}
function promql(path, form) {
  const query = form.get('query') ?? '';
  if (/\($|\{$|[+*/-]\s*$/.test(query.trim()) || query.trim() === '') return [400, { status: 'error', errorType: 'bad_data', error: `invalid parameter "query": 1:${query.length + 1}: parse error: unexpected end of input` }];
  if (/nothing/.test(query)) return [200, { status: 'success', data: { resultType: 'matrix', result: [] } }];
  const shown = SERIES.map((metric, index) => ({ metric: /by \(/.test(query) ? metric : { __name__: 'qv_requests_total', ...metric, instance: `127.0.0.1:${9101 + index}` }, index }));
  if (path.endsWith('/query')) {
    const time = Number(form.get('time') ?? Date.now() / 1000);
    return [200, { status: 'success', data: { resultType: 'vector', result: shown.map(({ metric, index }) => ({ metric, value: [time, String(valueOf(query, index, time))] })) } }];
  }
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
  const result = shown.map(({ metric, index }) => {
    const values = [];
    for (let time = start; time <= end; time += step) values.push([time, String(valueOf(query, index, time))]);
    return { metric, values };
  });
  return [200, { status: 'success', data: { resultType: 'matrix', result } }];
}

const ok = (data) => [200, { status: 'success', data }];
function prometheus(path, form) {
  if (path.endsWith('/query') || path.endsWith('/query_range')) return promql(path, form);
  if (path.endsWith('/rules')) return ok({ groups: [{ name: 'trading', file: 'trading.yml', interval: 15, rules: [{ type: 'alerting', name: 'OrderRejectRateHigh', query: '', duration: 60 }] }] });
  if (path.endsWith('/targets')) return ok({ activeTargets: SERIES.map((metric, index) => ({ discoveredLabels: {}, labels: { ...metric, instance: `127.0.0.1:${9101 + index}`, job: 'qvsim' }, scrapePool: index < 8 ? 'qvsim' : 'node', scrapeUrl: `http://127.0.0.1:${9101 + index}/metrics`, lastError: index === 9 ? 'connection refused' : '', lastScrape: ago(3), lastScrapeDuration: 0.004, health: index === 9 ? 'down' : 'up', scrapeInterval: '5s', scrapeTimeout: '5s' })), droppedTargets: [] });
  if (path.endsWith('/metadata')) return ok({ qv_requests_total: [{ type: 'counter', help: 'Requests served.', unit: '' }], qv_request_duration_seconds: [{ type: 'histogram', help: 'Time to serve.', unit: '' }] });
  if (path.endsWith('/labels')) return ok(['__name__', 'instance', 'job', 'service', 'workflow']);
  if (/\/label\/__name__\/values/.test(path)) return ok(['up', 'qv_requests_total', 'qv_errors_total', 'qv_request_duration_seconds_bucket']);
  if (/\/label\/service\/values/.test(path)) return ok(SERIES.map((one) => one.service));
  if (path.endsWith('/series')) return ok(SERIES.map((one) => ({ __name__: 'qv_requests_total', ...one })));
  return [404, { status: 'error', errorType: 'not_found', error: 'not found' }];
}

const failure = (status, kind, message) => [status, { error: { kind, message } }];
const VERBS = {
  acknowledge: (one) => Object.assign(one, { status: 'acknowledged', acknowledged_at: ago(0), acknowledged_by: 'admin' }) && ['acknowledged', 'admin acknowledged'],
  assign: (one, body) => Object.assign(one, { assignee: body.assignee }) && ['assigned', `admin assigned it to ${body.assignee || 'nobody'}`],
  comment: (_one, body) => ['commented', `admin: ${body.text}`],
  severity: (one, body) => Object.assign(one, { severity: body.severity }) && ['severity_changed', `admin changed severity to ${body.severity}`],
  resolve: (one) => Object.assign(one, { status: 'resolved', resolved_at: ago(0) }) && ['resolved', 'admin resolved it'],
  reopen: (one) => Object.assign(one, { status: 'open', resolved_at: null }) && ['reopened', 're-opened by admin'],
};
function incidentRoute(id, rest, method, body) {
  const one = incidents.find((incident) => incident.incident_id === id);
  if (!one) return failure(404, 'not_found', `no incident '${id}'`);
  if (method === 'POST') {
    if (body.text === 'fail') return failure(409, 'conflict', 'the incident changed underneath; look again');
    const [type, text] = VERBS[rest](one, body);
    fact(`incident.${type}`, `incident/${id}`, text, 'person:admin', 0, body);
    return [200, one];
  }
  if (rest === 'timeline') return [200, { entries: facts.filter((entry) => entry.subject === `incident/${id}` || one.alert_ids.includes(entry.subject.slice(6)) || entry.subject.startsWith('delivery/')) }];
  return [200, { ...one, alerts: alerts.filter((entry) => one.alert_ids.includes(entry.alert_id)) }];
}
let tokens = [{ token_id: 't1', name: 'grafana', roles: ['viewer'], created_at: ago(86_400), expires_at: ago(-7_000_000) }];
function tokenRoute(id, method, body) {
  if (method === 'DELETE') tokens = tokens.filter((one) => one.token_id !== id);
  if (method !== 'POST') return method === 'DELETE' ? [204, null] : [200, { tokens }];
  if (tokens.some((one) => one.name === body.name)) return failure(409, 'conflict', `you have a token '${body.name}' already`);
  const one = { token_id: `t${++sequence}`, name: body.name, roles: body.roles, created_at: ago(0), expires_at: ago(-body.lifetime_seconds) };
  tokens = [...tokens, one];
  return [201, { ...one, secret: 'qvm_only-of-the-stand-in' }];
}
function rest(path, method, body) {
  const [noun, id, verb] = path.split('/');
  if (noun === 'overview') return [200, overview()];
  if (noun === 'alerts' && !id) return [200, { alerts }];
  if (noun === 'alerts') {
    const one = alerts.find((entry) => entry.alert_id === id);
    if (!one) return failure(404, 'not_found', `no alert '${id}'`);
    return [200, { ...one, history: facts.filter((entry) => entry.subject === `alert/${id}`).reverse(), obligations: [{ obligation_id: 'o1', receiver: 'oncall', state: 'delivered', reason: 'route: severity="critical"', created_at: ago(339), queued_at: ago(339), settled_at: ago(338) }], deliveries: [{ delivery_id: 'd1', sink: 'webhook:oncall', state: 'succeeded', attempt: 1, started_at: ago(339), finished_at: ago(338), retry_at: null, possibly_repeated: false, detail: '200 OK' }] }];
  }
  if (noun === 'incidents' && !id) return [200, { incidents }];
  if (noun === 'incidents') return incidentRoute(id, verb, method, body);
  if (noun === 'tokens') return tokenRoute(id, method, body);
  return failure(404, 'not_found', 'no such path');
}
function session(request, response, body) {
  if (request.method === 'POST' && request.url.endsWith('/password')) {
    if (body.current !== 'admin') return failure(403, 'forbidden', 'the current password is wrong');
    user.must_change_password = false;
    return [200, { user }];
  }
  if (request.method === 'POST') {
    if (body.password !== 'admin') return failure(401, 'unauthenticated', 'wrong user name or password');
    const id = Math.random().toString(36).slice(2);
    sessions.add(id);
    response.setHeader('Set-Cookie', `qvmon_session=${id}; HttpOnly; SameSite=Strict; Path=/`);
    return [200, { user }];
  }
  if (request.method === 'DELETE') sessions.delete(cookie(request));
  return request.method === 'DELETE' ? [204, null] : [200, { user }];
}
const cookie = (request) => /qvmon_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';

function stream(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(': hello\n\n');
  streams.add(response);
  response.on('close', () => streams.delete(response));
}
function serveFile(path, response) {
  const wanted = normalize(join(ROOT, path));
  const file = wanted.startsWith(ROOT) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(ROOT, 'index.html');
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP });
  createReadStream(file).pipe(response);
}
async function textOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const text = await textOf(request);
  const json = /json/.test(request.headers['content-type'] ?? '') && text ? JSON.parse(text) : {};
  const form = new URLSearchParams(request.method === 'POST' ? text : url.search);
  if (!url.pathname.startsWith('/api/')) return serveFile(url.pathname, response);
  const path = url.pathname.replace('/api/qvmon/v1/', '');
  const known = sessions.has(cookie(request));
  if (path === 'events' && known) return stream(response);
  let answer;
  if (!known && !(path === 'session' && request.method === 'POST')) answer = failure(401, 'unauthenticated', 'authentication required');
  else if (path.startsWith('session')) answer = session(request, response, json);
  else answer = path === url.pathname ? prometheus(url.pathname, form) : rest(path, request.method, json);
  response.writeHead(answer[0], { 'Content-Type': 'application/json' });
  response.end(answer[1] === null ? '' : JSON.stringify(answer[1]));
}).listen(PORT, '127.0.0.1', () => console.log(`mock: http://127.0.0.1:${PORT}`));
