"""genkan-ftpd-gateway against DNS servers of this test's own, on loopback.

Where an answer is to come the deadline is far: a question is sent again when a fifth of the time is
over, and these servers may be held up on a busy machine.

The program is looked for in $GENKAN_BUILD (default: build/).
"""
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from genkan import BUILD

GATEWAY = os.path.join(BUILD, "genkan-ftpd-gateway")

A, CNAME, SOA, AAAA = 1, 5, 6, 28
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
NAME = "home.example.net"
FAR = ("-t", "30000")
FARTHEST = ("-t", "60000")
AT_ONCE = 45    # seconds: sooner than that


def encode_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1"))
        at += 1 + message[at]
    return ".".join(labels), at + 1


def record(name, rtype, data, ttl=60):
    return encode_name(name) + struct.pack(">HHIH", rtype, 1, ttl, len(data)) + data


def a(name, address):
    return record(name, A, socket.inet_aton(address))


def cname(name, target):
    return record(name, CNAME, encode_name(target))


class Question:
    def __init__(self, message, transport):
        self.message, self.transport = message, transport
        self.id, self.flags = struct.unpack(">HH", message[:4])
        self.name, at = decode_name(message, 12)
        self.type, self.klass = struct.unpack(">HH", message[at:at + 4])
        self.section = message[12:at + 4]

    def answer(self, *records, rcode=NOERROR, truncated=False, qid=None, section=None):
        flags = 0x8180 | rcode | (0x0200 if truncated else 0)
        return struct.pack(">HHHHHH", self.id if qid is None else qid, flags, 1, len(records),
                           0, 0) + (section or self.section) + b"".join(records)


