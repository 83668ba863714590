// Sophos Central in a Node program: a component of `sophos:central`, transpiled by jco.
//
//     npm install @bytecodealliance/jco-transpile@0.15.0 @bytecodealliance/preview2-shim@0.26.1
//
//     const { tenants, endpoints } = await open("operator.wasm", { obtain });
//     const { tenants: [tenant] } = tenants.list();
//     const page = endpoints.search(tenant, [{ tag: "health", val: ["bad"] }], { size: 500 });
//
// `obtain` implements the WIT's `credentials.obtain`: it returns an access, or throws a
// message for people. The component has no access to files, environment variables or
// sockets.
//
// A failed operation throws. `failure(error)` returns the WIT's `types.failure`. An
// instance runs one call at a time: create one for each unit of work.
//
// With wasi:http a call blocks its thread, since WASI 0.2 is synchronous. With `send`,
// an embedded world and a Node with JSPI (24 or newer), every call returns a promise.

import { transpile } from "./transpile.mjs";

const PACKAGE = "sophos:central";

/** Whether this Node has JSPI, so that calls can return promises. */
export const supportsJspi = typeof WebAssembly.Suspending === "function";

/**
 * Opens a session. Returns its interfaces by name, in camel case.
 *
 * @param file the component
 * @param obtain `(reason) => ({ grant, service })`
 * @param send `async ({ method, url, headers, body, timeoutMs }) => ({ status, headers, body })`
 *     for an embedded world. It throws a case of the WIT's `transport.transport-error`.
 */
export async function open(file, host) {
  const { instantiate, compile } = await transpile(file, { embedded: host.send !== undefined });
  return instantiate(compile, await hostImports(host));
}

/** Returns all imports of the component, by interface. It can access nothing else. */
export async function hostImports({ obtain, send }) {
  const credentials = { [`${PACKAGE}/credentials`]: { obtain } };
  if (send === undefined) return { ...credentials, ...(await wasi()) };
  const transport = {
    send,
    nowMs: () => process.hrtime.bigint() / 1_000_000n,
    wait: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
  };
  return { ...credentials, [`${PACKAGE}/transport`]: transport };
}

/** Returns the WASI imports: no file system and no environment. */
async function wasi() {
  const { clocks, http, io } = await import("@bytecodealliance/preview2-shim");
  return {
    "wasi:clocks/monotonic-clock": clocks.monotonicClock,
    "wasi:http/outgoing-handler": http.outgoingHandler,
    "wasi:http/types": http.types,
    "wasi:io/error": io.error,
    "wasi:io/poll": io.poll,
    "wasi:io/streams": io.streams,
  };
}

/** Returns the `types.failure` of an operation's error. Rethrows any other error. */
export function failure(error) {
  // jco wraps some payloads in an error and throws others directly.
  const details = error?.payload ?? error;
  if (details?.reason?.tag === undefined) throw error;
  return details;
}

/** Yields every item of a listing. `fetch` takes the cursor of a page. */
export async function* pages(fetch, items) {
  let after;
  do {
    const page = await fetch(after);
    yield* page[items];
    after = page.next;
  } while (after !== undefined);
}

/** Returns a `send` over Node's fetch, restricted to the hosts that `allowed(host)` accepts. */
export function fetchTransport(allowed = (host) => host.endsWith(".sophos.com")) {
  return async ({ method, url, headers, body, timeoutMs }) => {
    const { hostname } = new URL(url);
    if (!allowed(hostname)) throw { tag: "blocked", val: `the destination ${hostname} is not allowed` };
    try {
      const response = await fetch(url, {
        method,
        headers,
        body: body.length ? body : undefined,
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: response.status, headers: [...response.headers], body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      const code = error.cause?.code ?? error.name;
      if (error.name === "TimeoutError") throw { tag: "timed-out" };
      const nothingSent = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(code);
      throw { tag: nothingSent ? "unreachable" : "interrupted", val: String(code) };
    }
  };
}
