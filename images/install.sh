#!/bin/sh
# Runs inside a build, as root: install.sh LOCK "PYTHON VERSIONS"
#
# Makes the virtual environment /opt/erabench from a hashed lock and nothing else. POSIX sh, because the stacks' base
# images share no newer tool. Optional mounts, none of which stays in the image:
#   /run/secrets/ca    CA bundle of a proxy or a private index
#   /run/secrets/pip   pip's configuration (index-url and the like)
#   /wheels            packages for a build without a network; if it holds any, no index is used
set -eu
lock=$1 versions=$2 venv=/opt/erabench here=${0%/*}
fail() { echo "erabench: $*" >&2; exit 1; }

have=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "the base image has no python3"
case " $versions " in
  *" $have "*) ;;
  *) fail "the base image has Python $have; this stack's locks are for $versions" ;;
esac

[ ! -s /run/secrets/ca ] || export PIP_CERT=/run/secrets/ca SSL_CERT_FILE=/run/secrets/ca REQUESTS_CA_BUNDLE=/run/secrets/ca
[ ! -s /run/secrets/pip ] || export PIP_CONFIG_FILE=/run/secrets/pip
[ -z "$(ls /wheels)" ] || export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_REQUIRE_HASHES=1 PIP_NO_DEPS=1 PIP_ROOT_USER_ACTION=ignore

bootstrap=$here/bootstrap.lock
if ! python3 -m venv "$venv"; then
  # Ubuntu ships Python without ensurepip: the base image's own pip installs the bootstrap's.
  python3 -m venv --without-pip --clear "$venv"
  python3 -m pip install --ignore-installed --prefix "$venv" -r "$bootstrap"
fi
pip="$venv/bin/python -m pip"
isolation=
if [ -f "$bootstrap" ]; then
  $pip install -r "$bootstrap"
  isolation=--no-build-isolation # source packages build with the setuptools just installed
fi
$pip install --no-compile $isolation -r "$lock"

packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
"$venv/bin/python" "$here/shrink.py" "$packages"
# The root filesystem is read-only at run time: without byte code here, every start would compile the packages again.
find "$packages" -name __pycache__ -prune -exec rm -rf {} +
"$venv/bin/python" -m compileall -q -j 0 "$packages" >/dev/null || true # some packages carry files for Python 2
