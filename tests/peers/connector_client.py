"""Calls every function of `sophos-central-api-connector`, through its programs where it has some.

The package keeps its settings and its output in its own folder, so a copy of it is run.
"""

import datetime
import importlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import sophos_central_api_connector as installed

from results import Differs, Results, equal, true
from service import Service

home = pathlib.Path(tempfile.mkdtemp())
package = home / "sophos_central_api_connector"
shutil.copytree(next(iter(installed.__path__)), package)
for name in [name for name in sys.modules if name.startswith("sophos_central_api_connector")]:
    del sys.modules[name]
sys.path.insert(0, str(home))

NAMES = ["api_auth", "api_connector_utils", "api_delete_data", "api_get_data", "api_live_discover"]
NAMES += ["api_output", "api_polling", "api_tenants", "main"]
modules = {name: importlib.import_module(f"{package.name}.sophos_central_{name}") for name in NAMES}
hunter = importlib.import_module(f"{package.name}.ioc_hunter")
config = importlib.import_module(f"{package.name}.config.sophos_central_api_config")
utils, getter = modules["api_connector_utils"], modules["api_get_data"]
discover, auth = modules["api_live_discover"], modules["api_auth"]

OTHER = "it calls another service: "
UNFINISHED = "the function prints that it is not finished, and exits"
skipped = {
    "sophos_central_main.get_intelix_auth": OTHER + "SophosLabs Intelix",
    "sophos_central_main.intelix_check": OTHER + "SophosLabs Intelix",
    "sophos_central_main.get_splunk_creds": OTHER + "Splunk",
    "sophos_central_api_live_discover.get_misp_attributes": OTHER + "MISP",
    "sophos_central_api_live_discover.build_run_report": UNFINISHED,
}
results = Results("sophos-central-api-connector", skipped=skipped)
service = Service()
tenants = service.tenants()
acme = service.tenant("Acme")
client_id, secret = service.credential("partner")
settings = package / "config/sophos_config.ini"
text = settings.read_text().replace("[static]\nclient_id:\nclient_secret:", f"[static]\nclient_id: {client_id}\nclient_secret: {secret}")
settings.write_text(text)


def of(module, *functions):
    return results.of(*[f"sophos_central_{module}.{function}" for function in functions])


