// postgres.js: prepares everything, pipelines whatever it can, reserves connections, streams, cancels.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import {
    everyType, failing, fails, isAsleep, keyAndDistance, large, note, notice, play, search, searches, target,
    waitUntil, wholeRows, wrongVectors,
} from './dialogue.mjs';

const connect = (options = {}) => postgres({ ...target, max: 1, fetch_types: true, onnotice: () => 0, ...options });
const last = async (sql) => (await sql`SHOW veer.last`)[0];
const plain = (rows) => [...rows];
const nearest = async (sql, probe, limit = 5) => plain(await sql.unsafe(keyAndDistance, [probe, limit], { prepare: true }));

async function connections() {
    const sql = connect({ connection: { application_name: 'postgres.js client', search_path: 'pg_catalog' } });
    const rows = await sql`SELECT current_setting('application_name') AS a, current_setting('search_path') AS b`;
    note('connect', [plain(rows), sql.parameters.application_name, sql.parameters.server_version, sql.parameters.TimeZone]);
    await sql.end();
    for (const [step, options] of Object.entries({
        'wrong password': { password: 'correct house' }, 'no such database': { database: 'nowhere' } })) {
        const refused = connect(options);
        await fails(step, () => refused`SELECT 1`);
        await refused.end();
    }
}

async function values(sql) {
    const result = await sql.unsafe(everyType, [], { prepare: true });
    note('every type', [plain(result), result.columns.map((c) => [c.name, c.type]), result.command, result.count]);
    note('described', await (async () => {
        const { string, types, columns } = await sql`SELECT id, e FROM docs WHERE id = ${1}`.describe();
        return [string, types, columns.map((c) => c.name)];
    })());
    for (let number = 0; number < 8; number++) {
        note('parameters', plain(await sql`SELECT ${number}::int AS a, ${'ü'.repeat(number)} AS b, ${null}::text AS c,
            ${Buffer.from([0, 1])}::bytea AS d, ${[1, 2]}::int[] AS e, ${{ a: [1] }}::jsonb AS f, ${true}::bool AS g`));
    }
    note('raw', plain(await sql`SELECT 1::int, 'x' AS t`.raw()).map((row) => row.map((cell) => cell.toString())));
    note('values', plain(await sql`SELECT 1::int, 'x' AS t`.values()));
    const several = await sql`SELECT 1 AS a; SELECT 2 AS b UNION ALL SELECT 3`.simple();
    note('several statements', several.map((rows) => plain(rows)));
    const heard = [];
    const other = connect({ onnotice: (message) => heard.push([message.severity, message.message, message.detail]) });
    await other.unsafe(notice);
    note('notice', heard);
    await other.end();
}

async function searching(sql, probes) {
    const vectorOid = (await sql`SELECT 'vector'::regtype::oid::int AS oid`)[0].oid;
    for (const [expected, text] of Object.entries(searches)) {
        for (const probe of probes) {
            const literal = text.replaceAll('$1', `'${probe}'`).replace('$2', '5');
            const ways = {
                prepared: () => sql.unsafe(text, [probe, 5], { prepare: true }),
                'not prepared': () => sql.unsafe(text, [probe, 5]),
                cast: () => sql.unsafe(text.replaceAll('$1', '$1::vector'), [probe, 5], { prepare: true }),
                typed: () => sql.unsafe(text, [sql.typed(probe, vectorOid), 5], { prepare: true }),
                literal: () => sql.unsafe(literal),
                simple: () => sql.unsafe(literal).simple(),
            };
            for (const [way, ask] of Object.entries(ways)) {
                await search(`search, ${way}`, expected, async () => plain(await ask()), () => last(sql));
            }
            // A tagged template makes two parameters of the vector where it stands twice.
            const tagged = expected === 'local'
                ? () => sql`SELECT id, e <=> ${probe} AS d FROM docs ORDER BY e <=> ${probe} LIMIT ${5}`
                : () => sql`SELECT id, title, e <=> ${probe} AS d FROM docs ORDER BY d LIMIT ${5}`;
            await search('search, tagged', expected, async () => plain(await tagged()), () => last(sql));
        }
    }
}

async function transactions(sql, probe) {
    const count = async () => (await sql`SELECT count(*) FROM ledger`)[0].count;
    await sql.begin(async (tx) => {
        const ask = () => nearest(tx, probe);
        await search('search in a transaction', 'local', ask, () => last(tx));
        await tx`INSERT INTO ledger ${tx([{ id: 1, amount: 10 }, { id: 2, amount: 20 }])}`;
        await fails('error in a savepoint', () => tx.savepoint((inner) => inner`INSERT INTO ledger VALUES (1, 10)`));
        await search('search after a write', 'transaction_wrote', ask, () => last(tx));
    });
    note('committed', await count());
    await fails('rolled back', () => sql.begin(async (tx) => {
        await tx`DELETE FROM ledger`;
        throw new Error('the application\'s own error');
    }));
    note('after ROLLBACK', await count());
    await search('search after ROLLBACK', 'local', () => nearest(sql, probe), () => last(sql));
    await fails('error in a transaction', () => sql.begin(async (tx) => {
        await tx`SELECT 1/0`.catch((error) => note('caught', error.code));
        await fails('search in a failed transaction', () => nearest(tx, probe));
        await tx`SELECT 1`;
    }));
    await sql.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', (tx) =>
        search('search at REPEATABLE READ', 'isolation', () => nearest(tx, probe), () => last(tx)));
    note('pipelined transaction', (await sql.begin((tx) => [
        tx`INSERT INTO ledger VALUES (3, 30)`, nearest(tx, probe), tx`SELECT sum(amount) FROM ledger`])).map(plain));
    note('deleted', plain(await sql`DELETE FROM ledger RETURNING *`));
}

