import { type DataFrame, dateTime, FieldType, type GrafanaTheme2, type TimeRange } from '@grafana/data';
import { FlameGraph } from '@grafana/flamegraph';
import type { VizLegendOptions } from '@grafana/schema';
import { BigValue, BigValueColorMode, BigValueGraphMode, BigValueTextMode, TimeSeries } from '@grafana/ui';
import type uPlot from 'uplot';
import type { Mark, ShownBoard, ShownPanel } from '../model';
import { framesOf } from './fields';

interface Props {
  readonly shown: ShownPanel;
  readonly board: ShownBoard;
  readonly theme: GrafanaTheme2;
  readonly width: number;
  readonly height: number;
}

/** What is inside of a panel's frame, by its type. */
export function Content(props: Props) {
  switch (props.shown.panel.type) {
    case 'stat':
      return <Stat {...props} />;
    case 'flamegraph':
      return <Flames {...props} />;
    default:
      return <Graph {...props} />;
  }
}

function Graph({ shown, board, theme, width, height }: Props) {
  const { legend } = shown.panel['options'] as { legend: VizLegendOptions };
  return (
    <TimeSeries
      frames={framesOf(shown, theme)}
      structureRev={1}
      width={width}
      height={height}
      timeRange={rangeOf(board)}
      timeZone="utc"
      legend={legend}
    >
      {builder => {
        builder.addHook('draw', plot => drawMarks(plot, board.marks, theme));
        return null;
      }}
    </TimeSeries>
  );
}

function drawMarks(plot: uPlot, marks: readonly Mark[], theme: GrafanaTheme2): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.setLineDash([4, 4]);
  ctx.lineWidth = 1;
  for (const { time, color } of marks) {
    const x = Math.round(plot.valToPos(time, 'x', true));
    ctx.strokeStyle = theme.visualization.getColorByName(color);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function Stat({ shown, theme, width, height }: Props) {
  const [frame] = framesOf(shown, theme);
  const field = frame!.fields[1]!;
  const last = field.values.findLast((value: unknown) => value !== null);
  const { colorMode, graphMode } = shown.panel['options'] as {
    colorMode?: BigValueColorMode;
    graphMode?: BigValueGraphMode;
  };
  return (
    <BigValue
      value={{ ...field.display!(last), title: '' }}
      sparkline={graphMode === 'none' ? undefined : { y: field, x: frame!.fields[0]! }}
      colorMode={colorMode ?? BigValueColorMode.Value}
      graphMode={graphMode ?? BigValueGraphMode.Area}
      textMode={BigValueTextMode.Value}
      theme={theme}
      width={width}
      height={height}
    />
  );
}

function Flames({ shown, theme, height }: Props) {
  const { unit, labels, levels, values, selfs } = shown.flame!;
  const numbers = (name: string, of: readonly number[]) => ({
    name,
    type: FieldType.number,
    values: [...of],
    config: { unit },
  });
  const frame: DataFrame = {
    length: labels.length,
    fields: [
      { ...numbers('level', levels), config: {} },
      numbers('value', values),
      numbers('self', selfs),
      { name: 'label', type: FieldType.string, values: [...labels], config: {} },
    ],
  };
  return (
    <div style={{ height, overflow: 'hidden' }}>
      <FlameGraph data={frame} getTheme={() => theme} showAnalyzeWithAssistant={false} />
    </div>
  );
}

function rangeOf({ from, to }: ShownBoard): TimeRange {
  const range = { from: dateTime(from), to: dateTime(to) };
  return { ...range, raw: range };
}
