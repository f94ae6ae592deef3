"""pyftpdlib as a server that is started per connection: the client is descriptor 0.

    bench_pyftpdlib.py DIRECTORY LIBRARIES UID
"""

import os
import socket
import sys
import warnings

warnings.simplefilter("ignore")
directory, libraries, uid = sys.argv[1:]
sys.path[:0] = libraries.split(":")

# pylint: disable=wrong-import-position
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop


class Server:
    """What a handler asks of its server."""

    ip_map = []
    backlog = 1

    def __init__(self, sock):
        self.socket = sock

    @staticmethod
    def _accept_new_cons():
        return True


authorizer = DummyAuthorizer()
with warnings.catch_warnings():
    authorizer.add_anonymous(directory, perm="elrmw")
    authorizer.add_user("vuser", "bench", directory)
FTPHandler.authorizer = authorizer
loop = IOLoop.instance()
client = socket.socket(fileno=os.dup(0))
for fd in (0, 1, 2):
    os.dup2(os.open("/dev/null", os.O_RDWR), fd)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
handler = FTPHandler(client, Server(client), ioloop=loop)
handler.handle()
while loop.socket_map:
    loop.loop(timeout=1, blocking=False)
