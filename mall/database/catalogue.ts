const kinds: Readonly<Record<string, readonly string[]>> = {
  Kitchen: ['Kettle', 'Frying Pan', 'Knife Set', 'Coffee Grinder', 'Mixing Bowl', 'Toaster'],
  Garden: ['Watering Can', 'Pruning Shears', 'Hose', 'Raised Bed', 'Wheelbarrow', 'Bird Feeder'],
  Office: ['Desk Lamp', 'Notebook', 'Fountain Pen', 'Monitor Stand', 'Desk Chair', 'Whiteboard'],
  Outdoors: ['Tent', 'Sleeping Bag', 'Headlamp', 'Backpack', 'Camping Stove', 'Water Filter'],
  Music: ['Ukulele', 'Metronome', 'Headphones', 'Record Player', 'Keyboard', 'Microphone'],
  'Toys & Games': ['Puzzle', 'Board Game', 'Kite', 'Building Blocks', 'Chess Set', 'Yo-yo'],
  'Bed & Bath': ['Towel', 'Duvet', 'Pillow', 'Bath Mat', 'Linen Set', 'Laundry Basket'],
  Bicycles: ['Bicycle Light', 'Helmet', 'Pannier', 'Pump', 'Saddle', 'Lock'],
};
const qualities = [
  'Classic',
  'Compact',
  'Folding',
  'Heavy-duty',
  'Lightweight',
  'Modular',
  'Quiet',
  'Travel',
];
const materials = ['Aluminium', 'Bamboo', 'Ceramic', 'Cork', 'Cotton', 'Oak', 'Recycled', 'Steel', 'Wool'];
const sentences = [
  'Made to be repaired: every part can be ordered on its own.',
  'Packs flat and fits the smallest cupboard.',
  'Tested for ten years of daily use.',
  'Our customers buy it again for their friends.',
  'Comes with a cloth bag and a manual that is worth reading.',
  'Easy to clean and hard to break.',
  'Designed in a workshop that uses it every day.',
  'A quiet companion that does one thing well.',
];

/** Categories of the seeded shop. */
export const categoryNames: readonly string[] = Object.keys(kinds);

/** A row of the products table, without its category. */
export interface ProductRow {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly price_cents: number;
}

/** The product number `index`, made of words that search finds. */
export function makeProduct(index: number, category: string, random: () => number): ProductRow {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)]!;
  const name = `${pick(qualities)} ${pick(materials)} ${pick(kinds[category]!)}`;
  const text = [pick(sentences), pick(sentences), pick(sentences)].join(' ');
  return {
    sku: `VM-${String(index + 1).padStart(6, '0')}`,
    name,
    description: `${name} for ${category.toLowerCase()}. ${text}`,
    price_cents: 299 + Math.floor(random() * 24_000),
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32, public domain, by Tommy Ettinger). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
