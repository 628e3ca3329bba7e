"""The standard modules a fresh Zoho sandbox starts with: a sensible part of Zoho's own fields."""

from __future__ import annotations

from collections.abc import Callable

from crmsync_zoho.sandbox_schema import LENGTHS, ZohoField, ZohoModule

SYSTEM = """
Owner            | {owner}             | ownerlookup
Created_By       | Created By          | ownerlookup | read_only
Modified_By      | Modified By         | ownerlookup | read_only
Created_Time     | Created Time        | datetime    | read_only
Modified_Time    | Modified Time       | datetime    | read_only
Description      | Description         | textarea
"""

ACCOUNTS = """
Account_Name     | Account Name        | text     | mandatory length=200
Account_Number   | Account Number      | text     | length=40
Account_Type     | Account Type        | picklist | Analyst;Competitor;Customer;Distributor;\
Integrator;Investor;Other;Partner;Press;Prospect;Reseller;Supplier;Vendor
Industry         | Industry            | picklist | Communications;Technology;Medical;Marketing;\
Retail;Finance;Employment;Services;Software;Telecommunications;Entertainment;Manufacturing;\
Real Estate
Rating           | Rating              | picklist | Acquired;Active;Market Failed;\
Project Cancelled;Shutdown
Ownership        | Ownership           | picklist | Other;Private;Public;Subsidiary
Annual_Revenue   | Annual Revenue      | currency
Employees        | Employees           | integer
Parent_Account   | Parent Account      | lookup   | target=Accounts
Phone            | Phone               | phone
Website          | Website             | website
Account_Site     | Account Site        | text     | length=80
Billing_Street   | Billing Street      | text     | length=250
Billing_City     | Billing City        | text     | length=30
Billing_State    | Billing State       | text     | length=30
Billing_Code     | Billing Code        | text     | length=30
Billing_Country  | Billing Country     | text     | length=30
Last_Activity_Time | Last Activity Time | datetime | read_only
"""

CONTACTS = """
First_Name       | First Name          | text     | length=40
Last_Name        | Last Name           | text     | mandatory length=80
Account_Name     | Account Name        | lookup   | target=Accounts
Email            | Email               | email
Phone            | Phone               | phone
Mobile           | Mobile              | phone
Title            | Title               | text     | length=100
Department       | Department          | text     | length=50
Date_of_Birth    | Date of Birth       | date
Email_Opt_Out    | Email Opt Out       | boolean
"""

DEALS = """
Deal_Name        | Deal Name           | text     | mandatory length=120
Account_Name     | Account Name        | lookup   | target=Accounts
Contact_Name     | Contact Name        | lookup   | target=Contacts
Stage            | Stage               | picklist | mandatory Qualification;Needs Analysis;\
Value Proposition;Identify Decision Makers;Proposal/Price Quote;Negotiation/Review;Closed Won;\
Closed Lost;Closed-Lost to Competition
Amount           | Amount              | currency
Closing_Date     | Closing Date        | date
Probability      | Probability (%)     | integer
Expected_Revenue | Expected Revenue    | currency | read_only
Type             | Type                | picklist | Existing Business;New Business
Next_Step        | Next Step           | text     | length=100
"""

ORDERS = """
Subject          | Subject             | text     | mandatory length=120
Account_Name     | Account Name        | lookup   | mandatory target=Accounts
Contact_Name     | Contact Name        | lookup   | target=Contacts
Deal_Name        | Deal Name           | lookup   | target=Deals
SO_Number        | SO Number           | text     | read_only
Status           | Status              | picklist | Created;Approved;Delivered;Cancelled
Order_Date       | Order Date          | date     | custom
Due_Date         | Due Date            | date
Grand_Total      | Grand Total         | currency
Purchase_Order   | Purchase Order      | text     | length=100
"""

CASES = """
Subject          | Subject             | text     | mandatory length=100
Case_Origin      | Case Origin         | picklist | mandatory Email;Phone;Web;Twitter;Facebook
Status           | Status              | picklist | mandatory New;On Hold;Escalated;Closed
Priority         | Priority            | picklist | High;Medium;Low
Type             | Type                | picklist | Problem;Feature Request;Question
Account_Name     | Account Name        | lookup   | target=Accounts
Email            | Email               | email
"""

