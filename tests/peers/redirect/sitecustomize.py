"""Redirects connections of Sophos Central to the simulator, and waits without waiting.

Python imports this module at its start if its folder is on PYTHONPATH. A client then needs no
change: it connects to `https://api.central.sophos.com` and verifies the certificate of that name.
Other hosts than the service and this machine are refused.

SIMULATOR has the addresses that the simulator prints.
"""

import json
import os
import socket
import time
import urllib.parse
import urllib.request

LOOPBACK = "127.0.0.1"


def ports(addresses):
    """The port of each host name of the service."""
    names = {"id.sophos.com": addresses["identity"], "api.central.sophos.com": addresses["global"]}
    for region, address in addresses["regions"].items():
        names[f"api-{region}.central.sophos.com"] = address
    return {name: urllib.parse.urlsplit(address).port for name, address in names.items()}


def redirect(addresses):
    resolve = socket.getaddrinfo
    hosts = ports(addresses)

    def getaddrinfo(host, port, *arguments, **named):
        if host in hosts:
            return resolve(LOOPBACK, hosts[host], *arguments, **named)
        if host in (LOOPBACK, "localhost"):
            return resolve(host, port, *arguments, **named)
        raise socket.gaierror(f"{host} is neither the service nor this machine")

    socket.getaddrinfo = getaddrinfo


def advance_instead_of_sleeping(control):
    """A wait of the client moves the simulator's clock."""

    def sleep(seconds):
        body = json.dumps({"advance_seconds": seconds}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(control + "/control/clock", body, headers)
        urllib.request.urlopen(request).close()

    time.sleep = sleep


if "SIMULATOR" in os.environ:
    simulator = json.loads(os.environ["SIMULATOR"])
    redirect(simulator)
    advance_instead_of_sleeping(simulator["control"])
