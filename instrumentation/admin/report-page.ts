import type { FindingReport } from '../diagnosis';
import { type Chart, type ChartId, charts, type History } from '../history/contract';
import { escapeHtml } from './html';
import { findingsOf } from './live';
import { loneSamples } from './page/readings';
import type { AdminParts } from './parts';
import { statusOf } from './status';
import { inUnit, span } from './units';

/** Milliseconds to wait for the findings, which the main thread has. */
const findingsMs = 2000;
const width = 560;
const height = 120;
const colours = ['#1f6fd6', '#d1570a', '#1f8a4c', '#b02a8c', '#6d4fc4', '#0a8593', '#a5790a', '#c4314b'];

/** The status page as one file without scripts, to be attached to a ticket. */
export async function reportPage(parts: AdminParts): Promise<{ name: string; html: string }> {
  const now = new Date();
  const [status, findings] = await Promise.all([statusOf(parts), findingsOf(parts, findingsMs)]);
  const history = parts.history.read(0);
  const { service, serviceVersion, nodeVersion, pid, uptimeSeconds, mainThread } = status;
  const title = `${service}${serviceVersion === undefined ? '' : ` ${serviceVersion}`}`;
  const figures = Object.entries(charts).map(([id, chart]) => drawChart(id as ChartId, chart, history));
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}: vital signs at ${now.toISOString()}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>${now.toISOString()}, process ${pid}, Node.js ${nodeVersion}, up ${span(uptimeSeconds)}</p>
${mainThread.answers ? '' : `<p><b>The event loop is blocked, for ${span(mainThread.blockedMs / 1000)} so far.</b></p>`}
<h2>Findings</h2>
${findings === undefined ? '<p>The main thread did not answer.</p>' : listFindings(findings)}
<h2>Vital signs</h2>
<div class="charts">
${figures.join('\n')}
</div>
<h2>Status</h2>
<pre>${escapeHtml(JSON.stringify(status, undefined, 2))}</pre>
</body>
</html>
`;
  // No name of the service's, which may hold what a file name must not.
  return { name: `vitals-${pid}-${now.toISOString().replaceAll(/[:.]/g, '-')}.html`, html };
}

function listFindings({ open, resolved }: FindingReport): string {
  const rows = [...open, ...resolved].map(finding => {
    const { severity, code, subject, title, evidence, advice, since, resolved: end } = finding;
    const cells = [
      end === undefined ? severity : `${severity}, resolved`,
      code,
      `${subject} ${title}`,
      `${new Date(since).toISOString()}${end === undefined ? '' : ` to ${new Date(end).toISOString()}`}`,
      Object.entries(evidence)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
      advice,
    ];
    return `<tr>${cells.map(cell => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  if (rows.length === 0) return '<p>Nothing is found to be wrong.</p>';
  const heads = ['Severity', 'Code', 'What', 'When', 'Evidence', 'Advice'];
  return `<table><thead><tr>${heads.map(head => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table>`;
}

function drawChart(id: ChartId, { title, unit }: Chart, { at, series }: History): string {
  const lines = Object.entries(series)
    .filter(([name]) => name.startsWith(`${id}/`))
    .map(([name, values]) => ({ name: name.slice(id.length + 1), values }));
  const drawn = lines.filter(({ name }) => name !== 'limit');
  if (drawn.length === 0 || at.length < 2) return '';
  const top = Math.max(...drawn.flatMap(({ values }) => values.map(value => value ?? 0))) || 1;
  const [from, to] = [at[0]!, at[at.length - 1]!];
  const x = (j: number): string => (((at[j]! - from) / (to - from)) * width).toFixed(1);
  const y = (value: number): string => (height - (value / top) * height).toFixed(1);
  const paths = drawn.map(({ values }, i) => {
    let gap = true;
    const steps = values.flatMap((value, j) => {
      if (value === null) {
        gap = true;
        return [];
      }
      const step = `${gap ? 'M' : 'L'}${x(j)} ${y(value)}`;
      gap = false;
      return [step];
    });
    const colour = colours[i % colours.length];
    const dots = loneSamples(values).map(
      j => `<circle cx="${x(j)}" cy="${y(values[j]!)}" r="2.5" fill="${colour}"/>`,
    );
    return `<path d="${steps.join('')}" fill="none" stroke="${colour}" stroke-width="1.5"/>${dots.join('')}`;
  });
  const legend = lines.map(({ name, values }) => {
    const known = values.filter(value => value !== null);
    const last = known[known.length - 1] ?? 0;
    const index = drawn.findIndex(line => line.name === name);
    const mark =
      index === -1
        ? ''
        : `<svg width="10" height="10" aria-hidden="true"><rect width="10" height="10" fill="${colours[index % colours.length]}"/></svg> `;
    return `<li>${mark}${escapeHtml(name)}: ${inUnit(last, unit)}, most ${inUnit(Math.max(...known), unit)}</li>`;
  });
  return `<figure><figcaption>${escapeHtml(title)}, up to ${inUnit(top, unit)}, ${span((to - from) / 1000)}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${paths.join('')}</svg>
<ul>${legend.join('')}</ul></figure>`;
}

const style = `:root { color-scheme: light dark }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5em; max-width: 1250px }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(400px, 100%), 1fr)); gap: 14px }
figure { margin: 0; border: 1px solid #8886; border-radius: 8px; padding: 8px }
figcaption { font-weight: 600 }
svg { max-width: 100% }
ul { list-style: none; padding: 0; margin: 4px 0; font-size: 13px }
table { border-collapse: collapse }
td, th { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid #8886; white-space: pre-wrap }
pre { overflow-x: auto }`;
