// The result, with the source over it up to where the slider stands.

const stage = document.getElementById("compare");
const slider = document.getElementById("slider");
const [before, after] = ["before", "after"].map((id) => document.getElementById(id));

slider.addEventListener("input", () => {
  stage.style.setProperty("--cut", `${slider.value}%`);
  stage.classList.toggle("end", ["0", "100"].includes(slider.value));
});

/** Shows a result {rgba, width, height} and its source (a canvas, or null for a picture from noise). */
export function show({ rgba, width, height }, source) {
  Object.assign(after, { width, height });
  after.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  stage.classList.remove("empty");
  stage.classList.toggle("whole", !source);
  stage.classList.toggle("coarse", Math.max(width, height) <= 96);
  shape(stage, width, height);
  if (!source) return;
  Object.assign(before, { width, height });
  before.getContext("2d").drawImage(source, 0, 0, width, height);
}

/** Where the slider stands before it is moved: the share of the source that is seen. */
export function cut(percent) {
  slider.value = percent;
  slider.dispatchEvent(new Event("input"));
}

/** No result yet. */
export function empty() {
  stage.classList.add("empty");
}

/** Gives a stage the shape of a picture, no higher than the window allows. */
export function shape(element, width, height) {
  element.style.aspectRatio = `${width} / ${height}`;
  element.style.maxWidth = `calc(var(--tall) * ${width / height})`;
}

/** The result as a PNG file. */
export function save(name) {
  after.toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
