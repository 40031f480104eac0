/** Marks an object of the agent itself, so that its meters leave it out; a symbol in the global registry, because
 * the agent's bundles share no module. */
const internal = Symbol.for('otel-vitals.internal');

/** Marks a server or request of the agent's own, which is not the application's to be measured. */
export function markInternal<T extends object>(object: T): T {
  Object.defineProperty(object, internal, { value: true });
  return object;
}

export function isInternal(object: object | null | undefined): boolean {
  return object != null && (object as Record<symbol, unknown>)[internal] === true;
}

const making = Symbol.for('otel-vitals.making');
const scope = globalThis as { [making]?: boolean };

/** Makes a request or thread of the agent's own, which is known as such from its first event on, before it could be marked. */
export function makeInternal<T extends object>(make: () => T): T {
  scope[making] = true;
  try {
    return markInternal(make());
  } finally {
    scope[making] = false;
  }
}

/** Whether a request or thread that is being made in this moment is the agent's own. */
export function isMakingInternal(): boolean {
  return scope[making] === true;
}
