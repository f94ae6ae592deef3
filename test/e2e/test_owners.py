"""UNIX.ownername and UNIX.groupname: names of owners, for clients that choose them."""

import calendar
import os
import re
import subprocess
import time
import unittest

from genkan import (IS_ROOT, USER, GenkanTest, ServerTest, descriptors, root_only,
                    write_file)

FACTS = "UNIX.owner;UNIX.ownername;UNIX.group;UNIX.groupname;"


def facts(row):
    """{fact: value} of "fact=value;fact=value; name"."""
    return dict(fact.split("=", 1) for fact in row.strip().split("; ")[0].split(";") if fact)


class Owners(ServerTest):
    def of_name(self, session, name):
        """The facts of one file, by MLST and by MLSD, which must agree."""
        told = facts(session.command(f"MLST {name}", 250).lines[1])
        rows = [row for row in session.retrieve("MLSD").decode().splitlines()
                if row.endswith(f"; {name}")]
        self.assertEqual([facts(row) for row in rows], [told])
        return told

    def test_they_are_not_told_unless_chosen(self):
        self.remote("file", b"")
        session = self.session()
        features = session.command("FEAT", 211).text
        self.assertRegex(features, r"UNIX\.owner\*;UNIX\.ownername;UNIX\.group\*;UNIX\.groupname;")
        self.assertNotIn("name=", session.command("MLST file", 250).text)
        self.assertNotIn(b"name=", session.retrieve("MLSD"))

    def test_when_a_file_was_made(self):
        """The fact create, RFC 3659 section 7.5.4, for who chooses it and where it is known."""
        before = time.time()
        path = self.remote("file", b"")
        after = time.time()
        os.utime(path, (1_000_000_000, 1_000_000_000))
        session = self.session()
        session.command("OPTS MLST create;modify;", 200)
        told = self.of_name(session, "file")
        self.assertEqual(told["modify"], "20010909014640")
        known = subprocess.run(["stat", "-c", "%W", path], capture_output=True, text=True,
                               check=True).stdout.strip()
        if known in ("0", "-"):  # this file system does not know
            self.assertNotIn("create", told)
            return
        made = calendar.timegm(time.strptime(told["create"], "%Y%m%d%H%M%S"))
        self.assertEqual(made, int(known))
        self.assertTrue(int(before) - 1 <= made <= after + 1, (before, made, after))

    @root_only("files of others")
    def test_the_systems_names(self):
        os.chown(self.remote("file", b""), 0, 0)
        session = self.session()
        self.assertEqual(session.command(f"OPTS MLST {FACTS}", 200).text, f"200 MLST OPTS {FACTS}")
        self.assertEqual(self.of_name(session, "file"), {
            "UNIX.owner": "0", "UNIX.ownername": "root", "UNIX.group": "0",
            "UNIX.groupname": "root"})
        self.assertIn("UNIX.ownername*;", session.command("FEAT", 211).text)

    @root_only("users that the system does not know")
    def test_the_accounts_own_name_and_numbers_for_strangers(self):
        self.remote("own", b"")
        os.chown(self.remote("foreign", b""), 30_003, 30_004)
        session = self.session()
        session.command("OPTS MLST UNIX.ownername;UNIX.groupname;", 200)
        self.assertEqual(self.of_name(session, "own"),
                         {"UNIX.ownername": USER, "UNIX.groupname": "20001"})
        self.assertEqual(self.of_name(session, "foreign"),
                         {"UNIX.ownername": "30003", "UNIX.groupname": "30004"})

    def test_files_of_the_users_root_are_not_believed(self):
        os.mkdir(self.remote("etc"))
        for name in ("passwd", "group"):
            self.remote(f"etc/{name}", f"impostor:x:{os.stat(self.home).st_uid}:1::/:\n".encode())
        session = self.session()
        session.command(f"OPTS MLST {FACTS}", 200)
        self.assertNotIn("impostor", session.command("MLST etc", 250).text)

    def test_the_files_are_closed_when_read(self):
        session = self.session()
        monitor = self.server.pair().monitor
        system = {"/etc/passwd", "/etc/group"}
        if IS_ROOT:
            self.assertEqual(system & set(descriptors(monitor).values()), system)
        session.command(f"OPTS MLST {FACTS}", 200)
        session.command("MLST", 250)
        if IS_ROOT:
            self.assertEqual(system & set(descriptors(monitor).values()), set())
        session.command("MLST", 250)

    def test_numbers_in_list_as_ever(self):
        self.remote("file", b"")
        session = self.session()
        session.command(f"OPTS MLST {FACTS}", 200)
        owner = str(os.stat(self.remote("file")).st_uid)
        self.assertEqual(re.split(" +", session.retrieve("LIST").decode())[2], owner)


class Guests(GenkanTest):
    def test_guests_get_numbers(self):
        shared = self.world.make_directory("shared")
        write_file(os.path.join(shared, "file"), b"")
        server = self.world.server(flags=("-e", "--share", shared))
        session = server.session("anonymous", "guest")
        session.command(f"OPTS MLST {FACTS}", 200)
        told = facts(session.command("MLST file", 250).lines[1])
        self.assertEqual(told["UNIX.ownername"], told["UNIX.owner"])
        self.assertEqual(told["UNIX.groupname"], told["UNIX.group"])


del GenkanTest, ServerTest  # they are not tests themselves


if __name__ == "__main__":
    unittest.main()
