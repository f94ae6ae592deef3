"""Where the comparison takes place: a private namespace, a directory with the
files to serve, the programs, and the launchers that start the servers.

As root, mounts and network are private to this process and what it starts: the
users ftp and vuser, /dev/log, /etc/pam.d and the libraries of the peers exist
nowhere else, and nothing is left of them afterwards.
"""

import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("GENKAN_BUILD") or os.path.join(SOURCE, "build"))
BESIDE = os.path.join(BUILD, "bench")
BIN = os.path.join(BESIDE, "bin")

PROGRAMS = {
    "bench_client": ("bench_client.c", "bench_ftp.c", "bench_transfer.c", "bench_notls.c"),
    "bench_tls": ("bench_client.c", "bench_ftp.c", "bench_transfer.c", "bench_tls.c"),
    "bench_launch": ("bench_launch.c",),
    "bench_null": ("bench_null.c",),
    "bench_bare": ("bench_bare.c",),
    "bench_syslog": ("bench_syslog.c",),
}

FTP_UID = 40021    # anonymous users
VUSER_UID = 40022  # the user with a password
VUSER, PASSWORD = "vuser", "bench"
# SHA-256-crypt with the fewest rounds there are: the row is about servers, not about hashes
HASH = "$5$rounds=1000$genkanbench$BtL/qUxqPgonl2W3kJEDGIjXNoaLpcKLh7rGA8.vT85"

SMALL_FILES = 50

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18


class Failed(Exception):
    """A measurement that did not come about; its text says why."""


# Programs

def build_programs():
    os.makedirs(BIN, exist_ok=True)
    header = os.path.getmtime(os.path.join(HERE, "bench.h"))
    for name, sources in PROGRAMS.items():
        target = os.path.join(BIN, name)
        paths = [os.path.join(HERE, source) for source in sources]
        newest = max([header] + [os.path.getmtime(path) for path in paths])
        if os.path.exists(target) and os.path.getmtime(target) > newest:
            continue
        command = [os.environ.get("CC") or "cc", "-std=gnu11", "-O2", "-Wall", "-Wextra",
                   "-Wno-missing-field-initializers", "-D_GNU_SOURCE", "-o", target] + paths
        if name == "bench_tls":
            # without OpenSSL's headers it is not there, and its rows say so
            subprocess.run(command + ["-lssl", "-lcrypto"], stderr=subprocess.DEVNULL)
            continue
        # static where that works: the launcher's fork and the limit are then the cheapest there are
        if subprocess.run(command + ["-static"], stderr=subprocess.DEVNULL).returncode != 0:
            subprocess.run(command, check=True)


def has_tls():
    return os.path.exists(os.path.join(BIN, "bench_tls"))


def client(*args, start=False):
    """Runs bench_client and returns what it measured; start: returns the running process."""
    program = "bench_tls" if "-s" in args else "bench_client"
    command = [os.path.join(BIN, program)] + [str(arg) for arg in args]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if start:
        return process
    out = process.communicate(timeout=330)[0]
    return result_of(out, process.returncode)


def result_of(line, status=0):
    try:
        result = json.loads(line.splitlines()[0])
    except (ValueError, IndexError):
        raise Failed(f"the client ended with status {status}: {line.strip()[:200]}") from None
    if "error" in result:
        raise Failed(result["error"])
    return result


class Held:
    """A client that has printed its result and waits; the with block is the time in between."""

    def __init__(self, *args):
        self.process = client(*args, start=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        try:
            self.result = result_of(line)
        except Failed:
            self.process.communicate(timeout=330)
            raise
        return self

    def __exit__(self, kind, *_):
        out = self.process.communicate(timeout=330)[0]
        if kind is None and self.process.returncode != 0:
            result_of(out, self.process.returncode)


# Processes

def below(ancestor):
    """The pids of all processes below this one."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry))
    found, todo = [], [ancestor]
    while todo:
        for pid in children.get(todo.pop(), ()):
            found.append(pid)
            todo.append(pid)
    return found


def memory_of(pid, file, field):
    """KiB of a field of /proc/PID/file; 0 when the process has just ended."""
    try:
        with open(f"/proc/{pid}/{file}", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


class MemoryGroup:
    """A memory control group, for the kernel's share; KiB None where there is no such thing."""

    def __init__(self):
        self.path = None
        for base, usage in (("/sys/fs/cgroup/memory", "memory.kmem.usage_in_bytes"),
                            ("/sys/fs/cgroup", "memory.stat")):
            path = os.path.join(base, f"genkan-bench.{os.getpid()}")
            try:
                os.mkdir(path)
            except OSError:
                continue
            if os.path.exists(os.path.join(path, usage)):
                self.path, self.usage = path, os.path.join(path, usage)
                return
            os.rmdir(path)

    def add(self, pid):
        if self.path:
            with open(os.path.join(self.path, "cgroup.procs"), "w") as file:
                file.write(str(pid))

    def kernel_kib(self):
        if not self.path:
            return None
        with open(self.usage) as file:
            text = file.read()
        if self.usage.endswith("memory.stat"):
            text = dict(line.split() for line in text.splitlines()).get("kernel", "0")
        return int(text) // 1024

    def close(self):
        for _ in range(100):
            try:
                if self.path:
                    os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.02)  # the kernel empties it behind our back


