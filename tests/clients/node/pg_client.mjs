// node-postgres, with pg-cursor and pg-query-stream.

import pg from 'pg';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import {
    everyType, failing, fails, isAsleep, keyAndDistance, large, note, notice, play, search, searches, target,
    waitUntil, wholeRows, wrongVectors,
} from './dialogue.mjs';

const withDb = async (work, options = {}) => {
    const db = new pg.Client({ ...target, ...options });
    await db.connect();
    try {
        return await work(db);
    } finally {
        await db.end();
    }
};
const rowsOf = async (db, ...query) => (await db.query(...query)).rows;
const last = async (db) => (await rowsOf(db, 'SHOW veer.last'))[0];
const nearest = (db, probe, limit = 5) => rowsOf(db, keyAndDistance, [probe, limit]);

async function connections() {
    await withDb(async (db) => {
        note('connect', [await rowsOf(db, 'SHOW application_name'), await rowsOf(db, 'SHOW statement_timeout')]);
    }, { application_name: 'node client', statement_timeout: 54321, options: '-c search_path=pg_catalog' });
    await fails('wrong password', () => withDb(() => 0, { password: 'correct house' }));
    await fails('no such database', () => withDb(() => 0, { database: 'nowhere' }));
}

async function values(db) {
    for (const binary of [false, true]) {
        const result = await db.query({ text: everyType, binary, values: binary ? [] : undefined });
        note(`every type, binary ${binary}`, [
            result.fields.map((f) => [f.name, f.dataTypeID, f.dataTypeSize, f.dataTypeModifier, f.format]),
            result.rows, result.command, result.rowCount]);
    }
    const text = 'SELECT $1::int, $2::text, $3::text, $4::bytea, $5::int[], $6::jsonb';
    for (let number = 0; number < 8; number++) {
        const given = [number, 'ü'.repeat(number), null, Buffer.from([0, 1]), [1, null], { a: [1] }];
        note('parameters', [
            await rowsOf(db, { text, values: given, rowMode: 'array' }),
            await rowsOf(db, { text, values: given, rowMode: 'array', name: 'parameters' })]);
    }
    const several = await db.query('SELECT 1 AS a; SELECT 2 AS b UNION ALL SELECT 3');
    note('several statements', several.map((result) => [result.command, result.rows]));
    note('empty', (await db.query('')).rows);
    const heard = [];
    db.on('notice', (message) => heard.push([message.severity, message.message, message.detail]));
    await db.query(notice);
    note('notice', heard);
}

async function searching(db, probes) {
    for (const [expected, text] of Object.entries(searches)) {
        for (const probe of probes) {
            const values = [probe, 5];
            const vector = JSON.parse(probe);
            const literal = text.replaceAll('$1', `'${probe}'`).replace('$2', '5');
            const ways = {
                parameters: () => rowsOf(db, text, values),
                named: () => rowsOf(db, { name: `near ${expected}`, text, values }),
                'as JSON': () => rowsOf(db, text, [JSON.stringify(vector), 5]),
                'float8[]': () => rowsOf(db, text.replaceAll('$1', '$1::float8[]::vector'), [vector, 5]),
                binary: () => rowsOf(db, { text, values, binary: true }),
                arrays: () => rowsOf(db, { text, values, rowMode: 'array' }),
                literal: () => rowsOf(db, literal),
            };
            for (const [way, ask] of Object.entries(ways)) {
                await search(`search, ${way}`, expected, ask, () => last(db));
            }
        }
    }
}

async function transactions(db, probe) {
    const count = async () => (await rowsOf(db, 'SELECT count(*) FROM ledger'))[0].count;
    const ask = () => nearest(db, probe);
    await db.query('BEGIN');
    await db.query('INSERT INTO ledger VALUES ($1, $2)', [1, 10]);
    await db.query('SAVEPOINT s');
    await fails('error in a savepoint', () => db.query('INSERT INTO ledger VALUES ($1, $2)', [1, 10]));
    await fails('statement in a failed transaction', () => db.query('SELECT 1'));
    await fails('search in a failed transaction', ask);
    await db.query('ROLLBACK TO s');
    await search('search after ROLLBACK TO', 'transaction_wrote', ask, () => last(db));
    await db.query('COMMIT');
    note('committed', await count());
    await db.query('BEGIN');
    await search('search in a transaction', 'local', ask, () => last(db));
    await db.query("INSERT INTO docs VALUES (0, 'nearest', now(), $1)", [probe]);
    await search('search after a write', 'transaction_wrote', ask, () => last(db));
    await db.query('ROLLBACK');
    await search('search after ROLLBACK', 'local', ask, () => last(db));
    await db.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
    await search('search at SERIALIZABLE', 'isolation', ask, () => last(db));
    await db.query('COMMIT');
    note('deleted', (await db.query('DELETE FROM ledger RETURNING *')).rows);
}

async function writes(db, probe) {
    const ask = () => nearest(db, probe, 3);
    await db.query("INSERT INTO docs VALUES (90001, 'nearest', '2024-01-01', $1)", [probe]);
    await search('search for what was inserted', 'local', ask, () => last(db));
    await db.query('DELETE FROM docs WHERE id = $1', [90001]);
    await search('search for what was deleted', 'local', ask, () => last(db));
}

