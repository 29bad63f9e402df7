import pytest
from tests.support.tables import apply_table, table_faults
from tests.support.workbench import Workbench

from offhook.errors import DocumentError
from offhook.inventory.models import Account, Device, DeviceState, Line, Location, Number, User
from offhook.inventory.tabular.columns import Kind

ACME = "accounts: [{name: acme, sip_domain: acme.test, locations: [{name: HQ}]}]"
TWO_ACCOUNTS = "accounts: [{name: acme, sip_domain: acme.test}, {name: globex, sip_domain: globex.test}]"
#: A spreadsheet's own: semicolons, Windows line ends, an apostrophe where a number begins with a plus sign.
OFFICE = (
    "Username;First name;Last name;Plan;Extension;Location;Number;Type;MAC;IPEI;Base;Vendor;Model;Name;Port\r\n"
    "jsmith;Jane;Smith;Pro;2001;HQ;'+12125550101;deskphone;00:15:65:12:34:56;;;yealink;T46U;Reception;\r\n"
    "rlee;Robin;Lee;Plus;2002;HQ;;dect handset;;0658500479393;00:04:13:aa:bb:cc;;;;\r\n"
    ";;;;;HQ;;dect_base;000413AABBCC;;;snom;M900;Floor 2;\r\n"
    ";;;;2090;HQ;;ata;ec:74:d7:00:00:01;;;grandstream;HT802;Fax;1\r\n"
    ";;;;2091;;;;ec:74:d7:00:00:01;;;;;;2\r\n"
)


async def bench_with(document: str = ACME) -> Workbench:
    bench = Workbench()
    await bench.apply(document)
    return bench


async def test_one_table_sets_up_users_numbers_phones_a_base_and_an_ata() -> None:
    bench = await bench_with()
    plan = await apply_table(bench, OFFICE)
    assert not plan.warnings
    jane = bench.user("jsmith")
    assert (jane.full_name, jane.extension) == ("Jane Smith", "2001")
    [number] = bench.inventory.all(Number)
    assert (number.user_id, number.number) == (jane.id, "+12125550101")
    reception = bench.phone("001565123456")
    assert [line.user_id for line in bench.inventory.lines_of(reception.id)] == [jane.id]
    handset, base = bench.phone("065850047939"), bench.phone("000413aabbcc")
    assert (handset.base_id, handset.location_id) == (base.id, None)
    ports = bench.inventory.lines_of(bench.phone("ec74d7000001").id)
    assert [(line.index, line.extension) for line in ports] == [(1, "2090"), (2, "2091")]


async def test_importing_twice_changes_nothing_the_second_time() -> None:
    bench = await bench_with()
    first = await apply_table(bench, OFFICE)
    assert not first.unchanged
    before = bench.inventory
    second = await apply_table(bench, OFFICE)
    assert (second.differences, second.reloads) == ((), ())
    assert dict(second.unchanged) == {"users": 2, "numbers": 1, "devices": 4, "lines": 4}
    assert bench.inventory is before


async def test_what_a_table_leaves_empty_stays_and_a_dash_clears() -> None:
    bench = await bench_with()
    await apply_table(bench, "username,first_name,email,extension\njane,Jane,jane@acme.test,2001\n")
    await apply_table(bench, "username,first_name,email\njane,,-\n")
    jane = bench.user("jane")
    assert (jane.first_name, jane.email, jane.extension) == ("Jane", None, "2001")


async def test_tables_of_each_kind_are_read_by_their_header() -> None:
    bench = await bench_with()
    await apply_table(bench, "name,country,state,city,house_number,street,postal_code\nLab,US,NY,Troy,1,Main,12180\n")
    await apply_table(bench, "username,location,authorised\njane,Lab,YES\n")
    await apply_table(bench, "number,user,main,display_first\n+12125550101,jane,no,J.\n")
    await apply_table(bench, "type,mac,vendor,state\ndeskphone,00:15:65:12:34:56,Yealink,disabled\n")
    await apply_table(bench, "mac,line,number,label\n00:15:65:12:34:56,2,+12125550101,Desk\n")
    [device] = bench.inventory.all(Device)
    assert (device.state, device.vendor) == (DeviceState.DISABLED, "yealink")
    assert [line.label for line in bench.inventory.lines_of(device.id)] == [None, "Desk"]
    assert bench.user("jane").is_authorised
    assert {location.name for location in bench.inventory.all(Location)} == {"HQ", "Lab"}


