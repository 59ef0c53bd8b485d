// The page: a menu of models, a picture that is drawn or taken, and a result that follows it.
import { cut, empty, save, shape, show } from "./compare.js";
import * as drawing from "./drawing.js";
import { build, wanted } from "./steering.js";

const find = (id) => document.getElementById(id);
const LIVE = 120; // milliseconds: a model as fast as this also runs while a stroke is being drawn
const asked = new URLSearchParams(location.search).get("threads");
const THREADS = crossOriginIsolated ? Number(asked) || Math.min(4, navigator.hardwareConcurrency || 1) : 1;

const worker = new Worker("worker.js", { type: "module" });
const answers = new Map(); // ticket: the promise's two ends
let model = null; // {name, path, card, ...} of models.json
let taken = null; // a canvas with the picture that was chosen
let running = false;
let pending = false;
let milliseconds = Infinity;
let shown = null; // what the result on the page was asked for

worker.onmessage = ({ data: { ticket, progress, error, ...answer } }) => {
  if (progress !== undefined) return say(`Loading the model: ${Math.round(100 * progress)} %`);
  const [resolve, reject] = answers.get(ticket);
  answers.delete(ticket);
  error ? reject(new Error(error)) : resolve(answer);
};
worker.onerror = (event) => say(`The model cannot run here: ${event.message ?? "this browser has no module workers"}`);

function ask(type, message, transfer = []) {
  const ticket = crypto.getRandomValues(new Uint32Array(1))[0];
  worker.postMessage({ type, ticket, ...message }, transfer);
  return new Promise((...ends) => answers.set(ticket, ends));
}

const say = (text) => (find("status").textContent = text);
const isDrawing = () => model.canvas && document.querySelector("input[name=mode]:checked").value === "draw";

/** Opens a model and shows what it can do. */
async function open(entry) {
  const card = await (await fetch(`${entry.path}card.json`)).json();
  model = { ...entry, card };
  [taken, shown, milliseconds] = [null, null, Infinity];
  describe();
  build(card, translate);
  empty();
  find("save").disabled = true;
  find("source").hidden = Boolean(card.latent);
  document.querySelector(".sides").classList.toggle("alone", Boolean(card.latent));
  find("modes").hidden = !entry.canvas;
  document.querySelector("input[name=mode][value=draw]").checked = true;
  if (entry.canvas) drawing.start(card, (finished) => (finished || milliseconds < LIVE) && translate());
  shape(find("canvas").parentElement, find("canvas").width, find("canvas").height);
  mode();
  await Promise.all([examples(), ready(model)]);
}

async function ready(now) {
  say("Loading the model");
  const url = new URL(`${now.path}model.onnx`, location).href;
  try {
    await ask("open", { url, card: now.card, bytes: now.bytes, threads: THREADS });
  } catch (error) {
    return say(`The model cannot be opened: ${error.message}`);
  }
  if (model !== now) return; // another one was chosen meanwhile
  model.ready = true;
  say("Ready");
  translate();
}

/** Translates what is on the page; of many calls during a run, only the last one counts. */
async function translate() {
  if (!model.ready) return;
  if (running) return (pending = true);
  const source = picture();
  if (!source && !model.card.latent) return blank();
  running = true;
  const [now, request] = [model, wanted(model.card)];
  if (milliseconds > LIVE) say("Translating");
  try {
    const answer = await ask("run", { picture: source && pixels(source), wanted: request });
    if (now === model) finish(answer, source, request);
  } catch (error) {
    say(error.message);
  }
  running = false;
  if (pending) {
    pending = false;
    translate();
  }
}

function finish(answer, source, request) {
  milliseconds = answer.milliseconds;
  shown = request;
  show(answer, source);
  find("save").disabled = false;
  say(`${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms on ${THREADS} thread${THREADS > 1 ? "s" : ""}`);
  find("caption").textContent = `${answer.width} × ${answer.height} px`;
  document.body.dataset.runs = Number(document.body.dataset.runs ?? 0) + 1;
}

