"""Uploads lose nothing: HiddenStores, SyncUploads, AllowStoreRestart."""

import os
import signal
import socket
import subprocess
import unittest

from genkan import (IS_ROOT, USER, USER_GID, USER_UID, GenkanTest, ServerTest, need_program,
                    pattern_bytes, read_file, reset, root_only, wait_until)

OLD = b"the old content\n" * 1000
NEW = pattern_bytes(300_000)


class Uploads(ServerTest):
    def begin(self, session, line="STOR file", part=NEW[:100_000], mode="pasv"):
        """An upload of which a part has come; the data connection."""
        data = session.data(mode)
        session.command(line, 150)
        data.socket().sendall(part)
        self.addCleanup(data.close)
        return data

    def content(self, name="file"):
        return read_file(self.remote(name))

    def assert_old(self, others=()):
        """The old file is whole, and there is nothing beside it."""
        self.assertEqual(self.content(), OLD)
        self.assertEqual(sorted(os.listdir(self.home)), sorted(["file", *others]))


class HiddenStoresAuto(Uploads):
    """The default."""

    def setUp(self):
        super().setUp()
        os.chmod(self.remote("file", OLD), 0o640)

    def test_file_is_replaced_when_the_upload_is_complete(self):
        before = os.stat(self.remote("file"))
        for mode in ("pasv", "port"):
            with self.subTest(mode=mode):
                self.remote("file", OLD)
                session = self.session()
                data = self.begin(session, mode=mode)
                self.assertEqual(self.content(), OLD)
                data.socket().sendall(NEW[100_000:])
                self.assertEqual(self.content(), OLD)
                data.close()
                session.expect(226)
                self.assertEqual(self.content(), NEW)
                after = os.stat(self.remote("file"))
                for part in ("st_mode", "st_uid", "st_gid", "st_nlink"):
                    self.assertEqual(getattr(after, part), getattr(before, part), part)
                self.assertEqual(os.listdir(self.home), ["file"])
                session.quit()

    def test_broken_data_connection(self):
        session = self.session()
        for mode in ("pasv", "port"):
            data = self.begin(session, mode=mode)
            reset(data.socket())
            self.assertIn("as it was", session.expect(426).text)
            self.assert_old()

    def test_abor(self):
        session = self.session()
        self.begin(session)
        session.command("ABOR", 426)
        session.expect(226)
        self.assert_old()

    def test_no_data_connection(self):
        session = self.session()
        for line in ("STOR file", "STOR new", "APPE new", "STOU new", "STOU"):
            session.command(line, 425)
            self.assert_old()  # nor is a file made for nothing

    def test_client_that_is_killed_closes_both_connections(self):
        """Data then control, or control then data: both are no end of a file."""
        for control_first in (True, False):
            session = self.session()
            data = self.begin(session)
            if control_first:
                session.close()
                data.close()
            else:
                os.kill(self.server.pair().session, signal.SIGSTOP)
                data.close()
                session.close()
                os.kill(self.server.pair().session, signal.SIGCONT)
            self.server.wait_no_pairs()
            self.assert_old()

    def test_quit_behind_the_upload_counts_as_its_end(self):
        session = self.session()
        data = self.begin(session)
        session.send(b"QUIT\r\n")
        session.sock.shutdown(socket.SHUT_WR)
        data.close()
        session.expect(226)
        session.expect(221)
        self.assertEqual(self.content(), NEW[:100_000])

    def test_session_or_monitor_killed(self):
        for who in ("session", "monitor"):
            for mode in ("pasv", "eprt"):
                with self.subTest(who=who, mode=mode):
                    if who == "monitor" and mode == "eprt" and IS_ROOT:
                        continue  # with a capability to raise the file has a name, as documented
                    session = self.session()
                    self.begin(session, mode=mode)
                    os.kill(getattr(self.server.pair(), who), signal.SIGKILL)
                    self.server.wait_no_pairs()
                    self.assert_old()

    def test_new_file_that_breaks_stays_and_is_resumed(self):
        session = self.session()
        data = self.begin(session, "STOR new")
        wait_until(lambda: os.path.getsize(self.remote("new")) == 100_000, "it is there")
        reset(data.socket())
        session.expect(426)
        self.assertEqual(session.command("SIZE new", 213).text, "213 100000")
        session.store("STOR new", NEW[100_000:200_000], offset=100_000)
        session.store("APPE new", NEW[200_000:])
        self.assertEqual(self.content("new"), NEW)
        self.assertEqual(self.content(), OLD)

    def test_what_cannot_be_replaced_unseen_is_written_in_its_place(self):
        session = self.session()
        os.link(self.remote("file"), self.remote("second"))
        session.store("STOR file", b"linked")
        self.assertEqual(self.content("second"), b"linked")
        os.symlink("second", self.remote("symbolic"))
        session.store("STOR symbolic", b"through a link")
        self.assertTrue(os.path.islink(self.remote("symbolic")))
        self.assertEqual(self.content("file"), b"through a link")

    @root_only("files of others")
    def test_foreign_file_keeps_its_owner(self):
        os.chmod(self.remote("file"), 0o666)
        os.chown(self.remote("file"), USER_UID + 1, USER_GID + 1)
        inode = os.stat(self.remote("file")).st_ino
        self.session().store("STOR file", b"new")
        after = os.stat(self.remote("file"))
        self.assertEqual((after.st_uid, after.st_ino, self.content()),
                         (USER_UID + 1, inode, b"new"))

    @root_only("a directory that its user may not write")
    def test_file_in_a_directory_that_may_not_be_written(self):
        os.mkdir(self.remote("closed"), 0o755)
        self.remote("closed/file", OLD)
        self.session().store("STOR closed/file", b"new")
        self.assertEqual(self.content("closed/file"), b"new")

    def test_attributes_are_not_lost(self):
        try:
            os.setxattr(self.remote("file"), "user.note", b"mine")
        except OSError:
            self.skipTest("the file system has no attributes")
        self.session().store("STOR file", b"new")
        self.assertEqual(os.getxattr(self.remote("file"), "user.note"), b"mine")
        self.assertEqual(self.content(), b"new")

    def test_file_that_may_not_be_written_is_not_replaced_either(self):
        os.chmod(self.remote("file"), 0o444)
        if not IS_ROOT and os.geteuid() == 0:
            self.skipTest("root may")
        session = self.session()
        session.pasv()
        session.command("STOR file", 553)
        self.assert_old()

    def test_ascii(self):
        session = self.session()
        session.command("TYPE A", 200)
        session.store("STOR file", b"one\r\ntwo\r\n")
        self.assertEqual(self.content(), b"one\ntwo\n")

    def test_long_names(self):
        name = "x" * 255
        self.remote(name, OLD)
        for mode in ("pasv", "port"):
            self.session().store(f"STOR {name}", mode.encode(), mode)
            self.assertEqual(self.content(name), mode.encode())


