// The isolation webhook in a Node program: the component `webhook.wasm` of
// `sophos:central`, made JavaScript by jco, under a `wasi:http` server. It needs what
// `central.mjs` needs.
//
//     const webhook = await open("webhook.wasm", { obtain, secrets, ledger: folder("ledger"), policy });
//     serve(webhook, 8080, "127.0.0.1");
//     setInterval(() => webhook.decisions.followUp("due"), 60_000);
//
// The server is the shim's own, which reads requests in another thread and has the
// component handle one at a time. It does not tell the callers' addresses: put it behind
// a server that writes them into a header, and name that in the rules.
//
// One instance serves them all. One that has trapped is spoilt and ends the process: have
// it started again. All that lasts is in the ledger, so there may be any number of them.

import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { clocks, http, io, random } from "@bytecodealliance/preview2-shim";
import { HTTPServer } from "@bytecodealliance/preview2-shim/http";
import { transpile } from "./transpile.mjs";

const PACKAGE = "sophos:central";

/**
 * Opens the webhook: `decisions` and `incomingHandler`. What the host does for it may throw
 * a text, which goes to the audit log.
 *
 * @param obtain `(occasion) => ({ grant, service })`, as for a session
 * @param secrets `(name) => ({ current, previous })`, by the names that the policy has
 * @param ledger the ledger, such as `folder(…)`
 * @param policy `() => ({ text, webhookUrl, clientIpHeader })`
 * @param auditLog takes what is to be recorded of each request
 * @param outcomes takes each outcome; without it nobody listens
 * @param enqueue takes decisions for `decisions.process`; without it they are carried out at once
 */
export async function open(file, { obtain, secrets, ledger, policy, auditLog = () => {}, outcomes, enqueue }) {
  const { instantiate, compile } = await transpile(file, { embedded: false });
  return instantiate(compile, {
    ...qualifiedNames({
      credentials: { obtain },
      "webhook-secrets": { get: throwText(secrets) },
      "ledger-store": Object.fromEntries(Object.entries(ledger).map(([name, does]) => [name, throwText(does)])),
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

/** Serves a webhook, and returns the server. */
export function serve(webhook, port, host) {
  const server = new HTTPServer(webhook.incomingHandler);
  server.listen(port, host);
  return server;
}

/** A ledger in a folder, on any file system with hard links. */
export function folder(root) {
  const place = (path) => {
    // That it is below the root is not left to the component.
    if (path.split("/").some((part) => ["", ".", ".."].includes(part))) throw `${path} is no path of a ledger`;
    return join(root, path);
  };
  const unless = (code, otherwise, does) => {
    try {
      return does();
    } catch (error) {
      if (error.code !== code) throw error;
      return otherwise;
    }
  };
  return {
    create(path, body) {
      const to = place(path);
      fs.mkdirSync(dirname(to), { recursive: true });
      // A whole file is there at once, or not at all; and the first one stays.
      const made = fs.mkdtempSync(join(root, ".new-"));
      const file = join(made, "body");
      try {
        fs.writeFileSync(file, body, { flush: true });
        return unless("EEXIST", false, () => (fs.linkSync(file, to), true));
      } finally {
        fs.rmSync(made, { recursive: true });
      }
    },
    read: (path) => unless("ENOENT", undefined, () => fs.readFileSync(place(path))),
    delete: (path) => unless("ENOENT", undefined, () => fs.unlinkSync(place(path))),
    list: (path) =>
      unless("ENOENT", [], () => fs.readdirSync(place(path), { withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
  };
}

const qualifiedNames = (interfaces) =>
  Object.fromEntries(Object.entries(interfaces).map(([name, functions]) => [`${PACKAGE}/${name}`, functions]));

/** The function, whose failure the component is told. */
function throwText(does) {
  return (...given) => {
    try {
      return does(...given);
    } catch (error) {
      throw String(error?.message ?? error);
    }
  };
}
