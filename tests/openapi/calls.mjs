// The calls that exercise every route and status of the page, in their order. A new route is a few
// lines here. Of a call:
//   to      the operation, as the page names it
//   status  what is expected
//   path    the open parts of the path        query, headers   as they are sent (a query also as text)
//   json    the body; or `text` with `type`   as               the role of the key (admin)
//   announces  how many bytes the header tells of; none are sent
//   keep    what later calls need of the answer: names and how it is found
//   check   what else holds of the answer
// What depends on calls before is a function of what they kept.

import {createHash} from 'node:crypto';

const of = (...vertices) => ({graph: {vertices}});
const noop = of({id: 'a', kind: 'noop', config: {output: 1}});
const slow = of({id: 'a', kind: 'delay', config: {for: '1h'}});
const broken = of({id: 'a', kind: 'noop'}, {id: 'b', kind: 'exec', config: {argv: ['false']}});
broken.graph.edges = [{from: 'a', to: 'b'}];
const task = {...of({id: 'a', kind: 'worker', config: {task: 'resize', arguments: {width: 200}}}), queue: 'tasks'};
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const id = answer => answer.json.id;

const submit = (name, json, more = {}) =>
  ({to: 'POST /v1/jobs', json, status: 201, keep: {[name]: id}, ...more});
const end = name =>
  ({to: 'GET /v1/jobs/{job}/result', path: s => ({job: s[name]}), query: {wait: '60s'}, status: 200});
const change = (verb, name, status, more = {}) =>
  ({to: `POST /v1/jobs/{job}:${verb}`, path: s => ({job: s[name]}), status, ...more});
const bulk = (verb, query, more = {}) => ({to: `POST /v1/jobs:${verb}`, query, status: 200, ...more});

/** An atomic batch of one line. */
const batch_line = (line, status) =>
  ({to: 'POST /v1/jobs:batch', type: 'application/x-ndjson', query: {atomic: 'true'}, status,
    text: `${JSON.stringify(line)}\n`, is_wrong: status !== 200});

const jobs = [
  submit('noop', {...noop, input: {n: 1}, labels: {team: 'data'}, retention: '7d', max_parallel: 2},
    {headers: {'Idempotency-Key': 'k1', traceparent}, check: x => x.json.labels.traceparent === traceparent}),
  {...submit('again', {...noop, input: {n: 1}, labels: {team: 'data'}, retention: '7d', max_parallel: 2},
    {headers: {'Idempotency-Key': 'k1'}}), status: 200},
  {...submit('', noop, {headers: {'Idempotency-Key': 'k1'}}), status: 422, keep: {}},
  {to: 'POST /v1/jobs', json: {...noop, queu: 'x'}, status: 422},
  {to: 'POST /v1/jobs', json: {graph: '0'.repeat(64)}, status: 404},
  end('noop'),
  {to: 'GET /v1/jobs/{job}/result', path: s => ({job: s.noop}), query: {on_disconnect: 'detach'}, status: 200},
  submit('slow', slow),
  {to: 'GET /v1/jobs/{job}/result', path: s => ({job: s.slow}), status: 202},
  {to: 'GET /v1/jobs/{job}', path: s => ({job: s.noop}), as: 'viewer', status: 200},
  {to: 'GET /v1/jobs/{job}/vertices', path: s => ({job: s.noop}), query: {limit: '1', cursor: '0'}, status: 200},
  submit('broken', broken),
  end('broken'),
  {to: 'GET /v1/jobs/{job}/vertices', path: s => ({job: s.broken}), query: {limit: '1'}, status: 200,
    check: x => x.json.next !== null},
  {to: 'GET /v1/jobs', query: {limit: '1', state: 'completed', queue: 'default', label: 'team=data'}, status: 200,
    check: x => x.json.jobs.length === 1},
  {to: 'GET /v1/jobs', query: {older_than: '7d'}, status: 200, check: x => x.json.jobs.length === 0},
  {to: 'GET /v1/jobs', query: {ended_before: '2020-01-31T12:00:00Z'}, status: 200, check: x => x.json.jobs.length === 0},
  {to: 'GET /v1/jobs', query: {limit: '1'}, status: 200, keep: {cursor: x => x.json.next}},
  {to: 'GET /v1/jobs', query: s => ({cursor: s.cursor}), status: 200},
  {to: 'POST /v1/jobs:batch', type: 'application/x-ndjson', status: 200, headers: {traceparent},
    text: `${JSON.stringify(noop)}\n${JSON.stringify({...noop, idempotency_key: 'k2'})}\n`},
  {to: 'POST /v1/jobs:batch', type: 'application/x-ndjson', query: {atomic: 'true'}, status: 200,
    text: `${JSON.stringify(noop)}\n`},
  batch_line(of({id: 'a', kind: 'noop', config: {output: 1}}), 200),
  batch_line({graph: '0'.repeat(64)}, 404),
  batch_line({graph: 1}, 422),
  batch_line({...noop, input: 'x'.repeat(2 ** 20)}, 413),
  batch_line({...noop, idempotency_key: 'k3'}, 200),
  batch_line({...noop, input: 2, idempotency_key: 'k3'}, 422),
  batch_line({...noop, queue: 'tasks'}, 422),
  {to: 'POST /v1/jobs:batch', type: 'application/x-ndjson', status: 200, is_wrong: true,
    text: '{"graph": 1}\n', check: x => x.lines[0].status === 422 && x.lines[0].error.code === 'invalid_spec'},
];

