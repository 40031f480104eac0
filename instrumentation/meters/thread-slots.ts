import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/**
 * Where worker threads leave their figures for the main thread: shared memory that every worker inherits through
 * its environment data. No message is sent, so neither side is woken.
 */
export const slotCount = 128;
export const reportIntervalMs = 5000;

/** Whoever has not reported for this long computes, or is gone; its slot goes to another when there is no other left. */
export const staleMs = 3 * reportIntervalMs + 1000;

const key = 'otel-vitals.threads';
const nameBytes = 64;
/** Per slot: time of the report, heap in use, utilization, thread id; all of eight bytes. */
const numbers = 4;
const slotBytes = numbers * 8 + nameBytes;

export interface ThreadReport {
  readonly slot: number;
  readonly threadId: number;
  /** Empty where the worker has none, or its Node.js does not tell. */
  readonly name: string;
  readonly heapUsed: number;
  /** Not a number until the worker has been measured over one interval. */
  readonly utilization: number;
  /** Whether the last report is older than it should be: the worker computes, or is gone. */
  readonly stale: boolean;
}

/**
 * The name that the application gave a worker, or `''`: Node.js tells it since 22.20 and 24.6, on a worker as on the
 * module inside it. It names the others "WorkerThread".
 */
export function threadNameOf(thread: object): string {
  const { threadName } = thread as { threadName?: string | null };
  return threadName == null || threadName === 'WorkerThread' ? '' : threadName;
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

const valuesOf = (memory: SharedArrayBuffer, slot: number): Float64Array =>
  new Float64Array(memory, slot * slotBytes, numbers);
const stampOf = (memory: SharedArrayBuffer, slot: number): BigInt64Array =>
  new BigInt64Array(memory, slot * slotBytes, 1);

/**
 * Takes a free slot for a thread; it is seen from the first {@link writeSlot} on.
 *
 * @returns `undefined` when more threads report than there are slots
 */
export function takeSlot(
  memory: SharedArrayBuffer,
  threadId: number,
  name: string,
  now = Date.now(),
): number | undefined {
  const slot =
    claim(memory, now, before => before === 0) ?? claim(memory, now, before => now - before >= staleMs);
  if (slot === undefined) return undefined;
  const values = valuesOf(memory, slot);
  values[1] = 0;
  values[2] = Number.NaN;
  values[3] = threadId;
  // encodeInto refuses shared memory and never splits a character.
  const copy = new Uint8Array(nameBytes);
  new TextEncoder().encodeInto(name, copy);
  new Uint8Array(memory, slot * slotBytes + numbers * 8, nameBytes).set(copy);
  return slot;
}

/** Takes the first slot whose last report is as `free` wants it. */
function claim(
  memory: SharedArrayBuffer,
  now: number,
  free: (reportedAt: number) => boolean,
): number | undefined {
  for (let slot = 0; slot < slotCount; slot++) {
    // The time stamp is a lock: whoever puts its own in place of the one it saw has the slot. Below zero it is taken,
    // and not yet filled.
    const stamp = stampOf(memory, slot);
    const before = Atomics.load(stamp, 0);
    if (!free(Math.abs(Number(before)))) continue;
    if (Atomics.compareExchange(stamp, 0, before, BigInt(-now)) === before) return slot;
  }
  return undefined;
}

/** Leaves a report, unless another thread has taken the slot in the meantime. */
export function writeSlot(
  memory: SharedArrayBuffer,
  slot: number,
  report: { threadId: number; heapUsed: number; utilization: number },
): void {
  const values = valuesOf(memory, slot);
  if (values[3] !== report.threadId) return;
  values[1] = report.heapUsed;
  values[2] = report.utilization;
  Atomics.store(stampOf(memory, slot), 0, BigInt(Date.now()));
}

/** Ends what a thread reported. */
export function freeSlot(memory: SharedArrayBuffer, threadId: number): void {
  for (let slot = 0; slot < slotCount; slot++) {
    const stamp = stampOf(memory, slot);
    if (Atomics.load(stamp, 0) !== 0n && valuesOf(memory, slot)[3] === threadId) Atomics.store(stamp, 0, 0n);
  }
}

/** The threads that have reported and whose slots are not free. */
export function readSlots(memory: SharedArrayBuffer, now = Date.now()): ThreadReport[] {
  const reports: ThreadReport[] = [];
  for (let slot = 0; slot < slotCount; slot++) {
    const stamp = Number(Atomics.load(stampOf(memory, slot), 0));
    if (stamp <= 0) continue;
    const bytes = new Uint8Array(memory, slot * slotBytes + numbers * 8, nameBytes).slice();
    const end = bytes.indexOf(0);
    const [, heapUsed, utilization, threadId] = valuesOf(memory, slot);
    reports.push({
      slot,
      threadId: threadId!,
      name: new TextDecoder().decode(bytes.subarray(0, end === -1 ? nameBytes : end)),
      heapUsed: heapUsed!,
      utilization: utilization!,
      stale: now - stamp >= staleMs,
    });
  }
  return reports;
}