class HiddenStoresOn(Uploads):
    directives = {"HiddenStores": "on", "SyncUploads": "on"}

    def test_new_file_appears_when_it_is_complete(self):
        session = self.session()
        session.command("SITE UMASK 027", 200)
        data = self.begin(session)
        self.assertFalse(os.path.exists(self.remote("file")))
        data.socket().sendall(NEW[100_000:])
        data.close()
        session.expect(226)
        self.assertEqual(self.content(), NEW)
        self.assertEqual(os.stat(self.remote("file")).st_mode & 0o777, 0o640)

    def test_new_file_that_breaks_leaves_nothing(self):
        session = self.session()
        for mode in ("pasv", "port"):
            reset(self.begin(session, mode=mode).socket())
            session.expect(426)
            self.assertEqual(os.listdir(self.home), [])

    def test_all_ways_to_store(self):
        session = self.session()
        session.store("STOR file", b"one")
        session.store("STOR file", b"two")
        session.store("APPE file", b"three")
        session.store("STOR file", b"four", offset=3)
        session.store("STOU file", b"five")
        self.assertEqual(self.content(), b"twofoure")
        self.assertEqual(self.content("file.1"), b"five")
        self.assertEqual(sorted(os.listdir(self.home)), ["file", "file.1"])


class HiddenStoresOff(Uploads):
    directives = {"HiddenStores": "off", "SyncUploads": "on"}

    def test_written_in_its_place(self):
        self.remote("file", OLD)
        inode = os.stat(self.remote("file")).st_ino
        session = self.session()
        data = self.begin(session)
        wait_until(lambda: self.content() == NEW[:100_000], "the file grows")
        reset(data.socket())
        session.expect(426)
        self.assertEqual(self.content(), NEW[:100_000])
        session.store("STOR file", NEW)
        self.assertEqual((self.content(), os.stat(self.remote("file")).st_ino), (NEW, inode))


