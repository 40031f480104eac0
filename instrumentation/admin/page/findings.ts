import type { Finding, FindingReport } from '../../diagnosis';
import { digits, span } from '../units';
import { h } from './dom';

/** Shows what is wrong, and below it what was. */
export function showFindings(into: HTMLElement, report: FindingReport | undefined): void {
  if (report === undefined) {
    into.dataset['stale'] = 'true';
    if (into.childElementCount === 0) into.append(h('p', {}, 'The main thread has not answered yet.'));
    return;
  }
  delete into.dataset['stale'];
  // Drawn anew only for what is new, so that text stays selected and the keyboard where it is.
  const now = JSON.stringify(report, (name, value: unknown) => (name === 'lastSeen' ? undefined : value));
  if (shown.get(into) === now) {
    for (const age of into.querySelectorAll<HTMLElement>('[data-since]')) {
      age.textContent = agedText(Number(age.dataset['since']));
    }
    return;
  }
  shown.set(into, now);
  const focused = into.contains(document.activeElement)
    ? document.activeElement?.closest<HTMLElement>('[data-key]')?.dataset['key']
    : undefined;
  const unfolded = new Set(
    [...into.querySelectorAll<HTMLDetailsElement>('details[open]')].map(({ dataset }) => dataset['key']),
  );
  const fold = (key: string, summary: string, content: Node): HTMLElement =>
    h('details', { open: unfolded.has(key), data: { key } }, h('summary', {}, summary), content);
  const { open, resolved } = report;
  into.replaceChildren(
    open.length === 0
      ? h('p', { className: 'fine' }, 'Nothing is found to be wrong.')
      : h('ul', { className: 'findings' }, ...open.map(finding => showFinding(finding, fold))),
  );
  if (resolved.length > 0) {
    into.append(
      fold(
        'resolved',
        `${resolved.length} resolved`,
        h(
          'ul',
          { className: 'findings' },
          ...[...resolved].reverse().map(finding => showFinding(finding, fold)),
        ),
      ),
    );
  }
  if (focused === undefined) return;
  for (const details of into.querySelectorAll<HTMLElement>('[data-key]')) {
    if (details.dataset['key'] === focused) details.querySelector('summary')?.focus();
  }
}

/** What each place shows. */
const shown = new WeakMap<HTMLElement, string>();

const agedText = (since: number): string => `for ${span((Date.now() - since) / 1000)}`;

type Fold = (key: string, summary: string, content: Node) => HTMLElement;

function showFinding(finding: Finding, fold: Fold): HTMLElement {
  const { code, severity, subject, title, evidence, advice, runbook, since, resolved } = finding;
  const evidenceRows = Object.entries(evidence).flatMap(([name, value]) => [
    h('dt', {}, name),
    h('dd', {}, typeof value === 'number' ? digits(value) : value),
  ]);
  const when =
    resolved === undefined
      ? agedText(since)
      : `${new Date(since).toLocaleTimeString()}, for ${span((resolved - since) / 1000)}`;
  return h(
    'li',
    { data: { severity, code } },
    h(
      'p',
      {},
      h('strong', {}, severity),
      ' ',
      h('b', {}, `${subject} ${title}`),
      ' ',
      h('small', resolved === undefined ? { data: { since: String(since) } } : {}, when),
    ),
    h('p', {}, advice),
    fold(`${code} ${subject} ${since}`, 'Evidence', h('dl', {}, ...evidenceRows)),
    h('p', {}, h('small', {}, `${code}, see ${runbook} in the package`)),
  );
}
