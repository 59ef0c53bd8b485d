// What a model's card (card.json) asks of a program, in one place for the page and for Node: pixels to the colours that
// the model takes and back, names to the numbers it is steered by, seeds to noise. No imports, no state.

const CHANNELS = { gray: 1, rgb: 3, rgba: 4, labels: 3 };

/** RGBA bytes, not premultiplied, as the model's colours: the picture is laid over white unless the model takes alpha. */
export function toColours(rgba, colour) {
  const channels = CHANNELS[colour];
  if (channels === 4) return Uint8Array.from(rgba);
  const pixels = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += channels) {
    const alpha = rgba[from + 3];
    const [red, green, blue] = [0, 1, 2].map((c) => Math.round((rgba[from + c] * alpha + 255 * (255 - alpha)) / 255));
    if (channels === 1) pixels[to] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16; // ITU-R 601 luma
    else pixels.set([red, green, blue], to);
  }
  return pixels;
}

/** The model's output as RGBA bytes; `alpha` (one byte a pixel) goes out again where the model has none of its own. */
export function toRgba(pixels, colour, alpha = null) {
  const channels = CHANNELS[colour];
  const rgba = new Uint8ClampedArray((pixels.length / channels) * 4);
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    for (let c = 0; c < 3; c++) rgba[to + c] = pixels[from + (channels === 1 ? 0 : c)];
    rgba[to + 3] = channels === 4 ? pixels[from + 3] : alpha ? alpha[to / 4] : 255;
  }
  return rgba;
}

/** Numbers in 0..1, a function of the seed: a counter through MurmurHash3's finaliser, the same in every language. */
export function uniform(seed) {
  const mixed = (value) => {
    value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
    value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
    return (value ^ (value >>> 16)) >>> 0;
  };
  let state = mixed(seed + 1);
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return (mixed(state) + 0.5) / 4294967296;
  };
}

/** Standard normal numbers (Box and Muller 1958), two of `next` each. */
export function noise(count, next) {
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()));
}

/**
 * The inputs of one run as [type, data, dims] by name. `image` is {data, width, height} in the model's colours, `wanted`
 * {domain, mix: {name: weight}, set: {name: value}, seed}. Throws an Error that says what is missing or unknown.
 */
export function inputs(card, image, wanted = {}) {
  const next = uniform(wanted.seed ?? 0);
  const feed = card.latent
    ? { latent: ["float32", noise(card.latent, next), [1, card.latent]] }
    : { image: ["uint8", image.data, [1, image.height, image.width, CHANNELS[card.source.colour]]] };
  if (!card.latent) checkSize(card, image);
  if (card.condition) Object.assign(feed, steering(card, wanted, next));
  else if (wanted.domain != null || wanted.set) throw new Error(`${card.name} takes no domain and no attributes`);
  return feed;
}

/** Raised before the model is: it takes one size only. */
function checkSize(card, { width, height }) {
  const { rule, width: wide, height: tall } = card.sizing;
  if (rule === "fixed" && (width !== wide || height !== tall))
    throw new Error(`${card.name} takes only pictures of ${wide} x ${tall}, not ${width} x ${height}`);
}

function steering(card, wanted, next) {
  const { kind, names, mixed } = card.condition;
  const place = (name) => {
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`unknown name '${name}'; ${card.name} knows: ${names.join(", ")}`);
    return index;
  };
  if (kind === "attributes") {
    return { condition: ["float32", attributes(card, wanted.set ?? {}, place, next), [1, names.length]] };
  }
  if (wanted.domain == null && !wanted.mix) throw new Error(`name a domain, one of: ${names.join(", ")}`);
  if (!mixed) return { domain: ["int64", BigInt64Array.of(BigInt(place(wanted.domain))), [1]] };
  const weights = new Float32Array(names.length);
  for (const [name, weight] of Object.entries(wanted.mix ?? { [wanted.domain]: 1 })) weights[place(name)] = weight;
  const sum = weights.reduce((a, b) => a + b);
  return { condition: ["float32", weights.map((weight) => weight / sum), [1, names.length]] };
}

/** NaN keeps what the picture shows; from noise, what nobody sets is drawn, and of an exclusive group one is on. */
function attributes(card, set, place, next) {
  const { names, exclusive_groups: groups = [], ranges = [] } = card.condition;
  const [low, high] = [0, 1].map((end) => names.map((_, index) => (ranges.length ? ranges[index][end] : end)));
  const values = Float32Array.from(names, (_, index) => (card.latent ? low[index] + next() * (high[index] - low[index]) : NaN));
  for (const group of groups) {
    const members = group.map(place);
    const given = members.filter((index) => names[index] in set);
    const clear = card.latent ? true : given.some((index) => set[names[index]] > low[index]);
    const on = card.latent && !given.length ? members[Math.floor(next() * members.length)] : -1;
    if (clear) for (const index of members) values[index] = index === on ? high[index] : low[index];
  }
  for (const [name, value] of Object.entries(set)) {
    const index = place(name);
    if (!(low[index] <= value && value <= high[index]))
      throw new Error(`attribute '${name}' runs from ${low[index]} to ${high[index]}, not ${value}`);
    values[index] = value;
  }
  return values;
}