const events = [
  {to: 'GET /v1/jobs/{job}/events', path: s => ({job: s.noop}), query: {from: '1', on_disconnect: 'detach'}, status: 200,
    check: x => x.headers.get('content-type') === 'text/event-stream' && /\nevent: end\n/.test(x.text)},
  {to: 'GET /v1/jobs/{job}/events', path: s => ({job: s.broken}), headers: {Accept: 'application/x-ndjson'}, status: 200,
    check: x => x.lines.at(-1).event === 'end'},
  {to: 'GET /v1/jobs/{job}/events', path: s => ({job: s.noop}), headers: {'Last-Event-ID': '1'}, status: 200},
  {to: 'GET /v1/jobs/{job}/events', path: s => ({job: s.noop}), query: {from: '1000'}, status: 204},
];

const changes = [
  change('pause', 'slow', 200, {json: {reason: 'a test'}}),
  change('resume', 'slow', 200, {json: {reason: 'a test'}}),
  {to: 'DELETE /v1/jobs/{job}', path: s => ({job: s.slow}), status: 409},
  change('cancel', 'slow', 200, {json: {reason: 'a test'}}),
  end('slow'),
  submit('stopped', slow),
  change('stop', 'stopped', 200, {json: {reason: 'a test'}}),
  end('stopped'),
  ...['cancel', 'stop', 'pause', 'resume'].map(verb => change(verb, 'stopped', 409)),
  change('retry', 'broken', 201, {json: {from: 'a'}, keep: {retried: id}}),
  change('retry', 'broken', 201, {json: {from: 'b'}, headers: {'Idempotency-Key': 'r'}, keep: {keyed: id}}),
  change('retry', 'broken', 200, {json: {from: 'b'}, headers: {'Idempotency-Key': 'r'}}),
  change('retry', 'broken', 422, {json: {}, headers: {'Idempotency-Key': 'r'}}),
  end('retried'),
  change('retry', 'broken', 404, {json: {from: 'nobody'}}),
  {to: 'DELETE /v1/jobs/{job}', path: s => ({job: s.retried}), status: 204},
  submit('bulk', {...slow, queue: 'bulk', labels: {team: 'bulk'}}),
  ...['pause', 'resume', 'cancel', 'stop'].map(verb =>
    bulk(verb, {queue: 'bulk', label: 'team=bulk', state: 'unfinished', q: 'BUL', dry_run: 'true'},
      {check: x => x.json.jobs === 1})),
  ...['pause', 'resume', 'cancel', 'stop', 'retry', 'purge'].map(verb =>
    bulk(verb, {queue: 'bulk'}, {json: {state: 'stopped'}, status: 400})),
  bulk('pause', {queue: 'bulk'}, {check: x => x.json.jobs === 1}),
  bulk('resume', {queue: 'bulk'}),
  bulk('cancel', {queue: 'bulk'}),
  end('bulk'),
  submit('bulk', {...slow, queue: 'bulk'}),
  bulk('stop', {queue: 'bulk'}),
  end('bulk'),
  bulk('retry', {state: 'stopped', queue: 'bulk', label: 'team=nobody', dry_run: 'true'}),
  bulk('retry', {q: 'bulk', older_than: '7d', dry_run: 'true'}, {check: x => x.json.jobs === 0}),
  bulk('retry', {q: 'bulk', ended_before: '2020-01-31T12:00:00Z', dry_run: 'true'},
    {check: x => x.json.jobs === 0}),
  bulk('purge', {state: 'stopped', queue: 'bulk', label: 'team=nobody', dry_run: 'true'}),
  bulk('purge', {q: 'bulk', older_than: '7d', dry_run: 'true'}, {check: x => x.json.jobs === 0}),
  bulk('purge', {q: 'bulk', ended_before: '2120-01-31T12:00:00Z', dry_run: 'true'},
    {check: x => x.json.jobs === 2}),
  bulk('purge', {state: 'stopped', queue: 'bulk'}, {check: x => x.json.jobs === 1}),
];