async def test_every_fault_of_every_row_is_told_with_its_line_and_column() -> None:
    bench = await bench_with()
    await apply_table(bench, "username,extension\nold,2001\n")
    before = bench.inventory
    table = (
        "username,extension,location,type,mac,vendor,plan\n"
        "jane,2001,HQ,deskphone,1.5651E+09,yealink,pro\n"
        '"rob","2002",Hq2,deskphone,00:15:65:12:34:57,yealink,gold\n'
        '"multi\nline",2003.0,HQ,deskphone,00:15:65:12:34:58,yealink,pro\n'
        "zoe,2004,Annexe,desk phone,00:15:65:12:34:59,yealink,pro\n"
    )
    assert await table_faults(bench, table) == [
        "2:2: extension: the extension 2001 is taken: by user old; choose another extension",
        "2:5: mac: 1.5651E+09 is what a spreadsheet made of a long number, and its last digits are gone; format the "
        "column as text in the spreadsheet, and enter it again",
        "3:3: location: account acme has no location 'Hq2'; add it under locations",
        "3:7: plan: wants one of 'pro', 'plus' or 'basic', not 'gold'",
        "4:1: username: 'multi\\nline' cannot be a user name; drop the other characters",
        "4:2: extension: 2003.0 is what a spreadsheet made of 2003; format the column as text in the spreadsheet, and "
        "enter it again",
        "6:3: location: account acme has no location 'Annexe'; add it under locations",
        "6:4: type: wants one of 'deskphone', 'dect_base', 'dect_handset', 'ata', 'softphone' or 'generic', "
        "not 'desk_phone'; did you mean 'deskphone'?",
    ]
    with pytest.raises(DocumentError):
        await apply_table(bench, table)
    assert bench.inventory is before


async def test_what_is_missing_is_told_by_the_name_of_its_field() -> None:
    bench = await bench_with()
    assert await table_faults(bench, "name,city\nLab,Troy\n") == ["2: country: is missing; add it"]
    assert await table_faults(bench, "type,mac,name\ndect_handset,00:15:65:12:34:56,Hall\n") == [
        "2: ipei: a DECT handset needs its IPEI; dial *#06# on it",
        "2:2: mac: a DECT handset has an IPEI and no MAC; leave it out",
    ]


async def test_a_user_is_moved_only_when_that_is_confirmed() -> None:
    bench = await bench_with()
    await apply_table(bench, OFFICE)
    table = "username,type,mac,vendor\njsmith,deskphone,00:15:65:12:34:99,yealink\n"
    [fault] = await table_faults(bench, table)
    assert fault.startswith("2: user: user jsmith has Reception (00:15:65:12:34:56) already")
    await apply_table(bench, table, confirm_moves=True)
    lines = {line.device_id for line in bench.inventory.all(Line) if line.user_id == bench.user("jsmith").id}
    assert lines == {bench.phone("001565123499").id}


# -- the header -------------------------------------------------------------------------------------------------------


async def test_every_fault_of_a_header_is_told_and_no_row_is_looked_at() -> None:
    bench = await bench_with()
    assert await table_faults(bench, "usernme,first_name,First name,extension\nx,x,x,x\n", kind=Kind.USERS) == [
        "1: a table of users needs the column username",
        "1:1: usernme: unknown column 'usernme'; did you mean 'username'?",
        "1:3: First name: column 'first_name' stands twice; drop one of the two",
    ]
    assert await table_faults(bench, "mac,line,port\n") == [
        "1:3: port: column 'port' stands twice; drop one of the two"
    ]


