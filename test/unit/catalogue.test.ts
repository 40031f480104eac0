import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as stable from '@opentelemetry/semantic-conventions';
import * as incubating from '@opentelemetry/semantic-conventions/incubating';
import { catalogue } from '../../instrumentation/catalogue';
import { meterNames } from '../../instrumentation/names';

const conventions = new Set<unknown>(Object.values({ ...stable, ...incubating }));

for (const metric of catalogue) {
  test(`${metric.name} is named by the semantic conventions, or under vitals`, () => {
    if (metric.source === 'semconv')
      assert.ok(conventions.has(metric.name), `${metric.name} is in no convention`);
    else assert.match(metric.name, /^vitals\.[a-z0-9_.]+$/);
  });

  test(`${metric.name} bounds each attribute, by its values or by what stands in its description`, () => {
    for (const { name, values, bound, description } of metric.attributes) {
      assert.ok((values === undefined) !== (bound === undefined), `${name} has ${values} and ${bound}`);
      assert.ok((values?.length ?? bound!.length) > 0);
      assert.ok(description.length > 10, `${name}: ${description}`);
    }
    const names = metric.attributes.map(attribute => attribute.name);
    assert.equal(new Set(names).size, names.length, `${metric.name} names an attribute twice`);
  });

  test(`${metric.name} has a unit, a description and ascending buckets where it is a histogram`, () => {
    assert.match(metric.unit, /^(|s|By|By\/s|1|\{[a-z_]+\})$/);
    assert.ok(metric.description.length > 10 && !metric.description.endsWith('.'), metric.description);
    assert.ok(meterNames.includes(metric.meter as never), metric.meter);
    if (metric.buckets !== undefined) {
      assert.ok(metric.buckets.length > 0 && metric.buckets.length <= 30);
      assert.deepEqual(
        [...metric.buckets].sort((a, b) => a - b),
        [...metric.buckets],
      );
    }
  });
}

test('no two metrics have one name', () => {
  const names = catalogue.map(metric => metric.name);
  assert.equal(new Set(names).size, names.length);
});

/** All source text of the agent, for rules about where a thing may stand. */
function sources(...folders: string[]): [path: string, text: string][] {
  return folders.flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts'))
      .map(file => [join(folder, file), readFileSync(join(folder, file), 'utf8')] as [string, string]),
  );
}

test('every metric of the catalogue is bound by a meter', () => {
  const meters = sources('instrumentation').filter(([path]) => !path.includes('catalogue'));
  for (const [, text] of sources('instrumentation/catalogue')) {
    for (const [, family] of text.matchAll(/export const (\w+Metrics) = \{/g)) {
      const body = text.slice(text.indexOf(`export const ${family}`));
      const keys = [...body.slice(0, body.indexOf('\n} as const')).matchAll(/^ {2}(\w+): /gm)].map(
        match => match[1]!,
      );
      const users = meters.filter(([, source]) => source.includes(family!)).map(([, source]) => source);
      for (const key of keys) {
        const bound = new RegExp(`\\b(?:m|metrics|${family})\\.${key}\\b`);
        assert.ok(
          users.some(source => bound.test(source)),
          `${family}.${key} is bound nowhere`,
        );
      }
    }
  }
});

test('no meter names a metric by itself', () => {
  for (const [path, text] of sources('instrumentation/meters', 'instrumentation/libraries')) {
    assert.doesNotMatch(text, /\bcreate(?:Observable)?(?:Counter|Gauge|Histogram|UpDownCounter)\(/, path);
  }
});
