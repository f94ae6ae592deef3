"""The rows of the table: what is measured, how, and what Genkan must show.

A row's function measures one server once and returns a dictionary; a value of
None is not known here. Times are the client's, CPU time and page faults those
of all processes that the launcher has started for the server.
"""

import os
import shutil
import statistics

from world import (PASSWORD, SMALL_FILES, VUSER, Failed, Held, Launcher, MemoryGroup, below, client,
                   has_tls, memory_of)

GIB = 1 << 30


class Target:
    """Genkan's metric compared with a number, or with a factor of another server's."""

    def __init__(self, metric, sense, factor, of=None):
        self.metric, self.sense, self.factor, self.of = metric, sense, factor, of


class Metric:
    def __init__(self, key, title, digits=2):
        self.key, self.title, self.digits = key, title, digits


class Row:
    def __init__(self, key, measure, metrics, targets=(), rounds=None, only=None):
        self.key, self.measure, self.metrics, self.targets = key, measure, metrics, targets
        self.rounds = rounds  # fewer than asked for, where one is enough
        self.only = only      # the servers that it is about, or all


class Runner:
    """A server that has been prepared: its command, and its launcher for the whole run."""

    def __init__(self, server, world):
        self.name, self.lacks, self.version = server.name, server.lacks, server.version
        self.server, self.tls = server, None
        self.world = world
        self.argv = server.prepare(world)
        self.most = server.most
        self.launcher = Launcher(self.argv)
        greeter = getattr(server, "greeter", None)
        self.greeter = Launcher(greeter) if greeter else self.launcher

    def tls_launcher(self):
        """Of the same server with TLS, from its first use on."""
        if self.tls is None:
            if not has_tls():
                raise Failed("OpenSSL's headers are not here, so the client has no TLS")
            self.tls = Launcher(self.server.prepare_tls(self.world))
        return self.tls

    @property
    def port(self):
        return self.launcher.port

    def close(self):
        self.launcher.close()
        if self.greeter is not self.launcher:
            self.greeter.close()
        if self.tls is not None:
            self.tls.close()


def _used(launcher, *command):
    """Runs the client; returns its result, CPU seconds and page faults of the server."""
    cpu, faults = launcher.used()
    result = client(*command)
    cpu_after, faults_after = launcher.used()
    return result, cpu_after - cpu, faults_after - faults


def greet(runner, sizes):
    n = sizes["samples"]
    result, _, faults = _used(runner.greeter, "greet", runner.greeter.port, n)
    return {"ms": result["ms"], "faults": faults / n}


def session(runner, sizes):
    n = sizes["samples"]
    result, cpu, faults = _used(runner.launcher, "session", runner.port, n, "k1",
                                f"{runner.world.tree}/k1")
    return {"cpu": cpu / n * 1e3, "faults": faults / n, "ms": result["seconds"] / n * 1e3}


def rate(runner, sizes):
    out = {}
    for key, workers in (("one", 1), ("eight", 8)):
        result = client("rate", runner.port, workers, sizes["seconds"], "k1",
                        f"{runner.world.tree}/k1")
        out[key] = result["n"] / result["seconds"]
    return out


def login(runner, sizes):
    return {"ms": client("-u", VUSER, "-p", PASSWORD, "login", runner.port, sizes["samples"])["ms"]}


def _bulk(result, cpu):
    return {"rate": result["bytes"] / result["seconds"] / 1e9, "cpu": cpu / (result["bytes"] / GIB)}


def retr(runner, sizes):
    world = runner.world
    world.make_big("big", "binary")
    result, cpu, _ = _used(runner.launcher, "retr", runner.port, "I", "big", world.hashes["big"])
    return _bulk(result, cpu)


def stor(runner, sizes):
    world = runner.world
    path = world.make_big("big", "binary")
    world.touch_memory(sizes["big"])
    result, cpu, _ = _used(runner.launcher, "stor", runner.port, "up/big", path,
                           world.hashes["big"], f"{world.up}/big")
    return _bulk(result, cpu)


def ascii_retr(runner, sizes):
    world = runner.world
    world.make_big("text", "text")
    result, cpu, _ = _used(runner.launcher, "retr", runner.port, "A", "text", world.hashes["text"])
    return _bulk(result, cpu)


def _small(world, port, verb, seconds, most):
    if verb == "down":
        return client(verb, port, seconds, most, "small", world.small, SMALL_FILES)
    return client(verb, port, seconds, most, "up", world.small, SMALL_FILES, world.up)


