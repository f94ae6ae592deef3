"""Clients that want a person: Midnight Commander on a terminal, gFTP's text client.

What they show is only looked at to know when they wait for the next key; whether they
did right is told by the files. (curlftpfs would be one more; Debian 12 has it not.)
"""

import contextlib
import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
import unittest

from clients import TREE, WHEN, MoreClients
from genkan import PATIENCE, pattern_bytes, read_file, sha256, wait_until, write_file


class Dialogue:
    """A program that is watched and typed to."""

    def __init__(self, reader, writer, process):
        self.reader, self.writer, self.process = reader, writer, process
        self.shown, self.seen = b"", 0

    def type(self, keys):
        os.write(self.writer, keys)

    def expect(self, *words, timeout=PATIENCE):
        """Waits until one of these bytes is shown, behind what was expected before."""
        end = time.monotonic() + timeout
        while True:
            places = [(self.shown.index(word, self.seen), word) for word in words
                      if word in self.shown[self.seen:]]
            if places:
                place, word = min(places)
                self.seen = place + len(word)
                return word
            if not select.select([self.reader], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{words} was not shown:\n{self.shown[-3000:]!r}")
            try:
                block = os.read(self.reader, 65536)
            except OSError as error:  # a terminal whose program has ended
                if error.errno != errno.EIO:
                    raise
                block = b""
            if not block:
                raise AssertionError(f"it ended before {words}:\n{self.shown[-3000:]!r}")
            self.shown += block

    def close(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        for fd in {self.reader, self.writer}:
            with contextlib.suppress(OSError):
                os.close(fd)


class ScreenTest(MoreClients):
    def environment(self):
        folders = {name: os.path.join(self.here, name.lower()) for name in
                   ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
        return {**os.environ, "HOME": self.here, "LC_ALL": "C.UTF-8", "TERM": "xterm", **folders}

    def on_terminal(self, *argv):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 120, 0, 0))
        process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, cwd=self.here,
                                   env=self.environment(), start_new_session=True)
        os.close(theirs)
        dialogue = Dialogue(ours, ours, process)
        self.addCleanup(dialogue.close)
        return dialogue

    def on_pipes(self, *argv):
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, cwd=self.here, env=self.environment())
        dialogue = Dialogue(os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno()), process)
        process.stdin.close()
        process.stdout.close()
        self.addCleanup(dialogue.close)
        return dialogue

    def is_tree(self, top):
        """True when all has come."""
        return all(os.path.exists(path := os.path.join(top, name)) and
                   read_file(path) == pattern_bytes(size, number + 1)
                   for number, (name, size) in enumerate(TREE))


class MidnightCommander(ScreenTest):
    """Its file system of FTP, from panel to panel."""

    program = "mc"
    DOWN, COPY, ENTER = b"\x0e", b"\x1b5", b"\r"

    def copy_the_first(self, left, right, done):
        """F5 on the first entry of the left panel, into the right one."""
        mc = self.on_terminal("mc", "-u", "-d", "-a", "-b", left, right)
        mc.expect(b"ftp://plain@")  # the server's panel has been read
        mc.expect(b"UP--DIR")
        mc.type(self.DOWN + self.COPY)
        mc.expect(b"Copy directory", b"Copy file")
        mc.expect(b"ackground")  # the first letter has a colour of its own
        mc.type(self.ENTER)
        wait_until(done, "mc has copied")

    def test_a_tree_both_ways(self):
        up, down = os.path.join(self.here, "up"), os.path.join(self.here, "down")
        os.mkdir(down)
        self.make_tree(os.path.join(up, "tree"))
        url = f"/ftp://plain:{self.password}@{self.host}:{self.port}/"
        self.copy_the_first(up, url, lambda: self.is_tree(self.remote("tree")))
        self.copy_the_first(url, down, lambda: self.is_tree(os.path.join(down, "tree")))


class GftpText(ScreenTest):
    program = "gftp-text"

    def test_both_ways_with_the_time(self):
        os.mkdir(os.path.join(self.here, "down"))
        content = pattern_bytes(700_000, 3)
        write_file(os.path.join(self.here, "file"), content)
        gftp = self.on_pipes("gftp-text")
        for command in (f"open ftp://plain:{self.password}@{self.host}:{self.port}", "put file",
                        "rename file stored", "mkdir folder"):
            gftp.expect(b"> ")
            gftp.type(command.encode() + b"\n")
        gftp.expect(b"> ")
        self.assertEqual(read_file(self.remote("stored")), content)
        self.assertTrue(os.path.isdir(self.remote("folder")))
        os.utime(self.remote("stored"), (WHEN, WHEN))
        gftp.type(b"lcd down\n")
        gftp.expect(b"> ")
        gftp.type(b"get stored\n")
        gftp.expect(b"> ")
        down = os.path.join(self.here, "down", "stored")
        self.assertEqual(sha256(down), sha256(self.remote("stored")))
        self.assertEqual(int(os.stat(down).st_mtime), WHEN)
        gftp.type(b"ls\n")
        gftp.expect(b"stored")
        gftp.type(b"delete stored\n")
        gftp.expect(b"> ")
        wait_until(lambda: not os.path.exists(self.remote("stored")), "it is deleted")


del MoreClients, ScreenTest  # they are not tests themselves


if __name__ == "__main__":
    unittest.main()
