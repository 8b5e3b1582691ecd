/** The page's style sheet. It stands in the page, and the Content-Security-Policy allows it by its hash. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f5f5f3; --card: #fff; --ink: #1d1f24; --soft: #62656d; --line: #dedfe2; --rail: #c9cbd1;
  --client: #15688a; --server: #a02c3a; --good: #1d7a4c; --good-paper: #e6f3ec; --code: #f0f0ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131418; --card: #1c1e24; --ink: #e9e8e4; --soft: #9da1ab; --line: #30333b; --rail: #444852;
    --client: #6dc3e3; --server: #f2919a; --good: #6fd3a0; --good-paper: #18332a; --code: #25282f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: break-word;
}
main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { border-bottom: 1px solid var(--line); background: var(--card); }
header > div { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 2rem; }
.brand { display: flex; align-items: center; gap: .6rem; color: var(--soft); font-weight: 600; letter-spacing: .02em; }
.brand svg { width: 1.75rem; height: 1.75rem; color: var(--server); }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.4rem); line-height: 1.2; margin: 1.4rem 0 .6rem; letter-spacing: -.015em; text-wrap: balance; }
.lead { margin: 0; max-width: 46rem; color: var(--soft); font-size: 1.05rem; }
.badges { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1.1rem 0 0; padding: 0; list-style: none; }
.badges li { background: var(--good-paper); color: var(--good); border-radius: 99rem; padding: .15rem .8rem; font-size: .875rem; font-weight: 600; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
.note.after { margin-top: .9rem; }
.note { color: var(--soft); font-size: .9rem; margin: -.4rem 0 .9rem; max-width: 46rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .35rem 1.25rem; }
dl { margin: 0; }
dl > div { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: 0 1rem; padding: .6rem 0; border-top: 1px solid var(--line); }
dl > div:first-child { border-top: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
dd small { color: var(--soft); display: block; font-size: .85rem; }
code, .mono { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.25rem; }
.flow { padding: 1rem 1.25rem 1.1rem; }
.ends, .flow li { display: grid; grid-template-columns: 4.75rem 1fr 4.75rem; }
.ends { font-weight: 650; margin-bottom: .25rem; }
.ends p { grid-column: 2; display: flex; justify-content: space-between; margin: 0 1px; }
.ends span { width: 4.6rem; text-align: center; border: 1px solid currentColor; border-radius: .4rem; padding: .1rem 0; background: var(--card); }
.ends .c { color: var(--client); margin-left: -2.3rem; }
.ends .s { color: var(--server); margin-right: -2.3rem; }
.flow ol { list-style: none; margin: 0; padding: 0; }
.flow li > .at, .flow li > .size { font-variant-numeric: tabular-nums; font-size: .8rem; color: var(--soft); align-self: end; padding-bottom: .05rem; white-space: nowrap; }
.flow li > .at { text-align: right; padding-right: .7rem; }
.flow li > .size { padding-left: .7rem; }
.flow .wire { position: relative; border: solid var(--rail); border-width: 0 2px; padding: .6rem .9rem .55rem; min-height: 3.1rem; }
.flow .turn .wire { padding-top: 1.15rem; }
.flow .wire p { margin: 0; line-height: 1.35; }
.flow .wire b { font-weight: 650; }
.flow .wire span { color: var(--soft); font-size: .87rem; }
.flow .c .wire { color: var(--client); }
.flow .s .wire { color: var(--server); text-align: right; }
.flow .minor .wire { color: var(--soft); }
.flow .wire::before { content: ""; position: absolute; left: 3px; right: 3px; bottom: .3rem; border-top: 2px dashed currentColor; }
.flow .sealed .wire::before { border-top-style: solid; }
.flow .wire::after { content: ""; position: absolute; bottom: calc(.3rem - 4px); border: 5px solid transparent; }
.flow .c .wire::after { right: 0; border-left-color: currentColor; border-right-width: 0; }
.flow .s .wire::after { left: 0; border-right-color: currentColor; border-left-width: 0; }
.lock { width: .8em; height: .8em; vertical-align: -.02em; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; margin: .9rem 0 0; color: var(--soft); font-size: .85rem; }
.legend i { display: inline-block; width: 2rem; border-top: 2px dashed currentColor; vertical-align: .25em; margin-right: .45rem; }
.legend i.sealed { border-top-style: solid; }
pre { margin: 0; padding: .8rem 0; white-space: pre; overflow-x: auto; }
a { color: var(--client); }
footer { margin-top: 2.5rem; padding-bottom: 2.5rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 40rem) {
  .two { grid-template-columns: 1fr; }
  dl > div { grid-template-columns: 1fr; }
  .card { padding: .35rem 1rem; }
  .flow { padding: .9rem .6rem 1rem; }
  .ends, .flow li { grid-template-columns: 3.6rem 1fr 3.6rem; }
  .flow .wire span { display: block; }
  .flow li > .at, .flow li > .size { font-size: .72rem; padding-inline: .35rem; }
  .flow .wire { padding-inline: .6rem; }
}
@media (max-width: 27rem) {
  main, footer { padding-inline: .8rem; }
  header > div { padding-inline: .8rem; }
  .flow { padding-inline: .3rem; }
  .ends, .flow li { grid-template-columns: 3.1rem 1fr 3.3rem; }
  .ends .c { margin-left: -2rem; }
  .ends .s { margin-right: -2rem; }
  .flow .wire { padding-inline: .45rem; }
  .flow .wire b { font-size: .85rem; }
  .flow .wire span { font-size: .8rem; }
  .flow li > .at, .flow li > .size { font-size: .68rem; padding-inline: .25rem; }
  code, .mono { font-size: .82em; }
}
`;
