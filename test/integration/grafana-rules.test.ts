import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { removeFolder, temporaryFolder } from '../../mall/demo/servers/lifetime';
import { stackConfiguration } from '../helpers/stack-prometheus';

const folder = temporaryFolder('vitals-rules-');
after(() => removeFolder(folder));
const config = stackConfiguration(folder, { shop: ['127.0.0.1:9464'] });

function promtool(...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, `${error?.message ?? ''}${stdout}${stderr}`);
}

const labels = '{job="shop", instance="a:1"}';
const start = `vitals_process_start_time_seconds${labels}`;
/** Whether `alert` fires at `at`, given series in promtool's notation, a value a minute. */
function alertTest(alert: string, series: Record<string, string>, at: string, fires: boolean): void {
  const file = join(folder, 'test.yml');
  writeFileSync(
    file,
    stringify({
      rule_files: [join(folder, 'rules', '*.yml')],
      evaluation_interval: '30s',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [
            {
              expr: `count(ALERTS{alertname="${alert}", alertstate="firing", instance="a:1"}) or vector(0)`,
              eval_time: at,
              exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }],
            },
          ],
        },
      ],
    }),
  );
  promtool('test', 'rules', file);
}

test('promtool accepts the configuration and the rules that the stack mounts', () => {
  promtool('check', 'config', config);
});

test('a target of ours that is down for a minute fires, also after its own metrics have gone stale', () => {
  const series = { [`up${labels}`]: '1x5 0x60', [start]: '100x5 _x60' };
  alertTest('VitalsTargetDown', series, '8m', true);
  alertTest('VitalsTargetDown', series, '50m', true);
});

test('a target that is back within the minute does not fire, and one that recovers stops firing', () => {
  alertTest('VitalsTargetDown', { [`up${labels}`]: '1x5 0 1x10', [start]: '100x20' }, '7m', false);
  alertTest('VitalsTargetDown', { [`up${labels}`]: '1x5 0x5 1x10', [start]: '100x20' }, '15m', false);
});

test('a target that never was ours is not judged', () => {
  alertTest('VitalsTargetDown', { [`up${labels}`]: '0x20' }, '10m', false);
});

test('three restarts within ten minutes fire, two do not, and quiet resolves', () => {
  alertTest('VitalsRestartLoop', { [start]: '1x3 2x2 3x2 4x30' }, '10m', true);
  alertTest('VitalsRestartLoop', { [start]: '1x3 2x2 3x30' }, '10m', false);
  alertTest('VitalsRestartLoop', { [start]: '1x3 2x2 3x2 4x30' }, '30m', false);
});
