// The imports of `webhook.wasm` for `jco serve`. The working directory has `policy.toml`,
// `credential.json` ({"id": …, "secret": …}), the folder `secrets` with a file for each
// secret, and the folder `ledger`.

import { appendFileSync, readFileSync } from "node:fs";
import { folder } from "./folder.mjs";

export const credentials = {
  obtain() {
    const client = JSON.parse(readFileSync("credential.json", "utf8"));
    return { grant: { tag: "client", val: client }, service: { tag: "sophos" } };
  },
};

export const webhookSecrets = {
  get(name) {
    if (!/^[a-z0-9-]+$/.test(name)) throw `invalid secret name "${name}": expected a-z, 0-9 and -`;
    try {
      return { current: readFileSync(`secrets/${name}`, "utf8").trimEnd() };
    } catch {
      throw `unknown secret "${name}"`;
    }
  },
};

export const ledgerStore = folder("ledger");

export const policy = { current: () => ({ text: readFileSync("policy.toml", "utf8") }) };

export const queue = { enqueue: () => "inline" };

export const outcomes = { isEnabled: () => false, publish() {} };

export const auditLog = {
  append: (record) => appendFileSync("audit.jsonl", `${JSON.stringify(record)}\n`),
};
