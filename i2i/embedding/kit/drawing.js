// The canvas: strokes of a pen or an eraser, a list that undo shortens; what is seen is the list drawn again.

const canvas = document.getElementById("canvas");
const cursor = document.getElementById("cursor");
const pens = document.getElementById("pens");
const width = document.getElementById("width");
const context = canvas.getContext("2d", { willReadFrequently: true });
const SIDE = 256; // pixels of the longer side; the model brings it to its own size

let done = []; // strokes {colour, width, points: [[x, y], ...]} and pictures {picture} that cover what was before
let stroke = null;
let paper = "#fff";
let told = () => {};
let point = [0, 0]; // of the keyboard
let marks = [];

/** Makes the canvas ready for a model; `changed(finished)` is told of every change, `finished` false within a stroke. */
export function start(card, changed) {
  const [wide, high] = [card.sizing.width ?? SIDE, card.sizing.height ?? SIDE];
  const scale = SIDE / Math.max(wide, high);
  Object.assign(canvas, { width: Math.round(wide * scale), height: Math.round(high * scale) });
  const palette = card.source.colour === "labels" ? card.source.palette : null;
  paper = palette ? css(palette[0]) : "#fff";
  marks = palette
    ? palette.map((colour, index) => ({ name: `class ${index}`, colour: css(colour), swatch: true }))
    : [{ name: "Pen", colour: "#000" }, { name: "Eraser", colour: paper }];
  pens.replaceChildren(...marks.map(option));
  pens.querySelectorAll("input")[palette ? Math.min(1, marks.length - 1) : 0].checked = true;
  [done, stroke, told, point] = [[], null, changed, [canvas.width / 2, canvas.height / 2]];
  draw();
}

/** Lays a picture under the strokes to come. */
export function begin(picture) {
  done.push({ picture });
  changed();
}

/** Takes back the last stroke, picture or clearing. */
export function undo() {
  if (done.pop()) changed();
}

/** An empty paper, which undo takes back. */
export function clear() {
  if (done.length) done.push({ picture: null });
  changed();
}

/** The canvas, and whether anything is on it. */
export const drawn = { canvas, get empty() { return !stroke && (!done.length || done.at(-1).picture === null); } };

const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;
const chosen = () => marks[[...pens.querySelectorAll("input")].findIndex((input) => input.checked)];

function option({ name, colour, swatch }) {
  const label = document.createElement("label");
  label.title = name;
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "pen" });
  input.setAttribute("aria-label", name);
  const text = Object.assign(document.createElement("span"), swatch ? { className: "swatch" } : { textContent: name });
  if (swatch) text.style.background = colour;
  label.append(input, text);
  return label;
}

function changed() {
  draw();
  told(true);
}

function draw() {
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const first = done.findLastIndex((item) => "picture" in item);
  if (first >= 0 && done[first].picture) context.drawImage(done[first].picture, 0, 0, canvas.width, canvas.height);
  for (const item of done.slice(first + 1)) paint(item);
  if (stroke) paint(stroke);
  canvas.parentElement.classList.toggle("blank", drawn.empty);
}

/** A stroke as a smooth line through the middles between its points. */
function paint({ colour, width: thick, points }) {
  Object.assign(context, { strokeStyle: colour, lineWidth: thick, lineCap: "round", lineJoin: "round" });
  context.beginPath();
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i++) {
    const [[x, y], [u, v]] = [points[i], points[i + 1]];
    context.quadraticCurveTo(x, y, (x + u) / 2, (y + v) / 2);
  }
  context.lineTo(...points.at(-1));
  context.stroke();
}

function lower(at) {
  stroke = { colour: chosen().colour, width: Number(width.value), points: [at, at] };
  draw();
}

function move(points) {
  stroke.points.push(...points);
  draw();
  told(false);
}

function lift() {
  if (!stroke) return;
  done.push(stroke);
  stroke = null;
  cursor.classList.remove("down");
  changed();
}

function place({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return [((clientX - box.left) / box.width) * canvas.width, ((clientY - box.top) / box.height) * canvas.height];
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  canvas.setPointerCapture(event.pointerId);
  cursor.hidden = true;
  lower(place(event));
});
canvas.addEventListener("pointermove", (event) => {
  if (!stroke || !event.buttons) return;
  const all = event.getCoalescedEvents?.() ?? [];
  move((all.length ? all : [event]).map(place));
});
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, lift);

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const pick = { p: 0, e: 1 }[key];
  if (MOVES[key]) step(MOVES[key], event.shiftKey ? 1 : 6);
  else if (key === " ") stroke ? lift() : (lower(point), cursor.classList.add("down"), showCursor());
  else if (key === "z") undo();
  else if (key === "Delete" || key === "Backspace") clear();
  else if (pick !== undefined && marks[pick]) pens.querySelectorAll("input")[pick].checked = true;
  else return;
  event.preventDefault();
});
canvas.addEventListener("blur", () => {
  lift();
  cursor.hidden = true;
});

function step([x, y], pixels) {
  const within = (value, limit) => Math.min(limit, Math.max(0, value));
  point = [within(point[0] + x * pixels, canvas.width), within(point[1] + y * pixels, canvas.height)];
  showCursor();
  if (stroke) move([point]);
}

function showCursor() {
  cursor.hidden = false;
  cursor.style.left = `${(100 * point[0]) / canvas.width}%`;
  cursor.style.top = `${(100 * point[1]) / canvas.height}%`;
}
