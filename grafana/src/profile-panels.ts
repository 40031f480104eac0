import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  DatasourceVariableBuilder,
  type Panel,
  PanelBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PyroscopeQueryType } from '@grafana/grafana-foundation-sdk/grafanapyroscope';
import { graph } from './panels';

/**
 * The types of profile that @pyroscope/nodejs pushes, as Pyroscope names them: profile, sample, its unit, and period
 * with its unit.
 */
export const profileTypes = {
  cpu: 'wall:cpu:nanoseconds:wall:nanoseconds',
  wall: 'wall:wall:nanoseconds:wall:nanoseconds',
  heap: 'memory:inuse_space:bytes:inuse_space:bytes',
} as const;

export type ProfileType = keyof typeof profileTypes;

const pyroscopeType = 'grafana-pyroscope-datasource';

/** The data source that the variable of {@link pyroscopeVariable} chooses. */
const chosenPyroscope: DataSourceRef = { type: pyroscopeType, uid: '$pyroscope' };

/** The choice of a Pyroscope; without one Grafana takes the first there is. */
export const pyroscopeVariable = (): DatasourceVariableBuilder =>
  new DatasourceVariableBuilder('pyroscope')
    .label('Profiles')
    .description('The Pyroscope that the processes send their profiles to')
    .type(pyroscopeType)
    .current({ text: 'default', value: 'default' });

interface ProfilePanelOptions {
  readonly title: string;
  readonly description: string;
  readonly profile: ProfileType;
  readonly width: number;
}

const flameHeight = 14;

/** All profiles of the range put together, as a flame graph. */
export function flameGraph(options: ProfilePanelOptions): Builder<Panel> {
  return new PanelBuilder()
    .type('flamegraph')
    .title(options.title)
    .description(options.description)
    .datasource(chosenPyroscope)
    .span(options.width)
    .height(flameHeight)
    .withTarget(profileQuery(options.profile, PyroscopeQueryType.Profile));
}

/** The sum of each profile over time. Its unit comes with the data: Pyroscope knows what it has counted. */
export function profileSeries(options: ProfilePanelOptions): Builder<Panel> {
  return graph(options)
    .datasource(chosenPyroscope)
    .withTarget(profileQuery(options.profile, PyroscopeQueryType.Metrics).groupBy(['service_name']));
}

/** A variable of several values is a list of alternatives here as well; Pyroscope's matchers are those of Prometheus. */
function profileQuery(profile: ProfileType, kind: PyroscopeQueryType): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(chosenPyroscope)
    .profileTypeId(profileTypes[profile])
    .labelSelector(`{service_name=~"\${service:regex}"}`)
    .queryType(kind)
    .groupBy([])
    .refId('A');
}
