"""What the end-to-end tests share.

A World is one temporary directory with users, homes and running servers. A
Server is `genkan-ftpd --listen` on a free loopback port. Control is a control
connection spoken by hand, for tests that no client program can express.

Nothing here sleeps blindly: every wait is for a condition and has a deadline.
Only processes that were started here are ended, by their pid; when a World
closes it proves that no process of its sessions is left.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import pickle
import pwd
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import unittest
import weakref

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("GENKAN_BUILD") or os.path.join(SOURCE, "build"))
FTPD = os.path.join(BUILD, "genkan-ftpd")
GATEWAY = os.path.join(BUILD, "genkan-ftpd-gateway")
AUTH = os.path.join(BUILD, "genkan-ftpd-auth")
CTL = os.path.join(BUILD, "genkanctl")

def _built_with_sanitizers():
    """Of what they measure and allocate themselves tests must know nothing."""
    try:
        with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as file:
            return re.search(r"^HARDEN_CFLAGS = .*-fsanitize", file.read(), re.M) is not None
    except OSError:
        return False


SANITIZERS = _built_with_sanitizers()

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody").pw_uid

# The user of most tests. Its uid is nobody's in particular, so that a file that
# belongs to somebody else is noticed. Without root a session stays what it is.
USER = "anna"
PASSWORD = "se cret"
USER_UID = 20001 if IS_ROOT else os.geteuid()
USER_GID = 20001 if IS_ROOT else os.getegid()

# Names that break careless clients and servers.
HARD_NAMES = (
    "two words.txt",
    "Grüße 日本語.txt",
    "-leading dash",
    "[brackets].txt",
)

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000

# Sessions whose launcher has ended become children of this process, where they are found.
_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


# Waiting

# What must happen happens within so many seconds, however busy the machine is. Who proves that
# something is quick compares it with what it must not wait for, and that lasts longer than this.
PATIENCE = 45


def wait_until(condition, what, timeout=PATIENCE):
    """Returns what condition() returns as soon as it is true; fails after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so within {timeout} s")
        time.sleep(0.01)


def always(condition, what, seconds):
    """Fails if condition() becomes false within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            raise AssertionError(f"{what}: no longer so")
        time.sleep(0.01)


# Files

def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def pattern_bytes(size, seed=1):
    """Bytes that repeat nowhere in a way that hides a lost or doubled block."""
    out = bytearray()
    counter = seed
    while len(out) < size:
        out += hashlib.sha256(counter.to_bytes(8, "big")).digest() * 16
        counter += 1
    return bytes(out[:size])


def write_file(path, content, owner=None):
    with open(path, "wb") as file:
        file.write(content)
    if owner is not None and IS_ROOT:
        os.chown(path, *owner)
    return path


def empty(folder):
    """Removes all that is in a folder."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


# Processes, from /proc

def process_table():
    """{pid: (parent, state, comm)} of everything that lives."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = read_file(f"/proc/{entry}/stat").decode(errors="replace")
        except OSError:
            continue
        comm = text[text.index("(") + 1:text.rindex(")")]
        state, parent = text[text.rindex(")") + 2:].split()[:2]
        table[int(entry)] = (int(parent), state, comm)
    return table


def descendants(ancestor, table=None):
    """The living pids below ancestor, without zombies."""
    table = table or process_table()
    found, parents = [], {ancestor}
    while parents:
        children = {pid for pid, (parent, _, _) in table.items() if parent in parents}
        found += [pid for pid in children if table[pid][1] != "Z"]
        parents = children
    return sorted(found)


def describe(pid):
    try:
        words = read_file(f"/proc/{pid}/cmdline").split(b"\0")
        return f"{pid} ({b' '.join(words).decode(errors='replace').strip()})"
    except OSError:
        return str(pid)


class Pair:
    """The two processes of a connection: the session talks, the monitor opens."""

    def __init__(self, monitor, session, gateway=None):
        self.monitor, self.session, self.gateway = monitor, session, gateway

    def alive(self):
        table = process_table()
        return [p for p in (self.monitor, self.session) if p in table and table[p][1] != "Z"]


def live_pairs(launcher):
    """The connections that a launcher (any program) has started."""
    table = process_table()

    def children(parent, comm):
        return sorted(pid for pid, (up, state, name) in table.items()
                      if up == parent and name == comm and state != "Z")

    pairs = []
    for monitor in children(launcher, "genkan-ftpd"):
        sessions = children(monitor, "genkan-ftpd")
        # of several one is about to become another program
        if len(sessions) == 1:
            gateways = children(monitor, "genkan-ftpd-gat")
            pairs.append(Pair(monitor, sessions[0], gateways[0] if gateways else None))
    return pairs


def proc_status(pid):
    """/proc/PID/status as {field: text}."""
    lines = read_file(f"/proc/{pid}/status").decode(errors="replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def descriptors(pid):
    """{number: what the link says} of a process's open files."""
    found = {}
    for entry in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found[int(entry)] = os.readlink(f"/proc/{pid}/fd/{entry}")
    return found


