"""What the protocol tests of lines, names and listings leave: keepalive, blanks, Synch, size."""

import os
import re
import socket
import subprocess
import unittest

from genkan import SANITIZERS, GenkanTest, ServerTest, read_file, wait_until, write_file


class Control(ServerTest):
    def test_control_connection_is_kept_alive(self):
        """A home router forgets a connection that is silent during a long transfer."""
        session = self.session()
        port = session.sock.getsockname()[1]

        def keepalive():
            rows = subprocess.run(["ss", "-tnoH", "state", "established", f"dport = :{port}"],
                                  capture_output=True, text=True, check=True).stdout
            return re.search(r"timer:\(keepalive,(?:(\d+)min)?(?:([\d.]+)sec)?", rows)
        # the last reply's acknowledgement comes first
        timer = wait_until(keepalive, "a keepalive timer")
        seconds = 60 * int(timer.group(1) or 0) + float(timer.group(2) or 0)
        self.assertLess(seconds, 240, "home routers forget after five minutes")

    def test_cr_nul_is_a_cr_and_no_line_end(self):
        session = self.session()
        session.send(b"PWD\r\0\r\nNOOP\r\n")
        session.expect(500)
        session.expect(200)

    def test_blanks_at_both_ends_of_a_name_are_kept(self):
        session = self.session()
        for name in ("trailing  ", " leading", "  both "):
            session.command(f"MKD {name}", 257)
            self.assertEqual(session.command(f"CWD {name}", 250).code, 250)
            self.assertIn(f'"/{name}"', session.command("PWD", 257).text)
            session.command("CDUP", 250)
        self.assertEqual(set(os.listdir(self.home)), {"trailing  ", " leading", "  both "})

    def test_login_in_one_byte_segments(self):
        control = self.connect()
        control.greet()
        control.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"USER nobody-here\r\n":
            control.send(bytes([byte]))
            control.wait_taken()
        control.expect(331)


class Listings(GenkanTest):
    def setUp(self):
        super().setUp()
        self.home = self.world.add_user()

    def remote(self, name, content=b""):
        write_file(os.path.join(self.home, name), content)

    def names(self, session, line):
        rows = session.retrieve(line).decode("utf-8", "surrogateescape").split("\r\n")
        return [row for row in rows if row]

    def test_show_dot_files(self):
        self.remote(".hidden")
        session = self.world.server(directives={"ShowDotFiles": "on"}).session()
        self.assertEqual(self.names(session, "NLST"), [".hidden"])
        self.assertEqual(len(self.names(session, "LIST")), 1)

    def test_list_options_are_added_to_the_clients(self):
        self.remote(".hidden")
        os.mkdir(os.path.join(self.home, "folder"))
        session = self.world.server(directives={"ListOptions": "-A"}).session()
        self.assertEqual(self.names(session, "NLST -F"), [".hidden", "folder/"])

    def test_strict_list_options_replace_the_clients(self):
        self.remote(".hidden")
        self.remote("shown")
        session = self.world.server(directives={"ListOptions": "-F strict"}).session()
        self.assertEqual(self.names(session, "NLST -a"), ["shown"])

    def test_links_are_links_or_what_they_lead_to(self):
        self.remote("file", b"12345")
        os.symlink("file", os.path.join(self.home, "link"))
        os.symlink("nowhere", os.path.join(self.home, "dangling"))
        session = self.world.server().session()
        rows = "".join(self.names(session, "MLSD"))
        self.assertEqual(rows.count("type=OS.unix=slink;"), 2)
        self.assertIn("type=OS.unix=slink;", session.command("MLST link", 250).text)
        session = self.world.server(directives={"ShowSymlinks": "off"}).session()
        self.assertEqual(self.names(session, "NLST"), ["file", "link"])
        self.assertNotIn("slink", "".join(self.names(session, "MLSD")))
        self.assertIn("type=file;", session.command("MLST link", 250).text)

    def test_hundred_thousand_names_at_once_in_bounded_memory(self):
        count = 100_000
        folder = os.path.join(self.home, "many")
        os.mkdir(folder)
        for i in range(count):
            os.close(os.open(f"{folder}/{i:06}-{'x' * 40}", os.O_CREAT | os.O_WRONLY, 0o644))
        server = self.world.server()
        session = server.session()
        pair = server.pair()

        def peak(pid):
            status = read_file(f"/proc/{pid}/status").decode()
            return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))
        before = [peak(pid) for pid in (pair.session, pair.monitor)]
        for line, extra in (("LIST many", 0), ("NLST many", 0), ("MLSD many", 2)):
            with self.subTest(line=line):
                self.assertEqual(session.retrieve(line).count(b"\r\n"), count + extra)
        for old, pid in zip(before, (pair.session, pair.monitor)):
            if not SANITIZERS:      # which keep what was freed
                self.assertLess(peak(pid) - old, 8192, "kB more")


if __name__ == "__main__":
    unittest.main()
