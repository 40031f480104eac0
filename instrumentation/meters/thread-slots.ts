import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/**
 * Where worker threads leave their figures for the main thread: shared memory that every worker inherits through
 * its environment data. No message is sent, so neither side is woken, and a worker that dies leaves a slot whose
 * time stamp stops.
 */
export const slotCount = 128;
export const reportIntervalMs = 5000;

/** A slot whose worker has not reported for this long is free. */
export const staleMs = 3 * reportIntervalMs + 1000;

const key = 'otel-vitals.threads';
const nameBytes = 64;
/** Per slot: time of the report, heap in use, utilization; all doubles. */
const numbers = 3;
const slotBytes = numbers * 8 + nameBytes;

export interface ThreadReport {
  readonly slot: number;
  readonly name: string;
  readonly heapUsed: number;
  /** Not a number until the worker has been measured over one interval. */
  readonly utilization: number;
}

/** Makes the shared memory; workers started from now on find it. */
export function openSlots(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(slotCount * slotBytes);
  setEnvironmentData(key, memory);
  return memory;
}

/** The memory that the main thread made, or `undefined` where it runs without the agent. */
export function inheritedSlots(): SharedArrayBuffer | undefined {
  const memory = getEnvironmentData(key);
  return memory instanceof SharedArrayBuffer ? memory : undefined;
}

function numbersOf(memory: SharedArrayBuffer, slot: number): Float64Array {
  return new Float64Array(memory, slot * slotBytes, numbers);
}

/**
 * Takes a free slot for this thread.
 *
 * @returns `undefined` when more threads report than there are slots
 */
export function takeSlot(memory: SharedArrayBuffer, name: string, now = Date.now()): number | undefined {
  for (let slot = 0; slot < slotCount; slot++) {
    // The time stamp is a lock: whoever puts its own in place of a free one has the slot.
    const stamps = new BigInt64Array(memory, slot * slotBytes, 1);
    const before = Atomics.load(stamps, 0);
    if (now - Number(before) < staleMs) continue;
    if (Atomics.compareExchange(stamps, 0, before, BigInt(now)) !== before) continue;
    const bytes = new Uint8Array(memory, slot * slotBytes + numbers * 8, nameBytes).fill(0);
    // encodeInto refuses shared memory and never splits a character.
    const copy = new Uint8Array(nameBytes);
    new TextEncoder().encodeInto(name, copy);
    bytes.set(copy);
    return slot;
  }
  return undefined;
}

export function writeSlot(
  memory: SharedArrayBuffer,
  slot: number,
  heapUsed: number,
  utilization: number,
): void {
  const values = numbersOf(memory, slot);
  values[1] = heapUsed;
  values[2] = utilization;
  Atomics.store(new BigInt64Array(memory, slot * slotBytes, 1), 0, BigInt(Date.now()));
}

export function freeSlot(memory: SharedArrayBuffer, slot: number): void {
  Atomics.store(new BigInt64Array(memory, slot * slotBytes, 1), 0, 0n);
}

/** The workers that report. */
export function readSlots(memory: SharedArrayBuffer, now = Date.now()): ThreadReport[] {
  const reports: ThreadReport[] = [];
  for (let slot = 0; slot < slotCount; slot++) {
    const stamp = Number(Atomics.load(new BigInt64Array(memory, slot * slotBytes, 1), 0));
    if (now - stamp >= staleMs) continue;
    const bytes = new Uint8Array(memory, slot * slotBytes + numbers * 8, nameBytes).slice();
    const end = bytes.indexOf(0);
    const name = new TextDecoder().decode(bytes.subarray(0, end === -1 ? nameBytes : end));
    const values = numbersOf(memory, slot);
    reports.push({
      slot,
      name: name === '' ? `worker-${slot}` : name,
      heapUsed: values[1]!,
      utilization: values[2]!,
    });
  }
  return reports;
}
