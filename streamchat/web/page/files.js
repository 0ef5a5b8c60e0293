// Files that go with a question: text becomes part of it, fenced and named; images go beside it.

import { h, icon, iconButton } from "./dom.js";
import { bytes } from "./format.js";

const SIDE = 1568; // pixels: what models look at, at most
const QUALITY = 0.85;
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

// {name, text} or {name, media_type, data, preview}; an Error that says why not.
export async function readFile(file, { images, limit }) {
  if (file.type.startsWith("image/") && file.type !== "image/svg+xml") return readImage(file, images, limit);
  if (file.size > limit) throw new Error(`${file.name} has ${bytes(file.size)}, more than the ${bytes(limit)} that go with a question.`);
  const data = new Uint8Array(await file.arrayBuffer());
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    if (text.includes("\0")) throw new TypeError("not text");
    return { name: file.name, size: file.size, text };
  } catch {
    throw new Error(`${file.name} is neither text nor an image.`);
  }
}

async function readImage(file, images, limit) {
  if (!images) throw new Error(`The chosen model takes no images: ${file.name} was not attached.`);
  const fits = IMAGES.has(file.type) && file.size * 1.4 <= limit;
  const blob = fits ? file : await smaller(file).catch(() => null);
  if (blob === null) throw new Error(`${file.name} cannot be read as an image.`);
  if (blob.size * 1.4 > limit) throw new Error(`${file.name} is too large, even made smaller.`);
  const preview = await dataUrl(blob);
  return { name: file.name || "image", size: blob.size, media_type: blob.type, data: preview.slice(preview.indexOf(",") + 1), preview };
}

async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = h("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// A text as a block that nothing in it can end, its name in front: as the terminal does it.
export function fenced({ name, text }) {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${name}:\n${fence}\n${text.trimEnd()}\n${fence}`;
}

export function chip(file, remove) {
  return h("li", { class: "file" }, file.preview ? h("img", { src: file.preview, alt: "" }) : icon("clip"),
    h("span", { class: "file-name" }, file.name), h("span", { class: "file-size" }, bytes(file.size)),
    iconButton("close", `Remove ${file.name}`, remove));
}
