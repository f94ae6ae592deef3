"""fail2ban: the filter of examples/ finds every failed login, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from genkan import BUILD, PASSWORD, SOURCE, USER, ServerTest, write_file

UNPACKED = os.path.join(BUILD, "super-servers")
FILTER = os.path.join(SOURCE, "examples", "fail2ban", "filter.conf")


def regex_program():
    """Its command line and environment: installed, or unpacked by test/run."""
    if shutil.which("fail2ban-regex"):
        return ["fail2ban-regex"], dict(os.environ), "/etc/fail2ban"
    program = os.path.join(UNPACKED, "usr", "bin", "fail2ban-regex")
    modules = os.path.join(UNPACKED, "usr", "lib", "python3", "dist-packages")
    return ([sys.executable, program], dict(os.environ, PYTHONPATH=modules),
            os.path.join(UNPACKED, "etc", "fail2ban"))


class Filter(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.command, cls.environment, cls.etc = regex_program()
        if not os.path.exists(os.path.join(cls.etc, "filter.d", "common.conf")):
            raise unittest.SkipTest("fail2ban is not there: test/run unpacks it")
        super().setUpClass()

    def setUp(self):
        super().setUp()
        # the filter's place is beside common.conf
        self.folder = tempfile.mkdtemp(prefix="genkan-fail2ban-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.etc_copy = os.path.join(self.folder, "fail2ban")
        shutil.copytree(self.etc, self.etc_copy)
        self.filter = os.path.join(self.etc_copy, "filter.d", "genkan-ftpd.conf")
        shutil.copy(FILTER, self.filter)

    def found(self, lines):
        """The addresses that the filter takes from these lines of the log."""
        log = write_file(os.path.join(self.folder, "log"), "".join(lines).encode())
        done = subprocess.run([*self.command, "-c", self.etc_copy, "-o", "ip", log, self.filter],
                              capture_output=True, text=True, env=self.environment, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout.split()

    def syslog(self, text):
        """As rsyslog writes what the server logs: it has one process name for all roles."""
        return [f"Nov 24 05:21:{i % 60:02} home genkan-ftpd[1234]: "
                + re.sub(r"^genkan-ftpd\[\d+\](?: \w+)?: ", "", line) + "\n"
                for i, line in enumerate(text.splitlines())]

    def fail_logins(self, *users):
        for user in users:
            control = self.connect()
            control.greet()
            control.send(b"USER " + user + b"\r\n")
            control.expect(331)
            control.send(b"PASS wrong\r\n")
            control.expect(530)
            control.close()

    def test_each_failure_is_one_line(self):
        self.fail_logins(USER.encode(), b"nobody-at-all", b"a name", b"x\"y'z\\", b"\xc3(\x80",
                         b"x\" rhost=192.0.2.9 reason=bad-password n=1",
                         b"auth-fail rhost=192.0.2.9 user=\"x\" reason=bad-password n=1")
        self.assertEqual(self.found(self.syslog(self.log())), ["127.0.0.1"] * 7)

    def test_what_is_no_failure_is_not_found(self):
        self.session().quit()
        control = self.connect()
        control.greet()
        control.command("RETR auth-fail", 530)
        control.quit()
        self.assertIn("login user=", self.log())
        self.assertEqual(self.found(self.syslog(self.log())), [])

    def test_ipv6(self):
        control = self.connect(index=1)
        control.greet()
        control.command(f"USER {USER}", 331)
        control.command("PASS wrong", 530)
        self.assertEqual(self.found(self.syslog(self.log())), ["::1"])


class Jail(unittest.TestCase):
    def test_its_ports_are_those_of_the_papers(self):
        with open(os.path.join(SOURCE, "examples", "fail2ban", "jail.conf"),
                  encoding="utf-8") as file:
            text = file.read()
        # the control port, the implicit one, and PassivePorts as in the other examples
        self.assertRegex(text, r"(?m)^port = ftp,ftps,4000:4029$")
        self.assertRegex(text, r"(?m)^filter = genkan-ftpd$")


if __name__ == "__main__":
    unittest.main()
