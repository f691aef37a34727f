/**
 * Workers of scripts that may lie elsewhere. Browsers start no worker from another origin, such as a CDN, but a script of
 * the page's own may import from there what its server lets it.
 */

/**
 * @param {() => Worker} start makes the worker, of an address in `new Worker` itself, which is where bundlers
 *   look for it
 * @param {string} address of the script, where no bundler has moved it
 * @returns {Worker}
 */
export function startModuleWorker(start, address) {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'SecurityError') throw error;
    const script = new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' });
    // The address of the blob stays for as long as the page: when the worker has read it nobody can tell.
    return new Worker(URL.createObjectURL(script), { type: 'module' });
  }
}

/**
 * The address of a script beside another one. Bundlers, which would take it for one more file to serve, do not see it.
 *
 * @param {string} name
 * @param {string} url `import.meta.url` of the other one
 */
export function beside(name, url) {
  return url.replace(/[^/]*$/, name);
}
