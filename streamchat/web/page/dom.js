// Elements made without markup: nothing here or elsewhere in this page reads a string as HTML.

const SVG = "http://www.w3.org/2000/svg";

// An element: `on…` are listeners, `class` its classes, the rest attributes (false, null and undefined: none).
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// One of the drawings in index.html.
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}

// A button that is a drawing; `label` is its name and its tooltip.
export function iconButton(name, label, onclick, classes = "quiet round") {
  return h("button", { type: "button", class: classes, "aria-label": label, title: label, onclick }, icon(name));
}

export const byId = (id) => document.getElementById(id);

// Write only what differs: an assistive technology hears of every write.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
