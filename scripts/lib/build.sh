# shellcheck shell=bash disable=SC2154
# Building veer by preset. Needs: root, terminal.sh.

# Packages can be installed by root only; anyone else is taken to have them.
install_packages() {
    if [[ $EUID -eq 0 ]]; then
        "$root/scripts/install"
    fi
}

# Presets are found in the working directory. Configuring is repeated only when the build says so itself.
configure() {
    local preset=$1
    if [[ ! -f $root/build/$preset/build.ninja ]]; then
        (cd "$root" && cmake --preset "$preset")
    fi
}

# build PRESET TARGET...: all targets when none is named.
build() {
    local preset=$1 arguments=(--build "$root/build/$1" --parallel "$(nproc)")
    shift
    if [[ $# -gt 0 ]]; then
        arguments+=(--target "$@")
    fi
    configure "$preset" && cmake "${arguments[@]}"
}
