// Transpiles a component to JavaScript at run time. A program does this in its build:
//
//     npx @bytecodealliance/jco transpile reader.wasm --instantiation async --out-dir dist
//
// For the embedded worlds, add `--async-mode jspi`, `--async-imports` and
// `--async-exports` with the functions below.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transpileBytes } from "@bytecodealliance/jco-transpile";

const VERSION = "0.2.0";

const qualifiedNames = (functions) =>
  Object.entries(functions).flatMap(([of, names]) => names.map((name) => `sophos:central/${of}@${VERSION}#${name}`));

/** The imports that return promises. */
const IMPORTS = qualifiedNames({ credentials: ["obtain"], transport: ["send", "wait"] });

/** The exports that may send requests, and so return promises. */
const EXPORTS = qualifiedNames({
  session: ["whoami"],
  tenants: ["list", "open", "own"],
  endpoints: ["search", "get"],
  isolation: ["inspect"],
  "isolation-actions": ["isolate", "release"],
  alerts: ["search", "get"],
  "alert-actions": ["perform"],
  events: ["list"],
  "account-health": ["run-checks"],
});

const made = new Map();

/** Returns a component's `instantiate` and the compiler of its core modules. Cached. */
export function transpile(file, { embedded }) {
  if (!made.has(file)) made.set(file, make(file, embedded));
  return made.get(file);
}

async function make(file, embedded) {
  const options = { name: "central", instantiation: "async" };
  if (embedded) Object.assign(options, { asyncMode: "jspi", asyncImports: IMPORTS, asyncExports: EXPORTS });
  const { files } = await transpileBytes(await readFile(file), options);
  const folder = await mkdtemp(join(tmpdir(), "sophos-central-"));
  try {
    const script = join(folder, "central.mjs");
    await writeFile(script, files["central.js"]);
    const { instantiate } = await import(pathToFileURL(script));
    const modules = new Map();
    const compile = (path) => {
      if (!modules.has(path)) modules.set(path, WebAssembly.compile(files[path]));
      return modules.get(path);
    };
    return { instantiate, compile };
  } finally {
    await rm(folder, { recursive: true });
  }
}
