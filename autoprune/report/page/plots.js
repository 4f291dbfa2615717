// The plots. Text in plotly's labels passes through `safe`.

// 1, 2 and 5 of every decade.
const ticks = Array.from({ length: 24 }, (_, i) => i - 9).flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
const logTicks = { tickvals: ticks, ticktext: ticks.map((value) => short(value)) };

function draw(id, traces, layout) {
  const css = getComputedStyle(document.documentElement);
  const ink = css.getPropertyValue("--ink").trim(), rule = css.getPropertyValue("--line").trim();
  const axis = { gridcolor: rule, zerolinecolor: rule, linecolor: rule, automargin: true };
  const dressed = {};
  for (const [name, value] of Object.entries(layout)) {
    dressed[name] = /^[xy]axis/.test(name) ? { ...axis, ...(value.type === "log" ? logTicks : {}), ...value } : value;
  }
  return Plotly.react(id, traces, {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, size: 12 },
    margin: { l: 50, r: 10, t: 30, b: 40 }, xaxis: axis, yaxis: axis,
    legend: { orientation: "h", y: -0.22 }, hoverlabel: { align: "left" }, ...dressed,
  }, { responsive: true, displaylogo: false, displayModeBar: false });
}

const axes = {
  accuracy: [`validation ${safe(data.score)} [%]`, (one) => one.scores ? 100 * scores(one).validation.value : null],
  energy: ["energy per inference", (one, on) => (on?.energy_uj === undefined ? null : inUnit(on.energy_uj)), true],
  latency: ["latency [µs]", (one, on) => on?.latency_us ?? null, true],
  sops: ["synaptic operations (SOPs)", (one) => one.effective_sops ?? null, true],
  kept: ["kept block weights [%]", (one) => one.kept_weights === undefined ? null : 100 * one.kept_weights],
};

// All fronts on one axis: energy as share of the fine-tuned parent's. Far below it nothing is drawn.
function drawAll() {
  const marks = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star"];
  const colours = ["#0b84d8", "#d55e00", "#009e73", "#cc79a7", "#8a8a8a", "#b58900", "#7a6fd0", "#c44e52"];
  let left = 0;
  const traces = data.machines.flatMap((machine, i) => {
    const at = (key) => ({ key, x: 100 * trials.get(key).on[machine.name].energy_uj / machine.parent_energy_uj,
      y: 100 * machine.worth[key] });
    const every = machine.front.map(at), shown = every.filter((p) => p.y > 100 * machine.least_accuracy);
    left += every.length - shown.length;
    const colour = colours[i % colours.length], own = shown.filter((p) => p.key === machine.knee);
    const points = (some, extra) => ({ type: "scatter", x: some.map((p) => p.x), y: some.map((p) => p.y),
      customdata: some.map((p) => [p.key, i]), text: some.map((p) => `${safe(machine.name)}: trial ${p.key}`),
      hovertemplate: `%{text}<br>%{x:.3g} % of the parent's energy<br>%{y:.1f} % ${safe(data.score)}<extra></extra>`, ...extra });
    return [points(shown, { mode: "lines+markers", name: safe(machine.name), line: { color: colour, shape: "hv" },
      marker: { color: colour, symbol: marks[i % marks.length], size: 8 } }),
    points(own, { mode: "markers", showlegend: false, marker: { color: colour, symbol: "circle-open", size: 19, line: { width: 3 } } })];
  });
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  traces.push({ type: "scatter", mode: "markers", name: "fine-tuned parent", x: data.machines.map(() => 100),
    y: data.machines.map((machine) => 100 * machine.parent.value), marker: { color: ink, symbol: "star", size: 12 },
    hovertemplate: "fine-tuned parent<br>%{y:.1f} %<extra></extra>" });
  find("all-words").textContent = "Ringed: the network that is taken. Stars: the fine-tuned parent, at the bits of each machine." + (left ? ` ${left} members far below the parent are not drawn.` : "");
  draw("all-plot", traces, { hovermode: "closest", margin: { l: 50, r: 10, t: 10, b: 40 }, legend: { orientation: "h", y: -0.25 },
    xaxis: { type: "log", title: { text: "energy, % of the fine-tuned parent's" } },
    yaxis: { title: { text: `validation ${safe(data.score)} [%]` } },
    annotations: left ? [atMargin([left, ...below])] : [] }).then((plot) => {
    plot.removeAllListeners("plotly_click");
    plot.on("plotly_click", (event) => {
      const found = event.points[0].customdata;
      if (!found) return;
      state.chosen = found[0];
      showMachine(data.machines[found[1]]);
      openTrial(found[0]);
    });
  });
}

