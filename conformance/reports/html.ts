/**
 * One page that needs nothing else: a matrix of checks by servers, each cell leading to what happened.
 * No script: a cell is a link, and what it leads to is shown because it is the target. The filter is a group of
 * radio buttons, and the style sheet hides the rows that the chosen one does not want.
 */
import type { Report, Result, ServerReport } from '../report.ts';
import { escapeMarkup as text } from './markup.ts';
import { MEANING, SIGN, tally } from './words.ts';

export function html(report: Report): string {
  const { servers, date, version, node, system, interrupted } = report;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Echo server conformance</title>
<style>${STYLE}</style>
<h1>Echo server conformance</h1>
<p class="meta">${text(date.slice(0, 16).replace('T', ' '))} UTC · version ${text(version)} · Node ${text(node)} · ${text(system)}${interrupted ? ' · <strong>the run was interrupted</strong>' : ''}</p>
${servers.map(summary).join('\n')}
${filter(servers)}
${matrix(servers)}
<p class="legend">${legend()}</p>
${failures(servers)}
${servers.map((server, i) => server.results.map((result) => account(server, i, result)).join('\n')).join('\n')}
</html>
`;
}

function summary({ name, conclusion, results, roundTrip }: ServerReport): string {
  const isRight = conclusion.startsWith('fulfils');
  const pace = roundTrip === null ? 'it never answered' : `round trip ${roundTrip.toFixed(2)} ms`;
  return `<p class="summary ${isRight ? 'pass' : 'fail'}"><strong>${text(name)}</strong> ${text(conclusion)}<br><small>${text(tally(results))} · ${pace}</small></p>`;
}

function matrix(servers: readonly ServerReport[]): string {
  const [first] = servers;
  if (!first) return '';
  const heads = servers
    .map(({ name }) => `<th scope="col"><span>${text(name)}</span></th>`)
    .join('');
  let group = '';
  const rows = first.results.map((result, row) => {
    const [here = '', rest = ''] = result.id.split('/');
    const inGroup = first.results.flatMap(({ id }, i) =>
      id.startsWith(`${here}/`) ? traitsOf(servers, i) : [],
    );
    const band =
      here === group
        ? ''
        : `<tr class="${['group', ...new Set(inGroup)].join(' ')}"><th colspan="${servers.length + 2}" scope="colgroup">${text(here)}</th></tr>`;
    group = here;
    const cells = servers.map(({ results }, i) => cell(results[row], i)).join('');
    return `${band}<tr class="${traitsOf(servers, row).join(' ')}"><th scope="row"><code>${text(rest)}</code><br><small>${text(result.title)}</small></th><td class="level">${result.level}</td>${cells}</tr>`;
  });
  return `<div class="scroll" id="matrix"><table><thead><tr><th scope="col">check</th><th scope="col">level</th>${heads}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

/** What a row of the matrix can be chosen by: the names of classes, and of the filter's buttons. */
function traitsOf(servers: readonly ServerReport[], row: number): ('unpassed' | 'differing')[] {
  const outcomes = servers.map(({ results }) => results[row]?.outcome);
  return [
    ...(outcomes.some((outcome) => outcome !== 'pass') ? (['unpassed'] as const) : []),
    ...(new Set(outcomes).size > 1 ? (['differing'] as const) : []),
  ];
}

/** Which rows to show. A choice that would leave none is there, and cannot be made. */
function filter(servers: readonly ServerReport[]): string {
  const rows = servers[0]?.results.map((_, row) => traitsOf(servers, row)) ?? [];
  if (rows.length === 0) return '';
  const having = (trait: 'unpassed' | 'differing') =>
    rows.filter((traits) => traits.includes(trait)).length;
  const choices = [
    ['all', 'all', rows.length],
    [
      'unpassed',
      servers.length > 1 ? 'not passed by every server' : 'not passed',
      having('unpassed'),
    ],
    ...(servers.length > 1 ? [['differing', 'servers differ', having('differing')] as const] : []),
  ] as const;
  const buttons = choices.map(
    ([id, words, count]) =>
      `<label><input type="radio" name="show" id="show-${id}"${id === 'all' ? ' checked' : ''}${count === 0 ? ' disabled' : ''}> ${words} (${count})</label>`,
  );
  return `<fieldset class="filter"><legend>Show checks</legend>${buttons.join(' ')}</fieldset>`;
}

function cell(result: Result | undefined, server: number): string {
  if (!result) return '<td></td>';
  const { outcome, id } = result;
  return `<td><a class="sign ${outcome}" href="#${anchor(server, id)}" title="${MEANING[outcome]}">${SIGN[outcome]}<span class="sr"> ${MEANING[outcome]}</span></a></td>`;
}

function legend(): string {
  return (Object.keys(SIGN) as (keyof typeof SIGN)[])
    .map((outcome) => `<span class="sign ${outcome}">${SIGN[outcome]}</span> ${MEANING[outcome]}`)
    .join(' &nbsp; ');
}

/** What went wrong, for whoever scrolls instead of pointing. */
function failures(servers: readonly ServerReport[]): string {
  const items = servers.flatMap(({ name, results }, i) =>
    results
      .filter(({ outcome }) => ['fail', 'stale', 'harness'].includes(outcome))
      .map(
        ({ id, message, cause, level }) =>
          `<li><a href="#${anchor(i, id)}"><code>${text(id)}</code></a> (${level}, ${text(name)}): ${text(message)}${cause ? `<br><em>Likely cause:</em> ${text(cause)}` : ''}</li>`,
      ),
  );
  return items.length > 0
    ? `<h2>What went wrong</h2><ul class="failures">${items.join('\n')}</ul>`
    : '';
}

function account(server: ServerReport, index: number, result: Result): string {
  const { id, level, title, sentence, outcome, message, cause, difference, transcript, again } =
    result;
  const rows = [
    `<h3><span class="sign ${outcome}">${SIGN[outcome]}</span> ${text(server.name)}: <code>${text(id)}</code></h3>`,
    `<p>${text(title)}. <small>${level} · ${MEANING[outcome]} · ${result.milliseconds} ms</small></p>`,
    `<blockquote>${text(sentence)}</blockquote>`,
    message && `<p class="message">${text(message)}</p>`,
    difference &&
      `<pre>at byte ${difference.offset}\nexpected ${text(difference.expected)}\ngot      ${text(difference.got)}</pre>`,
    cause && `<p><em>Likely cause:</em> ${text(cause)}</p>`,
    `<p>Again: <code>${text(again)}</code></p>`,
    transcript && `<pre>${text(transcript)}</pre>`,
  ];
  return `<section class="account" id="${anchor(index, id)}"><a class="close" href="#matrix">close</a>${rows.filter(Boolean).join('\n')}</section>`;
}

function anchor(server: number, id: string): string {
  return `s${server}-${id.replace('/', '-')}`;
}

const STYLE = `
:root { --bg: #fff; --fg: #1c1e21; --soft: #5b6168; --line: #d5d9de; --band: #f2f4f6; --good: #14713c; --bad: #b3202a; --mild: #8a5a00; --panel: #fafbfc; }
@media (prefers-color-scheme: dark) { :root { --bg: #14161a; --fg: #e6e8eb; --soft: #9aa2ab; --line: #33383f; --band: #1e2126; --good: #5fd38d; --bad: #ff7b83; --mild: #f0b95a; --panel: #1a1d22; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.2rem; } h3 { font-size: 1.05rem; margin: 0 3rem 0 0; overflow-wrap: anywhere; }
a { color: inherit; } small, .meta, .legend { color: var(--soft); font-size: .85rem; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; } code { overflow-wrap: anywhere; }
.summary { margin: .5rem 0; padding: .5rem .75rem; border-left: 4px solid; background: var(--band); overflow-wrap: anywhere; } .summary.pass { border-color: var(--good); } .summary.fail { border-color: var(--bad); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; font-weight: normal; vertical-align: top; }
thead th { font-weight: 600; vertical-align: bottom; max-width: 12rem; overflow-wrap: anywhere; } td, thead th:nth-child(n+3) { text-align: center; } .level { color: var(--soft); font-size: .85rem; }
.filter { margin: 1rem 0 0; border: 1px solid var(--line); border-radius: .3rem; } .filter label { display: inline-block; margin-right: 1.5rem; padding: .2rem 0; } .filter label:has(:disabled) { color: var(--soft); } .filter input:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
@media screen { body:has(#show-unpassed:checked) tbody tr:not(.unpassed), body:has(#show-differing:checked) tbody tr:not(.differing) { display: none; } }
.group th { background: var(--band); font-weight: 600; }
.sign { display: inline-block; min-width: 1.8rem; padding: .1rem .3rem; border-radius: .3rem; text-align: center; font-weight: 700; text-decoration: none; }
a.sign:hover, a.sign:focus { outline: 2px solid currentColor; } .pass.sign { color: var(--good); } .fail.sign, .stale.sign { color: var(--bg); background: var(--bad); } .known.sign, .harness.sign { color: var(--mild); } .unsupported.sign, .blocked.sign { color: var(--soft); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.failures li { margin-bottom: .6rem; overflow-wrap: anywhere; }
.account { display: none; } .account:target { display: block; position: fixed; inset: auto 0 0 0; max-height: 75vh; overflow: auto; padding: 1rem; background: var(--panel); border-top: 3px solid var(--soft); box-shadow: 0 -4px 24px #0005; }
.account pre { overflow-x: auto; padding: .5rem; background: var(--band); } .account blockquote { margin: .5rem 0; padding-left: .75rem; border-left: 3px solid var(--line); color: var(--soft); } .message { white-space: pre-wrap; overflow-wrap: anywhere; }
.close { float: right; } @media (max-width: 40rem) { th small { display: none; } th, td { padding: .25rem; } } @media print { .account { display: block; } }
`;
