// Lists the unhealthy endpoints of every tenant.
//
//     node list-endpoints.mjs reader.wasm
//     node list-endpoints.mjs embedded-reader.wasm fetch    # with JSPI: Node 24 or newer

import { failure, fetchTransport, open, pages } from "./central.mjs";

const [, , file, transport] = process.argv;
const client = { id: process.env.SOPHOS_CLIENT_ID, secret: process.env.SOPHOS_CLIENT_SECRET };

function obtain(reason) {
  if (reason === "rejected") throw "replace the credential in SOPHOS_CLIENT_ID and SOPHOS_CLIENT_SECRET";
  return { grant: { tag: "client", val: client }, service: { tag: "sophos" } };
}

const send = transport === "fetch" ? fetchTransport() : undefined;
const { tenants, endpoints } = await open(file, { obtain, send });
const unhealthy = [{ tag: "health", val: ["bad", "suspicious"] }];
try {
  for await (const tenant of pages((after) => tenants.list(after), "tenants")) {
    const search = (after) => endpoints.search(tenant, unhealthy, { after, size: 500 });
    for await (const endpoint of pages(search, "endpoints")) {
      console.log(tenant.id(), endpoint.hostname, endpoint.health);
    }
  }
} catch (error) {
  const { reason, message } = failure(error);
  console.error(`${reason.tag}: ${message}`);
  process.exitCode = 1;
}
