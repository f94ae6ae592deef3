"""What was built: what it links, and how it is hardened."""

import os
import re
import subprocess
import unittest

import genkan
from genkan import BUILD, FTPD


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], check=True, capture_output=True,
                          text=True, timeout=30).stdout


@genkan.need_program("readelf")
class Program(unittest.TestCase):
    def test_the_daemon_links_nothing_but_libc_cap_bsd_and_crypt(self):
        needed = set(re.findall(r"NEEDED.*\[(\w+)[-.]", readelf("-d", FTPD)))
        # libmd is the other half of libbsd, which loads it in any case.
        self.assertLessEqual(needed, {"libc", "libcap", "libbsd", "libmd", "libcrypt"})

    def test_the_daemon_starts_without_a_dynamic_loader(self):
        if "STATIC_LDFLAGS = -static-pie" not in open(os.path.join(BUILD, "Makefile"),
                                                      encoding="utf-8").read():
            self.skipTest("not linked statically (sanitizers, or --disable-static-link)")
        self.assertNotIn("INTERP", readelf("-l", FTPD))
        self.assertNotIn("NEEDED", readelf("-d", FTPD))

    def test_programs_are_hardened(self):
        for name in ("genkan-ftpd", "genkan-ftpd-auth", "genkan-ftpd-gateway", "genkanctl"):
            path = os.path.join(BUILD, name)
            with self.subTest(name):
                self.assertRegex(readelf("-h", path), r"Type:\s+DYN")  # position independent
                self.assertIn("GNU_RELRO", readelf("-l", path))
                self.assertRegex(readelf("-d", path), r"BIND_NOW|FLAGS_1.*NOW")
                self.assertRegex(readelf("-l", path), r"GNU_STACK.*RW ")
                # a static program keeps no dynamic symbols: its own table tells
                symbols = readelf("--dyn-syms", path) + readelf("-s", path)
                if "__asan" not in symbols:
                    self.assertIn("__stack_chk_fail", symbols)
                    self.assertRegex(symbols, r"__\w+_chk\b")  # fortified


if __name__ == "__main__":
    unittest.main()
