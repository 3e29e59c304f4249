// A stand-in for the server: serves the built page and speaks the part of the API that the page uses, with answers made of
// fixed texts. `state` lets a test make it busy, locked or broken.
//
// usage: node stand_in.mjs SITE [PORT]      to work on the page in a browser
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {candidates, reply, tokenise} from './stand_in_model.mjs';
import {runs} from './stand_in_runs.mjs';

export const POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
const MODELS = ['malssi-base', 'malssi-chat', 'malssi-voice'];
const ADAPTERS = {'malssi-base': ['rhyme']};
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const json = (response, status, value, headers = {}) => {
  response.writeHead(status, {'content-type': 'application/json', ...headers});
  response.end(JSON.stringify(value));
};
const fail = (response, status, message, headers) =>
  json(response, status, {error: {message, type: 'error', param: null, code: null}}, headers);

function file(response, site, url) {
  const name = url === '/' ? 'index.html' : path.normalize(url).replace(/^\/+/, '');
  try {
    const bytes = readFileSync(path.join(site, name));
    response.writeHead(200, {
      'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`,
    });
    response.end(bytes);
  } catch {
    fail(response, 404, `${url} is not here`);
  }
}

// /v1/completions: the prompt is continued in five tokens.
function continueText({prompt, model, logprobs}, response) {
  response.writeHead(200, {'content-type': 'text/event-stream'});
  const send = (choices) => response.write(`data: ${JSON.stringify({object: 'text_completion', model, choices})}\n\n`);
  for (const word of [' and', ' so', ' it', ' goes', ' on']) {
    const told =
      logprobs === undefined
        ? null
        : {
            tokens: [word],
            token_logprobs: [-0.5],
            top_logprobs: [{[word]: -0.5, ' else': -1.5}],
            text_offset: [prompt.length],
          };
    send([{index: 0, text: word, logprobs: told, finish_reason: null}]);
  }
  send([{index: 0, text: '', logprobs: null, finish_reason: 'length'}]);
  response.end('data: [DONE]\n\n');
}

async function chat(state, request, response) {
  if (state.silent && request.logprobs)
    return json(response, 400, {error: {message: 'this model tells no probabilities', param: 'logprobs'}});
  if (state.base && !request.prompt)
    return json(response, 400, {error: {message: `${request.model}: no chat template: it is a base model`}});
  if (request.prompt) return continueText(request, response);
  const {messages, model, logprobs, continue_final_message: continues, max_tokens: longest} = request;
  const text = reply(messages, model, continues);
  let tokens = tokenise(text);
  const cut = longest && tokens.length > longest;
  if (cut) tokens = tokens.slice(0, longest);
  response.writeHead(200, {'content-type': 'text/event-stream'});
  const send = (choice, more = {}) =>
    response.write(
      `data: ${JSON.stringify({object: 'chat.completion.chunk', model, choices: choice ? [{index: 0, ...choice}] : [], ...more})}\n\n`,
    );
  const decoder = new TextDecoder();
  const delay = text.length > 5000 ? 0 : state.delay;
  for (const [i, token] of tokens.entries()) {
    if (response.destroyed) {
      state.left += 1;
      return;
    }
    const content = decoder.decode(token.bytes, {stream: true});
    send({delta: {content}, finish_reason: null, logprobs: logprobs ? {content: [candidates(token, i)]} : null});
    if (state.broken && i > 5) {
      await pause(500); // what was sent is read before the connection is reset, and lost no more
      return response.destroy();
    }
    if (delay || i % 64 === 63) await pause(delay);
  }
  send({delta: {}, finish_reason: cut ? 'length' : 'stop'});
  send(null, {usage: {prompt_tokens: 10, completion_tokens: tokens.length, total_tokens: 10 + tokens.length}});
  response.end('data: [DONE]\n\n');
}

function answer(state, method, url, body, response) {
  if (url.pathname === '/health') return json(response, 200, {status: 'ok'});
  if (state.busy) return fail(response, 429, 'too many requests are waiting', {'retry-after': String(state.busy)});
  if (url.pathname === '/v1/models')
    return json(response, 200, {
      object: 'list',
      data: MODELS.map((id) => ({id, object: 'model', chats: null, adapters: ADAPTERS[id] ?? []})),
    });
  if (url.pathname === '/v1/models/load')
    return json(response, 200, {id: body.model, object: 'model', chats: !state.base});
  if (['/v1/chat/completions', '/v1/completions'].includes(url.pathname)) return void chat(state, body, response);
  if (url.pathname === '/malssi/runs') return json(response, 200, state.runs ? runs.list() : []);
  if (url.pathname.startsWith('/malssi/runs/')) {
    const found = runs.metrics(
      decodeURIComponent(url.pathname.slice('/malssi/runs/'.length)),
      Number(url.searchParams.get('after') ?? -1),
    );
    return found ? json(response, 200, {metrics: found}) : fail(response, 404, 'no such run');
  }
  if (url.pathname === '/malssi/votes' && method === 'GET') return json(response, 200, {kept: state.votes !== null});
  if (url.pathname === '/malssi/votes' && state.votes) {
    state.votes.push(body);
    return json(response, 200, {kept: true});
  }
  return fail(response, 404, `${url.pathname} is not here`);
}

export async function startStandIn(site, port = 0) {
  const state = {
    delay: 4,
    silent: false,
    base: false,
    busy: 0,
    key: '',
    broken: false,
    runs: true,
    votes: null,
    left: 0,
    requests: [],
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = parts.length ? JSON.parse(Buffer.concat(parts).toString()) : {};
      if (url.pathname === '/' || url.pathname.startsWith('/assets/')) return file(response, site, url.pathname);
      state.requests.push({path: url.pathname, body});
      if (state.key && request.headers.authorization !== `Bearer ${state.key}` && url.pathname !== '/health')
        return fail(response, 401, 'a key is needed');
      return answer(state, request.method, url, body, response);
    });
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  server.unref(); // a test that fails before close() ends all the same
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return {state, url: `http://127.0.0.1:${server.address().port}`, port: server.address().port, close, server};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const {url, state, server} = await startStandIn(process.argv[2], Number(process.argv[3] ?? 8080));
  server.ref();
  state.delay = 30;
  console.log(url);
}
