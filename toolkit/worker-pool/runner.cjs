// Loaded by Piscina in each thread of a WorkerPool, between it and the application's file: for Piscina a task that throws
// null has completed, and a result or an error that can't be copied ends the thread. Plain JavaScript, because threads
// load it as it is. What it does not know of, such as results to be moved, goes through it untouched.
const { pathToFileURL } = require('node:url');
const { MessagePort } = require('node:worker_threads');

/** Marks what stands for a result or an error that can't be sent; thread.ts reads it. */
const mark = 'otel-vitals.task';

/** The function that a file exports by this name; undefined where it is none. */
async function load(file, name) {
  try {
    const exports = require(file);
    const found = await (name === 'default' && !exports?.__esModule ? exports : exports[name]);
    if (typeof found === 'function') return found;
  } catch {
    // It is an ES module, or one that fails: which, importing it tells.
  }
  const found = await (await import(pathToFileURL(file).href))[name];
  return typeof found === 'function' ? found : undefined;
}

/** What is thrown instead of an error that is none, or can't be copied. */
function sendable(error) {
  try {
    if (error !== null && error !== undefined && structuredClone(error) !== undefined) return error;
  } catch {
    // See below.
  }
  return { [mark]: 'threw', text: describe(error) };
}

function describe(value) {
  try {
    return value instanceof Error ? `${value.name}: ${value.message}` : String(value);
  } catch {
    return typeof value;
  }
}

async function handlerOf(file, name) {
  let run;
  try {
    run = await load(file, name);
  } catch (error) {
    // The thread ends with it, which is how the pool hears that its file does not load.
    queueMicrotask(() => {
      throw error;
    });
    return new Promise(() => {});
  }
  if (run === undefined) {
    run = () => {
      throw new TypeError(`Expected ${file} to export a function as "${name}"`);
    };
  }
  // Not an async function: most results are there at once, and Piscina waits for those that are not.
  return input => {
    try {
      const result = run(input);
      return typeof result?.then === 'function' ? Promise.resolve(result).catch(rethrow) : result;
    } catch (error) {
      return rethrow(error);
    }
  };
}

function rethrow(error) {
  throw sendable(error);
}

// To find out beforehand whether a result can be copied would take a copy of it.
const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (message, transfer) {
  try {
    return postMessage.call(this, message, transfer);
  } catch (error) {
    const isResult = typeof message?.taskId === 'number' && 'result' in message && message.error === null;
    if (!isResult) throw error;
    return postMessage.call(this, {
      ...message,
      result: null,
      error: { [mark]: 'result', text: error.message },
    });
  }
};

// Piscina asks for an export by the name that it is given, which here says the file and the name of its export.
module.exports = new Proxy(
  {},
  {
    get(_, key) {
      if (key === '__esModule') return true;
      return typeof key === 'string' && key.startsWith('[') ? handlerOf(...JSON.parse(key)) : undefined;
    },
  },
);
