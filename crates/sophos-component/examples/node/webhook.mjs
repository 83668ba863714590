// The isolation webhook in a Node program: the component `webhook.wasm` of
// `sophos:central`, transpiled by jco, behind a `wasi:http` server. It needs the packages
// of `central.mjs`.
//
//     const webhook = await open("webhook.wasm", { obtain, secrets, ledger: folder("ledger"), policy });
//     serve(webhook, 8080, "127.0.0.1");
//     setInterval(() => webhook.decisions.followUp("due"), 60_000);
//
// The server is the shim's. It reads requests in another thread, and the component handles
// one at a time. It does not pass on the callers' addresses: put it behind a proxy that
// writes them into a header, and return that header's name as `clientIpHeader`.
//
// One instance serves all requests. A trap ends the process: restart it. The ledger holds
// all state, so any number of processes may share it.

import { clocks, http, io, random } from "@bytecodealliance/preview2-shim";
import { HTTPServer } from "@bytecodealliance/preview2-shim/http";
import { transpile } from "./transpile.mjs";

const PACKAGE = "sophos:central";

/**
 * Opens the webhook: `decisions` and `incomingHandler`. The functions of the host may throw
 * a message, which goes to the audit log.
 *
 * @param obtain `(reason) => ({ grant, service })`, as for a session
 * @param secrets `(name) => ({ current, previous })`, by the names in the policy
 * @param ledger the ledger, such as `folder(…)`
 * @param policy `() => ({ text, webhookUrl, clientIpHeader })`
 * @param auditLog receives the record of each request
 * @param outcomes receives each outcome; optional
 * @param enqueue queues decisions for `decisions.process`; without it they are processed inline
 */
export async function open(file, { obtain, secrets, ledger, policy, auditLog = () => {}, outcomes, enqueue }) {
  const { instantiate, compile } = await transpile(file, { embedded: false });
  return instantiate(compile, {
    ...qualifiedNames({
      credentials: { obtain },
      "webhook-secrets": { get: throwText(secrets) },
      "ledger-store": Object.fromEntries(Object.entries(ledger).map(([name, operation]) => [name, throwText(operation)])),
      queue: { enqueue: throwText((decisions) => (enqueue ? (enqueue(decisions), "queued") : "inline")) },
      policy: { current: throwText(policy) },
      outcomes: { isEnabled: () => outcomes !== undefined, publish: throwText((outcome) => void outcomes(outcome)) },
      "audit-log": { append: (record) => void auditLog(record) },
    }),
    "wasi:clocks/monotonic-clock": clocks.monotonicClock,
    "wasi:clocks/wall-clock": clocks.wallClock,
    "wasi:http/outgoing-handler": http.outgoingHandler,
    "wasi:http/types": http.types,
    "wasi:io/error": io.error,
    "wasi:io/poll": io.poll,
    "wasi:io/streams": io.streams,
    "wasi:random/random": random.random,
  });
}

/** Serves a webhook. Returns the server. */
export function serve(webhook, port, host) {
  const server = new HTTPServer(webhook.incomingHandler);
  server.listen(port, host);
  return server;
}

const qualifiedNames = (interfaces) =>
  Object.fromEntries(Object.entries(interfaces).map(([name, functions]) => [`${PACKAGE}/${name}`, functions]));

/** Wraps a function so that the component receives its error as text. */
function throwText(operation) {
  return (...given) => {
    try {
      return operation(...given);
    } catch (error) {
      throw String(error?.message ?? error);
    }
  };
}
