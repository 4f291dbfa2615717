// Fills the page out of its data, and draws the plots once plotly, which comes last in the page, is
// there. Text is set as text only; plotly's labels pass through `safe`.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const trials = new Map(data.trials.map((one) => [one.trial, one]));
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const state = { machine: data.machines[0], trial: null, sort: "trial", down: false };
const find = (id) => document.getElementById(id);
const body = (id) => document.querySelector(`#${id} .body`);

// ---- small helpers

function make(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text !== null && text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

// plotly reads a little markup in labels; a user's words have none.
function safe(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function short(value, digits = 3) {
  if (value === null || value === undefined) return "-";
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}

const percent = (value) => (value === null || value === undefined ? "-" : `${(100 * value).toFixed(1)} %`);
const interval = (s) => `${percent(s.value)} [${(100 * s.low).toFixed(1)} ${(100 * s.high).toFixed(1)}]`;

function pairs(flat) {
  const found = [];
  for (let i = 0; i < flat.length; i += 2) found.push([data.names[flat[i]], flat[i + 1]]);
  return found;
}

function table(columns, rows) {
  const cell = (tag, value) => {
    const made = make(tag, typeof value === "number" ? short(value, 5) : value);
    if (typeof value === "number") made.className = "number";
    return made;
  };
  const line = (tag, values) => make("tr", null, ...values.map((value) => cell(tag, value)));
  const made = make("table", null,
    make("thead", null, line("th", columns)), make("tbody", null, ...rows.map((r) => line("td", r))));
  const box = make("div", null, made);
  box.className = "wide";
  box.tabIndex = 0;
  return box;
}

// items: [label, share 0 to 1 or null, words]
function bars(items) {
  const box = make("div");
  box.className = "bars";
  for (const [label, share, words] of items) {
    const fill = make("div"), track = make("div", null, fill), value = make("span", words);
    fill.className = "fill";
    track.className = "track";
    value.className = "value";
    fill.style.width = `${100 * Math.max(0, Math.min(1, share ?? 0))}%`;
    box.append(make("span", label), track, value);
  }
  return box;
}

function lines(title, texts) {
  return texts.length ? [make("h3", title), make("ul", null, ...texts.map((t) => make("li", t)))] : [];
}

// With weights as the machine has them; as trained where it cannot run the network.
function scores(one) {
  return one.scores?.[one.on[state.machine.name]?.bits ?? one.bits];
}

function trialButton(key) {
  const button = make("button", key);
  button.type = "button";
  button.addEventListener("click", () => openTrial(key));
  return button;
}

// ---- plots

function draw(id, traces, layout) {
  const css = getComputedStyle(document.documentElement);
  const ink = css.getPropertyValue("--ink").trim(), rule = css.getPropertyValue("--line").trim();
  const axis = { gridcolor: rule, zerolinecolor: rule, linecolor: rule, automargin: true };
  const dressed = {};
  for (const [name, value] of Object.entries(layout)) {
    dressed[name] = /^[xy]axis/.test(name) ? { ...axis, ...value } : value;
  }
  return Plotly.react(id, traces, {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, size: 12 },
    margin: { l: 50, r: 10, t: 30, b: 40 }, xaxis: axis, yaxis: axis,
    legend: { orientation: "h", y: -0.22 }, hoverlabel: { align: "left" }, ...dressed,
  }, { responsive: true, displaylogo: false, displayModeBar: false });
}

const axes = {
  accuracy: [`validation ${data.score} [%]`, (one) => one.scores ? 100 * scores(one).validation.value : null],
  energy: ["energy per inference [µJ]", (one, on) => on?.energy_uj ?? null, true],
  latency: ["latency [µs]", (one, on) => on?.latency_us ?? null, true],
  sops: ["synaptic operations (SOPs)", (one) => one.effective_sops ?? null, true],
  kept: ["kept block weights [%]", (one) => one.kept_weights === undefined ? null : 100 * one.kept_weights],
};

function drawFront() {
  const machine = state.machine, name = machine.name;
  const [xWords, xOf, xLog] = axes[find("x-axis").value], [yWords, yOf, yLog] = axes[find("y-axis").value];
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  const place = (one) => [xOf(one, one.on[name]), yOf(one, one.on[name])];
  const onto = (value, log) => value !== null && (!log || value > 0);
  const drawn = new Set();
  function trace(label, ones, extra) {
    const shown = ones.filter((one) => { const [x, y] = place(one); return onto(x, xLog) && onto(y, yLog); });
    shown.forEach((one) => drawn.add(one.trial));
    return {
      type: "scatter", mode: "markers", name: `${label} (${shown.length})`,
      x: shown.map((one) => place(one)[0]), y: shown.map((one) => place(one)[1]),
      customdata: shown.map((one) => one.trial),
      text: shown.map((one) => `${safe(one.trial)}: ${safe(one.plan)}`),
      hovertemplate: "%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>", ...extra,
    };
  }
  const points = machine.points.map((key) => trials.get(key));
  const traces = Object.entries(data.marks).map(([origin, [words, colour, symbol]]) =>
    trace(words, points.filter((one) => one.origin === origin), { marker: { color: colour, symbol, size: 8 } }));
  traces.push(trace("breaks a budget", data.trials.filter((one) => one.state === "infeasible"),
    { marker: { color: "#cc79a7", symbol: "x-thin-open", size: 9 } }));
  const members = machine.front.map((key) => trials.get(key));
  const usual = find("y-axis").value === "accuracy";
  const heights = members.filter((one) => { const [x, y] = place(one); return onto(x, xLog) && onto(y, yLog); })
    .map((one) => scores(one).validation);
  const line = usual && find("x-axis").value === "energy";
  traces.push(trace(usual ? "front, 95 % intervals" : "front", members, {
    mode: line ? "lines+markers" : "markers", line: { color: "#0072b2", shape: "hv" },
    marker: { color: "#0072b2", symbol: "circle-open", size: 13 },
    ...(usual ? { error_y: { type: "data", symmetric: false, thickness: 1, array: heights.map((s) => 100 * (s.high - s.value)),
      arrayminus: heights.map((s) => 100 * (s.value - s.low)) } } : {}),
  }));
  traces.push(trace("fine-tuned parent", [data.parent], { marker: { color: ink, symbol: "star", size: 14 } }));
  if (line && machine.confirmed.length) {
    const rows = machine.confirmed;
    traces.push({
      type: "scatter", mode: "markers", name: `on fresh seeds, sd (${rows.length})`,
      x: rows.map((r) => r.energy_uj.mean), y: rows.map((r) => 100 * r.validation.mean),
      customdata: rows.map((r) => String(r.trial)), text: rows.map((r) => `${r.trial} on ${r.seeds} fresh seeds`),
      hovertemplate: "%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
      marker: { color: "#009e73", symbol: "diamond", size: 8 },
      error_y: { type: "data", array: rows.map((r) => 100 * (r.validation.std ?? 0)), color: "#009e73" },
      error_x: { type: "data", array: rows.map((r) => r.energy_uj.std ?? 0), color: "#009e73" },
    });
  }
  draw("front-plot", traces.filter((t) => t.x.length), {
    xaxis: { title: { text: xWords }, type: xLog ? "log" : "linear" },
    yaxis: { title: { text: yWords }, type: yLog ? "log" : "linear" }, hovermode: "closest",
  }).then((plot) => {
    plot.removeAllListeners("plotly_click");
    plot.on("plotly_click", (event) => openTrial(event.points[0].customdata));
  });
  find("front-words").textContent = `${machine.title}; ${machine.bits}.`;
  const box = find("not-drawn"), there = new Map(machine.infeasible);
  box.replaceChildren();
  const groups = [["Failed", (one) => one.state === "failed"], ["Cannot run on this machine", (one) => there.has(one.trial)],
    ["Duplicate of another trial", (one) => one.state === "duplicate"],
    ["Breaks a budget, not measured", (one) => one.state === "infeasible"],
    ["Without a place on these axes", (one) => one.state === "measured"]];
  const left = new Set(data.trials.filter((one) => !drawn.has(one.trial)).map((one) => one.trial));
  for (const [words, wanted] of groups) {
    const keys = data.trials.filter((one) => left.has(one.trial) && wanted(one)).map((one) => one.trial);
    keys.forEach((key) => left.delete(key));
    if (!keys.length) continue;
    box.append(make("details", null, make("summary", `${words}, not drawn: ${keys.length}`), ...keys.map(trialButton)));
  }
}

function drawHeat() {
  const members = state.machine.front.map((key) => trials.get(key));
  const names = members.map((one) => `trial ${one.trial}`);
  const heat = (id, title, y, z, most, words) => draw(id, [{
    type: "heatmap", x: names, y: y.map(safe), z, zmin: 0, zmax: most, colorscale: "Viridis", xgap: 2, ygap: 2,
    colorbar: { thickness: 10, ...(words ? { tickvals: words.map((w, i) => i), ticktext: words } : { tickformat: ".0%" }) },
    hovertemplate: "%{x}, %{y}: %{z}<extra></extra>",
  }], { title: { text: title, font: { size: 13 } }, xaxis: { type: "category" }, yaxis: { autorange: "reversed", type: "category" } });
  const column = (place) => data.branches.map((_, i) => members.map((one) => one.branches[i][place]));
  heat("heat-zeros", "zeros among the weights that are left", data.branches, column(2), 1);
  heat("heat-kept", "inner dimensions kept (rank)", data.branches, column(1), 1);
  const kinds = ["fixed", "layer", "channel"], blocks = data.parent.neurons.map((_, i) => i);
  heat("heat-neurons", "neurons: what is learned", blocks.flatMap((i) => [`block ${i} threshold`, `block ${i} τ`]),
    blocks.flatMap((i) => [0, 1].map((k) => members.map((one) => kinds.indexOf(one.neurons[i][k])))), 2, kinds);
}

function drawSensitivity() {
  const name = state.machine.name, rows = data.sensitivity;
  const words = rows.map((r) => safe(`${r.branch} ${r.setting}`));
  const bar = (label, values, color) => ({ type: "bar", orientation: "h", name: label, y: words, x: values, marker: { color } });
  find("sensitivity-plot").style.height = `${Math.max(14, 2.2 * rows.length + 6)}rem`;
  if (rows.length) {
    draw("sensitivity-plot", [bar(`points of ${safe(data.score)} lost`, rows.map((r) => 100 * r.lost), "#d55e00"),
      bar(`% of energy saved on ${safe(name)}`, rows.map((r) => r.saved[name] === null ? null : 100 * r.saved[name]), "#56b4e9")],
    { yaxis: { autorange: "reversed", type: "category" }, xaxis: { title: { text: "points, %" } }, legend: { orientation: "h", y: 1.01, yanchor: "bottom" } });
  } else find("sensitivity-plot").replaceChildren(make("p", "The run has no probes."));
  body("sensitivity").replaceChildren(table(["branch", "setting", "trial", "points lost", `saved on ${name}`],
    rows.map((r) => [r.branch, r.setting, r.key, (100 * r.lost).toFixed(1), percent(r.saved[name])])));
}

function drawHypervolume() {
  const machine = state.machine, steps = [[0, 0], ...machine.history];
  const last = Math.max(0, ...data.trials.map((one) => Number(one.trial)));
  steps.push([last, steps[steps.length - 1][1]]);
  draw("hypervolume-plot", [
    { type: "scatter", mode: "lines", line: { shape: "hv", color: "#0072b2" }, name: "all trials", x: steps.map((s) => s[0]), y: steps.map((s) => s[1]) },
    { type: "scatter", mode: "lines", line: { dash: "dash", color: "#d55e00" }, name: "uniform sweep", x: [0, last], y: Array(2).fill(machine.uniform_hypervolume) },
  ], { xaxis: { title: { text: "trial" } }, yaxis: { title: { text: "hypervolume" }, rangemode: "tozero" }, legend: { orientation: "h", y: 1.12 } });
  find("hypervolume-words").textContent = `${short(machine.hypervolume, 4)} of all trials, ${short(machine.uniform_hypervolume, 4)} of the uniform sweep alone.`;
}

function drawRates() {
  const members = [...state.machine.front.map((key) => trials.get(key)), data.parent];
  const rates = members.map((one) => new Map(pairs(one.rates)));
  const layers = [...new Set(rates.flatMap((of) => [...of.keys()]))];
  find("rates-plot").style.height = `${Math.max(16, 1.5 * layers.length + 8)}rem`;
  draw("rates-plot", [{
    type: "heatmap", x: members.map((one) => one === data.parent ? "parent" : `trial ${one.trial}`), y: layers.map(safe),
    z: layers.map((layer) => rates.map((of) => of.get(layer) ?? null)), zmin: 0, colorscale: "Viridis",
    colorbar: { thickness: 10 }, xgap: 2, ygap: 2, hovertemplate: "%{x}, %{y}: %{z:.3g}<extra></extra>",
  }], { xaxis: { type: "category" }, yaxis: { autorange: "reversed", type: "category" } });
}

// ---- one trial

function openTrial(key, focus = true) {
  const one = key === data.parent.trial ? data.parent : trials.get(key);
  state.trial = key;
  const on = one.on[state.machine.name], box = body("trial"), name = state.machine.name;
  document.querySelector("#trial h2").textContent = key === data.parent.trial ? "Fine-tuned parent" : `Trial ${key}`;
  const same = one.same_as ? ` of ${one.same_as}, not trained again` : "";
  box.replaceChildren(make("p", `${one.state}${same}; proposed by: ${one.origin}`), make("pre", one.plan));
  if (one.cause) box.append(make("h3", "Cause"), make("pre", one.cause));
  for (const [budget, excess] of one.broken) box.append(make("p", `Breaks ${budget} by ${percent(excess)}.`));
  if (one.scores) {
    const { validation, test } = scores(one);
    box.append(make("p", `Validation ${data.score} ${interval(validation)}, test ${interval(test)} with weights of ${on?.bits ?? one.bits} bits.`));
    box.append(make("p", `${one.parameters} nonzero parameters; ${percent(one.kept_weights)} of block weights kept; ${short(one.effective_sops, 4)} synaptic operations.`));
  }
  if (on?.missing) box.append(make("p", `${name} cannot run it: ${on.missing}`));
  const columns = make("div");
  columns.className = "columns";
  const part = (title, content) => columns.append(make("div", null, make("h3", title), content));
  part("By branch: dimensions kept", bars(data.branches.map((b, i) => [b, one.branches[i][1], percent(one.branches[i][1])])));
  part("By branch: zeros among the weights left", bars(data.branches.map((b, i) =>
    [b, one.branches[i][2], one.branches[i][1] === 0 ? "removed" : percent(one.branches[i][2])])));
  if (on && on.energy_uj !== undefined) {
    const latency = on.latency_us === null ? "" : `, ${short(on.latency_us, 4)} µs`;
    box.append(make("p", `${name}: ${short(on.energy_uj, 4)} µJ per inference${latency}.`));
    const shares = (flat) => { const found = pairs(flat), whole = found.reduce((sum, [, v]) => sum + v, 0);
      return bars(found.map(([label, v]) => [label, v / whole, `${short(v * 1e-6)} µJ, ${percent(v / whole)}`])); };
    part("Energy by cause", shares(on.causes));
    part("Energy by layer", shares(on.layers));
  }
  box.append(columns);
  if (one.export) box.append(make("h3", "Export"), make("pre", one.export));
  for (const row of document.querySelectorAll("#trial-table tbody tr")) row.setAttribute("aria-selected", row.dataset.trial === key);
  if (focus) { find("trial").focus({ preventScroll: true }); find("trial").scrollIntoView({ block: "start" }); }
}

// ---- all trials

const columns = [
  ["trial", (one) => Number(one.trial), (v) => String(v)],
  ["state", (one) => one.state], ["origin", (one) => one.origin],
  ["validation %", (one) => scores(one)?.validation.value ?? null, (v) => (100 * v).toFixed(1)],
  ["test %", (one) => scores(one)?.test.value ?? null, (v) => (100 * v).toFixed(1)],
  ["energy µJ", (one) => one.on[state.machine.name]?.energy_uj ?? null, (v) => short(v, 4)],
  ["latency µs", (one) => one.on[state.machine.name]?.latency_us ?? null, (v) => short(v, 4)],
  ["kept %", (one) => one.kept_weights ?? null, (v) => (100 * v).toFixed(1)],
  ["parameters", (one) => one.parameters ?? null, (v) => String(v)],
  ["plan", (one) => one.plan],
];

function fillTable() {
  const [, of] = columns.find(([name]) => name === state.sort);
  const words = find("filter").value.toLowerCase(), wanted = find("state").value;
  const text = (one) => `${one.trial} ${one.origin} ${one.state} ${one.plan} ${one.cause}`.toLowerCase();
  const found = data.trials.filter((one) => (!wanted || one.state === wanted) && text(one).includes(words));
  const order = (a, b) => {
    const [p, q] = [of(a), of(b)];
    if (p === null || q === null) return (p === null) - (q === null);  // what is unknown stands last
    const less = p < q ? -1 : p > q ? 1 : 0;
    return state.down ? -less : less;
  };
  document.querySelector("#trial-table thead").replaceChildren(make("tr", null, ...columns.map(([name, , format]) => {
    const mark = state.sort === name ? (state.down ? " ↓" : " ↑") : "", button = make("button", name + mark), head = make("th", null, button);
    button.type = "button";
    head.className = format ? "number" : "";
    head.setAttribute("aria-sort", state.sort !== name ? "none" : state.down ? "descending" : "ascending");
    button.addEventListener("click", () => {
      state.down = state.sort === name && !state.down;
      state.sort = name;
      fillTable();
      document.querySelector('#trial-table th:not([aria-sort="none"]) button').focus();
    });
    return head;
  })));
  document.querySelector("#trial-table tbody").replaceChildren(...found.sort(order).map((one) => {
    const row = make("tr", null, ...columns.map(([, value, format]) => {
      const own = value(one), cell = make("td", own === null ? "-" : format ? format(own) : own);
      cell.className = format ? "number" : "";
      return cell;
    }));
    row.tabIndex = 0;
    row.dataset.trial = one.trial;
    row.setAttribute("aria-selected", one.trial === state.trial);
    row.addEventListener("click", () => openTrial(one.trial));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") openTrial(one.trial); });
    return row;
  }));
  find("shown").textContent = `${found.length} of ${data.trials.length}`;
}

// ---- the other sections

function fillAnswer() {
  find("failed").textContent = data.failed.length ? `Left out, since they cannot price it: ${data.failed.join("; ")}` : "";
  body("answer").replaceChildren(...data.machines.flatMap((machine) => [
    make("h3", machine.name),
    ...machine.answer.map((line, i) => { const p = make("p", line); p.className = i ? "" : "lead"; return p; }),
    ...(machine.knee ? [make("pre", trials.get(machine.knee).export)] : []),
  ]));
}

function fillDisagree() {
  const found = data.comparison, box = body("disagree");
  if (!found) return box.replaceChildren(make("p", "The run has one machine."));
  const left = Object.entries(found.infeasible).map(([name, keys]) => `Infeasible on ${name}, and left out: ${keys.join(", ")}.`);
  box.replaceChildren(make("p", `On all fronts: ${found.shared.join(", ") || "none"}.`), ...left.map((line) => make("p", line)),
    table(["machines", "order", "disagree most about trial (place by energy on either)"], found.pairs.map((pair) =>
      [pair.machines.join(", "), pair.tau === null ? "-" : pair.tau.toFixed(2), pair.disagreements.map((d) => `${d.trial} (${d.first}, ${d.second})`).join(", ") || "none"])),
    make("p", "order: Kendall's tau-b of the energies; 1 where two machines order all trials alike."));
}

function fillTime() {
  const { spent, states, spared, causes } = data.time, whole = Object.values(spent).reduce((a, b) => a + b, 0);
  body("time").replaceChildren(make("p", `${whole.toFixed(0)} s of trials in sum: ${Object.entries(states).map(([name, n]) => `${n} ${name}`).join(", ")}.`),
    bars(Object.entries(spent).map(([name, v]) => [name, v / whole, `${v.toFixed(0)} s`])),
    make("p", `Duplicates avoided ${spared.toFixed(0)} s.`), ...lines("Failures by cause", causes.map(([why, n]) => `${n} x ${why}`)));
  if (!causes.length) body("time").append(make("p", "No trial failed."));
}

function fillPrices() {
  const m = state.machine, row = (n) => [n.name, n.value, n.unit + (n.access_bits ? ` per ${n.access_bits} bits` : ""), n.evidence, n.scope ?? "", n.source];
  body("prices").replaceChildren(make("p", `${m.name}: ${m.title}`), table(["name", "value", "unit", "evidence", "scope", "source"], [...m.prices, ...m.parameters].map(row)),
    ...lines("Not modelled", m.not_modelled), ...lines("Emulated", m.emulated), ...lines("On the host, outside the total", m.host), ...lines("Not counted", m.uncounted));
}

function fillEnvironment() {
  const all = data.environments, box = body("environment");
  if (!all.length) return box.replaceChildren(make("p", "None was recorded."));
  box.replaceChildren(...all.flatMap((one) => [make("h3", `From trial ${one.first_trial}, ${one.since}`), table(["what", "value"], [
    ["processor", one.processor], ["threads", String(one.threads)], ["seed", String(one.seed)], ["commit", one.commit || "none"],
    ...Object.entries(one.versions), ...Object.entries(one.files)])]));
}

// Sections with plots far down are drawn when they come near: the page opens sooner.
const later = { heat: drawHeat, sensitivity: drawSensitivity, hypervolume: drawHypervolume, rates: drawRates };
const pending = new Set();

function drawPending(id) {
  if (pending.delete(id)) later[id]();
}

const watch = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) drawPending(entry.target.id);
}, { rootMargin: "400px" });
window.addEventListener("beforeprint", () => Object.keys(later).forEach(drawPending));