// What an axis counts, with its unit.
const axisWords = (key) => axes[key][0] + (key === "energy" ? ` [${state.machine.unit.name}]` : "");

const below = [0.5, 0, "bottom", "center", "\u25be below"];

// A count at the margin of a plot.
function atMargin([count, x, y, yanchor, xanchor, side]) {
  return { text: `${count} ${side}`, x, y, xanchor, yanchor, xref: "paper", yref: "paper", showarrow: false, font: { size: 11 },
    bgcolor: getComputedStyle(document.documentElement).getPropertyValue("--ground").trim(), borderpad: 2 };
}

// How many points lie outside of two ranges, with where they are counted and where they lie.
function beyond(points, [left, right], [low, high]) {
  const under = points.filter(([, y]) => y < low), over = points.filter(([, y]) => y > high);
  const beside = points.filter(([, y]) => y >= low && y <= high);
  return [[under.length, ...below], [over.length, 0.5, 1, "top", "center", "\u25b4 above"],
    [beside.filter(([x]) => x < left).length, 0, 0.5, "middle", "left", "\u25c2 left"],
    [beside.filter(([x]) => x > right).length, 1, 0.5, "middle", "right", "right \u25b8"]].filter(([count]) => count);
}

// Counts at the margins what the axes, as they are now, leave out.
function countBeyond(plot, points) {
  const ends = (axis) => (axis.type === "log" ? axis.range.map((end) => 10 ** end) : axis.range);
  const drawn = points.filter(([x, y]) => x !== null && y !== null);
  Plotly.relayout(plot, { annotations: beyond(drawn, ends(plot.layout.xaxis), ends(plot.layout.yaxis)).map(atMargin) });
}