function blank() {
  empty();
  find("save").disabled = true;
  find("caption").textContent = "";
  say("Ready");
}

/** The canvas that is to be translated, or null. */
function picture() {
  if (model.card.latent) return null;
  const source = isDrawing() ? (drawing.drawn.empty ? null : drawing.drawn.canvas) : taken;
  const { rule, width, height } = model.card.sizing;
  return source && rule === "fixed" ? scaled(source, width, height) : source;
}

function pixels(canvas) {
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return { data, width, height };
}

function scaled(source, width, height) {
  if (source.width === width && source.height === height) return source;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.imageSmoothingEnabled = model.card.source.colour !== "labels";
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

/** The pixels as they are in the file: upright, without a conversion of colours. */
async function decode(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(bitmap, 0, 0);
  return canvas;
}

async function take(blob) {
  try {
    const canvas = await decode(blob);
    const share = Math.min(1, Number(find("limit").value) / Math.max(canvas.width, canvas.height));
    taken = scaled(canvas, Math.max(1, Math.round(canvas.width * share)), Math.max(1, Math.round(canvas.height * share)));
  } catch {
    return say("This file is not a picture that the browser can read");
  }
  find("limit").blob = blob;
  if (model.canvas) document.querySelector("input[name=mode][value=picture]").checked = true;
  mode();
  translate();
}

/** Shows the canvas or the picture, as is chosen. */
function mode() {
  const draw = Boolean(isDrawing());
  find("source-title").textContent = model.canvas ? "Source" : "Picture";
  find("draw").hidden = !draw;
  find("take").hidden = draw;
  cut(draw ? 0 : 50);
  find("drop").classList.toggle("empty", !taken);
  find("taken").hidden = !taken;
  if (!taken) return;
  const target = find("taken");
  Object.assign(target, { width: taken.width, height: taken.height });
  target.getContext("2d").drawImage(taken, 0, 0);
  shape(find("drop"), taken.width, taken.height);
  find("drop").classList.toggle("coarse", Math.max(taken.width, taken.height) <= 96);
}

async function examples() {
  const box = find("examples");
  box.hidden = !model.examples.length;
  const buttons = model.examples.map((name, index) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.setAttribute("aria-label", `Example ${index + 1}`);
    button.append(Object.assign(new Image(), { src: model.path + name, alt: "" }));
    button.addEventListener("click", async () => {
      const blob = await (await fetch(model.path + name)).blob();
      isDrawing() ? drawing.begin(await decode(blob)) : take(blob);
    });
    return button;
  });
  box.replaceChildren("Start from", ...buttons);
  if (buttons.length && !model.canvas) await take(await (await fetch(model.path + model.examples[0])).blob());
}

