// The data, and what every section is made of. Text is set as text only.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const trials = new Map(data.trials.map((one) => [one.trial, one]));
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const state = { machine: data.machines[0], trial: null, chosen: null, sort: "trial", down: false };
const find = (id) => document.getElementById(id);
const body = (id) => document.querySelector(`#${id} .body`);

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
const interval = (s) => `${percent(s.value)} [${(100 * s.low).toFixed(1)}\u00a0${(100 * s.high).toFixed(1)}]`;
// Read after other time steps than it was trained for.
const otherwise = (one) => one.trial.includes("@");

function pairs(flat) {
  const found = [];
  for (let i = 0; i < flat.length; i += 2) found.push([data.names[flat[i]], flat[i + 1]]);
  return found;
}

function table(columns, rows) {
  const counts = (value) => typeof value === "number" || /^(-|-?[\d.]+( (%|x|[mµnp]?J))?)$/.test(value);
  const numbers = columns.map((_, i) => rows.length > 0 && rows.every((row) => counts(row[i])));
  const cell = (tag, value, i) => {
    const made = value instanceof Node ? make(tag, null, value) : make(tag, typeof value === "number" ? short(value, 5) : value);
    if (numbers[i]) made.className = "number";
    return made;
  };
  const line = (tag, values) => make("tr", null, ...values.map((value, i) => cell(tag, value, i)));
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

// In the unit that suits the machine's front.
const inUnit = (energy) => energy / state.machine.unit.in_uj;
const energyWords = (energy) => `${short(inUnit(energy), 4)} ${state.machine.unit.name}`;

// With weights, and in integers, as the machine has them; as trained where it cannot run the network.
function scores(one) {
  return one.scores?.[one.on[state.machine.name]?.scores ?? 0];
}

function trialButton(key) {
  const button = make("button", key);
  button.type = "button";
  button.addEventListener("click", () => openTrial(key));
  return button;
}
