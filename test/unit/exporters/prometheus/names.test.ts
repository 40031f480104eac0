import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelName, type NamedType, prometheusName } from '../../../../exporters/prometheus/names';
import { unitWords } from '../../../../exporters/prometheus/units';
import { catalogue } from '../../../../instrumentation/catalogue';

const named: readonly [name: string, unit: string, type: NamedType, expected: string | undefined][] = [
  ['system.disk.io', 'By', 'counter', 'system_disk_io_bytes_total'],
  ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
  ['http.server.active_requests', '{request}', 'sum', 'http_server_active_requests'],
  ['system.network.dropped', '{packet}', 'counter', 'system_network_dropped_total'],
  // A ratio on gauges only: people put a unit of 1 on counts as well.
  ['cpu.utilization', '1', 'gauge', 'cpu_utilization_ratio'],
  ['cache.ratio.hits', '1', 'gauge', 'cache_hits_ratio'],
  ['hits', '1', 'counter', 'hits_total'],
  ['queue', '1', 'sum', 'queue'],
  ['batch', '1', 'histogram', 'batch'],
  // What the name says already is not said again.
  ['jobs.total', '', 'counter', 'jobs_total'],
  ['total.jobs', '', 'counter', 'jobs_total'],
  ['jobs.total', '', 'gauge', 'jobs_total'],
  ['memory.bytes.used', 'By', 'gauge', 'memory_bytes_used'],
  ['seconds', 's', 'gauge', 'seconds'],
  // Rates.
  ['net.speed', 'By/s', 'gauge', 'net_speed_bytes_per_second'],
  ['net.bytes.speed', 'By/s', 'gauge', 'net_bytes_speed_per_second'],
  ['wind', 'm/s', 'gauge', 'wind_meters_per_second'],
  ['events', '{event}/h', 'gauge', 'events_per_hour'],
  ['ratio', '1/s', 'gauge', 'ratio_per_second'],
  ['odd', 'By/', 'gauge', 'odd_bytes'],
  ['odd', '/', 'gauge', 'odd'],
  // Units without a word of their own stand as they are, as far as a name can.
  ['charge', 'C', 'gauge', 'charge_C'],
  ['odd', 'k{x}y', 'gauge', 'odd'],
  ['odd', 'a b·c', 'gauge', 'odd_a_b_c'],
  ['load', '%', 'gauge', 'load_percent'],
  // Names.
  ['a..b--c__d', '', 'gauge', 'a_b_c_d'],
  ['1st.place', '', 'gauge', '_1st_place'],
  ['job:errors', '', 'gauge', 'job:errors'],
  ['größe.des.pools', 'By', 'gauge', 'gr_e_des_pools_bytes'],
  ['温度', 'Cel', 'gauge', 'celsius'],
  ['', '', 'gauge', undefined],
  ['...', '', 'gauge', undefined],
  ['温度', '', 'gauge', undefined],
  // A counter of nothing but its suffix would have no family.
  ['total', '', 'counter', undefined],
];
for (const [name, unit, type, expected] of named) {
  test(`"${name}" in "${unit}" is as ${type} ${expected ?? 'nothing'}`, () => {
    assert.equal(prometheusName(name, unit, type)?.name, expected);
  });
}

test('the family of a counter is its name without the suffix, and the unit is its end', () => {
  assert.deepEqual(prometheusName('system.disk.io', 'By', 'counter'), {
    name: 'system_disk_io_bytes_total',
    family: 'system_disk_io_bytes',
    unit: 'bytes',
  });
  assert.deepEqual(prometheusName('net.speed', 'By/s', 'gauge'), {
    name: 'net_speed_bytes_per_second',
    family: 'net_speed_bytes_per_second',
    unit: 'bytes_per_second',
  });
  assert.equal(prometheusName('memory.bytes.used', 'By', 'gauge')!.unit, '', 'a unit elsewhere is no unit');
  assert.equal(prometheusName('cpu.utilization', '1', 'gauge')!.unit, 'ratio');
});

test('units with a word of their own are spelled out', () => {
  const words = {
    d: 'days',
    h: 'hours',
    min: 'minutes',
    s: 'seconds',
    ms: 'milliseconds',
    us: 'microseconds',
    ns: 'nanoseconds',
  };
  for (const [unit, main] of Object.entries(words)) assert.deepEqual(unitWords(unit), { main, per: '' });
  const bytes = {
    By: 'bytes',
    KiBy: 'kibibytes',
    MiBy: 'mebibytes',
    GiBy: 'gibibytes',
    KBy: 'kilobytes',
    MBy: 'megabytes',
  };
  for (const [unit, main] of Object.entries(bytes)) assert.deepEqual(unitWords(unit), { main, per: '' });
  // A minute after the slash, a meter before it.
  assert.deepEqual(unitWords('m/m'), { main: 'meters', per: 'per_minute' });
  assert.deepEqual(unitWords('constructor'), { main: 'constructor', per: '' });
});

test('any name and unit give a name that both formats allow, or none', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom<NamedType>('counter', 'gauge', 'sum', 'histogram'),
      (name, unit, type) => {
        const named = prometheusName(name, unit, type);
        if (named === undefined) return;
        assert.match(named.name, /^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
        assert.match(named.family, /^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
        assert.equal(named.name, type === 'counter' ? `${named.family}_total` : named.family);
        if (named.unit !== '') assert.ok(named.family.endsWith(`_${named.unit}`));
      },
    ),
  );
});

test('the names of the whole catalogue differ from each other', () => {
  const types = { counter: 'counter', updowncounter: 'sum', gauge: 'gauge', histogram: 'histogram' } as const;
  const names = catalogue.map(
    ({ name, unit, instrument }) => prometheusName(name, unit, types[instrument])!.name,
  );
  assert.equal(new Set(names).size, names.length);
});

const labels: readonly [attribute: string, label: string][] = [
  ['http.request.method', 'http_request_method'],
  ['a..b', 'a_b'],
  ['a__b', 'a_b'],
  ['_private', '_private'],
  ['__name__', '_name_'],
  ['2xx', 'key_2xx'],
  ['größe', 'gr_e'],
  ['a:b', 'a_b'],
  ['', '_'],
  ['温度', '_'],
];
for (const [attribute, label] of labels) {
  test(`the attribute "${attribute}" is the label ${label}`, () => assert.equal(labelName(attribute), label));
}
