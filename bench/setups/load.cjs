// Loads several servers in turn from one process, so that the servers are what limits and that what else the
// machine does meets all of them alike. It costs a fraction of what node:http costs: requests are one prepared
// buffer, responses are told apart by their length, which is always the same.
//
//   node load.cjs '{"targets":[{"port":1,"pid":2,"metricsPort":0}],"rounds":9,"windowMs":500,"connections":32,"rate":0}'
//
// Prints, for each target, what each of its windows showed. Without a rate a connection sends as soon as it was
// answered. With a rate, requests per second, they are due by the clock, and latency counts from when they were due.
// The server's CPU time is read around the window. A target with a metrics port is scraped once in each second of
// its load.
const { once } = require('node:events');
const { readdirSync, readFileSync } = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { createHistogram } = require('node:perf_hooks');

const { targets, rounds, windowMs, connections, rate } = JSON.parse(process.argv[2]);

/** A connection that sends when it is told and tells when it was answered. */
async function connect(port, onAnswer) {
  const request = Buffer.from(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  const socket = net.connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  let expected = 0;
  let received = 0;
  let due = 0;
  const send = at => {
    due = at;
    received = 0;
    socket.write(request);
  };
  socket.on('data', chunk => {
    if (expected === 0) expected = chunk.length;
    received += chunk.length;
    if (received < expected) return;
    if (received > expected || !chunk.includes('"world"}')) throw new Error(`unexpected response: ${chunk}`);
    onAnswer(send, due);
  });
  socket.on('close', () => {
    throw new Error('the server closed a connection');
  });
  return send;
}

/** Nanoseconds that the threads of the process ran. */
function cpuNanoseconds(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .map(task => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((total, ns) => total + ns, 0);
}

/** Keeps its connections, as Prometheus does, and asks for what Prometheus asks for. */
const agent = new http.Agent({ keepAlive: true });
const headers = { accept: 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'accept-encoding': 'gzip' };

async function scrape(port) {
  const request = http.get({ port, host: '127.0.0.1', path: '/metrics', agent, headers });
  const [response] = await once(request, 'response');
  if (response.statusCode !== 200) throw new Error(`scrape answered ${response.statusCode}`);
  await once(response.resume(), 'end');
}

async function open({ port, pid, metricsPort }) {
  const latency = createHistogram();
  /** Connections that wait for work, and the due times of requests that wait for a connection. */
  const idle = [];
  const late = [];
  let running = false;
  let answered = 0;
  let sinceScrape = Infinity;
  const onAnswer = (send, due) => {
    const now = performance.now();
    latency.record(Math.max(1, Math.round((now - due) * 1000)));
    answered++;
    if (rate === 0 && running) send(now);
    else if (late.length > 0) send(late.shift());
    else idle.push(send);
  };
  for (let i = 0; i < connections; i++) idle.push(await connect(port, onAnswer));

  return async () => {
    latency.reset();
    answered = 0;
    running = true;
    const cpuBefore = cpuNanoseconds(pid);
    const begin = performance.now();
    let elapsed = 0;
    let scraped;
    if (metricsPort !== 0 && sinceScrape >= 1000) {
      scraped = scrape(metricsPort);
      sinceScrape = 0;
    }
    sinceScrape += windowMs;
    if (rate === 0) {
      for (const send of idle.splice(0)) send(begin);
      await new Promise(resolve => setTimeout(resolve, windowMs));
    } else {
      for (let sent = 0; elapsed < windowMs; elapsed = performance.now() - begin) {
        for (; (sent * 1000) / rate <= elapsed; sent++) {
          const due = begin + (sent * 1000) / rate;
          if (idle.length > 0) idle.pop()(due);
          else late.push(due);
        }
        await new Promise(setImmediate);
      }
    }
    running = false;
    await scraped;
    while (idle.length < connections) await new Promise(setImmediate);
    const seconds = (performance.now() - begin) / 1000;
    return {
      requestsPerSecond: answered / seconds,
      cpuMicroseconds: (cpuNanoseconds(pid) - cpuBefore) / 1000 / answered,
      p99Microseconds: latency.percentile(99),
    };
  };
}

async function main() {
  const opened = [];
  for (const target of targets) opened.push({ window: await open(target), results: [] });
  for (let round = 0; round < rounds; round++) {
    for (const { window, results } of opened) results.push(await window());
  }
  process.stdout.write(JSON.stringify(opened.map(({ results }) => results)), () => process.exit(0));
}

void main();
