import type { Live } from '../live';
import * as api from './api';
import { createCaptures } from './captures';
import { createCharts } from './charts';
import { byId, h } from './dom';
import { showFindings } from './findings';
import { showFlame } from './flame';
import './main.css';
import { span } from '../units';
import { createTimeline } from './timeline';
import { createVigil } from './vigil';

/** Milliseconds between two looks at the server, and while the main thread does not answer. */
const lookMs = 2000;
const blockedLookMs = 1000;
/** Milliseconds after which a time that passes is said anew. */
const tickMs = 250;
const ranges = [
  ['5 min', 300],
  ['15 min', 900],
  ['30 min', 1800],
] as const;

const timeline = createTimeline();
const charts = createCharts(byId('charts'), timeline);
const captures = createCaptures(byId('take'), byId('captures'), id => void openFlame(id));
const vigil = createVigil();
let range = 1800;
/** Ends the flame graph that is shown. */
let endFlame = (): void => {};

async function openFlame(id: string): Promise<void> {
  const section = byId('flame-section');
  const into = byId('flame');
  endFlame();
  endFlame = () => {};
  try {
    const { record, flame } = await api.flame(id);
    section.hidden = false;
    endFlame = showFlame(into, record, flame);
  } catch (error) {
    section.hidden = false;
    into.replaceChildren(h('p', { className: 'message' }, errorText(error)));
  }
  const title = byId('flame-title');
  title.focus({ preventScroll: true });
  title.scrollIntoView({ block: 'start' });
}

byId('flame-close').addEventListener('click', () => {
  byId('flame-section').hidden = true;
  endFlame();
  endFlame = () => {};
  byId('flame').replaceChildren();
  byId('captures').focus();
});

function showFacts({ service, serviceVersion, nodeVersion, pid, uptimeSeconds }: Live): void {
  put(byId('service'), `${service}${serviceVersion === undefined ? '' : ` ${serviceVersion}`}`);
  document.title = `${service}: vital signs`;
  put(byId('facts'), `process ${pid}, Node.js ${nodeVersion}, up ${span(uptimeSeconds)}`);
}

/** What is said aloud stands apart from the time, which would be said every second. */
function showNotice(): void {
  const { what, time } = vigil.notice();
  put(byId('state-what'), what);
  put(byId('state-time'), time);
}

function put(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** @returns milliseconds until the next look */
async function look(): Promise<number> {
  let answers = true;
  try {
    vigil.asked();
    const live = await api.live(timeline.last);
    answers = live.mainThread.answers;
    vigil.answered(live.mainThread);
    const { last } = timeline;
    timeline.add(live.history);
    if (timeline.last !== last) charts.update(range);
    showFacts(live);
    showFindings(byId('findings'), live.findings);
    await captures.refresh(live.capturesTag);
  } catch (error) {
    vigil.failed(errorText(error));
  }
  showNotice();
  return answers ? lookMs : blockedLookMs;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Looks for as long as somebody sees the page; what came in between is in the server's ring. */
async function keepLooking(): Promise<void> {
  for (;;) {
    const pause = document.visibilityState === 'visible' ? await look() : lookMs;
    await new Promise(resolve => setTimeout(resolve, pause));
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

setInterval(showNotice, tickMs);
void keepLooking();
