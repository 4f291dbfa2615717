// One trial, opened, and the table of all.

function openTrial(key, focus = true) {
  const one = key === data.parent.trial ? data.parent : trials.get(key);
  state.trial = key;
  if (focus) {
    state.chosen = key;
    history.replaceState(null, "", `#trial-${encodeURIComponent(key)}`);
  }
  const on = one.on[state.machine.name], box = body("trial"), name = state.machine.name;
  document.querySelector("#trial h2").textContent = key === data.parent.trial ? "Fine-tuned parent" : `Trial ${key}`;
  const same = one.same_as ? ` of ${one.same_as}, not trained again` : "";
  box.replaceChildren(make("p", `${one.state}${same}; proposed by: ${one.origin}`), make("pre", one.plan));
  if (one.cause) box.append(make("h3", "Cause"), make("pre", one.cause));
  for (const [budget, excess] of one.broken) box.append(make("p", `Breaks ${budget} by ${percent(excess)}.`));
  if (one.scores) {
    const { numbers, validation, test } = scores(one);
    const tested = test ? `, test ${interval(test)}` : "";
    box.append(make("p", `Validation ${data.score} ${interval(validation)}${tested} with weights of ${numbers}.`));
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
    const least = on.least_uj === null ? "" : ` (${energyWords(on.least_uj)} at the lower ends of prices that are ranges)`;
    box.append(make("p", `${name}: ${energyWords(on.energy_uj)} per inference${least}${latency}.`));
    if (on.not_held) box.append(make("p", `Not in the integers of ${name}: ${on.not_held}.`));
    const shares = (flat) => { const found = pairs(flat), whole = found.reduce((sum, [, v]) => sum + v, 0);
      return bars(found.map(([label, v]) => [label, v / whole, `${short(inUnit(v * 1e-6))} ${state.machine.unit.name}, ${percent(v / whole)}`])); };
    part("Energy by cause", shares(on.causes));
    part("Energy by layer", shares(on.layers));
  }
  box.append(columns);
  if (one.export) box.append(make("h3", "Export"), make("pre", one.export));
  for (const row of document.querySelectorAll("#trial-table tbody tr")) row.setAttribute("aria-selected", row.dataset.trial === key);
  markOpened();
  document.documentElement.style.setProperty("--machines-height", `${find("machines").offsetHeight}px`);
  if (focus) { find("trial").focus({ preventScroll: true }); find("trial").scrollIntoView({ block: "start" }); }
}

// The trial before or after the one that is open: on the front if it is there, else of all.
function beside(step) {
  const front = state.machine.front;
  const keys = front.includes(state.trial) ? front : data.trials.map((one) => one.trial);
  const place = keys.indexOf(state.trial);
  return keys[(place + step + keys.length) % keys.length];
}

const hundred = (share) => (share === null || share === undefined ? null : 100 * share);

// Name, value, its words where it is a number, and what it is sorted by where that is another.
const columns = [
  ["trial", (one) => one.trial, (v) => v, (one) => one.trial.split("@").reduce((sum, part, i) => sum + part / 1e3 ** i, 0)],
  ["state", (one) => one.state], ["origin", (one) => one.origin],
  ["validation %", (one) => hundred(scores(one)?.validation.value), (v) => v.toFixed(1)],
  ["test %", (one) => hundred(scores(one)?.test?.value), (v) => v.toFixed(1)],
  ["energy µJ", (one) => one.on[state.machine.name]?.energy_uj ?? null, (v) => short(inUnit(v), 4)],
  ["latency µs", (one) => one.on[state.machine.name]?.latency_us ?? null, (v) => short(v, 4)],
  ["kept %", (one) => hundred(one.kept_weights), (v) => v.toFixed(1)],
  ["parameters", (one) => one.parameters ?? null, (v) => String(v)],
  ["plan", (one) => one.plan],
];

function fillTable() {
  const [, value, , sorted] = columns.find(([name]) => name === state.sort), of = sorted ?? value;
  const words = find("filter").value.toLowerCase(), wanted = find("state").value;
  const text = (one) => `${one.trial} ${one.origin} ${one.state} ${one.plan} ${one.cause}`.toLowerCase();
  const origin = find("origin").value, front = new Set(state.machine.front), alone = find("on-front").checked;
  const found = data.trials.filter((one) => (!wanted || one.state === wanted) && (!origin || one.origin === origin)
    && (!alone || front.has(one.trial)) && text(one).includes(words));
  const order = (a, b) => {
    const [p, q] = [of(a), of(b)];
    if (p === null || q === null) return (p === null) - (q === null);  // what is unknown stands last
    const less = p < q ? -1 : p > q ? 1 : 0;
    return state.down ? -less : less;
  };
  document.querySelector("#trial-table thead").replaceChildren(make("tr", null, ...columns.map(([name, , format]) => {
    const mark = state.sort === name ? (state.down ? " ↓" : " ↑") : "", words = name.replace("µJ", state.machine.unit.name);
    const button = make("button", words + mark), head = make("th", null, button);
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
  find("shown").textContent = `${found.length} of ${data.trials.length}` + (found.length ? "" : ": nothing fits");
  state.found = found;
}

// What the table shows, at full precision; no cell begins a formula.
function saveTable() {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const plain = typeof value === "string" && /^[=+\-@\t\r]./.test(text) ? `'${text}` : text;
    return /[",\n]/.test(plain) ? `"${plain.replace(/"/g, '""')}"` : plain;
  };
  const lines = [columns.map(([name]) => name), ...state.found.map((one) => columns.map(([, value]) => value(one)))];
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([lines.map((line) => line.map(cell).join(",")).join("\n") + "\n"], { type: "text/csv" }));
  link.download = `trials-${state.machine.name}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
