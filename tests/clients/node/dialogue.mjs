// A Node client's half of the matrix: says what it saw, one line of JSON a step (see ../README.md).

export const port = Number(process.argv[2]);
export const throughVeer = process.argv[3] === 'veer';
export const target = { host: '127.0.0.1', port, user: 'app', password: 'correct horse', database: 'postgres' };

// Key and distance: veer alone. Other columns: the keys from veer, the rows from PostgreSQL.
export const keyAndDistance = 'SELECT id, e <=> $1 AS d FROM docs ORDER BY e <=> $1 LIMIT $2';
export const wholeRows = 'SELECT id, title, made, e <=> $1 AS d FROM docs ORDER BY d LIMIT $2';
export const searches = { local: keyAndDistance, rewrite: wholeRows };

export const everyType = `SELECT 1::int2 AS a, 2::int4 AS b, 3::int8 AS c, 1.5::float4 AS d, 0.1::float8 AS e,
    12.3400::numeric AS f, 'text' AS g, 'c'::char(3) AS h, true AS i, '\\x00ff'::bytea AS j,
    '2024-02-29'::date AS k, '2024-02-29 12:00:00.123456+02'::timestamptz AS l,
    '1 day 02:03:04'::interval AS m, '{1,NULL,3}'::int[] AS n, '{"a": [1, null]}'::jsonb AS o,
    '00000000-0000-0000-0000-000000000001'::uuid AS p, NULL::text AS q, 'ü' AS r`;
export const large = 'SELECT i, repeat(md5(i::text), 20) AS t FROM generate_series(1, 20000) i';
export const failing = [
    'SELEC 1', 'SELECT * FROM nowhere', 'SELECT 1/0', 'INSERT INTO ledger VALUES (1, -1)',
    'INSERT INTO ledger VALUES (1, NULL)', 'SELECT nothing FROM docs',
    "SELECT id FROM docs ORDER BY e <=> '[1,2,3]' LIMIT 5", "SELECT 'x'::int"];
export const wrongVectors = ['[1,2,3]', '[1,2,', '', '[1,2,3,4,5,6,7,NaN]'];
export const isAsleep = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE query LIKE '%pg_sleep(600)%' AND wait_event = 'PgSleep'`;
export const notice = "DO $$ BEGIN RAISE NOTICE 'heard %', 1 USING DETAIL = 'a detail'; END $$";

const millisecondsMax = 180_000;

export async function waitUntil(holds, what) {
    const deadline = Date.now() + millisecondsMax;
    for (;;) {
        const found = await holds();
        if (found) {
            return found;
        }
        if (Date.now() > deadline) {
            throw new Error(`waited in vain for ${what}`);
        }
    }
}

const asJson = (_, value) => {
    if (value?.type === 'Buffer') {
        return Buffer.from(value.data).toString('hex');
    }
    return typeof value === 'bigint' ? `bigint ${value}` : value;
};

export function note(step, result, more = {}) {
    process.stdout.write(JSON.stringify({ step, result: result ?? null, ...more }, asJson) + '\n');
}

/// ask() returns rows, last() the row of SHOW veer.last in the same session. Asked again while the index is
/// behind, as it may be after what might have been a write.
export async function search(step, expected, ask, last) {
    const [rows, answer] = await waitUntil(async () => {
        const rows = await ask();
        const row = throughVeer ? await last() : null;
        return row?.reason === 'behind' ? null : [rows, row && [row.engine, row.reason]];
    }, `the index to catch up (${step})`);
    if (rows.length === 0) {
        throw new Error(`${step}: no rows`);
    }
    note(step, rows, { expected, answer });
}

const told = ['severity', 'severity_local', 'code', 'message', 'detail', 'hint', 'position', 'where', 'table',
    'table_name', 'constraint', 'constraint_name', 'routine'];

export const describe = (error) => Object.fromEntries(told.map((name) => [name, error[name] ?? null]));

/// Whatever call() returns must fail.
export async function fails(step, call) {
    try {
        await call();
    } catch (error) {
        note(step, [error.constructor.name, describe(error)]);
        return;
    }
    throw new Error(`${step}: no error`);
}

/// Runs the program; a failure ends it at once, open connections or not.
export async function play(program) {
    try {
        await program();
    } catch (error) {
        process.stderr.write(`${error.stack}\n`, () => process.exit(1));
    }
}