function drawFront() {
  const machine = state.machine, name = machine.name;
  const [, xOf, xLog] = axes[find("x-axis").value], [, yOf, yLog] = axes[find("y-axis").value];
  const xWords = axisWords(find("x-axis").value), yWords = axisWords(find("y-axis").value);
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  const place = (one) => [xOf(one, one.on[name]), yOf(one, one.on[name])];
  const onto = (value, log) => value !== null && (!log || value > 0);
  const drawn = new Set();
  function trace(label, ones, extra, at = place) {
    const shown = ones.filter((one) => { const [x, y] = at(one); return onto(x, xLog) && onto(y, yLog); });
    shown.forEach((one) => drawn.add(one.trial));
    return {
      type: "scatter", mode: "markers", name: `${label} (${shown.length})`,
      x: shown.map((one) => at(one)[0]), y: shown.map((one) => at(one)[1]),
      customdata: shown.map((one) => one.trial),
      text: shown.map((one) => `${safe(one.trial)}: ${safe(one.plan)}`),
      hovertemplate: `%{text}<br>${xWords}: %{x:.4g}<br>${yWords}: %{y:.4g}<extra></extra>`, ...extra,
    };
  }
  const points = machine.points.map((key) => trials.get(key));
  const box = find("not-drawn"), usually = find("x-axis").value === "energy" && find("y-axis").value === "accuracy";
  const range = usually && machine.fit && { x: machine.fit.energy_uj.map(inUnit), y: machine.fit.score.map((end) => 100 * end) };
  const traces = Object.entries(data.marks).map(([origin, [words, colour, symbol]]) =>
    trace(words, points.filter((one) => one.origin === origin), { marker: { color: colour, symbol, size: 8 } }));
  traces.push(trace("breaks a budget", data.trials.filter((one) => one.state === "infeasible"),
    { marker: { color: "#cc79a7", symbol: "x-thin-open", size: 9 } }));
  const members = machine.front.map((key) => trials.get(key));
  const usual = find("y-axis").value === "accuracy";
  const heights = members.filter((one) => { const [x, y] = place(one); return onto(x, xLog) && onto(y, yLog); })
    .map((one) => scores(one).validation);
  const line = usual && find("x-axis").value === "energy";
  const blue = getComputedStyle(document.documentElement).getPropertyValue("--blue").trim();
  // Error bars come first, behind all points.
  if (usual) traces.unshift(trace("", members, { mode: "none", showlegend: false, hoverinfo: "skip", hovertemplate: null,
    error_y: { type: "data", symmetric: false, thickness: 1, color: blue, array: heights.map((s) => 100 * (s.high - s.value)),
      arrayminus: heights.map((s) => 100 * (s.value - s.low)) } }));
  const expected = usual ? (one) => [place(one)[0], 100 * machine.worth[one.trial]] : place;
  traces.push(trace(usual ? "front, 95 % intervals" : "front", members, {
    mode: line ? "lines+markers" : "markers", line: { color: blue, shape: "hv" },
    marker: { color: blue, symbol: "circle-open", size: 13 },
  }, expected));
  if (machine.knee) traces.push(trace("taken", [trials.get(machine.knee)], { marker: { color: "#d55e00", symbol: "circle-open", size: 21, line: { width: 3 } } }, expected));
  traces.push(trace("fine-tuned parent", [data.parent], { marker: { color: ink, symbol: "star", size: 14 } }));
  if (line && machine.confirmed.length) {
    const rows = machine.confirmed;
    traces.push({
      type: "scatter", mode: "markers", name: `on fresh seeds, sd (${rows.length})`,
      x: rows.map((r) => inUnit(r.energy_uj.mean)), y: rows.map((r) => 100 * r.validation.mean),
      customdata: rows.map((r) => String(r.trial)), text: rows.map((r) => `${r.trial} on ${r.seeds} fresh seeds`),
      hovertemplate: `%{text}<br>${xWords}: %{x:.4g}<br>${yWords}: %{y:.4g}<extra></extra>`,
      marker: { color: "#009e73", symbol: "diamond", size: 8 },
      error_y: { type: "data", array: rows.map((r) => 100 * (r.validation.std ?? 0)), color: "#009e73" },
      error_x: { type: "data", array: rows.map((r) => inUnit(r.energy_uj.std ?? 0)), color: "#009e73" },
    });
  }
  // What is open comes last, where `markOpened` finds it.
  draw("front-plot", [...traces.filter((t) => t.x.length), opened()], {
    xaxis: { title: { text: xWords }, type: xLog ? "log" : "linear", ...(range ? { range: range.x.map(Math.log10) } : { autorange: true }) },
    yaxis: { title: { text: yWords }, type: yLog ? "log" : "linear", ...(range ? { range: range.y } : { autorange: true }) }, hovermode: "closest",
  }).then((plot) => {
    plot.removeAllListeners("plotly_click");
    plot.on("plotly_click", (event) => openTrial(event.points[0].customdata));
    plot.removeAllListeners("plotly_relayout");
    const count = () => countBeyond(plot, points.map(place));
    plot.on("plotly_relayout", (moved) => Object.keys(moved).some((key) => key.includes("axis")) && count());
    count();
  });
  const at = points.map(place).filter(([x, y]) => onto(x, xLog) && onto(y, yLog));
  const fitted = range ? beyond(at, range.x, range.y).reduce((sum, [count]) => sum + count, 0) : 0;
  find("front-words").textContent = `${machine.title}; ${machine.bits}. The front is of what its members are expected to score, intervals are of what was measured.` + (fitted ? ` The axes fit the front; ${fitted} trials lie outside, counted at the margins: a double click shows all.` : "");
  const there = new Map(machine.infeasible), apart = new Set(machine.apart);
  box.replaceChildren();
  const groups = [["Failed", (one) => one.state === "failed"], ["Cannot run on this machine", (one) => there.has(one.trial)],
    ["Left to the machine's host, all or most of it", (one) => apart.has(one.trial)],
    ["Duplicate of another trial", (one) => one.state === "duplicate"],
    ["Breaks a budget, not measured", (one) => one.state === "infeasible"],
    ["On the front of another machine alone, after other time steps", (one) => otherwise(one)],
    ["Without a place on these axes", (one) => one.state === "measured"]];
  const left = new Set(data.trials.filter((one) => !drawn.has(one.trial)).map((one) => one.trial));
  for (const [words, wanted] of groups) {
    const keys = data.trials.filter((one) => left.has(one.trial) && wanted(one)).map((one) => one.trial);
    keys.forEach((key) => left.delete(key));
    if (!keys.length) continue;
    box.append(make("details", null, make("summary", `${words}, not drawn: ${keys.length}`), ...keys.map(trialButton)));
  }
}