const work = [
  submit('task', task, {headers: {traceparent}}),
  {to: 'POST /v1/work:fetch', as: 'worker', status: 200,
    json: {queues: ['tasks'], worker: 'w1', count: 1, lease: '30s', wait: '30s'},
    check: x => x.json.work.length === 1 && x.json.work[0].traceparent.startsWith(traceparent.slice(0, 36)), keep: {token: x => x.json.work[0].token}},
  {to: 'POST /v1/work:heartbeat', as: 'worker', json: s => ({tokens: [s.token, 'nonsense']}), status: 200},
  {to: 'POST /v1/work:emit', as: 'worker', status: 204,
    json: s => ({token: s.token, sequence: 1, kind: 'log', text: 'half'})},
  {to: 'POST /v1/work:emit', as: 'worker', status: 422, json: s => ({token: s.token, sequence: 7, text: 'late'})},
  {to: 'POST /v1/work:complete', as: 'worker', json: s => ({token: s.token, output: {ok: true}}), status: 204},
  {to: 'POST /v1/work:complete', as: 'worker', json: s => ({token: s.token, output: {ok: false}}), status: 409},
  end('task'),
  submit('task', task),
  {to: 'POST /v1/work:fetch', as: 'worker', json: {queues: ['tasks'], wait: '30s'}, status: 200,
    keep: {token: x => x.json.work[0].token}},
  {to: 'POST /v1/work:fail', as: 'worker', status: 204,
    json: s => ({token: s.token, error: {code: 'no_image', detail: 'it is a text'}})},
  {to: 'POST /v1/work:fail', as: 'worker', status: 409,
    json: s => ({token: s.token, error: {code: 'other', detail: ''}})},
  {to: 'POST /v1/work:emit', as: 'worker', json: s => ({token: s.token, sequence: 1, text: 'late'}), status: 409},
  end('task'),
];

