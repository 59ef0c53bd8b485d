#!/usr/bin/env node
// Runs model.onnx in Node. Once: npm install --ignore-scripts
//   node translate.mjs INPUT OUTPUT [--domain NAME] [--set NAME=VALUE]...
//   node translate.mjs OUTPUT [--seed N] [--domain NAME] [--set NAME=VALUE]...   (a model that starts from noise)
//   node translate.mjs --self-test
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";
import { inputs, toColours, toRgba } from "./model.js";

const file = (name) => new URL(name, import.meta.url);
const card = JSON.parse(await readFile(file("card.json"), "utf8"));
const session = await InferenceSession.create(await readFile(file("model.onnx")));

/** Translates RGBA pixels {data, width, height}, or makes a picture from noise when there are none. */
export async function translate(picture, wanted = {}) {
  const image = picture && { ...picture, data: toColours(picture.data, card.source.colour) };
  const feed = Object.entries(inputs(card, image, wanted)).map(([name, [type, data, dims]]) => [name, new Tensor(type, data, dims)]);
  const { image_out: out } = await session.run(Object.fromEntries(feed));
  const [, height, width] = out.dims;
  const same = picture && width === picture.width && height === picture.height;
  const alpha = same ? picture.data.filter((_, index) => index % 4 === 3) : null;
  return { data: toRgba(out.data, card.target.colour, alpha), width, height };
}

async function read(path) {
  const { data, info } = await sharp(path).rotate().toColourspace("srgb").ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

async function write(path, { data, width, height }) {
  const picture = sharp(data, { raw: { width, height, channels: 4 } });
  const opaque = data.every((value, index) => index % 4 !== 3 || value === 255);
  await (opaque ? picture.removeAlpha() : picture).toFile(path);
}

async function selfTest() {
  const path = (name) => file(name).pathname;
  const wanted = JSON.parse(await readFile(file("reference.json"), "utf8"));
  const expected = await read(path("reference-output.png"));
  const got = await translate(card.latent ? null : await read(path("reference-input.png")), wanted);
  const apart = expected.data.reduce((most, value, index) => Math.max(most, Math.abs(value - got.data[index])), 0);
  const passed = expected.width === got.width && expected.height === got.height && apart <= 1;
  console.log(`self-test ${passed ? "passed" : "FAILED"}: at most ${apart} of 255 apart`);
  return passed ? 0 : 1;
}

async function main() {
  const options = { domain: { type: "string" }, set: { type: "string", multiple: true }, seed: { type: "string" } };
  const { values, positionals } = parseArgs({ options: { ...options, "self-test": { type: "boolean" } }, allowPositionals: true });
  if (values["self-test"]) return selfTest();
  if (positionals.length !== (card.latent ? 1 : 2)) throw new Error(`usage: node translate.mjs ${card.latent ? "" : "INPUT "}OUTPUT`);
  const set = values.set && Object.fromEntries(values.set.map((text) => text.split("=")).map(([name, value]) => [name, Number(value)]));
  const wanted = { domain: values.domain, set, seed: Number(values.seed ?? 0) };
  await write(positionals.at(-1), await translate(card.latent ? null : await read(positionals[0]), wanted));
  return 0;
}

if (process.argv[1] && import.meta.url === (await import("node:url")).pathToFileURL(process.argv[1]).href) {
  main().then((code) => (process.exitCode = code), (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