// Cells, and the numbers in them, which can be read in either scheme.
const cells = { ink: "#1b1f24", scale: [[0, "#f7fbff"], [0.5, "#9ecae1"], [1, "#4f9bd0"]] };

// A heat map with its numbers in the cells; where there is no value the ground shows. Wider than
// the page it scrolls.
function drawCells(id, title, x, y, z, text, extra) {
  find(id).style.minWidth = `${28 * x.length + 210}px`;
  find(id).style.height = `${Math.max(16, 1.6 * y.length + 9)}rem`;
  draw(id, [{ type: "heatmap", x, y: y.map(safe), z, text, texttemplate: "%{text}", textfont: { size: 11, color: cells.ink }, zmin: 0, colorscale: cells.scale,
    xgap: 2, ygap: 2, hovertemplate: `%{x}, %{y}<br>${title}: %{text}<extra></extra>`, ...extra }],
  { title: { text: title, font: { size: 13 }, x: 0, xanchor: "left" }, plot_bgcolor: getComputedStyle(document.documentElement).getPropertyValue("--gone").trim(),
    xaxis: { type: "category", showgrid: false }, yaxis: { autorange: "reversed", type: "category", showgrid: false } });
}

// The trial that is open, on the axes of the front.
function opened() {
  const one = state.trial === data.parent.trial ? data.parent : trials.get(state.trial);
  const on = one?.on[state.machine.name];
  const at = one ? [axes[find("x-axis").value][1](one, on), axes[find("y-axis").value][1](one, on)] : [];
  const there = at.length && at.every((value) => value !== null);
  return { type: "scatter", mode: "markers", name: "opened", hoverinfo: "skip", x: there ? [at[0]] : [], y: there ? [at[1]] : [],
    marker: { color: getComputedStyle(document.documentElement).getPropertyValue("--ink").trim(), symbol: "square-open", size: 17, line: { width: 2 } } };
}

function markOpened() {
  const plot = find("front-plot");
  if (plot.data) Plotly.restyle(plot, { x: [opened().x], y: [opened().y] }, [plot.data.length - 1]);
}

function drawHeat() {
  const members = state.machine.front.map((key) => trials.get(key));
  const names = members.map((one) => `trial ${one.trial}`);
  const share = (id, title, place) => {
    const z = data.branches.map((_, i) => members.map((one) => (one.branches[i][1] === 0 ? null : one.branches[i][place])));
    drawCells(id, `${title} [%]`, names, data.branches, z, z.map((row) => row.map((v) => (v === null ? "" : (100 * v).toFixed(0)))), { zmax: 1, colorbar: { thickness: 10, tickformat: ".0%" } });
  };
  share("heat-zeros", "zeros among the weights that are left", 2);
  share("heat-kept", "inner dimensions kept (rank)", 1);
  const chosen = data.neurons, kinds = [...new Set(chosen.flatMap((setting) => setting.words))];
  const blocks = data.parent.neurons.map((_, i) => i);
  const words = blocks.flatMap((i) => chosen.map((_, k) => members.map((one) => one.neurons[i][k])));
  drawCells("heat-neurons", "neurons: what is chosen, by its first letters", names, blocks.flatMap((i) => chosen.map((setting) => `block ${i} ${setting.name}`)),
    words.map((row) => row.map((word) => kinds.indexOf(word))), words.map((row) => row.map((word) => word.slice(0, 2))),
    { zmax: kinds.length - 1, colorbar: { thickness: 10, tickvals: kinds.map((_, i) => i), ticktext: kinds } });
}

