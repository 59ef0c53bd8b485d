// What a model is told beside the picture: domains by name, attributes as switches, a seed for noise.

const form = document.getElementById("steering");
const PILLS = 12; // more names than these are a list to unfold
const MIX = 50; // per cent

/** Builds the controls for a card; `changed()` is told whenever one of them moves. */
export function build(card, changed) {
  const { condition, latent } = card;
  const rows = [];
  if (latent) rows.push(...seed(changed));
  if (condition?.kind === "domains") rows.push(...domains(condition));
  if (condition?.kind === "attributes") rows.push(...attributes(condition, latent ? "any" : "as is"));
  form.replaceChildren(...rows);
  form.hidden = !rows.length;
  form.oninput = changed;
  form.onsubmit = (event) => event.preventDefault();
}

/** What the controls say, as `inputs` of model.js takes it. */
export function wanted(card) {
  const data = new FormData(form);
  const asked = {};
  if (card.latent) asked.seed = Number(data.get("seed"));
  if (card.condition?.kind === "domains") Object.assign(asked, mixture(data));
  if (card.condition?.kind === "attributes") asked.set = settings(card.condition, data);
  return asked;
}

function mixture(data) {
  const [domain, other] = [data.get("domain"), data.get("other")];
  const share = Number(data.get("share") ?? 0) / 100;
  return other && other !== domain && share ? { domain, mix: { [domain]: 1 - share, [other]: share } } : { domain };
}

function settings({ names, exclusive_groups: groups = [], ranges = [] }, data) {
  const [low, high] = [0, 1].map((end) => (name) => (ranges.length ? ranges[names.indexOf(name)][end] : end));
  const set = {};
  for (const group of groups) {
    const on = data.get(`group ${group[0]}`);
    if (on) for (const name of group) set[name] = name === on ? high(name) : low(name);
  }
  for (const name of names.filter((each) => !groups.flat().includes(each))) {
    const value = data.get(`attribute ${name}`);
    if (value === "range") set[name] = Number(data.get(`value ${name}`));
    else if (value) set[name] = value === "on" ? high(name) : low(name);
  }
  return set;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A row of one choice among [value, text] pairs; the first is chosen. */
function choice(label, name, options) {
  const group = element("div", { className: "choice small" });
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", label);
  for (const [index, [value, text]] of options.entries())
    group.append(element("label", {}, element("input", { type: "radio", name, value, checked: !index }), element("span", { textContent: text })));
  return row(label, group);
}

function list(label, name, options) {
  const select = element("select", { name }, ...options.map(([value, text]) => element("option", { value, textContent: text })));
  select.setAttribute("aria-label", label);
  return row(label, select);
}

function row(label, ...controls) {
  return element("div", { className: "row" }, element("span", { className: "label", textContent: label }), ...controls);
}

function domains({ names, mixed }) {
  const options = names.map((name) => [name, name]);
  const rows = [(names.length > PILLS ? list : choice)("Domain", "domain", options)];
  if (!mixed || names.length < 2) return rows;
  const other = list("Mixed with", "other", [["", "nothing else"], ...options]);
  const share = element("input", { type: "range", name: "share", min: 0, max: 100, value: MIX });
  share.setAttribute("aria-label", "Share of the other domain");
  other.append(share);
  return [...rows, other];
}

function attributes({ names, exclusive_groups: groups = [], ranges = [] }, kept) {
  const grouped = groups.flat();
  const rows = groups.map((group) => choice(common(group), `group ${group[0]}`, [["", kept], ...group.map((name) => [name, words(name)])]));
  const alone = names.filter((name) => !grouped.includes(name));
  return [...rows, ...alone.map((name) => (ranges.length ? range(name, ranges[names.indexOf(name)], kept) : toggle(name, kept)))];
}

const toggle = (name, kept) => choice(words(name), `attribute ${name}`, [["", kept], ["off", "off"], ["on", "on"]]);

function range(name, [low, high], kept) {
  const made = choice(words(name), `attribute ${name}`, [["", kept], ["range", "set"]]);
  const slider = element("input", { type: "range", name: `value ${name}`, min: low, max: high, step: (high - low) / 100, value: (low + high) / 2 });
  slider.setAttribute("aria-label", words(name));
  slider.addEventListener("input", () => (made.querySelector("input[value=range]").checked = true));
  made.append(slider);
  return made;
}

/** The word that a group's names end in alike (black_hair, fair_hair: hair), or all of them. */
function common(group) {
  const last = group.map((name) => words(name).split(" ").at(-1));
  return last.every((word) => word === last[0]) && group.length > 1 ? last[0] : group.map(words).join(", ");
}

const words = (name) => name.replaceAll("_", " ");

function seed(changed) {
  const number = element("input", { type: "number", name: "seed", min: 0, max: 4294967295, value: 0 });
  number.setAttribute("aria-label", "Seed");
  const button = element("button", { type: "button", id: "sample", className: "main", textContent: "New sample" });
  button.addEventListener("click", () => {
    number.value = crypto.getRandomValues(new Uint32Array(1))[0] % 1000000;
    changed();
  });
  return [row("Seed", number, button)];
}
