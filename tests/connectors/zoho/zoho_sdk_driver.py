"""Runs one scenario with Zoho's Python SDK 7.0.0 and prints what it saw as one line of JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import coql, fields, modules, org, record, timelines, users
from zohocrmsdk.src.com.zoho.crm.api.dc.data_center import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.header_map import HeaderMap
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.parameter_map import ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.record.record_operations import GetRecordsParam
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.util import Choice


def secret_file(folder: Path) -> Path:
    """Where the SDK keeps its tokens: a place for secrets."""
    kept = folder / "tokens"
    kept.mkdir(exist_ok=True)
    return kept / "sdk.txt"


def sign_in(given: dict[str, str]) -> None:
    """The README's own initialisation, pointed at the sandbox."""
    folder, url = Path(given["folder"]), given["url"]
    Initializer.initialize(
        environment=DataCenter.Environment(url, f"{url}/oauth/v2/token", url),
        token=OAuthToken(
            client_id=given["client_id"],
            client_secret=given["client_secret"],
            refresh_token=given["refresh_token"],
            find_user=False,
        ),
        store=FileStore(str(secret_file(folder))),
        resource_path=str(folder),
        sdk_config=SDKConfig(pick_list_validation=False, update_api_domain=True),
    )


def parameters(**values):
    found = ParameterMap()
    for name, value in values.items():
        found.add(getattr(GetRecordsParam, name), value)
    return found


def code(response) -> str:
    return response.get_object().get_code().get_value()


def results(response) -> list[str]:
    return [item.get_code().get_value() for item in response.get_object().get_data()]


def listed(module: str = "Accounts", **values):
    return record.RecordOperations(module).get_records(parameters(**values), HeaderMap())


def body(*records, checks=None):
    found = record.BodyWrapper()
    found.set_data(list(records))
    found.set_trigger([])
    if checks:
        found.set_duplicate_check_fields(checks)
    return found


def made(**values):
    found = record.Record()
    for name, value in values.items():
        found.add_key_value(name.replace("se_module", "$se_module"), value)
    return found


def who(*_: str):
    (company,) = org.OrgOperations().get_organization().get_object().get_org()
    asked = ParameterMap()
    asked.add(users.GetUsersParam.type, "CurrentUser")
    (user,) = users.UsersOperations().get_users(asked, HeaderMap()).get_object().get_users()
    return {"org": company.get_company_name(), "user": user.get_full_name()}


def read(*_: str):
    ids, name, calls = [], None, 0
    more = {"fields": "Account_Name,Owner,Annual_Revenue", "sort_by": "id", "sort_order": "asc"}
    while True:
        found = listed(**more).get_object()
        calls += 1
        for item in found.get_data():
            name = name or item.get_key_value("Account_Name")
            ids.append(str(item.get_id()))
        if not found.get_info().get_more_records():
            return {"ids": ids, "name": name, "calls": calls}
        more["page_token"] = found.get_info().get_next_page_token()


def read_empty(*_: str):
    response = listed("Deals", fields="Deal_Name")
    return {"status": response.get_status_code(), "object": response.get_object()}


def query(text: str):
    asked = coql.BodyWrapper()
    asked.set_select_query(text)
    return coql.CoqlOperations().get_records(asked)


def errors(*_: str):
    return {
        "no_fields": code(listed()),
        "page_11": code(listed(fields="Account_Name", page=11)),
        "module": code(modules.ModulesOperations().get_module_by_api_name("Nonsense")),
        "coql": code(query("select Account_Name from Accounts")),
    }


def update(first: str, second: str):
    good, bad = made(Phone="+86 10 0000 0000"), made(Rating=Choice("Not A Choice"))
    good.set_id(int(first))
    bad.set_id(int(second))
    response = record.RecordOperations("Accounts").update_records(body(good, bad), HeaderMap())
    return {"status": response.get_status_code(), "results": results(response)}


