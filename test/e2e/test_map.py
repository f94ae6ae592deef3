"""genkanctl map: options, and routers of this test's own (the real one is in test_doctor_nat)."""

import os
import shutil
import subprocess
import tempfile
import unittest

from genkan import CTL, GATEWAY
from test_gateway_router import ROUTER, Router, natpmp, pcp


class MapTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="genkan-map-")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir)
        self.state = os.path.join(self.dir, "state")
        self.conf("StateDirectory " + self.state)
        self.patience(20000)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def patience(self, ms):
        """The router of this machine is not asked, and another one has so long to answer."""
        self.write("gateway", '#!/bin/sh\nexec "%s" -g %s -t %d "$@" -t %d\n' % (GATEWAY, ROUTER, ms, ms),
                   0o755)

    def conf(self, *lines):
        self.file = self.write("conf", "\n".join(("PortMapping natpmp", "GatewayUser nobody", *lines)) + "\n")

    def map(self, *args):
        return subprocess.run([CTL, "map", "-f", self.file, "--gateway", os.path.join(self.dir, "gateway"),
                               *args], capture_output=True, text=True, timeout=60, check=False)

    def good(self, *args):
        done = self.map(*args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_wrong_options_are_usage_errors(self):
        for wrong in ([], ["0"], ["65536"], ["5-4"], ["21x"], ["--seconds", "59", "21"], ["--list", "21"],
                      ["--list", "--remove"], ["-x"], ["--list", "--control"]):
            done = self.map(*wrong)
            self.assertEqual((done.returncode, done.stdout), (64, ""), wrong)
            self.assertNotEqual(done.stderr, "", wrong)

    def test_mapping_is_kept_and_taken_back(self):
        for respond, method in ((natpmp(), "natpmp"), (pcp(), "pcp")):
            with self.subTest(method), Router(respond) as router:
                self.assertEqual(self.good("--seconds", "600", "4001"),
                                 "203.0.113.2:4001 -> 4001, by %s, for 600 s\n" % method)
                self.assertNotIn(0, [len(p) for p in router.asked])
                self.assertEqual(self.good("--remove"), "4001: taken back\n")

    def test_renewal_by_pcp_has_the_nonce_of_the_first(self):
        nonces = set()

        def respond(packet):
            if packet[0] == 2 and len(packet) == 60:
                nonces.add(packet[24:36])
            return pcp()(packet)
        with Router(respond):
            self.good("4001")
            self.good("4001")
            self.good("--remove")
        self.assertEqual(len(nonces), 1)

    def test_other_port_than_asked_for_is_told(self):
        with Router(natpmp(external=5001)):
            done = self.map("4001")
        self.assertEqual(done.returncode, 0)
        self.assertIn("203.0.113.2:5001 -> 4001", done.stdout)
        self.assertIn("gave port 5001 instead of 4001", done.stderr)

    def test_refusal_and_silence_are_failures(self):
        for respond, words, ms in ((natpmp(result=2), "refuses", 20000),
                                   (natpmp(silent=True), "did not answer", 600)):
            self.patience(ms)
            with Router(respond):
                done = self.map("4001")
            self.assertEqual((done.returncode, done.stdout), (69, ""))
            self.assertIn(words, done.stderr)

    def test_what_is_over_is_forgotten(self):
        os.makedirs(self.state, 0o755)
        with open(os.path.join(self.state, "mappings"), "w", encoding="ascii") as file:
            file.write("nonce 00\nnonsense\n4001 4001 natpmp 203.0.113.2 1000\n0 1 natpmp - 0\n")
        self.assertEqual(self.good("--remove"), "nothing is mapped\n")
        with open(os.path.join(self.state, "mappings"), encoding="ascii") as file:
            self.assertRegex(file.read(), r"^nonce [0-9a-f]{24}\n$")

    def test_link_in_the_state_directory_is_not_followed(self):
        os.makedirs(self.state, 0o755)
        os.symlink("/etc/passwd", os.path.join(self.state, "mappings"))
        done = self.map("--remove")
        self.assertEqual((done.returncode, done.stdout), (66, ""))

    def test_needs_a_state_directory(self):
        self.conf("StateDirectory none")
        done = self.map("4001")
        self.assertEqual(done.returncode, 78)
        self.assertIn("StateDirectory", done.stderr)

    def test_too_many_ports(self):
        done = self.map("4000-4099")
        self.assertEqual(done.returncode, 64)
        self.assertIn("PortMapping", done.stderr)

    def test_gateway_that_cannot_be_run(self):
        os.unlink(os.path.join(self.dir, "gateway"))
        done = self.map("4001")
        self.assertEqual(done.returncode, 69)
        self.write("gateway", "#!/bin/sh\nexit 1\n", 0o755)
        done = self.map("4001")
        self.assertEqual(done.returncode, 69)
        self.assertIn("does not answer", done.stderr)


if __name__ == "__main__":
    unittest.main()
