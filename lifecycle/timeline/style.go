package timeline

import (
	"kiban.dev/kiban/lifecycle"
)

// colour is the class in pageStyle that an action is painted with: actions of one tone share one.
func colour(a lifecycle.Action) string {
	return map[lifecycle.Tone]string{
		lifecycle.TonePrepare:   "prep",
		lifecycle.ToneBackup:    "back",
		lifecycle.ToneCordon:    "cord",
		lifecycle.ToneDrain:     "drain",
		lifecycle.ToneUpgrade:   "upgr",
		lifecycle.ToneConfigure: "conf",
		lifecycle.ToneUncordon:  "unco",
		lifecycle.ToneRemove:    "remo",
		lifecycle.ToneJoin:      "join",
		lifecycle.ToneMaintain:  "main",
		lifecycle.ToneUnit:      "unit",
		lifecycle.ToneOther:     "other",
	}[a.Tone()]
}

// pageStyle is all of a page's style. Colours are the reader's choice of light or dark; bars are dark enough for white letters in both.
const pageStyle = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#17202b;--soft:#5b6675;--line:#dfe3e9;--grid:#e7eaef;--band:#eef1f5;--bad:#c81e1e;--good:#15803d;--odd:#a16207;
--prep:#64748b;--back:#0f766e;--cord:#a16207;--drain:#d9480f;--upgr:#2563eb;--unco:#4d7c0f;--remo:#9d174d;--join:#15803d;--conf:#7c3aed;--main:#0e7490;--unit:#4338ca;--other:#475569;--fail:#dc2626;--room:#2563eb14;--level:#2563eb}
@media (prefers-color-scheme:dark){:root{--bg:#0f141a;--card:#171e27;--ink:#e6eaf0;--soft:#97a3b3;--line:#2a3441;--grid:#232c37;--band:#1c2530;--bad:#f87171;--good:#4ade80;--odd:#facc15;
--prep:#64748b;--back:#0d9488;--cord:#b45309;--drain:#ea580c;--upgr:#3b82f6;--unco:#65a30d;--remo:#be185d;--join:#16a34a;--conf:#8b5cf6;--main:#0891b2;--unit:#6366f1;--other:#546378;--fail:#ef4444;--room:#60a5fa1c;--level:#60a5fa}}
*{box-sizing:border-box}
body{margin:0;padding:28px 20px 48px;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1320px;margin:0 auto}
h1{font-size:24px;line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em}
h2{font-size:16px;margin:34px 0 10px;font-weight:650}
.head{display:flex;flex-wrap:wrap;gap:10px 14px;align-items:center}
.badge{font-size:13px;font-weight:650;padding:3px 11px;border-radius:99px;color:#fff;background:var(--cord)}
.badge.done{background:var(--join)}.badge.failed{background:var(--fail)}
.sub{color:var(--soft);margin:6px 0 0}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em;overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:22px 0 0}
.fact{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:11px 15px;min-width:0}
.fact b{display:block;font-size:19px;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.fact span{color:var(--soft);font-size:13px}
.fact.two{grid-column:span 2}
.box{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;overflow-x:auto}
svg{display:block;width:100%;min-width:860px;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:var(--ink)}
svg .soft{fill:var(--soft)}svg .small{font-size:11px}svg .end{text-anchor:end}svg .mid{text-anchor:middle}
svg .in{fill:#fff;font-size:11px;paint-order:stroke;stroke:#0009;stroke-width:2.6px;stroke-linejoin:round;pointer-events:none}
svg .grid{stroke:var(--grid)}svg .edge{stroke:var(--line)}svg .rule{stroke:var(--line);stroke-dasharray:2 3}
svg .band{fill:var(--band)}svg .bad{fill:var(--bad)}svg .good{fill:var(--good)}svg .odd{fill:var(--odd)}svg .strong{font-weight:600}
.b{stroke:var(--card);stroke-width:.6}.b:hover{filter:brightness(1.18)}
.prep{fill:var(--prep);background:var(--prep)}.back{fill:var(--back);background:var(--back)}.cord{fill:var(--cord);background:var(--cord)}.drain{fill:var(--drain);background:var(--drain)}
.upgr{fill:var(--upgr);background:var(--upgr)}.unco{fill:var(--unco);background:var(--unco)}.remo{fill:var(--remo);background:var(--remo)}.join{fill:var(--join);background:var(--join)}
.conf{fill:var(--conf);background:var(--conf)}.main{fill:var(--main);background:var(--main)}.unit{fill:var(--unit);background:var(--unit)}.other{fill:var(--other);background:var(--other)}.fail{fill:var(--fail);background:var(--fail)}
.cut{fill-opacity:.55;stroke:var(--odd);stroke-width:1.5;stroke-dasharray:4 2}
.hatch{fill:url(#hatch);pointer-events:none}
.room{fill:var(--room)}.limit{stroke:var(--bad);stroke-dasharray:5 4;stroke-width:1.4;fill:none}.level{stroke:var(--level);stroke-width:2;fill:none;stroke-linejoin:round}.area{fill:var(--level);fill-opacity:.22}.over{fill:var(--fail);fill-opacity:.5}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 10px;color:var(--soft);font-size:13px}
.legend i{display:inline-block;width:13px;height:13px;border-radius:3px;margin-right:6px;vertical-align:-2px}
.legend i.h{background:repeating-linear-gradient(135deg,var(--soft) 0 3px,transparent 3px 6px);border:1px solid var(--line)}
.legend i.l{height:0;border-top:2px dashed var(--bad);border-radius:0;vertical-align:4px}
.finding{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:8px;padding:11px 15px;margin:0 0 10px}
.finding.blocked,.finding.warning{border-left-color:var(--odd)}
.finding p{margin:4px 0 0;white-space:pre-line;overflow-wrap:anywhere}
.log{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;margin:8px 0 2px;padding:8px 11px;background:var(--bg);border:1px solid var(--line);border-radius:6px;overflow-x:auto}.finding .try{color:var(--soft)}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;color:var(--soft);font-weight:600;font-size:13px;white-space:nowrap}
th,td{padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
a{color:inherit}td.n,th.n{font-variant-numeric:tabular-nums;white-space:nowrap;text-align:right}td.w{white-space:nowrap}
tr:last-child td{border-bottom:0}tr.idle td{color:var(--soft)}
td i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}
.r-failed{color:var(--bad);font-weight:600}.r-cut{color:var(--odd);font-weight:600}
details summary{cursor:pointer;color:var(--soft);margin:0 0 8px}
footer{color:var(--soft);font-size:13px;margin-top:26px}
@media print{body{background:#fff;padding:0}.box,.fact{break-inside:avoid}}
`
