# shellcheck shell=bash disable=SC2034
# apt tools that know only the suites they are told of, with lists of their own: the machine's stay as they are.

# Where Debian has what Debian 12 has too old, or not at all.
readonly NEXT_RELEASE=trixie

# What this machine reads of Debian's main component, a line each: codename, suite as it is written, address, and
# where it is written (file:number).
own_archives() {
    # shellcheck disable=SC2016  # apt's own placeholders
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(CODENAME) $(RELEASE) $(REPO_URI) $(SOURCESENTRY)' \
        'Created-By: Packages' | awk '$1 == "Debian" && $2 == "main" && !seen[$4]++ { print $3, $4, $5, $6 }'
}

# signed_by ADDRESS SUITE ENTRY: the Signed-By field of an entry, whether a path or a key written out; nothing when
# it has none.
signed_by() {
    local address=${1%/} file=${3%:*} line=${3##*:}
    if [[ $file == *.sources ]]; then
        grep -v '^#' "$file" | awk -v RS= -v address="$address" -v suite="$2" '
            index($0, address) && $0 ~ ("(^|\n)Suites:[^\n]*[ \t]" suite "([ \t\n]|$)") {
                count = split($0, lines, "\n")
                for (i = 1; i <= count; i++) {
                    if (lines[i] !~ /^[ \t]/) inside = tolower(lines[i]) ~ /^signed-by:/
                    if (inside) print lines[i]
                }
                exit
            }'
    else
        sed -n "${line}s/.*signed-by=\([^] ]*\).*/Signed-By: \1/p" "$file"
    fi
}

# source_entry KIND SUITE ADDRESS OWN_SUITE ENTRY: an entry of kind deb or deb-src for a suite, at the address and
# with the key of the machine's own entry for OWN_SUITE.
source_entry() {
    printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\n' "$1" "$3" "$2"
    signed_by "$3" "$4" "$5"
    printf '\n'
}

# read_archives DIR: fetches the lists of what DIR/private.sources names.
read_archives() {
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
    in_private_apt "$1" apt-get --error-on=any update
}

# in_private_apt DIR TOOL ARGUMENT...: runs an apt tool that knows DIR/private.sources and nothing of this machine's.
in_private_apt() {
    local dir=$1 tool=$2
    shift 2
    "$tool" -o Dir::Etc::sourcelist="$dir/private.sources" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::lists="$dir/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$dir/cache" \
        -o Acquire::Languages=none "$@"
}
