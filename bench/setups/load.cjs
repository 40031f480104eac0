// Loads a server from its own process, so that the server is what limits. It costs a fraction of what node:http
// costs: requests are one prepared buffer, responses are told apart by their length, which is always the same.
//
//   node load.cjs '{"port":1,"pid":2,"ms":1000,"connections":16,"rate":0,"metricsPort":0}'
//
// Without a rate each connection sends as soon as it was answered. With a rate, requests per second, they are due
// by the clock, and latency counts from when they were due. The pid's CPU time is read around the window. With a
// metrics port, /metrics is scraped at the beginning and then once a second, as Prometheus would.
const { once } = require('node:events');
const { readdirSync, readFileSync } = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { createHistogram } = require('node:perf_hooks');

const { port, pid, ms, connections, rate, metricsPort } = JSON.parse(process.argv[2]);
const request = Buffer.from(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
const latency = createHistogram();
/** Connections that wait for work, and, with a rate, the times when requests without a connection were due. */
const idle = [];
const late = [];
let responseBytes = 0;
let answered = 0;
let scrapes = 0;
let running = true;

async function connect() {
  const socket = net.connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  let received = 0;
  let due = 0;
  const send = at => {
    due = at;
    received = 0;
    socket.write(request);
  };
  socket.on('data', chunk => {
    if (responseBytes === 0) responseBytes = chunk.length;
    received += chunk.length;
    if (received < responseBytes) return;
    if (received > responseBytes || !chunk.includes('{"hello":"world"}'))
      throw new Error(`unexpected response: ${chunk}`);
    latency.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
    answered++;
    if (rate === 0 && running) send(performance.now());
    else if (late.length > 0) send(late.shift());
    else idle.push(send);
  });
  socket.on('close', () => {
    if (running) throw new Error('the server closed a connection');
  });
  idle.push(send);
  return socket;
}

/** Nanoseconds that the threads of the process ran. */
function cpuNanoseconds() {
  return readdirSync(`/proc/${pid}/task`)
    .map(task => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((total, ns) => total + ns, 0);
}

function scrape() {
  http
    .get({ port: metricsPort, host: '127.0.0.1', path: '/metrics', agent: false }, response => {
      if (response.statusCode !== 200) throw new Error(`scrape answered ${response.statusCode}`);
      response.resume().on('end', () => scrapes++);
    })
    .on('error', error => {
      if (running) throw error;
    });
}

async function main() {
  const sockets = await Promise.all(Array.from({ length: connections }, connect));
  const cpuBefore = cpuNanoseconds();
  const begin = performance.now();
  const timers = [];
  if (metricsPort !== 0) {
    scrape();
    timers.push(setInterval(scrape, 1000));
  }
  if (rate === 0) for (const send of idle.splice(0)) send(begin);
  else {
    let sent = 0;
    const pump = () => {
      for (const now = performance.now(); begin + (sent * 1000) / rate <= now; sent++) {
        const due = begin + (sent * 1000) / rate;
        if (idle.length > 0) idle.pop()(due);
        else late.push(due);
      }
      if (running) setImmediate(pump);
    };
    pump();
  }
  await new Promise(resolve => setTimeout(resolve, ms));
  running = false;
  const seconds = (performance.now() - begin) / 1000;
  const cpuMicroseconds = (cpuNanoseconds() - cpuBefore) / 1000;
  timers.forEach(clearInterval);
  for (const socket of sockets) socket.destroy();
  console.log(
    JSON.stringify({
      requestsPerSecond: answered / seconds,
      cpuMicroseconds: cpuMicroseconds / answered,
      p50: latency.percentile(50),
      p99: latency.percentile(99),
      scrapes,
    }),
  );
  process.exit(0);
}

void main();
