"""genkan-ftpd-gateway against NAT-PMP and PCP routers of this test's own, on loopback (127.83.1.1)."""
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from test_gateway import GATEWAY, gateway

ROUTER = "127.83.1.1"


class Router:
    """Answers each packet with what respond(packet) gives: bytes, a list of them, or None."""

    def __init__(self, respond):
        self.respond, self.asked = respond, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ROUTER, 5351))
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.socket.sendto(b"", (ROUTER, 5351))
        self.thread.join(5)
        self.socket.close()

    def serve(self):
        while True:
            packet, peer = self.socket.recvfrom(2048)
            if not packet:
                return
            self.asked.append(packet)
            got = self.respond(packet)
            for reply in [] if got is None else got if isinstance(got, list) else [got]:
                self.socket.sendto(reply, peer)


def natpmp(address="203.0.113.2", external=None, seconds=None, result=0):
    """A router that speaks NAT-PMP."""
    def respond(packet):
        if packet[1] == 0:
            return struct.pack(">BBHI", 0, 128, result, 9) + socket.inet_aton(address)
        _, _, _, port, suggested, wanted = struct.unpack(">BBHHHI", packet)
        if wanted == 0:
            return struct.pack(">BBHIHHI", 0, 130, result, 9, port, 0, 0)
        return struct.pack(">BBHIHHI", 0, 130, result, 9, port, external or suggested,
                           seconds or wanted)
    return respond


def pcp(address="203.0.113.2"):
    """A router that speaks PCP alone."""
    def respond(packet):
        if packet[0] != 2:
            return struct.pack(">BBBBII", 2, 128 | packet[1], 0, 1, 0, 9) + bytes(12)
        return (struct.pack(">BBBB", 2, 128 | packet[1], 0, 0) + packet[4:8] + struct.pack(">I", 9)
                + bytes(12) + packet[24:44] + bytes(10) + b"\xff\xff" + socket.inet_aton(address))
    return respond


@unittest.skipUnless(os.access(GATEWAY, os.X_OK), "no %s (set GENKAN_BUILD)" % GATEWAY)
class RouterTest(unittest.TestCase):
    def ask(self, respond, *args):
        with Router(respond) as router:
            status, out, self.took = gateway("-g", ROUTER, "-t", "600", *args)
        self.asked = router.asked
        self.assertEqual(status, 0)
        return out.splitlines()

    def test_natpmp_tells_the_address(self):
        self.assertEqual(self.ask(natpmp(), "natpmp"), ["address 203.0.113.2 natpmp"])
        self.assertEqual(self.asked, [b"\0\0"])

    def test_a_router_that_speaks_pcp_alone_is_asked_in_pcp(self):
        self.assertEqual(self.ask(pcp(), "natpmp"), ["address 203.0.113.2 natpmp"])
        self.assertEqual([len(p) for p in self.asked[:2]], [2, 60])

    def test_addresses_that_are_not_public_are_never_announced(self):
        for address, words in (("10.1.2.3", "second router"), ("100.64.9.9", "provider"),
                               ("127.0.0.1", ""), ("0.0.0.0", "no address"), ("224.0.0.1", "")):
            with self.subTest(address):
                line, = self.ask(natpmp(address), "natpmp")
                self.assertTrue(line.startswith("failed "), line)
                self.assertIn(words, line)

    def test_silence_costs_the_deadline_and_is_asked_again(self):
        line, = self.ask(lambda packet: None, "natpmp")
        self.assertIn("did not answer", line)
        self.assertGreater(self.took, 0.55)
        self.assertLess(self.took, 5)
        self.assertEqual(len(self.asked), 2)

    def test_nobody_at_the_port_is_told_at_once(self):
        _, out, took = gateway("-g", ROUTER, "-t", "20000", "natpmp")
        self.assertIn("does not speak NAT-PMP", out)
        self.assertLess(took, 10)

    def test_garbage_and_refusals(self):
        rows = (b"\x01", bytes(12), b"\0\x82" + bytes(14), b"\xff" * 1100)
        line, = self.ask(lambda packet: list(rows), "natpmp")
        self.assertIn("did not answer", line)
        line, = self.ask(natpmp(result=2), "natpmp")
        self.assertTrue(line.startswith("failed ") or "refuses" in line, line)

    def test_the_first_source_in_order_wins_and_failures_are_noted(self):
        out = self.ask(lambda packet: None, "natpmp", "198.51.100.7")
        self.assertEqual(out[-1], "address 198.51.100.7 198.51.100.7")
        self.assertTrue(out[0].startswith("note natpmp: "), out)

    def test_the_last_known_good_is_kept(self):
        with tempfile.TemporaryDirectory() as directory:
            fd = os.open(directory, os.O_RDONLY)
            try:
                def run(*args):
                    return subprocess.run([GATEWAY, "-g", ROUTER, "-t", "300", "-s", str(fd), *args],
                                          pass_fds=[fd], stdin=subprocess.DEVNULL, check=True,
                                          capture_output=True, text=True, timeout=20).stdout
                with Router(natpmp()):
                    run("natpmp")
                self.assertRegex(run("natpmp"), r"^cached 203\.0\.113\.2 \d+ the router ")
                self.assertTrue(run("-a", "0", "natpmp").startswith("failed "))
                self.assertEqual(os.listdir(directory), ["address"])
                path = os.path.join(directory, "address")
                with open(path, "w", encoding="ascii") as file:
                    file.write("203.0.113.2 %d natpmp\n" % (time.time() - 90000))
                self.assertTrue(run("natpmp").startswith("failed "))
                os.remove(path)     # a link is not followed
                with open(os.path.join(directory, "else"), "w", encoding="ascii") as file:
                    file.write("203.0.113.2 %d natpmp\n" % time.time())
                os.symlink("else", path)
                self.assertTrue(run("natpmp").startswith("failed "))
            finally:
                os.close(fd)

    def serve(self, respond, lines, method="natpmp"):
        with Router(respond) as router:
            done = subprocess.run([GATEWAY, "-g", ROUTER, "-t", "600", "-m", method],
                                  input=lines, capture_output=True, text=True, timeout=20, check=True)
        self.asked = router.asked
        return done.stdout.splitlines()

    def test_a_mapping_has_the_port_that_the_router_gave_and_is_taken_back_at_the_end(self):
        for respond, method in ((natpmp(external=5001), "natpmp"), (pcp(), "pcp")):
            with self.subTest(method):
                out = self.serve(respond, "map 4001 60\nlist\n")
                external = 5001 if method == "natpmp" else 4001
                self.assertEqual(out, ["ready", "mapped 4001 %d 203.0.113.2 60 %s" % (external, method),
                                       "mapping 4001 %d %s 60 ours" % (external, method), "end"])
                last = self.asked[-1]
                self.assertEqual(last[4:8] if last[0] == 2 else last[8:12], bytes(4))

    def test_leave_takes_nothing_back(self):
        self.serve(natpmp(), "map 4001 60\nleave\n")
        self.assertNotEqual(self.asked[-1][8:12], bytes(4))

    def test_a_refused_mapping_and_nonsense_are_told(self):
        out = self.serve(natpmp(result=2), "map 4001 60\nmap 0 60\nnonsense\n")
        self.assertEqual(out[1][:14], "unmapped 4001 ")
        self.assertIn("refuses", out[1])
        self.assertEqual(out[2:], ["note not understood: map 0 60", "note not understood: nonsense"])


if __name__ == "__main__":
    unittest.main()
