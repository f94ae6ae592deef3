"""genkanctl check in the NAT laboratory: real routers, with and without hairpin, real DNS."""

import json
import os
import shutil
import socket
import tempfile
import unittest

import natlab
import test_mapping
from genkan import CTL
from natlab import HOME, LAN_SERVER, NAME, PASSIVE
from test_mapping import OUTSIDE, UPNPD
from test_natlab import LabTest


class DoctorLab(LabTest):
    def setUp(self):
        super().setUp()
        self.state = tempfile.mkdtemp(prefix="genkan-state-")
        os.chmod(self.state, 0o755)
        self.addCleanup(shutil.rmtree, self.state)
        self.conf("MasqueradeAddress " + NAME)

    def conf(self, *lines):
        self.file = os.path.join(self.state, "conf")
        with open(self.file, "w", encoding="ascii") as file:
            file.write("\n".join(("PassivePorts " + PASSIVE, "Anonymous on",
                                  "AnonymousRoot " + self.lab.root, "AnonymousUser nobody",
                                  "SessionUser nobody", "GatewayUser nobody", "AuthUserFile none",
                                  "StateDirectory none", *lines)) + "\n")
        os.chmod(self.file, 0o644)

    def hairpin(self, forward, address=HOME, alg=False):
        """A router that forwards, also what comes to its outside address from inside."""
        self.lab.wan = address
        try:
            self.lab.home_router(forward=forward, hairpin=True, alg=alg)
        finally:
            self.lab.wan = HOME

    def check(self):
        """{id: finding}"""
        done = self.lab.run("server", CTL, "check", "--json", "-f", self.file, capture_output=True,
                            text=True, check=False, timeout=150)
        self.assertEqual(done.stderr, "")
        self.report = json.loads(done.stdout)
        self.assertEqual(self.report["status"], done.returncode)
        return {f["id"]: f["finding"] for f in self.report["findings"]}

    def failures(self):
        return {f["id"] for f in self.report["findings"] if f["verdict"] == "FAIL"}


class Reach(DoctorLab):
    def test_forwarded_ports_lead_here(self):
        self.serve()
        self.hairpin(["21", "2121", PASSIVE])
        found = self.check()
        self.assertEqual(self.failures(), set(), self.report)
        self.assertIn("%s leads to the service at 21" % HOME, found["forward-control"])
        self.assertIn("%s leads here at 4000-4029" % HOME, found["forward-ok"])
        self.assertIn("%s is %s" % (NAME, HOME), found["ddns-unconfirmed"])
        self.assertIn("PASV tells %s and a port of 4000-4029" % HOME, found["clients-world"])
        self.assertIn(LAN_SERVER, found["clients-lan"])
        self.assertIn("router-silent", found)       # nobody there speaks UPnP
        self.assertIn("launcher-by-hand", found)
        self.assertIn("alg-ok", found)

    def test_ports_that_are_not_forwarded_are_named(self):
        self.serve()
        self.hairpin(["21", "4000-4009"])
        found = self.check()
        self.assertIn("4010-4029", found["forward-missing"])
        self.assertIn("4000-4009", found["forward-ok"])
        self.assertEqual(self.failures(), {"forward-missing"})

    def test_control_port_that_is_not_forwarded(self):
        self.serve()
        self.hairpin([PASSIVE])
        self.assertIn("at 21,", self.check()["forward-missing"])

    def test_router_that_does_not_loop_back_leaves_it_open(self):
        self.serve()
        found = self.check()
        self.assertIn("cannot be tried from here", found["forward-unknown"])
        self.assertNotIn("forward-missing", found)
        self.assertEqual(self.failures(), set())

    def test_service_on_another_port_than_21(self):
        self.lab.start_server("server", ports=(2121,), masquerade=NAME)
        self.hairpin(["2121", PASSIVE])
        found = self.check()
        self.assertIn("2121", found["forward-control"])

    def test_port_that_leads_to_another_machine(self):
        self.serve()
        self.hairpin(["21", "4000-4004", "4006-4029"])
        self.lab.nft("home_router", """
            table ip other {
                chain pre {
                    type nat hook prerouting priority dstnat + 1;
                    ip daddr %s tcp dport 4005 dnat to 192.168.1.20;
                }
                chain post {
                    type nat hook postrouting priority srcnat - 1;
                    oifname "lan" ct status dnat masquerade
                }
            }""" % HOME)
        self.addCleanup(self.lab.nft, "home_router", "delete table ip other")
        with self.lab.socket_maker("lan")() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("192.168.1.20", 4005))
            listener.listen(5)
            found = self.check()
        self.assertIn("4005", found["forward-elsewhere"])
        self.assertIn("4000-4004,4006-4029", found["forward-ok"])

    def test_announced_ports_are_those_outside(self):
        self.conf("MasqueradeAddress " + NAME, "PassivePortsAnnounced 5000-5029")
        self.serve()
        self.hairpin(["21"])
        self.lab.nft("home_router", """
            table ip other {
                chain pre {
                    type nat hook prerouting priority dstnat + 1;
                    ip daddr %s tcp dport 5003 dnat to %s:4003;
                }
                chain post {
                    type nat hook postrouting priority srcnat - 1;
                    oifname "lan" ct status dnat masquerade
                }
            }""" % (HOME, LAN_SERVER))
        self.addCleanup(self.lab.nft, "home_router", "delete table ip other")
        found = self.check()
        self.assertIn("at 5003", found["forward-ok"])
        self.assertIn("5000-5002,5004-5029", found["forward-missing"])