async def test_empty_columns_at_the_end_are_passed_over_unless_something_stands_there() -> None:
    bench = await bench_with()
    assert await table_faults(bench, "username,,\njane,,\nrob,,,,\n") == []
    assert await table_faults(bench, "username,\njane,2001\nrob,,,x\n") == [
        "2:2: a value stands in a column without a name; name the column, or empty the cell",
        "3:4: a value stands in a column without a name; name the column, or empty the cell",
    ]


async def test_a_table_without_rows_changes_nothing() -> None:
    bench = await bench_with()
    assert (await apply_table(bench, "username,first_name\n")).differences == ()


# -- accounts ---------------------------------------------------------------------------------------------------------


async def test_rows_say_which_account_they_are_of() -> None:
    bench = await bench_with(TWO_ACCOUNTS)
    await apply_table(bench, "account,username\nACME,jane\nglobex,rob\n")
    names = {account.id: account.name for account in bench.inventory.all(Account)}
    assert {user.username: names[user.account_id] for user in bench.inventory.all(User)} == {
        "jane": "acme",
        "rob": "globex",
    }


async def test_an_account_that_is_meant_is_said_and_there_already() -> None:
    bench = await bench_with(TWO_ACCOUNTS)
    assert await table_faults(bench, "username\njane\n") == [
        "1: the table does not say which account it is of; say --account NAME"
    ]
    assert await table_faults(bench, "username\njane\n", account="globex") == []
    assert await table_faults(bench, "account,username\nakme,jane\nakme,rob\nglobex,zoe\n,kim\n", account="acme") == [
        "2:1: account: there is no account 'akme'; correct it, or create the account first",
        "4:1: account: the row is of account globex, not of acme; import it apart",
    ]
    assert await table_faults(bench, "account,username\nacme,jane\n,kim\n") == [
        "3: the row names no account; fill in account, or say --account NAME"
    ]
    assert await table_faults(Workbench(), "username\njane\n") == [
        "1: there is no account to import into; create it first, with its SIP domain"
    ]


async def test_the_same_user_in_two_accounts_is_a_fault() -> None:
    bench = await bench_with(TWO_ACCOUNTS)
    [first, *_] = await table_faults(bench, "account,username\nacme,jane\nglobex,Jane\n")
    assert first == "3: user jane belongs to account acme; delete it there first"


# -- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("username,extension", "user{},x"),
        ("mac,type", "{}.5E+09,deskphone"),
        ("username,first_name", ",{}"),
        ("username,location", "user{},Nowhere"),
        ("type,mac", ",00:15:65:{}"),
        ("account,username", "account{},x"),
    ],
)
async def test_the_list_of_faults_is_bounded_and_says_how_many_more_there_are(header: str, row: str) -> None:
    bench = await bench_with()
    text = header + "\n" + "".join(row.format(number) + "\n" for number in range(1200))
    faults = await table_faults(bench, text)
    assert len(faults) == 101
    assert [fault.split(":")[0] for fault in faults[:100]] == [str(line) for line in range(2, 102)]
    assert faults[100].strip() in (
        "has 1100 more faults; correct these first",
        "has at least 1100 more faults; correct these first",
        "has at least 901 more faults; correct these first",
    )


async def test_a_long_cell_is_refused_and_not_repeated() -> None:
    bench = await bench_with()
    assert await table_faults(bench, f"username,first_name\njane,{'x' * 5000}\n") == [
        "2:2: first_name: has 5000 characters; at most 1024 are read"
    ]


async def test_a_password_is_never_repeated() -> None:
    bench = await bench_with()
    [fault] = await table_faults(bench, 'mac,type,line,password\n00:15:65:12:34:56,deskphone,1,"my secret"\n')
    assert "secret" not in fault


async def test_a_quote_that_is_not_closed_is_told_with_the_faults_before_it() -> None:
    bench = await bench_with()
    assert await table_faults(bench, 'username,extension\njane,2001.0\n"rob,2002\nzoe,2003\n') == [
        "2:2: extension: 2001.0 is what a spreadsheet made of 2001; format the column as text in the spreadsheet, and "
        "enter it again",
        "3: a quote that is opened here is not closed before the end of the file; close it, or write two for one",
    ]