class Launcher:
    """bench_launch with one server behind it."""

    def __init__(self, argv, wrap=(), cgroup=None):
        program, argv = argv[0], list(argv[1:])
        if wrap:
            # strace starts the server, and the launcher strace
            program, argv = wrap[0], list(wrap) + [program] + argv[1:]
        self.process = subprocess.Popen(
            [os.path.join(BIN, "bench_launch"), program] + argv,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
            preexec_fn=(lambda: cgroup.add(os.getpid())) if cgroup else None)
        self.port = self.process.stdout.readline().strip()
        if not self.port:
            raise Failed("the launcher does not listen")

    @property
    def pid(self):
        return self.process.pid

    def used(self, patience=20):
        """(CPU seconds, page faults) of all sessions so far, when all of them have ended."""
        end = time.monotonic() + patience
        while True:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            live, nanoseconds, faults, _ = map(int, self.process.stdout.readline().split())
            if not live:
                return nanoseconds / 1e9, faults
            if time.monotonic() > end:
                raise Failed(f"processes are left {patience} s after the last session")
            time.sleep(0.005)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# The private namespace

def _mount(source, target, kind=None, flags=0, data=None):
    args = [arg.encode() if arg is not None else None for arg in (source, target, kind)]
    if _libc.mount(*args, ctypes.c_ulong(flags), data.encode() if data else None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), target)


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(sock, 0x8913, request))[1]
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def _memory_is_free(size):
    with open("/proc/meminfo") as file:
        return any(int(line.split()[1]) * 1024 >= size for line in file
                   if line.startswith("MemAvailable:"))


def _forget_closed_connections():
    """Of this namespace: 60 seconds of small files would use up the ports that bind(2) gives."""
    try:
        with open("/proc/sys/net/ipv4/tcp_max_tw_buckets", "w") as file:
            file.write("500")
    except OSError:
        pass


