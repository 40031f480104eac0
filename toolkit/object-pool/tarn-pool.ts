import { Pool } from 'tarn';

type Options<C> = ConstructorParameters<typeof Pool<C>>[0];
type Waiting<C> = ReturnType<Pool<C>['acquire']>;

/**
 * tarn's pool with what it lacks: a bound of idle resources, removal of a dead one, and an error that reaches one
 * waiting caller for each failed creation. Uses its protected fields, so its version is pinned to patches.
 */
export class TarnPool<C extends object> extends Pool<C> {
  readonly #rejected = new WeakSet<Waiting<C>>();

  readonly #isFit: (resource: C) => boolean;

  /** @param isFit whether a free resource can be handed out without being validated */
  constructor(options: Options<C>, isFit: (resource: C) => boolean) {
    // tarn's own propagation rejects the first waiting caller again and again when several creations fail at once.
    super({ ...options, propagateCreateError: false });
    this.#isFit = isFit;
  }

  /** A free resource that need not be validated, if nobody waits for it: it is used from now on. */
  acquireNow(): C | undefined {
    if (this.pendingAcquires.length > 0 || this.pendingValidations.length > 0) return undefined;
    return this.#takeFit();
  }

  /** Hands free resources that need not be validated to those who wait, without the promises of a validation. */
  override _doAcquire(): void {
    while (this.pendingAcquires.length > 0) {
      const first = this.pendingAcquires[0]!;
      // It was failed in this turn, and tarn takes it out in the next: what it is given would be lost.
      const gone = first.isRejected || this.#rejected.has(first);
      const resource = gone ? undefined : this.#takeFit();
      if (!gone && resource === undefined) break;
      this.pendingAcquires.shift();
      if (resource !== undefined) first.resolve(resource);
    }
    super._doAcquire();
  }

  #takeFit(): C | undefined {
    const next = this.free[this.free.length - 1];
    if (next === undefined || !this.#isFit(next.resource)) return undefined;
    this.free.pop();
    this.used.push(next);
    if (this.interval === null) this._startReaping();
    return next.resource;
  }

  /** Whether another caller would have to wait for one that gives back. */
  isFull(): boolean {
    return this.free.length === 0 && this.used.length + this.pendingCreates.length >= this.max;
  }

  /** Callers that no resource under way is for. */
  numQueued(): number {
    return Math.max(0, this.pendingAcquires.length - this.pendingCreates.length);
  }

  /** Takes a resource that is used out of the pool and destroys it; its place is free at once. */
  remove(resource: C): void {
    this.#removeFrom(this.used, resource);
  }

  /** As {@link remove}, for one that is free; one that is being validated is left to that. */
  removeFree(resource: C): void {
    this.#removeFrom(this.free, resource);
  }

  #removeFrom(list: TarnPool<C>['used'], resource: C): void {
    const index = list.findIndex(one => one.resource === resource);
    if (index < 0) return;
    list.splice(index, 1)[0]!.settle();
    void this._destroy(resource);
    this._tryAcquireOrCreate();
  }

  /** Destroys the free resources that were given back first until `most` are left. */
  trim(most: number): void {
    const surplus = this.free.length - most;
    if (surplus <= 0) return;
    for (const one of this.free.splice(0, surplus)) {
      one.settle();
      void this._destroy(one.resource);
    }
  }

  /** Fails the caller that has waited longest. */
  rejectFirst(error: unknown): void {
    const first = this.pendingAcquires.find(waiting => !this.#rejected.has(waiting));
    if (first !== undefined) this.rejectOne(first, error);
  }

  /** Fails every caller that waits. */
  rejectAll(error: unknown): void {
    for (const waiting of [...this.pendingAcquires, ...this.pendingValidations])
      this.rejectOne(waiting, error);
  }

  rejectOne(waiting: Waiting<C>, error: unknown): void {
    this.#rejected.add(waiting);
    waiting.reject(error as Error);
    // tarn sets aside the resource it had meant for this caller without offering it to the next.
    const serveNext = (): void => void setImmediate(() => this._tryAcquireOrCreate());
    waiting.promise.then(undefined, serveNext);
  }

  usedResources(): C[] {
    return this.used.map(({ resource }) => resource);
  }

  /** Nobody listens, and finding that out took tarn a copy of an array for each event. */
  override _executeEventHandlers(): void {}

  override _startReaping(): void {
    super._startReaping();
    // Looking for idle resources is no reason for a process to live.
    this.interval?.unref();
  }
}
