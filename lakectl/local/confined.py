"""Confines the process that calls it, before it runs any code of a function or a job: the child's side.

Linux 5.13 and later: Landlock, in the kernel. It holds native code and child processes too, and can't be undone.
Where a process may connect to one port only, a seccomp filter takes away what Landlock does not know: datagrams,
sockets of the file system, listening. Elsewhere, and for what an older kernel lacks: an audit hook of Python. It holds
Python code only, and not code that sets out to get around it (PEP 578).

As a script, ``python confined.py POLICY PARENT_PID ARGUMENTS``, it becomes ``python ARGUMENTS``, confined. POLICY is
JSON as ``confinement.policy`` makes it. Standard library only, and little of it: each cold start pays for it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import stat
import struct
import sys
from collections.abc import Mapping
from typing import Any

# System calls, the same on every architecture; and what they take (linux/landlock.h, linux/prctl.h).
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION = 1
PATH_BENEATH, NET_PORT = 1, 2
PR_SET_PDEATHSIG, SIGKILL, PR_SET_NO_NEW_PRIVS = 1, 9, 38
# Rights on files and folders.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE = 1 << 13, 1 << 14
READ = EXECUTE | READ_FILE | READ_DIR
OF_ABI_1 = (1 << 13) - 1
ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
CONNECT_TCP = 2
# A privileged reader may look into any process, which Landlock does not hold. What is left of root's capabilities
# (linux/capability.h) is what files of other users need: CHOWN, DAC_OVERRIDE, FOWNER, KILL.
CAPABILITIES_VERSION = 0x20080522
KEPT_CAPABILITIES = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 5
ABSTRACT_SOCKETS, SIGNALS = 1, 2  # of processes outside

HOOKED = "hooked"  # in place of the parent's id

FILE_EVENTS = frozenset(
    ("open", "os.listdir", "os.scandir", "os.chdir", "os.link", "os.symlink", "os.rename", "os.remove", "os.rmdir")
    + ("os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.utime", "sqlite3.connect", "ctypes.dlopen")
)
NETWORK_EVENTS = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"))

# Of seccomp (linux/seccomp.h, linux/audit.h, linux/bpf_common.h) and of sockets.
PR_SET_SECCOMP, MODE_FILTER, ALLOW, REFUSE = 22, 2, 0x7FFF0000, 0x00050000 | errno.EACCES
LOAD, AND, EQUAL, AT_LEAST, ANY_OF, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; an argument has eight bytes
OTHER_ABI = 0x40000000  # x32's calls
FAST_OPEN = 0x20000000  # MSG_FASTOPEN: sends to an address without connect, which Landlock does not look at
INET, INET6, STREAM, TCP = 2, 10, 1, 6
# By machine: its name in audit, then the numbers of what is refused altogether, of socket, and of what sends, each with
# the place of its flags.
CALLS = {
    "x86_64": (0xC000003E, {"bind": 49, "listen": 50, "io_uring_setup": 425}, 41, {44: 3, 46: 2, 307: 3}),
    "aarch64": (0xC00000B7, {"bind": 200, "listen": 201, "io_uring_setup": 425}, 198, {206: 3, 211: 2, 269: 3}),
}


def confine(policy: Mapping[str, Any]) -> bool:
    """Hold this process to ``policy``. Call it before the first thread. Returns whether the kernel holds its files.

    Raises OSError when the kernel has Landlock and does not take the policy.
    """
    abi = landlock_abi()
    if abi >= 1:
        _landlock(policy, abi)
    filtered = bool(policy["port"]) and _filter_sockets()
    hook = _hook(policy, files=abi < 1, network=abi < 4 or not filtered)
    if hook:
        sys.addaudithook(hook)
    return abi >= 1


def landlock_abi() -> int:
    """The version of Landlock that this kernel has; 0 for none."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)))


