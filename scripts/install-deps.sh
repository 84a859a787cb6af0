#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# install-deps.sh [--build | --package | --bench | --fuzz | --lint]: installs the
# Debian packages that building, running and testing snowrelay need, and only
# those that are missing.
#
# Prints what it installs; when everything is there it prints nothing and does
# nothing.  With --build it is content with what building and running need; with
# --package what building the Debian package needs comes too, with --bench what
# the benchmark report is drawn with, with --fuzz what fuzzing needs, with --lint
# the linters.  Runs as root; another user gets the command to run instead.

set -euo pipefail

BUILD="gcc make binutils libc6-dev openvswitch-source libssl-dev libcap-ng-dev
       libjansson-dev libpcap-dev libmicrohttpd-dev libc-ares-dev libsodium-dev libcap-dev
       libseccomp-dev"
RUN="openvswitch-switch iproute2 ethtool procps kmod"
TEST="libcmocka-dev bats tcpreplay tcpdump socat samba
      samba-common-bin dnsmasq-base iputils-ping jq python3 util-linux
      softflowd nfdump nfdump-sflow bsdutils openssl rsyslog snmp snmptrapd
      libca4.13.5 python3-yaml tshark e2fsprogs
      curl prometheus chromium chromium-driver
      bash-completion debootstrap man-db mandoc python3-seccomp systemd
      podman runc"
PACKAGE="debhelper dpkg-dev lintian libcmocka-dev"
BENCH="gnuplot-nox"
FUZZ="clang-14 libclang-rt-14-dev llvm-14 python3"
LINT="clang-format cppcheck shellcheck mandoc"

if [ $# -gt 1 ]; then
    echo "install-deps.sh: $2: one option is all it takes" >&2
    exit 2
fi
case ${1-} in
    --build) wanted="$BUILD $RUN" ;;
    --package) wanted="$BUILD $RUN $PACKAGE" ;;
    --bench) wanted="$BUILD $RUN $TEST $PACKAGE $BENCH" ;;
    --fuzz) wanted="$BUILD $RUN $FUZZ" ;;
    '') wanted="$BUILD $RUN $TEST $PACKAGE" ;;
    --lint) wanted="$BUILD $RUN $TEST $LINT" ;;
    *) echo "install-deps.sh: $1: unknown option (--build, --package, --bench, --fuzz and --lint are known)" >&2; exit 2 ;;
esac

# shellcheck disable=SC2086  # a list of words
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2> /dev/null) || true
missing=()
for package in $wanted; do
    grep -qx "$package installed" <<< "$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "install-deps.sh: missing packages; as root, run:" \
         "apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive

# A package that starts a service of its own when installed (samba does)
# would change what this host offers to its network.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi

log=$(mktemp)
if ! { apt-get update -q && apt-get install -qy --no-install-recommends "${missing[@]}"; } \
        > "$log" 2>&1 < /dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "install-deps.sh: apt-get could not install ${missing[*]}" >&2
    exit 1
fi
rm -f "$log"
