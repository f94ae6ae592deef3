"""A root that its user may write to is safe: nothing is loaded or executed from it.

The home holds everything that a C library would believe or load if it looked: a
password file, a time zone, libraries of NSS and of charsets, a loader's lists.
inotify watches all of it through a session that does whatever can be done.
"""

import ctypes
import os
import struct
import unittest

from genkan import (USER_GID, USER_UID, GenkanTest, ServerTest, proc_status, read_file, root_only,
                    write_file)

_libc = ctypes.CDLL(None, use_errno=True)
IN_ACCESS, IN_OPEN, IN_NONBLOCK = 0x1, 0x20, 0o4000

TRAPS = {
    "etc/passwd": b"anna::0:0::/:/bin/sh\nroot::0:0::/:/bin/sh\n",
    "etc/group": b"root::0:anna\n",
    "etc/shadow": b"anna::19000::::::\n",
    "etc/shells": b"/bin/false\n",
    "etc/nsswitch.conf": b"passwd: evil files\ngroup: evil files\nhosts: evil\n",
    "etc/localtime": b"TZif2" + bytes(64),
    "etc/ld.so.preload": b"/lib/evil.so\n",
    "etc/ld.so.cache": b"glibc-ld.so.cache1.1",
    "etc/resolv.conf": b"nameserver 192.0.2.1\n",
    "etc/hosts": b"192.0.2.1 localhost\n",
    "etc/services": b"ftp 1/tcp\n",
    "etc/nologin": b"closed\n",
    "etc/ftpusers": b"anna\n",
    "etc/genkan-ftpd/genkan-ftpd.conf": b"nonsense\n",
    "etc/genkan-ftpd/passwd": b"anna::0:0::/:/bin/sh\n",
    "etc/ssl/openssl.cnf": b"nonsense\n",
    "etc/gai.conf": b"nonsense\n",
    "lib/evil.so": b"\x7fELF",
    "lib/libnss_evil.so.2": b"\x7fELF",
    "lib/x86_64-linux-gnu/libnss_evil.so.2": b"\x7fELF",
    "lib/x86_64-linux-gnu/libnss_files.so.2": b"\x7fELF",
    "lib/x86_64-linux-gnu/libgcc_s.so.1": b"\x7fELF",
    "lib/x86_64-linux-gnu/libc.so.6": b"\x7fELF",
    "usr/lib/gconv/gconv-modules": b"module INTERNAL EVIL// evil 1\n",
    "usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache": b"evil",
    "usr/lib/x86_64-linux-gnu/gconv/IBM943.so": b"\x7fELF",
    "usr/lib/locale/locale-archive": b"evil",
    "usr/share/zoneinfo/Asia/Tokyo": b"TZif2" + bytes(64),
    "usr/share/locale/locale.alias": b"evil",
    "usr/libexec/genkan-ftpd/genkan-ftpd-tls": b"#!/bin/sh\n",
    "usr/libexec/genkan-ftpd/genkan-ftpd-auth": b"#!/bin/sh\n",
    "bin/sh": b"#!/bin/sh\n",
    "bin/ls": b"#!/bin/sh\n",
    "dev/null": b"",
    "dev/log": b"",
    "run/nologin": b"",
    "proc/self/status": b"",
}


class Watch:
    """Which of the traps are opened or read."""

    def __init__(self, home, folders):
        self.home = home
        self.fd = _libc.inotify_init1(IN_NONBLOCK)
        assert self.fd >= 0
        self.names = {}
        for folder in folders:
            number = _libc.inotify_add_watch(self.fd, folder.encode(), IN_OPEN | IN_ACCESS)
            assert number >= 0, folder
            self.names[number] = folder

    def close(self):
        os.close(self.fd)

    def seen(self):
        """The traps (not their directories) that were touched since the last call."""
        found = set()
        try:
            while data := os.read(self.fd, 65536):
                while data:
                    number, _, _, length = struct.unpack_from("=iIII", data)
                    name = data[16:16 + length].rstrip(b"\0").decode()
                    path = os.path.join(self.names[number], name)
                    if os.path.relpath(path, self.home) in TRAPS:
                        found.add(os.path.relpath(path, self.home))
                    data = data[16 + length:]
        except BlockingIOError:
            return found
        return found


