"""Tables (T3): users, numbers, devices and assignments as CSV, in and out.

    bytes ── sheet ──> rows ── columns, parts ──> the tree of an inventory document ──> reading, as of YAML

So every rule stands once: a table is another way to write the document, with a line and a column for each value.
"""
