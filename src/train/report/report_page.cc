#include "train/report/report_page.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "train/report/html.h"

namespace malssi {
namespace {

constexpr std::string_view kColours = R"css(
:root{color-scheme:light dark;--paper:#faf9f5;--card:#fff;--ink:#1f2429;--soft:#59626d;--faint:#6f7884;
--rule:#e5e2d9;--hair:#efede6;--accent:#0b7564;--tint:#e4f1ed;--good:#16794a;--good-tint:#e6f4ea;
--bad:#b93a32;--bad-tint:#fbeae8;--code:#f4f2ec;
--s0:#0b7d6b;--s1:#d9701a;--s2:#3768cc;--s3:#b53b7c;--s4:#7355cc;--s5:#667080}
@media(prefers-color-scheme:dark){:root{--paper:#131619;--card:#1a1e22;--ink:#e7e9eb;--soft:#a6afb9;
--faint:#8b95a1;--rule:#2d3339;--hair:#252a30;--accent:#4cc9ae;--tint:#17332d;--good:#56c98a;
--good-tint:#15301f;--bad:#f08a80;--bad-tint:#3a1f1d;--code:#20252a;
--s0:#45c4a9;--s1:#f0994b;--s2:#7aa5f5;--s3:#e77fb3;--s4:#a993f0;--s5:#98a2b0}}
)css";

constexpr std::string_view kText = R"css(
*{box-sizing:border-box}
html{font:16px/1.6 system-ui,-apple-system,"Segoe UI",Pretendard,"Apple SD Gothic Neo","Noto Sans KR",
"Noto Sans CJK KR","Malgun Gothic",sans-serif;background:var(--paper);color:var(--ink);
-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:64px}
body{margin:0}
main,header.top{max-width:1080px;margin:0 auto;padding:0 24px}
header.top{padding-top:44px}
.mark{display:flex;align-items:center;gap:8px;color:var(--accent);font-weight:600;letter-spacing:.01em}
.mark svg{width:22px;height:22px}
.mark time{margin-left:auto;color:var(--faint);font-weight:400;font-size:.875rem}
h1{font-size:clamp(1.75rem,4.5vw,2.5rem);line-height:1.2;letter-spacing:-.02em;margin:20px 0 8px;
text-wrap:balance}
.subtitle{font-size:1.0625rem;color:var(--soft);margin:0 0 28px;max-width:70ch}
h2{font-size:1.5rem;line-height:1.3;letter-spacing:-.015em;margin:0}
h3{font-size:.9375rem;line-height:1.4;margin:0 0 12px;color:var(--soft);font-weight:600}
p{margin:0 0 12px;max-width:72ch}
:lang(ko){word-break:keep-all;overflow-wrap:anywhere;line-height:1.65}
code,pre{font:.875rem/1.6 ui-monospace,"SF Mono",Menlo,Consolas,"D2Coding","Noto Sans Mono CJK KR",monospace}
pre.command{background:var(--code);border:1px solid var(--rule);border-radius:10px;padding:12px 16px;margin:0;
overflow-x:auto}
nav{position:sticky;top:0;z-index:5;background:var(--paper);border-bottom:1px solid var(--rule)}
nav ol{max-width:1080px;margin:0 auto;padding:0 16px;display:flex;gap:4px;overflow-x:auto;list-style:none;
scrollbar-width:none}
nav a{display:block;padding:12px 10px;color:var(--soft);text-decoration:none;font-size:.9375rem;
white-space:nowrap;border-bottom:2px solid transparent;margin-bottom:-1px}
nav a:hover{color:var(--accent);border-color:var(--accent)}
.part{padding:36px 0 12px}
.part>header{margin-bottom:20px}
.part>header p{color:var(--soft);margin:6px 0 0}
.part+.part{border-top:1px solid var(--rule)}
.block{margin:0 0 30px}
footer{max-width:1080px;margin:0 auto;padding:20px 24px 48px;color:var(--faint);font-size:.875rem;
border-top:1px solid var(--rule)}
@media(max-width:640px){main,header.top,footer{padding-left:16px;padding-right:16px}header.top{padding-top:28px}
nav ol{padding:0 6px}}
@media print{nav{display:none}.block,.plot,.compare>li{break-inside:avoid}}
)css";

constexpr std::string_view kBlocks = R"css(
.card,.figures>div,.plot,.samples>li>div,.compare>li,.group{background:var(--card);border:1px solid var(--rule);
border-radius:12px}
.figures{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(148px,1fr))}
.figures>div{padding:14px 16px 12px}
.figures b{display:block;font-size:1.625rem;line-height:1.2;font-weight:650;letter-spacing:-.02em;
font-variant-numeric:tabular-nums}
.figures span{display:block;font-size:.875rem;color:var(--soft);margin-top:4px}
.figures small{display:block;font-size:.8125rem;color:var(--faint);margin-top:2px}
details>summary{cursor:pointer;font-size:.9375rem;font-weight:600;color:var(--soft);margin-bottom:12px}
details:not([open])>summary{margin:0}
.groups{columns:300px;column-gap:12px}
.group{break-inside:avoid;padding:12px 16px;margin:0 0 12px}
.group b{display:block;font-size:.875rem;color:var(--accent);margin-bottom:4px}
.group dl{display:grid;grid-template-columns:auto 1fr;gap:2px 16px;margin:0;font-size:.875rem}
.group dt{color:var(--soft)}
.group dd{margin:0;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th,td{padding:9px 16px;text-align:left;vertical-align:top;border-bottom:1px solid var(--hair)}
th{color:var(--soft);font-weight:600;font-size:.8125rem;border-color:var(--rule);vertical-align:bottom}
tr:last-child td{border:0}
.right{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.note{color:var(--faint);font-size:.875rem;margin:10px 0 0}
.samples{list-style:none;margin:0;padding:0}
.samples>li{display:grid;grid-template-columns:112px 1fr;gap:16px;padding-bottom:14px;position:relative}
.samples .when{text-align:right;font-variant-numeric:tabular-nums;padding:11px 18px 0 0;font-size:.875rem;
position:relative}
.samples .when small{display:block;color:var(--faint)}
.samples .when:before{content:"";position:absolute;right:-4px;top:18px;width:9px;height:9px;border-radius:50%;
background:var(--accent)}
.samples>li:after{content:"";position:absolute;left:112px;top:30px;bottom:-14px;width:1px;background:var(--rule)}
.samples>li:last-child:after{display:none}
.samples>li>div+div{padding:10px 16px;white-space:pre-wrap;overflow-wrap:anywhere;min-width:0}
.samples>li>.when{background:none;border:0;border-radius:0}
.prompt{font-weight:600;color:var(--accent)}
.compare{list-style:none;margin:0;padding:0;display:grid;gap:12px}
.compare>li{padding:14px 16px}
.compare .ask{font-weight:600;white-space:pre-wrap;overflow-wrap:anywhere;max-width:none;margin:0}
.compare .want{color:var(--faint);font-size:.875rem;margin:2px 0 0}
.answers{display:grid;gap:10px;grid-template-columns:repeat(auto-fit,minmax(min(100%,260px),1fr));margin-top:10px}
.answers>div{background:var(--code);border-radius:8px;padding:8px 12px;white-space:pre-wrap;
overflow-wrap:anywhere;min-width:0}
.answers small{display:block;color:var(--soft);font-size:.8125rem}
.answers .right-answer{background:var(--good-tint)}.answers .right-answer small{color:var(--good)}
.answers .wrong-answer{background:var(--bad-tint)}.answers .wrong-answer small{color:var(--bad)}
.empty{color:var(--faint);font-style:italic}
.key{margin-bottom:8px}
.key,.legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:.875rem;color:var(--soft)}
.key i,.legend i,.tip i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}
.bars{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:14px 18px;align-items:center;
padding:18px 20px}
.bars .label{font-size:.9375rem;overflow-wrap:anywhere}
.bars .row{position:relative;display:grid;gap:4px}
.bars .bar{display:grid;grid-template-columns:1fr 60px;align-items:center;gap:10px}
.bars .track{height:12px;border-radius:3px;background:var(--hair);position:relative}
.bars .fill{height:100%;border-radius:3px;min-width:2px}
.bars .goal{position:absolute;top:-3px;bottom:-3px;width:2px;background:var(--ink);border-radius:1px}
.bars .value{font-size:.875rem;font-variant-numeric:tabular-nums;text-align:right}
.total{text-align:right;max-width:none}
.course{display:flex;gap:2px;height:14px;margin-bottom:10px}
.course i{min-width:3px;border-radius:3px}
.stages{list-style:none;margin:0;padding:0}
.stages li{display:grid;grid-template-columns:14px 1fr auto;gap:2px 12px;padding:10px 0;
border-bottom:1px solid var(--hair);align-items:baseline}
.stages li:last-child{border:0}
.stages i{width:10px;height:10px;border-radius:3px}
.stages span{grid-column:2;color:var(--soft);font-size:.9375rem}
.stages time{grid-column:3;grid-row:1;font-variant-numeric:tabular-nums;color:var(--soft)}
.talk{list-style:none;margin:0;padding:18px 20px;display:grid;gap:10px}
.talk li{max-width:min(85%,62ch);padding:8px 14px;border-radius:14px;background:var(--code);white-space:pre-wrap;
overflow-wrap:anywhere;justify-self:start;border-bottom-left-radius:4px}
.talk li.user{justify-self:end;background:var(--tint);border-radius:14px;border-bottom-right-radius:4px}
.talk li.system{justify-self:center;background:none;color:var(--faint);font-size:.875rem;text-align:center}
@media(max-width:640px){.samples>li{grid-template-columns:1fr;gap:4px}.samples>li:after,.samples .when:before{display:none}
.samples .when{text-align:left;padding:0}.samples .when small{display:inline;margin-left:8px}
.bars{grid-template-columns:1fr;gap:4px}.bars .row{margin-bottom:10px}}
)css";

constexpr std::string_view kPlots = R"css(
.plots{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr))}
.plot{margin:0;padding:14px 14px 8px;min-width:0}
.plot.wide{grid-column:1/-1}
.plot figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:2px 16px;padding:0 2px 8px}
.plot figcaption b{font-size:.9375rem;font-weight:600}
.legend b{color:var(--ink);font-variant-numeric:tabular-nums}
.canvas{position:relative;touch-action:pan-y}
.plot svg{display:block;width:100%;height:auto;overflow:hidden}
.canvas>svg.narrow{display:none}
@media(max-width:700px){.canvas>svg.wide{display:none}.canvas>svg.narrow{display:block}}
.grid path{stroke:var(--hair);fill:none}.base{stroke:var(--rule)}
.tick{fill:var(--faint);font-size:12px}.tick text{font-variant-numeric:tabular-nums}
.line,.raw{fill:none;stroke-linejoin:round;stroke-linecap:round}
.line{stroke-width:1.9}.raw{stroke-width:1;opacity:.28}.dashed{stroke-dasharray:5 4}
.dot{stroke:var(--card);stroke-width:1}
.s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}.s4{stroke:var(--s4)}.s5{stroke:var(--s5)}
.dot.s0,.f0{fill:var(--s0);background:var(--s0)}.dot.s1,.f1{fill:var(--s1);background:var(--s1)}
.dot.s2,.f2{fill:var(--s2);background:var(--s2)}.dot.s3,.f3{fill:var(--s3);background:var(--s3)}
.dot.s4,.f4{fill:var(--s4);background:var(--s4)}.dot.s5,.f5{fill:var(--s5);background:var(--s5)}
.dot{stroke:var(--card)!important}
.hair{stroke:var(--faint);stroke-dasharray:2 3}
.tip{position:absolute;top:4px;pointer-events:none;background:var(--card);border:1px solid var(--rule);
border-radius:8px;padding:6px 10px;font-size:.8125rem;line-height:1.5;white-space:nowrap;
box-shadow:0 4px 16px rgb(0 0 0/.12);font-variant-numeric:tabular-nums}
.tip[hidden]{display:none}
.tip small{color:var(--faint)}
)css";