def small(runner, sizes):
    out = {}
    for verb in ("down", "up"):
        cpu, _ = runner.launcher.used()
        result = _small(runner.world, runner.port, verb, sizes["seconds"], sizes["small"])
        out[verb] = result["files"] / result["seconds"]
        out[verb + "_cpu"] = (runner.launcher.used()[0] - cpu) / result["files"] * 1e6
    return out


def _listing(runner, verb):
    path = runner.world.make_many()
    cpu, _ = runner.launcher.used()
    with Held("-w", "list", runner.port, verb, "many", path) as held:
        peak = sum(memory_of(pid, "status", "VmHWM") for pid in below(runner.launcher.pid))
    return {"seconds": held.result["seconds"], "first": held.result["first_ms"],
            "mib": peak / 1024, "cpu": runner.launcher.used()[0] - cpu}


def list_(runner, sizes):
    return _listing(runner, "LIST")


def nlst(runner, sizes):
    return _listing(runner, "NLST")


def mlsd(runner, sizes):
    return _listing(runner, "MLSD")


def idle(runner, sizes):
    """A launcher of its own, so that a control group can tell the kernel's memory."""
    n = sizes["idle"]
    group = MemoryGroup()
    launcher = Launcher(runner.argv, cgroup=group)
    try:
        before = group.kernel_kib()
        with Held("idle", launcher.port, n):
            pss = sum(memory_of(pid, "smaps_rollup", "Pss") for pid in below(launcher.pid))
            after = group.kernel_kib()
    finally:
        launcher.close()
        group.close()
    kernel = None if before is None else (after - before) / n
    return {"pss": pss / n, "all": None if kernel is None else pss / n + kernel}


def _swapped():
    with open("/proc/vmstat") as file:
        counts = dict(line.split() for line in file)
    return int(counts.get("pswpin", 0)) + int(counts.get("pswpout", 0))


def crowd(runner, sizes):
    n = min(sizes["crowd"], runner.most - 10)
    launcher = Launcher(runner.argv)
    swapped = _swapped()

    def login_ms():
        return statistics.median(client("login", launcher.port, 5)["ms"] for _ in range(3))

    try:
        alone = login_ms()
        with Held("idle", launcher.port, n):
            among = login_ms()
    finally:
        launcher.close()
    return {"sessions": n, "alone": alone, "among": among, "ratio": among / alone,
            "swapped": _swapped() - swapped}


def _calls(runner, verb, most):
    path = runner.world.file("strace.out")
    launcher = Launcher(runner.argv, wrap=(shutil.which("strace"), "-f", "-qq", "-c", "-o", path))
    try:
        _small(runner.world, launcher.port, verb, 60, most)
        launcher.used()
    finally:
        launcher.close()
    with open(path) as file:
        total = [line.split() for line in file if line.split()[-1:] == ["total"]]
    os.unlink(path)
    if not total:
        raise Failed("strace counted nothing")
    return int(total[-1][3])


def calls(runner, sizes):
    """System calls of all of a server's processes, per file: PASV, RETR or STOR, to the 226."""
    if not shutil.which("strace"):
        raise Failed("there is no strace here")
    few, many = sizes["traced"]
    return {verb: (_calls(runner, verb, many) - _calls(runner, verb, few)) / (many - few)
            for verb in ("down", "up")}


def tls_login(runner, sizes):
    launcher = runner.tls_launcher()
    n = sizes["samples"]
    result, cpu, faults = _used(launcher, "-s", "logins", launcher.port, n)
    return {"rate": n / result["seconds"], "cpu": cpu / n * 1e3, "faults": faults / n}


def tls_retr(runner, sizes):
    launcher, world = runner.tls_launcher(), runner.world
    world.make_big("tls", "binary")
    result, cpu, _ = _used(launcher, "-s", "retr", launcher.port, "I", "tls", world.hashes["tls"])
    return _bulk(result, cpu)


def tls_stor(runner, sizes):
    launcher, world = runner.tls_launcher(), runner.world
    path = world.make_big("tls", "binary")
    stored = f"{world.up}/tls"
    world.touch_memory(sizes["tls"])
    try:
        result, cpu, _ = _used(launcher, "-s", "stor", launcher.port, "up/tls", path,
                               world.hashes["tls"], stored)
    finally:
        if os.path.exists(stored):  # of a server that failed: the next one is to make it anew
            os.unlink(stored)
    return _bulk(result, cpu)


