/** The page's style: dark and light as the reader's system has it, and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --panel: #f6f8fa;
  --good: #1a7f37; --bad: #c2262e; --warm: #9a6700; --cool: #0a5fbd; --down: #ffd8b5; --badground: #fff0ee; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --ink: #e3e8ee; --soft: #98a3af; --line: #333b44; --panel: #1c2229;
  --good: #4cc267; --bad: #ff7b72; --warm: #e3b341; --cool: #6cb2ff; --down: #5c3a1a; --badground: #2d1a1b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.5rem 4rem; max-width: 76rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; } h3 { font-size: 1rem; margin: 0 .4rem 0 .2rem; display: inline; } .gist { margin-left: .4rem; }
h4 { font-size: .95rem; margin: 1.4rem 0 .4rem; } p { margin: .3rem 0; } a { color: var(--cool); }
.sub, .none, .gist, .code { color: var(--soft); } .code { font-size: .85em; }
.cards { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; padding: 0; list-style: none; }
.cards li { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .9rem; min-width: 7rem; }
.cards b { display: block; font-size: 1.35rem; font-weight: 600; line-height: 1.3; } .cards span { color: var(--soft); font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th, td { text-align: left; padding: .28rem .6rem .28rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; } tbody th { font-weight: normal; white-space: nowrap; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-right: .9rem; }
thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
thead button::after { content: " \\2195"; opacity: .35; } [aria-sort=ascending] button::after { content: " \\2191"; opacity: 1; } [aria-sort=descending] button::after { content: " \\2193"; opacity: 1; }
.path, code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; overflow-wrap: anywhere; } pre { margin: .3rem 0; white-space: pre-wrap; background: var(--panel); padding: .5rem; border-radius: 4px; max-height: 24rem; overflow: auto; }
.scroll { overflow-x: auto; } #fleet td:first-child { overflow-wrap: anywhere; min-width: 8rem; } #fleet td.digest { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .8em; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .6rem 0; } .filter input[type=search] { font: inherit; padding: .3rem .5rem; width: 16rem; max-width: 100%; color: inherit; background: var(--ground); border: 1px solid var(--soft); border-radius: 4px; }
.filter label { white-space: nowrap; } .state { font-size: .8rem; font-weight: 600; padding: .05rem .5rem; border-radius: 9px; border: 1px solid currentColor; white-space: nowrap; }
.state.done { color: var(--good); } .state.failed, .state.cut-off { color: var(--bad); } .state.running { color: var(--cool); } .state.waiting, .state.not-begun { color: var(--soft); }
details.host { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 1rem; } .many details.host { content-visibility: auto; contain-intrinsic-size: auto 2.6rem; } details.host[open] { padding-bottom: 1rem; }
details.host > summary { cursor: pointer; padding: .5rem 0; } summary:focus-visible, a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--cool); outline-offset: 2px; }
.failure { background: var(--badground); border-left: 4px solid var(--bad); padding: .5rem .9rem; margin: .5rem 0; border-radius: 0 4px 4px 0; } .failure ul, .failure ol { margin: .2rem 0; } .failure li + li { margin-top: .3rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: .2rem 1.2rem; margin: .4rem 0; } .facts dt { color: var(--soft); font-size: .8rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
.timeline td.bar { width: 38%; padding-right: .9rem; } .timeline svg { display: block; width: 100%; height: 20px; } rect.done { fill: var(--good); } rect.failed, rect.cut-off { fill: var(--bad); } rect.running { fill: var(--cool); } rect.down { fill: var(--down); }
.legend { font-size: .85rem; color: var(--soft); } .key { display: inline-block; width: 1.2em; height: .9em; border-radius: 2px; vertical-align: -1px; } .key.down { background: var(--down); }
.treemap { width: 100%; height: auto; border-radius: 4px; } .treemap text { font-size: 13px; fill: #fff; } .treemap .size { opacity: .85; font-size: 11px; }
.t0 rect { fill: #2f5d8a; } .t1 rect { fill: #4f6f3a; } .t2 rect { fill: #7a4b6b; } .t3 rect { fill: #8a5a2b; } .t4 rect { fill: #3b6f75; } .t5 rect { fill: #6b5b95; } .t6 rect { fill: #7d3c3c; } .t7 rect { fill: #555f6b; }
.paths, .plain { margin: .2rem 0; padding-left: 1.2rem; } .paths li { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; overflow-wrap: anywhere; }
.changes td { background: var(--down); } .tag { font-size: .75rem; border: 1px solid currentColor; border-radius: 3px; padding: 0 .3rem; } .skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .4rem; }
@media (max-width: 48rem) { body { padding: 1rem .8rem 3rem; } details.host { padding: 0 .7rem; } details.host section { overflow-x: auto; } tbody th { white-space: normal; }
  .timeline { min-width: 34rem; } .treemap { min-width: 34rem; } details.host section td { min-width: 5rem; } details.host section td.path, details.host section code { min-width: 9rem; overflow-wrap: break-word; } .cards li { flex: 1 1 6rem; } }
[hidden] { display: none !important; }
@media print { :root { --ground: #fff; --ink: #000; --soft: #444; --line: #bbb; --panel: #f6f6f6; --good: #1a7f37; --bad: #b00; --down: #ffd8b5; --badground: #fff0ee; } body { max-width: none; padding: 0; font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .filter, .skip, thead button::after { display: none; } details.host, .many details.host { content-visibility: visible; break-inside: auto; } tr, .treemap, .failure { break-inside: avoid; } thead { display: table-header-group; } }
`;