async function writes(sql, probe) {
    const ask = () => nearest(sql, probe, 3);
    await sql`INSERT INTO docs VALUES (90001, 'nearest', '2024-01-01', ${probe})`;
    await search('search for what was inserted', 'local', ask, () => last(sql));
    await sql`DELETE FROM docs WHERE id = ${90001}`;
    await search('search for what was deleted', 'local', ask, () => last(sql));
}

async function errors(sql, probe) {
    for (const text of failing) {
        await fails(`error ${text}`, () => sql.unsafe(text));
        await fails(`error ${text}, prepared`, () => sql.unsafe(text, [], { prepare: true }));
    }
    for (const wrong of wrongVectors) {
        await fails(`vector ${wrong}`, () => nearest(sql, wrong));
    }
    await search('search after errors', 'local', () => nearest(sql, probe), () => last(sql));
}

// Sent without waiting: postgres.js writes them one behind the other, each with its own Sync.
async function pipelined(sql, probes) {
    const sent = probes.flatMap((probe, number) => [
        nearest(sql, probe), sql`SELECT ${number}::int AS n`.then(plain),
        sql.unsafe(wholeRows, [probe, 3], { prepare: true }).then(plain),
        number % 3 === 0 ? sql`SELECT 1/0`.catch((error) => error.code) : nearest(sql, probe, 2)]);
    note('pipelined', await Promise.all(sent));
    const pool = connect({ max: 4 });
    note('pool', await Promise.all(Array.from({ length: 80 }, (_, n) => nearest(pool, probes[n % 8], 3))));
    const reserved = await pool.reserve();
    await search('search on a reserved connection', 'local', () => nearest(reserved, probes[0]), () => last(reserved));
    reserved.release();
    await pool.end();
}

async function cursors(sql, probe) {
    const batches = [];
    for await (const rows of sql.unsafe(keyAndDistance, [probe, 10], { prepare: true }).cursor(3)) {
        batches.push(plain(rows));
    }
    note('cursor', batches);
    const first = [];
    await sql.unsafe(wholeRows, [probe, 10], { prepare: true }).cursor(2, (rows) => {
        first.push(plain(rows));
        return sql.CLOSE;
    });
    note('cursor, closed early', first);
    const each = [];
    await sql.unsafe(keyAndDistance, [probe, 5], { prepare: true }).forEach((row) => each.push(row.id));
    note('forEach', each);
    await search('search after cursors', 'local', () => nearest(sql, probe), () => last(sql));
}

async function copies(sql) {
    const lines = Array.from({ length: 5000 }, (_, n) => `${n}\t${n}\tnote ${n}\n`);
    await pipeline(Readable.from(lines), await sql`COPY ledger FROM STDIN`.writable());
    note('COPY in', plain(await sql`SELECT count(*), sum(amount) FROM ledger`));
    const other = connect();  // postgres.js does not find back from this one, whoever is the server
    let text = '';
    for await (const chunk of await other`COPY (SELECT * FROM ledger ORDER BY id) TO STDOUT`.readable()) {
        text += chunk;
    }
    note('COPY out', [text.length, text === lines.join('')]);
    await other.end({ timeout: 0 });
    note('deleted', (await sql`DELETE FROM ledger`).count);
}

async function asynchronous(sql) {
    const heard = [];
    const listener = connect();
    await listener.listen('news', (payload) => heard.push(payload));
    for (const payload of ['ü 1', 'ü 2']) {
        await sql.notify('news', payload);
    }
    await waitUntil(() => new Promise((resolve) => setImmediate(() => resolve(heard.length === 2))), 'news');
    note('notified', heard);
    await listener.end();
}

// postgres.js opens the connection that carried a CancelRequest again for whatever waits, and cancels that instead: so
// this one is reserved, and nothing waits until the CancelRequest's connection has closed (its cancel() does not tell).
async function cancels(probe) {
    const pool = connect();
    const other = connect();
    const sql = await pool.reserve();
    for (let round = 0; round < 3; round++) {
        const sleeper = sql`SELECT pg_sleep(600)`;
        const failed = fails('cancelled', () => sleeper);
        await waitUntil(async () => (await other.unsafe(isAsleep))[0].n === 1, 'the sleeper');
        await sleeper.canceller(sleeper);
        await failed;
        await search('search after being cancelled', 'local', () => nearest(sql, probe), () => last(sql));
    }
    sql.release();
    await pool.end();
    await other.end();
}

await play(async () => {
    await connections();
    const sql = connect();
    const probes = (await sql`SELECT v FROM probes ORDER BY n`).map((row) => row.v);
    await values(sql);
    await searching(sql, probes);
    await transactions(sql, probes[0]);
    await writes(sql, probes[0]);
    await errors(sql, probes[0]);
    await pipelined(sql, probes);
    await cursors(sql, probes[0]);
    await copies(sql);
    await asynchronous(sql);
    await cancels(probes[0]);
    const rows = await sql.unsafe(large);
    note('large', [rows.length, rows.reduce((sum, row) => sum + row.t.length, 0), rows.at(-1)]);
    await sql.end();
});
