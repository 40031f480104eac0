// Data frames as Grafana makes them of a panel's answers: with its units, thresholds and overrides.
import {
  type DataFrame,
  type Field,
  FieldColorModeId,
  type FieldConfig,
  FieldType,
  type GrafanaTheme2,
  getDisplayProcessor,
  type NumericRange,
  ThresholdsMode,
} from '@grafana/data';
import type { Line, ShownPanel } from '../model';

/** A panel's JSON, and what is made of it. */
// biome-ignore lint/suspicious/noExplicitAny: Grafana's JSON, of which only a part is read
type Json = Record<string, any>;

/** One frame for each line; the fields are configured as the panel says for the query it comes from. */
export function framesOf({ panel, lines }: ShownPanel, theme: GrafanaTheme2): DataFrame[] {
  return lines.map((line, seriesIndex) => {
    const config = configOf(panel as Json, line);
    const value: Field = {
      name: 'Value',
      type: FieldType.number,
      values: [...line.values],
      config,
      state: { seriesIndex, displayName: line.name, range: rangeOf(line) },
    };
    value.display = getDisplayProcessor({ field: value, theme });
    const time: Field = { name: 'Time', type: FieldType.time, values: [...line.times], config: {} };
    time.display = getDisplayProcessor({ field: time, theme });
    return { refId: line.refId, name: line.name, length: line.times.length, fields: [time, value] };
  });
}

function rangeOf({ values }: Line): NumericRange {
  const numbers = values.filter(value => value !== null);
  const min = Math.min(...numbers);
  const max = Math.max(...numbers);
  return { min, max, delta: max - min };
}

function configOf(panel: Json, line: Line): FieldConfig {
  const { defaults = {}, overrides = [] } = panel['fieldConfig'] ?? {};
  const config: Json = structuredClone(defaults);
  config['displayName'] = line.name;
  config['unit'] ??= line.unit;
  config['custom'] ??= {};
  config['color'] ??= {
    mode: panel['type'] === 'stat' ? FieldColorModeId.Thresholds : FieldColorModeId.PaletteClassic,
  };
  config['thresholds'] ??= { mode: ThresholdsMode.Absolute, steps: [{ value: null, color: 'green' }] };
  for (const step of config['thresholds'].steps) step.value ??= Number.NEGATIVE_INFINITY;
  for (const { matcher, properties } of overrides) {
    if (matcher.options !== line.refId) continue;
    for (const { id, value } of properties) put(config, id.split('.'), value);
  }
  return config as FieldConfig;
}

function put(target: Json, [first, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) target[first!] = value;
  else {
    target[first!] ??= {};
    put(target[first!], rest, value);
  }
}
