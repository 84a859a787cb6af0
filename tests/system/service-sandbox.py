#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# service-sandbox.py UNIT WRITABLE PROGRAM ARG...: runs PROGRAM with the restrictions that the systemd
# unit file UNIT puts on its service, as far as a process can put them on itself without systemd:
# CapabilityBoundingSet, LockPersonality, MemoryDenyWriteExecute, NoNewPrivileges, PrivateDevices,
# PrivateTmp, ProtectControlGroups, ProtectHome, ProtectKernelTunables, ProtectProc, ProtectSystem,
# RestrictAddressFamilies, RestrictNamespaces, RestrictRealtime, SystemCallArchitectures,
# SystemCallErrorNumber, SystemCallFilter and UMask. In place of ReadWritePaths it takes the folder
# WRITABLE, which PROGRAM has to be in if it is below /tmp. A setting that this does not know ends it.

import ctypes
import errno
import os
import subprocess
import sys

import seccomp

NOT_DONE = {
    # Are of no use to a service without the capabilities, or are in the system call filter.
    "ProtectClock", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
    # What the service does to others: not tried.
    "KeyringMode", "PrivateMounts", "RestrictSUIDSGID", "ReadWritePaths",
}
DONE = {
    "CapabilityBoundingSet", "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges",
    "PrivateDevices", "PrivateTmp", "ProtectControlGroups", "ProtectHome", "ProtectKernelTunables",
    "ProtectProc", "ProtectSystem", "RestrictAddressFamilies", "RestrictNamespaces",
    "RestrictRealtime", "SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallFilter",
    "UMask",
}
NO_RESTRICTION = {
    "Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus",
    "KillMode", "TimeoutStopSec", "WorkingDirectory",
}

MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
CLONE_NEWNS = 0x20000
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
PROT_WRITE, PROT_EXEC = 2, 4
NAMESPACES = 0x7e020000    # All CLONE_NEW* that RestrictNamespaces= knows
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result:
        sys.exit(f"service-sandbox.py: {what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags, options=None):
    check(libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags,
                     options and options.encode()), f"mount {target}")


def read_unit(name):
    """Returns the settings of [Service], each with its values in order."""
    settings, section = {}, ""
    with open(name, encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and line and not line.startswith("#"):
                key, value = line.split("=", 1)
                settings.setdefault(key, []).append(value)
    unknown = settings.keys() - DONE - NOT_DONE - NO_RESTRICTION
    if unknown:
        sys.exit(f"service-sandbox.py: {name}: cannot do {' '.join(sorted(unknown))}")
    return settings


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        return [line.split()[4].encode().decode("unicode_escape") for line in lines]


def devices():
    """PrivateDevices=: only the harmless ones."""
    kept = "null zero full random urandom tty".split()
    opened = {name: os.open(f"/dev/{name}", os.O_PATH) for name in kept}
    mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755")
    for name, fd in opened.items():
        os.close(os.open(f"/dev/{name}", os.O_CREAT, 0o666))
        mount(f"/proc/self/fd/{fd}", f"/dev/{name}", None, MS_BIND)


def file_system(settings, writable):
    check(libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount(writable, writable, None, MS_BIND)
    kept = os.open(writable, os.O_PATH)
    devices()
    for folder in "/home", "/root":
        mount("tmpfs", folder, "tmpfs", 0, "mode=000")
    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777")
    if writable.startswith("/tmp/"):
        os.makedirs(writable)
        mount(f"/proc/self/fd/{kept}", writable, None, MS_BIND)
    mount("/proc/sys", "/proc/sys", None, MS_BIND)
    mount("proc", "/proc", None, MS_REMOUNT, "hidepid=invisible")
    spared = ("/dev", "/proc", "/tmp", writable)
    for place in sorted(set(mounts())):
        if place == "/proc/sys" or not any(f"{place}/".startswith(f"{s}/") for s in spared):
            mount("none", place, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    assert settings["ProtectSystem"] == ["strict"]


def capabilities(values):
    libcap, number, keep = ctypes.CDLL("libcap.so.2"), ctypes.c_int(), set()
    for name in " ".join(values).split():
        check(libcap.cap_from_name(name.lower().encode(), ctypes.byref(number)), name)
        keep.add(number.value)
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as last:
        for n in set(range(int(last.read()) + 1)) - keep:
            check(libc.prctl(PR_CAPBSET_DROP, n, 0, 0, 0), "prctl")


def expand(name):
    """Returns the system calls that NAME stands for, as systemd itself has it."""
    if not name.startswith("@"):
        return {name}
    out = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True,
                         check=True).stdout
    words = [line.strip() for line in out.splitlines()[1:] if line.strip()]
    return set().union(*(expand(word) for word in words if not word.startswith("#")))


def allowed_calls(lines):
    calls = expand("@default")    # systemd adds these.
    for line in lines:
        for word in line.lstrip("~").split():
            calls = calls - expand(word) if line.startswith("~") else calls | expand(word)
    return calls


def system_calls(settings):
    calls = allowed_calls(settings["SystemCallFilter"])
    # Each of these, as systemd does it, in a filter of its own: all must let a call pass.
    families = seccomp.SyscallFilter(seccomp.ALLOW)
    known = sorted(FAMILIES[name] for name in settings["RestrictAddressFamilies"][0].split())
    for family in set(range(64)) - set(known):
        families.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    memory = seccomp.SyscallFilter(seccomp.ALLOW)
    both = PROT_WRITE | PROT_EXEC
    memory.add_rule(seccomp.ERRNO(errno.EPERM), "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
    for name in "mprotect", "pkey_mprotect":
        memory.add_rule(seccomp.ERRNO(errno.EPERM), name, seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, PROT_EXEC))
    others = seccomp.SyscallFilter(seccomp.ALLOW)
    for bit in (1 << n for n in range(32) if NAMESPACES >> n & 1):
        others.add_rule(seccomp.ERRNO(errno.EPERM), "unshare", seccomp.Arg(0, seccomp.MASKED_EQ, bit, bit))
        others.add_rule(seccomp.ERRNO(errno.EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, bit, bit))
    others.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    others.add_rule(seccomp.ERRNO(errno.EPERM), "setns")
    others.add_rule(seccomp.ERRNO(errno.EPERM), "sched_setscheduler", seccomp.Arg(1, seccomp.GT, 0))
    others.add_rule(seccomp.ERRNO(errno.EPERM), "personality", seccomp.Arg(0, seccomp.NE, 0))
    error = getattr(errno, settings["SystemCallErrorNumber"][0])
    main = seccomp.SyscallFilter(seccomp.ERRNO(error))
    for name in calls:
        try:
            main.add_rule(seccomp.ALLOW, name)
        except (RuntimeError, ValueError):
            pass    # Of another architecture, or newer than libseccomp
    for one in families, memory, others, main:
        one.load()


def main():
    unit, writable, program = sys.argv[1:4]
    settings = read_unit(unit)
    folder = os.getcwd()
    file_system(settings, writable)
    os.chdir(folder if folder.startswith(writable) else "/")
    os.umask(int(settings["UMask"][0], 8))
    capabilities(settings["CapabilityBoundingSet"])
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    system_calls(settings)
    os.execv(program, [program] + sys.argv[4:])


main()
