import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type AnnotationQuery,
  AnnotationQueryBuilder,
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
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { processMetrics, profilingMetrics } from '../../instrumentation/catalogue';
import { chosenPrometheus } from './panels';
import { everywhere, label, series } from './promql';

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
}

/** A board of ours: data source, job and instance to choose, restarts marked, and the sections one below the other. */
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
    .withVariable(labelVariable('job', 'job', 'Job', everywhere(processMetrics.startTime)))
    .withVariable(labelVariable('service_name', 'service', 'Service', 'target_info{job=~"$job"}'))
    .withVariable(
      labelVariable('instance', 'instance', 'Instance', 'target_info{job=~"$job", service_name=~"$service"}'),
    )
    .link(
      new DashboardLinkBuilder('Boards of otel-vitals')
        .type(DashboardLinkType.Dashboards)
        .tags(['otel-vitals'])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    )
    .annotation(restarts())
    .annotation(captures());
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
function labelVariable(label: string, name: string, title: string, selector: string): QueryVariableBuilder {
  const query = `label_values(${selector}, ${label})`;
  return new QueryVariableBuilder(name)
    .label(title)
    .description(`${title}s that otel-vitals runs in`)
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

/** A mark where a process started: a new pod, whose label is new, is marked as well as a restart in place. */
const restarts = (): Builder<AnnotationQuery> =>
  moments({
    name: 'Process starts',
    color: 'purple',
    expr: series(processMetrics.startTime),
    title: 'Started',
    text: '{{job}} {{instance}}',
    tags: ['job', 'instance'],
  });

/** A mark where the auto-profiler took a profile: it lies in the list of captures of that process. */
function captures(): Builder<AnnotationQuery> {
  const metric = profilingMetrics.lastCapture;
  const rule = label(metric, 'vitals.autoprofile.rule');
  return moments({
    name: 'Automatic captures',
    color: 'orange',
    expr: series(metric),
    title: `Profile taken: {{${rule}}}`,
    text: '{{job}} {{instance}}, listed by GET /profiling/captures and on its status page',
    tags: ['job', 'instance', rule],
  });
}

/**
 * Marks at moments. The metric's value is the moment itself, in seconds, so that the mark is exact whatever the step
 * of the graph.
 */
function moments(mark: {
  readonly name: string;
  readonly color: string;
  readonly expr: string;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}): Builder<AnnotationQuery> {
  const annotation = new AnnotationQueryBuilder()
    .name(mark.name)
    .datasource(chosenPrometheus)
    .enable(true)
    .iconColor(mark.color)
    .target(
      new DataqueryBuilder()
        .datasource(chosenPrometheus)
        .expr(`${mark.expr} * 1000`)
        .refId(mark.name.toLowerCase().replaceAll(' ', '-')),
    )
    .titleFormat(mark.title)
    .textFormat(mark.text)
    .tagKeys(mark.tags.join(','))
    .useValueForTime(true)
    .build();
  // The SDK's default hides the switch in a menu.
  delete annotation.placement;
  return { build: () => annotation };
}

/** Ids count up in the board's order, so that the same sources give the same file. */
function numbered(panel: Builder<Panel>, id: number): Builder<Panel> {
  const built = panel.build();
  built.id = id;
  return { build: () => built };
}
