import type { CaptureRecord } from '../../profiling/capture';
import { bytes, span } from '../units';
import * as api from './api';
import { h } from './dom';

/** What can be taken from the page. A duration of 0 is a reading of what there is now. */
const offered = [
  { type: 'cpu', label: 'CPU', seconds: 10 },
  { type: 'heap', label: 'Heap', seconds: 0 },
  { type: 'allocs', label: 'Allocations', seconds: 10 },
  { type: 'trace', label: 'Trace', seconds: 2 },
] as const;

/** Captures listed at first, newest first. */
const listedAtFirst = 20;
/** Milliseconds between two looks at a capture that runs. */
const lookMs = 500;

export interface CapturesView {
  /** Reads the list, unless it is the one that had this tag when it was read last. */
  refresh(tag: string): Promise<void>;
}

/**
 * The buttons that take captures, and the list of those that there are.
 *
 * @param open shows the flame graph of one
 */
export function createCaptures(
  buttons: HTMLElement,
  list: HTMLElement,
  open: (id: string) => void,
): CapturesView {
  const message = h('p', { className: 'message' });
  message.setAttribute('role', 'status');
  const running = h('div');
  // It scrolls where it is too wide, for those without a mouse too.
  list.tabIndex = 0;
  list.setAttribute('role', 'region');
  list.setAttribute('aria-label', 'Captures');
  let read: string | undefined;
  let records: readonly CaptureRecord[] = [];
  let most = listedAtFirst;

  const draw = (empty = 'No captures yet.'): void => {
    const more = h('button', { type: 'button', className: 'more' }, `Show all ${records.length}`);
    more.addEventListener('click', () => {
      most = Number.POSITIVE_INFINITY;
      draw();
      list.focus();
    });
    list.replaceChildren(
      records.length === 0 ? h('p', {}, empty) : table(records.slice(0, most), open),
      ...(records.length > most ? [more] : []),
    );
  };
  const refresh = async (tag?: string): Promise<void> => {
    if (tag !== undefined && tag === read) return;
    // Before what it stands for: what comes meanwhile has another tag.
    read = tag;
    try {
      const { captures, error } = await api.captures();
      records = [...captures].sort((a, b) => b.startedAt.localeCompare(a.startedAt));
      draw(error);
    } catch (error) {
      list.replaceChildren(h('p', { className: 'message' }, reason(error)));
    }
  };

  const take = async (type: string, label: string, seconds: number): Promise<void> => {
    message.textContent = '';
    try {
      const { id } = await api.startCapture(type, seconds === 0 ? undefined : `${seconds}s`);
      await watch(id, type, label, seconds);
      await refresh();
      message.textContent = `${label} capture taken.`;
      if (type !== 'trace') open(id);
    } catch (error) {
      message.textContent = reason(error);
    }
  };

  const watch = async (id: string, type: string, label: string, seconds: number): Promise<void> => {
    const bar = h('progress', { max: Math.max(seconds, 1) });
    if (seconds > 0) bar.value = 0;
    bar.setAttribute('aria-label', `${label} capture`);
    const stop = h('button', { type: 'button' }, 'Stop');
    stop.addEventListener('click', () => void api.stopCapture(type).catch(() => {}));
    const row = h('p', { className: 'running' }, `${label} `, bar, ' ', ...(seconds > 0 ? [stop] : []));
    running.append(row);
    try {
      const begin = Date.now();
      while (!(await api.isDone(id))) {
        if (seconds > 0) bar.value = Math.min(seconds, (Date.now() - begin) / 1000);
        await new Promise(resolve => setTimeout(resolve, lookMs));
      }
    } finally {
      row.remove();
    }
  };

  buttons.append(
    h(
      'p',
      { className: 'buttons' },
      ...offered.map(({ type, label, seconds }) => {
        const button = h(
          'button',
          { type: 'button', data: { take: type } },
          `${label}${seconds > 0 ? `, ${seconds} s` : ''}`,
        );
        button.addEventListener('click', () => {
          button.disabled = true;
          void take(type, label, seconds).finally(() => {
            button.disabled = false;
          });
        });
        return button;
      }),
    ),
    running,
    message,
  );
  return { refresh };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function table(records: readonly CaptureRecord[], open: (id: string) => void): HTMLElement {
  const heads = ['Type', 'Taken at', 'Over', 'Why', 'Size', ''];
  return h(
    'table',
    {},
    h(
      'thead',
      {},
      h('tr', {}, ...heads.map(head => (head === '' ? h('td') : h('th', { scope: 'col' }, head)))),
    ),
    h(
      'tbody',
      {},
      ...records.map(record => {
        const { id, kind, startedAt, durationMs, format } = record;
        const download = h('a', { href: `profiling/captures/${id}`, download: '' }, 'Download');
        const show = h('button', { type: 'button', data: { flame: id } }, 'Flame graph');
        show.addEventListener('click', () => open(id));
        return h(
          'tr',
          {},
          h('td', {}, kind),
          h('td', {}, new Date(startedAt).toLocaleString()),
          h('td', {}, durationMs < 500 ? 'a moment' : span(durationMs / 1000)),
          h('td', {}, whyOf(record)),
          h('td', {}, bytes(record.bytes)),
          h('td', {}, ...(format === 'pprof' ? [show, ' '] : []), download),
        );
      }),
    ),
  );

  function whyOf({ trigger }: CaptureRecord): string {
    const rule = trigger.reason?.['rule'];
    return rule === undefined ? trigger.source : `${trigger.source}: ${String(rule)}`;
  }
}