async function errors(db, probe) {
    for (const sql of failing) {
        await fails(`error ${sql}`, () => db.query(sql));
        await fails(`error ${sql}, extended`, () => db.query({ text: sql, queryMode: 'extended' }));
    }
    for (const wrong of wrongVectors) {
        await fails(`vector ${wrong}`, () => nearest(db, wrong));
        await fails(`vector ${wrong}, named`, () => db.query({ name: 'near local', text: keyAndDistance, values: [wrong, 5] }));
    }
    await fails('several statements, one fails', () => db.query('SELECT 1; SELECT 1/0; SELECT 2'));
    await search('search after errors', 'local', () => nearest(db, probe), () => last(db));
}

// Sent without waiting: node-postgres queues them itself.
async function queued(db, probes) {
    const sent = probes.flatMap((probe, number) => [
        nearest(db, probe), rowsOf(db, 'SELECT $1::int AS n', [number]),
        rowsOf(db, { name: 'near rewrite', text: wholeRows, values: [probe, 3] }),
        number % 3 === 0 ? db.query('SELECT 1/0').catch((error) => error.code) : nearest(db, probe, 2)]);
    note('queued', await Promise.all(sent));
}

async function cursors(db, probe) {
    const cursor = db.query(new Cursor(keyAndDistance, [probe, 10]));
    note('cursor', [await cursor.read(3), await cursor.read(4), await cursor.read(100), await cursor.read(1)]);
    await cursor.close();
    const abandoned = db.query(new Cursor(wholeRows, [probe, 10]));
    note('cursor, abandoned', await abandoned.read(2));
    await abandoned.close();
    const whole = db.query(new Cursor(wholeRows, [probe, 5]));
    note('cursor, all at once', await whole.read(100));
    await whole.close();
    await fails('cursor that fails', async () => {
        const failing = db.query(new Cursor(keyAndDistance, ['[1,2,3]', 5]));
        await failing.read(1);
    });
    await search('search after cursors', 'local', () => nearest(db, probe), () => last(db));
}

async function streams(db, probe) {
    for (const options of [{ batchSize: 2 }, { batchSize: 100, highWaterMark: 10 }]) {
        const rows = [];
        for await (const row of db.query(new QueryStream(keyAndDistance, [probe, 9], options))) {
            rows.push(row);
        }
        note('stream', rows);
    }
    let length = 0;
    for await (const row of db.query(new QueryStream(large, [], { batchSize: 500 }))) {
        length += row.t.length;
    }
    note('stream, large', length);
    for await (const row of db.query(new QueryStream(large, [], { batchSize: 500 }))) {
        note('stream, destroyed early', row.i);
        break;
    }
    await search('search after streams', 'local', () => nearest(db, probe), () => last(db));
}

async function asynchronous(db) {
    const heard = [];
    db.on('notification', (message) => heard.push([message.channel, message.payload]));
    await db.query('LISTEN news');
    await withDb((other) => other.query("SELECT pg_notify('news', 'ü ' || n) FROM generate_series(1, 3) n"));
    await waitUntil(() => new Promise((resolve) => setImmediate(() => resolve(heard.length === 3))), 'news');
    note('notified', heard);
    await db.query('UNLISTEN *');
}

async function cancels(db, probe) {
    await withDb(async (other) => {
        for (let round = 0; round < 3; round++) {
            const sleeper = fails('cancelled', () => db.query('SELECT pg_sleep(600)'));
            await waitUntil(async () => (await rowsOf(other, isAsleep))[0].n === 1, 'the sleeper');
            await withCancel(db);
            await sleeper;
            await search('search after being cancelled', 'local', () => nearest(db, probe), () => last(db));
        }
    });
}

// A client that is not connected sends a CancelRequest for the one given, if that is busy with the query given.
function withCancel(db) {
    const canceller = new pg.Client(target);
    const query = db._getActiveQuery();
    return new Promise((resolve) => {
        canceller.connection.once('end', resolve);
        canceller.cancel(db, query);
    });
}

async function pooled(probes) {
    const pool = new pg.Pool({ ...target, max: 4 });
    const found = await Promise.all(Array.from({ length: 80 }, (_, n) => pool.query(keyAndDistance, [probes[n % 8], 3])));
    note('pool', found.map((result) => result.rows));
    await pool.end();
}

await play(async () => {
    await connections();
    await withDb(async (db) => {
        const probes = (await rowsOf(db, 'SELECT v FROM probes ORDER BY n')).map((row) => row.v);
        await values(db);
        await searching(db, probes);
        await transactions(db, probes[0]);
        await writes(db, probes[0]);
        await errors(db, probes[0]);
        await queued(db, probes);
        await cursors(db, probes[0]);
        await streams(db, probes[0]);
        await asynchronous(db);
        await cancels(db, probes[0]);
        await pooled(probes);
        const rows = await rowsOf(db, large);
        note('large', [rows.length, rows.reduce((sum, row) => sum + row.t.length, 0), rows.at(-1)]);
    });
});