def program(name, *arguments, answers=""):
    """Runs a program of the package and returns its standard output."""
    command = [sys.executable, "-m", f"{package.name}.{name}", *arguments]
    # Without a terminal the program reads the credential from its standard input.
    done = subprocess.run(
        command, cwd=home, input=answers, capture_output=True, text=True, start_new_session=True
    )
    if done.returncode:
        raise Differs(f"{name} {arguments} exits with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout


def main(*arguments):
    return program("sophos_central_main", "--auth", "static", *arguments)


def ids(items):
    return sorted(item["id"] for item in items)


def file(folder, tenant):
    path = package / "output" / folder / f"{tenant['name']}_{tenant['id']}.json"
    return json.loads(path.read_text()).values() if path.exists() else []


def information():
    token = auth.get_bearer_tok(client_id, secret, config.auth_uri)
    headers = auth.validate_id_headers(token)
    who, kind, data = auth.get_whoami_data(headers, config.whoami_uri)
    header, url = auth.validate_whoami_type(kind, data, config.tenants_ptr_uri, config.tenants_org_uri)
    modules["api_tenants"].gen_tenant_headers(headers, who, kind, header)
    return modules["api_tenants"].get_tenant_info(headers, url, token)


def urls(api, tenant=acme):
    found = utils.generate_tenant_urls(information(), "100", api, None, None)
    return {tenant["id"]: found[tenant["id"]]}


@of("main", "main", "get_sophos_creds", "get_file_location", "print_tenant_info")
def list_tenants():
    printed = main("--get", "tenants")
    for tenant in tenants:
        true(f"Tenant Name: {tenant['name']}\nTenantID: {tenant['id']}\n" in printed, tenant["name"])
    equal(printed.count("TenantID:"), len(tenants), "the tenants")


@of("api_auth", "get_bearer_tok", "validate_id_headers", "get_whoami_data", "validate_whoami_type")
def identify():
    for kind in ("partner", "organization", "tenant"):
        token = auth.get_bearer_tok(*service.credential(kind), config.auth_uri)
        found = auth.get_whoami_data(auth.validate_id_headers(token), config.whoami_uri)
        equal(found[1], kind, "the kind of the credential")
        header, url = auth.validate_whoami_type(found[1], found[2], config.tenants_ptr_uri, config.tenants_org_uri)
        equal(header, f"X-{kind.capitalize()}-ID", "the header")
        if kind == "tenant":
            equal(url.rstrip("/"), service.addresses["regions"][acme["region"]], "the host")
    equal(auth.get_bearer_tok(client_id, "wrong", config.auth_uri)[0], None, "the token of a wrong secret")


@of("api_auth", "ten_auth")
def ten_auth():
    printed = program("ioc_hunter", "-a", "xdr", "-st", "list", answers=f"{client_id}\n{secret}\n")
    true(printed, "the program prints no queries")


@of("api_tenants", "gen_tenant_headers", "get_tenant_info", "get_next_page")
def get_tenant_info():
    found = {key: value["name"] for key, value in information().items()}
    equal(found, {tenant["id"]: tenant["name"] for tenant in tenants}, "the tenants")


@of("api_tenants", "type_tenant")
def type_tenant():
    token = service.token("tenant")
    host = service.addresses["regions"][acme["region"]]
    found = modules["api_tenants"].type_tenant({"X-Tenant-ID": acme["id"]}, acme["id"], host, token)
    data = getter.get_page(host + config.endpoints_uri, found[acme["id"]]["headers"])
    equal(len(data["items"]), 50, "the first page of endpoints")


@of("main", "get_inventory")
def get_inventory():
    main("--get", "inventory", "--output", "json")
    for tenant in tenants:
        expected = {item["id"]: item for item in service.items(tenant, "/endpoint/v1/endpoints")}
        found = file("get_inventory", tenant)
        equal(ids(found), sorted(expected), "the endpoints of " + tenant["name"])
        for item in found:
            equal(item.get("hostname"), expected[item["id"]].get("hostname"), "a host name")


@of("api_output", "process_output", "process_output_json", "process_output_stdout")
def process_output():
    printed = main("--get", "inventory", "--output", "stdout", "--tenant", acme["id"])
    expected = service.items(acme, "/endpoint/v1/endpoints")
    equal(printed.count('"tamperProtectionEnabled"'), len(expected), "the printed endpoints")


@of("api_output", "process_output_splunk")
def process_output_splunk():
    data = getter.get_data(urls("endpoint"), "100", acme["id"], "endpoint")
    found = modules["api_output"].process_output(
        "splunk", data, urls("endpoint"), acme["id"], "endpoint", "inventory"
    )
    equal(len(found), acme["endpoints"], "the events")


@of("api_output", "process_output_temp")
def process_output_temp():
    true(modules["api_output"].process_output_temp({"one": 1}, "one.json"), "the file is not written")
    equal(utils.open_tmp_json("one.json"), {"one": 1}, "the file")


@of("api_connector_utils", "open_tmp_json", "clean_up", "get_file_location", "build_json_data")
def clean_up():
    equal(utils.build_json_data(["a"], {}, 0), ({1: "a"}, 1), "the numbered items")
    utils.clean_up()
    true(not (package / "tmp").exists(), "the folder is still there")


@of("api_connector_utils", "generate_tenant_urls", "validate_page_size")
def generate_tenant_urls():
    for api in ("endpoint", "common", "local-sites", "live-discover", "xdr-datalake"):
        found = utils.generate_tenant_urls(information(), "100", api, "2026-01-01", "2026-01-02")
        equal(sorted(found), sorted(tenant["id"] for tenant in tenants), "the tenants of " + api)
    equal(utils.validate_page_size("", "endpoint"), 50, "the default page size")


@of("api_get_data", "get_data", "get_page", "get_page_totals", "process_next_page")
def get_data():
    data = getter.get_data(urls("endpoint"), "50", acme["id"], "endpoint")
    equal(ids(data.values()), ids(service.items(acme, "/endpoint/v1/endpoints")), "the endpoints")
    host = urls("endpoint")[acme["id"]]
    totals = getter.get_page_totals(host["orig_url"] + "?pageSize=50&pageTotal=true", host["headers"])
    equal(totals, -(-acme["endpoints"] // 50), "the number of pages")


@of("main", "get_alerts")
def get_alerts():
    main("--get", "alerts", "--days", "1", "--output", "json")
    to_time, from_time = utils.calculate_from_to(1, None)
    for tenant in tenants:
        listing = service.items(tenant, "/common/v1/alerts", {"from": from_time, "to": to_time})
        true(listing, "the simulator has no alerts")
        true(set(ids(listing)) <= set(ids(file("get_alerts", tenant))), "missing alerts of " + tenant["name"])


@of("api_connector_utils", "calculate_from_to")
def calculate_from_to():
    to_time, from_time = utils.calculate_from_to(2, None)
    listing = service.items(acme, "/common/v1/alerts", {"from": from_time, "to": to_time})
    true(all(from_time <= alert["raisedAt"] < to_time for alert in listing), "an alert of another time")


@of(
    "api_polling", "polling_alerts", "create_poll_config", "polling_from", "prepare_poll", "alert_file_checks",
    "first_loop_prep", "remove_old_alert_ids", "process_poll_events", "gen_idalerts", "finalise_polling",
    "get_file_location",
)
def poll():
    # The first poll keeps the ids of its alerts; the next ones skip these.
    for _ in range(3):
        main("--get", "alerts", "--poll_alerts", "--output", "json", "--tenant", acme["id"])
    kept = json.loads((package / "polling/alert_ids.json").read_text())
    # The client forgets ids that are older than a day before its last poll.
    now = service.control("/clock")["now_ms"] / 1000
    since = datetime.datetime.fromtimestamp(now - 23 * 3600, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    listing = service.items(acme, "/common/v1/alerts", {"from": since})
    true(listing and set(ids(listing)) <= set(kept), "alerts without a kept id")


SITES = "/endpoint/v1/settings/web-control/local-sites"


@of("main", "get_local_sites")
def get_local_sites():
    for number in range(3):
        site = {"url": f"peer-{number}.example", "categoryId": number + 1, "comment": "of a peer"}
        service.call(acme, "POST", SITES, body=site)
    main("--get", "local-sites", "--output", "json", "--tenant", acme["id"])
    path = package / f"output/get_local_sites/{acme['name']}_{acme['id']}.json"
    found = json.loads(path.read_text())
    expected = service.items(acme, SITES)
    equal(sorted(found), ids(expected), "the local sites")
    categories = service.call(acme, "GET", "/endpoint/v1/settings/web-control/categories")
    for site in expected:
        equal(found[site["id"]]["url"], site["url"], "the address")
        if "categoryId" in site:
            name = next(c["name"] for c in categories if c["id"] == site["categoryId"])
            equal(found[site["id"]]["categoryName"], name, "the category")


@of("api_connector_utils", "gather_category_data")
def gather_category_data():
    expected = service.call(acme, "GET", "/endpoint/v1/settings/web-control/categories")
    only = {acme["id"]: information()[acme["id"]]}
    equal(utils.gather_category_data(only), expected, "the categories")


@of("api_delete_data", "delete_local_site")
def delete_local_site():
    site = service.call(acme, "POST", SITES, body={"url": "gone.example", "categoryId": 1, "comment": "of a peer"})
    chosen = {site["id"]: {"tenantId": acme["id"], "intelixRisk": "HIGH", "url": site["url"]}}
    found = modules["api_delete_data"].delete_local_site(chosen, urls("local-sites"))
    equal(found[site["id"]]["delStatus"], True, "the deletion")
    true(site["id"] not in ids(service.items(acme, SITES)), "the site is still there")


@of("api_live_discover", "get_queries")
def get_queries():
    for api, path in (("live-discover", config.livediscover_uri), ("xdr-datalake", config.xdr_uri)):
        expected = service.items(acme, path, {"pageSize": 250})
        true(expected, f"the simulator has no queries of {api}")
        equal(sorted(discover.get_queries(urls(api), False, None, api)), ids(expected), api)


def saved(api, path, *filters):
    """Runs a saved query without variables to its end through the program."""
    query = next(item for item in service.items(acme, path, {"pageSize": 250}) if not item.get("variables"))
    arguments = ["-a", api, "-st", "saved", "-si", query["name"], "-t", acme["id"], *filters]
    program("ioc_hunter", *arguments, answers=f"{client_id}\n{secret}\n")
    names = {"ld": "live-discover", "xdr": "xdr-datalake"}
    found = sorted((package / "output/query_results").glob(f"{names[api]}_result_data_*.json"))
    rows = json.loads(found[-1].read_text())
    (run, rows), = rows.items()
    stored = service.call(acme, "GET", f"{path}/runs/{run}")
    equal(stored["status"], "finished", "the status of the run")
    expected = service.items(acme, f"{path}/runs/{run}/results", {"pageSize": 1000})
    true(expected, "the run has no results")
    equal(list(rows.values()), expected, "the rows")


@of(
    "api_live_discover", "live_discover", "build_json_payload", "post_ld_run", "multi_query_run_checker",
    "get_ld_run_status", "get_ld_endpoints", "get_run_results",
)
def live_discover():
    endpoints = [item["id"] for item in service.items(acme, "/endpoint/v1/endpoints", {"pageSize": 50})][:10]
    saved("ld", config.livediscover_uri, "-f", json.dumps({"ids": endpoints}))


@results.of("ioc_hunter.main")
def ioc_hunter():
    saved("xdr", config.xdr_uri)


results.finish(*modules.values(), hunter)
shutil.rmtree(home)