const large = ' '.repeat(2 ** 26 + 1); // More than a value or a graph may have.
const large_name = createHash('sha256').update(large).digest('hex');
const node = [
  {to: 'PUT /v1/blobs/{hash}', path: {hash: large_name}, text: large, status: 201},
  {to: 'GET /v1/graphs/{graph}', path: {graph: large_name}, status: 413},
  {to: 'GET /v1/blobs/{hash}', path: {hash: large_name}, headers: {Accept: 'application/json'}, status: 406},
  {to: 'POST /v1/graphs', json: {name: 'registered', ...noop.graph}, status: 201, keep: {graph: id}},
  {to: 'GET /v1/graphs/{graph}', path: s => ({graph: s.graph}), status: 200},
  {to: 'POST /v1/jobs', json: s => ({graph: s.graph}), status: 201},
  {to: 'GET /v1/graphs', query: {limit: '1'}, status: 200, check: x => x.json.graphs.length === 1,
    keep: {graphs: x => x.json.next}},
  {to: 'GET /v1/graphs', query: s => ({cursor: s.graphs}), status: 200},
  {to: 'GET /v1/jobs', query: {q: 'REGISTER'}, status: 200, check: x => x.json.jobs.length === 1},
  {to: 'GET /v1/stats', status: 200},
  {to: 'GET /v1/openapi.json', status: 200},
  {to: 'GET /livez', status: 200},
  {to: 'GET /readyz', query: {verbose: 'true'}, status: 200, check: x => x.text.includes('disk ok')},
  {to: 'GET /readyz', query: {verbose: 'false'}, status: 200, check: x => x.text === 'ok\n'},
  {to: 'GET /readyz', query: {verbose: 'x'}, status: 400},
  {to: 'GET /metrics', status: 200, check: x => x.text.includes('\ntroupe_http_requests_total{')},
];

const own_key = answer => answer.json.keys.find(x => x.name === 'admin').id;
const keys = [
  {to: 'GET /v1/keys', status: 200, keep: {own: own_key}, check: x => x.json.keys.length === 4},
  {to: 'GET /v1/keys', as: 'operator', status: 403},
  {to: 'POST /v1/keys', json: {role: 'viewer', name: 'made', namespace: 0}, status: 201, keep: {made: id},
    check: x => x.json.key.startsWith(`trp_${x.json.id}_`) && x.headers.get('cache-control') === 'no-store'},
  {to: 'POST /v1/keys', json: {role: 'viewer', namespace: 1}, status: 403},
  {to: 'DELETE /v1/keys/{key}', path: s => ({key: s.own}), status: 409},
  {to: 'DELETE /v1/keys/{key}', path: s => ({key: s.made}), status: 204},
  {to: 'DELETE /v1/keys/{key}', path: s => ({key: s.made}), status: 404},
];

const hash = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'; // Of `hello`.
const blob = (method, status, more = {}) =>
  ({to: `${method} /v1/blobs/{hash}`, path: {hash}, status, ...more});
const blobs = [
  blob('GET', 404),
  blob('PUT', 404, {path: {hash: 'nobody'}, text: 'hello', is_wrong: true}),
  blob('PUT', 201, {type: 'text/plain', text: 'hello', as: 'worker'}),
  blob('PUT', 200, {text: 'hello'}),
  blob('PUT', 422, {text: 'hallo', is_wrong: true}),
  blob('PUT', 413, {type: 'text/plain', announces: 2 ** 30 + 1, is_wrong: true}),
  blob('GET', 200, {check: x => x.text === 'hello', as: 'worker'}),
  blob('GET', 304, {headers: {'If-None-Match': `"${hash}"`}}),
  blob('GET', 206, {headers: {Range: 'bytes=1-2', 'If-Range': `"${hash}"`},
    check: x => x.text === 'el' && x.headers.get('content-range') === 'bytes 1-2/5'}),
  blob('GET', 200, {headers: {Range: 'bytes=1-2', 'If-Range': '"x"'}, check: x => x.text === 'hello'}),
  blob('GET', 416, {headers: {Range: 'bytes=5-'}}),
  blob('GET', 406, {headers: {Accept: 'application/json'}}),
];

