import type { CaptureRecord } from '../../profiling/capture';
import type { Flame } from '../../profiling/pprof/flame';
import { ofProfile } from '../units';
import { h } from './dom';
import { createFlameCanvas } from './flame-canvas';
import { type Box, functionTotals, layOut, matchedShare, selfOf } from './flame-layout';

/** Functions listed below the graph. */
const listed = 25;

/**
 * Shows a capture as a flame graph with search, zoom, the source line of a call, and a table of its functions.
 *
 * @returns a function that ends it
 */
export function showFlame(into: HTMLElement, record: CaptureRecord, flame: Flame): () => void {
  let type = flame.shown;
  let root = layOut(flame, type);
  let zoomed = root;
  let focused: Box | undefined;
  let matches: ((frame: number) => boolean) | undefined;

  const canvas = h('canvas', { tabIndex: 0 });
  canvas.setAttribute('role', 'img');
  canvas.setAttribute(
    'aria-label',
    'Flame graph. Arrow keys move between calls, Enter zooms, Escape zooms out. The table below says the same.',
  );
  const view = createFlameCanvas(canvas, flame);
  const details = h('div', { className: 'details' });
  details.setAttribute('aria-live', 'polite');
  const tip = h('div', { className: 'tip', hidden: true });
  const found = h('output');
  const search = h('input', { type: 'search', placeholder: 'part of a function or file name' });
  search.setAttribute('aria-label', 'Search functions and files');
  const out = h('button', { type: 'button' }, 'Zoom out');
  const types = h(
    'select',
    {},
    ...flame.types.map((each, i) =>
      h('option', { value: String(i), selected: i === type }, `${each.type} (${each.unit})`),
    ),
  );
  types.setAttribute('aria-label', 'Value shown');
  const table = h('div', { className: 'functions', tabIndex: 0 });
  table.setAttribute('role', 'region');
  table.setAttribute('aria-label', 'Functions');

  const value = (amount: number): string => {
    const whole = Math.abs(root.node[1][type]!);
    const share = whole === 0 ? '' : ` (${((Math.abs(amount) / whole) * 100).toFixed(1)}\u00a0%)`;
    // Broken between the two at most.
    return `${ofProfile(amount, flame.types[type]!.unit).replaceAll(' ', '\u00a0')}${share}`;
  };
  const draw = (): void => {
    view.draw({ zoomed, focused, matches });
    out.disabled = zoomed === root;
  };
  const focus = (box: Box | undefined): void => {
    focused = box;
    details.replaceChildren(...(box === undefined ? [] : describe(flame, box, type, value)));
    draw();
  };
  const zoom = (box: Box): void => {
    zoomed = box;
    focus(box);
  };

  canvas.addEventListener('click', ({ offsetX, offsetY }) => {
    const box = view.at(offsetX, offsetY);
    if (box !== undefined) zoom(box);
  });
  canvas.addEventListener('mousemove', ({ offsetX, offsetY }) => {
    const box = view.at(offsetX, offsetY);
    tip.hidden = box === undefined;
    if (box === undefined) return;
    tip.textContent = `${nameOf(flame, box)}: ${value(box.node[1][type]!)}`;
    tip.style.left = `${Math.min(offsetX + 12, canvas.clientWidth - 220)}px`;
    tip.style.top = `${offsetY + 16}px`;
  });
  canvas.addEventListener('mouseleave', () => {
    tip.hidden = true;
  });
  canvas.addEventListener('keydown', event => {
    const box = focused ?? zoomed;
    const next = step(box, event.key);
    if (event.key === 'Enter') zoom(box);
    else if (event.key === 'Escape') zoom(root);
    else if (next !== undefined) focus(next);
    else return;
    event.preventDefault();
  });
  out.addEventListener('click', () => zoom(root));
  search.addEventListener('input', () => {
    const wanted = search.value.trim().toLowerCase();
    matches =
      wanted === ''
        ? undefined
        : frame => {
            const { name, file } = flame.frames[frame]!;
            return name.toLowerCase().includes(wanted) || file.toLowerCase().includes(wanted);
          };
    found.textContent =
      matches === undefined ? '' : `${(matchedShare(flame, type, matches) * 100).toFixed(1)} % matched`;
    draw();
  });
  types.addEventListener('change', () => {
    type = Number(types.value);
    root = layOut(flame, type);
    zoomed = root;
    table.replaceChildren(functionTable(flame, type, value));
    focus(undefined);
  });

  into.replaceChildren(
    h(
      'p',
      {},
      `${record.kind}, ${new Date(record.startedAt).toLocaleString()}, `,
      h('a', { href: `profiling/captures/${record.id}`, download: '' }, 'download as pprof'),
    ),
    ...record.notes.map(note => h('p', { className: 'note' }, note)),
    h('p', { className: 'buttons' }, search, found, types, out),
    h('div', { className: 'graph' }, canvas, tip),
    details,
    table,
  );
  table.append(functionTable(flame, type, value));
  if (root.children.length === 0) details.append(h('p', {}, 'There is nothing in it.'));
  draw();
  const resized = new ResizeObserver(draw);
  resized.observe(canvas.parentElement!);
  document.addEventListener('themechange', draw);
  return () => {
    resized.disconnect();
    document.removeEventListener('themechange', draw);
  };
}

