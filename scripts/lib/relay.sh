# shellcheck shell=bash disable=SC2154
# What relaying costs, beside PgBouncer: processor time, bulk data, memory of sessions that wait.
# Needs: root, terminal.sh, private-postgres.sh, and rounds and seconds of scripts/bench.

pid_of() {
    case $1 in
        PgBouncer) echo "$pgbouncer_pid" ;;
        veer) echo "$veer_pid" ;;
    esac
}

# cpu_ticks CANDIDATE: user and system time of its process; 0 where there is none.
cpu_ticks() {
    local pid
    pid=$(pid_of "$1")
    if [[ -n $pid ]]; then awk '{ print $14 + $15 }' "/proc/$pid/stat"; else echo 0; fi
}

# microseconds TICKS TRANSACTIONS
microseconds() {
    awk -v ticks="$1" -v per_second="$(getconf CLK_TCK)" -v count="$2" \
        'BEGIN { printf "%.2f", ticks / per_second * 1000000 / count }'
}

# paired FILE KEY A B FIELD: the median of A's figure by B's, each of the same round.
paired() {
    awk -v key="$2" -v a="$3" -v b="$4" -v field="$5" '
        $1 == key && $2 == a { first[++n] = $field }
        $1 == key && $2 == b { second[++m] = $field }
        END { for (i = 1; i <= n; i++) if (second[i] > 0) print first[i] / second[i] }' "$1" | sort -n |
        awk '{ value[NR] = $1 } END { printf "%.2f", value[int((NR + 1) / 2)] }'
}

# copy_once CANDIDATE: 500 MB out of the server, seconds.
copy_once() {
    local began=$EPOCHREALTIME
    "$postgres_bin/psql" --no-psqlrc --quiet "$(dsn "$(port_of "$1")")" \
        -c "COPY (SELECT repeat('x', 999) FROM generate_series(1, 500000)) TO STDOUT" >/dev/null
    awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f", to - from }'
}

bench_copy() {
    local candidate round
    heading "copy: 500 MB by COPY ... TO STDOUT, seconds"
    for ((round = 0; round < rounds; round++)); do
        for candidate in direct PgBouncer veer; do
            printf 'copy %s %s\n' "$candidate" "$(copy_once "$candidate")" >>"$home/copy"
        done
    done
    awk '{ print "  " $2, $3 }' "$home/copy" | sort | column -t
    printf '%-42sveer/direct %s   veer/PgBouncer %s\n' '500 MB COPY TO STDOUT, speed' \
        "$(paired "$home/copy" copy direct veer 3)" "$(paired "$home/copy" copy PgBouncer veer 3)" >>"$home/ratios"
}

resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$veer_pid/status"; }

bench_idle() {
    local before after sessions=2000
    heading "idle: memory of $sessions sessions that wait"
    before=$(resident_kib)
    after=$(/usr/bin/python3 -B "$root/tests/bench/idle_sessions.py" "$veer_port" "$sessions" "$veer_pid")
    printf '  %s KiB before, %s KiB with them\n' "$before" "$after"
    printf '%-42s%s KiB for each\n' "$sessions idle sessions" \
        "$(awk -v a="$before" -v b="$after" -v n="$sessions" 'BEGIN { printf "%.1f", (b - a) / n }')" >>"$home/ratios"
}