CALLS = """
Subject          | Subject             | text     | mandatory length=255
Call_Type        | Call Type           | picklist | mandatory Outbound;Inbound;Missed
Call_Start_Time  | Call Start Time     | datetime | mandatory
Call_Duration    | Call Duration       | text     | length=20
Call_Result      | Call Result         | picklist | Interested;Not Interested;No response/Busy
What_Id          | Related To          | lookup
Who_Id           | Contact Name        | lookup   | target=Contacts
"""

EVENTS = """
Event_Title      | Title               | text     | mandatory length=255
Start_DateTime   | From                | datetime | mandatory
End_DateTime     | To                  | datetime | mandatory
All_day          | All day             | boolean
Venue            | Location            | text     | length=255
What_Id          | Related To          | lookup
Who_Id           | Contact Name        | lookup   | target=Contacts
"""

TASKS = """
Subject          | Subject             | text     | mandatory length=255
Due_Date         | Due Date            | date
Status           | Status              | picklist | Not Started;Deferred;In Progress;Completed;\
Waiting for input
Priority         | Priority            | picklist | High;Highest;Low;Lowest;Normal
What_Id          | Related To          | lookup
Who_Id           | Contact Name        | lookup   | target=Contacts
Closed_Time      | Closed Time         | datetime | read_only
"""

STANDARD: tuple[tuple[str, str, str, str], ...] = (
    ("Accounts", "Account", "Account_Name", ACCOUNTS),
    ("Contacts", "Contact", "Last_Name", CONTACTS),
    ("Deals", "Deal", "Deal_Name", DEALS),
    ("Sales_Orders", "Sales Order", "Subject", ORDERS),
    ("Cases", "Case", "Subject", CASES),
    ("Calls", "Call", "Subject", CALLS),
    ("Events", "Event", "Event_Title", EVENTS),
    ("Tasks", "Task", "Subject", TASKS),
)

RELATED_LISTS = {
    ("Accounts", "Tasks"): ("Tasks", "What_Id"),
    ("Accounts", "Calls"): ("Calls", "What_Id"),
    ("Accounts", "Events"): ("Events", "What_Id"),
    ("Accounts", "Contacts"): ("Contacts", "Account_Name"),
    ("Accounts", "Deals"): ("Deals", "Account_Name"),
    ("Accounts", "SalesOrders"): ("Sales_Orders", "Account_Name"),
    ("Accounts", "Cases"): ("Cases", "Account_Name"),
    ("Contacts", "Tasks"): ("Tasks", "Who_Id"),
    ("Deals", "Tasks"): ("Tasks", "What_Id"),
}
"""(parent module, list name) → (module, its look-up field)."""


def standard_modules(new_id: Callable[[], str]) -> dict[str, ZohoModule]:
    """The modules of a fresh account, every field with an id of its own."""
    modules = {}
    for api_name, singular, name_field, own in STANDARD:
        fields = {}
        for line in (own.strip() + SYSTEM.format(owner=f"{singular} Owner")).strip().splitlines():
            made = _field(line, new_id())
            fields[made.api_name] = made
        modules[api_name] = ZohoModule(api_name, singular, name_field, new_id(), fields)
    for module in modules.values():
        for field in module.fields.values():
            if field.target is not None:
                field.target_id = modules[field.target].id
    return modules


def _field(line: str, field_id: str) -> ZohoField:
    api_name, label, data_type, *rest = (part.strip() for part in line.split("|"))
    made = ZohoField(api_name, label, data_type, id=field_id, length=LENGTHS.get(data_type, 0))
    words = rest[0] if rest else ""
    for flag in ("mandatory", "read_only", "custom"):
        if words == flag or words.startswith(f"{flag} "):
            setattr(made, flag, True)
            words = words.removeprefix(flag).strip()
    for word in words.split(" ") if "=" in words else ():
        key, _, value = word.partition("=")
        if key == "length":
            made.length = int(value)
        elif key == "target":
            made.target = value
    if data_type == "picklist":
        made.choices = words.split(";")
    return made
