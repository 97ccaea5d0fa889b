import { hash } from 'node:crypto'

/** The one stylesheet: light and dark by the reader's setting, readable at 400 %, nothing from elsewhere. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #eef1f5; --paper: #ffffff; --ink: #14202e; --quiet: #4c5a6b; --line: #c3ccd8; --field: #6b7888;
  --brand: #12365e; --on-brand: #ffffff; --brand-hover: #1c4a7f; --soft: #f3f6fa;
  --bad: #9c1c1c; --bad-soft: #fdf1f1; --focus: #0b5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d141d; --paper: #16202c; --ink: #e8edf3; --quiet: #aab6c5; --line: #35445a; --field: #8593a6;
    --brand: #9cc4f5; --on-brand: #0b1a2b; --brand-hover: #bcd8fa; --soft: #1c2938;
    --bad: #ffb0aa; --bad-soft: #34191a; --focus: #8fc2ff;
  }
}
* { box-sizing: border-box; }
html { font-size: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
header { width: 100%; background: var(--paper); border-bottom: 1px solid var(--line); padding: .9rem 1rem; }
header .bank { max-width: 30rem; margin: 0 auto; font-weight: 650; letter-spacing: .01em; color: var(--brand); }
header .bank::before {
  content: ""; display: inline-block; width: .7rem; height: .7rem; margin-right: .6rem;
  background: var(--brand); border-radius: .15rem; transform: rotate(45deg);
}
main {
  width: 100%; max-width: 30rem; margin: 2rem 0 1rem; padding: 2rem;
  background: var(--paper); border: 1px solid var(--line); border-radius: .6rem;
}
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
h2 { margin: 1.6rem 0 .4rem; font-size: 1rem; line-height: 1.4; font-weight: 650; }
p { margin: .4rem 0; }
.quiet, .hint, dt { color: var(--quiet); }
.hint { font-size: .9rem; margin: .15rem 0 .3rem; }
form { margin: 1.2rem 0 0; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input[type="text"], input[type="password"] {
  width: 100%; min-height: 2.9rem; margin-top: .25rem; padding: .55rem .75rem;
  font: inherit; color: var(--ink); background: var(--paper);
  border: 1px solid var(--field); border-radius: .4rem;
}
input.code { letter-spacing: .3em; font-variant-numeric: tabular-nums; max-width: 14rem; }
input[aria-invalid="true"] { border-color: var(--bad); border-width: 2px; }
fieldset { margin: 1.4rem 0 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 650; }
.choice {
  display: flex; align-items: center; gap: .8rem; margin-top: .6rem; padding: .8rem .9rem; font-weight: 400;
  border: 1px solid var(--line); border-radius: .4rem; background: var(--soft); cursor: pointer;
}
.choice input { flex: none; width: 1.5rem; height: 1.5rem; margin: 0; accent-color: var(--brand); }
ul { margin: .3rem 0; padding-left: 1.2rem; }
li { margin: .25rem 0; }
dl { display: grid; grid-template-columns: minmax(6rem, auto) 1fr; gap: .35rem 1.2rem; margin: 1rem 0; }
dt, dd { margin: 0; }
.payment { padding: .9rem 1rem; background: var(--soft); border-left: .25rem solid var(--brand); font-weight: 600; }
.buttons { display: flex; flex-wrap: wrap; gap: .8rem; margin-top: 1.6rem; }
button {
  flex: 1 1 9rem; min-height: 2.9rem; padding: .6rem 1.2rem; font: inherit; font-weight: 650; cursor: pointer;
  color: var(--on-brand); background: var(--brand); border: 2px solid var(--brand); border-radius: .4rem;
}
button:hover { background: var(--brand-hover); border-color: var(--brand-hover); }
button.plain { color: var(--brand); background: var(--paper); }
button.plain:hover { background: var(--soft); border-color: var(--brand); }
.alert { margin: 1rem 0; padding: .8rem 1rem; background: var(--bad-soft); border-left: .25rem solid var(--bad); }
.alert h2 { margin: 0; color: var(--bad); }
.card { margin-top: 1.2rem; padding: 1rem 1.1rem; border: 1px solid var(--line); border-radius: .5rem; }
.card h2 { margin-top: 0; }
.card form { margin: 0; }
pre { margin: .6rem 0; padding: .8rem 1rem; background: var(--soft); border-radius: .4rem; white-space: pre-wrap; font-size: .85rem; }
.notice { padding: .8rem 1rem; background: var(--soft); border-left: .25rem solid var(--brand); font-weight: 600; }
a { color: var(--brand); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: .2rem; }
footer { width: 100%; max-width: 30rem; padding: 0 2rem 2rem; font-size: .9rem; color: var(--quiet); }
@media (max-width: 32rem) {
  main { margin: 0; padding: 1.2rem 1rem; border-width: 0 0 1px; border-radius: 0; }
  footer { padding: 1rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
}
@media (forced-colors: active) { button, .choice, .alert, main { border: 1px solid; } }
`

/** Named by what it says, so that it can be kept for a year. */
export const STYLE_PATH = `/oauth/pages-${hash('sha256', STYLE, 'hex').slice(0, 12)}.css`
