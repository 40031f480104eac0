import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PanelChrome } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { isEmpty, type ShownBoard, type ShownPanel, type ShownRow } from '../model';
import { Content } from './panels';

const theme = createTheme({ colors: { mode: 'dark' } });
const columns = 24;
const gap = 8;
/** Grafana's own: pixels of one line of the grid. */
const lineHeight = 30;

function Panel({ shown, board, unit }: { shown: ShownPanel; board: ShownBoard; unit: number }) {
  const { panel, error } = shown;
  const { w, h } = panel.gridPos;
  const width = Math.floor(w * unit - gap);
  const height = h * (lineHeight + gap) - gap;
  const empty = isEmpty(shown);
  const red = error !== undefined || empty;
  return (
    <div
      className="preview-panel"
      style={{ gridColumn: `span ${w}`, outline: red ? `2px solid ${theme.colors.error.main}` : 'none' }}
    >
      <PanelChrome
        title={panel.title}
        description={panel.description ?? ''}
        width={width}
        height={height}
        padding={panel.type === 'flamegraph' ? 'none' : 'sm'}
      >
        {(innerWidth, innerHeight) =>
          red ? (
            <div style={{ color: theme.colors.error.text, padding: 8 }}>{error ?? 'No data'}</div>
          ) : (
            <Content shown={shown} board={board} theme={theme} width={innerWidth} height={innerHeight} />
          )
        }
      </PanelChrome>
    </div>
  );
}

function Row({ row, board, unit }: { row: ShownRow; board: ShownBoard; unit: number }) {
  return (
    <section>
      <h2 style={{ fontSize: 18, margin: '14px 0 8px' }}>
        {row.title}
        {row.collapsed && (
          <small style={{ color: theme.colors.text.secondary }}> (closed until clicked)</small>
        )}
      </h2>
      <div
        style={{
          display: 'grid',
          gridTemplateColumns: `repeat(${columns}, ${unit - gap}px)`,
          gap,
        }}
      >
        {row.panels.map(shown => (
          <Panel key={shown.panel.id} shown={shown} board={board} unit={unit} />
        ))}
      </div>
    </section>
  );
}

function Board({ board }: { board: ShownBoard }) {
  const unit = (document.documentElement.clientWidth - 2 * gap) / columns;
  const time = (at: number) => new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  const names = new Map(board.marks.map(({ name, color }) => [name, color]));
  return (
    <main style={{ padding: gap }}>
      <header style={{ display: 'flex', gap: 16, alignItems: 'baseline', flexWrap: 'wrap' }}>
        <h1 style={{ fontSize: 24, margin: 0 }}>{board.board.title}</h1>
        {board.variables.map(({ label, value }) => (
          <span key={label}>
            <b>{label}</b> {value}
          </span>
        ))}
        {[...names].map(([name, color]) => (
          <span key={name} style={{ color: theme.visualization.getColorByName(color) }}>
            ┆ {name}
          </span>
        ))}
        <span style={{ marginLeft: 'auto', color: theme.colors.text.secondary }}>
          {time(board.from)} to {time(board.to)} UTC. A preview: the board&apos;s JSON, drawn with
          Grafana&apos;s components
        </span>
      </header>
      {board.rows.map(row => (
        <Row key={row.title} row={row} board={board} unit={unit} />
      ))}
    </main>
  );
}

declare global {
  /** Put there before the page loads. */
  var previewBoard: ShownBoard;
}

createRoot(document.getElementById('root')!).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <Board board={globalThis.previewBoard} />
  </ThemeContext.Provider>,
);
