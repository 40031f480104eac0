import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Threshold } from './thresholds';

/** The data source that the board's variable chooses. */
export const chosenPrometheus: DataSourceRef = { type: 'prometheus', uid: '$datasource' };

/** One line, or one set of lines, of a panel. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
  /** A limit: drawn as a dashed line without fill, so that it can't be taken for a measurement. */
  readonly limit?: boolean;
  /** Another unit than the panel's, on an axis to the right. */
  readonly unit?: string;
}

interface Common {
  readonly title: string;
  /** What the panel shows, what is normal, and what to do when it is not. */
  readonly description: string;
  /** Grafana's id of the unit. */
  readonly unit: string;
  /** Columns of 24. */
  readonly width: number;
  readonly thresholds?: Threshold;
  readonly decimals?: number;
  /** Upper end of the axis where the value has one, such as 1 for a share. */
  readonly max?: number;
}

export interface TimeseriesOptions extends Common {
  readonly queries: readonly Query[];
  readonly stacked?: boolean;
  /** Beside the graph, for more lines than fit below it. */
  readonly legendRight?: boolean;
  /** For counts whose limit is orders of magnitude above them. */
  readonly logarithmic?: boolean;
}

export interface StatOptions extends Common {
  readonly expr: string;
  /** Evaluates once, over the whole range of the board, instead of showing the newest of a graph. */
  readonly wholeRange?: boolean;
}

const graphHeight = 8;
const statHeight = 4;

/** A graph over time. Its legend is a table with the newest and the highest value, the highest first. */
export function timeseries(options: TimeseriesOptions): Builder<Panel> {
  const panel = graph(options).datasource(chosenPrometheus).unit(options.unit);
  for (const [index, query] of options.queries.entries()) {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index);
    panel.withTarget(target(query.expr, refId).legendFormat(query.legend).range());
    const overrides = overridesOf(query);
    if (overrides.length > 0) panel.overrideByQuery(refId, overrides);
  }
  return panel;
}

/** A graph without its data source, unit and queries. */
export function graph(options: Omit<TimeseriesOptions, 'queries' | 'unit'>): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(options.title)
    .description(options.description)
    .min(0)
    .span(options.width)
    .height(graphHeight)
    .lineWidth(1)
    .fillOpacity(options.stacked === true ? 30 : 5)
    .showPoints(VisibilityMode.Never)
    .spanNulls(false)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(options.legendRight === true ? LegendPlacement.Right : LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max'])
        .sortBy('Max')
        .sortDesc(true),
    );
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.max !== undefined) panel.axisSoftMax(options.max);
  if (options.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (options.logarithmic === true) {
    panel.scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10));
  }
  if (options.thresholds !== undefined) {
    panel
      .thresholds(steps(options.thresholds))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  return panel;
}

/** One number with its recent course behind it, coloured by its thresholds. */
export function stat(options: StatOptions): Builder<Panel> {
  const query = target(options.expr, 'A').legendFormat(options.title);
  const panel = new StatBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(chosenPrometheus)
    .unit(options.unit)
    .min(0)
    .span(options.width)
    .height(statHeight)
    .colorMode(options.thresholds === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .graphMode(options.wholeRange === true ? BigValueGraphMode.None : BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .withTarget(options.wholeRange === true ? query.instant() : query.range());
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.max !== undefined) panel.max(options.max);
  if (options.thresholds !== undefined) panel.thresholds(steps(options.thresholds));
  return panel;
}

function overridesOf({ limit, unit }: Query): DynamicConfigValue[] {
  return [
    ...(limit === true
      ? [
          { id: 'custom.lineStyle', value: { dash: [10, 10], fill: 'dash' } },
          { id: 'custom.fillOpacity', value: 0 },
          { id: 'custom.stacking', value: { group: 'limit', mode: StackingMode.None } },
        ]
      : []),
    ...(unit === undefined
      ? []
      : [
          { id: 'unit', value: unit },
          { id: 'custom.axisPlacement', value: AxisPlacement.Right },
        ]),
  ];
}

function target(expr: string, refId: string): DataqueryBuilder {
  return new DataqueryBuilder().datasource(chosenPrometheus).expr(expr).refId(refId);
}

function steps({ warning, critical }: Threshold): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: 'green' },
    { value: warning, color: 'orange' },
    { value: critical, color: 'red' },
  ]);
}
