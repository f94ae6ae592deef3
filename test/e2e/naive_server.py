"""The naive server: a tiny FTP server that tells every client its own, private address.

It stands for all servers that know nothing of NAT. The NAT laboratory uses it to prove
that a data connection fails where it must, and that a router's FTP helper repairs it.

usage: naive_server.py DIRECTORY PORT...
"""
import os
import re
import socket
import sys
import threading

TIMEOUT = 3


class Session:
    def __init__(self, control, root):
        self.control, self.root = control, root
        self.lines = control.makefile("rb")
        self.listener = self.target = None

    def reply(self, text):
        self.control.sendall(text.encode() + b"\r\n")

    def passive(self):
        if self.listener:
            self.listener.close()
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        host = self.control.getsockname()[0]
        for port in range(4000, 4030):
            try:
                self.listener.bind((host, port))
                self.listener.listen(1)
                break
            except OSError:
                continue
        self.listener.settimeout(TIMEOUT)
        self.target = None
        return self.listener.getsockname()

    def data(self):
        if self.listener:
            return self.listener.accept()[0]
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(TIMEOUT)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.control.getsockname()[0], 20))
        sock.connect(self.target)
        return sock

    def retrieve(self, name):
        self.reply("150 Here it comes")
        try:
            with self.data() as data, open(os.path.join(self.root, name), "rb") as file:
                data.sendall(file.read())
        except OSError as error:
            return "425 %s" % error
        return "226 Done"

    def run(self):
        self.reply("220 Naive")
        for line in self.lines:
            verb, _, arg = line.decode().strip().partition(" ")
            verb = verb.upper()
            if verb == "USER":
                self.reply("331 Any password")
            elif verb == "PASS":
                self.reply("230 In")
            elif verb == "PASV":
                host, port = self.passive()
                numbers = host.split(".") + [str(port >> 8), str(port & 255)]
                self.reply("227 Entering Passive Mode (%s)" % ",".join(numbers))
            elif verb == "EPSV":
                self.reply("229 Entering Extended Passive Mode (|||%d|)" % self.passive()[1])
            elif verb == "PORT":
                n = re.findall(r"\d+", arg)
                self.target, self.listener = (".".join(n[:4]), int(n[4]) << 8 | int(n[5])), None
                self.reply("200 Fine")
            elif verb == "EPRT":
                _, _, host, port, _ = arg.split(arg[0])
                self.target, self.listener = (host, int(port)), None
                self.reply("200 Fine")
            elif verb == "RETR":
                self.reply(self.retrieve(os.path.basename(arg)))
            elif verb == "QUIT":
                self.reply("221 Bye")
                return
            else:
                self.reply("200 Whatever")


def serve(listener, root):
    def session(control):
        with control:
            try:
                Session(control, root).run()
            except OSError:
                pass
    while True:
        threading.Thread(target=session, args=(listener.accept()[0],), daemon=True).start()


def main(root, *ports):
    for port in ports:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", int(port)))
        listener.listen(10)
        threading.Thread(target=serve, args=(listener, root), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