function drawPlots() {
  if (!window.Plotly) return;  // once it is there, `start` draws
  drawFront();
  for (const id of Object.keys(later)) {
    pending.add(id);
    watch.unobserve(find(id));
    watch.observe(find(id));
  }
}

function showMachine(machine) {
  state.machine = machine;
  for (const button of find("machines").children) button.setAttribute("aria-pressed", button.textContent === machine.name);
  for (const part of [fillTable, fillPrices, drawPlots]) part();
  openTrial(state.trial ?? machine.knee ?? machine.front[0] ?? data.parent.trial, false);
}

function start() {
  document.title = `${data.title} - autoprune report`;
  find("title").textContent = data.title || "Run";
  find("about").textContent = `${data.trials.length} trials of ${data.run}. Data: ${data.data || "not recorded"}. autoprune ${data.version}.`;
  for (const machine of data.machines) {
    const button = make("button", machine.name);
    button.type = "button";
    button.addEventListener("click", () => showMachine(machine));
    find("machines").append(button);
  }
  for (const id of ["x-axis", "y-axis"]) {
    for (const [key, [words]] of Object.entries(axes)) find(id).append(new Option(words, key));
    find(id).value = id === "x-axis" ? "energy" : "accuracy";
    find(id).addEventListener("change", () => window.Plotly && drawFront());
  }
  find("state").append(new Option("all", ""), ...Object.keys(data.time.states).map((name) => new Option(name, name)));
  for (const id of ["filter", "state"]) find(id).addEventListener("input", fillTable);
  for (const fill of [fillAnswer, fillDisagree, fillTime, fillEnvironment]) fill();
  showMachine(state.machine);
  dark.addEventListener("change", () => showMachine(state.machine));
  document.addEventListener("DOMContentLoaded", () => {
    drawPlots();
    document.body.dataset.ready = "yes";
  });
}

start();
