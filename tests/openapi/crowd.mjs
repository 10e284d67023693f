// What brings a node to its limits, so that it answers 429 until that is over.
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {in_time} from './node.mjs';

// As in include/troupe/limits.hpp and node/http/api.hpp.
const pool_threads = 4, pool_waiting_max = 1024, bulk_runs_max = 2;

/** Sends so many requests at once, and waits until one of them is refused. */
function one_refused(count, url, request) {
  const refused = async () => {
    const {status} = await fetch(url, request);
    if (status !== 429)
      throw new Error(`${url}: ${status} instead of 429`);
  };
  return in_time(`a refusal by ${url}`, Promise.any(Array.from({length: count}, refused)));
}

async function until(what, holds) {
  const look = async () => {
    while (!holds())
      await new Promise(resolve => setTimeout(resolve, 1));
  };
  await in_time(what, look());
}

function store(node, headers, body) {
  const hash = createHash('sha256').update(body).digest('hex');
  return fetch(`${node.url}/v1/blobs/${hash}`, {method: 'PUT', headers, body});
}

/**
 * Has every thread of the node's pool wait for the disk below its blobs, as many requests wait for
 * those as may, and as many requests for all jobs of a filter. What was asked is answered when the
 * disk is released.
 */
export async function fill_pool(node) {
  const headers = {Authorization: `Bearer ${node.keys.admin}`};
  await in_time('a blob', store(node, headers, 'the first one makes the directories'));
  node.hold_disk();
  for (let i = 0; i < pool_threads; ++i)
    store(node, headers, `blob ${i}`).catch(() => {});
  await until('threads that wait', () => node.waiting() === pool_threads);
  await one_refused(bulk_runs_max + 1, `${node.url}/v1/jobs:pause?queue=busy`, {method: 'POST', headers});
  await one_refused(pool_waiting_max + 1, `${node.url}/v1/stats`, {headers});
}

/** Takes every reader of the node's store. Returns what gives them back. */
export async function take_readers(host, node) {
  const child = spawn(host, ['readers', node.data], {stdio: ['pipe', 'pipe', 'inherit']});
  const ended = new Promise(resolve => child.on('exit', resolve));
  const full = new Promise(resolve => child.stdout.once('data', resolve));
  const give_back = () => {
    child.stdin.end();
    return in_time('the end of readers', ended);
  };
  if (await in_time('readers', Promise.race([full.then(() => true), ended.then(() => false)])))
    return give_back;
  throw new Error('nothing has taken the readers');
}