class World:
    """The directory, and as root the namespace around it."""

    def __init__(self, parent, sizes):
        self.sizes = sizes
        # a disk would be measured along with the servers, and what others do to it
        self.in_memory = parent is None and os.geteuid() == 0 and _memory_is_free(8 * sizes["big"])
        self.root = False
        self.syslog = None
        self.path = tempfile.mkdtemp(prefix="genkan-bench-", dir=parent)
        os.chmod(self.path, 0o755)
        self.tree = os.path.join(self.path, "tree")
        self.up = os.path.join(self.tree, "up")
        os.mkdir(self.tree, 0o755)
        os.mkdir(self.up, 0o755)
        self.hashes = {}

    def file(self, name, text=None):
        """The path of a file that belongs to the set-up; text: writes it."""
        path = os.path.join(self.path, name)
        if text is not None:
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        return path

    def user_file(self, name):
        """The path of a passwd(5) file with vuser in it."""
        path = self.file(name, f"{VUSER}:{HASH}:{VUSER_UID}:{VUSER_UID}::{self.tree}:/bin/sh\n")
        os.chmod(path, 0o600)
        return path

    def enter_namespace(self, libraries):
        """Makes mounts and network private; libraries: where those of the peers are."""
        if os.geteuid() != 0:
            return
        if _libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
            return
        _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
        _loopback_up()
        _forget_closed_connections()
        self._make_devices()
        self._make_users()
        self._make_libraries(libraries)
        if self.in_memory:
            _mount("tmpfs", self.tree, "tmpfs", 0, "mode=755")
            os.mkdir(self.up, 0o755)
        os.chown(self.up, FTP_UID, FTP_UID)
        self.root = True
        self.syslog = subprocess.Popen([os.path.join(BIN, "bench_syslog"), "/dev/log"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.syslog.stdout.readline()

    def _make_devices(self):
        dev = os.path.join(self.path, "dev")
        os.mkdir(dev)
        _mount("tmpfs", dev, "tmpfs", 0, "mode=755")
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            st = os.stat(f"/dev/{name}")
            os.mknod(f"{dev}/{name}", st.st_mode, st.st_rdev)
            os.chmod(f"{dev}/{name}", 0o666)
        os.mkdir(f"{dev}/shm", 0o1777)
        os.symlink("/proc/self/fd", f"{dev}/fd")
        if self.path.startswith("/dev/"):
            raise Failed("--dir below /dev is hidden by the private /dev")
        _mount(dev, "/dev", None, _MS_BIND)

    def _make_users(self):
        users = (("ftp", FTP_UID, ""), (VUSER, VUSER_UID, HASH))
        passwd = [f"{name}:x:{uid}:{uid}::{self.tree}:/bin/sh" for name, uid, _ in users]
        group = [f"{name}:x:{uid}:" for name, uid, _ in users]
        shadow = [f"{name}:{hashed or '*'}:19000:0:99999:7:::" for name, _, hashed in users]
        for name, lines in (("passwd", passwd), ("group", group), ("shadow", shadow)):
            with open(f"/etc/{name}", encoding="utf-8", errors="replace") as file:
                kept = [line for line in file.read().splitlines()
                        if line.split(":")[0] not in ("ftp", VUSER)]
            self._over(f"/etc/{name}", "\n".join(kept + lines) + "\n")
        pam = self.file("pam.d")
        os.mkdir(pam, 0o755)
        guests = "auth sufficient pam_ftp.so\n"  # how linux-ftpd lets them in
        for service, first in (("ftp", guests), ("vsftpd", ""), ("other", "")):
            self.file(f"pam.d/{service}", f"{first}auth required pam_unix.so\n"
                      "account required pam_unix.so\nsession required pam_permit.so\n")
        if os.path.isdir("/etc/pam.d"):
            _mount(pam, "/etc/pam.d", None, _MS_BIND)

    def _over(self, target, text):
        """Puts a file of ours over one of the system's, for us only."""
        path = os.path.join(self.path, "over-" + os.path.basename(target))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600 if target.endswith("shadow") else 0o644)
        if os.path.exists(target):
            _mount(path, target, None, _MS_BIND)

    def _make_libraries(self, libraries):
        """The loader's cache names them, so they are found as quickly as installed ones."""
        if not libraries or not shutil.which("ldconfig"):
            return
        conf = self.file("ld.so.conf", "\n".join(libraries) + "\ninclude /etc/ld.so.conf\n")
        cache = self.file("ld.so.cache")
        subprocess.run(["ldconfig", "-X", "-f", conf, "-C", cache], check=True,
                       stderr=subprocess.DEVNULL)
        if os.path.exists("/etc/ld.so.cache"):
            _mount(cache, "/etc/ld.so.cache", None, _MS_BIND)

    def make_certificate(self):
        """(certificate, key, both in one file) for the TLS rows, the same for all servers."""
        cert, key, both = (self.file(name) for name in ("cert.pem", "key.pem", "both.pem"))
        if not os.path.exists(both):
            try:
                subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                                "-days", "3", "-subj", "/CN=bench.example.net", "-keyout", key,
                                "-out", cert], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                raise Failed("openssl cannot make a certificate here") from None
            with open(both, "w", encoding="ascii") as file:
                for path in (cert, key):
                    os.chmod(path, 0o600)
                    with open(path, encoding="ascii") as part:
                        file.write(part.read())
            os.chmod(both, 0o600)
        return cert, key, both

    # What is served

    def make_small(self):
        self.small = os.path.join(self.tree, "small")
        os.makedirs(self.small, exist_ok=True)
        for i in range(SMALL_FILES):
            with open(f"{self.small}/f{i:03}", "wb") as file:
                file.write(os.urandom(10240))
        with open(f"{self.tree}/k1", "wb") as file:
            file.write(os.urandom(1024))

    def make_big(self, name, kind):
        """Makes the file once; returns its path."""
        path = os.path.join(self.tree, name)
        if name not in self.hashes:
            client("make", path, self.sizes[name], kind)
            fd = os.open(path, os.O_RDONLY)
            os.fsync(fd)  # or it would be written while others are measured
            os.close(fd)
            self.hashes[name] = client("hash", path, kind)["hash"]
        return path

    def touch_memory(self, size):
        """Has memory at hand for a file of this size: a virtual machine's host takes back what is
        free, and gives it again page by page, for several times what it costs to fill the page.
        Three times the size, since the kernel does not begin with the pages that were freed last."""
        if self.in_memory:
            path = os.path.join(self.tree, "touched")
            client("make", path, 3 * size, "binary")
            os.unlink(path)

    def make_many(self):
        path = os.path.join(self.tree, "many")
        if not os.path.isdir(path):
            os.mkdir(path)
            for i in range(self.sizes["many"]):
                os.close(os.open(f"{path}/file-{i * 7919 % 1000003:07}.txt",
                                 os.O_WRONLY | os.O_CREAT, 0o644))
        return path

    def close(self):
        if self.syslog:
            self.syslog.stdin.close()
            self.syslog.wait(timeout=10)
        if self.root:
            _libc.umount2(self.tree.encode(), 2)
            _libc.umount2(b"/dev", 2)
            _libc.umount2(os.path.join(self.path, "dev").encode(), 2)
        shutil.rmtree(self.path, ignore_errors=True)
