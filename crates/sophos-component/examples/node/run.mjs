// Runs the steps of a test against a component: JSON lines in, JSON lines out.
//
// A line with a `component` (a file) opens a session. It also has `transport` (`wasi` or
// `host`), `service`, `grants` (one for each request reason) and `allow`, the allowed
// hosts. The response lists the imports of the component. Every other line is a step,
// `{"call": "endpoints.search", "arguments": […]}`. In it `"$tenant"` is the last tenant
// of a response. The response is `{"ok": …}`, `{"failure": …}` with the names of the WIT,
// or `{"absent": …}` if the component lacks the function.

import { createInterface } from "node:readline";
import { failure, fetchTransport, hostImports, open } from "./central.mjs";
import { toCamelCase, toWitJson } from "./wit-json.mjs";

let central;
let tenant;

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(await (request.component ? session(request) : step(request))));
}
process.exit();

async function session(plan) {
  const host = {
    obtain(reason) {
      const grant = plan.grants[reason];
      if (!grant) throw `the plan has no grant when one is ${reason}`;
      return { grant: argument(grant), service: { tag: "other", val: plan.service } };
    },
    send: plan.transport === "wasi" ? undefined : fetchTransport((host) => plan.allow.includes(host)),
  };
  central = await open(plan.component, host);
  return { ok: Object.keys(await hostImports(host)) };
}

async function step({ call, arguments: given }) {
  const [of, name] = call.split(".").map(toCamelCase);
  const operation = central[of]?.[name];
  if (!operation) return { absent: call };
  try {
    return { ok: toWitJson(await operation(...given.map(argument)), summary) };
  } catch (error) {
    return { failure: toWitJson(failure(error)) };
  }
}

/** Converts a step's argument for jco: camel case, and undefined for null. */
function argument(value) {
  if (value === "$tenant") return tenant;
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(argument);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [toCamelCase(name), argument(member)]));
}

/** Replaces a tenant by its summary, and keeps it for later steps. */
function summary(value) {
  if (typeof value.summary !== "function") return value;
  tenant = value;
  return value.summary();
}
