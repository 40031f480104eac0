import { Pool } from 'tarn';

type Options<C> = ConstructorParameters<typeof Pool<C>>[0];
type Waiting<C> = ReturnType<Pool<C>['acquire']>;

/**
 * tarn's pool with what it lacks: a bound of idle resources, removal of a dead one, an error that reaches one waiting
 * caller for each failed creation, and fairness: whatever comes, from a validation, a creation or a release, goes to
 * who has waited longest. tarn validates for one caller, who falls behind others when the resource is dead. Uses its
 * protected fields, so its version is pinned to patches.
 */
export class TarnPool<C extends object> extends Pool<C> {
  readonly #rejected = new WeakSet<Waiting<C>>();

  readonly #isFit: (resource: C) => boolean;
  readonly #onDestroy: (resource: C) => void;
  /** Resources that are being validated; they are among the used ones. */
  #validating = 0;

  /**
   * @param isFit whether a free resource can be handed out without being validated
   * @param onDestroy called at once for each that leaves the pool, to be destroyed
   */
  constructor(options: Options<C>, isFit: (resource: C) => boolean, onDestroy: (resource: C) => void) {
    // tarn's own propagation rejects the first waiting caller again and again when several creations fail at once.
    super({ ...options, propagateCreateError: false });
    this.#isFit = isFit;
    this.#onDestroy = onDestroy;
  }

  /** A free resource that need not be validated, if nobody waits for it: it is used from now on. */
  acquireNow(): C | undefined {
    if (this.pendingAcquires.length > 0) return undefined;
    return this.#takeFit();
  }

  /** Serves those who wait, and begins what has to be done for the others. */
  override _tryAcquireOrCreate(): void {
    if (this.destroyed || this.pendingAcquires.length === 0) return;
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      const resource = this.#takeFit();
      if (resource === undefined) break;
      this.pendingAcquires.shift();
      first.resolve(resource);
    }
    while (this.free.length > 0 && this.#validating < this.pendingAcquires.length) this.#validate();
    while (this._shouldCreateMoreResources()) this._doCreate();
  }

  override _shouldCreateMoreResources(): boolean {
    return (
      this.used.length + this.pendingCreates.length < this.max &&
      this.pendingCreates.length + this.#validating < this.pendingAcquires.length
    );
  }

  override _destroy(resource: C): ReturnType<Pool<C>['_destroy']> {
    this.#onDestroy(resource);
    return super._destroy(resource);
  }

  /** Who has waited longest. */
  #first(): Waiting<C> | undefined {
    for (;;) {
      const [first] = this.pendingAcquires;
      if (first === undefined || !(first.isRejected || this.#rejected.has(first))) return first;
      // It was failed in this turn, and tarn takes it out in the next: what it is given would be lost.
      this.pendingAcquires.shift();
    }
  }

  /** Validates a free resource, for nobody in particular. */
  #validate(): void {
    const one = this.free.pop()!;
    this.#validating++;
    this.used.push(one);
    const end = (alive: boolean): void => {
      this.#validating--;
      const index = this.used.indexOf(one);
      // The pool may have been closed over it.
      if (index < 0) return;
      const first = alive && !this.destroyed ? this.#first() : undefined;
      if (first === undefined) {
        this.used.splice(index, 1);
        if (alive) this.free.push(one.resolve());
        else {
          one.settle();
          void this._destroy(one.resource);
        }
      } else {
        this.pendingAcquires.shift();
        this._startReaping();
        first.resolve(one.resource);
      }
      this._tryAcquireOrCreate();
    };
    this._validateResource(one.resource).then(end, () => end(false));
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
    return Math.max(0, this.pendingAcquires.length - this.pendingCreates.length - this.#validating);
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
    for (const waiting of [...this.pendingAcquires]) this.rejectOne(waiting, error);
  }

  rejectOne(waiting: Waiting<C>, error: unknown): void {
    this.#rejected.add(waiting);
    waiting.reject(error as Error);
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
