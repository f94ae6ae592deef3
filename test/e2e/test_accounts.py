"""Who may come in and what an account may do, as clients see it."""

import os
import subprocess
import unittest

from genkan import (FTPD, PASSWORD, SOURCE, USER, USER_GID, USER_UID, GenkanTest, read_file,
                    root_only, write_file)


class AccountTest(GenkanTest):
    def setUp(self):
        super().setUp()
        self.home = self.world.add_user()

    def start(self, **directives):
        """A session of a server with these directives."""
        self.server = self.world.server(directives=directives)
        return self.server.session()

    def file(self, name, text, mode=0o644):
        path = write_file(self.world.path_of(name), text.encode())
        os.chmod(path, mode)
        return path

    def try_login(self, control, user=USER, password=PASSWORD):
        control.command(f"USER {user}", 331)
        return control.command(f"PASS {password}").text


class DropBox(AccountTest):
    def test_a_drop_box_takes_new_files_and_shows_nothing(self):
        session = self.start(UploadOnly="on")
        session.store("STOR new", b"content")
        self.assertEqual(read_file(os.path.join(self.home, "new")), b"content")
        session.command("MKD folder", 257)
        session.command("CWD folder", 250)
        session.store("STOR below", b"x")
        session.command("CWD /", 250)
        for command, words in (
                ("SIZE new", "You may not look at files here."),
                ("MDTM new", "You may not look at files here."),
                ("MLST new", "You may not look at files here."),
                ("MLST", "You may not look at files here."),
                ("DELE new", "You may not delete"),
                ("RMD folder", "You may not "),
                ("RNFR new", "You may not rename"),
                ("XSHA256 new", "You may not "),
                ("SITE CHMOD 600 new", "You may not ")):
            with self.subTest(command=command):
                self.assertIn(words, session.command(command, 550).text)
                missing = session.command(command.replace("new", "old").replace("folder", "no"))
                self.assertIn(words, missing.text)  # the same for what is not there
        for command in ("LIST", "NLST", "MLSD", "RETR new", "RETR old", "STAT /"):
            with self.subTest(command=command):
                session.pasv()
                self.assertIn("You may not ", session.command(command, 550, 450).text)
        session.pasv()
        self.assertIn("may not be overwritten", session.command("STOR new", 553).text)
        session.command("REST 3", 350)
        session.pasv()
        session.command("STOR new", 553)
        self.assertEqual(read_file(os.path.join(self.home, "new")), b"content")

    def test_a_drop_box_for_files_has_no_directories(self):
        session = self.start(UploadOnly="files")
        session.store("STOR new", b"content")
        self.assertIn("You may not", session.command("MKD folder", 550).text)


class Rules(AccountTest):
    def test_nobody_logs_in_while_there_is_a_nologin_file(self):
        path = self.file("nologin", "down until noon\n")
        server = self.world.server(directives={"NologinFile": path})
        with server.connect() as control:
            control.greet()
            known = self.try_login(control)
            unknown = self.try_login(control, "whoever", "x")
            self.assertEqual(known, unknown)
            self.assertTrue(known.startswith("530 Nobody can log in at present"), known)
            os.unlink(path)
            self.assertTrue(self.try_login(control).startswith("230"))

    def test_a_listed_user_is_refused_like_a_wrong_password(self):
        server = self.world.server(directives={"FtpUsers": self.file("ftpusers", USER + "\n")})
        with server.connect() as control:
            control.greet()
            self.assertEqual(self.try_login(control), self.try_login(control, password="wrong"))
        server.wait_log(r'user="anna" reason=ftpusers n=1')

    def test_groups_choose_the_root(self):
        group = self.file("group", f"kids:x:30001:{USER}\nstaff:x:30002:somebody\n")
        playground = self.world.make_directory("play ground")
        write_file(os.path.join(playground, "toy"), b"")
        config = self.file("roots.conf", f'DefaultRoot "{playground}" kids,!staff\nDefaultRoot ~\n')
        server = self.world.server(flags=("-e", "-f", config), directives={"AuthGroupFile": group})
        self.assertEqual(server.session().retrieve("NLST"), b"toy\r\n")
        self.file("group", "kids:x:30001:somebody\n")
        self.assertEqual(server.session().retrieve("NLST"), b"")

    @root_only("supplementary groups")
    def test_groups_of_the_file_open_their_files(self):
        group = self.file("group", f"kids:x:30001:{USER}\n")
        shared = self.world.make_directory("shared", mode=0o770, owner=(0, 30001))
        write_file(os.path.join(shared, "file"), b"content", (0, 30001))
        os.chmod(os.path.join(shared, "file"), 0o640)
        session = self.start(DefaultRoot=shared, AuthGroupFile=group)
        self.assertEqual(session.retrieve("RETR file"), b"content")
        # and the facts say so
        self.assertIn("perm=dfr;", session.command("MLST file", 250).text.lower())

    def test_rights_of_a_user(self):
        write_file(os.path.join(self.home, "file"), b"content", (USER_UID, USER_GID))
        rights = self.file("rights", f"{USER}: all -delete -overwrite\n*: none\n")
        session = self.start(UserRights=rights)
        self.assertEqual(session.retrieve("RETR file"), b"content")
        session.store("STOR new", b"x")
        self.assertIn("You may not", session.command("DELE new", 550).text)
        session.pasv()
        session.command("STOR file", 553)

    def test_the_check_reads_the_rights(self):
        path = self.file("rights", "anna: all\nbob: raed\n")
        argv = [FTPD, "-t", "-f", "/dev/null", "-o", f"UserRights {path}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 78)
        self.assertIn(f'UserRights {path}: line 2: "raed" is no right', done.stderr)
        example = os.path.join(SOURCE, "examples", "rights")
        argv[-1] = f"UserRights {example}"
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_denied_names(self):
        for name in (".htaccess", "virus.EXE", "file"):
            write_file(os.path.join(self.home, name), b"content", (USER_UID, USER_GID))
        session = self.start(PathDeny=".ht* *.exe")
        self.assertEqual(session.retrieve("NLST -a"), b".\r\n..\r\nfile\r\n")
        for command in ("RETR .htaccess", "STOR new.exe", "APPE new.exe", "LIST .htaccess"):
            with self.subTest(command=command):
                session.pasv()
                self.assertIn("not allowed here (PathDeny)",
                              session.command(command, 550, 553, 450).text)
        for command in ("DELE virus.exe", "SIZE .htaccess", "MLST virus.EXE", "MKD x.exe",
                        "CWD .htfolder", "RNFR .htaccess"):
            with self.subTest(command=command):
                self.assertIn("not allowed here (PathDeny)", session.command(command, 550).text)
        session.command("RNFR file", 350)
        self.assertIn("(PathDeny)", session.command("RNTO file.exe", 553).text)


del AccountTest, GenkanTest  # they are not tests themselves

if __name__ == "__main__":
    unittest.main()
