import type { Status } from '../status';
import * as api from './api';
import { createCaptures } from './captures';
import { createCharts } from './charts';
import { byId, h } from './dom';
import { showFindings } from './findings';
import { showFlame } from './flame';
import './main.css';
import { span } from '../units';
import { createTimeline } from './timeline';

/** Milliseconds between two looks at the server. */
const lookMs = 2000;
const ranges = [
  ['5 min', 300],
  ['15 min', 900],
  ['30 min', 1800],
] as const;

const timeline = createTimeline();
const charts = createCharts(byId('charts'), timeline);
const captures = createCaptures(byId('take'), byId('captures'), id => void openFlame(id));
let range = 1800;

async function openFlame(id: string): Promise<void> {
  const section = byId('flame-section');
  const into = byId('flame');
  section.hidden = false;
  try {
    const { record, flame } = await api.flame(id);
    showFlame(into, record, flame);
    byId('flame-title').focus();
  } catch (error) {
    into.replaceChildren(h('p', { className: 'message' }, errorText(error)));
  }
}

function showStatus(status: Status): void {
  const version = status.serviceVersion === undefined ? '' : ` ${status.serviceVersion}`;
  byId('service').textContent = `${status.service}${version}`;
  document.title = `${status.service}: vital signs`;
  byId('facts').textContent =
    `process ${status.pid}, Node.js ${status.nodeVersion}, up ${span(status.uptimeSeconds)}`;
  const { answers, blockedMs } = status.mainThread;
  say(answers ? '' : `The event loop is blocked, for ${span(blockedMs / 1000)} so far.`);
}

function say(text: string): void {
  const state = byId('state');
  if (state.textContent !== text) state.textContent = text;
}

async function look(): Promise<void> {
  try {
    timeline.add(await api.history(timeline.last));
    charts.update(range);
    showStatus(await api.status());
    showFindings(byId('findings'), await api.findings());
    await captures.refresh();
  } catch (error) {
    say(`The server does not answer: ${errorText(error)}`);
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Looks for as long as somebody sees the page; what came in between is in the server's ring. */
async function keepLooking(): Promise<void> {
  for (;;) {
    if (document.visibilityState === 'visible') await look();
    await new Promise(resolve => setTimeout(resolve, lookMs));
  }
}

for (const [label, seconds] of ranges) {
  const radio = h('input', { type: 'radio', name: 'range', checked: seconds === range });
  radio.addEventListener('change', () => {
    range = seconds;
    charts.update(range);
  });
  byId('range').append(h('label', {}, radio, ` ${label}`));
}
const isDark = matchMedia('(prefers-color-scheme: dark)');
const setTheme = (dark: boolean): void => {
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  document.dispatchEvent(new Event('themechange'));
};
setTheme(isDark.matches);
isDark.addEventListener('change', ({ matches }) => setTheme(matches));
byId('theme').addEventListener('click', () => setTheme(document.documentElement.dataset['theme'] !== 'dark'));

void keepLooking();
