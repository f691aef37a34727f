/**
 * Content security policies. Browsers tell in an event of its own what a policy has forbidden; what failed because of it
 * says nothing.
 */

/** @type {{ directive: string, blocked: string }[]} */
const violations = [];
let watching = false;

/** Begins to listen, in a page or a worker. */
export function watchPolicy() {
  if (watching || typeof addEventListener !== 'function') return;
  watching = true;
  addEventListener('securitypolicyviolation', (event) => {
    const { effectiveDirective, blockedURI } = /** @type {SecurityPolicyViolationEvent} */ (event);
    violations.push({ directive: effectiveDirective, blocked: blockedURI });
    if (violations.length > 20) violations.shift();
  });
}

/**
 * The directive that has forbidden something, where there is one.
 *
 * @param {readonly string[]} directives those that could have
 * @param {string} [address] of what was asked for
 * @returns {Promise<string | null>}
 */
export async function violatedDirective(directives, address) {
  // The event comes in a task of its own, after the failure.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const concerns = (/** @type {string} */ blocked) =>
    !address || blocked === address || sameOrigin(blocked, address);
  const found = violations.filter(
    ({ directive, blocked }) => directives.includes(directive) && concerns(blocked),
  );
  return found.at(-1)?.directive ?? null;
}

/** Policies may tell no more than an origin. @param {string} a @param {string} b */
function sameOrigin(a, b) {
  try {
    return new URL(a).origin === new URL(b).origin;
  } catch {
    return false;
  }
}
