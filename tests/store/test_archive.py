"""The form of a backup: what was put in comes out, and nothing else opens."""

import io
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.keys import KEYRING, ROOT

from offhook.errors import ArchiveUnusable
from offhook.secret import Secret
from offhook.store.archive import (
    BLOCK_BYTES,
    Cost,
    Header,
    Lock,
    Unsealed,
    read_header,
    seal,
    sealed_size,
)
from offhook.store.keys import Keyring, RootKey

CHEAP: Final = Cost(1, 64, 1)
HEADER_BYTES: Final = len(bytes(Header.for_keyring(KEYRING)))


def sealed(*contents: bytes) -> bytes:
    header = Header.for_keyring(KEYRING)
    return b"".join(seal(header, header.derive_from_keyring(KEYRING), [io.BytesIO(content) for content in contents]))


def opened(archive: bytes, size: int) -> bytes:
    file = io.BytesIO(archive)
    header = read_header(file)
    unsealed = Unsealed(header, header.derive_from_keyring(KEYRING), file)
    content = unsealed.read(size)
    unsealed.finish()
    return content


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0, 1, 15, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1]), max_size=4))
def test_what_was_sealed_opens_and_is_as_long_as_foretold(sizes: list[int]) -> None:
    contents = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    archive = sealed(*contents)
    assert len(archive) == sealed_size(sum(sizes))
    assert opened(archive, sum(sizes)) == b"".join(contents)


@settings(max_examples=60)
@given(st.data())
def test_a_byte_that_was_altered_anywhere_is_found(data: st.DataObject) -> None:
    archive = bytearray(sealed(b"x" * (2 * BLOCK_BYTES + 7)))
    archive[data.draw(st.integers(0, len(archive) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ArchiveUnusable):
        opened(bytes(archive), 2 * BLOCK_BYTES + 7)


@pytest.mark.parametrize("blocks", [0, 1, 2])
@pytest.mark.parametrize("more", [0, 1, 16, 17])
def test_what_was_cut_off_is_found_at_the_border_of_a_block_too(blocks: int, more: int) -> None:
    archive = sealed(b"x" * (3 * BLOCK_BYTES))
    with pytest.raises(ArchiveUnusable, match="does not open"):
        opened(archive[: HEADER_BYTES + blocks * (BLOCK_BYTES + 16) + more], 3 * BLOCK_BYTES)


def test_blocks_in_another_order_do_not_open() -> None:
    archive = sealed(b"x" * (3 * BLOCK_BYTES))
    size = BLOCK_BYTES + 16
    first, second = archive[HEADER_BYTES : HEADER_BYTES + size], archive[HEADER_BYTES + size : HEADER_BYTES + 2 * size]
    swapped = archive[:HEADER_BYTES] + second + first + archive[HEADER_BYTES + 2 * size :]
    with pytest.raises(ArchiveUnusable):
        opened(swapped, 3 * BLOCK_BYTES)


def test_what_was_added_is_found() -> None:
    with pytest.raises(ArchiveUnusable):
        opened(sealed(b"x") + b"y", 1)
    with pytest.raises(ArchiveUnusable, match="more than it says"):
        opened(sealed(b"xy"), 1)
    with pytest.raises(ArchiveUnusable, match="less than it says"):
        opened(sealed(b"x"), 2)


def test_a_passphrase_opens_it_and_another_does_not() -> None:
    header = Header.for_passphrase(CHEAP)
    key = header.derive_from_passphrase(Secret("correct horse"))
    archive = b"".join(seal(header, key, [io.BytesIO(b"content")]))
    for passphrase, opens in (("correct horse", True), ("correct horsf", False)):
        file = io.BytesIO(archive)
        found = read_header(file)
        assert (found.lock, found.cost) == (Lock.PASSPHRASE, CHEAP)
        unsealed = Unsealed(found, found.derive_from_passphrase(Secret(passphrase)), file)
        if opens:
            assert unsealed.read(7) == b"content"
        else:
            with pytest.raises(ArchiveUnusable, match="wrong passphrase, or a damaged file"):
                unsealed.read(7)


def test_no_two_archives_share_a_key() -> None:
    headers = [Header.for_keyring(KEYRING), Header.for_keyring(KEYRING)]
    assert len({header.derive_from_keyring(KEYRING) for header in headers}) == 2


def test_another_key_is_told_by_name() -> None:
    other = Keyring(RootKey(b"1" * 32), RootKey(b"2" * 32))
    with pytest.raises(ArchiveUnusable, match=f"key {ROOT.id.hex()}, and the key here is {other.describe()}"):
        Header.for_keyring(KEYRING).derive_from_keyring(other)


def test_what_is_no_archive_or_asks_too_much_is_refused() -> None:
    dear = Header(Lock.PASSPHRASE, bytes(16), cost=Cost(1000, 64, 1))
    huge = Header(Lock.PASSPHRASE, bytes(16), cost=Cost(1, 2**31, 1))
    tiny = Header(Lock.PASSPHRASE, bytes(16), cost=Cost(1, 1, 1))
    for content in (b"", b"offhook", b"PK" * 100, bytes(dear), bytes(huge), bytes(tiny)):
        with pytest.raises(ArchiveUnusable):
            read_header(io.BytesIO(content))
    newer = bytearray(bytes(Header.for_keyring(KEYRING)))
    newer[15] = 2
    with pytest.raises(ArchiveUnusable, match="newer Offhook"):
        read_header(io.BytesIO(newer))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(ArchiveUnusable):
        read_header(io.BytesIO(content))


def test_a_key_that_is_no_longer_in_use_opens_what_it_sealed() -> None:
    header = Header.for_keyring(KEYRING)
    later = Keyring(RootKey(b"1" * 32), ROOT)
    assert header.derive_from_keyring(later) == header.derive_from_keyring(KEYRING)
    assert Header.for_keyring(later).key_id == later.current.id
