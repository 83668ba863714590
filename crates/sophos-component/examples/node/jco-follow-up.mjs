// Follows up on due decisions, beside `jco serve --jco-dir out`. Run it every minute in the
// same working directory: node jco-follow-up.mjs

import { decisions } from "./out/webhook.js";

const { due, overdue, failures } = decisions.followUp("due");
console.log(`due: ${due}, overdue: ${overdue}`);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length ? 1 : 0;
