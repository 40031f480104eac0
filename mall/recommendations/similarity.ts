/** A product as the index reads it. */
export interface IndexedProduct {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly priceCents: number;
}

/** The words of all products, weighted: product `p` has those from `starts[p]` to `starts[p + 1]`. In shared memory. */
export interface SimilarityIndex {
  readonly ids: Uint32Array;
  /** Products of one name have one number. */
  readonly names: Uint32Array;
  readonly prices: Float32Array;
  readonly starts: Uint32Array;
  readonly terms: Uint32Array;
  readonly weights: Float32Array;
  readonly termCount: number;
}

/** A product that is like another, from 0 to 1. */
export interface SimilarProduct {
  readonly id: number;
  readonly score: number;
}

/** What a thread is asked. */
export interface SimilarityRequest {
  readonly index: SimilarityIndex;
  readonly productId: number;
  readonly limit: number;
}

/** The share of the score that is how near the prices are. */
const priceShare = 0.2;
const nameWeight = 3;
const categoryWeight = 4;

function shared<T>(type: new (buffer: SharedArrayBuffer) => T, length: number): T {
  return new type(new SharedArrayBuffer(length * 4));
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z]{3,}/g) ?? [];

/** Weighs the words of each product by how rare they are (tf-idf), each product's weights of length 1. */
export function buildIndex(products: readonly IndexedProduct[]): SimilarityIndex {
  const termOf = new Map<string, number>();
  const seenIn: number[] = [];
  const counted = products.map(({ name, description, category }) => {
    const counts = new Map<number, number>();
    const count = (word: string, weight: number): void => {
      const term = termOf.get(word) ?? termOf.size;
      termOf.set(word, term);
      if (!counts.has(term)) seenIn[term] = (seenIn[term] ?? 0) + 1;
      counts.set(term, (counts.get(term) ?? 0) + weight);
    };
    for (const word of wordsOf(description)) count(word, 1);
    for (const word of wordsOf(name)) count(word, nameWeight);
    count(`category ${category}`, categoryWeight);
    return counts;
  });
  const size = counted.reduce((sum, counts) => sum + counts.size, 0);
  const index: SimilarityIndex = {
    ids: shared(Uint32Array, products.length),
    names: shared(Uint32Array, products.length),
    prices: shared(Float32Array, products.length),
    starts: shared(Uint32Array, products.length + 1),
    terms: shared(Uint32Array, size),
    weights: shared(Float32Array, size),
    termCount: termOf.size,
  };
  const names = new Map<string, number>();
  let at = 0;
  for (const [place, { id, name, priceCents }] of products.entries()) {
    index.ids[place] = id;
    index.prices[place] = Math.log(Math.max(1, priceCents));
    if (!names.has(name)) names.set(name, names.size);
    index.names[place] = names.get(name)!;
    const weights = [...counted[place]!].map(
      ([term, count]) => [term, count * Math.log(1 + products.length / seenIn[term]!)] as const,
    );
    const length = Math.hypot(...weights.map(([, weight]) => weight));
    for (const [term, weight] of weights) {
      index.terms[at] = term;
      index.weights[at++] = weight / length;
    }
    index.starts[place + 1] = at;
  }
  return index;
}

/** The products most like one, none of the same name as it or as another of them; none where it is not in the index. */
export function findSimilar({ index, productId, limit }: SimilarityRequest): SimilarProduct[] {
  const { ids, names, prices, starts, terms, weights, termCount } = index;
  const target = ids.indexOf(productId);
  if (target < 0) return [];
  const wanted = new Float32Array(termCount);
  for (let at = starts[target]!; at < starts[target + 1]!; at++) wanted[terms[at]!] = weights[at]!;
  const scores = new Float32Array(ids.length);
  for (let place = 0; place < ids.length; place++) {
    let cosine = 0;
    for (let at = starts[place]!; at < starts[place + 1]!; at++) cosine += wanted[terms[at]!]! * weights[at]!;
    const near = Math.exp(-Math.abs(prices[place]! - prices[target]!));
    scores[place] = (1 - priceShare) * cosine + priceShare * near;
  }
  const best = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const taken = new Set([names[target]]);
  const similar: SimilarProduct[] = [];
  for (const place of best) {
    if (similar.length === limit) break;
    if (taken.has(names[place])) continue;
    taken.add(names[place]);
    similar.push({ id: ids[place]!, score: Math.round(scores[place]! * 1000) / 1000 });
  }
  return similar;
}
