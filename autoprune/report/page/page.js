// The other sections; fills the page, and draws once plotly, which comes last in it, is there.

const times = (value) => (value === null ? "-" : `${value < 10 ? value.toFixed(1) : value.toFixed(0)} x`);

function fillAnswer() {
  find("failed").textContent = data.failed.length ? `Left out, since they cannot price it: ${data.failed.join("; ")}` : "";
  const rows = data.machines.map((machine) => {
    // A long name may break where its words end.
    const parts = machine.name.split("_"), name = make("span", null, ...parts.flatMap((part, i) => (i ? ["_", make("wbr"), part] : [part])));
    if (!machine.knee) return [name, "-", "-", "-", "-", "-"];
    const own = machine.picked, button = trialButton(machine.knee);
    button.addEventListener("click", () => showMachine(machine));
    return [name, button, interval(own.validation), own.energy, times(own.less_than_parent), times(own.less_than_uniform)];
  });
  find("answers").replaceChildren(
    table(["machine", "trial", `validation ${data.score}`, "energy", "less than parent", "less than uniform"], rows),
    make("p", "Taken is the knee of each front. Times less energy: than the fine-tuned parent, and than the cheapest uniform compression that is as accurate (-: none is)."),
    ...data.unpriced.map((line) => make("p", line)));
}

function fillWhy() {
  const machine = state.machine;
  body("why").replaceChildren(make("h3", machine.name),
    ...machine.answer.map((line, i) => { const p = make("p", line); p.className = i ? "" : "lead"; return p; }),
    ...(machine.knee ? [make("pre", trials.get(machine.knee).export)] : []));
}

function fillDisagree() {
  const found = data.comparison, box = body("disagree");
  if (!found) return box.replaceChildren(make("p", "The run has one machine."));
  const left = Object.entries(found.infeasible).map(([name, keys]) => `Infeasible on ${name}, and left out: ${keys.join(", ")}.`);
  left.push(...Object.entries(found.apart).map(([name, keys]) => `Left to the host of ${name}, all or most of it, and left out: ${keys.join(", ")}.`));
  box.replaceChildren(make("p", `On all fronts: ${found.shared.join(", ") || "none"}.`), ...left.map((line) => make("p", line)),
    table(["machines", "order", "disagree most about trial (place by energy on either)"], found.pairs.map((pair) =>
      [pair.machines.join(", "), pair.tau === null ? "-" : pair.tau.toFixed(2), pair.disagreements.map((d) => `${d.trial} (${d.first}, ${d.second})`).join(", ") || "none"])),
    make("p", "order: Kendall's tau-b of the energies; 1 where two machines order all trials alike."));
}

function fillRecipe() {
  const found = data.recipe, box = body("recipe");
  if (!found) return box.replaceChildren(make("p", "As the study says."));
  box.replaceChildren(make("p", `Chosen on validation data by ${found.trainings} trainings, ${found.seconds.toFixed(0)} s in sum; one seed per plan, the same at every rate.`),
    ...found.choices.flatMap((choice) => [make("h3", `finetune.${choice.of}`),
      table(["rate", ...choice.plans, "all samples together"], choice.attempts.map((a) =>
        [`${a.rate}${a.best ? ", chosen" : ""}`, ...a.scores.map((s) => (s === null ? "failed" : percent(s))), interval(a.together)]))]),
    ...found.doubts.map((line) => make("p", line)));
}

function fillTime() {
  const { spent, states, spared, causes } = data.time, whole = Object.values(spent).reduce((a, b) => a + b, 0);
  body("time").replaceChildren(make("p", `${whole.toFixed(0)} s of trials in sum: ${Object.entries(states).map(([name, n]) => `${n} ${name}`).join(", ")}.`),
    bars(Object.entries(spent).map(([name, v]) => [name, v / whole, `${v.toFixed(0)} s`])),
    make("p", `Duplicates avoided ${spared.toFixed(0)} s.`), ...lines("Failures by cause", causes.map(([why, n]) => `${n} x ${why}`)));
  if (!causes.length) body("time").append(make("p", "No trial failed."));
}

function fillPrices() {
  const m = state.machine, row = (n) => [n.name, n.least ? `${n.least} to ${n.value}` : n.value, n.unit + (n.access_bits ? ` per ${n.access_bits} bits` : ""), n.evidence, n.scope ?? "", n.source];
  body("prices").replaceChildren(make("p", `${m.name}: ${m.title}`), table(["name", "value", "unit", "evidence", "scope", "source"], [...m.prices, ...m.parameters].map(row)),
    ...lines("Not modelled", m.not_modelled), ...lines("Emulated", m.emulated), ...lines("On the host, by share of dense MACs", m.host), ...lines("Not counted", m.uncounted));
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

// On paper plots are as wide as a page of A4 between its margins.
function resize(size) {
  for (const plot of document.querySelectorAll(".plot.js-plotly-plot")) Plotly.relayout(plot, size);
}

window.addEventListener("beforeprint", () => {
  Object.keys(later).forEach(drawPending);
  if (window.Plotly) resize({ width: 680, autosize: false });
});
window.addEventListener("afterprint", () => window.Plotly && resize({ width: null, autosize: true }));

function drawPlots() {
  if (!window.Plotly) return;  // once it is there, `start` draws
  drawAll();
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
  for (const part of [fillWhy, fillTable, fillPrices, drawPlots]) part();
  // A trial that the reader has opened stays; the one that the page had opened is the machine's.
  openTrial(state.chosen ?? machine.knee ?? machine.front[0] ?? data.parent.trial, false);
}

function openAddressed() {
  const key = decodeURIComponent(location.hash).replace(/^#trial-/, "");
  if (location.hash.startsWith("#trial-") && (trials.has(key) || key === data.parent.trial)) openTrial(key);
}

function start() {
  document.title = `${data.title} - autoprune report`;
  find("title").textContent = data.title || "Run";
  const numbered = data.trials.filter((one) => !otherwise(one));
  const read = data.trials.length > numbered.length ? `, and ${data.trials.length - numbered.length} readings of them after other time steps` : "";
  find("about").textContent = `${numbered.length} trials of ${data.run}${read}. Data: ${data.data || "not recorded"}. autoprune ${data.version}.`;
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
  const origins = [...new Set(data.trials.map((one) => one.origin))];
  find("origin").append(new Option("all", ""), ...origins.map((name) => new Option(name, name)));
  for (const id of ["filter", "state", "origin", "on-front"]) find(id).addEventListener("input", fillTable);
  find("csv").addEventListener("click", saveTable);
  find("previous").addEventListener("click", () => openTrial(beside(-1)));
  find("next").addEventListener("click", () => openTrial(beside(1)));
  for (const fill of [fillAnswer, fillDisagree, fillRecipe, fillTime, fillEnvironment]) fill();
  showMachine(state.machine);
  openAddressed();
  window.addEventListener("hashchange", openAddressed);
  dark.addEventListener("change", () => showMachine(state.machine));
  document.addEventListener("DOMContentLoaded", () => {
    drawPlots();
    document.body.dataset.ready = "yes";
  });
}

start();
