"""Where the announced address comes from, in the laboratory of natlab.py: the last known address, DNS
servers of one's own, the router; and PORT that a router did not translate.
"""
import os
import shutil
import tempfile
import time
import unittest

import natlab
from natlab import DNS, HOME, LAN_SERVER, NAME
from test_natlab import LabTest

NOBODY_THERE = "192.0.2.99"     # no DNS server has this address


class SourcesTest(LabTest):
    def setUp(self):
        super().setUp()
        self.state = tempfile.mkdtemp(prefix="genkan-state-")
        os.chmod(self.state, 0o755)
        self.addCleanup(shutil.rmtree, self.state)
        self.keep = "StateDirectory " + self.state
        self.known = os.path.join(self.state, "gateway", "address")

    def announced(self):
        """What a client outside is told by PASV."""
        with self.lab.client("public") as client:
            client.login()
            return client.passive()[0]

    def announced_and_known(self):
        """The same; the gateway writes it down when it has told it."""
        address = self.announced()
        natlab.wait_for(lambda: os.path.exists(self.known), "the last known address is kept")
        return address

    def test_last_known_address_is_announced_when_dns_is_silent(self):
        daemon = self.serve(options=[self.keep, "MasqueradeTimeout 5"])
        self.assertEqual(self.announced_and_known(), HOME)
        self.lab.dns_silent(True)
        began = time.monotonic()
        with self.lab.client("public") as client:
            client.login()
            self.assertEqual(client.passive()[0], HOME)
            self.assertLess(time.monotonic() - began, 15)
            self.assertEqual(client.retrieve("PASV"), self.lab.content)
        self.assertIn("The last known address %s is announced" % HOME, daemon.log_text())

    def test_last_known_address_is_announced_when_the_name_is_gone(self):
        daemon = self.serve(options=[self.keep])
        self.assertEqual(self.announced_and_known(), HOME)
        self.lab.ddns(None)
        self.assertEqual(self.announced(), HOME)
        self.assertIn("does not exist", daemon.log_text())

    def test_last_known_address_that_is_too_old_is_not_announced(self):
        self.serve(options=[self.keep])
        self.assertEqual(self.announced_and_known(), HOME)
        with open(self.known, encoding="ascii") as file:
            address, _, rest = file.read().split(" ", 2)
        with open(self.known, "w", encoding="ascii") as file:
            file.write("%s %d %s" % (address, time.time() - 2 * 86400, rest))
        self.lab.ddns(None)
        self.assertEqual(self.announced(), LAN_SERVER)

    def test_last_known_address_is_kept_by_the_gateways_user_alone(self):
        self.serve(options=[self.keep])
        self.assertEqual(self.announced_and_known(), HOME)
        directory, file = os.stat(os.path.dirname(self.known)), os.lstat(self.known)
        self.assertEqual(directory.st_mode & 0o777, 0o700)
        self.assertEqual((directory.st_uid, file.st_uid), (65534, 65534))
        self.assertEqual(file.st_mode & 0o022, 0)

    def test_symlink_in_place_of_the_state_is_not_followed(self):
        target = os.path.join(self.state, "victim")
        os.symlink(target, os.path.join(self.state, "gateway"))
        daemon = self.serve(options=[self.keep])
        self.assertEqual(self.announced(), HOME)
        self.assertFalse(os.path.exists(target))
        self.assertIn("the last known address is not kept", daemon.log_text())

    def test_few_capabilities_are_enough(self):
        """Those of examples/systemd: root may not look into other users' directories."""
        few = "-all,+setuid,+setgid,+setpcap,+sys_chroot,+net_bind_service,+chown"
        words = ["setpriv", "--bounding-set", few,
                 *self.lab.command_line("genkan", NAME, [self.keep])]
        daemon = self.serve(command=[*words, "--listen", "21"], ports=[21])
        self.assertEqual(self.announced_and_known(), HOME)
        self.lab.ddns(None)
        self.assertEqual(self.announced(), HOME)
        self.assertNotIn("is not kept", daemon.log_text())

    def test_dns_servers_can_be_named(self):
        """The system's server is not asked; so a split-horizon DNS needs no second name."""
        asked = len(self.lab.dns_questions())
        daemon = self.serve(options=["MasqueradeResolver " + NOBODY_THERE, "MasqueradeTimeout 5"])
        with self.lab.client("public") as client:
            client.login()
            client.command("PASV")
        self.assertEqual(len(self.lab.dns_questions()), asked)
        self.assertIn("no DNS server told the address", daemon.log_text())
        daemon.stop()
        self.serve(options=["MasqueradeResolver %s %s:53" % (NOBODY_THERE, DNS)])
        self.assertEqual(self.announced(), HOME)

    def test_sources_are_tried_in_order(self):
        """No router of this laboratory speaks NAT-PMP: the name stands in, and the log has the reason."""
        daemon = self.serve(masquerade="natpmp home.example.net")
        self.assertEqual(self.announced(), HOME)
        self.assertIn("NAT-PMP", daemon.log_text())

    def test_the_log_names_all_sources(self):
        """The gateway's start cuts a copy of the list into words, not the list itself."""
        daemon = self.serve(masquerade="natpmp home.example.net")
        self.assertEqual(self.announced(), HOME)
        self.assertRegex(daemon.log_text(), r"MasqueradeAddress natpmp home\.example\.net: .*NAT-PMP")

    def test_first_source_wins(self):
        self.serve(masquerade="203.0.113.9 home.example.net")
        self.assertEqual(self.announced(), "203.0.113.9")


class PrivatePortTest(LabTest):
    """Case 2: the client's router does not translate PORT."""

    def test_reject_tells_what_is_wrong(self):
        self.serve(node="public_server", masquerade="none")
        self.assertEqual(
            self.lab.attempt("natted", "PORT", "203.0.113.10"),
            "500 PORT announced 192.168.2.20, but you come from 198.51.100.2: your router did not "
            "translate it. Use passive mode.")

    def test_peer_works_where_the_router_forwards_the_port(self):
        self.serve(node="public_server", masquerade="none", options=["PrivatePort peer"])
        self.lab.nft("client_router", """
            table inet opened {
                chain prerouting { type nat hook prerouting priority -110;
                    iifname "wan" tcp sport 20 dnat ip to 192.168.2.20; }
            }""")
        self.addCleanup(self.lab.nft, "client_router", "delete table inet opened")
        for mode in "PORT", "EPRT":
            with self.subTest(mode):
                self.assertEqual(self.lab.attempt("natted", mode, "203.0.113.10"), "ok")

    def test_peer_does_not_allow_other_public_addresses(self):
        self.serve(node="public_server", masquerade="none", options=["PrivatePort peer"])
        with self.lab.client("natted", "203.0.113.10") as client:
            client.login()
            self.assertRegex(client.command("PORT 203,0,113,77,16,0"), "^500 ")
            self.assertRegex(client.command("PORT 192,168,2,20,0,80"), "^500 ")


if __name__ == "__main__":
    unittest.main()
