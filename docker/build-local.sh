#!/bin/bash
# Builds the image without a container engine and starts its programs: debootstrap makes the base, buildah (chroot
# isolation, vfs storage) runs docker/Dockerfile on it. Root only; about 4 GB of disk and a quarter of an hour.
# Usage: docker/build-local.sh [WORK_FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-var/image}
tag=${TAG:-localhost/childdb:local}
base=localhost/childdb-base:bookworm
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs

say() { printf '%5ss  %s\n' "$SECONDS" "$*"; }
if [ "$(id -u)" != 0 ]; then
    echo "build-local: root is needed (chroot). Elsewhere: docker build --file docker/Dockerfile --tag childdb:local ." >&2
    exit 4
fi
for program in buildah debootstrap; do
    if ! command -v "$program" >/dev/null; then
        echo "build-local: $program is missing. Run: apt-get install buildah debootstrap" >&2
        exit 4
    fi
done
mkdir -p "$work"

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    say "base image by debootstrap"
    rm -rf "$work/rootfs"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/rootfs" >"$work/debootstrap.log"
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/rootfs" / >/dev/null
    buildah commit --quiet "$container" "$base" >/dev/null
    buildah rm "$container" >/dev/null
    rm -rf "$work/rootfs"
fi

say "wheels, by the hashes of requirements.lock"
python3 -m venv --clear "$work/pip"
"$work/pip/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    --requirement requirements.lock --dest "$work/wheels" 2>"$work/pip.log" || { tail -n 3 "$work/pip.log" >&2; exit 4; }

say "image"
buildah build --pull-never --network none --format docker --volume "$(realpath "$work/wheels")":/wheels:ro \
    --build-arg BASE="$base" --build-arg PIP_FIND_LINKS=/wheels --build-arg PIP_NO_INDEX=1 \
    --file docker/Dockerfile --tag "$tag" . >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log" >&2; exit 1; }

container=$(buildah from --pull-never "$tag")
trap 'buildah rm "$container" >/dev/null' EXIT
check() { # WORDS…: runs the entry program with them, as the image's own user
    if buildah run "$container" -- /opt/childdb/app/docker/entrypoint "$@" >"$work/check.log" 2>&1; then
        say "ok      $*"
    else
        say "FAILED  $*"
        tail -n 10 "$work/check.log" >&2
        exit 1
    fi
}
check id -u
grep -qx 10001 "$work/check.log" || { echo "build-local: the image runs as $(cat "$work/check.log"), not as 10001" >&2; exit 1; }
check childdb --help
check python -c "import childdb.portal, childdb.flow, great_expectations, splink, psycopg"
check airflow version
check dbt --version
check bash -c '! touch /opt/childdb/app/childdb/x 2>/dev/null'
say "built and started: $tag ($(buildah images --format '{{.Size}}' "$tag"))"
