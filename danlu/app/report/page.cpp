#include "danlu/app/report/page.h"

#include "danlu/app/report/html.h"
#include "danlu/base/format.h"
#include "danlu/base/hash.h"

namespace danlu::app {
namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark;
  --ground: #fdfdfc; --card: #ffffff; --ink: #16181d; --soft: #5f6673; --faint: #9aa1ad; --rule: #e7e8ea;
  --c0: #2b63d6; --c1: #dd6b20; --c2: #12906d; --c3: #b8327a; --c4: #7550d8; --c5: #a67c00; --c6: #1786ad; --c7: #cf3b34; --c8: #5f7413; --c9: #747985;
  --good: #12805f; --bad: #c2362f }
@media (prefers-color-scheme: dark) { :root {
  --ground: #121417; --card: #181b1f; --ink: #e9ebee; --soft: #a0a7b3; --faint: #6c7480; --rule: #2a2e35;
  --c0: #7ea7ff; --c1: #f5a05c; --c2: #4fcfa6; --c3: #ec82b9; --c4: #ab92f7; --c5: #dbb444; --c6: #63c3e3; --c7: #f28079; --c8: #b1c45c; --c9: #a4a9b3;
  --good: #4fcfa6; --bad: #f28079 } }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; font-variant-numeric: tabular-nums }
main { max-width: 66rem; margin: 0 auto; padding: 3.5rem 1.5rem 4rem }
.kicker { color: var(--soft); font-size: .82rem; letter-spacing: .02em; margin: 0 0 .4rem }
h1 { font-size: 2.3rem; line-height: 1.15; letter-spacing: -.022em; font-weight: 680; margin: 0; overflow-wrap: anywhere }
.lead { font-size: 1.08rem; color: var(--soft); max-width: 44rem; margin: .7rem 0 0 }
section { margin-top: 3.2rem }
h2 { font-size: 1.25rem; letter-spacing: -.012em; font-weight: 650; margin: 0 0 1.1rem; padding-top: 1.1rem; border-top: 1px solid var(--rule) }
h3 { font-size: .95rem; font-weight: 620; margin: 1.6rem 0 .6rem }
p { margin: .5rem 0; max-width: 44rem } .note { color: var(--soft); font-size: .88rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); gap: 1.6rem 2.2rem; margin-top: 2.4rem }
.tile .label { color: var(--soft); font-size: .85rem }
.tile .value { font-size: 2.35rem; line-height: 1.2; letter-spacing: -.025em; font-weight: 640 }
.tile .value small { font-size: .55em; font-weight: 500; letter-spacing: 0; color: var(--soft) }
.tile .range { color: var(--soft); font-size: .8rem }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1.2rem }
figure { margin: 0; min-width: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .9rem 1rem .6rem }
figure.wide { grid-column: 1 / -1; max-width: 46rem }
figcaption { font-size: .9rem; font-weight: 620; display: flex; flex-wrap: wrap; gap: .1rem .9rem; align-items: baseline }
figcaption .key { font-weight: 400; font-size: .78rem; color: var(--soft); white-space: nowrap }
.run { white-space: nowrap; color: var(--ink) } .run i { display: inline-block; width: .65em; height: .65em; border-radius: 50%; margin-right: .45em }
.change { font-size: .8rem } .stack svg.interval { display: block; margin: .3rem 0 } td .range { color: var(--soft); font-size: .78rem } td b { font-weight: 620 }
figcaption .key i { display: inline-block; width: .95em; height: 3px; border-radius: 2px; margin-right: .4em; vertical-align: .22em }
svg { display: block; width: 100%; height: auto; margin-top: .35rem; overflow: visible }
svg text { font-size: 11px; fill: var(--soft) } svg text.name { fill: var(--ink) }
.grid { stroke: var(--rule) } .axis { stroke: var(--faint) } .diagonal { stroke: var(--faint); stroke-dasharray: 3 4 }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round }
.line.faint { opacity: .32; stroke-width: 1.4 } .unseen { fill: none; stroke: none } .points { fill: none; stroke-width: 5; stroke-linecap: round }
.whisker { stroke-width: 1.5; opacity: .4; stroke-linecap: round }
.bars rect { fill: var(--faint); opacity: .3 } .mark { fill: var(--card); stroke-width: 2.2 } text.marked { fill: var(--soft); paint-order: stroke; stroke: var(--card); stroke-width: 4px }
.spot { stroke: var(--card); stroke-width: 1.5; pointer-events: none }
.cell { stroke: var(--card); stroke-width: 1.5 } .right { fill: var(--c0) } .wrong { fill: var(--c1) } text.count { fill: var(--ink); pointer-events: none } text.count.on { fill: var(--card) }
svg.interval { width: 9rem; display: inline-block; margin: 0; vertical-align: middle } .interval .reach { stroke: var(--c0); stroke-width: 3; stroke-linecap: round; opacity: .38 } .interval circle { fill: var(--c0) }
.scroll { overflow-x: auto } .scroll + .scroll, .scroll + .note, .note + .scroll { margin-top: 1.2rem } .tiles + .note { margin-top: 1.4rem }
table { border-collapse: collapse; font-size: .87rem; min-width: 22rem }
th { text-align: left; font-weight: 560; color: var(--soft); font-size: .8rem } th, td { padding: .36rem 1.6rem .36rem 0; border-bottom: 1px solid var(--rule); vertical-align: top }
td:first-child { min-width: 6.5rem } tr > :last-child { padding-right: 0 } .r { text-align: right } .r, .n { white-space: nowrap }
td code { overflow-wrap: anywhere } code, pre { font: .82rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace }
pre { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .9rem 1.1rem; overflow-x: auto; margin: .6rem 0 }
.prose { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: .9rem 1.1rem; margin: .5rem 0 1.2rem; max-width: 46rem }
.prose b { font-weight: 650 }
details { margin-top: 1rem } summary { cursor: pointer; color: var(--soft); font-size: .9rem } summary:hover { color: var(--ink) } details > :nth-child(2) { margin-top: .7rem }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.2rem, 1fr)); gap: 1.1rem .9rem }
.gallery img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; image-rendering: pixelated; display: block }
.gallery div { font-size: .8rem; line-height: 1.4; overflow-wrap: anywhere } .gallery div div { margin-top: .35rem }
.gallery.maps { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)) } .gallery.maps img { image-rendering: auto }
mark { color: inherit; border-radius: 3px } rect.for { fill: var(--good) } rect.against { fill: var(--bad) }
.good { color: var(--good) } .bad { color: var(--bad) } .soft { color: var(--soft) }
.warning { border-left: 3px solid var(--c1); padding-left: .8rem; margin: .6rem 0 } .failure { border-left-color: var(--bad) }
#tip { position: fixed; z-index: 9; pointer-events: none; background: var(--ink); color: var(--ground); font-size: .78rem; line-height: 1.4; padding: .3rem .6rem; border-radius: 6px; white-space: pre; max-width: 90vw; overflow: hidden }
footer { margin-top: 4rem; color: var(--faint); font-size: .8rem }
@media (max-width: 640px) { main { padding: 2rem 1.1rem 3rem } h1 { font-size: 1.8rem } .tiles { grid-template-columns: 1fr 1fr; gap: 1.3rem 1rem } .tile .value { font-size: 1.7rem } th, td { padding-right: 1rem } .roomy { display: none } svg text { font-size: 13.5px } }
@media print { main { padding: 0; max-width: none } figure, .tile, tr { break-inside: avoid } }
)";

