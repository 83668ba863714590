"""Lists the unhealthy endpoints of every tenant: python list_endpoints.py reader.wasm"""

import os
import sys

from central import Central, Failure


def obtain(reason):
    if reason == "rejected":
        raise LookupError("replace the credential in SOPHOS_CLIENT_ID and SOPHOS_CLIENT_SECRET")
    client = {"id": os.environ["SOPHOS_CLIENT_ID"], "secret": os.environ["SOPHOS_CLIENT_SECRET"]}
    return {"grant": {"client": client}, "service": None}


def main():
    unhealthy = [{"tag": "health", "val": ["bad", "suspicious"]}]
    with Central(sys.argv[1], obtain) as central:
        for tenant in central.pages("tenants", "list", "tenants"):
            tenant_id = central.call("tenants", "[method]tenant.id", tenant)
            options = {"size": 500}
            for endpoint in central.pages("endpoints", "search", "endpoints", tenant, unhealthy, options=options):
                print(tenant_id, endpoint["hostname"], endpoint["health"])


try:
    main()
except Failure as failure:
    sys.exit(f"{failure.reason}: {failure}")
