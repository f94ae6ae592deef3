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

    def test_programs_are_hardened(self):
        for name in ("genkan-ftpd", "genkan-ftpd-gateway", "genkanctl"):
            path = os.path.join(BUILD, name)
            with self.subTest(name):
                self.assertRegex(readelf("-h", path), r"Type:\s+DYN")  # position independent
                self.assertIn("GNU_RELRO", readelf("-l", path))
                self.assertRegex(readelf("-d", path), r"BIND_NOW|FLAGS_1.*NOW")
                self.assertRegex(readelf("-l", path), r"GNU_STACK.*RW ")
                symbols = readelf("--dyn-syms", path)
                if "__asan" not in symbols:
                    self.assertIn("__stack_chk_fail", symbols)
                    self.assertRegex(symbols, r"__\w+_chk@")  # fortified


if __name__ == "__main__":
    unittest.main()
