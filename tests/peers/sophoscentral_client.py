"""Calls every function of the package `sophoscentral` with the credential of a partner."""

import json

import requests
from sophoscentral import class_sophoscentral as package

from results import Results, equal, true
from service import Service

OUTPUT_FAULT = "the client passes the response itself to a function that accepts parsed JSON only"
CLASS = "class_sophoscentral.SCentralConnection."
results = Results("sophoscentral", explained={CLASS + "post_tenant_queries_runs": OUTPUT_FAULT})
service = Service()
sender, receiver = service.tenant("Acme"), service.tenant("Bolt")
client = None


def ids(items):
    return sorted(item["id"] for item in items)


@results.of(CLASS + "get_tokens", CLASS + "WhoAmI", CLASS + "is_token_expired")
def connect():
    global client
    client = package.SCentralConnection(*service.credential("partner"))
    equal(client.partner_id, service.partner_id(), "the partner")
    true(not client.is_token_expired(), "the token is expired")


@results.of("class_sophoscentral.apierrorhandler.handle_error")
def handle_error():
    answer = requests.get(client.BASE_URL + "/whoami/v1", headers={"Authorization": "Bearer wrong"})
    try:
        package.apierrorhandler(answer).handle_error()
    except Exception as error:
        true(str(error).startswith("401"), f"another error: {error}")
    else:
        true(False, "a wrong token is accepted")


@results.of(CLASS + "get_partner_tenants", CLASS + "handle_output")
def get_partner_tenants():
    found = json.loads(client.get_partner_tenants(json_output=True))
    expected = [tenant["id"] for tenant in service.tenants()]
    equal(ids(found), sorted(expected), "the tenants")
    equal(len(client.get_partner_tenants()), len(expected), "the rows")


@results.of(CLASS + "get", CLASS + "get_tenant_endpoints")
def get_tenant_endpoints():
    found = json.loads(client.get_tenant_endpoints(sender["id"], json_output=True))
    equal(ids(found), ids(service.items(sender, "/endpoint/v1/endpoints")), "the endpoints")


@results.of(CLASS + "get_tenant_common_events")
def get_tenant_common_events():
    found = json.loads(client.get_tenant_common_events(sender["id"], json_output=True))
    listing = service.items(sender, "/common/v1/alerts", {"product": ["endpoint", "server", "other"]})
    true(listing, "the simulator has no alerts")
    equal(ids(found), ids(listing), "the alerts")


@results.of(CLASS + "get_tenant_siem_alerts", CLASS + "get_tenant_siem_events")
def get_tenant_siem_events():
    for name, call in (("alerts", client.get_tenant_siem_alerts), ("events", client.get_tenant_siem_events)):
        found = json.loads(call(sender["id"], json_output=True))
        page = service.call(sender, "GET", f"/siem/v1/{name}")
        true(page["items"], f"the simulator has no {name}")
        equal(ids(found)[:1], ids(page["items"])[:1], name)


@results.of(CLASS + "create_email", CLASS + "new_partner_tenant", CLASS + "post")
def new_partner_tenant():
    answer = client.new_partner_tenant("Dune_Travel_1004")
    made = answer.json()
    stored = service.call_global("GET", f"/partner/v1/tenants/{made['id']}", X_Partner_ID=service.partner_id())
    equal((stored["name"], stored["billingType"]), ("Dune_Travel_1004", "trial"), "the tenant")


@results.of(CLASS + "migrate_endpoint", CLASS + "put")
def migrate_endpoint():
    answer = client.migrate_endpoint("peer-laptop-01", "1001", "1002")
    equal(ids(answer.get("items", [answer]) if "items" in answer else [answer])[:1], [answer["id"]], "the job")
    jobs = service.call(sender, "GET", "/endpoint/v1/migrations")["items"]
    true(answer["id"] in ids(jobs), "the sending tenant has no such job")


@results.of(CLASS + "get_tenant_queries")
def get_tenant_queries():
    found = json.loads(client.get_tenant_queries(sender["id"], json_output=True))
    expected = service.items(sender, "/live-discover/v1/queries", {"pageSize": 50})
    true(expected, "the simulator has no saved queries")
    equal(ids(found), ids(expected), "the queries")


@results.of(CLASS + "post_tenant_queries_runs")
def post_tenant_queries_runs():
    query = service.items(sender, "/live-discover/v1/queries")[0]
    endpoint = service.items(sender, "/endpoint/v1/endpoints")[0]
    try:
        client.post_tenant_queries_runs(sender["id"], query["id"], [endpoint["id"]])
    except TypeError:
        pass
    else:
        true(False, "the fault of the client is gone")
    runs = service.call(sender, "GET", "/live-discover/v1/queries/runs", {"queryId": query["id"]})["items"]
    equal([run["endpointCounts"]["total"] for run in runs], [1], "the endpoints of the run")


@results.of(CLASS + "get_tenant_queries_runs")
def get_tenant_queries_runs():
    query = service.items(sender, "/live-discover/v1/queries")[0]
    found = json.loads(client.get_tenant_queries_runs(sender["id"], query["id"], json_output=True))
    expected = service.call(sender, "GET", "/live-discover/v1/queries/runs", {"queryId": query["id"]})["items"]
    true(expected, "the query has no runs")
    equal(ids(found), ids(expected), "the runs")


@results.of(CLASS + "get_tenant_queries_run_results")
def get_tenant_queries_run_results():
    run = service.call(sender, "GET", "/live-discover/v1/queries/runs")["items"][0]
    service.control("/clock", "POST", {"advance_seconds": 900})
    found = json.loads(client.get_tenant_queries_run_results(sender["id"], run["id"], json_output=True))
    path = f"/live-discover/v1/queries/runs/{run['id']}/results"
    expected = service.call(sender, "GET", path)["items"]
    true(expected, "the run has no results")
    equal(len(found), len(expected), "the rows")


results.finish(package)
