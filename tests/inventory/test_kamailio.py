"""SQL for Kamailio's table of subscribers, as a database takes it."""

import sqlite3

from tests.inventory.test_asterisk import export, extension

from offhook.inventory.kamailio import format_subscribers

SCHEMA = """
CREATE TABLE subscriber (id INTEGER PRIMARY KEY NOT NULL, username VARCHAR(64) DEFAULT '' NOT NULL,
  domain VARCHAR(64) DEFAULT '' NOT NULL, password VARCHAR(64) DEFAULT '' NOT NULL,
  ha1 VARCHAR(128) DEFAULT '' NOT NULL, ha1b VARCHAR(128) DEFAULT '' NOT NULL,
  CONSTRAINT subscriber_account_idx UNIQUE (username, domain));
INSERT INTO subscriber (username, domain) VALUES ('gone', 'acme.test'), ('other', 'other.test');
"""


def load(*texts: str) -> list[tuple[str, str, str]]:
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA)
    for text in texts:
        database.executescript(text)
    rows = database.execute("SELECT username, domain, ha1 FROM subscriber ORDER BY domain, username").fetchall()
    assert not database.execute("SELECT * FROM subscriber WHERE password != ''").fetchall()
    database.close()
    return rows


def test_the_rows_of_its_domains_are_replaced_and_others_left_alone() -> None:
    text = format_subscribers(export(extension(lines=2)), made_by="Made")
    rows = [
        ("2001-a0", "acme.test", f"{0:032x}"),
        ("2001-a1", "acme.test", f"{1:032x}"),
        ("other", "other.test", ""),
    ]
    assert load(text) == rows
    assert load(text, text) == rows


def test_how_it_was_made_and_what_it_lacks_stands_at_its_top() -> None:
    text = format_subscribers(export(notes=("it lacks; that",)), made_by="Made")
    assert text.startswith("-- Made\n")
    assert "-- Note: it lacks; that\n" in text
    assert load(text)[0][0] == "gone"


def test_a_domain_that_the_column_does_not_hold_is_left_out_and_named() -> None:
    long = f"{'a' * 60}.test"
    text = format_subscribers(export(extension(domain=long)), made_by="Made")
    assert f"-- Note: {long} is left out" in text
    assert [row[0] for row in load(text)] == ["gone", "other"]