// A read-out under the pointer: the nearest point of each series.
constexpr std::string_view kScript = R"js(
const show = v => v == null ? '–' : Number.isInteger(v) ? v.toLocaleString('en') : String(+v.toPrecision(4));
for (const figure of document.querySelectorAll('figure.plot')) {
  const data = JSON.parse(figure.querySelector('script').textContent), tip = figure.querySelector('.tip');
  const make = (name, attributes, parent) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return parent.appendChild(node);
  };
  for (const svg of figure.querySelectorAll('.canvas > svg')) {
    const axis = text => {
      const [begin, end, low, high, log] = text.split(' ').map(Number), f = log ? Math.log : v => v;
      return {begin, end, at: v => begin + (f(v) - f(low)) / (f(high) - f(low)) * (end - begin)};
    };
    const x = axis(svg.dataset.x), y = axis(svg.dataset.y), overlay = make('g', {}, svg);
    const nearest = (s, px) => {
      let best = -1, least = Infinity;
      s.x.forEach((v, i) => {
        const distance = Math.abs(x.at(v) - px);
        if (s.y[i] != null && distance < least) [best, least] = [i, distance];
      });
      return best;
    };
    const leave = () => { overlay.replaceChildren(); tip.hidden = true; };
    svg.addEventListener('pointerleave', leave);
    svg.addEventListener('pointermove', event => {
      leave();
      const box = svg.getBoundingClientRect(), px = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const found = data.series.map(s => [s, nearest(s, px)]).filter(([, i]) => i >= 0);
      if (!found.length || px < x.begin - 8) return;
      const off = ([s, i]) => Math.abs(x.at(s.x[i]) - px);
      const [first, at] = found.reduce((a, b) => off(b) < off(a) ? b : a), here = first.x[at];
      make('path', {class: 'hair', d: `M${x.at(here)},${y.begin}V${y.end}`}, overlay);
      tip.replaceChildren(`${data.x} ${show(here)}`);
      for (const [s, i] of found) {
        make('circle', {class: `dot s${s.colour}`, r: 4, cx: x.at(s.x[i]), cy: y.at(s.y[i])}, overlay);
        const row = tip.appendChild(document.createElement('div')), swatch = document.createElement('i');
        swatch.className = `f${s.colour}`;
        row.append(swatch, `${s.name} ${show(s.y[i])}`);
        if (s.x[i] !== here) row.appendChild(document.createElement('small')).textContent = ` at ${show(s.x[i])}`;
      }
      tip.hidden = false;
      const left = x.at(here) / svg.viewBox.baseVal.width * box.width;
      tip.style.left = (left + 14 + tip.offsetWidth > box.width ? left - 14 - tip.offsetWidth : left + 14) + 'px';
    });
  }
}
)js";