@root_only("a chroot")
class WritableRoot(ServerTest):
    directives = {"ActivePort": "20", "ListOptions": "-a", "ClientCharset": "auto CP932"}

    def plant(self):
        folders = {self.home}
        for name, content in TRAPS.items():
            path = os.path.join(self.home, name)
            folder = os.path.dirname(path)
            os.makedirs(folder, exist_ok=True)
            while folder != self.home:
                os.chown(folder, USER_UID, USER_GID)
                folders.add(folder)
                folder = os.path.dirname(folder)
            write_file(path, content, (USER_UID, USER_GID))
            os.chmod(path, 0o755)
        self.remote("own", b"x")
        watch = Watch(self.home, folders)
        self.addCleanup(watch.close)
        return watch

    def test_nothing_in_a_writable_root_is_loaded_believed_or_executed(self):
        watch = self.plant()
        session = self.session()
        self.assertEqual(set(proc_status(self.server.pair().monitor)["Uid"].split()),
                         {str(USER_UID)})
        self.do_all(session)
        self.assertEqual(watch.seen(), set())
        # what the client itself asks for is seen: the watch is awake
        self.assertEqual(session.retrieve("RETR etc/passwd"), TRAPS["etc/passwd"])
        self.assertEqual(watch.seen(), {"etc/passwd"})
        session.quit()
        self.server.wait_no_pairs()
        self.assertEqual(watch.seen(), set())

    def do_all(self, session):
        for command, code in (
                ("SYST", 215), ("FEAT", 211), ("HELP", 214), ("STAT", 211), ("NOOP", 200),
                ("PWD", 257), ("CWD etc", 250), ("CDUP", 250), ("CWD ~", 250), ("MKD folder", 257),
                ("RMD folder", 250), ("MLST etc/passwd", 250), ("MDTM lib/evil.so", 213),
                ("SIZE etc/passwd", 213), ("MFMT 20200101000000 own", 213),
                ("SITE CHMOD 700 own", 200), ("SITE UMASK 027", 200), ("AVBL", 213),
                ("OPTS UTF8 OFF", 200), ("RETR missing", 550), ("CWD missing", 550),
                ("DELE missing", 550), ("SITE IDLE 100", 200)):
            with self.subTest(command=command):
                if command.startswith("RETR"):
                    session.pasv()
                session.command(command, code)
        for mode in ("pasv", "epsv", "port", "eprt"):
            for what in ("LIST -laR", "NLST", "MLSD etc", "LIST lib"):
                session.retrieve(what, mode)
        session.command("STAT /etc", 212)
        session.store("STOR new", b"content")
        session.store("APPE new", b"content")
        session.store("STOR new", b"other", "port")  # replaced, by a hidden file
        session.command("RNFR new", 350)
        session.command("RNTO newer", 250)
        session.command("XSHA256 newer", 250, 213)
        session.command("TYPE A", 200)
        self.assertEqual(session.retrieve("RETR newer"), b"other")
        session.command("TYPE I", 200)
        session.command("DELE newer", 250)

    def test_a_login_does_not_look_there_either(self):
        watch = self.plant()
        with self.connect() as control:
            control.greet()
            control.command("USER anna", 331)
            control.command("PASS wrong", 530)
            control.command("USER anna", 331)
            control.command("PASS se cret", 230)
            self.assertEqual(watch.seen(), set())
            control.quit()

    def test_a_user_does_not_become_who_the_planted_file_says(self):
        self.plant()
        session = self.session()
        rows = session.retrieve("LIST etc").decode()
        self.assertIn("passwd", rows)
        session.store("STOR mine", b"")
        info = os.stat(self.remote("mine"))
        self.assertEqual((info.st_uid, info.st_gid), (USER_UID, USER_GID))
        self.assertEqual(read_file(self.remote("etc/passwd")), TRAPS["etc/passwd"])


del ServerTest, GenkanTest  # they are not tests themselves

if __name__ == "__main__":
    unittest.main()
