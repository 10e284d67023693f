// A node of Troupe at work for a test, with a key for each role.
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const patience_ms = 60_000;
const all_roles = ['viewer', 'worker', 'operator', 'admin'];

function make_key(program, data, role) {
  const made = execFileSync(program, ['keys', 'create', '--data', data, '--role', role, '--name', role, '-o', 'json']);
  return JSON.parse(made).key;
}

/** Rejects when the patience is over. */
export function in_time(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took too long`)), patience_ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What has the node load `tests/support/fault_shim.cpp`. */
const with_shim = (shim, below, failed, held) => ({
  ...process.env, LD_PRELOAD: shim, TROUPE_SHIM_BELOW: below, TROUPE_SHIM_FAILS_WITH: failed,
  TROUPE_SHIM_HELD_BY: held,
  ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
});

/**
 * Starts a node on a free port of loopback. `fail_disk` has each sync of its journal, or of what
 * `fails` names, fail from then on; `hold_disk` has it wait until `release_disk`, and `waiting`
 * tells how many do. `stop` ends it and removes its data. There is a key of each of the `roles`.
 * `more`: variables for it.
 */
export async function start_node(program, shim, {fails = 'journal', roles = all_roles, ...more} = {}) {
  const data = mkdtempSync(join(tmpdir(), 'troupe-openapi-'));
  const keys = {};
  for (const role of roles)
    keys[role] = make_key(program, data, role);
  const failed = join(data, 'the-disk-fails'), held = join(data, 'the-disk-is-held');
  const release_disk = () => rmSync(held, {force: true});
  const child = spawn(program, ['serve', '--data', data, '--port', '0', '--allow-kind', 'exec'],
    {stdio: ['ignore', 'ignore', 'pipe'], env: {...with_shim(shim, join(data, fails), failed, held), ...more}});
  const ended = new Promise(resolve => child.on('exit', (code, signal) => resolve(signal ?? code)));
  let said = '';
  const port = new Promise((resolve, reject) => {
    child.stderr.on('data', piece => {
      said += piece;
      const found = /serving http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
      if (found)
        resolve(Number(found[1]));
    });
    ended.then(how => reject(new Error(`the node ended with ${how}:\n${said}`)));
  });
  const stop = async () => {
    release_disk();
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), patience_ms);
    const how = await ended;
    clearTimeout(killer);
    rmSync(data, {recursive: true, force: true});
    return how;
  };
  try {
    return {url: `http://127.0.0.1:${await in_time('the start', port)}`, keys, data, stop, release_disk,
      fail_disk: () => writeFileSync(failed, ''), hold_disk: () => writeFileSync(held, ''),
      waiting: () => statSync(`${held}.waits`, {throwIfNoEntry: false})?.size ?? 0};
  } catch (error) {
    await stop();
    throw error;
  }
}
