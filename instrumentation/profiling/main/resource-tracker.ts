import { createHook } from 'node:async_hooks';
import type { Frame } from '../pprof/profile';
import { stackKey } from '../pprof/profile';
import type { TrackedResources } from './active-resources';
import { framesOf, isInternalFrame } from './call-sites';

/** Types of async_hooks that hold the event loop, by the names of `process.getActiveResourcesInfo()`. */
const types: Readonly<Record<string, string>> = {
  Timeout: 'Timeout',
  TCPSERVERWRAP: 'TCPServerWrap',
  TCPWRAP: 'TCPSocketWrap',
  PIPESERVERWRAP: 'PipeWrap',
  PIPEWRAP: 'PipeWrap',
  PROCESSWRAP: 'ProcessWrap',
  TTYWRAP: 'TTYWrap',
  UDPWRAP: 'UDPWrap',
  FSREQCALLBACK: 'FSReqCallback',
  FSREQPROMISE: 'FSReqPromise',
  FILEHANDLE: 'FileHandle',
  FSEVENTWRAP: 'FSEventWrap',
  STATWATCHER: 'StatWatcher',
  GETADDRINFOREQWRAP: 'GetAddrInfoReqWrap',
  TCPCONNECTWRAP: 'TCPConnectWrap',
  MESSAGEPORT: 'MessagePort',
  WORKER: 'Worker',
};
/** Resources remembered at once; what comes past them counts without its place. */
const maxTracked = 100_000;
const maxFrames = 32;

/** A timer; the second field is Node.js's own, and says that it has fired or was cleared. */
interface Timer {
  hasRef?(): boolean;
  readonly _destroyed?: boolean;
}

interface Resource {
  holder: { stack?: unknown };
  readonly type: string;
  /** Of a timer, until it is destroyed. */
  readonly timer: Timer | undefined;
  place: Place | undefined;
}

interface Place {
  readonly type: string;
  readonly frames: readonly Frame[];
  count: number;
}

/**
 * Notes where each resource is made. Costs every one of them a stack, and every promise of the application a call,
 * because Node.js has no hook for the one without the other: for looking for a leak, not for every day.
 */
export function trackResources(): TrackedResources & { stop(): void } {
  const places = new Map<string, Place>();
  const alive = new Map<number, Resource>();

  const hook = createHook({
    init(asyncId, asyncType, _, resource) {
      const type = types[asyncType];
      if (type === undefined || alive.size >= maxTracked) return;
      // By Reflect, which does not throw where intrinsics are frozen.
      const limit = Error.stackTraceLimit;
      const holder: { stack?: unknown } = {};
      Reflect.set(Error, 'stackTraceLimit', maxFrames);
      Error.captureStackTrace(holder);
      Reflect.set(Error, 'stackTraceLimit', limit);
      const timer = type === 'Timeout' ? (resource as Timer) : undefined;
      alive.set(asyncId, { holder, type, timer, place: undefined });
    },
    destroy(asyncId) {
      alive.delete(asyncId);
    },
  }).enable();

  /** Stacks are read when somebody asks, and most resources are gone by then. */
  const placeOf = (holder: { stack?: unknown }, type: string): Place => {
    const frames = applicationFrames(framesOf(holder));
    const key = `${type}\0${stackKey({ frames })}`;
    const place = places.get(key) ?? { type, frames, count: 0 };
    places.set(key, place);
    return place;
  };
  return {
    alive() {
      for (const place of places.values()) place.count = 0;
      for (const resource of alive.values()) {
        if (resource.timer !== undefined && !holdsLoop(resource.timer)) continue;
        resource.place ??= placeOf(resource.holder, resource.type);
        resource.place.count++;
        // V8 keeps the functions of a stack alive for as long as it was not read.
        resource.holder = {};
      }
      for (const [key, { count }] of places) if (count === 0) places.delete(key);
      return [...places.values()].map(({ type, frames, count }) => ({ type, created: frames, count }));
    },
    stop() {
      hook.disable();
      alive.clear();
    },
  };
}

/** Those that fired wait for a while to be told of as destroyed, and would count in the place of others. */
function holdsLoop(timer: Timer): boolean {
  return timer._destroyed !== true && timer.hasRef?.() !== false;
}

/** From the application's own code on: what Node.js does to make a timer is the same for all. */
function applicationFrames(frames: readonly Frame[]): readonly Frame[] {
  const first = frames.findIndex((frame, i) => i > 0 && !isInternalFrame(frame));
  return first < 0 ? frames.slice(1) : frames.slice(first);
}
