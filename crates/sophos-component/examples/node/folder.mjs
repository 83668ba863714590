// A ledger in a folder, for the webhook.

import * as fs from "node:fs";
import { dirname, join } from "node:path";

/** Returns a `ledger-store` over a folder, on any file system with hard links. */
export function folder(root) {
  const resolve = (path) => {
    // The host itself confines paths to the folder.
    if (path.split("/").some((part) => ["", ".", ".."].includes(part))) throw `invalid ledger path "${path}"`;
    return join(root, path);
  };
  const onError = (code, fallback, operation) => {
    try {
      return operation();
    } catch (error) {
      if (error.code !== code) throw error;
      return fallback;
    }
  };
  return {
    create(path, body) {
      const target = resolve(path);
      fs.mkdirSync(dirname(target), { recursive: true });
      // A hard link is atomic: the file appears whole, and the first one wins.
      const draft = fs.mkdtempSync(join(root, ".new-"));
      const file = join(draft, "body");
      try {
        fs.writeFileSync(file, body, { flush: true });
        return onError("EEXIST", false, () => (fs.linkSync(file, target), true));
      } finally {
        fs.rmSync(draft, { recursive: true });
      }
    },
    read: (path) => onError("ENOENT", undefined, () => fs.readFileSync(resolve(path))),
    delete: (path) => onError("ENOENT", undefined, () => fs.unlinkSync(resolve(path))),
    list: (path) =>
      onError("ENOENT", [], () => fs.readdirSync(resolve(path), { withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
  };
}
