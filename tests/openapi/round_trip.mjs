// Runs the compiled client against a real node.
import {execFileSync} from 'node:child_process';
import {start_node} from './node.mjs';

const [program, shim] = process.argv.slice(2);
const node = await start_node(program, shim);
try {
  execFileSync(process.execPath, ['out/client.js', node.url, node.keys.operator], {stdio: 'inherit'});
} finally {
  await node.stop();
}
