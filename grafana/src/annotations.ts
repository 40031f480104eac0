import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { type AnnotationQuery, AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { processMetrics, profilingMetrics } from '../../instrumentation/catalogue';
import { chosenPrometheus } from './panels';
import { label, selection, series } from './promql';

/** What every board marks on all of its graphs. */
export function annotations(): Builder<AnnotationQuery>[] {
  return [restarts(), deployments(), alerts(), captures()];
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

/**
 * A mark where the first process of a version started. One that a process had a quarter of an hour before is no news:
 * so a restart is not taken for a deployment, and a version that comes back is marked again.
 */
function deployments(): Builder<AnnotationQuery> {
  const version = 'max by (job, instance, service_name, service_version)';
  const by = 'job, service_name, service_version';
  const info = `target_info{${selection}}`;
  return moments({
    name: 'Deployments',
    color: 'blue',
    expr: `(min by (${by}) (${series(processMetrics.startTime)} * on (job, instance) group_left (service_name, service_version) ${version} (${info})) unless on (${by}) count by (${by}) (${info} offset 15m))`,
    title: 'Deployed: {{service_name}} {{service_version}}',
    text: 'The first process of this version started. Job {{job}}',
    tags: ['service_name', 'service_version'],
  });
}

/** A mark for as long as an alert of ours fires; alerts of a whole service have no instance. */
const alerts = (): Builder<AnnotationQuery> =>
  annotation(
    {
      name: 'Firing alerts',
      color: 'red',
      title: '{{alertname}} ({{severity}})',
      text: '{{job}} {{instance}}',
      tags: ['alertname', 'severity'],
    },
    'ALERTS{alertstate="firing", alertname=~"Vitals.+", severity!="info", job=~"$job", instance=~"$instance|"}',
  );

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

interface Mark {
  readonly name: string;
  readonly color: string;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}

/**
 * Marks at moments. The metric's value is the moment itself, in seconds, so that the mark is exact whatever the step
 * of the graph.
 */
function moments({ expr, ...mark }: Mark & { readonly expr: string }): Builder<AnnotationQuery> {
  return annotation(mark, `${expr} * 1000`, true);
}

function annotation(mark: Mark, expr: string, valueIsTime = false): Builder<AnnotationQuery> {
  const builder = new AnnotationQueryBuilder()
    .name(mark.name)
    .datasource(chosenPrometheus)
    .enable(true)
    .iconColor(mark.color)
    .target(
      new DataqueryBuilder()
        .datasource(chosenPrometheus)
        .expr(expr)
        .refId(mark.name.toLowerCase().replaceAll(' ', '-')),
    )
    .titleFormat(mark.title)
    .textFormat(mark.text)
    .tagKeys(mark.tags.join(','));
  const built = (valueIsTime ? builder.useValueForTime(true) : builder).build();
  // The SDK's default hides the switch in a menu.
  delete built.placement;
  return { build: () => built };
}
