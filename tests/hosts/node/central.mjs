// Sophos Central in a Node program: a component of `sophos:central`, made JavaScript
// by jco.
//
//     npm install @bytecodealliance/jco-transpile@0.15.0 @bytecodealliance/preview2-shim@0.26.1
//
//     const { tenants, endpoints } = await open("operator.wasm", { obtain });
//     const { tenants: [tenant] } = tenants.list();
//     const page = endpoints.search(tenant, [{ tag: "health", val: ["bad"] }], { size: 500 });
//
// `obtain` is the only way in: a function that is asked for a grant and returns one,
// as the WIT's `credentials.obtain` says, or throws a text for people. The component has
// no file, no variable of the environment, and no socket but the requests it asks the
// host for.
//
// An operation that fails throws; `failure(error)` is the WIT's `types.failure`. An
// instance does one thing at a time: make one for each unit of work.
//
// With wasi:http a call blocks its thread, since WASI 0.2 is synchronous. With `send`
// and a Node that has JSPI (24 and newer) every call is a promise instead, and nothing
// blocks: then the file is one of the embedded worlds.

import { transpile } from "./transpile.mjs";

const PACKAGE = "sophos:central";

/** Whether this Node can suspend WebAssembly, so that calls may be promises. */
export const supportsJspi = typeof WebAssembly.Suspending === "function";

/**
 * Opens a session: its interfaces by name, in camel case.
 *
 * @param file the component
 * @param obtain `(occasion) => ({ grant, service })`
 * @param send `async ({ method, url, headers, body, timeoutMs }) => ({ status, headers, body })`
 *     for an embedded world, or it throws a case of the WIT's `transport.transport-error`
 */
export async function open(file, host) {
  const { instantiate, compile } = await transpile(file, { embedded: host.send !== undefined });
  return instantiate(compile, await hostImports(host));
}

/** All that the component is offered, by interface. What is not here it cannot reach. */
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

/** What the component takes of WASI, and nothing more: no file system, no environment. */
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

/** The `types.failure` of an error that an operation threw; other errors are thrown on. */
export function failure(error) {
  // jco wraps some payloads and throws others as they are.
  const details = error?.payload ?? error;
  if (details?.reason?.tag === undefined) throw error;
  return details;
}

/** Every item of a listing, page by page: `fetch` is given where to go on. */
export async function* pages(fetch, items) {
  let after;
  do {
    const page = await fetch(after);
    yield* page[items];
    after = page.next;
  } while (after !== undefined);
}

/** `send` over Node's own fetch, to the hosts that `allowed(host)` lets through. */
export function fetchTransport(allowed = (host) => host.endsWith(".sophos.com")) {
  return async ({ method, url, headers, body, timeoutMs }) => {
    const { hostname } = new URL(url);
    if (!allowed(hostname)) throw { tag: "blocked", val: `${hostname} is not one of the hosts that this program may reach` };
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
      const why = error.cause?.code ?? error.name;
      if (error.name === "TimeoutError") throw { tag: "timed-out" };
      const nothingSent = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(why);
      throw { tag: nothingSent ? "unreachable" : "interrupted", val: String(why) };
    }
  };
}
