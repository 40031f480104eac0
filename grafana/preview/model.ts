import type { BoardJson, PanelJson } from '../../test/helpers/boards';

/** A line of a graph: what one series of a query gave. */
export interface Line {
  readonly refId: string;
  readonly name: string;
  /** Milliseconds. */
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  /** Where the data has a unit of its own. */
  readonly unit?: string;
}

/** A flame graph as Grafana takes it: the tree, walked depth first. */
export interface Flame {
  readonly unit: string;
  readonly labels: readonly string[];
  readonly levels: readonly number[];
  readonly values: readonly number[];
  readonly selfs: readonly number[];
}

/** A mark on all graphs. */
export interface Mark {
  readonly name: string;
  readonly color: string;
  readonly time: number;
}

/** A panel with what it shows. */
export interface ShownPanel {
  readonly panel: PanelJson & Readonly<Record<string, unknown>>;
  readonly lines: readonly Line[];
  readonly flame?: Flame;
  /** What is wrong with one of its expressions, in Prometheus's words. */
  readonly error?: string;
}

/** A row of a board, open: also one that Grafana shows closed. */
export interface ShownRow {
  readonly title: string;
  readonly collapsed: boolean;
  readonly panels: readonly ShownPanel[];
}

/** A board with its data, for the page to draw. */
export interface ShownBoard {
  readonly board: Pick<BoardJson, 'uid' | 'title' | 'description'>;
  readonly source: string;
  readonly from: number;
  readonly to: number;
  readonly variables: readonly { readonly label: string; readonly value: string }[];
  readonly rows: readonly ShownRow[];
  readonly marks: readonly Mark[];
}

/** Whether a panel has nothing to show. */
export function isEmpty({ lines, flame }: ShownPanel): boolean {
  const hasValue = lines.some(({ values }) => values.some(value => value !== null));
  return !hasValue && (flame === undefined || flame.values.length <= 1);
}