# Sockets, from /proc/net

def _tcp_rows():
    for name in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with contextlib.suppress(OSError):
            with open(name, encoding="ascii") as file:
                next(file)
                for line in file:
                    words = line.split()
                    local, remote = (int(end.split(":")[1], 16) for end in words[1:3])
                    queued = int(words[4].split(":")[1], 16)
                    yield local, remote, int(words[3], 16), int(words[9]), queued


def listening_ports():
    """The TCP ports on which anybody listens, here and now."""
    return {local for local, _, state, _, _ in _tcp_rows() if state == 10}


def wait_closed(port):
    """Waits until nobody listens on a port: the monitor's copy of it closes a moment later."""
    wait_until(lambda: port not in listening_ports(), f"port {port} is closed")


def socket_inode(local, remote):
    """The inode of the living connection local port -> remote port, as seen at local; or None."""
    for this, that, _, inode, _ in _tcp_rows():
        if (this, that) == (local, remote) and inode:
            return inode
    return None


def free_port():
    """A TCP port that is free; for programs that cannot be told to choose one."""
    return free_range(1)


def free_range(count, host="127.0.0.1"):
    """The first of count neighbouring free ports, below the kernel's own range: there nobody gets
    one of them by chance before it is used."""
    for _ in range(1000):
        first = random.SystemRandom().randrange(10000, 32000 - count)
        socks = []
        try:
            for port in range(first, first + count):
                sock = socket.socket()
                socks.append(sock)
                sock.bind((host, port))
            return first
        except OSError:
            continue
        finally:
            for sock in socks:
                sock.close()
    raise AssertionError(f"no {count} free ports in a row")


def data_segments_in(sock):
    """How many segments with data the kernel has received on a TCP socket (tcp_info)."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("=I", info, 152)[0]


def reset(sock):
    """Closes a connection by RST, as a client that crashed or a router that forgot does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# The control connection by hand

class Reply:
    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[0][:3])

    @property
    def text(self):
        return "\n".join(self.lines)

    def __repr__(self):
        return self.text