def _landlock(policy: Mapping[str, Any], abi: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number: int, *arguments: Any) -> int:
        result = int(libc.syscall(number, *arguments))
        if result < 0:
            raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
        return result

    files = OF_ABI_1 | (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0)
    port = policy["port"]
    network = CONNECT_TCP if port and abi >= 4 else 0
    # struct landlock_ruleset_attr
    handled = (ctypes.c_uint64 * 3)(files, network, ABSTRACT_SOCKETS | SIGNALS if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = call(CREATE_RULESET, handled, ctypes.c_size_t(size), 0)
    try:
        for paths, rights in ((policy["read"], READ), (policy["write"], files)):
            for path in paths:
                _allow(call, rules, path, rights)
        if network:
            call(ADD_RULE, rules, NET_PORT, (ctypes.c_uint64 * 2)(CONNECT_TCP, port), 0)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        call(RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    if os.geteuid() == 0:
        _drop_capabilities(libc)


def _filter_sockets() -> bool:
    """No sockets but those of TCP, and none that listens: for good, and for all programs that are run from here.

    False where this kernel or machine has no such filter.
    """
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in CALLS:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    program = b"".join(struct.pack("HBBI", *each) for each in _program(*CALLS[machine]))
    held = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.c_char_p(described), 0, 0) == 0


def _program(
    architecture: int, refused: Mapping[str, int], socket: int, sending: Mapping[int, int]
) -> list[tuple[int, int, int, int]]:
    """Classic BPF: (what, steps to skip when it holds, when it does not, value)."""
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, OTHER_ABI),
        (RETURN, 0, 0, REFUSE),
    ]
    for number in refused.values():
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]
    for number, place in sending.items():
        program += [
            (EQUAL, 0, 4, number),
            (LOAD, 0, 0, ARGUMENTS + 8 * place),
            (ANY_OF, 0, 1, FAST_OPEN),
            (RETURN, 0, 0, REFUSE),
            (RETURN, 0, 0, ALLOW),
        ]
    return [
        *program,
        (EQUAL, 0, 10, socket),
        (LOAD, 0, 0, ARGUMENTS),
        (EQUAL, 1, 0, INET),
        (EQUAL, 0, 6, INET6),
        (LOAD, 0, 0, ARGUMENTS + 8),
        (AND, 0, 0, 0xF),
        (EQUAL, 0, 3, STREAM),
        (LOAD, 0, 0, ARGUMENTS + 16),
        (EQUAL, 2, 0, 0),
        (EQUAL, 1, 0, TCP),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    ]


def _drop_capabilities(libc: Any) -> None:
    """Without new privileges no program that is run from here gets them back."""
    head = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the same of capabilities 32 to 63
    if libc.capget(head, sets):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    kept = (ctypes.c_uint32 * 6)(*(each & KEPT_CAPABILITIES for each in sets[:3]), 0, 0, 0)
    if libc.capset(head, kept):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _allow(call: Any, rules: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore] # Linux
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return  # not on this machine, gone since, or not for us anyway
        raise
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= ON_A_FILE
        call(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(_PathBeneath(rights, opened)), 0)
    finally:
        os.close(opened)


def _hook(policy: Mapping[str, Any], *, files: bool, network: bool) -> Any:
    """An audit hook for what the kernel does not hold; None when it holds all."""
    hidden = tuple(policy["hidden"]) if files else ()
    given = (*policy["read"], *policy["write"])
    port = policy["port"] if network else None
    if not hidden and not port:
        return None
    realpath, decode, kinds = os.path.realpath, os.fsdecode, (str, bytes, os.PathLike)

    def below(path: str, folders: tuple[str, ...]) -> int:
        """The length of the nearest of ``folders`` that holds ``path``; 0 for none."""
        return max((len(each) for each in folders if path == each or path.startswith(each + "/")), default=0)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in FILE_EVENTS:
            for each in arguments[:2]:
                if isinstance(each, kinds):
                    path = realpath(decode(each))
                    if below(path, hidden) > below(path, given):
                        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        elif port and event in NETWORK_EVENTS:
            address = arguments[1]
            allowed = isinstance(address, tuple) and address[:2] == ("127.0.0.1", port) and event != "socket.bind"
            if address is not None and not allowed:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    return hook


def main() -> None:
    text, parent, *arguments = sys.argv[1:]
    if parent == HOOKED:
        _run_under_hook(json.loads(text), arguments)
        return
    if sys.platform == "linux":
        # If the server dies without a word (kill -9), the kernel ends this process.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
        if os.getppid() != int(parent):
            os._exit(1)
    if landlock_abi() >= 1:
        confine(json.loads(text))
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - the confined program itself
    # A hook does not survive exec: the script runs in the process that sets it.
    os.execv(sys.executable, [sys.executable, __file__, text, HOOKED, *arguments])  # noqa: S606


def _run_under_hook(policy: Mapping[str, Any], arguments: list[str]) -> None:
    from glue_standby_child import run  # type: ignore[import-not-found]  # beside this script

    del sys.modules["glue_standby_child"]
    sys.path[0] = os.path.dirname(arguments[0])  # noqa: PTH120 - pathlib costs 5 ms at import
    sys.argv = list(arguments)
    confine(policy)
    run(arguments[0])


if __name__ == "__main__":
    main()
