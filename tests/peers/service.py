"""The simulator behind the clients: its control host, and its API without any client."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

TOKEN_PATH = "/api/v2/oauth2/token"


def plain(address):
    """Every port of the simulator accepts plain HTTP as well."""
    return address.replace("https://", "http://", 1)


def send(method, url, headers=None, body=None):
    """Returns the status and the parsed body of a response."""
    headers = dict(headers or {})
    data = body
    if isinstance(body, (dict, list)):
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text else None


class Service:
    """What the simulator holds."""

    def __init__(self):
        self.addresses = json.loads(os.environ["SIMULATOR"])
        self.tokens = {}

    def control(self, path, method="GET", body=None):
        status, content = send(method, self.addresses["control"] + "/control" + path, body=body)
        assert status == 200, f"{method} /control{path}: {status}"
        return content

    def credential(self, kind):
        found = [c for c in self.control("/credentials") if c["id_type"] == kind]
        return found[0]["client_id"], found[0]["client_secret"]

    def tenants(self):
        return self.control("/tenants")

    def tenant(self, name):
        return next(tenant for tenant in self.tenants() if tenant["name"].startswith(name))

    def token(self, kind="partner"):
        if kind not in self.tokens:
            client_id, secret = self.credential(kind)
            form = {
                "grant_type": "client_credentials",
                "scope": "token",
                "client_id": client_id,
                "client_secret": secret,
            }
            url = plain(self.addresses["identity"]) + TOKEN_PATH
            _, content = send("POST", url, body=urllib.parse.urlencode(form).encode())
            self.tokens[kind] = content["access_token"]
        return self.tokens[kind]

    def call(self, tenant, method, path, query=None, body=None):
        """Calls a regional operation and returns the body of its success."""
        address = plain(self.addresses["regions"][tenant["region"]])
        headers = {"Authorization": "Bearer " + self.token(), "X-Tenant-ID": tenant["id"]}
        return self.success(method, address + path, query, headers, body)

    def call_global(self, method, path, query=None, body=None, **headers):
        """Calls a global operation. A header `X_Partner_ID` is sent as `X-Partner-ID`."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = "Bearer " + self.token()
        return self.success(method, plain(self.addresses["global"]) + path, query, headers, body)

    def partner_id(self):
        return self.call_global("GET", "/whoami/v1")["id"]

    def items(self, tenant, path, query=None):
        """All items of a listing with pages by key or by number, or without pages."""
        query = dict(query or {})
        found, number = [], 1
        while True:
            page = self.call(tenant, "GET", path, query)
            found += page["items"]
            pages = page.get("pages") or {}
            if pages.get("nextKey"):
                query["pageFromKey"] = pages["nextKey"]
            elif "current" in pages and page["items"] and len(page["items"]) == pages.get("size"):
                number += 1
                query["page"] = number
            else:
                return found

    @staticmethod
    def success(method, url, query, headers, body):
        if query:
            url += "?" + urllib.parse.urlencode(query, doseq=True)
        status, content = send(method, url, headers, body)
        assert 200 <= status < 300, f"the simulator answers {status} to {method} {url}: {content}"
        return content
