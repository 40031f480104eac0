import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the tests read of Grafana's dashboard JSON. */
export interface BoardJson {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly schemaVersion: number;
  readonly editable: boolean;
  readonly id?: unknown;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly VariableJson[] };
  readonly annotations: { readonly list: readonly AnnotationJson[] };
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string; readonly type: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly TargetJson[];
  readonly panels?: readonly PanelJson[];
  readonly collapsed?: boolean;
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly max?: number;
      readonly custom?: { readonly axisSoftMax?: number };
      readonly thresholds?: {
        readonly mode: string;
        readonly steps: readonly { readonly value: number | null }[];
      };
    };
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
}

/** A query of Prometheus, or of Pyroscope, which has no expression. */
export interface TargetJson {
  readonly refId: string;
  readonly expr?: string;
  readonly profileTypeId?: string;
  readonly labelSelector?: string;
  readonly queryType?: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly range?: boolean;
  readonly datasource?: { readonly uid: string };
}

export interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly query: string | { readonly query: string };
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly refresh?: number;
  readonly datasource?: { readonly uid: string };
}

export interface AnnotationJson {
  readonly name: string;
  readonly datasource: { readonly uid: string };
  readonly target: TargetJson & { readonly expr: string };
  readonly useValueForTime?: boolean;
  readonly iconColor?: string;
}

/** A query of a board, and where it stands. */
export interface BoardQuery {
  readonly where: string;
  readonly expr: string;
}

const folder = join(__dirname, '..', '..', 'grafana', 'dashboards');

/** Every committed dashboard. */
export function readBoards(): BoardJson[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')) as BoardJson);
}

/** Panels in rows and out of them; the rows themselves not. */
export function panelsOf(board: BoardJson): PanelJson[] {
  return board.panels.flatMap(panel => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
}

/** What the board asks Prometheus: panels, annotations and, as selectors, the variables' values. */
export function queriesOf(board: BoardJson): BoardQuery[] {
  return [
    ...panelsOf(board).flatMap(panel =>
      (panel.targets ?? []).flatMap(({ expr, refId }) =>
        expr === undefined ? [] : [{ where: `${panel.title} ${refId}`, expr }],
      ),
    ),
    ...board.annotations.list.map(({ name, target }) => ({ where: `annotation ${name}`, expr: target.expr })),
    ...board.templating.list.flatMap(variable => {
      const selector = /^label_values\((.*), \w+\)$/.exec(queryText(variable))?.[1];
      return selector === undefined ? [] : [{ where: `variable ${variable.name}`, expr: selector }];
    }),
  ];
}

export function queryText({ query }: VariableJson): string {
  return typeof query === 'string' ? query : query.query;
}

/** Puts values in place of Grafana's variables, as Grafana does before it asks. */
export function fillIn(expression: string, values: Readonly<Record<string, string>>): string {
  return expression.replace(/\$(\w+)|\$\{(\w+)(?::\w+)?\}/g, (whole, bare?: string, braced?: string) => {
    const value = values[(bare ?? braced)!];
    if (value === undefined) throw new Error(`Expected a known variable, got ${whole} in ${expression}`);
    return value;
  });
}
