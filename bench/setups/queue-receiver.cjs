// Receives as many messages as it is told to, from a queue or from its port, and says when it has them.
const { parentPort, workerData } = require('node:worker_threads');
const { LockFreeQueue } = require('otel-vitals/toolkit/lock');

const queue = new LockFreeQueue(workerData);
let left = 0;
let wanted = 0;

parentPort.on('message', message => {
  if (message?.receive === 'queue') {
    let count = 0;
    while (count < message.messages) {
      queue.dequeueSync();
      count++;
    }
    parentPort.postMessage(count);
  } else if (message?.receive === 'port') {
    left = wanted = message.messages;
  } else if (--left === 0) {
    parentPort.postMessage(wanted);
  }
});
parentPort.postMessage('ready');