@unittest.skipUnless(os.access(UPNPD, os.X_OK), "miniupnpd has not been unpacked (test/run does it)")
class RouterLab(DoctorLab):
    """With miniupnpd."""

    start_router = test_mapping.MappingTest.start_router
    router_answers = test_mapping.MappingTest.router_answers

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.ip("internet", "route add %s/32 via %s" % (OUTSIDE, natlab.HOME))
        cls.lab.ip("home_router", "addr add %s/32 dev wan" % OUTSIDE)

    def setUp(self):
        super().setUp()
        self.hairpin(["21", "2121", PASSIVE], OUTSIDE)
        self.lab.nft("home_router", test_mapping.CHAINS)
        self.start_router()


class RealRouter(RouterLab):
    def test_router_tells_its_address_and_the_name_agrees(self):
        self.lab.ddns(OUTSIDE)
        self.serve()
        found = self.check()
        self.assertEqual(self.failures(), set(), self.report)
        self.assertRegex(found["router-ok"], r"192\.168\.1\.1 speaks NAT-PMP.*UPnP.* %s$" % OUTSIDE)
        self.assertIn("so says the router", found["ddns-ok"])
        self.assertIn("leads here at 4000-4029", found["forward-ok"])

    def test_stale_name(self):
        self.lab.ddns("203.0.113.77")
        self.serve()
        found = self.check()
        self.assertIn("203.0.113.77", found["ddns-stale"])
        self.assertEqual(self.failures(), {"ddns-stale"})
        self.assertIn("forward-ok", found)      # tried at the router's address

    def test_the_router_as_the_source(self):
        self.conf("MasqueradeAddress natpmp")
        self.serve()
        found = self.check()
        self.assertIn("PASV tells " + OUTSIDE, found["clients-world"])
        self.assertEqual(self.failures(), set(), self.report)

class Alg(RouterLab):
    """The router's FTP helper, as the kernel has it."""

    def test_answer_that_is_changed_on_the_way(self):
        self.conf()     # no MasqueradeAddress: the local address is sent
        self.serve(masquerade="none")
        self.assertIn("alg-ok", self.check())
        self.hairpin(["21", PASSIVE], OUTSIDE, alg=True)
        self.lab.nft("home_router", test_mapping.CHAINS)
        found = self.check()
        self.assertRegex(found["alg-changed"], "%s was sent, %s arrived" % (LAN_SERVER, OUTSIDE))

    def test_masquerade_address_is_left_alone(self):
        self.lab.ddns(OUTSIDE)
        self.serve()
        self.hairpin(["21", PASSIVE], OUTSIDE, alg=True)
        self.lab.nft("home_router", test_mapping.CHAINS)
        self.assertIn("alg-ok", self.check())

    def test_without_guests_it_is_not_seen(self):
        self.conf("MasqueradeAddress natpmp")
        with open(self.file, "r+", encoding="ascii") as file:
            text = file.read().replace("Anonymous on", "Anonymous off").replace("File none", "File /x")
            file.seek(0)
            file.write(text)
            file.truncate()
        self.serve()
        self.assertIn("alg-unseen", self.check())


