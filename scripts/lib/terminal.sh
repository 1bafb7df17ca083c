# shellcheck shell=bash
# Printing for people: colours and moving lines on a terminal, plain lines elsewhere.

if [[ -t 1 ]]; then
    green=$'\e[32m' red=$'\e[31m' bold=$'\e[1m' faint=$'\e[2m' reset=$'\e[0m' rewind=$'\r\e[K'
else
    green='' red='' bold='' faint='' reset='' rewind=''
fi
readonly green red bold faint reset rewind

heading() { printf '\n%s%s%s\n' "$bold" "$*" "$reset"; }

# done_in SECONDS TITLE
done_in() {
    printf '%s  %s✓%s %-66s%s%6d s%s\n' "$rewind" "$green" "$reset" "$2" "$faint" "$1" "$reset"
}

die() {
    printf '%s  %s✗%s %s: %s\n' "$rewind" "$red" "$reset" "${0##*/}" "$*" >&2
    exit 1
}

# show_log FILE: its end, when there is such a file; for what has gone wrong.
show_log() {
    if [[ -s $1 ]]; then
        printf '\n%s ends with\n' "${1##*/}" >&2
        tail -n 20 "$1" >&2
    fi
}

# moving TITLE LOG: one line that follows what a build says of its progress, "[17/80] ...".
moving() {
    local count
    [[ -n $rewind ]] || return 0
    count=$(tail -n 1 "$2" 2>/dev/null | grep -oE '^\[[0-9]+/[0-9]+\]') || :
    printf '%s  · %s %s' "$rewind" "$1" "$count"
}

# step TITLE COMMAND...: runs a command; what it prints is shown only when it fails.
step() {
    local title=$1 started=$SECONDS log pid
    shift
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        moving "$title" "$log"
        sleep 0.1
    done
    if ! wait "$pid"; then
        printf '%s' "$rewind" >&2
        tail -n 200 "$log" >&2
        rm -f "$log"
        die "failed: $title"
    fi
    rm -f "$log"
    done_in $((SECONDS - started)) "$title"
}