// A sprout that is also a speech bubble's tail.
constexpr std::string_view kMark =
    R"(<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" )"
    R"(stroke-linejoin="round" aria-hidden="true"><path d="M12 21v-9"/><path d="M12 12C12 7.5 9 5 3.5 5c0 5 3 7.5 8.5 7"/>)"
    R"(<path d="M12 14.5c0-4 2.6-6.5 8.5-6.5 0 5-3 7-8.5 6.5"/></svg>)";

}  // namespace

std::string report_page(std::string_view title, std::string_view subtitle,
                        std::string_view navigation, std::string_view body) {
  const std::time_t seconds = std::time(nullptr);
  std::tm local{};
  localtime_r(&seconds, &local);
  const std::string now = fmt::format("{:%Y-%m-%d %H:%M}", local);
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">"
      "<link rel=\"icon\" href=\"data:,\"><title>{}</title><style>",
      escape_html(title));
  for (const std::string_view style : {kColours, kText, kBlocks, kPlots}) page += style;
  page += fmt::format(
      "</style></head><body>\n<header class=\"top\"><div class=\"mark\">{}<span>Malssi <span "
      "lang=\"ko\">말씨</span></span><time>{}</time></div><h1 lang=\"{}\">{}</h1>",
      kMark, now, language_of(title), escape_html(title));
  if (!subtitle.empty())
    page += fmt::format("<p class=\"subtitle\" lang=\"{}\">{}</p>", language_of(subtitle),
                        escape_html(subtitle));
  page += "</header>\n";
  page += navigation;
  page += "<main>";
  page += body;
  page +=
      "</main>\n<footer>Made by Malssi on this machine. The page needs no "
      "network.</footer>\n<script>";
  page += kScript;
  page += "</script></body></html>\n";
  return page;
}

}  // namespace malssi
