"""A NAT laboratory in network namespaces: a home, its router, the Internet, clients.

      server 192.168.1.10 ─┐
                           ├─ home_router 203.0.113.2 ─┐
  lan client 192.168.1.20 ─┘                           │               public client 198.51.100.20
                                                       ├─ internet ─┤
        public_server 203.0.113.10 ────────────────────┘   (DNS)    └─ client_router 198.51.100.2
                                                                          └─ natted client 192.168.2.20

The founding table's four cases are   server (no NAT: public_server, NAT: server)
                                    × client (no NAT: public, NAT: natted).

    natlab.py --table [--server naive] [--masquerade none]   the table, as Markdown
    natlab.py --shell NODE                                   a shell in a node of a fresh laboratory
    natlab.py client HOST PORT PASV|EPSV|PORT|EPRT...        one download each, by hand in a node

Needs root, ip, nft and dnsmasq. All addresses exist only inside the namespaces, whose names begin with
gk and the process's number; everything that was made is removed again, also when the test is ended by
a signal. As a library: `with NatLab() as lab: ...`.
"""
import argparse
import atexit
import contextlib
import ctypes
import hashlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from genkan import BUILD
from strict_client import FILE, Client, Refused

HERE = os.path.dirname(os.path.abspath(__file__))
GENKAN = os.path.join(BUILD, "genkan-ftpd")

NAME = "home.example.net"
HOME, LAN_SERVER, PUBLIC_SERVER = "203.0.113.2", "192.168.1.10", "203.0.113.10"
DNS = "192.0.2.53"
PASSIVE = "4000-4029"
NODES = ("internet", "home_router", "server", "lan", "public_server", "public", "client_router",
         "natted")
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
NETLINK_NETFILTER, NLM_F_REQUEST, NLM_F_ACK = 12, 1, 4
CT_DELETE = 1 << 8 | 2      # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
libc = ctypes.CDLL(None, use_errno=True)

# What is in each node: arguments of ip(8), one line a call.
LINKS = {
    "internet": """
        link set lo up
        addr add 192.0.2.53/32 dev lo
        link add br203 type bridge forward_delay 0 mcast_snooping 0
        link add br198 type bridge forward_delay 0 mcast_snooping 0
        addr add 203.0.113.1/24 dev br203
        addr add 198.51.100.1/24 dev br198
        link add home type veth peer name wan netns {home_router}
        link add pubserver type veth peer name eth0 netns {public_server}
        link add cust type veth peer name wan netns {client_router}
        link add pubclient type veth peer name eth0 netns {public}
        link set home master br203
        link set pubserver master br203
        link set cust master br198
        link set pubclient master br198
        link set br203 up
        link set br198 up
        link set home up
        link set pubserver up
        link set cust up
        link set pubclient up""",
    "home_router": """
        link set lo up
        link add lan type bridge forward_delay 0 mcast_snooping 0
        link add port1 type veth peer name eth0 netns {server}
        link add port2 type veth peer name eth0 netns {lan}
        link set port1 master lan
        link set port2 master lan
        addr add 203.0.113.2/24 dev wan
        addr add 192.168.1.1/24 dev lan
        link set wan up
        link set lan up
        link set port1 up
        link set port2 up
        route add default via 203.0.113.1""",
    "client_router": """
        link set lo up
        link add lan type veth peer name eth0 netns {natted}
        addr add 198.51.100.2/24 dev wan
        addr add 192.168.2.1/24 dev lan
        link set wan up
        link set lan up
        route add default via 198.51.100.1""",
}
HOSTS = {    # address, router
    "server": (LAN_SERVER, "192.168.1.1"), "lan": ("192.168.1.20", "192.168.1.1"),
    "public_server": (PUBLIC_SERVER, "203.0.113.1"), "public": ("198.51.100.20", "198.51.100.1"),
    "natted": ("192.168.2.20", "192.168.2.1"),
}
# IPv6 knows no NAT: the home's server has a global address.
LINKS6 = {
    "internet": """
        addr add 2001:db8:203::1/64 dev br203 nodad
        addr add 2001:db8:198::1/64 dev br198 nodad
        route add 2001:db8:1::/64 via 2001:db8:203::2""",
    "home_router": """
        addr add 2001:db8:203::2/64 dev wan nodad
        addr add 2001:db8:1::1/64 dev lan nodad
        route add default via 2001:db8:203::1""",
    "server": """
        addr add 2001:db8:1::10/64 dev eth0 nodad
        route add default via 2001:db8:1::1""",
    "public": """
        addr add 2001:db8:198::20/64 dev eth0 nodad
        route add default via 2001:db8:198::1""",
}
SERVER6 = "2001:db8:1::10"


