// What node-postgres makes of veer's console: prints one line of JSON.
//
//     node console_client.mjs PORT DIRECTORY-OF-THE-SOCKET
import pg from "pg";

const client = new pg.Client({ host: "127.0.0.1", port: Number(process.argv[2]), user: "node", database: "veer" });
await client.connect();
const simple = await client.query("SHOW ROUTES");
const bound = await client.query("SELECT relation, veer, desired_pct FROM veer.routes WHERE relation LIKE $1 LIMIT $2", [
  "public.%",
  1,
]);
const named = await client.query({ name: "clients", text: "SELECT \"user\" FROM veer.clients WHERE \"user\" = $1", values: ["node"] });
let refused = "";
try {
  await client.query("PANIC");
} catch (error) {
  refused = error.code;
}
await client.query("BEGIN");
const tables = await client.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'veer'");
await client.query("COMMIT");
const ordered = await client.query("SELECT key FROM veer.config WHERE key LIKE $1 ORDER BY key DESC LIMIT $2", ["limits.%", 2]);
const operator = new pg.Client({ host: process.argv[3], port: Number(process.argv[2]), user: "node", database: "veer" });
await operator.connect();
const panic = [];
for (const text of ["PANIC", "RESUME", { name: "a", text: "PANIC" }, { name: "b", text: "RESUME" }]) {
  await operator.query(text);
  panic.push((await client.query("SELECT panic FROM veer.version")).rows[0].panic);
}
await operator.end();
console.log(
  JSON.stringify({
    fields: simple.fields.map((field) => field.name).slice(0, 3),
    bound: bound.rows,
    named: named.rows,
    refused,
    tables: tables.rows.length,
    ordered: ordered.rows.map((row) => row.key),
    panic,
  }),
);
await client.end();
