// A service as a user would write it, on the built packages: everything about the mesh comes from its environment. Tests steer it over IPC:
// how the application answers (`behave`), and what it calls through the mesh (`call`).
import { createMesh } from '@heddle/core';

const name = process.env.POD_NAME;
const mesh = await createMesh();

/** `script`: statuses of the next answers, then `status`; `delayMs` before each. */
let behaviour = { status: 200, delayMs: 0, script: [] };
const seen = [];

function application(request, response) {
  const status = behaviour.script.shift() ?? behaviour.status;
  seen.push({ method: request.method, path: request.url, peer: request.mesh?.peer?.spiffeId, status });
  const reply = () => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ servedBy: name, peer: request.mesh?.peer?.spiffeId }));
  };
  request.resume().on('end', () => (behaviour.delayMs > 0 ? setTimeout(reply, behaviour.delayMs) : reply()));
}

async function one({ url, ...init }) {
  const startMs = performance.now();
  try {
    const response = await mesh.fetch(url, init);
    const body = await response.text();
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body,
      servedBy: body.startsWith('{') ? JSON.parse(body).servedBy : undefined,
      info: mesh.responseInfo(response),
      durationMs: performance.now() - startMs,
    };
  } catch (error) {
    return { error: error.code ?? error.name, message: error.message, durationMs: performance.now() - startMs };
  }
}

/** `times` calls, `concurrency` at once. */
async function calls({ times = 1, concurrency = 8, ...request }) {
  const answers = [];
  let active = 0;
  const worker = async () => {
    while (answers.length + active < times) {
      active++;
      const answer = await one(request);
      active--;
      answers.push(answer);
    }
  };

  await Promise.all(Array.from({ length: Math.min(times, concurrency) }, worker));
  return answers;
}

/** Load until it is stopped; answers that are not 200 are kept. */
let load;
function startLoad({ concurrency = 4, ...request }) {
  load = { stop: false, total: 0, failures: [], workers: [] };
  const current = load;
  const worker = async () => {
    while (!current.stop) {
      const answer = await one(request);
      current.total++;
      if (answer.status !== 200) current.failures.push(answer);
    }
  };
  current.workers = Array.from({ length: concurrency }, worker);
}
const loadReport = () => ({ total: load.total, failures: load.failures });

const commands = {
  call: calls,
  behave: (next) => void (behaviour = { status: 200, delayMs: 0, script: [], ...next }),
  seen: () => seen.splice(0),
  status: () => mesh.status(),
  explain: (request) => mesh.explain(request),
  load: startLoad,
  loadSoFar: loadReport,
  stopLoad: async () => {
    load.stop = true;
    await Promise.all(load.workers);
    return loadReport();
  },
};

process.on('message', async ({ id, command, argument }) => {
  try {
    process.send({ id, result: await commands[command](argument) });
  } catch (error) {
    process.send({ id, error: String(error.stack) });
  }
});
// An IPC channel would hold the process: a service is ended by its signal, as in production.
process.channel?.unref();

const port = process.env.TEST_PORT;
if (port !== undefined) await mesh.serve(application, Number(port), { host: process.env.INSTANCE_IP });
else setInterval(() => undefined, 60_000);
process.send({ ready: true });
