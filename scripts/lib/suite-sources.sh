# shellcheck shell=bash disable=SC2154
# The suites that PostgreSQL and pgvector are tested with, from Debian's source packages. Needs: root, terminal.sh,
# private-apt.sh, private-postgres.sh. Everything is kept under build/suites, and made again only when it is missing.
#
# The server's own development package brings pg_regress and isolationtester. psql has to be of the sources' own version:
# one that reads scripts a little differently, and whole pages of a file are no test any more.

readonly suites_dir=$root/build/suites

# The output is step's business.
logged() { "$@" || die "failed: $*"; }

postgres_major() { "$postgres_bin/pg_config" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'; }

# What this machine reads, as source; and the next release, for a pgvector that this one does not have.
write_source_lists() {
    local codename suite address entry main=
    while read -r codename suite address entry; do
        source_entry deb-src "$suite" "$address" "$suite" "$entry"
        if [[ -z $main && $codename != *-* ]]; then
            main=yes
            if [[ $codename != "$NEXT_RELEASE" ]]; then
                source_entry deb-src "$NEXT_RELEASE" "$address" "$suite" "$entry"
            fi
        fi
    done
}

# The source's versions that apt knows, the installed one's first: the archive of an update may list a version and not
# have it, and the tests of a minor version behind are tests as well.
versions() {
    local wanted=$1 source=$2
    printf '%s\n' "$wanted"
    in_private_apt "$suites_dir/apt" apt-cache showsrc --only-source "$source" |
        sed -n 's/^Version: //p' | sort -rVu | grep -vxF -e "$wanted" || :
}

# fetch SOURCE INSTALLED DIRECTORY: unpacks a source package there.
fetch() {
    local source=$1 directory=$3 version
    rm -rf "$suites_dir/fetch"
    mkdir -p "$suites_dir/fetch"
    for version in $(versions "$2" "$source"); do
        if (cd "$suites_dir/fetch" && in_private_apt "$suites_dir/apt" apt-get source "$source=$version"); then
            mv "$suites_dir/fetch/$source"-*/ "$directory"
            printf '%s\n' "$version" >"$directory/veer-suites-version"
            rm -rf "$suites_dir/fetch"
            return
        fi
    done
    printf 'apt has no source of %s\n' "$source" >&2
    return 1
}

fetch_sources() {
    local major source installed
    major=$(postgres_major)
    source=postgresql-$major
    if [[ ! -d $suites_dir/$source || ! -d $suites_dir/pgvector ]]; then
        mkdir -p "$suites_dir/apt"
        own_archives | write_source_lists >"$suites_dir/apt/private.sources"
        read_archives "$suites_dir/apt"
    fi
    if [[ ! -d $suites_dir/$source ]]; then
        # shellcheck disable=SC2016  # dpkg's own placeholder
        installed=$(dpkg-query -W -f '${source:Version}' "$source")
        fetch "$source" "$installed" "$suites_dir/$source" || return
    fi
    if [[ ! -d $suites_dir/pgvector ]]; then
        fetch pgvector "$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" \
            "$("$postgres_bin/pg_config" --sharedir)/extension/vector.control")-1" "$suites_dir/pgvector"
    fi
}

# regress.so, and beside it the two libraries of contrib that the core suite loads from the same directory.
build_functions() {
    local source=$1 into=$2 name
    cp "$source/src/test/regress/regress.c" "$into/"
    # shellcheck disable=SC2016  # for make
    printf '%s\n' 'MODULES = regress' 'PGXS := $(shell $(PG_CONFIG) --pgxs)' 'include $(PGXS)' >"$into/Makefile"
    make -C "$into" PG_CONFIG="$postgres_bin/pg_config" with_llvm=no
    for name in autoinc refint; do
        cp "$("$postgres_bin/pg_config" --pkglibdir)/$name.so" "$into/"
    done
}

build_pipeline() {
    local config=$postgres_bin/pg_config
    cc -O1 -I"$("$config" --includedir-server)" -I"$("$config" --includedir)" \
        "$1/src/test/modules/libpq_pipeline/libpq_pipeline.c" -o "$2/libpq_pipeline" \
        -L"$("$config" --pkglibdir)" -L"$("$config" --libdir)" -lpq -lpgcommon -lpgport
}

# In a script it neither edits lines nor uses any library of the server's.
build_psql() {
    local part
    (cd "$1" && ./configure --quiet --without-readline --without-zlib --without-icu)
    make -C "$1/src/backend" --silent generated-headers
    for part in port common interfaces/libpq fe_utils bin/psql; do  # left to itself, make builds some twice at a time
        make -C "$1/src/$part" --silent -j "$(nproc)"
    done
    mkdir "$2/bin"
    cp "$1/src/bin/psql/psql" "$2/bin/"
}

build_programs() {
    local source into
    source=$suites_dir/postgresql-$(postgres_major)
    into=$suites_dir/programs-$(postgres_major)
    if [[ ! -d $into ]]; then
        rm -rf "$into.new"
        mkdir "$into.new"
        build_functions "$source" "$into.new"
        build_pipeline "$source" "$into.new"
        build_psql "$source" "$into.new"
        mv "$into.new" "$into"
    fi
}