class Control:
    """A control connection. Whatever is read or sent is kept for error messages."""

    def __init__(self, address, timeout=PATIENCE, source=None):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = address
        self.buffer = b""
        self.transcript = []
        if source:
            self.sock.bind(source)
        self.sock.connect(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def fail(self, why):
        shown = "\n".join(self.transcript[-30:])
        raise AssertionError(f"{why}\n--- control connection ---\n{shown}")

    # Bytes

    def send(self, data):
        self.transcript.append(f"> {data[:200]!r}")
        self.sock.sendall(data)

    def line(self):
        """The next line without its end; a bare LF or a lone CR in it is a failure."""
        while b"\n" not in self.buffer:
            try:
                data = self.sock.recv(65536)
            except socket.timeout:
                self.fail(f"no reply within {self.sock.gettimeout()} s")
            if not data:
                self.fail("the server closed the control connection")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            self.fail(f"a reply line does not end with one CRLF: {line!r}")
        text = line[:-1].decode("utf-8", "surrogateescape")
        self.transcript.append(f"< {text}")
        return text

    def reply(self):
        first = self.line()
        if not re.match(r"[1-5][0-9][0-9][ -]", first):
            self.fail(f"not a reply: {first!r}")
        lines = [first]
        if first[3] == "-":
            while not lines[-1].startswith(first[:3] + " "):
                lines.append(self.line())
        return Reply(lines)

    def expect(self, *codes):
        """Reads one reply, which must have one of these codes."""
        reply = self.reply()
        if reply.code not in codes:
            self.fail(f"expected {' or '.join(map(str, codes))}, got: {reply}")
        return reply

    def at_end(self):
        """The server must close the connection now, without another word."""
        try:
            data = self.buffer + self.sock.recv(65536)
        except ConnectionResetError:
            return
        except socket.timeout:
            self.fail("the server does not close the control connection")
        if data:
            self.fail(f"expected the end of the connection, got {data!r}")

    def silent(self, seconds):
        """No byte may come for so many seconds."""
        if self.buffer:
            self.fail(f"unexpected: {self.buffer!r}")
        if select.select([self.sock], [], [], seconds)[0]:
            self.fail(f"unexpected: {self.sock.recv(65536)!r}")

    def wait_taken(self):
        """Waits until the server has read all that was sent: none of it is on the way, and its
        receive queue is empty."""
        ends = (self.address[1], self.sock.getsockname()[1])

        def taken():
            unacknowledged = fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4))
            return unacknowledged == bytes(4) and all(
                queued == 0 for local, remote, _, _, queued in _tcp_rows()
                if (local, remote) == ends)
        wait_until(taken, "the server reads")

    # Commands

    def command(self, line, *codes):
        self.send(line.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.expect(*codes) if codes else self.reply()

    def greet(self):
        return self.expect(220)

    def login(self, user=USER, password=PASSWORD):
        self.greet()
        self.command(f"USER {user}", 331)
        self.command(f"PASS {password}", 230)
        self.command("TYPE I", 200)
        return self

    def quit(self):
        self.command("QUIT", 221)
        self.at_end()
        self.close()

    # Data connections

    def pasv(self):
        """PASV; the address and port of the 227."""
        reply = self.command("PASV", 227)
        match = re.search(r"\((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)", reply.text)
        if not match:
            self.fail(f"227 without an address: {reply}")
        numbers = [int(n) for n in match.groups()]
        if max(numbers) > 255:
            self.fail(f"227 with a number above 255: {reply}")
        return ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]

    def epsv(self, argument=""):
        """EPSV; the control connection's address and the port of the 229."""
        reply = self.command("EPSV" + (f" {argument}" if argument else ""), 229)
        match = re.search(r"\(\|\|\|(\d+)\|\)", reply.text)
        if not match:
            self.fail(f"229 without a port: {reply}")
        return self.address[0], int(match.group(1))

    def port_argument(self, sock, extended=False):
        host, port = sock.getsockname()[:2]
        if extended:
            return f"EPRT |{2 if ':' in host else 1}|{host}|{port}|"
        return "PORT " + ",".join(host.split(".") + [str(port // 256), str(port % 256)])

    def data(self, mode="pasv"):
        """Prepares a data connection: pasv, epsv, port or eprt; see Data."""
        return Data(self, mode)

    def retrieve(self, what, mode="pasv", offset=None):
        """The bytes that "RETR name", "LIST" and the like bring."""
        with self.data(mode) as data:
            if offset is not None:
                self.command(f"REST {offset}", 350)
            self.command(what, 150, 125)
            content = data.read_all()
        self.expect(226)  # only now: servers may wait for our end of the data connection
        return content

    def store(self, what, content, mode="pasv", offset=None):
        """Sends the bytes that "STOR name", "APPE name" want; returns the last reply."""
        with self.data(mode) as data:
            if offset is not None:
                self.command(f"REST {offset}", 350)
            self.command(what, 150, 125)
            data.socket().sendall(content)
            data.close()
            return self.expect(226)


class Data:
    """A data connection, announced; socket() is the connected socket."""

    def __init__(self, control, mode):
        self.listener = self.sock = None
        timeout = control.sock.gettimeout()
        if mode in ("pasv", "epsv"):
            where = control.pasv() if mode == "pasv" else control.epsv()
            self.address = where
            self.sock = socket.create_connection(where, timeout=timeout)
        else:
            self.listener = socket.socket(control.sock.family, socket.SOCK_STREAM)
            self.listener.settimeout(timeout)
            self.listener.bind((control.sock.getsockname()[0], 0))
            self.listener.listen(1)
            self.address = self.listener.getsockname()[:2]
            control.command(control.port_argument(self.listener, mode == "eprt"), 200)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def socket(self):
        if self.sock is None:
            self.sock, self.peer = self.listener.accept()
            self.sock.settimeout(self.listener.gettimeout())
        return self.sock

    def read_all(self):
        content = bytearray()
        sock = self.socket()
        while block := sock.recv(1 << 18):
            content += block
        return bytes(content)

    def close(self):
        for sock in (self.sock, self.listener):
            if sock is not None:
                sock.close()


# Servers

class Server:
    """A program with a log file that it writes; genkan-ftpd --listen unless told."""

    all = weakref.WeakSet()

    def __init__(self, world, argv, log, **popen):
        self.world, self.argv, self.log_path = world, argv, log
        with open(log, "ab") as out:
            popen.setdefault("stdin", subprocess.DEVNULL)
            popen.setdefault("stdout", out)
            popen.setdefault("stderr", out)
            self.process = subprocess.Popen(argv, **popen)
        self.addresses = []
        self.all.add(self)

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return self.addresses[0]

    def log(self):
        return read_file(self.log_path).decode("utf-8", "replace")

    def wait_log(self, pattern, timeout=PATIENCE):
        """Waits until a line of the log matches; returns the match."""
        def look():
            found = re.search(pattern, self.log(), re.M)
            if not found and self.process.poll() is not None:
                raise AssertionError(f"{self.argv[0]} ended with {self.process.returncode}; "
                                     f"its log:\n{self.log()}")
            return found
        try:
            return wait_until(look, f"log line {pattern!r}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; the log:\n{self.log()}") from None

    def wait_listening(self, count=1):
        """Reads the chosen addresses from the log."""
        pattern = r"listening on (\S+) port (\d+)"
        self.wait_log(r"(?:" + pattern + r"[\s\S]*?){" + str(count) + "}")
        self.addresses = [(host.strip("[]"), int(port))
                          for host, port in re.findall(pattern, self.log())]

    def wait_port(self, host, port, timeout=PATIENCE):
        """For programs that do not say when they listen."""
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.argv[0]} ended with {self.process.returncode}; "
                                     f"its log:\n{self.log()}")
            return port in listening_ports()
        wait_until(look, f"{self.argv[0]} on port {port}", timeout)
        self.addresses = [(host, port)]

    def connect(self, index=0, **options):
        control = Control(self.addresses[index], **options)
        self.world.controls.append(control)
        return control

    def session(self, user=USER, password=PASSWORD, index=0, **options):
        """A control connection that is logged in."""
        return self.connect(index, **options).login(user, password)

    def pairs(self):
        return live_pairs(self.pid)

    def pair(self):
        """The two processes of the only connection."""
        def look():
            pairs = self.pairs()
            return pairs[0] if len(pairs) == 1 else None
        return wait_until(look, "one connection with session and monitor")

    def wait_no_pairs(self, timeout=PATIENCE):
        """No process of a connection is left, neither below the launcher nor one whose monitor has
        ended before it."""
        wait_until(lambda: not descendants(self.pid) and not self.world.orphans(),
                   "no session is left", timeout)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(PATIENCE)
                raise AssertionError(f"{self.argv[0]} does not end on SIGTERM") from None


class World:
    """One temporary directory with its users and servers."""

    def __init__(self):
        require_build()
        self.path = tempfile.mkdtemp(prefix="genkan-")
        os.chmod(self.path, 0o755)  # sessions run as somebody else
        self.run = os.path.join(self.path, "run")
        os.mkdir(self.run, 0o755)
        self.users_file = os.path.join(self.path, "passwd")
        self.config = write_file(os.path.join(self.path, "genkan-ftpd.conf"), b"")
        os.chmod(self.config, 0o644)
        self.servers, self.controls = [], []
        self.logs = []  # of servers that were, for error messages
        self._known = set(descendants(os.getpid()))

    def path_of(self, *parts):
        return os.path.join(self.path, *parts)

    def make_directory(self, *parts, mode=0o755, owner=(USER_UID, USER_GID)):
        path = self.path_of(*parts)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if IS_ROOT:
            os.chown(path, *owner)
        return path

    def add_user(self, name=USER, password=PASSWORD, uid=USER_UID, gid=USER_GID, home=None,
                 mode=0o700):
        """A virtual user with a home, closed to all others; returns the home."""
        if home is None:
            home = self.make_directory(f"home-{name}", mode=mode, owner=(uid, gid))
        subprocess.run([CTL, "passwd", "-f", self.users_file, "-u", str(uid), "-g", str(gid),
                        "-d", home, "--cost", "1", "--stdin", name],
                       input=password.encode() + b"\n", check=True, timeout=30,
                       stdout=subprocess.DEVNULL)
        return home

    def options(self, directives=None):
        """The command line's configuration: nothing of this machine's own files is read."""
        values = {"RunDirectory": self.run, "StateDirectory": os.path.join(self.run, "state")}
        if os.path.exists(self.users_file):
            values["AuthUserFile"] = self.users_file
        values.update(directives or {})
        words = ["-f", self.config]
        for name, value in values.items():
            words += ["-o", f"{name} {value}"]
        return words

    def server(self, *, listen=("127.0.0.1:0",), flags=("-e",), program=FTPD, prefix=(),
               directives=None, **popen):
        """A running `genkan-ftpd --listen` and the addresses it listens on."""
        argv = [*prefix, program, *self.options(directives), *flags]
        for address in listen:
            argv += ["--listen", address]
        server = self.launch(argv, **popen)
        server.wait_listening(len(listen))
        return server

    def launch(self, argv, **popen):
        """Any program, with its own log file; it is ended with the World."""
        log = self.path_of(f"log{len(self.servers)}")
        server = Server(self, list(argv), log, **popen)
        self.servers.append(server)
        return server

    def orphans(self, table=None):
        """Processes of sessions that came to this one when their parent ended; it reaps the dead."""
        servers = {server.pid for server in Server.all if server.process.returncode is None}
        living = []
        for pid, (parent, state, comm) in (table or process_table()).items():
            if parent != os.getpid() or not comm.startswith("genkan-ftpd") or pid in servers:
                continue
            if state != "Z":
                living.append(pid)
                continue
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return living

    def strangers(self):
        """Living processes below this one that were not there when the World began."""
        table = process_table()
        self.orphans(table)
        return [pid for pid in descendants(os.getpid(), table) if pid not in self._known]

    def close(self):
        """Ends the servers and proves that nothing of theirs is left."""
        trouble = []
        for control in self.controls:
            control.close()
        for server in reversed(self.servers):
            try:
                server.stop()
            except AssertionError as error:
                trouble.append(str(error))
        try:
            wait_until(lambda: not self.strangers(), "all sessions are gone", PATIENCE / 2)
        except AssertionError:
            left = self.strangers()
            trouble.append("processes are left: " + ", ".join(map(describe, left)))
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: not self.strangers(), "killed", 5)
        for server in self.servers:
            text = server.log()
            self.logs.append((server.argv, text))
            if re.search(r"AddressSanitizer|LeakSanitizer|runtime error:", text):
                trouble.append(f"a sanitizer spoke:\n{text[-8000:]}")
        self.servers = []
        shutil.rmtree(self.path, ignore_errors=True)
        if trouble:
            raise AssertionError("\n".join(trouble))