const chat_input = {id: 'ChatInput-1', type: 'genericNode', data: {id: 'ChatInput-1', type: 'ChatInput',
  node: {template: {}, outputs: [{name: 'message'}]}}};
const flow = {data: {nodes: [chat_input], edges: []}, inputs: {input_value: 'hi', session: 's'}};
const ended = x => /"event": "end"/.test(x.text);
const flows = [
  {to: 'POST /api/v1/build/{flow}/flow', path: {flow: 'f'}, json: flow, status: 200,
    query: {event_delivery: 'polling', flow_name: 'chat', start_component_id: 'ChatInput-1',
      stop_component_id: 'ChatInput-1', log_builds: 'true', on_disconnect: 'detach'},
    keep: {build: x => x.json.job_id}},
  {to: 'GET /api/v1/build/{job}/events', path: s => ({job: s.build}), status: 200, check: ended,
    query: {event_delivery: 'streaming', on_disconnect: 'detach'}},
  {to: 'POST /api/v1/build/{flow}/flow', path: {flow: 'f'}, query: {event_delivery: 'direct'}, json: flow,
    status: 200, check: ended},
  {to: 'POST /api/v1/build/{flow}/flow', path: {flow: 'f'}, json: flow, headers: {'Idempotency-Key': 'f'}, status: 200},
  {to: 'POST /api/v1/build/{flow}/flow', path: {flow: 'nobody'}, status: 404},
  {to: 'POST /api/v1/build/{job}/cancel', path: s => ({job: s.build}), status: 200},
];

const one_task = {session_id: 's1', task_description: 'book a table', llm_profile_name: 'default'};
const at_task = (verb, status, more = {}) => ({to: `POST /api/tasks/${verb}`, status, ...more});
const tasks = [
  at_task('stop', 400),
  at_task('add-new-task', 400, {json: {reason: 'and a taxi'}}),
  {to: 'GET /api/tasks/status', status: 200},
  {to: 'GET /api/tasks/detailed-status', status: 200},
  at_task('submit', 200, {json: one_task, headers: {'Idempotency-Key': 't'}, keep: {one: x => x.json.task_id}}),
  at_task('submit', 200, {json: one_task, headers: {'Idempotency-Key': 't'}, check: x => x.json.success}),
  at_task('submit', 200, {json: one_task, check: x => x.json.success === false}),
  {to: 'POST /v1/jobs', json: {...noop, queue: 'tasks'}, status: 409},
  change('retry', 'task', 409),
  {to: 'GET /api/tasks/status', status: 200, check: x => x.json.has_active_task},
  {to: 'GET /api/tasks/detailed-status', status: 200},
  at_task('add-new-task', 200, {json: {reason: 'and a taxi'}, check: x => x.json.new_task === 'and a taxi'}),
  {to: 'GET /v1/jobs/{job}', path: s => ({job: s.one}), status: 200, check: x => x.json.messages.length === 1},
  at_task('add-new-task', 413, {json: {reason: 'x'.repeat(65536)}}),
  at_task('pause', 200, {json: {reason: 'a test'}}),
  at_task('resume', 200),
  at_task('stop', 200),
  {to: 'GET /api/tasks/{job}', path: s => ({job: s.one}), status: 200, check: x => x.json.status === 'stopped'},
  {to: 'GET /api/tasks', query: {status: 'STOPPED', session_id: 's1', limit: '1'}, status: 200,
    check: x => x.json.tasks.length === 1},
  {to: 'GET /api/tasks/statuses', status: 200},
];

// What is there when the disk fails.
const held = [
  submit('held', {...task, queue: 'held'}),
  {to: 'POST /v1/work:fetch', as: 'worker', json: {queues: ['held'], wait: '30s', lease: '10m'}, status: 200,
    keep: {leased: x => x.json.work[0].token}},
];

