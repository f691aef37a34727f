/**
 * The few lines of DOM help that every element shares. Text goes in as text, never as markup.
 */

/**
 * Makes an element: properties are assigned, attributes are those with a dash or named `role`/`for`.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-') || key === 'role' || key === 'for') element.setAttribute(key, String(value));
    else Reflect.set(element, key, value);
  }
  element.append(...children);
  return element;
}

/**
 * A real button.
 * @param {string} text
 * @param {string} className
 * @param {() => void} onPress
 * @param {Record<string, unknown>} [properties]
 */
export function button(text, className, onPress, properties = {}) {
  const element = make('button', { type: 'button', className, ...properties }, text);
  element.addEventListener('click', onPress);
  return element;
}

/** Writes text only where it differs, so that screen readers hear changes and nothing else. @param {Node} node @param {string} text */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} element @param {string} name @param {boolean} on */
export function mark(element, name, on) {
  if (element.hasAttribute(name) !== on) element.toggleAttribute(name, on);
}

/** Hears of an event that carries a value. @param {EventTarget} host @param {string} type @param {(detail: any) => void} then */
export function on(host, type, then) {
  host.addEventListener(type, (event) => then(/** @type {CustomEvent} */ (event).detail));
}

/**
 * Dispatches an event that carries a value up to the page.
 * @param {HTMLElement} element @param {string} name @param {unknown} [detail]
 */
export function tell(element, name, detail) {
  element.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
}
