import { join } from 'node:path';
import type { TieredCache } from 'otel-vitals/toolkit/cache';
import { WorkerPool } from 'otel-vitals/toolkit/worker-pool';
import type { Product, Products } from '../repositories/products';
import type { IndexedProduct, SimilarityIndex, SimilarityRequest, SimilarProduct } from './similarity';

/** A product that customers of another may like, and how like it is, from 0 to 1. */
export interface Similar extends Product {
  readonly score: number;
}

/** Recommendations, worked out on threads: comparing one product with all takes too long for the event loop. */
export interface Recommender {
  readonly threads: RecommendationThreads;
  /** Reads the catalogue, which the first who asks would otherwise wait for. */
  warmUp(): Promise<unknown>;
  /** At most {@link mostRecommendations}, best first. */
  similarTo(productId: number): Promise<readonly Similar[]>;
}

/** The threads that compare products. */
export type RecommendationThreads = WorkerPool<
  readonly IndexedProduct[] | SimilarityRequest,
  SimilarityIndex | SimilarProduct[]
>;

/** Recommendations that are worked out and kept for each product. */
export const mostRecommendations = 20;

/** How old the index over the catalogue may become. */
const indexMs = 3_600_000;

/** The threads' part as it was built: beside the shop where that was built too. */
const built = __filename.endsWith('.ts') ? join(__dirname, '..', '..', 'dist', 'mall') : __dirname;

/** Recommends by what products are called, described and cost. */
export function createRecommender(products: Products, cache: TieredCache<readonly Similar[]>): Recommender {
  const threads: RecommendationThreads = new WorkerPool({
    name: 'recommendations',
    file: join(built, 'similarity.js'),
    max: 2,
    maxQueue: 200,
    queueTimeoutMs: 2000,
    runTimeoutMs: 5000,
  });
  let index: Promise<SimilarityIndex> | undefined;
  let builtAt = 0;
  const currentIndex = (): Promise<SimilarityIndex> => {
    if (index !== undefined && Date.now() - builtAt < indexMs) return index;
    builtAt = Date.now();
    const fresh = products
      .all()
      .then(all => threads.run(all, { handler: 'buildIndex' }) as Promise<SimilarityIndex>);
    index = fresh;
    fresh.catch(() => {
      if (index === fresh) index = undefined;
    });
    return fresh;
  };
  const workOut = async (productId: number): Promise<readonly Similar[]> => {
    const request = { index: await currentIndex(), productId, limit: mostRecommendations };
    const similar = (await threads.run(request, { handler: 'findSimilar' })) as SimilarProduct[];
    const found = await products.named(similar.map(({ id }) => id));
    return similar.flatMap(({ id, score }) => {
      const product = found.get(id);
      return product === undefined ? [] : [{ ...product, score }];
    });
  };
  return {
    threads,
    warmUp: currentIndex,
    similarTo: productId => cache.getOrLoad(String(productId), () => workOut(productId)),
  };
}