export const calls = [...jobs, ...events, ...changes, ...work, ...node, ...keys, ...blobs, ...flows, ...tasks, ...held];

const fresh = of({id: 'fresh', kind: 'noop'}); // A graph that is not stored yet.
const would_make = status => [
  {to: 'POST /v1/jobs', json: fresh, status},
  {to: 'POST /v1/jobs:batch', type: 'application/x-ndjson', query: {atomic: 'true'}, status,
    text: `${JSON.stringify(fresh)}\n`},
  {to: 'POST /api/v1/build/{flow}/flow', path: {flow: 'f'}, json: flow, status},
  at_task('submit', status, {json: one_task}),
];

/** What is called once the node's disk fails. */
export const calls_on_failed_disk = [
  ...would_make(503),
  change('cancel', 'held', 503),
  change('retry', 'broken', 503),
  bulk('cancel', {queue: 'held'}, {status: 503}),
  bulk('retry', {state: 'failed'}, {status: 503}),
  {to: 'DELETE /v1/jobs/{job}', path: s => ({job: s.noop}), status: 503},
  {to: 'POST /v1/work:complete', json: s => ({token: s.leased, output: 1}), status: 503},
  {to: 'POST /v1/work:fail', json: s => ({token: s.leased, error: {code: 'x', detail: ''}}), status: 503},
  {to: 'POST /v1/work:emit', json: s => ({token: s.leased, sequence: 1, text: 'x'}), status: 503},
  {to: 'POST /v1/work:heartbeat', json: s => ({tokens: [s.leased]}), status: 503},
  {to: 'POST /api/v1/build/{job}/cancel', path: s => ({job: s.held}), status: 503},
  {to: 'GET /readyz', query: {verbose: 'true'}, status: 503},
];

const would_store = status => [
  {to: 'POST /v1/graphs', json: fresh.graph, status},
  {to: 'PUT /v1/blobs/{hash}', path: {hash}, text: 'hello', status},
];

/** What is called of a node whose disk is full. */
export const calls_on_full_disk = [...would_make(507), ...would_store(507)];

const of_size = {type: 'application/json', text: ' '.repeat(2 ** 16 + 1)}; // More is read by the pool.

/** What is called while as much waits for the node's disk as may. */
export const calls_on_busy_disk = [
  ...would_make(429),
  ...would_store(429),
  ...['fetch', 'heartbeat', 'complete', 'fail', 'emit'].map(verb =>
    ({to: `POST /v1/work:${verb}`, ...of_size, status: 429})),
  ...['pause', 'resume', 'stop', 'add-new-task'].map(verb => at_task(verb, 429, {json: {reason: 'x'}})),
  ...['cancel', 'stop', 'pause', 'resume', 'retry', 'purge'].map(verb => bulk(verb, {queue: 'busy'}, {status: 429})),
  ...['/v1/jobs', '/v1/graphs', '/v1/keys', '/v1/stats', '/api/tasks', '/api/tasks/status',
    '/api/tasks/detailed-status'].map(path => ({to: `GET ${path}`, status: 429})),
  {to: 'GET /v1/graphs/{graph}', path: {graph: '0'.repeat(64)}, status: 429},
  {to: 'POST /v1/keys', json: {role: 'viewer'}, status: 429},
  {to: 'DELETE /v1/keys/{key}', path: {key: 'nobody'}, status: 429},
  blob('GET', 429),
];

/** What is called of a node whose usual queue takes one job at a time, and whose metrics need a key. */
export const calls_by_settings = [
  {to: 'POST /v1/jobs', json: slow, status: 201},
  {to: 'POST /api/v1/build/{flow}/flow', path: {flow: 'f'}, json: flow, status: 409},
  {to: 'GET /metrics', as: null, status: 401},
];

/** What is called of a node that has no keys. */
export const calls_without_keys = [{to: 'POST /v1/keys', json: {role: 'viewer'}, status: 409}];
