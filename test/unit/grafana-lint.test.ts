import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { parse } from 'yaml';
import {
  type BoardJson,
  type PanelJson,
  panelsOf,
  queryText,
  readBoards,
  type VariableJson,
} from '../helpers/boards';

/** What breaks a rule; without a panel it is the board. */
interface Fault {
  readonly rule: string;
  readonly dashboard: string;
  readonly panel?: string;
}

interface Lint {
  readonly exclusions: Readonly<
    Record<
      string,
      { readonly reason: string; readonly entries: readonly { dashboard: string; panel?: string }[] }
    >
  >;
}

const boards = readBoards();
const { exclusions } = parse(readFileSync(join(__dirname, '..', '..', 'grafana', '.lint'), 'utf8')) as Lint;
const knownUnits = new Set<unknown>(Object.values(units));
const judged = new Set(['stat', 'timeseries']);

/** The rules of grafana/dashboard-linter that concern boards of Prometheus, under its names. */
const panelRules: Readonly<Record<string, (panel: PanelJson, board: BoardJson) => boolean>> = {
  'panel-datasource-rule': ({ datasource, type }, { templating }) =>
    type !== 'timeseries' ||
    templating.list.some(one => one.type === 'datasource' && `$${one.name}` === datasource?.uid),
  'panel-title-description-rule': ({ title, description }) => title !== '' && (description ?? '') !== '',
  'panel-units-rule': ({ fieldConfig }) => knownUnits.has(fieldConfig?.defaults.unit),
  'panel-no-targets-rule': ({ targets = [] }) => targets.length > 0,
  'target-promql-rule': panel => expressions(panel).every(expr => expr !== ''),
  'target-rate-interval-rule': panel =>
    expressions(panel).every(expr =>
      [...expr.matchAll(/\bi?rate\(([^[]*)\[([^\]]*)\]/g)].every(
        ([, , window]) => window === '$__rate_interval',
      ),
    ),
  'target-job-rule': panel => everySelector(panel, 'job=~"$job"'),
  'target-instance-rule': panel => everySelector(panel, 'instance=~"$instance"'),
  'target-counter-agg-rule': panel =>
    expressions(panel).every(expr =>
      [...expr.matchAll(/(\w*)\(?\b\w+_total\b(?:\{[^}]*\})?/g)].every(([, call]) =>
        ['rate', 'irate', 'increase'].includes(call!),
      ),
    ),
};

const boardRules: Readonly<Record<string, (board: BoardJson) => boolean>> = {
  'template-datasource-rule': board => {
    const all = board.templating.list.filter(({ type }) => type === 'datasource');
    return all.length === 1 && all[0]!.name === 'datasource' && all[0]!.label === 'Data source';
  },
  'template-job-rule': board => isChoice(board, 'job', 'Job'),
  'template-instance-rule': board => isChoice(board, 'instance', 'Instance'),
  'template-label-promql-rule': board =>
    queryVariables(board).every(one => /^label_values\(.+, \w+\)$/.test(queryText(one))),
  'template-on-time-change-reload-rule': board => queryVariables(board).every(({ refresh }) => refresh === 2),
  'uneditable-dashboard': ({ editable }) => editable === false,
};

function expressions({ targets = [] }: PanelJson): string[] {
  return targets.map(({ expr }) => expr ?? '');
}

/** A name that is no function, with its matchers. */
function everySelector(panel: PanelJson, matcher: string): boolean {
  return expressions(panel).every(expr => {
    const named = expr.replace(/\b(by|on|without|ignoring|group_left|group_right) \([^)]*\)/g, '');
    const selectors = [
      ...named.matchAll(/\b((?:job:)?[a-z]\w*_\w+(?::\w+)?|ALERTS)(\{[^}]*\})?(?!\w|\()/g),
    ].filter(([, name]) => !/^(histogram_quantile|max_over_time|group_left|__)/.test(name!));
    return selectors.every(([, , matchers = '']) => matchers.includes(matcher));
  });
}

function queryVariables({ templating }: BoardJson): VariableJson[] {
  return templating.list.filter(({ type }) => type === 'query');
}

function isChoice({ templating }: BoardJson, name: string, label: string): boolean {
  const one = templating.list.find(variable => variable.name === name);
  return (
    one?.type === 'query' &&
    one.label === label &&
    one.multi === true &&
    one.allValue === '.+' &&
    one.datasource?.uid === '$datasource'
  );
}

function faults(board: BoardJson): Fault[] {
  const dashboard = board.title;
  return [
    ...Object.entries(boardRules).flatMap(([rule, holds]) => (holds(board) ? [] : [{ rule, dashboard }])),
    ...panelsOf(board)
      .filter(({ type }) => judged.has(type))
      .flatMap(panel =>
        Object.entries(panelRules).flatMap(([rule, holds]) =>
          holds(panel, board) ? [] : [{ rule, dashboard, panel: panel.title }],
        ),
      ),
  ];
}

const isExcluded = ({ rule, dashboard, panel }: Fault): boolean =>
  exclusions[rule]?.entries.some(
    entry => entry.dashboard === dashboard && (entry.panel === undefined || entry.panel === panel),
  ) === true;

for (const board of boards) {
  test(`${board.title}: every rule of dashboard-linter holds, but where grafana/.lint says why not`, () => {
    assert.deepEqual(
      faults(board).filter(fault => !isExcluded(fault)),
      [],
    );
  });
}

test('every exclusion has a reason, and is of a rule that would be broken there', () => {
  const all = boards.flatMap(faults);
  for (const [rule, { reason, entries }] of Object.entries(exclusions)) {
    assert.ok(reason.length > 20, rule);
    for (const { dashboard, panel } of entries) {
      assert.ok(
        all.some(one => one.rule === rule && one.dashboard === dashboard && one.panel === panel),
        `${rule}: ${dashboard} ${panel ?? ''}`,
      );
    }
  }
});

test('a board that breaks the rules is told so', () => {
  const [board] = boards;
  const [panel] = panelsOf(board!);
  const broken: BoardJson = {
    ...board!,
    editable: true,
    templating: { list: [] },
    panels: [
      {
        ...panel!,
        type: 'timeseries',
        description: '',
        targets: [{ refId: 'A', expr: 'sum(a_b_total{job=~"$job"}) + rate(c_d{instance=~"$instance"}[5m])' }],
        fieldConfig: { defaults: { unit: 'parrots' }, overrides: [] },
      },
    ],
  };
  assert.deepEqual(
    new Set(faults(broken).map(({ rule }) => rule)),
    new Set([
      'template-datasource-rule',
      'template-job-rule',
      'template-instance-rule',
      'uneditable-dashboard',
      'panel-datasource-rule',
      'panel-title-description-rule',
      'panel-units-rule',
      'target-rate-interval-rule',
      'target-job-rule',
      'target-instance-rule',
      'target-counter-agg-rule',
    ]),
  );
});