// The values under the pointer: of the nearest point of a curve, or of the cell that it is on.
constexpr const char* kScript = R"(
const tip = document.getElementById('tip');
let spot = null;
const hide = () => { tip.hidden = true; if (spot) spot.remove(); spot = null; };
const show = (text, x, y) => {
  tip.textContent = text; tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 4)) + 'px';
  tip.style.top = (y - box.height - 12 < 4 ? y + 18 : y - box.height - 12) + 'px';
};
const look = event => {
  hide();
  const cell = event.target.closest('[data-tip]');
  if (cell) return show(cell.dataset.tip, event.clientX, event.clientY);
  const svg = event.target.closest('svg.plot');
  if (!svg) return;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  let best = null, least = 40 * 40;
  for (const curve of svg.querySelectorAll('[data-x]')) {
    for (let i = 0; i < curve.points.length; ++i) {
      const p = curve.points[i], distance = (p.x - at.x) ** 2 + (p.y - at.y) ** 2;
      if (distance < least) { least = distance; best = { curve, i, p }; }
    }
  }
  if (!best) return;
  const value = name => best.curve.dataset[name].split(' ')[best.i];
  spot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
  for (const [key, text] of Object.entries({ class: 'spot', cx: best.p.x, cy: best.p.y, r: 4.5, style: 'fill:' + best.curve.dataset.colour })) spot.setAttribute(key, text);
  svg.append(spot);
  show(best.curve.dataset.name + '\n' + svg.dataset.xlabel + ' ' + value('x') + '\n' + svg.dataset.ylabel + ' ' + value('y'), event.clientX, event.clientY);
};
addEventListener('pointermove', look); addEventListener('pointerdown', look); addEventListener('scroll', hide, { passive: true });
document.documentElement.addEventListener('pointerleave', hide);
)";

}  // namespace

std::string html_page(std::string_view title, const std::string& body, int refresh_s) {
  // A word that only the script below knows: markup that came in with data could not run even if it were not escaped.
  const std::string nonce = hash_text(body).hex();
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'nonce-{1}'; "
      "base-uri 'none'; form-action 'none'\">\n"
      "{5}<title>{0}</title>\n<style>{2}</style>\n</head>\n<body>\n<main>\n{3}</main>\n<div id=\"tip\" hidden></div>\n"
      "<script nonce=\"{1}\">{4}</script>\n</body>\n</html>\n",
      escaped(title), nonce, kStyle, body, kScript,
      refresh_s > 0 ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", refresh_s) : "");
}

}  // namespace danlu::app
