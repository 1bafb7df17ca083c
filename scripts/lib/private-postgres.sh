# shellcheck shell=bash disable=SC2154
# A PostgreSQL of our own in a temporary directory, which leaves the machine's clusters alone; and veer and
# PgBouncer in front of it. Needs: root, terminal.sh; veer_binary where it is not the release's. Sets: home,
# postgres_port, veer_port, veer_pid, pgbouncer_port.
#
# The servers believe everyone who connects, listen on the loopback only, and lose their data at the end: so no
# fsync either. PostgreSQL and PgBouncer refuse to run as root and run as postgres then.

home=
as_postgres=()
postgres_bin=
postgres_port=
veer_port=
veer_pid=
postgres_connections=100
pgbouncer_port=
pgbouncer_pid=

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

dsn() { printf 'postgresql://postgres@127.0.0.1:%s/demo' "$1"; }

make_home() {
    home=$(mktemp -d "${TMPDIR:-/tmp}/veer-$1.XXXXXX")
    chmod 755 "$home"
    as_postgres=(env -C "$home")
    if [[ $EUID -eq 0 ]]; then
        as_postgres+=(setpriv --reuid=postgres --regid=postgres --init-groups)
    fi
}

# The newest server that has pgvector.
find_postgres() {
    local config
    for config in $(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -rV); do
        if [[ -f $("$config" --sharedir)/extension/vector.control ]]; then
            postgres_bin=${config%/pg_config}
            return
        fi
    done
    die 'no PostgreSQL with pgvector here; scripts/install (as root) installs it'
}

# A parallel index build needs shared memory of maintenance_work_mem's size; containers often have 64 MB.
shared_memory_type() {
    local free_kb
    free_kb=$(df --output=avail /dev/shm 2>/dev/null | tail -n 1) || :
    if [[ ${free_kb:-0} -gt 1000000 ]]; then echo posix; else echo mmap; fi
}

write_postgres_conf() {
    cat >>"$home/postgres/postgresql.conf" <<-END
		listen_addresses = '127.0.0.1'
		port = $postgres_port
		unix_socket_directories = ''
		wal_level = logical
		max_wal_size = 4GB
		shared_buffers = 512MB
		dynamic_shared_memory_type = $(shared_memory_type)
		max_connections = $postgres_connections
		fsync = off
		jit = off
	END
}

launch_postgres() {
    "${as_postgres[@]}" "$postgres_bin/pg_ctl" start --wait --silent --pgdata="$home/postgres" \
        --log="$home/postgres/server.log" >/dev/null || die 'PostgreSQL did not start'
}

# stop_postgres MODE: nothing when it does not run.
stop_postgres() {
    if [[ -f $home/postgres/postmaster.pid ]]; then
        "${as_postgres[@]}" "$postgres_bin/pg_ctl" stop --silent --mode="$1" --pgdata="$home/postgres"
    fi
}

start_postgres() {
    find_postgres
    postgres_port=$(free_port)
    mkdir "$home/postgres"
    if [[ $EUID -eq 0 ]]; then
        chown postgres: "$home/postgres"
    fi
    "${as_postgres[@]}" "$postgres_bin/initdb" --pgdata="$home/postgres" --username=postgres --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$home/initdb.log" 2>&1 || die "initdb: see $home/initdb.log"
    write_postgres_conf
    launch_postgres
    "$postgres_bin/createdb" --host=127.0.0.1 --port="$postgres_port" --username=postgres demo
}

sql() { "$postgres_bin/psql" --no-psqlrc --quiet --tuples-only --no-align "$(dsn "$postgres_port")" -c "$1"; }

postgres_version() { sql "SELECT split_part(version(), ' ', 2)"; }

await_server() {
    local name=$1 port=$2 pid=$3
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || return 1
        if "$postgres_bin/pg_isready" --quiet --host=127.0.0.1 --port="$port" --dbname=demo --username=postgres
        then
            return 0
        fi
        sleep 0.1
    done
    printf '%s does not answer on port %s\n' "$name" "$port" >&2
    return 1
}

# Its working directory is the home, because that is where it looks for veer.toml.
start_veer() {
    veer_port=$(free_port)
    setsid env -C "$home" "${veer_binary:-$root/build/release/veer}" run --upstream "$(dsn "$postgres_port")" \
        --listen "127.0.0.1:$veer_port" --data-dir "$home/veer-data" >"$home/veer.log" 2>&1 </dev/null &
    veer_pid=$!
    if ! await_server veer "$veer_port" "$veer_pid"; then
        tail -n 20 "$home/veer.log" >&2
        die 'veer did not start'
    fi
}

# One server process per client, as a session needs it; the pass-through yardstick.
start_pgbouncer() {
    pgbouncer_port=$(free_port)
    cat >"$home/pgbouncer.ini" <<-END
		[databases]
		demo = host=127.0.0.1 port=$postgres_port dbname=demo user=postgres
		[pgbouncer]
		listen_addr = 127.0.0.1
		listen_port = $pgbouncer_port
		unix_socket_dir =
		auth_type = any
		pool_mode = session
		max_client_conn = 100
		default_pool_size = 50
		log_connections = 0
		log_disconnections = 0
	END
    "${as_postgres[@]}" setsid pgbouncer "$home/pgbouncer.ini" >"$home/pgbouncer.log" 2>&1 </dev/null &
    pgbouncer_pid=$!
    await_server PgBouncer "$pgbouncer_port" "$pgbouncer_pid" || die "PgBouncer: see $home/pgbouncer.log"
}

stop_process() {
    if [[ -n $1 ]]; then
        kill -TERM "$1" 2>/dev/null || :
        wait "$1" 2>/dev/null || :
    fi
}

stop_veer() {
    stop_process "$veer_pid"
    veer_pid=
}

# Stops what was started, in the order in which it depends on each other, and removes every trace.
stop_servers() {
    stop_veer
    stop_process "$pgbouncer_pid"
    stop_postgres immediate || :
    if [[ -n $home ]]; then
        rm -rf "$home"
    fi
}
