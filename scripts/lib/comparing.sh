# shellcheck shell=bash disable=SC2154
# What comparing costs the clients: their p99 with a tenth of the searches compared, by that with none.
# Needs: root, terminal.sh, private-postgres.sh, relay.sh, and rounds, seconds, queries, compared_rows and bench of
# scripts/bench.
#
# At half of what the machine sustains, searches arrive when they arrive ("half load"): what clients see who do not take
# all there is. With clients that never pause ("full load") processor time is what is shared out, and whatever
# anybody takes lengthens everybody's wait.

readonly compare_clients=8

# compare_configure PERCENT RATE BUDGET: takes effect before it returns.
compare_configure() {
    cat >"$home/veer.toml" <<END
[listen]
max_connections = 2100
[defaults]
percent = $1
[compare]
rate = $2
budget_per_second = $3
END
    compare_say reload
}

# compare_say WORD...: one of veer's own commands.
compare_say() {
    "$root/build/release/veer" "$@" --data-dir "$home/veer-data" >"$home/veer.said" 2>&1 || {
        cat "$home/veer.said" >&2
        die "veer $* failed"
    }
}

# comparisons: made so far.
comparisons() {
    "$postgres_bin/psql" --no-psqlrc --quiet --csv "$(dsn "$veer_port")" -c 'SHOW veer.compare' |
        awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "compared") at = i } NR > 1 { sum += $at } END { print sum + 0 }'
}

# compare_ask SEED RATE SAMPLES: median_ms, p99_ms and searches of one run.
compare_ask() {
    "$bench" latency --veer "$(dsn "$veer_port")" --rows "$compared_rows" --queries "$queries" \
        --clients "$compare_clients" --seconds "$seconds" --seed "$1" --rate "$2" --samples "$3"
}

# compare_once KEY RATE BUDGET SEED PERCENT LOAD: notes one figure, and how many searches were compared.
compare_once() {
    local before said name
    name=$([[ $2 == 0 ]] && echo off || echo on)
    compare_configure "$5" "$2" "$3"
    before=$(comparisons)
    said=$(compare_ask "$4" "$6" "$home/samples.${1//\//.}.$name")
    read -r median_ms p99_ms searches <<<"$said"
    printf '%s %s %s %s %s %s\n' "$1" "$name" "$p99_ms" "$median_ms" "$searches" "$(($(comparisons) - before))" \
        >>"$home/compare"
}

# compare_p99 KEY NAME: of the searches of all rounds together.
compare_p99() {
    sort -g "$home/samples.${1//\//.}.$2" | awk '{ value[NR] = $1 } END { printf "%.3f", value[int(NR * 0.99)] }'
}

# compare_row KEY WHAT
compare_row() {
    local figures pooled
    figures=$(awk -v key="$1" '$1 == key && $2 == "on" { n++; searches += $5; compared += $6 }
        END { printf "%d of %d compared", compared, searches }' "$home/compare")
    pooled=$(awk -v on="$(compare_p99 "$1" on)" -v off="$(compare_p99 "$1" off)" \
        'BEGIN { printf "%.2f (%.2f : %.2f ms)", on / off, on, off }')
    printf '  %-44s%8s%8s   %-24s%s\n' "$2" "$(paired "$home/compare" "$1" on off 3)" \
        "$(paired "$home/compare" "$1" on off 4)" "$pooled" "$figures"
    printf '%-42sp99 with/without %s, of all rounds together %s   median %s   (%s)\n' "comparing: $2" \
        "$(paired "$home/compare" "$1" on off 3)" "$pooled" "$(paired "$home/compare" "$1" on off 4)" "$figures" \
        >>"$home/ratios"
}

# compare_rounds KEY WHAT BUDGET PERCENT LOAD
compare_rounds() {
    local round each pair
    compare_once "$1/warm" 0.1 "$3" "$((++seed))" "$4" "$5"
    for ((round = 0; round < rounds; round++)); do
        # Each goes first as often as the other.
        pair=(off on)
        ((round % 2 == 0)) || pair=(on off)
        for each in "${pair[@]}"; do
            compare_once "$1" "$([[ $each == on ]] && echo 0.1 || echo 0)" "$3" "$((++seed))" "$4" "$5"
        done
    done
    compare_row "$1" "$2"
}

# compare_half PERCENT: half of the searches a second that clients get who never pause.
compare_half() {
    compare_configure "$1" 0 0
    compare_ask "$((++seed))" 0 /dev/null | awk -v seconds="$seconds" '{ printf "%d", $3 / seconds / 2 }'
}

bench_compare() {
    local what=(--rows "$compared_rows" --queries "$queries") percent budget half seed=0 who began
    heading 'compare: preparing'
    start_postgres
    "$bench" load --direct "$(dsn "$postgres_port")" --build "$home/build" "${what[@]}"
    began=$EPOCHREALTIME
    start_veer
    "$bench" wait --direct "$(dsn "$postgres_port")" --veer "$(dsn "$veer_port")" --build "$home/build" \
        --began "$began" --ratios "$home/ratios" "${what[@]}"
    heading "compare: what comparing a tenth costs clients, c = $compare_clients; ratios of $rounds paired rounds of $seconds s"
    printf '  %s%-44s%8s%8s   %s%s\n' "$faint" 'who answers, load, comparisons a second at most' p99 median \
        'p99 of all together' "$reset"
    for percent in 0 100; do
        # At 0 % searches are compared from shadow on; a share holds at once.
        [[ $percent != 0 ]] || compare_say shadow documents
        who=$([[ $percent == 0 ]] && echo shadow || echo veer)
        half=$(compare_half "$percent")
        for budget in 10 1000; do
            compare_rounds "$percent/half/$budget" "$who, half load ($half/s), $budget/s" "$budget" "$percent" "$half"
        done
        compare_rounds "$percent/full/10" "$who, full load, 10/s" 10 "$percent" 0
    done
    drop_servers
}