class Map(RouterLab):
    """genkanctl map: no port is forwarded by hand."""

    mapped = test_mapping.MappingTest.mapped

    def setUp(self):
        super().setUp()
        self.lab.home_router(forward=())
        self.lab.start_server(ports=(2121,), masquerade=OUTSIDE, options=["PortMapping natpmp"])

    def map(self, *args, status=0, method="auto"):
        self.conf("MasqueradeAddress " + OUTSIDE, "PortMapping " + method)
        with open(self.file, "r+", encoding="ascii") as file:
            text = file.read().replace("StateDirectory none", "StateDirectory " + self.state)
            file.seek(0)
            file.write(text)
            file.truncate()
        done = self.lab.run("server", CTL, "map", "-f", self.file, *args, capture_output=True,
                            text=True, check=False, timeout=150)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr if status else done.stdout

    def kept(self):
        with open(os.path.join(self.state, "mappings"), encoding="ascii") as file:
            return [line.split()[:3] for line in file.read().splitlines()[1:]]

    def test_control_port_opens_and_closes(self):
        self.assertNotEqual(self.lab.attempt("public", "PASV", OUTSIDE, 2121, timeout=2), "ok")
        out = self.map("--control", "--seconds", "600", method="natpmp")
        self.assertRegex(out, r"^%s:2121 -> 2121, by natpmp, for (600|5\d\d) s$" % OUTSIDE)
        self.assertEqual(self.mapped(), [2121])
        for node in "public", "natted":
            self.assertEqual(self.lab.attempt(node, "PASV", OUTSIDE, 2121), "ok")
        self.map("--control", method="natpmp")   # again, as the timer does
        self.assertEqual(self.mapped(), [2121])
        self.assertEqual(self.kept(), [["2121", "2121", "natpmp"]])
        self.assertEqual(self.map("--remove"), "2121: taken back\n")
        self.assertEqual((self.mapped(), self.kept()), ([], []))
        self.assertEqual(self.map("--remove"), "nothing is mapped\n")
        self.assertNotEqual(self.lab.attempt("public", "PASV", OUTSIDE, 2121, timeout=2), "ok")

    def test_ports_and_ranges_and_a_part_of_them_taken_back(self):
        self.map("2121", "4000-4002")
        self.assertEqual(sorted(self.mapped()), [2121, 4000, 4001, 4002])
        self.map("--remove", "4001-4002", "5000")
        self.assertEqual(sorted(self.mapped()), [2121, 4000])
        self.map("--remove")
        self.assertEqual(self.mapped(), [])

    def test_upnp_router_is_found_remembered_and_asked(self):
        out = self.map("--control", method="upnp")
        self.assertIn("by upnp", out)
        self.assertEqual(self.mapped(), [2121])
        with open(os.path.join(self.state, "gateway", "upnp"), encoding="ascii") as file:
            self.assertTrue(file.read().startswith("http://192.168.1.1:"))
        self.assertEqual(self.map("--remove"), "2121: taken back\n")
        self.assertEqual(self.mapped(), [])

    def test_list_tells_of_the_router_and_of_all_mappings(self):
        self.map("2121")
        out = self.map("--list")
        self.assertRegex(out, r"(?m)^natpmp yes ")
        self.assertRegex(out, r"(?m)^upnp yes http://192\.168\.1\.1:")
        self.assertRegex(out, r"(?m)^mapping 2121 2121 natpmp 7\d\d\d genkanctl$")
        self.assertEqual(out.count("mapping 2121"), 1)
        os.unlink(os.path.join(self.state, "mappings"))
        self.assertRegex(self.map("--list"), r"(?m)^mapping 2121 2121 upnp \d+ ")
        self.assertEqual(self.mapped(), [2121])     # looking changes nothing


if __name__ == "__main__":
    unittest.main()