function step(box: Box, key: string): Box | undefined {
  const siblings = box.parent?.children ?? [box];
  const at = siblings.indexOf(box);
  if (key === 'ArrowUp') return box.parent;
  if (key === 'ArrowDown') return box.children[0];
  if (key === 'ArrowLeft') return siblings[at - 1];
  if (key === 'ArrowRight') return siblings[at + 1];
  return undefined;
}

function nameOf({ frames }: Flame, { node: [frame] }: Box): string {
  return frame < 0 ? 'all' : frames[frame]!.name;
}

/** What is known of a call, with its source line as a link that editors open. */
function describe(flame: Flame, box: Box, type: number, value: (amount: number) => string): Node[] {
  const frame = flame.frames[box.node[0]];
  return [
    h(
      'p',
      {},
      h('b', {}, nameOf(flame, box)),
      ` total ${value(box.node[1][type]!)}, self ${value(selfOf(box.node, type))} `,
    ),
    ...(frame === undefined || frame.file === '' ? [] : [h('p', {}, sourceLine(frame.file, frame.line))]),
  ];
}

function sourceLine(file: string, line: number): Node {
  const path = file.replace(/^file:\/\//, '');
  // Where there is little room the end of a path is what tells.
  const end = path.lastIndexOf('/', path.lastIndexOf('/', path.lastIndexOf('/') - 1) - 1) + 1;
  const code = h(
    'code',
    {},
    h('span', { className: 'far' }, path.slice(0, end)),
    `${path.slice(end)}${line > 0 ? `:${line}` : ''}`,
  );
  if (!path.startsWith('/') && !/^[A-Za-z]:[\\/]/.test(path)) return code;
  const url = `vscode://file/${path.replace(/^\//, '').replaceAll('\\', '/')}:${line}`;
  return h('a', { href: encodeURI(url), title: `${path}: open in VS Code` }, code);
}

function functionTable(flame: Flame, type: number, value: (amount: number) => string): HTMLElement {
  const rows = functionTotals(flame, type).slice(0, listed);
  return h(
    'table',
    {},
    h(
      'thead',
      {},
      h('tr', {}, ...['Self', 'Total', 'Function'].map(head => h('th', { scope: 'col' }, head))),
    ),
    h(
      'tbody',
      {},
      ...rows.map(({ frame, self, total }) => {
        const { name, file, line } = flame.frames[frame]!;
        return h(
          'tr',
          {},
          h('td', {}, value(self)),
          h('td', {}, value(total)),
          h('td', {}, h('b', {}, name), ...(file === '' ? [] : [' ', sourceLine(file, line)])),
        );
      }),
    ),
  );
}
