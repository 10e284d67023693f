// Calls a real node and holds each answer against the OpenAPI page that it serves. Ends with 1 and
// a list if an answer is not what the page says, or if the page names what nothing exercised.
import {readFileSync} from 'node:fs';
import {request as begin} from 'node:http';
import {connect} from 'node:net';
import {constants} from 'node:os';
import {calls, calls_by_settings, calls_on_busy_disk, calls_on_failed_disk, calls_on_full_disk, calls_without_keys}
  from './calls.mjs';
import {fill_pool, take_readers} from './crowd.mjs';
import {in_time, start_node} from './node.mjs';
import {api_page} from './page.mjs';
import {change_refused, reads_refused, refusals_of} from './refusals.mjs';

const [program, shim, load_host, page_file] = process.argv.slice(2);
const written = readFileSync(page_file, 'utf8');
const page = new api_page(JSON.parse(written));
const operations = new Map(page.operations().map(x => [x.name, x]));
const seen = new Map(); // "GET /v1/jobs" to the keys of its responses.
const used = new Map(); // ... to the parameters that a good call had.
const faults = [];
let asked = 0;

const given = (x, kept) => (typeof x === 'function' ? x(kept) : x);

function url_of(node, operation, call, kept) {
  const parts = given(call.path, kept) ?? {};
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(parts[name]));
  const asked_for = given(call.query, kept);
  const query = typeof asked_for === 'string' ? asked_for : new URLSearchParams(asked_for);
  return node.url + path + (`${query}` ? `?${query}` : '');
}

function request_of(node, operation, call, kept) {
  const json = given(call.json, kept), headers = {...given(call.headers, kept)};
  const body = json === undefined ? call.text : JSON.stringify(json);
  const type = json === undefined ? call.type : 'application/json';
  if (call.as !== null && node.keys.admin)
    headers.Authorization = `Bearer ${node.keys[call.as ?? 'admin']}`;
  if (type)
    headers['Content-Type'] = type;
  return {method: operation.method, headers, body, type};
}

/** Sends the header of a request only, which tells of a body of so many bytes. */
function announce(url, {method, headers}, bytes) {
  return new Promise((resolve, reject) => {
    const sent = begin(url, {method, headers: {...headers, 'Content-Length': bytes}});
    sent.on('error', reject);
    sent.on('response', got => {
      let text = '';
      got.setEncoding('utf8');
      got.on('data', piece => { text += piece; });
      got.on('end', () => resolve(new Response(text, {status: got.statusCode, headers: got.headers})));
    });
    sent.flushHeaders();
  });
}

async function answer_to(url, request, announced) {
  const got = await in_time(url, announced ? announce(url, request, announced) : fetch(url, request));
  const text = await in_time(url, got.text());
  const type = got.headers.get('content-type') ?? '';
  const answer = {status: got.status, headers: got.headers, text};
  if (/^application\/(problem\+)?json/.test(type) && text !== '')
    answer.json = JSON.parse(text);
  if (/ndjson/.test(type))
    answer.lines = text.split('\n').filter(Boolean).map(x => JSON.parse(x));
  return answer;
}

/** Notes what a good call has used, and whether the page would have taken it. */
function note_request(operation, call, request, kept) {
  const names = new Set([...Object.keys(given(call.query, kept) ?? {}), ...Object.keys(given(call.headers, kept) ?? {})]);
  for (const parameter of operation.parameters)
    if (names.has(parameter.name))
      used.get(operation.name).add(parameter.name);
  return request.body === undefined || call.is_wrong ? [] : page.wrong_request(operation, request.type, request.body);
}

async function exercise(node, call, kept) {
  const operation = operations.get(call.to);
  if (!operation)
    return faults.push(`${call.to}: the page does not have it`);
  const request = request_of(node, operation, call, kept);
  const answer = await answer_to(url_of(node, operation, call, kept), request, call.announces);
  ++asked;
  const say = text => faults.push(`${call.to} ${answer.status}: ${text}\n    ${answer.text.slice(0, 300).trim()}`);
  if (answer.status !== call.status)
    say(`expected ${call.status}`);
  page.wrong_with(operation, answer).forEach(say);
  if (answer.status < 400)
    note_request(operation, call, request, kept).forEach(x => say(`the page refuses the request: ${x}`));
  const key = page.response_of(operation, answer.status)?.key;
  if (key)
    seen.get(operation.name).add(key);
  if (answer.status === call.status && call.check && !call.check(answer))
    say(`it is not ${call.check}`);
  if (answer.status === call.status)
    for (const [name, find] of Object.entries(call.keep ?? {}))
      kept[name] = find(answer);
}

/** A method that a path does not have is refused with those that it has. */
async function exercise_wrong_method(node, here, wrong) {
  const [{path}] = here;
  const call = {path: refusals_of(here[0])[0].path};
  const answer = await answer_to(url_of(node, here[0], call, {}), {method: wrong});
  const allowed = new Set((answer.headers.get('allow') ?? '').split(', '));
  ++asked;
  if (answer.status !== 405 || here.some(x => !allowed.has(x.method)))
    faults.push(`${wrong} ${path}: ${answer.status}, Allow: ${[...allowed]}`);
  for (const x of here) {
    page.wrong_with(x, answer).forEach(fault => faults.push(`${wrong} ${path}: ${fault}`));
    seen.get(x.name).add(page.response_of(x, answer.status).key);
  }
}