def why_not():
    """Why the laboratory cannot be set up here, or None."""
    if os.geteuid() != 0:
        return "the NAT laboratory needs root"
    for tool in "ip", "nft", "dnsmasq":
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return "the NAT laboratory needs %s" % tool
    name = "gk%d-probe" % os.getpid()
    try:
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True, timeout=60)
        try:
            subprocess.run(["ip", "netns", "exec", name, "nft", "-f", "-"], check=True, timeout=60,
                           capture_output=True, text=True, input="""
                           table ip t {
                               chain c { type nat hook postrouting priority srcnat; masquerade; }
                           }""")
        finally:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True,
                           timeout=60)
    except subprocess.CalledProcessError as error:
        said = error.stderr if isinstance(error.stderr, str) else error.stderr.decode()
        return "network namespaces or nftables cannot be used here: %s" % said.strip()
    except (OSError, subprocess.SubprocessError) as error:
        return "network namespaces cannot be used here: %s" % error
    return None


# The kernel's FTP helper, as routers have it: for port 21 only.
ALG_RULES = """
table ip alg
delete table ip alg
table ip alg {
    ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
    chain prerouting {
        type filter hook prerouting priority mangle;
        tcp dport 21 ct helper set "ftp"
    }
}
"""
NO_ALG_RULES = "table ip alg\ndelete table ip alg\n"

ROUTER_RULES = """
table inet router
delete table inet router
table inet router {{
    chain prerouting {{ type nat hook prerouting priority dstnat; {dnat} }}
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        {hairpin}
        {remap}
        oifname "wan" ip saddr 192.168.0.0/16 masquerade
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
        {strict}
        ct state established,related accept
        ct status dnat accept
        iifname "lan" accept
        ip6 daddr 2001:db8:1::10 accept
    }}
}}
"""
REMAP = 'oifname "wan" ip protocol tcp masquerade to :20000-29999 random'
STRICT = 'iifname "wan" ct state related tcp sport != 20 drop'
# Nobody routes private addresses; the provider's router says so.
INTERNET_RULES = """
table ip internet {
    chain prerouting {
        type filter hook prerouting priority filter;
        ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } reject with icmp type net-unreachable
    }
}
"""
# A client whose firewall lets nothing in but data connections of FTP servers, as the textbook has it.
STRICT_CLIENT_RULES = """
table inet strict
delete table inet strict
table inet strict {
    chain input {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        ct state established accept
        tcp sport 20 accept
        meta l4proto { icmp, ipv6-icmp } accept
    }
}
"""
NO_STRICT_RULES = "table inet strict\ndelete table inet strict\n"


def wait_for(true, what, seconds=45):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("%s: not within %d s" % (what, seconds))
        time.sleep(0.01)


# ------------------------------------------------------------------ the laboratory


class Daemon:
    """A server in a node, with its log."""

    def __init__(self, lab, node, process, log):
        self.lab, self.node, self.process, self.log = lab, node, process, log

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """Ends the server and the sessions it left behind."""
        self.process.terminate()
        try:
            self.process.wait(45)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.lab.kill_all(self.node)
        if self in self.lab.daemons:
            self.lab.daemons.remove(self)


