import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  TimePickerBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { processMetrics } from '../../instrumentation/catalogue';
import { annotations } from './annotations';
import { chosenPrometheus } from './panels';
import { everywhere } from './promql';

/** A row of a board with the panels under it, laid out from left to right. */
export interface Section {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
  /** Closed until it is clicked: for what few processes have. */
  readonly collapsed?: boolean;
}

export interface Board {
  /** Part of every link to the board: never change it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly sections: readonly Section[];
  /** What there is to choose beside data source, job, service and instance. */
  readonly variables?: readonly Builder<VariableModel>[];
}

const ours = 'that otel-vitals runs in';

/** A board of ours: data source, job and instance to choose, events marked, and the sections one below the other. */
export function dashboard(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags(['otel-vitals', ...board.tags])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .timepicker(new TimePickerBuilder().refreshIntervals(['5s', '10s', '30s', '1m', '5m', '15m']))
    .timezone('browser')
    .refresh('30s')
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .label('Data source')
        .description('The Prometheus that scrapes the processes')
        .type('prometheus')
        // Without a choice of its own Grafana takes the default Prometheus of whoever opens the board.
        .current({ text: 'default', value: 'default' }),
    )
    .withVariable(labelVariable('job', 'job', 'Job', ours, everywhere(processMetrics.startTime)))
    .withVariable(labelVariable('service_name', 'service', 'Service', ours, 'target_info{job=~"$job"}'))
    .withVariable(
      labelVariable(
        'instance',
        'instance',
        'Instance',
        ours,
        'target_info{job=~"$job", service_name=~"$service"}',
      ),
    )
    .link(
      new DashboardLinkBuilder('Boards of otel-vitals')
        .type(DashboardLinkType.Dashboards)
        .tags(['otel-vitals'])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    );
  for (const variable of board.variables ?? []) builder.withVariable(variable);
  for (const annotation of annotations()) builder.annotation(annotation);
  let id = 0;
  for (const section of board.sections) {
    const row = new RowBuilder(section.title).id(++id);
    const panels = section.panels.map(panel => numbered(panel, ++id));
    if (section.collapsed === true) {
      row.collapsed(true);
      for (const panel of panels) row.withPanel(panel);
      builder.withRow(row);
    } else {
      builder.withRow(row);
      for (const panel of panels) builder.withPanel(panel);
    }
  }
  return builder.build();
}

/**
 * Values of a label to choose from, several or all. Grafana escapes them for `=~`, so that an instance such as
 * `10.0.0.1:9464` matches nothing but itself.
 */
export function labelVariable(
  label: string,
  name: string,
  title: string,
  what: string,
  selector: string,
): QueryVariableBuilder {
  const query = `label_values(${selector}, ${label})`;
  return new QueryVariableBuilder(name)
    .label(title)
    .description(`${title}s ${what}`)
    .datasource(chosenPrometheus)
    .query({ qryType: 1, query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: ['All'], value: ['$__all'] });
}

/** Ids count up in the board's order, so that the same sources give the same file. */
function numbered(panel: Builder<Panel>, id: number): Builder<Panel> {
  const built = panel.build();
  built.id = id;
  return { build: () => built };
}
