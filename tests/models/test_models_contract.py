"""The contract of the labs, asked of every model."""

from tests.labs.test_contract import *