ROWS = (
    Row("greet", greet,
        (Metric("ms", "connect to whole 220, ms"),
         Metric("faults", "connect, 220 and QUIT, page faults", 0)),
        (Target("ms", "<=", 1.3, "limit"), Target("faults", "<=", 60))),
    Row("session", session,
        (Metric("cpu", "anonymous session (login, RETR of 1 KiB), CPU ms"),
         Metric("faults", "anonymous session, page faults", 0)),
        (Target("cpu", "<=", 0.9, "uftpd"), Target("cpu", "<=", 0.3, "vsftpd"))),
    Row("rate", rate,
        (Metric("one", "anonymous sessions/s, one at a time", 0),
         Metric("eight", "anonymous sessions/s, 8 at once", 0)),
        (Target("one", ">=", 3, "vsftpd"), Target("eight", ">=", 1.1, "uftpd"))),
    Row("login", login, (Metric("ms", "login of a virtual user, cheap hash, ms"),),
        (Target("ms", "<=", 3),)),
    Row("retr", retr,
        (Metric("rate", "RETR {big}, GB/s"), Metric("cpu", "RETR {big}, CPU s/GiB")),
        (Target("rate", ">=", 1.0, "vsftpd"), Target("cpu", "<=", 1.0, "vsftpd"))),
    Row("stor", stor,
        (Metric("rate", "STOR {big}, GB/s"), Metric("cpu", "STOR {big}, CPU s/GiB")),
        (Target("rate", ">=", 1.3, "pure-ftpd"), Target("cpu", "<=", 0.75, "pure-ftpd"))),
    Row("small", small,
        (Metric("down", "10 KiB files down, one session, files/s", 0),
         Metric("up", "10 KiB files up, one session, files/s", 0),
         Metric("down_cpu", "10 KiB files down, CPU µs each", 0),
         Metric("up_cpu", "10 KiB files up, CPU µs each", 0)),
        (Target("down", ">=", 1.0, "pure-ftpd"), Target("up", ">=", 1.0, "pure-ftpd"))),
    Row("calls", calls,
        (Metric("down", "system calls per 10 KiB file down", 0),
         Metric("up", "system calls per 10 KiB file up", 0)), rounds=1),
    Row("list", list_,
        (Metric("seconds", "LIST of {many}, s", 3), Metric("first", "LIST, first byte after ms", 1),
         Metric("mib", "LIST, peak memory of all processes, MiB", 1),
         Metric("cpu", "LIST, CPU s", 3)),
        (Target("seconds", "<=", 0.75, "vsftpd"), Target("first", "<=", 50),
         Target("mib", "<=", 20))),
    Row("nlst", nlst, (Metric("seconds", "NLST of {many}, s", 3), Metric("cpu", "NLST, CPU s", 3)),
        (Target("seconds", "<=", 1.0, "pure-ftpd"),)),
    Row("mlsd", mlsd, (Metric("seconds", "MLSD of {many}, s", 3), Metric("cpu", "MLSD, CPU s", 3)),
        (Target("seconds", "<=", 1.0, "pure-ftpd"),)),
    Row("ascii", ascii_retr,
        (Metric("rate", "type A RETR {text}, GB/s"), Metric("cpu", "type A RETR, CPU s/GiB")),
        (Target("rate", ">=", 1.7, "pure-ftpd"),)),
    Row("idle", idle,
        (Metric("pss", "idle session, one of {idle}, PSS KiB", 0),
         Metric("all", "idle session with kernel memory, KiB", 0)),
        (Target("pss", "<=", 250), Target("all", "<=", 450)), rounds=1),
    Row("tls-login", tls_login,
        (Metric("rate", "AUTH TLS + login + QUIT per s", 0),
         Metric("cpu", "AUTH TLS + login + QUIT, CPU ms"),
         Metric("faults", "AUTH TLS + login + QUIT, page faults", 0)),
        (Target("rate", ">=", 2, "pure-ftpd"), Target("cpu", "<=", 0.55, "pure-ftpd"))),
    Row("tls-retr", tls_retr,
        (Metric("rate", "TLS RETR {tls}, GB/s"), Metric("cpu", "TLS RETR, CPU s/GiB")),
        (Target("rate", ">=", 1.0, "pure-ftpd"),)),
    Row("tls-stor", tls_stor,
        (Metric("rate", "TLS STOR {tls}, GB/s"), Metric("cpu", "TLS STOR, CPU s/GiB")),
        (Target("rate", ">=", 1.1, "pure-ftpd"),)),
    Row("crowd", crowd,
        (Metric("sessions", "idle sessions at a time", 0),
         Metric("alone", "login without them, ms"), Metric("among", "login among them, ms"),
         Metric("ratio", "login among them, ratio"), Metric("swapped", "pages swapped", 0)),
        (Target("ratio", "<=", 2), Target("swapped", "<=", 0)), rounds=1,
        only=("genkan", "limit")),
)
