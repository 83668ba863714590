// The webhook for the tests. The first line of standard input has the settings, the
// others have commands. The format is that of `run_webhook.py`.

import { appendFileSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { toCamelCase, toWitJson } from "./wit-json.mjs";
import { folder } from "./folder.mjs";
import { open, serve } from "./webhook.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const settings = JSON.parse((await lines.next()).value);
const client = { id: process.env.SOPHOS_CLIENT_ID, secret: process.env.SOPHOS_CLIENT_SECRET };
const write = (value) => console.log(JSON.stringify(value));
const appendTo = (file) => (file === null ? undefined : (value) => appendFileSync(file, `${JSON.stringify(toWitJson(value))}\n`));
let address;

const webhook = await open(settings.component, {
  obtain: () => ({ grant: { tag: "client", val: client }, service: { tag: "other", val: settings.service } }),
  secrets(name) {
    const found = toml(readFileSync(settings.secrets, "utf8"))[name];
    if (found === undefined) throw `unknown secret "${name}"`;
    return found;
  },
  ledger: folder(settings.ledger),
  policy: () => ({ text: readFileSync(settings.policy, "utf8"), webhookUrl: address }),
  auditLog: (record) => write({ audit_record: toWitJson(record) }),
  outcomes: appendTo(settings.outcomes),
  enqueue: appendTo(settings.queue),
});
const { port } = serve(webhook, 0, "127.0.0.1").address();
address = `http://127.0.0.1:${port}`;
write({ listening: address });

for await (const line of lines) {
  const { call, arguments: given } = JSON.parse(line);
  try {
    write({ ok: toWitJson(webhook.decisions[toCamelCase(call)](...given)) });
  } catch (error) {
    write({ failure: String(error?.payload ?? error) });
  }
}
process.exit();

/** Parses the TOML that the tests write: `[secrets."name"]` with string members. */
function toml(text) {
  const tables = {};
  let table;
  for (const line of text.split("\n")) {
    const head = /^\[secrets\."(.+)"\]$/.exec(line);
    const member = /^(\w+) = "(.*)"$/.exec(line);
    if (head) table = tables[head[1]] = {};
    if (member) table[member[1]] = member[2];
  }
  return tables;
}