class DNSServer:
    """Answers each question with what respond(question) gives: one message, a list of
    messages, or None. All questions are kept in .asked."""

    def __init__(self, respond, address="127.0.0.1", port=0):
        self.respond, self.asked = respond, []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(50):     # the same free port for both
            self.tcp.bind((address, port))
            try:
                self.udp.bind(self.tcp.getsockname())
                break
            except OSError:
                self.tcp.close()
                self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.listen(5)
        self.address = "%s:%d" % self.tcp.getsockname()
        self.threads = [threading.Thread(target=run, daemon=True)
                        for run in (self.serve_udp, self.serve_tcp)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        for sock in self.udp, self.tcp:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(5)
        self.udp.close()
        self.tcp.close()

    def replies(self, message, transport):
        question = Question(message, transport)
        self.asked.append(question)
        got = self.respond(question)
        return [] if got is None else got if isinstance(got, list) else [got]

    def serve_udp(self):
        while True:
            try:
                message, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if not message:
                return
            for reply in self.replies(message, "udp"):
                self.udp.sendto(reply, peer)

    def serve_tcp(self):
        while True:
            try:
                conn, _ = self.tcp.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(5)
                head = conn.recv(2, socket.MSG_WAITALL)
                if len(head) == 2:
                    message = conn.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                    for reply in self.replies(message, "tcp"):
                        conn.sendall(struct.pack(">H", len(reply)) + reply)


def gateway(*args, env=None, prefix=(), deadline=FAR):
    """Runs the program; returns (status, standard output, seconds it took). A -t in args counts
    instead of the deadline."""
    began = time.monotonic()
    done = subprocess.run([*prefix, GATEWAY, *deadline, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90,
                          env=env, check=False)
    return done.returncode, done.stdout.decode(), time.monotonic() - began


@unittest.skipUnless(os.access(GATEWAY, os.X_OK), "no %s (set GENKAN_BUILD)" % GATEWAY)
class GatewayTest(unittest.TestCase):
    def ask(self, respond, *args, name=NAME, **options):
        with DNSServer(respond) as server:
            status, out, self.took = gateway(*args, "-r", server.address, name, **options)
        self.asked = server.asked
        self.assertEqual(status, 0)
        self.assertTrue(out.endswith("\n"), repr(out))
        *self.notes, line = out.splitlines()
        self.assertTrue(all(note.startswith("note ") for note in self.notes), repr(out))
        return line

    def assert_failed(self, line, *words):
        self.assertTrue(line.startswith("failed "), line)
        for word in words:
            self.assertIn(word, line)

    def test_one_address(self):
        self.assertEqual(self.ask(lambda q: q.answer(a(NAME, "203.0.113.2"))),
                         "address 203.0.113.2 " + NAME)

    def test_asks_once_for_one_absolute_name_class_in_type_a(self):
        self.ask(lambda q: q.answer(a(NAME, "203.0.113.2")))
        self.assertEqual([(q.name, q.type, q.klass, q.transport) for q in self.asked],
                         [(NAME, A, 1, "udp")])
        self.assertTrue(self.asked[0].flags & 0x0100, "recursion desired")

    def test_of_several_addresses_the_lowest(self):
        several = ["203.0.113.200", "203.0.113.9", "203.0.113.10", "198.51.100.77"]
        for order in several, several[::-1]:
            line = self.ask(lambda q, order=order: q.answer(*[a(NAME, x) for x in order]))
            self.assertEqual(line, "address 198.51.100.77 " + NAME)
            self.assertIn("4 addresses", self.notes[0])

    def test_a_private_address_among_public_ones_is_passed_over(self):
        line = self.ask(lambda q: q.answer(a(NAME, "10.0.0.1"), a(NAME, "203.0.113.2")))
        self.assertEqual(line, "address 203.0.113.2 " + NAME)

    def test_follows_a_chain_of_cnames(self):
        line = self.ask(lambda q: q.answer(cname(NAME, "one.example.org"),
                                           cname("one.example.org", "two.example.com"),
                                           a("two.example.com", "203.0.113.2")))
        self.assertEqual(line, "address 203.0.113.2 " + NAME)
        self.assertEqual(len(self.asked), 1)

    def test_a_final_dot_is_taken(self):
        line = self.ask(lambda q: q.answer(a(NAME, "203.0.113.2")), name=NAME + ".")
        self.assertEqual(line, "address 203.0.113.2 %s." % NAME)

    def test_name_that_does_not_exist(self):
        line = self.ask(lambda q: q.answer(rcode=NXDOMAIN), *FARTHEST)
        self.assert_failed(line, NAME, "does not exist")
        self.assertLess(self.took, AT_ONCE)
        self.assertEqual({q.name for q in self.asked}, {NAME})

    def test_name_with_no_ipv4_address_is_not_asked_for_ipv6(self):
        def respond(q):
            if q.type == AAAA:
                return q.answer(record(NAME, AAAA, socket.inet_pton(socket.AF_INET6, "2001:db8::1")))
            return q.answer()
        self.assert_failed(self.ask(respond), NAME, "no IPv4 address")
        self.assertEqual({q.type for q in self.asked}, {A})

    def test_no_search_list_and_no_variables_from_the_environment(self):
        aliases = tempfile.NamedTemporaryFile("w", suffix=".aliases")
        self.addCleanup(aliases.close)
        aliases.write("home wrong.example.org\n")
        aliases.flush()
        env = dict(os.environ, LOCALDOMAIN="search.example", RES_OPTIONS="ndots:9",
                   HOSTALIASES=aliases.name)
        line = self.ask(lambda q: q.answer(rcode=NXDOMAIN), name="home", env=env)
        self.assert_failed(line, "home does not exist")
        self.assertEqual({q.name for q in self.asked}, {"home"})

    def test_server_failures_are_told(self):
        for rcode in SERVFAIL, REFUSED, NOTIMP:
            with self.subTest(rcode=rcode):
                line = self.ask(lambda q, rcode=rcode: q.answer(rcode=rcode), *FARTHEST)
                self.assert_failed(line, NAME)
                self.assertLess(self.took, AT_ONCE)

    def test_silent_server_costs_the_deadline_and_no_more(self):
        line = self.ask(lambda q: None, "-t", "1500")
        self.assert_failed(line, NAME, "within 1500 ms")
        self.assertGreater(self.took, 1.45)
        self.assertLess(self.took, AT_ONCE)
        self.assertGreater(len(self.asked), 1, "the question is sent again")

    def test_default_deadline_is_two_seconds(self):
        self.assert_failed(self.ask(lambda q: None, deadline=()), "within 2000 ms")
        self.assertGreater(self.took, 1.9)
        self.assertLess(self.took, AT_ONCE)

    def test_answer_that_comes_late_but_in_time_is_taken(self):
        def slow(q):
            if len(server.asked) == 1:     # the first question alone is answered
                select.select([server.udp], [], [], AT_ONCE)   # when it has been sent again
                return q.answer(a(NAME, "203.0.113.2"))
            return None
        with DNSServer(slow) as server:
            status, out, _ = gateway("-t", "10000", "-r", server.address, NAME)
        self.assertEqual((status, out), (0, "address 203.0.113.2 %s\n" % NAME))

    def test_second_server_is_asked_when_the_first_is_silent(self):
        with DNSServer(lambda q: None) as one, \
             DNSServer(lambda q: q.answer(a(NAME, "203.0.113.2"))) as two:
            status, out, _ = gateway("-t", "10000", "-r", one.address, "-r", two.address, NAME)
        self.assertEqual((status, out), (0, "address 203.0.113.2 %s\n" % NAME))

    def test_second_server_is_asked_when_the_first_is_not_there(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
            hole.bind(("127.0.0.1", 0))
            nobody = "127.0.0.1:%d" % hole.getsockname()[1]
        with DNSServer(lambda q: q.answer(a(NAME, "203.0.113.2"))) as two:
            status, out, took = gateway(*FARTHEST, "-r", nobody, "-r", two.address, NAME)
        self.assertEqual((status, out), (0, "address 203.0.113.2 %s\n" % NAME))
        self.assertLess(took, AT_ONCE)

    def test_no_server_there_is_told_at_once(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
            hole.bind(("127.0.0.1", 0))
            nobody = "127.0.0.1:%d" % hole.getsockname()[1]
        status, out, took = gateway(*FARTHEST, "-r", nobody, NAME)
        self.assertEqual(status, 0)
        self.assert_failed(out[:-1], NAME)
        self.assertLess(took, AT_ONCE)

    def test_addresses_that_are_not_public_are_refused_with_advice(self):
        rows = [("192.168.1.10", "private"), ("10.1.2.3", "private"), ("172.16.0.1", "private"),
                ("127.0.0.1", ""), ("0.0.0.0", ""), ("100.64.9.9", "provider"),
                ("169.254.1.1", ""), ("224.0.0.5", ""), ("255.255.255.255", "")]
        for address, word in rows:
            with self.subTest(address=address):
                line = self.ask(lambda q, address=address: q.answer(a(NAME, address)))
                self.assert_failed(line, "%s is %s, " % (NAME, address), ": ", word)
                self.assertLess(len(line), 200, "a name of usual length leaves room for the advice")

    def test_truncated_answer_is_asked_for_again_by_tcp(self):
        def respond(q):
            if q.transport == "udp":
                return q.answer(truncated=True)
            return q.answer(*[a(NAME, "203.0.113.%d" % n) for n in range(1, 201)])
        self.assertEqual(self.ask(respond), "address 203.0.113.1 " + NAME)
        self.assertEqual([q.transport for q in self.asked], ["udp", "tcp"])

    def test_garbage_is_survived(self):
        rows = {
            "no header": lambda q: b"\x01",
            "zeros": lambda q: bytes(64),
            "ones": lambda q: b"\xff" * 512,
            "cut inside the record": lambda q: q.answer(a(NAME, "203.0.113.2"))[:-3],
            "a record longer than the message":
                lambda q: q.answer(encode_name(NAME) + struct.pack(">HHIH", A, 1, 60, 60000)),
            "compression loop":
                lambda q: q.answer(b"\xc0\x22" * 8 + struct.pack(">HHIH", A, 1, 60, 4) + b"abcd"),
            "address of six bytes": lambda q: q.answer(record(NAME, A, b"abcdef")),
        }
        for what, respond in rows.items():
            with self.subTest(what):
                self.assert_failed(self.ask(respond, "-t", "300"), NAME)

    def test_garbage_before_the_answer_does_not_hide_it(self):
        line = self.ask(lambda q: [b"\x01", bytes(40), q.answer(a(NAME, "203.0.113.2"))])
        self.assertEqual(line, "address 203.0.113.2 " + NAME)

    def test_answer_to_another_question_is_not_taken(self):
        def respond(q):
            other = encode_name("other.example.net") + struct.pack(">HH", A, 1)
            return [q.answer(a(NAME, "198.51.100.1"), qid=q.id ^ 0x5555),
                    q.answer(a("other.example.net", "198.51.100.1"), section=other)]
        self.assert_failed(self.ask(respond, "-t", "300"), NAME)

    def test_usage_errors(self):
        for args in ([], ["-m", "x", NAME], ["-s", "99", NAME], ["-t", "0", NAME], ["-t", "soon", NAME],
                     ["-t", "70000", NAME], ["-r", "nonsense", NAME], ["-r", "", NAME],
                     ["-x", NAME], [""], ["two words"], ["tab\tname"], ["new\nline"],
                     ["a" * 300]):
            with self.subTest(args=args):
                status, out, _ = gateway(*args)
                self.assertEqual((status, out), (64, ""))

    def test_name_that_dns_cannot_hold_is_told(self):
        self.assert_failed(self.ask(lambda q: None, name="a..b"), "a..b", "not a host name")
        self.assert_failed(self.ask(lambda q: None, name="x" * 64 + ".net"), "not a host name")
        self.assertEqual(self.asked, [])

    def test_line_has_at_most_256_bytes(self):
        name = ".".join(["n" * 60] * 4)
        for respond in (lambda q: q.answer(a(name, "192.168.1.10")), lambda q: q.answer()):
            line = self.ask(respond, name=name)
            self.assertEqual(line[:50], "failed " + name[:43])
            self.assertLess(len(line), 256)

    def start_waiting(self, server, *args):
        process = subprocess.Popen([GATEWAY, *args, "-r", server.address, NAME],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + AT_ONCE
        while not server.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertTrue(server.asked, "the question was not sent")
        return process

    def test_ends_when_nobody_waits_for_the_answer(self):
        with DNSServer(lambda q: None) as server:
            process = self.start_waiting(server, "-t", "60000")
            process.stdout.close()
            self.assertEqual(process.wait(AT_ONCE), 0)

    def test_waits_behind_walls(self):
        with open(GATEWAY, "rb") as binary:
            sanitized = b"__asan_init" in binary.read()
        with DNSServer(lambda q: None) as server:
            process = self.start_waiting(server, "-t", "60000")
            with open("/proc/%d/status" % process.pid, encoding="ascii") as status:
                fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
            with open("/proc/%d/limits" % process.pid, encoding="ascii") as limits:
                limits = limits.read()
            descriptors = os.listdir("/proc/%d/fd" % process.pid) if os.geteuid() == 0 else []
            process.kill()
            process.stdout.close()
        self.assertEqual(fields["NoNewPrivs"], "1")
        if not sanitized:
            self.assertEqual(fields["Seccomp"], "2")
        self.assertRegex(limits, r"Max core file size +0 +0")
        self.assertRegex(limits, r"Max processes +0 +0")
        self.assertLessEqual(len(descriptors), 3 + 2)

    def in_own_mount_namespace(self, files):
        """A command prefix under which path has the text of files[path]."""
        if os.geteuid() != 0:
            self.skipTest("needs root: a mount namespace of its own")
        script = ""
        for path, text in files.items():
            file = tempfile.NamedTemporaryFile("w")
            self.addCleanup(file.close)
            file.write(text)
            file.flush()
            script += "mount --bind %s %s && " % (file.name, os.path.realpath(path))
        prefix = ["unshare", "--mount", "sh", "-c", script + 'exec "$@"', "sh"]
        try:
            subprocess.run([*prefix, "true"], check=True, timeout=AT_ONCE, capture_output=True)
        except (OSError, subprocess.SubprocessError) as error:
            self.skipTest("no mount namespace: %s" % error)
        return prefix

    def test_hosts_file_does_not_count(self):
        prefix = self.in_own_mount_namespace({"/etc/hosts": "198.51.100.1 %s\n" % NAME})
        with DNSServer(lambda q: q.answer(a(NAME, "203.0.113.2"))) as server:
            _, out, _ = gateway("-r", server.address, NAME, prefix=prefix)
        self.assertEqual(out, "address 203.0.113.2 %s\n" % NAME)

    def test_servers_come_from_resolv_conf_but_its_search_list_does_not_count(self):
        prefix = self.in_own_mount_namespace(
            {"/etc/resolv.conf": "search search.example\nnameserver 127.83.0.53\n"
                                 "options ndots:5 rotate\n"})

        def respond(q):
            return q.answer(a("home", "203.0.113.2")) if q.name == "home" else q.answer(rcode=NXDOMAIN)
        try:
            server = DNSServer(respond, "127.83.0.53", 53)
        except OSError as error:
            self.skipTest("port 53 cannot be had: %s" % error)
        with server:
            _, out, _ = gateway("home", prefix=prefix)
        self.assertEqual(out, "address 203.0.113.2 home\n")
        self.assertEqual([q.name for q in server.asked], ["home"])


if __name__ == "__main__":
    sys.exit(unittest.main())