class Restrictions(GenkanTest):
    def session(self, **directives):
        self.home = self.world.add_user()
        for name in ("file", "empty"):
            with open(os.path.join(self.home, name), "wb") as file:
                file.write(OLD if name == "file" else b"")
            if IS_ROOT:
                os.chown(file.name, USER_UID, USER_GID)
        return self.world.server(directives=directives).session()

    def content(self, name="file"):
        return read_file(os.path.join(self.home, name))

    def test_allow_store_restart_off(self):
        session = self.session(AllowStoreRestart="off")
        session.pasv()
        session.command("REST 5", 350)
        session.command("STOR file", 451)
        session.command("APPE file", 451)
        self.assertEqual(self.content(), OLD)
        session.store("APPE new", b"new")
        session.store("APPE empty", b"new")
        session.store("STOR file", b"new")
        self.assertEqual(session.retrieve("RETR file", offset=1), b"ew")
        for name in ("file", "new", "empty"):
            self.assertEqual(self.content(name), b"new")

    def test_allow_overwrite_off(self):
        for hidden in ("auto", "on"):
            with self.subTest(hidden=hidden):
                session = self.session(AllowOverwrite="off", HiddenStores=hidden)
                session.pasv()
                for line in ("STOR file", "APPE file", "STOR empty"):
                    session.command(line, 553)
                session.command("REST 5", 350)
                session.command("STOR file", 553)
                session.store("STOR new", b"new")
                self.assertEqual((self.content(), self.content("new")), (OLD, b"new"))
                os.unlink(os.path.join(self.home, "new"))

    def test_file_that_came_meanwhile_is_not_overwritten_without_the_right(self):
        session = self.session(AllowOverwrite="off", HiddenStores="on")
        with session.data() as data:
            session.command("STOR new", 150)
            data.socket().sendall(b"mine")
            with open(os.path.join(self.home, "new"), "wb") as file:
                file.write(b"other")
            data.close()
            session.expect(451)
        self.assertEqual(self.content("new"), b"other")
        self.assertEqual(sorted(os.listdir(self.home)), ["empty", "file", "new"])


