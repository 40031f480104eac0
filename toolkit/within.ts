/**
 * What `work` gives, or the rejection with what `late` makes when that takes longer than `ms`. Work that ends later is
 * let go, and its failure is no unhandled rejection. What `work` throws is a rejection too.
 */
export function within<T>(work: () => T | PromiseLike<T>, ms: number, late: () => unknown): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    const settle = (): void => clearTimeout(timer);
    new Promise<T>(done => done(work())).then(resolve, reject).finally(settle);
  });
}
