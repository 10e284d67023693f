// What the OpenAPI page says, and whether an answer is what it says.
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const methods = ['get', 'put', 'post', 'delete', 'patch'];

const pointer = parts => parts.map(x => encodeURIComponent(x.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

/**
 * Refuses members that an answer's schema does not name: what the page does not tell must not be
 * there. An open object says so by `additionalProperties`.
 */
function close(schema, part_of_all = false) {
  if (Array.isArray(schema))
    return schema.forEach(x => close(x, part_of_all));
  if (typeof schema !== 'object' || schema === null)
    return;
  for (const word of ['properties', '$defs'])
    Object.values(schema[word] ?? {}).forEach(x => close(x));
  for (const word of ['items', 'additionalProperties', 'oneOf', 'anyOf'])
    close(schema[word]);
  close(schema.allOf, true);
  if (!part_of_all && (schema.properties || schema.$ref || schema.allOf))
    schema.unevaluatedProperties = false;
}

/** The members of a schema that others refer to are closed where they are referred to. */
function close_page(page) {
  for (const schema of Object.values(page.components.schemas))
    close(schema, true);
  for (const path of Object.values(page.paths))
    for (const method of methods)
      for (const response of Object.values(path[method]?.responses ?? {}))
        for (const media of Object.values(response.content ?? {}))
          close(media.schema);
  for (const response of Object.values(page.components.responses ?? {}))
    for (const media of Object.values(response.content ?? {}))
      close(media.schema);
}

/** What any route may answer, so that the page names it once, as `default`. */
const of_every_route = new Set([404, 405, 408, 431, 500, 501]);

/** A compressed body is refused also where there should be none, or where its type is free. */
function may_be_default(operation, status) {
  const takes = Object.keys(operation.says.requestBody?.content ?? {});
  return of_every_route.has(status) || (status === 415 && takes.every(x => x === '*/*'));
}

const media_type = value => (value ?? '').split(';')[0].trim();

export class api_page {
  constructor(page) {
    this.page = page;
    close_page(page);
    this.ajv = new Ajv({strict: false, allErrors: true});
    formats(this.ajv);
    this.ajv.addSchema(page, 'page');
  }

  /** Every operation: its name, path, method, and what the page says of it. */
  operations() {
    return Object.entries(this.page.paths).flatMap(([path, item]) =>
      methods.filter(method => item[method]).map(method => {
        const says = item[method];
        const parameters = [...(item.parameters ?? []), ...(says.parameters ?? [])].map(x => this.resolve(x));
        const at = ['paths', path, method];
        return {name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, says, parameters, at};
      }));
  }

  resolve(x) {
    return x.$ref ? x.$ref.slice(2).split('/').reduce((at, key) => at[key], this.page) : x;
  }

  /** What is wrong with a value by the schema at this place. */
  errors_at(parts, value) {
    const check = this.ajv.getSchema(`page#/${pointer(parts)}`);
    if (!check)
      return [`there is no schema at ${parts.join(' ')}`];
    return check(value) ? [] : check.errors.map(x => `${x.instancePath || '/'} ${x.message} ${JSON.stringify(x.params)}`);
  }

  /** The place of a response, and its name there: a status, or `default`. */
  response_of(operation, status) {
    const key = operation.says.responses[status] ? String(status) : 'default';
    let at = [...operation.at, 'responses', key];
    const found = operation.says.responses[key];
    if (found?.$ref)
      at = found.$ref.slice(2).split('/');
    return found && {key, at, says: this.resolve(found)};
  }

  /** What is wrong with an answer: `{status, headers, text}`. */
  wrong_with(operation, answer) {
    const response = this.response_of(operation, answer.status);
    if (!response)
      return [`the page does not name the status ${answer.status}`];
    if (response.key === 'default' && !may_be_default(operation, answer.status))
      return [`the page names the status ${answer.status} only as \`default\``];
    return [...this.wrong_headers(response, answer), ...this.wrong_body(response, answer)];
  }

  wrong_headers(response, answer) {
    const wrong = answer.headers.get('x-request-id') ? [] : ['there is no X-Request-Id'];
    for (const [name, reference] of Object.entries(response.says.headers ?? {})) {
      const header = this.resolve(reference), value = answer.headers.get(name);
      if (value === null && header.required)
        wrong.push(`there is no ${name}`);
      if (value !== null && !this.ajv.validate(header.schema, header.schema.type === 'integer' ? Number(value) : value))
        wrong.push(`${name}: ${value} is not ${JSON.stringify(header.schema)}`);
    }
    return wrong;
  }

  wrong_body(response, answer) {
    const content = response.says.content ?? {};
    if (Object.keys(content).length === 0)
      return answer.text === '' ? [] : ['there is a body, though the page has none'];
    const type = media_type(answer.headers.get('content-type'));
    if (!content[type])
      return [`the type ${type} is not one of ${Object.keys(content)}`];
    const at = [...response.at, 'content', type, 'schema'];
    try {
      return values_of(type, answer.text).flatMap(x => this.errors_at(at, x));
    } catch (error) {
      return [`the body is no ${type}: ${error.message}`];
    }
  }

  /** What is wrong with a body that the node takes. */
  wrong_request(operation, type, text) {
    if (operation.says.requestBody?.content['*/*'])
      return [];
    if (!operation.says.requestBody?.content[type])
      return [`the page names no body of the type ${type}`];
    const at = [...operation.at, 'requestBody', 'content', type, 'schema'];
    return values_of(type, text).flatMap(x => this.errors_at(at, x));
  }
}

/** The values that a body holds. */
function values_of(type, text) {
  if (type.endsWith('json') && !type.endsWith('ndjson'))
    return [JSON.parse(text)];
  if (type.endsWith('ndjson'))
    return text.split('\n').filter(x => x.trim()).map(x => JSON.parse(x));
  return [text];
}