class Attributes(ServerTest):
    """SITE CHGRP and SYMLINK, UNIX.group, and the place called ~."""

    def test_group(self):
        self.remote("two words", b"x")
        session = self.session()
        session.command(f"SITE CHGRP {USER_GID} two words", 200)
        session.command(f"MFF UNIX.group={USER_GID};UNIX.mode=600; two words", 213)
        if IS_ROOT:
            session.command("SITE CHGRP 0 two words", 550)
            session.command("MFF UNIX.group=0; two words", 550)
        session.command("SITE CHGRP wheel two words", 501)
        after = os.stat(self.remote("two words"))
        self.assertEqual((after.st_gid, after.st_mode & 0o7777), (USER_GID, 0o600))

    def test_symlink(self):
        os.mkdir(self.remote("dir"))
        self.remote("dir/two words", b"x")
        if IS_ROOT:
            os.chown(self.remote("dir"), USER_UID, USER_GID)
        session = self.session()
        session.command('SITE SYMLINK "dir/two words" a link', 200)
        self.assertEqual(os.readlink(self.remote("a link")), "dir/two words")
        self.assertEqual(session.retrieve("RETR a link"), b"x")
        session.command("SITE SYMLINK /dir \"quoted\"", 200)
        self.assertEqual(os.readlink(self.remote("quoted")), "dir")
        for line in ("missing other", '"a link" dir/other', "/ other", ".. other",
                     "/etc/passwd other", '"dir/two words" quoted'):
            session.command(f"SITE SYMLINK {line}", 550)
        self.assertFalse(os.path.lexists(self.remote("other")))

    def test_home(self):
        session = self.session()
        session.command("MKD dir", 257)
        for name, place in (("~", "/"), ("~/dir", "/dir"), (f"~{USER}", "/"), ("~/../dir", "/dir"),
                            (f"~{USER}/dir", "/dir")):
            session.command("CWD dir", 250)
            session.command(f"CWD {name}", 250)
            self.assertIn(f'"{place}"', session.command("PWD", 257).text)
            session.command("CWD /", 250)
        for name in ("~nobody", "~~", "x~", f"~{USER}x"):
            session.command(f"CWD {name}", 550)
        session.command("CWD dir", 250)
        self.assertIn(b"dir", session.retrieve("NLST ~"))
        session.command("MKD ~", 257)  # what is called so comes first
        session.command("CWD ~", 250)
        self.assertIn('"/dir/~"', session.command("PWD", 257).text)


@root_only("a file system of its own")
class NoRoom(GenkanTest):
    """The old file is whole, the reply says why, and there is room again afterwards."""

    def mounted(self, *mount):
        """A home on a file system of its own; the test is skipped where that cannot be had."""
        folder = self.world.make_directory("small")
        done = subprocess.run(["mount", *mount, folder], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f"mount is not allowed here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        return folder

    def check(self, home, code, word):
        self.world.add_user(home=home)
        path = os.path.join(home, "file")
        with open(path, "wb") as file:
            file.write(OLD)
        os.chown(path, USER_UID, USER_GID)
        session = self.world.server().session()
        for line in ("STOR file", "STOR new"):
            with session.data() as data:
                session.command(line, 150)
                try:
                    data.socket().sendall(bytes(3 << 20))
                except OSError:
                    pass  # the server closes when there is no more room
                data.close()
                self.assertIn(word, session.expect(code).text)
            self.assertEqual(read_file(path), OLD)
        self.assertEqual(sorted(os.listdir(home)), ["file", "new"])
        session.command("DELE new", 250)
        session.store("STOR file", b"fits")
        self.assertEqual(read_file(path), b"fits")

    def test_disk_full_is_452_and_the_old_file_is_whole(self):
        home = self.mounted("-t", "tmpfs", "-o",
                            f"size=1m,mode=0700,uid={USER_UID},gid={USER_GID}", "tmpfs")
        self.check(home, 452, "full")

    @root_only("a file system with quotas")
    @need_program("mkfs.btrfs")
    def test_quota_used_up_is_552_and_the_old_file_is_whole(self):
        """A real quota: btrfs has them wherever the kernel has btrfs."""
        image = self.world.path_of("image")
        with open(image, "wb") as file:
            file.truncate(200 << 20)
        subprocess.run(["mkfs.btrfs", "-q", image], check=True, capture_output=True)
        top = self.mounted("-o", "loop", image)
        home = os.path.join(top, "home")
        for words in (["subvolume", "create", home], ["quota", "enable", top],
                      ["qgroup", "limit", "1M", home]):
            done = subprocess.run(["btrfs", *words], check=False, capture_output=True, text=True)
            if done.returncode != 0:
                self.skipTest(f"btrfs {words[0]}: {done.stderr.strip()}")
        os.chown(home, USER_UID, USER_GID)
        self.check(home, 552, "quota")


if __name__ == "__main__":
    unittest.main()