/** `HEAD` is answered as `GET` is, without the content. */
async function exercise_head(node, operation) {
  const url = url_of(node, operation, {path: refusals_of(operation)[0].path}, {});
  const headers = {Authorization: `Bearer ${node.keys.admin}`};
  const [whole, bare] = [await answer_to(url, {headers}), await answer_to(url, {method: 'HEAD', headers})];
  const type = x => x.headers.get('content-type');
  asked += 2;
  if (bare.status !== whole.status || type(bare) !== type(whole) || bare.text !== '')
    faults.push(`HEAD ${operation.path}: ${bare.status} ${type(bare)}, GET: ${whole.status} ${type(whole)}`);
}

async function exercise_methods(node) {
  const all = [...operations.values()];
  for (const path of new Set(all.map(x => x.path))) {
    const here = all.filter(x => x.path === path);
    for (const wrong of [here.some(x => x.method === 'PUT') ? 'PATCH' : 'PUT', 'OPTIONS'])
      await exercise_wrong_method(node, here, wrong);
  }
  for (const operation of all.filter(x => x.method === 'GET'))
    await exercise_head(node, operation);
}

/** What comes over a connection until it ends; it may be ended roughly. */
function all_of(socket) {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', piece => { text += piece; });
  socket.on('error', () => {});
  return new Promise(resolve => socket.on('close', () => resolve(text)));
}

/** Asks a node that has no room for another connection, and answers without reading the request. */
async function exercise_turned_away(node, operation) {
  const url = new URL(url_of(node, operation, {path: refusals_of(operation)[0].path}, {}));
  const socket = connect(url.port, url.hostname);
  socket.write(`${operation.method} ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
  const [head, text] = (await in_time(url, all_of(socket))).split('\r\n\r\n');
  const [first, ...fields] = head.split('\r\n');
  const headers = new Headers(fields.map(x => x.split(': ')));
  const answer = {status: Number(first.split(' ')[1]), headers, text};
  ++asked;
  if (answer.status !== 503)
    faults.push(`${operation.name}: a full node answers ${first}`);
  page.wrong_with(operation, answer).forEach(x => faults.push(`${operation.name} 503: ${x}`));
  seen.get(operation.name).add(page.response_of(operation, 503).key);
}

/** A node with as many connections as it takes. */
async function exercise_full_node(node) {
  const {port, hostname} = new URL(node.url);
  const held = connect(port, hostname);
  held.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await in_time('an answer', new Promise(resolve => held.once('data', resolve)));
  for (const operation of operations.values())
    await exercise_turned_away(node, operation);
  held.destroy();
}

function note_unexercised() {
  for (const [name, operation] of operations) {
    for (const key of Object.keys(operation.says.responses))
      if (!seen.get(name).has(key))
        faults.push(`${name}: nothing exercised the response ${key}`);
    for (const parameter of operation.parameters)
      if (parameter.in !== 'path' && !used.get(name).has(parameter.name))
        faults.push(`${name}: nothing used the parameter ${parameter.name}`);
  }
}

/** A node whose store takes no more readers, and then takes them again. */
async function exercise_without_readers(node) {
  const give_back = await take_readers(load_host, node);
  try {
    for (const operation of operations.values())
      await exercise_all(node, reads_refused(operation));
  } finally {
    await give_back();
  }
  await exercise_all(node, [{to: 'GET /v1/jobs/{job}', path: {job: kept.noop}, status: 200}]);
}

for (const name of operations.keys()) {
  seen.set(name, new Set());
  used.set(name, new Set());
}
const kept = {};

/** Starts a node, has `act` call it, and ends it. */
async function with_node(options, act) {
  const node = await start_node(program, shim, options);
  try {
    await act(node);
  } finally {
    await node.stop();
  }
}

/** Has the node notice that it cannot write changes down, which it does at one. */
async function until_unready(node) {
  const change = {method: 'DELETE', headers: {Authorization: `Bearer ${node.keys.admin}`}};
  const look = async () => {
    do
      await answer_to(`${node.url}/v1/keys/00000000`, change);
    while ((await answer_to(`${node.url}/readyz`, {})).status !== 503);
  };
  await in_time('an audit log that fails', look());
}

async function exercise_all(node, some) {
  for (const call of some)
    await exercise(node, call, kept);
}

await with_node({}, async node => {
  await exercise_all(node, calls);
  for (const operation of operations.values())
    await exercise_all(node, refusals_of(operation));
  await exercise_methods(node);
  const served = await answer_to(`${node.url}/v1/openapi.json`, {});
  if (JSON.stringify(served.json) !== JSON.stringify(JSON.parse(written)))
    faults.push('the page that is served is not docs/openapi.json');
  await exercise_without_readers(node);
  node.fail_disk();
  await exercise_all(node, calls_on_failed_disk);
});
await with_node({TROUPE_STORAGE_MIN_FREE_BYTES: `${2 ** 50}`}, node => exercise_all(node, calls_on_full_disk));
for (const [status, number] of [[503, constants.errno.EIO], [507, constants.errno.ENOSPC]])
  await with_node({fails: 'audit', TROUPE_SHIM_FAILS_AS: number}, async node => {
    node.fail_disk();
    await until_unready(node);
    for (const operation of operations.values())
      await exercise_all(node, change_refused(operation, status));
  });
await with_node({TROUPE_QUEUES_EXCLUSIVE: 'default', TROUPE_HTTP_METRICS_NEED_KEY: 'true'},
  node => exercise_all(node, calls_by_settings));
await with_node({roles: []}, node => exercise_all(node, calls_without_keys));
await with_node({fails: 'blobs'}, async node => {
  await fill_pool(node);
  await exercise_all(node, calls_on_busy_disk);
});
await with_node({TROUPE_HTTP_CONNECTIONS_MAX: 1}, exercise_full_node);
note_unexercised();
for (const fault of faults)
  console.error(`- ${fault}`);
console.log(`${operations.size} operations, ${asked} calls, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
