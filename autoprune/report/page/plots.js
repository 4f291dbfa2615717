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
  find("all-words").textContent = "Ringed: the network that is taken." + (left ? ` ${left} members far below the parent are not drawn.` : "");
  const ticks = [-1, 0, 1, 2].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  draw("all-plot", traces, { hovermode: "closest", margin: { l: 50, r: 10, t: 10, b: 40 }, legend: { orientation: "h", y: -0.25 },
    xaxis: { type: "log", tickvals: ticks, ticktext: ticks.map(String), title: { text: "energy, % of the fine-tuned parent's" } },
    yaxis: { title: { text: `validation ${safe(data.score)} [%]` } } }).then((plot) => {
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

// Where the front is: its members within the reference, their intervals, and the parent.
function fit(members, machine) {
  const near = members.filter((one) => scores(one).validation.value > machine.least_accuracy);
  if (near.length < 2) return null;
  const all = [...near, data.parent].map((one) => [one.on[machine.name].energy_uj, scores(one).validation]);
  const x = all.map(([energy]) => energy), low = all.map(([, s]) => 100 * s.low), high = all.map(([, s]) => 100 * s.high);
  return { x: [Math.min(...x) / 1.15, Math.max(...x) * 1.15], y: [Math.min(...low) - 1, Math.min(100.5, Math.max(...high) + 1)] };
}

function drawFront() {
  const machine = state.machine, name = machine.name;
  const [xWords, xOf, xLog] = axes[find("x-axis").value], [yWords, yOf, yLog] = axes[find("y-axis").value];
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
  const fronts = machine.front.map((key) => trials.get(key));
  const box = find("not-drawn"), usually = find("x-axis").value === "energy" && find("y-axis").value === "accuracy";
  const range = usually ? fit(fronts, machine) : null;
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
  traces.push(trace(usual ? "front as expected; 95 % intervals as measured" : "front", members, {
    mode: line ? "lines+markers" : "markers", line: { color: blue, shape: "hv" },
    marker: { color: blue, symbol: "circle-open", size: 13 },
  }, expected));
  if (machine.knee) traces.push(trace("taken", [trials.get(machine.knee)], { marker: { color: "#d55e00", symbol: "circle-open", size: 21, line: { width: 3 } } }, expected));
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
    xaxis: { title: { text: xWords }, type: xLog ? "log" : "linear", ...(range ? { range: range.x.map(Math.log10) } : { autorange: true }) },
    yaxis: { title: { text: yWords }, type: yLog ? "log" : "linear", ...(range ? { range: range.y } : { autorange: true }) }, hovermode: "closest",
  }).then((plot) => {
    plot.removeAllListeners("plotly_click");
    plot.on("plotly_click", (event) => openTrial(event.points[0].customdata));
  });
  const outside = range ? points.filter((one) => { const [x, y] = place(one); return x < range.x[0] || x > range.x[1] || y < range.y[0] || y > range.y[1]; }).length : 0;
  find("front-words").textContent = `${machine.title}; ${machine.bits}.` + (outside ? ` The axes fit the front; ${outside} trials lie outside: a double click shows all.` : "");
  const there = new Map(machine.infeasible), apart = new Set(machine.apart);
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
    hovertemplate: `%{x}, %{y}<br>${title}: %{z}<extra></extra>`,
    ...(words || members.length > 16 ? {} : { texttemplate: "%{z:.0%}", textfont: { size: 11 } }),
  }], { title: { text: title, font: { size: 13 } }, plot_bgcolor: getComputedStyle(document.documentElement).getPropertyValue("--gone").trim(),
    xaxis: { type: "category", showgrid: false }, yaxis: { autorange: "reversed", type: "category", showgrid: false } });
  const column = (place) => data.branches.map((_, i) => members.map((one) => (one.branches[i][1] === 0 ? null : one.branches[i][place])));
  heat("heat-zeros", "zeros among the weights that are left", data.branches, column(2), 1);
  heat("heat-kept", "inner dimensions kept (rank)", data.branches, column(1), 1);
  const chosen = data.neurons, kinds = [...new Set(chosen.flatMap((setting) => setting.words))];
  const blocks = data.parent.neurons.map((_, i) => i);
  heat("heat-neurons", "neurons: what is chosen", blocks.flatMap((i) => chosen.map((setting) => `block ${i} ${setting.name}`)),
    blocks.flatMap((i) => chosen.map((_, k) => members.map((one) => kinds.indexOf(one.neurons[i][k])))), kinds.length - 1, kinds);
}

function drawSensitivity() {
  const name = state.machine.name, rows = data.sensitivity;
  if (rows.length) {
    const colours = ["#0b84d8", "#d55e00", "#009e73", "#cc79a7"], branches = [...new Set(rows.map((r) => r.branch))];
    draw("sensitivity-plot", branches.map((branch, i) => {
      const own = rows.filter((r) => r.branch === branch && r.saved[name] !== null);
      return { type: "scatter", mode: rows.length <= 24 ? "markers+text" : "markers", name: safe(branch), textposition: "top center", cliponaxis: false,
        x: own.map((r) => 100 * r.saved[name]), y: own.map((r) => 100 * r.lost), text: own.map((r) => safe(r.setting)),
        marker: { color: colours[i % colours.length], symbol: ["circle", "square", "triangle-up", "diamond"][Math.floor(i / 4) % 4], size: 10 },
        hovertemplate: `${safe(branch)} %{text}<br>%{x:.1f} % of energy saved<br>%{y:.1f} points lost<extra></extra>` };
    }), { hovermode: "closest", xaxis: { title: { text: `% of energy saved on ${safe(name)}` } }, yaxis: { title: { text: `points of ${safe(data.score)} lost` } }, legend: { orientation: "h", y: -0.3 } });
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