def create(*_: str):
    accounts = record.RecordOperations("Accounts")
    response = accounts.create_records(
        body(made(Account_Name="First", Account_Number="1", Annual_Revenue=12.5)), HeaderMap()
    )
    first = response.get_object().get_data()[0].get_details()["id"]
    upserted = accounts.upsert_records(
        body(
            made(Account_Name="First again", Account_Number="1"),
            made(Account_Name="Second", Account_Number="2"),
            checks=["Account_Number"],
        ),
        HeaderMap(),
    )
    about = record.Record()
    about.set_id(int(first))
    task = made(Subject="Call the customer", What_Id=about, se_module="Accounts")
    tasks = record.RecordOperations("Tasks")
    created = tasks.create_records(body(task), HeaderMap())
    refused = tasks.upsert_records(body(task, checks=["Subject"]), HeaderMap())
    return {
        "created": results(response),
        "upserted": [item.get_action().get_value() for item in upserted.get_object().get_data()],
        "task": results(created),
        "task_upsert": code(refused),
    }


def timeline(record_id: str):
    asked = ParameterMap()
    asked.add(timelines.timelines_operations.GetTimelinesParam.per_page, "200")
    operations = timelines.TimelinesOperations()
    found = operations.get_timelines("Accounts", record_id, asked).get_object()
    missing = operations.get_timelines("Accounts", "4876876000000000001", ParameterMap())
    return {
        "missing": code(missing),
        "more": found.get_info().get_more_records(),
        "saves": [
            {
                "by": entry.get_done_by().get_name(),
                "at": entry.get_audited_time().isoformat(),
                "action": entry.get_action(),
                "moved": {
                    part.get_api_name(): [part.get_value().get_old(), part.get_value().get_new()]
                    for part in entry.get_field_history()
                },
            }
            for entry in found.get_timeline()
        ],
    }


def run_coql(*_: str):
    text = (
        "select Account_Name, Owner from Accounts where (Account_Name != 'Invented 0' "
        "and id > 0) order by id asc limit 200"
    )
    found = query(text).get_object()
    return {
        "ids": [str(item.get_id()) for item in found.get_data()],
        "more": found.get_info().get_more_records(),
    }


def described():
    asked = ParameterMap()
    asked.add(fields.GetFieldsParam.module, "Accounts")
    return fields.FieldsOperations().get_fields(asked).get_object().get_fields()


def describe(*_: str):
    known = modules.ModulesOperations().get_modules(ParameterMap(), HeaderMap())
    found = described()
    rating = next(item for item in found if item.get_api_name() == "Rating")
    return {
        "modules": [module.get_api_name() for module in known.get_object().get_modules()],
        "fields": {item.get_api_name(): item.get_data_type() for item in found},
        "choices": [value.get_actual_value() for value in rating.get_pick_list_values()],
    }


def field(*_: str):
    wanted = fields.Fields()
    wanted.set_field_label("Made by SDK")
    wanted.set_data_type("text")
    wanted.set_length(100)
    asked = fields.BodyWrapper()
    asked.set_fields([wanted])
    where = ParameterMap()
    where.add(fields.CreateFieldParam.module, "Accounts")
    (result,) = fields.FieldsOperations().create_field(asked, where).get_object().get_fields()
    details = result.get_details()
    return {
        "code": result.get_code().get_value(),
        "id": str(details["id"]),
        "keys": sorted(details),
    }


def until_refused(*_: str):
    for _ in range(30):
        response = listed(fields="Account_Name")
        if response.get_status_code() != 200:
            return {"code": code(response), "status": response.get_status_code()}
    return {"code": "never", "status": 0}


SCENARIOS = {
    "who": who,
    "read": read,
    "read_empty": read_empty,
    "errors": errors,
    "update": update,
    "create": create,
    "timeline": timeline,
    "coql": run_coql,
    "describe": describe,
    "field": field,
    "until_refused": until_refused,
}

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sign_in(json.loads(sys.stdin.read()))
    print(json.dumps(SCENARIOS[sys.argv[1]](*sys.argv[2:]), ensure_ascii=False))