/** The card, for people. */
function describe() {
  const { card } = model;
  document.title = model.name;
  find("name").textContent = model.name;
  find("about").textContent = model.about || `A model made with i2i (${card.method}).`;
  const { rule, width, height, multiple } = card.sizing;
  const sizes = { pad: `any, at multiples of ${multiple} inside`, resize: `any, ${width} × ${height} inside`, fixed: `${width} × ${height} only` }[rule];
  const rows = {
    Takes: card.latent ? `noise, ${card.latent} numbers` : `${card.source.colour} pictures`,
    Gives: `${card.target.colour} pictures${card.scale > 1 ? `, ${card.scale} times as large` : ""}`,
    Sizes: sizes,
    [card.condition?.kind === "domains" ? "Domains" : "Attributes"]: card.condition?.names.join(", "),
    Method: `${card.method}, ${card.network.type}${card.step ? `, ${card.step.toLocaleString("en")} steps` : ""}`,
    "Trained on": card.training_data,
    Licence: card.licence,
    Measured: Object.entries(card.metrics ?? {}).map(([name, value]) => `${name} ${value}`).join(", "),
    File: `${(model.bytes / 1e6).toFixed(1)} MB`,
  };
  const filled = Object.entries(rows).filter(([, text]) => text);
  find("card").replaceChildren(...filled.flatMap(([name, text]) => [term("dt", name), term("dd", text)]));
  find("verdict").textContent = "runs the reference picture and compares it with what the model gave when this page was made";
  const links = model.licences.map((path) => Object.assign(document.createElement("a"), { href: path, textContent: path.replace(/.*\//, "") }));
  const said = [card.licence && `Licence of the model: ${card.licence}.`, card.training_data && ` Trained on ${card.training_data}.`].filter(Boolean);
  find("credit").replaceChildren(...said, ...links.flatMap((link) => [" ", link]));
}

const term = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

/** Runs the reference and says how far the result is from what the model gave when the folder was written. */
async function check() {
  const read = async (name) => pixels(await decode(await (await fetch(model.path + name)).blob()));
  const request = await (await fetch(`${model.path}reference.json`)).json();
  const expected = await read("reference-output.png");
  const source = model.card.latent ? null : await read("reference-input.png");
  const got = await ask("run", { picture: source, wanted: request });
  const apart = expected.data.reduce((most, value, index) => Math.max(most, Math.abs(value - got.rgba[index])), 0);
  const passed = got.width === expected.width && got.height === expected.height && apart <= 1;
  find("verdict").textContent = `${passed ? "passed" : "FAILED"}: at most ${apart} of 255 apart`;
}

function menu(models) {
  const box = find("menu");
  box.hidden = models.length < 2;
  const chosen = models.find(({ name }) => name === decodeURIComponent(location.hash.slice(1))) ?? models[0];
  for (const entry of models) {
    const label = Object.assign(document.createElement("label"), { className: "tile" });
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "model", value: entry.name, checked: entry === chosen });
    input.addEventListener("change", () => {
      history.replaceState(null, "", `#${encodeURIComponent(entry.name)}`);
      open(entry);
    });
    const pair = Object.assign(document.createElement("div"), { className: "pair" });
    const names = [...(entry.noise ? [] : ["reference-input.png"]), "reference-output.png"];
    pair.append(...names.map((name) => Object.assign(new Image(), { src: entry.path + name, alt: "", loading: "lazy" })));
    label.append(input, pair, entry.name);
    box.append(label);
    if (entry === chosen) label.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  return chosen;
}

function listen() {
  const drop = find("source");
  for (const [kind, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]])
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      for (const stage of drop.querySelectorAll(".stage")) stage.classList.toggle("over", over);
      if (kind === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    });
  addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (file && !model.card.latent) take(file);
  });
  find("choose").addEventListener("click", () => find("file").click());
  find("file").addEventListener("change", ({ target }) => target.files[0] && take(target.files[0]));
  find("limit").addEventListener("change", ({ target }) => target.blob && take(target.blob));
  find("modes").addEventListener("change", () => (mode(), translate()));
  find("undo").addEventListener("click", drawing.undo);
  find("clear").addEventListener("click", drawing.clear);
  find("test").addEventListener("click", () => check().catch((error) => (find("verdict").textContent = `FAILED: ${error.message}`)));
  find("save").addEventListener("click", keep);
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=number]")) return;
    const action = { z: isDrawing() && drawing.undo, s: !find("save").disabled && keep }[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function keep() {
  const told = [shown?.domain, shown?.seed].filter((part) => part !== undefined).join("-");
  save(`${[model.name, told].filter(Boolean).join("-").replace(/[^\w.-]+/g, "_")}.png`);
}

async function main() {
  const { models } = await (await fetch("models.json")).json();
  find("threads").textContent = crossOriginIsolated
    ? `It may use ${THREADS} thread${THREADS > 1 ? "s" : ""}.`
    : "It uses one thread: for more, the server has to send two headers, as serve.py does.";
  document.querySelector("main").hidden = false;
  listen();
  await open(menu(models));
}

main().catch((error) => (find("about").textContent = `This page cannot start: ${error.message}`));
