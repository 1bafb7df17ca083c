# shellcheck shell=bash disable=SC2154
# The PostgreSQL of Debian's next release, with pgvector, unpacked and not installed: for tests on a later major version.
# Needs: root, terminal.sh, private-apt.sh. Kept under build/pg17, and made again only when it is missing.
#
# Its programs need the next release's libc. So each is started by that release's own loader, with that release's
# libraries: a script of the program's name stands in its place, and what the server starts by name finds it.

readonly next_postgres_dir=$root/build/pg17
readonly NEXT_POSTGRES=17

# All that these need there, down to the libc: the status that apt knows has nothing installed.
download_next_postgres() {
    local codename suite address entry
    mkdir -p "$next_postgres_dir/apt"
    read -r codename suite address entry < <(own_archives | awk '$1 !~ /-/ && !n++')
    [[ -n $codename ]] || die "no main archive in this machine's apt sources"
    source_entry deb "$NEXT_RELEASE" "$address" "$suite" "$entry" >"$next_postgres_dir/apt/private.sources"
    read_archives "$next_postgres_dir/apt"
    in_private_apt "$next_postgres_dir/apt" apt-get -o Debug::NoLocking=1 install --yes --download-only \
        --no-install-recommends "postgresql-$NEXT_POSTGRES" "postgresql-$NEXT_POSTGRES-pgvector"
}

# wrap PROGRAM LOADER LIBRARIES
wrap() {
    mv "$1" "$1.program"
    printf '#!/bin/sh\nexec %s --library-path %s --argv0 %s %s "$@"\n' "$2" "$3" "$1" "$1.program" >"$1"
    chmod 755 "$1"
}

unpack_next_postgres() {
    local to=$1 package program loader libraries
    mkdir "$to"
    for package in "$next_postgres_dir"/apt/cache/archives/*.deb; do
        dpkg-deb --extract "$package" "$to"
    done
    loader=$(find "$to" -name 'ld-linux*.so.*' | head -n 1)
    libraries=$(dirname "$(find "$to" -name 'libc.so.6' | head -n 1)")
    for program in "$to/usr/lib/postgresql/$NEXT_POSTGRES/bin"/*; do
        if file --brief --dereference "$program" | grep -q '^ELF'; then
            wrap "$program" "$loader" "$libraries"
        fi
    done
}

# Where it is, as Debian has its servers in /usr/lib/postgresql. The paths in the scripts are where it was unpacked.
prepare_next_postgres() {
    if [[ ! -e $next_postgres_dir/complete ]]; then
        rm -rf "$next_postgres_dir"
        download_next_postgres
        unpack_next_postgres "$next_postgres_dir/root"
        rm -rf "$next_postgres_dir/apt"
        touch "$next_postgres_dir/complete"
    fi
}

next_postgres() { printf '%s\n' "$next_postgres_dir/root/usr/lib/postgresql"; }
