import sys

import pytest


@pytest.mark.skipif(sys.platform != "win32", reason="Windows prints prices in another code page")
def test_code_page():
    assert sys.stdout.encoding == "cp850"


def test_byte_order():
    assert sys.byteorder in ("little", "big")
