// Elements, made one by one. Texts become text nodes and attributes attributes: nothing that a key's name, a user agent or an
// error says is ever read as markup, and the page's policy forbids every way to do so.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. An attribute that is a function listens to the event of its name; one that is false or null is left out. */
export function h(name, attributes, ...children) {
  return build(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function s(name, attributes, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") {
      element.addEventListener(name, value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Somebody else's text, which can't turn the direction of what is around it. */
export function text(value, kind) {
  return h("bdi", { class: kind ?? false }, visible(value));
}

// Controls that nothing shows, and those that turn the direction of writing: a name must not look like another.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A text with what can't be seen in it written out. */
export function visible(value) {
  const code = (character) => `\u27e8U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  return String(value).replace(HIDDEN, code);
}

/** Puts `children` in place of what `element` has. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
