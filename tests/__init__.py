"""Tests of the portal. The collector of garbage waits until all of them are collected."""

import gc

gc.disable()
