"""PortMapping with a real router, miniupnpd, in the laboratory of natlab.py: a home whose router forwards
the control port alone, and opens each passive port when it is asked to.
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

import natlab
from genkan import BUILD
from natlab import LAN_SERVER
from test_natlab import LabTest

UPNPD = os.path.join(BUILD, "super-servers", "usr", "sbin", "miniupnpd")
GATEWAY = os.path.join(BUILD, "genkan-ftpd-gateway")

# miniupnpd opens nothing where it takes its outside address for a private one, and the addresses for
# documentation count as such.
OUTSIDE = "45.45.45.2"

CHAINS = """
table inet upnp
delete table inet upnp
table inet upnp {
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
    chain forward { type filter hook forward priority filter; policy accept; jump miniupnpd; }
    chain prerouting { type nat hook prerouting priority dstnat; jump prerouting_miniupnpd; }
    chain postrouting { type nat hook postrouting priority srcnat; jump postrouting_miniupnpd; }
}
"""
CONFIGURATION = """
ext_ifname=wan
ext_ip=%s
listening_ip=lan
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
min_lifetime=2
max_lifetime=86400
uuid=11111111-2222-3333-4444-555555555555
lease_file=%s
upnp_table_name=upnp
upnp_nat_table_name=upnp
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow 1024-65535 192.168.1.0/24 1024-65535
"""

# A packet to it ends the helper of PcpTest.
END_PORT = 9


@unittest.skipUnless(os.access(UPNPD, os.X_OK), "miniupnpd has not been unpacked (test/run does it)")
class MappingTest(LabTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.ip("internet", "route add %s/32 via %s" % (OUTSIDE, natlab.HOME))
        cls.lab.ip("home_router", "addr add %s/32 dev wan" % OUTSIDE)

    def setUp(self):
        super().setUp()
        self.lab.home_router(forward=("21", "2121"))
        self.lab.nft("home_router", CHAINS)
        self.state = tempfile.mkdtemp(prefix="genkan-state-")
        os.chmod(self.state, 0o755)
        self.addCleanup(shutil.rmtree, self.state)
        self.start_router()

    def start_router(self):
        conf = os.path.join(self.state, "miniupnpd.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(CONFIGURATION % (OUTSIDE, os.path.join(self.state, "leases")))
        router = self.lab.spawn("home_router", UPNPD, "-d", "-f", conf,
                                "-P", os.path.join(self.state, "pid"), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        self.addCleanup(router.wait, 45)
        self.addCleanup(router.terminate)
        natlab.wait_for(self.router_answers, "miniupnpd")

    def router_answers(self):
        with self.lab.socket_maker("server")(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.2)
            sock.connect(("192.168.1.1", 5351))
            try:
                sock.send(b"\0\0")      # RFC 6886 section 3.2
                return sock.recv(64)[8:12] == socket.inet_aton(OUTSIDE)
            except OSError:
                return False

    def mapped(self):
        """The ports that the router forwards because it was asked to."""
        done = self.lab.run("home_router", "nft", "list", "chain", "inet", "upnp",
                            "prerouting_miniupnpd", capture_output=True, text=True)
        return [int(port) for port in re.findall(r"dport (\d+)", done.stdout)]

    def find_upnp(self):
        """What genkan-ftpd-gateway -i does for a home, with the state that the server will use."""
        directory = os.path.join(self.state, "gateway")
        os.mkdir(directory, 0o700)
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            done = self.lab.run("server", GATEWAY, "-i", "-s", str(fd), "-t", "20000", pass_fds=[fd],
                                capture_output=True, text=True)
        finally:
            os.close(fd)
        self.assertRegex(done.stdout, r"(?m)^upnp yes http://192\.168\.1\.1:")
        os.chown(directory, 65534, 65534)
        for name in os.listdir(directory):
            os.chown(os.path.join(directory, name), 65534, 65534)

    def assert_downloads(self, mapping, masquerade="none"):
        daemon = self.serve(masquerade=masquerade, options=["PortMapping " + mapping,
                                                            "StateDirectory " + self.state])
        for node in "public", "natted":         # cases 3 and 4
            for mode in "PASV", "EPSV":
                for port in 21, 2121:
                    with self.subTest(node=node, mode=mode, port=port):
                        self.assertEqual(self.lab.attempt(node, mode, OUTSIDE, port), "ok",
                                         daemon.log_text())
        natlab.wait_for(lambda: not self.mapped(), "the end of all mappings")

    def test_without_mapping_no_data_comes_in(self):
        self.serve(masquerade=OUTSIDE)
        for mode in "PASV", "EPSV":
            self.assertNotEqual(self.lab.attempt("public", mode, OUTSIDE, data_timeout=1.5), "ok")

    def test_natpmp_opens_the_door_in_cases_3_and_4(self):
        self.assert_downloads("natpmp")

    def test_natpmp_tells_the_address_as_well(self):
        self.assert_downloads("natpmp", masquerade="natpmp")

    def test_upnp_opens_the_door_in_cases_3_and_4(self):
        self.find_upnp()
        self.assert_downloads("upnp")

    def test_auto_opens_the_door_in_cases_3_and_4(self):
        self.assert_downloads("auto", masquerade=OUTSIDE)

    def test_exactly_one_port_is_open_while_it_is_announced(self):
        self.serve(masquerade="none", options=["PortMapping natpmp"])
        with self.lab.client("public", OUTSIDE) as client:
            client.login()
            self.assertEqual(self.mapped(), [])
            for _ in range(3):
                host, port = client.passive()
                self.assertEqual(host, OUTSIDE)
                natlab.wait_for(lambda port=port: self.mapped() == [port], "the mapping of one port")
            self.assertEqual(client.retrieve("EPSV"), self.lab.content)
            natlab.wait_for(lambda: not self.mapped(), "the end of the mapping")

    def test_mapping_ends_with_a_killed_monitor(self):
        self.serve(masquerade="none", options=["PortMapping natpmp"])
        with self.lab.client("public", OUTSIDE) as client:
            client.login()
            client.passive()
            self.assertEqual(len(self.mapped()), 1)
            for pid in self.lab.pids("server"):
                # one that follows another may have gone already
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    with open("/proc/%d/comm" % pid, encoding="ascii") as name:
                        if name.read().strip() == "genkan-ftpd":
                            os.kill(pid, signal.SIGKILL)
            natlab.wait_for(lambda: not self.mapped(), "the end of the mapping")

    def test_lan_clients_ask_the_router_for_nothing(self):
        self.serve(masquerade="none", options=["PortMapping natpmp"])
        with self.lab.client("lan", LAN_SERVER) as client:
            client.login()
            self.assertEqual(client.passive()[0], LAN_SERVER)
            self.assertEqual(self.mapped(), [])
            self.assertNotIn("gateway", " ".join(self.lab.commands("server")))

    def test_router_that_is_gone_is_told_in_the_log(self):
        daemon = self.serve(masquerade=OUTSIDE, options=["PortMapping natpmp", "MasqueradeTimeout 1"])
        self.lab.nft("home_router", """
            table inet deaf
            delete table inet deaf
            table inet deaf {
                chain input { type filter hook input priority filter; udp dport 5351 drop; }
            }""")
        self.addCleanup(self.lab.nft, "home_router", "delete table inet deaf")
        with self.lab.client("public", OUTSIDE) as client:
            client.login()
            self.assertEqual(client.passive()[0], OUTSIDE)
        self.assertRegex(daemon.log_text(), "the router does not forward port")


class PcpTest(MappingTest):
    """The same router as one that speaks PCP alone: questions in NAT-PMP's words never reach it, and
    are answered as RFC 6886 section 3.5 has it: unsupported version."""

    def setUp(self):
        super().setUp()
        self.lab.nft("home_router", """
            table inet pcp
            delete table inet pcp
            table inet pcp {
                chain input {
                    type filter hook input priority filter;
                    udp dport 5351 @th,64,8 0 counter drop
                }
            }""")
        self.addCleanup(self.lab.nft, "home_router", "delete table inet pcp")
        with self.lab.inside("home_router"):
            self.ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.ear.bind(("lan", 0x0800))
            self.mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.refused = 0
        answering = threading.Thread(target=self.refuse_natpmp)
        answering.start()
        for close in self.ear.close, self.mouth.close, answering.join, self.end_refusing:
            self.addCleanup(close)

    def end_refusing(self):
        with self.lab.socket_maker("server")(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", ("192.168.1.1", END_PORT))

    def refuse_natpmp(self):
        """Answers packets of version 0 until one comes that ends it."""
        while True:
            packet = self.ear.recv(2048)
            start = (packet[0] & 15) * 4
            to_port, = struct.unpack_from("!H", packet, start + 2)
            if packet[9] != 17 or to_port not in (5351, END_PORT):
                continue
            if to_port == END_PORT:
                return
            question = packet[start + 8:]
            if question[:1] != b"\0" or packet[16:20] != socket.inet_aton("192.168.1.1"):
                continue
            self.refused += 1
            answer = struct.pack("!BBHI", 0, 128 | question[1], 1, 1)
            udp = struct.pack("!HHHH", 5351, struct.unpack_from("!H", packet, start)[0],
                              8 + len(answer), 0) + answer
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                                 packet[16:20], packet[12:16])
            self.mouth.sendto(header + udp, (socket.inet_ntoa(packet[12:16]), 0))

    def test_pcp_opens_the_door_in_cases_3_and_4(self):
        self.assert_downloads("natpmp", masquerade="natpmp")
        self.assertGreater(self.refused, 0, "NAT-PMP was not asked first")


def load_tests(loader, _tests, _pattern):
    """PcpTest has a test of its own; those that it inherits are MappingTest's."""
    suite = loader.loadTestsFromTestCase(MappingTest)
    suite.addTest(PcpTest("test_pcp_opens_the_door_in_cases_3_and_4"))
    return suite


if __name__ == "__main__":
    unittest.main()
