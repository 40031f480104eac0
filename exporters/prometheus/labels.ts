import type { Attributes } from '@opentelemetry/api';
import { labelName } from './names';

/** How the attributes of one set of keys become labels: worked out once per set of keys, not per series. */
interface Plan {
  readonly keys: readonly string[];
  readonly labels: readonly PlannedLabel[];
}

interface PlannedLabel {
  /** Written before the value: as the first label, and as a later one. */
  readonly first: string;
  readonly later: string;
  readonly key: string;
  /** All keys that become this label, sorted; `undefined` for the usual one. */
  readonly keys: readonly string[] | undefined;
}

/** Sets of keys remembered; a service has dozens. Past that they are worked out anew. */
const maxPlans = 64;

const needsEscape = /[\\"\n\ud800-\udfff]/;

/** Writes attributes as label text without braces, as `code="200",method="GET"`. */
export type LabelWriter = (attributes: Attributes) => string;

/**
 * Makes a writer of label text.
 *
 * Labels are sorted by name, so that equal sets give equal text. Attributes whose names become the same label are
 * joined with `;` in the order of their names. An empty value is left out: to Prometheus it is no label.
 *
 * @param reserved label names that the exposition itself writes (`le` on a histogram); an attribute of that name
 * becomes `exported_<name>`, as Prometheus does with a target's own `job`, because a label given twice makes
 * Prometheus refuse the whole scrape
 */
export function createLabelWriter(reserved: ReadonlySet<string>): LabelWriter {
  let plans: Plan[] = [];
  let last: Plan | undefined;

  const planFor = (keys: readonly string[]): Plan => {
    if (last !== undefined && sameKeys(last.keys, keys)) return last;
    let plan = plans.find(known => sameKeys(known.keys, keys));
    if (plan === undefined) {
      plan = makePlan(keys, reserved);
      if (plans.length >= maxPlans) plans = [];
      plans.push(plan);
    }
    last = plan;
    return plan;
  };

  return attributes => {
    const { labels } = planFor(Object.keys(attributes));
    let text = '';
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      const raw = label.keys === undefined ? attributes[label.key] : joined(attributes, label.keys);
      const value = typeof raw === 'string' ? escapeLabelValue(raw) : otherValue(raw);
      if (value === '') continue;
      text += `${text === '' ? label.first : label.later}${value}"`;
    }
    return text;
  };
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function makePlan(keys: readonly string[], reserved: ReadonlySet<string>): Plan {
  const byName = new Map<string, string[]>();
  for (const key of [...keys].sort()) {
    const plain = labelName(key);
    const name = reserved.has(plain) ? `exported_${plain}` : plain;
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [key]);
    else same.push(key);
  }
  const labels = [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, from]) => ({
      first: `${name}="`,
      later: `,${name}="`,
      key: from[0]!,
      keys: from.length > 1 ? from : undefined,
    }));
  return { keys: [...keys], labels };
}

function joined(attributes: Attributes, keys: readonly string[]): string {
  return keys.map(key => plainText(attributes[key])).join(';');
}

/** Escapes a label value; both formats escape alike. A lone surrogate, which UTF-8 cannot carry, becomes U+FFFD. */
export function escapeLabelValue(value: string): string {
  if (!needsEscape.test(value)) return value;
  return wellFormed(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** The text with lone surrogates replaced. */
export function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

function otherValue(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean'
    ? `${value}`
    : escapeLabelValue(plainText(value));
}

/** Any attribute value as text: lists and maps as JSON, as the specification has it for attributes. */
function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  if (typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    // A cycle, or a toJSON that throws: not a value that OpenTelemetry allows, but no reason to fail a scrape.
    return '';
  }
}