def require_build():
    for program in (FTPD, CTL):
        if not os.access(program, os.X_OK):
            raise AssertionError(f"{program} is not built: set GENKAN_BUILD to the build directory")


# Tests

class TimeLimit(Exception):
    """A test ran longer than it may; not an OSError, so nobody takes it for a network timeout."""


def _out_of_time(*_):
    raise TimeLimit("the test's time limit is over")


class GenkanTest(unittest.TestCase):
    """A test with a World of its own and a time limit."""

    time_limit = 3 * PATIENCE  # seconds
    longMessage = True

    def setUp(self):
        self.begin_time_limit()
        self.world = World()
        self.addCleanup(self.world.close)

    def begin_time_limit(self):
        signal.signal(signal.SIGALRM, _out_of_time)
        # Again and again, in case the clean-up hangs as well.
        signal.setitimer(signal.ITIMER_REAL, self.time_limit, 30)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            self.show_logs()
        return result

    def show_logs(self):
        for argv, log in getattr(getattr(self, "world", None), "logs", []):
            print(f"\n--- log of {' '.join(argv)}\n{log[-6000:]}", file=sys.stderr)


class ServerTest(GenkanTest):
    """Tests of one server: it runs for the whole class, each test finds an empty home."""

    listen = ("127.0.0.1:0", "[::1]:0")
    directives = {}
    flags = ("-e",)

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        try:
            cls.home = cls.world.add_user()
            cls.prepare()
            cls.server = cls.world.server(listen=cls.listen, flags=cls.flags,
                                          directives=cls.directives)
        except BaseException:
            cls.world.close()
            raise

    @classmethod
    def prepare(cls):
        """What must be there before the server starts."""

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def setUp(self):
        self.begin_time_limit()
        empty(self.home)
        self.log_start = len(self.server.log())
        self.addCleanup(self.server.wait_no_pairs)
        self.addCleanup(self.close_controls)

    def close_controls(self):
        while self.world.controls:
            self.world.controls.pop().close()

    def log(self):
        """What the server has logged since the test began."""
        return self.server.log()[self.log_start:]

    def show_logs(self):
        print(f"\n--- log of the server\n{self.log()[-6000:]}", file=sys.stderr)

    def connect(self, **options):
        return self.server.connect(**options)

    def session(self, **options):
        return self.server.session(**options)

    def remote(self, name, content=None):
        """The path of a file in the user's home, which is written if content is given."""
        path = os.path.join(self.home, name)
        return path if content is None else write_file(path, content, (USER_UID, USER_GID))

    def sparse(self, name, size):
        """A file of zeros in the home that takes no room."""
        path = self.remote(name, b"")
        os.truncate(path, size)
        return path


def root_only(what):
    return unittest.skipUnless(IS_ROOT, f"needs root: {what}")


def need_program(name):
    return unittest.skipUnless(shutil.which(name), f"{name} is not installed")


# Network namespaces

def in_namespace(function, timeout=3 * PATIENCE):
    """Runs function() in a child with network and mount namespaces of its own (root only).

    The loopback is up and nothing else is there. What the function raises is
    raised here.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            signal.setitimer(signal.ITIMER_REAL, timeout)
            # The function's own sessions must come back to this child.
            _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            if _libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            subprocess.run(["mount", "--make-rprivate", "/"], check=True)
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            function()
            status = 0
        except BaseException:  # whatever it is, the parent tells it
            os.write(writer, pickle.dumps(traceback.format_exc())[:60000])
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if told:
        raise AssertionError("in the namespace: " + pickle.loads(told))
    if status != 0:
        raise AssertionError(f"the child in the namespace ended with status {status}")
