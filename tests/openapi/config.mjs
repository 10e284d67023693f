// Whether the schema of the configuration, as another validator reads it, accepts what the node's
// parser accepts. The corpus is written by tests/config/config_schema_test.cpp.
import Ajv from 'ajv/dist/2020.js';
import {readFileSync} from 'node:fs';

const [schema_file, node_file, corpus_file] = process.argv.slice(2);
const read_json = file => JSON.parse(readFileSync(file, 'utf8'));

const accepts = new Ajv({strict: true, allErrors: true}).compile(read_json(schema_file));
const faults = [];
let documents = 0, accepted = 0;

/** JavaScript reads another number than the one that is there. */
const is_exact = line => (line.match(/\d{16,}/g) ?? []).every(digits => String(Number(digits)) === digits);

for (const line of readFileSync(corpus_file, 'utf8').split('\n').filter(Boolean).filter(is_exact)) {
  const told = JSON.parse(line);
  ++documents;
  accepted += told.accepted;
  if (accepts(told.document) !== told.accepted)
    faults.push(`${line}: the schema says ${!told.accepted}: ${JSON.stringify(accepts.errors)}`);
}
if (!accepts(read_json(node_file)))
  faults.push(`${node_file}: ${JSON.stringify(accepts.errors)}`);
if (accepted < 100 || documents - accepted < 500)
  faults.push(`the corpus has only ${documents} documents, ${accepted} of them accepted`);
for (const fault of faults)
  console.error(`- ${fault}`);
console.log(`${documents} configurations, ${accepted} accepted, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