class NatLab:
    def __init__(self):
        self.pid = os.getpid()
        self.daemons, self.processes, self.made = [], [], []
        self.directory = self.dns = None
        self.wan = HOME
        self.old_handlers = {}

    # -- life

    def __enter__(self):
        atexit.register(self.close)
        for number in signal.SIGTERM, signal.SIGHUP:
            with contextlib.suppress(ValueError):   # not in the main thread
                self.old_handlers[number] = signal.signal(number, self.die)
        try:
            self.sweep()
            self.directory = tempfile.mkdtemp(prefix="natlab-")
            os.chmod(self.directory, 0o755)
            self.root = os.path.join(self.directory, "pub")
            os.mkdir(self.root)
            self.content = os.urandom(200000)
            with open(os.path.join(self.root, FILE), "wb") as file:
                file.write(self.content)
            self.make_nodes()
            self.reset()
            self.start_dns()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def die(self, number, _frame):
        self.close()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def close(self):
        """Removes all there is; may be called again, and at any point of the set-up."""
        if os.getpid() != self.pid:     # a fork of the test has nothing to remove
            return
        for node in list(self.made):
            self.kill_all(node)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for node in list(self.made):
            subprocess.run(["ip", "netns", "del", self.ns(node)], check=False,
                           stderr=subprocess.DEVNULL)
            shutil.rmtree("/etc/netns/" + self.ns(node), ignore_errors=True)
            self.made.remove(node)
        with contextlib.suppress(OSError):
            os.rmdir("/etc/netns")      # only if nobody else has anything there
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None
        for number, handler in self.old_handlers.items():
            with contextlib.suppress(ValueError):
                signal.signal(number, handler)
        self.old_handlers = {}
        atexit.unregister(self.close)

    @staticmethod
    def sweep():
        """Removes what a laboratory left that was killed outright: namespaces nobody is in."""
        for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
            match = re.fullmatch(r"gk(\d+)-\w+", name)
            if match and not os.path.exists("/proc/" + match[1]):
                pids = subprocess.run(["ip", "netns", "pids", name], check=False, text=True,
                                      capture_output=True)
                if not pids.stdout.strip():
                    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
                    shutil.rmtree("/etc/netns/" + name, ignore_errors=True)

    # -- nodes

    def ns(self, node):
        return "gk%d-%s" % (self.pid, node)

    def ip(self, node, lines, family=()):
        names = {name: self.ns(name) for name in NODES}
        subprocess.run(["ip", *family, "-n", self.ns(node), "-batch", "-"], check=True, text=True,
                       timeout=60, input=lines.format(**names) + "\n")

    def make_nodes(self):
        for node in NODES:
            subprocess.run(["ip", "netns", "add", self.ns(node)], check=True, timeout=60)
            self.made.append(node)
            os.makedirs("/etc/netns/" + self.ns(node))
            with open("/etc/netns/%s/resolv.conf" % self.ns(node), "w", encoding="ascii") as file:
                file.write("search search.example\nnameserver %s\n" % DNS)
        for node, lines in LINKS.items():
            self.ip(node, lines)
        for node, (address, router) in HOSTS.items():
            self.ip(node, "link set lo up\nlink set eth0 up\naddr add %s/24 dev eth0\n"
                    "route add default via %s" % (address, router))
        self.ipv6 = os.path.isdir("/proc/sys/net/ipv6")
        for node in "internet", "home_router", "client_router":
            self.sysctl(node, "net/ipv4/ip_forward", "1")
            self.sysctl(node, "net/ipv4/icmp_ratelimit", "0")
            if self.ipv6:
                self.sysctl(node, "net/ipv6/conf/all/forwarding", "1")
            # A bridge is a switch here: what it passes on is not the router's business.
            with contextlib.suppress(FileNotFoundError):
                self.sysctl(node, "net/bridge/bridge-nf-call-iptables", "0")
                self.sysctl(node, "net/bridge/bridge-nf-call-ip6tables", "0")
        for node, lines in LINKS6.items() if self.ipv6 else ():
            self.ip(node, lines, ["-6"])
        self.nft("internet", INTERNET_RULES)
        self.alg = self.run("internet", "nft", "--check", "-f", "-", input=ALG_RULES, text=True,
                            check=False, capture_output=True).returncode == 0

    @contextlib.contextmanager
    def inside(self, node):
        """This thread is in the node's network: sockets made here stay there."""
        with open("/proc/thread-self/ns/net", encoding="ascii") as back, \
             open("/run/netns/" + self.ns(node), encoding="ascii") as there:
            self.setns(there)
            try:
                yield
            finally:
                self.setns(back)

    @staticmethod
    def setns(file):
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def sysctl(self, node, name, value):
        with self.inside(node), open("/proc/sys/" + name, "w", encoding="ascii") as file:
            file.write(value)

    def socket_maker(self, node):
        def make_socket(family=socket.AF_INET, kind=socket.SOCK_STREAM):
            with self.inside(node):
                return socket.socket(family, kind)
        return make_socket

    def run(self, node, *argv, timeout=60, check=True, **options):
        """Runs a command in a node to its end."""
        return subprocess.run(["ip", "netns", "exec", self.ns(node), *argv], timeout=timeout,
                              check=check, **options)

    def spawn(self, node, *argv, **options):
        """Starts a command in a node; it ends with the laboratory at the latest."""
        process = subprocess.Popen(["ip", "netns", "exec", self.ns(node), *argv],
                                   stdin=options.pop("stdin", subprocess.DEVNULL),
                                   preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
                                   start_new_session=True, **options)
        self.processes.append(process)
        return process

    def pids(self, node):
        """The processes in a node, all of them children of this laboratory's."""
        done = subprocess.run(["ip", "netns", "pids", self.ns(node)], check=False, text=True,
                              capture_output=True, timeout=60)
        return [int(pid) for pid in done.stdout.split() if int(pid) != os.getpid()]

    def commands(self, node):
        """The command lines of the processes in a node."""
        lines = []
        for pid in self.pids(node):
            with contextlib.suppress(OSError), open("/proc/%d/cmdline" % pid, "rb") as file:
                lines.append(file.read().rstrip(b"\0").replace(b"\0", b" ").decode())
        return lines

    def kill_all(self, node):
        def gone():
            for pid in (pids := self.pids(node)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self.processes:
                process.poll()      # reaps
            return not pids
        with contextlib.suppress(TimeoutError):
            wait_for(gone, "the end of all processes in " + node)

    # -- routers and firewalls

    def nft(self, node, rules):
        with self.inside(node):
            subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, timeout=60)

    def alg_rules(self, wanted):
        if wanted and not self.alg:
            raise unittest.SkipTest("this kernel has no FTP helper (nf_conntrack_ftp)")
        return ALG_RULES if wanted else NO_ALG_RULES

    def home_router(self, forward=("21", "2121", PASSIVE), alg=False, hairpin=False, remap=False):
        """The home's router: forwards these TCP ports to the server. alg: has the FTP helper.
        hairpin: LAN clients may use the outside address. remap: every connection leaves from
        another port than the server's."""
        dnat = hairpins = ""
        if forward:
            ports = "tcp dport { %s } dnat ip to %s;" % (", ".join(forward), LAN_SERVER)
            dnat = 'iifname "wan" ' + ports
            if hairpin:
                dnat += ' iifname "lan" ip daddr %s %s' % (self.wan, ports)
                hairpins = 'iifname "lan" oifname "lan" ct status dnat masquerade'
        self.forwarding = {"forward": forward, "alg": alg, "hairpin": hairpin, "remap": remap}
        rules = ROUTER_RULES.format(dnat=dnat, hairpin=hairpins, remap=REMAP if remap else "",
                                    strict="")
        self.nft("home_router", rules + self.alg_rules(alg))

    def client_router(self, alg=False, strict=False):
        """The client's router. strict: of the connections that its FTP helper expects, only those from
        port 20 come in."""
        rules = ROUTER_RULES.format(dnat="", hairpin="", remap="", strict=STRICT if strict else "")
        self.nft("client_router", rules + self.alg_rules(alg))

    def client_firewall(self, strict):
        """The public client's own firewall. strict: only source port 20 comes in."""
        self.nft("public", STRICT_CLIENT_RULES if strict else NO_STRICT_RULES)

    def forget_connections(self, node):
        """Empties a router's table of connections, as `conntrack -F` does: an entry that outlives its
        connection would still decide the source port of the next one."""
        with self.inside(node), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                              NETLINK_NETFILTER) as netlink:
            netlink.settimeout(5)
            netlink.send(struct.pack("=IHHII", 20, CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
                         + bytes(4))
            error = struct.unpack("=i", netlink.recv(4096)[16:20])[0]
        if error:
            raise OSError(-error, "emptying the table of connections")

    def reset(self):
        """Everything as after the set-up: ports forwarded, no FTP helpers, no firewall."""
        for daemon in list(self.daemons):
            daemon.stop()
        self.set_wan(HOME)
        self.home_router()
        self.client_router()
        self.client_firewall(strict=False)
        for node in "home_router", "client_router":
            self.forget_connections(node)
        if self.dns:
            self.dns_silent(False)
            self.ddns(HOME)

    def set_wan(self, address):
        """The provider gives the home another address; DNS does not know of it yet."""
        if address != self.wan:
            self.ip("home_router", "addr del %s/24 dev wan\naddr add %s/24 dev wan\n"
                    "route add default via 203.0.113.1" % (self.wan, address))
            if self.ipv6:
                self.ip("home_router", "route replace default via 2001:db8:203::1", ["-6"])
            self.wan = address

    # -- DNS

    def start_dns(self):
        self.dns_hosts = os.path.join(self.directory, "ddns")
        self.dns_log = os.path.join(self.directory, "dns.log")
        self.write_hosts(HOME)
        self.dns = self.spawn(
            "internet", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
            "--no-hosts", "--addn-hosts=" + self.dns_hosts, "--local=/example.net/",
            "--listen-address=" + DNS, "--bind-interfaces", "--user=root", "--group=root", "--pid-file=",
            "--log-queries", "--log-facility=" + self.dns_log)
        wait_for(lambda: self.lookup() == HOME, "dnsmasq")

    def write_hosts(self, address):
        with open(self.dns_hosts, "w", encoding="ascii") as file:
            file.write("%s %s\n" % (address, NAME) if address else "")
        os.chmod(self.dns_hosts, 0o644)

    def dns_questions(self):
        """The names that were asked for so far, as "query[A] home.example.net"."""
        with open(self.dns_log, encoding="ascii") as log:
            return re.findall(r"(query\[\w+\] \S+) from (?!%s)" % re.escape(DNS), log.read())

    def lookup(self, name=NAME):
        """What DNS says now: an address, or None."""
        labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
        with self.socket_maker("internet")(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.3)
            sock.connect((DNS, 53))
            try:
                sock.send(struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")
                reply = sock.recv(512)
            except OSError:
                return None
        return socket.inet_ntoa(reply[-4:]) if reply[6:8] == b"\0\1" else None

    def ddns(self, address):
        """The DDNS name gets another address; None: the name is gone."""
        self.write_hosts(address)
        self.dns.send_signal(signal.SIGHUP)
        wait_for(lambda: self.lookup() == address, "the new address in DNS")

    def dns_silent(self, silent):
        """The DNS server hears the questions and does not answer."""
        self.dns.send_signal(signal.SIGSTOP if silent else signal.SIGCONT)

    # -- servers and clients

    def listens(self, process, port):
        wanted = "%04X" % port
        for table in "tcp", "tcp6":
            try:
                with open("/proc/%d/net/%s" % (process.pid, table), encoding="ascii") as lines:
                    rows = [line.split() for line in lines]
            except OSError:
                continue
            if any(row[3] == "0A" and row[1].endswith(":" + wanted) for row in rows):
                return True
        return False

    def start_server(self, node="server", ports=(21, 2121), kind="genkan", masquerade=NAME,
                     options=(), command=None):
        """Starts a server and waits until it listens. kind: genkan or naive; command: the words of
        another super-server's command line instead. options: directives for genkan-ftpd."""
        if command is None:
            command = self.command_line(kind, masquerade, options)
            for port in ports:
                command += ["--listen", str(port)] if kind == "genkan" else [str(port)]
        log = os.path.join(self.directory, "%s-%d.log" % (node, len(self.processes)))
        with open(log, "wb") as out:
            process = self.spawn(node, *command, stdout=out, stderr=out)
        daemon = Daemon(self, node, process, log)
        self.daemons.append(daemon)

        def ready():
            if process.poll() is not None:
                raise RuntimeError("the server ended: " + daemon.log_text())
            return all(self.listens(process, port) for port in ports)
        try:
            wait_for(ready, "the server in " + node)
        except BaseException:
            daemon.stop()
            raise
        return daemon

    def command_line(self, kind, masquerade, options):
        """The words that start a server; for genkan without --listen, as a super-server has them."""
        if kind == "naive":
            return [sys.executable, os.path.join(HERE, "naive_server.py"), self.root]
        run = os.path.join(self.directory, "run")
        os.makedirs(run, exist_ok=True)
        directives = ["MasqueradeAddress " + masquerade, "PassivePorts " + PASSIVE, "Anonymous on",
                      "AnonymousRoot " + self.root, "AnonymousUser nobody", "SessionUser nobody",
                      "GatewayUser nobody", "ActivePort 20", "AuthUserFile none",
                      "RunDirectory " + run, "StateDirectory none",
                      # the default is 2; DNS and routers here may be held up on a busy machine
                      "MasqueradeTimeout 20", *options]
        return [GENKAN, "-e", "-f", "/dev/null", *(w for d in directives for w in ("-o", d))]

    def client(self, node, host=None, port=21, **options):
        """A strict client in a node, connected: by default to the home's outside address."""
        return Client(host or self.wan, port, make_socket=self.socket_maker(node), **options)

    def attempt(self, node, mode, host=None, port=21, **options):
        """One session with one download. Returns "ok" or what failed, in a few words."""
        replies = ["no greeting"]
        try:
            with self.client(node, host, port, **options) as client:
                replies = client.replies
                client.login()
                got = client.retrieve(mode)
        except Refused as refused:
            return str(refused).splitlines()[0]
        except OSError as error:
            last = re.sub(r"(227 .*\d,\d+,\d+),\d+,\d+\)", r"\1,p1,p2)", replies[-1].splitlines()[0])
            return "%s; last reply: %s" % (error.strerror or error, last)
        if hashlib.sha256(got).digest() != hashlib.sha256(self.content).digest():
            return "wrong content"
        return "ok"


# ----------------------------------------------------------------------- the table

MODES = ("PORT", "PASV", "EPSV", "EPRT")
CASES = {   # server node, its address, client node
    1: ("public_server", PUBLIC_SERVER, "public"),
    2: ("public_server", PUBLIC_SERVER, "natted"),
    3: ("server", HOME, "public"),
    4: ("server", HOME, "natted"),
}


def table(lab, kind, masquerade):
    """Prints the founding table, measured."""
    lab.start_server("public_server", kind=kind, masquerade="none")
    lab.start_server("server", kind=kind, masquerade=masquerade)
    legend = []
    print("| case | server NAT | client NAT | server's router ALG | client's router ALG | port | "
          + " | ".join(MODES) + " |")
    print("|---" * (6 + len(MODES)) + "|")

    def row(first, client, host, port):
        cells = []
        for mode in MODES:
            outcome = lab.attempt(client, mode, host, port, data_timeout=4)
            if outcome != "ok" and outcome not in legend:
                legend.append(outcome)
            cells.append("ok" if outcome == "ok" else "**fails** (%d)" % (legend.index(outcome) + 1))
        print("| " + " | ".join([*first, str(port), *cells]) + " |", flush=True)

    def alg(there, on):
        return "-" if not there else "on" if on else "off"

    for case, (_, host, client) in CASES.items():
        server_nat, client_nat = case > 2, case in (2, 4)
        for server_alg in (False, True) if server_nat and lab.alg else (False,):
            lab.home_router(alg=server_alg)
            for client_alg in (False, True) if client_nat and lab.alg else (False,):
                lab.client_router(alg=client_alg)
                for port in 21, 2121:
                    row([str(case), "yes" if server_nat else "no", "yes" if client_nat else "no",
                         alg(server_nat, server_alg), alg(client_nat, client_alg)],
                        client, host, port)
    lab.home_router()
    for port in 21, 2121:
        row(["LAN client", "-", "-", "-", "-"], "lan", LAN_SERVER, port)
    lab.home_router(hairpin=True)
    row(["LAN client, to the outside address (hairpin)", "-", "-", "off", "-"], "lan", HOME, 21)
    if not lab.alg:
        print("\nThis kernel has no FTP helper (ALG).")
    for number, outcome in enumerate(legend, 1):
        print("\n(%d) %s" % (number, outcome))


def run_client(host, port, modes):
    failed = False
    for mode in modes:
        try:
            with Client(host, int(port)) as client:
                client.login()
                got = client.retrieve(mode)
                print("%s: ok, %d bytes, data connection with %s port %d" %
                      (mode, len(got), *client.data_peer))
        except (Refused, OSError) as error:
            failed = True
            print("%s: %s" % (mode, error))
    return 1 if failed else 0


def main():
    if sys.argv[1:2] == ["client"] and len(sys.argv) > 4:
        return run_client(sys.argv[2], sys.argv[3], sys.argv[4:])
    parser = argparse.ArgumentParser(description="NAT laboratory in network namespaces")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--table", action="store_true", help="measure and print the table of cases")
    what.add_argument("--shell", metavar="NODE", choices=NODES, help="a shell in a node, with a server")
    parser.add_argument("--server", choices=("genkan", "naive"), default="genkan")
    parser.add_argument("--masquerade", default=NAME, metavar="none|NAME|ADDRESS")
    args = parser.parse_args()
    if why := why_not():
        print(why, file=sys.stderr)
        return 77
    with NatLab() as lab:
        if args.table:
            table(lab, args.server, args.masquerade)
        else:
            lab.start_server(kind=args.server, masquerade=args.masquerade)
            lab.run(args.shell, os.environ.get("SHELL", "/bin/sh"), check=False, timeout=None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
