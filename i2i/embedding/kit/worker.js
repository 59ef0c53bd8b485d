// Runs the model away from the page, so that drawing never waits for it.
import * as ort from "./onnxruntime-web/ort.wasm.min.mjs";
import { inputs, toColours, toRgba } from "./model.js";

ort.env.wasm.wasmPaths = new URL("onnxruntime-web/", import.meta.url).href;
ort.env.logLevel = "error";

let session = null;
let card = null;

let turn = Promise.resolve();

onmessage = ({ data }) => {
  turn = turn.then(() => answer(data)); // one after the other: a run belongs to the model that was opened before it
};

async function answer({ type, ticket, ...rest }) {
  try {
    const answer = await { open, run }[type](rest);
    postMessage({ ticket, ...answer }, answer.rgba ? [answer.rgba.buffer] : []);
  } catch (error) {
    postMessage({ ticket, error: error.message ?? String(error) });
  }
}

/** Fetches a model and makes it ready. `threads` counts once: the first model decides for this worker. */
async function open({ url, card: described, threads, bytes }) {
  ort.env.wasm.numThreads = threads;
  await session?.release();
  session = null;
  card = described;
  session = await ort.InferenceSession.create(await download(url, bytes), { executionProviders: ["wasm"], logSeverityLevel: 3 });
  return { threads };
}

async function download(url, bytes) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} cannot be fetched: ${answer.status} ${answer.statusText}`);
  const reader = answer.body.getReader();
  const parts = [];
  for (let loaded = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.length;
    postMessage({ progress: Math.min(1, loaded / bytes) });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** One picture: RGBA in (or none, from noise) and RGBA out; `milliseconds` are those of the model alone. */
async function run({ picture, wanted }) {
  const image = picture && { ...picture, data: toColours(picture.data, card.source.colour) };
  const feed = {};
  for (const [name, [type, data, dims]] of Object.entries(inputs(card, image, wanted))) feed[name] = new ort.Tensor(type, data, dims);
  const start = performance.now();
  const { image_out: out } = await session.run(feed);
  const milliseconds = performance.now() - start;
  const [, height, width] = out.dims;
  const alpha = picture && carried(picture, width, height);
  return { rgba: toRgba(out.data, card.target.colour, alpha), width, height, milliseconds };
}

/** The alpha that came, as large as the result; null where the picture is opaque. */
function carried({ data, width: from }, width, height) {
  const scale = width / from;
  const alpha = new Uint8Array(width * height);
  let opaque = true;
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      alpha[at] = data[4 * (Math.floor(y / scale) * from + Math.floor(x / scale)) + 3];
      opaque &&= alpha[at] === 255;
    }
  return opaque ? null : alpha;
}
