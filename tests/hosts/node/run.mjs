// Carries out steps against a component, for the tests: JSON lines in, JSON lines out.
//
// A line with a `component` (a file) opens a session: `transport` (`wasi` or `host`), `service`,
// `grants` (one for each occasion), and `allow`, the hosts that may be reached. Its answer
// is what the component is offered. Every other line is a step, `{"call":
// "endpoints.search", "arguments": […]}`, in which `"$tenant"` stands for the last tenant
// that was seen. Its answer is `{"ok": …}` or `{"failure": …}`, in the names of the WIT, or
// `{"absent": …}` when the component has no such function.

import { createInterface } from "node:readline";
import { failure, fetchTransport, hostImports, open } from "./central.mjs";
import { toCamelCase, toWitJson } from "./wit-json.mjs";

let central;
let tenant;

for await (const line of createInterface({ input: process.stdin })) {
  const wanted = JSON.parse(line);
  console.log(JSON.stringify(await (wanted.component ? session(wanted) : step(wanted))));
}
process.exit();

async function session(plan) {
  const host = {
    obtain(occasion) {
      const grant = plan.grants[occasion];
      if (!grant) throw `the plan has no grant when one is ${occasion}`;
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

/** A step's argument as jco wants it: camel case, and no null. */
function argument(value) {
  if (value === "$tenant") return tenant;
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(argument);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [toCamelCase(name), argument(member)]));
}

/** A tenant is shown by its summary, and is the last one that was seen. */
function summary(value) {
  if (typeof value.summary !== "function") return value;
  tenant = value;
  return value.summary();
}
