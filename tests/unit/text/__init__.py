"""Tests of conference.text."""
