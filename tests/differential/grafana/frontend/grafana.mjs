// What Grafana's web client gives a data source: requests to its server, variables, tracking.
import { FakeEchoSrv, setBackendSrv, setEchoSrv, setTemplateSrv } from '@grafana/runtime';
import { Observable, from } from 'rxjs';

const FORM = 'application/x-www-form-urlencoded';

function encoded(parameters) {
  const pairs = Object.entries(parameters ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return new URLSearchParams(pairs.flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]))).toString();
}

function sent(server, { url, method, params, data, headers, signal }) {
  const query = encoded(params);
  const form = headers?.['Content-Type'] === FORM;
  return fetch(`${server}/${url.replace(/^\//, '')}${query ? (url.includes('?') ? '&' : '?') + query : ''}`, {
    method: method ?? 'GET', signal,
    headers: data && !form ? { ...headers, 'Content-Type': 'application/json' } : headers,
    body: data && (form ? encoded(data) : JSON.stringify(data)),
  });
}

async function answered(server, request) {
  const response = await sent(server, request);
  const text = await response.text();
  const answer = { status: response.status, statusText: response.statusText, ok: response.ok, config: request };
  try {
    answer.data = JSON.parse(text);
  } catch {
    answer.data = text;
  }
  if (!response.ok) {
    throw answer;
  }
  return answer;
}

function chunked(server, request) {
  return new Observable((observer) => {
    (async () => {
      const response = await sent(server, request);
      const { ok, status, statusText } = response;
      for await (const data of response.body) {
        observer.next({ ok, status, statusText, data });
      }
      observer.next({ ok, status, statusText, data: undefined });
      observer.complete();
    })().catch((error) => observer.error(error));
  });
}

const VARIABLE = /\$(\w+)|\$\{(\w+)(?::\w+)?\}/g;

function replaced(text, variables) {
  return text?.replace(VARIABLE, (whole, plain, braced) => variables?.[plain ?? braced]?.value ?? whole);
}

/** Makes `server` the one that data sources talk to. */
export function connect(server) {
  setBackendSrv({
    fetch: (request) => from(answered(server, request)),
    chunked: (request) => chunked(server, request),
    get: async (url, params) => (await answered(server, { url, params })).data,
  });
  setTemplateSrv({ replace: replaced, containsTemplate: (text) => VARIABLE.test(text ?? ''), getVariables: () => [] });
  setEchoSrv(new FakeEchoSrv());
}
