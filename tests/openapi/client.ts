// A round trip by a client whose types are made from the OpenAPI page: it compiles only if the page
// says what is used here, and runs only if the node does it.
import createClient from 'openapi-fetch';
import type {components, paths} from './api.js';

type job = components['schemas']['job'];
type event = components['schemas']['event'];

const [url, key] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({baseUrl: url, headers: {Authorization: `Bearer ${key}`}});

function expect(holds: boolean, what: string): asserts holds {
  if (!holds)
    throw new Error(what);
}

const made = await client.POST('/v1/jobs', {
  body: {
    graph: {vertices: [{id: 'a', kind: 'noop', config: {output: {n: 1}}}]},
    labels: {by: 'typescript'},
  },
});
expect(made.data !== undefined, `it was not made: ${made.error?.detail}`);
expect(!('deleted' in made.data), 'it is gone');
const created: job = made.data;

const ended = await client.GET('/v1/jobs/{job}/result', {
  params: {path: {job: created.id}, query: {wait: '60s'}},
});
expect(ended.response.status === 200 && ended.data !== undefined, 'it did not end');
const state: 'completed' extends job['state'] ? job['state'] : never = ended.data.state;
expect(state === 'completed', `it is ${state}`);
expect('result' in ended.data, 'there is no result');
expect(JSON.stringify(ended.data.result) === '{"a":{"n":1}}', `it has ${JSON.stringify(ended.data.result)}`);

const told = await client.GET('/v1/jobs/{job}/events', {
  params: {path: {job: created.id}},
  headers: {Accept: 'application/x-ndjson'},
  parseAs: 'text',
});
const events = (told.data as string).trim().split('\n').map(line => JSON.parse(line) as event);
expect(events.at(-1)?.event === 'end', 'its last event is no end');
expect(events.every((x, i) => x.id === i + 1), 'its events are not numbered from 1');

const page = await client.GET('/v1/jobs', {params: {query: {label: ['by=typescript'], limit: 10}}});
expect(page.data?.jobs.length === 1 && page.data.jobs[0]?.id === created.id, 'the list does not have it');

const removed = await client.DELETE('/v1/jobs/{job}', {params: {path: {job: created.id}}});
expect(removed.response.status === 204, `deleting it: ${removed.response.status}`);

const gone = await client.GET('/v1/jobs/{job}', {params: {path: {job: created.id}}});
expect(gone.error?.code === 'no_such_job', 'it is still there');
expect(gone.error.next.length > 0, 'the refusal has no next step');