function drawSensitivity() {
  const name = state.machine.name, rows = data.sensitivity;
  if (rows.length) {
    const colours = ["#0b84d8", "#d55e00", "#009e73", "#cc79a7"], branches = [...new Set(rows.map((r) => r.branch))];
    draw("sensitivity-plot", branches.map((branch, i) => {
      const own = rows.filter((r) => r.branch === branch && r.saved[name] !== null);
      return { type: "scatter", mode: rows.length <= 24 ? "markers+text" : "markers", name: safe(branch), textposition: "top center", cliponaxis: false,
        x: own.map((r) => 100 * r.saved[name]), y: own.map((r) => 100 * r.lost), text: own.map((r) => safe(r.branch)),
        marker: { color: colours[i % colours.length], symbol: ["circle", "square", "triangle-up", "diamond"][Math.floor(i / 4) % 4], size: 10 },
        hovertemplate: `without ${safe(branch)}<br>%{x:.1f} % of energy saved<br>%{y:.1f} points lost<extra></extra>` };
    }), { hovermode: "closest", xaxis: { title: { text: `% of energy saved on ${safe(name)}` } }, yaxis: { title: { text: `points of ${safe(data.score)} lost` } }, legend: { orientation: "h", y: -0.3 } });
  } else find("sensitivity-plot").replaceChildren(make("p", "No removal of a branch was measured."));
  body("sensitivity").replaceChildren(table(["without", "points lost", `saved on ${name}`],
    rows.map((r) => [r.branch, (100 * r.lost).toFixed(1), percent(r.saved[name])])));
}

function drawHypervolume() {
  const machine = state.machine, steps = [[0, 0], ...machine.history];
  const last = Math.max(0, ...data.trials.map((one) => Number(one.trial)));
  steps.push([last, steps[steps.length - 1][1]]);
  draw("hypervolume-plot", [
    { type: "scatter", mode: "lines", line: { shape: "hv", color: "#0072b2" }, name: "all trials", hovertemplate: "after trial %{x}<br>hypervolume %{y:.4g}<extra></extra>", x: steps.map((s) => s[0]), y: steps.map((s) => s[1]) },
    { type: "scatter", mode: "lines", line: { dash: "dash", color: "#d55e00" }, name: "uniform sweep", hovertemplate: "uniform sweep<br>hypervolume %{y:.4g}<extra></extra>", x: [0, last], y: Array(2).fill(machine.uniform_hypervolume) },
  ], { xaxis: { title: { text: "trial" } }, yaxis: { title: { text: "hypervolume" }, rangemode: "tozero" }, legend: { orientation: "h", y: 1.12 } });
  find("hypervolume-words").textContent = `${short(machine.hypervolume, 4)} of all trials, ${short(machine.uniform_hypervolume, 4)} of the uniform sweep alone. ${data.search.join(" ")}`;
}

function drawRates() {
  const members = [...state.machine.front.map((key) => trials.get(key)), data.parent];
  const rates = members.map((one) => new Map(pairs(one.rates)));
  const layers = [...new Set(rates.flatMap((of) => [...of.keys()]))];
  const z = layers.map((layer) => rates.map((of) => of.get(layer) ?? null));
  drawCells("rates-plot", "spikes per neuron and time step", members.map((one) => one === data.parent ? "parent" : `trial ${one.trial}`), layers,
    z, z.map((row) => row.map((v) => (v === null ? "" : v.toFixed(2).replace(/^0\./, ".")))), { colorbar: { thickness: 10 } });
}
