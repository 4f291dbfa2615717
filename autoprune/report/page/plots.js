// The plots. Text in plotly's labels passes through `safe`.

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
  accuracy: [`validation ${safe(data.score)} [%]`, (one) => one.scores ? 100 * scores(one).validation.value : null],
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
  const box = find("not-drawn"), there = new Map(machine.infeasible), apart = new Set(machine.apart);
  box.replaceChildren();
  const groups = [["Failed", (one) => one.state === "failed"], ["Cannot run on this machine", (one) => there.has(one.trial)],
    ["Left to the machine's host, all or most of it", (one) => apart.has(one.trial)],
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
  const chosen = data.neurons, kinds = [...new Set(chosen.flatMap((setting) => setting.words))];
  const blocks = data.parent.neurons.map((_, i) => i);
  heat("heat-neurons", "neurons: what is chosen", blocks.flatMap((i) => chosen.map((setting) => `block ${i} ${setting.name}`)),
    blocks.flatMap((i) => chosen.map((_, k) => members.map((one) => kinds.indexOf(one.neurons[i][k])))), kinds.length - 1, kinds);
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
