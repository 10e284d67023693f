// The refusals that follow from what the page says of an operation, so that every route gets them.

const example = {job: '01890000-0000-7000-8000-000000000000', graph: '0'.repeat(64)};

const path_of = operation =>
  Object.fromEntries(operation.parameters.filter(x => x.in === 'path').map(x => [x.name, example[x.name] ?? 'nobody']));

/** A body that the page would take in its outer form. */
function body_of(operation) {
  const type = Object.keys(operation.says.requestBody?.content ?? {})[0];
  if (!type || !operation.says.requestBody.required)
    return {};
  return {type, text: type.startsWith('application/') ? '{}' : ''};
}

export function refusals_of(operation) {
  const to = operation.name, path = path_of(operation), body = body_of(operation);
  const all = [];
  const refused = (status, more) => all.push({to, path, ...body, ...more, status, is_wrong: true});
  const is_open = operation.says.security?.length === 0;
  if (!is_open) {
    refused(401, {as: null, check: x => x.headers.get('www-authenticate') === 'Bearer'});
    refused(401, {headers: {Authorization: 'Bearer nonsense'}, as: null});
  }
  if (operation.method !== 'GET' && !is_open)
    refused(403, {as: 'viewer'});
  refused(403, {headers: {Origin: 'https://example.org'}});
  refused(400, {query: 'a=%zz'});
  refused(415, {headers: {'Content-Encoding': 'gzip'}});
  if (operation.says.requestBody?.content['application/json']) {
    refused(400, {type: 'application/json', text: '{"a": '});
    refused(413, {type: 'application/json', announces: 2 ** 30});
    refused(415, {type: 'text/plain', text: '{}'});
    refused(422, {type: 'application/json', text: '{"unheard_of": 1}'});
  } else if (operation.says.requestBody && !operation.says.requestBody.content['*/*']) {
    refused(415, {type: 'text/plain', text: '{}'});
  } else if (operation.method !== 'GET' && !operation.says.requestBody) {
    refused(400, {type: 'application/json', text: '{}'});
  }
  if (!is_open || operation.parameters.some(x => x.in === 'query'))
    refused(400, {query: {unheard_of: '1'}});
  if (example[Object.keys(path)[0]])
    refused(404, {});
  return all;
}

const is_work = operation => operation.path.startsWith('/v1/work:');

/** What a change is refused with while it cannot be written down; nothing if it is none. */
export function change_refused(operation, status) {
  const call = {to: operation.name, path: path_of(operation), ...body_of(operation), status, is_wrong: true};
  if (operation.method !== 'GET')
    return is_work(operation) ? [] : [call];
  const cancels = operation.parameters.some(x => x.name === 'on_disconnect');
  return cancels ? [{...call, query: {on_disconnect: 'cancel'}}] : [];
}

/** What is said of a job, which has to be looked up, while too much is read; nothing of others. */
export function reads_refused(operation) {
  const path = path_of(operation);
  return path.job ? [{to: operation.name, path, ...body_of(operation), status: 429}] : [];
}
